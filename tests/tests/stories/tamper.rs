//! Whoever owns the file can change it: which check finds which change, and what only an older checkpoint or a witness finds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use assay_ledger::{SignedCheckpoint, WitnessSigner};
use assay_store_sqlite::tamper::{self, Gap};
use assay_tests::{assay, run};
use serde_json::Value;

/// The entry that opens the demo's case, and one in the middle of it.
const OPENING: u64 = 21;
const MIDDLE: u64 = 100;

/// A data directory with two signed checkpoints, of which the older one was kept elsewhere.
struct Honest {
    _folder: tempfile::TempDir,
    dir: PathBuf,
    key: String,
    witness: String,
    kept: PathBuf,
    older_copy: PathBuf,
    kept_size: u64,
}

/// What a thief can do about the traces.
#[derive(Clone, Copy, PartialEq)]
enum Traces {
    /// Nothing.
    Left,
    /// Make the journal whole in itself again.
    Rehashed,
    /// The same, and sign it anew with the stolen key.
    Resigned,
}

type Tampering = (&'static str, fn(&Path) -> Result<()>);

const TAMPERINGS: [Tampering; 8] = [
    ("an entry's data edited", |journal| {
        let text = sealed_data(journal)?.replace("TLP:AMBER", "TLP:GREEN");
        Ok(tamper::edit_data(journal, OPENING, text.as_bytes())?)
    }),
    ("an entry's author edited", |journal| {
        Ok(tamper::edit_column(journal, MIDDLE, "actor", [7_u8; 16].as_slice())?)
    }),
    ("an entry's time edited", |journal| {
        Ok(tamper::sql(
            journal,
            "UPDATE entries SET recorded_at = recorded_at + 1 WHERE position = 100",
        )?)
    }),
    ("an entry deleted", |journal| Ok(tamper::delete(journal, MIDDLE, Gap::Left)?)),
    ("an entry deleted, the gap closed", |journal| {
        Ok(tamper::delete(journal, MIDDLE, Gap::Closed)?)
    }),
    ("two entries exchanged", |journal| Ok(tamper::swap(journal, 60, 61)?)),
    ("an entry inserted", |journal| Ok(tamper::insert(journal, MIDDLE, MIDDLE, |_| ())?)),
    ("the end cut off", |journal| Ok(tamper::truncate(journal, 200)?)),
];

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

fn sealed_data(journal: &Path) -> Result<String> {
    use assay_store::journal::Journal as _;
    use assay_store_sqlite::{Options, SqliteLog};
    let log = SqliteLog::open(journal, Options::default())?;
    let entry = log.entries(OPENING - 1, 1)?.into_iter().next().context("the entry")?;
    Ok(String::from_utf8(entry.recorded.fact.data.to_vec())?)
}

fn copy_dir(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status()?;
    anyhow::ensure!(status.success(), "cp -a {} {}", from.display(), to.display());
    Ok(())
}

fn honest() -> Result<Honest> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("data");
    let at = text(&dir)?.to_owned();
    let sign = || run(&["ledger", "checkpoint", "--sign", "--data-dir", &at]);
    let add = |name| run(&["user", "add", name, "--role", "analyst", "--data-dir", &at]);
    run(&["demo", "--data-dir", &at])?;
    sign()?;
    let older_copy = folder.path().join("older");
    copy_dir(&dir, &older_copy)?;
    add("zoe")?;
    let kept_note = sign()?;
    let kept = folder.path().join("kept.txt");
    fs::write(&kept, &kept_note)?;
    let kept_size = SignedCheckpoint::parse(&kept_note)?.checkpoint().size;
    add("max")?;
    add("kim")?;
    let note = sign()?;
    let witness = WitnessSigner::new("witness.example/w1", &[9; 32])?;
    let mut signed = SignedCheckpoint::parse(&note)?;
    let cosignature = witness.cosign(&signed, 1_700_000_000)?;
    signed.add(cosignature)?;
    let name = format!("{:020}.note", signed.checkpoint().size);
    fs::write(dir.join("ledger/checkpoints").join(name), signed.to_text())?;
    fs::write(dir.join("ledger/latest"), signed.to_text())?;
    let key = run(&["ledger", "key", "--data-dir", &at])?.trim().to_owned();
    let witness = witness.verifier().to_text();
    Ok(Honest { _folder: folder, dir, key, witness, kept, older_copy, kept_size })
}

