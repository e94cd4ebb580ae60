//! The harness itself: what is killed comes back, what is paused goes on, and nothing is left.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use assay_testing_postgres::{Pair, Rejoined, Server};

const LIMIT: Duration = Duration::from_mins(1);
/// Set in the child process that holds a server until it is killed.
const HOLD: &str = "ASSAY_TESTING_POSTGRES_HOLD";
/// How many commits wait for the standby.
const WAITS: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LIMIT, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Everything that runs with its working directory in there, zombies aside.
fn running_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let inside = |path: &PathBuf| {
        fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(directory))
    };
    entries.filter(inside).collect()
}

fn nothing_is_left_of(directory: &Path) {
    assert_eq!(running_in(directory), Vec::<PathBuf>::new());
    assert!(!directory.exists());
}

fn sql(server: &Server, sql: &str) -> String {
    server.psql("postgres", sql).unwrap()
}

#[test]
fn what_was_committed_survives_kill_9_and_restart() {
    let server = Server::start().unwrap();
    sql(&server, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
    let (port, children) = (server.port(), running_in(&server.directory().join("data")));
    assert!(children.len() > 3, "a postmaster and its helpers: {children:?}");
    server.kill().unwrap();
    assert!(!server.is_running());
    assert!(running_in(server.directory()).is_empty());
    assert!(server.psql("postgres", "SELECT 1").is_err());
    server.restart().unwrap();
    assert!(server.is_running());
    assert_eq!(server.port(), port);
    assert_eq!(sql(&server, "SELECT count(*) FROM kept"), "1000");
    assert_eq!(sql(&server, "SHOW fsync"), "on");
    server.stop().unwrap();
    assert!(!server.is_running());
    server.restart().unwrap();
    assert_eq!(sql(&server, "SELECT count(*) FROM kept"), "1000");
}

#[test]
fn a_paused_server_answers_nothing_and_goes_on_when_resumed() {
    // Asks whether there is TLS; the answer is one byte.
    const QUESTION: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
    let server = Server::quick().unwrap();
    assert_eq!(sql(&server, "SHOW fsync"), "off");
    server.pause().unwrap();
    assert!(server.is_running());
    let mut client = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    client.write_all(&QUESTION).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut answer = [0];
    let silence = client.read_exact(&mut answer).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    server.resume().unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"N");
    assert_eq!(sql(&server, "SELECT 1"), "1");
}

#[test]
fn databases_are_fresh_and_a_dropped_server_leaves_nothing() {
    let server = Server::quick().unwrap();
    let (one, other) = (server.database().unwrap(), server.database().unwrap());
    assert_ne!(one, other);
    assert!(one.starts_with(&format!("postgresql://assay@127.0.0.1:{}/", server.port())));
    let name = one.rsplit('/').next().unwrap();
    server.psql(name, "CREATE TABLE mine (n int)").unwrap();
    let collation = "SELECT datlocprovider FROM pg_database WHERE datname = current_database()";
    assert_eq!(server.psql(name, collation).unwrap(), "i", "not the C collation");
    let refused = server.psql("postgres", "SELECT nonsense").unwrap_err().to_string();
    assert!(refused.contains("nonsense") && refused.contains("server's log"), "{refused}");

    let paused = Server::quick().unwrap();
    paused.pause().unwrap();
    let killed = Server::quick().unwrap();
    killed.kill().unwrap();
    for server in [server, paused, killed] {
        let directory = server.directory().to_owned();
        drop(server);
        nothing_is_left_of(&directory);
    }
}

