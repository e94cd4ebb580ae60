//! A log, read in its order up to the head it had when the reading began.

use std::time::Duration;

use assay_store::fact::Recorded;
use assay_store::log::{Followed, Log, LogError, Token};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

/// How often in a row a log that is away is asked again.
pub(super) const TRIES_MAX: u32 = 5;
/// How long is waited before each of these.
pub(super) const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 500 });

/// Reads a log; what comes into it meanwhile is left out.
pub(super) struct Reading<'a> {
    log: &'a dyn Log,
    after: Option<Token>,
    until: Option<Token>,
    stream: Option<BoxStream<'static, Result<Followed, LogError>>>,
    failures: u32,
}

impl<'a> Reading<'a> {
    /// Everything that is in a log now.
    pub(super) async fn whole(log: &'a dyn Log) -> Result<Self, LogError> {
        Ok(Self::between(log, None, log.head().await?))
    }

    /// What stands after one token, up to another that is in the log already; nothing where there is no other.
    pub(super) fn between(log: &'a dyn Log, after: Option<Token>, until: Option<Token>) -> Self {
        Self { log, after, until, stream: None, failures: 0 }
    }

    /// The next fact, or nothing at the end. A log that goes away for a moment is followed from where it was.
    pub(super) async fn next(&mut self) -> Result<Option<Recorded>, LogError> {
        while self.after < self.until {
            let (log, after) = (self.log, self.after);
            let stream = self.stream.get_or_insert_with(|| log.follow(after));
            let heard = stream.next().await;
            match heard.unwrap_or(Err(LogError::Unavailable { outcome_unknown: false })) {
                Ok(Followed::Fact(recorded)) => {
                    self.failures = 0;
                    self.after = Some(recorded.token);
                    // A log whose head is no longer the token of a fact has nothing more for us.
                    return Ok(Some(*recorded).filter(|fact| Some(fact.token) <= self.until));
                }
                Ok(Followed::Progress(token)) => self.after = self.after.max(Some(token)),
                Ok(Followed::CaughtUp) if self.after < self.until => {
                    let words = "following it ends before the head that it names";
                    return Err(LogError::Corrupt(words.to_owned()));
                }
                Ok(Followed::CaughtUp) => {}
                Err(LogError::Unavailable { .. }) if self.failures < TRIES_MAX => {
                    self.failures = self.failures.saturating_add(1);
                    self.stream = None;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// How many entries there will be, given how many there were: exact where tokens have no gaps, else a guess
    /// for a progress bar, as tokens grow about evenly.
    pub(super) fn total(&self, done: u64) -> u64 {
        let (Some(Token(until)), Some(Token(after))) = (self.until, self.after) else {
            return done;
        };
        let scaled = u128::from(done).saturating_mul(u128::from(until));
        let guess = scaled.checked_div(u128::from(after)).unwrap_or_default();
        u64::try_from(guess).unwrap_or(u64::MAX).max(done)
    }
}
