//! Writing the book into the log: by session and case, each part under a name of its own, so that asking twice is harmless.

use std::collections::{HashMap, HashSet};

use assay_commands::{Actor, Error, Fault, House, Request};
use assay_domain::access::{READINGS_MAX, Reading, RecordReads, Refusal};
use assay_domain::id::{AccessId, CaseId, UserId};
use assay_store::fact::ActorKind;
use assay_store::log::LogError;
use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use uuid::Uuid;

use super::asked::{self, Asked};
use super::book::Noted;
use super::homes::Homes;

/// How long one record of a session's reading goes on, in seconds.
const HOUR_S: i64 = 3_600;
/// How many sessions' readings are written at once.
const AT_ONCE: usize = 16;
/// How many bytes of readings go into one fact, before they are sealed: well below what a fact may have.
const BYTES_MAX: usize = 192 * 1024;
/// What a reading takes beside the words in it, in bytes.
const BYTES_A_READING: usize = 320;

/// One fact to be written.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    command: Uuid,
    session: Uuid,
    reads: RecordReads,
    /// The room it takes in the book.
    weight: u64,
    bytes: usize,
}

/// The record of what a session reads in a case within one hour, so that no record grows without end.
pub(crate) fn access_of(session: Uuid, case: Option<CaseId>, at: Timestamp) -> AccessId {
    let case = case.map_or(Uuid::nil(), |case| case.0);
    let hour = at.as_second().div_euclid(HOUR_S).to_be_bytes();
    AccessId(Uuid::new_v5(&session, &[case.as_bytes().as_slice(), hour.as_slice()].concat()))
}

/// A request of the house's own, to write down what a reader did.
pub(crate) fn request_for(reader: UserId, session: Uuid, command: Uuid) -> Request {
    Request {
        on_behalf_of: Some(reader.0),
        session: Some(session),
        ..Request::by(Actor::House, ActorKind::Service, command)
    }
}

/// What was noted, as it will be recorded.
fn reading(noted: &Noted, asked: Asked) -> Reading {
    let Noted { key, tally } = noted;
    Reading {
        question: tally.question.clone(),
        subject: asked.subject,
        asked: asked.rest.map(Into::into),
        as_of: tally.as_of,
        purpose: key.purpose.clone().map(Into::into),
        first_at: tally.first_at,
        last_at: tally.last_at,
        times: tally.times,
    }
}

/// Takes each apart once.
pub(super) fn taken_apart(noted: &[Noted]) -> Vec<(&Noted, Asked)> {
    let apart = |one: &Noted| asked::read(one.tally.question.as_str(), &one.key.place);
    noted.iter().map(|one| (one, apart(one))).collect()
}

/// Sorts readings by session and case into facts that are not too large.
pub(super) fn batches(
    noted: Vec<(&Noted, Asked)>,
    homes: &Homes,
    mut new_id: impl FnMut() -> Uuid,
) -> Vec<Batch> {
    let mut full = Vec::new();
    let mut open: HashMap<AccessId, Batch> = HashMap::new();
    for (one, asked) in noted {
        let (session, reader, weight) = (one.key.session, one.key.reader, one.weight());
        let bytes = BYTES_A_READING
            + one.key.place.len()
            + one.key.purpose.as_ref().map_or(0, |purpose| purpose.as_str().len());
        let case = asked.home.and_then(|home| homes.of(home));
        let access = access_of(session, case, one.tally.last_at);
        let mut fresh = || {
            let reads = RecordReads { access, reader, case, readings: Vec::new() };
            Batch { command: new_id(), session, reads, weight: 0, bytes: 0 }
        };
        let batch = open.entry(access).or_insert_with(&mut fresh);
        if batch.reads.readings.len() >= READINGS_MAX || batch.bytes + bytes > BYTES_MAX {
            full.push(std::mem::replace(batch, fresh()));
        }
        batch.reads.readings.push(reading(one, asked));
        batch.weight = batch.weight.saturating_add(weight);
        batch.bytes += bytes;
    }
    full.extend(open.into_values());
    full
}

/// What became of an attempt to write.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The commands that are carried out.
    done: HashSet<Uuid>,
    /// Why the others are not.
    pub(super) stuck: Option<Stuck>,
}

/// Why something is not written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stuck {
    /// In words, for the log lines.
    pub(super) why: String,
    /// Whether nothing can be written now, or just this.
    pub(super) all: bool,
}

impl From<Error<Refusal>> for Stuck {
    fn from(error: Error<Refusal>) -> Self {
        let away = |error: &LogError| {
            matches!(error, LogError::Unavailable { .. } | LogError::Full | LogError::Denied)
        };
        let all = match &error {
            Error::Fault(Fault::Log(error)) => away(error),
            Error::Fault(Fault::Vault(_)) => true,
            _ => false,
        };
        Self { why: error.to_string(), all }
    }
}

impl Written {
    /// Takes out what is written; the room in the book that it took.
    pub(super) fn take_out(&self, batches: &mut Vec<Batch>) -> u64 {
        let done = |batch: &&Batch| self.done.contains(&batch.command);
        let free = batches.iter().filter(done).map(|batch| batch.weight).sum();
        batches.retain(|batch| !self.done.contains(&batch.command));
        free
    }
}

