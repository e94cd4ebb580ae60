//! A fact as the views read it: decoded, with its keys applied, and where it stands.

use std::rc::Rc;
use std::sync::Arc;

use assay_domain::aggregate::{Event, Subject};
use assay_domain::id::UserId;
use assay_domain::personal::{Open, opening};
use assay_store::fact::Envelope;
use assay_store::journal::Entry;
use assay_store::keyring::{KeyRing, sealed_keys};
use assay_store::seal::{key_of, open};
use assay_store::vault::{KeyId, KeyState, VaultError};
use tokio::runtime::Handle;

use crate::doc::{Deed, Instant};
use crate::error::{Result, ViewError};
use crate::history::EntryOrigin;

/// How many keys are fetched and used at a time: the ring is sure to keep them that long.
const KEYS_AT_ONCE: usize = 2_000;

/// One decoded fact.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) position: u64,
    pub(crate) revision: u64,
    pub(crate) subject: Subject,
    pub(crate) event: Event,
    pub(crate) name: String,
    pub(crate) envelope: Envelope,
    /// When it was recorded here.
    pub(crate) recorded_at: Instant,
    pub(crate) leaf: Vec<u8>,
    /// Where it comes from, once it is known that it was taken over from another log.
    pub(crate) origin: Option<EntryOrigin>,
}

impl Fact {
    /// Who did it, and when.
    pub(crate) fn deed(&self) -> Deed {
        Deed { by: UserId(self.envelope.actor), at: self.at() }
    }

    /// When it was recorded: of what was taken over, when it was recorded where it comes from.
    pub(crate) fn at(&self) -> Instant {
        self.origin.as_ref().map_or(self.recorded_at, |origin| origin.recorded_at)
    }
}

/// Reads entries, fetching their keys first; stops at the first that cannot be read and says why.
pub(crate) fn decode(
    entries: Vec<Entry>,
    keys: &Arc<KeyRing>,
    runtime: &Handle,
) -> (Vec<Fact>, Result<()>) {
    let mut facts = Vec::with_capacity(entries.len());
    let result = decode_into(entries, keys, runtime, &mut facts);
    (facts, result)
}

fn decode_into(
    entries: Vec<Entry>,
    keys: &Arc<KeyRing>,
    runtime: &Handle,
    facts: &mut Vec<Fact>,
) -> Result<()> {
    let mut entries = entries.into_iter().peekable();
    while entries.peek().is_some() {
        let mut part: Vec<(Entry, Vec<KeyId>)> = Vec::new();
        let mut count = 0_usize;
        while count < KEYS_AT_ONCE
            && let Some(entry) = entries.next()
        {
            let ids = sealed_keys(&entry.recorded.fact.data);
            count = count.saturating_add(ids.len());
            part.push((entry, ids));
        }
        let fetched = fetch(&mut part, keys, runtime);
        for (entry, _) in part {
            facts.push(read(entry, keys)?);
        }
        fetched?;
    }
    Ok(())
}

/// Brings the keys of a part into the ring; before an unknown key the part is cut off.
fn fetch(part: &mut Vec<(Entry, Vec<KeyId>)>, keys: &KeyRing, runtime: &Handle) -> Result<()> {
    let mut result = Ok(());
    loop {
        let ids: Vec<KeyId> = part.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        let unknown = match runtime.block_on(keys.fetch(&ids)) {
            Ok(()) => return result,
            Err(VaultError::UnknownKey(id)) => id,
            Err(other) => {
                part.clear();
                return Err(other.into());
            }
        };
        let Some(at) = part.iter().position(|(_, ids)| ids.contains(&unknown)) else {
            part.clear();
            return Err(VaultError::UnknownKey(unknown).into());
        };
        let position = part.get(at).map_or(0, |(entry, _)| entry.position);
        part.truncate(at);
        let reason = format!("its key {unknown} is unknown");
        result = Err(ViewError::Unreadable { position, reason });
    }
}

fn read(entry: Entry, keys: &Arc<KeyRing>) -> Result<Fact> {
    let position = entry.position;
    let unreadable = |reason: String| ViewError::Unreadable { position, reason };
    let recorded = entry.recorded;
    let subject = Subject::of_stream(&recorded.stream)
        .ok_or_else(|| unreadable(format!("the stream {} is of no known kind", recorded.stream)))?;
    let opener: Rc<Open> = {
        let (keys, stream) = (keys.clone(), recorded.stream.clone());
        let shown = keys.shows(&stream);
        Rc::new(move |sealed| {
            if !shown {
                return Ok(None); // Held back while an erasure is decided.
            }
            let id = key_of(sealed).map_err(|error| error.to_string())?;
            match keys.get(id) {
                Some(KeyState::Held(key)) => {
                    open(&key, &stream, sealed).map(Some).map_err(|error| error.to_string())
                }
                Some(KeyState::Destroyed) => Ok(None),
                None => Err(format!("the key {id} is not at hand")),
            }
        })
    };
    let event = opening(opener, || subject.read(&recorded.fact.data))
        .map_err(|error| unreadable(error.to_string()))?;
    let envelope = recorded.fact.envelope;
    let recorded_at = Instant::of_micros(envelope.recorded_at)
        .ok_or_else(|| unreadable("its instant is out of range".to_owned()))?;
    Ok(Fact {
        position,
        revision: recorded.revision,
        subject,
        event,
        name: recorded.fact.name,
        envelope,
        recorded_at,
        leaf: entry.leaf_hash.to_vec(),
        origin: None,
    })
}
