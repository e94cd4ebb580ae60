//! The journal's file: it outlives a kill, old ones open, nothing in it is changed, a full disk is survived.

mod common;
#[path = "common/elsewhere.rs"]
mod elsewhere;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use assay_store::journal::Journal;
use assay_store::log::{Direction, Expected, Log, LogError};
use assay_store::replica::Replica as _;
use assay_store_sqlite::{OpenError, Options, SqliteLog, check_journal, journal_summary};
use common::{fact, facts, open};
use elsewhere::{UPSTREAM, recorded, take, token};
use futures_util::stream::StreamExt as _;
use rusqlite::Connection;

/// What the golden file's 40 facts had as root on the day it was made.
const GOLDEN_ROOT: &str = "84ce55065256c0a638815af731bcf5377f5a060a16acfd4c329401321582d931";

#[tokio::test]
async fn a_file_of_every_version_opens_and_goes_on() {
    for golden in ["golden/journal-v1.db", "golden/journal-v2.db", "golden/journal-v3.db"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.db");
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(golden);
        std::fs::copy(golden, &path).unwrap();
        let before = check_journal(&path, |_, _| ()).unwrap();
        assert_eq!((before.entries, before.streams), (40, 4));
        let root: Vec<String> = before.root.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(root.concat(), GOLDEN_ROOT);

        let log = open(&path);
        assert_eq!(log.log_id().await.unwrap(), before.log_id);
        for n in 0..40 {
            assert_eq!(log.locate(fact(n).id).unwrap().unwrap().recorded.fact, fact(n));
        }
        let done = log.append("golden-0", Expected::Exact(9), facts([100])).await.unwrap();
        assert_eq!((done.last, done.committed[0].position), (10, 41));
        drop(log);
        assert_eq!(check_journal(&path, |_, _| ()).unwrap().entries, 41);
    }
}

#[tokio::test]
async fn an_old_file_with_entries_of_its_own_becomes_no_copy() {
    let directory = tempfile::tempdir().unwrap();
    let (v1, v2) = (directory.path().join("v1.db"), directory.path().join("v2.db"));
    for (path, golden) in [(&v1, "golden/journal-v1.db"), (&v2, "golden/journal-v2.db")] {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(golden);
        std::fs::copy(golden, path).unwrap();
        let before = journal_summary(path).unwrap();
        assert_eq!((before.entries, before.is_replica, before.followed), (40, false, None));
        let log = open(path);
        let refused = log.adopt(UPSTREAM).await;
        assert!(matches!(refused, Err(LogError::Invalid(_))), "{refused:?}");
        assert_eq!(log.upstream(), Ok(None));
        drop(log);
        assert_eq!(journal_summary(path).unwrap(), before, "it is what it was");
    }
}

#[tokio::test]
async fn a_copys_file_opens_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/copy-v3.db");
    std::fs::copy(golden, &path).unwrap();
    let before = check_journal(&path, |_, _| ()).unwrap();
    assert_eq!((before.entries, before.is_replica, before.log_id), (40, true, UPSTREAM));
    let root: Vec<String> = before.root.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(root.concat(), GOLDEN_ROOT, "the same facts have the same root everywhere");
    let log = open(&path);
    assert_eq!(log.followed(), Ok(Some(token(40))));
    assert_eq!(take(&log, 41..=50).await, 50);
    let entries = log.entries(0, 100).unwrap();
    assert!(entries.into_iter().map(|entry| entry.recorded).eq((1..=50).map(recorded)));
    drop(log);
    check_journal(&path, |_, _| ()).unwrap();
}

#[tokio::test]
async fn a_closed_log_is_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = open(&path);
    log.append("a", Expected::NoStream, facts([1])).await.unwrap();
    log.read_stream("a", 0, Direction::Forward, 1).await.unwrap();
    let mut follower = log.follow(None);
    follower.next().await.unwrap().unwrap();
    drop(log);
    let names = std::fs::read_dir(&directory).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["journal.db", "journal.db.lock"], "no WAL is left behind");
    let rest: Vec<_> = follower.collect().await;
    let closed = Err(LogError::Unavailable { outcome_unknown: false });
    assert_eq!(rest.last(), Some(&closed), "a follower is told");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let log = open(&directory.path().join("journal.db"));
    log.append("a", Expected::NoStream, facts([1])).await.unwrap();
    let files = std::fs::read_dir(&directory).unwrap().map(Result::unwrap);
    let modes: Vec<u32> =
        files.map(|file| file.metadata().unwrap().permissions().mode() & 0o777).collect();
    assert_eq!(modes, [0o600; 4], "the file, its WAL, the WAL's index and the lock");
}

#[tokio::test]
async fn a_second_writer_is_kept_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = open(&path);
    let second = SqliteLog::open(&path, Options::default());
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    drop(log);
    open(&path);
}

#[tokio::test]
async fn entries_cannot_be_changed_or_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = open(&path);
    log.append("a", Expected::NoStream, facts([1, 2])).await.unwrap();
    drop(log);
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "recursive_triggers", true).unwrap();
    for sql in [
        "UPDATE entries SET data = x'00' WHERE position = 1",
        "UPDATE entries SET recorded_at = 0",
        "DELETE FROM entries WHERE position = 2",
        "DELETE FROM entries",
        "REPLACE INTO entries SELECT * FROM entries WHERE position = 1",
        "UPDATE streams SET name = 'b'",
        "DELETE FROM streams",
        "UPDATE names SET name = 'b'",
        "DELETE FROM names",
        "DELETE FROM ledger",
        "UPDATE ledger SET size = 1",
    ] {
        let error = connection.execute(sql, []).unwrap_err();
        assert!(
            error.to_string().contains(" never ") || error.to_string().contains("only grows"),
            "{sql}: {error}"
        );
    }
    check_journal(&path, |_, _| ()).unwrap();
}

