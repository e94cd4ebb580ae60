//! The one way a checkpoint comes to be: what the journal holds durably, continued from what was signed last.

use std::sync::Arc;

use assay_ledger::{Checkpoint, Hash};

use crate::checkpoints::Name;
use crate::edge::{Edge, FullTile};
use crate::error::NotaryError;
use crate::files;
use crate::notary::{Notary, Published, lock, read, write};
use crate::shelf::BATCH_TILES;

type Result<T> = std::result::Result<T, NotaryError>;

/// How many leaves are read at once.
const LEAVES_PAGE: u64 = 4_096;

/// After how many leaves progress is told.
const PROGRESS_LEAVES: u64 = 1 << 20;

/// How often the journal's last position is looked at while it lags behind the edge.
const HEAD_LOOKS: u32 = 1_000;

/// What is done with tiles that have become full.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&[FullTile]) -> Result<()>;

impl Notary {
    /// Signs what the journal holds now; where nothing is new, the answer is the newest checkpoint.
    ///
    /// When it returns, the checkpoint is on disk and in the second place. Blocks.
    ///
    /// # Errors
    /// [`NotaryError::Nothing`] for an empty journal, [`NotaryError::Refusing`] where the journal contradicts
    /// itself or what was signed.
    pub fn sign(&self) -> Result<Arc<Published>> {
        let _turn = lock(&self.signing);
        self.must_be_sound()?;
        let frontier = self.journal.frontier()?;
        let (size, root) = (frontier.size(), frontier.root());
        let signed = Arc::clone(&read(&self.edge));
        if size == 0 && signed.size() == 0 {
            return Err(NotaryError::Nothing);
        }
        if size < signed.size() {
            return Err(self.refuse(shrunk(size, signed.size())));
        }
        if size > signed.size() {
            self.must_show(size)?;
            let edge = self.extend(&signed, size, &mut |full| self.shelf.write(full))?;
            self.sign_edge(&signed, edge, &root)?;
        } else if root != signed.root() {
            return Err(self.refuse(other_root(size, size)));
        }
        self.publish(size)
    }

    /// A checkpoint over at least `position` entries, which is signed now if there is none.
    ///
    /// # Errors
    /// As [`Self::sign`]; [`NotaryError::Beyond`] where the journal does not reach that far.
    pub fn covering(&self, position: u64) -> Result<Arc<Published>> {
        let covers = |published: &Arc<Published>| published.checkpoint.size >= position;
        if let Some(latest) = self.latest().filter(covers) {
            return Ok(latest);
        }
        let has = self.journal.head()?;
        if has < position {
            return Err(NotaryError::Beyond { asked: position, has });
        }
        let signed = self.sign()?;
        let beyond = NotaryError::Beyond { asked: position, has: signed.checkpoint.size };
        Some(signed).filter(covers).ok_or(beyond)
    }

    /// Signs a tree that the journal's own edge confirms. It is on disk then, and nobody has been given it.
    fn sign_edge(&self, signed: &Edge, edge: Edge, root: &Hash) -> Result<()> {
        let size = edge.size();
        if edge.root() != *root {
            return Err(self.refuse(other_root(signed.size(), size)));
        }
        let checkpoint = Checkpoint::new(self.origin(), size, *root);
        let earlier = files::read_text(&self.checkpoints.place(Name::Note(size)))?;
        if let Some(earlier) = earlier {
            let earlier = assay_ledger::SignedCheckpoint::parse(&earlier)?;
            if *earlier.checkpoint() != checkpoint {
                return Err(
                    self.refuse(format!("another tree of {size} entries was signed before"))
                );
            }
        }
        let note = checkpoint.sign(&self.signers)?.to_text();
        let signed_at = self.now();
        self.checkpoints.store(&Published {
            checkpoint,
            note,
            signed_at,
            timestamps: Vec::new(),
        })?;
        write(&self.sizes).push(size);
        *write(&self.edge) = Arc::new(edge);
        Ok(())
    }

