//! What a step rested on, as the documents before and after it say: citations, words, other claims.

use assay_domain::claim::{AssertionRef, Citation, CitationRole, Cited};
use assay_domain::finding::EntryRef;
use assay_domain::id::{AssertionId, ClaimId, LinkId, ReportId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cases::CaseDoc;
use crate::claims::ClaimDoc;
use crate::error::Result;
use crate::findings::FindingDoc;
use crate::links::{End, LinkDoc};
use crate::reports::{Basis as How, ReportDoc};

/// A citation's pin: what was seen when it was cited, and for what it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Pinned {
    /// For what it was cited.
    pub role: CitationRole,
    /// SHA-256 of the assertion's content or of the rendition's text, hex.
    pub sha256: String,
    /// The revision of its stream when it was cited.
    pub version: u64,
    /// What it shows.
    pub note: Option<String>,
}

/// Something a step rested on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = StepBasis))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Basis {
    /// What somebody said in a report.
    Assertion {
        /// The claim it is towards.
        claim: ClaimId,
        /// Which.
        assertion: AssertionId,
        /// How it was cited; null where it was not a citation, or its text was erased.
        cited: Option<Pinned>,
    },
    /// A report.
    Report {
        /// Which.
        report: ReportId,
        /// How it was cited; null where it was not a citation, or its text was erased.
        cited: Option<Pinned>,
    },
    /// A claim as a whole.
    Claim {
        /// Which.
        claim: ClaimId,
    },
    /// A link between two claims.
    Link {
        /// Which.
        link: LinkId,
    },
    /// An entry of a log.
    Entry {
        /// Where it stands.
        position: u64,
        /// In which log; null where it is this one.
        log: Option<String>,
    },
    /// Reasoning in words.
    Words {
        /// The words.
        words: String,
    },
}

/// What a step on one subject rested on.
pub(super) fn of(kind: &str, before: Option<&Value>, after: Option<&Value>) -> Result<Vec<Basis>> {
    let Some(after) = after else { return Ok(Vec::new()) };
    Ok(match kind {
        "claim" => of_claim(read(before)?.as_ref(), &serde_json::from_value(after.clone())?),
        "link" => of_link(&serde_json::from_value(after.clone())?),
        "report" => of_report(read(before)?.as_ref(), &serde_json::from_value(after.clone())?),
        "case" => of_case(read(before)?.as_ref(), serde_json::from_value(after.clone())?),
        "finding" if before.is_none() => of_finding(serde_json::from_value(after.clone())?),
        _ => Vec::new(),
    })
}

fn read<T: serde::de::DeserializeOwned>(document: Option<&Value>) -> Result<Option<T>> {
    Ok(document.map(|document| serde_json::from_value(document.clone())).transpose()?)
}

fn assertion(named: AssertionRef) -> Basis {
    Basis::Assertion { claim: named.claim, assertion: named.assertion, cited: None }
}

/// The reports of new assertions, the citations of new verdicts, the corroborations of new grades.
fn of_claim(before: Option<&ClaimDoc>, after: &ClaimDoc) -> Vec<Basis> {
    let mut found = Vec::new();
    for now in &after.assertions {
        let then = before.and_then(|card| card.assertions.iter().find(|old| old.id == now.id));
        if then.is_none() {
            found.push(Basis::Report { report: now.report, cited: None });
        }
        let known = then.map_or(0, |then| then.credibility.len());
        let new = now.credibility.iter().skip(known);
        found.extend(new.flat_map(|grade| &grade.corroborated_by).copied().map(assertion));
    }
    for now in &after.verdicts {
        let then = before.and_then(|card| card.verdicts.iter().find(|old| old.id == now.id));
        match (then, &now.citations) {
            (None, Some(pinned)) => found.extend(pinned.iter().map(cited)),
            // Where the words were erased, what was cited is still known by name.
            (None, None) => found.extend(now.cites.iter().map(|cites| named(*cites, None))),
            (Some(then), _) => {
                let moved = now.basis_changed.iter().skip(then.basis_changed.len());
                found.extend(moved.map(|change| {
                    assertion(AssertionRef { claim: after.id, assertion: change.assertion })
                }));
            }
        }
    }
    found
}

fn cited(citation: &Citation) -> Basis {
    let pinned = Pinned {
        role: citation.role,
        sha256: citation.sha256.clone(),
        version: citation.version,
        note: citation.note.clone().map(Into::into),
    };
    named(citation.cites, Some(pinned))
}

fn named(what: Cited, cited: Option<Pinned>) -> Basis {
    match what {
        Cited::Assertion(AssertionRef { claim, assertion }) => {
            Basis::Assertion { claim, assertion, cited }
        }
        Cited::Report(report) => Basis::Report { report, cited },
    }
}

/// The two ends it speaks of.
fn of_link(after: &LinkDoc) -> Vec<Basis> {
    let end = |end: &End| match end.assertion {
        Some(named) => assertion(AssertionRef { claim: end.claim, assertion: named }),
        None => Basis::Claim { claim: end.claim },
    };
    vec![end(&after.from), end(&after.to)]
}

/// What was newly inferred rests on words, and who says «this is there already» on the other report.
fn of_report(before: Option<&ReportDoc>, after: &ReportDoc) -> Vec<Basis> {
    let known = |one| before.is_some_and(|before: &ReportDoc| before.metadata.contains(one));
    let inferred = after.metadata.iter().filter(|one| one.how == How::Inferred && !known(one));
    let words = inferred.flat_map(|one| &one.basis).cloned();
    let mut found: Vec<Basis> = words.map(|words| Basis::Words { words }).collect();
    if before.is_some_and(|before| before.withdrawn.is_none()) {
        let other = after.withdrawn.as_ref().and_then(|withdrawn| withdrawn.duplicate_of);
        found.extend(other.map(|report| Basis::Report { report, cited: None }));
    }
    found
}

/// A case is closed in view of the contradictions left open.
fn of_case(before: Option<&CaseDoc>, after: CaseDoc) -> Vec<Basis> {
    let closed = before.is_none_or(|before| before.closed.is_none());
    let left = after.closed.filter(|_| closed).map(|closing| closing.open_contradictions);
    left.into_iter().flatten().map(|link| Basis::Link { link }).collect()
}

/// A finding is about entries of the log.
fn of_finding(after: FindingDoc) -> Vec<Basis> {
    let FindingDoc { entries, log, .. } = after;
    let entry = |at: EntryRef| Basis::Entry { position: at.position, log: log.clone() };
    entries.into_iter().map(entry).collect()
}