#[tokio::test]
async fn a_ledger_that_does_not_cover_the_entries_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = open(&path);
    log.append("a", Expected::NoStream, facts([1, 2])).await.unwrap();
    drop(log);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("DROP TRIGGER entries_remain; DELETE FROM entries WHERE position = 2")
        .unwrap();
    drop(connection);
    let refused = SqliteLog::open(&path, Options::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Inconsistent(_)), "{refused}");
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    drop(open(&path));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = SqliteLog::open(&path, Options::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Schema(_)), "{refused}");
}

#[tokio::test]
async fn a_full_disk_refuses_whole_appends_and_keeps_reading() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let options = Options { pages_max: Some(40), ..Options::default() };
    let log = SqliteLog::open(&path, options).unwrap();
    let big = |n| {
        let mut facts = facts([2 * n, 2 * n + 1]);
        for fact in &mut facts {
            fact.data = vec![b'x'; 20_000].into();
        }
        facts
    };
    let mut written = 0_u64;
    let full = loop {
        let expected = written.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
        match log.append("a", expected, big(written)).await {
            Ok(done) => written = done.last + 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full, LogError::Full);
    assert!(written > 0);
    assert!(!log.is_read_only(), "room can come back");
    let there = log.read_stream("a", 0, Direction::Forward, 1_000).await.unwrap();
    assert_eq!(u64::try_from(there.len()).unwrap(), written, "nothing of it was written");
    let current = Some(written - 1);
    let behind = log.append("a", Expected::NoStream, facts([900])).await;
    assert_eq!(behind, Err(LogError::Conflict { current }), "nor remembered");
    drop(log);

    let log = open(&path);
    let done = log.append("a", Expected::Exact(written - 1), big(written)).await.unwrap();
    assert_eq!(done.last, written + 1, "with room again it goes on where it was");
    drop(log);
    check_journal(&path, |_, _| ()).unwrap();
}

#[tokio::test]
async fn too_many_waiting_appends_are_turned_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let options = Options { queue_appends_max: 1, ..Options::default() };
    let log = SqliteLog::open(&path, options).unwrap();
    let streams: Vec<String> = (0..500).map(|n| format!("s{n}")).collect();
    let appends =
        streams.iter().zip(0..).map(|(s, n)| log.append(s, Expected::NoStream, facts([n])));
    let answers = futures_util::future::join_all(appends).await;
    let away = Err(LogError::Unavailable { outcome_unknown: false });
    let turned_away = answers.iter().filter(|answer| **answer == away).count();
    assert!(turned_away > 0 && answers.iter().all(|answer| answer.is_ok() || *answer == away));
    let stats = log.stats();
    assert_eq!(stats.turned_away, u64::try_from(turned_away).unwrap());
    assert_eq!(stats.appends + stats.turned_away, 500);
    assert_eq!(Journal::head(&log).unwrap(), stats.facts);
}

#[tokio::test]
async fn waiting_appends_share_a_commit() {
    let directory = tempfile::tempdir().unwrap();
    let log = Arc::new(open(&directory.path().join("journal.db")));
    let streams: Vec<String> = (0..1_000).map(|n| format!("s{n}")).collect();
    let appends =
        streams.iter().zip(0..).map(|(s, n)| log.append(s, Expected::NoStream, facts([n])));
    let answers = futures_util::future::join_all(appends).await;
    assert!(answers.iter().all(Result::is_ok));
    let stats = log.stats();
    assert_eq!((stats.appends, stats.facts, stats.unwritten), (1_000, 1_000, 0));
    assert!(stats.commits <= 200, "{} commits for 1,000 waiting appends", stats.commits);
}

/// Not a test of its own: what the killed process does, told by its environment.
#[tokio::test]
async fn a_writer_that_gets_killed() {
    let Some(path) = std::env::var_os("ASSAY_KILLED_WRITER") else { return };
    let log = open(path.as_ref());
    let mut out = std::io::stdout();
    for n in 0.. {
        let stream = format!("s{}", n % 10);
        let done = log.append(&stream, Expected::Any, facts([2 * n, 2 * n + 1])).await.unwrap();
        writeln!(out, "acknowledged {n} {}", done.token.0).unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let mut acknowledged = 0;
    for round in 0..3_u64 {
        let _old = std::fs::rename(&path, directory.path().join(format!("{round}.db")));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["a_writer_that_gets_killed", "--exact", "--nocapture"])
            .env("ASSAY_KILLED_WRITER", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut told = lines.filter(|line| line.contains("acknowledged"));
        let wanted = usize::try_from(50 + 77 * round).unwrap();
        for _ in 0..wanted {
            told.next().unwrap();
        }
        child.kill().unwrap();
        let appends = wanted + told.count();
        child.wait().unwrap();

        let log = open(&path);
        for n in 0..2 * u64::try_from(appends).unwrap() {
            assert!(log.locate(fact(n).id).unwrap().is_some(), "round {round}: fact {n} is lost");
        }
        acknowledged += appends;
        let entries = Journal::head(&log).unwrap();
        assert_eq!(entries % 2, 0, "appends are whole");
        drop(log);
        assert_eq!(check_journal(&path, |_, _| ()).unwrap().entries, entries);
    }
    assert!(acknowledged >= 50 + 127 + 204);
}
