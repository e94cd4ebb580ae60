//! Analyst, reviewer and auditor do their whole job over HTTP.

use assay_domain::user::HouseRole;
use reqwest::Method;
use serde_json::json;

use crate::world::{Story, TEXT, World, verdict};

#[tokio::test]
async fn from_report_to_verdict_to_audit() {
    let world = World::new();
    let story = Story::new(&world).await;
    let Story { ana, rao, case, report, claim, assertion, .. } = &story;

    // The analyst asks for review; her own verdict is refused.
    let grade = json!({ "link": 1, "grade": "C", "rationale": "Unnamed, but close." });
    let place = format!("/claims/{claim}/assertions/{assertion}/reliability");
    world.post(&place, &ana.token, grade).await.expect(200);
    world.post(&format!("/claims/{claim}/review"), &ana.token, json!({})).await.expect(200);
    let verdicts = format!("/claims/{claim}/verdicts");
    let own = world.post(&verdicts, &ana.token, verdict(claim, assertion)).await;
    assert_eq!((own.status, own.code()), (403, "forbidden"));

    // The reviewer sees it in the queue and judges.
    let queue = world.see("/review-queue", &rao.token).await.expect(200);
    assert_eq!(queue.json["items"][0]["claim"], json!(claim));
    assert_eq!(queue.json["items"][0]["barred"], json!(false));
    let before = world.head();
    let judged = world.post(&verdicts, &rao.token, verdict(claim, assertion)).await.expect(201);
    assert_eq!(judged.header("etag"), format!("\"{}\"", judged.json["receipt"]["revision"]));
    let card = world.see(&format!("/claims/{claim}"), &ana.token).await.expect(200);
    assert_eq!(card.json["standing"], "adjudicated", "{}", card.text);
    assert_eq!(card.json["as_of"]["position"], json!(world.head()));

    // As of before the verdict it was still under review, now and for ever.
    let then = world.get(&format!("/claims/{claim}?as_of={before}"), &ana.token).await.expect(200);
    assert_eq!(then.json["standing"], "under_review");
    assert_eq!(then.json["as_of"]["position"], json!(before));
    assert!(then.header("cache-control").contains("immutable"));
    let series = world.get(&verdicts, &ana.token).await.expect(200);
    assert_eq!(series.json["items"].as_array().map(Vec::len), Some(1));

    // The auditor replays everything and writes nothing.
    let auditor = world.person("aud", &[HouseRole::Auditor]).await;
    let head = world.head();
    let entries = world.see("/audit/entries?limit=500", &auditor.token).await.expect(200);
    assert_eq!(entries.json["items"].as_array().map(Vec::len), usize::try_from(head).ok());
    let lines = [("accept", "application/x-ndjson")];
    let path = format!("/audit/entries?from=2&after={head}");
    let lines = world.send(Method::GET, &path, Some(&auditor.token), None, &lines).await;
    let positions: Vec<u64> = lines
        .text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["position"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(positions, (3..=head).collect::<Vec<_>>());
    let title = json!({ "title": "Mine" });
    let refused = world.put(&format!("/cases/{case}/title"), &auditor.token, title).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));
    let diff = format!("/cases/{case}/diff?from={before}&to={head}");
    let diff = world.get(&diff, &auditor.token).await.expect(200);
    assert!(diff.json["items"].as_array().is_some_and(|items| !items.is_empty()), "{}", diff.text);

    // Texts come back byte for byte; what is found is found.
    let text = format!("/reports/{report}/renditions/{}/text", story.rendition);
    let text = world.get(&text, &rao.token).await.expect(200);
    assert_eq!(text.text, TEXT);
    assert!(text.header("content-disposition").starts_with("attachment"));
    let found = world.get("/search?q=villages", &rao.token).await.expect(200);
    assert!(found.json["items"].as_array().is_some_and(|items| items.len() >= 2), "{}", found.text);
    let coverage = world.get(&format!("/reports/{report}/coverage"), &rao.token).await.expect(200);
    assert_eq!(coverage.json["words_covered"], json!(5), "{}", coverage.text);
}

