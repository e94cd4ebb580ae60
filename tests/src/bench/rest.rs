//! P4–P7: writing and reading over HTTP, each beside a bare server that handles the same bytes.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::figures::{Rounds, float};
use super::house::{House, Serving};
use super::load::{Burst, NUMBER, Requests, Target, closed_loop};
use super::process::Process;
use super::wire::{Connection, request};

const WARM: Duration = Duration::from_millis(250);
const SPAN: Duration = Duration::from_millis(800);
/// A request body of a report.
const BODY_BYTES: usize = 700;
/// A backlog smaller than this says nothing of how fast it is worked off.
const BACKLOG_MIN: u64 = 500;

/// Both servers and what they are asked.
#[derive(Debug)]
pub struct Rest {
    assay: (SocketAddr, u32),
    bare: Process,
    write: Arc<Requests>,
    echo: Arc<Requests>,
    reads: Vec<Read>,
    then: Arc<Requests>,
    look: Vec<u8>,
    token: String,
}

#[derive(Debug)]
struct Read {
    name: &'static str,
    asked: Arc<Requests>,
    kept: Arc<Requests>,
}

/// The body of a report, with a place for a number that makes it another one each time.
pub fn report_body() -> String {
    let lead = format!("{{\"kind\":\"news\",\"text\":\"[{NUMBER}] ");
    let sentence =
        "Rebels took sixteen villages in the south on Thursday, and the army denied it. ";
    let mut text = lead;
    while text.len() + sentence.len() + 2 < BODY_BYTES {
        text.push_str(sentence);
    }
    text.truncate(text.trim_end().len());
    text.push_str("\"}");
    text
}

impl Rest {
    /// Fetches what will be asked, and starts the bare server with exactly those bytes.
    pub async fn new(
        folder: &Path,
        serving: &Serving,
        house: &House,
        word: &str,
        rounds: &mut Rounds,
    ) -> Result<Self> {
        let kept = folder.join("kept");
        fs::create_dir_all(&kept)?;
        let address = serving.process.address;
        let (tokens, case) = (&serving.tokens, &house.case);
        let list = vec![format!("/api/v1/cases/{case}/reports?limit=50")];
        let found = vec![format!("/api/v1/search?q={word}&limit=20")];
        let mut reads = Vec::new();
        for (name, paths) in [("p5", &house.claims), ("p6.list", &list), ("p6.search", &found)] {
            let (asked, answers, bytes) = fetch(address, tokens, name, paths, &kept).await?;
            rounds.note(format!("{name}: {bytes} bytes an answer"));
            reads.push(Read { name, asked: Requests::new(asked), kept: Requests::new(answers) });
        }
        let body = report_body();
        let path = format!("/api/v1/cases/{case}/reports");
        let write = tokens.iter().map(|token| request(&path, Some(token), "", Some(&body)));
        let then = pairs(tokens, &house.claims_then);
        let then = then.map(|(token, path)| request(path, Some(token), "", None));
        let token = tokens.first().context("a session")?.clone();
        let workers = super::machine::cores().to_string();
        let arguments = [super::bare::CHILD, kept.to_str().context("a path in UTF-8")?, &workers];
        let program = std::env::current_exe()?;
        let bare = Process::start(&program, &arguments, &folder.join("bare.log")).await?;
        Ok(Self {
            assay: (address, serving.process.id),
            bare,
            write: Requests::new(write.collect()),
            echo: Requests::new(vec![request("/echo", None, "", Some(&body))]),
            reads,
            then: Requests::new(then.collect()),
            look: request(&format!("/api/v1/cases/{case}"), Some(&token), "", None),
            token,
        })
    }

    /// One round of everything; what fails is named and does not stop the rest;
    /// groups nobody wants (`p4`) are left out.
    pub async fn round(&self, rounds: &mut Rounds, wants: impl Fn(&str) -> bool) {
        let (assay, bare) = (self.assay, (self.bare.address, self.bare.id));
        for (clients, name) in [(64, "p4.64"), (256, "p4.256")] {
            if !wants("p4") {
                break;
            }
            put(rounds, &format!("{name}.bare"), load(bare, clients, &self.echo).await);
            let written = load(assay, clients, &self.write).await;
            let token = written.as_ref().ok().and_then(|burst| burst.token);
            put(rounds, name, written);
            if let Err(error) = self.settle(token, rounds).await {
                rounds.fail("p10.live", &error);
            }
        }
        for read in self.reads.iter().filter(|read| read.name.split('.').next().is_some_and(&wants))
        {
            put(rounds, &format!("{}.bare", read.name), load(bare, 64, &read.kept).await);
            put(rounds, read.name, load(assay, 64, &read.asked).await);
            if read.name == "p5" {
                put(rounds, "p7", load(assay, 64, &self.then).await);
            }
        }
    }

