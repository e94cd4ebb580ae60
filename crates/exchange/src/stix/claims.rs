//! Claims: what is said, whoever says it; a claim taken out and in again goes on under a new id.

use assay_views::claims::{ClaimDoc, ClaimWithdrawal};
use assay_views::doc::Instant;
use serde_json::{Value, json};

use super::Version;
use super::frame::{Frame, Thing};
use super::{assertions, links, verdicts};

/// The claims of a case, each with its assertions and what reviewers said.
pub(super) fn all(frame: &Frame<'_>) -> Vec<Value> {
    let mut claims: Vec<_> = frame.claims.values().collect();
    claims.sort_by_key(|claim| (claim.doc.proposed.at, claim.doc.id));
    claims.into_iter().flat_map(|claim| of(frame, claim)).collect()
}

fn of(frame: &Frame<'_>, claim: &Version<ClaimDoc>) -> Vec<Value> {
    let doc = &claim.doc;
    let mut objects = Vec::new();
    let mut since = doc.proposed.at;
    for (withdrawal, again) in doc.withdrawals.iter().zip(0..) {
        let id = frame.claim(doc.id, again);
        objects.push(revoked(frame, doc, &id, since, withdrawal));
        objects.push(withdrawn(frame, claim, &id, again, withdrawal));
        if let Some(remark) = &withdrawal.reinstated {
            since = remark.at;
            let next = frame.claim(doc.id, again.saturating_add(1));
            let name = format!("reinstated/{}/{again}", doc.id);
            let said = json!({ "reinstated": remark });
            let between = (next.as_str(), "derived-from", id.as_str());
            objects.push(links::derived(frame, &name, remark.at, between, &said));
        }
    }
    if doc.withdrawals.last().is_none_or(|last| last.reinstated.is_some()) {
        let (id, changed) = (frame.claim_now(doc), frame.changed(claim.changed));
        let thing = Thing::new(frame, "assay-claim", &id, since, changed);
        objects.push(thing.with_all(content(frame, doc)).of_new_kind().done());
    }
    objects.extend(assertions::all(frame, claim));
    objects.extend(verdicts::all(frame, claim));
    objects
}

/// A claim that is out, for ever under this id: only what can never change, since a later claim may be
/// put more exactly. What it says stands in the note beside it.
fn revoked(
    frame: &Frame<'_>,
    doc: &ClaimDoc,
    id: &str,
    since: Instant,
    withdrawal: &ClaimWithdrawal,
) -> Value {
    Thing::new(frame, "assay-claim", id, since, withdrawal.said.at)
        .with("assay_id", doc.id)
        .with("claim_kind", doc.kind)
        .with("standing", "withdrawn")
        .revoked()
        .of_new_kind()
        .done()
}

/// Why a claim was taken out; while it is out, with everything it says.
fn withdrawn(
    frame: &Frame<'_>,
    claim: &Version<ClaimDoc>,
    id: &str,
    again: usize,
    withdrawal: &ClaimWithdrawal,
) -> Value {
    let ClaimWithdrawal { said, stood, reinstated } = withdrawal;
    let out = reinstated.is_none();
    let note = frame.id("note", &format!("withdrawn/{}/{again}", claim.doc.id));
    Thing::new(frame, "note", &note, said.at, frame.changed(claim.changed))
        .with("abstract", "This claim was withdrawn.")
        .with("content", said.reason.as_deref().unwrap_or("(no reason is known)"))
        .with("object_refs", [id])
        .extended(&json!({
            "withdrawn": said,
            "stood": stood,
            "reinstated": reinstated,
            "claim": out.then(|| content(frame, &claim.doc)),
        }))
        .done()
}

/// All that a claim says and where it stands, as properties.
fn content(frame: &Frame<'_>, doc: &ClaimDoc) -> Value {
    let current = doc.verdicts.iter().find(|verdict| Some(verdict.id) == doc.current_verdict);
    let mut content = json!(doc.proposition);
    let rest = json!({
        "assay_id": doc.id,
        "claim_kind": doc.kind,
        "standing": doc.standing,
        "quantity_flags": doc.quantity_flags,
        "erased": doc.erased,
        "import_flags": doc.flags,
        "proposed": doc.proposed,
        "refined": doc.refined,
        "contested": doc.contested,
        "stances": doc.stances,
        "reviews": doc.reviews,
        "verdict_ref": current.map(|verdict| verdicts::id(frame, doc, verdict)),
    });
    match (&mut content, rest) {
        (Value::Object(content), Value::Object(rest)) => content.extend(rest),
        (content, rest) => *content = rest,
    }
    content
}
