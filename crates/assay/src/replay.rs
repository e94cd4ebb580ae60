//! `assay replay`: what was known at an earlier moment, or a case told step by step.

mod case;
mod difference;
mod frame;
mod plain;
mod screen;
mod stepper;
mod tape;
mod tell;
mod terminal;
mod text;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use assay_domain::id::CaseId;
use assay_views::cases::{self, CaseDoc, CaseFilter};
use assay_views::db::{Moment, moment};
use assay_views::{At, Reader, Sight, users};
use tokio::signal::unix::{SignalKind, signal};

use self::plain::Span;
use self::tape::Tape;
use crate::cli::Replay;
use crate::exit::{Exit, usage};
use crate::settings::Settings;
use crate::viewing::{all, as_of, view};
use crate::words::{self, Names, instant, keep_ids_whole, table};

/// Prints what was known then, or steps through a case.
pub(crate) async fn run(settings: &Settings, asked: &Replay) -> anyhow::Result<Exit> {
    let viewing = view(settings).await?;
    let reader = &viewing.reader;
    let upto = match &asked.as_of {
        Some(text) => as_of(reader, text)?,
        None => moment(reader, At::Head)?,
    };
    match asked.case {
        Some(case) if asked.as_of.is_none() || asked.steps() => {
            let tape = Tape::of(viewing.reader, CaseId(case), upto.position)?;
            step(tape, asked).await?;
            Ok(Exit::Holds)
        }
        case => print(reader, upto, case.map(CaseId)),
    }
}

/// Steps: in the terminal where there is one, else as plain text.
async fn step(tape: Tape, asked: &Replay) -> anyhow::Result<()> {
    let position =
        |text: &Option<String>| text.as_deref().map(|text| tape.position(text)).transpose();
    let (from, to) = (position(&asked.from)?, position(&asked.to)?);
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if asked.plain || asked.to.is_some() || asked.limit.is_some() || !terminal {
        let span = Span { from, to, limit: asked.limit };
        return plain::print(&mut std::io::stdout().lock(), &tape, span);
    }
    let first = match from {
        Some(from) => tape.from(from)?,
        None => tape.first()?,
    };
    let first = first.ok_or_else(|| usage("there is no step in that span"))?;
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let mut stepping = tokio::task::spawn_blocking(move || terminal::run(&tape, first, &told));
    tokio::select! {
        done = &mut stepping => return done.context("stepping")?,
        _ = term.recv() => (),
        _ = int.recv() => (),
        _ = hang_up.recv() => (),
    }
    stop.store(true, Ordering::SeqCst);
    stepping.await.context("stepping")?
}

fn print(reader: &Reader, moment: Moment, case: Option<CaseId>) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "What was known as of {}.\n", words::moment(moment))?;
    let at = At::Position(moment.position);
    let sight = Sight::house();
    let names = Names::of(all(|cursor, limit| users::page(reader, &sight, at, cursor, limit))?);
    match case {
        Some(case) => {
            let (sight, names) = (&sight, &names);
            case::print(&mut out, &case::Shown { reader, sight, at, case, names })
        }
        None => list(&mut out, reader, &sight, at, &names),
    }
}

fn list(
    out: &mut impl std::io::Write,
    reader: &Reader,
    sight: &Sight,
    at: At,
    names: &Names,
) -> anyhow::Result<Exit> {
    let filter = CaseFilter::All;
    let found: Vec<CaseDoc> =
        all(|cursor, limit| cases::page(reader, sight, at, filter, cursor, limit))?;
    if found.is_empty() {
        writeln!(out, "There was no case.")?;
        return Ok(Exit::Holds);
    }
    let mut shown = table(&["Case", "Title", "Marking", "Opened", "State", "Claims"]);
    for case in found {
        let overview = cases::overview(reader, sight, at, case.id)?;
        let claims: u64 = overview.map_or(0, |overview| overview.claims.values().sum());
        shown.add_row(vec![
            case.id.to_string(),
            case.title.unwrap_or_else(|| "(forgotten)".to_owned()),
            case.marking.as_str().to_owned(),
            format!("{} by {}", instant(case.opened.at), names.get(case.opened.by)),
            if case.closed.is_some() { "closed" } else { "open" }.to_owned(),
            claims.to_string(),
        ]);
    }
    keep_ids_whole(&mut shown);
    writeln!(out, "{shown}")?;
    writeln!(
        out,
        "\nOne case in full: add `--case ID`. Step by step: `--case ID` without `--as-of`."
    )?;
    Ok(Exit::Holds)
}
