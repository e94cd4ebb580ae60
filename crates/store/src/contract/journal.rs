//! What every journal must keep: positions without gaps, leaves over what is stored, and a root over the leaves.

use assay_ledger::root_of;
use uuid::Uuid;

use super::{fact, facts, must};
use crate::fact::NewFact;
use crate::journal::{Entry, Journal};
use crate::leaf::leaf_of;
use crate::log::{Committed, Expected, Log};

/// Holds a log that is its own journal to what a journal promises. It must be empty.
///
/// # Panics
///
/// With what is broken.
pub async fn run<J: Log + Journal>(journal: &J) {
    nothing_is_there_yet(journal);
    let committed = write(journal).await;
    let entries = every_entry_is_whole(journal, &committed);
    reads_in_pages(journal, &entries);
    leaves_are_those_of_the_entries(journal, &entries);
    entries_are_found(journal, &entries);
    time_never_goes_back(journal).await;
}

fn nothing_is_there_yet(journal: &impl Journal) {
    assert_eq!(must("journal", journal.head()), 0, "journal: an empty one is at 0");
    assert_eq!(*journal.watch().borrow(), 0, "journal: and its watch");
    assert!(must("journal", journal.entries(0, 10)).is_empty(), "journal: no entries");
    assert!(must("journal", journal.leaves(0, 10)).is_empty(), "journal: no leaves yet");
    assert_eq!(must("journal", journal.position_at(i64::MAX)), 0, "journal: no position");
    assert_eq!(must("journal", journal.locate(fact(1).id)), None, "journal: nothing to find");
    assert_eq!(must("journal", journal.frontier()).root(), root_of([]), "journal: no leaves");
}

/// 200 facts in 120 appends; each is seen at once by whoever was told.
async fn write<J: Log + Journal>(journal: &J) -> Vec<Committed> {
    let mut committed = Vec::new();
    let mut watch = journal.watch();
    for n in 0..120_u64 {
        let numbers = if n % 3 == 0 { n * 10..n * 10 + 3 } else { n * 10..n * 10 + 1 };
        let stream = format!("s{}", n % 11);
        let done = must("journal", journal.append(&stream, Expected::Any, facts(numbers)).await);
        let head = must("journal", Journal::head(journal));
        assert_eq!(Some(head), done.committed.last().map(|c| c.position), "journal: at once");
        must("journal", watch.wait_for(|seen| *seen >= head).await);
        committed.extend(done.committed);
    }
    committed
}

fn every_entry_is_whole(journal: &impl Journal, committed: &[Committed]) -> Vec<Entry> {
    let entries = must("journal", journal.entries(0, 10_000));
    assert!(entries.iter().map(|e| e.position).eq(1..=200), "journal: positions without gaps");
    for (entry, told) in entries.iter().zip(committed) {
        let place = Committed { position: entry.position, leaf_hash: entry.leaf_hash };
        assert_eq!(place, *told, "journal: what was told is what is stored");
        let Entry { position, leaf_hash, recorded } = entry;
        let leaf = leaf_of(*position, &recorded.stream, recorded.revision, &recorded.fact);
        assert_eq!(leaf, *leaf_hash, "journal: the leaf is over what is stored");
    }
    let frontier = must("journal", journal.frontier());
    assert_eq!(frontier.size(), 200, "journal: a leaf for each entry");
    let root = root_of(entries.iter().map(|entry| entry.leaf_hash));
    assert_eq!(frontier.root(), root, "journal: the root is over the leaves");
    entries
}

fn reads_in_pages(journal: &impl Journal, entries: &[Entry]) {
    for limit in [1, 7, 199, 200, 201] {
        let (mut paged, mut after) = (Vec::new(), 0);
        loop {
            let page = must("journal", journal.entries(after, limit));
            assert!(page.len() <= limit, "journal: at most {limit}");
            let Some(last) = page.last() else { break };
            after = last.position;
            paged.extend(page);
        }
        assert_eq!(paged, entries, "journal: pages of {limit} together are the whole");
    }
    assert!(must("journal", journal.entries(0, 0)).is_empty(), "journal: a limit of 0");
    assert!(must("journal", journal.entries(u64::MAX, 9)).is_empty(), "journal: past the end");
}

fn leaves_are_those_of_the_entries(journal: &impl Journal, entries: &[Entry]) {
    for limit in [1, 7, 199, 200, 201] {
        let (mut paged, mut after) = (Vec::new(), 0);
        loop {
            let page = must("journal", journal.leaves(after, limit));
            assert!(page.len() <= limit, "journal: at most {limit} leaves");
            if page.is_empty() {
                break;
            }
            after += u64::try_from(page.len()).unwrap_or(u64::MAX);
            assert!(after <= 200, "journal: no leaves beyond the end");
            paged.extend(page);
        }
        let same = paged.iter().eq(entries.iter().map(|entry| &entry.leaf_hash));
        assert!(same, "journal: the leaves, in pages of {limit}, are those of the entries");
    }
    assert!(must("journal", journal.leaves(0, 0)).is_empty(), "journal: a limit of 0 leaves");
    for after in [200, 201, u64::MAX] {
        let past = must("journal", journal.leaves(after, 9));
        assert!(past.is_empty(), "journal: no leaves past the end");
    }
}

fn entries_are_found(journal: &impl Journal, entries: &[Entry]) {
    for entry in entries {
        let found = must("journal", journal.locate(entry.recorded.fact.id));
        assert_eq!(found.as_ref(), Some(entry), "journal: by id");
        let at = entry.recorded.fact.envelope.recorded_at;
        let until = |instant: i64| {
            let before = |e: &&Entry| e.recorded.fact.envelope.recorded_at <= instant;
            entries.iter().filter(before).map(|e| e.position).max().unwrap_or(0)
        };
        for instant in [at - 1, at, at + 1] {
            let found = must("journal", journal.position_at(instant));
            assert_eq!(found, until(instant), "journal: by time {instant}");
        }
    }
    let unknown = Uuid::from_u128(u128::MAX);
    assert_eq!(must("journal", journal.locate(unknown)), None, "journal: an unknown id");
    assert_eq!(must("journal", journal.position_at(i64::MIN)), 0, "journal: before all time");
    assert_eq!(must("journal", journal.position_at(i64::MAX)), 200, "journal: after all time");
}

/// I-03: a clock that went back is recorded as the time before it, and the leaf says the same.
async fn time_never_goes_back<J: Log + Journal>(journal: &J) {
    let mut late = fact(100_000);
    late.envelope.recorded_at = 5;
    must("journal", journal.append("late", Expected::NoStream, vec![late.clone()]).await);
    let entries = must("journal", journal.entries(199, 10));
    let times: Vec<i64> = entries.iter().map(|e| e.recorded.fact.envelope.recorded_at).collect();
    assert!(times.len() == 2 && times.is_sorted(), "journal: time never goes back, {times:?}");
    let Some(entry) = entries.last() else { return };
    let stored: &NewFact = &entry.recorded.fact;
    late.envelope.recorded_at = stored.envelope.recorded_at;
    assert_eq!(*stored, late, "journal: nothing but the time is raised");
    let leaf = leaf_of(entry.position, "late", 0, stored);
    assert_eq!(leaf, entry.leaf_hash, "journal: the leaf is over the stored time");
}
