//! Who does what: analysts file and claim and try to judge themselves, a reviewer judges.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use assay_tests::Client;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::asking::{Hand, Wish};
use crate::book::What;
use crate::house::{House, Person};

/// How many analysts' desks there are, and how many of the reviewer's.
const DESKS: usize = 6;
const REVIEWING: usize = 2;
/// How many claims may wait for the reviewer; more make the analysts wait.
const WAITING_MAX: usize = 50;
/// Of so many reports one leads to a claim.
const REPORTS_A_CLAIM: usize = 3;
/// Of so many writes one is not asked for again when its outcome is unknown.
const IMPATIENT_EVERY: u32 = 5;
/// How long a desk rests between two stories.
const REST: Duration = Duration::from_millis(30);
/// How long everybody may take to finish what they began.
const FINISH_LIMIT: Duration = Duration::from_mins(5);

/// A claim that waits for the reviewer, with the words under it.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    claim: Uuid,
    assertion: Uuid,
}

/// Everybody at work.
#[derive(Debug)]
pub(crate) struct Work(JoinSet<Result<()>>);

impl Work {
    /// Waits until everybody has finished what they began; the book must have ended.
    pub(crate) async fn finish(mut self) -> Result<()> {
        let all = async {
            while let Some(ended) = self.0.join_next().await {
                ended??;
            }
            Ok(())
        };
        tokio::time::timeout(FINISH_LIMIT, all).await.context("the writers do not end")?
    }
}

/// Sets everybody to work until the book ends.
pub(crate) fn start(house: &House) -> Work {
    let mut tasks = JoinSet::new();
    let (queue, waiting) = mpsc::channel(WAITING_MAX);
    for number in 0..DESKS {
        let desk = Desk::new(house, number);
        tasks.spawn(desk.work(queue.clone()));
    }
    let waiting = Arc::new(Mutex::new(waiting));
    for number in 0..REVIEWING {
        let hand = hand(house, DESKS + number);
        let rao = alone(&house.rao);
        tasks.spawn(review(hand, rao, Arc::clone(&waiting)));
    }
    Work(tasks)
}

fn hand(house: &House, number: usize) -> Hand {
    let (places, book) = (Arc::clone(&house.places), Arc::clone(&house.book));
    Hand { number, count: 0, places, book }
}

/// The same person at a desk of their own: what they write at other desks is not waited for.
fn alone(person: &Person) -> Person {
    let client = person.client.clone().beside(&Client::stranger(""));
    Person { id: person.id, client }
}

/// Two analysts at one desk: one files the report, the other makes the claim.
struct Desk {
    hand: Hand,
    case: Uuid,
    filing: Person,
    claiming: Person,
}

impl Desk {
    fn new(house: &House, number: usize) -> Self {
        let (ana, ben) = (alone(&house.ana), alone(&house.ben));
        let (filing, claiming) = if number.is_multiple_of(2) { (ana, ben) } else { (ben, ana) };
        let client = claiming.client.beside(&filing.client);
        let claiming = Person { id: claiming.id, client };
        Self { hand: hand(house, number), case: house.case, filing, claiming }
    }

    async fn work(mut self, queue: mpsc::Sender<Waiting>) -> Result<()> {
        let mut story = 0;
        while !self.hand.book.ended() {
            story += 1;
            if let Some(waiting) = self.story(story).await? {
                queue.send(waiting).await.context("the reviewer has gone")?;
            }
            tokio::time::sleep(REST).await;
        }
        Ok(())
    }

    /// A report, and now and then all that follows from it up to the reviewer.
    async fn story(&mut self, story: usize) -> Result<Option<Waiting>> {
        let words = format!("Desk {} heard of village {story}", self.hand.number);
        let (report, rendition) = (self.id(story, "report"), self.id(story, "rendition"));
        let text = format!("{words}. Nobody denied it.\n");
        let body = json!({"id": report, "rendition_id": rendition, "kind": "news", "text": text});
        let what = What::Report { report, rendition, text };
        let path = format!("/cases/{}/reports", self.case);
        let filed = self.ask(&Who::Filing, &path, body, what, story).await?;
        if !filed || !story.is_multiple_of(REPORTS_A_CLAIM) {
            return Ok(None);
        }
        let Some(waiting) = self.claim(report, &words, story).await? else { return Ok(None) };
        for who in [Who::Claiming, Who::Filing] {
            let (path, body) = verdict(waiting, self.id(story, "attempt"));
            let what = What::Attempt { claim: waiting.claim };
            self.ask(&who, &path, body, what, story).await?;
        }
        Ok(Some(waiting))
    }

