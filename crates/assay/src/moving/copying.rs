//! Copying a log into another: in its order, with the same ids and revisions, and compared at the end.

use std::collections::HashSet;

use anyhow::{Context as _, bail};
use assay_ledger::Hash;
use assay_store::fact::Recorded;
use assay_store::keyring::sealed_keys;
use assay_store::leaf::LeafHash;
use assay_store::log::{Append, Log, LogError, Token};
use assay_store::vault::KeyId;

use super::fold::Fold;
use super::group::Group;
use super::reading::{PAUSE, Reading, TRIES_MAX};
use crate::exit::usage;

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// What the target holds already is compared with the source.
    Comparing,
    /// Entries are copied.
    Copying,
    /// All of the target is read again and compared.
    Verifying,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    /// How many entries the source had at the start; as many are in the target now.
    pub(crate) entries: u64,
    /// How many of them were in the target before.
    pub(crate) there_before: u64,
    /// The ledger's root over the source's entries.
    pub(crate) root: Hash,
    /// The same over the target's.
    pub(crate) root_there: Hash,
    /// How many entries the target has.
    pub(crate) entries_there: u64,
    /// The first position at which they differ, if they do.
    pub(crate) differs_at: Option<u64>,
    /// How many entries came into the source meanwhile, and are not copied.
    pub(crate) came_after: u64,
    /// Every key that the entries name, in the order of the log.
    pub(crate) keys: Vec<KeyId>,
}

/// Hears what is going on, and how many of how many entries are done.
pub(crate) type Told<'a> = &'a mut dyn FnMut(Stage, u64, u64);

/// Copies all that is in one log into another, which holds nothing, or a beginning of the same.
///
/// May be broken off at any moment and begun again: what is there already is compared, not written.
///
/// # Errors
///
/// A usage error, before anything is written, where the target holds other entries.
pub(crate) async fn copy(from: &dyn Log, to: &dyn Log, told: Told<'_>) -> anyhow::Result<Copied> {
    let (here, there) = (from.log_id().await, to.log_id().await);
    if here.context("asking the source who it is")? == there.context("asking the target")? {
        return Err(usage("the source and the target are the same log"));
    }
    let head = from.head().await.context("reading the source")?;
    let mut source = Source::new(from, head);
    let there_before = compare(&mut source, to, told).await?;
    append_rest(&mut source, to, told).await?;
    let target = fold_whole(to, source.fold.entries(), told).await?;
    let (entries, root) = (source.fold.entries(), source.fold.root());
    let (entries_there, root_there) = (target.entries(), target.root());
    let same = (entries, root) == (entries_there, root_there);
    let differs_at = if same { None } else { Some(first_difference(from, head, to).await?) };
    let came_after = came_after(from, head).await?;
    let keys = source.keys;
    Ok(Copied {
        entries,
        there_before,
        root,
        root_there,
        entries_there,
        differs_at,
        came_after,
        keys,
    })
}

/// The source, as far as it was read.
struct Source<'a> {
    reading: Reading<'a>,
    fold: Fold,
    keys: Vec<KeyId>,
    known: HashSet<KeyId>,
}

impl<'a> Source<'a> {
    fn new(log: &'a dyn Log, head: Option<Token>) -> Self {
        let reading = Reading::between(log, None, head);
        Self { reading, fold: Fold::default(), keys: Vec::new(), known: HashSet::new() }
    }

    async fn next(&mut self) -> anyhow::Result<Option<(Recorded, LeafHash)>> {
        let Some(recorded) = self.reading.next().await.context("reading the source")? else {
            return Ok(None);
        };
        let leaf = self.fold.take(&recorded);
        for key in sealed_keys(&recorded.fact.data) {
            if self.known.insert(key) {
                self.keys.push(key);
            }
        }
        Ok(Some((recorded, leaf)))
    }
}

/// Reads what the target holds beside the source; answers how many entries that is.
async fn compare(source: &mut Source<'_>, to: &dyn Log, told: Told<'_>) -> anyhow::Result<u64> {
    let mut target = Reading::whole(to).await.context("reading the target")?;
    let mut fold = Fold::default();
    while let Some(theirs) = target.next().await.context("reading the target")? {
        let leaf = fold.take(&theirs);
        let at = fold.entries();
        match source.next().await? {
            Some((_, ours)) if ours == leaf => told(Stage::Comparing, at, target.total(at)),
            Some(_) => {
                return Err(usage(format!(
                    "the target holds other entries: entry {at} there is not that of the source; \
                     nothing was written"
                )));
            }
            None => {
                let all = source.fold.entries();
                return Err(usage(format!(
                    "the target holds other entries: it goes on after the {all} of the source; \
                     nothing was written"
                )));
            }
        }
    }
    Ok(fold.entries())
}

