//! `make bench`: performance as ratios to something measured in the same run, in one table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use assay_tests::bench::appends::Appends;
use assay_tests::bench::disk::{Disk, Floor};
use assay_tests::bench::figures::{Rounds, float, millis, quantile};
use assay_tests::bench::house::{House, Place, Serving};
use assay_tests::bench::lag::Lag;
use assay_tests::bench::rest::Rest;
use assay_tests::bench::{bare, disk, goals, machine, rebuilds, syncs, table};

const WARM: Duration = Duration::from_millis(150);
const SPAN: Duration = Duration::from_millis(600);
/// F is taken in short slices between what is compared with it.
const FLOOR_SPAN: Duration = Duration::from_millis(200);
const SYNCS_SPAN: Duration = Duration::from_millis(1_500);
/// After this long the rounds stop early (and say so): the whole must end within six minutes.
const ROUNDS_MAX: Duration = Duration::from_secs(210);
const USAGE: &str = "bench --assay PATH [--dir FOLDER] [--rounds N] [--reports N] [--only p4,p5]";

/// What was asked for.
#[derive(Debug)]
struct Wanted {
    assay: PathBuf,
    folder: Option<PathBuf>,
    rounds: usize,
    reports: u64,
    only: Option<String>,
}

impl Wanted {
    /// Whether a group of figures (`p4`) shall be measured; all are, unless some were named.
    fn wants(&self, group: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.split(',').any(|one| one == group))
    }

    fn from(arguments: &[String]) -> Result<Self> {
        let mut wanted =
            Self { assay: PathBuf::new(), folder: None, rounds: 5, reports: 20_000, only: None };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let value = rest.next().context(USAGE)?;
            match name.as_str() {
                "--assay" => wanted.assay = PathBuf::from(value),
                "--dir" => wanted.folder = Some(PathBuf::from(value)),
                "--rounds" => wanted.rounds = value.parse().context(USAGE)?,
                "--only" => wanted.only = Some(value.to_lowercase()),
                "--reports" => wanted.reports = value.parse().context(USAGE)?,
                _ => bail!("{USAGE}"),
            }
        }
        if wanted.assay.as_os_str().is_empty() {
            wanted.assay = assay_tests::assay()?;
        }
        Ok(wanted)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [bare::CHILD, folder, workers] => serve_bare(folder, workers),
        [syncs::CHILD, folder, writers, span] => append(folder, writers, span),
        _ => Wanted::from(&arguments).and_then(|wanted| in_tokio(measure(&wanted))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn in_tokio<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn serve_bare(folder: &str, workers: &str) -> Result<()> {
    bare::serve(Path::new(folder), workers.parse()?)
}

fn append(folder: &str, writers: &str, span: &str) -> Result<()> {
    let (writers, span) = (writers.parse()?, Duration::from_millis(span.parse()?));
    println!("{}", in_tokio(syncs::child(Path::new(folder), writers, span))?);
    Ok(())
}

async fn measure(wanted: &Wanted) -> Result<()> {
    let started = Instant::now();
    let load_before = machine::load_average();
    let folder = match &wanted.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let mut rounds = Rounds::default();
    let kind = machine::file_system(folder.path())?;
    if kind == "tmpfs" {
        rounds.note("THE FOLDER LIES IN MEMORY (tmpfs): F and all that is durable mean nothing here; give --dir");
    }
    let place = Place::new(&wanted.assay, folder.path());
    let prepared = prepare(&place, wanted, &mut rounds).await;
    if let Err(error) = &prepared {
        rounds.note(format!("NOTHING OF THE BINARY COULD BE MEASURED: {error:#}"));
        for name in ["p4.64", "p4.256", "p5", "p6.list", "p6.search", "p10.rebuild", "p10.decode"] {
            rounds.fail(name, error);
        }
    }
    go_round(wanted, &place, prepared.ok().as_ref(), folder.path(), &mut rounds).await?;
    for (writers, name) in [(1, "p2.1"), (64, "p2.64")] {
        if !wanted.wants("p2") {
            continue;
        }
        say("counting syncs");
        let counted = syncs::count(folder.path(), writers, SYNCS_SPAN);
        if let Ok(counted) = &counted {
            rounds.note(format!(
                "{name}: {} syncs ({} of the writer's thread) for {} commits of {} facts, under strace",
                counted.syncs, counted.of_writer, counted.commits, counted.facts
            ));
        }
        rounds.take(name, counted.map(|counted| counted.per_commit()));
    }
    print(&rounds, wanted, &kind, &load_before, started.elapsed());
    Ok(())
}

fn say(words: &str) {
    eprintln!("bench: {words}");
}

/// The data directory, and what is measured on it while no server holds it.
async fn prepare(place: &Place, wanted: &Wanted, rounds: &mut Rounds) -> Result<House> {
    let size = std::fs::metadata(&wanted.assay).context("no binary");
    rounds.take("p17.size", size.map(|found| float(found.len()) / 1e6));
    say("preparing the demo, a case and claims");
    place.furnish().await?;
    let house = place.open_case().await?;
    say("importing generated reports");
    let imported = place.import(wanted.reports, &house.case).await?;
    let rate = float(wanted.reports) / imported.took.as_secs_f64();
    rounds.note(format!("import: {} reports at {rate:.0}/s, views included", wanted.reports));
    let stored = rebuilds::read(&place.data())?;
    rounds.note(format!("{} entries before the load", stored.entries()));
    for round in 1..=wanted.rounds {
        if !wanted.wants("p10") {
            break;
        }
        say(&format!("rebuild, round {round} of {}", wanted.rounds));
        stored.round(place, rounds).await;
    }
    if let Err(error) = stored.sizes(&place.data(), rounds) {
        rounds.fail("p16.journal", &error);
    }
    Ok(house)
}

/// Everything that goes in rounds, one after the other, so that the machine's moods hit all alike.
async fn go_round(
    wanted: &Wanted,
    place: &Place,
    house: Option<&House>,
    folder: &Path,
    rounds: &mut Rounds,
) -> Result<()> {
    let (mut disk, appends) = (Disk::new(folder)?, Appends::new(folder)?);
    let mut served = None;
    if let Some(house) = house {
        match serve(place, house, folder, rounds).await {
            Ok(found) => served = Some(found),
            Err(error) => rounds.note(format!("NOTHING COULD BE ASKED OVER HTTP: {error:#}")),
        }
    }
    let started = Instant::now();
    for round in 1..=wanted.rounds {
        if started.elapsed() > ROUNDS_MAX {
            rounds.note(format!(
                "stopped after {} of {} rounds: time was up",
                round - 1,
                wanted.rounds
            ));
            break;
        }
        say(&format!("round {round} of {}", wanted.rounds));
        if wanted.wants("p1") || wanted.wants("p12") {
            durable(&mut disk, &appends, rounds).await?;
        }
        if let Some((serving, rest, lag)) = &served {
            rest.round(rounds, |group| wanted.wants(group)).await;
            if wanted.wants("p12") {
                lag.round(rounds).await;
            }
            let resident = machine::resident_bytes(serving.process.id);
            rounds.take("p15", resident.map(|bytes| float(bytes) / 1e6));
        }
    }
    if let Some((serving, ..)) = served {
        rounds.explain("p10.live", "never 500 entries behind: its saturation was not reached");
        let peak = machine::peak_bytes(serving.process.id);
        rounds.take("p15.peak", peak.map(|bytes| float(bytes) / 1e6));
        rounds.take("p15.stop", serving.process.stop().await.map(|()| 1.0));
    }
    Ok(())
}

/// F, and P1 in slices between those of F.
async fn durable(disk: &mut Disk, appends: &Appends, rounds: &mut Rounds) -> Result<()> {
    let (mut floor, mut took_ms) = (Floor::default(), Vec::new());
    disk::settle()?;
    for _ in 0..3 {
        disk.slice(FLOOR_SPAN, &mut floor)?;
        took_ms.extend(appends.round(1, Duration::ZERO, FLOOR_SPAN).await?.took_ms);
    }
    rounds.put("p1.1", quantile(&took_ms, 500).context("appends")?);
    for (writers, name) in [(64, "p1.64"), (256, "p1.256")] {
        let burst = appends.round(writers, WARM, SPAN).await;
        rounds.take(name, burst.map(|burst| burst.rate));
        disk::settle()?;
        disk.slice(FLOOR_SPAN, &mut floor)?;
    }
    rounds.put("f", floor.rate());
    rounds.put("f50", floor.median_ms());
    Ok(())
}

/// The server under load, started a few times first to see how long that takes.
async fn serve(
    place: &Place,
    house: &House,
    folder: &Path,
    rounds: &mut Rounds,
) -> Result<(Serving, Rest, Lag)> {
    for _ in 0..4 {
        start(place, rounds).await?.process.stop().await?;
    }
    let serving = start(place, rounds).await?;
    let resident = machine::resident_bytes(serving.process.id)?;
    rounds.put("p15.logins", float(resident) / 1e6);
    let word = place.common_word()?;
    let rest = Rest::new(folder, &serving, house, &word, rounds).await?;
    let lag = Lag::new(&serving, house)?;
    Ok((serving, rest, lag))
}

async fn start(place: &Place, rounds: &mut Rounds) -> Result<Serving> {
    let serving = place.serve().await?;
    rounds.put("p17.ready", serving.process.ready_after.as_secs_f64());
    rounds.put("p14", millis(serving.first_answer_after));
    rounds.put("p15.idle", float(serving.idle_bytes) / 1e6);
    Ok(serving)
}

fn print(rounds: &Rounds, wanted: &Wanted, kind: &str, load_before: &str, took: Duration) {
    println!("{}", table::render(&goals::rows(rounds)));
    println!(
        "figures are medians of {} interleaved rounds [least–greatest]; ratios are taken round by round",
        wanted.rounds
    );
    println!("verdicts judge the ratio (or the figure, where nothing is compared)\n");
    println!(
        "machine: {}; {kind}; load {load_before} before, {} after",
        machine::describe(),
        machine::load_average()
    );
    println!("the load generator shares these cores with the servers, on both sides of a ratio");
    for (what, name) in [("200", "p12.200"), ("2,000", "p12.2000")] {
        let values = [".plain", ".rate"].map(|end| rounds.median(&format!("{name}{end}")));
        if let [Some(plain), Some(rate)] = values {
            println!(
                "P12 at {what}/s: a read that waits for nothing took {plain:.3} ms; {rate:.0} facts/s were written"
            );
        }
    }
    for line in goals::cpu(rounds).iter().chain(rounds.notes()) {
        println!("{line}");
    }
    println!("took {:.0} s", took.as_secs_f64());
}
