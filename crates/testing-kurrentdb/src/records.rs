//! The log in memory: records at sparse positions, streams as lists of places in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use uuid::Uuid;

/// The bytes of a record besides its names and payload: what makes positions sparse even for empty events.
const RECORD_FRAME_BYTES: usize = 74;
/// Streams with this prefix hold the metadata of the stream named after it, and keep one event.
const METADATA_PREFIX: &str = "$$";
/// A tick is 100 ns; the server counts time in them.
const TICKS_PER_SECOND: u64 = 10_000_000;

/// An event on its way in.
#[derive(Clone)]
pub(crate) struct Proposed {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) content_type: String,
    pub(crate) metadata: Bytes,
    pub(crate) data: Bytes,
}

/// An event in the log. Its commit and prepare positions are the same: the byte where it begins.
pub(crate) struct Record {
    pub(crate) position: u64,
    pub(crate) stream: String,
    pub(crate) revision: u64,
    /// 100 ns since 1970.
    pub(crate) created_ticks: u64,
    pub(crate) event: Proposed,
}

/// What an append expects of its stream.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    NoStream,
    Exact(u64),
    Any,
    Exists,
}

/// What became of an append.
pub(crate) enum Outcome {
    /// In the log, now or since before. `None` where there is no event at all.
    Written { last: Option<u64>, position: Option<u64> },
    /// Nothing was written; the stream's last revision, if it exists.
    Wrong { current: Option<u64> },
}

/// The log.
pub(crate) struct Records {
    all: Vec<Arc<Record>>,
    streams: HashMap<String, Vec<usize>>,
    ids: HashMap<Uuid, usize>,
    /// The first byte after the last record.
    end: u64,
}

