//! Forgetting: after an erasure was carried out, the keys that seal its subject are destroyed.

use std::collections::BTreeSet;

use crate::error::Fault;
use crate::execute::House;
use assay_domain::case::Case;
use assay_domain::claim::Claim;
use assay_domain::erasure::{Erasable, ErasableKind};
use assay_domain::link::Link;
use assay_domain::report::Report;
use assay_domain::source::Source;
use assay_domain::user::User;
use assay_store::keyring::sealed_keys;
use assay_store::log::{Direction, LogError};
use assay_store::vault::KeyId;

/// How many facts are read from a stream at once.
const PAGE: usize = 500;

impl House {
    /// Destroys every key that a subject's facts are sealed under; answers how many there were.
    ///
    /// Harmless when done twice: whoever starts the house does it again for every erasure that was
    /// carried out, so that a crash between the fact and the key leaves nothing readable.
    pub async fn forget(&self, subject: Erasable) -> Result<usize, Fault> {
        let destroyed = self.forget_stream(&subject.stream()).await?;
        let id = subject.id;
        match subject.kind {
            ErasableKind::User => self.unlearn::<User>(id),
            ErasableKind::Source => self.unlearn::<Source>(id),
            ErasableKind::Report => self.unlearn::<Report>(id),
            ErasableKind::Claim => self.unlearn::<Claim>(id),
            ErasableKind::Link => self.unlearn::<Link>(id),
            ErasableKind::Case => self.unlearn::<Case>(id),
        }
        Ok(destroyed)
    }

    /// Destroys every key that a stream's facts are sealed under; answers how many there were.
    pub async fn forget_stream(&self, stream: &str) -> Result<usize, Fault> {
        let keys = self.keys_of(stream).await?;
        for key in &keys {
            self.keys.destroy(*key).await?;
        }
        Ok(keys.len())
    }

    /// Every key that the facts of a stream name.
    async fn keys_of(&self, stream: &str) -> Result<BTreeSet<KeyId>, Fault> {
        let (mut keys, mut from) = (BTreeSet::new(), 0);
        loop {
            let facts = match self.log.read_stream(stream, from, Direction::Forward, PAGE).await {
                Err(LogError::StreamNotFound) => return Ok(keys),
                other => other?,
            };
            let Some(last) = facts.last() else { return Ok(keys) };
            from = last.revision.saturating_add(1);
            keys.extend(facts.iter().flat_map(|recorded| sealed_keys(&recorded.fact.data)));
        }
    }
}
