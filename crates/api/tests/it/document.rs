//! The document: the committed file, complete, and true to what is served.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::world::World;

fn document() -> Value {
    serde_json::to_value(assay_api::openapi::document()).unwrap()
}

pub(crate) fn operations() -> Vec<(String, String, Value)> {
    let document = document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if ["get", "post", "put", "delete"].contains(&method.as_str()) {
                all.push((method.to_uppercase(), path.clone(), operation.clone()));
            }
        }
    }
    all
}

#[test]
fn the_committed_document_is_the_one_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/openapi.json");
    let today = format!("{:#}\n", document());
    #[expect(clippy::disallowed_methods, reason = "a switch of the test run")]
    if std::env::var("ASSAY_GOLDEN").is_ok_and(|word| word == "write") {
        std::fs::write(&path, &today).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == today, "golden/openapi.json differs; ASSAY_GOLDEN=write rewrites it");
}

#[test]
fn every_operation_is_described_and_its_parts_are_there() {
    let document = document();
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        let described = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        assert!(described(&operation["description"]), "{what}: no description");
        assert!(
            names.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{what}: its name is used twice"
        );
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{what}: no success");
        for (status, response) in responses {
            assert!(described(&response["description"]), "{what} {status}");
            if !status.starts_with('2') {
                assert!(
                    response["content"]["application/problem+json"].is_object(),
                    "{what} {status}"
                );
            }
        }
        let named = path.matches('{').count();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let places = parameters.iter().filter(|one| one["in"] == "path").count();
        assert_eq!(named, places, "{what}");
    }
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "no schema {name}");
    }
}

#[tokio::test]
async fn the_document_and_its_page_are_served_without_any_network() {
    let world = World::new();
    let get = |path: &'static str| world.send(reqwest::Method::GET, path, None, None, &[]);
    let served = get("/api/openapi.json").await.expect(200);
    assert_eq!(served.json, document());
    assert_eq!(served.json["openapi"], "3.1.0");
    let page = get("/api/docs").await.expect(200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
    assert!(!page.text.contains("https://"), "{}", page.text);
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    get("/api/docs/swagger-ui-bundle.js").await.expect(200);
    get("/api/docs/nothing-here").await.expect(404);
}
