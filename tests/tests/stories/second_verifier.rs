//! Two verifiers that share no code agree on every good and bad bundle and mirror, and on a real one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use assay_bundle::fixtures;
use assay_tests::assay;
use serde_json::{Value, json};

use crate::auditor::Demo;

/// The second verifier does not know RFC 3161: it says so, and what it says of timestamps is not compared.
const NOT_ITS_OWN: &str = "timestamps";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn python() -> Result<PathBuf> {
    let python = root().join("target/python/bin/python");
    ensure!(python.exists(), "{} is missing: `make test` prepares it", python.display());
    Ok(python)
}

fn first(dir: &Path, file: &str, args: &[String]) -> Result<Output> {
    let mut command = Command::new(assay()?);
    command.args(["verify", file, "--json"]).args(args).current_dir(dir).stdin(Stdio::null());
    Ok(command.output()?)
}

fn second(dir: &Path, file: &str, args: &[String]) -> Result<Output> {
    let mut command = Command::new(python()?);
    command.arg(root().join("tests/verify/assay_verify.py")).arg(file).args(args).arg("--json");
    Ok(command.current_dir(dir).stdin(Stdio::null()).output()?)
}

/// How a verifier ended, and what it said of each check.
fn said(output: &Output) -> Result<(i32, Vec<(String, String)>)> {
    let code = output.status.code().context("it ended by itself")?;
    if code == 2 {
        return Ok((code, Vec::new()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(text.trim())
        .with_context(|| format!("{text}{}", String::from_utf8_lossy(&output.stderr)))?;
    let checks = report["checks"].as_array().context("checks")?.iter();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = checks.map(|check| (word(&check["name"]), word(&check["state"])));
    Ok((code, checks.filter(|(name, _)| name != NOT_ITS_OWN).collect()))
}

#[test]
fn both_verifiers_agree_on_every_fixture() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let index = fixtures::write_all(folder.path())
        .map_err(|error| anyhow::anyhow!("making the fixtures: {error}"))?;
    assert!(index.len() > 80, "{} fixtures", index.len());
    let mut bad = 0;
    for fixture in &index {
        let mut args = fixture.args.clone();
        let ours_alone: Vec<String> = fixture
            .timestamp_roots
            .iter()
            .flat_map(|roots| ["--timestamp-roots".to_owned(), roots.clone()])
            .collect();
        let theirs = said(&second(folder.path(), &fixture.file, &args)?)
            .with_context(|| fixture.name.clone())?;
        args.extend(ours_alone);
        let ours = said(&first(folder.path(), &fixture.file, &args)?)
            .with_context(|| fixture.name.clone())?;
        assert_eq!(ours.0, i32::from(fixture.exit), "{}", fixture.name);
        assert_eq!(ours.1, theirs.1, "{}", fixture.name);
        let only_of_timestamps =
            fixture.must_fail.is_some_and(|check| check.as_str() == NOT_ITS_OWN);
        assert_eq!(ours.0 == theirs.0, !only_of_timestamps, "{}", fixture.name);
        bad += usize::from(fixture.exit == 1);
    }
    assert!(bad > 60, "{bad} bad ones");
    Ok(())
}

#[tokio::test]
async fn both_verifiers_agree_on_what_a_real_server_gives_out() -> Result<()> {
    let demo = Demo::new().await?;
    let folder = demo.folder.path();
    let key = ["--key".to_owned(), demo.key.clone()];
    for (name, body) in [
        ("all.zip", json!({"disclose": "all"})),
        ("none.zip", json!({"disclose": "none"})),
        ("digests.zip", json!({"disclose": "none", "with_data": false})),
    ] {
        demo.export(name, &body).await?;
        let (ours, theirs) = (first(folder, name, &key)?, second(folder, name, &key)?);
        assert_eq!(said(&ours)?, said(&theirs)?, "{name}");
        assert_eq!(ours.status.code(), Some(0), "{name}");
    }
    let token = folder.join("token");
    std::fs::write(&token, demo.ida.token().context("a token")?)?;
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let ledger = format!("{}/ledger", demo.server.url);
    let token = token.to_str().context("a path")?;
    let mirror = folder.join("mirror");
    let at = mirror.to_str().context("a path")?.to_owned();
    tokio::task::spawn_blocking({
        let (ledger, token) = (ledger.clone(), token.to_owned());
        move || {
            assay_tests::run(&[
                "ledger",
                "mirror",
                &ledger,
                &at,
                "--entries",
                "--token-file",
                &token,
            ])
        }
    })
    .await??;
    let (ours, theirs) = (first(folder, "mirror", &key)?, second(folder, "mirror", &key)?);
    assert_eq!(said(&ours)?, said(&theirs)?);
    assert_eq!(ours.status.code(), Some(0));
    Ok(())
}
