//! A server's temporary directory, and the watchdog that ends whatever runs in it and removes it.
//!
//! The watchdog is a shell that reads from a pipe whose other end we hold. It closes when the
//! [`Home`] is dropped and also when this process is killed or ends with servers in statics, so
//! one mechanism covers all three.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::programs::Programs;

/// How much of the end of a server's log stands in an error.
const TAIL_BYTES: u64 = 6 * 1024;

/// SIGQUIT is PostgreSQL's immediate shutdown; a paused process must be woken to get it. What is
/// still there after 5 s is killed. A killed postmaster leaves its System V segment behind, whose
/// number is in line 7 of its lock file.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
read -r _
there() { find /proc/[0-9]*/cwd -maxdepth 0 -lname "$1*" 2>/dev/null | cut -d/ -f3; }
n=0
while pids=$(there "$1") && [ -n "$pids" ] && [ "$n" -lt 400 ]; do
  if [ "$n" -lt 200 ]; then [ $((n % 20)) -ne 0 ] || kill -s QUIT $pids; kill -s CONT $pids
  else kill -s KILL $pids; fi
  n=$((n + 1))
  sleep 0.025
done
lock=$1/data/postmaster.pid
[ -f "$lock" ] && segment=$(sed -n 7p "$lock") && ipcrm -m "${segment##* }"
rm -rf -- "$1"
"#;

/// A temporary directory of the server's user, with a watchdog. Dropping ends all that runs there.
#[derive(Debug)]
pub(crate) struct Home {
    directory: TempDir,
    watchdog: Child,
}

impl Home {
    /// A fresh directory. Always in `/tmp`: a socket's path must be short, and the server's user
    /// must be able to walk there.
    pub(crate) fn new() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("assay-pg-")
            .tempdir_in("/tmp")
            .context("make a temporary directory in /tmp")?;
        Programs::find()?.give(directory.path())?;
        let watchdog = Command::new("/bin/sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(directory.path())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start the watchdog")?;
        Ok(Self { directory, watchdog })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The file the server writes its own log to.
    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("server.log")
    }

    /// Whether the server with this process number takes connections: its lock file has the number
    /// in the first line and the state in the eighth.
    pub(crate) fn is_ready(&self, pid: u32) -> bool {
        let lock = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = lock.lines();
        let ours = lines.next().is_some_and(|line| line.trim() == pid.to_string());
        ours && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    /// The end of the server's log, for an error.
    pub(crate) fn log_tail(&self) -> String {
        let tail = || -> std::io::Result<String> {
            let mut file = File::open(self.log())?;
            let size = file.metadata()?.len();
            file.seek(SeekFrom::Start(size.saturating_sub(TAIL_BYTES)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        tail().unwrap_or_else(|error| format!("(no log: {error})"))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
