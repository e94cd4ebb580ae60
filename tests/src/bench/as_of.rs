//! Reading as of a past moment beside reading now: the same questions in the same rounds, size by size.

mod past;
mod print;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::figures::Rounds;
use super::house::{Place, Serving};
use super::load::{Requests, Target, closed_loop};
use super::wire::{Connection, request};
use past::Past;

pub use past::make;
pub use print::print;

/// How many clients ask at once.
pub const CLIENTS: [usize; 2] = [1, 16];
/// How far along the log the past moments are, in hundredths.
pub const MOMENTS: [u64; 3] = [10, 50, 90];
/// A question may take so many times as long as of the past.
pub const RATIO_MAX: f64 = 1.5;

const WARM: Duration = Duration::from_millis(100);
const SPAN: Duration = Duration::from_millis(300);
/// A slow question is asked for longer, so that each client has a few answers; but not longer than this.
const SPAN_MAX: Duration = Duration::from_secs(10);
const ANSWERS_MIN: u32 = 4;
/// How many claims are asked for in turn.
const CARDS: usize = 200;
/// So often the views are asked whether they have caught up; each time waits for two seconds.
const LOOKS_MAX: u32 = 300;

/// A question, and its path without the moment.
#[derive(Debug)]
struct Query {
    name: &'static str,
    paths: Vec<String>,
    /// The longest that one answer took when nobody else asked.
    slowest: Duration,
}

/// The requests of a question at each moment.
type Asked = Vec<(String, Arc<Requests>)>;

/// What is asked of one data directory.
#[derive(Debug)]
pub struct Asking {
    serving: Serving,
    /// How many entries the log has.
    pub entries: u64,
    queries: Vec<(Query, Asked)>,
}

/// The names of the questions, in the order of the table.
pub const QUERIES: [&str; 12] = [
    "claim card",
    "case card",
    "50 claims",
    "newest claims",
    "changed claims",
    "50 reports",
    "newest reports",
    "search, 20 hits",
    "review queue",
    "overview",
    "history, 50",
    "contradictions",
];

/// The figure of a question: how many entries, which question, how many clients, which moment.
pub fn name(entries: u64, query: &str, clients: usize, moment: &str) -> String {
    format!("{entries}/{query}/{clients}/{moment}")
}

/// A past moment as part of a figure's name.
pub fn then(hundredths: u64) -> String {
    format!("{hundredths} %")
}

impl Asking {
    /// Starts the server, waits for its views, and prepares every request.
    pub async fn new(place: &Place, past: &Past, rounds: &mut Rounds) -> Result<Self> {
        let serving = place.serve().await?;
        let token = serving.tokens.first().context("a session")?.clone();
        let mut connection = Connection::open(serving.process.address).await?;
        let case = format!("/api/v1/cases/{}", past.case);
        let entries = settle(&serving, &mut connection, &case, &token).await?;
        let cards = old_claims(&mut connection, &case, &token, entries / 10).await?;
        let list = |path: &str| vec![format!("{case}{path}")];
        let paths = [
            cards,
            list(""),
            list("/claims?limit=50"),
            list("/claims?limit=50&sort=newest"),
            list("/claims?limit=50&sort=changed"),
            list("/reports?limit=50"),
            list("/reports?limit=50&newest_first=true"),
            vec![format!("/api/v1/search?q={}&limit=20", past.word)],
            vec!["/api/v1/review-queue?limit=50".to_owned()],
            list("/overview"),
            list("/history?limit=50"),
            list("/contradictions?limit=50"),
        ];
        let mut queries = Vec::new();
        for (name, paths) in QUERIES.into_iter().zip(paths) {
            let mut query = Query { name, paths, slowest: Duration::ZERO };
            let asked = query.requests(&mut connection, entries, &serving.tokens, rounds).await?;
            queries.push((query, asked));
        }
        Ok(Self { serving, entries, queries })
    }

    /// Every question once now and once at every past moment, one after the other.
    pub async fn round(&self, rounds: &mut Rounds) {
        let (address, process) = (self.serving.process.address, self.serving.process.id);
        for (query, asked) in &self.queries {
            for clients in CLIENTS {
                let span = query.span(clients);
                let target = Target { address, process, warm: WARM, span };
                for (moment, requests) in asked {
                    let name = name(self.entries, query.name, clients, moment);
                    match closed_loop(target, clients, requests).await {
                        Ok(burst) => {
                            rounds.put(&name, burst.median_ms);
                            rounds.put(&format!("{name}.p99"), burst.p99_ms);
                        }
                        Err(error) => rounds.fail(&name, &error),
                    }
                }
            }
        }
    }

