//! Anchors: everybody outside who is shown the log's checkpoints, and who of them should have one long since.

use actix_web::get;
use assay_domain::policy::Permission;
use assay_notary::{AnchorStatus, Notary};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

use crate::ledger::SigningState;
use crate::problem::Problem;
use crate::reads::answer::Seen;
use crate::reads::look::Look;
use crate::reads::{Plain, Read};
use crate::write::Answer;

/// A checkpoint that an anchor took.
#[derive(Serialize, ToSchema)]
pub(crate) struct Taken {
    /// Over how many entries.
    size: u64,
    /// When, RFC 3339 in UTC.
    at: String,
}

/// A checkpoint that an anchor did not take.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotTaken {
    /// When, RFC 3339 in UTC.
    at: String,
    /// Why, in the words of who tried.
    why: String,
}

/// How it stands with an anchor.
#[derive(Serialize, ToSchema)]
pub(crate) struct Anchor {
    /// Its name.
    name: String,
    /// What it is: `file`, `webhook`, `witness` or `timestamp`.
    kind: &'static str,
    /// What it took last; null where it took nothing yet.
    last: Option<Taken>,
    /// What went wrong since; null where nothing did.
    error: Option<NotTaken>,
    /// Whether a checkpoint should have been there long ago.
    late: bool,
    /// When the oldest checkpoint it has not taken should be there; null where it has all.
    due: Option<String>,
}

/// How it stands with all anchors.
#[derive(Serialize, ToSchema)]
pub(crate) struct Anchors {
    /// Each, in the order the operator named them; none where nobody outside is shown anything.
    items: Vec<Anchor>,
    /// The names of those that are late.
    late: Vec<String>,
    /// The size of the newest checkpoint; null before the first.
    size: Option<u64>,
    /// Whether checkpoints are signed.
    state: SigningState,
}

/// Who outside holds which checkpoint, and who is late; for auditors.
#[utoipa::path(tag = "audit",
    responses((status = 200, description = "The anchors.", body = Seen<Anchors>)))]
#[get("/audit/anchors")]
pub(crate) async fn status(read: Read<Plain>) -> Answer {
    let notary = Arc::clone(&read.app.notary);
    let find = move |look: &Look<'_>| {
        look.need(Permission::Audit)?;
        Ok(Some(told(&notary)?))
    };
    read.long_value(find).await
}

fn told(notary: &Notary) -> Result<Anchors, Problem> {
    let all = notary.anchors();
    let late = all.iter().filter(|one| one.late).map(|one| one.name.clone()).collect();
    let items = all.into_iter().map(anchor).collect::<Result<_, _>>()?;
    let size = notary.latest().map(|latest| latest.checkpoint.size);
    Ok(Anchors { items, late, size, state: SigningState::of(notary) })
}

fn anchor(told: AnchorStatus) -> Result<Anchor, Problem> {
    let AnchorStatus { name, kind, last, error, late, due } = told;
    let last = last.map(|last| Ok::<_, Problem>(Taken { size: last.size, at: instant(last.at)? }));
    let error =
        error.map(|error| Ok::<_, Problem>(NotTaken { at: instant(error.at)?, why: error.words }));
    let due = due.map(instant).transpose()?;
    Ok(Anchor { name, kind, last: last.transpose()?, error: error.transpose()?, late, due })
}

/// An instant in microseconds since 1970, as it is told.
fn instant(micros: i64) -> Result<String, Problem> {
    let at = Timestamp::from_microsecond(micros).map_err(Problem::fault)?;
    Ok(format!("{at:.6}"))
}
