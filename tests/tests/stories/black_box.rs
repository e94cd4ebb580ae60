//! The binary as scripts and operators meet it: ready line, exit codes, one owner of a data directory, silent secrets.

use anyhow::{Context as _, Result};
use assay_tests::{Client, Server, run, run_failing};
use serde_json::Value;

use crate::team::{PASSWORD, Team, first_admin};

#[tokio::test]
async fn it_says_when_it_is_ready_and_stops_when_asked() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (server, admin) = first_admin(&data).await?;
    assert_eq!(server.ready["event"], "ready");
    admin.get("/me").await?.expect(200)?;
    assert!(server.stop().await?, "SIGTERM ends it well");
    let server = Server::start(&data).await?;
    Client::login(&server.url, "admin", PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn a_second_instance_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (_server, _) = first_admin(&data).await?;
    let shown = data.to_str().context("a path")?;
    let (code, said) = run_failing(&["serve", "--data-dir", shown, "--listen", "127.0.0.1:0"])?;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("lock") || said.contains("in use"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_setting_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("assay.toml");
    std::fs::write(&file, "[server]\nlissten = \"127.0.0.1:0\"\n")?;
    let (code, said) = run_failing(&["config", "--config", file.to_str().context("a path")?])?;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("lissten"), "{said}");
    Ok(())
}

#[tokio::test]
async fn its_log_is_json_and_tells_no_secret() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    team.report(&case, "A canary in a coal mine.").await?;
    Client::stranger(&team.server.url)
        .post("/login", &serde_json::json!({"username": "ana", "password": "wrong-canary"}))
        .await?;
    let logged = team.server.logged()?;
    for line in logged.lines() {
        serde_json::from_str::<Value>(line).with_context(|| line.to_owned())?;
    }
    let token = team.ana.token().context("a token")?;
    for secret in [PASSWORD, token, "wrong-canary", "coal mine"] {
        assert!(!logged.contains(secret), "the log tells {secret}");
    }
    Ok(())
}

#[tokio::test]
async fn nothing_personal_lies_in_clear_in_log_and_vault() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    team.report(&case, "A canary in a coal mine.").await?;
    let data = team.data.clone();
    let token = team.ana.token().context("a token")?.to_owned();
    assert!(team.server.stop().await?);
    for entry in std::fs::read_dir(&data)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !path.is_file() || name.starts_with("views") {
            continue;
        }
        let bytes = std::fs::read(&path)?;
        for secret in ["coal mine", PASSWORD, token.as_str()] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds `{secret}` in clear");
        }
    }
    run(&["check", "--data-dir", data.to_str().context("a path")?])?;
    Ok(())
}

#[tokio::test]
async fn one_changed_byte_is_found() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    team.report(&case, "They struck Saraqeb.").await?;
    let data = team.data.clone();
    assert!(team.server.stop().await?);
    let shown = data.to_str().context("a path")?;
    run(&["check", "--data-dir", shown])?;
    let journal = data.join("journal.db");
    let mut bytes = std::fs::read(&journal)?;
    let mark = b"report.filed.v1\",\"data\":{\"case\":\"";
    let at = bytes.windows(mark.len()).position(|window| window == mark).context("the fact")?;
    bytes[at + mark.len()] ^= 1;
    std::fs::write(&journal, &bytes)?;
    let (code, said) = run_failing(&["check", "--data-dir", shown])?;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("WRONG at entry "), "{said}");
    Ok(())
}
