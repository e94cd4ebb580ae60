//! A journal as the copy of a log elsewhere: what it shows as a log, what the check finds in it, and a kill.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod common;
#[path = "common/elsewhere.rs"]
mod elsewhere;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use assay_store::journal::Journal;
use assay_store::log::{Append, Direction, Expected, Followed, Log, LogError, Token};
use assay_store::replica::Replica as _;
use assay_store_sqlite::{
    OpenError, Options, SqliteLog, TAKE_FACTS_MAX, check_journal, journal_summary, tamper,
};
use common::{fact, facts, open};
use elsewhere::{UPSTREAM, recorded, take, token};
use futures_util::stream::StreamExt as _;
use uuid::Uuid;

/// A copy of 40 entries, of which the first ten have their position as token.
async fn copy(path: &Path) -> SqliteLog {
    let log = open(path);
    log.adopt(UPSTREAM).await.unwrap();
    assert_eq!(take(&log, 1..=15).await, 15);
    assert_eq!(take(&log, 16..=40).await, 40);
    log
}

#[tokio::test]
async fn a_copy_shows_the_tokens_of_its_log_wherever_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let log = copy(&directory.path().join("journal.db")).await;
    let wanted: Vec<_> = (1..=40).map(recorded).collect();
    let entries = log.entries(0, 100).unwrap();
    assert!(entries.iter().map(|entry| &entry.recorded).eq(&wanted));
    let read = log.read_stream("golden-2", 0, Direction::Forward, 100).await.unwrap();
    assert!(read.iter().eq(wanted.iter().filter(|recorded| recorded.stream == "golden-2")));
    assert_eq!(log.locate(fact(29).id).unwrap().unwrap().recorded, wanted[29]);
    assert_eq!(Log::head(&log).await, Ok(Some(token(40))));
    assert_eq!(log.log_id().await, Ok(UPSTREAM));
}

#[tokio::test]
async fn a_copy_is_followed_by_the_tokens_of_its_log() {
    let directory = tempfile::tempdir().unwrap();
    let log = copy(&directory.path().join("journal.db")).await;
    let after = async |after: Option<Token>| {
        let (mut seen, mut places) = (Vec::new(), Vec::new());
        let mut following = log.follow(after);
        loop {
            match following.next().await.unwrap().unwrap() {
                Followed::Fact(fact) => seen.push(fact.token),
                Followed::Progress(token) => places.push(token),
                Followed::CaughtUp => return (seen, places),
            }
        }
    };
    let tokens = |from: u64| (from..=40).map(token).collect::<Vec<_>>();
    assert_eq!(after(None).await, (tokens(1), vec![token(40)]));
    assert_eq!(after(Some(token(9))).await.0, tokens(10));
    assert_eq!(after(Some(token(25))).await.0, tokens(26));
    assert_eq!(after(Some(Token(25_500))).await.0, tokens(26), "a place without a fact");
    assert_eq!(after(Some(token(40))).await, (Vec::new(), Vec::new()));
    let ahead = log.follow(Some(Token(40_001))).next().await;
    assert_eq!(ahead, Some(Err(LogError::TokenAhead)));
}

#[tokio::test]
async fn a_summary_says_whose_facts_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = open(&path);
    let empty = journal_summary(&path).unwrap();
    assert_eq!((empty.is_replica, empty.entries, empty.last_recorded_at), (false, 0, None));
    assert_eq!(log.log_id().await, Ok(empty.log_id));
    log.adopt(UPSTREAM).await.unwrap();
    take(&log, 1..=15).await;
    let summary = journal_summary(&path).unwrap();
    assert_eq!((summary.is_replica, summary.log_id, summary.entries), (true, UPSTREAM, 15));
    assert_eq!(summary.followed, Some(token(15)));
    assert_eq!(summary.root, log.frontier().unwrap().root());
    let recorded_at = recorded(15).fact.envelope.recorded_at;
    assert_eq!(summary.last_recorded_at, Some(recorded_at));
    let report = check_journal(&path, |_, _| ()).unwrap();
    assert_eq!((report.root, report.is_replica), (summary.root, true));
}

/// What the check says of a copy after statements were run on it behind its back.
async fn after(statements: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    drop(copy(&path).await);
    check_journal(&path, |_, _| ()).unwrap();
    tamper::sql(&path, statements).unwrap();
    check_journal(&path, |_, _| ()).unwrap_err().what
}

