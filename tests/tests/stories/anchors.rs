//! Checkpoints stand outside the data directory: an older copy of it is refused, and a silent anchor is an alarm.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use assay_ledger::SignedCheckpoint;
use assay_store_sqlite::tamper;
use assay_tests::{Client, Server, run_failing};
use serde_json::json;

use crate::team::{PASSWORD, first_admin, register};

/// How often it is looked whether a checkpoint has come out.
const LOOKS_MAX: usize = 200;

async fn size_in(path: &Path, at_least: u64) -> Result<u64> {
    for _ in 0..LOOKS_MAX {
        let note = fs::read_to_string(path).unwrap_or_default();
        if let Ok(signed) = SignedCheckpoint::parse(&note)
            && signed.checkpoint().size >= at_least
        {
            return Ok(signed.checkpoint().size);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("no checkpoint of {at_least} came into {}", path.display())
}

#[tokio::test]
async fn an_older_copy_of_the_data_is_refused_by_what_stands_in_the_second_place() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (server, admin) = first_admin(&data).await?;
    register(&admin, &server.url, "ida", "auditor").await?;
    assert!(server.stop().await?);
    let older = folder.path().join("older");
    ensure!(Command::new("cp").arg("-a").arg(&data).arg(&older).status()?.success());

    let (second, file) = (folder.path().join("second"), folder.path().join("anchored.txt"));
    let config = folder.path().join("assay.toml");
    let settings = format!(
        "[ledger]\ninterval_s = 1\nsecond_place = {second:?}\nlate_after_s = 1\n\
         [[ledger.anchors]]\nname = \"outside\"\nkind = \"file\"\nto = {file:?}\nevery_s = 1\n\
         [[ledger.anchors]]\nname = \"silent\"\nkind = \"webhook\"\n\
         to = \"http://127.0.0.1:9/checkpoints\"\nevery_s = 1\n"
    );
    fs::write(&config, settings)?;
    let config = config.to_str().context("a path")?;
    let server = Server::start_with(&data, &["--config", config]).await?;
    let admin = Client::login(&server.url, "admin", PASSWORD).await?;
    let (_, zoe) = register(&admin, &server.url, "zoe", "analyst").await?;
    let case = zoe.post("/cases", &json!({"title": "Later"})).await?.expect(201)?;
    let position = case.number_at("/receipt/position")?;
    size_in(&second, position).await?;
    size_in(&file.with_extension("txt.latest"), position).await?;

    let ida = Client::login(&server.url, "ida", PASSWORD).await?;
    let mut late = false;
    for _ in 0..LOOKS_MAX {
        let anchors = ida.get("/audit/anchors").await?.expect(200)?;
        late = anchors.at("/late") == &json!(["silent"]);
        if late {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(late, "an anchor that takes nothing is an alarm");
    assert!(server.logged()?.contains("silent"));
    assert!(server.stop().await?);

    fs::remove_dir_all(&data)?;
    fs::rename(&older, &data)?;
    let at = data.to_str().context("a path")?;
    let listen = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
    let serve = [["serve", "--data-dir", at, "--config", config].as_slice(), &listen].concat();
    let (code, said) = run_failing(&serve)?;
    assert_ne!(code, 0);
    assert!(said.contains("older copy"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_journal_changed_under_the_running_server_is_not_signed_and_stops_writes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (server, admin) = first_admin(&data).await?;
    let (_, _) = register(&admin, &server.url, "zoe", "analyst").await?;
    assert!(server.stop().await?);
    let config = folder.path().join("assay.toml");
    fs::write(&config, "[ledger]\ninterval_s = 3\n")?;
    let config = config.to_str().context("a path")?;
    let server = Server::start_with(&data, &["--config", config]).await?;
    let zoe = Client::login(&server.url, "zoe", PASSWORD).await?;
    let opened = zoe.post("/cases", &json!({"title": "Before"})).await?.expect(201)?;
    let signed =
        size_in(&data.join("ledger/latest"), opened.number_at("/receipt/position")?).await?;
    let next = zoe.post("/cases", &json!({"title": "After"})).await?.expect(201)?;
    let position = next.number_at("/receipt/position")?;
    ensure!(position > signed, "the next checkpoint is seconds away");
    tamper::edit_column(data.join("journal.db"), position, "leaf", [7_u8; 32].as_slice())?;
    let mut refused = 0;
    for _ in 0..LOOKS_MAX {
        let answer = zoe.post("/cases", &json!({"title": "Later"})).await?;
        refused = answer.status;
        if refused == 503 {
            assert_eq!(answer.code(), "house_unsound", "{}", answer.text);
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(refused, 503);
    zoe.get("/cases").await?.expect(200)?;
    let latest = SignedCheckpoint::parse(&fs::read_to_string(data.join("ledger/latest"))?)?;
    assert!(latest.checkpoint().size < position, "nothing was signed over it");
    assert!(!server.stop().await?, "it does not end well");
    Ok(())
}
