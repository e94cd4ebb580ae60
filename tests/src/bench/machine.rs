//! What the kernel tells of this machine and of processes: load, CPU time, memory, file systems.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What `utime` and `stime` of `/proc/PID/stat` count in: 10 ms wherever Linux runs.
const TICK: Duration = Duration::from_millis(10);

/// CPU time a process has used so far, in user and kernel mode together.
pub fn cpu(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything, so the counting starts behind it.
    let (_, fields) = stat.rsplit_once(')').context("a stat line")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    let ticks: Vec<u32> = ticks.collect::<Result<_, _>>()?;
    Ok(TICK * ticks.iter().sum::<u32>())
}

fn status_kib(process: u32, line: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let found = status.lines().find_map(|one| one.strip_prefix(line));
    let found = found.with_context(|| format!("no {line} in the status of {process}"))?;
    Ok(found.trim().trim_end_matches(" kB").parse()?)
}

/// Resident memory of a process now, in bytes.
pub fn resident_bytes(process: u32) -> Result<u64> {
    Ok(status_kib(process, "VmRSS:")? * 1024)
}

/// The most resident memory a process has had, in bytes.
pub fn peak_bytes(process: u32) -> Result<u64> {
    Ok(status_kib(process, "VmHWM:")? * 1024)
}

/// How many cores there are.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The load averages, as the kernel prints them.
pub fn load_average() -> String {
    let line = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    line.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// The machine in one line.
pub fn describe() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown CPU", |line| line.trim_start_matches([' ', '\t', ':']));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} × {model}, Linux {}", cores(), kernel.trim())
}

/// The file system a folder lies on, by the longest mount point above it.
pub fn file_system(folder: &Path) -> Result<String> {
    let folder = folder.canonicalize()?;
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mut best: Option<(usize, &str)> = None;
    for mount in mounts.lines() {
        let mut fields = mount.split_whitespace().skip(1);
        let (Some(point), Some(kind)) = (fields.next(), fields.next()) else { continue };
        if folder.starts_with(point) && best.is_none_or(|(length, _)| point.len() >= length) {
            best = Some((point.len(), kind));
        }
    }
    Ok(best.map_or("unknown", |(_, kind)| kind).to_owned())
}

/// The bytes a file really takes, or none where there is no such file.
pub fn file_bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}
