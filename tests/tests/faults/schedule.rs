//! What breaks when: an order drawn by chance, printed so that it can be repeated; each fault ends before the next begins.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::house::{House, NODES, signal};
use crate::upstream::Upstream;

/// How long something stands still or keeps silent: longer than nothing, and than a client waits.
const STILL: [Duration; 3] =
    [Duration::from_millis(1_500), Duration::from_secs(3), Duration::from_secs(7)];
/// How long the long form goes on over each log.
const LONG_SPAN: Duration = Duration::from_secs(330);
/// How many acknowledgements of each node show that all goes on after a fault.
const OKS_AFTER: u64 = 3;
/// How long that may take.
const RECOVERY_LIMIT: Duration = Duration::from_mins(3);
/// How many answers or appends the double spoils one after the other: few enough for a node to get
/// over them by itself, or so many that clients hear of them.
const SPOILT: [u32; 3] = [4, 16, 48];

/// What can break.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A node is killed and started again.
    NodeKilled,
    /// A node stands still.
    NodePaused,
    /// The log stands still.
    LogPaused,
    /// The log's server is killed and comes back after a while with what it had.
    LogRestarted,
    /// The primary is killed, the standby promoted, the old primary made its standby.
    PrimaryKilled,
    /// The same, and a node is killed at the same moment.
    PrimaryAndNodeKilled,
    /// Appends are committed and nobody says so.
    AnswersLost,
    /// Appends are refused.
    AppendsRefused,
    /// Appends are committed and answered with a timeout.
    AppendsTimedOut,
    /// Reads break off in the middle.
    ReadsBroken,
    /// Subscriptions end as if all were well.
    SubscriptionsEnded,
    /// Subscriptions stay open and say nothing.
    SubscriptionsSilent,
}

/// What breaks in the short form, where there are two servers of PostgreSQL.
const POSTGRES: &[Fault] =
    &[Fault::NodeKilled, Fault::NodePaused, Fault::LogPaused, Fault::PrimaryKilled];
/// What breaks besides in the long form; servers take their time to come back.
const POSTGRES_LONG: &[Fault] = &[Fault::LogRestarted, Fault::PrimaryAndNodeKilled];
/// What breaks where there is the double.
const KURRENT: &[Fault] = &[
    Fault::NodeKilled,
    Fault::NodePaused,
    Fault::LogPaused,
    Fault::LogRestarted,
    Fault::AnswersLost,
    Fault::AppendsRefused,
    Fault::AppendsTimedOut,
    Fault::ReadsBroken,
    Fault::SubscriptionsEnded,
    Fault::SubscriptionsSilent,
];

/// Chance that can be repeated, and how long to go on.
#[derive(Debug)]
pub(crate) struct Plan {
    seed: u64,
    state: u64,
    long: bool,
}

