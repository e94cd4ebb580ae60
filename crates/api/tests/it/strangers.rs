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
    let finding = json!({
        "case": story.case, "entries": [1], "severity": "note", "statement": "s"
    });
    let erasure = json!({
        "subject": { "kind": "claim", "id": known }, "living": "dead", "ground": "g"
    });
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
        ("GET", "/api/v1/me/reads", Anybody, no.clone()),
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
        ("POST", "/api/v1/cases/{case}/demand-purpose", Nothing, no.clone()),
        ("POST", "/api/v1/cases/{case}/waive-purpose", Nothing, reason.clone()),
        ("POST", "/api/v1/cases/{case}/close", Nothing, json!({ "outcome": "done" })),
        ("POST", "/api/v1/cases/{case}/reopen", Nothing, reason.clone()),
        ("GET", "/api/v1/cases/{case}/diff", Nothing, no.clone()),
        ("GET", "/api/v1/cases/{case}/history", Nothing, no.clone()),
        ("GET", "/api/v1/cases/{case}/changes", Nothing, no.clone()),
        ("GET", "/api/v1/cases/{case}/exports/stix", Nothing, no.clone()),
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
        ("GET", "/api/v1/claims/{claim}/claim-review", Nothing, no.clone()),
        ("GET", "/api/v1/claims/{claim}/history", Nothing, no.clone()),
        ("GET", "/api/v1/cases/{case}/links", Nothing, no.clone()),
        ("POST", "/api/v1/cases/{case}/links", Nothing, link),
        ("GET", "/api/v1/links/{link}", Nothing, no.clone()),
        ("POST", "/api/v1/links/{link}/confirm", Nothing, json!({})),
        ("POST", "/api/v1/links/{link}/reject", Nothing, reason.clone()),
        ("POST", "/api/v1/links/{link}/withdraw", Nothing, reason.clone()),
        ("GET", "/api/v1/cases/{case}/contradictions", Nothing, no.clone()),
        ("GET", "/api/v1/review-queue", Anybody, no.clone()),
        ("GET", "/api/v1/search", Anybody, no.clone()),
        ("POST", "/api/v1/imports", Nothing, json!({})),
        ("GET", "/api/v1/imports/{import}", Nothing, no.clone()),
        ("GET", "/api/v1/audit/entries", Forbidden, no.clone()),
        ("GET", "/api/v1/audit/entries/{position}", Forbidden, no.clone()),
        ("GET", "/api/v1/audit/reads", Forbidden, no.clone()),
        ("GET", "/api/v1/audit/cases/{case}/steps", Nothing, no.clone()),
        ("GET", "/api/v1/audit/cases/{case}/steps/{position}", Nothing, no.clone()),
        ("GET", "/api/v1/audit/cases/{case}/state", Nothing, no.clone()),
        ("GET", "/api/v1/audit/access", Nothing, no.clone()),
        ("GET", "/api/v1/audit/diff", Nothing, no.clone()),
        ("GET", "/api/v1/audit/anchors", Forbidden, no.clone()),
        ("GET", "/api/v1/findings", Anybody, no.clone()),
        ("POST", "/api/v1/findings", Forbidden, finding),
        ("GET", "/api/v1/findings/{finding}", Nothing, no.clone()),
        ("POST", "/api/v1/findings/{finding}/answers", Nothing, json!({ "answer": "a" })),
        (
            "POST",
            "/api/v1/findings/{finding}/close",
            Nothing,
            json!({ "outcome": "unfounded", "reason": "r" }),
        ),
        ("POST", "/api/v1/findings/{finding}/reopen", Nothing, reason.clone()),
        ("GET", "/api/v1/replays", Anybody, no.clone()),
        (
            "POST",
            "/api/v1/replays",
            Nothing,
            json!({ "case": story.case, "title": "t", "from": 0, "to": 1 }),
        ),
        ("GET", "/api/v1/replays/{replay}", Nothing, no.clone()),
        ("POST", "/api/v1/replays/{replay}/goto", Nothing, json!({ "position": 1 })),
        ("POST", "/api/v1/replays/{replay}/drop", Nothing, no.clone()),
        ("GET", "/api/v1/erasures", Forbidden, no.clone()),
        ("POST", "/api/v1/erasures", Forbidden, erasure),
        ("GET", "/api/v1/erasures/{erasure}", Forbidden, no.clone()),
        ("POST", "/api/v1/erasures/{erasure}/restrict", Forbidden, reason.clone()),
        ("POST", "/api/v1/erasures/{erasure}/lift", Forbidden, reason),
        ("POST", "/api/v1/erasures/{erasure}/refuse", Forbidden, json!({ "ground": "g" })),
        ("POST", "/api/v1/erasures/{erasure}/carry-out", Forbidden, no.clone()),
        ("GET", "/api/v1/adoptions", Anybody, no.clone()),
        ("GET", "/api/v1/adoptions/{adoption}", Nothing, no.clone()),
        ("GET", "/ledger/checkpoint", Anybody, no.clone()),
        ("GET", "/ledger/tile/entries/{path}", Forbidden, no.clone()),
        ("GET", "/ledger/tile/{level}/{path}", Anybody, no.clone()),
        ("GET", "/api/v1/ledger/keys", Anybody, no.clone()),
        ("GET", "/api/v1/ledger/checkpoints", Anybody, no.clone()),
        ("GET", "/api/v1/ledger/checkpoints/{size}", Anybody, no.clone()),
        ("GET", "/api/v1/ledger/entries/{position}/proof", Nothing, no.clone()),
        ("GET", "/api/v1/ledger/consistency", Anybody, no),
        ("POST", "/api/v1/cases/{case}/bundles", Nothing, json!({ "disclose": "all" })),
    ]
}

