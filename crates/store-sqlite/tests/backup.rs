//! A copy is made while another process writes: it is one moment, one private file, and whole.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod common;
#[path = "common/elsewhere.rs"]
mod elsewhere;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use assay_store::log::{Expected, Log as _};
use assay_store::master::MasterKey;
use assay_store::replica::Replica as _;
use assay_store::vault::{KeyState, Vault as _};
use assay_store_sqlite::{
    OpenError, SqliteVault, backup_journal, backup_vault, check_journal, check_journal_at,
    journal_summary,
};
use common::{facts, open};
use elsewhere::{UPSTREAM, take};

fn names(directory: &Path) -> Vec<String> {
    let files = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Not a test of its own: what the writing process does, told by its environment.
#[tokio::test]
async fn a_writer_beside() {
    let Some(path) = std::env::var_os("ASSAY_WRITER_BESIDE") else { return };
    let log = open(path.as_ref());
    let mut out = std::io::stdout();
    for n in 0_u64.. {
        let mut facts = facts(50 * n..50 * n + 50);
        for fact in &mut facts {
            fact.data = vec![b'x'; 2_000].into();
        }
        log.append(&format!("s{}", n % 7), Expected::Any, facts).await.unwrap();
        writeln!(out, "wrote {n}").unwrap();
        out.flush().unwrap();
    }
}

/// Another process that writes until it is killed.
struct Writing {
    child: Child,
    told: Box<dyn Iterator<Item = String>>,
}

impl Writing {
    fn to(path: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["a_writer_beside", "--exact", "--nocapture"])
            .env("ASSAY_WRITER_BESIDE", path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        Self { child, told: Box::new(lines.filter(|line| line.contains("wrote "))) }
    }

    fn wait_for(&mut self, appends: usize) {
        for _ in 0..appends {
            self.told.next().unwrap();
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Waits until the writer, which must not be held up, has written more.
fn goes_on(path: &Path) {
    let until = Instant::now() + Duration::from_mins(1);
    let before = journal_summary(path).unwrap().entries;
    while journal_summary(path).unwrap().entries == before {
        assert!(Instant::now() < until, "the writer is held up");
    }
}

#[test]
fn a_journal_is_copied_while_another_process_writes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let copies = directory.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    let mut writing = Writing::to(&path);
    let mut sizes = BTreeSet::new();
    let mut wanted = Vec::new();
    for n in 0..3 {
        writing.wait_for(60);
        let to = copies.join(format!("{n}.db"));
        let before = journal_summary(&path).unwrap().entries;
        let mut told = Vec::new();
        let mut progress = |done, all| {
            if told.is_empty() {
                goes_on(&path);
            }
            told.push((done, all));
        };
        backup_journal(&path, &to, &mut progress).unwrap();
        assert!(told.len() > 2 && told.is_sorted(), "{told:?}");
        let last = told.last().unwrap();
        assert!(last.0 == last.1 && told.iter().all(|(_, all)| all == &last.1), "{told:?}");
        assert_eq!(names(&copies), (0..=n).map(|n| format!("{n}.db")).collect::<Vec<_>>());
        let during = journal_summary(&path).unwrap().entries;

        // The copy is looked at elsewhere, so that looking leaves nothing beside it.
        let looked_at = directory.path().join(format!("looked-at-{n}.db"));
        std::fs::copy(&to, &looked_at).unwrap();
        let report = check_journal(&looked_at, |_, _| ()).unwrap();
        assert!(report.entries >= before && report.entries < during, "a moment of its own");
        sizes.insert(report.entries);
        wanted.push((report.entries, report.root));
    }
    drop(writing);
    let checked = check_journal_at(&path, &sizes, |_, _| ());
    checked.verdict.unwrap();
    assert!(checked.roots.into_iter().eq(wanted), "each copy is what the journal was then");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_a_copy() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_directory, path) = written().await;
    let to = path.with_file_name("copy.db");
    backup_journal(&path, &to, &mut |_, _| ()).unwrap();
    assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
}

async fn written() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = open(&path);
    log.append("a", Expected::NoStream, facts(0..10)).await.unwrap();
    drop(log);
    (directory, path)
}

#[tokio::test]
async fn what_is_there_is_not_written_over() {
    let (directory, path) = written().await;
    let to = directory.path().join("copy.db");
    std::fs::write(&to, "somebody's").unwrap();
    let refused = backup_journal(&path, &to, &mut |_, _| ()).unwrap_err();
    assert!(matches!(refused, OpenError::Exists { .. }), "{refused}");
    assert!(refused.to_string().contains("copy.db is there already"), "{refused}");
    assert_eq!(std::fs::read(&to).unwrap(), b"somebody's");
    let onto_itself = backup_journal(&path, &path, &mut |_, _| ()).unwrap_err();
    assert!(matches!(onto_itself, OpenError::Exists { .. }), "{onto_itself}");

    let late = directory.path().join("late.db");
    let mut somebody_else = |_, _| std::fs::write(&late, "somebody's").unwrap();
    let refused = backup_journal(&path, &late, &mut somebody_else).unwrap_err();
    assert!(matches!(refused, OpenError::Exists { .. }), "{refused}");
    assert_eq!(std::fs::read(&late).unwrap(), b"somebody's");
    assert!(!names(directory.path()).iter().any(|name| name.ends_with(".partial")));
}

#[tokio::test]
async fn what_is_no_journal_is_not_copied() {
    let (directory, path) = written().await;
    let vault = directory.path().join("vault.db");
    drop(open_vault(&vault));
    let text = directory.path().join("text.db");
    std::fs::write(&text, "not a journal ".repeat(1_000)).unwrap();
    let to = directory.path().join("copy.db");
    for no_journal in [&vault, &text, &directory.path().join("nothing.db")] {
        backup_journal(no_journal, &to, &mut |_, _| ()).unwrap_err();
    }
    for no_vault in [&path, &text] {
        backup_vault(no_vault, &to, &mut |_, _| ()).unwrap_err();
    }
    assert!(!names(directory.path()).iter().any(|name| name.contains("copy")));
}

#[tokio::test]
async fn the_copy_of_a_replica_is_a_replica() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = open(&path);
    log.adopt(UPSTREAM).await.unwrap();
    take(&log, 1..=20).await;
    let to = directory.path().join("copy.db");
    backup_journal(&path, &to, &mut |_, _| ()).unwrap();
    take(&log, 21..=25).await;
    let copy = open(&to);
    assert_eq!(copy.upstream(), Ok(Some(UPSTREAM)));
    assert_eq!(take(&copy, 21..=22).await, 22, "and goes on from where it was made");
}

