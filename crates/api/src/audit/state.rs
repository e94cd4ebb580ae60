//! What a case was at a moment, in two digests: over the log's leaves, and over what is shown.

use actix_web::get;
use assay_domain::id::CaseId;
use assay_domain::replay::StateDigest;
use assay_domain::value::Digest;
use assay_ledger::Frontier;
use assay_store::journal::Journal;
use assay_store::leaf::LeafHash;
use assay_views::{At, state};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

use crate::door::Place;
use crate::problem::Problem;
use crate::reads::answer::Seen;
use crate::reads::look::Look;
use crate::reads::{Plain, Read};
use crate::write::Answer;

/// How many leaves of the journal are read at once.
const LEAVES_PAGE: u64 = 4_096;

/// A case at a moment, in digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CaseState {
    /// Over its entries and over what is shown of it.
    pub(crate) state: StateDigest,
    /// How many entries of the log are of the case up to then.
    pub(crate) entries: u64,
}

/// What a case was: the digests that say whether it is still the same.
///
/// `entries` is the root (RFC 6962) of a tree over the leaves of the case's entries up to then and
/// never changes. `shown` changes only where something was erased or restricted since, or where the
/// program came to show things otherwise.
#[utoipa::path(tag = "audit",
    responses((status = 200, description = "The digests.", body = Seen<CaseState>)))]
#[get("/audit/cases/{case}/state")]
pub(crate) async fn of_case(read: Read<Plain>, case: Place<CaseId>) -> Answer {
    let journal = Arc::clone(read.app.house.journal());
    let find = move |look: &Look<'_>| state_of(look, &*journal, look.at, *case);
    read.long_value(find).await
}

/// What a case was at a moment; nothing where it is out of sight or did not exist then.
pub(crate) fn state_of(
    look: &Look<'_>,
    journal: &dyn Journal,
    at: At,
    case: CaseId,
) -> Result<Option<CaseState>, Problem> {
    let Some(positions) = state::entries(look.db, look.sight, at, case)? else { return Ok(None) };
    let Some(shown) = state::shown(look.db, look.sight, at, case)? else { return Ok(None) };
    let entries = u64::try_from(positions.len()).map_err(Problem::fault)?;
    let state = StateDigest { entries: Digest(root(journal, &positions)?), shown: Digest(shown) };
    Ok(Some(CaseState { state, entries }))
}

/// The root of a tree over the leaves of these entries, whose positions ascend.
fn root(journal: &dyn Journal, positions: &[u64]) -> Result<LeafHash, Problem> {
    let missing = |position| Problem::fault(format!("the journal has no leaf {position}"));
    let mut tree = Frontier::default();
    let mut rest = positions.iter().copied().peekable();
    while let Some(first) = rest.peek().copied() {
        // As far as the next ones lie close together, in one go.
        let before = first.checked_sub(1).ok_or_else(|| missing(first))?;
        let near = first.saturating_add(LEAVES_PAGE);
        let end = positions.partition_point(|position| *position < near);
        let last = end.checked_sub(1).and_then(|at| positions.get(at)).copied().unwrap_or(first);
        let wanted = usize::try_from(last.saturating_sub(before)).map_err(Problem::fault)?;
        let leaves = journal.leaves(before, wanted)?;
        if leaves.is_empty() {
            return Err(missing(first));
        }
        for (position, leaf) in (first..).zip(leaves) {
            if rest.next_if_eq(&position).is_some() {
                tree.append(leaf);
            }
        }
    }
    Ok(tree.root())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_ledger::frontier::root_of;
    use assay_store::fact::{ActorKind, Envelope, NewFact};
    use assay_store::log::{Expected, Log as _};
    use assay_store::memory::MemoryLog;
    use uuid::Uuid;

    fn fact(number: u128) -> NewFact {
        let id = Uuid::from_u128(number);
        let envelope = Envelope {
            recorded_at: 1,
            actor: id,
            actor_kind: ActorKind::Person,
            on_behalf_of: None,
            session: None,
            command: id,
            causation: None,
            correlation: id,
            case: None,
            request_mac: None,
        };
        NewFact { id, name: "a.b.v1".to_owned(), envelope, data: "{}".into() }
    }

    #[tokio::test]
    async fn the_root_is_over_the_leaves_of_the_entries_and_no_others() {
        let log = MemoryLog::new();
        for number in 1..=40 {
            let stream = format!("s-{number}");
            log.append(&stream, Expected::NoStream, vec![fact(number)]).await.unwrap();
        }
        let leaves = log.leaves(0, 40).unwrap();
        for positions in [vec![], vec![1], vec![40], vec![2, 3, 4, 17, 39], (1..=40).collect()] {
            let wanted = positions.iter().map(|at: &u64| leaves[usize::try_from(*at).unwrap() - 1]);
            assert_eq!(root(&log, &positions).unwrap(), root_of(wanted));
        }
        assert!(root(&log, &[41]).is_err());
    }
}