impl Records {
    /// A log as a new server leaves it: with a few events of its own.
    pub(crate) fn new() -> Self {
        let mut records =
            Self { all: Vec::new(), streams: HashMap::new(), ids: HashMap::new(), end: 0 };
        let own = [
            ("$epoch-information", "$epoch-information", r#"{"EpochNumber":0}"#),
            ("$$$stats", "$metadata", r#"{"$maxAge":86400}"#),
            ("$users", "$User", r#""admin""#),
        ];
        for (number, (stream, kind, data)) in (1_u128..).zip(own) {
            let event = Proposed {
                id: Uuid::from_u128(number),
                kind: kind.to_owned(),
                content_type: "application/json".to_owned(),
                metadata: Bytes::new(),
                data: Bytes::from_static(data.as_bytes()),
            };
            records.write(stream, vec![event]);
        }
        records
    }

    /// How many events other than the server's own there are.
    pub(crate) fn own_count(&self) -> usize {
        self.all.iter().filter(|record| is_ours(record)).count()
    }

    /// Forgets everything after the `to`th event that is not the server's own.
    pub(crate) fn rewind(&mut self, to: usize) {
        let first_gone = self.all.iter().enumerate().filter(|(_, r)| is_ours(r)).nth(to);
        let Some((kept, _)) = first_gone else { return };
        for record in self.all.drain(kept..) {
            self.end = self.end.min(record.position);
        }
        self.streams.retain(|_, places| {
            places.retain(|place| *place < kept);
            !places.is_empty()
        });
        self.ids.retain(|_, place| *place < kept);
    }

    /// Writes `events`, or finds that they are there already, or refuses: all or nothing.
    pub(crate) fn append(
        &mut self,
        stream: &str,
        expected: Expected,
        events: Vec<Proposed>,
    ) -> Outcome {
        let current = self.last_revision(stream);
        let next = current.map_or(0, |revision| revision.saturating_add(1));
        let wanted = match expected {
            Expected::Exists if current.is_none() => return Outcome::Wrong { current },
            Expected::Any | Expected::Exists => {
                return match self.known(stream, &events) {
                    Known::No => self.write(stream, events),
                    Known::All { last } => self.written(stream, Some(last)),
                    Known::Some => Outcome::Wrong { current },
                };
            }
            Expected::NoStream => 0,
            Expected::Exact(revision) => revision.saturating_add(1),
        };
        if wanted == next {
            return self.write(stream, events);
        }
        let already = (wanted..).zip(&events).all(|(revision, event)| {
            self.of_stream(stream, revision).is_some_and(|record| record.event.id == event.id)
        });
        if wanted > next || !already {
            return Outcome::Wrong { current };
        }
        let last = (wanted..).zip(&events).map(|(revision, _)| revision).last();
        self.written(stream, last.or(current))
    }

    /// The stream's last revision; `None` if it does not exist.
    pub(crate) fn last_revision(&self, stream: &str) -> Option<u64> {
        self.streams.get(stream)?.last().and_then(|place| self.all.get(*place)).map(|r| r.revision)
    }

    /// The stream's events that `$maxCount` leaves, from revision `from` on.
    pub(crate) fn stream_from(&self, stream: &str, from: u64) -> &[usize] {
        let places = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let hidden = match self.max_count(stream) {
            Some(keep) => places.len().saturating_sub(keep),
            None => 0,
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX).max(hidden);
        places.get(from..).unwrap_or_default()
    }

    /// The record at a place.
    pub(crate) fn at(&self, place: usize) -> Option<&Arc<Record>> {
        self.all.get(place)
    }

    /// All records.
    pub(crate) fn all(&self) -> &[Arc<Record>] {
        &self.all
    }

    /// All records at `position` or later.
    pub(crate) fn from(&self, position: u64) -> &[Arc<Record>] {
        let place = self.all.partition_point(|record| record.position < position);
        self.all.get(place..).unwrap_or_default()
    }

    /// All records before `position`.
    pub(crate) fn before(&self, position: u64) -> &[Arc<Record>] {
        let place = self.all.partition_point(|record| record.position < position);
        self.all.get(..place).unwrap_or_default()
    }

    /// Whether a record begins at `position`, or the log ends there or before.
    pub(crate) fn is_place(&self, position: u64) -> bool {
        position >= self.end
            || self.all.binary_search_by_key(&position, |record| record.position).is_ok()
    }

    fn of_stream(&self, stream: &str, revision: u64) -> Option<&Arc<Record>> {
        let place = self.streams.get(stream)?.get(usize::try_from(revision).ok()?)?;
        self.all.get(*place)
    }

    /// How many events a stream keeps, by its metadata.
    fn max_count(&self, stream: &str) -> Option<usize> {
        if stream.starts_with(METADATA_PREFIX) {
            return Some(1);
        }
        let metadata = format!("{METADATA_PREFIX}{stream}");
        let last = self.of_stream(&metadata, self.last_revision(&metadata)?)?;
        let said: serde_json::Value = serde_json::from_slice(&last.event.data).ok()?;
        usize::try_from(said.get("$maxCount")?.as_u64()?).ok()
    }

    /// Whether events of these ids are in this stream already, one after the other.
    fn known(&self, stream: &str, events: &[Proposed]) -> Known {
        let found: Vec<_> = events
            .iter()
            .filter_map(|event| self.all.get(*self.ids.get(&event.id)?))
            .filter(|record| record.stream == stream)
            .map(|record| record.revision)
            .collect();
        let in_a_row =
            found.iter().zip(found.iter().skip(1)).all(|(a, b)| a.saturating_add(1) == *b);
        match found.last() {
            None => Known::No,
            Some(last) if found.len() == events.len() && in_a_row => Known::All { last: *last },
            Some(_) => Known::Some,
        }
    }

    fn write(&mut self, stream: &str, events: Vec<Proposed>) -> Outcome {
        let created_ticks = now_ticks();
        let mut last = self.last_revision(stream);
        for event in events {
            let revision = last.map_or(0, |revision| revision.saturating_add(1));
            let size = RECORD_FRAME_BYTES
                + stream.len()
                + event.kind.len()
                + event.metadata.len()
                + event.data.len();
            let place = self.all.len();
            self.ids.insert(event.id, place);
            self.streams.entry(stream.to_owned()).or_default().push(place);
            self.all.push(Arc::new(Record {
                position: self.end,
                stream: stream.to_owned(),
                revision,
                created_ticks,
                event,
            }));
            self.end = self.end.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
            last = Some(revision);
        }
        self.written(stream, last)
    }

    fn written(&self, stream: &str, last: Option<u64>) -> Outcome {
        let record = last.and_then(|revision| self.of_stream(stream, revision));
        Outcome::Written { last, position: record.map(|record| record.position) }
    }
}

enum Known {
    No,
    All { last: u64 },
    Some,
}

/// 100 ns since 1970, by this server's own clock.
#[expect(clippy::disallowed_methods, reason = "a server has a clock of its own")]
pub(crate) fn now_ticks() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() * TICKS_PER_SECOND + u64::from(since.subsec_nanos() / 100)
}

/// Whole seconds and the nanoseconds beyond them.
pub(crate) fn parts_of(ticks: u64) -> (i64, i32) {
    let seconds = i64::try_from(ticks / TICKS_PER_SECOND).unwrap_or(i64::MAX);
    (seconds, i32::try_from(ticks % TICKS_PER_SECOND * 100).unwrap_or(0))
}

fn is_ours(record: &Record) -> bool {
    !record.stream.starts_with('$')
}
