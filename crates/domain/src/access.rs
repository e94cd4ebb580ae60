//! Access: who read what of a case, when, how often and to what end; kept by the house itself.

mod record_export;
mod record_reads;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::EnumCount;
use uuid::Uuid;

pub use record_export::RecordExport;
pub use record_reads::{READINGS_MAX, RecordReads};

use crate::aggregate::{Aggregate, Stamp};
use crate::id::{CaseId, UserId};
use crate::personal::Personal;
use crate::refusal::refusals;
use crate::text::{Passage, Phrase, Reason};
use crate::value::Digest;

/// The same thing read, once or many times in a short while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Which question: its path in the API, such as `/claims/{claim}`.
    pub question: Phrase,
    /// The subject it was about, where it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Uuid>,
    /// What else was asked: filters, words searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Personal<Passage>>,
    /// As of which position it was answered.
    pub as_of: u64,
    /// To what end, where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Personal<Reason>>,
    /// When it was read first.
    pub first_at: Timestamp,
    /// When it was read last.
    pub last_at: Timestamp,
    /// How often.
    pub times: u64,
}

/// What happened in a session's reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// Things were read.
    #[serde(rename = "access.reads_recorded.v1")]
    ReadsRecorded {
        /// Who read.
        reader: UserId,
        /// In which case; in none where it was of the house or of many cases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<CaseId>,
        /// What.
        readings: Vec<Reading>,
    },
    /// A case left the house in a file; recorded before its first byte.
    #[serde(rename = "access.exported.v1")]
    Exported {
        /// Who took it.
        reader: UserId,
        /// Which case.
        case: CaseId,
        /// As of which position.
        as_of: u64,
        /// The file's digest.
        file: Digest,
        /// How many entries are in it.
        entries: u64,
        /// How many keys are disclosed in it.
        keys: u64,
        /// For whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recipient: Option<Personal<Phrase>>,
        /// To what end, where it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<Personal<Reason>>,
    },
}

/// What the rules ask of a session's reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// The case it was in, if it was in one.
    pub in_case: Option<CaseId>,
}

impl Aggregate for Access {
    const CATEGORY: &'static str = "access";
    type Event = Event;

    fn evolve(mut self, event: &Event, _: &Stamp) -> Self {
        match event {
            Event::ReadsRecorded { case, .. } => self.in_case = *case,
            Event::Exported { case, .. } => self.in_case = Some(*case),
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        self.in_case
    }
}

refusals! {
    ReadingsTooMany = Invalid, "access_readings_too_many", "at most 500 readings are recorded at once";
}
