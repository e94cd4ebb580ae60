//! A house moves: into a backup and out of it, into PostgreSQL and back, and every time it is the same house.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use assay_store_sqlite::{check_journal_at, journal_summary};
use assay_tests::{Client, Server, assay, run, run_failing};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::team::{PASSWORD, Team, first_admin, register};

/// How often it is looked whether something has happened.
const LOOKS_MAX: usize = 6_000;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// An acknowledged report: its id, its words, its position.
type Acknowledged = (String, String, u64);

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Eight people file reports until told to stop.
struct Writers {
    acknowledged: Arc<Mutex<Vec<Acknowledged>>>,
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Writers {
    fn start(ana: &Client, case: &str) -> Self {
        let (acknowledged, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let task = |writer: u32| {
            let (ana, path) = (ana.clone(), format!("/cases/{case}/reports"));
            let (stop, acknowledged) = (Arc::clone(&stop), Arc::clone(&acknowledged));
            tokio::spawn(write(ana, path, writer, stop, acknowledged))
        };
        let tasks = (0..8).map(task).collect();
        Self { acknowledged, stop, tasks }
    }

    async fn have(&self, count: usize) -> Result<Vec<Acknowledged>> {
        for _ in 0..LOOKS_MAX {
            let so_far = self.acknowledged.lock().await.clone();
            if so_far.len() >= count {
                return Ok(so_far);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("{count} reports were not acknowledged")
    }

    async fn stop(self) -> Result<Vec<Acknowledged>> {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await?;
        }
        Ok(self.acknowledged.lock().await.clone())
    }
}

async fn write(
    ana: Client,
    path: String,
    writer: u32,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Vec<Acknowledged>>>,
) {
    for n in 0.. {
        let words = format!("Writer {writer} saw it for the {n}th time.");
        let body = json!({"kind": "news", "text": words});
        let Ok(answer) = ana.post(&path, &body).await else { return };
        let (Ok(id), Ok(position)) = (answer.text_at("/id"), answer.number_at("/receipt/position"))
        else {
            return;
        };
        acknowledged.lock().await.push((id, words, position));
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

async fn must_have(ana: &Client, reports: &[Acknowledged]) -> Result<()> {
    for (id, words, position) in reports {
        let report = ana.get(&format!("/reports/{id}?as_of={position}")).await?.expect(200)?;
        let rendition = report.text_at("/renditions/0/id")?;
        let there = ana.get(&format!("/reports/{id}/renditions/{rendition}")).await?.expect(200)?;
        assert_eq!(&there.text_at("/text")?, words);
    }
    Ok(())
}

/// Runs the program to its end without holding up those who write meanwhile.
async fn beside(arguments: &[&str]) -> Result<String> {
    let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await?
}

#[tokio::test]
async fn a_backup_taken_while_people_write_is_the_whole_house_elsewhere() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let data = team.data.clone();
    let folder = tempfile::tempdir()?;
    assert!(team.server.stop().await?);
    let config = folder.path().join("assay.toml");
    fs::write(&config, "[ledger]\ninterval_s = 1\n")?;
    let server = Server::start_with(&data, &["--config", text(&config)?]).await?;
    let ana = Client::login(&server.url, "ana", PASSWORD).await?;
    let writers = Writers::start(&ana, &case);
    let before = writers.have(40).await?;

    let copy = folder.path().join("backups/monday");
    let (at, to) = (text(&data)?, text(&copy)?);
    let said = beside(&["backup", "--data-dir", at, "--to", to, "--json"]).await?;
    let said: Value = serde_json::from_str(&said)?;
    assert_eq!((&said["holds"], &said["verified"]), (&json!(true), &json!(true)), "{said}");
    assert_eq!(said["unchecked"], json!([]), "{said}");
    writers.have(before.len() + 20).await?;
    let all = writers.stop().await?;
    assert!(server.stop().await?, "the server was not disturbed");

    // At the backup's size the house that went on had the same root.
    let entries = said["entries"].as_u64().context("entries")?;
    let here = check_journal_at(data.join("journal.db"), &BTreeSet::from([entries]), |_, _| ());
    let root = here.roots.get(&entries).context("a root")?;
    let root = hex(root);
    assert_eq!(said["root"], json!(root));
    assert!(before.iter().all(|(_, _, position)| *position <= entries));
    assert!(journal_summary(data.join("journal.db"))?.entries > entries);

    let there = folder.path().join("there");
    let restored = run(&["restore", "--from", to, "--data-dir", text(&there)?])?;
    assert!(restored.contains(&root), "{restored}");
    assert!(restored.contains("NEEDED"), "no master key is in it: {restored}");
    assert!(!there.join("keys/master.key").exists());
    fs::copy(data.join("keys/master.key"), there.join("keys/master.key"))?;
    let checked = run(&["check", "--data-dir", text(&there)?])?;
    assert!(checked.contains("everything holds"), "{checked}");
    let server = Server::start(&there).await?;
    let ana = Client::login(&server.url, "ana", PASSWORD).await?;
    let path = format!("/cases/{case}/reports");
    ana.post(&path, &json!({"kind": "news", "text": "It goes on."})).await?.expect(201)?;
    must_have(&ana, &before).await?;
    let (kept, lost): (Vec<_>, Vec<_>) = all.iter().partition(|(_, _, at)| *at <= entries);
    assert!(kept.len() >= before.len() && !lost.is_empty());
    for (id, _, _) in lost {
        assert_eq!(ana.get(&format!("/reports/{id}")).await?.status, 404, "it came later");
    }
    assert!(server.stop().await?);
    Ok(())
}

/// A small house with a signed checkpoint, and a backup of it with the master key.
fn backed_up() -> Result<(TempDir, PathBuf, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    run(&["init", "--data-dir", text(&data)?])?;
    run(&["ledger", "checkpoint", "--sign", "--data-dir", text(&data)?])?;
    let copy = folder.path().join("copy");
    let said =
        run(&["backup", "--data-dir", text(&data)?, "--to", text(&copy)?, "--with-master-key"])?;
    assert!(said.contains("can read everything"), "{said}");
    Ok((folder, data, copy))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[test]
fn a_flipped_byte_in_a_backup_is_refused_and_nothing_is_put_in_place() -> Result<()> {
    let (folder, data, copy) = backed_up()?;
    let there = folder.path().join("there");
    let restore = ["restore", "--from", text(&copy)?, "--data-dir", text(&there)?];
    let all = files(&copy)?;
    for name in ["journal.db", "vault.db", "backup.json", "master.key", "latest"] {
        assert!(all.iter().any(|path| path.ends_with(name)), "{name} is not in {all:?}");
    }
    for path in &all {
        let right = fs::read(path)?;
        let mut wrong = right.clone();
        wrong[right.len() / 2] ^= 4;
        fs::write(path, wrong)?;
        let (code, said) = run_failing(&restore)?;
        assert_eq!(code, 1, "{}: {said}", path.display());
        assert!(!there.exists() && !folder.path().join("there.partial").exists(), "{said}");
        fs::write(path, right)?;
    }
    let (code, said) = run_failing(&["backup", "--data-dir", text(&data)?, "--to", text(&copy)?])?;
    assert_eq!(code, 2, "a backup is never written over: {said}");
    let (code, said) =
        run_failing(&["restore", "--from", text(&copy)?, "--data-dir", text(&data)?])?;
    assert_eq!(code, 2, "a house is never written over: {said}");
    let restored = run(&restore)?;
    assert!(restored.contains("opens the vault"), "{restored}");
    run(&["check", "--data-dir", text(&there)?])?;
    Ok(())
}

#[test]
fn an_old_backup_beside_a_later_checkpoint_says_so_and_the_server_refuses_it() -> Result<()> {
    let (folder, data, copy) = backed_up()?;
    let second = folder.path().join("second");
    let config = folder.path().join("assay.toml");
    fs::write(&config, format!("[ledger]\ninterval_s = 1\nsecond_place = {second:?}\n"))?;
    let config = text(&config)?;
    run(&["user", "add", "zoe", "--role", "analyst", "--data-dir", text(&data)?])?;
    run(&["ledger", "checkpoint", "--sign", "--data-dir", text(&data)?, "--config", config])?;
    let there = folder.path().join("there");
    let at = text(&there)?;
    let restore = ["restore", "--from", text(&copy)?, "--data-dir", at, "--config", config];
    let said = run(&restore)?;
    assert!(said.contains("LATER") && said.contains(text(&second)?), "{said}");
    let listen = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
    let serve = [["serve", "--data-dir", at, "--config", config].as_slice(), &listen].concat();
    let (_, said) = run_failing(&serve)?;
    assert!(said.contains("older copy"), "{said}");
    Ok(())
}

/// A house with two thousand reports, stopped: its folder, its data directory and its case.
async fn full_house() -> Result<(TempDir, PathBuf, String)> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (server, admin) = first_admin(&data).await?;
    let (_, ana) = register(&admin, &server.url, "ana", "analyst").await?;
    let body = json!({"title": "Villages", "mandate": "Who holds what."});
    let case = ana.post("/cases", &body).await?.expect(201)?.text_at("/id")?;
    assert!(server.stop().await?);
    let (at, file) = (text(&data)?, folder.path().join("reports.ndjson"));
    run(&["import", "--generate", "2000", text(&file)?])?;
    run(&["import", text(&file)?, "--case", &case, "--as", "ana", "--data-dir", at])?;
    Ok((folder, data, case))
}

/// Copies, is killed as soon as some entries are in the target, and copies again to the end.
async fn copy_with_a_kill(
    arguments: &[&str],
    entries: u64,
    there: impl Fn() -> Result<u64>,
) -> Result<String> {
    let mut child = tokio::process::Command::new(assay()?)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut looks = 0;
    while there().unwrap_or_default() == 0 {
        looks += 1;
        ensure!(looks < LOOKS_MAX, "nothing arrives");
        if child.try_wait()?.is_some() {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    child.kill().await?;
    let before = there()?;
    assert!((1..=entries).contains(&before), "{before} of {entries}");
    let said = beside(arguments).await?;
    assert!(said.contains("both are the same"), "{said}");
    assert!(!said.contains("; 0 of "), "it went on where it was: {said}");
    assert_eq!(there()?, entries);
    Ok(said)
}

/// Serves a copied house: people log in with their old passwords and find what they filed.
async fn lives(data: &Path, case: &str) -> Result<()> {
    let checked = run(&["check", "--data-dir", text(data)?])?;
    assert!(checked.contains("holds"), "{checked}");
    let server = Server::start(data).await?;
    let ana = Client::login(&server.url, "ana", PASSWORD).await?;
    let path = format!("/cases/{case}/reports");
    // The views are made anew first.
    let mut looks = 0;
    while ana.get(&format!("{path}?limit=200")).await?.items().len() < 200 {
        looks += 1;
        ensure!(looks < LOOKS_MAX, "the reports do not come");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let found = ana.get("/cases").await?.expect(200)?;
    assert_eq!(found.at("/items/0/title"), &json!("Villages"), "what was sealed opens");
    ana.post(&path, &json!({"kind": "news", "text": "It goes on."})).await?.expect(201)?;
    assert!(server.stop().await?);
    Ok(())
}

#[tokio::test]
async fn a_log_goes_to_postgres_and_back_and_is_the_same_log() -> Result<()> {
    let (folder, data, case) = full_house().await?;
    let at = text(&data)?;
    let was = journal_summary(data.join("journal.db"))?;
    let postgres = assay_testing_postgres::Server::quick()?;
    let url = postgres.database()?;
    let database = url.rsplit('/').next().context("a database")?.to_owned();
    let there = || {
        let count = postgres.psql(&database, "SELECT count(*) FROM assay.entries")?;
        Ok(count.trim().parse()?)
    };
    let copy = ["log", "copy", "--from", at, "--to", &url];
    let said = copy_with_a_kill(&copy, was.entries, there).await?;
    let root = hex(&was.root);
    assert_eq!(said.matches(&root).count(), 2, "{said}");

    let (back, key) = (folder.path().join("back"), data.join("keys/master.key"));
    let (to, key) = (text(&back)?, text(&key)?);
    let copy = ["log", "copy", "--from", &url, "--to", to, "--from-master-key-file", key];
    let said = run(&copy)?;
    assert_eq!(said.matches(&root).count(), 2, "{said}");
    run(&copy)?; // Twice is once.
    let is = journal_summary(back.join("journal.db"))?;
    assert_eq!((is.root, is.entries), (was.root, was.entries));
    assert_ne!(is.log_id, was.log_id, "it is another log with the same entries");
    lives(&back, &case).await?;

    // It has gone on; what is there is no longer a beginning of what is here.
    let (code, said) = run_failing(&["log", "copy", "--from", at, "--to", to])?;
    assert_eq!(code, 2);
    assert!(said.contains("holds other entries"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_copied_into_another_directory_makes_the_same_house_there() -> Result<()> {
    let (folder, data, case) = full_house().await?;
    let was = journal_summary(data.join("journal.db"))?;
    let new = folder.path().join("new");
    let (from, to) = (text(&data)?, text(&new)?);
    let there = || Ok(journal_summary(new.join("journal.db"))?.entries);
    copy_with_a_kill(&["log", "copy", "--from", from, "--to", to], was.entries, there).await?;
    lives(&new, &case).await
}
