//! What each fact of a claim, and of a link that touches it, does to the card.

use std::collections::BTreeMap;

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::claim::{AssertionContent, Event, Proposition};
use assay_domain::id::{AssertionId, ClaimId, LinkId};
use assay_domain::link::{self, End};
use assay_domain::personal::Personal;
use assay_domain::text::Label;
use assay_domain::value::Stance;
use rusqlite::types::Value;

use super::doc::{
    AssertionDoc, AssertionGone, BasisChange, CardLink, ClaimDoc, ClaimWithdrawal,
    CredibilityGrade, Direction, Dissent, FlaggedQuantity, LinkStanding, ReliabilityGrade,
    ReviewReturn, ReviewRound, StanceCount, Standing, Superseded, VerdictDoc,
};
use crate::doc::{Deed, Remark, gone, words};
use crate::error::Result;
use crate::fact::Fact;
use crate::links::LinkDoc;
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob, flag, word};

impl Row for ClaimDoc {
    const TABLE: &'static str = "claims";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB NOT NULL"),
        ("kind", "TEXT NOT NULL"),
        ("standing", "TEXT NOT NULL"),
        ("contested", "INTEGER NOT NULL"),
        ("timed", "INTEGER NOT NULL"),
        ("edtf", "TEXT"),
        ("proposed_at", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(case_id, proposed_at, id) ?open",
        "(case_id, from_pos, id, to_pos)",
        "(case_id, standing, contested) ?open",
        "(case_id, standing, contested, from_pos, to_pos)",
        "(case_id, proposed_at, id, from_pos, to_pos)",
    ];

    fn columns(&self) -> Vec<Value> {
        let time = self.proposition.as_ref().and_then(|known| known.time.as_ref());
        let edtf = time.and_then(|time| time.edtf.as_ref()).map(|edtf| edtf.as_str().to_owned());
        vec![
            blob(self.case.0),
            word(&self.kind).into(),
            word(&self.standing).into(),
            flag(self.contested),
            flag(time.is_some()),
            edtf.map_or(Value::Null, Value::Text),
            self.proposed.at.micros().into(),
        ]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.claims
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    match (&fact.event, fact.subject) {
        (AnyEvent::Claim(event), Subject::Claim(id)) => {
            if let Some(row) = proposed(id, fact, event) {
                rows.put(id.0, Of::Own, row)?;
            } else {
                rows.change::<ClaimDoc>(id.0, Of::Own, |row| row.fold(event, fact.deed()))?;
            }
            Ok(Took::Used)
        }
        (AnyEvent::Link(event), Subject::Link(id)) => linked(id, event, rows),
        _ => Ok(Took::Ignored),
    }
}

fn proposed(id: ClaimId, fact: &Fact, event: &Event) -> Option<ClaimDoc> {
    let Event::Proposed { case, kind, proposition, flags } = event else { return None };
    let mut row = ClaimDoc {
        id,
        case: *case,
        kind: *kind,
        standing: Standing::Proposed,
        proposition: None,
        quantity_flags: Vec::new(),
        erased: false,
        flags: flags.clone(),
        proposed: fact.deed(),
        refined: Vec::new(),
        contested: false,
        stances: Vec::new(),
        assertions: Vec::new(),
        links: Vec::new(),
        reviews: Vec::new(),
        current_verdict: None,
        verdicts: Vec::new(),
        withdrawals: Vec::new(),
    };
    row.propose(proposition);
    Some(row)
}

/// A link shows on the cards of both its claims.
fn linked(id: LinkId, event: &link::Event, rows: &mut Rows<'_>) -> Result<Took> {
    let standing = match event {
        link::Event::Proposed { from, kind, to, tentative, .. } => {
            let card = |direction, own: &End, other: &End| CardLink {
                id,
                kind: *kind,
                standing: LinkStanding::Proposed,
                direction,
                assertion: own.assertion,
                other: other.claim,
                other_assertion: other.assertion,
                tentative: *tentative,
            };
            let out = card(Direction::From, from, to);
            rows.change::<ClaimDoc>(from.claim.0, Of::Other, |row| row.links.push(out))?;
            if from.claim != to.claim {
                let back = card(Direction::To, to, from);
                rows.change::<ClaimDoc>(to.claim.0, Of::Other, |row| row.links.push(back))?;
            }
            return Ok(Took::Used);
        }
        link::Event::Confirmed { .. } => LinkStanding::Confirmed,
        link::Event::Rejected { .. } => LinkStanding::Rejected,
        link::Event::Withdrawn { .. } => LinkStanding::Withdrawn,
    };
    let ends = rows.get::<LinkDoc>(id.0)?.map(|link| [link.from.claim, link.to.claim]);
    for claim in ends.into_iter().flatten() {
        rows.change::<ClaimDoc>(claim.0, Of::Other, |row| {
            let links = row.links.iter_mut().filter(|link| link.id == id);
            links.for_each(|link| link.standing = standing);
        })?;
    }
    Ok(Took::Used)
}

impl ClaimDoc {
    fn propose(&mut self, proposition: &Personal<Proposition>) {
        self.erased = gone(proposition);
        self.proposition = proposition.known().cloned();
        let quantities = self.proposition.as_ref().map(|known| known.quantities.as_slice());
        self.quantity_flags = quantities
            .unwrap_or_default()
            .iter()
            .zip(0..)
            .map(|(known, quantity)| FlaggedQuantity { quantity, flags: known.flags() })
            .filter(|flagged| !flagged.flags.is_empty())
            .collect();
    }

