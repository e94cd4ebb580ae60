//! The auditor needs no trust: replays, differences with their causes, an erasure that keeps every proof, files that verify offline.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use assay_ledger::{ProofPolicy, TlogProof, VerifierKey};
use assay_tests::{Client, Server, run};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::demo::password;
use crate::team::register;

/// The entry that holds Rao's verdict, and the officer whom two claims and the report name.
const VERDICT: u64 = 198;
const OFFICER: &str = "al-Jahjah";
/// How often a server that renews its views is asked before we give up.
const ASKED_MAX: usize = 200;

/// The demo case, served, with everybody logged in.
pub(crate) struct Demo {
    pub(crate) server: Server,
    pub(crate) data: PathBuf,
    pub(crate) case: String,
    pub(crate) key: String,
    pub(crate) ana: Client,
    pub(crate) ida: Client,
    pub(crate) admin: Client,
    pub(crate) folder: TempDir,
}

impl Demo {
    pub(crate) async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("demo");
        let at = data.to_str().context("a path")?;
        let printed = run(&["demo", "--data-dir", at])?;
        let server = Server::start(&data).await?;
        let key = run(&["ledger", "key", "--data-dir", at])?.trim().to_owned();
        let login = |name: &'static str| {
            let (url, printed) = (server.url.clone(), printed.clone());
            async move { Client::login(&url, name, password(&printed, name)?).await }
        };
        let admin = login("admin").await?;
        let ana = login("ana").await?.beside(&admin);
        let ida = login("ida").await?.beside(&admin);
        let case = ana.get("/cases").await?.expect(200)?.text_at("/items/0/id")?;
        Ok(Self { server, data, case, key, ana, ida, admin, folder })
    }

    /// Ana takes the case out of the house; answers the file.
    pub(crate) async fn export(&self, name: &str, body: &Value) -> Result<PathBuf> {
        let path = format!("/cases/{}/bundles", self.case);
        let answer = self.ana.request(&Method::POST, &path).json(body).send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&bytes));
        let file = self.folder.path().join(name);
        std::fs::write(&file, &bytes)?;
        Ok(file)
    }

    async fn head(&self) -> Result<u64> {
        self.ida.get("/cases").await?.expect(200)?.number_at("/as_of/position")
    }
}

/// What `assay verify` says of a file.
pub(crate) fn verified(file: &Path, key: &str) -> Result<Value> {
    let said = run(&["verify", file.to_str().context("a path")?, "--key", key, "--json"])?;
    Ok(serde_json::from_str(&said)?)
}

#[tokio::test]
async fn a_difference_names_exactly_the_commands_that_made_it() -> Result<()> {
    let demo = Demo::new().await?;
    let (case, head) = (&demo.case, demo.head().await?);
    let path = format!("/cases/{case}/diff?from={VERDICT}&to={head}&group=cause&limit=500");
    let diff = demo.ida.get(&path).await?.expect(200)?;
    let positions = |item: &Value| -> BTreeSet<u64> {
        item["positions"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
    };
    let named: BTreeSet<u64> = diff.items().iter().flat_map(positions).collect();
    let history = demo.ida.get(&format!("/cases/{case}/history?limit=500")).await?.expect(200)?;
    let lived = history.items().iter().filter_map(|item| item["position"].as_u64());
    let lived: BTreeSet<u64> = lived.filter(|at| (VERDICT + 1..=head).contains(at)).collect();
    assert_eq!(named, lived);
    assert!(named.len() > 5, "the demo goes on after the verdict");

    // The verdict itself, as a difference of one list: a claim that was under review is adjudicated.
    let query = format!("/cases/{case}/claims?standing=adjudicated");
    let query: String = query.replace('?', "%3F").replace('=', "%3D");
    let path = format!("/audit/diff?query={query}&from={}&to={VERDICT}", VERDICT - 1);
    let diff = demo.ida.get(&path).await?.expect(200)?;
    let entered = diff.at("/entered").as_array().context("entered")?;
    assert_eq!(entered.len(), 1, "{}", diff.text);
    let causes = entered[0]["causes"].as_array().context("causes")?;
    assert!(causes.iter().any(|cause| cause["position"] == VERDICT), "{}", diff.text);
    Ok(())
}

#[tokio::test]
async fn steps_lead_forward_and_back_through_the_same_past() -> Result<()> {
    let demo = Demo::new().await?;
    let steps = format!("/audit/cases/{}/steps", demo.case);
    let mut forward = Vec::new();
    let mut place = format!("{steps}?direction=forward&limit=100");
    loop {
        let page = demo.ida.get(&place).await?.expect(200)?;
        forward.extend(page.items().iter().map(|step| step["position"].clone()));
        let Some(next) = page.at("/next").as_str() else { break };
        place = format!("{steps}?direction=forward&limit=100&cursor={next}");
    }
    let mut back = Vec::new();
    let mut at = demo.ida.get(&format!("{steps}/{}", demo.head().await?)).await?.expect(200)?;
    loop {
        back.push(at.at("/position").clone());
        let Some(previous) = at.at("/previous").as_u64() else { break };
        at = demo.ida.get(&format!("{steps}/{previous}")).await?.expect(200)?;
    }
    back.reverse();
    assert_eq!(forward, back);
    assert!(forward.len() > 150);
    let verdict = demo.ida.get(&format!("{steps}/{VERDICT}")).await?.expect(200)?;
    assert_eq!(verdict.at("/actor/profile/username"), "rao");
    assert!(verdict.at("/basis").as_array().is_some_and(|basis| !basis.is_empty()));
    Ok(())
}

#[tokio::test]
async fn one_entry_is_proved_with_the_public_key_alone() -> Result<()> {
    let demo = Demo::new().await?;
    let path = format!("/ledger/entries/{VERDICT}/proof");
    let request = demo.ida.request(&Method::GET, &path).header("Accept", "text/plain");
    let text = demo.ida.send(request).await?.expect(200)?.text;
    let proof = TlogProof::parse(&text)?;
    let found = demo.ida.get(&path).await?.expect(200)?.text_at("/leaf_hash")?;
    let mut leaf = [0; 32];
    for (byte, pair) in leaf.iter_mut().zip(found.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair)?, 16)?;
    }
    let key = VerifierKey::parse(&demo.key)?;
    let origin = key.name().to_owned();
    let keys = [key];
    let policy = ProofPolicy { origin: &origin, log_keys: &keys, witnesses: &[], witnesses_min: 0 };
    proof.verify(&leaf, &policy)?;
    leaf[0] ^= 1;
    assert!(proof.verify(&leaf, &policy).is_err(), "another leaf is not proved");
    Ok(())
}