    /// Stops the server.
    pub async fn stop(self) -> Result<()> {
        self.serving.process.stop().await
    }
}

impl Query {
    /// How long it is asked by so many clients, who share the machine's cores.
    fn span(&self, clients: usize) -> Duration {
        let turns = clients.div_ceil(super::machine::cores());
        let turns = u32::try_from(turns).unwrap_or(u32::MAX);
        let needed = self.slowest.saturating_mul(ANSWERS_MIN.saturating_mul(turns));
        needed.clamp(SPAN, SPAN_MAX)
    }

    /// Asks each once, so that nothing is measured that is refused or empty, and notes the sizes.
    async fn requests(
        &mut self,
        connection: &mut Connection,
        entries: u64,
        tokens: &[String],
        rounds: &mut Rounds,
    ) -> Result<Asked> {
        let mut moments = vec![("head".to_owned(), None)];
        moments.extend(MOMENTS.map(|part| (then(part), Some(entries * part / 100))));
        let (mut asked, mut sizes) = (Vec::new(), Vec::new());
        for (moment, position) in moments {
            let mut all = Vec::new();
            let mut bytes = 0;
            for (path, token) in self.paths.iter().zip(tokens.iter().cycle()) {
                let path = position.map_or_else(|| path.clone(), |at| as_of(path, at));
                let ask = request(&path, Some(token), "", None);
                let before = Instant::now();
                let head = connection.ask(&ask).await?;
                self.slowest = self.slowest.max(before.elapsed());
                let body = connection.body(head);
                ensure!(
                    head.status == 200,
                    "{path} answered {}: {}",
                    head.status,
                    String::from_utf8_lossy(body)
                );
                bytes = bytes.max(body.len());
                all.push(ask);
            }
            // Every session asks, whatever the number of paths.
            if let [path] = self.paths.as_slice() {
                let path = position.map_or_else(|| path.clone(), |at| as_of(path, at));
                all = tokens.iter().map(|token| request(&path, Some(token), "", None)).collect();
            }
            sizes.push(format!("{moment} {bytes}"));
            asked.push((moment, Requests::new(all)));
        }
        let sizes = sizes.join(", ");
        rounds.note(format!("{entries} entries, {}: bytes of an answer: {sizes}", self.name));
        Ok(asked)
    }
}

fn as_of(path: &str, position: u64) -> String {
    let and = if path.contains('?') { '&' } else { '?' };
    format!("{path}{and}as_of={position}")
}

/// Waits until the views show everything the log held at the start; answers how much that was.
async fn settle(
    serving: &Serving,
    connection: &mut Connection,
    path: &str,
    token: &str,
) -> Result<u64> {
    let upto = serving.process.ready.get("position").and_then(Value::as_u64);
    let upto = upto.context("a position in the ready line")?;
    let ask = request(path, Some(token), &format!("Assay-After: {upto}\r\n"), None);
    for _ in 0..LOOKS_MAX {
        let head = connection.ask(&ask).await?;
        match head.status {
            200 => return Ok(upto),
            503 => (),
            other => bail!("waiting for the views answered {other}"),
        }
    }
    bail!("the views did not reach entry {upto}")
}

/// The paths of claims that were there already at a moment, first proposed first.
async fn old_claims(
    connection: &mut Connection,
    case: &str,
    token: &str,
    position: u64,
) -> Result<Vec<String>> {
    let path = as_of(&format!("{case}/claims?limit={CARDS}"), position);
    let page = get(connection, &path, token).await?;
    let items = page.get("items").and_then(Value::as_array).context("items")?;
    let ids = items.iter().filter_map(|item| item.get("id").and_then(Value::as_str));
    let paths: Vec<String> = ids.map(|id| format!("/api/v1/claims/{id}")).collect();
    ensure!(!paths.is_empty(), "no claim was there at entry {position}");
    Ok(paths)
}

/// Reads one document.
async fn get(connection: &mut Connection, path: &str, token: &str) -> Result<Value> {
    let head = connection.ask(&request(path, Some(token), "", None)).await?;
    let body = connection.body(head);
    let said = String::from_utf8_lossy(body);
    ensure!(head.status == 200, "{path} answered {}: {said}", head.status);
    serde_json::from_slice(body).with_context(|| format!("the answer of {path}"))
}

/// How much of the disk a data directory takes, in bytes.
pub fn disk_bytes(data: &Path) -> u64 {
    let names = ["journal.db", "views.db", "vault.db"];
    names.iter().map(|name| super::machine::file_bytes(&data.join(name))).sum()
}
