//! Every route is tried without a token and as an outsider; a route missing from the table fails.

use assay_domain::user::HouseRole;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::document::operations;
use crate::world::{Reply, Story, World, assertion, claim, verdict};

/// What an outsider, an analyst of the house who is no member, gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outsider {
    /// The same as for a thing that is not there.
    Nothing,
    /// It is of the house: not with these roles.
    Forbidden,
    /// It is anybody's who is logged in.
    Anybody,
    /// It needs no token at all.
    Open,
}

use Outsider::{Anybody, Forbidden, Nothing, Open};

/// Every operation: who may, and a body that is well-formed.
fn table(story: &Story) -> Vec<(&'static str, &'static str, Outsider, Value)> {
    let Story { claim: known, assertion: said, report, .. } = story;
    let reason = json!({ "reason": "because" });
    let review = json!({ "priority": 1 });
    let refined = {
        let mut refined = claim();
        refined.as_object_mut().unwrap().remove("kind");
        refined["reason"] = json!("because");
        refined
    };
    let link = json!({ "from": { "claim": known }, "type": "contradicts", "to": { "claim": Uuid::nil() }, "rationale": "r" });
    let grade = json!({ "grade": "2", "rationale": "r" });
    let reliability = json!({ "link": 0, "grade": "B", "rationale": "r" });
    let no = Value::Null;
    vec![
        ("GET", "/.well-known/jwks.json", Open, no.clone()),
        ("GET", "/health/live", Open, no.clone()),
        ("GET", "/health/ready", Open, no.clone()),
        ("POST", "/api/v1/login", Open, json!({ "username": "x", "password": "y" })),
        ("POST", "/api/v1/token/refresh", Open, json!({ "refresh_token": "x" })),
        (
            "POST",
            "/api/v1/password",
            Open,
            json!({ "username": "x", "code": "y", "password": "z" }),
        ),
        ("POST", "/api/v1/logout", Anybody, no.clone()),
        ("GET", "/api/v1/me", Anybody, no.clone()),
        ("GET", "/api/v1/me/sessions", Anybody, no.clone()),
        ("DELETE", "/api/v1/me/sessions/{session}", Nothing, no.clone()),
        ("PUT", "/api/v1/me/password", Anybody, json!({ "current": "x", "password": "y" })),
        ("GET", "/api/v1/users", Forbidden, no.clone()),
        ("POST", "/api/v1/users", Forbidden, json!({ "username": "x", "display_name": "X" })),
        ("GET", "/api/v1/users/{user}", Nothing, no.clone()),
        ("POST", "/api/v1/users/{user}/roles", Forbidden, json!({ "role": "analyst" })),
        ("DELETE", "/api/v1/users/{user}/roles/{role}", Forbidden, no.clone()),
        ("PUT", "/api/v1/users/{user}/clearance", Forbidden, json!({ "clearance": "TLP:RED" })),
        ("POST", "/api/v1/users/{user}/suspend", Forbidden, reason.clone()),
        ("POST", "/api/v1/users/{user}/reinstate", Forbidden, reason.clone()),
        ("POST", "/api/v1/users/{user}/password-code", Forbidden, no.clone()),
        ("GET", "/api/v1/sources", Anybody, no.clone()),
        ("POST", "/api/v1/sources", Anybody, json!({ "kind": "outlet", "name": "X" })),
        ("GET", "/api/v1/sources/{source}", Nothing, no.clone()),
        ("POST", "/api/v1/sources/{source}/names", Nothing, json!({ "name": "Y" })),
        (
            "POST",
            "/api/v1/sources/{source}/names/drop",
            Nothing,
            json!({ "name": "Y", "reason": "r" }),
        ),
        ("PUT", "/api/v1/sources/{source}/flags/{flag}", Nothing, reason.clone()),
        ("POST", "/api/v1/sources/{source}/flags/{flag}/drop", Nothing, reason.clone()),
        ("GET", "/api/v1/cases", Anybody, no.clone()),
        ("POST", "/api/v1/cases", Anybody, json!({ "title": "Mine" })),
        ("GET", "/api/v1/cases/{case}", Nothing, no.clone()),
        ("GET", "/api/v1/cases/{case}/overview", Nothing, no.clone()),
        ("PUT", "/api/v1/cases/{case}/title", Nothing, json!({ "title": "Mine" })),
        ("GET", "/api/v1/cases/{case}/members", Nothing, no.clone()),
        ("PUT", "/api/v1/cases/{case}/members/{user}", Nothing, json!({ "roles": ["analyst"] })),
        ("DELETE", "/api/v1/cases/{case}/members/{user}", Nothing, no.clone()),
        ("PUT", "/api/v1/cases/{case}/marking", Nothing, json!({ "marking": "TLP:RED" })),
        ("POST", "/api/v1/cases/{case}/close", Nothing, json!({ "outcome": "done" })),
        ("POST", "/api/v1/cases/{case}/reopen", Nothing, reason.clone()),
        ("GET", "/api/v1/cases/{case}/diff", Nothing, no.clone()),
        ("GET", "/api/v1/cases/{case}/history", Nothing, no.clone()),
        ("GET", "/api/v1/cases/{case}/changes", Nothing, no.clone()),
        ("GET", "/api/v1/cases/{case}/reports", Nothing, no.clone()),
        ("POST", "/api/v1/cases/{case}/reports", Nothing, json!({ "kind": "news", "text": "x" })),
        ("GET", "/api/v1/reports/{report}", Nothing, no.clone()),
        (
            "POST",
            "/api/v1/reports/{report}/renditions",
            Nothing,
            json!({ "kind": "capture", "text": "x" }),
        ),
        ("GET", "/api/v1/reports/{report}/renditions/{rendition}", Nothing, no.clone()),
        ("GET", "/api/v1/reports/{report}/renditions/{rendition}/text", Nothing, no.clone()),
        ("GET", "/api/v1/reports/{report}/coverage", Nothing, no.clone()),
        ("GET", "/api/v1/reports/{report}/diff", Nothing, no.clone()),
        ("GET", "/api/v1/reports/{report}/history", Nothing, no.clone()),
        (
            "POST",
            "/api/v1/reports/{report}/inferences",
            Nothing,
            json!({ "field": "title", "value": "T", "basis": ["b"] }),
        ),
        (
            "POST",
            "/api/v1/reports/{report}/corrections",
            Nothing,
            json!({ "field": "title", "value": "T", "reason": "r" }),
        ),
        (
            "POST",
            "/api/v1/reports/{report}/no-claim",
            Nothing,
            json!({ "quote": { "exact": "said" }, "why": "w" }),
        ),
        ("POST", "/api/v1/reports/{report}/withdraw", Nothing, json!({ "reason": "out_of_scope" })),
        ("GET", "/api/v1/cases/{case}/claims", Nothing, no.clone()),
        ("POST", "/api/v1/cases/{case}/claims", Nothing, claim()),
        ("GET", "/api/v1/claims/{claim}", Nothing, no.clone()),
        ("PUT", "/api/v1/claims/{claim}/proposition", Nothing, refined),
        ("GET", "/api/v1/claims/{claim}/assertions", Nothing, no.clone()),
        ("POST", "/api/v1/claims/{claim}/assertions", Nothing, assertion(report)),
        (
            "PUT",
            "/api/v1/claims/{claim}/assertions/{assertion}/chain",
            Nothing,
            json!({ "chain": assertion(report)["chain"], "reason": "r" }),
        ),
        (
            "POST",
            "/api/v1/claims/{claim}/assertions/{assertion}/withdraw",
            Nothing,
            json!({ "why": "misread" }),
        ),
        ("POST", "/api/v1/claims/{claim}/assertions/{assertion}/reliability", Nothing, reliability),
        ("POST", "/api/v1/claims/{claim}/assertions/{assertion}/credibility", Nothing, grade),
        ("POST", "/api/v1/claims/{claim}/review", Nothing, review),
        ("POST", "/api/v1/claims/{claim}/review/return", Nothing, json!({ "questions": "q" })),
        ("GET", "/api/v1/claims/{claim}/verdicts", Nothing, no.clone()),
        ("POST", "/api/v1/claims/{claim}/verdicts", Nothing, verdict(known, said)),
        (
            "POST",
            "/api/v1/claims/{claim}/verdicts/{verdict}/dissents",
            Nothing,
            json!({ "opinion": 1, "reasons": "r" }),
        ),
        ("POST", "/api/v1/claims/{claim}/withdraw", Nothing, reason.clone()),
        ("POST", "/api/v1/claims/{claim}/reinstate", Nothing, reason.clone()),
        ("GET", "/api/v1/claims/{claim}/diff", Nothing, no.clone()),
        ("GET", "/api/v1/claims/{claim}/history", Nothing, no.clone()),
        ("GET", "/api/v1/cases/{case}/links", Nothing, no.clone()),
        ("POST", "/api/v1/cases/{case}/links", Nothing, link),
        ("GET", "/api/v1/links/{link}", Nothing, no.clone()),
        ("POST", "/api/v1/links/{link}/confirm", Nothing, json!({})),
        ("POST", "/api/v1/links/{link}/reject", Nothing, reason.clone()),
        ("POST", "/api/v1/links/{link}/withdraw", Nothing, reason),
        ("GET", "/api/v1/cases/{case}/contradictions", Nothing, no.clone()),
        ("GET", "/api/v1/review-queue", Anybody, no.clone()),
        ("GET", "/api/v1/search", Anybody, no.clone()),
        ("POST", "/api/v1/imports", Nothing, json!({})),
        ("GET", "/api/v1/imports/{import}", Nothing, no.clone()),
        ("GET", "/api/v1/audit/entries", Forbidden, no.clone()),
        ("GET", "/api/v1/audit/entries/{position}", Forbidden, no),
    ]
}

