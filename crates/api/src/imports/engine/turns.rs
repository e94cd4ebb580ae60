//! Who waits for whom: a claim for its report and the claims its time hangs on, and one key for itself.

use std::collections::HashMap;

use assay_domain::id::CaseId;
use assay_domain::value::TimeAnchor;
use assay_exchange::{ClaimItem, Item, ids};
use tokio::sync::watch;
use uuid::Uuid;

/// What is in flight, by id.
#[derive(Debug, Default)]
pub(super) struct Turns {
    next: u64,
    taken: HashMap<Uuid, (u64, watch::Receiver<()>)>,
}

/// An item's turn; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    ticket: Ticket,
    before: Vec<watch::Receiver<()>>,
    _over: watch::Sender<()>,
}

/// Names a turn after it is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    id: Uuid,
    number: u64,
}

impl Turns {
    /// A turn for the next item: after those in flight that it depends on.
    pub(super) fn take(&mut self, case: CaseId, item: &Item) -> Turn {
        let (id, others) = match item {
            Item::Report(report) => (ids::report(case, &report.key).0, Vec::new()),
            Item::Claim(claim) => (ids::claim(case, &claim.key).0, hangs_on(case, claim)),
        };
        let awaited = std::iter::once(id).chain(others);
        let before = awaited.filter_map(|id| self.taken.get(&id).map(|(_, over)| over.clone()));
        let before = before.collect();
        let (sender, receiver) = watch::channel(());
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.taken.insert(id, (number, receiver));
        Turn { ticket: Ticket { id, number }, before, _over: sender }
    }

    /// Forgets a turn that is over, unless the same id has a later one.
    pub(super) fn over(&mut self, ticket: Ticket) {
        if self.taken.get(&ticket.id).is_some_and(|(number, _)| *number == ticket.number) {
            self.taken.remove(&ticket.id);
        }
    }
}

impl Turn {
    /// Waits until everything it depends on is over. Only earlier items are waited for, so that
    /// nobody waits in a circle.
    pub(super) async fn come(&mut self) {
        for over in &mut self.before {
            while over.changed().await.is_ok() {}
        }
    }

    pub(super) const fn ticket(&self) -> Ticket {
        self.ticket
    }
}

fn hangs_on(case: CaseId, claim: &ClaimItem) -> Vec<Uuid> {
    let time = claim.proposition.time.as_ref();
    let relative = time.and_then(|time| time.relative.as_ref()).map(|order| order.to.0);
    let anchor = time.and_then(|time| match time.anchor.as_ref()? {
        TimeAnchor::Claim { claim, .. } => Some(claim.0),
        TimeAnchor::Publication { .. } | TimeAnchor::Date { .. } => None,
    });
    let report = ids::report(case, &claim.report).0;
    std::iter::once(report).chain(relative).chain(anchor).collect()
}
