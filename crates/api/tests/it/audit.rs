//! Auditing over HTTP: findings, steps, access on a day, differences of queries, saved replays, erasures by two.

use std::sync::atomic::Ordering;

use assay_domain::user::HouseRole;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Person, Reply, Story, World, claim};

/// A story with an auditor who was not there when it happened.
struct Audited {
    world: World,
    story: Story,
    aud: Person,
}

impl Audited {
    async fn new() -> Self {
        let world = World::new();
        let story = Story::new(&world).await;
        let aud = world.person("aud", &[HouseRole::Auditor]).await;
        Self { world, story, aud }
    }

    /// Everything of a list, page by page, a few at a time.
    async fn pages(&self, path: &str, token: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        let mark = if path.contains('?') { '&' } else { '?' };
        loop {
            let place = format!("{path}{mark}limit=2{cursor}");
            let page = self.world.see(&place, token).await.expect(200);
            items.extend(page.json["items"].as_array().unwrap().clone());
            match page.json["next"].as_str() {
                None => return items,
                Some(next) => cursor = format!("&cursor={next}"),
            }
        }
    }

    async fn record(&self, entries: &[u64]) -> Reply {
        let body = json!({
            "case": self.story.case, "entries": entries, "severity": "major",
            "statement": "The verdict cites nothing."
        });
        self.world.post("/findings", &self.aud.token, body).await
    }

    /// A claim of the case, a new one.
    async fn another_claim(&self) -> String {
        let place = format!("/cases/{}/claims", self.story.case);
        self.world.post(&place, &self.story.ana.token, claim()).await.expect(201).id()
    }
}

/// The positions that a list of steps or entries names.
fn positions(items: &[Value], key: &str) -> Vec<u64> {
    let of = |item: &Value| match &item[key] {
        Value::Array(all) => all.iter().filter_map(Value::as_u64).collect(),
        one => one.as_u64().into_iter().collect::<Vec<_>>(),
    };
    items.iter().flat_map(of).collect()
}

#[tokio::test]
async fn a_finding_is_recorded_answered_closed_and_reopened() {
    let it = Audited::new().await;
    let (world, ana, aud) = (&it.world, &it.story.ana.token, &it.aud.token);
    let head = it.world.head();
    let history = it.pages(&format!("/cases/{}/history", it.story.case), aud).await;
    let entries = positions(&history, "position");
    let finding = it.record(&entries[..2]).await.expect(201).id();
    let place = format!("/findings/{finding}");
    let seen = world.see(&place, ana).await.expect(200);
    assert_eq!(seen.json["standing"], "open");
    assert_eq!(seen.json["entries"][0]["position"], entries[0]);
    let close = json!({ "outcome": "resolved", "reason": "It cites the video now." });
    let unheard = world.post(&format!("{place}/close"), aud, close.clone()).await.expect(409);
    assert_eq!(unheard.code(), "finding_unanswered");
    let answer = json!({ "answer": "It cites the video; we add the quote." });
    world.post(&format!("{place}/answers"), ana, answer.clone()).await.expect(200);
    let answered = world.see("/findings?standing=answered&severity=major", aud).await.expect(200);
    assert_eq!(answered.json["items"][0]["id"], finding.as_str());
    world.post(&format!("{place}/close"), aud, close).await.expect(200);
    let late = world.post(&format!("{place}/answers"), ana, answer).await.expect(409);
    assert_eq!(late.code(), "finding_closed");
    let again = json!({ "reason": "The quote is another one." });
    world.post(&format!("{place}/reopen"), aud, again).await.expect(200);
    let seen = world.see(&place, ana).await.expect(200);
    assert_eq!(seen.json["answers"].as_array().unwrap().len(), 1);
    assert_eq!(seen.json["reopened"].as_array().unwrap().len(), 1);
    let before = format!("{place}?as_of={head}");
    world.see(&before, ana).await.expect(404);
    let of_case = format!("/findings?case={}", it.story.case);
    let then = world.see(&format!("{of_case}&as_of={head}"), aud).await.expect(200);
    assert_eq!(then.json["items"], json!([]));
}