/// Appends what the source has and the target has not.
async fn append_rest(source: &mut Source<'_>, to: &dyn Log, told: Told<'_>) -> anyhow::Result<()> {
    loop {
        let mut group = Group::default();
        while !group.is_full()
            && let Some((recorded, _)) = source.next().await?
        {
            group.push(recorded);
        }
        let appends = group.into_appends();
        if appends.is_empty() {
            return Ok(());
        }
        append(to, appends).await?;
        let done = source.fold.entries();
        told(Stage::Copying, done, source.reading.total(done));
    }
}

/// The same appends are asked for again where an answer was lost: the ids keep it to one copy.
async fn append(to: &dyn Log, appends: Vec<Append>) -> anyhow::Result<()> {
    let mut tries: u32 = 0;
    loop {
        match to.append_in_order(appends.clone()).await {
            Ok(_) => return Ok(()),
            Err(LogError::Unavailable { .. }) if tries < TRIES_MAX => {
                tries = tries.saturating_add(1);
                tokio::time::sleep(PAUSE).await;
            }
            Err(LogError::Conflict { .. }) => bail!(
                "somebody else writes into the target, or an append of a run that broke off has just arrived: \
                 see that nothing else uses it, and begin again"
            ),
            Err(error) => return Err(error).context("writing into the target"),
        }
    }
}

/// The ledger over all that a log holds now.
async fn fold_whole(log: &dyn Log, expected: u64, told: Told<'_>) -> anyhow::Result<Fold> {
    let mut reading = Reading::whole(log).await.context("reading the target again")?;
    let mut fold = Fold::default();
    while let Some(recorded) = reading.next().await.context("reading the target again")? {
        fold.take(&recorded);
        told(Stage::Verifying, fold.entries(), expected.max(fold.entries()));
    }
    Ok(fold)
}

/// The first position that is not the same in both; each log is read again.
async fn first_difference(
    from: &dyn Log,
    head: Option<Token>,
    to: &dyn Log,
) -> anyhow::Result<u64> {
    let mut source = Reading::between(from, None, head);
    let mut target = Reading::whole(to).await.context("reading the target again")?;
    let (mut ours, mut theirs) = (Fold::default(), Fold::default());
    loop {
        let here = source.next().await.context("reading the source again")?;
        let there = target.next().await.context("reading the target again")?;
        let at = ours.entries().saturating_add(1);
        match (here, there) {
            (Some(here), Some(there)) if ours.take(&here) == theirs.take(&there) => {}
            _ => return Ok(at),
        }
    }
}

