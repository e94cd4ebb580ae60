//! `assay replay`: what was known at an earlier moment, as a list of cases or as one case in full.

mod case;

use std::io::Write as _;

use assay_domain::id::CaseId;
use assay_views::cases::{self, CaseDoc, CaseFilter};
use assay_views::{At, Reader, Sight, users};

use crate::cli::Replay;
use crate::exit::Exit;
use crate::settings::Settings;
use crate::viewing::{all, as_of, view};
use crate::words::{self, Names, instant, keep_ids_whole, table};

/// Prints what was known then.
pub(crate) async fn run(settings: &Settings, asked: &Replay) -> anyhow::Result<Exit> {
    let viewing = view(settings).await?;
    let reader = &viewing.reader;
    let moment = as_of(reader, &asked.as_of)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "What was known as of {}.\n", words::moment(moment))?;
    let at = At::Position(moment.position);
    let sight = Sight::house();
    let names = Names::of(all(|cursor, limit| users::page(reader, &sight, at, cursor, limit))?);
    match asked.case {
        Some(id) => {
            let (case, names) = (CaseId(id), &names);
            case::print(&mut out, &case::Shown { reader, sight: &sight, at, case, names })
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
    writeln!(out, "\nOne case in full: add `--case ID`.")?;
    Ok(Exit::Holds)
}