#[tokio::test]
async fn analysts_record_no_findings_and_auditors_answer_none() {
    let it = Audited::new().await;
    let (world, ana, aud) = (&it.world, &it.story.ana.token, &it.aud.token);
    let head = world.head();
    let body = json!({
        "case": it.story.case, "entries": [999_999], "severity": "note", "statement": "s"
    });
    // Not even whether there is such an entry.
    world.post("/findings", ana, body).await.expect(403);
    let unknown = it.record(&[head, 999_999]).await.expect(422);
    assert_eq!(unknown.code(), "finding_entry_unknown");
    assert_eq!(unknown.json["errors"][0]["pointer"], "/entries/1");
    let elsewhere = it.record(&[1]).await.expect(422);
    assert_eq!(elsewhere.code(), "finding_entry_elsewhere");
    let none = it.record(&[]).await.expect(422);
    assert_eq!(none.code(), "finding_entries_empty");
    let many: Vec<u64> = vec![1; 101];
    assert_eq!(it.record(&many).await.expect(422).code(), "finding_entries_too_many");
    let entry = it.pages(&format!("/cases/{}/history", it.story.case), aud).await;
    let entries = positions(&entry, "position");
    let finding = it.record(&entries[..1]).await.expect(201).id();
    let answer = json!({ "answer": "Nothing to it." });
    world.post(&format!("/findings/{finding}/answers"), aud, answer).await.expect(403);
    let close = json!({ "outcome": "unfounded", "reason": "Mistaken." });
    world.post(&format!("/findings/{finding}/close"), ana, close.clone()).await.expect(403);
    world.post(&format!("/findings/{finding}/close"), aud, close).await.expect(200);
}

#[tokio::test]
async fn steps_lead_forward_and_back_through_the_entries_of_the_history() {
    let it = Audited::new().await;
    let (world, aud) = (&it.world, &it.aud.token);
    let place = format!("/audit/cases/{}/steps", it.story.case);
    let forward = it.pages(&place, aud).await;
    let mut back = it.pages(&format!("{place}?direction=back"), aud).await;
    back.reverse();
    assert_eq!(forward, back);
    let of_members = it.pages(&place, &it.story.ana.token).await;
    assert_eq!(forward, of_members);
    let mut history = it.pages(&format!("/cases/{}/history", it.story.case), aud).await;
    history.reverse();
    let entries = positions(&history, "position");
    assert_eq!(positions(&forward, "positions"), entries);
    let count = forward.len();
    for (at, step) in forward.iter().enumerate() {
        assert_eq!(step["index"], at + 1);
        assert_eq!(step["of"], count);
        let one = world.see(&format!("{place}/{}", step["position"]), aud).await.expect(200);
        assert_eq!(one.json["positions"], step["positions"]);
        let previous = at.checked_sub(1).map(|at| forward[at]["position"].clone());
        assert_eq!(one.json["previous"], previous.unwrap_or(Value::Null));
    }
    // From the middle, one step on and one step back.
    let middle = forward[count / 2]["position"].as_u64().unwrap();
    let next = world.see(&format!("{place}?position={middle}&limit=1"), aud).await.expect(200);
    assert_eq!(next.json["items"][0]["index"], count / 2 + 2);
    let last = format!("{place}?position={middle}&direction=back&limit=1");
    let last = world.see(&last, aud).await.expect(200);
    assert_eq!(last.json["items"][0]["index"], count / 2);
    let as_of = world.see(&format!("{place}?as_of={middle}&limit=500"), aud).await.expect(200);
    assert_eq!(as_of.json["items"].as_array().unwrap().len(), count / 2 + 1);
}

#[tokio::test]
async fn who_could_see_a_claim_is_asked_of_the_day() {
    let it = Audited::new().await;
    let Story { ana, rao, case, claim, .. } = &it.story;
    let before = it.world.head();
    it.world
        .send(
            reqwest::Method::DELETE,
            &format!("/cases/{case}/members/{}", rao.id),
            Some(&ana.token),
            None,
            &[],
        )
        .await
        .expect(200);
    let reach = async |as_of: &str, token: &str| {
        let place = format!("/audit/access?subject=claim:{claim}&limit=500{as_of}");
        it.world.see(&place, token).await
    };
    let who = |reply: &Reply, seeing: bool| -> Vec<String> {
        let items = reply.json["items"].as_array().unwrap().iter();
        let items = items.filter(|item| item["sees"] == seeing);
        items.map(|item| item["user"].as_str().unwrap().to_owned()).collect()
    };
    let then = reach(&format!("&as_of={before}"), &it.aud.token).await.expect(200);
    assert!(who(&then, true).contains(&rao.id.to_string()), "{}", then.text);
    assert_eq!(then.json["as_of"]["position"], before);
    let now = reach("", &it.aud.token).await.expect(200);
    assert!(!who(&now, true).contains(&rao.id.to_string()), "{}", now.text);
    assert!(who(&now, true).contains(&ana.id.to_string()));
    // A lead asks of their own case, a reviewer who is gone asks nothing.
    reach("", &ana.token).await.expect(200);
    reach("", &rao.token).await.expect(404);
    let wrong = it.world.see("/audit/access?subject=claim", &it.aud.token).await.expect(400);
    assert_eq!(wrong.code(), "subject_invalid");
}

