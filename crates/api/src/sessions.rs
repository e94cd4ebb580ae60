//! Sessions: families of refresh tokens in the vault, with what is known of them at hand.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assay_commands::{Fault, House};
use assay_domain::id::UserId;
use assay_domain::user::User;
use assay_store::recent::Recent;
use assay_store::vault::{Vault, VaultError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::problem::Problem;
use crate::refresh::Refresh;
use crate::settings::Settings;
use crate::upstream::{TellUpstream, Upstream, UpstreamState};

/// How many sessions are kept at hand.
const AT_HAND_MAX: usize = 20_000;
/// How many sessions somebody may have; the oldest gives way.
const SESSIONS_MAX: usize = 50;
/// How long what is at hand is believed, so that another node's word counts within a second.
const BELIEVED: SignedDuration = SignedDuration::from_secs(1);
/// How long it is believed while vault or log cannot be asked, so that reading goes on: nobody can
/// end a session there meanwhile.
const BELIEVED_AWAY: SignedDuration = SignedDuration::from_mins(5);

/// How long whoever is believed waits for vault and log, so that reading stays quick while they are away.
const ASK_WAIT: Duration = Duration::from_millis(500);

/// What is kept of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// When it began, in microseconds since 1970.
    pub(crate) began_at: i64,
    /// When it was last refreshed, in microseconds since 1970.
    pub(crate) used_at: i64,
    /// The only refresh token that is good now, hashed.
    refresh: [u8; 32],
}

/// What is known of a session without asking.
#[derive(Clone, Copy, Debug)]
struct Standing {
    live: bool,
    asked_at: Timestamp,
}

/// All sessions of this node.
pub(crate) struct Sessions {
    vault: Arc<dyn Vault>,
    house: Arc<House>,
    secret: [u8; 32],
    idle: Duration,
    longest: Duration,
    at_hand: Mutex<Recent<Uuid, Standing>>,
    /// Counts endings, so that an answer of the vault from before one is not believed after it.
    endings: AtomicU64,
    /// Counts rotations, so that a race is told from a replay.
    rotations: AtomicU64,
    rotated: Mutex<Recent<Uuid, u64>>,
    /// How this node stands to a log elsewhere.
    upstream: TellUpstream,
    /// Until when vault and log count as away, in microseconds since 1970.
    away_until: AtomicI64,
}

/// A session with a token to go on with.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) user: UserId,
    pub(crate) session: Uuid,
    pub(crate) refresh_token: String,
}

impl Sessions {
    pub(crate) fn new(
        house: Arc<House>,
        vault: Arc<dyn Vault>,
        secret: [u8; 32],
        settings: &Settings,
        upstream: TellUpstream,
    ) -> Self {
        Self {
            upstream,
            vault,
            house,
            secret,
            idle: settings.session_idle,
            longest: settings.session_max,
            at_hand: Mutex::new(Recent::new(AT_HAND_MAX)),
            endings: AtomicU64::new(0),
            rotations: AtomicU64::new(0),
            rotated: Mutex::new(Recent::new(AT_HAND_MAX)),
            away_until: AtomicI64::new(i64::MIN),
        }
    }

    /// Begins a session.
    pub(crate) async fn begin(&self, user: UserId, session: Uuid) -> Result<Granted, Problem> {
        self.make_room(user).await?;
        let now = self.house.now().as_microsecond();
        let refresh = Refresh::new(user, session, &self.secret);
        let kept = Kept { began_at: now, used_at: now, refresh: refresh.sha256() };
        self.vault.put_secret(&name(user, session), None, bytes(&kept)?).await?;
        Ok(Granted { user, session, refresh_token: refresh.text() })
    }

    /// When a request arrived, in rotations.
    pub(crate) fn arrival(&self) -> u64 {
        self.rotations.load(Ordering::SeqCst)
    }

    /// Gives a new refresh token for the current one. A used one ends the session, unless it lost a race.
    pub(crate) async fn rotate(&self, token: &str, arrived: u64) -> Result<Granted, Problem> {
        let given = Refresh::read(token, &self.secret).ok_or_else(refused)?;
        let (user, session) = (given.user, given.session);
        let secret = self.vault.secret(&name(user, session)).await?.ok_or_else(refused)?;
        let kept: Kept = serde_json::from_slice(&secret.bytes).map_err(Problem::fault)?;
        if !self.in_time(&kept) || !self.active(user).await? {
            self.end(user, session).await?;
            return Err(refused());
        }
        if !bool::from(given.sha256().ct_eq(&kept.refresh)) {
            let raced = lock(&self.rotated).peek(&session).is_some_and(|at| *at > arrived);
            if !raced {
                tracing::warn!(user = %user, session = %session, "a used refresh token came back: the session ends");
                self.end(user, session).await?;
            }
            return Err(refused());
        }
        let next = Refresh::new(user, session, &self.secret);
        let now = self.house.now().as_microsecond();
        let kept = Kept { used_at: now, refresh: next.sha256(), ..kept };
        match self.vault.put_secret(&name(user, session), Some(secret.version), bytes(&kept)?).await
        {
            Ok(_) => (),
            Err(VaultError::Conflict { .. }) => return Err(refused()), // Another was first, at once.
            Err(error) => return Err(error.into()),
        }
        let at = self.rotations.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        lock(&self.rotated).put(session, at);
        Ok(Granted { user, session, refresh_token: next.text() })
    }

