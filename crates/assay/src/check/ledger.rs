//! Are the signed checkpoints and the tiles still those of the journal?

use assay_notary::{Known, LedgerReport};

use super::Verdict;
use crate::log_keys;
use crate::notary;
use crate::open::Opened;
use crate::progress::Progress;
use crate::project::aside;
use crate::settings::Settings;

/// Compares every checkpoint and every tile with the journal's leaves.
pub(super) async fn check(settings: &Settings, opened: &Opened) -> anyhow::Result<Verdict> {
    let dir = opened.dir.ledger();
    if !dir.exists() {
        return Ok(Verdict::Unchecked("no checkpoint was signed yet".to_owned()));
    }
    let (shelf, log) = (opened.shelf(), log_keys::history(opened).await?);
    let signing = shelf.signing().await?;
    let mut keys: Vec<_> = signing.iter().map(|key| key.verifier().clone()).collect();
    let Some(origin) = keys.first().map(|key| key.name().to_owned()) else {
        let what = "there are checkpoints, and the keys that signed them are gone".to_owned();
        return Ok(Verdict::Wrong { position: None, what });
    };
    if !origin.ends_with(&log.to_string()) {
        let what = format!("the keys sign for {origin}, and this is the log {log}");
        return Ok(Verdict::Wrong { position: None, what });
    }
    keys.extend(shelf.retired().await?);
    let witnesses = notary::witnesses(settings)?;
    let (journal, second) = (opened.journal(), settings.ledger.second_place.clone());
    let checked = aside(move |_| {
        let mut progress = Progress::new("leaves compared with tiles and checkpoints");
        let known = Known { origin: &origin, keys: &keys, witnesses: &witnesses };
        let (dir, second) = (dir.as_path(), second.as_deref());
        let told = |done, all| progress.set(done, all);
        let checked = assay_notary::check(dir, second, known, journal.as_ref(), told);
        progress.finish();
        Ok(checked)
    });
    Ok(match checked.await? {
        Ok(report) => Verdict::Right(describe(&report)),
        Err(fault) => Verdict::Wrong { position: fault.position, what: fault.what },
    })
}

fn describe(report: &LedgerReport) -> String {
    format!(
        "{} checkpoints, the newest over {} of {} entries; {} full tiles; {} cosignatures, {} timestamps; each agrees \
         with the journal",
        report.checkpoints,
        report.newest,
        report.entries,
        report.tiles,
        report.cosignatures,
        report.timestamps
    )
}
