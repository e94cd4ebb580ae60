//! The ledger: a Merkle tree over the journal's entries, by the book (RFC 6962), so that others can check it.
//!
//! Read in this order: [`hash`] (leaves and nodes), [`frontier`] (the growing edge of the tree), [`proof`] (what the
//! tree can prove), [`tile`] (the tree as files), [`note`] (signed texts), [`checkpoint`] (the log's signed state),
//! [`cosignature`] (what witnesses add to it), [`witness`] (how they are asked), [`proof_file`] (all of it for one
//! record, in one text). From [`tile`] on the formats are those of <https://c2sp.org>. Nothing here reads a
//! file, a clock or chance.

pub mod checkpoint;
pub mod cosignature;
pub mod frontier;
pub mod hash;
pub mod note;
pub mod proof;
pub mod proof_file;
mod text;
pub mod tile;
pub mod witness;

pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use cosignature::{CosignatureError, WitnessSigner, WitnessVerifier, take_cosignatures};
pub use frontier::{Frontier, FrontierError, root_of};
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use note::{KeyError, NoteError, NoteSignature, SignedNote, SignerKey, VerifierKey};
pub use proof::{
    ProofError, Subtrees, consistency_proof, inclusion_proof, root_at, verify_consistency,
    verify_inclusion,
};
pub use proof_file::{ProofPolicy, TlogProof, TlogProofError, Vouched};
pub use tile::{
    EntriesError, EntriesPath, TilePath, TilePathError, TileTree, TileTreeError, Tiles,
    entries_tile, entries_tiles_of, new_full_tiles, parse_entries_tile, tiles_of,
};
pub use witness::{AddCheckpoint, Refusal, consider};
