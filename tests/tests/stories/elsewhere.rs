//! A case goes to another house and keeps its times, its people and its proofs.

use anyhow::{Context as _, Result};
use assay_tests::{Client, Server, run, run_failing};
use serde_json::{Value, json};

use crate::auditor::{Demo, verified};
use crate::team::{PASSWORD, first_admin, register};

#[tokio::test]
async fn a_case_taken_over_shows_who_did_what_when_and_four_eyes_hold() -> Result<()> {
    let demo = Demo::new().await?;
    let file = demo
        .export("case.zip", &json!({"disclose": "all", "recipient": "the other house"}))
        .await?;
    let shown = file.to_str().context("a path")?;
    let members = demo.ana.get(&format!("/cases/{}/members", demo.case)).await?.expect(200)?;
    let ana = members.text_at("/items/0/user")?;

    let there = demo.folder.path().join("there");
    let at = there.to_str().context("a path")?.to_owned();
    let (server, admin) = first_admin(&there).await?;
    register(&admin, &server.url, "zoe", "analyst").await?;
    register(&admin, &server.url, "bea", "analyst").await?;
    let claims_body = json!({"roles": ["reviewer"]});
    assert!(server.stop().await?);
    let map = format!("{ana}=bea");
    let import = ["bundle", "import", shown, "--key", &demo.key, "--as", "zoe", "--data-dir", &at];
    let dry = run(&[import.as_slice(), &["--map", &map, "--dry-run"]].concat())?;
    assert!(dry.contains("Nothing was taken over"), "{dry}");
    run(&[import.as_slice(), &["--map", &map]].concat())?;
    run(&[import.as_slice(), &["--map", &map]].concat())?; // Twice is once.
    run(&["check", "--data-dir", &at])?;
    let (code, said) = run_failing(&import)?;
    assert_eq!(code, 2, "with other people it is another matter: {said}");

    let server = Server::start(&there).await?;
    let zoe = Client::login(&server.url, "zoe", PASSWORD).await?;
    let bea = Client::login(&server.url, "bea", PASSWORD).await?.beside(&zoe);
    let case = &demo.case;
    let ours = zoe.get(&format!("/cases/{case}")).await?.expect(200)?;
    let theirs = demo.ana.get(&format!("/cases/{case}")).await?.expect(200)?;
    assert_eq!(ours.at("/opened/at"), theirs.at("/opened/at"), "times are kept");
    assert_ne!(ours.at("/opened/by"), theirs.at("/opened/by"), "Ana is Bea here");
    let list = format!("/cases/{case}/claims?limit=500");
    let (ours, theirs) =
        (zoe.get(&list).await?.expect(200)?, demo.ana.get(&list).await?.expect(200)?);
    assert_eq!(ours.items().len(), theirs.items().len());
    let verdicts = |answer: &assay_tests::Answer| -> Vec<Value> {
        let claims = answer.items().iter();
        claims
            .flat_map(|claim| claim["verdicts"].as_array().cloned().unwrap_or_default())
            .map(|verdict| verdict["issued"]["at"].clone())
            .collect()
    };
    assert_eq!(verdicts(&ours), verdicts(&theirs));
    let history = zoe.get(&format!("/cases/{case}/history?limit=5")).await?.expect(200)?;
    assert!(history.text.contains("\"origin\":{"), "{}", history.text);

    // Bea is Ana: what she proposed there she does not judge here.
    let me = bea.get("/me").await?.expect(200)?;
    let id = me.text_at("/user/id").or_else(|_| me.text_at("/id"))?;
    let member = format!("/cases/{case}/members/{id}");
    zoe.put(&member, &claims_body).await?.expect(200)?;
    let waiting = theirs.items().iter().find(|claim| claim["standing"] == "under_review");
    let claim =
        waiting.context("a claim under review")?["id"].as_str().context("an id")?.to_owned();
    let verdict = json!({"outcome": "not_enough_evidence", "confidence": "low",
        "justification": "None.", "would_settle": "Footage.", "citations": []});
    let refused = bea.post(&format!("/claims/{claim}/verdicts"), &verdict).await?;
    assert_eq!((refused.status, refused.code()), (403, "claim_four_eyes"), "{}", refused.text);
    Ok(())
}

#[tokio::test]
async fn a_redacted_bundle_verifies_as_well_and_is_not_taken_over() -> Result<()> {
    let demo = Demo::new().await?;
    let withheld = json!({"disclose": {"withhold": [{"kind": "source"}, {"kind": "user"}]}});
    for (name, body) in [
        ("none.zip", json!({"disclose": "none"})),
        ("digests.zip", json!({"disclose": "none", "with_data": false})),
        ("some.zip", withheld),
        ("marked.zip", json!({"disclose": "all", "recipient_clearance": "TLP:GREEN"})),
    ] {
        let file = demo.export(name, &body).await?;
        assert_eq!(verified(&file, &demo.key)?["holds"], true, "{name}");
    }
    let there = demo.folder.path().join("there");
    let at = there.to_str().context("a path")?;
    run(&["init", "--data-dir", at])?;
    let password = demo.folder.path().join("password");
    std::fs::write(&password, PASSWORD)?;
    let password = password.to_str().context("a path")?;
    run(&[
        "user",
        "add",
        "zoe",
        "--role",
        "analyst",
        "--password-file",
        password,
        "--data-dir",
        at,
    ])?;
    let file = demo.folder.path().join("some.zip");
    let file = file.to_str().context("a path")?;
    let (code, said) = run_failing(&[
        "bundle",
        "import",
        file,
        "--key",
        &demo.key,
        "--as",
        "zoe",
        "--data-dir",
        at,
    ])?;
    assert_eq!(code, 2);
    assert!(said.contains("redacted"), "{said}");
    Ok(())
}
