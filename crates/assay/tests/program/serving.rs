//! What needs a server: its ready line, one instance a directory, its answers, its end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{assay, code, err, run};

struct Server {
    child: Child,
    ready: Value,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut command =
            assay(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(dir).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        Self { child, ready }
    }

    /// One request, its whole answer as text.
    fn ask(&self, which: &str, request: &str) -> String {
        let url = self.ready.get(which).and_then(Value::as_str).unwrap();
        let address = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, which: &str, path: &str) -> String {
        self.ask(which, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
    }

    fn post(&self, path: &str, body: &str) -> String {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close");
        let kind = format!("content-type: application/json\r\ncontent-length: {length}");
        self.ask("url", &format!("{head}\r\n{kind}\r\n\r\n{body}"))
    }

    /// Asks it to stop; how it ended and how long that took.
    fn stop(mut self) -> (i32, Duration) {
        let began = Instant::now();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        (self.child.wait().unwrap().code().unwrap(), began.elapsed())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn ok(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 204")
}

#[test]
fn a_server_says_when_it_is_ready_answers_and_ends_when_told() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("demo");
    assert_eq!(code(&run(&dir, &["demo"])), 0);
    let server = Server::start(&dir);
    assert_eq!(server.ready["event"], "ready");
    assert!(server.ready["position"].as_u64().unwrap() > 100);
    assert!(
        ok(&server.get("ops_url", "/health/live")),
        "{}",
        server.get("ops_url", "/health/live")
    );
    assert!(
        ok(&server.get("ops_url", "/health/ready")),
        "{}",
        server.get("ops_url", "/health/ready")
    );
    assert!(ok(&server.get("ops_url", "/metrics")));
    let login = r#"{"username":"rao","password":"copper-meadow-signal-58"}"#;
    let answer = server.post("/api/v1/login", login);
    assert!(answer.contains("access_token"), "{answer}");

    let second = run(&dir, &["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
    assert_eq!(code(&second), 2);
    assert!(err(&second).contains("is in use by process"), "{}", err(&second));
    assert_eq!(code(&run(&dir, &["user", "code", "ana"])), 2);
    assert_eq!(code(&run(&dir, &["check"])), 0, "the journal is checked beside a server");
    assert_eq!(code(&run(&dir, &["replay", "--as-of", "10"])), 0);

    let (ended, took) = server.stop();
    assert_eq!(ended, 0);
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(code(&run(&dir, &["check"])), 0);
}

#[test]
fn the_bootstrap_secret_works_once() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("house");
    assert_eq!(code(&run(&dir, &["init"])), 0);
    let secret = std::fs::read_to_string(dir.join("bootstrap-secret.txt")).unwrap();
    let server = Server::start(&dir);
    let body = serde_json::json!({
        "username": "admin",
        "code": secret.trim(),
        "password": "seven goats on a tin roof",
    });
    let first = server.post("/api/v1/password", &body.to_string());
    assert!(ok(&first), "{first}");
    let again = server.post("/api/v1/password", &body.to_string());
    assert!(!ok(&again), "{again}");
}

#[test]
fn another_address_than_loopback_needs_a_proxy() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("house");
    assert_eq!(code(&run(&dir, &["init"])), 0);
    let refused = run(&dir, &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(code(&refused), 2);
    assert!(err(&refused).contains("--behind-proxy"), "{}", err(&refused));
}
