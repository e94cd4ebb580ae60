//! The read log: who read what is noted in memory before an answer leaves, and written down within seconds.
//!
//! Read in this order: `note` (what the outermost layer, streams and exports call), [`unrecorded`]
//! (the routes that are not reading), `purpose` (to what end), `book` (memory), `asked` (a request
//! taken apart), `homes` (whose case it is), `keep` (the facts), `answers` (asking who read what).
//!
//! **Invariant**: an answer to somebody logged in leaves only when the book has its reading; a full
//! book answers 503 instead. What the process had in memory when it was killed is lost: at most what
//! was read within `read_log_flush`. What the log cannot take is kept and tried again.

mod asked;
mod book;
mod homes;
mod keep;
mod note;
mod purpose;

pub(crate) mod answers;
pub mod unrecorded;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use assay_commands::House;
use assay_domain::aggregate::Subject;
use assay_domain::text::Phrase;
use assay_views::Views;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Problem;
use crate::settings::Settings;
use book::{Book, Key, Noted, Refused};
use homes::Homes;
use keep::{Batch, Stuck};

pub(crate) use keep::{access_of, request_for};
pub(crate) use note::{Answered, Further, now, of_answer};
pub(crate) use purpose::of as purpose_of;

/// What a reader is told while nothing more can be kept.
const FULL: &str = "what is read cannot be written down now, so nothing is shown; ask again";

/// What was read and is not in the log yet, and how it gets there.
#[derive(Debug)]
pub struct Readings {
    house: Arc<House>,
    views: Views,
    book: Book,
    /// How often the book is written down; only when somebody asks, where there is nothing.
    every: Option<Duration>,
    waiting: tokio::sync::Mutex<Waiting>,
    told: Mutex<Told>,
}

/// What was taken from the book and is not in the log.
#[derive(Debug, Default)]
struct Waiting {
    unsorted: Vec<Noted>,
    batches: Vec<Batch>,
    homes: Homes,
}

/// What is known of the last attempt, for whoever asks how the house is.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    failing: bool,
    /// When the oldest reading that waits was read.
    oldest: Option<Timestamp>,
}

/// Readings could not be written down; they are kept, and the next attempt takes them along.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pending} readings are not written down: {why}")]
pub struct NotKept {
    /// How many.
    pub pending: u64,
    /// Why not.
    pub why: String,
}

/// How the read log fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReadLogState {
    /// What is read gets written down.
    Well,
    /// The log cannot take it now; it is kept and tried again.
    Waiting,
    /// There is no room to keep more: nothing is read until the log takes it.
    Full,
}

/// The read log in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ReadLog {
    /// Readings that are not written down yet.
    pub(crate) pending: u64,
    /// How old the oldest of them is, in seconds.
    pub(crate) oldest_age_s: u64,
    /// How it fares.
    pub(crate) state: ReadLogState,
}

impl Readings {
    /// An empty read log of a house; `views` say in which case a subject is.
    pub fn new(house: Arc<House>, views: Views, settings: &Settings) -> Self {
        let every = Some(settings.read_log_flush);
        Self { every, ..Self::by_hand(house, views, settings) }
    }

