//! What is measured.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit,
};

use super::replica::MemoryReplica;
use super::upstream::Upstream;
use super::{Hands, caught_up, diverged, following, so, until};
use crate::{Replication, State};

/// The numbers by name.
#[derive(Clone, Default)]
struct Numbers(Arc<Mutex<BTreeMap<String, f64>>>);

impl Numbers {
    fn shown(&self, name: &str) -> Option<f64> {
        self.0.lock().unwrap().get(&format!("assay_replication_{name}")).copied()
    }
}

struct One(Numbers, String);

impl One {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut numbers = self.0.0.lock().unwrap();
        let number = numbers.entry(self.1.clone()).or_default();
        *number = change(*number);
    }
}

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        self.change(|number| number + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|number| number - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.change(|number| number + f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, value: u64) {
        self.change(|_| f64::from(u32::try_from(value).unwrap()));
    }
}

impl Recorder for Numbers {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(One(self.clone(), key.name().to_owned())))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(One(self.clone(), key.name().to_owned())))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test(start_paused = true)]
async fn entries_lag_state_and_restarts_are_measured() {
    let numbers = Numbers::default();
    let _guard = metrics::set_default_local_recorder(&numbers);
    let (upstream, journal, hands) = (Upstream::with(30).await, MemoryReplica::new(), Hands::at(0));
    let started = Replication::start(upstream.handle(), journal.clone(), hands.clock()).await;
    let replication = started.unwrap();
    assert_eq!(numbers.shown("state"), Some(1.0));
    following(&replication).await;
    assert_eq!(numbers.shown("state"), Some(0.0));
    assert_eq!(numbers.shown("entries_total"), Some(30.0));
    assert_eq!(numbers.shown("restarts_total"), None);
    so("there is no lag", || numbers.shown("lag_seconds") == Some(0.0)).await;

    // The log has more and says nothing: the lag is how long that is known.
    upstream.faults().stalls_after = Some(0);
    upstream.write(30..31).await;
    let seen = || replication.progress().head == Some(upstream.token(31));
    so("the head is seen", seen).await;
    hands.pass(Duration::from_secs(4));
    assert_eq!(replication.lag(), Duration::from_secs(4));
    so("and shown", || numbers.shown("lag_seconds") == Some(4.0)).await;
    so("it is followed anew", || numbers.shown("restarts_total") == Some(1.0)).await;
    upstream.faults().stalls_after = None;
    caught_up(&replication).await;
    assert_eq!(replication.lag(), Duration::ZERO);
    assert_eq!(numbers.shown("entries_total"), Some(31.0));

    upstream.faults().away = true;
    upstream.write(31..32).await;
    until(&replication, |state| matches!(state, State::Away { .. })).await;
    assert_eq!(numbers.shown("state"), Some(2.0));
    upstream.faults().away = false;
    caught_up(&replication).await;
    upstream.replace(assay_store::memory::MemoryLog::new());
    diverged(&replication).await;
    assert_eq!(numbers.shown("state"), Some(3.0));
}
