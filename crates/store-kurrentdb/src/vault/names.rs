//! Which secrets there are: a mirror of their names, brought up to the head of the log before it answers.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use assay_store::seals::Seals;
use assay_store::vault::VaultError;
use tokio::sync::Mutex;

use super::rows::{self, Row, Streams};
use crate::connection::Connection;
use crate::error::Trouble;
use crate::tail::Tail;

/// The names of all secrets, in memory. One question at a time brings it up to date.
#[derive(Debug)]
pub(super) struct Names {
    mirror: Mutex<Mirror>,
    streams: Streams,
    seals: Arc<Seals>,
}

#[derive(Debug)]
struct Mirror {
    tail: Tail,
    names: BTreeSet<String>,
}

impl Mirror {
    /// Begins anew: an older copy of the server's disks was put in place, and what we knew is not
    /// there.
    fn forget(&mut self) {
        self.tail.rewind();
        self.names.clear();
    }
}

impl Names {
    pub(super) fn new(connection: Connection, streams: Streams, seals: Arc<Seals>) -> Self {
        let tail = Tail::new(connection, streams.secrets(), None);
        Self { mirror: Mutex::new(Mirror { tail, names: BTreeSet::new() }), streams, seals }
    }

    /// The names of at most `limit` secrets that start with a prefix, after a name, in byte order.
    pub(super) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, VaultError> {
        let mut mirror = self.mirror.lock().await;
        self.bring_up(&mut mirror).await?;
        // Whichever is further on: the prefix itself, or what was seen already.
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let names = mirror.names.range::<str, _>((from, Bound::Unbounded));
        Ok(names.take_while(|name| name.starts_with(prefix)).take(limit).cloned().collect())
    }

    async fn bring_up(&self, mirror: &mut Mirror) -> Result<(), VaultError> {
        let Some(mut head) = mirror.tail.head().await? else { return Ok(()) };
        if mirror.tail.place() > Some(head.position.commit) {
            mirror.forget();
        }
        while !mirror.tail.reached(&head) {
            let before = mirror.tail.place();
            let read = match mirror.tail.towards(&head).await {
                Err(Trouble::Refused(_)) if before.is_some() => {
                    mirror.forget();
                    continue;
                }
                read => read?,
            };
            for found in read {
                let Some(Row::Secret(name)) = self.streams.row(&found.stream) else { continue };
                let found = match rows::secret(&self.seals, &name, &found) {
                    Ok(found) => found,
                    Err(error) => {
                        // So that the next question says it again.
                        mirror.forget();
                        return Err(error);
                    }
                };
                match found.version() {
                    Some(_) => _ = mirror.names.insert(name),
                    None => _ = mirror.names.remove(&name),
                }
            }
            if mirror.tail.place() == before {
                // What was last may have been scavenged in the meantime.
                head = mirror.tail.head().await?.ok_or(Trouble::Late)?;
            }
        }
        Ok(())
    }
}