    /// One that is written down only by [`flush`](Self::flush): for who has another clock.
    pub fn by_hand(house: Arc<House>, views: Views, settings: &Settings) -> Self {
        let max = u64::try_from(settings.read_log_pending_max).unwrap_or(u64::MAX);
        Self {
            house,
            views,
            book: Book::new(max),
            every: None,
            waiting: tokio::sync::Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// Writes down all that was read until now.
    ///
    /// # Errors
    /// [`NotKept`] where the log, the vault or the views cannot be reached: all of it is kept.
    pub async fn flush(&self) -> Result<(), NotKept> {
        let mut waiting = self.waiting.lock().await;
        // What waited goes first; while it cannot go, the book goes on merging what repeats.
        let mut stuck = self.write(&mut waiting).await;
        if stuck.as_ref().is_none_or(|stuck| !stuck.all) {
            waiting.unsorted.extend(self.book.take());
            stuck = self.write(&mut waiting).await;
        }
        self.tell(&waiting, stuck.as_ref());
        let not_kept = |stuck: Stuck| NotKept { pending: self.book.pending(), why: stuck.why };
        stuck.map_or(Ok(()), |stuck| Err(not_kept(stuck)))
    }

    /// How many readings are not written down yet; a long question counts as several.
    pub fn pending(&self) -> u64 {
        self.book.pending()
    }

    /// Writes down what was read, again and again, for ever.
    pub(crate) async fn keep(&self) {
        let Some(every) = self.every else { return std::future::pending().await };
        loop {
            let pressed = self.book.pressed();
            // Whichever comes first; the one that did not comes the next time.
            drop(tokio::time::timeout(every, pressed).await);
            // What failed was said by `tell`, and is tried again.
            drop(self.flush().await);
        }
    }

    /// How it fares.
    pub(crate) fn health(&self) -> ReadLog {
        let told = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = [told.oldest, self.book.since()].into_iter().flatten().min();
        let age = oldest.map(|oldest| self.house.now().duration_since(oldest).as_secs());
        let state = match () {
            () if self.book.full() => ReadLogState::Full,
            () if told.failing => ReadLogState::Waiting,
            () => ReadLogState::Well,
        };
        let oldest_age_s = u64::try_from(age.unwrap_or_default()).unwrap_or_default();
        ReadLog { pending: self.book.pending(), oldest_age_s, state }
    }

    /// Sorts and writes what was taken from the book; what cannot be written stays where it is.
    async fn write(&self, waiting: &mut Waiting) -> Option<Stuck> {
        if !waiting.unsorted.is_empty()
            && let Err(why) = self.sort(waiting).await
        {
            return Some(Stuck { why, all: true });
        }
        if waiting.batches.is_empty() {
            return None;
        }
        let written = keep::write(&self.house, &waiting.batches).await;
        self.book.release(written.take_out(&mut waiting.batches));
        written.stuck
    }

    /// Finds the case of everything and makes facts of it.
    async fn sort(&self, waiting: &mut Waiting) -> Result<(), String> {
        let Waiting { unsorted, batches, homes } = waiting;
        let noted = keep::taken_apart(unsorted);
        let wanted: Vec<_> = noted.iter().filter_map(|(_, asked)| asked.home).collect();
        self.look_up(homes, wanted).await?;
        batches.extend(keep::batches(noted, homes, || self.new_id()));
        unsorted.clear();
        Ok(())
    }

    /// Looks up the homes that are not known yet, off the threads that answer.
    async fn look_up(&self, homes: &mut Homes, wanted: Vec<Subject>) -> Result<(), String> {
        let (known, views) = (std::mem::take(homes), self.views.clone());
        let looked = tokio::task::spawn_blocking(move || known.look_up(&views, wanted)).await;
        let (known, found) = looked.map_err(|error| error.to_string())?;
        *homes = known;
        found.map_err(|error| error.to_string())
    }

    /// Notes a reading in the book.
    fn note(&self, key: Key, route: &str, as_of: u64) -> Result<(), Problem> {
        let noted = self.book.note(key, || named(route), as_of, self.house.now());
        noted.map_err(|refused| match refused {
            Refused::Full => Problem::busy("read_log_full", FULL),
            Refused::Unnamed => Problem::fault(format!("{route} cannot be recorded")),
        })
    }

    /// Writes one reading into the log at once.
    async fn record(&self, noted: Noted) -> Result<(), String> {
        let mut homes = Homes::default();
        let noted = keep::taken_apart(std::slice::from_ref(&noted));
        let wanted = noted.iter().filter_map(|(_, asked)| asked.home).collect();
        self.look_up(&mut homes, wanted).await?;
        let batches = keep::batches(noted, &homes, || self.new_id());
        let written = keep::write(&self.house, &batches).await;
        written.stuck.map_or(Ok(()), |stuck| Err(stuck.why))
    }

    /// Keeps what is to be told of an attempt, and says so where it went from well to not, or back.
    fn tell(&self, waiting: &Waiting, stuck: Option<&Stuck>) {
        let unsorted = waiting.unsorted.iter().map(|noted| noted.tally.first_at).min();
        let oldest = [unsorted, keep::oldest(&waiting.batches)].into_iter().flatten().min();
        let now = Told { failing: stuck.is_some(), oldest };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *told, now);
        drop(told);
        let pending = self.book.pending();
        match stuck {
            Some(Stuck { why, .. }) if !before.failing => {
                tracing::error!(why, pending, "what was read cannot be written down; it is kept");
            }
            None if before.failing => tracing::info!("what was read is written down again"),
            _ => (),
        }
        metrics::gauge!("assay_read_log_pending")
            .set(f64::from(u32::try_from(pending).unwrap_or(u32::MAX)));
    }

    /// A new id that sorts by time, of the house's clock.
    fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.house.now().as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid()
    }
}

/// The name of a route, as it is recorded.
fn named(route: &str) -> Option<Phrase> {
    Phrase::try_from(asked::question(route)).ok()
}
