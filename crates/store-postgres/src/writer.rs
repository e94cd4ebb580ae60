//! The one task that writes: it takes what is waiting, commits it in one transaction, then answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use assay_store::log::LogError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::address::Address;
use crate::batch::{Answer, Wanted};
use crate::options::{AWAY_MAX, BACKOFF_MAX, BACKOFF_MIN, GROUP_APPENDS_MAX, GROUP_BYTES_MAX};
use crate::session::{Session, Trouble, Wake};
use crate::stats::{Counters, add};
use crate::transaction::{Stopped, transaction};

/// An append that waits, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) wanted: Wanted,
    pub(crate) bytes: usize,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// All that the task owns.
pub(crate) struct Writer {
    pub(crate) address: Address,
    pub(crate) answer_max: Duration,
    pub(crate) counters: Arc<Counters>,
    pub(crate) queued_bytes: Arc<AtomicUsize>,
    pub(crate) wake: Wake,
    /// Nothing after it failed, until the next one is made.
    pub(crate) session: Option<Session>,
    pub(crate) away: Option<Away>,
}

/// The server cannot be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Away {
    since: Instant,
    next_try: Instant,
    backoff: Duration,
}

impl Away {
    fn now() -> Self {
        let now = Instant::now();
        Self { since: now, next_try: now, backoff: BACKOFF_MIN }
    }

    /// The next attempt comes later, and not for all nodes at the same moment.
    fn failed(&mut self) {
        self.next_try = Instant::now() + jittered(self.backoff);
        self.backoff = self.backoff.saturating_mul(2).min(BACKOFF_MAX);
    }
}

/// Between half of a time and all of it.
pub(crate) fn jittered(time: Duration) -> Duration {
    let half = time / 2;
    half + half.mul_f64(rand::random::<f64>())
}

impl Writer {
    /// Works until nobody can send any more.
    pub(crate) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.recv().await {
            let mut bytes = first.bytes;
            let mut group = vec![first];
            while group.len() < GROUP_APPENDS_MAX && bytes < GROUP_BYTES_MAX {
                // No waiting for more: what came in during the last commit is the natural group.
                let Ok(next) = requests.try_recv() else { break };
                bytes += next.bytes;
                group.push(next);
            }
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.serve(group).await;
        }
    }

    async fn serve(&mut self, group: Vec<Request>) {
        let (wanted, senders): (Vec<Wanted>, Vec<_>) =
            group.into_iter().map(|request| (request.wanted, request.answer)).unzip();
        add(&self.counters.groups, 1);
        let answers = match self.commit_once(&wanted).await {
            Ok(answers) => answers,
            Err(refused) => wanted.iter().map(|_| Err(refused.clone())).collect(),
        };
        for ((wanted, sender), answer) in wanted.iter().zip(senders).zip(answers) {
            if let (Some(chain), Err(_)) = (&wanted.chain, &answer) {
                chain.store(true, Ordering::Release);
            }
            // Whoever went away does not need the answer.
            let _gone = sender.send(answer);
        }
    }

    /// All answers, or the one that everybody gets.
    async fn commit_once(&mut self, wanted: &[Wanted]) -> Result<Vec<Answer>, LogError> {
        let mut is_fresh = false;
        loop {
            let mut session = self.session(&mut is_fresh).await?;
            let stopped = match transaction(&mut session, self.answer_max, wanted).await {
                Ok(done) => {
                    if done.is_reusable {
                        self.session = Some(session);
                    }
                    self.note(wanted, &done.written);
                    return Ok(done.answers);
                }
                Err(stopped) => stopped,
            };
            match stopped {
                // The connection was stale; nothing of this was written.
                Stopped::Before(trouble) if trouble.is_lost() && !is_fresh => {}
                Stopped::Before(trouble) => {
                    if matches!(trouble, Trouble::Silent) {
                        self.address.turn();
                    }
                    add(&self.counters.unwritten, wanted.len());
                    return Err(trouble.for_log());
                }
                Stopped::Unknown(why) => {
                    self.address.turn();
                    tracing::error!(why, "whether appends were committed is not known");
                    add(&self.counters.unknown, 1);
                    add(&self.counters.unwritten, wanted.len());
                    return Err(LogError::Unavailable { outcome_unknown: true });
                }
            }
        }
    }

    fn note(&self, wanted: &[Wanted], written: &Written) {
        add(&self.counters.commits, usize::from(written.is_committed));
        add(&self.counters.appends, written.appends);
        add(&self.counters.facts, written.facts);
        add(&self.counters.unwritten, wanted.len() - written.appends);
        if written.facts > 0 {
            // Sooner than the notification, and without it where that connection is away.
            self.wake.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// The connection, or a new one. While the server is away, whoever asks waits a little at
    /// first (a standby may take over) and later not at all, but for the one who tries.
    async fn session(&mut self, is_fresh: &mut bool) -> Result<Session, LogError> {
        if let Some(session) = self.session.take().filter(|session| !session.is_closed()) {
            return Ok(session);
        }
        *is_fresh = true;
        let mut away = self.away.unwrap_or_else(Away::now);
        loop {
            let mut refused = LogError::Unavailable { outcome_unknown: false };
            if away.next_try <= Instant::now() {
                match Session::open(&self.address, None).await {
                    Ok(session) => {
                        self.away = None;
                        add(&self.counters.reconnects, 1);
                        return Ok(session);
                    }
                    Err(trouble) => refused = trouble.for_log(),
                }
                away.failed();
            }
            self.away = Some(away);
            if away.next_try > away.since + AWAY_MAX || refused == LogError::Denied {
                return Err(refused);
            }
            tokio::time::sleep_until(away.next_try).await;
        }
    }
}

/// What a transaction wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) appends: usize,
    pub(crate) facts: usize,
    pub(crate) is_committed: bool,
}
