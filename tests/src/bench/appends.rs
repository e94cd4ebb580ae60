//! P1: durable appends in process, with envelope, leaf hash and optimistic concurrency.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use assay_store::fact::{ActorKind, Envelope, NewFact};
use assay_store::log::{Expected, Log as _};
use assay_store_sqlite::{Options, SqliteLog};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::{Builder, Uuid};

use super::figures::{millis, per_second};

/// 2026-01-01, where the ids' time begins; each millisecond holds 16 of them.
const BASE_MS: u64 = 1_767_225_600_000;
/// How many facts a writer puts into one stream before it begins the next, as a busy claim would have.
const FACTS_A_STREAM: u64 = 8;
/// The data of one fact.
const DATA_BYTES: usize = 700;

/// A log and the next id nobody has.
#[derive(Debug)]
pub struct Appends {
    log: Arc<SqliteLog>,
    next: Arc<AtomicU64>,
    data: bytes::Bytes,
}

/// What one slice of appends found.
#[derive(Clone, Debug, Default)]
pub struct Burst {
    /// The milliseconds of each acknowledged append.
    pub took_ms: Vec<f64>,
    /// Acknowledged appends a second.
    pub rate: f64,
}

/// A time-ordered id from a counter.
pub fn ordered_id(count: u64) -> Uuid {
    let mut rest = [0_u8; 10];
    for (place, byte) in rest.iter_mut().skip(2).zip(count.to_be_bytes()) {
        *place = byte;
    }
    Builder::from_unix_timestamp_millis(BASE_MS + count / 16, &rest).into_uuid()
}

/// A fact with an id from a counter.
pub fn fact(count: u64, data: &bytes::Bytes) -> NewFact {
    let (id, actor) = (ordered_id(count), ordered_id(1));
    let envelope = Envelope {
        recorded_at: i64::try_from(BASE_MS * 1_000 + count).unwrap_or(i64::MAX),
        actor,
        actor_kind: ActorKind::Person,
        on_behalf_of: None,
        session: Some(actor),
        command: id,
        causation: None,
        correlation: id,
        case: Some(actor),
        request_mac: Some([7; 16]),
    };
    NewFact { id, name: "bench.happened.v1".to_owned(), envelope, data: data.clone() }
}

/// The data of a fact, so many bytes of JSON.
pub fn entry_data(bytes: usize) -> bytes::Bytes {
    let frame = json!({"type": "bench.happened.v1", "data": {"text": ""}}).to_string();
    let text = "x".repeat(bytes.saturating_sub(frame.len()));
    json!({"type": "bench.happened.v1", "data": {"text": text}}).to_string().into()
}

impl Appends {
    /// Opens a fresh log in a folder.
    pub fn new(folder: &Path) -> Result<Self> {
        let log = Arc::new(SqliteLog::open(folder.join("appends.db"), Options::default())?);
        Ok(Self { log, next: Arc::new(AtomicU64::new(16)), data: entry_data(DATA_BYTES) })
    }

    /// The log.
    pub fn log(&self) -> &SqliteLog {
        &self.log
    }

    /// Appends for a while with so many writers at once, each to streams of its own.
    pub async fn round(&self, writers: usize, warm: Duration, span: Duration) -> Result<Burst> {
        let begin = Instant::now() + warm;
        let mut tasks = JoinSet::new();
        for _ in 0..writers {
            let (log, next, data) = (self.log.clone(), self.next.clone(), self.data.clone());
            tasks.spawn(async move { write(&log, &next, &data, begin, begin + span).await });
        }
        let mut took = Vec::new();
        while let Some(task) = tasks.join_next().await {
            took.extend(task??);
        }
        let count = u64::try_from(took.len())?;
        Ok(Burst { rate: per_second(count, span), took_ms: took })
    }
}

/// One writer; answers the milliseconds of every append that began and ended in the span.
async fn write(
    log: &SqliteLog,
    next: &AtomicU64,
    data: &bytes::Bytes,
    begin: Instant,
    end: Instant,
) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    loop {
        let stream = format!("bench-{}", ordered_id(next.fetch_add(1, Ordering::Relaxed)));
        for revision in 0..FACTS_A_STREAM {
            let expected = revision.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
            let fact = fact(next.fetch_add(1, Ordering::Relaxed), data);
            let before = Instant::now();
            log.append(&stream, expected, vec![fact]).await?;
            let after = Instant::now();
            if after >= end {
                return Ok(took);
            }
            if after >= begin {
                took.push(millis(after - before));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ordered_id;

    #[test]
    fn ids_follow_their_counter() {
        let ids: Vec<_> = [0, 1, 15, 16, 255, 256, 70_000].map(ordered_id).into();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