#[tokio::test]
async fn tokens_that_cannot_be_are_found() {
    for (damage, said) in [
        ("DELETE FROM tokens WHERE position = 20", "entry 20 is missing"),
        ("DELETE FROM tokens WHERE position = 40", "last token is that of 39"),
        ("INSERT INTO tokens VALUES (41, 41000)", "last token is that of 41"),
        ("INSERT INTO tokens VALUES (9, 9)", "token 9 of entry 9"),
        ("UPDATE tokens SET token = 17001 WHERE position = 20", "is not after 19000"),
        ("UPDATE tokens SET token = 11 WHERE position = 11", "token 11 of entry 11"),
        ("UPDATE tokens SET token = token - 40000", "integer"),
        ("UPDATE tokens SET token = token + 1 WHERE position = 40", "followed up to 40000"),
        ("UPDATE followed SET token = 39999, again = 39999", "followed up to 39999"),
        ("UPDATE followed SET token = NULL, again = NULL", "followed up to 0"),
        ("DELETE FROM followed", "how far"),
        ("INSERT INTO meta VALUES ('more', zeroblob(16))", "log's id"),
        ("DELETE FROM meta WHERE name = 'upstream'", "no copy"),
        ("UPDATE meta SET value = zeroblob(16) WHERE name = 'upstream'", "log's id"),
    ] {
        let what = after(damage).await;
        let found = what.contains(said) || (said == "integer" && !what.is_empty());
        assert!(found, "{damage}: {what}");
    }
}

#[tokio::test]
async fn a_journal_of_its_own_with_tokens_of_another_is_found_and_refused() {
    for damage in [
        "UPDATE followed SET token = 3, again = 3",
        "INSERT INTO tokens VALUES (3, 4)",
        "INSERT INTO meta SELECT 'upstream', value FROM meta WHERE name = 'log_id'",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.db");
        let log = open(&path);
        log.append("a", Expected::NoStream, facts([1, 2, 3])).await.unwrap();
        drop(log);
        tamper::sql(&path, damage).unwrap();
        check_journal(&path, |_, _| ()).expect_err(damage);
        let refused = SqliteLog::open(&path, Options::default()).expect_err(damage);
        assert!(matches!(refused, OpenError::Inconsistent(_)), "{damage}: {refused}");
    }
}

#[tokio::test]
async fn what_was_taken_cannot_be_changed_or_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    drop(copy(&path).await);
    let connection = rusqlite::Connection::open(&path).unwrap();
    for sql in [
        "UPDATE tokens SET token = token + 1",
        "DELETE FROM tokens WHERE position = 40",
        "UPDATE followed SET token = token - 1, again = again - 1",
        "UPDATE followed SET token = NULL, again = NULL",
        "DELETE FROM followed",
    ] {
        let error = connection.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains(" never "), "{sql}: {error}");
    }
    let differ = connection.execute("UPDATE followed SET token = token + 1", []);
    assert!(differ.unwrap_err().to_string().contains("CHECK"));
}

#[tokio::test]
async fn a_refusal_says_what_does_not_follow() {
    let directory = tempfile::tempdir().unwrap();
    let log = copy(&directory.path().join("journal.db")).await;
    let said = async |change: fn(&mut assay_store::fact::Recorded)| {
        let mut next = recorded(41);
        change(&mut next);
        log.take(vec![next], Token(50_000)).await.unwrap_err().to_string()
    };
    let what = said(|next| next.revision = 12).await;
    assert!(what.contains("revision 12 of \"golden-0\"") && what.contains("10 is next"), "{what}");
    let what = said(|next| next.fact.id = fact(3).id).await;
    assert!(what.contains(&fact(3).id.to_string()) && what.contains("known already"), "{what}");
    let what = said(|next| next.token = Token(30_000)).await;
    assert!(what.contains("token 30000") && what.contains("after token 40000"), "{what}");
    let what = log.adopt(Uuid::from_u128(9)).await.unwrap_err().to_string();
    assert!(what.contains(&UPSTREAM.to_string()), "{what}");
    let too_many = vec![recorded(41); TAKE_FACTS_MAX + 1];
    assert_eq!(log.take(too_many, token(41)).await, Err(LogError::TooLarge));
    assert!(!log.is_read_only());
    assert_eq!(take(&log, 41..=41).await, 41, "and it goes on");
}

#[tokio::test]
async fn a_full_disk_refuses_the_facts_and_their_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = SqliteLog::open(&path, Options { pages_max: Some(60), ..Options::default() });
    let log = log.unwrap();
    log.adopt(UPSTREAM).await.unwrap();
    let big = |position| {
        let mut big = recorded(position);
        big.fact.data = vec![b'x'; 20_000].into();
        big
    };
    let mut head = 0;
    let full = loop {
        let next = vec![big(head + 1), big(head + 2)];
        match log.take(next, token(head + 2)).await {
            Ok(taken) => head = taken,
            Err(error) => break error,
        }
    };
    assert_eq!(full, LogError::Full);
    assert!(head > 10);
    assert_eq!(log.followed(), Ok(Some(token(head))));
    assert_eq!(Journal::head(&log), Ok(head));
    drop(log);
    let log = open(&path);
    assert_eq!(log.followed(), Ok(Some(token(head))));
    let next = vec![big(head + 1), big(head + 2)];
    assert_eq!(log.take(next, token(head + 2)).await, Ok(head + 2), "with room it goes on");
    drop(log);
    check_journal(&path, |_, _| ()).unwrap();
}