    fn fold(&mut self, event: &Event, deed: Deed) {
        match event {
            Event::Proposed { .. } => (),
            Event::Refined { proposition, reason } => {
                self.propose(proposition);
                self.refined.push(Remark::new(deed, Some(reason)));
            }
            Event::AssertionRecorded { .. }
            | Event::AssertionReattributed { .. }
            | Event::AssertionWithdrawn { .. } => {
                self.assert(event, deed);
                self.count();
            }
            Event::ReliabilityAssessed { .. } | Event::CredibilityAssessed { .. } => {
                self.grade(event, deed);
            }
            Event::ReviewRequested { .. } | Event::ReviewReturned { .. } => {
                self.review(event, deed);
            }
            Event::VerdictIssued { .. }
            | Event::VerdictSuperseded { .. }
            | Event::VerdictBasisChanged { .. }
            | Event::DissentRecorded { .. } => self.judge(event, deed),
            Event::Withdrawn { reason } => {
                let (said, stood) = (Remark::new(deed, Some(reason)), self.standing);
                self.withdrawals.push(ClaimWithdrawal { said, stood, reinstated: None });
                self.standing = Standing::Withdrawn;
            }
            Event::Reinstated { reason } => {
                if let Some(last) = self.withdrawals.last_mut() {
                    last.reinstated = Some(Remark::new(deed, Some(reason)));
                    self.standing = last.stood;
                }
            }
        }
    }

    fn on_assertion(&mut self, id: AssertionId, change: impl FnOnce(&mut AssertionDoc)) {
        if let Some(assertion) = self.assertions.iter_mut().find(|known| known.id == id) {
            change(assertion);
        }
    }

    fn assert(&mut self, event: &Event, deed: Deed) {
        match event {
            Event::AssertionRecorded { assertion, report, publisher, stance, content } => {
                let mut recorded = AssertionDoc {
                    id: *assertion,
                    report: *report,
                    publisher: *publisher,
                    stance: *stance,
                    side: None,
                    holder: None,
                    content: None,
                    sha256: None,
                    erased: gone(content),
                    recorded: deed,
                    reliability: Vec::new(),
                    credibility: Vec::new(),
                    reattributed: Vec::new(),
                    withdrawn: None,
                };
                if let Some(content) = content.known() {
                    recorded.say(content.clone());
                }
                self.assertions.push(recorded);
            }
            Event::AssertionReattributed { assertion, chain, reason } => {
                self.on_assertion(*assertion, |known| {
                    if let (Some(content), Some(chain)) = (known.content.take(), chain.known()) {
                        known.say(AssertionContent { chain: chain.clone(), ..content });
                    } else {
                        // Whose words it is cannot be known any more.
                        known.erased = true;
                        (known.side, known.holder, known.sha256) = (None, None, None);
                    }
                    known.reattributed.push(Remark::new(deed, Some(reason)));
                });
            }
            Event::AssertionWithdrawn { assertion, why, note } => {
                self.on_assertion(*assertion, |known| {
                    let said = Remark::new(deed, note.as_ref());
                    known.withdrawn = Some(AssertionGone { why: *why, said });
                });
            }
            _ => (),
        }
    }

