//! The book: what was read since it was last taken away, repeats counted, in memory and bounded.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use assay_domain::id::UserId;
use assay_domain::text::{Phrase, Reason};
use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

/// In how many parts it lies, so that workers do not wait for each other.
const PARTS: usize = 16;
/// How many bytes of a question count as one reading.
const BYTES_A_READING: usize = 1_024;

/// What makes two readings the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// In which session.
    pub(super) session: Uuid,
    /// Who.
    pub(super) reader: UserId,
    /// What was asked: the path and what stood behind it, without the token of a write.
    pub(super) place: Box<str>,
    /// To what end, where it was said.
    pub(super) purpose: Option<Reason>,
}

/// What is counted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// The route, as it stands in the API.
    pub(super) question: Phrase,
    /// The position of the last answer.
    pub(super) as_of: u64,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
    pub(super) times: u64,
}

/// The same thing read, once or many times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) key: Key,
    pub(super) tally: Tally,
}

impl Noted {
    /// For how many readings it counts: a long question takes more room.
    pub(super) fn weight(&self) -> u64 {
        self.key.weight()
    }
}

impl Key {
    fn weight(&self) -> u64 {
        let kibibytes = self.place.len() / BYTES_A_READING;
        u64::try_from(kibibytes).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// Why a reading is not noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is no room for another.
    Full,
    /// Its question has no name that can be recorded.
    Unnamed,
}

/// One part of the book.
#[derive(Debug, Default)]
struct Part {
    noted: HashMap<Key, Tally>,
    /// When the first of them was noted.
    since: Option<Timestamp>,
}

/// What was read and is not written down yet.
#[derive(Debug)]
pub(super) struct Book {
    parts: [Mutex<Part>; PARTS],
    /// The room taken: here, and by what was taken away and is not [released](Self::release) yet.
    pending: AtomicU64,
    max: u64,
    pressed: Notify,
}

impl Book {
    /// An empty book with room for so many readings.
    pub(super) fn new(max: u64) -> Self {
        Self {
            parts: std::array::from_fn(|_| Mutex::default()),
            pending: AtomicU64::new(0),
            max,
            pressed: Notify::new(),
        }
    }

    /// Notes a reading; the same again only counts, and its question is not named again.
    pub(super) fn note(
        &self,
        key: Key,
        question: impl FnOnce() -> Option<Phrase>,
        as_of: u64,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let mut part = self.part(&key);
        match part.noted.entry(key) {
            Entry::Occupied(mut known) => {
                let tally = known.get_mut();
                tally.as_of = as_of;
                tally.last_at = tally.last_at.max(now);
                tally.times = tally.times.saturating_add(1);
                return Ok(());
            }
            Entry::Vacant(place) => {
                let question = question().ok_or(Refused::Unnamed)?;
                self.admit(place.key().weight())?;
                place.insert(Tally { question, as_of, first_at: now, last_at: now, times: 1 });
            }
        }
        part.since.get_or_insert(now);
        Ok(())
    }

    /// Takes away all that is noted; its room stays taken until it is released.
    pub(super) fn take(&self) -> Vec<Noted> {
        let taken = self.parts.iter().flat_map(|part| {
            let part = std::mem::take(&mut *locked(part));
            part.noted.into_iter().map(|(key, tally)| Noted { key, tally })
        });
        taken.collect()
    }

    /// Gives room back: so much was written down.
    pub(super) fn release(&self, weight: u64) {
        self.pending.fetch_sub(weight, Ordering::AcqRel);
    }

    /// The room taken, in readings.
    pub(super) fn pending(&self) -> u64 {
        self.pending.load(Ordering::Acquire)
    }

    /// Whether nothing new finds room.
    pub(super) fn full(&self) -> bool {
        self.pending() >= self.max
    }

    /// When the oldest that was not taken away was noted.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.parts.iter().filter_map(|part| locked(part).since).min()
    }

    /// Waits until half of the room is taken.
    pub(super) async fn pressed(&self) {
        self.pressed.notified().await;
    }

    fn admit(&self, weight: u64) -> Result<(), Refused> {
        let more = |taken: u64| taken.checked_add(weight).filter(|taken| *taken <= self.max);
        let before = self.pending.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        let before = before.map_err(|_| Refused::Full)?;
        let half = self.max / 2;
        if before < half && before.saturating_add(weight) >= half {
            self.pressed.notify_one();
        }
        Ok(())
    }

    fn part(&self, key: &Key) -> MutexGuard<'_, Part> {
        // The low bits of a session are chance; the end of a path tells one subject from another.
        let [.., low] = *key.session.as_bytes();
        let tail = key.place.bytes().rev().take(4).fold(low, u8::wrapping_add);
        let [first, ..] = &self.parts;
        locked(self.parts.get(usize::from(tail) % PARTS).unwrap_or(first))
    }
}

// A panic of another thread leaves whole entries only.
fn locked(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(session: u128, place: &str) -> Key {
        let session = Uuid::from_u128(session);
        Key { session, reader: UserId(Uuid::from_u128(7)), place: place.into(), purpose: None }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn question() -> Option<Phrase> {
        Phrase::try_from("/claims/{claim}").ok()
    }

    #[test]
    fn the_same_again_counts_and_keeps_the_last_position() {
        let book = Book::new(10);
        for (second, as_of) in [(5, 100), (6, 101), (9, 107)] {
            book.note(key(1, "/claims/x"), question, as_of, at(second)).unwrap();
        }
        assert_eq!((book.pending(), book.since()), (1, Some(at(5))));
        let taken = book.take();
        let [Noted { tally, .. }] = taken.as_slice() else { panic!("{taken:?}") };
        assert_eq!((tally.times, tally.as_of), (3, 107));
        assert_eq!((tally.first_at, tally.last_at), (at(5), at(9)));
        assert_eq!((book.pending(), book.since()), (1, None));
        book.release(1);
        assert_eq!(book.pending(), 0);
    }

    #[test]
    fn a_session_a_place_and_a_purpose_each_make_another_reading() {
        let book = Book::new(10);
        let purpose = Reason::try_from("a check of the dates").ok();
        let told = Key { purpose, ..key(1, "/claims/x") };
        for one in [key(1, "/claims/x"), key(2, "/claims/x"), key(1, "/claims/y"), told] {
            book.note(one, question, 1, at(1)).unwrap();
        }
        assert_eq!(book.take().len(), 4);
    }

    #[test]
    fn a_full_book_takes_nothing_new_and_goes_on_counting() {
        let book = Book::new(3);
        let long = "x".repeat(BYTES_A_READING);
        book.note(key(1, "/claims/x"), question, 1, at(1)).unwrap();
        book.note(key(1, &long), question, 1, at(1)).unwrap();
        assert!(book.full());
        assert_eq!(book.note(key(1, "/claims/y"), question, 1, at(2)), Err(Refused::Full));
        assert_eq!(book.note(key(1, "/claims/x"), question, 1, at(2)), Ok(()));
        let weight = book.take().iter().map(Noted::weight).sum();
        assert!(book.full());
        book.release(weight);
        assert_eq!(book.note(key(1, "/claims/y"), question, 1, at(2)), Ok(()));
    }
}
