//! One time of following the log: the check, then batch after batch, until something ends it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use assay_store::log::{Followed, LogError, Token};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::batch::{Batch, Part};
use crate::overlap::{self, End, Refused, diverged};
use crate::shared::Shared;
use crate::stopped;

/// How long the check before following may take.
const CHECK_WAIT: Duration = Duration::from_secs(30);
/// How many items are taken from the log at once without letting others run.
const READY_MAX: usize = 1_000;
/// How often it is noted how far the log was followed, while no facts come.
const NOTE_EVERY: Duration = Duration::from_secs(10);

/// Why following ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It is to be stopped.
    Stopped,
    /// The log or the disk is not to be had now.
    Away(String),
    /// Something looks odd: check again.
    Again(&'static str),
    /// The journal contradicts the log.
    Diverged(String),
}

impl Ended {
    /// What an error of the log upstream means for following it.
    fn by_upstream(error: &LogError, position: u64) -> Self {
        match error {
            LogError::TokenAhead => Self::Diverged(overlap::behind(position)),
            LogError::Corrupt(_) => Self::Diverged(format!("the log upstream: {error}")),
            LogError::Conflict { .. }
            | LogError::StreamNotFound
            | LogError::Invalid(_)
            | LogError::TooLarge
            | LogError::Unavailable { .. }
            | LogError::Full
            | LogError::Denied => Self::Away(format!("the log upstream: {error}")),
        }
    }

    /// What an error of reading this node's journal means.
    fn by_journal(error: &LogError) -> Self {
        let why = format!("this node's journal: {error}");
        if matches!(error, LogError::Corrupt(_)) { Self::Diverged(why) } else { Self::Away(why) }
    }

    /// What it means that facts were not taken.
    fn by_taking(error: &LogError) -> Self {
        match error {
            LogError::Corrupt(why) | LogError::Invalid(why) => Self::Diverged(diverged(&format!(
                "the facts that follow upstream do not continue this node's journal ({why})"
            ))),
            _ => Self::by_journal(error),
        }
    }
}

/// A batch on its way into the journal.
struct Taking {
    up_to: Token,
    facts: usize,
    last: Option<Token>,
    caught_up: bool,
    answer: BoxFuture<'static, Result<u64, LogError>>,
}

/// One time of following.
pub(crate) struct Following {
    shared: Arc<Shared>,
    facts: BoxStream<'static, Result<Followed, LogError>>,
    batch: Batch,
    heard: bool,
    noted: Instant,
}