fn open_vault(path: &Path) -> SqliteVault {
    let clock = Arc::new(|| 1_700_000_000_000_000);
    SqliteVault::open(path, MasterKey::new([3; 32]), clock).unwrap()
}

#[tokio::test]
async fn a_vault_is_copied_while_it_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    let vault = open_vault(&path);
    let keys = vault.new_keys(2_000).await.unwrap();
    vault.destroy(keys[0].0).await.unwrap();
    vault.put_secret("password/a", None, b"wrapped".to_vec()).await.unwrap();
    let copies = directory.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    let to = copies.join("vault.db");
    let mut told = Vec::new();
    backup_vault(&path, &to, &mut |done, all| told.push((done, all))).unwrap();
    assert!(told.last().is_some_and(|(done, all)| done == all && *all > 0), "{told:?}");
    assert_eq!(names(&copies), ["vault.db"], "one file");
    vault.destroy(keys[1].0).await.unwrap();

    let copy = open_vault(&to);
    assert_eq!(copy.check().unwrap().keys, 1_999);
    let held = copy.keys(vec![keys[1].0, keys[0].0]).await.unwrap();
    assert_eq!(held, [KeyState::Held(keys[1].1.clone()), KeyState::Destroyed]);
    let other = SqliteVault::open(&to, MasterKey::new([4; 32]), Arc::new(|| 0));
    assert!(matches!(other, Err(OpenError::WrongMasterKey)), "it keeps its master key");
}
