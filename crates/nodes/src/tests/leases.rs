//! One runner, and never two that both believe to be it.

use std::sync::Arc;
use std::time::Duration;

use assay_store::memory::MemoryVault;
use assay_store::vault::Vault as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::vault::Way;
use super::{PATIENCE, switch};
use crate::lease::{Lease, Times};

struct Runner {
    way: Arc<Way>,
    stop: watch::Sender<bool>,
    held: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Runner {
    fn start(vault: &Arc<MemoryVault>, id: u128) -> Self {
        let way = Way::to(vault);
        let (stop, stopped) = switch();
        let (held, task) = Lease::run(way.clone(), "reactions", Uuid::from_u128(id), stopped);
        Self { way, stop, held, task }
    }

    async fn holds(&mut self) {
        tokio::time::timeout(PATIENCE, self.held.wait_for(|held| *held)).await.unwrap().unwrap();
    }

    async fn gives_up(&mut self) {
        tokio::time::timeout(PATIENCE, self.held.wait_for(|held| !*held)).await.unwrap().unwrap();
    }

    fn believes(&self) -> bool {
        *self.held.borrow()
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
        assert!(!*self.held.borrow());
    }

    /// As a killed process: no word, and nothing given back.
    fn crash(self) {
        self.task.abort();
    }
}

fn believers(runners: &[Runner]) -> usize {
    runners.iter().filter(|runner| runner.believes()).count()
}

#[tokio::test(start_paused = true)]
async fn one_of_three_holds_the_lease_and_keeps_it() {
    let vault = Arc::new(MemoryVault::new());
    let runners: Vec<Runner> = (1..=3).map(|id| Runner::start(&vault, id)).collect();
    sleep(Duration::from_secs(1)).await;
    let holder = runners.iter().position(Runner::believes).unwrap();
    for _ in 0..600 {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(believers(&runners), 1);
        assert!(runners[holder].believes());
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_another_takes_it_over_once_it_has_expired() {
    let vault = Arc::new(MemoryVault::new());
    let mut first = Runner::start(&vault, 1);
    first.holds().await;
    let mut second = Runner::start(&vault, 2);
    sleep(Duration::from_secs(61)).await;
    assert!(first.believes() && !second.believes());
    first.crash();
    let crashed = Instant::now();
    // Also for the same node in its next life.
    let mut again = Runner::start(&vault, 1);
    tokio::select! {
        () = second.holds() => {}
        () = again.holds() => {}
    }
    assert!(crashed.elapsed() + Times::default().renew >= Times::default().expire);
    assert!(crashed.elapsed() <= Times::default().expire + Times::default().renew * 2);
    assert!(second.believes() != again.believes());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_back_is_taken_at_the_next_look() {
    let vault = Arc::new(MemoryVault::new());
    let mut first = Runner::start(&vault, 1);
    first.holds().await;
    let mut second = Runner::start(&vault, 2);
    sleep(Duration::from_secs(30)).await;
    first.stop().await;
    let stopped = Instant::now();
    second.holds().await;
    assert!(stopped.elapsed() <= Times::default().renew);
    second.stop().await;
    let mut third = Runner::start(&vault, 3);
    third.holds().await;
    assert!(vault.secret("lease/reactions").await.unwrap().is_some_and(|s| s.version > 3));
}

#[tokio::test(start_paused = true)]
async fn who_cannot_renew_gives_up_before_another_takes_over() {
    let vault = Arc::new(MemoryVault::new());
    let mut first = Runner::start(&vault, 1);
    first.holds().await;
    let mut second = Runner::start(&vault, 2);
    sleep(Duration::from_secs(32)).await;
    first.way.faults().away = true;
    let cut = Instant::now();
    first.gives_up().await;
    assert!(cut.elapsed() <= Times::default().expire / 2);
    assert!(!second.believes());
    second.holds().await;
    first.way.faults().away = false;
    sleep(Duration::from_mins(1)).await;
    assert!(!first.believes() && second.believes());
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_or_a_lost_answer_loses_no_lease() {
    let vault = Arc::new(MemoryVault::new());
    let mut first = Runner::start(&vault, 1);
    first.holds().await;
    let second = Runner::start(&vault, 2);
    for round in 0..20 {
        first.way.faults().away = round % 2 == 0;
        first.way.faults().loses_answers = round % 2 == 1;
        sleep(Duration::from_secs(4)).await;
        *first.way.faults() = super::vault::Faults::default();
        sleep(Duration::from_secs(7)).await;
        assert!(first.believes() && !second.believes(), "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_is_away_for_all_has_no_runner_and_then_one() {
    let vault = Arc::new(MemoryVault::new());
    let runners: Vec<Runner> = (1..=3).map(|id| Runner::start(&vault, id)).collect();
    sleep(Duration::from_secs(7)).await;
    assert_eq!(believers(&runners), 1);
    for runner in &runners {
        runner.way.faults().away = true;
    }
    sleep(Duration::from_secs(11)).await;
    assert_eq!(believers(&runners), 0);
    sleep(Duration::from_mins(10)).await;
    assert_eq!(believers(&runners), 0);
    for runner in &runners {
        runner.way.faults().away = false;
    }
    sleep(Duration::from_secs(30)).await;
    assert_eq!(believers(&runners), 1);
}

#[tokio::test(start_paused = true)]
async fn never_do_two_believe_whatever_the_network_does() {
    let vault = Arc::new(MemoryVault::new());
    let mut next_id = 1;
    let mut chance: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut roll = |sides: u64| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance % sides
    };
    let mut runners = Vec::new();
    let (mut with, mut without, mut changes, mut last) = (0, 0, 0, usize::MAX);
    for _ in 0..40_000 {
        while runners.len() < 4 {
            runners.push(Runner::start(&vault, next_id));
            next_id += 1;
        }
        let which = usize::try_from(roll(4)).unwrap();
        match roll(120) {
            0 => runners[which].way.faults().away = true,
            1 => runners[which].way.faults().loses_answers = true,
            2 => runners[which].way.faults().slow = Duration::from_millis(roll(4_000)),
            3..=9 => *runners[which].way.faults() = super::vault::Faults::default(),
            10 if roll(6) == 0 => runners.swap_remove(which).crash(),
            11 if roll(6) == 0 => runners.swap_remove(which).stop().await,
            _ => {}
        }
        sleep(Duration::from_millis(100 + roll(200))).await;
        match believers(&runners) {
            0 => without += 1,
            1 => with += 1,
            more => panic!("{more} believe"),
        }
        let holder = runners.iter().position(Runner::believes);
        if let Some(holder) = holder.filter(|holder| *holder != last) {
            (last, changes) = (holder, changes + 1);
        }
    }
    assert!(with > without && without > 0 && changes > 50, "{with} {without} {changes}");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_read_is_taken_over_once_it_has_expired() {
    let vault = Arc::new(MemoryVault::new());
    vault.put_secret("lease/reactions", None, b"?".to_vec()).await.unwrap();
    let began = Instant::now();
    let mut runner = Runner::start(&vault, 1);
    runner.holds().await;
    assert!(began.elapsed() >= Times::default().expire);
}

#[tokio::test(start_paused = true)]
async fn times_can_be_others() {
    let vault = Arc::new(MemoryVault::new());
    let times = Times { renew: Duration::from_millis(5), expire: Duration::from_millis(20) };
    let (stop, stopped) = switch();
    let me = Uuid::from_u128(1);
    let (mut held, task) = Lease::run_with(vault.clone(), "x", me, times, stopped);
    held.wait_for(|held| *held).await.unwrap();
    task.abort();
    let (mut held, task) = Lease::run_with(vault, "x", me, times, stop.subscribe());
    let began = Instant::now();
    held.wait_for(|held| *held).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(50));
    drop(stop);
    task.await.unwrap();
}
