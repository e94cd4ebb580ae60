//! Every object holds against the schema of its type, and the bundle against its own.

use std::collections::BTreeSet;

use assay_exchange::stix::bundle;
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use super::demo::{MOMENTS, demo};
use super::standing::eventful;

const BASE: &str =
    "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas";

/// Object types with a schema, and where it is; ours hold against what all types have in common.
const SCHEMAS: [(&str, &str); 11] = [
    ("assay-assertion", "common/core.json"),
    ("assay-claim", "common/core.json"),
    ("bundle", "common/bundle.json"),
    ("extension-definition", "common/extension-definition.json"),
    ("grouping", "sdos/grouping.json"),
    ("identity", "sdos/identity.json"),
    ("marking-definition", "common/marking-definition.json"),
    ("note", "sdos/note.json"),
    ("opinion", "sdos/opinion.json"),
    ("relationship", "sros/relationship.json"),
    ("report", "sdos/report.json"),
];

/// The schemas, compiled.
struct Checker {
    schemas: Schemas,
    of: Vec<(&'static str, SchemaIndex)>,
}

impl Checker {
    fn new() -> Self {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stix-schemas");
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        let mut known = BTreeSet::new();
        let mut wanted = String::new();
        for folder in ["common", "sdos", "sros"] {
            for entry in std::fs::read_dir(format!("{root}/{folder}")).unwrap() {
                let path = entry.unwrap().path();
                let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
                let text = std::fs::read_to_string(&path).unwrap();
                let schema: Value = serde_json::from_str(&text).unwrap();
                compiler.add_resource(&format!("{BASE}/{name}"), schema).unwrap();
                known.insert(name);
                wanted.push_str(&text);
            }
        }
        // The schema of bundles names every type; those we never have are refused.
        for name in wanted.split("\"../").skip(1).filter_map(|rest| rest.split('"').next()) {
            if known.insert(name.to_owned()) {
                compiler.add_resource(&format!("{BASE}/{name}"), json!(false)).unwrap();
            }
        }
        let mut schemas = Schemas::new();
        let mut compile = |(kind, name)| {
            (kind, compiler.compile(&format!("{BASE}/{name}"), &mut schemas).unwrap())
        };
        let of = SCHEMAS.into_iter().map(&mut compile).collect();
        Self { schemas, of }
    }

    /// What is wrong with an object, by the schema of its type.
    fn wrong(&self, object: &Value) -> Option<String> {
        let kind = object["type"].as_str().unwrap();
        let schema = self.of.iter().find(|(known, _)| *known == kind).unwrap().1;
        let held = self.schemas.validate(object, schema);
        held.err().map(|error| format!("{kind}: {error:#}\n{object:#}"))
    }
}

#[test]
fn every_object_holds_against_the_schema_of_its_type_and_the_bundle_against_its_own() {
    let checker = Checker::new();
    let snapshots = MOMENTS.into_iter().map(demo).chain([eventful()]);
    let mut seen = BTreeSet::from(["bundle".to_owned()]);
    for snapshot in snapshots {
        let bundle = bundle(&snapshot);
        for object in bundle["objects"].as_array().unwrap() {
            assert_eq!(checker.wrong(object), None);
            seen.insert(object["type"].as_str().unwrap().to_owned());
        }
        assert_eq!(checker.wrong(&bundle), None);
    }
    // Every schema was needed, and every type has one.
    let all: BTreeSet<String> = SCHEMAS.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    assert_eq!(seen, all);
}

#[test]
fn the_schemas_bite() {
    let checker = Checker::new();
    let bundle = bundle(&demo(MOMENTS[3]));
    let spoilt = |kind: &str, property: &str, value: Value| {
        let mut object = super::of_type(&bundle, kind)[0].clone();
        object[property] = value;
        checker.wrong(&object)
    };
    assert!(spoilt("report", "published", json!("last week")).is_some());
    assert!(spoilt("opinion", "opinion", json!("maybe")).is_some());
    assert!(spoilt("assay-claim", "by", json!("two letters are too few")).is_some());
    assert!(spoilt("assay-claim", "confidence", json!(101)).is_some());
    assert!(spoilt("relationship", "relationship_type", json!("same_event")).is_some());
    assert!(spoilt("grouping", "object_refs", json!([])).is_some());
    assert!(
        spoilt("identity", "id", json!("identity--0198c000-0000-7000-8000-000000000001")).is_some()
    );
}
