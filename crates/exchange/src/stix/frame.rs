//! What every object has: an id derived from ours, when it was made and last changed, who made it, its marking.

use std::collections::{BTreeMap, BTreeSet};

use assay_domain::id::{AssertionId, ClaimId, ReportId, SourceId};
use assay_domain::link::End;
use assay_views::claims::ClaimDoc;
use assay_views::doc::Instant;
use assay_views::sources::SourceDoc;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::marking::{EXTENSION, tlp_id};
use super::{Snapshot, Version};

/// The namespace of all ids made here (UUID v5; ours are v7, which the schemas do not take).
const NAMESPACE: Uuid = Uuid::from_u128(0xed15_e33e_32ab_46d7_8d78_0b36_2237_9f33);
/// The namespaces of two cases differ, so that a source in both is two objects, each with its marking.
fn space(case: Uuid) -> Uuid {
    Uuid::new_v5(&NAMESPACE, case.as_bytes())
}

/// A snapshot with what is looked up in it.
pub(super) struct Frame<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) claims: BTreeMap<ClaimId, &'a Version<ClaimDoc>>,
    pub(super) sources: BTreeMap<SourceId, &'a Version<SourceDoc>>,
    reports: BTreeSet<ReportId>,
    space: Uuid,
    team: String,
    marking: String,
}

impl<'a> Frame<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let case = &snapshot.case.doc;
        let mut frame = Self {
            snapshot,
            claims: snapshot.claims.iter().map(|claim| (claim.doc.id, claim)).collect(),
            sources: snapshot.sources.iter().map(|source| (source.doc.id, source)).collect(),
            reports: snapshot.reports.iter().map(|report| report.doc.id).collect(),
            space: space(case.id.0),
            team: String::new(),
            marking: tlp_id(case.marking),
        };
        frame.team = frame.id("identity", "team");
        frame
    }

    /// An id of this case: the type, and a UUID v5 of type and name.
    pub(super) fn id(&self, kind: &str, name: &str) -> String {
        format!("{kind}--{}", Uuid::new_v5(&self.space, format!("{kind}/{name}").as_bytes()))
    }

    /// The team of the case, which made all of its objects.
    pub(super) fn team(&self) -> &str {
        &self.team
    }

    /// When a version of something came to be: also a new marking of the case is a new version.
    pub(super) fn changed(&self, own: Instant) -> Instant {
        own.max(self.snapshot.case.changed)
    }

    /// A claim after it was taken in again so many times: what is revoked is so for ever.
    pub(super) fn claim(&self, claim: ClaimId, again: usize) -> String {
        match again {
            0 => self.id("assay-claim", &claim.to_string()),
            again => self.id("assay-claim", &format!("{claim}/{again}")),
        }
    }

    /// A claim under the id it had at an instant.
    pub(super) fn claim_at(&self, claim: &ClaimDoc, instant: Instant) -> String {
        self.claim(claim.id, times_reinstated(claim, instant))
    }

    /// A claim under the id it has now.
    pub(super) fn claim_now(&self, claim: &ClaimDoc) -> String {
        self.claim_at(claim, self.snapshot.as_of.recorded_at)
    }

    pub(super) fn assertion(&self, claim: ClaimId, assertion: AssertionId) -> String {
        self.id("assay-assertion", &format!("{claim}/{assertion}"))
    }

    /// An assertion, where it is in the snapshot.
    pub(super) fn assertion_if_here(
        &self,
        claim: ClaimId,
        assertion: AssertionId,
    ) -> Option<String> {
        let claim = self.claims.get(&claim)?;
        let here = claim.doc.assertions.iter().any(|known| known.id == assertion);
        here.then(|| self.assertion(claim.doc.id, assertion))
    }

    /// One end of a link at an instant, where it is in the snapshot.
    pub(super) fn end(&self, end: End, instant: Instant) -> Option<String> {
        match end.assertion {
            Some(assertion) => self.assertion_if_here(end.claim, assertion),
            None => Some(self.claim_at(&self.claims.get(&end.claim)?.doc, instant)),
        }
    }

    /// A report, where it is in the snapshot.
    pub(super) fn report(&self, report: ReportId) -> Option<String> {
        self.reports.contains(&report).then(|| self.id("report", &report.to_string()))
    }

    /// A source, where it is in the snapshot.
    pub(super) fn source(&self, source: SourceId) -> Option<String> {
        self.sources.contains_key(&source).then(|| self.id("identity", &format!("source/{source}")))
    }
}

/// How often a claim had been taken in again at an instant.
pub(super) fn times_reinstated(claim: &ClaimDoc, instant: Instant) -> usize {
    let again = claim.withdrawals.iter().filter_map(|one| one.reinstated.as_ref());
    again.filter(|remark| remark.at <= instant).count()
}

/// One STIX object while it is put together.
pub(super) struct Thing(Map<String, Value>);

impl Thing {
    /// What all objects of a case have.
    pub(super) fn new(
        frame: &Frame<'_>,
        kind: &str,
        id: &str,
        created: Instant,
        modified: Instant,
    ) -> Self {
        Self(Map::new())
            .with("type", kind)
            .with("spec_version", "2.1")
            .with("id", id)
            .with("created", created)
            .with("modified", modified.max(created))
            .with("created_by_ref", frame.team())
            .with("object_marking_refs", [&frame.marking])
    }

    /// With a property; with none where there is nothing to say, since STIX has no null and no empty list.
    pub(super) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Some(value) = said(json!(value)) {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// With all properties of an object.
    pub(super) fn with_all(self, properties: Value) -> Self {
        let Value::Object(properties) = properties else { return self };
        properties.into_iter().fold(self, |thing, (name, value)| thing.with(&name, value))
    }

    /// No longer valid, for ever.
    pub(super) fn revoked(self) -> Self {
        self.with("revoked", true)
    }

    /// With what STIX has no property for.
    pub(super) fn extended(self, properties: &Value) -> Self {
        let mut own = json!({ "extension_type": "property-extension" });
        if let (Value::Object(own), Value::Object(properties)) = (&mut own, properties) {
            own.extend(properties.clone());
        }
        self.with("extensions", json!({ EXTENSION: own }))
    }

    /// Of a kind that STIX does not have.
    pub(super) fn of_new_kind(self) -> Self {
        self.with("extensions", json!({ EXTENSION: { "extension_type": "new-sdo" } }))
    }

    pub(super) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// A value without nulls, empty lists and empty objects; nothing where nothing is left.
fn said(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(said).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(fields) => {
            let said = fields.into_iter().filter_map(|(name, value)| Some((name, said(value)?)));
            let fields: Map<String, Value> = said.collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value),
    }
}

/// The word serde writes for a value, with hyphens, as STIX vocabularies have them.
pub(super) fn hyphened(value: impl Serialize) -> String {
    json!(value).as_str().unwrap_or_default().replace('_', "-")
}

/// A reference outside STIX; an address that is no URI is kept in words.
pub(super) fn external(name: &str, address: Option<&str>) -> Value {
    const NOT_IN_URIS: &str = "<>\"{}|\\^`";
    let Some(address) = address else { return Value::Null };
    let web = address.starts_with("https://") || address.starts_with("http://");
    let plain = |c: char| c.is_ascii_graphic() && !NOT_IN_URIS.contains(c);
    let property = if web && address.chars().all(plain) { "url" } else { "description" };
    json!([{ "source_name": name, property: address }])
}
