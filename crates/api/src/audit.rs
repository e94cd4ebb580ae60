//! Auditing: a case step by step, who could see what, what a case was, how a query's answer changed, what anchors the log.
//!
//! Everything here is reading, and is recorded as such; most of it is open to the members of a case
//! for that case, and to auditors for all they may know of.

pub(crate) mod access;
pub(crate) mod adoptions;
pub(crate) mod anchors;
pub(crate) mod diff;
mod list;
pub(crate) mod state;
pub(crate) mod steps;

use assay_domain::policy::Permission;
use assay_store::journal::Entry;
use assay_views::At;

use crate::app::App;
use crate::caller::Caller;
use crate::door::Asking;
use crate::problem::Problem;
use crate::reads::look::here;

/// The entry at a position of the journal.
pub(crate) fn entry_at(app: &App, position: u64) -> Result<Option<Entry>, Problem> {
    let Some(before) = position.checked_sub(1) else { return Ok(None) };
    let found = app.house.journal().entries(before, 1)?;
    Ok(found.into_iter().next().filter(|entry| entry.position == position))
}

/// Who looks something up for the sake of a write: that needs no purpose, as nothing of it is shown.
pub(crate) fn writer(asking: &Asking) -> Caller {
    Caller { purposed: true, ..asking.caller }
}

/// Refuses who may not do this in the house, before anything else is told.
///
/// The command asks again, of the log itself; this is for those who must not learn what there is.
pub(crate) fn must_may(asking: &Asking, permission: Permission) -> Result<(), Problem> {
    here(&asking.app, &writer(asking), At::Head, |look| look.need(permission)).map(drop)
}
