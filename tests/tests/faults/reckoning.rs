//! What must hold at the end, asked over HTTP: every promise kept once, on every node alike, and nobody judged themselves.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use assay_tests::{Client, Nodes};
use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::Value;
use uuid::Uuid;

use crate::book::{Outcome, What, Write};
use crate::house::{House, NODES};

/// How many texts are asked for at once.
const TOGETHER: usize = 8;
/// How many entries a page of a case's history has.
const PAGE: usize = 500;

/// One entry of the history, as far as it is looked at.
#[derive(Clone, Debug)]
struct Entry {
    position: u64,
    fact: String,
    subject: String,
    revision: u64,
    actor: String,
    command: String,
    line: String,
}

/// Checks everything as of a position that all nodes show.
pub(crate) async fn check(house: &House, position: u64) -> Result<()> {
    let mut told = Vec::new();
    for number in 0..NODES {
        let ida = Client::login(&house.places.get(number).url, "ida", Nodes::password()).await?;
        told.push(history(&ida, position).await.with_context(|| format!("node {number}"))?);
    }
    let first = told.first().context("a history")?;
    for (number, other) in told.iter().enumerate().skip(1) {
        same(first, other).with_context(|| format!("nodes 0 and {number}"))?;
    }
    whole(first, position)?;
    kept(&house.book.writes(), first)?;
    judged(first)?;
    of_the_case(house, position).await?;
    texts(house, position).await
}

/// Everything that happened, oldest first.
async fn history(ida: &Client, position: u64) -> Result<Vec<Entry>> {
    let request = ida.request(&Method::GET, &format!("/audit/entries?as_of={position}"));
    let answer = ida.send(request.header(ACCEPT, "application/x-ndjson")).await?.expect(200)?;
    answer.text.lines().map(entry).collect()
}

fn entry(line: &str) -> Result<Entry> {
    let value: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
    let text = |pointer: &str| {
        let found = value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        found.with_context(|| format!("no {pointer} in {line}"))
    };
    let number = |pointer: &str| {
        let found = value.pointer(pointer).and_then(Value::as_u64);
        found.with_context(|| format!("no {pointer} in {line}"))
    };
    Ok(Entry {
        position: number("/position")?,
        fact: text("/fact")?,
        subject: text("/subject/id")?,
        revision: number("/revision")?,
        actor: text("/actor")?,
        command: text("/command")?,
        line: line.to_owned(),
    })
}

/// Two histories are the same, to the letter.
fn same(one: &[Entry], other: &[Entry]) -> Result<()> {
    ensure!(one.len() == other.len(), "{} and {} entries", one.len(), other.len());
    for (one, other) in one.iter().zip(other) {
        ensure!(one.line == other.line, "they differ:\n{}\n{}", one.line, other.line);
    }
    Ok(())
}

/// Positions and revisions have no gaps, and the last position is the one that is shown.
fn whole(history: &[Entry], position: u64) -> Result<()> {
    let mut next: BTreeMap<&str, u64> = BTreeMap::new();
    for (entry, expected) in history.iter().zip(1..) {
        ensure!(entry.position == expected, "{expected} is missing before {}", entry.line);
        let revision = next.entry(&entry.subject).or_default();
        ensure!(entry.revision == *revision, "revision {revision} is missing: {}", entry.line);
        *revision += 1;
    }
    let last = history.last().map_or(0, |entry| entry.position);
    ensure!(last == position, "the history ends at {last}, not at {position}");
    Ok(())
}

