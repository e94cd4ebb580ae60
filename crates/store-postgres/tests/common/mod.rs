//! What the tests share: one server for each test binary, a fresh database for each test.
#![expect(dead_code, unreachable_pub, reason = "not every test binary uses all of it")]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::log::{Followed, Log, Token};
use assay_store::master::MasterKey;
use assay_store_postgres::{OpenError, Options, PostgresLog, PostgresVault, prepare};
use assay_testing_postgres::Server;
use futures_util::StreamExt as _;
use uuid::Uuid;

/// How long anything that is waited for may take before the test counts as failed.
pub const PATIENCE: Duration = Duration::from_mins(2);

pub const NOW: i64 = 1_700_000_000_000_000;

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::quick().unwrap());

/// A fresh database on the shared server. Blocks for a moment, as everything in tests may.
pub fn database() -> Options {
    Options::new(SERVER.database().unwrap())
}

/// A fresh database with its tables.
pub async fn prepared() -> Options {
    let options = database();
    prepare(&options).await.unwrap();
    options
}

/// Runs SQL behind the program's back.
pub fn sql(options: &Options, sql: &str) -> String {
    let name = options.url.rsplit('/').next().unwrap();
    SERVER.psql(name, sql).unwrap()
}

pub async fn open_log(options: &Options) -> Arc<PostgresLog> {
    Arc::new(PostgresLog::open(options.clone()).await.unwrap())
}

pub async fn open_vault(options: &Options) -> Result<PostgresVault, OpenError> {
    let clock = Arc::new(|| NOW);
    PostgresVault::open(options.clone(), MasterKey::new([3; 32]), clock).await
}

pub fn fact(number: u128) -> NewFact {
    let id = Uuid::from_u128(number);
    let envelope = Envelope {
        recorded_at: NOW,
        actor: id,
        actor_kind: ActorKind::Person,
        on_behalf_of: None,
        session: None,
        command: id,
        causation: None,
        correlation: id,
        case: None,
        request_mac: None,
    };
    NewFact { id, name: "n.v1".to_owned(), envelope, data: "{}".into() }
}

/// All facts up to the head at this moment.
pub async fn all(log: &impl Log) -> Vec<Recorded> {
    let mut seen = Vec::new();
    let mut following = log.follow(None::<Token>);
    loop {
        match following.next().await.unwrap().unwrap() {
            Followed::Fact(fact) => seen.push(*fact),
            Followed::Progress(_) => {}
            Followed::CaughtUp => return seen,
        }
    }
}

/// Positions 1, 2, 3 … and in each stream revisions 0, 1, 2 ….
pub fn assert_dense(seen: &[Recorded]) {
    let mut ends = std::collections::HashMap::new();
    for (recorded, position) in seen.iter().zip(1..) {
        assert_eq!(recorded.token, Token(position));
        let next = ends.entry(recorded.stream.clone()).or_insert(0);
        assert_eq!(recorded.revision, *next, "{}", recorded.stream);
        *next += 1;
    }
}
