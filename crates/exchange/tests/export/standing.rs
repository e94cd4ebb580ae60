//! What was taken back stays revoked, and what came back came back as something else.

use assay_domain::claim::{Change, Outcome};
use assay_domain::id::{LinkId, SourceId, UserId, VerdictId};
use assay_domain::report::WithdrawalReason;
use assay_domain::source::SourceKind;
use assay_exchange::stix::{Snapshot, Version, bundle};
use assay_views::claims::{
    AssertionGone, ClaimWithdrawal, Dissent, LinkStanding, Standing, Superseded,
};
use assay_views::doc::{Deed, Instant, Remark};
use assay_views::reports::ReportWithdrawal;
use assay_views::sources::SourceDoc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::demo::{HEAD, card, demo, later};
use super::{by_id, claim, extension, of_type};

/// The claim that is withdrawn and taken in again.
const AGAIN: &str = "Rebels retake 16";
/// The claim that is withdrawn.
const OUT: &str = "Russia bombed";

/// Somebody.
pub(crate) fn who() -> UserId {
    Uuid::from_u128(7).into()
}

pub(crate) fn remark(at: Instant, reason: &str) -> Remark {
    Remark { by: who(), at, reason: Some(reason.to_owned()), erased: false }
}

/// The demo after a made-up day on which nearly everything is taken back.
pub(crate) fn eventful() -> Snapshot {
    let mut snapshot = demo(HEAD);
    let withdrawn = |at, reinstated| {
        let said = remark(at, "it was misread");
        ClaimWithdrawal { said, stood: Standing::Proposed, reinstated }
    };
    let again = card(&mut snapshot, AGAIN);
    again.changed = later(2);
    again.doc.withdrawals = vec![withdrawn(later(1), Some(remark(later(2), "it was not")))];
    let out = card(&mut snapshot, OUT);
    out.changed = later(3);
    out.doc.standing = Standing::Withdrawn;
    out.doc.withdrawals = vec![withdrawn(later(3), None)];
    let assertion = &mut out.doc.assertions[0];
    let why = assay_domain::claim::AssertionWithdrawal::Misread;
    assertion.withdrawn = Some(AssertionGone { why, said: remark(later(3), "so was this") });
    supersede(&mut snapshot);
    let links = &mut snapshot.links;
    links[0].doc.standing = LinkStanding::Rejected;
    links[0].doc.decided = Some(remark(later(4), "no"));
    links[1].doc.standing = LinkStanding::Withdrawn;
    links[1].doc.withdrawn = Some(remark(later(4), "not any more"));
    links.iter_mut().take(2).for_each(|link| link.changed = later(4));
    report_and_source(&mut snapshot);
    snapshot.as_of.position += 20;
    snapshot.as_of.recorded_at = later(9);
    snapshot
}

/// A verdict is replaced by another, with which somebody disagrees.
fn supersede(snapshot: &mut Snapshot) {
    let judged = |claim: &&mut Version<_>| {
        let claim: &assay_views::claims::ClaimDoc = &claim.doc;
        matches!(claim.verdicts.as_slice(), [only] if only.outcome == Outcome::Supported)
    };
    let claim = snapshot.claims.iter_mut().find(judged).unwrap();
    claim.changed = later(6);
    let mut second = claim.doc.verdicts[0].clone();
    second.id = VerdictId(Uuid::from_u128(8));
    second.outcome = Outcome::NotEnoughEvidence;
    second.issued = Deed { by: who(), at: later(5) };
    let dissent = |opinion, at| Dissent { opinion, said: remark(at, "I see it otherwise") };
    second.dissents = vec![dissent(1, later(5)), dissent(5, later(6))];
    second.basis_changed.clear();
    let said = remark(later(5), "new films");
    claim.doc.verdicts[0].superseded =
        Some(Superseded { verdict: second.id, change: Change::Weakened, said });
    claim.doc.current_verdict = Some(second.id);
    claim.doc.verdicts.push(second);
}

/// A second report, withdrawn, and a source with an address that is none.
fn report_and_source(snapshot: &mut Snapshot) {
    let mut report = snapshot.reports[0].clone();
    report.doc.id = Uuid::from_u128(9).into();
    report.doc.metadata.clear();
    report.changed = later(7);
    report.doc.withdrawn = Some(ReportWithdrawal {
        why: WithdrawalReason::OutOfScope,
        duplicate_of: None,
        said: remark(later(7), "another war"),
    });
    snapshot.reports.push(report);
    let doc = SourceDoc {
        id: SourceId(Uuid::from_u128(10)),
        kind: SourceKind::Account,
        names: Vec::new(),
        url: Some("somewhere on the web".to_owned()),
        language: None,
        description: None,
        erased: true,
        flags: Vec::new(),
        registered: Deed { by: who(), at: later(1) },
    };
    snapshot.sources.push(Version { changed: later(1), doc });
}

