//! Verdicts and dissents: opinions where there is a step to take, notes where there is none.

use assay_domain::claim::{Cited, VerdictText};
use assay_views::claims::{ClaimDoc, Dissent, Superseded, VerdictDoc};
use assay_views::doc::Instant;
use serde_json::{Value, json};

use super::Version;
use super::frame::{Frame, Thing, hyphened};
use super::links;
use super::scale::{of_confidence, of_dissent, of_outcome};

const NO_WORDS: &str = "(its words were erased)";

/// The verdicts of a claim, each with its dissents and how it follows the one before.
pub(super) fn all(frame: &Frame<'_>, claim: &Version<ClaimDoc>) -> Vec<Value> {
    let verdicts = claim.doc.verdicts.iter();
    verdicts.flat_map(|verdict| with_dissents(frame, claim, verdict)).collect()
}

/// A verdict, an opinion or a note by what it says, which never changes.
pub(super) fn id(frame: &Frame<'_>, doc: &ClaimDoc, verdict: &VerdictDoc) -> String {
    let kind = kind(of_outcome(verdict.outcome));
    frame.id(kind, &format!("verdict/{}/{}", doc.id, verdict.id))
}

const fn kind(step: Option<&str>) -> &'static str {
    if step.is_some() { "opinion" } else { "note" }
}

fn with_dissents(frame: &Frame<'_>, claim: &Version<ClaimDoc>, verdict: &VerdictDoc) -> Vec<Value> {
    let mut objects = vec![of(frame, claim, verdict)];
    let dissents = verdict.dissents.iter().zip(0_usize..);
    objects.extend(dissents.map(|(one, at)| dissent(frame, &claim.doc, verdict, (one, at))));
    let later = |superseded: &Superseded| {
        claim.doc.verdicts.iter().find(|known| known.id == superseded.verdict)
    };
    if let Some(superseded) = &verdict.superseded
        && let Some(later) = later(superseded)
    {
        let between =
            (&*id(frame, &claim.doc, later), "supersedes", &*id(frame, &claim.doc, verdict));
        let name = format!("superseded/{}/{}", claim.doc.id, verdict.id);
        let said = json!({ "change": superseded.change, "superseded": superseded.said });
        objects.push(links::derived(frame, &name, superseded.said.at, between, &said));
    }
    objects
}

fn of(frame: &Frame<'_>, claim: &Version<ClaimDoc>, verdict: &VerdictDoc) -> Value {
    let (doc, step) = (&claim.doc, of_outcome(verdict.outcome));
    let until = verdict.superseded.as_ref().map(|superseded| superseded.said.at);
    let modified = until.unwrap_or_else(|| frame.changed(claim.changed));
    let about = until.map_or_else(|| frame.claim_now(doc), |until| frame.claim_at(doc, until));
    let id = id(frame, doc, verdict);
    let words = verdict.text.as_ref().map(|text| text.justification.as_str());
    let thing = Thing::new(frame, kind(step), &id, verdict.issued.at, modified)
        .with("object_refs", [about])
        .with("confidence", of_confidence(verdict.confidence));
    let title = format!("Verdict: {}", hyphened(verdict.outcome).replace('-', " "));
    let thing = spoken(thing, step, &title, words.unwrap_or(NO_WORDS));
    let thing = thing.extended(&extension(frame, verdict, until));
    if until.is_some() { thing.revoked().done() } else { thing.done() }
}

/// What an opinion or a note says, each in its own properties.
fn spoken(thing: Thing, step: Option<&str>, title: &str, words: &str) -> Thing {
    match step {
        Some(step) => thing.with("opinion", step).with("explanation", words),
        None => thing.with("abstract", title).with("content", words),
    }
}

fn extension(frame: &Frame<'_>, verdict: &VerdictDoc, until: Option<Instant>) -> Value {
    let text = verdict.text.as_ref().map(|text| {
        let VerdictText { justification: _, assumptions, alternatives, would_settle } = text;
        json!({
            "assumptions": assumptions,
            "alternatives": alternatives,
            "would_settle": would_settle,
        })
    });
    let cited = verdict.cites.iter().filter_map(|cited| match cited {
        Cited::Assertion(one) => frame.assertion_if_here(one.claim, one.assertion),
        Cited::Report(report) => frame.report(*report),
    });
    // A verdict that was replaced reads for ever as it did then.
    let then = verdict.basis_changed.iter();
    let changed: Vec<_> =
        then.filter(|change| until.is_none_or(|until| change.said.at <= until)).collect();
    json!({
        "assay_id": verdict.id,
        "says": "verdict",
        "outcome": verdict.outcome,
        "likelihood": verdict.likelihood,
        "confidence_term": verdict.confidence,
        "cited_refs": cited.collect::<Vec<String>>(),
        "cites": verdict.cites,
        "citations": verdict.citations,
        "text": text,
        "erased": verdict.erased,
        "basis": verdict.basis,
        "issued": verdict.issued,
        "stale": !changed.is_empty(),
        "basis_changed": changed,
        "superseded": verdict.superseded,
    })
}

/// Somebody sees a verdict otherwise: an opinion about that opinion.
fn dissent(
    frame: &Frame<'_>,
    doc: &ClaimDoc,
    verdict: &VerdictDoc,
    (one, at): (&Dissent, usize),
) -> Value {
    let step = of_dissent(one.opinion);
    let name = format!("dissent/{}/{}/{at}", doc.id, verdict.id);
    let own = frame.id(kind(step), &name);
    let thing = Thing::new(frame, kind(step), &own, one.said.at, frame.changed(one.said.at))
        .with("object_refs", [id(frame, doc, verdict)]);
    spoken(thing, step, "Dissent", one.said.reason.as_deref().unwrap_or(NO_WORDS))
        .extended(&json!({ "says": "dissent", "step": one.opinion, "said": one.said }))
        .done()
}