/// How many entries came into the source after a head.
async fn came_after(from: &dyn Log, head: Option<Token>) -> anyhow::Result<u64> {
    let now = from.head().await.context("reading the source")?;
    let mut reading = Reading::between(from, head, now);
    let mut count: u64 = 0;
    while reading.next().await.context("reading the source")?.is_some() {
        count = count.saturating_add(1);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use assay_store::memory::MemoryLog;
    use uuid::Uuid;

    use super::*;
    use crate::exit::Usage;
    use crate::moving::testing::{Breaking, Sparse, fill, ids};

    const ENTRIES: usize = 2_000;

    async fn copied(from: &dyn Log, to: &dyn Log) -> anyhow::Result<Copied> {
        copy(from, to, &mut |_, _, _| ()).await
    }

    #[tokio::test]
    async fn a_copy_has_the_same_root_and_another_id() {
        let (from, to) = (MemoryLog::new(), MemoryLog::new());
        fill(&from, ENTRIES).await;
        let mut stages = Vec::new();
        let mut told = |stage, done, all| {
            assert!(done <= all);
            if stages.last() != Some(&stage) {
                stages.push(stage);
            }
        };
        let done = copy(&from, &to, &mut told).await.unwrap();
        assert_eq!(stages, [Stage::Copying, Stage::Verifying]);
        assert_eq!((done.entries, done.there_before, done.differs_at), (2_000, 0, None));
        assert_eq!((done.root, done.came_after), (done.root_there, 0));
        let journal = |log: &MemoryLog| assay_store::journal::Journal::frontier(log).unwrap();
        assert_eq!(journal(&from), journal(&to));
        assert_eq!(done.root, journal(&to).root());
        assert_ne!(from.log_id().await, to.log_id().await);
    }

    #[tokio::test]
    async fn twice_is_once_and_later_entries_are_added() {
        let (from, to) = (MemoryLog::new(), MemoryLog::new());
        fill(&from, 700).await;
        copied(&from, &to).await.unwrap();
        let again = copied(&from, &to).await.unwrap();
        assert_eq!((again.entries, again.there_before), (700, 700));
        fill(&from, 300).await;
        let more = copied(&from, &to).await.unwrap();
        assert_eq!((more.entries, more.there_before, more.differs_at), (1_000, 700, None));
    }

    #[tokio::test]
    async fn an_empty_log_is_copied_too() {
        let done = copied(&MemoryLog::new(), &MemoryLog::new()).await.unwrap();
        assert_eq!((done.entries, done.differs_at), (0, None));
    }

    #[tokio::test]
    async fn broken_off_at_any_append_it_goes_on_where_it_was() {
        let from = MemoryLog::new();
        fill(&from, 60).await;
        let whole = copied(&from, &MemoryLog::new()).await.unwrap();
        for step in 1..30 {
            let to = Breaking::after(MemoryLog::new(), step);
            let mut runs = 0;
            let done = loop {
                runs += 1;
                assert!(runs < 200, "it gets nowhere");
                to.left.store(step, Ordering::Relaxed);
                match copied(&from, &to).await {
                    Ok(done) => break done,
                    Err(error) => assert!(error.to_string().contains("target"), "{error:#}"),
                }
            };
            assert_eq!((done.entries, done.root_there), (60, whole.root), "every {step} appends");
            assert_eq!(done.differs_at, None);
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_lost_leaves_one_copy() {
        let from = MemoryLog::new();
        fill(&from, 100).await;
        let to = Breaking::losing_answers(MemoryLog::new(), 12);
        let done = copied(&from, &to).await.unwrap();
        assert_eq!((done.entries, done.entries_there, done.differs_at), (100, 100, None));
    }

    #[tokio::test]
    async fn tokens_with_gaps_are_as_good_as_dense_ones() {
        let from = Sparse::new();
        fill(&from, 500).await;
        let to = Sparse::new();
        let done = copied(&from, &to).await.unwrap();
        assert_eq!((done.entries, done.differs_at), (500, None));
        let back = MemoryLog::new();
        let again = copied(&to, &back).await.unwrap();
        assert_eq!(again.root_there, done.root);
        assert_eq!(ids(&from).await, ids(&back).await);
    }

    #[tokio::test]
    async fn a_target_with_other_entries_is_refused_and_left_alone() {
        let from = MemoryLog::new();
        fill(&from, 20).await;
        let (other, longer) = (MemoryLog::new(), MemoryLog::new());
        fill(&other, 3).await;
        copied(&from, &longer).await.unwrap();
        fill(&longer, 2).await;
        for (to, words) in [(other, "entry 1 there"), (longer, "goes on after the 20")] {
            let before = ids(&to).await;
            let refused = copied(&from, &to).await.unwrap_err();
            assert!(refused.downcast_ref::<Usage>().is_some());
            assert!(refused.to_string().contains(words), "{refused}");
            assert_eq!(ids(&to).await, before);
        }
        let refused = copied(&from, &from.clone()).await.unwrap_err();
        assert!(refused.to_string().contains("the same log"), "{refused}");
    }

    #[tokio::test]
    async fn what_comes_into_the_source_meanwhile_is_counted_and_left_out() {
        let (from, to) = (MemoryLog::new(), MemoryLog::new());
        fill(&from, 50).await;
        let (source, mut added) = (from.clone(), false);
        let mut told = |stage, _, _| {
            if stage == Stage::Verifying && !added {
                added = true;
                futures_util::future::FutureExt::now_or_never(fill(&source, 4)).unwrap();
            }
        };
        let done = copy(&from, &to, &mut told).await.unwrap();
        assert_eq!((done.entries, done.came_after, done.differs_at), (50, 4, None));
    }

    #[tokio::test]
    async fn a_target_that_tells_something_else_is_found_with_the_first_position() {
        let from = MemoryLog::new();
        fill(&from, 40).await;
        let lying = Breaking::changing(MemoryLog::new(), Uuid::nil());
        let done = copied(&from, &lying).await.unwrap();
        assert_eq!(done.differs_at, Some(17));
        assert_ne!(done.root, done.root_there);
    }
}
