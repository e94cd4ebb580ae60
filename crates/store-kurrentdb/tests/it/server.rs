//! A server for tests: logs and vaults on it, each in a namespace of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use assay_store::contract::{Make, MakeVault};
use assay_store::fact::{ActorKind, Envelope, NewFact};
use assay_store::log::{Followed, LogError};
use assay_store::master::MasterKey;
use assay_store_kurrentdb::{KurrentLog, KurrentVault, Options, prepare};
use assay_testing_kurrentdb::Double;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::StreamExt as _;
use uuid::Uuid;

/// How long anything may take before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A place where logs are made.
pub(crate) struct Server {
    url: String,
    run: u64,
    made: AtomicU32,
}

impl Server {
    pub(crate) fn at(url: String) -> Self {
        Self { url, run: rand::random(), made: AtomicU32::new(0) }
    }

    /// Options in a namespace that nobody has used.
    pub(crate) fn options(&self) -> Options {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        Options { namespace: format!("test-{:x}-{made}", self.run), ..Options::new(&self.url) }
    }
}

pub(crate) async fn new_log(options: Options) -> KurrentLog {
    prepare(&options).await.unwrap();
    KurrentLog::open(options).await.unwrap()
}

pub(crate) async fn open_vault(options: Options) -> KurrentVault {
    let clock = Arc::new(|| 1_700_000_000_000_000);
    KurrentVault::open(options, MasterKey::new([3; 32]), clock).await.unwrap()
}

pub(crate) async fn new_vault(options: Options) -> KurrentVault {
    prepare(&options).await.unwrap();
    open_vault(options).await
}

impl Make for Server {
    type Log = KurrentLog;

    fn fresh(&self) -> BoxFuture<'_, Arc<KurrentLog>> {
        async { Arc::new(new_log(self.options()).await) }.boxed()
    }

    fn reopen(&self, log: Arc<KurrentLog>) -> BoxFuture<'_, Arc<KurrentLog>> {
        let options = Arc::into_inner(log).unwrap().options().clone();
        async { Arc::new(KurrentLog::open(options).await.unwrap()) }.boxed()
    }
}

impl MakeVault for Server {
    type Vault = KurrentVault;

    fn fresh(&self) -> BoxFuture<'_, Arc<KurrentVault>> {
        async { Arc::new(new_vault(self.options()).await) }.boxed()
    }

    fn reopen(&self, vault: Arc<KurrentVault>) -> BoxFuture<'_, Arc<KurrentVault>> {
        let options = Arc::into_inner(vault).unwrap().options().clone();
        async { Arc::new(open_vault(options).await) }.boxed()
    }
}

/// One node and a fresh log on it.
pub(crate) async fn double_and_log() -> (Double, KurrentLog) {
    let double = Double::start().await.unwrap();
    let log = new_log(Options::new(double.url())).await;
    (double, log)
}

/// A fact like any other; the same number gives the same fact.
pub(crate) fn fact(number: u64) -> NewFact {
    let id = |kind: u128| Uuid::from_u128(kind << 64 | u128::from(number));
    let envelope = Envelope {
        recorded_at: 1_700_000_000_000_001,
        actor: id(2),
        actor_kind: ActorKind::Person,
        on_behalf_of: None,
        session: Some(id(4)),
        command: id(5),
        causation: None,
        correlation: id(7),
        case: Some(id(8)),
        request_mac: Some([7; 16]),
    };
    NewFact { id: id(1), name: "case.opened.v1".to_owned(), envelope, data: "{}".into() }
}

pub(crate) fn facts(numbers: impl IntoIterator<Item = u64>) -> Vec<NewFact> {
    numbers.into_iter().map(fact).collect()
}

/// The numbers of the next so many facts a follower sees.
pub(crate) async fn next_facts(
    following: &mut (impl futures_util::Stream<Item = Result<Followed, LogError>> + Unpin),
    count: usize,
) -> Vec<NewFact> {
    let mut seen = Vec::new();
    let reading = async {
        while seen.len() < count {
            match following.next().await {
                Some(Ok(Followed::Fact(fact))) => seen.push(fact.fact),
                Some(Ok(Followed::Progress(_) | Followed::CaughtUp)) => {}
                other => panic!("a follower got {other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap();
    seen
}
