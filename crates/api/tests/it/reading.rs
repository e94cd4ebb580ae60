//! The read log: what is read is recorded, what cannot be recorded is not shown, and a case may ask why.

use std::collections::BTreeSet;

use assay_api::reading::unrecorded::UNRECORDED;
use assay_domain::user::HouseRole;
use assay_store::journal::Journal;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::document::operations;
use crate::world::{Person, Reply, Story, World, claim, settings};

const NO: &[(&str, &str)] = &[];
const WHY: &[(&str, &str)] = &[("assay-purpose", "checking the dates")];

impl World {
    async fn status(&self, path: &str, token: &str, headers: &[(&str, &str)]) -> u16 {
        self.open(path, token, headers).await.status().as_u16()
    }

    async fn ask(&self, path: &str, token: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(Method::GET, path, Some(token), None, headers).await
    }

    /// What somebody read, first read first, once it is written down.
    async fn read_by(&self, auditor: &Person, reader: &Person, more: &str) -> Vec<Value> {
        self.readings.flush().await.unwrap();
        let path = format!("/audit/reads?limit=500&reader={}{more}", reader.id);
        let listed = self.see(&path, &auditor.token).await.expect(200);
        let mut items = listed.json["items"].as_array().unwrap().clone();
        items.reverse();
        items
    }

    /// Everything as it lies in the log.
    fn bytes(&self) -> String {
        let entries = Journal::entries(&self.log, 0, 100_000).unwrap();
        let data = entries.iter().map(|entry| String::from_utf8_lossy(&entry.recorded.fact.data));
        data.collect()
    }
}

async fn auditor(world: &World) -> Person {
    world.person("aud", &[HouseRole::Auditor]).await
}

/// The readings of one question.
fn of(items: &[Value], question: &str) -> Vec<Value> {
    items.iter().filter(|item| item["question"] == question).cloned().collect()
}

