//! The double as a process, with orders on its standard input.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use kurrentdb::{Error, StreamState};

use crate::world::{append, client};

struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start(arguments: &[&str]) -> (Self, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_assay-testing-kurrentdb"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, orders, answers };
        let said: serde_json::Value = serde_json::from_str(&process.line()).unwrap();
        (process, said["url"].as_str().unwrap().to_owned())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn order(&mut self, order: &str) -> String {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        self.line()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test]
async fn the_process_says_its_url_obeys_and_ends_with_its_input() {
    let (mut process, url) = Process::start(&[]);
    let client = client(&url);
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    assert_eq!(process.order("lose 1"), "ok");
    let lost = append(&client, "case-1", StreamState::StreamRevision(0), [1]).await;
    assert!(matches!(lost, Err(Error::ServerError(_))), "{lost:?}");
    assert_eq!(process.order("events"), "ok 2");
    for order in
        ["refuse 0", "timeout 0", "end", "silence on", "silence off", "delay 0", "deny off"]
    {
        assert_eq!(process.order(order), "ok", "{order}");
    }
    assert_eq!(process.order("silence perhaps"), "error: neither on nor off");
    assert_eq!(process.order("dance"), "error: not understood");
    drop(process.orders.take());
    assert!(process.child.wait().unwrap().success());
}

#[tokio::test]
async fn the_process_quits_when_told_and_serves_at_the_port_it_is_given() {
    let (mut first, url) = Process::start(&["--port", "0"]);
    assert_eq!(first.order("quit"), "ok");
    assert!(first.child.wait().unwrap().success());
    let port = url.trim_start_matches("kurrentdb://127.0.0.1:").trim_end_matches("?tls=false");
    let (mut second, again) = Process::start(&["--port", port]);
    assert_eq!(again, url);
    append(&client(&again), "case-1", StreamState::NoStream, [0]).await.unwrap();
    assert_eq!(second.order("events"), "ok 1");
}

#[tokio::test]
async fn a_process_can_be_a_cluster() {
    let (mut process, url) = Process::start(&["--nodes", "3"]);
    append(&client(&url), "case-1", StreamState::NoStream, [0]).await.unwrap();
    assert_eq!(process.order("stop 0"), "ok");
    assert_eq!(process.order("lead 2"), "ok");
    append(&client(&url), "case-1", StreamState::StreamRevision(0), [1]).await.unwrap();
    assert_eq!(process.order("start 0"), "ok");
    assert_eq!(process.order("rewind 1"), "ok");
    assert_eq!(process.order("events"), "ok 1");
}
