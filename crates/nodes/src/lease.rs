//! One runner among the nodes: a lease in the shared vault, for work that must not run on every node at once.
//!
//! No two clocks are compared. Who holds the lease writes its secret anew every [`Times::renew`]; each
//! writing names the version it replaces, so that only one of two can succeed. Whoever waits takes it over
//! after seeing the same version for [`Times::expire`] by its own clock; who could not renew it for half of
//! that gives it up before. So there are moments without a runner, and none with two, as long as nobody's
//! clock or executor stands still for the other half.
//!
//! A lease is given back by writing that it is free. Its secret is never dropped: versions would start anew,
//! and one seen before a drop could be mistaken for another after it.

use std::sync::Arc;
use std::time::Duration;

use assay_store::vault::{Secret, Vault, VaultError};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use crate::stopped;

/// How often giving back is tried.
const RELEASES_MAX: usize = 2;

/// How often a lease is renewed and when it is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// How often who holds it renews it, and who waits looks at it.
    pub renew: Duration,
    /// How long it stands unrenewed until another takes it: at least four times `renew`.
    pub expire: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { renew: Duration::from_secs(5), expire: Duration::from_secs(20) }
    }
}

/// What is stored of a lease, as JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// The node that holds it; nothing where it is free.
    #[serde(default)]
    holder: Option<Uuid>,
    /// One run of that node: it knows itself again by it, and its successor after a crash is another.
    run: Uuid,
}

/// What came of a renewal.
enum Renewal {
    /// It holds; it was asked for at this instant.
    Holds(u64, Instant),
    /// An answer was lost: it is ours at this version.
    Ours(u64),
    /// Another has it.
    Lost,
    /// The vault did not answer.
    Away,
}

/// One node's part in a lease.
#[derive(Debug)]
pub struct Lease {
    vault: Arc<dyn Vault>,
    secret: String,
    me: Uuid,
    run: Uuid,
    times: Times,
    held: watch::Sender<bool>,
}

impl Lease {
    /// Tries to hold the lease `lease/<name>` until `stop` is true or its sender is gone, and then gives it back.
    ///
    /// Answers whether this node holds it, with word of every change, and the task. Work stops when
    /// that turns false; at a stop, stop the work first.
    pub fn run(
        vault: Arc<dyn Vault>,
        name: &'static str,
        me: Uuid,
        stop: watch::Receiver<bool>,
    ) -> (watch::Receiver<bool>, JoinHandle<()>) {
        Self::run_with(vault, name, me, Times::default(), stop)
    }

    /// As [`Self::run`], with other times; all nodes must have the same.
    pub fn run_with(
        vault: Arc<dyn Vault>,
        name: &'static str,
        me: Uuid,
        times: Times,
        stop: watch::Receiver<bool>,
    ) -> (watch::Receiver<bool>, JoinHandle<()>) {
        let (held, holds) = watch::channel(false);
        let run = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        let lease = Self { vault, secret: format!("lease/{name}"), me, run, times, held };
        (holds, tokio::spawn(lease.hold_on(stop)))
    }

