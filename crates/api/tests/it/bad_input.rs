//! What is not as it should be is refused with a stable code and the place, and leaves no trace in the log.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Reply, Story, World, assertion, claim};

struct Bad {
    name: &'static str,
    path: String,
    body: Vec<u8>,
    headers: Vec<(&'static str, &'static str)>,
    expected: (u16, &'static str, &'static str),
}

fn bad(
    name: &'static str,
    path: &str,
    body: &Value,
    expected: (u16, &'static str, &'static str),
) -> Bad {
    let body = body.to_string().into_bytes();
    Bad { name, path: path.to_owned(), body, headers: vec![], expected }
}

fn raw(
    name: &'static str,
    path: &str,
    body: &[u8],
    expected: (u16, &'static str, &'static str),
) -> Bad {
    Bad { name, path: path.to_owned(), body: body.to_vec(), headers: vec![], expected }
}

fn with(mut value: Value, pointer: &str, put: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(object) => drop(object.insert(key.to_owned(), put)),
        Value::Array(array) => array[key.parse::<usize>().unwrap()] = put,
        _ => panic!("{pointer}"),
    }
    value
}

fn table(story: &Story) -> Vec<Bad> {
    let Story { case, report, claim: known, .. } = story;
    let claims = format!("/cases/{case}/claims");
    let reports = format!("/cases/{case}/reports");
    let assertions = format!("/claims/{known}/assertions");
    let says = assertion(report);
    let report_body = json!({ "kind": "news", "text": "A text." });
    let range = json!({ "is": "range", "low": "9", "high": "3" });
    let two_chars = "\u{202e}evil";
    let mut table = vec![
        raw("not JSON", "/cases", b"{\"title\": ", (400, "json_malformed", "")),
        raw("two values", "/cases", b"{\"title\":\"a\"} {}", (400, "json_malformed", "")),
        raw("a lone surrogate", "/cases", br#"{"title":"\ud800"}"#, (400, "json_malformed", "")),
        raw("invalid UTF-8", "/cases", b"{\"title\":\"\xff\xfe\"}", (400, "text_encoding", "")),
        raw("nested too deep", "/cases", "[".repeat(200).as_bytes(), (400, "json_too_deep", "")),
        raw(
            "a key twice",
            "/cases",
            br#"{"title":"a","title":"b"}"#,
            (422, "field_duplicate", "/title"),
        ),
        raw("too large", "/cases", " ".repeat(1_048_577).as_bytes(), (413, "too_large", "")),
        bad(
            "an unknown field",
            "/cases",
            &json!({ "title": "a", "owner": 1 }),
            (422, "field_unknown", "/owner"),
        ),
        bad("a missing field", "/cases", &json!({}), (422, "field_missing", "/title")),
        bad("a wrong type", "/cases", &json!({ "title": 7 }), (422, "type_mismatch", "/title")),
        bad("an empty text", "/cases", &json!({ "title": " " }), (422, "text_empty", "/title")),
        bad(
            "a text too long",
            "/cases",
            &json!({ "title": "x".repeat(201) }),
            (422, "text_too_long", "/title"),
        ),
        bad(
            "bidi controls",
            "/cases",
            &json!({ "title": two_chars }),
            (422, "text_control", "/title"),
        ),
        bad(
            "an id that is none",
            "/cases",
            &json!({ "title": "a", "id": "x" }),
            (422, "id_invalid", "/id"),
        ),
        bad(
            "an unknown marking",
            "/cases",
            &json!({ "title": "a", "marking": "TLP:PINK" }),
            (422, "tlp_unknown", "/marking"),
        ),
        bad(
            "EDTF that does not parse",
            &claims,
            &with(claim(), "/time/edtf", json!("yesterday")),
            (422, "edtf_invalid", "/time/edtf"),
        ),
        bad(
            "lower above upper",
            &claims,
            &with(claim(), "/quantities/0/form", range),
            (422, "quantity_range_inverted", "/quantities/0"),
        ),
        bad(
            "an unknown kind",
            &claims,
            &with(claim(), "/kind", json!("rumour")),
            (422, "value_unknown", "/kind"),
        ),
        bad(
            "half a coordinate",
            &claims,
            &with(claim(), "/places", json!([{ "name": "X", "latitude": 35.0 }])),
            (422, "place_half_coordinate", "/places/0"),
        ),
        bad(
            "an empty chain",
            &assertions,
            &with(says.clone(), "/chain", json!([])),
            (422, "chain_empty", "/chain"),
        ),
        bad(
            "words that are not there",
            &assertions,
            &with(says.clone(), "/quotes/0", json!({ "exact": "17 villages" })),
            (422, "anchor_not_found", "/quotes/0"),
        ),
        bad(
            "an anchor with another hash",
            &assertions,
            &with(says.clone(), "/quotes/0/span_sha256", json!("00")),
            (422, "anchor_hash_mismatch", "/quotes/0"),
        ),
        bad(
            "no words at all",
            &assertions,
            &with(says.clone(), "/quotes", json!([])),
            (422, "assertion_anchors_empty", "/quotes"),
        ),
        bad(
            "a report of nowhere",
            &assertions,
            &with(says, "/report", json!(uuid::Uuid::nil())),
            (422, "report_unknown", "/report"),
        ),
        bad(
            "a text with another hash",
            &reports,
            &with(report_body.clone(), "/text_sha256", json!("00")),
            (422, "report_text_hash", "/text_sha256"),
        ),
        bad(
            "no text",
            &reports,
            &with(report_body.clone(), "/text", json!("")),
            (422, "text_empty", "/text"),
        ),
        bad(
            "a text over the limit",
            &reports,
            &with(report_body, "/text", json!("x".repeat(262_145))),
            (422, "report_text_too_long", "/text"),
        ),
        bad(
            "an inference of another shape",
            &format!("/reports/{report}/inferences"),
            &json!({ "field": "published", "value": { "edtf": "nie" }, "basis": ["b"] }),
            (422, "edtf_invalid", "/value/edtf"),
        ),
        bad(
            "an inference without basis",
            &format!("/reports/{report}/inferences"),
            &json!({ "field": "title", "value": "T", "basis": [] }),
            (422, "inference_basis_empty", "/basis"),
        ),
        bad(
            "a parameter on a write",
            "/cases?dry=1",
            &json!({ "title": "a" }),
            (400, "query_unknown", ""),
        ),
    ];
    let plain = |name, headers, expected| Bad {
        name,
        path: "/cases".to_owned(),
        body: json!({ "title": "a" }).to_string().into_bytes(),
        headers,
        expected,
    };
    table.push(plain(
        "another type",
        vec![("content-type", "text/plain")],
        (415, "media_type", ""),
    ));
    table.push(plain(
        "another charset",
        vec![("content-type", "application/json; charset=latin1")],
        (415, "media_type", ""),
    ));
    table.push(plain(
        "a key with spaces",
        vec![("idempotency-key", "a b")],
        (400, "idempotency_key_invalid", ""),
    ));
    table.push(plain("a tag that is none", vec![("if-match", "7")], (400, "if_match_invalid", "")));
    table
}

fn told(reply: &Reply) -> (u16, &str, &str) {
    let pointer = reply.json["errors"][0]["pointer"].as_str().unwrap_or_default();
    (reply.status, reply.code(), pointer)
}

#[tokio::test]
async fn bad_input_is_refused_where_it_stands_and_leaves_no_trace() {
    let world = World::new();
    let story = Story::new(&world).await;
    for Bad { name, path, body, headers, expected } in table(&story) {
        let head = world.head();
        let token = Some(story.ana.token.as_str());
        let reply = world.raw(Method::POST, &path, token, Some(body), &headers).await;
        assert_eq!(told(&reply), expected, "{name}: {}", reply.text);
        assert_eq!(reply.header("content-type"), "application/problem+json", "{name}");
        assert_eq!(reply.json["request_id"], reply.header("x-request-id"), "{name}");
        assert_eq!(world.head(), head, "{name}");
    }
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let world = World::new();
    let Story { ana, case, claim, .. } = Story::new(&world).await;
    let head = world.head();
    for (path, status, code) in [
        ("/cases?colour=red".to_owned(), 400, "query_unknown"),
        ("/cases?limit=1&limit=2".to_owned(), 400, "query_repeated"),
        ("/cases?limit=many".to_owned(), 400, "query_invalid"),
        (format!("/claims/{claim}?as_of=tomorrow"), 400, "as_of_invalid"),
        (format!("/claims/{claim}?as_of=999999"), 400, "as_of_ahead"),
        (format!("/claims/{claim}?after=x"), 400, "token_invalid"),
        (format!("/cases/{case}/claims?valid_at=yesterday"), 400, "query_invalid"),
        (format!("/cases/{case}/diff?from=9&to=2"), 400, "diff_range_invalid"),
        ("/search".to_owned(), 400, "query_invalid"),
        ("/search?q=%20".to_owned(), 400, "query_invalid"),
        ("/search?q=%ff".to_owned(), 400, "text_encoding"),
        ("/claims/not-an-id".to_owned(), 404, "not_found"),
        ("/nowhere".to_owned(), 404, "not_found"),
        (format!("/claims/{claim}?access_token={}", ana.token), 400, "query_unknown"),
    ] {
        let reply = world.see(&path, &ana.token).await;
        let reply =
            if path.contains("after=") { world.get(&path, &ana.token).await } else { reply };
        assert_eq!((reply.status, reply.code()), (status, code), "{path}: {}", reply.text);
    }
    for quoted in ["\"", "*", "NEAR(", "^x", "a AND", "-", "x:y", "%27%3B--"] {
        let reply = world.get(&format!("/search?q={quoted}"), &ana.token).await;
        assert!(reply.status < 500, "{quoted}: {}", reply.text);
    }
    assert_eq!(world.head(), head);
}

#[tokio::test]
async fn a_lost_update_is_told_what_came_between() {
    let world = World::new();
    let Story { ana, case, .. } = Story::new(&world).await;
    let title = format!("/cases/{case}/title");
    let seen = world.see(&format!("/cases/{case}"), &ana.token).await.expect(200);
    let etag = seen.header("etag").to_owned();
    let put = |title: &str| json!({ "title": title });
    let token = Some(ana.token.as_str());
    let headers = [("if-match", etag.as_str())];
    world.send(Method::PUT, &title, token, Some(put("One")), &headers).await.expect(200);
    let head = world.head();
    let stale =
        world.send(Method::PUT, &title, token, Some(put("Two")), &headers).await.expect(412);
    assert_eq!(stale.code(), "precondition_failed");
    assert_eq!(stale.json["since"][0]["name"], "case.retitled.v1", "{}", stale.text);
    assert_eq!(stale.json["current"], stale.json["since"][0]["revision"]);
    assert_eq!(world.head(), head);
    let known = [("if-none-match", etag.as_str())];
    let path = format!("/cases/{case}?after={head}");
    world.send(Method::GET, &path, token, None, &known).await.expect(200);
    let etag = world.get(&path, &ana.token).await.header("etag").to_owned();
    let known = [("if-none-match", etag.as_str())];
    world.send(Method::GET, &path, token, None, &known).await.expect(304);
}

#[tokio::test]
async fn the_same_request_again_answers_the_same_and_adds_nothing() {
    let world = World::new();
    let Story { ana, rao, .. } = Story::new(&world).await;
    let token = Some(ana.token.as_str());
    let key = [("idempotency-key", "k-1")];
    let body = json!({ "title": "Once" });
    let first =
        world.send(Method::POST, "/cases", token, Some(body.clone()), &key).await.expect(201);
    let head = world.head();
    let again =
        world.send(Method::POST, "/cases", token, Some(body.clone()), &key).await.expect(200);
    assert_eq!(first.json, again.json);
    assert_eq!(first.header("location"), format!("/api/v1/cases/{}", first.id()));
    let other = json!({ "title": "Another" });
    let reused = world.send(Method::POST, "/cases", token, Some(other), &key).await;
    assert_eq!(told(&reused), (422, "idempotency_key_reused", ""));
    assert_eq!(world.head(), head);
    // Another person's key is another key. (A reviewer opens no case.)
    let other = world.send(Method::POST, "/cases", Some(&rao.token), Some(body), &key).await;
    assert_eq!((other.status, other.code()), (403, "forbidden"));
}
