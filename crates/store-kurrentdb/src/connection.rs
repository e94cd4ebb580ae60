//! One client behind all calls: each call has a deadline, and a client that died is made anew, once for all who wait.
//!
//! Traps 1 and 2: the client does not leave a node that died, and is dead for good when its first
//! connection is refused. Each new one leaves a task of the old one behind, so there is a pause
//! between them that grows as long as nothing works.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kurrentdb::{Client, ClientSettings, Credentials, Error};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::address::Address;
use crate::error::{OpenError, Trouble};
use crate::options::Options;

/// How often one call is asked at most.
const ATTEMPTS_MAX: u32 = 6;
/// After this long a call that failed is not asked again.
const PATIENCE: Duration = Duration::from_secs(8);
/// The first pause before asking again; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// The longest pause, before asking again as before making a client.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// The shortest time between two clients, however well they work.
const RENEW_PAUSE_MIN: Duration = Duration::from_millis(100);

/// The client, shared.
#[derive(Clone)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    call_deadline: Duration,
    current: Mutex<Current>,
    renewing: tokio::sync::Mutex<Renewing>,
    /// The last client that answered.
    worked: AtomicU64,
    /// Counts what this process appended, to wake its followers.
    appended: watch::Sender<u64>,
    /// The greatest token of the log that was seen here.
    seen: AtomicU64,
}

#[derive(Clone)]
struct Current {
    client: Client,
    /// Which client in a row this is.
    number: u64,
}

struct Renewing {
    last: Instant,
    /// How many clients in a row did not answer once.
    useless: u32,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection to {:?}", self.shared.address)
    }
}

/// What came of a call, and whether it was asked more than once.
#[derive(Debug)]
pub(crate) struct Tried<T> {
    pub(crate) answer: T,
    pub(crate) again: bool,
}

impl Connection {
    /// Makes a client; nothing is sent yet.
    pub(crate) async fn open(options: &Options) -> Result<Self, OpenError> {
        let address = Address::new(options)?;
        let client = make(address.settings.clone()).await.map_err(OpenError::Refused)?;
        let renewing = Renewing { last: Instant::now(), useless: 0 };
        let shared = Shared {
            address,
            call_deadline: options.call_deadline,
            current: Mutex::new(Current { client, number: 1 }),
            renewing: tokio::sync::Mutex::new(renewing),
            worked: AtomicU64::new(0),
            appended: watch::Sender::new(0),
            seen: AtomicU64::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// User and password, for every call.
    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.shared.address.credentials.as_ref()
    }

    /// How long one call, or one message of a long answer, may take.
    pub(crate) fn call_deadline(&self) -> Duration {
        self.shared.call_deadline
    }

    /// How many clients there were so far.
    pub(crate) fn clients(&self) -> u64 {
        self.current().number
    }

    /// Tells this process's followers that there is something new.
    pub(crate) fn woke(&self) {
        self.shared.appended.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Wakes when this process appended something.
    pub(crate) fn wakes(&self) -> watch::Receiver<u64> {
        self.shared.appended.subscribe()
    }

    /// A place of the log that was seen.
    pub(crate) fn saw(&self, token: u64) {
        self.shared.seen.fetch_max(token, Ordering::SeqCst);
    }

    /// The greatest place of the log seen here: what is appended from now on lies beyond it.
    pub(crate) fn seen(&self) -> u64 {
        self.shared.seen.load(Ordering::SeqCst)
    }

    /// Asks within the deadline, and again where that may help: the work must be the same each time.
    pub(crate) async fn call<T, F>(&self, work: impl Fn(Client) -> F) -> Result<Tried<T>, Trouble>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.call_within(self.shared.call_deadline, work).await
    }

    /// The same, for work that minds its own deadlines within this long.
    pub(crate) async fn call_within<T, F>(
        &self,
        deadline: Duration,
        work: impl Fn(Client) -> F,
    ) -> Result<Tried<T>, Trouble>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let started = Instant::now();
        let mut unknown = None;
        for attempt in 1.. {
            let Current { client, number } = self.current().clone();
            let trouble = match tokio::time::timeout(deadline, work(client)).await {
                Ok(Ok(answer)) => {
                    self.shared.worked.fetch_max(number, Ordering::Relaxed);
                    return Ok(Tried { answer, again: attempt > 1 });
                }
                Ok(Err(error)) => Trouble::from(&error),
                Err(_) => Trouble::Lost,
            };
            if trouble.outcome_unknown() {
                unknown = Some(trouble.clone());
            }
            if !trouble.may_pass() {
                return Err(trouble);
            }
            tracing::debug!(?trouble, attempt, "a call to KurrentDB got no answer");
            let left = PATIENCE.saturating_sub(started.elapsed());
            let again = attempt < ATTEMPTS_MAX
                && tokio::time::timeout(left, self.recover(&trouble, attempt, number))
                    .await
                    .is_ok();
            if !again {
                return Err(unknown.unwrap_or(trouble));
            }
        }
        Err(Trouble::Lost)
    }

    /// Waits until it makes sense to ask again.
    async fn recover(&self, trouble: &Trouble, attempt: u32, number: u64) {
        match trouble {
            // The client goes to the leader by itself; where it does not get there, a new one may.
            Trouble::Elsewhere if attempt > 2 => self.renew(number).await,
            Trouble::Lost => self.renew(number).await,
            _ => tokio::time::sleep(pause(attempt)).await,
        }
    }

    /// Makes a new client in the place of the one with this number, unless somebody has already.
    async fn renew(&self, number: u64) {
        let mut renewing = self.shared.renewing.lock().await;
        if self.current().number != number {
            return;
        }
        if self.shared.worked.load(Ordering::Relaxed) >= number {
            renewing.useless = 0;
        }
        let wait = match renewing.useless {
            0 => RENEW_PAUSE_MIN,
            useless => pause(useless).max(RENEW_PAUSE_MIN),
        };
        tokio::time::sleep_until(renewing.last + wait).await;
        renewing.last = Instant::now();
        renewing.useless = renewing.useless.saturating_add(1);
        match make(self.shared.address.settings.clone()).await {
            Ok(client) => {
                tracing::info!(number, "a new connection to KurrentDB is made");
                *self.current() = Current { client, number: number.saturating_add(1) };
            }
            Err(error) => tracing::error!(error, "no new connection to KurrentDB can be made"),
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.shared.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new client. Reads certificates from the disk, and may panic over them: on a thread of its own.
async fn make(settings: ClientSettings) -> Result<Client, String> {
    let runtime = tokio::runtime::Handle::current();
    let made =
        tokio::task::spawn_blocking(move || Client::with_runtime_handle(runtime, settings)).await;
    match made {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(format!("the client cannot be made: {error}")),
        Err(_) => Err("the client cannot be made of these certificates".to_owned()),
    }
}

/// How long to wait before the next attempt: twice as long each time, less up to a half by chance.
pub(crate) fn pause(attempt: u32) -> Duration {
    let doubled = PAUSE_MIN.saturating_mul(1_u32 << attempt.saturating_sub(1).min(16));
    doubled.min(PAUSE_MAX).mul_f64(1.0 - rand::random::<f64>() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit_and_differ() {
        assert!(pause(1) <= PAUSE_MIN && pause(1) >= PAUSE_MIN / 2);
        assert!((1..100).all(|attempt| pause(attempt) <= PAUSE_MAX));
        assert!(pause(50) >= PAUSE_MAX / 2);
        let pauses: std::collections::HashSet<_> = (0..20).map(|_| pause(50)).collect();
        assert!(pauses.len() > 1, "nodes do not all come back at once");
    }
}
