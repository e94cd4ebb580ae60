//! The ledger over what was read of a log: the same positions, times and leaves as in every journal of it.

use assay_ledger::{Frontier, Hash};
use assay_store::fact::Recorded;
use assay_store::leaf::{LeafHash, leaf_of};

/// All entries so far, as their ledger.
#[derive(Debug, Default)]
pub(super) struct Fold {
    frontier: Frontier,
    last_recorded_at: Option<i64>,
}

impl Fold {
    /// Takes the next entry; answers its leaf.
    pub(super) fn take(&mut self, recorded: &Recorded) -> LeafHash {
        let mut fact = recorded.fact.clone();
        // Where a clock went back, a journal records the time of the entry before (I-03).
        let at = self.last_recorded_at.max(Some(fact.envelope.recorded_at));
        fact.envelope.recorded_at = at.unwrap_or(fact.envelope.recorded_at);
        self.last_recorded_at = at;
        let position = self.entries().saturating_add(1);
        let leaf = leaf_of(position, &recorded.stream, recorded.revision, &fact);
        self.frontier.append(leaf);
        leaf
    }

    /// How many there were.
    pub(super) const fn entries(&self) -> u64 {
        self.frontier.size()
    }

    /// The ledger's root over them.
    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }
}

#[cfg(test)]
mod tests {
    use assay_store::journal::Journal as _;
    use assay_store::log::{Expected, Log as _};
    use assay_store::memory::MemoryLog;

    use super::*;
    use crate::moving::testing::recorded;

    #[tokio::test]
    async fn a_clock_that_went_back_gives_the_same_root_as_in_a_journal() {
        let (log, mut fold) = (MemoryLog::new(), Fold::default());
        for (revision, at) in (0..5).zip([7, 9, 4, 9, 12]) {
            let mut recorded = recorded("s", revision, 3);
            recorded.fact.envelope.recorded_at = at;
            log.append("s", Expected::Any, vec![recorded.fact.clone()]).await.unwrap();
            fold.take(&recorded);
        }
        assert_eq!((fold.entries(), fold.root()), (5, log.frontier().unwrap().root()));
    }
}
