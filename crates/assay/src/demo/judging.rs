//! How the demo's people weigh: Ana grades on two axes, Rao passes verdicts on cited evidence.

use anyhow::Context as _;
use assay_commands::Receipt;
use assay_domain::claim::{
    AssertionRef, AssessCredibility, AssessReliability, Change, CitationRole, Cited, CitedWords,
    IssueVerdict, Judgement, Outcome, RequestReview, SupersedeVerdict, Supersession, VerdictText,
};
use assay_domain::value::{Confidence, Credibility, Likelihood, Reliability, Scheme};

use super::file::CaseFile;
use super::ids;
use super::people::{ANA, RAO};
use super::stage::Stage;

/// A verdict of the story.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    key: &'static str,
    claim: &'static str,
    outcome: Outcome,
    likely: Option<&'static str>,
    confidence: Confidence,
    cites: &'static [(&'static str, CitationRole)],
    why: &'static str,
    would_settle: Option<&'static str>,
    takes_for_granted: Option<&'static str>,
}

/// The towns were struck.
pub(crate) const C39: Verdict = Verdict {
    key: "C39-1",
    claim: "C39",
    outcome: Outcome::Supported,
    likely: Some("likely"),
    confidence: Confidence::Low,
    cites: &[("C39", CitationRole::Supports), ("C37", CitationRole::Context)],
    why: "The towns were struck: the report says so in its own voice and names two of them, and \
          incidents of that day are listed for both. Who flew is not said and is not judged here.",
    would_settle: None,
    takes_for_granted: Some("The report's day is 11 January 2018."),
};

/// Sixty prisoners: not enough.
pub(crate) const C19: Verdict = Verdict {
    key: "C19-1",
    claim: "C19",
    outcome: Outcome::NotEnoughEvidence,
    likely: None,
    confidence: Confidence::Low,
    cites: &[("C19", CitationRole::Context), ("M45", CitationRole::Context)],
    why: "Outlets of one side give the number. The caption of a video speaks of prisoners, not of \
          sixty, and comes from the same report.",
    would_settle: Some(
        "The footage itself with place and time, or the number from an origin that is not on the \
         side of the opposition.",
    ),
    takes_for_granted: None,
};

/// There was a counter-attack: at first on the narrator's word.
pub(crate) const C01_FIRST: Verdict = Verdict {
    key: "C01-1",
    claim: "C01",
    outcome: Outcome::Supported,
    likely: Some("likely"),
    confidence: Confidence::Low,
    cites: &[("C01", CitationRole::Supports), ("D40", CitationRole::Refutes)],
    why: "The report tells it in its own voice; an official of the other side denies it.",
    would_settle: None,
    takes_for_granted: None,
};

/// There was a counter-attack: the denial itself gives way.
pub(crate) const C01_AGAIN: Verdict = Verdict {
    key: "C01-2",
    claim: "C01",
    outcome: Outcome::Supported,
    likely: Some("very likely"),
    confidence: Confidence::Moderate,
    cites: &[
        ("C01", CitationRole::Supports),
        ("C41", CitationRole::Supports),
        ("C03", CitationRole::Supports),
        ("D40", CitationRole::Refutes),
    ],
    why: "The official who denies it admits heavy fighting, and forces of his own side claim to \
          have undone gains which they could only undo if there were any.",
    would_settle: None,
    takes_for_granted: Some("What a side admits against its own interest weighs more."),
};

/// The airbase was about to fall: not yet to be judged.
pub(crate) const C07: Verdict = Verdict {
    key: "C07-1",
    claim: "C07",
    outcome: Outcome::NotEnoughEvidence,
    likely: None,
    confidence: Confidence::Low,
    cites: &[("C07", CitationRole::Context)],
    why: "The sentence does not let us know who announced it, and the day is not over.",
    would_settle: Some("Who holds the airbase at the end of January 2018, from two origins."),
    takes_for_granted: None,
};

/// The initiative a success: the report itself speaks against it.
pub(crate) const C55: Verdict = Verdict {
    key: "C55-1",
    claim: "C55",
    outcome: Outcome::ConflictingEvidence,
    likely: None,
    confidence: Confidence::Low,
    cites: &[
        ("C55", CitationRole::Supports),
        ("C53", CitationRole::Refutes),
        ("C54", CitationRole::Refutes),
    ],
    why: "A founder calls it a success; the report calls the zone nominal and has a founder's \
          aircraft fly in support of the offensive.",
    would_settle: None,
    takes_for_granted: None,
};