#[tokio::test]
async fn a_querys_answer_is_compared_at_two_moments_with_its_causes() {
    let it = Audited::new().await;
    let (world, ana, aud) = (&it.world, &it.story.ana.token, &it.aud.token);
    let from = world.head();
    let entered = it.another_claim().await;
    let reason = json!({ "reason": "It says nothing new." });
    world.post(&format!("/claims/{}/withdraw", it.story.claim), ana, reason).await.expect(200);
    let to = world.head();
    it.another_claim().await;
    let diff = async |query: &str| {
        let query = query.replace('?', "%3F").replace('&', "%26");
        let place = format!("/audit/diff?query={query}&from={from}&to={to}");
        world.see(&place, aud).await
    };
    let case = &it.story.case;
    let all = diff(&format!("/cases/{case}/claims")).await.expect(200);
    assert_eq!((all.json["before"].as_u64(), all.json["after"].as_u64()), (Some(1), Some(2)));
    assert_eq!(all.json["entered"][0]["id"], entered.as_str());
    assert_eq!(all.json["entered"][0]["causes"][0]["fact"], "claim.proposed.v1");
    assert_eq!(all.json["changed"][0]["id"], it.story.claim.as_str());
    assert_eq!(all.json["changed"][0]["causes"][0]["fact"], "claim.withdrawn.v1");
    let withdrawn = diff(&format!("/cases/{case}/claims?standing=withdrawn")).await.expect(200);
    assert_eq!(withdrawn.json["entered"][0]["id"], it.story.claim.as_str());
    for query in [
        format!("/cases/{case}/reports"),
        format!("/cases/{case}/links"),
        format!("/cases/{case}/contradictions"),
        format!("/cases/{case}/members"),
        format!("/search?q=villages&case={case}"),
        "/review-queue".to_owned(),
        "/sources".to_owned(),
        "/findings".to_owned(),
    ] {
        diff(&query).await.expect(200);
    }
    assert_eq!(diff("/users").await.expect(422).code(), "diff_query_unknown");
    let limited = diff(&format!("/cases/{case}/claims?limit=2")).await.expect(422);
    assert_eq!(limited.code(), "diff_query_invalid");
    diff(&format!("/cases/{}/claims", Uuid::nil())).await.expect(404);
}

#[tokio::test]
async fn a_cases_difference_is_told_command_by_command_where_one_asks_so() {
    let it = Audited::new().await;
    let (world, ana) = (&it.world, &it.story.ana.token);
    let from = world.head();
    let place = format!("/cases/{}/title", it.story.case);
    for title in ["Another title", "The counter-attack"] {
        world.put(&place, ana, json!({ "title": title })).await.expect(200);
    }
    let place = format!("/cases/{}/diff?from={from}", it.story.case);
    // It is what it was: as subjects there is nothing to tell, as causes two things.
    let subjects = world.see(&place, ana).await.expect(200);
    assert_eq!(subjects.json["items"], json!([]));
    let causes = world.see(&format!("{place}&group=cause"), ana).await.expect(200);
    let items = causes.json["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{}", causes.text);
    assert_eq!(items[0]["changed"][0]["subject"]["kind"], "case");
    assert_eq!(items[1]["facts"][0]["fact"], "case.retitled.v1");
}

#[tokio::test]
async fn a_saved_replay_is_the_same_whatever_happened_since() {
    let it = Audited::new().await;
    let (world, ana, case) = (&it.world, &it.story.ana.token, &it.story.case);
    let to = world.head();
    let state = format!("/audit/cases/{case}/state?as_of={to}");
    let then = world.see(&state, ana).await.expect(200);
    assert!(then.json["entries"].as_u64().unwrap() >= 4, "{}", then.text);
    let body = json!({ "case": case, "title": "The first week", "from": 0, "to": to });
    let replay = world.post("/replays", ana, body).await.expect(201).id();
    it.another_claim().await;
    assert_eq!(
        world.see(&state, &it.aud.token).await.expect(200).json["state"],
        then.json["state"]
    );
    let now = world.see(&format!("/audit/cases/{case}/state"), ana).await.expect(200);
    assert_ne!(now.json["state"]["entries"], then.json["state"]["entries"]);
    let place = format!("/replays/{replay}");
    let seen = world.see(&place, ana).await.expect(200);
    assert_eq!(seen.json["state"], then.json["state"]);
    assert_eq!(seen.json["now"]["same_entries"], true);
    assert_eq!(seen.json["now"]["same_shown"], true);
    let go = json!({ "position": to - 1, "note": "Here it turns." });
    world.post(&format!("{place}/goto"), ana, go.clone()).await.expect(200);
    let other = world.post(&format!("{place}/goto"), &it.story.rao.token, go).await.expect(403);
    assert_eq!(other.code(), "replay_not_owner");
    let beyond = json!({ "position": to + 1 });
    let beyond = world.post(&format!("{place}/goto"), ana, beyond).await.expect(422);
    assert_eq!(beyond.json["errors"][0]["pointer"], "/position");
    let of_others = world.see("/replays", &it.aud.token).await.expect(200);
    assert_eq!(of_others.json["items"][0]["notes"][0]["note"], "Here it turns.");
    world.see(&place, &it.story.rao.token).await.expect(404);
    let drop = format!("{place}/drop");
    world.send(reqwest::Method::POST, &drop, Some(ana), None, &[]).await.expect(200);
    let left = world.see(&format!("/replays?case={case}"), ana).await.expect(200);
    assert_eq!(left.json["items"], json!([]));
    let ahead = json!({ "case": case, "title": "t", "from": 0, "to": 999_999 });
    let ahead = world.post("/replays", ana, ahead).await.expect(422);
    assert_eq!(ahead.code(), "replay_range_invalid");
}

