//! What is the same in every bundle: the markings of TLP 2.0, our extension, and who defined it.

use assay_domain::value::Tlp;
use serde_json::{Value, json};

/// The id of the one extension this format has.
pub const EXTENSION: &str = "extension-definition--28b10d3f-390d-48ed-90ea-fc0479919038";
/// Who defined it.
const DEFINED_BY: &str = "identity--cfee82e1-29bf-4d36-88fa-13f208831d7b";
/// When; a new edition has a later `modified`.
const DEFINED: &str = "2026-11-23T00:00:00.000Z";
/// The extension that TLP 2.0 markings use (OASIS, published beside STIX 2.1).
pub const TLP_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
/// When OASIS made the markings of TLP 2.0.
const TLP_CREATED: &str = "2022-10-01T00:00:00.000Z";
/// Where the extension is defined, in words; STIX takes plain text as well as an address.
const DEFINITION: &str = "The section on STIX of FORMATS.md in the exchange crate of Assay. Types: \
assay-claim (what is said, whoever says it) and assay-assertion (one holder taking one stance towards a \
claim in one report at certain words). As a property extension it carries what the types of STIX have \
no property for. Times are EDTF (ISO 8601-2) beside the words they came from; quantities keep their form.";

/// The id of the marking object of a label: those of OASIS for TLP 2.0, not those of TLP 1.0.
pub fn tlp_id(tlp: Tlp) -> String {
    let id = match tlp {
        Tlp::Clear => "94868c89-83c2-464b-929b-a1a8aa3c8487",
        Tlp::Green => "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        Tlp::Amber => "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        Tlp::AmberStrict => "939a9414-2ddd-4d32-a0cd-375ea402b003",
        Tlp::Red => "e828b379-4e03-4974-9ac4-e53a884c97c1",
    };
    format!("marking-definition--{id}")
}

/// The objects that need no case: the markings used, our extension, and who defined it.
pub(super) fn objects(of_case: Tlp) -> Vec<Value> {
    let mut objects = vec![tlp(Tlp::Clear)];
    if of_case != Tlp::Clear {
        objects.push(tlp(of_case));
    }
    objects.extend([definer(), definition()]);
    objects
}

fn tlp(tlp: Tlp) -> Value {
    let word = tlp.as_str().trim_start_matches("TLP:").to_ascii_lowercase();
    json!({
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": tlp_id(tlp),
        "created": TLP_CREATED,
        "name": tlp.as_str(),
        "extensions": {
            TLP_EXTENSION: { "extension_type": "property-extension", "tlp_2_0": word },
        },
    })
}

fn definer() -> Value {
    json!({
        "type": "identity",
        "spec_version": "2.1",
        "id": DEFINED_BY,
        "created": DEFINED,
        "modified": DEFINED,
        "name": "Assay",
        "identity_class": "system",
        "object_marking_refs": [tlp_id(Tlp::Clear)],
    })
}

fn definition() -> Value {
    json!({
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION,
        "created_by_ref": DEFINED_BY,
        "created": DEFINED,
        "modified": DEFINED,
        "name": "Claims, assertions and verdicts",
        "description": "Who says that who says what, how strongly, and what reviewers make of it.",
        "schema": DEFINITION,
        "version": "1.0.0",
        "extension_types": ["new-sdo", "property-extension"],
        "object_marking_refs": [tlp_id(Tlp::Clear)],
    })
}
