//! Following the log for ever: polling is the truth, a notification only wakes sooner.

use std::collections::VecDeque;
use std::sync::Arc;

use assay_store::log::{Followed, LogError, Token};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::watch;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::address::Address;
use crate::options::{BACKOFF_MAX, BACKOFF_MIN, PAGE_BYTES_MAX, PAGE_ENTRIES_MAX, POLL_EVERY};
use crate::readers::Readers;
use crate::rows::{count, recorded, select_entries, signed, value};
use crate::session::{Session, Trouble, Wake};
use crate::writer::jittered;

/// The head, and what stands at a position.
const LOOK: &str = "SELECT position, (SELECT id FROM assay.entries WHERE position = $1)
    FROM assay.head WHERE one";
/// A page: as many as fit, and always one.
const PAGE: &str = select_entries!(
    "FROM (SELECT e.*, sum(octet_length(data)) OVER (ORDER BY position) - octet_length(data) AS
           bytes_before FROM (SELECT * FROM assay.entries WHERE position > $1
                              ORDER BY position LIMIT $2) e) e
     WHERE bytes_before < $3 ORDER BY position"
);

struct Follower {
    readers: Arc<Readers>,
    wake: watch::Receiver<u64>,
    after: u64,
    /// The last fact seen, by which a log that was rewound and grew again is known.
    last: Option<Uuid>,
    /// The head at subscription time, until it was reached and said so.
    target: Option<u64>,
    is_started: bool,
    is_ended: bool,
    ready: VecDeque<Followed>,
}

/// Every entry after a token, in order, then those to come. An error is the last thing it says.
pub(crate) fn follow(
    readers: Arc<Readers>,
    wake: watch::Receiver<u64>,
    after: Option<Token>,
) -> BoxStream<'static, Result<Followed, LogError>> {
    let follower = Follower {
        readers,
        wake,
        after: after.map_or(0, |token| token.0),
        last: None,
        target: None,
        is_started: false,
        is_ended: false,
        ready: VecDeque::new(),
    };
    stream::unfold(follower, |mut follower| async move {
        if follower.is_ended {
            return None;
        }
        let item = follower.next().await;
        follower.is_ended = item.is_err();
        Some((item, follower))
    })
    .boxed()
}

impl Follower {
    async fn next(&mut self) -> Result<Followed, LogError> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            // What is written from here on wakes us, also while we read.
            self.wake.mark_unchanged();
            let head = self.look().await?;
            if head > self.after {
                self.page().await?;
            }
            if self.target.is_some_and(|target| self.after >= target) {
                self.target = None;
                self.ready.push_back(Followed::CaughtUp);
            }
            if self.ready.is_empty() {
                self.wait().await;
            }
        }
    }

    /// Answers the head. A follower that knows more than the log must stop (L13); so must one that
    /// knows another fact where it stands: a failover lost what it saw and others took its place.
    async fn look(&mut self) -> Result<u64, LogError> {
        let rows = self.readers.query(LOOK, &[&signed(self.after)]).await;
        let rows = rows.map_err(|trouble| trouble.for_log())?;
        let gone = || LogError::Corrupt("the log has no head".to_owned());
        let row: &Row = rows.first().ok_or_else(gone)?;
        let (head, here) = (count(row, 0)?, value::<Option<Uuid>>(row, 1)?);
        if self.after > head || (self.last.is_some() && self.last != here) {
            tracing::error!(after = self.after, head, "the log was rewound or replaced");
            return Err(LogError::TokenAhead);
        }
        if !self.is_started {
            self.is_started = true;
            self.target = Some(head);
            self.last = here;
        }
        Ok(head)
    }

    async fn page(&mut self) -> Result<(), LogError> {
        let after = signed(self.after);
        let rows = self.readers.query(PAGE, &[&after, &PAGE_ENTRIES_MAX, &PAGE_BYTES_MAX]).await;
        let rows = rows.map_err(|trouble| trouble.for_log())?;
        if rows.is_empty() {
            return Err(LogError::Corrupt(format!("nothing follows entry {}", self.after)));
        }
        for row in rows {
            let fact = recorded(&row)?;
            if fact.token.0 != self.after + 1 {
                let what = format!("entry {} follows entry {}", fact.token.0, self.after);
                return Err(LogError::Corrupt(what));
            }
            self.after = fact.token.0;
            self.last = Some(fact.fact.id);
            self.ready.push_back(Followed::Fact(Box::new(fact)));
        }
        self.ready.push_back(Followed::Progress(Token(self.after)));
        Ok(())
    }

    async fn wait(&mut self) {
        let woken = tokio::time::timeout(POLL_EVERY, self.wake.changed()).await;
        if matches!(woken, Ok(Err(_))) {
            // Nobody is left to wake us.
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}

/// Listens for notifications on a connection of its own, for all followers, until it is aborted.
/// While it is away, followers poll.
pub(crate) async fn listen(address: Address, wake: Wake) {
    let mut backoff = BACKOFF_MIN;
    loop {
        match listen_once(&address, &wake).await {
            Ok(()) => backoff = BACKOFF_MIN,
            Err(trouble) => {
                tracing::debug!(error = trouble.told(), "not listening for notifications");
                backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
            }
        }
        tokio::time::sleep(jittered(backoff)).await;
    }
}

/// Ends when the connection does.
async fn listen_once(address: &Address, wake: &Wake) -> Result<(), Trouble> {
    let session = Session::open(address, Some(wake)).await?;
    session.client.batch_execute("LISTEN assay_head").await?;
    while !session.is_closed() {
        // Nothing to do but to notice the end; notifications are heard by the session's own task.
        tokio::time::sleep(BACKOFF_MAX).await;
    }
    Ok(())
}
