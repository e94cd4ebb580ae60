//! Questions about claims: a card, the claims of a case, the parts of a card.

use assay_domain::claim::ClaimKind;
use assay_domain::id::{CaseId, ClaimId, ReportId};
use assay_domain::value::{Edtf, Match};
use rusqlite::types::Value;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::doc::{ClaimDoc, Standing};
use crate::at::At;
use crate::db::Reader;
use crate::error::Result;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::reports::in_sight;
use crate::rows::{Row as _, blob, flag, word};

/// The card of one claim ([`ClaimDoc`]).
pub fn card(db: &Reader, sight: &Sight, at: At, claim: ClaimId) -> Result<Option<Document>> {
    in_sight(db, sight, ClaimDoc::TABLE, claim.0, at)
}

/// A question about world time: which claims are said to have held then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFilter {
    /// When.
    pub valid_at: Edtf,
    /// `Certain`: those that must have held then; otherwise those that may have, too.
    pub at_least: Match,
}

/// The order of a list of claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClaimSort {
    /// First proposed first.
    #[default]
    Oldest,
    /// Last proposed first.
    Newest,
    /// Last changed first.
    Changed,
}

/// Which claims a list shows, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimFilter {
    /// Only where they stand so.
    pub standing: Option<Standing>,
    /// Only of this kind.
    pub kind: Option<ClaimKind>,
    /// Only contested ones, or only the others.
    pub contested: Option<bool>,
    /// Only those with a live assertion in this report.
    pub report: Option<ReportId>,
    /// Only those said to have held then. A claim with words for its time but no expression may
    /// have; one without any time is not shown.
    pub time: Option<TimeFilter>,
    /// In which order.
    pub sort: ClaimSort,
}

/// The claims of a case, as cards.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    case: CaseId,
    filter: &ClaimFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sight.sees(case) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    db.snapshot(|| {
        // The assertions are of the moment of the cursor's first page, as the claims are.
        let moment = match cursor {
            Some(cursor) => At::Position(cursor.place(ClaimDoc::TABLE)?.position),
            None => At::Position(db.resolve(at)?),
        };
        let (order, descending): (&'static [&'static str], bool) = match filter.sort {
            ClaimSort::Oldest => (&["proposed_at"], false),
            ClaimSort::Newest => (&["proposed_at"], true),
            ClaimSort::Changed => (&["from_pos"], true),
        };
        let mut list = List::of(ClaimDoc::TABLE, order)
            .descending(descending)
            .only("t.case_id = ?", [blob(case.0)])
            .only_if("t.standing = ?", filter.standing.map(|standing| word(&standing)))
            .only_if("t.kind = ?", filter.kind.map(|kind| word(&kind)))
            .only_if("t.contested = ?", filter.contested.map(flag));
        if let Some(report) = filter.report {
            let (held, values) = moment.held("a");
            let condition = format!(
                "EXISTS (SELECT 1 FROM assertions a
                 WHERE a.claim_id = t.id AND a.report_id = ? AND a.live = 1 AND {held})"
            );
            list = list.only(condition, std::iter::once(blob(report.0)).chain(values));
        }
        if let Some(time) = &filter.time {
            let edtf = Value::Text(time.valid_at.as_str().to_owned());
            list = match time.at_least {
                Match::Certain => {
                    list.only("t.edtf IS NOT NULL AND edtf_overlaps(t.edtf, ?) = 2", [edtf])
                }
                Match::Possible | Match::No => list.only(
                    "t.timed = 1 AND (t.edtf IS NULL OR edtf_overlaps(t.edtf, ?) >= 1)",
                    [edtf],
                ),
            };
        }
        list.page(db, at, cursor, limit)
    })
}

#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    assertions: Vec<&'a RawValue>,
    #[serde(borrow)]
    verdicts: Vec<&'a RawValue>,
}

fn part(
    db: &Reader,
    sight: &Sight,
    at: At,
    claim: ClaimId,
    pick: impl FnOnce(Parts<'_>) -> Vec<Box<RawValue>>,
) -> Result<Option<Page>> {
    db.snapshot(|| {
        let position = db.resolve(at)?;
        let Some(card) = card(db, sight, at, claim)? else { return Ok(None) };
        let items = pick(serde_json::from_str(&card.json)?);
        Ok(Some(Page { items, next: None, position }))
    })
}

/// Every assertion of a claim ([`super::AssertionDoc`]), in the order they were recorded.
pub fn assertions(db: &Reader, sight: &Sight, at: At, claim: ClaimId) -> Result<Option<Page>> {
    part(db, sight, at, claim, |parts| {
        parts.assertions.into_iter().map(ToOwned::to_owned).collect()
    })
}

/// The series of verdicts of a claim ([`super::VerdictDoc`]), first first.
pub fn verdicts(db: &Reader, sight: &Sight, at: At, claim: ClaimId) -> Result<Option<Page>> {
    part(db, sight, at, claim, |parts| parts.verdicts.into_iter().map(ToOwned::to_owned).collect())
}
