//! Opening: is this journal the one that was signed, whole, and not an older copy?

use std::sync::{Arc, Mutex, RwLock};

use assay_ledger::{Hash, SignedCheckpoint, SignerKey, TileTree, root_at};
use assay_store::journal::Journal;
use tokio::sync::watch;

use crate::anchor::Anchor;
use crate::checkpoints::{Checkpoints, read_signed};
use crate::config::{ANCHORS_MAX, Config};
use crate::edge::{Edge, full_tiles, hashes_at};
use crate::error::NotaryError;
use crate::files;
use crate::notary::{Clock, Notary, NotaryState, Published, lock, read, write};
use crate::second::SecondPlace;
use crate::shelf::Shelf;
use crate::words::moment;

type Result<T> = std::result::Result<T, NotaryError>;

impl Notary {
    /// Opens the notary's directory over a journal and compares the two. Cheap, unless tiles are lost.
    ///
    /// `signers` sign every checkpoint; the newest one on disk must be signed by at least one of them. A journal
    /// that disagrees with itself is opened all the same, for reading: see [`Notary::state`].
    ///
    /// # Errors
    /// [`NotaryError::Refused`] where the journal is behind the last signed checkpoint, in the directory or in the
    /// second place, or contradicts it.
    pub fn open(
        config: Config,
        journal: Arc<dyn Journal>,
        signers: Vec<SignerKey>,
        clock: Clock,
    ) -> Result<Self> {
        check_config(&config, &signers)?;
        let checkpoints = Checkpoints::at(config.dir.join("checkpoints"));
        let shelf = Shelf::at(config.dir.join("tiles"));
        for dir in [checkpoints.dir(), shelf.root()] {
            files::private_dir(dir)?;
        }
        files::sync_dir(&config.dir)?;
        files::sync_dir(files::parent(&config.dir))?;
        let sizes = checkpoints.sizes()?;
        let anchors = Anchor::all(&config, clock())?;
        let notary = Self {
            second: SecondPlace::at(config.second_place.clone()),
            edge: RwLock::default(),
            latest: watch::Sender::new(None),
            sizes: RwLock::new(sizes),
            state: RwLock::new(NotaryState::Sound),
            signing: Mutex::default(),
            writing: Mutex::default(),
            mending: Mutex::default(),
            config,
            journal,
            signers,
            clock,
            shelf,
            checkpoints,
            anchors,
        };
        notary.take_up()?;
        Ok(notary)
    }

    /// Goes on where the last signed checkpoint ends.
    fn take_up(&self) -> Result<()> {
        let keys = self.verifiers();
        let newest = read(&self.sizes).last().copied();
        let first = newest.map(|size| self.checkpoints.load(size)).transpose()?.flatten();
        if let Some(first) = &first {
            read_signed(&first.note, self.origin(), &keys).map_err(|error| {
                let size = first.checkpoint.size;
                NotaryError::Refused(format!("the checkpoint over {size} entries: {error}"))
            })?;
        }
        let second = self.second.read(self.origin(), &keys)?;
        let head = self.journal.head()?;
        if let Some(first) = &first {
            let place = format!("in {}", self.checkpoints.dir().display());
            must_reach(head, first.checkpoint.size, Some(first.signed_at), &place)?;
        }
        if let Some(second) = &second {
            let size = second.checkpoint().size;
            must_reach(head, size, self.signed_at_second(size), &self.second_words())?;
        }
        if let Some(first) = first {
            let edge = self.edge_under(&first.checkpoint.root, first.checkpoint.size);
            self.go_on(edge?, first);
        }
        if let Some(second) = second {
            self.compare_second(&second)?;
        }
        if let Some(latest) = self.latest() {
            self.second.write(&latest)?;
            self.write_latest(&latest)?;
        }
        self.compare_edges(head)
    }

    /// The edge of the tree under a signed checkpoint, from tiles if they are all there, else from the journal.
    fn edge_under(&self, root: &Hash, size: u64) -> Result<Edge> {
        let found = self.edge_from_tiles(size)?.filter(|edge| edge.root() == *root);
        if let Some(edge) = found {
            return Ok(edge);
        }
        tracing::warn!(
            size,
            "tiles are missing or do not fit: they are made anew from the journal"
        );
        self.rebuild(size, root)
    }

    /// The edge of a tree of `size` leaves; nothing where one of its tiles is missing.
    fn edge_from_tiles(&self, size: u64) -> Result<Option<Edge>> {
        let start = size & !0xff;
        let mut rows = vec![self.leaves(start, size)?];
        for level in 1..crate::edge::LEVELS {
            let mut row = Vec::new();
            for below in full_tiles(level, size) << 8..hashes_at(level, size) {
                let Some(hashes) = self.shelf.read(level - 1, below)? else { return Ok(None) };
                row.push(crate::edge::fold(&hashes));
            }
            rows.push(row);
        }
        Ok(Some(Edge::new(size, rows)))
    }