    /// The claim, the words under it, and the wish that it be judged.
    async fn claim(&mut self, report: Uuid, words: &str, story: usize) -> Result<Option<Waiting>> {
        let (claim, assertion) = (self.id(story, "claim"), self.id(story, "assertion"));
        let body = json!({"id": claim, "kind": "event", "gist": words, "polarity": "affirmed"});
        let what = What::Claim { claim, gist: words.to_owned() };
        let path = format!("/cases/{}/claims", self.case);
        if !self.ask(&Who::Claiming, &path, body, what, story).await? {
            return Ok(None);
        }
        let path = format!("/claims/{claim}/assertions");
        let what = What::Assertion { claim, assertion };
        let body = narrated(assertion, report, words);
        if !self.ask(&Who::Claiming, &path, body, what, story).await? {
            return Ok(None);
        }
        let path = format!("/claims/{claim}/review");
        let body = json!({"priority": 1});
        let asked = self.ask(&Who::Claiming, &path, body, What::Review { claim }, story).await?;
        Ok(asked.then_some(Waiting { claim, assertion }))
    }

    async fn ask(
        &mut self,
        who: &Who,
        path: &str,
        body: Value,
        what: What,
        story: usize,
    ) -> Result<bool> {
        let person = match who {
            Who::Filing => &self.filing,
            Who::Claiming => &self.claiming,
        };
        let (count, node) = (self.hand.count, self.hand.number + story);
        let node = node + usize::try_from(count)?;
        let patient = !(count + 1).is_multiple_of(IMPATIENT_EVERY);
        self.hand.ask(person, Wish { path, body, what, node, patient }).await
    }

    /// The id of something new of a story, which nobody else makes.
    fn id(&self, story: usize, role: &str) -> Uuid {
        let name = format!("{}/{story}/{role}", self.hand.number);
        Uuid::new_v5(&self.case, name.as_bytes())
    }
}

/// Which of the two at a desk.
enum Who {
    Filing,
    Claiming,
}

/// Judges what waits until nobody sends any more.
async fn review(
    mut hand: Hand,
    rao: Person,
    waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>,
) -> Result<()> {
    loop {
        let next = waiting.lock().await.recv().await;
        let Some(next) = next else { return Ok(()) };
        let verdict_id = Uuid::new_v5(&next.claim, b"verdict");
        let (path, body) = verdict(next, verdict_id);
        let what = What::Verdict { claim: next.claim, verdict: verdict_id };
        let node = hand.number + usize::try_from(hand.count)?;
        let wish = Wish { path: &path, body, what, node, patient: true };
        hand.ask(&rao, wish).await?;
    }
}

fn verdict(waiting: Waiting, id: Uuid) -> (String, Value) {
    let Waiting { claim, assertion } = waiting;
    let cites = json!({"assertion": {"claim": claim, "assertion": assertion}});
    let body = json!({
        "id": id,
        "outcome": "supported",
        "confidence": "moderate",
        "citations": [{"cites": cites, "role": "supports"}],
        "justification": "Told plainly and nowhere taken back.",
    });
    (format!("/claims/{claim}/verdicts"), body)
}

/// The narrator asserts something in these words.
fn narrated(assertion: Uuid, report: Uuid, words: &str) -> Value {
    json!({
        "id": assertion,
        "report": report,
        "chain": [{"holder": {"is": "narrator"}, "act": "asserts", "directness": "narration"}],
        "stance": "asserts",
        "hedge": {"level": "flat"},
        "polarity": "affirmed",
        "quotes": [{"exact": words}],
    })
}