/// The path with real ids, or with ids of nothing.
fn place(path: &str, story: &Story, link: &str, real: bool) -> String {
    let random = Uuid::from_u128(0xdead).to_string();
    let ana = story.ana.id.to_string();
    let mut place = path.to_owned();
    for (name, id) in [
        ("{case}", story.case.as_str()),
        ("{report}", &story.report),
        ("{claim}", &story.claim),
        ("{assertion}", &story.assertion),
        ("{rendition}", &story.rendition),
        ("{user}", &ana),
        ("{session}", &story.ana.session),
        ("{import}", &random),
        ("{link}", link),
        ("{source}", &random),
        ("{verdict}", &random),
    ] {
        place = place.replace(name, if real { id } else { &random });
    }
    place = place
        .replace("{role}", "analyst")
        .replace("{flag}", "deceptive")
        .replace("{position}", "1");
    match path.rsplit('/').next() {
        Some("diff") => format!("{place}?from=1&to=2"),
        Some("imports") => {
            format!("{place}?format=ndjson&case={}", if real { &story.case } else { &random })
        }
        Some("search") => format!("{place}?q=villages"),
        _ => place,
    }
}

async fn ask(world: &World, method: &str, path: &str, token: Option<&str>, body: &Value) -> Reply {
    let method: Method = method.parse().unwrap();
    let body = (!body.is_null()).then(|| body.clone());
    let lines = [("content-type", "application/x-ndjson")];
    let headers = if path.contains("/imports?") { &lines[..] } else { &[] };
    world.send(method, path, token, body, headers).await
}