/// Writes what it can. Broken off, it may be asked again with the same.
pub(super) async fn write(house: &House, batches: &[Batch]) -> Written {
    let lanes = lanes(batches).into_iter().map(|lane| write_lane(house, lane));
    let mut lanes = stream::iter(lanes).buffer_unordered(AT_ONCE);
    let mut written = Written::default();
    while let Some((done, why)) = lanes.next().await {
        written.done.extend(done);
        // Where nothing can be written, that is what there is to say.
        let worse = why.filter(|why| why.all || written.stuck.is_none());
        written.stuck = worse.or(written.stuck);
    }
    written
}

/// The batches of each record by themselves: they would get in each other's way.
fn lanes(batches: &[Batch]) -> Vec<Vec<&Batch>> {
    let mut lanes: HashMap<AccessId, Vec<&Batch>> = HashMap::new();
    for batch in batches {
        lanes.entry(batch.reads.access).or_default().push(batch);
    }
    lanes.into_values().collect()
}

/// Writes the facts of one record in turn, up to the first that cannot be.
async fn write_lane(house: &House, lane: Vec<&Batch>) -> (Vec<Uuid>, Option<Stuck>) {
    let mut done = Vec::new();
    for batch in lane {
        let request = request_for(batch.reads.reader, batch.session, batch.command);
        if let Err(error) = house.execute(&request, &batch.reads).await {
            return (done, Some(error.into()));
        }
        done.push(batch.command);
    }
    (done, None)
}

/// When the oldest of them was read.
pub(super) fn oldest(batches: &[Batch]) -> Option<jiff::Timestamp> {
    batches.iter().flat_map(|batch| &batch.reads.readings).map(|one| one.first_at).min()
}

#[cfg(test)]
mod tests {
    use super::super::book::{Key, Tally};
    use super::*;
    use assay_domain::text::{Phrase, Reason};

    fn noted(session: u128, place: String, purpose: Option<Reason>) -> Noted {
        let question = Phrase::try_from("/search").unwrap();
        let (first_at, last_at) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let key = Key {
            session: Uuid::from_u128(session),
            reader: UserId(Uuid::from_u128(session + 100)),
            place: place.into(),
            purpose,
        };
        Noted { key, tally: Tally { question, as_of: 1, first_at, last_at, times: 1 } }
    }

    fn sorted(noted: &[Noted]) -> Vec<Batch> {
        let mut next = 0_u128;
        let new_id = || {
            next += 1;
            Uuid::from_u128(next)
        };
        let mut batches = batches(taken_apart(noted), &Homes::default(), new_id);
        batches.sort_by_key(|batch| batch.command);
        batches
    }

    #[test]
    fn readings_are_sorted_by_session_and_case_into_facts_that_are_not_too_long() {
        let case = |n: u128| Uuid::from_u128(n);
        let place = |n: u128| format!("/search?q={n}&case={}", case(n % 2));
        let mut all: Vec<Noted> = (0..1_203).map(|n| noted(1, place(n), None)).collect();
        all.push(noted(2, place(0), None));
        let batches = sorted(&all);
        let of = |session: u128, case: u128| {
            let access = access_of(
                Uuid::from_u128(session),
                Some(CaseId(Uuid::from_u128(case))),
                Timestamp::UNIX_EPOCH,
            );
            let of = batches.iter().filter(move |batch| batch.reads.access == access);
            of.map(|batch| batch.reads.readings.len()).collect::<Vec<_>>()
        };
        assert_eq!((of(1, 0), of(1, 1), of(2, 0)), (vec![500, 102], vec![500, 101], vec![1]));
        let weight: u64 = batches.iter().map(|batch| batch.weight).sum();
        assert_eq!(weight, 1_204);
        let commands: HashSet<Uuid> = batches.iter().map(|batch| batch.command).collect();
        assert_eq!(commands.len(), batches.len());
    }

    #[test]
    fn a_fact_of_the_longest_readings_is_below_what_a_fact_may_have() {
        let long = |n: u32| format!("/search?q={n}{}", "%F0%9F%90%90".repeat(600));
        let purpose = Reason::try_from("ж".repeat(500)).ok();
        let all: Vec<Noted> = (0..200).map(|n| noted(1, long(n), purpose.clone())).collect();
        let batches = sorted(&all);
        assert!(batches.len() > 1);
        for batch in &batches {
            let clear = serde_json::to_vec(
                &batch
                    .reads
                    .readings
                    .iter()
                    .map(|one| {
                        (one.asked.as_ref().unwrap().known(), one.purpose.as_ref().unwrap().known())
                    })
                    .collect::<Vec<_>>(),
            );
            // Sealed and written as text, a word takes a third more.
            assert!(clear.unwrap().len() * 2 < assay_store::fact::FACT_BYTES_MAX);
        }
    }

    #[test]
    fn only_what_is_done_is_taken_out() {
        let all = [noted(1, "/a".into(), None), noted(2, "/b".into(), None)];
        let mut batches = sorted(&all);
        let written = Written { done: HashSet::from([Uuid::from_u128(1)]), stuck: None };
        assert_eq!(written.take_out(&mut batches), 1);
        assert_eq!(batches.len(), 1);
        assert_eq!(oldest(&batches), Some(Timestamp::UNIX_EPOCH));
    }
}
