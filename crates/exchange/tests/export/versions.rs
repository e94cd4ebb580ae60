//! One `id` and `modified` always says the same, and the same moment gives the same bytes.

use std::collections::BTreeMap;

use assay_domain::value::Tlp;
use assay_exchange::stix::{Snapshot, bundle};
use serde_json::Value;

use super::demo::{HEAD, MOMENTS, demo, later};
use super::of_type;
use super::standing::eventful;

#[test]
fn the_same_moment_gives_the_same_bytes_in_whatever_order_it_is_handed_over() {
    for position in MOMENTS {
        let mut turned = demo(position);
        let first = bundle(&turned).to_string();
        assert_eq!(first, bundle(&demo(position)).to_string());
        turned.reports.reverse();
        turned.claims.reverse();
        turned.sources.reverse();
        turned.links.reverse();
        assert_eq!(first, bundle(&turned).to_string());
    }
}

#[test]
fn an_earlier_moment_tells_what_was_known_then() {
    let count = |position, kind| of_type(&bundle(&demo(position)), kind).len();
    assert!(count(60, "assay-claim") < count(198, "assay-claim"));
    assert_eq!(count(60, "opinion") + count(60, "relationship"), 0);
    assert_eq!((count(198, "assay-claim"), count(HEAD, "assay-claim")), (53, 53));
    assert_eq!(count(HEAD, "assay-assertion"), 56);
    // The verdict on the fall of the base went stale only with the last act.
    let stale = |position| {
        let bundle = bundle(&demo(position));
        let all = bundle["objects"].as_array().unwrap().iter();
        all.filter(|object| super::extension(object)["stale"] == true).count()
    };
    assert_eq!((stale(211), stale(HEAD)), (0, 1));
}

/// A snapshot with its marking raised at a later moment.
fn raised(mut snapshot: Snapshot) -> Snapshot {
    snapshot.case.doc.marking = Tlp::Red;
    snapshot.case.changed = later(10);
    snapshot.as_of.position += 1;
    snapshot.as_of.recorded_at = later(10);
    snapshot
}

/// A snapshot whose claim that came back was put more exactly since.
fn refined(mut snapshot: Snapshot) -> Snapshot {
    let claim = super::demo::card(&mut snapshot, "Rebels retake 16");
    claim.changed = later(11);
    claim.doc.refined.push(super::standing::remark(later(11), "more exactly"));
    snapshot.as_of.position += 2;
    snapshot.as_of.recorded_at = later(11);
    snapshot
}

#[test]
fn what_stands_under_one_id_and_time_never_changes() {
    let mut told: BTreeMap<(String, String), Value> = BTreeMap::new();
    let mut again = 0_u32;
    let history = MOMENTS.map(demo).into_iter().chain([eventful(), refined(eventful())]);
    for snapshot in history {
        for object in bundle(&snapshot)["objects"].as_array().unwrap() {
            let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
            if let Some(before) = told.insert((text("id"), text("modified")), object.clone()) {
                assert_eq!(before, *object);
                again += 1;
            }
        }
    }
    assert!(again > 300, "{again} objects were told twice");
}

#[test]
fn a_new_marking_is_a_new_version_of_all_that_is_not_revoked() {
    let (before, after) = (bundle(&eventful()), bundle(&raised(eventful())));
    for object in before["objects"].as_array().unwrap() {
        let all = after["objects"].as_array().unwrap().iter();
        let Some(now) = all.into_iter().find(|now| now["id"] == object["id"]) else {
            // The share of a moment is an object of its own; a marking not used is not told.
            assert!(["grouping", "marking-definition"].contains(&object["type"].as_str().unwrap()));
            continue;
        };
        if now["object_marking_refs"] != object["object_marking_refs"] && now["revoked"] != true {
            assert!(now["modified"].as_str() > object["modified"].as_str(), "{now:#}");
        }
    }
}
