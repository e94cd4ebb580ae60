//! F: what this disk can do at all, a 600-byte overwrite in a pre-zeroed file and one fdatasync.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::figures::{millis, per_second, quantile};

const FILE_BYTES: u64 = 64 * 1024 * 1024;
const WRITE_BYTES: u64 = 600;

/// The file F is measured in.
#[derive(Debug)]
pub struct Disk {
    file: File,
    at: u64,
}

/// What a round of F found, in as many short slices as the round took.
#[derive(Clone, Debug, Default)]
pub struct Floor {
    took_ms: Vec<f64>,
    count: u64,
    span: Duration,
}

impl Floor {
    /// F: synced overwrites a second.
    pub fn rate(&self) -> f64 {
        per_second(self.count, self.span)
    }

    /// F50: the median time of one, in milliseconds.
    pub fn median_ms(&self) -> f64 {
        quantile(&self.took_ms, 500).unwrap_or_default()
    }
}

/// Waits until what others left in the page cache is on disk: F and what is compared with it begin alike.
pub fn settle() -> Result<()> {
    let done = Command::new("sync").status()?;
    ensure!(done.success(), "sync: {done}");
    Ok(())
}

impl Disk {
    /// Makes the file, all zeros, on disk.
    pub fn new(folder: &Path) -> Result<Self> {
        let file = File::create_new(folder.join("floor"))?;
        let zeros = vec![0_u8; 1024 * 1024];
        for at in (0..FILE_BYTES).step_by(zeros.len()) {
            file.write_all_at(&zeros, at)?;
        }
        file.sync_all()?;
        Ok(Self { file, at: 0 })
    }

    /// Overwrites and syncs for a while, one after the other.
    pub fn slice(&mut self, span: Duration, floor: &mut Floor) -> Result<()> {
        let bytes = [0xA5_u8; 600];
        let started = Instant::now();
        while started.elapsed() < span {
            let before = Instant::now();
            self.file.write_all_at(&bytes, self.at)?;
            self.file.sync_data()?;
            floor.took_ms.push(millis(before.elapsed()));
            floor.count += 1;
            self.at = (self.at + WRITE_BYTES) % (FILE_BYTES - WRITE_BYTES);
        }
        floor.span += started.elapsed();
        Ok(())
    }
}
