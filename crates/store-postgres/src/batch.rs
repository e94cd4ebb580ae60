//! A group of appends under the lock of the log's head: who fits, who asked before, who is refused.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use assay_store::fact::NewFact;
use assay_store::leaf::{LeafHash, leaf_of};
use assay_store::log::{Appended, Committed, Expected, LogError, Revision, Token, next_revision};
use uuid::Uuid;

pub(crate) type Answer = Result<Appended, LogError>;

/// Set when one of several appends in order failed: what comes after it is not written.
pub(crate) type Chain = Arc<AtomicBool>;

/// What a writer asks for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) stream: String,
    pub(crate) expected: Expected,
    pub(crate) facts: Vec<NewFact>,
    pub(crate) chain: Option<Chain>,
}

/// Where a fact stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) stream: String,
    pub(crate) revision: Revision,
    pub(crate) committed: Committed,
}

/// What stands in the log already, as far as the group has to do with it.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    /// The last position, 0 when empty.
    pub(crate) position: u64,
    /// When that was recorded.
    pub(crate) recorded_at: i64,
    /// The last revision of each of the group's streams that exists.
    pub(crate) ends: HashMap<String, Revision>,
    /// Where each of the group's facts stands that is there already.
    pub(crate) places: HashMap<Uuid, Place>,
}

/// A fact to be written.
#[derive(Debug)]
pub(crate) struct Line<'w> {
    pub(crate) position: u64,
    pub(crate) stream: &'w str,
    pub(crate) revision: Revision,
    pub(crate) fact: Cow<'w, NewFact>,
    pub(crate) leaf: LeafHash,
}

/// The group as it is decided; what it would write, in order.
#[derive(Debug)]
pub(crate) struct Batch<'w> {
    pub(crate) stored: Stored,
    pub(crate) lines: Vec<Line<'w>>,
    /// How many appends write.
    pub(crate) appends: usize,
    /// Whether one of them got an earlier answer again.
    pub(crate) repeats: bool,
}

impl<'w> Batch<'w> {
    pub(crate) const fn new(stored: Stored) -> Self {
        Self { stored, lines: Vec::new(), appends: 0, repeats: false }
    }

    /// Decides one append after the other; each sees those before it.
    pub(crate) fn decide(&mut self, wanted: &'w [Wanted]) -> Vec<Answer> {
        wanted.iter().map(|wanted| self.in_its_chain(wanted)).collect()
    }

    fn in_its_chain(&mut self, wanted: &'w Wanted) -> Answer {
        let Some(chain) = &wanted.chain else { return self.append(wanted) };
        if chain.load(Ordering::Acquire) {
            return Err(LogError::Unavailable { outcome_unknown: false });
        }
        let answer = self.append(wanted);
        chain.store(answer.is_err(), Ordering::Release);
        answer
    }

    fn append(&mut self, wanted: &'w Wanted) -> Answer {
        let current = self.stored.ends.get(&wanted.stream).copied();
        let first = wanted.expected.first_revision(current);
        if first != next_revision(current) {
            let before = self.asked_before(&wanted.stream, first, &wanted.facts);
            self.repeats |= before.is_some();
            return before.ok_or(LogError::Conflict { current });
        }
        let mut ids = HashSet::with_capacity(wanted.facts.len());
        let mut is_new = |id| !self.stored.places.contains_key(&id) && ids.insert(id);
        if !wanted.facts.iter().all(|fact| is_new(fact.id)) {
            return Err(LogError::Invalid("a fact's id is used elsewhere".to_owned()));
        }
        let (mut last, mut committed) = (first, Vec::with_capacity(wanted.facts.len()));
        for (fact, revision) in wanted.facts.iter().zip(first..) {
            committed.push(self.write(&wanted.stream, revision, fact));
            last = revision;
        }
        self.stored.ends.insert(wanted.stream.clone(), last);
        self.appends += 1;
        Ok(Appended { last, token: Token(self.stored.position), committed })
    }

    fn write(&mut self, stream: &'w str, revision: Revision, fact: &'w NewFact) -> Committed {
        let fact = not_before(&self.stored, fact);
        let position = self.stored.position + 1;
        let leaf_hash = leaf_of(position, stream, revision, &fact);
        let committed = Committed { position, leaf_hash };
        self.stored.position = position;
        self.stored.recorded_at = fact.envelope.recorded_at;
        let place = Place { stream: stream.to_owned(), revision, committed };
        self.stored.places.insert(fact.id, place);
        self.lines.push(Line { position, stream, revision, fact, leaf: leaf_hash });
        committed
    }

    /// The answer given before, if exactly these facts stand there already (L5).
    fn asked_before(&self, stream: &str, first: Revision, facts: &[NewFact]) -> Option<Appended> {
        let more = u64::try_from(facts.len()).ok()?.checked_sub(1)?;
        let last = first.checked_add(more)?;
        let stands = |(fact, revision): (&NewFact, Revision)| {
            let place = self.stored.places.get(&fact.id)?;
            (place.stream == stream && place.revision == revision).then_some(place.committed)
        };
        let committed: Option<Vec<Committed>> =
            facts.iter().zip(first..=last).map(stands).collect();
        let committed = committed?;
        let token = Token(committed.last()?.position);
        Some(Appended { last, token, committed })
    }
}

