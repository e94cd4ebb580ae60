//! `make volume`: a hundred thousand generated reports imported, everything checked, the views made anew and compared.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use assay_tests::bench::figures::{float, per_second};
use assay_tests::bench::house::Place;
use assay_tests::bench::machine::{self, file_bytes};
use assay_tests::bench::process::{Finished, last_lines};
use assay_tests::bench::rebuilds;
use assay_tests::bench::table::number;

const USAGE: &str = "volume [--assay PATH] [--dir FOLDER] [--reports N]";

/// What was asked for.
#[derive(Debug)]
struct Wanted {
    assay: PathBuf,
    folder: Option<PathBuf>,
    reports: u64,
}

fn wanted() -> Result<Wanted> {
    let mut wanted = Wanted { assay: PathBuf::new(), folder: None, reports: 100_000 };
    let mut rest = std::env::args().skip(1);
    while let Some(name) = rest.next() {
        let value = rest.next().context(USAGE)?;
        match name.as_str() {
            "--assay" => wanted.assay = PathBuf::from(value),
            "--dir" => wanted.folder = Some(PathBuf::from(value)),
            "--reports" => wanted.reports = value.parse().context(USAGE)?,
            _ => bail!("{USAGE}"),
        }
    }
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
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("volume: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Answers whether everything holds.
async fn go(wanted: &Wanted) -> Result<bool> {
    let folder = match &wanted.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let place = Place::new(&wanted.assay, folder.path());
    println!("{}; load {}", machine::describe(), machine::load_average());
    place.furnish().await?;
    let house = place.open_case().await?;
    let before = rebuilds::read(&place.data())?.entries();
    let imported = place.import(wanted.reports, &house.case).await?;
    let stored = rebuilds::read(&place.data())?;
    let added = stored.entries().saturating_sub(before);
    let checked = place.try_run(&["check"]).await?;
    let compared = place.try_run(&["rebuild", "--compare"]).await?;

    let rate = |count: u64, done: &Finished| number(per_second(count, done.took));
    let show = |what: &str, count: u64, done: &Finished| {
        let (seconds, peak) = (done.took.as_secs_f64(), float(done.peak_bytes) / 1e6);
        let entries = rate(count, done);
        println!("{what:<18} {seconds:>8.1} s  {entries:>9} entries/s  peak {peak:>5.0} MB");
    };
    println!(
        "{} reports imported at {}/s; {added} entries of them, {} in all",
        wanted.reports,
        rate(wanted.reports, &imported),
        stored.entries()
    );
    show("import", added, &imported);
    show("check", stored.entries(), &checked);
    show("rebuild --compare", stored.entries(), &compared);
    for name in ["journal.db", "views.db", "vault.db"] {
        let bytes = file_bytes(&place.data().join(name));
        let each = float(bytes) / float(stored.entries().max(1));
        println!("{name:<18} {:>8.1} MB  {each:>7.0} bytes an entry", float(bytes) / 1e6);
    }
    println!("canonical JSON     {:>8.1} MB", float(stored.json_bytes) / 1e6);
    let mut holds = true;
    for (what, done) in [("check", &checked), ("rebuild --compare", &compared)] {
        if done.success {
            println!("assay {what}: holds");
        } else {
            println!(
                "assay {what}: DOES NOT HOLD: {} {}",
                last_lines(&done.stdout),
                last_lines(&done.stderr)
            );
            holds = false;
        }
    }
    Ok(holds)
}
