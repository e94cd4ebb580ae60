//! The command line: every subcommand with its words, as `--help` shows them.

mod moving;
mod proofs;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use serde_json::Value;

pub(crate) use moving::{Backup, EventLog, EventLogAct, LogCopy, Restore};
pub(crate) use proofs::{Bundle, BundleAct, BundleImport, Ledger, LedgerAct, Trusted, Verify};

use crate::configure::Given;
use crate::settings::LogFormat;

/// Keeps case files of open-source investigations: who said what, who checked it, and what was known when.
#[derive(Debug, Parser)]
#[command(name = "assay", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every subcommand understands.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The directory that holds everything [default: assay-data; for `demo`: assay-demo].
    #[arg(long, global = true, env = "ASSAY_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A file with settings (TOML).
    #[arg(long, global = true, env = "ASSAY_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How log lines on stderr look.
    #[arg(long, global = true, value_enum)]
    pub(crate) log_format: Option<LogFormat>,
    /// How much is logged: error, warn, info, debug or trace.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
}

impl Global {
    /// The settings given here.
    pub(crate) fn given(&self) -> Vec<Given> {
        let mut given = Vec::new();
        if let Some(dir) = &self.data_dir {
            given.push(("data_dir", Value::from(dir.to_string_lossy())));
        }
        if let Some(format) = self.log_format {
            let format = if format == LogFormat::Json { "json" } else { "text" };
            given.push(("log.format", Value::from(format)));
        }
        if let Some(level) = &self.log_level {
            given.push(("log.level", Value::from(level.as_str())));
        }
        given
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer requests until told to stop.
    Serve(Serve),
    /// Set up an empty house with its keys and its first admin.
    Init(Init),
    /// Prepare a house of its own with a real case in it, to look around.
    Demo(Demo),
    /// Manage people in a data directory that no server holds.
    User(User),
    /// Make the views anew from the journal.
    Rebuild(Rebuild),
    /// Show what was known at an earlier moment.
    Replay(Replay),
    /// Check everything on disk: journal, ledger, vault, views.
    Check(Check),
    /// Check a bundle, a mirror of a ledger or a data directory, without trusting any server.
    Verify(Verify),
    /// Take a case over from another house.
    Bundle(Bundle),
    /// Look after the ledger: its keys, its checkpoints, a mirror of somebody else's.
    Ledger(Ledger),
    /// Work with the views.
    Views(Views),
    /// File many reports from a data file.
    Import(Import),
    /// Copy a log into another one.
    Log(EventLog),
    /// Put a copy of everything aside while the server goes on.
    Backup(Backup),
    /// Make a data directory out of a backup.
    Restore(Restore),
    /// Show the nodes over the same log: how far each is, and whether all have the same history.
    Nodes(ListNodes),
    /// Show the settings in force and where they come from.
    Config,
    /// Show the version.
    Version,
}

/// `assay serve`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Serve {
    /// Address and port of the API [default: 127.0.0.1:8080]; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Address and port of health and metrics [default: 127.0.0.1:9090].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ops_listen: Option<String>,
    /// A proxy with TLS stands in front: allow addresses other than loopback.
    #[arg(long)]
    pub(crate) behind_proxy: bool,
}

impl Serve {
    /// The settings given here.
    pub(crate) fn given(&self) -> Vec<Given> {
        let listen = self.listen.iter().map(|to| ("server.listen", Value::from(to.as_str())));
        let ops = self.ops_listen.iter().map(|to| ("server.ops_listen", Value::from(to.as_str())));
        let proxy = self.behind_proxy.then(|| ("server.behind_proxy", Value::from(true)));
        listen.chain(ops).chain(proxy).collect()
    }
}

/// `assay init`
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The first admin's name for logging in.
    #[arg(long, default_value = "admin")]
    pub(crate) username: String,
}

/// `assay demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Answer requests afterwards.
    #[arg(long)]
    pub(crate) serve: bool,
    #[command(flatten)]
    pub(crate) listening: Serve,
}

/// `assay user`
#[derive(Debug, Args)]
pub(crate) struct User {
    #[command(subcommand)]
    pub(crate) act: UserAct,
}

