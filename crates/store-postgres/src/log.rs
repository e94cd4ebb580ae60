//! The log on PostgreSQL: tables in one database, shared by all nodes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_store::fact::{NewFact, Recorded};
use assay_store::log::{
    Append, Appended, Direction, Expected, Followed, Log, LogError, Revision, Token, check_append,
    check_name,
};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::BoxStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::address::Address;
use crate::batch::{Answer, Chain, Wanted};
use crate::error::OpenError;
use crate::follow::{follow, listen};
use crate::options::{
    ENVELOPE_BYTES, IN_ORDER_APPENDS_MAX, IN_ORDER_BYTES_MAX, Options, PAGE_BYTES_MAX,
    PAGE_ENTRIES_MAX, QUEUE_BYTES_MAX,
};
use crate::readers::Readers;
use crate::rows::{count, recorded, select_entries, signed};
use crate::schema;
use crate::session::{Session, Wake};
use crate::stats::{Counters, Stats, add};
use crate::transaction;
use crate::writer::{Request, Writer};

/// A page of a stream, oldest first.
const FORWARD: &str = select_entries!(
    "FROM (SELECT e.*, sum(octet_length(data)) OVER (ORDER BY revision) - octet_length(data) AS
           bytes_before FROM (SELECT * FROM assay.entries WHERE stream = $1 AND revision >= $2
                              ORDER BY revision LIMIT $3) e) e
     WHERE bytes_before < $4 ORDER BY revision"
);
/// A page of a stream, newest first.
const BACKWARD: &str = select_entries!(
    "FROM (SELECT e.*, sum(octet_length(data)) OVER (ORDER BY revision DESC) - octet_length(data)
           AS bytes_before FROM (SELECT * FROM assay.entries WHERE stream = $1 AND revision <= $2
                                 ORDER BY revision DESC LIMIT $3) e) e
     WHERE bytes_before < $4 ORDER BY revision DESC"
);
const IS_THERE: &str = "SELECT EXISTS (SELECT FROM assay.entries WHERE stream = $1)";
const HEAD: &str = "SELECT position FROM assay.head WHERE one";

/// The log in a PostgreSQL database, 15 or newer, that [`prepare`](crate::prepare) made the tables
/// in. Every node has a handle of its own; they take turns.
///
/// A token is a position: dense, from 1, in the order of the commits. Acknowledged means on the
/// disk of the server, and of its standby where `synchronous_standby_names` names one. The leaf of
/// every fact is known when it is committed, so answers carry it.
///
/// **What is stored of `recorded_at`:** when a node's clock is behind that of another, a fact is
/// recorded with the time of the entry before it, so that time never decreases with the position.
///
/// **While the server is away**, reads and appends answer `Unavailable`. An append whose commit was
/// asked for and not answered has an unknown outcome; with the same ids it is asked again safely.
///
/// **After a failover** only what was acknowledged counts. A follower that saw more than the new
/// primary has is told so with `TokenAhead`. Connections go to the first host of the URL that
/// takes writes. Between the program and the server there may be no pooler that shares connections
/// between transactions.
///
/// Dropping it finishes what waits, in the background.
pub struct PostgresLog {
    readers: Arc<Readers>,
    wake: Wake,
    counters: Arc<Counters>,
    queued_bytes: Arc<AtomicUsize>,
    requests: mpsc::Sender<Request>,
    listener: JoinHandle<()>,
}

