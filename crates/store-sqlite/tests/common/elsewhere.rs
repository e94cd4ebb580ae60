//! A log elsewhere, whose copy the tests make.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::ops::RangeInclusive;

use assay_store::fact::Recorded;
use assay_store::log::Token;
use assay_store::replica::Replica as _;
use assay_store_sqlite::SqliteLog;
use uuid::Uuid;

use crate::common::fact;

pub(crate) const UPSTREAM: Uuid = Uuid::from_u128(0x1234);

/// The fact at a position of it. It has four streams, and its tokens are sparse from the 11th on.
pub(crate) fn recorded(position: u64) -> Recorded {
    let (stream, revision) = (format!("golden-{}", (position - 1) % 4), (position - 1) / 4);
    Recorded { stream, revision, token: token(position), fact: fact(position - 1) }
}

pub(crate) fn token(position: u64) -> Token {
    Token(if position <= 10 { position } else { position * 1_000 })
}

/// Takes the facts of some positions at once.
pub(crate) async fn take(log: &SqliteLog, positions: RangeInclusive<u64>) -> u64 {
    let up_to = token(*positions.end());
    log.take(positions.map(recorded).collect(), up_to).await.unwrap()
}
