//! Facts and files that the tests share.
#![expect(clippy::unwrap_used, reason = "tests may")]
#![expect(unreachable_pub, reason = "a module of several test binaries")]

use std::path::Path;

use assay_store::fact::{ActorKind, Envelope, NewFact};
use assay_store_sqlite::{Options, SqliteLog};
use uuid::Uuid;

/// A fact like any other; the same number gives the same fact.
pub fn fact(number: u64) -> NewFact {
    let id = |kind: u128| Uuid::from_u128(kind << 64 | u128::from(number));
    let envelope = Envelope {
        recorded_at: 1_700_000_000_000_000 + i64::try_from(number).unwrap(),
        actor: id(2),
        actor_kind: ActorKind::Import,
        on_behalf_of: Some(id(3)),
        session: None,
        command: id(4),
        causation: None,
        correlation: id(5),
        case: Some(id(6)),
        request_mac: Some([7; 16]),
    };
    let data = format!("{{\"number\":{number}}}").into();
    NewFact { id: id(1), name: format!("golden.kept.v{}", number % 3), envelope, data }
}

pub fn facts(numbers: impl IntoIterator<Item = u64>) -> Vec<NewFact> {
    numbers.into_iter().map(fact).collect()
}

pub fn open(path: &Path) -> SqliteLog {
    SqliteLog::open(path, Options::default()).unwrap()
}
