//! `assay verify`: what holds of a bundle, a mirror or a data directory, judged by the keys its user gives and by no server.

mod data_dir;

use std::fs::File;
use std::io::{BufReader, Write as _};

use anyhow::Context as _;
use assay_bundle::{BundleError, Directory, Report};

use crate::cli::Verify;
use crate::exit::{Exit, usage};
use crate::progress::Progress;
use crate::trust::trust;

/// Verifies and says what holds; exit code 0 it holds, 1 it does not, 2 it could not be looked at.
pub(crate) fn run(asked: &Verify) -> anyhow::Result<Exit> {
    let trust = trust(&asked.trusted)?;
    let target = &asked.target;
    let mut progress = Progress::new("verified");
    let report = if target.is_file() {
        let file = File::open(target).with_context(|| format!("opening {}", target.display()))?;
        assay_bundle::verify(BufReader::new(file), &trust, |done, all| progress.set(done, all))
    } else if target.join("journal.db").exists() {
        Ok(data_dir::verify(target, &trust, |done, all| progress.set(done, all))?)
    } else if target.join("checkpoint").exists() {
        let mirror = Directory(target.clone());
        assay_bundle::verify_tiles(&mirror, &trust, |done, all| progress.set(done, all))
    } else {
        let shown = target.display();
        return Err(usage(format!(
            "{shown} is neither a bundle (a file), nor a mirror (a directory with a `checkpoint`), \
             nor a data directory (with a `journal.db`)"
        )));
    };
    progress.finish();
    print(&report.map_err(|error| unreadable(&error))?, asked.json)
}

fn unreadable(error: &BundleError) -> anyhow::Error {
    usage(format!("it cannot be looked at: {error}"))
}

fn print(report: &Report, json: bool) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(report)?)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(if report.holds() { Exit::Holds } else { Exit::DoesNotHold })
}
