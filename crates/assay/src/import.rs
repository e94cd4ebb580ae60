//! `assay import`: many reports and claims from a data file, in somebody's name; run twice, it adds nothing.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;

use anyhow::Context as _;
use assay_api::imports::engine::{ERRORS_MAX, Importer, Summary, run as carry_out};
use assay_commands::Clock;
use assay_domain::id::CaseId;
use assay_exchange::{Format, Item, Items, LineError, generate, read};

use crate::accounts::{known, refused};
use crate::cli::Import;
use crate::clock::SystemClock;
use crate::exit::{Exit, usage};
use crate::open::open;
use crate::progress::{Progress, per_second, seconds};
use crate::project;
use crate::settings::Settings;

/// Made-up reports are the same for everybody.
const SEED: u64 = 1;

/// Imports a file, tries it out, or writes one of made-up reports.
pub(crate) async fn run(settings: &Settings, asked: &Import) -> anyhow::Result<Exit> {
    if let Some(count) = asked.generate {
        return make_up(&asked.file, count);
    }
    let (Some(case), Some(username)) = (asked.case, asked.on_behalf_of.as_deref()) else {
        return Err(usage("name the case with --case and yourself with --as"));
    };
    let format = format_of(asked)?;
    let (items, size) = items(&asked.file, format)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let opened = open(settings, clock).await?;
    let importer = Importer::new(known(&opened, username).await?, CaseId(case));
    importer.may_file(&opened.house).await.map_err(refused)?;
    if asked.dry_run {
        return try_out(items);
    }
    let progress = RefCell::new(Progress::new("bytes read"));
    let summary = carry_out(Arc::clone(&opened.house), importer, items, |so_far| {
        let total = size.unwrap_or(so_far.bytes);
        progress.borrow_mut().set(so_far.bytes, total);
        if let Some(error) = so_far.error.filter(|_| so_far.refused <= listed_max()) {
            tell(error);
        }
    })
    .await;
    let took = progress.into_inner().finish();
    project::catch_up(&opened).await?;
    let mut out = std::io::stdout().lock();
    let done = summary.filed.all().saturating_add(summary.already.all());
    say(&mut out, &summary)?;
    let rate = per_second(done, took);
    writeln!(out, "took {} seconds: {rate} reports and claims a second", seconds(took))?;
    Ok(if summary.refused == 0 { Exit::Holds } else { Exit::DoesNotHold })
}

fn listed_max() -> u64 {
    u64::try_from(ERRORS_MAX).unwrap_or(u64::MAX)
}

fn say(out: &mut impl std::io::Write, summary: &Summary) -> anyhow::Result<()> {
    let (filed, already) = (summary.filed, summary.already);
    writeln!(out, "filed: {} reports, {} claims", filed.reports, filed.claims)?;
    writeln!(out, "already there: {} reports, {} claims", already.reports, already.claims)?;
    writeln!(out, "refused: {} of {} lines", summary.refused, summary.lines_read)?;
    if summary.errors_beyond() > 0 {
        writeln!(out, "  the first {ERRORS_MAX} refusals were listed on stderr")?;
    }
    if let Some(stopped) = &summary.stopped {
        writeln!(out, "stopped at line {}: {}", stopped.line, stopped.detail)?;
    }
    Ok(())
}

/// Reads everything and files nothing.
fn try_out(items: Items) -> anyhow::Result<Exit> {
    let (mut reports, mut claims, mut wrong) = (0_u64, 0_u64, 0_u64);
    for item in items {
        match item.map(|numbered| numbered.item) {
            Ok(Item::Report(_)) => reports = reports.saturating_add(1),
            Ok(Item::Claim(_)) => claims = claims.saturating_add(1),
            Err(error) => {
                wrong = wrong.saturating_add(1);
                if wrong <= listed_max() {
                    tell(&error);
                }
            }
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "readable: {reports} reports, {claims} claims")?;
    writeln!(out, "wrong: {wrong} lines")?;
    writeln!(out, "nothing was filed")?;
    Ok(if wrong == 0 { Exit::Holds } else { Exit::DoesNotHold })
}

fn tell(error: &LineError) {
    let place = error.pointer.as_deref().unwrap_or_default();
    eprintln!("line {}{place}: {} ({})", error.line, error.detail, error.code);
}

/// The format named, or the one a file's ending tells.
fn format_of(asked: &Import) -> anyhow::Result<Format> {
    let ending = asked.file.extension().and_then(std::ffi::OsStr::to_str);
    let name = match (asked.format.as_deref(), ending) {
        (Some(name), _) => name,
        (None, Some("csv")) => "csv",
        (None, Some("ndjson" | "jsonl")) => "ndjson",
        (None, _) => return Err(usage("say with --format what the file is: ndjson, csv or ucdp")),
    };
    Format::from_str(name).map_err(|known| usage(format!("the format {name:?} is none of {known}")))
}

/// The items of a file, and its size in bytes where it is known.
fn items(path: &Path, format: Format) -> anyhow::Result<(Items, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((read(format, BufReader::new(std::io::stdin())), None));
    }
    let file = File::open(path).map_err(|error| usage(format!("{}: {error}", path.display())))?;
    let size = file.metadata().map(|metadata| metadata.len()).ok();
    Ok((read(format, BufReader::with_capacity(1 << 20, file)), size))
}

/// Writes reports that nobody wrote, for trying out speed.
fn make_up(path: &Path, count: u64) -> anyhow::Result<Exit> {
    let shown = path.display();
    let file = File::create(path).with_context(|| format!("writing {shown}"))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    for line in generate(count, SEED) {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    writeln!(std::io::stdout(), "{count} made-up reports written to {shown}")?;
    Ok(Exit::Holds)
}