/// The fact, recorded no earlier than the one before it: nodes have clocks of their own, the
/// record does not go back.
fn not_before<'f>(stored: &Stored, fact: &'f NewFact) -> Cow<'f, NewFact> {
    if stored.position == 0 || fact.envelope.recorded_at >= stored.recorded_at {
        return Cow::Borrowed(fact);
    }
    let mut raised = fact.clone();
    raised.envelope.recorded_at = stored.recorded_at;
    Cow::Owned(raised)
}

#[cfg(test)]
mod tests {
    use assay_store::fact::{ActorKind, Envelope};

    use super::*;

    fn fact(number: u128) -> NewFact {
        let id = Uuid::from_u128(number);
        let envelope = Envelope {
            recorded_at: 100 - i64::try_from(number).unwrap(),
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

    fn wanted(stream: &str, expected: Expected, ids: &[u128], chain: Option<&Chain>) -> Wanted {
        let facts = ids.iter().map(|id| fact(*id)).collect();
        Wanted { stream: stream.to_owned(), expected, facts, chain: chain.cloned() }
    }

    #[test]
    fn a_refused_append_does_not_spoil_its_neighbours() {
        let new = Expected::NoStream;
        let group = [
            wanted("a", new, &[1, 2], None),
            wanted("a", new, &[3], None), // a conflict with its neighbour
            wanted("b", new, &[4, 1], None), // an id of its neighbour, after a new one
            wanted("b", new, &[5], None), // so `b` is still new
            wanted("a", Expected::Exact(1), &[6], None), // on top of the first
            wanted("c", new, &[7, 7], None), // the same id twice
            wanted("a", new, &[1, 2], None), // the first, asked again
            wanted("d", Expected::Exact(0), &[8], None), // no such stream
            wanted("e", Expected::Any, &[9], None),
        ];
        let mut batch = Batch::new(Stored::default());
        let answers = batch.decide(&group);
        let last = |n: usize| answers[n].clone().map(|done| (done.last, done.token.0));
        let conflict = |current| Err(LogError::Conflict { current });
        assert_eq!(last(0), Ok((1, 2)));
        assert_eq!(last(1), conflict(Some(1)));
        assert!(matches!(last(2), Err(LogError::Invalid(_))));
        assert_eq!(last(3), Ok((0, 3)));
        assert_eq!(last(4), Ok((2, 4)));
        assert!(matches!(last(5), Err(LogError::Invalid(_))));
        assert_eq!(answers[6], answers[0]);
        assert_eq!(last(7), conflict(None));
        assert_eq!(last(8), Ok((0, 5)), "positions have no gaps");
        assert_eq!((batch.appends, batch.repeats), (4, true));
        let written: Vec<u128> = batch.lines.iter().map(|line| line.fact.id.as_u128()).collect();
        assert_eq!(written, [1, 2, 5, 6, 9]);
        let times: Vec<i64> =
            batch.lines.iter().map(|line| line.fact.envelope.recorded_at).collect();
        assert_eq!(times, [99; 5], "the record does not go back");
    }

    #[test]
    fn what_comes_after_the_first_that_fails_is_not_written() {
        let chain = Chain::default();
        let group = [
            wanted("a", Expected::NoStream, &[1], Some(&chain)),
            wanted("a", Expected::NoStream, &[2], Some(&chain)),
            wanted("b", Expected::NoStream, &[3], Some(&chain)),
            wanted("b", Expected::NoStream, &[4], None),
        ];
        let mut batch = Batch::new(Stored::default());
        let answers = batch.decide(&group);
        assert!(answers[0].is_ok() && answers[3].is_ok(), "{answers:?}");
        assert_eq!(answers[1], Err(LogError::Conflict { current: Some(0) }));
        assert_eq!(answers[2], Err(LogError::Unavailable { outcome_unknown: false }));
        assert_eq!(batch.lines.len(), 2);
    }

    #[test]
    fn only_the_very_same_append_is_the_one_asked_before() {
        let stands = |id: u128, revision| {
            let committed = Committed { position: 10 + revision, leaf_hash: [9; 32] };
            (Uuid::from_u128(id), Place { stream: "a".to_owned(), revision, committed })
        };
        let stored = || Stored {
            position: 20,
            recorded_at: 0,
            ends: HashMap::from([("a".to_owned(), 2)]),
            places: HashMap::from([stands(1, 0), stands(2, 1), stands(3, 2)]),
        };
        let answer = |expected, ids: &[u128]| {
            let group = [wanted("a", expected, ids, None)];
            Batch::new(stored()).decide(&group).pop().unwrap()
        };
        let token = |done: Answer| done.map(|done| (done.last, done.token.0));
        let conflict = Err(LogError::Conflict { current: Some(2) });
        assert_eq!(token(answer(Expected::NoStream, &[1, 2])), Ok((1, 11)));
        assert_eq!(token(answer(Expected::Exact(1), &[3])), Ok((2, 12)));
        for (expected, ids) in [
            (Expected::NoStream, vec![1, 4]),
            (Expected::NoStream, vec![2]),
            (Expected::Exact(0), vec![2, 3, 4]),
            (Expected::Exact(9), vec![3]),
            (Expected::Exact(u64::MAX), vec![3, 4]),
        ] {
            assert_eq!(token(answer(expected, &ids)), conflict, "{expected:?} {ids:?}");
        }
    }
}
