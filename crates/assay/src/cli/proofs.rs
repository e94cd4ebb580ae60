//! The words of what proves something: `assay verify`, `assay bundle`, `assay ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Whom a verifier trusts: never anybody that the checked file itself names.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Trusted {
    /// A public key of the log, as the log's keeper published it, or a file with such keys; may be given several times.
    #[arg(long = "key", value_name = "KEY|FILE")]
    pub(crate) keys: Vec<String>,
    /// A public key of a witness, or a file with such keys; may be given several times.
    #[arg(long = "witness", value_name = "KEY|FILE")]
    pub(crate) witnesses: Vec<String>,
    /// How many of the witnesses must have signed [default: all that are given].
    #[arg(long, value_name = "N")]
    pub(crate) witnesses_needed: Option<usize>,
    /// An older signed checkpoint that you kept; may be given several times.
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub(crate) checkpoints: Vec<PathBuf>,
    /// Roots of time-stamping authorities that you trust (PEM).
    #[arg(long, value_name = "FILE")]
    pub(crate) timestamp_roots: Option<PathBuf>,
}

/// `assay verify`
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A case bundle, a directory with a mirror of a ledger, or a data directory.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) target: PathBuf,
    #[command(flatten)]
    pub(crate) trusted: Trusted,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `assay bundle`
#[derive(Debug, Args)]
pub(crate) struct Bundle {
    #[command(subcommand)]
    pub(crate) act: BundleAct,
}

/// What to do with a bundle.
#[derive(Debug, Subcommand)]
pub(crate) enum BundleAct {
    /// Verify a bundle of another house and take its case over.
    Import(BundleImport),
}

/// `assay bundle import`
#[derive(Debug, Args)]
pub(crate) struct BundleImport {
    /// The bundle.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) trusted: Trusted,
    /// Who leads the case here.
    #[arg(long = "as", value_name = "USERNAME")]
    pub(crate) lead: String,
    /// Somebody of the other house is somebody here: THERE=USERNAME; may be given several times.
    #[arg(long = "map", value_name = "ID=USERNAME")]
    pub(crate) map: Vec<String>,
    /// Only verify and say what would be taken over, and who is who.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `assay ledger`
#[derive(Debug, Args)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    pub(crate) act: LedgerAct,
}

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerAct {
    /// Print the public keys that sign this log's checkpoints: give them to whoever shall verify.
    Key,
    /// Print the latest signed checkpoint.
    Checkpoint {
        /// Sign one over everything there is first; needs a directory that no server holds.
        #[arg(long)]
        sign: bool,
    },
    /// Make one more key; from the next start on it signs beside the others.
    Rotate,
    /// Put a key away; from the next start on it signs no more.
    Retire {
        /// The key, or its id.
        key: String,
    },
    /// Copy a ledger's checkpoint and tiles from a server into a directory, to be verified offline.
    Mirror {
        /// The ledger's address, for example <https://assay.example.org/ledger>.
        from: String,
        /// The directory to copy into; what is there already is not asked for again.
        to: PathBuf,
        /// A file with an access token on its first line, where the ledger is not public.
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        /// Copy the records of the entries too (needs the right to audit).
        #[arg(long)]
        entries: bool,
    },
}