    /// Compares what the second place holds, and takes it over where it is newer: the process ended in between.
    fn compare_second(&self, second: &SignedCheckpoint) -> Result<()> {
        let (size, root) = (second.checkpoint().size, second.checkpoint().root);
        let edge = Arc::clone(&read(&self.edge));
        if size <= edge.size() {
            let here = root_at(&TileTree::new(self, size), size)?;
            return if here == root { Ok(()) } else { Err(self.contradicted(size)) };
        }
        let found = self.extend(&edge, size, &mut |full| self.shelf.write(full));
        let edge = match found {
            Ok(edge) if edge.root() == root => edge,
            Ok(_) | Err(NotaryError::Refusing(_)) => return Err(self.contradicted(size)),
            Err(error) => return Err(error),
        };
        let signed_at = self.signed_at_second(size).unwrap_or_else(|| self.now());
        let checkpoint = second.checkpoint().clone();
        let note = second.to_text();
        let published = Published { checkpoint, note, signed_at, timestamps: Vec::new() };
        self.checkpoints.store(&published)?;
        write(&self.sizes).push(size);
        tracing::warn!(size, "the last checkpoint was in the second place only, and is taken over");
        self.go_on(edge, published);
        Ok(())
    }

    fn go_on(&self, edge: Edge, published: Published) {
        *write(&self.edge) = Arc::new(edge);
        self.latest.send_replace(Some(Arc::new(published)));
    }

    /// Whether the journal's own edge is that of its leaves: without that nothing is signed.
    fn compare_edges(&self, head: u64) -> Result<()> {
        let edge = Arc::clone(&read(&self.edge));
        let frontier = self.journal.frontier()?;
        if frontier.size() < head {
            let (size, why) = (frontier.size(), "more entries than its edge");
            self.refuse(format!("the journal has {head} entries, {why}, which is over {size}"));
            return Ok(());
        }
        match self.extend(&edge, frontier.size(), &mut |_| Ok(())) {
            Ok(own) if own.root() == frontier.root() => Ok(()),
            Ok(_) => {
                self.refuse(crate::sign::other_root(edge.size(), frontier.size()));
                Ok(())
            }
            Err(NotaryError::Refusing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// When a checkpoint of the second place was signed, where the directory still knows.
    fn signed_at_second(&self, size: u64) -> Option<i64> {
        self.checkpoints.signed_at(size).ok().or_else(|| {
            let found = std::fs::metadata(self.second.path()?).ok()?.modified().ok()?;
            let since = found.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(crate::words::micros(since))
        })
    }

    fn second_words(&self) -> String {
        let path = self.second.path().map(|path| path.display().to_string()).unwrap_or_default();
        format!("in the second place, {path}")
    }

    fn contradicted(&self, size: u64) -> NotaryError {
        let place = self.second_words();
        NotaryError::Refused(format!(
            "the journal's first {size} entries are not those under the checkpoint {place}: \
             the data was changed since, or is of another log"
        ))
    }

    /// Makes all tiles under a signed checkpoint anew, once the journal's leaves have proved to be those signed.
    pub(crate) fn rebuild(&self, size: u64, root: &Hash) -> Result<Edge> {
        let _turn = lock(&self.mending);
        // Nothing is overwritten before the leaves are known to be right.
        if self.extend_from_nothing(size, &mut |_| Ok(()))?.root() != *root {
            return Err(NotaryError::Refused(format!(
                "the journal's first {size} entries are not those under the checkpoint in {}: \
                 the data was changed since, or is of another log",
                self.checkpoints.dir().display()
            )));
        }
        self.extend_from_nothing(size, &mut |full| {
            let fits = |tile: &crate::edge::FullTile| {
                let there = self.shelf.read(tile.path.level, tile.path.index)?;
                Ok::<_, NotaryError>(there.as_ref() == Some(&tile.hashes))
            };
            for tile in full {
                if !fits(tile)? {
                    self.shelf.write(std::slice::from_ref(tile))?;
                }
            }
            Ok(())
        })
    }
}

fn must_reach(head: u64, size: u64, signed_at: Option<i64>, place: &str) -> Result<()> {
    if head >= size {
        return Ok(());
    }
    let when = signed_at.map(|at| format!(" on {}", moment(at))).unwrap_or_default();
    Err(NotaryError::Refused(format!(
        "the journal ends at {head}; a checkpoint over {size} entries was signed{when} ({place}): \
         this is an older copy of the data"
    )))
}

fn check_config(config: &Config, signers: &[SignerKey]) -> Result<()> {
    let wrong = |what: &str| Err(NotaryError::Config(what.to_owned()));
    if signers.is_empty() {
        return wrong("a notary needs a key to sign with");
    }
    let keys: std::collections::BTreeSet<_> =
        signers.iter().map(|signer| (signer.name(), signer.verifier().key_id())).collect();
    if keys.len() < signers.len() {
        return wrong("a key to sign with is given twice");
    }
    if config.origin.is_empty() || config.origin.contains(char::is_control) {
        return wrong("the log's origin must be one line that is not empty");
    }
    if config.anchors.len() > ANCHORS_MAX {
        return wrong("there are too many anchors");
    }
    Ok(())
}
