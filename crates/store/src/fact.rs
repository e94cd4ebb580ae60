//! A fact as the log carries it: an envelope of who, when and why around a name and bytes.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::log::{Revision, Token};

/// The most bytes the data of one fact may have.
pub const FACT_BYTES_MAX: usize = 512 * 1024;
/// The most bytes one append may carry.
pub const APPEND_BYTES_MAX: usize = 900 * 1024;
/// The most facts one append may carry.
pub const APPEND_FACTS_MAX: usize = 500;
/// The most bytes a stream's or a fact's name may have.
pub const NAME_BYTES_MAX: usize = 200;

/// What kind of doer stands behind a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person who logged in.
    Person,
    /// The house itself, or a program with a token of its own.
    Service,
    /// Facts brought in from elsewhere on somebody's behalf.
    Import,
    /// A model whose proposal a person accepted.
    Model,
}

/// Who, when and why: stands around every fact, in columns of its own.
///
/// `recorded_at` is in microseconds since 1970 (UTC), from the server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// When the server recorded it, in microseconds since 1970 (UTC).
    pub recorded_at: i64,
    /// Who did it.
    pub actor: Uuid,
    /// What kind of doer that is.
    pub actor_kind: ActorKind,
    /// For whom, when a program acted for a person.
    pub on_behalf_of: Option<Uuid>,
    /// In which session.
    pub session: Option<Uuid>,
    /// The command that made it; all facts of one command share it.
    pub command: Uuid,
    /// The fact that caused it, when the house reacted.
    pub causation: Option<Uuid>,
    /// The chain of work it belongs to.
    pub correlation: Uuid,
    /// The case it belongs to.
    pub case: Option<Uuid>,
    /// A keyed digest of the request, so that a reused idempotency key with another body is seen.
    pub request_mac: Option<[u8; 16]>,
}

/// A fact to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFact {
    /// Its id, derived from the command's id so that asking twice is harmless.
    pub id: Uuid,
    /// Its wire name, `subject.past.vN`.
    pub name: String,
    /// Who, when and why.
    pub envelope: Envelope,
    /// The codec's bytes, with personal data sealed.
    pub data: Bytes,
}

/// A fact as it stands in its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The stream it stands in.
    pub stream: String,
    /// Its place in the stream, from 0.
    pub revision: Revision,
    /// Its place in the log, comparable only within this log.
    pub token: Token,
    /// What was appended.
    pub fact: NewFact,
}

impl ActorKind {
    /// The byte that stands for it in columns and leaves.
    pub const fn code(self) -> u8 {
        match self {
            Self::Person => 1,
            Self::Service => 2,
            Self::Import => 3,
            Self::Model => 4,
        }
    }

    /// What a stored byte stands for.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Person),
            2 => Some(Self::Service),
            3 => Some(Self::Import),
            4 => Some(Self::Model),
            _ => None,
        }
    }
}