impl Plan {
    /// By chance, or as an earlier run; short unless the environment says otherwise.
    pub(crate) fn new() -> Self {
        let given = std::env::var_os("ASSAY_FAULTS_SEED");
        let given = given.and_then(|seed| seed.to_string_lossy().parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0_u8));
        let long = std::env::var_os("ASSAY_FAULTS").is_some_and(|form| form == "long");
        Self { seed, state: seed, long }
    }

    /// What repeats this run's order.
    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether it goes on for long.
    pub(crate) const fn is_long(&self) -> bool {
        self.long
    }

    /// The next number, below a limit (`SplitMix64`).
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from(mixed % limit).unwrap_or(0)
    }

    fn node(&mut self) -> usize {
        self.below(NODES)
    }

    /// How long something stands still this time; the short form has no patience for the longest.
    fn still(&mut self) -> Duration {
        let kinds = if self.long { STILL.len() } else { 1 };
        let drawn = self.below(kinds);
        STILL.get(drawn).copied().unwrap_or_default()
    }

    /// How many the double spoils this time.
    fn spoilt(&mut self) -> u32 {
        let drawn = self.below(SPOILT.len());
        SPOILT.get(drawn).copied().unwrap_or_default()
    }

    /// Every fault once, in an order of its own.
    fn shuffled(&mut self, faults: &[Fault]) -> Vec<Fault> {
        let mut order = faults.to_vec();
        for last in (1..order.len()).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

/// Breaks one thing after the other; after each the house must go on by itself.
pub(crate) async fn run(house: &mut House, upstream: &mut Upstream, mut plan: Plan) -> Result<()> {
    let began_at = Instant::now();
    let faults = match upstream {
        Upstream::Postgres { .. } if plan.long => [POSTGRES, POSTGRES_LONG].concat(),
        Upstream::Postgres { .. } => POSTGRES.to_vec(),
        Upstream::Kurrent(_) => KURRENT.to_vec(),
    };
    goes_on(house).await.context("before anything broke")?;
    loop {
        for fault in plan.shuffled(&faults) {
            let fault_at = Instant::now();
            inject(fault, house, upstream, &mut plan)
                .await
                .with_context(|| format!("{fault:?}"))?;
            goes_on(house).await.with_context(|| format!("after {fault:?}"))?;
            let began = fault_at.duration_since(began_at).as_secs_f64();
            let took = fault_at.elapsed().as_secs_f64();
            println!(
                "{began:>7.2} s  {fault:?}; all nodes acknowledged again {took:.2} s after it began"
            );
        }
        if !plan.long || began_at.elapsed() > LONG_SPAN {
            return Ok(());
        }
    }
}

/// Waits until every node has acknowledged something again.
async fn goes_on(house: &House) -> Result<()> {
    let mut counts = house.book.counts();
    let before = counts.borrow_and_update().clone();
    let more =
        |now: &Vec<u64>| before.iter().zip(now).all(|(before, now)| *now >= before + OKS_AFTER);
    let waited = tokio::time::timeout(RECOVERY_LIMIT, counts.wait_for(more)).await;
    waited.with_context(|| {
        format!(
            "acknowledged by each node: {before:?} before, {:?} now",
            *house.book.counts().borrow()
        )
    })??;
    Ok(())
}

async fn inject(
    fault: Fault,
    house: &mut House,
    upstream: &mut Upstream,
    plan: &mut Plan,
) -> Result<()> {
    match fault {
        Fault::NodeKilled => house.kill_and_restart(plan.node()).await?,
        Fault::NodePaused => {
            let process = house.process(plan.node())?;
            signal("STOP", process).await?;
            tokio::time::sleep(plan.still()).await;
            signal("CONT", process).await?;
        }
        Fault::LogPaused => {
            upstream.pause().await?;
            tokio::time::sleep(plan.still()).await;
            upstream.resume().await?;
        }
        Fault::LogRestarted => upstream.restart(plan.still()).await?,
        Fault::PrimaryKilled => fail_over(house, upstream, None).await?,
        Fault::PrimaryAndNodeKilled => fail_over(house, upstream, Some(plan.node())).await?,
        Fault::AnswersLost => upstream.order(&format!("lose {}", plan.spoilt())).await?,
        Fault::AppendsRefused => upstream.order(&format!("refuse {}", plan.spoilt())).await?,
        Fault::AppendsTimedOut => upstream.order(&format!("timeout {}", plan.spoilt())).await?,
        Fault::ReadsBroken => upstream.order(&format!("break {} 2", plan.spoilt())).await?,
        Fault::SubscriptionsEnded => upstream.order("end").await?,
        Fault::SubscriptionsSilent => {
            upstream.order("silence on").await?;
            tokio::time::sleep(plan.still()).await;
            upstream.order("silence off").await?;
        }
    }
    Ok(())
}

/// Kills the primary, and a node with it where one is given; once all goes on, the old primary
/// comes back as the standby.
async fn fail_over(house: &mut House, upstream: &Upstream, node: Option<usize>) -> Result<()> {
    let (killed_at, promoted) = upstream.fail_over().await?;
    if let Some(node) = node {
        house.kill_and_restart(node).await?;
    }
    goes_on(house).await.context("while the new primary is alone")?;
    house.book.figure("from the kill of the primary until the standby was promoted", promoted);
    if let Some(first) = house.book.first_after(killed_at) {
        house.book.figure("from the kill of the primary to the first ok", first);
    }
    upstream.rejoin().await
}
