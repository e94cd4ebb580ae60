//! Links: how claims and assertions stand to each other, and what follows what.

use assay_views::claims::LinkStanding;
use assay_views::doc::Instant;
use assay_views::links::LinkDoc;
use serde_json::{Value, json};

use super::Version;
use super::frame::{Frame, Thing, hyphened};

/// The links of a case, and the ids of those whose ends are not in the snapshot.
pub(super) fn all(frame: &Frame<'_>) -> (Vec<Value>, Vec<String>) {
    let mut links: Vec<_> = frame.snapshot.links.iter().collect();
    links.sort_by_key(|link| (link.doc.proposed.at, link.doc.id));
    let (mut objects, mut left_out) = (Vec::new(), Vec::new());
    for link in links {
        match of(frame, link) {
            Some(object) => objects.push(object),
            None => left_out.push(link.doc.id.to_string()),
        }
    }
    (objects, left_out)
}

fn of(frame: &Frame<'_>, link: &Version<LinkDoc>) -> Option<Value> {
    let doc = &link.doc;
    let until = revoked_at(doc);
    let as_of = until.unwrap_or(frame.snapshot.as_of.recorded_at);
    let (from, to) = (frame.end(doc.from, as_of)?, frame.end(doc.to, as_of)?);
    let ends = [doc.from.claim, doc.to.claim];
    let claims = ends.iter().filter_map(|end| frame.claims.get(end)).map(|claim| claim.changed);
    let last = claims.fold(link.changed, Instant::max);
    let modified = until.unwrap_or_else(|| frame.changed(last));
    let id = frame.id("relationship", &format!("link/{}", doc.id));
    let thing = Thing::new(frame, "relationship", &id, doc.proposed.at, modified)
        .with("relationship_type", hyphened(doc.kind))
        .with("description", &doc.rationale)
        .with("source_ref", from)
        .with("target_ref", to)
        .extended(&json!({
            "assay_id": doc.id,
            "standing": doc.standing,
            "symmetric": doc.symmetric,
            "tentative": doc.tentative,
            "erased": doc.erased,
            "proposed": doc.proposed,
            "decided": doc.decided,
            "withdrawn": doc.withdrawn,
            // Who is on which side goes on changing when the link no longer does.
            "same_side": until.is_none().then_some(doc.same_side),
        }));
    Some(if until.is_some() { thing.revoked().done() } else { thing.done() })
}

/// Since when a link no longer holds.
fn revoked_at(doc: &LinkDoc) -> Option<Instant> {
    let said = match doc.standing {
        LinkStanding::Proposed | LinkStanding::Confirmed => None,
        LinkStanding::Rejected => doc.decided.as_ref(),
        LinkStanding::Withdrawn => doc.withdrawn.as_ref(),
    };
    said.map(|said| said.at)
}

/// A relation that follows from what became of a thing.
pub(super) fn derived(
    frame: &Frame<'_>,
    name: &str,
    since: Instant,
    (from, kind, to): (&str, &str, &str),
    said: &Value,
) -> Value {
    let id = frame.id("relationship", name);
    Thing::new(frame, "relationship", &id, since, frame.changed(since))
        .with("relationship_type", kind)
        .with("source_ref", from)
        .with("target_ref", to)
        .extended(said)
        .done()
}
