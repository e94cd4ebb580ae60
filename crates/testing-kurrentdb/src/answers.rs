//! The server's messages and statuses, made from what the log holds.

use std::collections::HashMap;

use prost_types::Timestamp;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::records::{Expected, Outcome, Record, now_ticks, parts_of};
use crate::wire::event_store::client::streams::AppendResp;
use crate::wire::event_store::client::streams::append_resp::{
    self, Success, WrongExpectedVersion, success, wrong_expected_version,
};
use crate::wire::event_store::client::streams::read_resp::{
    self, CaughtUp, Checkpoint, Content, ReadEvent, read_event,
};
use crate::wire::event_store::client::{StreamIdentifier, Uuid as WireUuid, uuid as wire_uuid};

/// How the client wants ids written.
#[derive(Clone, Copy)]
pub(crate) enum Ids {
    Text,
    Numbers,
}

/// The record as the server tells it. `created` is told in ticks; the client cuts it to seconds.
pub(crate) fn event(record: &Record, ids: Ids) -> Content {
    let metadata = HashMap::from([
        ("type".to_owned(), record.event.kind.clone()),
        ("content-type".to_owned(), record.event.content_type.clone()),
        ("created".to_owned(), record.created_ticks.to_string()),
    ]);
    let told = read_event::RecordedEvent {
        id: Some(wire_id(record.event.id, ids)),
        stream_identifier: Some(identifier(&record.stream)),
        stream_revision: record.revision,
        prepare_position: record.position,
        commit_position: record.position,
        metadata,
        custom_metadata: record.event.metadata.clone(),
        data: record.event.data.clone(),
    };
    let position = Some(read_event::Position::CommitPosition(record.position));
    Content::Event(ReadEvent { event: Some(told), link: None, position })
}

/// The stream's name, for messages.
pub(crate) fn identifier(stream: &str) -> StreamIdentifier {
    StreamIdentifier { stream_name: stream.to_owned().into_bytes().into() }
}

/// An id, for messages.
pub(crate) fn wire_id(id: Uuid, ids: Ids) -> WireUuid {
    let value = match ids {
        Ids::Text => wire_uuid::Value::String(id.to_string()),
        Ids::Numbers => {
            let (most, least) = id.as_u64_pair();
            wire_uuid::Value::Structured(wire_uuid::Structured {
                most_significant_bits: most.cast_signed(),
                least_significant_bits: least.cast_signed(),
            })
        }
    };
    WireUuid { value: Some(value) }
}

/// An id out of a message.
///
/// # Errors
/// «Invalid argument» if it is missing or is none.
pub(crate) fn own_id(id: Option<WireUuid>) -> Result<Uuid, Status> {
    match id.and_then(|id| id.value) {
        Some(wire_uuid::Value::String(text)) => {
            Uuid::parse_str(&text).map_err(|error| Status::invalid_argument(error.to_string()))
        }
        Some(wire_uuid::Value::Structured(bits)) => Ok(Uuid::from_u64_pair(
            bits.most_significant_bits.cast_unsigned(),
            bits.least_significant_bits.cast_unsigned(),
        )),
        None => Err(Status::invalid_argument("an event without an id")),
    }
}

/// Says how far a filtered subscription is.
pub(crate) fn checkpoint(position: u64) -> Content {
    Content::Checkpoint(Checkpoint {
        commit_position: position,
        prepare_position: position,
        timestamp: Some(now()),
    })
}

/// Says that a subscription to `$all` has come to the end of the log.
pub(crate) fn caught_up_all(position: Option<u64>) -> Content {
    let position =
        position.map(|p| read_resp::Position { commit_position: p, prepare_position: p });
    Content::CaughtUp(CaughtUp { timestamp: Some(now()), stream_revision: None, position })
}

/// Says that a subscription to a stream has come to its end.
pub(crate) fn caught_up_stream(revision: Option<u64>) -> Content {
    let stream_revision = revision.and_then(|revision| i64::try_from(revision).ok());
    Content::CaughtUp(CaughtUp { timestamp: Some(now()), stream_revision, position: None })
}

/// The answer to an append.
pub(crate) fn appended(expected: Expected, outcome: &Outcome) -> AppendResp {
    let result = match *outcome {
        Outcome::Written { last, position } => append_resp::Result::Success(Success {
            current_revision_option: Some(last.map_or(
                success::CurrentRevisionOption::NoStream(()),
                success::CurrentRevisionOption::CurrentRevision,
            )),
            position_option: Some(position.map_or(success::PositionOption::NoPosition(()), |at| {
                success::PositionOption::Position(append_resp::Position {
                    commit_position: at,
                    prepare_position: at,
                })
            })),
        }),
        Outcome::Wrong { current } => {
            append_resp::Result::WrongExpectedVersion(wrong(expected, current))
        }
    };
    AppendResp { result: Some(result) }
}

fn wrong(expected: Expected, current: Option<u64>) -> WrongExpectedVersion {
    use wrong_expected_version::{
        CurrentRevisionOption as Current, CurrentRevisionOption2060 as OldCurrent,
        ExpectedRevisionOption as Wanted, ExpectedRevisionOption2060 as OldWanted,
    };
    let (wanted, old_wanted) = match expected {
        Expected::NoStream => (Wanted::ExpectedNoStream(()), None),
        Expected::Exact(revision) => {
            (Wanted::ExpectedRevision(revision), Some(OldWanted::ExpectedRevision2060(revision)))
        }
        Expected::Any => (Wanted::ExpectedAny(()), Some(OldWanted::Any2060(()))),
        Expected::Exists => {
            (Wanted::ExpectedStreamExists(()), Some(OldWanted::StreamExists2060(())))
        }
    };
    WrongExpectedVersion {
        current_revision_option: Some(
            current.map_or(Current::CurrentNoStream(()), Current::CurrentRevision),
        ),
        expected_revision_option: Some(wanted),
        current_revision_option_20_6_0: Some(
            current.map_or(OldCurrent::NoStream2060(()), OldCurrent::CurrentRevision2060),
        ),
        expected_revision_option_20_6_0: old_wanted,
    }
}

/// «Ask the leader, it is there.»
pub(crate) fn not_leader(leader_port: u16) -> Status {
    let mut trailers = MetadataMap::new();
    trailers.insert("exception", MetadataValue::from_static("not-leader"));
    trailers.insert("leader-endpoint-host", MetadataValue::from_static("127.0.0.1"));
    trailers.insert("leader-endpoint-port", leader_port.into());
    Status::with_metadata(Code::NotFound, "Leader info available", trailers)
}

/// «Nobody leads.»
pub(crate) fn not_ready() -> Status {
    Status::unavailable("Server Is Not Ready")
}

/// «An append is too big.»
pub(crate) fn too_large(limit_bytes: usize) -> Status {
    let mut trailers = MetadataMap::new();
    trailers.insert("exception", MetadataValue::from_static("maximum-append-size-exceeded"));
    trailers.insert("maximum-append-size", limit_bytes.into());
    let words = format!("Maximum Append Size of {limit_bytes} Exceeded.");
    Status::with_metadata(Code::InvalidArgument, words, trailers)
}

/// The server's time, for messages.
fn now() -> Timestamp {
    let (seconds, nanos) = parts_of(now_ticks());
    Timestamp { seconds, nanos }
}
