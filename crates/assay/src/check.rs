//! `assay check`: is everything on disk still right? The journal with its ledger, what was signed of it, the vault, the views.

mod ledger;
mod vault;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use assay_commands::Clock;
use assay_store_sqlite::{JournalReport, check_journal};
use serde_json::json;

use crate::cli::Check;
use crate::clock::SystemClock;
use crate::data_dir::DataDir;
use crate::exit::Exit;
use crate::open::{Opened, must_be_ready, open_held};
use crate::progress::{Progress, seconds};
use crate::project::aside;
use crate::rebuild;
use crate::settings::Settings;

/// What was found out about one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is right; in words, what was checked.
    Right(String),
    /// It is not.
    Wrong {
        /// The first bad position, where it can be told.
        position: Option<u64>,
        /// What is wrong.
        what: String,
    },
    /// It could not be looked at; why.
    Unchecked(String),
}

/// All parts, in the order they were checked.
#[derive(Debug, Default)]
struct Checked {
    parts: Vec<(&'static str, Verdict)>,
    journal: Option<JournalReport>,
    took: Duration,
}

/// Checks everything and prints what was checked.
pub(crate) async fn run(settings: &Settings, asked: &Check) -> anyhow::Result<Exit> {
    let dir = DataDir::at(&settings.data_dir);
    must_be_ready(settings, &dir)?;
    let checked = check(settings, &dir).await?;
    if asked.json {
        print_json(&checked)?;
    } else {
        print(&checked)?;
    }
    Ok(if checked.holds() { Exit::Holds } else { Exit::DoesNotHold })
}

async fn check(settings: &Settings, dir: &DataDir) -> anyhow::Result<Checked> {
    let mut checked = Checked::default();
    let held = dir.hold();
    let path = dir.journal();
    let (report, took) = aside(move |_| {
        let mut progress = Progress::new("entries checked");
        let report = check_journal(path, |done, all| progress.set(done, all));
        Ok((report, progress.finish()))
    })
    .await?;
    checked.took = took;
    match report {
        Err(fault) => {
            let wrong = Verdict::Wrong { position: fault.position, what: fault.what };
            checked.add("journal and ledger", wrong);
            checked.skip("the journal it must agree with is not right");
            return Ok(checked);
        }
        Ok(report) => {
            checked.add("journal and ledger", Verdict::Right(describe(&report)));
            checked.journal = Some(report);
        }
    }
    let held = match held {
        Ok(held) => held,
        Err(error) => {
            checked.skip(&format!("{error:#}"));
            return Ok(checked);
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    match open_held(settings, clock, dir.clone(), held).await {
        Ok(opened) => {
            checked.add("checkpoints and tiles", ledger::check(settings, &opened).await?);
            let verdict = vault::check(&opened).await?;
            let right = matches!(verdict, Verdict::Right(_));
            checked.add("vault", verdict);
            let views = if right {
                views(&opened).await
            } else {
                Verdict::Unchecked("the keys it needs are not all there".to_owned())
            };
            checked.add("views", views);
        }
        Err(error) => {
            let unopened = Verdict::Unchecked("the vault does not open".to_owned());
            checked.add("checkpoints and tiles", unopened.clone());
            checked.add("vault", Verdict::Wrong { position: None, what: format!("{error:#}") });
            checked.add("views", unopened);
        }
    }
    Ok(checked)
}

fn describe(report: &JournalReport) -> String {
    format!(
        "{} entries in {} streams; every entry matches its leaf; ledger root {}",
        report.entries,
        report.streams,
        hex::encode(report.root)
    )
}

/// The live views must equal views made anew from the journal, row for row.
async fn views(opened: &Opened) -> Verdict {
    let compared = rebuild::beside(opened).await;
    let removed = rebuild::remove(&rebuild::new_file(&opened.dir.views()));
    match (compared, removed) {
        (Err(error), _) | (_, Err(error)) => {
            Verdict::Wrong { position: None, what: format!("{error:#}") }
        }
        (Ok(compared), Ok(())) if compared.holds() => Verdict::Right(format!(
            "equal to views made anew from the journal, up to entry {} of {}",
            compared.position, compared.entries
        )),
        (Ok(compared), Ok(())) => Verdict::Wrong {
            position: compared.first_difference,
            what: format!("not equal to views made anew: {}", compared.differences.join("; ")),
        },
    }
}

impl Checked {
    fn add(&mut self, part: &'static str, verdict: Verdict) {
        self.parts.push((part, verdict));
    }

    fn skip(&mut self, why: &str) {
        for part in ["checkpoints and tiles", "vault", "views"] {
            self.add(part, Verdict::Unchecked(why.to_owned()));
        }
    }

    fn complete(&self) -> bool {
        !self.parts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Unchecked(_)))
    }

    fn holds(&self) -> bool {
        !self.parts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Wrong { .. }))
    }
}

fn print(checked: &Checked) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for (part, verdict) in &checked.parts {
        match verdict {
            Verdict::Right(words) => writeln!(out, "{part}: right: {words}")?,
            Verdict::Unchecked(why) => writeln!(out, "{part}: not checked: {why}")?,
            Verdict::Wrong { position: Some(position), what } => {
                writeln!(out, "{part}: WRONG at entry {position}: {what}")?;
            }
            Verdict::Wrong { position: None, what } => writeln!(out, "{part}: WRONG: {what}")?,
        }
    }
    writeln!(out, "the journal took {} seconds", seconds(checked.took))?;
    let words = match (checked.holds(), checked.complete()) {
        (true, true) => "everything holds",
        (true, false) => "what was checked holds; the rest was not checked",
        (false, _) => "it does not hold",
    };
    writeln!(out, "{words}")?;
    Ok(())
}

fn print_json(checked: &Checked) -> anyhow::Result<()> {
    let mut parts = serde_json::Map::new();
    let mut first_bad = None;
    for (part, verdict) in &checked.parts {
        let said = match verdict {
            Verdict::Right(words) => json!({"state": "right", "detail": words}),
            Verdict::Unchecked(why) => json!({"state": "unchecked", "detail": why}),
            Verdict::Wrong { position, what } => {
                first_bad = first_bad.or(*position);
                json!({"state": "wrong", "detail": what, "position": position})
            }
        };
        parts.insert(part.replace(' ', "_"), said);
    }
    let report = checked.journal.as_ref();
    let all = json!({
        "holds": checked.holds(),
        "complete": checked.complete(),
        "first_bad_position": first_bad,
        "entries": report.map(|report| report.entries),
        "streams": report.map(|report| report.streams),
        "root": report.map(|report| hex::encode(report.root)),
        "log_id": report.map(|report| report.log_id),
        "journal_seconds": checked.took.as_secs_f64(),
        "parts": parts,
    });
    writeln!(std::io::stdout(), "{all}")?;
    Ok(())
}
