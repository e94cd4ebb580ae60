//! Loading a state: the stream folded, or the cached fold and the facts since.

use std::collections::HashMap;
use std::sync::Arc;

use assay_domain::access::Access;
use assay_domain::adoption::Adoption;
use assay_domain::aggregate::{Aggregate, Stamp, stream_of};
use assay_domain::case::Case;
use assay_domain::claim::Claim;
use assay_domain::erasure::Erasure;
use assay_domain::finding::Finding;
use assay_domain::id::UserId;
use assay_domain::link::Link;
use assay_domain::log_key::LogKeys;
use assay_domain::replay::Replay;
use assay_domain::report::Report;
use assay_domain::source::Source;
use assay_domain::user::User;
use assay_store::fact::Recorded;
use assay_store::keyring::sealed_keys;
use assay_store::log::{Direction, LogError, Token};
use assay_store::vault::KeyId;
use jiff::Timestamp;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::codec::decode;
use crate::error::Fault;
use crate::execute::House;

/// How many facts are read from a stream at once.
const PAGE: usize = 500;

/// A command that is in the stream already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub(crate) actor: Uuid,
    pub(crate) mac: Option<[u8; 16]>,
    pub(crate) facts: u32,
    pub(crate) last: u64,
}

/// A state and what else its stream says.
#[derive(Clone, Debug)]
pub struct Loaded<A> {
    /// The state.
    pub state: Arc<A>,
    /// The revision of the last fact; nothing where there is no stream.
    pub revision: Option<u64>,
    /// The token of the last fact.
    pub token: Option<Token>,
    /// The key its personal data is sealed under.
    pub(crate) key: Option<KeyId>,
    /// The commands it came from.
    pub(crate) commands: Arc<HashMap<Uuid, Done>>,
}

impl<A: Aggregate> Default for Loaded<A> {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            revision: None,
            token: None,
            key: None,
            commands: Arc::default(),
        }
    }
}

impl<A: Aggregate> Loaded<A> {
    /// The same after one more fact.
    pub(crate) fn after(self, event: &A::Event, recorded: &Recorded) -> Self {
        let envelope = &recorded.fact.envelope;
        let at = Timestamp::from_microsecond(envelope.recorded_at).unwrap_or(Timestamp::UNIX_EPOCH);
        let stamp = Stamp { actor: UserId(envelope.actor), at, revision: recorded.revision };
        let mut commands = self.commands;
        let done = Arc::make_mut(&mut commands).entry(envelope.command);
        let done = done.or_insert(Done {
            actor: envelope.actor,
            mac: envelope.request_mac,
            facts: 0,
            last: 0,
        });
        done.facts = done.facts.saturating_add(1);
        done.last = recorded.revision;
        Self {
            state: Arc::new(Arc::unwrap_or_clone(self.state).evolve(event, &stamp)),
            revision: Some(recorded.revision),
            token: Some(recorded.token),
            key: self.key.or_else(|| sealed_keys(&recorded.fact.data).first().copied()),
            commands,
        }
    }
}

/// The cached folds, bounded; a fold is checked against its stream's tail at every use.
#[derive(Debug)]
pub(crate) struct Folds {
    users: Cache<Uuid, Loaded<User>>,
    cases: Cache<Uuid, Loaded<Case>>,
    sources: Cache<Uuid, Loaded<Source>>,
    /// Few: each may hold a quarter of a mebibyte of text for every rendition.
    reports: Cache<Uuid, Loaded<Report>>,
    claims: Cache<Uuid, Loaded<Claim>>,
    links: Cache<Uuid, Loaded<Link>>,
    findings: Cache<Uuid, Loaded<Finding>>,
    accesses: Cache<Uuid, Loaded<Access>>,
    replays: Cache<Uuid, Loaded<Replay>>,
    erasures: Cache<Uuid, Loaded<Erasure>>,
    adoptions: Cache<Uuid, Loaded<Adoption>>,
    log_keys: Cache<Uuid, Loaded<LogKeys>>,
}

impl Folds {
    pub(crate) fn new() -> Self {
        Self {
            users: Cache::new(4_000),
            cases: Cache::new(2_000),
            sources: Cache::new(4_000),
            reports: Cache::new(200),
            claims: Cache::new(4_000),
            links: Cache::new(1_000),
            findings: Cache::new(200),
            accesses: Cache::new(2_000),
            replays: Cache::new(200),
            erasures: Cache::new(50),
            adoptions: Cache::new(10),
            log_keys: Cache::new(2),
        }
    }
}

/// An aggregate that has a place among the cached folds.
pub trait Cached: Aggregate {
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "sealed: only this crate can name the folds")]
    fn among(folds: &Folds) -> &Cache<Uuid, Loaded<Self>>;
}

macro_rules! cached {
    ($($type:ty => $field:ident),*) => {$(
        impl Cached for $type {
            #[expect(private_interfaces, reason = "sealed: only this crate can name the folds")]
            fn among(folds: &Folds) -> &Cache<Uuid, Loaded<Self>> {
                &folds.$field
            }
        }
    )*};
}

cached!(
    User => users, Case => cases, Source => sources, Report => reports, Claim => claims, Link => links,
    Finding => findings, Access => accesses, Replay => replays, Erasure => erasures,
    Adoption => adoptions, LogKeys => log_keys
);

impl House {
    /// The state of one aggregate, as of the last fact that was acknowledged.
    pub async fn load<A: Cached>(&self, id: Uuid) -> Result<Loaded<A>, Fault> {
        let stream = stream_of::<A>(id);
        let cache = A::among(&self.folds);
        let mut loaded = cache.get(&id).unwrap_or_default();
        let known = loaded.revision;
        loop {
            let from = loaded.revision.map_or(0, |revision| revision.saturating_add(1));
            let facts = match self.log.read_stream(&stream, from, Direction::Forward, PAGE).await {
                Err(LogError::StreamNotFound) => break,
                other => other?,
            };
            let full = facts.len() == PAGE;
            for recorded in facts {
                let revision = recorded.revision;
                let fault = |source| Fault::codec(&stream, revision, source);
                let event =
                    decode(&self.keys, &stream, &recorded.fact.data).await.map_err(fault)?;
                loaded = loaded.after(&event, &recorded);
            }
            if !full {
                break;
            }
        }
        if loaded.revision != known {
            self.remember(id, loaded.clone());
        }
        Ok(loaded)
    }

    /// Forgets a fold: what it knew was erased, or it was made of sealed facts.
    pub(crate) fn unlearn<A: Cached>(&self, id: Uuid) {
        A::among(&self.folds).remove(&id);
    }

    /// Keeps a fold, unless a newer one is there.
    pub(crate) fn remember<A: Cached>(&self, id: Uuid, loaded: Loaded<A>) {
        let cache = A::among(&self.folds);
        if cache.peek(&id).is_none_or(|kept| kept.revision < loaded.revision) {
            cache.insert(id, loaded);
        }
    }
}
