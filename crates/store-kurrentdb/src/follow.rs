//! A follower: every fact after a place, in order, then those to come, by looking again and again.

use std::collections::VecDeque;
use std::time::Duration;

use assay_store::log::{Followed, LogError, Token};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::watch;

use crate::connection::Connection;
use crate::error::{Trouble, while_reading};
use crate::reads::Found;
use crate::tail::Tail;
use crate::wire;

/// How soon a follower looks again right after something came.
pub const LOOK_PAUSE_MIN: Duration = Duration::from_millis(10);
/// How long it waits between two looks at most, where nothing big is the last event.
pub const LOOK_PAUSE_MAX: Duration = Duration::from_millis(100);
/// A look brings the last event of `$all`: so many bytes of it cost a millisecond of pause.
const LOOK_BYTES_PER_MS: usize = 1_000;
/// How often a log that ends before the follower's place is looked at before it is believed.
const AHEAD_LOOKS: u32 = 5;

/// Every fact after a token, for ever. An error is the last thing it says.
///
/// Reads where it is polled, one page at a time: a slow follower costs one page of memory (L16).
pub(crate) fn follow(
    connection: Connection,
    prefix: String,
    after: Option<Token>,
) -> BoxStream<'static, Result<Followed, LogError>> {
    let wakes = connection.wakes();
    let tail = Tail::new(connection.clone(), prefix.clone(), after.map(|token| token.0));
    let follower = Follower {
        connection,
        prefix,
        tail,
        wakes,
        pause: LOOK_PAUSE_MIN,
        first: None,
        target: None,
        any: after.is_some(),
        ready: VecDeque::new(),
        stage: Stage::New,
    };
    stream::unfold(follower, |mut follower| async move {
        if follower.stage == Stage::Ended {
            return None;
        }
        let item = follower.next().await;
        if item.is_err() {
            follower.stage = Stage::Ended;
        }
        Some((item.map_err(while_reading_on), follower))
    })
    .boxed()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Following,
    CaughtUp,
    Ended,
}

/// Why a follower ends.
enum Stop {
    Ahead,
    Trouble(Trouble),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

fn while_reading_on(stop: Stop) -> LogError {
    match stop {
        Stop::Ahead => LogError::TokenAhead,
        // Streams come and go elsewhere in `$all`; that none is there is no answer to a follower.
        Stop::Trouble(Trouble::Missing) => LogError::Unavailable { outcome_unknown: false },
        Stop::Trouble(trouble) => while_reading(trouble),
    }
}

struct Follower {
    connection: Connection,
    prefix: String,
    tail: Tail,
    wakes: watch::Receiver<u64>,
    pause: Duration,
    /// The last event of `$all` at subscription time, for the first look.
    first: Option<Found>,
    /// Where that stands.
    target: Option<u64>,
    /// Whether there is a fact at or before the place. As long as there is none, no place is told:
    /// so in an empty log every token is ahead.
    any: bool,
    ready: VecDeque<Followed>,
    stage: Stage,
}

impl Follower {
    async fn next(&mut self) -> Result<Followed, Stop> {
        if self.stage == Stage::New {
            self.start().await?;
            self.stage = Stage::Following;
        }
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            self.look().await?;
        }
    }

    /// Notes where «caught up» is; a follower that knows more than the log must stop (L13).
    async fn start(&mut self) -> Result<(), Stop> {
        self.first = self.settled_head().await?;
        self.target = self.first.as_ref().map(|head| head.position.commit);
        if self.any && self.connection.last_of_all(Some(&self.prefix)).await?.is_none() {
            return Err(Stop::Ahead);
        }
        Ok(())
    }

    /// The last event of `$all`, which is not before our place: looked at more than once before a
    /// log counts as rewound.
    async fn settled_head(&mut self) -> Result<Option<Found>, Stop> {
        // What is appended after this wakes us, even if it is appended before we wait.
        self.wakes.mark_unchanged();
        for look in 1..=AHEAD_LOOKS {
            let head = self.tail.head().await?;
            if head.as_ref().map(|head| head.position.commit) >= self.tail.place() {
                return Ok(head);
            }
            if look < AHEAD_LOOKS {
                tokio::time::sleep(LOOK_PAUSE_MAX).await;
            }
        }
        Err(Stop::Ahead)
    }

    async fn look(&mut self) -> Result<(), Stop> {
        let head = match self.first.take() {
            Some(head) => Some(head),
            None => self.settled_head().await?,
        };
        let before = self.tail.place();
        if let Some(head) = head.as_ref().filter(|head| !self.tail.reached(head)) {
            let read = match self.tail.towards(head).await {
                // No event begins at our place: this log never was there.
                Err(Trouble::Refused(_)) if before.is_some() => return Err(Stop::Ahead),
                read => read?,
            };
            for found in read {
                let fact = wire::recorded(&self.prefix, found)?;
                self.connection.saw(fact.token.0);
                self.any = true;
                self.ready.push_back(Followed::Fact(Box::new(fact)));
            }
        }
        let place = self.tail.place();
        if let Some(place) = place.filter(|_| self.any && place > before) {
            self.ready.push_back(Followed::Progress(Token(place)));
        }
        if self.stage == Stage::Following && place >= self.target {
            self.stage = Stage::CaughtUp;
            self.ready.push_back(Followed::CaughtUp);
        }
        if place > before {
            self.pause = LOOK_PAUSE_MIN;
        } else if self.ready.is_empty() {
            self.wait(head.map_or(0, |head| head.data.len())).await;
        }
        Ok(())
    }

    async fn wait(&mut self, bytes: usize) {
        let ms = u64::try_from(bytes / LOOK_BYTES_PER_MS).unwrap_or(u64::MAX);
        let pause = self.pause.max(Duration::from_millis(ms));
        self.pause = self.pause.saturating_mul(2).min(LOOK_PAUSE_MAX);
        // Either way it is time to look; the sender lives as long as the connection we hold.
        _ = tokio::time::timeout(pause, self.wakes.changed()).await;
    }
}