/// What there is beside the story, by its ids.
struct More {
    link: String,
    finding: String,
    replay: String,
    erasure: String,
}

impl More {
    async fn new(world: &World, story: &Story) -> Self {
        let Story { case, ana, claim: known, .. } = story;
        let other = world.post(&format!("/cases/{case}/claims"), &ana.token, claim()).await.id();
        let link = json!({
            "from": { "claim": known }, "type": "contradicts", "to": { "claim": other },
            "rationale": "r"
        });
        let link = world.post(&format!("/cases/{case}/links"), &ana.token, link).await.id();
        let entries = [world.head()];
        let aud = world.person("aud", &[HouseRole::Auditor]).await;
        let dpo = world.person("dpo", &[HouseRole::Dpo]).await;
        let finding = json!({
            "case": case, "entries": entries, "severity": "note", "statement": "s"
        });
        let finding = world.post("/findings", &aud.token, finding).await.expect(201).id();
        let head = world.head();
        world.see("/cases", &ana.token).await.expect(200);
        let replay = json!({ "case": case, "title": "t", "from": 0, "to": head });
        let replay = world.post("/replays", &ana.token, replay).await.expect(201).id();
        let erasure = json!({
            "subject": { "kind": "claim", "id": known }, "living": "dead", "ground": "g"
        });
        let erasure = world.post("/erasures", &dpo.token, erasure).await.expect(201).id();
        world.see("/cases", &ana.token).await.expect(200);
        Self { link, finding, replay, erasure }
    }
}

/// The path with real ids, or with ids of nothing.
fn place(path: &str, story: &Story, more: &More, real: bool) -> String {
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
        ("{link}", &more.link),
        ("{finding}", &more.finding),
        ("{replay}", &more.replay),
        ("{erasure}", &more.erasure),
        ("{adoption}", &random),
        ("{source}", &random),
        ("{verdict}", &random),
    ] {
        place = place.replace(name, if real { id } else { &random });
    }
    place = place
        .replace("{role}", "analyst")
        .replace("{flag}", "deceptive")
        .replace("{position}", "1")
        .replace("{size}", "1")
        .replace("{level}", "0")
        .replace("{path}", "000");
    if path.starts_with("/api/v1/audit/") {
        let case = if real { &story.case } else { &random };
        return match path.rsplit('/').next() {
            Some("access") => format!("{place}?subject=case:{case}"),
            Some("diff") => format!("{place}?query=/cases/{case}/claims&from=1&to=2"),
            _ => place,
        };
    }
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
    let more = More::new(&world, &story).await;
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
        let real = place(path, &story, &more, true);
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
            ask(&world, method, &place(path, &story, &more, false), Some(&outsider.token), body)
                .await;
        let status = if *expected == Nothing { 404 } else { 403 };
        assert_eq!(seen.status, status, "{what}: {}", seen.text);
        assert_eq!(seen.anonymous(), random.anonymous(), "{what}");
        assert_eq!(world.head(), head, "{what} wrote something");
    }
}

/// What an auditor may write beside what is their own: findings, replays, and a case in a file, which is reading.
fn auditors_may(path: &str) -> bool {
    let own = [
        "/login",
        "/logout",
        "/token/refresh",
        "/password",
        "/me/password",
        "/me/sessions/{session}",
    ];
    own.iter().any(|end| path == format!("/api/v1{end}"))
        || path.starts_with("/api/v1/findings")
        || path.starts_with("/api/v1/replays")
        || path.ends_with("/bundles")
}

#[tokio::test]
async fn an_auditor_writes_nothing_but_findings_and_replays() {
    let world = World::new();
    let story = Story::new(&world).await;
    let more = More::new(&world, &story).await;
    let aud = world.person("aud", &[HouseRole::Auditor]).await;
    world.see("/cases", &aud.token).await.expect(200);
    let head = world.head();
    for (method, path, _, body) in table(&story) {
        if method == "GET" || auditors_may(path) {
            continue;
        }
        let real = place(path, &story, &more, true);
        let refused = ask(&world, method, &real, Some(&aud.token), &body).await;
        // What there is none of, there is none of for them as well.
        let missing = path.contains("{source}") || path.contains("{verdict}");
        let status = if missing && refused.status == 404 { 404 } else { 403 };
        assert_eq!(refused.status, status, "{method} {path}: {}", refused.text);
    }
    assert_eq!(world.head(), head);
}