impl fmt::Debug for PostgresLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLog").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Drop for PostgresLog {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl PostgresLog {
    /// Opens the log of a database that was prepared; inside a tokio runtime.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let address = Address::of(&options)?;
        let readers = Arc::new(Readers::new(address.clone(), options.answer_max)?);
        schema::check(&readers).await?;
        let mut session =
            Session::open(&address, None).await.map_err(|trouble| trouble.for_opener())?;
        let prepared = transaction::prepare(&mut session).await;
        prepared.map_err(|error| crate::error::open_error(&error))?;

        let wake: Wake = Arc::new(watch::channel(0).0);
        let counters = Arc::new(Counters::default());
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        let writer = Writer {
            address: address.clone(),
            answer_max: options.answer_max,
            counters: counters.clone(),
            queued_bytes: queued_bytes.clone(),
            wake: wake.clone(),
            session: Some(session),
            away: None,
        };
        let (requests, receiver) = mpsc::channel(options.queue_appends_max.max(1));
        tokio::spawn(writer.run(receiver));
        let listener = tokio::spawn(listen(address, wake.clone()));
        Ok(Self { readers, wake, counters, queued_bytes, requests, listener })
    }

    /// What the writer counted since the log was opened.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// Hands an append to the writer, or turns it away when too much is waiting.
    fn send(&self, wanted: Wanted) -> Result<oneshot::Receiver<Answer>, LogError> {
        let turned_away = || {
            add(&self.counters.turned_away, 1);
            LogError::Unavailable { outcome_unknown: false }
        };
        let bytes = size(&wanted.facts);
        let (answer, answered) = oneshot::channel();
        if self.queued_bytes.fetch_add(bytes, Ordering::Relaxed) > QUEUE_BYTES_MAX {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(turned_away());
        }
        self.requests.try_send(Request { wanted, bytes, answer }).map_err(|_| {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            turned_away()
        })?;
        Ok(answered)
    }

    /// Keeps a bounded number of them waiting, so that the writer finds groups.
    async fn in_order(&self, appends: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        let chain = Chain::default();
        let mut answers = Vec::with_capacity(appends.len());
        let mut waiting: VecDeque<(oneshot::Receiver<Answer>, usize)> = VecDeque::new();
        let mut waiting_bytes = 0;
        let mut refused = None;
        for Append { stream, expected, facts } in appends {
            while waiting.len() >= IN_ORDER_APPENDS_MAX || waiting_bytes >= IN_ORDER_BYTES_MAX {
                let Some((next, bytes)) = waiting.pop_front() else { break };
                waiting_bytes -= bytes;
                answers.push(answer_of(next).await?);
            }
            let bytes = size(&facts);
            let chain = Some(Arc::clone(&chain));
            let sent = check(&stream, &facts)
                .and_then(|()| self.send(Wanted { stream, expected, facts, chain }));
            match sent {
                Ok(answered) => waiting.push_back((answered, bytes)),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
            waiting_bytes += bytes;
        }
        for (next, _) in waiting {
            answers.push(answer_of(next).await?);
        }
        refused.map_or(Ok(answers), Err)
    }

    async fn stream(
        &self,
        stream: &str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        check_name(stream)?;
        if has_zero(stream) {
            return Err(LogError::StreamNotFound);
        }
        let sql = match direction {
            Direction::Forward => FORWARD,
            Direction::Backward => BACKWARD,
        };
        let (mut read, mut from) = (Vec::new(), signed(from));
        while read.len() < limit {
            let most = i64::try_from(limit - read.len()).unwrap_or(i64::MAX).min(PAGE_ENTRIES_MAX);
            let rows = self.readers.query(sql, &[&stream, &from, &most, &PAGE_BYTES_MAX]).await;
            let rows = rows.map_err(|trouble| trouble.for_log())?;
            let Some(last) = rows.last() else { break };
            let last = signed(count(last, 2)?);
            for row in &rows {
                read.push(recorded(row)?);
            }
            let next = match direction {
                Direction::Forward => last.checked_add(1),
                Direction::Backward => last.checked_sub(1).filter(|next| *next >= 0),
            };
            let Some(next) = next else { break };
            from = next;
        }
        if read.is_empty() {
            let rows = self.readers.query(IS_THERE, &[&stream]).await;
            let rows = rows.map_err(|trouble| trouble.for_log())?;
            let is_there = rows.first().map(|row| crate::rows::value(row, 0)).transpose()?;
            if is_there != Some(true) {
                return Err(LogError::StreamNotFound);
            }
        }
        Ok(read)
    }

    async fn last(&self) -> Result<Option<Token>, LogError> {
        let rows = self.readers.query(HEAD, &[]).await.map_err(|trouble| trouble.for_log())?;
        let gone = || LogError::Corrupt("the log has no head".to_owned());
        let position = count(rows.first().ok_or_else(gone)?, 0)?;
        Ok((position > 0).then_some(Token(position)))
    }
}

fn size(facts: &[NewFact]) -> usize {
    facts.iter().map(|fact| fact.data.len() + ENVELOPE_BYTES).sum()
}

fn has_zero(name: &str) -> bool {
    name.contains('\0')
}

/// What the contract refuses, and the one thing besides that a text column cannot hold.
fn check(stream: &str, facts: &[NewFact]) -> Result<(), LogError> {
    check_append(stream, facts)?;
    if has_zero(stream) || facts.iter().any(|fact| has_zero(&fact.name)) {
        return Err(LogError::Invalid("PostgreSQL holds no name with a zero byte".to_owned()));
    }
    Ok(())
}

async fn answer_of(answered: oneshot::Receiver<Answer>) -> Answer {
    // The writer is gone without an answer: it may have committed before.
    answered.await.unwrap_or(Err(LogError::Unavailable { outcome_unknown: true }))
}

impl Log for PostgresLog {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        async move {
            check(stream, &facts)?;
            let stream = stream.to_owned();
            answer_of(self.send(Wanted { stream, expected, facts, chain: None })?).await
        }
        .boxed()
    }

    fn append_in_order(
        &self,
        appends: Vec<Append>,
    ) -> BoxFuture<'_, Result<Vec<Appended>, LogError>> {
        self.in_order(appends).boxed()
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        self.stream(stream, from, direction, limit).boxed()
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        follow(Arc::clone(&self.readers), self.wake.subscribe(), after)
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        self.last().boxed()
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        schema::log_id(&self.readers).boxed()
    }
}
