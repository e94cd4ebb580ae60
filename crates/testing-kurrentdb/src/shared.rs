//! What the nodes of a double share: the log, who leads, the faults, and who may come in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::answers;
use crate::faults::Faults;
use crate::members::Members;
use crate::records::Records;

/// What the nodes share.
pub(crate) struct Shared {
    pub(crate) faults: Faults,
    records: Mutex<Records>,
    members: Mutex<Members>,
    /// The one `authorization` header that is let in, if there is a login.
    login: Mutex<Option<String>>,
    restorations: AtomicU64,
}

impl Shared {
    pub(crate) fn new(ports: &[u16]) -> Self {
        Self {
            faults: Faults::new(),
            records: Mutex::new(Records::new()),
            members: Mutex::new(Members::new(ports)),
            login: Mutex::default(),
            restorations: AtomicU64::new(0),
        }
    }

    pub(crate) fn records(&self) -> MutexGuard<'_, Records> {
        lock(&self.records)
    }

    pub(crate) fn members(&self) -> MutexGuard<'_, Members> {
        lock(&self.members)
    }

    pub(crate) fn require_login(&self, user: &str, password: &str) {
        let word = BASE64_STANDARD.encode(format!("{user}:{password}"));
        *lock(&self.login) = Some(format!("Basic {word}"));
    }

    /// Goes back to an older state; whoever is subscribed is thrown out, as at a restart.
    pub(crate) fn rewind(&self, to: usize) {
        self.records().rewind(to);
        self.restorations.fetch_add(1, Ordering::SeqCst);
        self.faults.ring();
    }

    /// How often an older state was restored.
    pub(crate) fn restorations(&self) -> u64 {
        self.restorations.load(Ordering::SeqCst)
    }

    /// Lets a call in at the node, or says why not.
    pub(crate) fn admit(&self, node: usize, headers: &MetadataMap) -> Result<(), Status> {
        if self.faults.denies() {
            return Err(Status::permission_denied("Access Denied"));
        }
        if let Some(login) = lock(&self.login).as_deref()
            && headers.get("authorization").and_then(|header| header.to_str().ok()) != Some(login)
        {
            return Err(Status::unauthenticated("Not Authenticated"));
        }
        self.serves(node, wants_leader(headers))
    }

    /// Whether the node may answer who wants the leader.
    pub(crate) fn serves(&self, node: usize, wants_leader: bool) -> Result<(), Status> {
        match self.members().leader() {
            _ if !wants_leader => Ok(()),
            Some((leader, _)) if leader == node => Ok(()),
            Some((_, port)) => Err(answers::not_leader(port)),
            None => Err(answers::not_ready()),
        }
    }
}

/// Whether the caller insists on the leader; the client does so by default.
pub(crate) fn wants_leader(headers: &MetadataMap) -> bool {
    headers.get("requires-leader").is_some_and(|value| value == "true")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
