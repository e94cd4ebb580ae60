//! Words for the ids of a step, as things were called at that step.

use std::collections::BTreeSet;

use assay_domain::id::{CaseId, ClaimId, LinkId, ReportId, SourceId, UserId};
use assay_domain::report::Metadata;
use assay_views::cases;
use assay_views::claims::{self, AssertionDoc, ClaimDoc};
use assay_views::links::{self, LinkDoc};
use assay_views::reports::{self, ReportDoc};
use assay_views::sources::{self, SourceDoc};
use assay_views::steps::{Basis, Step};
use assay_views::users::{self, UserDoc};
use assay_views::{At, Document, Reader, Sight};
use serde_json::Value;
use uuid::Uuid;

use super::super::frame::Known;
use crate::words::{gist, holder, word};

/// So many ids of a step are looked up; what is named beyond them shows its bare id.
const NAMED_MAX: usize = 200;

/// Looks up what the ids of a step mean.
pub(super) fn names(reader: &Reader, sight: &Sight, step: &Step) -> anyhow::Result<Known> {
    let mut ids = BTreeSet::new();
    collect(&serde_json::to_value(step)?, &mut ids);
    let (at, mut known) = (At::Position(step.act.position), Known::default());
    known.learn(Uuid::nil(), "the house itself");
    for id in ids {
        if let Some(words) = meaning(reader, sight, at, id)? {
            known.learn(id, &words);
        }
    }
    for basis in &step.basis {
        if let Basis::Assertion { claim, assertion, .. } = basis
            && let Some(card) = read::<ClaimDoc>(claims::card(reader, sight, at, *claim)?)?
            && let Some(said) = card.assertions.iter().find(|one| one.id == *assertion)
        {
            known.learn(assertion.0, &voice(said));
        }
    }
    places(reader, sight, step, &mut known)?;
    Ok(known)
}

/// What stands where in the lists of the step's subject, as far as changes are inside of it.
fn places(reader: &Reader, sight: &Sight, step: &Step, known: &mut Known) -> anyhow::Result<()> {
    let at = At::Position(step.act.position);
    let Some(subject) = step.act.facts.first().map(|fact| &fact.subject) else { return Ok(()) };
    let id = subject.id;
    let found = match subject.kind.as_str() {
        "case" => cases::one(reader, sight, at, CaseId(id))?,
        "claim" => claims::card(reader, sight, at, ClaimId(id))?,
        "report" => reports::one(reader, sight, at, ReportId(id))?,
        _ => None,
    };
    let Some(found) = found else { return Ok(()) };
    if subject.kind == "claim" {
        let card: ClaimDoc = serde_json::from_str(&found.json)?;
        card.assertions.iter().for_each(|said| known.learn(said.id.0, &voice(said)));
    }
    let document: Value = serde_json::from_str(&found.json)?;
    for change in &step.changes {
        for (end, _) in change.path.match_indices('/').skip(2) {
            let Some(pointer) = change.path.get(..end) else { continue };
            let entry = document.pointer(pointer);
            let named = entry.and_then(|entry| entry.get("user").or_else(|| entry.get("id")));
            if let Some(id) = named.and_then(Value::as_str).and_then(|id| id.parse().ok()) {
                if let Some(words) = meaning(reader, sight, at, id)? {
                    known.learn(id, &words);
                }
                known.place(pointer, id);
            }
        }
    }
    Ok(())
}

/// Every id in a document, in its texts and nothing else, up to [`NAMED_MAX`].
fn collect(value: &Value, ids: &mut BTreeSet<Uuid>) {
    match value {
        Value::String(text) if ids.len() < NAMED_MAX => ids.extend(text.parse::<Uuid>()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

fn read<T: serde::de::DeserializeOwned>(found: Option<Document>) -> anyhow::Result<Option<T>> {
    Ok(found.map(|found| serde_json::from_str(&found.json)).transpose()?)
}

/// What an id means; ids are never of two things.
fn meaning(reader: &Reader, sight: &Sight, at: At, id: Uuid) -> anyhow::Result<Option<String>> {
    if let Some(user) = read::<UserDoc>(users::one(reader, sight, at, UserId(id))?)? {
        let name = user.profile.map(|profile| profile.display_name.as_str().to_owned());
        return Ok(Some(name.unwrap_or_else(|| "somebody forgotten".to_owned())));
    }
    if let Some(card) = read::<ClaimDoc>(claims::card(reader, sight, at, ClaimId(id))?)? {
        let said = card.proposition.as_ref().map_or_else(|| "(forgotten)".to_owned(), gist);
        return Ok(Some(format!("claim “{said}”")));
    }
    if let Some(report) = read::<ReportDoc>(reports::one(reader, sight, at, ReportId(id))?)? {
        return Ok(Some(of_report(&report)));
    }
    if let Some(link) = read::<LinkDoc>(links::one(reader, sight, at, LinkId(id))?)? {
        return Ok(Some(format!("link, {}", word(&link.kind))));
    }
    if let Some(source) = read::<SourceDoc>(sources::one(reader, sight, at, SourceId(id))?)? {
        let name = source.names.into_iter().next();
        let name = name.unwrap_or_else(|| "(forgotten)".to_owned());
        return Ok(Some(format!("source “{name}”")));
    }
    Ok(None)
}

fn of_report(report: &ReportDoc) -> String {
    let title = report.metadata.iter().find_map(|known| match &known.metadata {
        Some(Metadata::Title(title)) => Some(format!(" “{}”", title.as_str())),
        _ => None,
    });
    format!("report, {}{}", word(&report.kind), title.unwrap_or_default())
}

/// "the army: denies"
fn voice(said: &AssertionDoc) -> String {
    let who = said.holder.as_ref().map_or_else(|| "(forgotten)".to_owned(), holder);
    format!("{who}: {}", word(&said.stance))
}
