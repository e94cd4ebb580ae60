//! Reports: what was published, when as far as is known, and what was read in it.

use assay_domain::report::Metadata;
use assay_views::doc::Instant;
use assay_views::reports::{Basis, ReportDoc};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Version;
use super::frame::{Frame, Thing, external, hyphened};

/// When a report was published, as STIX wants it, and how that is known.
struct Published {
    at: Instant,
    basis: &'static str,
}

/// The reports of a case.
pub(super) fn all(frame: &Frame<'_>) -> Vec<Value> {
    let mut reports: Vec<_> = frame.snapshot.reports.iter().collect();
    reports.sort_by_key(|report| (report.doc.filed.at, report.doc.id));
    reports.into_iter().map(|report| of(frame, report)).collect()
}

fn of(frame: &Frame<'_>, report: &Version<ReportDoc>) -> Value {
    let doc = &report.doc;
    let until = doc.withdrawn.as_ref().map(|withdrawal| withdrawal.said.at);
    let (assertions, last_read) = read_in(frame, doc, until);
    let modified = until.unwrap_or_else(|| frame.changed(report.changed.max(last_read)));
    let (title, address) = title_and_address(doc);
    let untitled = || format!("Untitled report ({})", hyphened(doc.kind));
    let name = title.map_or_else(untitled, str::to_owned);
    let dated = published(doc);
    let id = frame.id("report", &doc.id.to_string());
    let publisher = doc.publisher.and_then(|source| frame.source(source));
    let mut refs: Vec<String> = publisher.iter().cloned().chain(assertions).collect();
    if refs.is_empty() {
        // Nothing was read in it yet, and STIX wants at least one reference.
        refs.push(frame.team().to_owned());
    }
    let thing = Thing::new(frame, "report", &id, doc.filed.at, modified)
        .with("name", &name)
        .with("published", dated.at)
        .with("object_refs", refs)
        .with("external_references", external(&name, address))
        .extended(&json!({
            "assay_id": doc.id,
            "report_kind": doc.kind,
            "published_basis": dated.basis,
            "publisher_ref": publisher,
            "publisher_id": doc.publisher,
            "filed": doc.filed,
            "metadata": doc.metadata,
            "renditions": doc.renditions,
            "no_claim": doc.no_claim,
            "import_flags": doc.flags,
            "withdrawn": doc.withdrawn,
        }));
    if until.is_some() { thing.revoked().done() } else { thing.done() }
}

/// The assertions read in a report until it was withdrawn, and when the last of their claims changed.
fn read_in(frame: &Frame<'_>, doc: &ReportDoc, until: Option<Instant>) -> (Vec<String>, Instant) {
    let mut changed = doc.filed.at;
    let mut found = Vec::new();
    for claim in frame.claims.values() {
        for assertion in claim.doc.assertions.iter().filter(|known| known.report == doc.id) {
            if until.is_none_or(|until| assertion.recorded.at <= until) {
                let name = frame.assertion(claim.doc.id, assertion.id);
                found.push((assertion.recorded.at, name));
                changed = changed.max(claim.changed);
            }
        }
    }
    found.sort();
    (found.into_iter().map(|(_, id)| id).collect(), changed)
}

fn title_and_address(doc: &ReportDoc) -> (Option<&str>, Option<&str>) {
    let (mut title, mut address) = (None, None);
    for known in doc.metadata.iter().filter_map(|known| known.metadata.as_ref()) {
        match known {
            Metadata::Title(words) => title = Some(words.as_str()),
            Metadata::Url(words) => address = Some(words.as_str()),
            Metadata::Published(_)
            | Metadata::Language(_)
            | Metadata::Author(_)
            | Metadata::Publisher(_) => (),
        }
    }
    (title, address)
}

/// Midnight (UTC) of the earliest day it can have been published; when it was filed, where none is known.
fn published(doc: &ReportDoc) -> Published {
    let stated = doc.metadata.iter().find_map(|known| match &known.metadata {
        Some(Metadata::Published(time)) => Some((time, known.how)),
        _ => None,
    });
    let found = stated.and_then(|(time, how)| {
        let bounds =
            time.bounds.or_else(|| time.edtf.as_ref().map(assay_domain::value::Edtf::bounds))?;
        let basis = match how {
            Basis::Stated => "stated",
            Basis::Inferred => "inferred",
            Basis::Corrected => "corrected",
        };
        Some(Published { at: midnight(bounds.earliest.day()?)?, basis })
    });
    found.unwrap_or(Published { at: doc.filed.at, basis: "recorded" })
}

/// Midnight of a day in UTC; nothing before the year 0, which timestamps do not write.
fn midnight(day: Date) -> Option<Instant> {
    let zoned = (day.year() >= 0).then(|| day.to_zoned(TimeZone::UTC).ok())??;
    Some(Instant(zoned.timestamp()))
}
