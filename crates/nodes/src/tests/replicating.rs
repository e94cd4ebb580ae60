//! The journal is exact, whatever goes wrong on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use assay_store::journal::Journal;
use assay_store::log::{Expected, Log, Token};
use assay_store::memory::MemoryLog;
use assay_store::replica::Replica;
use assay_store_sqlite::{Options, SqliteLog};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::replica::MemoryReplica;
use super::upstream::Upstream;
use super::{Hands, caught_up, entries, exact, fact, following, so, start, until};
use crate::batch::BATCH_FACTS_MAX;
use crate::{ClusterError, Replication, State};

#[tokio::test(start_paused = true)]
async fn a_log_is_copied_and_followed() {
    let (upstream, journal) = (Upstream::with(1_234).await, MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    caught_up(&replication).await;
    exact(&journal, &upstream);
    assert!(journal.batches().iter().all(|count| *count <= BATCH_FACTS_MAX));
    following(&replication).await;
    upstream.write(1_234..1_300).await;
    caught_up(&replication).await;
    exact(&journal, &upstream);
    let progress = replication.progress();
    assert_eq!((progress.entries, progress.position), (1_300, 1_300));
    assert_eq!((progress.token, progress.head), (Some(Token(13_000)), Some(Token(13_000))));
    assert_eq!(replication.lag(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_empty_log_is_caught_up_with_at_once() {
    let (upstream, journal) = (Upstream::new(), MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    caught_up(&replication).await;
    following(&replication).await;
    upstream.write(0..1).await;
    caught_up(&replication).await;
    exact(&journal, &upstream);
}

#[tokio::test(start_paused = true)]
async fn the_copy_is_exact_when_following_fails_at_every_so_manieth_item() {
    // The check takes one item, so every other one would be none but it.
    for every in [3, 4, 7, 50, 501] {
        let (upstream, journal) = (Upstream::with(400).await, MemoryReplica::new());
        upstream.faults().error_every = Some(every);
        let replication = start(&upstream, &journal).await;
        for written in (400..900).step_by(25) {
            upstream.write(written..written + 25).await;
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        caught_up(&replication).await;
        exact(&journal, &upstream);
        assert_eq!(replication.progress().entries, 900, "every {every}: each fact is taken once");
    }
}

#[tokio::test(start_paused = true)]
async fn the_copy_is_exact_when_the_journal_s_answers_get_lost() {
    let (upstream, journal) = (Upstream::with(2_000).await, MemoryReplica::new());
    journal.faults().loses_every = Some(2);
    let replication = start(&upstream, &journal).await;
    for written in 2_000..2_020 {
        upstream.write(written..written + 1).await;
        tokio::time::sleep(Duration::from_millis(70)).await;
    }
    caught_up(&replication).await;
    exact(&journal, &upstream);
}

#[tokio::test(start_paused = true)]
async fn the_borders_of_batches_and_clocks_that_go_back_change_no_root() {
    let upstream = Upstream::with(700).await;
    let mut roots = Vec::new();
    for every in [None, Some(5), Some(17)] {
        let journal = MemoryReplica::new();
        upstream.faults().error_every = every;
        let replication = start(&upstream, &journal).await;
        caught_up(&replication).await;
        exact(&journal, &upstream);
        roots.push((journal.frontier().unwrap().root(), journal.batches()));
    }
    let root = upstream.log().frontier().unwrap().root();
    assert!(roots.iter().all(|(one, _)| *one == root));
    assert!(roots[0].1 != roots[1].1 && roots[1].1 != roots[2].1, "the borders were the same");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_falls_silent_is_followed_anew() {
    let (upstream, journal) = (Upstream::with(100).await, MemoryReplica::new());
    upstream.faults().stalls_after = Some(40);
    let replication = start(&upstream, &journal).await;
    so("what came before is taken", || replication.progress().position == 40).await;
    so("and more is known", || replication.progress().head == Some(Token(1_000))).await;
    let follows = upstream.follows().len();
    so("it is followed anew", || upstream.follows().len() > follows).await;
    upstream.faults().stalls_after = None;
    caught_up(&replication).await;
    exact(&journal, &upstream);
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_it_was_left() {
    let (upstream, journal) = (Upstream::with(300).await, MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    caught_up(&replication).await;
    replication.stop().await;
    assert_eq!(*replication.state().borrow(), State::Stopped);
    assert_eq!(replication.caught_up(|_| {}).await, Err(ClusterError::Stopped));
    upstream.write(300..350).await;
    let before = upstream.follows().len();
    let replication = start(&upstream, &journal).await;
    caught_up(&replication).await;
    exact(&journal, &upstream);
    assert_eq!(replication.progress().entries, 50, "only what is new is taken");
    // The check begins at the entry before the last, and the rest after the last.
    assert_eq!(upstream.follows()[before..], [Some(Token(2_990)), Some(Token(3_000))]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_away_is_waited_for_and_reading_goes_on() {
    let (upstream, journal) = (Upstream::with(50).await, MemoryReplica::new());
    let hands = Hands::at(7_000);
    let started = Replication::start(upstream.handle(), journal.clone(), hands.clock()).await;
    let replication = started.unwrap();
    following(&replication).await;
    upstream.faults().away = true;
    upstream.write(50..60).await;
    let away = |state: &State| matches!(state, State::Away { .. });
    until(&replication, away).await;
    hands.pass(Duration::from_secs(90));
    tokio::time::sleep(Duration::from_secs(90)).await;
    let state = replication.state().borrow().clone();
    let State::Away { since_us, why } = state else { panic!("{state:?}") };
    assert_eq!((since_us, why.as_str()), (7_000, "the log upstream: the log is unavailable"));
    assert_eq!(entries(&*journal).len(), 50);
    let told = Arc::new(AtomicU64::new(0));
    let waiting = replication.caught_up({
        let (told, upstream) = (told.clone(), upstream.clone());
        move |progress| {
            told.fetch_add(1, Ordering::SeqCst);
            if away(&progress.state) && told.load(Ordering::SeqCst) > 5 {
                upstream.faults().away = false;
            }
        }
    });
    waiting.await.unwrap();
    assert!(told.load(Ordering::SeqCst) > 5, "who waits is told");
    following(&replication).await;
    exact(&journal, &upstream);
}

#[tokio::test(start_paused = true)]
async fn a_node_starts_while_its_log_is_away_if_it_knows_the_log() {
    let (upstream, journal) = (Upstream::with(20).await, MemoryReplica::new());
    upstream.faults().away = true;
    let clock = Hands::default().clock();
    let refused = Replication::start(upstream.handle(), journal.clone(), clock.clone()).await;
    assert!(matches!(refused, Err(ClusterError::Upstream(_))), "{refused:?}");
    upstream.faults().away = false;
    caught_up(&start(&upstream, &journal).await).await;
    upstream.faults().away = true;
    let replication = start(&upstream, &journal).await;
    until(&replication, |state| matches!(state, State::Away { .. })).await;
    upstream.faults().away = false;
    upstream.write(20..30).await;
    caught_up(&replication).await;
    exact(&journal, &upstream);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_waited_for() {
    let (upstream, journal) = (Upstream::with(30).await, MemoryReplica::new());
    journal.faults().full = true;
    let replication = start(&upstream, &journal).await;
    let state = until(&replication, |state| matches!(state, State::Away { .. })).await;
    assert!(format!("{state:?}").contains("no room left on the disk"), "{state:?}");
    journal.faults().full = false;
    caught_up(&replication).await;
    exact(&journal, &upstream);
}

#[tokio::test(start_paused = true)]
async fn facts_gather_while_a_batch_is_on_its_way() {
    let (upstream, journal) = (Upstream::new(), MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    following(&replication).await;
    let hold = Arc::new(Semaphore::new(0));
    journal.faults().hold = Some(hold.clone());
    for written in 0..40 {
        upstream.write(written..written + 1).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(entries(&*journal).len(), 0);
    hold.add_permits(1_000);
    caught_up(&replication).await;
    exact(&journal, &upstream);
    assert_eq!(journal.batches(), [1, 39]);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_the_batch_on_its_way_and_takes_no_more() {
    let (upstream, journal) = (Upstream::with(600).await, MemoryReplica::new());
    let hold = Arc::new(Semaphore::new(0));
    journal.faults().hold = Some(hold.clone());
    let replication = start(&upstream, &journal).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let stop = replication.stop();
    tokio::pin!(stop);
    let early = tokio::time::timeout(Duration::from_mins(1), &mut stop).await;
    assert!(early.is_err(), "it waits for the batch");
    hold.add_permits(1_000);
    stop.await;
    assert_eq!(journal.batches().len(), 1);
    let taken = journal.head().unwrap();
    assert_eq!(journal.followed(), Ok(Some(upstream.token(taken))));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(journal.head().unwrap(), taken);
    assert_eq!(replication.progress().token, Some(upstream.token(taken)));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_replication_stops() {
    let (upstream, journal) = (Upstream::with(10).await, MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    caught_up(&replication).await;
    let mut state = replication.state();
    drop(replication);
    state.wait_for(|state| *state == State::Stopped).await.unwrap();
    upstream.write(10..20).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(journal.head(), Ok(10));
}

#[tokio::test(start_paused = true)]
async fn how_far_the_log_was_followed_is_noted_although_no_facts_come() {
    let (upstream, journal) = (Upstream::with(10).await, MemoryReplica::new());
    upstream.faults().place_beyond = Some(Token(105));
    let replication = start(&upstream, &journal).await;
    caught_up(&replication).await;
    assert_eq!(journal.followed(), Ok(Some(Token(105))));
    replication.stop().await;
    let replication = start(&upstream, &journal).await;
    upstream.write(10..20).await;
    caught_up(&replication).await;
    exact(&journal, &upstream);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_is_no_copy_of_this_log_is_refused_in_plain_words() {
    let (upstream, journal) = (Upstream::with(10).await, MemoryReplica::new());
    caught_up(&start(&upstream, &journal).await).await;
    let before = entries(&*journal);
    let other = Upstream::over(MemoryLog::with_id(Uuid::from_u128(43)));
    let clock = Hands::default().clock();
    let refused = Replication::start(other.handle(), journal.clone(), clock.clone()).await;
    let refused = refused.unwrap_err();
    let (copied, named) = (Uuid::from_u128(42), Uuid::from_u128(43));
    assert_eq!(refused, ClusterError::OtherLog { copied, named });
    let words = refused.to_string();
    assert!(words.contains(&copied.to_string()) && words.contains(&named.to_string()), "{words}");
    assert!(words.contains("store.url") && words.contains("empty directory"), "{words}");
    assert_eq!(entries(&*journal), before);

    let own = MemoryLog::new();
    own.append("a", Expected::NoStream, vec![fact(1)]).await.unwrap();
    let own = MemoryReplica::of_its_own(own);
    let refused = Replication::start(other.handle(), own, clock).await.unwrap_err();
    assert_eq!(refused, ClusterError::OwnEntries { entries: 1, named });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journals_on_disk_are_exact_too() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::with(900).await;
    let mut roots = vec![];
    for (name, every) in [("a", None), ("b", Some(97)), ("c", Some(311))] {
        upstream.faults().error_every = every;
        let path = folder.path().join(name);
        let journal = Arc::new(SqliteLog::open(&path, Options::default()).unwrap());
        let clock = Hands::default().clock();
        let replication = Replication::start(upstream.handle(), journal.clone(), clock).await;
        let replication = replication.unwrap();
        caught_up(&replication).await;
        let next = u64::try_from(roots.len()).unwrap() * 10 + 900;
        upstream.write(next..next + 10).await;
        caught_up(&replication).await;
        assert_eq!(journal.frontier().unwrap(), upstream.log().frontier().unwrap());
        roots.push((journal, replication));
    }
    upstream.faults().error_every = None;
    let root = upstream.log().frontier().unwrap().root();
    for (journal, replication) in &roots {
        caught_up(replication).await;
        assert_eq!(journal.frontier().unwrap().root(), root);
        replication.stop().await;
    }
}