#[tokio::test]
async fn every_list_of_a_case_pages_and_filters() {
    let world = World::new();
    let story = Story::new(&world).await;
    let Story { ana, case, .. } = &story;
    for n in 0..4 {
        let body =
            json!({ "kind": "event", "gist": format!("Event {n}."), "polarity": "affirmed" });
        world.post(&format!("/cases/{case}/claims"), &ana.token, body).await.expect(201);
    }
    let first = world.see(&format!("/cases/{case}/claims?limit=2"), &ana.token).await.expect(200);
    let next = first.json["next"].as_str().unwrap();
    assert!(first.header("link").contains("rel=\"next\""));
    let second =
        world.get(&format!("/cases/{case}/claims?limit=2&cursor={next}"), &ana.token).await;
    let second = second.expect(200);
    assert_eq!(second.json["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(first.json["as_of"], second.json["as_of"]);
    for (query, count) in [
        ("kind=event", 4),
        ("kind=control", 1),
        ("valid_at=2018-01-08", 1),
        ("valid_at=2018-01-08&match=certain", 0),
        ("valid_at=2018&match=certain", 1),
        ("valid_at=2016", 0),
    ] {
        let page =
            world.get(&format!("/cases/{case}/claims?{query}"), &ana.token).await.expect(200);
        assert_eq!(
            page.json["items"].as_array().map(Vec::len),
            Some(count),
            "{query}: {}",
            page.text
        );
    }
    for place in ["reports", "members", "links", "contradictions", "history", "overview"] {
        world.get(&format!("/cases/{case}/{place}"), &ana.token).await.expect(200);
    }
    let wrong = world.get("/cases?limit=0", &ana.token).await;
    assert_eq!((wrong.status, wrong.code()), (400, "limit_invalid"));
    let wrong = world.get("/cases?cursor=zzz", &ana.token).await;
    assert_eq!((wrong.status, wrong.code()), (400, "cursor_invalid"));
}

#[tokio::test]
async fn who_is_removed_is_out_at_the_next_request() {
    let world = World::new();
    let Story { ana, rao, case, .. } = Story::new(&world).await;
    world.see(&format!("/cases/{case}"), &rao.token).await.expect(200);
    let member = format!("/cases/{case}/members/{}", rao.id);
    world.send(Method::DELETE, &member, Some(&ana.token), None, &[]).await.expect(200);
    world.see(&format!("/cases/{case}"), &rao.token).await.expect(404);
}

/// Reads a stream until it has said this; parts may come in any size.
async fn told(stream: &mut reqwest::Response, words: &str) -> String {
    let mut text = String::new();
    while !(text.contains(words) && text.ends_with("\n\n")) {
        let part = stream.chunk().await.unwrap().unwrap_or_else(|| panic!("it ended: {text}"));
        text.push_str(std::str::from_utf8(&part).unwrap());
    }
    text
}

#[tokio::test]
async fn a_stream_tells_each_fact_once_and_goes_on_where_it_was() {
    let world = World::new();
    let Story { ana, case, .. } = Story::new(&world).await;
    let url = format!("{}/api/v1/cases/{case}/changes?from=0", world.base);
    let head = world.head();
    let client = reqwest::Client::new();
    let mut stream = client.get(&url).bearer_auth(&ana.token).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = told(&mut stream, &format!("id: {head}\n")).await;
    assert!(first.contains("event: case.opened.v1\n"), "{first}");
    let title = json!({ "title": "Another" });
    world.put(&format!("/cases/{case}/title"), &ana.token, title).await.expect(200);
    let next = told(&mut stream, "event: case.retitled.v1\n").await;
    assert!(next.starts_with(&format!("id: {}\n", head + 1)), "{next}");
    let later = client.get(&url).bearer_auth(&ana.token).header("Last-Event-ID", head.to_string());
    let mut later = later.send().await.unwrap();
    assert_eq!(told(&mut later, "event: case.retitled.v1\n").await, next);
    // The session ends, and so do its streams.
    world.send(Method::POST, "/logout", Some(&ana.token), None, &[]).await.expect(204);
    assert!(stream.chunk().await.unwrap().is_none());
}
