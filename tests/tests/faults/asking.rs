//! One write until its outcome is known, under one key however often it is asked for; then a look at another node.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use assay_tests::{Answer, Client};
use reqwest::Method;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::book::{Book, Done, What};
use crate::house::{Person, Places};

/// How long a client waits for an answer before it takes the outcome for unknown.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long a client waits before it asks again.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a write is asked for at most while it gets no answer.
const ASKED_MAX: u32 = 600;
/// How long an acknowledged write may not be shown by another node.
const SHOWN_LIMIT: Duration = Duration::from_mins(2);

/// Somebody at work: knows the nodes, keeps the book.
#[derive(Clone, Debug)]
pub(crate) struct Hand {
    /// Which one, for its keys.
    pub(crate) number: usize,
    /// How many writes it has asked for.
    pub(crate) count: u32,
    pub(crate) places: Arc<Places>,
    pub(crate) book: Arc<Book>,
}

/// What is asked, of which node first, and how patiently.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) path: &'a str,
    pub(crate) body: Value,
    pub(crate) what: What,
    pub(crate) node: usize,
    /// Whether it is asked again where the outcome is unknown.
    pub(crate) patient: bool,
}

/// How one request ended.
enum Heard {
    Done(Done),
    Refused(u16, String),
    Unknown,
}

impl Hand {
    /// Asks until it is known what came of it; whether it was acknowledged.
    pub(crate) async fn ask(&mut self, person: &Person, wish: Wish<'_>) -> Result<bool> {
        self.count += 1;
        let key = format!("faults-{}-{}", self.number, self.count);
        let command = Uuid::new_v5(&person.id, key.as_bytes());
        let number = self.book.open(command, person.id, wish.what.clone());
        let mut node = wish.node;
        for _ in 0..ASKED_MAX {
            self.book.ask(number);
            let asked_at = Instant::now();
            match self.once(person, &wish, node, &key).await? {
                Heard::Done(done) => {
                    let wrote = done.node;
                    self.book.ok(number, done, asked_at);
                    if let What::Attempt { claim } = wish.what {
                        self.book.surprise(format!("{} judged their own claim {claim}", person.id));
                    }
                    self.see(person, &wish.what, wrote + 1).await?;
                    return Ok(true);
                }
                Heard::Refused(status, code) => {
                    self.book.fail(number, status, &code);
                    let meant = matches!(wish.what, What::Attempt { .. });
                    if !(meant && status == 403 && code == "claim_four_eyes") {
                        let kind = wish.what.kind();
                        self.book.surprise(format!("{kind} at node {node}: {status} {code}"));
                    }
                    return Ok(false);
                }
                Heard::Unknown if !wish.patient => return Ok(false),
                Heard::Unknown => tokio::time::sleep(PAUSE).await,
            }
            // Every other time at another node.
            node += usize::from(self.count.is_multiple_of(2));
        }
        self.book.surprise(format!("{} was asked {ASKED_MAX} times", wish.what.kind()));
        Ok(false)
    }

    async fn once(
        &self,
        person: &Person,
        wish: &Wish<'_>,
        node: usize,
        key: &str,
    ) -> Result<Heard> {
        let client = person.client.at(&self.places.get(node).url);
        let request = client.request(&Method::POST, wish.path).timeout(ANSWER_LIMIT);
        let request = request.header("Idempotency-Key", key).json(&wish.body);
        let Some(answer) = self.sent(&client, request, "write").await else {
            return Ok(Heard::Unknown);
        };
        if matches!(answer.status, 200 | 201) {
            if answer.at("/receipt/token").is_null() {
                self.book.surprise(format!("a receipt without a token: {}", answer.text));
            }
            let facts = answer.at("/receipt/event_ids").as_array().map_or(0, Vec::len);
            let position = answer.at("/receipt/position").as_u64();
            let node = node % crate::house::NODES;
            return Ok(Heard::Done(Done { position, facts, node }));
        }
        if (400..500).contains(&answer.status) {
            return Ok(Heard::Refused(answer.status, answer.code().to_owned()));
        }
        Ok(Heard::Unknown)
    }

    /// Looks at a node until it shows what another acknowledged: at once, or after saying «not yet».
    async fn see(&self, person: &Person, what: &What, node: usize) -> Result<()> {
        let asked_at = Instant::now();
        let mut node = node;
        while asked_at.elapsed() < SHOWN_LIMIT {
            let client = person.client.at(&self.places.get(node).url);
            let request = client.request(&Method::GET, &shown_at(what)).timeout(ANSWER_LIMIT);
            match self.sent(&client, request, "read").await {
                Some(answer) if answer.status == 200 => {
                    if !shows(what, &answer) {
                        let words = format!("node {node} shows an older state: {what:?}");
                        self.book.surprise(format!("{words}: {}", answer.text));
                    }
                    return Ok(());
                }
                Some(answer) if answer.status < 500 => {
                    let (status, code) = (answer.status, answer.code());
                    self.book.surprise(format!("{what:?} at node {node}: {status} {code}"));
                    return Ok(());
                }
                Some(_) => (),
                // That node is away or stands still: another one will do.
                None => node += 1,
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.book.surprise(format!("node {node} never showed {what:?}"));
        Ok(())
    }

    /// Sends a request and counts its answer; nothing where there was none.
    async fn sent(
        &self,
        client: &Client,
        request: reqwest::RequestBuilder,
        kind: &str,
    ) -> Option<Answer> {
        match client.send(request).await {
            Ok(answer) => {
                let words = format!("{kind}: {} {}", answer.status, answer.code());
                self.book.answered(words.trim_end().to_owned());
                self.must_be_fair(&answer);
                Some(answer)
            }
            Err(error) => {
                let lost = error.downcast_ref::<reqwest::Error>();
                let late = lost.is_some_and(reqwest::Error::is_timeout);
                let words = if late { "no answer in time" } else { "connection lost or refused" };
                self.book.answered(format!("{kind}: {words}"));
                None
            }
        }
    }

    /// Of all answers of a server at fault only «not now» is fair, and only if it says when to come again.
    fn must_be_fair(&self, answer: &Answer) {
        let fair = answer.status < 500
            || (answer.status == 503 && answer.headers.contains_key(RETRY_AFTER));
        if !fair {
            self.book.surprise(format!("{}: {}", answer.status, answer.text));
        }
    }
}

/// Where something is shown.
fn shown_at(what: &What) -> String {
    match what {
        What::Report { report, .. } => format!("/reports/{report}"),
        What::Assertion { claim, .. } => format!("/claims/{claim}/assertions"),
        What::Verdict { claim, .. } => format!("/claims/{claim}/verdicts"),
        What::Claim { claim, .. } | What::Review { claim } | What::Attempt { claim } => {
            format!("/claims/{claim}")
        }
    }
}

/// Whether an answer shows it.
fn shows(what: &What, answer: &Answer) -> bool {
    match what {
        What::Report { rendition, .. } => answer.at("/renditions/0/id") == &json!(rendition),
        What::Claim { gist, .. } => answer.text.contains(gist.as_str()),
        What::Assertion { assertion, .. } => answer.text.contains(&assertion.to_string()),
        What::Review { .. } => answer.at("/standing") == &json!("under_review"),
        What::Verdict { verdict, .. } => answer.text.contains(&verdict.to_string()),
        What::Attempt { .. } => true,
    }
}