/// Everything an auditor can read of the case that might name somebody.
async fn everything(demo: &Demo) -> Result<String> {
    let case = &demo.case;
    let mut all = String::new();
    for path in [
        format!("/cases/{case}/claims?limit=500"),
        format!("/cases/{case}/claims?limit=500&as_of={VERDICT}"),
        format!("/cases/{case}/reports?limit=500"),
        format!("/cases/{case}/contradictions?limit=500"),
        format!("/cases/{case}/links?limit=500"),
        format!("/cases/{case}/history?limit=500"),
        format!("/cases/{case}/diff?from=0&to={VERDICT}&limit=500"),
        format!("/audit/cases/{case}/steps?limit=500"),
        "/search?q=Wissam".to_owned(),
        "/review-queue?limit=500".to_owned(),
        "/audit/entries?limit=500".to_owned(),
    ] {
        all.push_str(&demo.ida.get(&path).await?.expect(200)?.text);
    }
    let reports = demo.ida.get(&format!("/cases/{case}/reports")).await?.expect(200)?;
    for report in reports.items() {
        let id = report["id"].as_str().context("an id")?;
        let renditions = report["renditions"].as_array().context("renditions")?;
        for rendition in renditions {
            let rendition = rendition["id"].as_str().context("an id")?;
            let path = format!("/reports/{id}/renditions/{rendition}");
            all.push_str(&demo.ida.get(&path).await?.text);
        }
        all.push_str(&demo.ida.get(&format!("/reports/{id}/coverage")).await?.text);
    }
    Ok(all)
}

/// The claims and the report that name the officer.
async fn named(demo: &Demo) -> Result<Vec<(&'static str, String)>> {
    let claims = demo.ida.get(&format!("/cases/{}/claims?limit=500", demo.case)).await?;
    let naming = claims.items().iter().filter(|claim| claim.to_string().contains(OFFICER));
    let mut found: Vec<(&str, String)> =
        naming.filter_map(|claim| Some(("claim", claim["id"].as_str()?.to_owned()))).collect();
    let reports = demo.ida.get(&format!("/cases/{}/reports", demo.case)).await?;
    found.push(("report", reports.text_at("/items/0/id")?));
    Ok(found)
}

/// Waits until no answer names the officer any more; the views are made anew meanwhile.
async fn until_unnamed(demo: &Demo) -> Result<()> {
    for _ in 0..ASKED_MAX {
        if !everything(demo).await?.contains(OFFICER) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the officer is still named")
}

fn holds_no_clear(folder: &Path, word: &str) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            holds_no_clear(&path, word)?;
            continue;
        }
        let bytes = std::fs::read(&path)?;
        let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
        ensure!(!found, "{} still names {word}", path.display());
    }
    Ok(())
}

