//! `make as-of`: whether asking as of a past moment is as quick as asking now, at several sizes of the log.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use assay_tests::bench::as_of::{self, Asking, RATIO_MAX};
use assay_tests::bench::figures::{Rounds, float};
use assay_tests::bench::house::Place;
use assay_tests::bench::machine;

const USAGE: &str = "as_of [--assay PATH] [--dir FOLDER] [--sizes 10000,100000] [--rounds N] \
                     [--keep yes]";

/// What was asked for.
#[derive(Debug)]
struct Wanted {
    assay: PathBuf,
    folder: Option<PathBuf>,
    sizes: Vec<u64>,
    rounds: usize,
    /// Whether the data stays, to be looked into.
    keep: bool,
}

fn wanted() -> Result<Wanted> {
    let sizes = vec![10_000, 100_000];
    let mut wanted = Wanted { assay: PathBuf::new(), folder: None, sizes, rounds: 5, keep: false };
    let mut rest = std::env::args().skip(1);
    while let Some(name) = rest.next() {
        let value = rest.next().context(USAGE)?;
        match name.as_str() {
            "--assay" => wanted.assay = PathBuf::from(value),
            "--dir" => wanted.folder = Some(PathBuf::from(value)),
            "--rounds" => wanted.rounds = value.parse().context(USAGE)?,
            "--keep" => wanted.keep = value == "yes",
            "--sizes" => {
                let sizes = value.split(',').map(str::parse::<u64>).collect::<Result<_, _>>();
                wanted.sizes = sizes.context(USAGE)?;
            }
            _ => bail!("{USAGE}"),
        }
    }
    ensure!(wanted.rounds > 0 && !wanted.sizes.is_empty(), "{USAGE}");
    if wanted.assay.as_os_str().is_empty() {
        wanted.assay = assay_tests::assay()?;
    }
    Ok(wanted)
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match wanted() {
        Ok(wanted) => go(&wanted).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("as_of: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Measures and prints; figures are read by people, so a slow one is no failure of the run.
async fn go(wanted: &Wanted) -> Result<()> {
    println!("{}; load {}", machine::describe(), machine::load_average());
    println!("medians of {} interleaved rounds; the clients share these cores", wanted.rounds);
    let mut above = 0;
    for size in &wanted.sizes {
        above += one_size(wanted, *size).await?;
    }
    println!("\nabove {RATIO_MAX}×: {above}; load {} after", machine::load_average());
    Ok(())
}

/// One data directory from its making to its table; answers how many ratios are above the bound.
async fn one_size(wanted: &Wanted, size: u64) -> Result<usize> {
    let mut folder = match &wanted.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    folder.disable_cleanup(wanted.keep);
    let started = Instant::now();
    eprintln!("as_of: making a log of {size} entries");
    let place = Place::new(&wanted.assay, folder.path());
    let past = as_of::make(&place, folder.path(), size).await?;
    let made = started.elapsed().as_secs_f64();
    let mut rounds = Rounds::default();
    let asking = Asking::new(&place, &past, &mut rounds).await?;
    for round in 1..=wanted.rounds {
        eprintln!("as_of: {size} entries, round {round} of {}", wanted.rounds);
        asking.round(&mut rounds).await;
    }
    let entries = asking.entries;
    asking.stop().await?;
    let above = as_of::print(&rounds, entries);
    let disk = float(as_of::disk_bytes(&place.data())) / 1e6;
    println!("{disk:.0} MB on disk, made in {made:.0} s");
    for note in rounds.notes() {
        println!("{note}");
    }
    if wanted.keep {
        println!("kept: {}", place.data().display());
    }
    Ok(above)
}
