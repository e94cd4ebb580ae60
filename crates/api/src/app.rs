//! What every worker shares: the house, the keys, the sessions, the limits.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::Data;
use assay_commands::House;
use assay_domain::erasure::{Erasable, ErasureStanding};
use assay_domain::id::UserId;
use assay_notary::{Notary, NotaryState};
use assay_store::vault::Vault;
use assay_views::Views;
use assay_views::projector::Status;
use futures_util::future::BoxFuture;
use governor::{DefaultKeyedRateLimiter, Quota};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use crate::accounts::{Attempts, Hashing, HashingError};
use crate::bundles::Bundles;
use crate::problem::Problem;
use crate::reading::Readings;
use crate::sessions::Sessions;
use crate::settings::{Settings, Unsafe};
use crate::token::{TokenError, Tokens};
use crate::upstream::{TellUpstream, UpstreamState};

/// Renders the metrics as text for Prometheus.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Sees to the keys and the views of a subject after a decision on an erasure of it, and to nothing else.
///
/// Given where the erasure stands now: carried out, its keys are destroyed; restricted, they are
/// held back; requested or refused, they are given back. Then the views are renewed, which need not
/// be awaited. Harmless when done twice; why it did not work is for the log alone.
pub type Forget =
    Arc<dyn Fn(Erasable, ErasureStanding) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What the composition root puts together.
pub struct Parts {
    /// The one way a fact is made.
    pub house: Arc<House>,
    /// Where credentials and sessions live.
    pub vault: Arc<dyn Vault>,
    /// The views of this node.
    pub views: Views,
    /// The last position this node shows.
    pub projected: watch::Receiver<u64>,
    /// How the projector fares.
    pub projector: watch::Receiver<Status>,
    /// Ed25519 keys in PKCS#8 PEM: the first one signs access tokens, all of them verify.
    pub signing_keys: Vec<SecretString>,
    /// 256 bits for digests of requests and marks of refresh tokens.
    pub secret: SecretBox<[u8; 32]>,
    /// What is read, on its way into the log; flush it when the server has ended.
    pub readings: Arc<Readings>,
    /// Signs what the journal holds, and proves it.
    pub notary: Arc<Notary>,
    /// Where cases that leave the house in a file are put together.
    pub bundles: Arc<Bundles>,
    /// Sees to keys and views after a decision on an erasure.
    pub forget: Forget,
    /// How this node stands to a log elsewhere.
    pub upstream: TellUpstream,
    /// Limits and lifetimes.
    pub settings: Settings,
    /// The metrics as text.
    pub metrics: RenderMetrics,
}

/// Why the API cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is weaker than allowed.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// The signing keys are no good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// A socket cannot be had.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Everything a handler may need.
pub struct App {
    pub(crate) house: Arc<House>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) views: Views,
    pub(crate) projected: watch::Receiver<u64>,
    pub(crate) projector: watch::Receiver<Status>,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: Sessions,
    pub(crate) hashing: Hashing,
    pub(crate) attempts: Attempts,
    pub(crate) gates: Gates,
    pub(crate) readings: Arc<Readings>,
    pub(crate) notary: Arc<Notary>,
    pub(crate) bundles: Arc<Bundles>,
    pub(crate) forget: Forget,
    pub(crate) upstream: TellUpstream,
    pub(crate) settings: Settings,
    pub(crate) metrics: RenderMetrics,
    secret: SecretBox<[u8; 32]>,
}

/// Who has to wait: rates by address and by account, and room for what is long.
pub(crate) struct Gates {
    logins: DefaultKeyedRateLimiter<IpAddr>,
    accounts: DefaultKeyedRateLimiter<UserId>,
    pub(crate) long_reads: Arc<Semaphore>,
    pub(crate) long_reads_admitted: Arc<Semaphore>,
    pub(crate) streams: Arc<Semaphore>,
    /// Room of its own: where the ledger is public, strangers hold up nobody who works here.
    pub(crate) ledger: Arc<Semaphore>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
}

/// How many questions to the notary are answered at once.
const LEDGER_AT_ONCE: usize = 4;

/// What a write is told while the house is unsound.
const UNSOUND: &str =
    "an entry of the journal cannot be read; no change is taken until it is looked into";

/// What a write is told while the journal contradicts what was signed of it.
const UNSIGNED: &str =
    "the journal contradicts what was signed of it; no change is taken until it is looked into";