#[tokio::test]
async fn an_order_ends_where_an_id_is_used_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = SqliteLog::open(&path, Options { queue_appends_max: 9, ..Options::default() });
    let log = log.unwrap();
    let append = |n: u64, numbers: &[u64]| Append {
        stream: format!("s{n}"),
        expected: Expected::NoStream,
        facts: facts(numbers.iter().copied()),
    };
    let mut order: Vec<Append> = (0..30).map(|n| append(n, &[10 * n, 10 * n + 1])).collect();
    order[22] = append(22, &[220, 11]);
    let failed = log.append_in_order(order).await;
    assert!(matches!(failed, Err(LogError::Invalid(_))), "{failed:?}");
    let entries = log.entries(0, 100).unwrap();
    assert_eq!(entries.len(), 44, "nothing of the one that was refused, nothing after it");
    assert_eq!(entries.last().unwrap().recorded.stream, "s21");
    drop(log);
    check_journal(&path, |_, _| ()).unwrap();
}

#[tokio::test]
async fn an_order_shares_commits() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(&directory.path().join("journal.db"));
    let append = |n: u64| Append {
        stream: format!("s{n}"),
        expected: Expected::NoStream,
        facts: facts([n]),
    };
    let answers = log.append_in_order((0..5_000).map(append).collect()).await.unwrap();
    assert_eq!(answers.last().unwrap().token, Token(5_000));
    let stats = log.stats();
    assert_eq!((stats.appends, stats.facts), (5_000, 5_000));
    assert!(stats.commits <= 5, "{} commits", stats.commits);
}

#[tokio::test]
async fn the_first_stream_of_a_prefix_is_the_one_written_first() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(&directory.path().join("journal.db"));
    assert_eq!(log.first_stream(""), Ok(None));
    for (n, stream) in (0..).zip(["case-z", "house-b", "house-a", "case-a", "häuser_%"]) {
        log.append(stream, Expected::NoStream, facts([n])).await.unwrap();
    }
    for (prefix, wanted) in [
        ("house-", Some("house-b")),
        ("case-", Some("case-z")),
        ("case-a", Some("case-a")),
        ("", Some("case-z")),
        ("hä", Some("häuser_%")),
        ("house-c", None),
        ("House-", None),
        ("h%", None),
        ("zzz", None),
    ] {
        let found = log.first_stream(prefix).unwrap();
        assert_eq!(found.as_deref(), wanted, "{prefix:?}");
    }
}

/// Not a test of its own: what the killed process does, told by its environment.
#[tokio::test]
async fn a_replica_that_gets_killed() {
    let Some(path) = std::env::var_os("ASSAY_KILLED_REPLICA") else { return };
    let log = open(path.as_ref());
    log.adopt(UPSTREAM).await.unwrap();
    let mut out = std::io::stdout();
    for n in 0.. {
        let head = take(&log, n * 5 + 1..=n * 5 + 5).await;
        writeln!(out, "taken {head}").unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn a_killed_replica_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["a_replica_that_gets_killed", "--exact", "--nocapture"])
        .env("ASSAY_KILLED_REPLICA", &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told = lines.filter_map(|line| {
        let (_, head) = line.split_once("taken ")?;
        head.trim().parse::<u64>().ok()
    });
    let mut acknowledged = told.by_ref().nth(60).unwrap();
    child.kill().unwrap();
    acknowledged = told.last().unwrap_or(acknowledged);
    child.wait().unwrap();

    let log = open(&path);
    let head = Journal::head(&log).unwrap();
    assert!(head >= acknowledged && head.is_multiple_of(5), "{head} after {acknowledged}");
    assert_eq!(log.followed(), Ok(Some(token(head))), "the place goes with the facts");
    let end = head + 30;
    assert_eq!(take(&log, head + 1..=end).await, end);
    let all = log.entries(0, usize::MAX).unwrap();
    assert!(all.iter().map(|entry| entry.recorded.clone()).eq((1..=end).map(recorded)));
    drop(log);
    assert_eq!(check_journal(&path, |_, _| ()).unwrap().entries, end);
}
