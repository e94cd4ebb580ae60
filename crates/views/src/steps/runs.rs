//! Runs: the entries of a case that one command made, found in the history's index of the case.

use assay_domain::id::CaseId;
use rusqlite::{OptionalExtension as _, params};

use crate::at::{number, sql};
use crate::db::Reader;
use crate::error::Result;
use crate::history::{COLUMNS, EntryDoc, entry};

/// Which entries are of a case itself; who read it and who replays it does not change it.
pub(crate) const OF_CASE: &str = "kind IN ('case', 'claim', 'finding', 'link', 'report')";

/// The entries of one command in a case, as far as they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    /// Where the first stands.
    pub(crate) first: u64,
    /// Where the last stands.
    pub(crate) last: u64,
    /// One of them, for what they share.
    pub(crate) lead: EntryDoc,
    /// All of them, in order.
    pub(crate) entries: Vec<EntryDoc>,
}

impl Run {
    fn of(mut entries: Vec<EntryDoc>) -> Option<Self> {
        entries.sort_by_key(|entry| entry.position);
        let (first, last) = (entries.first()?.position, entries.last()?.position);
        let lead = entries.last()?.clone();
        Some(Self { first, last, lead, entries })
    }
}

/// Which way history is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Oldest first.
    Forward,
    /// Newest first.
    Back,
}

/// Whether two neighbours in a case come from one command: its facts stand together in one stream.
///
/// What was taken over from another log came in big commands of ours: the facts of one command there
/// have one actor and were recorded at one instant.
fn together(one: &EntryDoc, other: &EntryDoc) -> bool {
    let there = |entry: &EntryDoc| entry.origin.as_ref().map(|origin| origin.recorded_at);
    one.command == other.command
        && one.subject == other.subject
        && one.actor == other.actor
        && there(one) == there(other)
}

/// The runs of a case after one position up to another, at most `limit` of them.
pub(crate) fn runs(
    db: &Reader,
    case: CaseId,
    (after, upto): (u64, u64),
    way: Way,
    limit: usize,
) -> Result<Vec<Run>> {
    let order = if way == Way::Forward { "" } else { "DESC" };
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM history WHERE case_id = ? AND {OF_CASE} AND position > ? \
         AND position <= ? ORDER BY position {order}"
    ))?;
    let mut rows = statement.query(params![case.0.as_bytes(), sql(after), sql(upto)])?;
    let (mut found, mut open) = (Vec::new(), Vec::<EntryDoc>::new());
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let next = entry(row)?;
        if open.last().is_some_and(|last| !together(last, &next)) {
            found.extend(Run::of(std::mem::take(&mut open)));
        }
        open.push(next);
    }
    if found.len() < limit {
        found.extend(Run::of(open));
    }
    Ok(found)
}

/// The entry of a case that stands next to a position: at or before it, or after it.
fn beside(
    db: &Reader,
    case: CaseId,
    (after, upto): (u64, u64),
    way: Way,
) -> Result<Option<EntryDoc>> {
    let order = if way == Way::Forward { "" } else { "DESC" };
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM history WHERE case_id = ? AND {OF_CASE} AND position > ? \
         AND position <= ? ORDER BY position {order} LIMIT 1"
    ))?;
    let bound = params![case.0.as_bytes(), sql(after), sql(upto)];
    statement.query_row(bound, |row| Ok(entry(row))).optional()?.transpose()
}

/// The run that holds a position, or the last before it, whole up to a moment.
pub(super) fn holding(db: &Reader, case: CaseId, position: u64, upto: u64) -> Result<Option<Run>> {
    let Some(mut run) = runs(db, case, (0, position), Way::Back, 1)?.pop() else {
        return Ok(None);
    };
    let rest = runs(db, case, (run.last, upto), Way::Forward, 1)?.pop();
    if let Some(rest) = rest.filter(|rest| together(&run.lead, &rest.lead)) {
        run.entries.extend(rest.entries);
        return Ok(Run::of(run.entries));
    }
    Ok(Some(run))
}

/// The runs beyond a position, without the one that holds it.
pub(super) fn beyond(
    db: &Reader,
    case: CaseId,
    position: u64,
    upto: u64,
    forward: bool,
    limit: usize,
) -> Result<Vec<Run>> {
    let (range, way, held) = if forward {
        let held = beside(db, case, (0, position), Way::Back)?;
        ((position, upto), Way::Forward, held)
    } else {
        let edge = position.saturating_sub(1).min(upto);
        ((0, edge), Way::Back, beside(db, case, (edge, upto), Way::Forward)?)
    };
    let mut found = runs(db, case, range, way, limit.saturating_add(1))?;
    let cut = |run: &Run| held.as_ref().is_some_and(|held| together(held, &run.lead));
    if found.first().is_some_and(cut) {
        found.remove(0);
    }
    found.truncate(limit);
    Ok(found)
}

/// Where the last entry of a case before a position stands.
pub(super) fn last_before(db: &Reader, case: CaseId, position: u64) -> Result<Option<u64>> {
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT position FROM history WHERE case_id = ? AND {OF_CASE} AND position < ? \
         ORDER BY position DESC LIMIT 1"
    ))?;
    let found = statement.query_row(params![case.0.as_bytes(), sql(position)], |row| row.get(0));
    Ok(found.optional()?.map(number))
}

/// How many runs of a case begin up to a position, and how many up to a moment.
pub(super) fn counted(db: &Reader, case: CaseId, position: u64, upto: u64) -> Result<(u64, u64)> {
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT position, command, subject, actor, json_extract(origin, '$.recorded_at') \
         FROM history WHERE case_id = ? AND {OF_CASE} AND position <= ? ORDER BY position"
    ))?;
    let mut rows = statement.query(params![case.0.as_bytes(), sql(upto)])?;
    let (mut index, mut of) = (0_u64, 0_u64);
    // What `together` compares, of the entry before.
    let mut last: Option<([[u8; 16]; 3], Option<String>)> = None;
    while let Some(row) = rows.next()? {
        let here = Some(([row.get(1)?, row.get(2)?, row.get(3)?], row.get(4)?));
        if here != last {
            of = of.saturating_add(1);
            last = here;
        }
        if number(row.get(0)?) <= position {
            index = of;
        }
    }
    Ok((index, of))
}
