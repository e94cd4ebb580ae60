//! Bad input gets a clear problem with a stable code and a pointer, and nothing is written.

use anyhow::Result;
use assay_tests::Answer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::team::{Team, narrated};

async fn head(team: &Team) -> Result<u64> {
    team.ana.get("/cases").await?.expect(200)?.number_at("/as_of/position")
}

fn must_be(answer: &Answer, status: u16, code: &str, pointer: Option<&str>) {
    assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.text);
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok());
    assert_eq!(kind, Some("application/problem+json"));
    if let Some(pointer) = pointer {
        assert_eq!(answer.at("/errors/0/pointer"), &json!(pointer), "{}", answer.text);
    }
}

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

#[tokio::test]
async fn a_bad_claim_is_refused_where_it_is_bad() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let report = team.report(&case, "They struck Saraqeb. They struck again.").await?;
    let (claim, _) = team.claim(&case, &report, "They struck Saraqeb").await?;
    let before = head(&team).await?;

    let claims = format!("/cases/{case}/claims");
    let claim_body = json!({"kind": "event", "gist": "struck", "polarity": "affirmed"});
    let inverted =
        json!([{"population": "dead", "form": {"is": "range", "low": "9", "high": "3"}}]);
    for (body, status, code, pointer) in [
        (with(claim_body.clone(), "surprise", json!(1)), 422, "field_unknown", None),
        (with(claim_body.clone(), "gist", json!(7)), 422, "type_mismatch", Some("/gist")),
        (
            with(claim_body.clone(), "time", json!({"edtf": "yesterday"})),
            422,
            "edtf_invalid",
            Some("/time/edtf"),
        ),
        (
            with(claim_body, "quantities", inverted),
            422,
            "quantity_range_inverted",
            Some("/quantities/0"),
        ),
    ] {
        must_be(&team.ana.post(&claims, &body).await?, status, code, pointer);
    }

    let assertions = format!("/claims/{claim}/assertions");
    let good = narrated(&report, "They struck Saraqeb");
    let hash = json!([{"exact": "They struck Saraqeb", "text_sha256": "00"}]);
    for (body, code, pointer) in [
        (with(good.clone(), "chain", json!([])), "chain_empty", "/chain"),
        (with(good.clone(), "quotes", hash), "anchor_hash_mismatch", "/quotes/0"),
        (
            with(good.clone(), "quotes", json!([{"exact": "They struck"}])),
            "anchor_ambiguous",
            "/quotes/0",
        ),
        (with(good, "quotes", json!([{"exact": "They fled"}])), "anchor_not_found", "/quotes/0"),
    ] {
        must_be(&team.ana.post(&assertions, &body).await?, 422, code, Some(pointer));
    }
    assert_eq!(head(&team).await?, before, "nothing was written");
    Ok(())
}

#[tokio::test]
async fn a_bad_body_is_refused_at_the_door() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let before = head(&team).await?;
    let reports = format!("/cases/{case}/reports");
    let raw = |kind: &'static str, body: Vec<u8>| {
        team.ana.request(&Method::POST, &reports).header("Content-Type", kind).body(body)
    };
    let long = json!({"kind": "news", "text": "x".repeat(300_000)}).to_string().into_bytes();
    let huge = json!({"kind": "news", "text": "x".repeat(1_100_000)}).to_string().into_bytes();
    for (kind, body, status, code) in [
        ("application/json", b"{\"kind\": ".to_vec(), 400, "json_malformed"),
        (
            "application/json",
            b"{\"kind\":\"news\",\"text\":\"\xff\xfe\"}".to_vec(),
            400,
            "text_encoding",
        ),
        ("text/plain", b"{}".to_vec(), 415, "media_type"),
        ("application/json", long, 422, "report_text_too_long"),
        ("application/json", huge, 413, "too_large"),
    ] {
        must_be(&team.ana.send(raw(kind, body)).await?, status, code, None);
    }
    assert_eq!(head(&team).await?, before, "nothing was written");
    Ok(())
}

#[tokio::test]
async fn a_stale_revision_and_a_reused_key_are_refused() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let title = format!("/cases/{case}/title");
    team.ana.put(&title, &json!({"title": "One"})).await?.expect(200)?;
    let before = head(&team).await?;
    let stale = team
        .ana
        .request(&Method::PUT, &title)
        .header("If-Match", "\"1\"")
        .json(&json!({"title": "Two"}));
    let stale = team.ana.send(stale).await?;
    must_be(&stale, 412, "precondition_failed", None);
    assert!(stale.text.contains("case.retitled.v1"), "{}", stale.text);

    let reports = format!("/cases/{case}/reports");
    let body = json!({"kind": "news", "text": "The same."});
    let first = team.ana.post_keyed(&reports, "filing-1", &body).await?.expect(201)?;
    let again = team.ana.post_keyed(&reports, "filing-1", &body).await?.expect(200)?;
    assert_eq!(first.at("/receipt"), again.at("/receipt"));
    let other = team
        .ana
        .post_keyed(&reports, "filing-1", &json!({"kind": "news", "text": "Other."}))
        .await?;
    must_be(&other, 422, "idempotency_key_reused", None);
    assert_eq!(head(&team).await?, before + 1);
    Ok(())
}
