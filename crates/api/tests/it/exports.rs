//! Cases and verdicts in other people's formats: who gets them, as of when, and that it is recorded first.

use serde_json::{Value, json};

use crate::world::{Story, World, claim, verdict};

async fn bundle(world: &World, story: &Story, more: &str) -> (Value, String) {
    let path = format!("/cases/{}/exports/stix{more}", story.case);
    let told = world.see(&path, &story.ana.token).await.expect(200);
    assert_eq!(told.header("content-type"), "application/stix+json;version=2.1");
    assert!(told.header("content-disposition").starts_with("attachment"));
    (told.json, told.text)
}

/// How many objects of a type there are.
fn count(bundle: &Value, kind: &str) -> usize {
    let objects = bundle["objects"].as_array().unwrap().iter();
    objects.filter(|object| object["type"] == kind).count()
}

#[tokio::test]
async fn a_case_as_of_a_position_is_the_same_bytes_whatever_comes_later() {
    let world = World::new();
    let story = Story::new(&world).await;
    let then = world.head();
    // What is recorded of this reading is of another instant than what is read.
    world.clock.pass(1);
    let (now, text) = bundle(&world, &story, "").await;
    assert_eq!((count(&now, "assay-claim"), count(&now, "assay-assertion")), (1, 1));
    assert_eq!((count(&now, "report"), count(&now, "grouping")), (1, 1));
    let place = format!("/cases/{}/claims", story.case);
    world.clock.pass(60);
    world.post(&place, &story.ana.token, claim()).await.expect(201);
    let (later, _) = bundle(&world, &story, "").await;
    assert_eq!(count(&later, "assay-claim"), 2);
    let (past, again) = bundle(&world, &story, &format!("?as_of={then}")).await;
    assert_eq!(count(&past, "assay-claim"), 1);
    assert_eq!(text, again);
}

#[tokio::test]
async fn a_review_needs_a_verdict_and_says_who_publishes_it() {
    let world = World::new();
    let story = Story::new(&world).await;
    let Story { claim, assertion, ana, rao, .. } = &story;
    let place = format!("/claims/{claim}/claim-review");
    let refused = world.see(&place, &ana.token).await.expect(422);
    assert_eq!(refused.code(), "claim_no_verdict");
    let asked = json!({ "priority": 1 });
    world.post(&format!("/claims/{claim}/review"), &ana.token, asked).await.expect(200);
    let passed = verdict(claim, assertion);
    world.post(&format!("/claims/{claim}/verdicts"), &rao.token, passed).await.expect(201);
    let told = world.see(&place, &ana.token).await.expect(200);
    assert_eq!(told.header("content-type"), "application/ld+json");
    assert_eq!(told.json["@type"], "ClaimReview");
    assert_eq!(told.json["reviewRating"]["ratingValue"], 5);
    assert_eq!(told.json["author"]["name"], "assay");
    let ours = told.json["url"].as_str().unwrap();
    assert!(ours.starts_with("http://") && ours.ends_with(&format!("/api/v1/claims/{claim}")));
    let named = format!("{place}?publisher=The+House&base=https://house.example/");
    let told = world.see(&named, &ana.token).await.expect(200);
    assert_eq!(told.json["author"]["name"], "The House");
    assert_eq!(told.json["url"], format!("https://house.example/claims/{claim}"));
}

#[tokio::test]
async fn that_something_leaves_is_recorded_before_its_first_byte_or_it_does_not_leave() {
    let world = World::new();
    let story = Story::new(&world).await;
    let place = format!("/cases/{}/exports/stix", story.case);
    world.see(&place, &story.rao.token).await.expect(200);
    world.readings.flush().await.unwrap();
    let before = world.head();
    world.get(&place, &story.rao.token).await.expect(200);
    assert_eq!(world.head(), before + 1, "recorded at once");
    assert_eq!(world.readings.pending(), 0, "and only once");
    world.mood.full();
    let refused = world.get(&place, &story.rao.token).await.expect(503);
    assert_eq!(refused.code(), "read_log_unavailable");
    assert!(!refused.text.contains("objects"));
}