/// What was acknowledged is there once and where it was said to be; what was refused is not there.
/// Every write that is asked for here makes one fact.
fn kept(writes: &[Write], history: &[Entry]) -> Result<()> {
    let mut by_command: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in history {
        by_command.entry(&entry.command).or_default().push(entry);
    }
    let mut made: BTreeMap<Uuid, usize> = BTreeMap::new();
    for write in writes {
        let command = write.command.to_string();
        let entries = by_command.get(command.as_str()).map_or(&[][..], Vec::as_slice);
        let there = || format!("{write:?}: {entries:#?}");
        match &write.outcome {
            Outcome::Ok(done) => {
                ensure!(entries.len() == 1 && done.facts == 1, "{}", there());
                let last = entries.last().map(|entry| entry.position);
                ensure!(done.position.is_none() || done.position == last, "{}", there());
            }
            Outcome::Fail { .. } => ensure!(entries.is_empty(), "refused, but there: {}", there()),
            Outcome::Unknown => {
                let most = usize::from(!matches!(write.what, What::Attempt { .. }));
                ensure!(entries.len() <= most, "more than {most} facts: {}", there());
            }
        }
        let who = write.who.to_string();
        ensure!(entries.iter().all(|entry| entry.actor == who), "by another: {}", there());
        if let (What::Report { report: id, .. } | What::Claim { claim: id, .. }, false) =
            (&write.what, entries.is_empty())
        {
            *made.entry(*id).or_default() += 1;
        }
    }
    // The other way round: nothing is there twice under another command.
    for (id, times) in made {
        let id = id.to_string();
        let first = |entry: &&Entry| entry.subject == id && entry.revision == 0;
        let there = history.iter().filter(first).count();
        ensure!(times == 1 && there == 1, "{id} was made {times} times and begins {there} times");
    }
    Ok(())
}

/// No verdict is by who proposed the claim, recorded words under it, or filed the report.
fn judged(history: &[Entry]) -> Result<()> {
    let mut filed: BTreeMap<&str, &str> = BTreeMap::new();
    let mut hands: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut verdicts: BTreeMap<&str, u32> = BTreeMap::new();
    for entry in history {
        let subject = entry.subject.as_str();
        match entry.fact.as_str() {
            "report.filed.v1" => {
                filed.insert(subject, &entry.actor);
            }
            "claim.proposed.v1" => {
                hands.entry(subject).or_default().insert(&entry.actor);
            }
            "claim.assertion_recorded.v1" => {
                let hands = hands.entry(subject).or_default();
                hands.insert(&entry.actor);
                let reports = filed.iter().filter(|(report, _)| entry.line.contains(**report));
                hands.extend(reports.map(|(_, by)| *by));
            }
            "claim.verdict_issued.v1" => {
                let hands = hands.get(subject).context("a claim that nobody proposed")?;
                ensure!(hands.len() == 2, "two people at each desk: {hands:?} {}", entry.line);
                ensure!(!hands.contains(entry.actor.as_str()), "judged: {}", entry.line);
                *verdicts.entry(subject).or_default() += 1;
            }
            _ => (),
        }
    }
    ensure!(!verdicts.is_empty(), "nobody judged anything");
    ensure!(verdicts.values().all(|count| *count == 1), "judged twice: {verdicts:?}");
    Ok(())
}

/// The case's own history, page by page, is the same on every node.
async fn of_the_case(house: &House, position: u64) -> Result<()> {
    let mut told = Vec::new();
    for number in 0..NODES {
        let ana = house.ana.client.at(&house.places.get(number).url);
        let mut items = Vec::new();
        let mut path = format!("/cases/{}/history?limit={PAGE}&as_of={position}", house.case);
        loop {
            let page = ana.get(&path).await?.expect(200)?;
            items.extend_from_slice(page.items());
            let Some(next) = page.at("/next").as_str() else { break };
            path = format!("/cases/{}/history?limit={PAGE}&cursor={next}", house.case);
        }
        told.push(items);
    }
    let first = told.first().context("a history")?;
    ensure!(!first.is_empty(), "the case has no history");
    for (number, other) in told.iter().enumerate() {
        ensure!(first == other, "the case's history on node {number} is another");
    }
    Ok(())
}

