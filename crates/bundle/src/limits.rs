//! How large anything may be: what is over a limit is refused, by the writer and by every verifier.

/// The most bytes a bundle may have, packed, and the most its members may have together, unpacked: 8 GiB.
pub const BUNDLE_BYTES_MAX: u64 = 8 << 30;
/// The most members a bundle may have.
pub const MEMBERS_MAX: usize = 10_000;
/// The most bytes of a ZIP file's central directory.
pub const DIRECTORY_BYTES_MAX: u64 = 4 << 20;
/// The most entries a bundle may hold.
pub const ENTRIES_MAX: u64 = 10_000_000;
/// The most keys a bundle may disclose.
pub const KEYS_MAX: u64 = 1_000_000;
/// The most timestamps a bundle may hold.
pub const TIMESTAMPS_MAX: usize = 100;
/// The most bytes a line of `entries.ndjson` or `keys.ndjson` may have, its newline included.
pub const LINE_BYTES_MAX: usize = 4 << 20;
/// The most bytes `manifest.json` may have.
pub const MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// The most bytes `checkpoint.txt` or `consistency.txt` may have.
pub const NOTE_BYTES_MAX: u64 = 1 << 20;
/// The most hashes in a proof: no tree is deeper.
pub const PROOF_HASHES_MAX: usize = 64;
/// How many times its packed size a member may have unpacked, once it has more than [`RATIO_FREE_BYTES`].
pub const RATIO_MAX: u64 = 200;
/// Up to so many bytes unpacked, a member may be packed as tightly as it will.
pub const RATIO_FREE_BYTES: u64 = 16 << 20;
/// The most bytes a stream's or a fact's name may have.
pub const NAME_BYTES_MAX: usize = assay_store::fact::NAME_BYTES_MAX;

/// Whether a member of this size may be packed into so few bytes.
pub(crate) const fn packs_honestly(size_bytes: u64, packed_bytes: u64) -> bool {
    size_bytes <= RATIO_FREE_BYTES || size_bytes / RATIO_MAX <= packed_bytes
}