#[test]
fn a_claim_taken_in_again_goes_on_under_a_new_id() {
    let (before, after) = (bundle(&demo(HEAD)), bundle(&eventful()));
    let (old, new) = (claim(&before, AGAIN), claim(&after, AGAIN));
    assert_ne!(old["id"], new["id"]);
    assert_eq!(old["assay_id"], new["assay_id"]);
    assert_eq!(new["created"], "2018-02-01T02:00:00.000000Z");
    let gone = by_id(&after, &old["id"]);
    assert_eq!((&gone["revoked"], &gone["gist"]), (&json!(true), &Value::Null));
    assert_eq!(gone["modified"], "2018-02-01T01:00:00.000000Z");
    let derived: Vec<_> = of_type(&after, "relationship")
        .into_iter()
        .filter(|object| object["relationship_type"] == "derived-from")
        .collect();
    assert_eq!(derived.len(), 1);
    assert_eq!((&derived[0]["source_ref"], &derived[0]["target_ref"]), (&new["id"], &old["id"]));
    // Whoever said it says it of the claim as it is now.
    let said = of_type(&after, "assay-assertion");
    assert!(said.iter().any(|one| one["claim_ref"] == new["id"]));
    assert!(said.iter().all(|one| one["claim_ref"] != old["id"]));
}

#[test]
fn a_withdrawn_claim_is_revoked_and_what_it_says_stands_in_a_note() {
    let (before, after) = (bundle(&demo(HEAD)), bundle(&eventful()));
    let old = claim(&before, OUT);
    assert_eq!(by_id(&after, &old["id"])["revoked"], true);
    let note = of_type(&after, "note").into_iter().find(|note| {
        note["object_refs"] == json!([old["id"]]) && note["content"] == "it was misread"
    });
    let note = extension(note.unwrap());
    assert_eq!(note["claim"]["gist"], old["gist"]);
    assert_eq!(note["withdrawn"]["at"], "2018-02-01T03:00:00.000000Z");
}

#[test]
fn an_assertion_a_link_and_a_report_that_were_taken_back_are_revoked_and_say_what_they_said() {
    let after = bundle(&eventful());
    let revoked = |kind: &str| -> Vec<&Value> {
        let all = of_type(&after, kind).into_iter();
        all.filter(|object| object["revoked"] == true).collect()
    };
    let assertions = revoked("assay-assertion");
    assert_eq!(assertions.len(), 1);
    assert_eq!(assertions[0]["withdrawn"]["why"], "misread");
    assert!(assertions[0]["chain"].is_array());
    let links = revoked("relationship");
    let standings: Vec<&Value> = links.iter().map(|link| &extension(link)["standing"]).collect();
    assert_eq!(standings, ["rejected", "withdrawn"]);
    assert!(links.iter().all(|link| extension(link)["same_side"].is_null()));
    let reports = revoked("report");
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0]["name"], "Untitled report (news)");
    assert_eq!(extension(reports[0])["published_basis"], "recorded");
    assert_eq!(reports[0]["published"], extension(reports[0])["filed"]["at"]);
}

#[test]
fn a_verdict_that_was_replaced_is_revoked_and_the_next_supersedes_it() {
    let after = bundle(&eventful());
    let mut verdicts = of_type(&after, "opinion");
    verdicts
        .retain(|object| extension(object)["superseded"]["at"] == "2018-02-01T05:00:00.000000Z");
    assert_eq!(verdicts.len(), 1);
    assert_eq!((&verdicts[0]["revoked"], &verdicts[0]["opinion"]), (&json!(true), &json!("agree")));
    let next = of_type(&after, "relationship").into_iter();
    let next: Vec<_> = next.filter(|one| one["target_ref"] == verdicts[0]["id"]).collect();
    assert_eq!(next[0]["relationship_type"], "supersedes");
    assert_eq!(extension(next[0])["change"], "weakened");
    let next = by_id(&after, &next[0]["source_ref"]);
    assert_eq!(
        (&next["type"], &next["abstract"]),
        (&json!("note"), &json!("Verdict: not enough evidence"))
    );
    let dissents: Vec<_> = of_type(&after, "opinion")
        .into_iter()
        .filter(|object| object["object_refs"] == json!([next["id"]]))
        .collect();
    let steps: Vec<&Value> = dissents.iter().map(|object| &object["opinion"]).collect();
    assert_eq!(steps, ["strongly-disagree", "strongly-agree"]);
}

#[test]
fn a_link_whose_end_is_not_in_the_snapshot_is_named_and_not_silently_skipped() {
    let mut snapshot = demo(HEAD);
    let link = snapshot.links[0].clone();
    snapshot.claims.retain(|claim| claim.doc.id != link.doc.from.claim);
    snapshot.links = vec![link.clone()];
    let told = bundle(&snapshot);
    assert_eq!(of_type(&told, "relationship").len(), 0);
    let LinkId(id) = link.doc.id;
    assert_eq!(extension(of_type(&told, "grouping")[0])["links_left_out"], json!([id]));
}
