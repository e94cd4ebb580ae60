//! `make outgrow`: a log on a real PostgreSQL at 10^5 entries and more, beside the embedded one, and what 10^8 would take.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use assay_tests::bench::figures::float;
use assay_tests::bench::machine;
use assay_tests::bench::outgrow::{Outgrow, Size, embedded};
use assay_tests::bench::table::number;

const USAGE: &str = "outgrow [--sizes 100000,1000000] [--bytes 700] [--dir FOLDER]";
/// The size that is reckoned from those that were measured.
const RECKONED: u64 = 100_000_000;
/// How many entries the embedded log is filled with, for comparison.
const EMBEDDED: u64 = 100_000;

#[derive(Debug)]
struct Wanted {
    sizes: Vec<u64>,
    bytes: usize,
    folder: Option<PathBuf>,
}

fn wanted() -> Result<Wanted> {
    let mut wanted = Wanted { sizes: vec![100_000], bytes: 700, folder: None };
    let mut rest = std::env::args().skip(1);
    while let Some(name) = rest.next() {
        let value = rest.next().context(USAGE)?;
        match name.as_str() {
            "--sizes" => {
                let sizes: Result<Vec<u64>, _> = value.split(',').map(str::parse).collect();
                wanted.sizes = sizes.context(USAGE)?;
            }
            "--bytes" => wanted.bytes = value.parse().context(USAGE)?,
            "--dir" => wanted.folder = Some(PathBuf::from(value)),
            _ => bail!("{USAGE}"),
        }
    }
    if wanted.sizes.is_empty() || !wanted.sizes.is_sorted() {
        bail!("sizes must grow; {USAGE}");
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
            eprintln!("outgrow: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn go(wanted: &Wanted) -> Result<()> {
    let folder = match &wanted.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    println!("{}", machine::describe());
    println!(
        "{} bytes of data an entry, one entry an append, 2,000 asked for together",
        wanted.bytes
    );
    let beside = embedded(folder.path(), wanted.bytes, EMBEDDED).await?;
    println!("embedded log: {} entries/s", number(beside));
    let mut outgrow = Outgrow::new(folder.path(), wanted.bytes).await?;
    let mut found: Vec<Size> = Vec::new();
    for size in &wanted.sizes {
        let measured = outgrow.at(*size).await?;
        print_size(&measured, beside);
        found.push(measured);
    }
    reckon(&found);
    Ok(())
}

fn print_size(size: &Size, beside: f64) {
    println!("\n{} entries on PostgreSQL", size.entries);
    println!(
        "  filled at {} entries/s: {:.2} of the embedded log in the same run",
        number(size.filled),
        size.filled / beside
    );
    println!(
        "  a new node has it all after {:.1} s: {} entries/s, {:.2} of the embedded log's appends",
        size.catch_up.as_secs_f64(),
        number(size.caught_up),
        size.caught_up / beside
    );
    println!(
        "  {} bytes an entry in the database, {} in a node's journal",
        number(size.database_bytes),
        number(size.journal_bytes)
    );
    println!(
        "  an append {:.2} ms, a node has it {:.2} ms later (p50), {:.2} ms (p99); a synced write {:.3} ms: {:.1} and {:.1} of them",
        size.append_ms,
        size.lag_ms.0,
        size.lag_ms.1,
        size.floor_ms,
        size.append_ms / size.floor_ms,
        size.lag_ms.0 / size.floor_ms
    );
}

/// What 10^8 entries would take, by the last size measured and how it changed since the one before.
fn reckon(found: &[Size]) {
    let Some(last) = found.last() else { return };
    let before = found.len().checked_sub(2).and_then(|at| found.get(at)).unwrap_or(last);
    let growth = |now: f64, then: f64| now / then;
    let decades = (float(RECKONED) / float(last.entries)).log10();
    let reckoned = |now: f64, then: f64| now * growth(now, then).powf(decades);
    println!(
        "\n{RECKONED} entries, reckoned: value at {} times (value there / value at {}) for each further power of ten ({decades:.1})",
        last.entries, before.entries
    );
    let all = float(RECKONED);
    let database = reckoned(last.database_bytes, before.database_bytes) * all / 1e9;
    let journal = reckoned(last.journal_bytes, before.journal_bytes) * all / 1e9;
    let rate = reckoned(last.caught_up, before.caught_up);
    println!("  database {database:.0} GB; journal of each node {journal:.0} GB");
    println!(
        "  a new node has it all after {:.1} h at {} entries/s",
        all / rate / 3_600.0,
        number(rate)
    );
}