    /// Waits until everything written can be read, so that the next load is alone; if there was a
    /// backlog worth the name, notes how fast the live projector worked it off.
    async fn settle(&self, token: Option<u64>, rounds: &mut Rounds) -> Result<()> {
        let token = token.context("no `Assay-Token` that is a number was seen")?;
        let mut connection = Connection::open(self.assay.0).await?;
        let started = Instant::now();
        let head = connection.ask(&self.look).await?;
        let look: Value = serde_json::from_slice(connection.body(head))?;
        let position = look.pointer("/as_of/position").and_then(Value::as_u64);
        let backlog = token.saturating_sub(position.context("as_of.position of a case")?);
        let path = self.path_after();
        let after = request(path, Some(&self.token), &format!("Assay-After: {token}\r\n"), None);
        loop {
            let head = connection.ask(&after).await?;
            match head.status {
                200 => break,
                503 => ensure!(started.elapsed() < Duration::from_mins(1), "a minute behind"),
                other => anyhow::bail!("waiting for a write answered {other}"),
            }
        }
        if backlog >= BACKLOG_MIN {
            rounds.put("p10.live", float(backlog) / started.elapsed().as_secs_f64());
        }
        Ok(())
    }

    fn path_after(&self) -> &str {
        let text = std::str::from_utf8(&self.look).unwrap_or_default();
        text.split(' ').nth(1).unwrap_or("/")
    }
}

fn pairs<'a>(
    tokens: &'a [String],
    paths: &'a [String],
) -> impl Iterator<Item = (&'a String, &'a String)> {
    let count = tokens.len().max(paths.len());
    tokens.iter().cycle().zip(paths.iter().cycle()).take(count)
}

/// Asks for every path once and keeps the answers as files for the bare server.
async fn fetch(
    address: SocketAddr,
    tokens: &[String],
    name: &str,
    paths: &[String],
    folder: &Path,
) -> Result<(Vec<Vec<u8>>, Vec<Vec<u8>>, usize)> {
    let mut connection = Connection::open(address).await?;
    let (mut asked, mut kept, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (number, (token, path)) in pairs(tokens, paths).enumerate() {
        let ask = request(path, Some(token), "", None);
        let head = connection.ask(&ask).await?;
        let body = connection.body(head);
        let said = String::from_utf8_lossy(body);
        ensure!(head.status == 200, "{path} answered {}: {said}", head.status);
        let file = format!("{name}-{number}");
        bytes = body.len();
        fs::write(folder.join(&file), body)?;
        asked.push(ask);
        kept.push(request(&format!("/kept/{file}"), None, "", None));
    }
    Ok((asked, kept, bytes))
}

async fn load(server: (SocketAddr, u32), clients: usize, asked: &Arc<Requests>) -> Result<Burst> {
    let (address, process) = server;
    closed_loop(Target { address, process, warm: WARM, span: SPAN }, clients, asked).await
}

/// Puts every figure of a load under its name.
fn put(rounds: &mut Rounds, name: &str, burst: Result<Burst>) {
    match burst {
        Ok(burst) => {
            rounds.put(name, burst.rate);
            rounds.put(&format!("{name}.ms"), burst.median_ms);
            rounds.put(&format!("{name}.p99"), burst.p99_ms);
            rounds.put(&format!("{name}.cpu"), burst.cpu_us);
        }
        Err(error) => {
            for end in ["", ".ms", ".p99", ".cpu"] {
                rounds.fail(&format!("{name}{end}"), &error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_about_seven_hundred_bytes_and_a_number() {
        let body = report_body();
        assert!((600..=BODY_BYTES).contains(&body.len()), "{}", body.len());
        assert!(body.contains(NUMBER) && serde_json::from_str::<Value>(&body).is_ok());
    }
}