    async fn hold_on(self, mut stop: watch::Receiver<bool>) {
        loop {
            let (version, until) = tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                got = self.wait() => got,
            };
            tracing::info!(lease = self.secret, "this node runs what only one node runs");
            self.held.send_replace(true);
            let stopped_at = self.keep(version, until, &mut stop).await;
            self.held.send_replace(false);
            if let Some(version) = stopped_at {
                return self.give_back(version).await;
            }
            tracing::warn!(lease = self.secret, "this node no longer runs what only one node runs");
        }
    }

    /// Looks again and again until the lease is ours; its version, and when it must be given up.
    async fn wait(&self) -> (u64, Instant) {
        let mut seen = None;
        loop {
            match self.try_take(&mut seen).await {
                Ok(Some(got)) => return got,
                Ok(None) | Err(VaultError::Conflict { .. }) => {}
                Err(error) => tracing::warn!(lease = self.secret, %error, "a lease cannot be read"),
            }
            sleep(self.times.renew).await;
        }
    }

    /// Takes the lease if it is free, ours, or has stood unrenewed for too long.
    async fn try_take(
        &self,
        seen: &mut Option<(Secret, Instant)>,
    ) -> Result<Option<(u64, Instant)>, VaultError> {
        let version = match self.in_time(self.vault.secret(&self.secret)).await? {
            None => None,
            Some(secret) => {
                let now = Instant::now();
                let since = match seen {
                    Some((known, since)) if *known == secret => *since,
                    _ => now,
                };
                let version = secret.version;
                let open = self.is_open(&secret);
                *seen = Some((secret, since));
                if !open && now.duration_since(since) < self.times.expire {
                    return Ok(None);
                }
                Some(version)
            }
        };
        let asked = Instant::now();
        let version = self.write(version, Some(self.me)).await?;
        Ok(Some((version, asked + self.times.expire / 2)))
    }

    /// Renews the lease until it is lost, or could not be renewed in time; its version if the word to stop came.
    async fn keep(
        &self,
        mut version: u64,
        mut until: Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<u64> {
        let mut next = Instant::now() + self.times.renew;
        loop {
            let renewal = async {
                sleep_until(next).await;
                self.renew(version).await
            };
            let renewal = tokio::select! {
                biased;
                () = stopped(stop) => return Some(version),
                () = sleep_until(until) => return None,
                renewal = renewal => renewal,
            };
            match renewal {
                Renewal::Holds(now, asked) => {
                    version = now;
                    until = asked + self.times.expire / 2;
                    next = asked + self.times.renew;
                }
                Renewal::Ours(now) => {
                    version = now;
                    next = Instant::now();
                }
                Renewal::Lost => return None,
                Renewal::Away => next = Instant::now() + self.times.renew / 5,
            }
        }
    }

    async fn renew(&self, version: u64) -> Renewal {
        let asked = Instant::now();
        match self.write(Some(version), Some(self.me)).await {
            Ok(version) => Renewal::Holds(version, asked),
            Err(VaultError::Conflict { .. }) => match self.own_version().await {
                Ok(Some(version)) => Renewal::Ours(version),
                Ok(None) => Renewal::Lost,
                Err(_) => Renewal::Away,
            },
            Err(error) => {
                tracing::warn!(lease = self.secret, %error, "a lease could not be renewed");
                Renewal::Away
            }
        }
    }

    /// Says that the lease is free, if it is still ours. If that fails, others wait until it has expired.
    async fn give_back(&self, version: u64) {
        let mut version = Some(version);
        for _ in 0..RELEASES_MAX {
            match self.write(version, None).await {
                Ok(_) => return,
                Err(VaultError::Conflict { .. }) => match self.own_version().await {
                    Ok(None) => return,
                    Ok(ours) => version = ours,
                    Err(_) => break,
                },
                Err(_) => break,
            }
        }
        tracing::warn!(
            lease = self.secret,
            "a lease could not be given back; others wait until it expires"
        );
    }

    async fn write(&self, version: Option<u64>, holder: Option<Uuid>) -> Result<u64, VaultError> {
        let bytes = serde_json::to_vec(&Stored { holder, run: self.run });
        let bytes = bytes.map_err(|error| VaultError::Corrupt(error.to_string()))?;
        self.in_time(self.vault.put_secret(&self.secret, version, bytes)).await
    }

    /// The version at which the lease is ours; nothing where it is not.
    async fn own_version(&self) -> Result<Option<u64>, VaultError> {
        let secret = self.in_time(self.vault.secret(&self.secret)).await?;
        let ours = |secret: &Secret| {
            let stored = read(secret);
            stored.is_some_and(|stored| stored.run == self.run && stored.holder.is_some())
        };
        Ok(secret.filter(ours).map(|secret| secret.version))
    }

    /// Whether nobody else can believe to hold it. What cannot be read is somebody's.
    fn is_open(&self, secret: &Secret) -> bool {
        read(secret).is_some_and(|stored| stored.holder.is_none() || stored.run == self.run)
    }

    /// A question that hangs must leave time for another before the lease has to be given up.
    async fn in_time<T>(
        &self,
        question: BoxFuture<'_, Result<T, VaultError>>,
    ) -> Result<T, VaultError> {
        let late = |_| Err(VaultError::Unavailable("no answer in time".to_owned()));
        timeout(self.times.renew / 2, question).await.unwrap_or_else(late)
    }
}

impl Drop for Lease {
    /// Whoever ends without a word, by a panic or because its task was ended, holds nothing any more.
    fn drop(&mut self) {
        self.held.send_replace(false);
    }
}

fn read(secret: &Secret) -> Option<Stored> {
    serde_json::from_slice(&secret.bytes).ok()
}