/// Ana's grades: how far the holder can be relied on, and how far the information is to be believed.
pub(crate) async fn grade(stage: Stage<'_>, file: &CaseFile) -> anyhow::Result<()> {
    stage.at("2018-01-12T17:30:00Z")?;
    let grades = [
        ("C39", 0, Reliability::F, Credibility::PossiblyTrue, "the outlet is not known"),
        ("C19", 1, Reliability::D, Credibility::CannotBeJudged, "outlets of one side"),
        ("D40", 1, Reliability::D, Credibility::Improbable, "a party that denies its own loss"),
        ("C41", 1, Reliability::D, Credibility::ProbablyTrue, "said against its own interest"),
        ("C18", 1, Reliability::F, Credibility::PossiblyTrue, "nobody says who they are"),
    ];
    for (key, link, reliability, credibility, why) in grades {
        let claim = ids::claim(&file.assertion(key)?.claim);
        let assertion = ids::assertion(key);
        let rationale: assay_domain::text::Reason = why.to_owned().try_into()?;
        let assess = AssessReliability {
            claim,
            assertion,
            link,
            grade: reliability,
            topic: None,
            rationale: rationale.clone(),
        };
        stage.act(ANA, &format!("reliability-{key}"), &assess).await?;
        let corroborated_by = vec![];
        let grade = credibility;
        let assess = AssessCredibility { claim, assertion, grade, corroborated_by, rationale };
        stage.act(ANA, &format!("credibility-{key}"), &assess).await?;
    }
    Ok(())
}

/// Ana asks for second eyes on seven claims; on two of them nobody has looked at the end of the story.
pub(crate) async fn ask_for_review(stage: Stage<'_>) -> anyhow::Result<()> {
    stage.at("2018-01-12T18:00:00Z")?;
    let asked =
        [("C39", 1), ("C19", 1), ("C01", 1), ("C07", 2), ("C55", 2), ("C15", 2), ("C23", 3)];
    for (key, priority) in asked {
        let request = RequestReview { claim: ids::claim(key), priority, note: None };
        stage.act(ANA, &format!("review-{key}"), &request).await?;
    }
    Ok(())
}

/// The command that passes a verdict.
pub(crate) fn verdict(file: &CaseFile, verdict: &Verdict) -> anyhow::Result<IssueVerdict> {
    Ok(IssueVerdict { claim: ids::claim(verdict.claim), judgement: judgement(file, verdict)? })
}

/// Rao passes a verdict.
pub(crate) async fn issue(
    stage: Stage<'_>,
    file: &CaseFile,
    passed: &Verdict,
) -> anyhow::Result<Receipt> {
    stage.act(RAO, &format!("verdict-{}", passed.key), &verdict(file, passed)?).await
}

/// Rao replaces his verdict by a stronger one.
pub(crate) async fn supersede(
    stage: Stage<'_>,
    file: &CaseFile,
    old: &Verdict,
    new: &Verdict,
) -> anyhow::Result<Receipt> {
    stage.at("2018-01-13T13:00:00Z")?;
    let reason = "A second person confirmed that the denial is at odds with its own side's words.";
    let supersession = Supersession {
        verdict: ids::verdict(old.key),
        change: Change::Strengthened,
        reason: reason.to_owned().try_into()?,
    };
    let command = SupersedeVerdict {
        claim: ids::claim(new.claim),
        judgement: judgement(file, new)?,
        supersession,
    };
    stage.act(RAO, &format!("verdict-{}", new.key), &command).await
}

fn judgement(file: &CaseFile, verdict: &Verdict) -> anyhow::Result<Judgement> {
    let cite = |(key, role): &(&str, CitationRole)| {
        let claim = ids::claim(&file.assertion(key)?.claim);
        let cites = Cited::Assertion(AssertionRef { claim, assertion: ids::assertion(key) });
        Ok(CitedWords { cites, role: *role, sha256: None, note: None })
    };
    let citations: anyhow::Result<Vec<CitedWords>> = verdict.cites.iter().map(cite).collect();
    let reason = |words: &str| words.to_owned().try_into().context(verdict.key);
    let likelihood = |term: &str| -> anyhow::Result<Likelihood> {
        Ok(Likelihood {
            scheme: Scheme::Icd203,
            version: "2022".to_owned().try_into()?,
            term: term.to_owned().try_into()?,
        })
    };
    Ok(Judgement {
        verdict: ids::verdict(verdict.key),
        outcome: verdict.outcome,
        likelihood: verdict.likely.map(likelihood).transpose()?,
        confidence: verdict.confidence,
        citations: citations?,
        text: VerdictText {
            justification: verdict.why.to_owned().try_into()?,
            assumptions: verdict.takes_for_granted.map(reason).transpose()?.into_iter().collect(),
            alternatives: vec![],
            would_settle: verdict.would_settle.map(reason).transpose()?,
        },
    })
}
