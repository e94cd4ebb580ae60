//! Everybody outside who is shown a checkpoint: each with its own schedule, and each missed when it falls silent.

mod file;
mod http;
mod keep;
mod standing;
mod timestamp;
mod webhook;
mod witness;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use assay_ledger::{Hash, NoteSignature};
use futures_util::future::BoxFuture;

use crate::config::{ANCHOR_NAME_BYTES_MAX, AnchorConfig, AnchorKind, Config};
use crate::error::NotaryError;
use crate::notary::{Notary, Published};
use crate::words::micros;

use standing::{Memory, Standing};

pub(crate) use standing::read_memory;
pub use standing::{AnchorStatus, Failure, Success};

/// The longest an anchor may take with one checkpoint.
pub(crate) const SEND_MAX: Duration = Duration::from_mins(1);

/// Why an anchor did not take a checkpoint, for the operator. It never quotes an address or a secret.
pub(crate) type Words = String;

/// A way out of the house for checkpoints.
pub(crate) trait Outlet: Send + Sync {
    /// Shows a checkpoint to whoever stands there.
    fn send<'a>(
        &'a self,
        published: &'a Published,
        prover: &'a Prover,
    ) -> BoxFuture<'a, Result<Receipt, Words>>;
}

/// What comes back, already checked.
#[derive(Debug)]
pub(crate) enum Receipt {
    /// Nothing to keep.
    Taken,
    /// Cosignatures by the anchor's key.
    Cosigned(Vec<NoteSignature>),
    /// A timestamp under the anchor's roots.
    Stamped(Vec<u8>),
}

/// Proofs for those who ask for them, made off the executor.
pub(crate) struct Prover(pub(crate) Arc<Notary>);

impl Prover {
    /// The proof that the tree of `new` leaves continues that of `old`.
    pub(crate) async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, Words> {
        let notary = Arc::clone(&self.0);
        off(move || notary.consistency(old, new)).await
    }

    /// The root at an earlier size.
    pub(crate) async fn root_at(&self, size: u64) -> Result<Hash, Words> {
        let notary = Arc::clone(&self.0);
        off(move || notary.root_at(size)).await
    }
}

/// Does something that blocks, off the executor.
pub(crate) async fn off<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Words>
where
    T: Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| "the work was broken off".to_owned())?.map_err(|error| error.to_string())
}

/// An anchor at work.
pub(crate) struct Anchor {
    pub(crate) name: String,
    kind: &'static str,
    every: i64,
    pub(crate) outlet: Box<dyn Outlet>,
    standing: Mutex<Standing>,
}

impl Anchor {
    /// All anchors of a notary, with what is remembered of them.
    pub(crate) fn all(config: &Config, now: i64) -> Result<Vec<Self>, NotaryError> {
        let memory = read_memory(&config.dir).unwrap_or_else(|error| {
            tracing::error!(%error, "what is remembered of the anchors is lost");
            BTreeMap::new()
        });
        let mut anchors: Vec<Self> = Vec::new();
        for anchor in &config.anchors {
            let name = &anchor.name;
            if anchors.iter().any(|other| other.name == *name) {
                return Err(NotaryError::Config(format!("two anchors are called {name:?}")));
            }
            let remembered = memory.get(name).copied();
            let made = Self::new(anchor, remembered, now);
            anchors.push(
                made.map_err(|why| NotaryError::Config(format!("the anchor {name:?}: {why}")))?,
            );
        }
        Ok(anchors)
    }

    fn new(config: &AnchorConfig, memory: Option<Memory>, now: i64) -> Result<Self, Words> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        let name = config.name.clone();
        if name.is_empty() || name.len() > ANCHOR_NAME_BYTES_MAX || !name.chars().all(plain) {
            return Err("a name has 1 to 64 lower-case letters, digits, `-`, `_` and `.`".into());
        }
        let standing = Standing::new(memory, now);
        let outlet = outlet(&config.kind, standing.taken())?;
        let (kind, every) = (config.kind.word(), micros(config.every));
        Ok(Self { name, kind, every, outlet, standing: Mutex::new(standing) })
    }
}

fn outlet(kind: &AnchorKind, size: u64) -> Result<Box<dyn Outlet>, Words> {
    Ok(match kind {
        AnchorKind::File { path } => Box::new(file::FileOutlet::new(path.clone())),
        AnchorKind::Webhook { url, header, plain_http } => {
            Box::new(webhook::Webhook::new(url, header.as_ref(), *plain_http)?)
        }
        AnchorKind::Witness { url, vkey } => {
            Box::new(witness::WitnessOutlet::new(url, vkey.clone(), size)?)
        }
        AnchorKind::Timestamp { url, roots } => {
            Box::new(timestamp::Authority::new(url, roots.clone())?)
        }
    })
}
