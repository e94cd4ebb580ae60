//! Who: the team of the case, sources, and holders with a name, each where the name stands.

use assay_domain::source::SourceKind;
use assay_domain::value::{ChainLink, Holder};
use assay_views::claims::{AssertionDoc, ClaimDoc};
use assay_views::sources::SourceDoc;
use serde_json::{Value, json};

use super::Version;
use super::frame::{Frame, Thing, external};

/// The team and the sources of a case.
pub(super) fn all(frame: &Frame<'_>) -> Vec<Value> {
    let sources = frame.sources.values().map(|source| of_source(frame, source));
    std::iter::once(team(frame)).chain(sources).collect()
}

/// Who made all of it; persons stand by their ids where they did something.
fn team(frame: &Frame<'_>) -> Value {
    let case = &frame.snapshot.case;
    let changed = frame.changed(case.changed);
    Thing::new(frame, "identity", frame.team(), case.doc.opened.at, changed)
        .with("name", format!("Investigators of case {}", case.doc.id))
        .with("identity_class", "group")
        .done()
}

fn of_source(frame: &Frame<'_>, source: &Version<SourceDoc>) -> Value {
    let doc = &source.doc;
    let class = match doc.kind {
        SourceKind::Outlet | SourceKind::Organisation => "organization",
        SourceKind::Person => "individual",
        SourceKind::Account | SourceKind::Dataset | SourceKind::Other => "unknown",
    };
    let id = frame.id("identity", &format!("source/{}", doc.id));
    let name = doc.names.first().map_or("(no name is known)", String::as_str);
    Thing::new(frame, "identity", &id, doc.registered.at, frame.changed(source.changed))
        .with("name", name)
        .with("description", &doc.description)
        .with("identity_class", class)
        .with("external_references", external(name, doc.url.as_deref()))
        .extended(&json!({
            "assay_id": doc.id,
            "source_kind": doc.kind,
            "names": doc.names,
            "language": doc.language,
            "erased": doc.erased,
            "flags": doc.flags,
            "registered": doc.registered,
        }))
        .done()
}

/// The holders with a name in an assertion's chain, each an identity of its own.
///
/// A name in two places may be two bodies, and the hash of a name would tell it: so the id is of the place.
pub(super) fn of_holders(
    frame: &Frame<'_>,
    claim: &Version<ClaimDoc>,
    assertion: &AssertionDoc,
) -> Vec<Value> {
    let Some(content) = &assertion.content else { return Vec::new() };
    let since = assertion.reattributed.last().map_or(assertion.recorded.at, |remark| remark.at);
    let named = content.chain.links().enumerate().filter_map(|(at, link)| {
        let (class, name) = match &link.holder {
            Holder::Named { name } => ("individual", name),
            Holder::Group { name } => ("group", name),
            Holder::Narrator
            | Holder::Source { .. }
            | Holder::Unnamed { .. }
            | Holder::Unrecoverable { .. } => return None,
        };
        let id = named_id(frame, &claim.doc, assertion, at);
        let changed = frame.changed(since);
        let thing = Thing::new(frame, "identity", &id, since, changed)
            .with("name", name)
            .with("identity_class", class)
            .extended(&json!({ "named_in": frame.assertion(claim.doc.id, assertion.id) }));
        Some(thing.done())
    });
    named.collect()
}

/// The identity of a link of a chain, where it has one.
pub(super) fn of_link(
    frame: &Frame<'_>,
    claim: &ClaimDoc,
    assertion: &AssertionDoc,
    (at, link): (usize, &ChainLink),
) -> Option<String> {
    match &link.holder {
        Holder::Source { source } => frame.source(*source),
        Holder::Named { .. } | Holder::Group { .. } => Some(named_id(frame, claim, assertion, at)),
        Holder::Narrator | Holder::Unnamed { .. } | Holder::Unrecoverable { .. } => None,
    }
}

fn named_id(frame: &Frame<'_>, claim: &ClaimDoc, assertion: &AssertionDoc, at: usize) -> String {
    let again = assertion.reattributed.len();
    frame.id("identity", &format!("holder/{}/{}/{again}/{at}", claim.id, assertion.id))
}
