//! Links: how two claims stand to each other, who says so, and whether one side is on both ends.

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::claim;
use assay_domain::id::{AssertionId, CaseId, ClaimId, LinkId};
use assay_domain::link::{Event, LinkType};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::claims::ClaimDoc;
use crate::db::Reader;
use crate::doc::{Deed, Remark, gone, words};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::project::Took;
use crate::reports::in_sight;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob, word};

pub use crate::claims::LinkStanding;
pub use assay_domain::link::End;

/// How one claim stands to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Link))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field of its own for those who read it"
)]
pub struct LinkDoc {
    /// Which.
    pub id: LinkId,
    /// In which case.
    pub case: CaseId,
    /// How one stands to the other.
    #[serde(rename = "type")]
    pub kind: LinkType,
    /// Whether it reads the same from both ends.
    pub symmetric: bool,
    /// From here.
    pub from: End,
    /// To there.
    pub to: End,
    /// Where it stands.
    pub standing: LinkStanding,
    /// Whether its proposer is unsure.
    pub tentative: bool,
    /// Why; null where it was erased.
    pub rationale: Option<String>,
    /// Whether the rationale was erased.
    pub erased: bool,
    /// Who put it forward.
    pub proposed: Deed,
    /// Who confirmed or rejected it, when and why.
    pub decided: Option<Remark>,
    /// Who took it back, when and why.
    pub withdrawn: Option<Remark>,
    /// Whether one side of the dispute is on both ends: it contradicts or corroborates itself.
    pub same_side: bool,
}

impl Row for LinkDoc {
    const TABLE: &'static str = "links";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB NOT NULL"),
        ("kind", "TEXT NOT NULL"),
        ("standing", "TEXT NOT NULL"),
        ("from_claim", "BLOB NOT NULL"),
        ("to_claim", "BLOB NOT NULL"),
        ("proposed_at", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(case_id, proposed_at, id) ?open",
        "(case_id, proposed_at, id, from_pos, to_pos)",
        "(case_id, standing, from_pos, to_pos)",
    ];

    fn columns(&self) -> Vec<Value> {
        vec![
            blob(self.case.0),
            word(&self.kind).into(),
            word(&self.standing).into(),
            blob(self.from.claim.0),
            blob(self.to.claim.0),
            self.proposed.at.micros().into(),
        ]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.links
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    match (&fact.event, fact.subject) {
        (AnyEvent::Link(event), Subject::Link(id)) => own(id, event, fact.deed(), rows),
        (AnyEvent::Claim(event), Subject::Claim(claim)) => moved(claim, event, rows),
        _ => Ok(Took::Ignored),
    }
}

fn own(id: LinkId, event: &Event, deed: Deed, rows: &mut Rows<'_>) -> Result<Took> {
    if let Event::Proposed { case, from, kind, to, tentative, rationale } = event {
        let row = LinkDoc {
            id,
            case: *case,
            kind: *kind,
            symmetric: kind.symmetric(),
            from: *from,
            to: *to,
            standing: LinkStanding::Proposed,
            tentative: *tentative,
            rationale: words(rationale),
            erased: gone(rationale),
            proposed: deed,
            decided: None,
            withdrawn: None,
            same_side: same_side(from, to, rows)?,
        };
        rows.put(id.0, Of::Own, row)?;
        return Ok(Took::Used);
    }
    rows.change::<LinkDoc>(id.0, Of::Own, |row| match event {
        Event::Confirmed { note } => {
            row.standing = LinkStanding::Confirmed;
            row.decided = Some(Remark::new(deed, note.as_ref()));
        }
        Event::Rejected { reason } => {
            row.standing = LinkStanding::Rejected;
            row.decided = Some(Remark::new(deed, Some(reason)));
        }
        Event::Withdrawn { reason } => {
            row.standing = LinkStanding::Withdrawn;
            row.withdrawn = Some(Remark::new(deed, Some(reason)));
        }
        Event::Proposed { .. } => (),
    })?;
    Ok(Took::Used)
}

/// The assertions of a claim moved: its links may now have one side on both ends, or no longer.
fn moved(claim: ClaimId, event: &claim::Event, rows: &mut Rows<'_>) -> Result<Took> {
    use claim::Event as E;
    let (E::AssertionRecorded { .. }
    | E::AssertionReattributed { .. }
    | E::AssertionWithdrawn { .. }) = event
    else {
        return Ok(Took::Ignored);
    };
    for id in links_of(claim, rows)? {
        let ends = rows.get::<LinkDoc>(id.0)?.map(|link| (link.from, link.to));
        if let Some((from, to)) = ends {
            let same = same_side(&from, &to, rows)?;
            rows.change::<LinkDoc>(id.0, Of::Other, |row| row.same_side = same)?;
        }
    }
    Ok(Took::Used)
}

/// The links that touch a claim.
pub(crate) fn links_of(claim: ClaimId, rows: &mut Rows<'_>) -> Result<Vec<LinkId>> {
    let card = rows.get::<ClaimDoc>(claim.0)?;
    Ok(card.map(|card| card.links.iter().map(|link| link.id).collect()).unwrap_or_default())
}

fn same_side(from: &End, to: &End, rows: &mut Rows<'_>) -> Result<bool> {
    let mut sides = |claim: ClaimId, assertion: Option<AssertionId>| -> Result<_> {
        let card = rows.get::<ClaimDoc>(claim.0)?;
        Ok(card.map(|card| card.sides(assertion)).unwrap_or_default())
    };
    let (here, there) = (sides(from.claim, from.assertion)?, sides(to.claim, to.assertion)?);
    Ok(here.intersection(&there).next().is_some())
}

/// One link.
pub fn one(db: &Reader, sight: &Sight, at: At, link: LinkId) -> Result<Option<Document>> {
    in_sight(db, sight, LinkDoc::TABLE, link.0, at)
}

/// Which links a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkFilter {
    /// Only of this type.
    pub kind: Option<LinkType>,
    /// Only where they stand so.
    pub standing: Option<LinkStanding>,
    /// Only those that touch this claim.
    pub claim: Option<ClaimId>,
}

/// The links of a case, first proposed first.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    case: CaseId,
    filter: &LinkFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sight.sees(case) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    let mut list = List::of(LinkDoc::TABLE, &["proposed_at"])
        .only("t.case_id = ?", [blob(case.0)])
        .only_if("t.kind = ?", filter.kind.map(|kind| word(&kind)))
        .only_if("t.standing = ?", filter.standing.map(|standing| word(&standing)));
    if let Some(claim) = filter.claim {
        list = list.only("? IN (t.from_claim, t.to_claim)", [blob(claim.0)]);
    }
    list.page(db, at, cursor, limit)
}
