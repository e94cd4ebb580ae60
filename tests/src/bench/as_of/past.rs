//! A case with a past: imported in parts and changed by clients in between, so that no two moments are alike.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Lines, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::super::house::{Place, Serving, USERNAME};
use super::super::rebuilds;
use super::super::wire::{Connection, request};
use super::{get, settle};

/// In so many parts the log grows.
const PARTS: u64 = 4;
/// Of a part's entries, one in so many is a change of something that is there.
const ONE_CHANGE_IN: u64 = 10;
/// So many reports come with one claim, whose proposal and assertion are two more entries.
const REPORTS_A_CLAIM: u64 = 3;
const ENTRIES_A_CLAIM: u64 = REPORTS_A_CLAIM + 2;
/// Entries that the changes of one claim make, about.
const CHANGES_A_CLAIM: u64 = 4;
/// How many write at once.
const WRITERS: usize = 16;
/// The words of a report that a claim is anchored to: they begin with its number.
const QUOTE_CHARS: usize = 24;
const PAGE: u64 = 500;

/// What was made.
#[derive(Debug)]
pub struct Past {
    /// The case everything is in.
    pub case: String,
    /// A word to search for.
    pub word: String,
}

/// A claim to be changed.
#[derive(Clone, Debug)]
struct Known {
    claim: String,
    assertion: String,
    report: String,
    gist: String,
    /// Whether it waits for a reviewer: nobody puts it otherwise meanwhile.
    waits: bool,
}

/// Who changes what, and for which time.
#[derive(Clone, Debug)]
struct Change {
    address: SocketAddr,
    token: String,
    case: String,
    part: u64,
    known: Arc<Vec<Known>>,
    /// From here on they were never changed before.
    fresh_from: usize,
}

/// Makes a log of about so many entries in an empty folder.
pub async fn make(place: &Place, folder: &Path, entries: u64) -> Result<Past> {
    place.furnish().await?;
    let house = place.open_case().await?;
    let there = rebuilds::read(&place.data())?.entries();
    let wanted = entries.saturating_sub(there);
    let groups = wanted * (ONE_CHANGE_IN - 1) / ONE_CHANGE_IN / ENTRIES_A_CLAIM / PARTS;
    ensure!(groups > 10, "{entries} entries are too few");
    let file = folder.join("reports.ndjson");
    let path = file.to_str().context("a path in UTF-8")?;
    let reports = (groups * REPORTS_A_CLAIM * PARTS).to_string();
    place.run(&["import", "--generate", &reports, path]).await?;
    let mut lines = BufReader::new(File::open(&file)?).lines();
    for part in 0..PARTS {
        let mixed = folder.join("part.ndjson");
        mix(&mut lines, groups, &mixed)?;
        let mixed = mixed.to_str().context("a path in UTF-8")?;
        place.run(&["import", mixed, "--case", &house.case, "--as", USERNAME]).await?;
        let serving = place.serve().await?;
        let changed = wanted / ONE_CHANGE_IN / PARTS / CHANGES_A_CLAIM;
        change(&serving, &house.case, part, changed).await?;
        serving.process.stop().await?;
    }
    Ok(Past { case: house.case, word: place.common_word()? })
}

/// Writes generated reports to a file, and after each few of them a claim that was read in the last.
fn mix(lines: &mut Lines<BufReader<File>>, groups: u64, path: &Path) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for _ in 0..groups {
        let mut last = String::new();
        for _ in 0..REPORTS_A_CLAIM {
            last = lines.next().context("a generated report")??;
            writeln!(out, "{last}")?;
        }
        writeln!(out, "{}", claim_in(&last)?)?;
    }
    out.flush()?;
    Ok(())
}

fn claim_in(line: &str) -> Result<Value> {
    let line: Value = serde_json::from_str(line)?;
    let text_at = |pointer: &str| line.pointer(pointer).and_then(Value::as_str);
    let key = text_at("/report/key").context("a key")?;
    let text = text_at("/report/text").context("a text")?;
    let words: String = text.chars().take(QUOTE_CHARS).collect();
    Ok(json!({"claim": {
        "key": format!("{key}/claim"),
        "report": key,
        "kind": "event",
        "gist": words.trim(),
        "assertion": {
            "chain": [{"holder": {"is": "narrator"}, "act": "asserts", "directness": "narration"}],
            "stance": "asserts",
            "quotes": [{"exact": words}],
        },
    }}))
}

