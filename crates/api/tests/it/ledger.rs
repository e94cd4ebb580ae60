//! The ledger over HTTP: what is told is checked here as a stranger checks it, with the log's public key alone.

use std::io::Cursor;

use assay_bundle::{Report, Trust};
use assay_domain::user::HouseRole;
use assay_ledger::{
    Hash, ProofPolicy, SignedCheckpoint, TlogProof, frontier, leaf_hash, parse_entries_tile,
    verify_consistency, verify_inclusion,
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{ORIGIN, Person, Reply, Story, World, log_key, settings};

fn hash(value: &Value) -> Hash {
    let mut bytes = [0; 32];
    hex::decode_to_slice(value.as_str().unwrap(), &mut bytes).unwrap();
    bytes
}

fn hashes(value: &Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(hash).collect()
}

/// Size and root of a note that the log's key has signed.
fn signed(note: &str) -> (u64, Hash) {
    let note = SignedCheckpoint::parse(note).unwrap();
    note.verify_for(ORIGIN, &[log_key()]).unwrap();
    (note.checkpoint().size, note.checkpoint().root)
}

impl World {
    async fn proof(&self, position: u64, who: &Person) -> Reply {
        self.get(&format!("/api/v1/ledger/entries/{position}/proof"), &who.token).await
    }

    async fn bundle(&self, case: &str, who: &Person, body: Value) -> Reply {
        self.see("/cases", &who.token).await.expect(200);
        self.post(&format!("/cases/{case}/bundles"), &who.token, body).await
    }

    /// What is in a bundle, once it holds.
    fn held(reply: &Reply) -> Report {
        let trust = Trust { log_keys: vec![log_key()], ..Trust::default() };
        let report =
            assay_bundle::verify(Cursor::new(reply.bytes.as_slice()), &trust, |_, _| ()).unwrap();
        assert!(report.holds(), "{:#?}", report.lines());
        assert_eq!(reply.header("assay-bundle-sha256"), hex::encode(Sha256::digest(&reply.bytes)));
        report
    }

    /// The exports in the read log, last first.
    async fn exports(&self) -> Vec<Value> {
        let aud = self.person("exports-aud", &[HouseRole::Auditor]).await;
        let seen = self.see("/audit/reads?exports=true", &aud.token).await.expect(200);
        seen.json["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn whoever_wrote_something_proves_it_with_the_public_key_alone() {
    let world = World::new();
    let story = Story::new(&world).await;
    let place = format!("/cases/{}/title", story.case);
    let written = world.put(&place, &story.ana.token, json!({ "title": "Another" })).await;
    let receipt = written.expect(200).json["receipt"].clone();
    let (position, leaf) = (receipt["position"].as_u64().unwrap(), hash(&receipt["leaf_hash"]));
    world.see("/cases", &story.ana.token).await.expect(200);
    let proof = world.proof(position, &story.ana).await.expect(200);
    let (size, root) = signed(proof.json["checkpoint"]["note"].as_str().unwrap());
    assert_eq!(hash(&proof.json["leaf_hash"]), leaf);
    verify_inclusion(&leaf, position - 1, size, &hashes(&proof.json["hashes"]), &root).unwrap();
    let accept = [("accept", "text/plain")];
    let place = format!("/api/v1/ledger/entries/{position}/proof");
    let text = world.send(Method::GET, &place, Some(&story.ana.token), None, &accept).await;
    let file = TlogProof::parse(&text.expect(200).text).unwrap();
    let keys = [log_key()];
    let policy = ProofPolicy { origin: ORIGIN, log_keys: &keys, witnesses: &[], witnesses_min: 0 };
    file.verify(&leaf, &policy).unwrap();
    let mut other = leaf;
    other[0] ^= 1;
    assert!(file.verify(&other, &policy).is_err());
}

#[tokio::test]
async fn a_proof_is_told_to_who_sees_the_entry() {
    let world = World::new();
    let story = Story::new(&world).await;
    let source = json!({ "kind": "outlet", "name": "The Daily" });
    let source = world.post("/sources", &story.ana.token, source).await.expect(201);
    let of_house = source.json["receipt"]["position"].as_u64().unwrap();
    let in_case = of_house - 1;
    let aud = world.person("aud", &[HouseRole::Auditor]).await;
    let out = world.person("out", &[HouseRole::Analyst]).await;
    world.see("/cases", &aud.token).await.expect(200);
    for (position, who, status) in [
        (in_case, &story.ana, 200),
        (in_case, &story.rao, 200),
        (in_case, &aud, 200),
        (in_case, &out, 404),
        (of_house, &story.ana, 200),
        (of_house, &aud, 200),
        (of_house, &story.rao, 404),
        (of_house, &out, 404),
        (0, &aud, 404),
        (999_999, &aud, 404),
    ] {
        let reply = world.proof(position, who).await;
        assert_eq!(reply.status, status, "{position}: {}", reply.text);
    }
}

#[tokio::test]
async fn the_ledger_is_read_as_files_and_leads_to_the_signed_root() {
    let world = World::new();
    let story = Story::new(&world).await;
    let aud = world.person("aud", &[HouseRole::Auditor]).await;
    world.get("/ledger/checkpoint", &aud.token).await.expect(404);
    assert_eq!(world.notary.latest(), None, "nothing is signed for the asking");
    for at in 0..300 {
        let source = json!({ "kind": "outlet", "name": format!("Outlet {at}") });
        world.post("/sources", &story.ana.token, source).await.expect(201);
    }
    world.notary.sign().unwrap();
    let note = world.get("/ledger/checkpoint", &story.rao.token).await.expect(200);
    assert!(note.header("content-type").starts_with("text/plain"));
    let (size, root) = signed(&note.text);
    let (full, width) = (size / 256, size % 256);
    let mut leaves = Vec::new();
    for tile in 0..=full {
        let part = if tile < full { String::new() } else { format!(".p/{width}") };
        let hashes = world.get(&format!("/ledger/tile/0/{tile:03}{part}"), &story.rao.token).await;
        let hashes = hashes.expect(200);
        assert_eq!(hashes.header("cache-control").contains("immutable"), tile < full);
        let place = format!("/ledger/tile/entries/{tile:03}{part}");
        world.get(&place, &story.rao.token).await.expect(403);
        let records = world.get(&place, &aud.token).await.expect(200);
        let records = parse_entries_tile(&records.bytes).unwrap();
        let of_records: Vec<Hash> = records.iter().map(|record| leaf_hash(record)).collect();
        let (of_tile, rest) = hashes.bytes.as_chunks::<32>();
        assert!(rest.is_empty());
        assert_eq!(of_tile, of_records);
        leaves.extend(of_records);
    }
    assert_eq!(frontier::root_of(leaves), root);
    for nothing in ["0/000.p/0", "0/999", "0/x", "64/000", "0/000.p/256", "a/000", "0/0", "0/"] {
        world.get(&format!("/ledger/tile/{nothing}"), &aud.token).await.expect(404);
    }
    world.get("/ledger/checkpoint?x=1", &aud.token).await.expect(400);
}

#[tokio::test]
async fn a_newer_checkpoint_is_shown_to_continue_an_older_one() {
    let world = World::new();
    let story = Story::new(&world).await;
    let mut sizes = Vec::new();
    for title in ["One", "Two", "Three"] {
        let place = format!("/cases/{}/title", story.case);
        world.put(&place, &story.ana.token, json!({ "title": title })).await.expect(200);
        sizes.push(world.notary.sign().unwrap().checkpoint.size);
    }
    let get = async |path: &str| world.get(path, &story.rao.token).await;
    let first = get("/api/v1/ledger/checkpoints?limit=2").await.expect(200);
    assert_eq!(first.json["items"][0]["size"], sizes[2]);
    let next = first.json["next"].as_str().unwrap();
    let last = get(&format!("/api/v1/ledger/checkpoints?cursor={next}")).await.expect(200);
    assert_eq!(last.json["items"][0]["size"], sizes[0]);
    assert_eq!(last.json["next"], Value::Null);
    let kept = get(&format!("/api/v1/ledger/checkpoints/{}", sizes[0])).await.expect(200);
    let (old_size, old_root) = signed(kept.json["note"].as_str().unwrap());
    let (new_size, new_root) = signed(first.json["items"][0]["note"].as_str().unwrap());
    let place = format!("/api/v1/ledger/consistency?from={old_size}");
    let proof = get(&place).await.expect(200);
    assert_eq!(hash(&proof.json["to_root"]), new_root);
    let path = hashes(&proof.json["hashes"]);
    verify_consistency(old_size, &old_root, new_size, &new_root, &path).unwrap();
    get("/api/v1/ledger/consistency?from=999999").await.expect(400);
    get("/api/v1/ledger/checkpoints/3").await.expect(404);
    get("/api/v1/ledger/checkpoints?cursor=x").await.expect(400);
    let keys = get("/api/v1/ledger/keys").await.expect(200);
    assert_eq!(keys.json["signing"][0], log_key().to_text());
    assert_eq!(keys.json["origin"], ORIGIN);
}

#[tokio::test]
async fn hashes_are_public_where_the_operator_says_so_and_records_never() {
    let few = assay_api::Settings { ledger_public: true, ledger_per_second: 5, ..settings() };
    let world = World::with(few);
    Story::new(&world).await;
    let size = world.notary.sign().unwrap().checkpoint.size;
    let get = async |path: String| world.send(Method::GET, &path, None, None, &[]).await;
    get("/ledger/checkpoint".to_owned()).await.expect(200);
    get(format!("/ledger/tile/0/000.p/{size}")).await.expect(200);
    get(format!("/ledger/tile/entries/000.p/{size}")).await.expect(401);
    get("/api/v1/ledger/keys".to_owned()).await.expect(401);
    let mut last = 200;
    for _ in 0..100 {
        last = get("/ledger/checkpoint".to_owned()).await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429, "strangers are slowed down");
}

#[tokio::test]
async fn a_case_leaves_in_a_file_that_a_stranger_verifies() {
    let world = World::new();
    let story = Story::new(&world).await;
    let older = world.notary.sign().unwrap().checkpoint.size;
    let place = format!("/cases/{}/title", story.case);
    world.put(&place, &story.ana.token, json!({ "title": "Another" })).await.expect(200);
    let body = json!({ "disclose": "all", "recipient": "The court", "since": older });
    let reply = world.bundle(&story.case, &story.ana, body).await.expect(200);
    assert_eq!(reply.header("content-type"), "application/zip");
    assert!(reply.header("content-disposition").starts_with("attachment"));
    World::held(&reply);
    let exports = world.exports().await;
    assert_eq!(exports.len(), 1);
    assert_eq!(exports[0]["reader"], story.ana.id.to_string());
    let file = &exports[0]["export"];
    assert_eq!(file["recipient"], "The court");
    assert_eq!(file["file"], reply.header("assay-bundle-sha256"));
    assert!(file["keys"].as_u64().unwrap() > 0);
    let wrong = json!({ "disclose": "all", "since": 999_999 });
    let wrong = world.bundle(&story.case, &story.ana, wrong).await.expect(422);
    assert_eq!(wrong.json["errors"][0]["pointer"], "/since");
}

#[tokio::test]
async fn keys_stay_where_they_are_withheld_or_above_the_recipients_clearance() {
    let world = World::new();
    let story = Story::new(&world).await;
    let aud = world.person("aud", &[HouseRole::Auditor]).await;
    let keys = async |body: Value| {
        world.clock.pass(1);
        let reply = world.bundle(&story.case, &aud, body).await.expect(200);
        World::held(&reply);
        world.exports().await[0]["export"]["keys"].as_u64().unwrap()
    };
    let all = keys(json!({ "disclose": "all" })).await;
    let but = json!({ "disclose": { "withhold": [{ "kind": "report" }, { "kind": "user" }] } });
    let but = keys(but).await;
    assert!((1..all).contains(&but), "{but} of {all}");
    let one = json!({ "disclose": { "withhold": [{ "kind": "claim", "id": story.claim }] } });
    assert_eq!(keys(one).await, all - 1);
    assert_eq!(keys(json!({ "disclose": "none" })).await, 0);
    assert_eq!(keys(json!({ "disclose": "all", "with_data": false })).await, 0);
    let green = json!({ "disclose": "all", "recipient_clearance": "TLP:GREEN" });
    assert_eq!(keys(green).await, 0);
    let amber = json!({ "disclose": "all", "recipient_clearance": "TLP:AMBER" });
    assert_eq!(keys(amber).await, all);
}

#[tokio::test]
async fn nothing_leaves_that_is_not_recorded_and_nobody_takes_what_they_do_not_read() {
    let world = World::new();
    let story = Story::new(&world).await;
    let out = world.person("out", &[HouseRole::Analyst]).await;
    let all = json!({ "disclose": "all" });
    world.bundle(&story.case, &out, all.clone()).await.expect(404);
    let aud = world.person("aud", &[HouseRole::Auditor]).await;
    world.see("/cases", &aud.token).await.expect(200);
    world.mood.full();
    let place = format!("/cases/{}/bundles", story.case);
    let refused = world.post(&place, &story.ana.token, all.clone()).await.expect(507);
    assert!(!refused.bytes.starts_with(b"PK"));
    world.mood.well();
    assert!(world.exports().await.is_empty());
    let limited = assay_api::Settings { bundle_bytes_max: 512, ..settings() };
    let world = World::with(limited);
    let story = Story::new(&world).await;
    world.bundle(&story.case, &story.ana, all).await.expect(413);
    assert!(world.exports().await.is_empty());
}

#[tokio::test]
async fn a_case_that_demands_a_purpose_leaves_with_one() {
    let world = World::new();
    let story = Story::new(&world).await;
    let demand = format!("/cases/{}/demand-purpose", story.case);
    let demand = world.send(Method::POST, &demand, Some(&story.ana.token), None, &[]).await;
    demand.expect(200);
    let all = json!({ "disclose": "all" });
    let refused = world.bundle(&story.case, &story.ana, all.clone()).await.expect(403);
    assert_eq!(refused.code(), "purpose_required");
    let place = format!("/cases/{}/bundles", story.case);
    let why = [("assay-purpose", "Disclosure to the court")];
    let token = Some(story.ana.token.as_str());
    let reply = world.send(Method::POST, &place, token, Some(all), &why).await.expect(200);
    World::held(&reply);
}
