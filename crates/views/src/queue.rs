//! The review queue: claims that wait for a reviewer, the urgent ones first, and whom four eyes bar.

use std::collections::BTreeSet;

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::claim::{ClaimKind, Event};
use assay_domain::id::{CaseId, ClaimId, UserId};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::claims::{ClaimDoc, Standing};
use crate::db::Reader;
use crate::doc::Remark;
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob};

/// A claim under review, as kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct QueueDoc {
    #[serde(flatten)]
    waiting: Waiting,
    barred_users: BTreeSet<UserId>,
}

/// A claim that waits for a reviewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Waiting {
    /// Which claim.
    pub claim: ClaimId,
    /// In which case.
    pub case: CaseId,
    /// What kind it is.
    pub kind: ClaimKind,
    /// What is said, in one sentence; null where it was erased.
    pub gist: Option<String>,
    /// How urgent: 1 high, 2 normal, 3 low.
    pub priority: u8,
    /// The how-manieth time review was asked for, from 1.
    pub round: u32,
    /// Who asked, when, and what to look at.
    pub requested: Remark,
    /// Whether one supports it and another opposes it.
    pub contested: bool,
    /// How many live assertions it has.
    pub assertions: u32,
}

/// A claim that waits for a reviewer, as one reader sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueItem {
    /// What waits.
    #[serde(flatten)]
    pub waiting: Waiting,
    /// Whether four eyes bar the reader from judging it: they proposed or recorded it.
    pub barred: bool,
}

impl Row for QueueDoc {
    const TABLE: &'static str = "queue";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB NOT NULL"),
        ("priority", "INTEGER NOT NULL"),
        ("requested_at", "INTEGER NOT NULL"),
        ("barred_users", "TEXT NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(priority, requested_at, id) ?open",
        "(case_id) ?open",
        "(priority, requested_at, id, from_pos, to_pos)",
        "(case_id, from_pos, to_pos)",
    ];

    fn columns(&self) -> Vec<Value> {
        let barred: Vec<String> = self.barred_users.iter().map(ToString::to_string).collect();
        vec![
            blob(self.waiting.case.0),
            i64::from(self.waiting.priority).into(),
            self.waiting.requested.at.micros().into(),
            serde_json::Value::from(barred).to_string().into(),
        ]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.queue
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (AnyEvent::Claim(event), Subject::Claim(claim)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    let (Event::Refined { .. }
    | Event::AssertionRecorded { .. }
    | Event::AssertionReattributed { .. }
    | Event::AssertionWithdrawn { .. }
    | Event::ReviewRequested { .. }
    | Event::ReviewReturned { .. }
    | Event::VerdictIssued { .. }
    | Event::Withdrawn { .. }
    | Event::Reinstated { .. }) = event
    else {
        return Ok(Took::Ignored);
    };
    let card = rows.get::<ClaimDoc>(claim.0)?;
    match card.filter(|card| card.standing == Standing::UnderReview).and_then(waiting) {
        Some(row) => rows.put(claim.0, Of::Other, row)?,
        None => rows.close::<QueueDoc>(claim.0)?,
    }
    Ok(Took::Used)
}

fn waiting(card: &ClaimDoc) -> Option<QueueDoc> {
    let asked = card.reviews.last()?;
    let waiting = Waiting {
        claim: card.id,
        case: card.case,
        kind: card.kind,
        gist: card.gist(),
        priority: asked.priority,
        round: asked.round,
        requested: asked.said.clone(),
        contested: card.contested,
        assertions: u32::try_from(card.live().count()).unwrap_or(u32::MAX),
    };
    Some(QueueDoc { waiting, barred_users: card.barred() })
}

/// Which of what waits a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueFilter {
    /// Only of this case.
    pub case: Option<CaseId>,
    /// Leave out what the reader may not judge anyway.
    pub without_barred: bool,
}

/// What waits for a reviewer in the cases in sight: the urgent first, then who asked first.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    filter: &QueueFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    let reader = sight.user();
    let (seen, values) = sight.filter("t.case_id");
    let mut list = List::of(QueueDoc::TABLE, &["priority", "requested_at"])
        .only(seen, values)
        .only_if("t.case_id = ?", filter.case.map(|case| blob(case.0)));
    if let (true, Some(reader)) = (filter.without_barred, reader) {
        let barred = "NOT EXISTS (SELECT 1 FROM json_each(t.barred_users) WHERE value = ?)";
        list = list.only(barred, [reader.to_string().into()]);
    }
    list.page_with(db, at, cursor, limit, |item| {
        let QueueDoc { waiting, barred_users } = serde_json::from_str(&item.doc)?;
        let barred = reader.is_some_and(|reader| barred_users.contains(&reader));
        Ok(serde_json::to_string(&QueueItem { waiting, barred })?)
    })
}
