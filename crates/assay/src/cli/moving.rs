//! The words of what moves a house as a whole: `assay log copy`, `assay backup`, `assay restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `assay log`
#[derive(Debug, Args)]
pub(crate) struct EventLog {
    #[command(subcommand)]
    pub(crate) act: EventLogAct,
}

/// What to do with the log.
#[derive(Debug, Subcommand)]
pub(crate) enum EventLogAct {
    /// Copy a whole log into an empty one, with the keys and secrets that belong to it.
    Copy(LogCopy),
}

/// `assay log copy`
#[derive(Debug, Args)]
pub(crate) struct LogCopy {
    /// What to copy: a data directory, a URL (postgresql://…, kurrentdb://…), or `file:PATH`, where PATH is a
    /// data directory or a private file with the URL on its first line.
    #[arg(long, value_name = "STORE")]
    pub(crate) from: String,
    /// Where to copy it to, said in the same way; a directory is made where there is none.
    #[arg(long, value_name = "STORE")]
    pub(crate) to: String,
    /// The file with the master key of what is copied [default: as for every other command].
    #[arg(long, value_name = "FILE")]
    pub(crate) from_master_key_file: Option<PathBuf>,
    /// The file with the master key of the copy [default: the directory's own, made where there is none; for a
    /// URL the same key as that of what is copied].
    #[arg(long, value_name = "FILE")]
    pub(crate) to_master_key_file: Option<PathBuf>,
    /// Copy the log alone: nobody can log in to the copy, and what is sealed stays sealed.
    #[arg(long)]
    pub(crate) without_vault: bool,
}

/// `assay backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The directory to make; it must not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Put the master key into the backup too: whoever has the backup can then read everything.
    #[arg(long)]
    pub(crate) with_master_key: bool,
    /// Do not check what was written.
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `assay restore`
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup; it goes into the data directory (`--data-dir`), which must be empty or not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
}