#[test]
fn a_killed_test_leaves_nothing() {
    if std::env::var_os(HOLD).is_some() {
        let pair = Pair::start().unwrap();
        for server in [pair.primary(), pair.standby()] {
            println!("\nholds {}", server.directory().display());
        }
        pair.pause_primary().unwrap();
        println!("\nholds all");
        loop {
            thread::park();
        }
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_test_leaves_nothing", "--nocapture"])
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let held: Vec<PathBuf> = lines
        .filter_map(|line| Some(PathBuf::from(line.strip_prefix("holds ")?)))
        .take_while(|path| path != Path::new("all"))
        .collect();
    assert_eq!(held.len(), 2);
    assert!(held.iter().all(|directory| !running_in(directory).is_empty()));
    child.kill().unwrap();
    child.wait().unwrap();
    for directory in held {
        wait_until("the watchdog to clear away", || !directory.exists());
        nothing_is_left_of(&directory);
    }
}

#[test]
fn with_tls_only_who_trusts_the_authority_gets_in() {
    let server = Server::start_tls().unwrap();
    let stranger = Server::start_tls().unwrap();
    let ask = |url: &str, roots: Option<&Path>| {
        let mut ask = Command::new("psql");
        ask.args([
            "-X",
            "-A",
            "-t",
            "-c",
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        ]);
        ask.arg(url);
        match roots {
            Some(roots) => ask.env("PGSSLROOTCERT", roots).env("PGSSLMODE", "verify-full"),
            None => ask.env("PGSSLMODE", "disable"),
        };
        String::from_utf8(ask.output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let url = server.url();
    assert!(url.ends_with("?sslmode=require"), "{url}");
    let bare = url.split('?').next().unwrap();
    assert_eq!(ask(bare, server.tls_roots()), "t");
    assert_eq!(ask(&bare.replace("127.0.0.1", "localhost"), server.tls_roots()), "t");
    assert_eq!(ask(bare, stranger.tls_roots()), "", "another authority is not trusted");
    assert_eq!(ask(bare, None), "", "nothing goes in plain text");
    assert!(Server::quick().unwrap().tls_roots().is_none());
}

#[test]
fn a_pair_waits_for_its_standby_fails_over_and_back() {
    let pair = Arc::new(Pair::start().unwrap());
    assert!(pair.url().contains("target_session_attrs=read-write"));
    sql(pair.primary(), "CREATE TABLE kept (n int)");

    pair.standby().pause().unwrap();
    let waiting = {
        let pair = Arc::clone(&pair);
        thread::spawn(move || sql(pair.primary(), "INSERT INTO kept VALUES (1)"))
    };
    wait_until("a commit that waits", || sql(pair.primary(), WAITS) == "1");
    assert_eq!(sql(pair.primary(), "SELECT count(*) FROM kept"), "0", "not visible yet");
    pair.standby().resume().unwrap();
    waiting.join().unwrap();

    let mut expected = 1;
    for _ in 0..2 {
        assert!(pair.standby().psql("postgres", "INSERT INTO kept VALUES (0)").is_err());
        let old = pair.primary().port();
        pair.kill_primary().unwrap();
        pair.promote().unwrap();
        assert_ne!(pair.primary().port(), old);
        assert_eq!(sql(pair.primary(), "SELECT count(*) FROM kept"), expected.to_string());
        sql(pair.primary(), "INSERT INTO kept VALUES (2)");
        assert_eq!(pair.rejoin().unwrap(), Rejoined::Rewound);
        pair.wait_synchronous().unwrap();
        sql(pair.primary(), "INSERT INTO kept VALUES (3)");
        expected += 2;
    }
}

#[test]
fn a_primary_that_wakes_up_after_a_promotion_acknowledges_nothing_and_can_rejoin() {
    let pair = Arc::new(Pair::start().unwrap());
    sql(pair.primary(), "CREATE TABLE kept (n int)");
    pair.pause_primary().unwrap();
    pair.promote().unwrap();
    sql(pair.primary(), "INSERT INTO kept VALUES (1)");
    pair.standby().resume().unwrap();
    let hopeless = {
        let pair = Arc::clone(&pair);
        thread::spawn(move || pair.standby().psql("postgres", "INSERT INTO kept VALUES (2)"))
    };
    wait_until("a commit that waits", || sql(pair.standby(), WAITS) == "1");
    pair.rejoin().unwrap();
    assert!(hopeless.join().unwrap().is_err(), "never acknowledged");
    let all = "SELECT string_agg(n::text, ',') FROM kept";
    assert_eq!(sql(pair.primary(), all), "1");
    wait_until("the standby to have applied it", || sql(pair.standby(), all) == "1");
}
