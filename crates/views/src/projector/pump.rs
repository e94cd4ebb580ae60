//! From the journal to the rows: read, decode, write; in turn or at the same time.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use assay_store::journal::{Entry, Journal};
use assay_store::keyring::KeyRing;
use rusqlite::{Connection, OptionalExtension as _};
use tokio::runtime::Handle;

use crate::db::position;
use crate::error::{Result, ViewError};
use crate::fact::{Fact, decode};
use crate::project::write;
use crate::rows::Tables;

/// The most facts of one transaction.
const FACTS_MAX: usize = crate::project::FACTS_MAX;
/// The most bytes of facts in one transaction; one big fact may exceed it alone.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// How many decoded batches may wait to be written.
const BATCHES_AHEAD: usize = 1;

/// The next batch of the journal, bounded by count and by bytes.
fn batch(journal: &dyn Journal, after: u64, limit: usize) -> Result<Vec<Entry>> {
    let mut entries = journal.entries(after, limit.min(FACTS_MAX))?;
    let mut bytes = 0_usize;
    let fits = entries.iter().take_while(|entry| {
        bytes = bytes.saturating_add(entry.recorded.fact.data.len());
        bytes <= BYTES_MAX
    });
    let fits = fits.count().max(1);
    entries.truncate(fits);
    Ok(entries)
}

/// Projects one batch: what can be read of it, then the reason why the rest cannot.
pub(crate) fn step(
    conn: &mut Connection,
    tables: &mut Tables,
    journal: &Arc<dyn Journal>,
    keys: &Arc<KeyRing>,
    runtime: &Handle,
) -> Result<()> {
    let entries = batch(journal.as_ref(), position(conn)?, FACTS_MAX)?;
    let (mut facts, result) = decode(entries, keys, runtime);
    write(conn, tables, &mut facts)?;
    result
}

type Decoded = (Vec<Fact>, Result<()>);

/// Projects up to the head as it is now; a second thread decodes while this one writes.
///
/// `progress` hears how far it is and where it is going; its error ends the work.
pub(crate) fn pump(
    conn: &mut Connection,
    tables: &mut Tables,
    journal: &Arc<dyn Journal>,
    keys: &Arc<KeyRing>,
    runtime: &Handle,
    mut progress: impl FnMut(u64, u64) -> Result<()>,
) -> Result<()> {
    let (start, head) = (position(conn)?, journal.head()?);
    std::thread::scope(|scope| {
        let (sender, batches) = sync_channel::<Decoded>(BATCHES_AHEAD);
        let reader = Reader { journal: journal.as_ref(), keys, runtime };
        scope.spawn(move || reader.run(start, head, &sender));
        for (mut facts, result) in batches {
            write(conn, tables, &mut facts)?;
            if let Some(last) = facts.last() {
                progress(last.position, head)?;
            }
            result?;
        }
        Ok(())
    })
}

struct Reader<'a> {
    journal: &'a dyn Journal,
    keys: &'a Arc<KeyRing>,
    runtime: &'a Handle,
}

impl Reader<'_> {
    fn run(&self, mut after: u64, head: u64, out: &SyncSender<Decoded>) {
        while after < head {
            let limit = usize::try_from(head.saturating_sub(after)).unwrap_or(usize::MAX);
            let decoded = match batch(self.journal, after, limit) {
                Ok(entries) => decode(entries, self.keys, self.runtime),
                Err(error) => (Vec::new(), Err(error)),
            };
            let last = decoded.0.last().map(|fact| fact.position);
            // Whoever writes has stopped listening: nothing more to do.
            let (failed, gone) = (decoded.1.is_err(), out.send(decoded).is_err());
            match last {
                Some(last) if !failed && !gone => after = last,
                _ => return,
            }
        }
    }
}

/// Refuses views of another journal, or of one that was rewound.
pub(crate) fn must_be_of(conn: &Connection, journal: &dyn Journal) -> Result<()> {
    let known: Option<(i64, Vec<u8>)> = conn
        .prepare_cached("SELECT position, leaf FROM meta WHERE one = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((position, leaf)) = known else { return Ok(()) };
    let position = crate::at::number(position);
    let entry = journal.entries(position.saturating_sub(1), 1)?.into_iter().next();
    match entry {
        Some(entry) if entry.position == position && entry.leaf_hash.as_slice() == leaf => Ok(()),
        _ => {
            Err(ViewError::Foreign(format!("position {position} is not what it was; rebuild them")))
        }
    }
}
