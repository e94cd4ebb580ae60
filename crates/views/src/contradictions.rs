//! The register of contradictions: who says what against whom, and whether it is still open.

use std::collections::BTreeSet;

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::claim::Outcome;
use assay_domain::id::{AssertionId, CaseId, ClaimId, LinkId};
use assay_domain::link::{End, LinkType};
use assay_domain::text::Label;
use assay_domain::value::{Holder, Stance};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::claims::{ClaimDoc, LinkStanding, Standing};
use crate::db::Reader;
use crate::doc::Deed;
use crate::error::Result;
use crate::fact::Fact;
use crate::links::{LinkDoc, links_of};
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob, flag};

/// One end of a contradiction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ContradictionEnd {
    /// The claim.
    pub claim: ClaimId,
    /// The assertion that is meant, where one is; otherwise all live ones are.
    pub assertion: Option<AssertionId>,
    /// What is said, in one sentence; null where it was erased.
    pub gist: Option<String>,
    /// Where the claim stands.
    pub standing: Option<Standing>,
    /// What its current verdict says.
    pub outcome: Option<Outcome>,
    /// The sides that speak.
    pub sides: BTreeSet<Label>,
    /// Those who speak.
    pub holders: Vec<Holder>,
    /// What they do towards the claim.
    pub stances: BTreeSet<Stance>,
}

/// Two claims that cannot both be so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Contradiction))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field of its own for those who read it"
)]
pub struct ContradictionDoc {
    /// The link that says so.
    pub link: LinkId,
    /// In which case.
    pub case: CaseId,
    /// Whether it waits to be resolved: the link was neither rejected nor taken back, and neither
    /// claim was refuted or withdrawn.
    pub open: bool,
    /// Where the link stands.
    pub standing: LinkStanding,
    /// Whether its proposer is unsure.
    pub tentative: bool,
    /// Whether one side contradicts itself.
    pub same_side: bool,
    /// Why they cannot both be so; null where it was erased.
    pub rationale: Option<String>,
    /// Whether the rationale was erased.
    pub erased: bool,
    /// Who put it forward.
    pub proposed: Deed,
    /// One claim.
    pub from: ContradictionEnd,
    /// The other.
    pub to: ContradictionEnd,
}

impl Row for ContradictionDoc {
    const TABLE: &'static str = "contradictions";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB NOT NULL"),
        ("open", "INTEGER NOT NULL"),
        ("proposed_at", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(case_id, proposed_at, id) ?open",
        "(case_id, proposed_at, id, from_pos, to_pos)",
        "(case_id, open, from_pos, to_pos)",
    ];

    fn columns(&self) -> Vec<Value> {
        vec![blob(self.case.0), flag(self.open), self.proposed.at.micros().into()]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.contradictions
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    use assay_domain::claim::Event as E;
    match (&fact.event, fact.subject) {
        (AnyEvent::Link(_), Subject::Link(link)) => register(link, rows)?,
        (AnyEvent::Claim(event), Subject::Claim(claim)) => match event {
            E::Proposed { .. }
            | E::ReliabilityAssessed { .. }
            | E::CredibilityAssessed { .. }
            | E::DissentRecorded { .. } => return Ok(Took::Ignored),
            _ => {
                for link in links_of(claim, rows)? {
                    register(link, rows)?;
                }
            }
        },
        _ => return Ok(Took::Ignored),
    }
    Ok(Took::Used)
}

/// Writes what a link of contradiction says now; other links are not in the register.
fn register(id: LinkId, rows: &mut Rows<'_>) -> Result<()> {
    let Some(link) = rows.get::<LinkDoc>(id.0)? else { return Ok(()) };
    if link.kind != LinkType::Contradicts {
        return Ok(());
    }
    let link = link.clone();
    let (from, to) = (end(&link.from, rows)?, end(&link.to, rows)?);
    let stands = matches!(link.standing, LinkStanding::Proposed | LinkStanding::Confirmed);
    let row = ContradictionDoc {
        link: id,
        case: link.case,
        open: stands && from.stands() && to.stands(),
        standing: link.standing,
        tentative: link.tentative,
        same_side: link.same_side,
        rationale: link.rationale,
        erased: link.erased,
        proposed: link.proposed,
        from,
        to,
    };
    rows.put(id.0, Of::Other, row)
}

fn end(end: &End, rows: &mut Rows<'_>) -> Result<ContradictionEnd> {
    let card = rows.get::<ClaimDoc>(end.claim.0)?;
    let meant = card.map(|card| card.meant(end.assertion)).unwrap_or_default();
    let mut holders: Vec<Holder> = Vec::new();
    for holder in meant.iter().filter_map(|assertion| assertion.holder.as_ref()) {
        if !holders.contains(holder) {
            holders.push(holder.clone());
        }
    }
    Ok(ContradictionEnd {
        claim: end.claim,
        assertion: end.assertion,
        gist: card.and_then(ClaimDoc::gist),
        standing: card.map(|card| card.standing),
        outcome: card.and_then(ClaimDoc::outcome),
        sides: card.map(|card| card.sides(end.assertion)).unwrap_or_default(),
        holders,
        stances: meant.iter().map(|assertion| assertion.stance).collect(),
    })
}

impl ContradictionEnd {
    /// Whether the claim is neither withdrawn nor found not to be so.
    const fn stands(&self) -> bool {
        let out = matches!(self.standing, Some(Standing::Withdrawn));
        let refuted = matches!(
            self.outcome,
            Some(Outcome::Refuted | Outcome::OccurrenceNotConfirmed | Outcome::PredictionFailed)
        );
        !out && !refuted
    }
}

/// The contradictions of a case, first found first; only open ones, or only the others, where asked.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    case: CaseId,
    open: Option<bool>,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sight.sees(case) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    List::of(ContradictionDoc::TABLE, &["proposed_at"])
        .only("t.case_id = ?", [blob(case.0)])
        .only_if("t.open = ?", open.map(flag))
        .page(db, at, cursor, limit)
}