/// Runs the binary whatever it says; its answer as JSON.
fn ask(arguments: &[&str]) -> Result<(i32, Value)> {
    let output = Command::new(assay()?).args(arguments).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let value = serde_json::from_str(said.trim())
        .with_context(|| format!("{said}{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok((output.status.code().unwrap_or(-1), value))
}

fn place(position: &Value) -> String {
    position.as_u64().map_or_else(String::new, |at| format!(" at entry {at}"))
}

/// What `assay check` says, in one cell.
fn checked(dir: &Path) -> Result<String> {
    let (code, said) = ask(&["check", "--json", "--data-dir", text(dir)?])?;
    if code == 0 {
        return Ok("holds".to_owned());
    }
    let parts = said["parts"].as_object().context("parts")?;
    let wrong = parts.iter().find(|(_, part)| part["state"] == "wrong").context("a wrong part")?;
    Ok(format!("**found**{} ({})", place(&wrong.1["position"]), wrong.0.replace('_', " ")))
}

/// What `assay verify` says, in one cell.
fn verified(dir: &Path, more: &[&str]) -> Result<String> {
    let mut arguments = vec!["verify", text(dir)?, "--json"];
    arguments.extend_from_slice(more);
    let (code, said) = ask(&arguments)?;
    if code == 0 {
        return Ok("holds".to_owned());
    }
    let checks = said["checks"].as_array().context("checks")?;
    let failing = checks.iter().filter(|check| check["state"] == "fails");
    let names: Vec<&str> = failing.filter_map(|check| check["name"].as_str()).collect();
    Ok(format!("**found**{} ({})", place(&said["position"]), names.join(", ")))
}

/// One line of the table.
fn line(honest: &Honest, dir: &Path, what: &str) -> Result<[String; 5]> {
    let kept = text(&honest.kept)?;
    let key = ["--key", honest.key.as_str()];
    let older = [key.as_slice(), &["--checkpoint", kept]].concat();
    let witness = [key.as_slice(), &["--witness", &honest.witness]].concat();
    Ok([
        what.to_owned(),
        checked(dir)?,
        verified(dir, &key)?,
        verified(dir, &older)?,
        verified(dir, &witness)?,
    ])
}

fn tampered(honest: &Honest, tampering: &Tampering, traces: Traces) -> Result<[String; 5]> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("data");
    copy_dir(&honest.dir, &dir)?;
    let journal = dir.join("journal.db");
    (tampering.1)(&journal)?;
    let mut what = tampering.0.to_owned();
    if traces != Traces::Left {
        tamper::rehash(&journal, 1)?;
        what.push_str(", re-hashed");
    }
    if traces == Traces::Resigned {
        // Whoever has the key and the disk leaves nothing that contradicts the new story.
        fs::remove_dir_all(dir.join("ledger"))?;
        for name in ["views.db", "views.db-wal", "views.db-shm"] {
            let _ = fs::remove_file(dir.join(name));
        }
        run(&["ledger", "checkpoint", "--sign", "--data-dir", text(&dir)?])?;
        what.push_str(" and signed with the stolen key");
    }
    line(honest, &dir, &what)
}

fn table(honest: &Honest) -> Result<Vec<[String; 5]>> {
    let mut rows = vec![line(honest, &honest.dir, "nothing")?];
    for traces in [Traces::Left, Traces::Rehashed, Traces::Resigned] {
        for tampering in &TAMPERINGS {
            rows.push(tampered(honest, tampering, traces)?);
        }
    }
    rows.push(line(honest, &honest.older_copy, "the whole directory put back to an older copy")?);
    rows.push(newest_cut_off(honest)?);
    Ok(rows)
}

/// Entries that no checkpoint covers yet, cut off: nothing on this machine can show it.
fn newest_cut_off(honest: &Honest) -> Result<[String; 5]> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("data");
    copy_dir(&honest.dir, &dir)?;
    let at = text(&dir)?;
    run(&["user", "add", "late", "--role", "analyst", "--data-dir", at])?;
    let size = SignedCheckpoint::parse(&fs::read_to_string(dir.join("ledger/latest"))?)?;
    let journal = dir.join("journal.db");
    tamper::truncate(&journal, size.checkpoint().size)?;
    tamper::rehash(&journal, 1)?;
    for name in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = fs::remove_file(dir.join(name));
    }
    line(honest, &dir, "entries newer than every checkpoint cut off, re-hashed")
}

fn printed(rows: &[[String; 5]]) -> String {
    let head = String::from(
        "| what was done to the journal | `assay check` | `assay verify` with the log's key | … and a checkpoint \
         kept elsewhere | … and a witness |\n|---|---|---|---|---|\n",
    );
    let lines = rows.iter().map(|row| format!("| {} |\n", row.join(" | ")));
    std::iter::once(head).chain(lines).collect()
}

const BEGIN: &str = "<!-- tamper table: begin -->\n";
const END: &str = "<!-- tamper table: end -->";

#[test]
fn every_tampering_is_found_by_the_check_that_the_table_names() -> Result<()> {
    let honest = honest()?;
    assert!(honest.kept_size > 200);
    let rows = table(&honest)?;
    assert!(rows[0][1..].iter().all(|cell| cell == "holds"), "no false alarm: {:?}", rows[0]);
    for row in &rows[1..rows.len() - 1] {
        assert!(row[3].contains("found") || row[4].contains("found"), "undetected: {row:?}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verification.md");
    let document = fs::read_to_string(&path)?;
    let (before, rest) = document.split_once(BEGIN).context("where the table begins")?;
    let (known, after) = rest.split_once(END).context("where the table ends")?;
    let made = printed(&rows);
    if std::env::var_os("ASSAY_GOLDEN").is_some_and(|how| how == "write") {
        fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}"))?;
        return Ok(());
    }
    assert_eq!(
        known, made,
        "docs/verification.md tells another table; `make golden` writes it anew"
    );
    Ok(())
}