    /// Whether a session goes on and its user may work.
    pub(crate) async fn live(&self, user: UserId, session: Uuid) -> Result<bool, Problem> {
        let now = self.house.now();
        let known = lock(&self.at_hand).get(&session).copied();
        if let Some(known) = known
            && (!known.live || now.duration_since(known.asked_at).abs() < BELIEVED)
        {
            return Ok(known.live);
        }
        loop {
            let before = self.endings.load(Ordering::SeqCst);
            let live = if (self.upstream)().is_some() && believed(known, now) {
                match self.ask_if_there(user, session, now).await? {
                    Some(live) => live,
                    None => return Ok(!self.known_ended(session)),
                }
            } else {
                self.ask(user, session).await?
            };
            let mut at_hand = lock(&self.at_hand);
            // A session that ended while we asked must not come back: ask again.
            if self.endings.load(Ordering::SeqCst) == before {
                at_hand.put(session, Standing { live, asked_at: now });
                return Ok(live);
            }
        }
    }

    /// Whether a session goes on, as vault and log say now.
    async fn ask(&self, user: UserId, session: Uuid) -> Result<bool, Fault> {
        let kept = self.vault.secret(&name(user, session)).await?;
        let kept: Option<Kept> = kept.and_then(|kept| serde_json::from_slice(&kept.bytes).ok());
        let in_time = kept.is_some_and(|kept| self.in_time(&kept));
        Ok(in_time && self.house.load::<User>(user.0).await?.state.active())
    }

    /// The same, but nothing where vault and log are away. A slow answer is waited for as ever: only
    /// while the log is known to be away it is asked once a second, and not for long.
    async fn ask_if_there(
        &self,
        user: UserId,
        session: Uuid,
        now: Timestamp,
    ) -> Result<Option<bool>, Fault> {
        let away = |upstream: Upstream| upstream.state == UpstreamState::Away;
        if !(self.upstream)().is_some_and(away) {
            return match self.ask(user, session).await {
                Err(fault) if fault.is_away() => Ok(None),
                answer => answer.map(Some),
            };
        }
        if now.as_microsecond() < self.away_until.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match tokio::time::timeout(ASK_WAIT, self.ask(user, session)).await {
            Ok(Ok(live)) => Ok(Some(live)),
            Ok(Err(fault)) if !fault.is_away() => Err(fault),
            Ok(Err(_)) | Err(_) => {
                let until = now.saturating_add(BELIEVED).unwrap_or(now).as_microsecond();
                self.away_until.fetch_max(until, Ordering::Relaxed);
                Ok(None)
            }
        }
    }

    /// What is known at hand of a session; nothing means: it must be asked for.
    pub(crate) fn known_ended(&self, session: Uuid) -> bool {
        lock(&self.at_hand).peek(&session).is_some_and(|standing| !standing.live)
    }

    /// Ends a session at once.
    pub(crate) async fn end(&self, user: UserId, session: Uuid) -> Result<(), VaultError> {
        self.vault.drop_secret(&name(user, session)).await?;
        let mut at_hand = lock(&self.at_hand);
        self.endings.fetch_add(1, Ordering::SeqCst);
        at_hand.put(session, Standing { live: false, asked_at: self.house.now() });
        Ok(())
    }

    /// Ends all sessions of somebody, but for one they may keep.
    pub(crate) async fn end_all(&self, user: UserId, but: Option<Uuid>) -> Result<(), VaultError> {
        for (session, _) in self.of(user).await? {
            if Some(session) != but {
                self.end(user, session).await?;
            }
        }
        Ok(())
    }

    /// The sessions of somebody that go on.
    pub(crate) async fn of(&self, user: UserId) -> Result<Vec<(Uuid, Kept)>, VaultError> {
        let prefix = format!("session/{user}/");
        let mut sessions = Vec::new();
        for name in self.vault.secret_names(&prefix, None, SESSIONS_MAX.saturating_mul(2)).await? {
            let id = name.strip_prefix(&prefix).and_then(|id| id.parse().ok());
            let kept = self.vault.secret(&name).await?;
            let kept = kept.and_then(|kept| serde_json::from_slice(&kept.bytes).ok());
            sessions.extend(id.zip(kept));
        }
        Ok(sessions)
    }

    /// Whether a session is neither too old nor unused for too long.
    pub(crate) fn in_time(&self, kept: &Kept) -> bool {
        let now = self.house.now();
        let within = |micros: i64, limit: Duration| {
            let since = Timestamp::from_microsecond(micros).map(|then| now.duration_since(then));
            since
                .is_ok_and(|since| SignedDuration::try_from(limit).is_ok_and(|limit| since < limit))
        };
        within(kept.began_at, self.longest) && within(kept.used_at, self.idle)
    }

    async fn active(&self, user: UserId) -> Result<bool, Problem> {
        Ok(self.house.load::<User>(user.0).await?.state.active())
    }

    async fn make_room(&self, user: UserId) -> Result<(), VaultError> {
        let mut sessions = self.of(user).await?;
        let over = |sessions: &[(Uuid, Kept)]| sessions.len() >= SESSIONS_MAX;
        sessions.sort_by_key(|(_, kept)| std::cmp::Reverse(kept.used_at));
        while let Some((session, kept)) = sessions.pop() {
            if !over(&sessions) && self.in_time(&kept) {
                break;
            }
            self.end(user, session).await?;
        }
        Ok(())
    }
}

/// Whether what was heard last is still believed while nobody can be asked.
fn believed(known: Option<Standing>, now: Timestamp) -> bool {
    known
        .is_some_and(|known| known.live && now.duration_since(known.asked_at).abs() < BELIEVED_AWAY)
}

fn refused() -> Problem {
    Problem::credentials("refresh_invalid", "this refresh token is not good; log in again")
}

fn name(user: UserId, session: Uuid) -> String {
    format!("session/{user}/{session}")
}

fn bytes(kept: &Kept) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(kept).map_err(Problem::fault)
}

// A panic of another thread between two puts leaves a map that is still right.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