#[tokio::test]
async fn every_route_is_closed_to_strangers() {
    let world = World::new();
    let story = Story::new(&world).await;
    let other =
        world.post(&format!("/cases/{}/claims", story.case), &story.ana.token, claim()).await;
    let link = json!({ "from": { "claim": story.claim }, "type": "contradicts", "to": { "claim": other.id() }, "rationale": "r" });
    let link = world.post(&format!("/cases/{}/links", story.case), &story.ana.token, link).await;
    let link = link.expect(201).id();
    let table = table(&story);
    let served: Vec<(String, String)> = operations().into_iter().map(|(m, p, _)| (m, p)).collect();
    for (method, path) in &served {
        let known = table.iter().any(|(m, p, ..)| m == method && p == path);
        assert!(known, "{method} {path} is not in the table");
    }
    let outsider = world.person("out", &[HouseRole::Analyst]).await;
    for (method, path, expected, body) in &table {
        assert!(served.iter().any(|(m, p)| m == method && p == path), "{method} {path} is no more");
        let what = format!("{method} {path}");
        let real = place(path, &story, &link, true);
        let head = world.head();
        let stranger = ask(&world, method, &real, None, body).await;
        if *expected != Open {
            assert_eq!(stranger.status, 401, "{what}: {}", stranger.text);
        }
        if *expected == Anybody || *expected == Open {
            continue;
        }
        let seen = ask(&world, method, &real, Some(&outsider.token), body).await;
        let random =
            ask(&world, method, &place(path, &story, &link, false), Some(&outsider.token), body)
                .await;
        let status = if *expected == Nothing { 404 } else { 403 };
        assert_eq!(seen.status, status, "{what}: {}", seen.text);
        assert_eq!(seen.anonymous(), random.anonymous(), "{what}");
        assert_eq!(world.head(), head, "{what} wrote something");
    }
}