    fn grade(&mut self, event: &Event, deed: Deed) {
        match event {
            Event::ReliabilityAssessed { assertion, link, grade, topic, rationale } => {
                let said = Remark::new(deed, Some(rationale));
                let topic = topic.as_ref().and_then(words);
                let grade = ReliabilityGrade { link: *link, grade: *grade, topic, said };
                self.on_assertion(*assertion, |known| known.reliability.push(grade));
            }
            Event::CredibilityAssessed { assertion, grade, corroborated_by, rationale } => {
                let said = Remark::new(deed, Some(rationale));
                let corroborated_by = corroborated_by.clone();
                let grade = CredibilityGrade { grade: *grade, corroborated_by, said };
                self.on_assertion(*assertion, |known| known.credibility.push(grade));
            }
            _ => (),
        }
    }

    fn review(&mut self, event: &Event, deed: Deed) {
        match event {
            Event::ReviewRequested { round, priority, note } => {
                let said = Remark::new(deed, note.as_ref());
                let (round, priority) = (*round, *priority);
                self.reviews.push(ReviewRound { round, priority, said, returned: None });
                self.standing = Standing::UnderReview;
            }
            Event::ReviewReturned { round, questions } => {
                let (questions, erased) = (words(questions), gone(questions));
                let returned = ReviewReturn { by: deed.by, at: deed.at, questions, erased };
                let asked = self.reviews.iter_mut().rev().find(|known| known.round == *round);
                if let Some(known) = asked {
                    known.returned = Some(returned);
                }
                let judged = self.current_verdict.is_some();
                self.standing = if judged { Standing::Adjudicated } else { Standing::Proposed };
            }
            _ => (),
        }
    }

    fn judge(&mut self, event: &Event, deed: Deed) {
        match event {
            Event::VerdictIssued {
                verdict,
                outcome,
                likelihood,
                confidence,
                cites,
                citations,
                text,
                basis,
            } => {
                self.verdicts.push(VerdictDoc {
                    id: *verdict,
                    outcome: *outcome,
                    likelihood: likelihood.clone(),
                    confidence: *confidence,
                    cites: cites.clone(),
                    citations: citations.known().cloned(),
                    text: text.known().cloned(),
                    erased: gone(citations) || gone(text),
                    basis: *basis,
                    issued: deed,
                    superseded: None,
                    basis_changed: Vec::new(),
                    dissents: Vec::new(),
                });
                self.current_verdict = Some(*verdict);
                self.standing = Standing::Adjudicated;
            }
            Event::VerdictSuperseded { verdict, by, change, reason } => {
                let said = Remark::new(deed, Some(reason));
                let superseded = Superseded { verdict: *by, change: *change, said };
                self.on_verdict(*verdict, |known| known.superseded = Some(superseded));
                self.current_verdict = None;
            }
            Event::VerdictBasisChanged { verdict, assertion } => {
                let change = BasisChange { assertion: *assertion, said: deed };
                self.on_verdict(*verdict, |known| known.basis_changed.push(change));
                if self.standing == Standing::Adjudicated {
                    self.standing = Standing::Stale;
                }
            }
            Event::DissentRecorded { verdict, opinion, reasons } => {
                let said = Remark::new(deed, Some(reasons));
                let dissent = Dissent { opinion: *opinion, said };
                self.on_verdict(*verdict, |known| known.dissents.push(dissent));
            }
            _ => (),
        }
    }

    fn on_verdict(
        &mut self,
        id: assay_domain::id::VerdictId,
        change: impl FnOnce(&mut VerdictDoc),
    ) {
        if let Some(verdict) = self.verdicts.iter_mut().find(|known| known.id == id) {
            change(verdict);
        }
    }

    /// Counts stances by side, and sees whether somebody stands against somebody.
    fn count(&mut self) {
        let mut counts: BTreeMap<(Option<Label>, Stance), u32> = BTreeMap::new();
        for assertion in self.live() {
            let count = counts.entry((assertion.side.clone(), assertion.stance)).or_default();
            *count = count.saturating_add(1);
        }
        self.contested = counts.keys().any(|(_, stance)| stance.opposes())
            && counts.keys().any(|(_, stance)| stance.supports());
        self.stances = counts
            .into_iter()
            .map(|((side, stance), count)| StanceCount { side, stance, count })
            .collect();
    }
}

impl AssertionDoc {
    /// Takes in who says it and how.
    fn say(&mut self, content: AssertionContent) {
        let links: Vec<_> = content.chain.links().collect();
        self.side = links.iter().rev().find_map(|link| link.side.clone());
        self.holder = Some(content.chain.origin().holder.clone());
        self.sha256 = Some(content.sha256());
        self.content = Some(content);
    }
}
