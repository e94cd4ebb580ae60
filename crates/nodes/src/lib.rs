//! Several nodes over one log: each fills its own journal from the log upstream, knows the others, and some work runs on one of them only.
//!
//! Read in this order: [`state`] (how it stands with the copy), [`replicator`] (the copy is filled), `shared` (what its
//! tasks share), `following` (one time of following, from the check to its end), `overlap` (is it still the log we
//! copied?), `batch` (what is taken at once), `lag` (how far behind), `backoff` (when it is tried again),
//! [`replicated`] (the log as everything above sees it), [`nodes`] (who else is there), [`lease`] (one runner among
//! them), [`error`].
//!
//! Three rules are never broken. Nothing enters the journal but what follows, in the log upstream, after what is in
//! it. A journal that contradicts the log is left as it is and followed no further. An error of the network is no
//! end: it is tried again for ever.

mod backoff;
mod batch;
pub mod error;
mod following;
mod lag;
pub mod lease;
pub mod nodes;
mod overlap;
pub mod replicated;
pub mod replicator;
mod shared;
pub mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use error::ClusterError;
pub use lease::{Lease, Times};
pub use nodes::{Node, Nodes, Root};
pub use replicator::Replication;
pub use state::{Progress, State};

/// The time now, in microseconds since 1970 (UTC).
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Waits until the word to stop comes, or whoever could say it is gone.
pub(crate) async fn stopped(stop: &mut tokio::sync::watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same word.
    let _ = stop.wait_for(|stop| *stop).await;
}