/// Every text is there as it was filed; what nobody acknowledged is there on all nodes or on none.
async fn texts(house: &House, position: u64) -> Result<()> {
    let writes = house.book.writes();
    let reports = writes.iter().filter(|write| matches!(write.what, What::Report { .. }));
    let checks = reports.flat_map(|write| (0..NODES).map(move |number| (write, number)));
    let checked = futures_util::stream::iter(checks).map(|(write, number)| async move {
        let ana = house.ana.client.at(&house.places.get(number).url);
        let What::Report { report, rendition, text } = &write.what else { return Ok(()) };
        let path = format!("/reports/{report}/renditions/{rendition}?as_of={position}");
        let answer = ana.get(&path).await?;
        let there = answer.status == 200 && answer.text_at("/text")? == *text;
        let fair = match write.outcome {
            Outcome::Ok(_) => there,
            Outcome::Fail { .. } => answer.status == 404,
            Outcome::Unknown => there || answer.status == 404,
        };
        ensure!(fair, "{write:?} at node {number}: {} {}", answer.status, answer.text);
        anyhow::Ok(())
    });
    checked.buffer_unordered(TOGETHER).try_collect::<Vec<_>>().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Done;

    const ANA: Uuid = Uuid::from_u128(1);
    const BEN: Uuid = Uuid::from_u128(2);
    const RAO: Uuid = Uuid::from_u128(3);
    const REPORT: Uuid = Uuid::from_u128(4);
    const CLAIM: Uuid = Uuid::from_u128(5);

    fn told(position: u64, fact: &str, subject: Uuid, revision: u64, actor: Uuid) -> Entry {
        let command = Uuid::from_u128(100 + u128::from(position)).to_string();
        let (subject, actor) = (subject.to_string(), actor.to_string());
        let line = format!("{position} {fact} {subject} of {REPORT} by {actor}");
        Entry { position, fact: fact.to_owned(), subject, revision, actor, command, line }
    }

    /// Ana files, Ben claims, Rao judges.
    fn history() -> Vec<Entry> {
        vec![
            told(1, "report.filed.v1", REPORT, 0, ANA),
            told(2, "claim.proposed.v1", CLAIM, 0, BEN),
            told(3, "claim.assertion_recorded.v1", CLAIM, 1, BEN),
            told(4, "claim.verdict_issued.v1", CLAIM, 2, RAO),
        ]
    }

    fn filed(outcome: Outcome) -> Vec<Write> {
        let what = What::Report { report: REPORT, rendition: REPORT, text: "Told.".to_owned() };
        vec![Write { command: Uuid::from_u128(101), who: ANA, what, asked: 1, outcome }]
    }

    fn acknowledged(position: u64) -> Outcome {
        Outcome::Ok(Done { position: Some(position), facts: 1, node: 0 })
    }

    #[test]
    fn what_is_right_is_found_right() -> Result<()> {
        whole(&history(), 4)?;
        judged(&history())?;
        same(&history(), &history())?;
        kept(&filed(acknowledged(1)), &history())?;
        kept(&filed(Outcome::Unknown), &history())
    }

    #[test]
    fn a_write_that_is_lost_moved_doubled_or_there_although_refused_is_found() {
        let kept_in = |outcome, history: &[Entry]| kept(&filed(outcome), history).is_ok();
        assert!(!kept_in(acknowledged(1), &history()[1..]), "lost");
        assert!(!kept_in(acknowledged(2), &history()), "moved");
        let refused = Outcome::Fail { status: 409, code: "busy".to_owned() };
        assert!(!kept_in(refused, &history()), "refused, and there");
        let mut twice = history();
        twice.push(Entry { position: 5, ..twice[0].clone() });
        assert!(!kept_in(Outcome::Unknown, &twice), "twice under one command");
        twice[4].command = RAO.to_string();
        assert!(!kept_in(acknowledged(1), &twice), "twice under two commands");
    }

    #[test]
    fn a_gap_a_difference_and_a_judge_of_their_own_are_found() {
        assert!(whole(&history()[1..], 4).is_err());
        assert!(whole(&history(), 5).is_err());
        assert!(same(&history(), &history()[1..]).is_err());
        for (position, judge) in [(4, ANA), (4, BEN)] {
            let mut bad = history();
            bad[3] = told(position, "claim.verdict_issued.v1", CLAIM, 2, judge);
            assert!(judged(&bad).is_err(), "{judge}");
            assert!(same(&history(), &bad).is_err());
        }
    }
}