fn times(items: &[Value]) -> u64 {
    items.iter().map(|item| item["times"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn who_read_what_when_how_often_as_of_when_and_why_is_recorded() {
    let world = World::new();
    let (story, aud) = (Story::new(&world).await, auditor(&world).await);
    let (card, head) = (format!("/claims/{}", story.claim), world.head());
    world.see(&card, &story.rao.token).await.expect(200);
    world.clock.pass(5);
    world.get(&card, &story.rao.token).await.expect(200);
    world.get(&format!("{card}?as_of={}", head - 1), &story.rao.token).await.expect(200);
    world.ask(&card, &story.rao.token, WHY).await.expect(200);
    let search = format!("/search?q=villages&kind=claim&case={}", story.case);
    world.get(&search, &story.rao.token).await.expect(200);
    let items = world.read_by(&aud, &story.rao, "").await;
    let cards = of(&items, "/claims/{claim}");
    assert_eq!(cards.len(), 3, "{cards:#?}");
    let [plain] = &cards.iter().filter(|item| item["times"] == 2).collect::<Vec<_>>()[..] else {
        panic!("{cards:#?}");
    };
    assert_eq!(plain["subject"], story.claim.as_str());
    assert_eq!(plain["case"], story.case.as_str());
    assert_eq!(plain["session"], story.rao.session.as_str());
    assert_eq!((&plain["as_of"], &plain["asked"]), (&json!(head), &Value::Null));
    let second = |at: &Value| at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (first, last) = (second(&plain["first_at"]), second(&plain["last_at"]));
    assert_eq!(last.duration_since(first).as_secs(), 5);
    assert!(cards.iter().any(|item| item["as_of"] == head - 1));
    assert!(cards.iter().any(|item| item["purpose"] == "checking the dates"));
    let [found] = &of(&items, "/search")[..] else { panic!("{items:#?}") };
    assert_eq!(found["asked"], format!("q=villages\nkind=claim\ncase={}", story.case));
    assert_eq!((&found["case"], &found["subject"]), (&json!(story.case), &Value::Null));
    let narrowed = world.read_by(&aud, &story.rao, &format!("&subject={}", story.claim)).await;
    assert_eq!(of(&narrowed, "/claims/{claim}").len(), narrowed.len());
    let elsewhere = world.read_by(&aud, &story.rao, &format!("&case={}", Uuid::nil())).await;
    assert!(elsewhere.is_empty());
}

#[tokio::test]
async fn what_is_known_already_counts_and_what_is_refused_does_not() {
    let world = World::new();
    let (story, aud) = (Story::new(&world).await, auditor(&world).await);
    let out = world.person("out", &[HouseRole::Analyst]).await;
    let card = format!("/claims/{}", story.claim);
    let etag = world.see(&card, &story.rao.token).await.expect(200).header("etag").to_owned();
    world.ask(&card, &story.rao.token, &[("if-none-match", &etag)]).await.expect(304);
    world.get(&card, &out.token).await.expect(404);
    world.get("/audit/entries", &out.token).await.expect(403);
    world.get("/audit/reads", &out.token).await.expect(403);
    world.get("/cases?limit=0", &out.token).await.expect(400);
    world.ask(&card, &story.rao.token, &[("assay-purpose", "x")]).await.expect(400);
    let seen = of(&world.read_by(&aud, &story.rao, "").await, "/claims/{claim}");
    assert_eq!(times(&seen), 2);
    let items = world.read_by(&aud, &out, "").await;
    assert!(items.iter().all(|item| item["question"] == "/users/{user}"), "{items:#?}");
}

#[tokio::test]
async fn words_that_were_asked_and_purposes_are_sealed_in_the_log() {
    let world = World::new();
    let (story, aud) = (Story::new(&world).await, auditor(&world).await);
    let why = [("assay-purpose", "because of Petrenko")];
    world.ask("/search?q=Shevchenko", &story.rao.token, &why).await.expect(200);
    let items = of(&world.read_by(&aud, &story.rao, "").await, "/search");
    assert_eq!(
        (&items[0]["asked"], &items[0]["purpose"]),
        (&json!("q=Shevchenko"), &json!(why[0].1))
    );
    let bytes = world.bytes();
    assert!(bytes.contains("access.reads_recorded.v1") || bytes.contains("/claims/{claim}"));
    for word in ["Shevchenko", "Petrenko"] {
        assert!(!bytes.contains(word), "{word} lies open in the log");
    }
}

#[tokio::test]
async fn auditors_leave_readings_too_and_exports_before_they_go() {
    let world = World::new();
    let (story, aud) = (Story::new(&world).await, auditor(&world).await);
    let other = world.person("aud2", &[HouseRole::Auditor]).await;
    let lines = [("accept", "application/x-ndjson")];
    world.see(&format!("/cases/{}/history", story.case), &aud.token).await.expect(200);
    let before = world.head();
    world.ask("/audit/entries", &aud.token, &lines).await.expect(200);
    assert_eq!(world.head(), before + 1, "recorded at once");
    world.get("/audit/reads", &aud.token).await.expect(200);
    assert_eq!(world.head(), before + 2, "recorded at once");
    let items = world.read_by(&other, &aud, "").await;
    for question in ["/cases/{case}/history", "/audit/entries", "/audit/reads"] {
        assert_eq!(times(&of(&items, question)), 1, "{question}");
    }
    world.mood.full();
    for (path, headers) in [("/audit/entries", &lines[..]), ("/audit/reads", NO)] {
        let refused = world.ask(path, &aud.token, headers).await.expect(503);
        assert_eq!(refused.code(), "read_log_unavailable");
        assert!(!refused.header("retry-after").is_empty());
        assert!(!refused.text.contains("items"));
    }
    world.get("/audit/entries", &aud.token).await.expect(200);
}

#[tokio::test]
async fn everybody_sees_what_they_read_themselves_and_nothing_else() {
    let world = World::new();
    let story = Story::new(&world).await;
    world.see(&format!("/claims/{}", story.claim), &story.rao.token).await.expect(200);
    world.see(&format!("/reports/{}", story.report), &story.ana.token).await.expect(200);
    world.readings.flush().await.unwrap();
    let mine = world.see("/me/reads", &story.rao.token).await.expect(200);
    let items = mine.json["items"].as_array().unwrap().clone();
    assert_eq!(of(&items, "/claims/{claim}").len(), 1);
    assert!(items.iter().all(|item| item["reader"] == json!(story.rao.id)), "{items:#?}");
    world.readings.flush().await.unwrap();
    let again = world.see("/me/reads", &story.rao.token).await.expect(200);
    assert_eq!(of(again.json["items"].as_array().unwrap(), "/me/reads").len(), 1);
}

#[tokio::test]
async fn two_sessions_are_two_records() {
    let world = World::new();
    let (story, aud) = (Story::new(&world).await, auditor(&world).await);
    let second = world.login("rao", crate::world::PASSWORD).await.expect(200);
    let token = second.json["access_token"].as_str().unwrap();
    let card = format!("/claims/{}", story.claim);
    world.see(&card, &story.rao.token).await.expect(200);
    world.get(&card, token).await.expect(200);
    let items = of(&world.read_by(&aud, &story.rao, "").await, "/claims/{claim}");
    let sessions: BTreeSet<_> = items.iter().map(|item| item["session"].to_string()).collect();
    assert_eq!((items.len(), sessions.len()), (2, 2));
}

/// Reads a stream until it has told of a fact.
async fn told(stream: &mut reqwest::Response, fact: &str) {
    let mut text = String::new();
    while !text.contains(fact) {
        let part = stream.chunk().await.unwrap().unwrap_or_else(|| panic!("it ended: {text}"));
        text.push_str(std::str::from_utf8(&part).unwrap());
    }
}

#[tokio::test]
async fn a_stream_of_changes_is_read_as_often_as_it_tells_something() {
    let world = World::new();
    let (story, aud) = (Story::new(&world).await, auditor(&world).await);
    let changes = format!("/cases/{}/changes?from=0", story.case);
    let mut stream = world.open(&changes, &story.rao.token, NO).await;
    told(&mut stream, "claim.assertion_recorded.v1").await;
    let title = format!("/cases/{}/title", story.case);
    world.put(&title, &story.ana.token, json!({ "title": "Another" })).await.expect(200);
    let retitled = world.head();
    told(&mut stream, "case.retitled.v1").await;
    let items = of(&world.read_by(&aud, &story.rao, "").await, "/cases/{case}/changes");
    assert!(times(&items) >= 3, "its opening and two parts: {items:#?}");
    assert_eq!(items[0]["case"], story.case.as_str());
    assert!(items.iter().any(|item| item["as_of"] == retitled), "{items:#?}");
    // From now on the case demands a purpose: who named none hears no more.
    let demand = format!("/cases/{}/demand-purpose", story.case);
    world.send(Method::POST, &demand, Some(&story.ana.token), None, NO).await.expect(200);
    assert!(stream.chunk().await.unwrap().is_none());
}

/// A path with the ids of the story in it.
fn place(path: &str, story: &Story) -> String {
    let ana = story.ana.id.to_string();
    let mut place = path.strip_prefix("/api/v1").unwrap_or(path).to_owned();
    for (name, id) in [
        ("{case}", story.case.as_str()),
        ("{report}", &story.report),
        ("{rendition}", &story.rendition),
        ("{claim}", &story.claim),
        ("{user}", &ana),
        ("{position}", "1"),
    ] {
        place = place.replace(name, id);
    }
    match path.rsplit('/').next() {
        Some("diff") => format!("{place}?from=1"),
        Some("search") => format!("{place}?q=villages"),
        _ => place,
    }
}

#[tokio::test]
async fn every_get_is_recorded_or_named_with_its_reason() {
    let world = World::new();
    let (story, aud) = (Story::new(&world).await, auditor(&world).await);
    let gets: Vec<String> = operations()
        .into_iter()
        .filter(|(method, ..)| method == "GET")
        .map(|(_, p, _)| p)
        .collect();
    for (path, reason) in UNRECORDED {
        assert!(!reason.is_empty() && gets.iter().any(|get| get == path), "{path} is no more");
    }
    world.see(&format!("/claims/{}", story.claim), &aud.token).await.expect(200);
    let mut answered = 0;
    for path in &gets {
        let unrecorded = UNRECORDED.iter().any(|(known, _)| known == path);
        world.readings.flush().await.unwrap();
        let head = world.head();
        let status = world.status(&place(path, &story), &aud.token, NO).await;
        if status != 200 {
            continue; // Nothing was shown; what a route needs beyond the story has its own tests.
        }
        answered += 1;
        let recorded = world.readings.pending() > 0 || world.head() > head;
        assert_eq!(recorded, !unrecorded, "{path}");
    }
    assert!(answered > 25, "{answered} of {}", gets.len());
}

#[tokio::test]
async fn a_full_book_shows_nothing_more_until_the_log_takes_it() {
    let world = World::with(assay_api::Settings { read_log_pending_max: 3, ..settings() });
    let ana = world.person("ana", &[HouseRole::Analyst]).await;
    world.readings.flush().await.unwrap();
    world.mood.full();
    for limit in 1..=3 {
        world.get(&format!("/cases?limit={limit}"), &ana.token).await.expect(200);
    }
    let refused = world.get("/cases?limit=4", &ana.token).await.expect(503);
    assert_eq!(refused.code(), "read_log_full");
    assert!(!refused.header("retry-after").is_empty() && !refused.text.contains("items"));
    world.get("/cases?limit=1", &ana.token).await.expect(200);
    world.get("/me", &ana.token).await.expect(200);
    let ready = world.get("/health/ready", "").await.expect(503);
    assert!(ready.text.contains("3 readings wait"), "{}", ready.text);
    world.post("/cases", &ana.token, json!({ "title": "Writing goes on" })).await.expect(201);
    let kept = world.readings.flush().await.unwrap_err();
    assert_eq!(kept.pending, 3);
    world.get("/cases?limit=4", &ana.token).await.expect(503);
    world.mood.well();
    world.readings.flush().await.unwrap();
    assert_eq!(world.readings.pending(), 0);
    world.get("/cases?limit=4", &ana.token).await.expect(200);
    let ready = world.get("/health/ready", "").await.expect(200);
    assert_eq!(ready.json["read_log"]["pending"], 1);
}

#[tokio::test]
async fn what_the_log_does_not_take_is_kept_and_recorded_once() {
    let world = World::new();
    let (story, aud) = (Story::new(&world).await, auditor(&world).await);
    let card = format!("/claims/{}", story.claim);
    world.readings.flush().await.unwrap();
    world.see(&card, &story.rao.token).await.expect(200);
    world.mood.full();
    world.readings.flush().await.unwrap_err();
    world.clock.pass(90);
    world.get(&card, &story.rao.token).await.expect(200);
    let health = world.get("/health/ready", "").await.expect(200).json["read_log"].clone();
    assert_eq!(health, json!({ "pending": 2, "oldest_age_s": 90, "state": "waiting" }));
    // The log takes it and nobody learns of it: asked again, it adds nothing.
    world.mood.silent();
    world.readings.flush().await.unwrap_err();
    world.readings.flush().await.unwrap_err();
    world.mood.well();
    let items = of(&world.read_by(&aud, &story.rao, "").await, "/claims/{claim}");
    assert_eq!((items.len(), times(&items)), (2, 2), "{items:#?}");
    let health = world.get("/health/ready", "").await.expect(200).json["read_log"].clone();
    assert_eq!(health["state"], "well");
}

/// A case that demands a purpose, with a claim under review.
async fn demanding(world: &World) -> (Story, String) {
    let story = Story::new(world).await;
    let asked = format!("/claims/{}/review", story.claim);
    world.post(&asked, &story.ana.token, json!({ "priority": 1 })).await.expect(200);
    let demand = format!("/cases/{}/demand-purpose", story.case);
    let refused = world.send(Method::POST, &demand, Some(&story.rao.token), None, NO).await;
    refused.expect(403);
    for _ in 0..2 {
        world.send(Method::POST, &demand, Some(&story.ana.token), None, NO).await.expect(200);
    }
    let head = world.head();
    world.get(&format!("/me/reads?after={head}"), &story.ana.token).await.expect(200);
    (story, demand)
}

#[tokio::test]
async fn a_case_that_demands_a_purpose_is_read_by_nobody_without_one() {
    let world = World::new();
    let (story, _) = demanding(&world).await;
    let aud = auditor(&world).await;
    let out = world.person("out", &[HouseRole::Analyst]).await;
    let Story { case, report, claim, rendition, .. } = &story;
    let direct = [
        format!("/cases/{case}/overview"),
        format!("/cases/{case}/members"),
        format!("/cases/{case}/reports"),
        format!("/cases/{case}/claims?limit=100"),
        format!("/cases/{case}/links"),
        format!("/cases/{case}/contradictions"),
        format!("/cases/{case}/history"),
        format!("/cases/{case}/diff?from=1"),
        format!("/cases/{case}/changes"),
        format!("/audit/cases/{case}/steps"),
        format!("/audit/cases/{case}/steps/{}", world.head()),
        format!("/audit/cases/{case}/state"),
        format!("/reports/{report}"),
        format!("/reports/{report}/renditions/{rendition}"),
        format!("/reports/{report}/renditions/{rendition}/text"),
        format!("/reports/{report}/coverage"),
        format!("/reports/{report}/history"),
        format!("/claims/{claim}"),
        format!("/claims/{claim}?as_of={}", world.head()),
        format!("/claims/{claim}/assertions"),
        format!("/claims/{claim}/verdicts"),
        format!("/claims/{claim}/history"),
        format!("/claims/{claim}/diff?from=1"),
    ];
    for path in &direct {
        for (person, with) in [(&story.ana, 200), (&story.rao, 200), (&aud, 200), (&out, 404)] {
            let what = format!("{path} by {}", person.id);
            let without = if with == 200 { 403 } else { 404 };
            assert_eq!(world.status(path, &person.token, NO).await, without, "{what}");
            assert_eq!(world.status(path, &person.token, WHY).await, with, "{what}");
        }
        let refused = world.get(path, &story.rao.token).await;
        assert_eq!(refused.code(), "purpose_required");
        assert!(refused.json["detail"].as_str().unwrap().contains("Assay-Purpose"));
        let stranger = world.get(path, &out.token).await.anonymous();
        let nothing = world.get(&format!("/claims/{}", Uuid::nil()), &out.token).await.anonymous();
        assert_eq!(stranger, nothing, "{path}");
    }
}

#[tokio::test]
async fn lists_leave_out_a_case_that_demands_a_purpose_but_it_is_known_to_be_there() {
    let world = World::new();
    let (story, _) = demanding(&world).await;
    let aud = auditor(&world).await;
    let out = world.person("out", &[HouseRole::Analyst]).await;
    let count = async |path: &str, person: &Person, headers| {
        let listed = world.ask(path, &person.token, headers).await.expect(200);
        listed.json["items"].as_array().unwrap().len()
    };
    let member = [format!("/audit/diff?from=1&query=/cases/{}/claims", story.case)];
    for path in &member {
        world.get(path, &story.ana.token).await.expect(403);
        world.ask(path, &story.ana.token, WHY).await.expect(200);
        world.ask(path, &out.token, WHY).await.expect(404);
    }
    let bundle = format!("/cases/{}/bundles", story.case);
    let body = json!({ "disclose": "none" });
    let refused = world.post(&bundle, &story.ana.token, body).await.expect(403);
    assert_eq!(refused.code(), "purpose_required");
    for path in ["/search?q=villages", "/review-queue"] {
        for person in [&story.ana, &story.rao, &aud] {
            assert_eq!(count(path, person, NO).await, 0, "{path}");
            assert!(count(path, person, WHY).await > 0, "{path}");
        }
        assert_eq!(count(path, &out, WHY).await, 0, "{path}");
    }
    let entries = world.ask("/audit/entries?limit=500", &aud.token, NO).await.expect(200).text;
    assert!(!entries.contains(&story.case));
    let entries = world.ask("/audit/entries?limit=500", &aud.token, WHY).await.expect(200).text;
    assert!(entries.contains(&story.case));
    let card = format!("/cases/{}", story.case);
    for person in [&story.ana, &story.rao, &aud] {
        assert_eq!(count("/cases", person, NO).await, 1);
        let shown = world.get(&card, &person.token).await.expect(200);
        assert_eq!(shown.json["purpose_demanded"], true);
    }
    assert_eq!(count("/cases", &out, WHY).await, 0);
    world.ask(&card, &out.token, WHY).await.expect(404);
}

#[tokio::test]
async fn writing_needs_no_purpose_and_a_waived_demand_is_none() {
    let world = World::new();
    let (story, _) = demanding(&world).await;
    let place = format!("/cases/{}/claims", story.case);
    let more = world.post(&place, &story.ana.token, claim()).await.expect(201).id();
    let card = format!("/claims/{more}");
    assert_eq!(world.see(&card, &story.ana.token).await.code(), "purpose_required");
    let waive = format!("/cases/{}/waive-purpose", story.case);
    let reason = json!({ "reason": "it was published" });
    world.post(&waive, &story.rao.token, reason.clone()).await.expect(403);
    world.post(&waive, &story.ana.token, reason).await.expect(200);
    world.see(&card, &story.ana.token).await.expect(200);
    let close = format!("/cases/{}/close", story.case);
    world.post(&close, &story.ana.token, json!({ "outcome": "told" })).await.expect(200);
}