impl Following {
    /// Checks that the log is the one this journal copies, and follows it from where it was left.
    pub(crate) async fn start(shared: &Arc<Shared>) -> Result<Self, Ended> {
        let late = || Ended::Away(format!("the log upstream gave no answer in {CHECK_WAIT:?}"));
        timeout(CHECK_WAIT, Self::check(shared)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn check(shared: &Arc<Shared>) -> Result<Self, Ended> {
        let journal = shared.journal.clone();
        let end = tokio::task::spawn_blocking(move || End::of(&*journal)).await;
        let end = end.map_err(|error| Ended::Away(format!("this node's journal: {error}")))?;
        let end = end.map_err(|error| Ended::by_journal(&error))?;
        match overlap::check(&*shared.upstream, &end).await {
            Ok(()) => {}
            Err(Refused::Other(why)) => return Err(Ended::Diverged(why)),
            Err(Refused::Upstream(error)) => return Err(Ended::by_upstream(&error, end.position)),
        }
        shared.checked(&end);
        Ok(Self {
            shared: shared.clone(),
            facts: shared.upstream.follow(end.followed),
            batch: Batch::after(end.followed),
            heard: false,
            noted: Instant::now(),
        })
    }

    /// Takes what comes until something ends it; what came before that is in the journal then.
    ///
    /// While a batch is on its way the next one gathers: alone when little comes, so that the lag
    /// stays low, and full when much does.
    pub(crate) async fn run(mut self, stop: &mut watch::Receiver<bool>) -> Ended {
        let mut look_again = self.shared.look_again.subscribe();
        let mut taking: Option<Taking> = None;
        let mut ended: Option<Ended> = None;
        loop {
            if taking.is_none() {
                if ended.is_none() {
                    ended = self.gather();
                }
                taking = self.take(ended.is_some());
                if taking.is_none()
                    && let Some(ended) = ended
                {
                    return ended;
                }
            }
            let open = ended.is_none();
            tokio::select! {
                biased;
                () = stopped(stop), if open => {
                    self.batch.clear();
                    ended = Some(Ended::Stopped);
                }
                answer = answer_of(taking.as_mut()), if taking.is_some() => {
                    if let Some(taken) = taking.take()
                        && let Err(failed) = self.taken(&taken, answer)
                    {
                        return failed;
                    }
                }
                Ok(()) = look_again.changed(), if open => {
                    ended = Some(Ended::Again(*look_again.borrow_and_update()));
                }
                item = self.facts.next(), if open && self.batch.has_room() => {
                    ended = self.put(item);
                }
            }
        }
    }

    /// Puts what is there already into the batch.
    fn gather(&mut self) -> Option<Ended> {
        for _ in 0..READY_MAX {
            if !self.batch.has_room() {
                return None;
            }
            let item = self.facts.next().now_or_never()?;
            if let Some(ended) = self.put(item) {
                return Some(ended);
            }
        }
        None
    }

    /// Puts the next item into the batch.
    fn put(&mut self, item: Option<Result<Followed, LogError>>) -> Option<Ended> {
        let item = match item {
            None => {
                return Some(Ended::Away("the log upstream ended what it was saying".to_owned()));
            }
            Some(Err(error)) => {
                return Some(Ended::by_upstream(&error, self.shared.place().position));
            }
            Some(Ok(item)) => item,
        };
        if !self.heard {
            self.heard = true;
            self.shared.heard();
        }
        match item {
            Followed::Fact(fact) => {
                let token = fact.token;
                if !self.batch.add(*fact) {
                    let what = format!("the log upstream says {token:?} after what lies beyond it");
                    return Some(Ended::Diverged(diverged(&what)));
                }
            }
            Followed::Progress(token) => self.batch.followed(token),
            Followed::CaughtUp => self.batch.caught_up(),
        }
        None
    }

    /// Sends what is in the batch on its way, if there is something to take.
    fn take(&mut self, ending: bool) -> Option<Taking> {
        if self.batch.is_empty() {
            let seen = self.batch.seen();
            self.shared.followed(seen);
            if self.batch.take_caught_up() {
                self.shared.caught_up();
            }
            // A place alone is worth a write now and then only.
            let worth = seen > self.shared.noted() && self.noted.elapsed() >= NOTE_EVERY;
            if ending || !worth {
                return None;
            }
        }
        let Part { facts, up_to, caught_up } = self.batch.drain()?;
        self.noted = Instant::now();
        let (count, last) = (facts.len(), facts.last().map(|fact| fact.token));
        let journal = self.shared.journal.clone();
        let answer = async move { journal.take(facts, up_to).await }.boxed();
        Some(Taking { up_to, facts: count, last, caught_up, answer })
    }

    /// Notes what came of a batch.
    fn taken(&self, taking: &Taking, answer: Result<u64, LogError>) -> Result<(), Ended> {
        let head = answer.map_err(|error| Ended::by_taking(&error))?;
        let count = u64::try_from(taking.facts).unwrap_or(u64::MAX);
        let before = self.shared.place().position;
        if head != before.saturating_add(count) {
            let what =
                format!("after entry {before} came {count} facts, and the journal is at {head}");
            return Err(Ended::Diverged(format!(
                "somebody else writes into this node's journal: {what}. Stop this node and check its journal"
            )));
        }
        self.shared.taken(head, count, taking.last, taking.up_to);
        if taking.caught_up {
            self.shared.caught_up();
        }
        Ok(())
    }
}

/// Waits for the answer of what is on its way.
async fn answer_of(taking: Option<&mut Taking>) -> Result<u64, LogError> {
    match taking {
        Some(taking) => Pin::new(&mut taking.answer).await,
        None => std::future::pending().await,
    }
}
