//! A group of appends inside one transaction: who fits, who asked before, who is refused.
//!
//! [`take`] does the same for what comes from a log elsewhere.

mod take;

use std::borrow::Cow;
use std::collections::HashMap;

use assay_ledger::Frontier;
use assay_store::fact::NewFact;
use assay_store::leaf::leaf_of;
use assay_store::log::{Appended, Committed, Expected, LogError, Revision, Token, next_revision};
use assay_store::recent::Recent;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::rows::{Count, Id};

pub(crate) use take::Taken;

/// Streams whose end is remembered, so that an append to them reads nothing.
const HEADS_MAX: usize = 100_000;
/// Names of facts whose number is remembered.
const NAMES_MAX: usize = 10_000;

/// What a writer asks for.
pub(crate) struct Wanted {
    pub(crate) stream: String,
    pub(crate) expected: Expected,
    pub(crate) facts: Vec<NewFact>,
}

/// The end of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tip {
    pub(crate) position: u64,
    pub(crate) recorded_at: i64,
    pub(crate) frontier: Frontier,
}

/// The end of a stream.
#[derive(Clone, Copy, Debug)]
struct Head {
    sid: i64,
    last: Revision,
}

/// What is known of the durable state without asking SQLite. Only committed things come in here.
pub(crate) struct Known {
    pub(crate) tip: Tip,
    heads: Recent<String, Head>,
    names: Recent<String, i64>,
}

impl Known {
    pub(crate) fn new(tip: Tip) -> Self {
        Self { tip, heads: Recent::new(HEADS_MAX), names: Recent::new(NAMES_MAX) }
    }

    /// Takes over what a transaction changed, after it was committed.
    pub(crate) fn learn(&mut self, changes: Changes) {
        self.tip = changes.tip;
        changes.heads.into_iter().for_each(|(stream, head)| self.heads.put(stream, head));
        changes.names.into_iter().for_each(|(name, nid)| self.names.put(name, nid));
    }
}

/// What a transaction has changed so far; dropped with it when it is rolled back.
#[derive(Clone)]
pub(crate) struct Changes {
    pub(crate) tip: Tip,
    /// How many appends wrote.
    pub(crate) appends: usize,
    /// Whether anything was written: entries, or something beside them.
    pub(crate) wrote: bool,
    heads: HashMap<String, Head>,
    names: HashMap<String, i64>,
}

impl Changes {
    /// The ends of the streams it moved.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (&str, Revision)> {
        self.heads.iter().map(|(stream, head)| (stream.as_str(), head.last))
    }
}

/// Why an append did not write.
pub(crate) enum Stop {
    /// This append is refused; the transaction goes on.
    Refused(LogError),
    /// A rule of the database was broken by this append, which may have written half.
    Broken,
    /// The database itself failed.
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(error) if error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE => {
                Self::Broken
            }
            _ => Self::Failed(error),
        }
    }
}