    /// Brings the signed checkpoint to the second place; only then it is given to anybody.
    fn publish(&self, size: u64) -> Result<Arc<Published>> {
        if let Some(latest) = self.latest().filter(|latest| latest.checkpoint.size == size) {
            return Ok(latest);
        }
        let lost = || NotaryError::Damaged(format!("the checkpoint over {size} entries is gone"));
        let _writing = lock(&self.writing);
        let published = Arc::new(self.checkpoints.load(size)?.ok_or_else(lost)?);
        self.second.write(&published)?;
        self.write_latest(&published)?;
        self.latest.send_replace(Some(Arc::clone(&published)));
        tracing::info!(size, "a checkpoint is signed");
        Ok(published)
    }

    /// Keeps a copy of the newest note where whoever serves files finds it.
    pub(crate) fn write_latest(&self, published: &Published) -> Result<()> {
        files::replace(&self.config.dir.join("latest"), published.note.as_bytes())
    }

    /// The journal shows an entry a moment after its edge has it; longer than a moment is wrong.
    fn must_show(&self, edge: u64) -> Result<()> {
        for _ in 0..HEAD_LOOKS {
            if self.journal.head()? >= edge {
                return Ok(());
            }
            std::thread::yield_now();
        }
        Err(NotaryError::Unsettled { head: self.journal.head()?, edge })
    }

    /// The tree continued with the journal's leaves up to `to`; tiles that become full go to the sink in batches.
    ///
    /// The leaves of the last unfinished tile are read once more: they must be those that were signed.
    pub(crate) fn extend(&self, from: &Edge, to: u64, sink: Sink<'_>) -> Result<Edge> {
        let start = from.size() & !0xff;
        let again = self.leaves(start, from.size())?;
        if again.as_slice() != from.row(0) {
            let same = again.iter().zip(from.row(0)).take_while(|(now, then)| now == then).count();
            let position = start + u64::try_from(same).unwrap_or(0) + 1;
            return Err(self.refuse(format!("entry {position} is not the one that was signed")));
        }
        self.append(from.clone(), to, sink)
    }

    /// The tree of `to` leaves from the journal alone.
    pub(crate) fn extend_from_nothing(&self, to: u64, sink: Sink<'_>) -> Result<Edge> {
        self.append(Edge::default(), to, sink)
    }

    fn append(&self, mut edge: Edge, to: u64, sink: Sink<'_>) -> Result<Edge> {
        let mut full = Vec::new();
        let mut told = edge.size();
        while edge.size() < to {
            let page = LEAVES_PAGE.min(to - edge.size());
            let leaves = self.journal.leaves(edge.size(), usize::try_from(page).unwrap_or(1))?;
            if leaves.is_empty() {
                return Err(self.refuse(shrunk(edge.size(), to)));
            }
            for leaf in leaves {
                edge.append(leaf, &mut full);
                if full.len() >= BATCH_TILES {
                    sink(&full)?;
                    full.clear();
                }
            }
            if edge.size() - told >= PROGRESS_LEAVES {
                told = edge.size();
                tracing::info!(done = told, of = to, "hashing the journal's entries");
            }
        }
        sink(&full)?;
        Ok(edge)
    }

    /// The journal's leaves after `start`, up to `end`; fewer where it ends before.
    pub(crate) fn leaves(&self, start: u64, end: u64) -> Result<Vec<Hash>> {
        let mut leaves = Vec::new();
        let mut at = start;
        while at < end {
            let page = usize::try_from(end - at).unwrap_or(1);
            let more = self.journal.leaves(at, page)?;
            if more.is_empty() {
                break;
            }
            at += u64::try_from(more.len()).unwrap_or(end);
            leaves.extend(more);
        }
        Ok(leaves)
    }
}

/// The journal's leaves and its own edge disagree.
pub(crate) fn other_root(from: u64, to: u64) -> String {
    if from == to {
        return format!(
            "the journal's edge over {to} entries is not that of the tree that was signed"
        );
    }
    let first = from + 1;
    format!("the journal's entries {first} to {to} do not lead to the root that the journal states")
}

fn shrunk(head: u64, size: u64) -> String {
    format!("the journal ends at {head}, and {size} entries were there before")
}