#[tokio::test]
async fn what_is_forgotten_is_forgotten_by_two_and_explains_what_differs() {
    let it = Audited::new().await;
    let Story { ana, case, claim, .. } = &it.story;
    let world = &it.world;
    let dpo = world.person("dpo", &[HouseRole::Dpo]).await;
    let adm = world.person("adm", &[HouseRole::Admin]).await;
    let gist = async || {
        world.renewer.renewed().await.unwrap();
        let seen = world.see(&format!("/claims/{claim}"), &ana.token).await.expect(200);
        seen.json["proposition"]["gist"].clone()
    };
    let to = world.head();
    world.see("/cases", &ana.token).await.expect(200);
    let body = json!({ "case": case, "title": "Before", "from": 0, "to": to });
    let replay = world.post("/replays", &ana.token, body).await.expect(201).id();
    let body = json!({
        "subject": { "kind": "claim", "id": claim }, "living": "held_as_living",
        "ground": "Named without need."
    });
    world.post("/erasures", &ana.token, body.clone()).await.expect(403);
    assert_ne!(gist().await, Value::Null);
    let erasure = world.post("/erasures", &dpo.token, body).await.expect(201).id();
    let place = format!("/erasures/{erasure}");
    let empty = |act: &str| (reqwest::Method::POST, format!("{place}/{act}"));
    let (method, carry_out) = empty("carry-out");
    let own = world.send(method.clone(), &carry_out, Some(&dpo.token), None, &[]).await;
    assert_eq!(own.expect(403).code(), "erasure_four_eyes");
    let reason = json!({ "reason": "Until it is decided." });
    let held = world.post(&format!("{place}/restrict"), &adm.token, reason.clone()).await;
    assert_eq!(held.expect(202).json["views"], "renewing");
    assert_eq!(gist().await, Value::Null);
    world.post(&format!("{place}/lift"), &adm.token, reason).await.expect(202);
    assert_ne!(gist().await, Value::Null);
    world.stuck.store(true, Ordering::SeqCst);
    let stuck = world.send(method.clone(), &carry_out, Some(&adm.token), None, &[]).await;
    assert_eq!(stuck.expect(503).code(), "erasure_unfinished");
    assert_ne!(gist().await, Value::Null);
    world.stuck.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        // Asked again, it is finished; nothing new is recorded, and nothing is lost.
        world.send(method.clone(), &carry_out, Some(&adm.token), None, &[]).await.expect(202);
    }
    assert_eq!(gist().await, Value::Null);
    let seen = world.see(&place, &it.aud.token).await.expect(200);
    assert_eq!(seen.json["standing"], "carried_out");
    let done = world.see("/erasures?standing=carried_out", &dpo.token).await.expect(200);
    assert_eq!(done.json["items"].as_array().unwrap().len(), 1);
    let refuse = json!({ "ground": "Too late." });
    world.post(&format!("{place}/refuse"), &adm.token, refuse).await.expect(409);
    let now = world.see(&format!("/replays/{replay}"), &ana.token).await.expect(200);
    assert_eq!(now.json["now"]["same_entries"], true);
    assert_eq!(now.json["now"]["same_shown"], false);
    assert_eq!(now.json["now"]["explained_by"][0]["subject"]["id"], claim.as_str());
    assert_eq!(now.json["now"]["explained_by"][0]["standing"], "carried_out");
}

#[tokio::test]
async fn anchors_are_told_to_auditors_alone() {
    let it = Audited::new().await;
    let anchors = it.world.see("/audit/anchors", &it.aud.token).await.expect(200);
    assert_eq!(anchors.json["items"], json!([]));
    assert_eq!(anchors.json["state"], "sound");
    it.world.see("/audit/anchors", &it.story.ana.token).await.expect(403);
    let none = it.world.see("/adoptions", &it.story.ana.token).await.expect(200);
    assert_eq!(none.json["items"], json!([]));
}
