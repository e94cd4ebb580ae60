//! KurrentDB as the log.

use assay_store::fact::{NewFact, Recorded};
use assay_store::log::{
    Appended, Direction, Expected, Followed, Log, LogError, Revision, Token, check_append,
    check_name,
};
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use futures_util::stream::BoxStream;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::append;
use crate::birth::log_id_at;
use crate::connection::Connection;
use crate::error::{OpenError, Trouble, while_reading};
use crate::follow;
use crate::options::Options;
use crate::reads::{From, PAGE_EVENTS};
use crate::wire;

/// How many appends are under way at once.
const APPENDS_IN_FLIGHT_MAX: usize = 64;
/// The greatest revision the server knows.
const REVISION_MAX: Revision = i64::MAX.cast_unsigned();

/// The log on KurrentDB.
///
/// A token is a place in `$all` in bytes: ordered and sparse. Acknowledged means what it means to
/// the cluster: on the disks of most nodes. The server allows 1 MiB for an append with envelopes
/// and names: one that is at the contract's limits in facts and in bytes, and whose facts have long
/// names, is `TooLarge` to the server only.
///
/// **A backup that was restored** has the id of the log it was made of: whoever restores one makes
/// journals anew, unless a follower finds out by itself because its place is beyond the log's end.
#[derive(Debug)]
pub struct KurrentLog {
    options: Options,
    connection: Connection,
    prefix: String,
    log_id: Uuid,
    waiting: Semaphore,
    in_flight: Semaphore,
}

impl KurrentLog {
    /// Opens the log that [`crate::prepare`] made.
    ///
    /// # Errors
    ///
    /// `NotPrepared` where there is none; otherwise as [`OpenError`] says.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let names = options.names()?;
        let connection = Connection::open(&options).await?;
        let log_id = log_id_at(&connection, &names).await?;
        let waiting = options.queue_appends_max.min(Semaphore::MAX_PERMITS);
        let log = Self {
            options,
            connection,
            prefix: names.log(),
            log_id,
            waiting: Semaphore::new(waiting),
            in_flight: Semaphore::new(APPENDS_IN_FLIGHT_MAX),
        };
        if let Some(head) = log.last_token().await? {
            log.connection.saw(head.0);
        }
        Ok(log)
    }

    /// What it was opened with.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// How many connections there were so far: one more each time a client had died.
    pub fn connections(&self) -> u64 {
        self.connection.clients()
    }

    async fn last_token(&self) -> Result<Option<Token>, Trouble> {
        let last = self.connection.last_of_all(None).await?;
        let last = match last {
            Some(last) if !last.stream.starts_with(&self.prefix) => {
                self.connection.last_of_all(Some(&self.prefix)).await?
            }
            last => last,
        };
        last.map(|last| last.token().map(Token)).transpose()
    }

    async fn append_one(
        &self,
        stream: &str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> Result<Appended, LogError> {
        check_append(stream, &facts)?;
        let full = LogError::Unavailable { outcome_unknown: false };
        let _waiting = self.waiting.try_acquire().map_err(|_| full.clone())?;
        let _flying = self.in_flight.acquire().await.map_err(|_| full)?;
        append::append(&self.connection, &self.prefix, stream, expected, &facts).await
    }

    async fn read(
        &self,
        stream: &str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        check_name(stream)?;
        let stream = format!("{}{stream}", self.prefix);
        let mut facts = Vec::new();
        let mut next = match direction {
            Direction::Forward if from > REVISION_MAX || limit == 0 => None,
            Direction::Forward => Some(From::Forward(from)),
            Direction::Backward => self.backward_from(&stream, from, limit).await?,
        };
        if next.is_none()
            && self.connection.last_of(&stream).await.map_err(while_reading)?.is_none()
        {
            return Err(LogError::StreamNotFound);
        }
        while let Some(from) = next.take() {
            let wanted = limit.saturating_sub(facts.len()).min(PAGE_EVENTS);
            let page = self.connection.page_of(&stream, from, wanted).await;
            let page = page.map_err(while_reading)?;
            // Short or not, a page is not the end unless the server says so or it is empty.
            next = page.events.last().map(|last| last.revision).and_then(|last| match from {
                From::Forward(_) if page.end => None,
                From::Forward(_) => Some(From::Forward(last.saturating_add(1))),
                From::Backward(_) | From::End => last.checked_sub(1).map(From::Backward),
            });
            for found in page.events {
                facts.push(wire::recorded(&self.prefix, found)?);
            }
            if facts.len() >= limit {
                break;
            }
        }
        Ok(facts)
    }

    /// Where to begin going back: not beyond the end, whatever a server makes of that.
    async fn backward_from(
        &self,
        stream: &str,
        from: Revision,
        limit: usize,
    ) -> Result<Option<From>, LogError> {
        if limit == 0 {
            return Ok(None);
        }
        let last = self.connection.last_of(stream).await.map_err(while_reading)?;
        let last = last.ok_or(LogError::StreamNotFound)?.revision;
        Ok(Some(From::Backward(from.min(last))))
    }
}

impl Log for KurrentLog {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        self.append_one(stream, expected, facts).boxed()
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        self.read(stream, from, direction, limit).boxed()
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        follow::follow(self.connection.clone(), self.prefix.clone(), after)
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        async { self.last_token().await.map_err(while_reading) }.boxed()
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        ready(Ok(self.log_id)).boxed()
    }
}