/// Changes the oldest claims once more, and as many of the newest for the first time.
async fn change(serving: &Serving, case: &str, part: u64, count: u64) -> Result<()> {
    let (address, token) = (serving.process.address, serving.tokens.first().context("a session")?);
    let mut connection = Connection::open(address).await?;
    settle(serving, &mut connection, &format!("/api/v1/cases/{case}"), token).await?;
    let half = count.div_ceil(2);
    let oldest = if part == 0 { 0 } else { half };
    let mut known = claims(&mut connection, case, token, "oldest", oldest).await?;
    let fresh_from = known.len();
    known.extend(claims(&mut connection, case, token, "newest", count - oldest).await?);
    let known = Arc::new(known);
    let mut tasks = JoinSet::new();
    for (writer, token) in (0..WRITERS).zip(serving.tokens.iter().cycle()) {
        let (case, known) = (case.to_owned(), Arc::clone(&known));
        let change = Change { address, token: token.clone(), case, part, known, fresh_from };
        tasks.spawn(async move { change.every(writer).await });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let title = json!({"title": format!("Measured, part {part}")});
    write(&mut connection, token, "PUT", &format!("/cases/{case}/title"), &title).await
}

/// The claims of a case from one end.
async fn claims(
    connection: &mut Connection,
    case: &str,
    token: &str,
    sort: &str,
    count: u64,
) -> Result<Vec<Known>> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    let wanted = usize::try_from(count)?;
    while found.len() < wanted {
        let limit = PAGE.min(count);
        let path = format!("/api/v1/cases/{case}/claims?sort={sort}&limit={limit}{cursor}");
        let page = get(connection, &path, token).await?;
        let items = page.get("items").and_then(Value::as_array).context("items")?;
        found.extend(items.iter().filter_map(known));
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    found.truncate(wanted);
    Ok(found)
}

fn known(card: &Value) -> Option<Known> {
    let text_at = |pointer: &str| Some(card.pointer(pointer)?.as_str()?.to_owned());
    Some(Known {
        claim: text_at("/id")?,
        assertion: text_at("/assertions/0/id")?,
        report: text_at("/assertions/0/report")?,
        gist: text_at("/proposition/gist")?,
        waits: text_at("/standing")? == "under_review",
    })
}

impl Change {
    /// Changes every claim whose turn it is.
    async fn every(&self, writer: usize) -> Result<()> {
        let mut connection = Connection::open(self.address).await?;
        for (at, one) in self.known.iter().enumerate().skip(writer).step_by(WRITERS) {
            self.one(&mut connection, at, one).await?;
        }
        Ok(())
    }

    async fn one(&self, connection: &mut Connection, at: usize, one: &Known) -> Result<()> {
        let (part, reason) = (self.part, "Found while measuring.");
        let Known { claim, assertion, report, gist, waits } = one;
        // The best grade would need corroboration.
        let grade = (part % 4 + 2).to_string();
        let body = json!({"grade": grade, "rationale": reason});
        let path = format!("/claims/{claim}/assertions/{assertion}/credibility");
        write(connection, &self.token, "POST", &path, &body).await?;
        if !waits {
            let gist: String = gist.chars().take(200).collect();
            let body = json!({"gist": format!("{gist} ({part})"), "polarity": "affirmed",
                "reason": reason});
            let path = format!("/claims/{claim}/proposition");
            write(connection, &self.token, "PUT", &path, &body).await?;
        }
        let body = json!({"field": "title", "value": format!("Title {part} of {at}"),
            "reason": reason});
        let path = format!("/reports/{report}/corrections");
        write(connection, &self.token, "POST", &path, &body).await?;
        if at < self.fresh_from {
            return Ok(());
        }
        let other = self.known.get(at.wrapping_sub(1)).filter(|_| at.is_multiple_of(2));
        let (path, body) = if let Some(other) = other {
            let body = json!({"from": {"claim": claim}, "type": "contradicts",
                "to": {"claim": other.claim}, "rationale": reason});
            (format!("/cases/{}/links", self.case), body)
        } else {
            (format!("/claims/{claim}/review"), json!({"priority": at % 3 + 1}))
        };
        write(connection, &self.token, "POST", &path, &body).await
    }
}

/// Does one thing that must succeed.
async fn write(
    connection: &mut Connection,
    token: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<()> {
    let path = format!("/api/v1{path}");
    let posted = request(&path, Some(token), "", Some(&body.to_string()));
    let rest = posted.strip_prefix(b"POST").context("a request with a body")?;
    let ask = [method.as_bytes(), rest].concat();
    let head = connection.ask(&ask).await?;
    let said = String::from_utf8_lossy(connection.body(head));
    ensure!(matches!(head.status, 200 | 201), "{method} {path} answered {}: {said}", head.status);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_anchored_to_the_first_words_of_its_report() {
        let line = r#"{"report":{"key":"made-up/1/7","kind":"news","text":"[7] 河上的桥 was left on Thursday."}}"#;
        let claim = claim_in(line).unwrap();
        assert_eq!(claim.pointer("/claim/report"), Some(&json!("made-up/1/7")));
        let quote = claim.pointer("/claim/assertion/quotes/0/exact");
        assert_eq!(quote, Some(&json!("[7] 河上的桥 was left on Thu")));
    }
}