#[tokio::test]
async fn an_officer_is_forgotten_and_every_proof_still_holds() -> Result<()> {
    let demo = Demo::new().await?;
    let at = demo.data.to_str().context("a path")?.to_owned();
    let (_, dora) = register(&demo.admin, &demo.server.url, "dora", "dpo").await?;
    let before = demo.export("before.zip", &json!({"disclose": "all"})).await?;
    let replay = json!({"case": demo.case, "title": "up to the verdict", "from": 0, "to": VERDICT});
    let replay = demo.ida.post("/replays", &replay).await?.expect(201)?.text_at("/id")?;
    let seen = demo.ida.get(&format!("/replays/{replay}")).await?.expect(200)?;
    assert_eq!(
        (seen.at("/now/same_entries"), seen.at("/now/same_shown")),
        (&json!(true), &json!(true))
    );

    // Whether the officer is dead is disputed: held as living. First nothing is shown, then a second person decides.
    let mut erasures = Vec::new();
    let subjects = named(&demo).await?;
    for (kind, id) in &subjects {
        let body = json!({"subject": {"kind": kind, "id": id}, "living": "held_as_living",
            "ground": "A named officer whose death is disputed asks through counsel."});
        let erasure = dora.post("/erasures", &body).await?.expect(201)?.text_at("/id")?;
        let reason = json!({"reason": "until it is decided"});
        dora.post(&format!("/erasures/{erasure}/restrict"), &reason).await?.expect(202)?;
        erasures.push(erasure);
    }
    assert_eq!(erasures.len(), 3, "two claims and the report");
    until_unnamed(&demo).await?;
    let own = dora.post_bare(&format!("/erasures/{}/carry-out", erasures[0])).await?;
    assert_eq!((own.status, own.code()), (403, "erasure_four_eyes"), "{}", own.text);
    dora.post(&format!("/erasures/{}/lift", erasures[2]), &json!({"reason": "a look"}))
        .await?
        .expect(202)?;
    for erasure in &erasures {
        let done = demo.admin.post_bare(&format!("/erasures/{erasure}/carry-out")).await?;
        assert!(matches!(done.status, 200 | 202), "{}", done.text);
    }
    until_unnamed(&demo).await?;

    // The replay says that what was shown changed, and by what; the entries have not.
    let seen = demo.ida.get(&format!("/replays/{replay}")).await?.expect(200)?;
    assert_eq!(
        (seen.at("/now/same_entries"), seen.at("/now/same_shown")),
        (&json!(true), &json!(false))
    );
    let explained = seen.at("/now/explained_by").to_string();
    assert!(subjects.iter().all(|(_, id)| explained.contains(id)), "{explained}");

    let after = demo.export("after.zip", &json!({"disclose": "all"})).await?;
    for file in [&before, &after] {
        assert_eq!(verified(file, &demo.key)?["holds"], true);
    }
    assert!(demo.server.stop().await?);
    run(&["check", "--data-dir", &at])?;
    let dump = run(&["views", "dump", "--canonical", "--data-dir", &at])?;
    assert!(!dump.contains(OFFICER));
    holds_no_clear(&demo.data, OFFICER)?;
    Ok(())
}

#[tokio::test]
async fn a_finding_is_recorded_answered_and_closed_and_nobody_does_the_others_part() -> Result<()> {
    let demo = Demo::new().await?;
    let body = json!({"case": demo.case, "entries": [VERDICT], "severity": "minor",
        "statement": "The verdict cites reports of one cluster only."});
    assert_eq!(demo.ana.post("/findings", &body).await?.status, 403);
    let finding = demo.ida.post("/findings", &body).await?.expect(201)?.text_at("/id")?;
    let at = format!("/findings/{finding}");
    let close = json!({"outcome": "resolved", "reason": "seen"});
    let early = demo.ida.post(&format!("{at}/close"), &close).await?;
    assert_eq!((early.status, early.code()), (409, "finding_unanswered"));
    let answer = json!({"answer": "A second cluster is cited since."});
    assert_eq!(demo.ida.post(&format!("{at}/answers"), &answer).await?.status, 403);
    demo.ana.post(&format!("{at}/answers"), &answer).await?.expect(200)?;
    assert_eq!(demo.ana.post(&format!("{at}/close"), &close).await?.status, 403);
    demo.ida.post(&format!("{at}/close"), &close).await?.expect(200)?;
    let seen = demo.ana.get(&at).await?.expect(200)?;
    assert_eq!(seen.at("/standing"), "closed");
    let title =
        demo.ida.put(&format!("/cases/{}/title", demo.case), &json!({"title": "x"})).await?;
    assert_eq!(title.status, 403, "auditors write nothing else: {}", title.text);
    Ok(())
}

#[tokio::test]
async fn what_was_read_just_before_the_end_is_on_the_record() -> Result<()> {
    let demo = Demo::new().await?;
    let claims =
        demo.ana.get(&format!("/cases/{}/claims?limit=1", demo.case)).await?.expect(200)?;
    let claim = claims.text_at("/items/0/id")?;
    demo.ana.get(&format!("/claims/{claim}")).await?.expect(200)?;
    assert!(demo.server.stop().await?, "SIGTERM ends it well");
    let at = demo.data.to_str().context("a path")?;
    let printed = run(&["demo", "--data-dir", at])?;
    let server = Server::start(&demo.data).await?;
    let ida = Client::login(&server.url, "ida", password(&printed, "ida")?).await?;
    let reads = ida.get(&format!("/audit/reads?subject={claim}")).await?.expect(200)?;
    assert_eq!(reads.items().len(), 1, "{}", reads.text);
    assert_eq!(reads.at("/items/0/question"), "/claims/{claim}");
    Ok(())
}