/// What a write is told while the log elsewhere is not the one this node copied.
const DIVERGED: &str = "the log this node follows is not the one it copied; no change is taken until \
    it is looked into";

impl App {
    /// Refuses writes while a fact of the past cannot be read or is not what was signed: first it must be known what happened.
    pub(crate) fn must_be_sound(&self) -> Result<(), Problem> {
        if matches!(*self.projector.borrow(), Status::Failed { .. }) {
            return Err(Problem::busy("house_unsound", UNSOUND));
        }
        if (self.upstream)().is_some_and(|upstream| upstream.state == UpstreamState::Diverged) {
            return Err(Problem::busy("house_unsound", DIVERGED));
        }
        match self.notary.state() {
            NotaryState::Refusing { .. } => Err(Problem::busy("house_unsound", UNSIGNED)),
            NotaryState::Sound => Ok(()),
        }
    }

    /// Checks the settings and the keys and puts everything in its place.
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        let Parts { house, vault, settings, secret, .. } = parts;
        settings.check()?;
        let bytes = *secret.expose_secret();
        let sessions = {
            let (house, vault, upstream) =
                (Arc::clone(&house), Arc::clone(&vault), Arc::clone(&parts.upstream));
            Sessions::new(house, vault, bytes, &settings, upstream)
        };
        Ok(Self {
            tokens: Tokens::new(&parts.signing_keys, &settings)?,
            hashing: Hashing::new(&settings)?,
            attempts: Attempts::new(&settings),
            gates: Gates::new(&settings),
            house,
            vault,
            views: parts.views,
            projected: parts.projected,
            projector: parts.projector,
            readings: parts.readings,
            notary: parts.notary,
            bundles: parts.bundles,
            forget: parts.forget,
            upstream: parts.upstream,
            sessions,
            settings,
            metrics: parts.metrics,
            secret,
        })
    }

    /// The one of a request.
    pub(crate) fn of(req: &HttpRequest) -> Result<Data<Self>, Problem> {
        let app = req.app_data::<Data<Self>>().cloned();
        app.ok_or_else(|| Problem::fault("the server was put together without its parts"))
    }

    /// A new id that sorts by time, of the house's clock.
    pub(crate) fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.house.now().as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid()
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        self.secret.expose_secret()
    }
}

impl Gates {
    fn new(settings: &Settings) -> Self {
        let room = |count: usize| Arc::new(Semaphore::new(count));
        let number = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let admitted = settings.long_reads_at_once.saturating_add(settings.long_reads_queue_max);
        let logins = Quota::per_minute(number(settings.logins_per_minute));
        let accounts = Quota::per_second(number(settings.requests_per_second));
        let strangers = Quota::per_second(number(settings.ledger_per_second));
        Self {
            logins: DefaultKeyedRateLimiter::keyed(logins),
            accounts: DefaultKeyedRateLimiter::keyed(accounts),
            long_reads: room(settings.long_reads_at_once),
            long_reads_admitted: room(admitted),
            streams: room(settings.streams_max),
            ledger: room(LEDGER_AT_ONCE),
            strangers: DefaultKeyedRateLimiter::keyed(strangers),
        }
    }

    /// Whether this address may try to log in now.
    pub(crate) fn login(&self, address: IpAddr) -> Result<(), Problem> {
        self.logins.check_key(&address).map_err(|_| Problem::too_often(1))
    }

    /// Whether this account may ask something now.
    pub(crate) fn account(&self, user: UserId) -> Result<(), Problem> {
        self.accounts.check_key(&user).map_err(|_| Problem::too_often(1))
    }

    /// Whether this address, of nobody we know, may read the ledger now.
    pub(crate) fn stranger(&self, address: IpAddr) -> Result<(), Problem> {
        self.strangers.check_key(&address).map_err(|_| Problem::too_often(1))
    }

    /// Forgets who has not been here lately, so that the books do not grow.
    pub(crate) fn tidy(&self) {
        self.logins.retain_recent();
        self.strangers.retain_recent();
        self.accounts.retain_recent();
    }
}

/// The address a request comes from; a proxy's word counts only where it is trusted.
pub(crate) fn address(app: &App, req: &HttpRequest) -> IpAddr {
    let peer = req.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
    if !app.settings.trusted_proxies.contains(&peer) {
        return peer;
    }
    let forwarded = req.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let last = forwarded.and_then(|value| value.rsplit(',').next()?.trim().parse().ok());
    last.unwrap_or(peer)
}