/// What to do with whom.
#[derive(Debug, Subcommand)]
pub(crate) enum UserAct {
    /// Give somebody an account.
    Add {
        /// Their name for logging in: a-z, 0-9, `_`, `-`.
        username: String,
        /// The name others see [default: the username].
        #[arg(long)]
        name: Option<String>,
        /// A role in the house: analyst, reviewer, auditor or admin; may be given several times.
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// The highest marking they may see, in TLP 2.0.
        #[arg(long, default_value = "TLP:AMBER")]
        clearance: String,
        /// A file with the password on its first line, or `-` for stdin; without it a one-time code is made.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Show everybody with an account.
    List,
    /// Let somebody do nothing until further notice.
    Suspend {
        /// Who.
        username: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let somebody work again.
    Reinstate {
        /// Who.
        username: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Give a role in the house.
    Grant {
        /// To whom.
        username: String,
        /// Which: analyst, reviewer, auditor or admin.
        role: String,
    },
    /// Take a role in the house.
    Revoke {
        /// From whom.
        username: String,
        /// Which: analyst, reviewer, auditor or admin.
        role: String,
    },
    /// Make a one-time code with which somebody sets a new password.
    Code {
        /// For whom.
        username: String,
    },
}

/// `assay rebuild`
#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    /// Only compare: make the views beside the live ones and change nothing.
    #[arg(long)]
    pub(crate) compare: bool,
}

/// `assay replay`
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// A position of the journal (17), or an instant (2018-01-13T12:00:00Z): show what was known then.
    #[arg(long, value_name = "MOMENT", required_unless_present = "case")]
    pub(crate) as_of: Option<String>,
    /// One case; with --as-of as it stood then, without it step by step. No case: the list of cases.
    #[arg(long, value_name = "ID")]
    pub(crate) case: Option<uuid::Uuid>,
    /// Step through the case also with --as-of: up to that moment, and nothing after it.
    #[arg(long, requires = "case")]
    pub(crate) step: bool,
    /// Print the steps one after the other, as is done where there is no terminal.
    #[arg(long, requires = "case")]
    pub(crate) plain: bool,
    /// Begin with the step at this position or instant, or the first after it.
    #[arg(long, value_name = "MOMENT", requires = "case")]
    pub(crate) from: Option<String>,
    /// Print the steps up to the one at this position or instant.
    #[arg(long, value_name = "MOMENT", requires = "case")]
    pub(crate) to: Option<String>,
    /// Print so many steps at most [default: 1000].
    #[arg(long, value_name = "N", requires = "case", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

impl Replay {
    /// Whether steps are asked for in so many words.
    pub(crate) const fn steps(&self) -> bool {
        let span = self.from.is_some() || self.to.is_some() || self.limit.is_some();
        self.step || self.plain || span
    }
}

/// `assay check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `assay nodes`
#[derive(Debug, Args)]
pub(crate) struct ListNodes {
    /// Forget a node that was taken away for good, so that it is missed no more.
    #[arg(long, value_name = "ID")]
    pub(crate) forget: Option<uuid::Uuid>,
}

/// `assay views`
#[derive(Debug, Args)]
pub(crate) struct Views {
    #[command(subcommand)]
    pub(crate) act: ViewsAct,
}

/// What to do with the views.
#[derive(Debug, Subcommand)]
pub(crate) enum ViewsAct {
    /// Print every row as one JSON line, always in the same order.
    Dump {
        /// The canonical form; there is no other yet, so it may be left out.
        #[arg(long)]
        canonical: bool,
        /// As of this position or instant instead of now.
        #[arg(long, value_name = "MOMENT")]
        as_of: Option<String>,
    },
}

/// `assay import`
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file to read, or `-` for stdin; with --generate, the file to write.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Into which case.
    #[arg(long, value_name = "ID", required_unless_present = "generate")]
    pub(crate) case: Option<uuid::Uuid>,
    /// On whose behalf.
    #[arg(long = "as", value_name = "USERNAME", required_unless_present = "generate")]
    pub(crate) on_behalf_of: Option<String>,
    /// The shape of the file: ndjson, csv or ucdp [default: by its ending].
    #[arg(long)]
    pub(crate) format: Option<String>,
    /// Only say what would be filed and what is wrong.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write so many made-up reports into FILE instead, for trying out speed.
    #[arg(long, value_name = "N", conflicts_with_all = ["case", "on_behalf_of", "dry_run"])]
    pub(crate) generate: Option<u64>,
}
