//! Nodes over a log in memory, with everything going wrong that can.

mod diverging;
mod leases;
mod numbers;
mod replica;
mod replicating;
mod shared_nodes;
mod upstream;
mod vault;
mod written;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::journal::{Entry, Journal};
use tokio::sync::watch;
use uuid::Uuid;

use crate::state::State;
use crate::{Clock, Replication};

use replica::MemoryReplica;
use upstream::Upstream;

/// How long a condition is waited for; most tests' clocks only move when nothing else can.
const PATIENCE: Duration = Duration::from_mins(5);

/// A clock that a test sets.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn at(micros: i64) -> Self {
        Self(Arc::new(AtomicI64::new(micros)))
    }

    fn pass(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let hands = self.0.clone();
        Arc::new(move || hands.load(Ordering::SeqCst))
    }
}

pub(crate) fn fact(number: u64) -> NewFact {
    let id = |kind: u128| Uuid::from_u128(kind << 64 | u128::from(number));
    let recorded_at = 1_700_000_000_000_000 + i64::try_from(number).unwrap() * 1_000;
    let envelope = Envelope {
        // The clock goes back now and then.
        recorded_at: if number % 13 == 5 { recorded_at - 40_000 } else { recorded_at },
        actor: id(2),
        actor_kind: ActorKind::Person,
        on_behalf_of: None,
        session: Some(id(3)),
        command: id(4),
        causation: None,
        correlation: id(5),
        case: Some(id(6)),
        request_mac: None,
    };
    let data = format!("{{\"number\":{number}}}").into();
    NewFact { id: id(1), name: "nodes.tested.v1".to_owned(), envelope, data }
}

async fn start(upstream: &Arc<Upstream>, journal: &Arc<MemoryReplica>) -> Replication {
    let started =
        Replication::start(upstream.handle(), journal.clone(), Hands::at(1_000).clock()).await;
    started.unwrap()
}

/// Waits for a state.
async fn until(replication: &Replication, wanted: impl Fn(&State) -> bool) -> State {
    let mut state = replication.state();
    let state = tokio::time::timeout(PATIENCE, state.wait_for(wanted)).await;
    state.unwrap_or_else(|_| panic!("it stays {replication:?}")).unwrap().clone()
}

async fn following(replication: &Replication) {
    until(replication, |state| *state == State::Following).await;
}

async fn diverged(replication: &Replication) -> String {
    let state = until(replication, |state| matches!(state, State::Diverged { .. })).await;
    let State::Diverged { why } = state else { unreachable!() };
    why
}

async fn caught_up(replication: &Replication) {
    let done = tokio::time::timeout(PATIENCE, replication.caught_up(|_| {})).await;
    done.unwrap_or_else(|_| panic!("it stays {replication:?}")).unwrap();
}

/// Waits until something is so.
async fn so(what: &str, mut is: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

fn entries(journal: &dyn Journal) -> Vec<Entry> {
    journal.entries(0, 1_000_000).unwrap()
}

/// The journal is what the log's own journal is, to the last bit.
fn exact(journal: &MemoryReplica, upstream: &Upstream) {
    let (ours, theirs) = (entries(journal), entries(&upstream.log()));
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!((ours.position, ours.leaf_hash), (theirs.position, theirs.leaf_hash));
        let token = upstream.token(theirs.position);
        assert_eq!(ours.recorded, Recorded { token, ..theirs.recorded.clone() });
    }
    assert_eq!(journal.frontier().unwrap().root(), upstream.log().frontier().unwrap().root());
}

/// A channel that says stop when it is told to.
fn switch() -> (watch::Sender<bool>, watch::Receiver<bool>) {
    watch::channel(false)
}
