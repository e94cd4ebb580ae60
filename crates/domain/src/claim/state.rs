//! What the rules ask of a claim, and what each fact does to it.

use std::collections::{BTreeMap, BTreeSet};

use super::{AssertionContent, Cited, ClaimKind, Cluster, Event, Proposition, Refusal};
use crate::aggregate::{Aggregate, Stamp};
use crate::id::{AssertionId, CaseId, ReportId, SourceId, UserId, VerdictId};
use crate::value::{Credibility, Reliability, Stance};

/// Where a claim stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Put forward, not yet looked at.
    #[default]
    Proposed,
    /// Waiting for a reviewer.
    UnderReview,
    /// A verdict stands.
    Adjudicated,
    /// A verdict stands whose basis has changed.
    Stale,
    /// Taken out of the work.
    Withdrawn,
}

/// An assertion as the rules need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// Who recorded or reattributed it.
    pub recorders: BTreeSet<UserId>,
    /// In which report it stands.
    pub report: ReportId,
    /// Who published that.
    pub publisher: Option<SourceId>,
    /// What the holder does towards the claim.
    pub stance: Stance,
    /// Who, how, in which words; where it is known.
    pub content: Option<AssertionContent>,
    /// The last reliability each person gave each link.
    pub reliability: BTreeMap<(UserId, u8), Reliability>,
    /// The last credibility each person gave it.
    pub credibility: BTreeMap<UserId, Credibility>,
    /// Whether it was taken back.
    pub withdrawn: bool,
}

impl Assertion {
    /// The origin it counts for.
    pub fn cluster(&self) -> Cluster {
        self.publisher.map_or(Cluster::Report(self.report), Cluster::Source)
    }
}

/// The verdict that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentVerdict {
    /// Its name.
    pub verdict: VerdictId,
    /// What it rests on.
    pub cites: Vec<Cited>,
    /// Whose verdict it is.
    pub by: UserId,
}

/// What the rules ask of a claim.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// In which case it is, once proposed.
    pub in_case: Option<CaseId>,
    /// What kind it is.
    pub kind: Option<ClaimKind>,
    /// What is said, where it is known.
    pub proposition: Option<Proposition>,
    /// Who proposed or refined it.
    pub authors: BTreeSet<UserId>,
    /// Its assertions.
    pub assertions: BTreeMap<AssertionId, Assertion>,
    /// Where it stands.
    pub standing: Standing,
    /// Where it stood before it was withdrawn.
    pub stood: Standing,
    /// How often review was asked for.
    pub round: u32,
    /// The verdict that stands.
    pub current: Option<CurrentVerdict>,
    /// Every verdict there was.
    pub verdicts: BTreeSet<VerdictId>,
    /// Whose opinion on which verdict.
    pub dissents: BTreeMap<(VerdictId, UserId), u8>,
}

impl Claim {
    pub(super) fn must_stand(&self) -> Result<(), Refusal> {
        if self.standing == Standing::Withdrawn { Err(Refusal::Withdrawn) } else { Ok(()) }
    }

    /// An assertion that was not taken back.
    pub(super) fn live(&self, id: AssertionId) -> Result<&Assertion, Refusal> {
        let assertion = self.assertions.get(&id).ok_or(Refusal::AssertionUnknown)?;
        if assertion.withdrawn { Err(Refusal::AssertionWithdrawn) } else { Ok(assertion) }
    }

    /// The fact that the current verdict rests on something that is changing, if it does.
    pub(super) fn basis_changed(&self, assertion: AssertionId) -> Option<Event> {
        let current = self.current.as_ref()?;
        let cites =
            |cited: &Cited| matches!(cited, Cited::Assertion(one) if one.assertion == assertion);
        let verdict = current.verdict;
        current.cites.iter().any(cites).then_some(Event::VerdictBasisChanged { verdict, assertion })
    }

    fn on_assertion(&mut self, id: AssertionId, change: impl FnOnce(&mut Assertion)) {
        if let Some(assertion) = self.assertions.get_mut(&id) {
            change(assertion);
        }
    }
}

impl Aggregate for Claim {
    const CATEGORY: &'static str = "claim";
    type Event = Event;

    #[expect(clippy::too_many_lines, reason = "one arm a fact, read side by side")]
    fn evolve(mut self, event: &Event, stamp: &Stamp) -> Self {
        let by = stamp.actor;
        match event {
            Event::Proposed { case, kind, proposition, .. } => {
                self.in_case = Some(*case);
                self.kind = Some(*kind);
                self.proposition = proposition.known().cloned();
                self.authors.insert(by);
            }
            Event::Refined { proposition, .. } => {
                self.proposition = proposition.known().cloned();
                self.authors.insert(by);
            }
            Event::AssertionRecorded { assertion, report, publisher, stance, content } => {
                let recorded = Assertion {
                    recorders: BTreeSet::from([by]),
                    report: *report,
                    publisher: *publisher,
                    stance: *stance,
                    content: content.known().cloned(),
                    reliability: BTreeMap::new(),
                    credibility: BTreeMap::new(),
                    withdrawn: false,
                };
                self.assertions.insert(*assertion, recorded);
            }
            Event::AssertionReattributed { assertion, chain, .. } => {
                self.on_assertion(*assertion, |known| {
                    known.recorders.insert(by);
                    if let (Some(content), Some(chain)) = (&mut known.content, chain.known()) {
                        content.chain = chain.clone();
                    }
                });
            }
            Event::AssertionWithdrawn { assertion, .. } => {
                self.on_assertion(*assertion, |known| known.withdrawn = true);
            }
            Event::ReliabilityAssessed { assertion, link, grade, .. } => {
                self.on_assertion(*assertion, |known| {
                    known.reliability.insert((by, *link), *grade);
                });
            }
            Event::CredibilityAssessed { assertion, grade, .. } => {
                self.on_assertion(*assertion, |known| {
                    known.credibility.insert(by, *grade);
                });
            }
            Event::ReviewRequested { round, .. } => {
                self.round = *round;
                self.standing = Standing::UnderReview;
            }
            Event::ReviewReturned { .. } => {
                let judged = self.current.is_some();
                self.standing = if judged { Standing::Adjudicated } else { Standing::Proposed };
            }
            Event::VerdictIssued { verdict, cites, .. } => {
                self.verdicts.insert(*verdict);
                self.current = Some(CurrentVerdict { verdict: *verdict, cites: cites.clone(), by });
                self.standing = Standing::Adjudicated;
            }
            Event::VerdictSuperseded { .. } => self.current = None,
            Event::VerdictBasisChanged { .. } => {
                if self.standing == Standing::Adjudicated {
                    self.standing = Standing::Stale;
                }
            }
            Event::DissentRecorded { verdict, opinion, .. } => {
                self.dissents.insert((*verdict, by), *opinion);
            }
            Event::Withdrawn { .. } => {
                self.stood = self.standing;
                self.standing = Standing::Withdrawn;
            }
            Event::Reinstated { .. } => self.standing = self.stood,
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        self.in_case
    }
}
