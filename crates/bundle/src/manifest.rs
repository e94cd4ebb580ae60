//! The manifest: which case of which log, how much of it, and the digest of every other member.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What `format` says.
pub const FORMAT: &str = "assay.case-bundle.v1";

/// What stands in `manifest.json`: pretty-printed with two spaces, the fields in this order, a newline at the end.
///
/// Signed by nobody: what can be compared is compared, and the rest is the maker's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`FORMAT`].
    pub format: String,
    /// Which case.
    pub case: Uuid,
    /// Which log, as its checkpoint says.
    pub origin: String,
    /// The keys that signed the checkpoint, as the maker says: never a reason to trust them.
    pub log_keys: Vec<String>,
    /// How many leaves the log had, as its checkpoint says.
    pub size: u64,
    /// The root of the tree, base64, as the checkpoint says.
    pub root: String,
    /// Up to which position the case was taken; the maker's word beyond the last entry.
    pub as_of: u64,
    /// When the file was made, in microseconds since 1970 (UTC); the maker's word.
    pub made_at: i64,
    /// The user who made it; the maker's word.
    pub made_by: Uuid,
    /// For whom; the maker's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// How many entries are in the file.
    pub entries: u64,
    /// How many keys are disclosed in it.
    pub keys: u64,
    /// What is withheld and why; the maker's word.
    pub withheld: Vec<Withheld>,
    /// Every other member, in the order of the file.
    pub files: Vec<Member>,
}

/// Something that is not in the file, or not open to its reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// What: a kind such as `source`, or the name of a stream.
    pub what: String,
    /// Why.
    pub why: String,
}

/// A member of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name in the archive.
    pub name: String,
    /// Its size, unpacked.
    pub size_bytes: u64,
    /// The SHA-256 of its bytes, in lowercase hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// The bytes of `manifest.json`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads what [`Self::to_bytes`] writes, and nothing else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let manifest: Self = serde_json::from_slice(bytes).ok()?;
        let one_spelling = manifest.to_bytes().ok()? == bytes;
        (one_spelling && manifest.format == FORMAT).then_some(manifest)
    }
}
