//! Faults while running: three nodes over one log, people at work on all of them, and everything around them breaking.
//!
//! Over a real PostgreSQL primary with its synchronous standby, and over the double of KurrentDB as
//! a process of its own. A short round by default; `ASSAY_FAULTS=long` goes on for more than ten
//! minutes, and `ASSAY_FAULTS_SEED` repeats the order of an earlier run.
//!
//! Read in this order: `book` (what was asked and what came of it), `house` (the nodes and the
//! people), `asking` (a write until its outcome is known, then seen elsewhere), `people` (who does
//! what), `upstream` (the log elsewhere and how it breaks), `schedule` (what happens when), `level`
//! (all nodes show the same), `reckoning` and `offline` (what must hold at the end).

mod asking;
mod book;
mod house;
mod level;
mod offline;
mod people;
mod reckoning;
mod schedule;
mod upstream;

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use tokio::sync::Mutex;

use crate::house::House;
use crate::level::Lag;
use crate::schedule::Plan;
use crate::upstream::Upstream;

/// In the long form one at a time, so that each has the machine's processors for itself.
static TURN: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn over_postgresql_nothing_acknowledged_is_lost_and_nothing_happens_twice() -> Result<()> {
    round(Upstream::postgres).await
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_double_of_kurrentdb_nothing_acknowledged_is_lost_and_nothing_happens_twice()
-> Result<()> {
    round(Upstream::kurrent).await
}

/// Breaks everything while people work, and looks at the end whether every promise was kept.
async fn round(start: impl AsyncFnOnce() -> Result<Upstream>) -> Result<()> {
    let plan = Plan::new();
    let _turn = if plan.is_long() { Some(TURN.lock().await) } else { None };
    let mut upstream = start().await?;
    println!("{}: ASSAY_FAULTS_SEED={}", upstream.name(), plan.seed());
    let began_at = Instant::now();
    let mut house = House::open(upstream.url()).await?;
    house.book.figure("to set the house up", began_at.elapsed());
    let mut done = worked(&mut house, &mut upstream, plan).await;
    if let (Err(error), Err(ended)) = (&done, upstream.must_run()) {
        done = Err(ended.context(format!("{error:#}")));
    }
    house.book.print(upstream.name());
    if done.is_err() {
        let kept = house.keep_logs()?;
        println!("the logs of the nodes are kept in {}", kept.display());
    }
    done
}

async fn worked(house: &mut House, upstream: &mut Upstream, plan: Plan) -> Result<()> {
    let lag = Lag::watch(Arc::clone(&house.places));
    let work = people::start(house);
    let broken = schedule::run(house, upstream, plan).await;
    house.book.end();
    let worked = work.finish().await;
    lag.print().await;
    broken?;
    worked?;
    let ended_at = Instant::now();
    let position = level::wait(&house.places).await?;
    house.book.figure("until all nodes showed the same at the end", ended_at.elapsed());
    let surprises = house.book.surprises();
    ensure!(surprises.is_empty(), "{} surprises: {surprises:#?}", surprises.len());
    reckoning::check(house, position).await?;
    offline::check(house).await?;
    house.book.figure("for all that and for looking whether everything holds", ended_at.elapsed());
    Ok(())
}
