//! The real program, driven as an operator drives it: words in, words and exit codes out.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod console;
mod serving;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program with an environment of its own.
fn assay(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(words).env_clear().stdin(Stdio::null());
    command
}

/// Runs it to its end.
fn run(dir: &Path, words: &[&str]) -> Output {
    assay(words).arg("--data-dir").arg(dir).output().unwrap()
}

/// Runs it with something on stdin.
fn run_with(dir: &Path, words: &[&str], input: &str) -> Output {
    let mut command = assay(words);
    command.arg("--data-dir").arg(dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