/// An open transaction on the writer's connection.
pub(crate) struct Batch<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) known: &'a mut Known,
    pub(crate) changes: Changes,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(connection: &'a Connection, known: &'a mut Known) -> Self {
        let tip = known.tip.clone();
        let changes =
            Changes { tip, appends: 0, wrote: false, heads: HashMap::new(), names: HashMap::new() };
        Self { connection, known, changes }
    }

    /// Writes all facts of an append, or finds that they stand there already.
    pub(crate) fn append(&mut self, wanted: &Wanted) -> Result<Appended, Stop> {
        let head = self.head(&wanted.stream)?;
        let current = head.map(|head| head.last);
        let first = wanted.expected.first_revision(current);
        if first != next_revision(current) {
            let before = match head {
                Some(head) => self.asked_before(head.sid, first, &wanted.facts)?,
                None => None,
            };
            return before.ok_or(Stop::Refused(LogError::Conflict { current }));
        }
        let sid = self.sid(head, &wanted.stream)?;
        let mut last = first;
        let mut committed = Vec::with_capacity(wanted.facts.len());
        for (fact, revision) in wanted.facts.iter().zip(first..) {
            committed.push(self.write(sid, &wanted.stream, revision, fact)?);
            last = revision;
        }
        self.changes.heads.insert(wanted.stream.clone(), Head { sid, last });
        self.changes.appends += 1;
        Ok(Appended { last, token: Token(self.changes.tip.position), committed })
    }

    /// How many facts it has written.
    pub(crate) fn facts(&self) -> u64 {
        self.changes.tip.position - self.known.tip.position
    }

    /// Writes the ledger's edge, as the last thing before the commit.
    pub(crate) fn seal(&self) -> rusqlite::Result<()> {
        if self.facts() == 0 {
            return Ok(());
        }
        let frontier = &self.changes.tip.frontier;
        self.connection
            .prepare_cached("UPDATE ledger SET size = ?, frontier = ?")?
            .execute(params![Count(frontier.size()), frontier.to_bytes()])?;
        Ok(())
    }

    fn head(&mut self, stream: &str) -> Result<Option<Head>, Stop> {
        let here = self.changes.heads.get(stream).or_else(|| self.known.heads.get(stream));
        if let Some(head) = here {
            return Ok(Some(*head));
        }
        let found = self
            .connection
            .prepare_cached(
                "SELECT sid, (SELECT max(revision) FROM entries e WHERE e.sid = s.sid)
                 FROM streams s WHERE name = ?",
            )?
            .query_row([stream], |row| {
                Ok(Head { sid: row.get(0)?, last: row.get::<_, Count>(1)?.0 })
            })
            .optional()?;
        Ok(found)
    }

    fn sid(&self, head: Option<Head>, stream: &str) -> Result<i64, Stop> {
        match head {
            Some(head) => Ok(head.sid),
            None => self.number("INSERT INTO streams (name) VALUES (?)", stream),
        }
    }

    fn name(&mut self, name: &str) -> Result<i64, Stop> {
        let here = self.changes.names.get(name).or_else(|| self.known.names.get(name));
        if let Some(nid) = here {
            return Ok(*nid);
        }
        let found = self
            .connection
            .prepare_cached("SELECT nid FROM names WHERE name = ?")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        let nid = match found {
            Some(nid) => nid,
            None => self.number("INSERT INTO names (name) VALUES (?)", name)?,
        };
        self.changes.names.insert(name.to_owned(), nid);
        Ok(nid)
    }

    fn number(&self, insert: &str, name: &str) -> Result<i64, Stop> {
        Ok(self.connection.prepare_cached(insert)?.insert([name])?)
    }

    fn write(
        &mut self,
        sid: i64,
        stream: &str,
        revision: Revision,
        fact: &NewFact,
    ) -> Result<Committed, Stop> {
        let nid = self.name(&fact.name)?;
        let tip = &mut self.changes.tip;
        let position = tip.position + 1;
        let fact = not_before(tip, fact);
        let leaf_hash = leaf_of(position, stream, revision, &fact);
        let e = &fact.envelope;
        self.connection
            .prepare_cached(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                Count(position),
                sid,
                Count(revision),
                Id(fact.id),
                nid,
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
                leaf_hash,
                fact.data.as_ref(),
            ])?;
        tip.position = position;
        tip.recorded_at = e.recorded_at;
        tip.frontier.append(leaf_hash);
        self.changes.wrote = true;
        Ok(Committed { position, leaf_hash })
    }

    /// The answer given before, if exactly these facts stand there already (L5).
    fn asked_before(
        &self,
        sid: i64,
        first: Revision,
        facts: &[NewFact],
    ) -> Result<Option<Appended>, Stop> {
        let count = u64::try_from(facts.len()).unwrap_or(u64::MAX);
        let end = first.saturating_add(count);
        let mut statement = self.connection.prepare_cached(
            "SELECT id, position, leaf FROM entries
             WHERE sid = ? AND revision >= ? AND revision < ? ORDER BY revision",
        )?;
        let rows = statement.query_map(params![sid, Count(first), Count(end)], |row| {
            let position = row.get::<_, Count>(1)?.0;
            Ok((row.get::<_, Id>(0)?.0, Committed { position, leaf_hash: row.get(2)? }))
        })?;
        let there = rows.collect::<Result<Vec<_>, _>>()?;
        let same = there.iter().map(|(id, _)| *id).eq(facts.iter().map(|fact| fact.id));
        let committed: Vec<Committed> = there.into_iter().map(|(_, committed)| committed).collect();
        Ok(committed.last().copied().filter(|_| same).map(|last| Appended {
            last: end.saturating_sub(1),
            token: Token(last.position),
            committed,
        }))
    }
}

/// The fact, recorded no earlier than the one before it: the clock may go back, the record does not.
fn not_before<'f>(tip: &Tip, fact: &'f NewFact) -> Cow<'f, NewFact> {
    if tip.position == 0 || fact.envelope.recorded_at >= tip.recorded_at {
        return Cow::Borrowed(fact);
    }
    let mut raised = fact.clone();
    raised.envelope.recorded_at = tip.recorded_at;
    Cow::Owned(raised)
}
