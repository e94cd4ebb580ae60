//! Who else is there: each node writes now and then, into the vault they share, how far it is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use assay_store::vault::{Vault, VaultError};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::Clock;
use crate::error::ClusterError;

/// The most nodes there may be.
pub const NODES_MAX: usize = 64;
/// How long a node may say nothing until it counts as silent.
pub const SILENT_AFTER: Duration = Duration::from_secs(30);
/// How long a node may say nothing until it is forgotten.
pub const FORGOTTEN_AFTER: Duration = Duration::from_hours(7 * 24);

const PREFIX: &str = "node/";
/// How often an announcement is tried when the secret moved on.
const ATTEMPTS_MAX: usize = 3;
/// How many names are asked for at once.
const PAGE: usize = 16;

/// A ledger's size and root, as a node has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub hash: [u8; 32],
}

/// What a node said of itself last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: Uuid,
    /// What its operator calls it.
    pub name: String,
    /// The version it runs.
    pub version: String,
    /// The last position of its journal.
    pub position: u64,
    /// Its ledger's root.
    pub root: Option<Root>,
    /// When it said so, in microseconds since 1970 (UTC), by its own clock.
    pub at: i64,
    /// The newest checkpoint it signed: the signed note's text.
    pub checkpoint: Option<String>,
    /// Whether it has said nothing for longer than [`SILENT_AFTER`], by the asking node's clock.
    pub silent: bool,
}

/// What is stored of a node, as JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    version: String,
    position: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<StoredRoot>,
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredRoot {
    size: u64,
    /// In hexadecimal digits.
    hash: String,
}

/// This node among the others.
pub struct Nodes {
    vault: Arc<dyn Vault>,
    me: Uuid,
    name: String,
    version: String,
    clock: Clock,
    /// The version of our own secret, once it is known.
    own: Mutex<Option<u64>>,
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} ({})", self.name, self.me)
    }
}

impl Nodes {
    /// A node that has said nothing yet. The clock says microseconds since 1970 (UTC).
    pub fn new(
        vault: Arc<dyn Vault>,
        me: Uuid,
        name: String,
        version: String,
        clock: Clock,
    ) -> Self {
        Self { vault, me, name, version, clock, own: Mutex::new(None) }
    }

    /// Says how far this node is: its journal's position, its ledger's size and root, and the newest
    /// checkpoint's text.
    ///
    /// # Errors
    ///
    /// `TooManyNodes` where this one is new and would be one too many, `Vault`.
    pub async fn announce(
        &self,
        position: u64,
        root: Option<(u64, [u8; 32])>,
        checkpoint: Option<String>,
    ) -> Result<(), ClusterError> {
        let stored = Stored {
            name: self.name.clone(),
            version: self.version.clone(),
            position,
            root: root.map(|(size, hash)| StoredRoot { size, hash: hex::encode(hash) }),
            at: (self.clock)(),
            checkpoint,
        };
        let name = secret_of(self.me);
        let unwritable = || ClusterError::Unreadable { name: name.clone() };
        let bytes = serde_json::to_vec(&stored).map_err(|_| unwritable())?;
        let mut own = self.own.lock().await;
        for _ in 0..ATTEMPTS_MAX {
            if own.is_none() {
                *own = self.vault.secret(&name).await?.map(|secret| secret.version);
            }
            if own.is_none() && self.others().await?.len() >= NODES_MAX {
                return Err(ClusterError::TooManyNodes { nodes: NODES_MAX });
            }
            match self.vault.put_secret(&name, *own, bytes.clone()).await {
                Ok(version) => {
                    *own = Some(version);
                    return Ok(());
                }
                // An answer was lost, somebody retired us, or another process uses our id.
                Err(VaultError::Conflict { current }) => *own = current,
                Err(error) => return Err(error.into()),
            }
        }
        tracing::warn!(node = %self.me, "another process seems to announce itself as this node");
        Err(VaultError::Conflict { current: *own }.into())
    }

    /// What the other nodes said last, in the order of their ids; those that are forgotten are taken out.
    ///
    /// # Errors
    ///
    /// `Unreadable` where one wrote what this version cannot read, `TooManyNodes`, `Vault`.
    pub async fn others(&self) -> Result<Vec<Node>, ClusterError> {
        let now = (self.clock)();
        let mut others = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let names = self.vault.secret_names(PREFIX, after.as_deref(), PAGE).await?;
            let Some(last) = names.last() else { return Ok(others) };
            after = Some(last.clone());
            for name in names {
                let unreadable = || ClusterError::Unreadable { name: name.clone() };
                let id = name.strip_prefix(PREFIX).and_then(|id| Uuid::parse_str(id).ok());
                let id = id.ok_or_else(unreadable)?;
                if id == self.me {
                    continue;
                }
                // Retired since its name was read: then it is no other node.
                let Some(secret) = self.vault.secret(&name).await? else { continue };
                let node = read(id, &secret.bytes, now).ok_or_else(unreadable)?;
                if older(node.at, now, FORGOTTEN_AFTER) {
                    tracing::info!(node = %id, name = node.name, "a node that is long gone is forgotten");
                    self.vault.drop_secret(&name).await?;
                    continue;
                }
                others.push(node);
                if others.len() > NODES_MAX {
                    return Err(ClusterError::TooManyNodes { nodes: NODES_MAX });
                }
            }
        }
    }

    /// Takes a node out that is gone for good. One that is not will be back with its next announcement.
    pub async fn retire(&self, id: Uuid) -> Result<(), ClusterError> {
        Ok(self.vault.drop_secret(&secret_of(id)).await?)
    }
}

fn secret_of(id: Uuid) -> String {
    format!("{PREFIX}{id}")
}

fn read(id: Uuid, bytes: &[u8], now: i64) -> Option<Node> {
    let stored: Stored = serde_json::from_slice(bytes).ok()?;
    let root = match stored.root {
        None => None,
        Some(root) => {
            let hash = hex::decode(root.hash).ok()?;
            Some(Root { size: root.size, hash: hash.try_into().ok()? })
        }
    };
    let Stored { name, version, position, at, checkpoint, .. } = stored;
    let silent = older(at, now, SILENT_AFTER);
    Some(Node { id, name, version, position, root, at, checkpoint, silent })
}

/// Whether an instant lies further back than this.
fn older(at: i64, now: i64, than: Duration) -> bool {
    let than = i64::try_from(than.as_micros()).unwrap_or(i64::MAX);
    now.saturating_sub(at) > than
}
