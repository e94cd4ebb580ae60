//! A case as a STIX 2.1 bundle: the same documents give the same bytes for ever.
//!
//! Read in this order: [`Snapshot`] (what goes in), `frame` (ids, versions and what every object has),
//! `marking` (TLP 2.0 and our one extension), `scale` (words to the numbers STIX has), then one module
//! a kind of object: `identities`, `reports`, `claims`, `assertions`, `verdicts`, `links`.
//!
//! **Invariant**: what stands under one `id` and `modified` never changes. It holds for snapshots that
//! take in all that was recorded up to an instant ([`Snapshot::as_of`]). `FORMATS.md` has the mapping.

mod assertions;
mod claims;
mod frame;
mod identities;
mod links;
pub mod marking;
mod reports;
pub mod scale;
mod verdicts;

use assay_views::cases::CaseDoc;
use assay_views::claims::ClaimDoc;
use assay_views::doc::Instant;
use assay_views::links::LinkDoc;
use assay_views::reports::ReportDoc;
use assay_views::sources::SourceDoc;
use serde_json::{Value, json};

use frame::{Frame, Thing};

/// The media type of a bundle.
pub const MEDIA_TYPE: &str = "application/stix+json;version=2.1";

/// A document, and when it came to read like this.
#[derive(Clone, Debug, PartialEq)]
pub struct Version<T> {
    /// When the fact was recorded since which it reads like this.
    pub changed: Instant,
    /// The document.
    pub doc: T,
}

/// The moment a snapshot is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The last position of the log that is in it.
    pub position: u64,
    /// When that was recorded.
    pub recorded_at: Instant,
}

/// Everything of a case at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The case.
    pub case: Version<CaseDoc>,
    /// Its reports, also those withdrawn.
    pub reports: Vec<Version<ReportDoc>>,
    /// Its claims, also those withdrawn.
    pub claims: Vec<Version<ClaimDoc>>,
    /// The sources that published or said something in it.
    pub sources: Vec<Version<SourceDoc>>,
    /// Its links, also those rejected and withdrawn.
    pub links: Vec<Version<LinkDoc>>,
    /// The moment: the last position that was recorded at its instant, so that no fact of the same
    /// microsecond is left out.
    pub as_of: AsOf,
}

/// The bundle of a snapshot, whatever the order of its lists.
pub fn bundle(snapshot: &Snapshot) -> Value {
    let frame = Frame::of(snapshot);
    let mut all = marking::objects(snapshot.case.doc.marking);
    let mut shared = identities::all(&frame);
    shared.extend(reports::all(&frame));
    shared.extend(claims::all(&frame));
    let (links, left_out) = links::all(&frame);
    shared.extend(links);
    all.push(grouping(&frame, &shared, &left_out));
    all.extend(shared);
    let id = frame.id("bundle", &snapshot.as_of.position.to_string());
    let mut bundle = json!({ "type": "bundle", "id": id, "objects": all });
    // Whether maps keep the order they were filled in is a choice of some other crate's features.
    bundle.sort_all_objects();
    bundle
}

/// The case itself, as of one moment; each moment is an object of its own.
fn grouping(frame: &Frame<'_>, shared: &[Value], left_out: &[String]) -> Value {
    let (case, as_of) = (&frame.snapshot.case.doc, frame.snapshot.as_of);
    let refs: Vec<&Value> = shared.iter().filter_map(|object| object.get("id")).collect();
    let id = frame.id("grouping", &as_of.position.to_string());
    Thing::new(frame, "grouping", &id, as_of.recorded_at, as_of.recorded_at)
        .with("name", &case.title)
        .with("description", &case.mandate)
        .with("context", "unspecified")
        .with("object_refs", refs)
        .extended(&json!({
            "assay_id": case.id,
            "as_of": { "position": as_of.position, "recorded_at": as_of.recorded_at },
            "erased": case.erased,
            "opened": case.opened,
            "closed": case.closed,
            "reopened": case.reopened,
            "links_left_out": left_out,
        }))
        .done()
}
