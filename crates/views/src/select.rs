//! What goes into the bundle of a case: which entries of the log somebody needs who verifies it alone.

use std::collections::BTreeSet;

use assay_domain::claim::Cluster;
use assay_domain::id::{CaseId, SourceId};
use assay_domain::policy::Permission;
use assay_domain::report::Metadata;
use assay_domain::value::Holder;
use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use crate::at::{At, number, sql};
use crate::claims::ClaimDoc;
use crate::db::Reader;
use crate::error::Result;
use crate::members::Sight;
use crate::reports::ReportDoc;
use crate::rows::Row as _;
use crate::state::{each_document, positions, seen};
use crate::steps::OF_CASE;

/// The entries of a case's bundle, by position, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Every entry of the case itself: its own stream, its reports, claims, links and findings.
    pub case_entries: Vec<u64>,
    /// Every entry of the sources it refers or once referred to; none for those who may not read
    /// the registry.
    pub source_entries: Vec<u64>,
    /// The registrations of those who acted in it or are or were its members.
    pub user_entries: Vec<u64>,
}

/// The entries of a case's bundle as of a moment; nothing where the case is out of sight or did not
/// exist then.
pub fn selection(db: &Reader, sight: &Sight, at: At, case: CaseId) -> Result<Option<Selection>> {
    seen(db, sight, at, case, |upto| {
        let case_entries = positions(db, case, upto)?;
        let mut source_entries = Vec::new();
        if sight.may_anywhere(Permission::ReadSources) {
            for source in sources(db, case, upto)? {
                stream(db, "source", source.0, upto, &mut source_entries)?;
            }
        }
        let mut user_entries = Vec::new();
        for user in people(db, case, upto)? {
            user_entries.extend(registration(db, user, upto)?);
        }
        source_entries.sort_unstable();
        user_entries.sort_unstable();
        Ok(Selection { case_entries, source_entries, user_entries })
    })
}

/// The sources a case refers to, or referred to before somebody put it right.
fn sources(db: &Reader, case: CaseId, upto: u64) -> Result<BTreeSet<SourceId>> {
    let mut found = BTreeSet::new();
    each_document::<ReportDoc>(db, case, upto, |report| {
        found.extend(report.publisher);
        found.extend(report.metadata.into_iter().filter_map(|known| match known.metadata {
            Some(Metadata::Publisher(source)) => Some(source),
            _ => None,
        }));
        Ok(())
    })?;
    each_document::<ClaimDoc>(db, case, upto, |card| {
        found.extend(of_card(&card));
        Ok(())
    })?;
    // What a report was once said to be published by is in the column of an older version of it.
    let mut statement = db.conn().prepare_cached(
        "SELECT DISTINCT publisher FROM reports \
         WHERE case_id = ? AND from_pos <= ? AND publisher IS NOT NULL",
    )?;
    let mut rows = statement.query(params![case.0.as_bytes(), sql(upto)])?;
    while let Some(row) = rows.next()? {
        found.insert(SourceId(Uuid::from_bytes(row.get(0)?)));
    }
    // And who an assertion was once attributed to, in the card from before that was put right.
    for (claim, position) in reattributed(db, case, upto)? {
        let before = At::Position(position.saturating_sub(1));
        if let Some(card) = db.document(ClaimDoc::TABLE, claim, before)? {
            found.extend(of_card(&serde_json::from_str(&card.json)?));
        }
    }
    Ok(found)
}

/// The sources a claim's card refers to.
fn of_card(card: &ClaimDoc) -> Vec<SourceId> {
    let mut found = Vec::new();
    for assertion in &card.assertions {
        found.extend(assertion.publisher);
        let links = assertion.content.iter().flat_map(|content| content.chain.links());
        found.extend(links.filter_map(|link| match &link.holder {
            Holder::Source { source } => Some(*source),
            _ => None,
        }));
    }
    let citations = card.verdicts.iter().filter_map(|verdict| verdict.citations.as_ref()).flatten();
    found.extend(citations.filter_map(|citation| match citation.cluster {
        Cluster::Source(source) => Some(source),
        Cluster::Report(_) => None,
    }));
    found
}

/// Where in a case an assertion was found to be somebody else's: the claim, the position.
fn reattributed(db: &Reader, case: CaseId, upto: u64) -> Result<Vec<(Uuid, u64)>> {
    let mut statement = db.conn().prepare_cached(
        "SELECT subject, position FROM history WHERE case_id = ? AND position <= ? \
         AND kind = 'claim' AND name = 'claim.assertion_reattributed.v1'",
    )?;
    let found = statement.query_map(params![case.0.as_bytes(), sql(upto)], |row| {
        Ok((Uuid::from_bytes(row.get(0)?), number(row.get(1)?)))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Everybody who acted in a case, had somebody act for them, or is or was a member of it.
fn people(db: &Reader, case: CaseId, upto: u64) -> Result<BTreeSet<Uuid>> {
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT actor FROM history WHERE case_id = ?1 AND {OF_CASE} AND position <= ?2 \
         UNION SELECT on_behalf_of FROM history WHERE case_id = ?1 AND {OF_CASE} \
           AND position <= ?2 AND on_behalf_of IS NOT NULL \
         UNION SELECT user_id FROM members WHERE case_id = ?1 AND from_pos <= ?2"
    ))?;
    let bound = params![case.0.as_bytes(), sql(upto)];
    let found = statement.query_map(bound, |row| Ok(Uuid::from_bytes(row.get(0)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Where somebody was registered; nowhere for the house itself.
fn registration(db: &Reader, user: Uuid, upto: u64) -> Result<Option<u64>> {
    let mut statement = db.conn().prepare_cached(
        "SELECT position FROM history WHERE subject = ? AND position <= ? AND kind = 'user' \
         AND name = 'user.registered.v1' ORDER BY position LIMIT 1",
    )?;
    let found = statement.query_row(params![user.as_bytes(), sql(upto)], |row| row.get(0));
    Ok(found.optional()?.map(number))
}

/// Where the entries of one stream stand.
fn stream(db: &Reader, kind: &str, id: Uuid, upto: u64, found: &mut Vec<u64>) -> Result<()> {
    let mut statement = db.conn().prepare_cached(
        "SELECT position FROM history WHERE subject = ? AND kind = ? AND position <= ?",
    )?;
    let bound = params![id.as_bytes(), kind, sql(upto)];
    let rows = statement.query_map(bound, |row| Ok(number(row.get(0)?)))?;
    found.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
    Ok(())
}

#[cfg(test)]
mod tests;
