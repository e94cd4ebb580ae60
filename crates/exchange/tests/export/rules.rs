//! What the standard says and no schema can: references that lead somewhere, times in order, ids that are one.

use std::collections::{BTreeMap, BTreeSet};

use assay_domain::value::Tlp;
use assay_exchange::stix::bundle;
use assay_exchange::stix::marking::{EXTENSION, TLP_EXTENSION, tlp_id};
use serde_json::{Value, json};

use super::demo::{HEAD, MOMENTS, demo};
use super::standing::eventful;

/// Everything that breaks a rule.
pub(crate) fn offences(bundle: &Value) -> Vec<String> {
    let objects = bundle["objects"].as_array().unwrap();
    let text = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let ids: BTreeSet<String> = objects.iter().map(|object| text(object, "id")).collect();
    let mut found = Vec::new();
    if ids.len() != objects.len() {
        found.push("two objects have one id".to_owned());
    }
    for object in objects {
        let (id, kind) = (text(object, "id"), text(object, "type"));
        let mut slip = |what: &str| found.push(format!("{id}: {what}"));
        if !id.starts_with(&format!("{kind}--")) {
            slip("the id is of another type");
        }
        if kind != "marking-definition" {
            if text(object, "created") > text(object, "modified") {
                slip("created after modified");
            }
            if object["object_marking_refs"].as_array().is_none_or(Vec::is_empty) {
                slip("no marking");
            }
        }
        if object.get("confidence").is_some_and(|own| own.as_u64().is_none_or(|own| own > 100)) {
            slip("confidence is 0 to 100");
        }
        let extensions = object["extensions"].as_object().into_iter().flatten();
        for (extension, _) in extensions {
            if extension != TLP_EXTENSION && !ids.contains(extension) {
                slip("an extension that is not defined here");
            }
        }
        let mut refs = Vec::new();
        walk(object, &mut |name, value| {
            if name.starts_with("x_") {
                slip("a custom property");
            }
            if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
                slip("null or an empty list");
            }
            if name.ends_with("_ref") || name.ends_with("_refs") {
                refs.push(value.clone());
            }
        });
        let named = refs.iter().flat_map(|value| match value {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        });
        for value in named {
            if value.as_str().is_none_or(|target| !ids.contains(target)) {
                slip(&format!("{value} leads nowhere"));
            }
        }
    }
    found
}

/// Every property at any depth.
fn walk(value: &Value, told: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            told(name, value);
            walk(value, told);
        }),
        Value::Array(items) => items.iter().for_each(|item| walk(item, told)),
        _ => (),
    }
}

#[test]
fn a_bundle_breaks_no_rule_that_schemas_cannot_say() {
    for snapshot in MOMENTS.into_iter().map(demo).chain([eventful()]) {
        assert_eq!(offences(&bundle(&snapshot)), Vec::<String>::new());
    }
}

#[test]
fn the_rules_bite() {
    let good = bundle(&demo(HEAD));
    let at = |kind: &str| {
        let objects = good["objects"].as_array().unwrap();
        objects.iter().position(|object| object["type"] == kind).unwrap()
    };
    let slips = |kind: &str, property: &str, value: Value| {
        let mut bad = good.clone();
        bad["objects"][at(kind)][property] = value;
        offences(&bad).len()
    };
    assert_eq!(slips("opinion", "confidence", json!(101)), 1);
    assert_eq!(slips("note", "x_remark", json!("no")), 1);
    assert_eq!(slips("note", "labels", json!([])), 1);
    assert_eq!(slips("grouping", "object_refs", json!(["note--1"])), 1);
    assert_eq!(slips("report", "modified", json!("2000-01-01T00:00:00.000Z")), 1);
    assert_eq!(slips("report", "object_marking_refs", json!([])), 2);
    let twin = good["objects"][at("note")]["id"].clone();
    assert!(slips("opinion", "id", twin) >= 2);
}

#[test]
fn every_label_is_the_marking_object_that_oasis_made_for_tlp_2() {
    let ids: BTreeMap<&str, &str> = BTreeMap::from([
        ("TLP:CLEAR", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"),
        ("TLP:GREEN", "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
        ("TLP:AMBER", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
        ("TLP:AMBER+STRICT", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"),
        ("TLP:RED", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"),
    ]);
    for tlp in Tlp::ALL {
        assert_eq!(tlp_id(tlp), ids[tlp.as_str()]);
        let mut snapshot = demo(HEAD);
        snapshot.case.doc.marking = tlp;
        let marked = bundle(&snapshot);
        assert_eq!(offences(&marked), Vec::<String>::new());
        let word = tlp.as_str().trim_start_matches("TLP:").to_lowercase();
        let markings = super::of_type(&marked, "marking-definition");
        let own = markings.into_iter().find(|object| object["id"] == ids[tlp.as_str()]).unwrap();
        assert_eq!(own["extensions"][TLP_EXTENSION]["tlp_2_0"], word);
        assert_eq!(own["created"], "2022-10-01T00:00:00.000Z");
        // What belongs to no case is for everybody; everything else is marked as the case is.
        for object in marked["objects"].as_array().unwrap() {
            let refs = &object["object_marking_refs"];
            let of_all = object["id"] == EXTENSION || object["name"] == "Assay";
            match object["type"].as_str().unwrap() {
                "marking-definition" => assert!(refs.is_null()),
                _ if of_all => assert_eq!(*refs, json!([ids["TLP:CLEAR"]])),
                _ => assert_eq!(*refs, json!([ids[tlp.as_str()]])),
            }
        }
    }
}
