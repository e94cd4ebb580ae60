//! The statements that rewrite a record: for tests, which stand on them, and for nobody else.

use std::collections::HashMap;
use std::path::Path;

use assay_ledger::{Frontier, Hash};
use assay_store::fact::NewFact;
use assay_store::leaf::leaf_of;
use rusqlite::{Connection, OpenFlags, Transaction, params};

use crate::error::OpenError;
use crate::rows::{Count, Id, entry, select_entries};

fn open(path: &Path) -> Result<Connection, OpenError> {
    Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?)
}

/// The names and texts of all triggers, which are dropped.
fn take_triggers(step: &Transaction<'_>) -> rusqlite::Result<Vec<String>> {
    let mut statement =
        step.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(String, String)> = rows.collect::<rusqlite::Result<_>>()?;
    drop(statement);
    for (name, _) in &found {
        step.execute_batch(&format!("DROP TRIGGER \"{name}\""))?;
    }
    Ok(found.into_iter().map(|(_, made)| made).collect())
}

pub(super) fn drop_triggers(path: &Path) -> Result<(), OpenError> {
    let mut connection = open(path)?;
    let step = connection.transaction()?;
    take_triggers(&step)?;
    Ok(step.commit()?)
}

/// Makes a change in one transaction, with the triggers away and back again.
pub(super) fn without_triggers(
    path: &Path,
    change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<(), OpenError> {
    let mut connection = open(path)?;
    let step = connection.transaction()?;
    let triggers = take_triggers(&step)?;
    change(&step)?;
    for made in triggers {
        step.execute_batch(&made)?;
    }
    Ok(step.commit()?)
}

pub(super) fn edit_statement(column: &str) -> String {
    format!("UPDATE entries SET \"{column}\" = ? WHERE position = ?")
}

pub(super) fn take_out(step: &Transaction<'_>, first: u64, last: u64) -> rusqlite::Result<()> {
    let delete = "DELETE FROM entries WHERE position BETWEEN ? AND ?";
    step.execute(delete, params![Count(first), Count(last)]).map(|_| ())
}

/// Moves all entries after a position by some places. Through negative positions, so that no two
/// meet on the way.
pub(super) fn shift(step: &Transaction<'_>, after: u64, by: i64) -> rusqlite::Result<()> {
    let away = "UPDATE entries SET position = -position WHERE position > ?";
    step.execute(away, [Count(after)])?;
    let back = "UPDATE entries SET position = ? - position WHERE position < 0";
    step.execute(back, [by]).map(|_| ())
}

/// Exchanges two places, of which one may be empty.
pub(super) fn exchange(step: &Transaction<'_>, a: u64, b: u64) -> rusqlite::Result<()> {
    let mut moved = step.prepare("UPDATE entries SET position = ?2 WHERE position = ?1")?;
    moved.execute(params![Count(a), -1])?;
    moved.execute(params![Count(b), Count(a)])?;
    moved.execute(params![-1, Count(b)]).map(|_| ())
}

pub(super) fn fact_at(step: &Transaction<'_>, position: u64) -> rusqlite::Result<NewFact> {
    step.query_row(select_entries!("WHERE e.position = ?"), [Count(position)], |row| {
        entry(row).map(|entry| entry.recorded.fact)
    })
}

/// Copies an entry to a free place. Its id is blanked and its revision the next one, since both may
/// stand only once.
pub(super) fn copy(step: &Transaction<'_>, from: u64, to: u64) -> rusqlite::Result<()> {
    let copied = "INSERT INTO entries
        SELECT ?2, sid, (SELECT max(revision) + 1 FROM entries o WHERE o.sid = e.sid), x'', nid,
            recorded_at, actor, actor_kind, on_behalf_of, session, command, causation,
            correlation, case_id, request_mac, leaf, data
        FROM entries e WHERE position = ?1";
    step.execute(copied, params![Count(from), Count(to)]).map(|_| ())
}

/// Puts another fact into an entry's place, with the leaf that was there.
pub(super) fn replace_fact(
    step: &Transaction<'_>,
    position: u64,
    fact: &NewFact,
) -> rusqlite::Result<()> {
    step.execute("INSERT OR IGNORE INTO names (name) VALUES (?)", [&fact.name])?;
    let e = &fact.envelope;
    let replace = "UPDATE entries SET id = ?, nid = (SELECT nid FROM names WHERE name = ?),
            recorded_at = ?, actor = ?, actor_kind = ?, on_behalf_of = ?, session = ?,
            command = ?, causation = ?, correlation = ?, case_id = ?, request_mac = ?, data = ?
        WHERE position = ?";
    let values = params![
        Id(fact.id),
        fact.name,
        e.recorded_at,
        Id(e.actor),
        e.actor_kind.code(),
        e.on_behalf_of.map(Id),
        e.session.map(Id),
        Id(e.command),
        e.causation.map(Id),
        Id(e.correlation),
        e.case.map(Id),
        e.request_mac,
        fact.data.as_ref(),
        Count(position),
    ];
    step.execute(replace, values).map(|_| ())
}

/// An entry as it is to be written again.
struct Rewritten {
    stood_at: u64,
    position: u64,
    revision: u64,
    recorded_at: i64,
    leaf: Hash,
}

/// Writes everything from a position on as the writer would have.
pub(super) fn rewrite(step: &Transaction<'_>, from: u64) -> rusqlite::Result<()> {
    let mut frontier = edge_before(step, from)?;
    let rewritten = rewritten(step, from, &mut frontier)?;
    // Through negative numbers, so that no two meet on the way.
    let away = "UPDATE entries SET position = -position, revision = -1 - revision
        WHERE position >= ?";
    step.execute(away, [Count(from)])?;
    let mut back = step.prepare(
        "UPDATE entries SET position = ?, revision = ?, recorded_at = ?, leaf = ?
         WHERE position = -?",
    )?;
    for e in rewritten {
        back.execute(params![
            Count(e.position),
            Count(e.revision),
            e.recorded_at,
            e.leaf,
            Count(e.stood_at)
        ])?;
    }
    step.execute_batch(
        "DELETE FROM streams WHERE sid NOT IN (SELECT sid FROM entries);
         DELETE FROM names WHERE nid NOT IN (SELECT nid FROM entries)",
    )?;
    let ledger = "INSERT OR REPLACE INTO ledger VALUES (1, ?, ?)";
    step.execute(ledger, params![Count(frontier.size()), frontier.to_bytes()]).map(|_| ())
}

fn edge_before(step: &Transaction<'_>, from: u64) -> rusqlite::Result<Frontier> {
    let mut frontier = Frontier::new();
    let mut leaves =
        step.prepare("SELECT leaf FROM entries WHERE position < ? ORDER BY position")?;
    let mut rows = leaves.query([Count(from)])?;
    while let Some(row) = rows.next()? {
        frontier.append(row.get(0)?);
    }
    Ok(frontier)
}

fn rewritten(
    step: &Transaction<'_>,
    from: u64,
    frontier: &mut Frontier,
) -> rusqlite::Result<Vec<Rewritten>> {
    let mut next =
        step.prepare("SELECT sid, max(revision) + 1 FROM entries WHERE position < ? GROUP BY sid")?;
    let next = next.query_map([Count(from)], |row| Ok((row.get(0)?, row.get::<_, Count>(1)?.0)))?;
    let mut next: HashMap<i64, u64> = next.collect::<rusqlite::Result<_>>()?;
    let last = "SELECT max(recorded_at) FROM entries WHERE position < ?";
    let last: Option<i64> = step.query_row(last, [Count(from)], |row| row.get(0))?;
    let mut last = last.unwrap_or(i64::MIN);

    let mut statement =
        step.prepare(select_entries!("WHERE e.position >= ? ORDER BY e.position"))?;
    let mut rows = statement.query([Count(from)])?;
    let mut rewritten = Vec::new();
    while let Some(row) = rows.next()? {
        let entry = entry(row)?;
        let mut recorded = entry.recorded;
        let revision = next.entry(row.get(17)?).or_default();
        last = last.max(recorded.fact.envelope.recorded_at);
        recorded.fact.envelope.recorded_at = last;
        let position = frontier.size() + 1;
        let leaf = leaf_of(position, &recorded.stream, *revision, &recorded.fact);
        frontier.append(leaf);
        rewritten.push(Rewritten {
            stood_at: entry.position,
            position,
            revision: *revision,
            recorded_at: last,
            leaf,
        });
        *revision += 1;
    }
    Ok(rewritten)
}
