//! The processes that run in a directory: a server's postmaster and every child have it as theirs.
//!
//! Looking for the directory instead of for parents and children finds those that outlived their
//! parent too, and can never hit a stranger who got a number that became free.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How often a condition is looked at again.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The numbers of all processes that work in this directory or below, oldest number first.
pub(crate) fn processes_in(directory: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut found: Vec<u32> = numbers
        .filter(|pid| {
            // A process that ended meanwhile (a zombie too) has no directory any more.
            fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(directory))
        })
        .collect();
    found.sort_unstable();
    found
}

/// Whether a process is stopped (`SIGSTOP`): the letter after the name in `/proc/PID/stat`.
pub(crate) fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
}

/// Sends a signal by its name without `SIG`. Processes that are gone do not matter.
pub(crate) fn signal(name: &str, pids: &[u32]) -> Result<()> {
    if pids.is_empty() {
        return Ok(());
    }
    // The shell's own `kill` is there on every machine; the program is not.
    let script = r#"signal=$1; shift; for pid; do kill -s "$signal" "$pid" 2>/dev/null; done; :"#;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "sh", name]).args(pids.iter().map(ToString::to_string));
    let status = command.status().with_context(|| format!("send SIG{name}"))?;
    if !status.success() {
        bail!("could not send SIG{name}: {status}");
    }
    Ok(())
}

/// Waits until something is so, and says what was waited for where it does not become so in time.
pub(crate) fn wait_until(
    what: &str,
    limit: Duration,
    mut is_so: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let began = Instant::now();
    while !is_so()? {
        if began.elapsed() > limit {
            bail!("waited {} s in vain: {what}", limit.as_secs());
        }
        sleep(LOOK_EVERY);
    }
    Ok(())
}
