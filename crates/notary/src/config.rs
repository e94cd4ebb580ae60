//! What the notary is told: where its files lie, how often it signs, and to whom it shows what it signed.

use std::path::PathBuf;
use std::time::Duration;

use assay_ledger::{VerifierKey, WitnessVerifier};
use assay_timestamp::Trust;
use secrecy::SecretString;
use tokio::sync::watch;

/// How often a checkpoint is signed at most, unless told otherwise.
pub const INTERVAL: Duration = Duration::from_mins(1);

/// How long after its time a checkpoint may be missing at an anchor, unless told otherwise.
pub const LATE_AFTER: Duration = Duration::from_hours(1);

/// The most anchors a notary keeps.
pub const ANCHORS_MAX: usize = 32;

/// The most bytes the name of an anchor may have.
pub const ANCHOR_NAME_BYTES_MAX: usize = 64;

/// What a notary is told when it opens.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory of tiles and checkpoints; nothing else may lie there.
    pub dir: PathBuf,
    /// A file elsewhere, best on another disk or machine, that holds the last signed checkpoint.
    pub second_place: Option<PathBuf>,
    /// The log's name among all logs: the first line of every checkpoint. The signing keys should bear it as name.
    pub origin: String,
    /// A checkpoint is signed at most this often, and only when there is something new.
    pub interval: Duration,
    /// To whom checkpoints are shown.
    pub anchors: Vec<AnchorConfig>,
    /// An anchor is late when a checkpoint is not there this long after it was due.
    pub late_after: Duration,
    /// Whether this node shows checkpoints to the anchors now; of several nodes over one log, one does.
    pub anchoring: Option<watch::Receiver<bool>>,
    /// Keys that signed earlier checkpoints and sign no more: known to [`crate::check()`], not enough for opening.
    pub retired: Vec<VerifierKey>,
}

impl Config {
    /// A notary without a second place and without anchors.
    pub fn new(dir: impl Into<PathBuf>, origin: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            second_place: None,
            origin: origin.into(),
            interval: INTERVAL,
            anchors: Vec::new(),
            late_after: LATE_AFTER,
            anchoring: None,
            retired: Vec::new(),
        }
    }
}

/// Somebody or something outside that is shown checkpoints.
#[derive(Clone, Debug)]
pub struct AnchorConfig {
    /// Its name in status, metrics and log lines: lower-case letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// It is shown a new checkpoint at most this often.
    pub every: Duration,
    /// What it is and where.
    pub kind: AnchorKind,
}

/// What an anchor is and where it is found.
#[derive(Clone, Debug)]
pub enum AnchorKind {
    /// A text file that signed checkpoints are appended to; the newest stands alone beside it, in `<path>.latest`.
    File {
        /// The file, on another mount or in a work tree that is copied elsewhere.
        path: PathBuf,
    },
    /// A server that is sent `{origin, size, root, note}` as JSON; any 2xx is its receipt.
    Webhook {
        /// `https`, or `http` to this machine.
        url: String,
        /// A header that opens its door, name and value.
        header: Option<(String, SecretString)>,
        /// Whether `http` to another machine is good enough. Everybody between reads the header.
        plain_http: bool,
    },
    /// A witness, which cosigns (C2SP tlog-witness).
    Witness {
        /// Its submission prefix, before `/add-checkpoint`. `http` will do: its answer is signed.
        url: String,
        /// Its key.
        vkey: WitnessVerifier,
    },
    /// A time-stamping authority (RFC 3161).
    Timestamp {
        /// Where it takes requests. `http` will do: its answer is signed.
        url: String,
        /// Whose word counts; at least one root.
        roots: Trust,
    },
}

impl AnchorKind {
    /// One word for what it is: `file`, `webhook`, `witness` or `timestamp`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Webhook { .. } => "webhook",
            Self::Witness { .. } => "witness",
            Self::Timestamp { .. } => "timestamp",
        }
    }
}
