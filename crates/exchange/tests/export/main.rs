//! A case, out: the demo's and made-up ones as STIX bundles and reviews, against schemas and rules.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod claim_review;
mod demo;
mod mapping;
mod rules;
mod schemas;
mod standing;
mod versions;

use serde_json::Value;

/// The objects of a bundle of one type.
fn of_type<'a>(bundle: &'a Value, kind: &str) -> Vec<&'a Value> {
    let objects = bundle["objects"].as_array().unwrap().iter();
    objects.filter(|object| object["type"] == kind).collect()
}

/// The object of a bundle under an id.
fn by_id<'a>(bundle: &'a Value, id: &Value) -> &'a Value {
    let objects = bundle["objects"].as_array().unwrap().iter();
    objects.into_iter().find(|object| object["id"] == *id).unwrap()
}

/// What an object carries in our extension.
fn extension(object: &Value) -> &Value {
    &object["extensions"][assay_exchange::stix::marking::EXTENSION]
}

/// The claim of a bundle whose gist begins so.
fn claim<'a>(bundle: &'a Value, gist: &str) -> &'a Value {
    let begins = |object: &&Value| object["gist"].as_str().is_some_and(|own| own.starts_with(gist));
    of_type(bundle, "assay-claim").into_iter().find(begins).unwrap()
}
