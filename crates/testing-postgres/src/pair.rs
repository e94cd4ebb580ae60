//! A primary and its synchronous standby: killing one, promoting the other, and joining again.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::processes::wait_until;
use crate::server::Server;
use crate::template::text;

/// How long the standby may take to catch up and be counted as synchronous.
const SYNCHRONOUS_LIMIT: Duration = Duration::from_secs(90);
/// How long one host of the URL may take to be connected to, in seconds.
const CONNECT_TIMEOUT_S: u32 = 2;
/// The replication slot on the primary, by which it keeps what the standby still lacks.
const SLOT: &str = "standby";

/// Two servers; one is the primary, the other its synchronous standby.
///
/// `synchronous_commit=on`: a commit is acknowledged when the standby has flushed it to its disk
/// too (not yet applied it). The standby does not take over by itself, and nothing fences a primary
/// that was only paused: after [`promote`](Self::promote) it wakes up as a primary whose commits
/// wait for ever, until [`rejoin`](Self::rejoin) makes it a standby.
#[derive(Debug)]
pub struct Pair {
    servers: [Server; 2],
    primary: AtomicUsize,
}

/// How the old primary came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejoined {
    /// `pg_rewind` undid what only it had.
    Rewound,
    /// It was copied anew from the primary.
    Copied,
}

impl Pair {
    /// Starts a primary (`fsync=on`) and its standby; returns when the standby is synchronous.
    pub fn start() -> Result<Self> {
        let primary = Server::start()?;
        create_slot(&primary)?;
        let mut standby = Server::without_data(true)?;
        copy(&primary, &standby)?;
        stand_by(&primary, &standby, 1)?;
        standby.launch_on_a_free_port()?;
        let pair = Self { servers: [primary, standby], primary: AtomicUsize::new(0) };
        pair.make_synchronous()?;
        Ok(pair)
    }

    /// The URL of the database `postgres` on whichever takes writes.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database, with both hosts; a client takes the one that can be written to.
    pub fn url_of(&self, database: &str) -> String {
        let [a, b] = &self.servers;
        format!(
            "postgresql://assay@127.0.0.1:{},127.0.0.1:{}/{database}\
             ?target_session_attrs=read-write&connect_timeout={CONNECT_TIMEOUT_S}",
            a.port(),
            b.port()
        )
    }

    /// Makes a fresh, empty database and returns its URL, with both hosts.
    pub fn database(&self) -> Result<String> {
        Ok(self.url_of(&self.primary().create_database()?))
    }

    /// The server that is to take writes now.
    pub fn primary(&self) -> &Server {
        let [a, b] = &self.servers;
        if self.primary.load(Ordering::SeqCst) == 0 { a } else { b }
    }

    /// The other one.
    pub fn standby(&self) -> &Server {
        let [a, b] = &self.servers;
        if self.primary.load(Ordering::SeqCst) == 0 { b } else { a }
    }

    /// Kills the primary and all its children (`SIGKILL`).
    pub fn kill_primary(&self) -> Result<()> {
        self.primary().kill()
    }

    /// Stops the clock for the primary (`SIGSTOP`).
    pub fn pause_primary(&self) -> Result<()> {
        self.primary().pause()
    }

    /// Lets the paused primary go on.
    pub fn resume_primary(&self) -> Result<()> {
        self.primary().resume()
    }

    /// Makes the standby the primary. When this returns it takes writes, alone: it waits for no
    /// standby until the other has rejoined.
    pub fn promote(&self) -> Result<()> {
        let promoted = self.standby();
        let done = promoted.psql("postgres", "SELECT pg_promote(true, 60)")?;
        ensure!(done == "t", "the standby was not promoted within 60 s");
        promoted.psql("postgres", "ALTER SYSTEM RESET synchronous_standby_names")?;
        promoted.psql("postgres", "SELECT pg_reload_conf()")?;
        create_slot(promoted)?;
        self.primary.fetch_xor(1, Ordering::SeqCst);
        Ok(())
    }

    /// Makes the other server a synchronous standby of the present primary, whatever it was:
    /// killed if it still runs, rewound where that is possible, else copied anew.
    pub fn rejoin(&self) -> Result<Rejoined> {
        let (primary, other) = (self.primary(), self.standby());
        other.kill()?;
        // Until its first checkpoint a promoted server still shows its old timeline.
        primary.psql("postgres", "CHECKPOINT")?;
        let rejoined = if rewind(primary, other).is_ok() {
            Rejoined::Rewound
        } else {
            copy(primary, other)?;
            Rejoined::Copied
        };
        stand_by(primary, other, 1 - self.primary.load(Ordering::SeqCst))?;
        other.restart()?;
        // A slot from its time as primary would keep everything for nobody.
        drop_slots(other)?;
        self.make_synchronous()?;
        Ok(rejoined)
    }

    /// Waits until the primary counts the standby as synchronous and streaming.
    pub fn wait_synchronous(&self) -> Result<()> {
        let sql = "SELECT count(*) FROM pg_stat_replication \
                   WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')";
        wait_until("the standby to be synchronous", SYNCHRONOUS_LIMIT, || {
            Ok(self.primary().psql("postgres", sql)? == "1")
        })
    }

    /// From when this returns no commit is acknowledged without the standby.
    fn make_synchronous(&self) -> Result<()> {
        let primary = self.primary();
        let other = 1 - self.primary.load(Ordering::SeqCst);
        let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{}'", name(other));
        primary.psql("postgres", &set)?;
        primary.psql("postgres", "SELECT pg_reload_conf()")?;
        self.wait_synchronous()?;
        // Commits wait once the checkpointer, too, has read the new setting.
        primary.psql("postgres", "CHECKPOINT")?;
        Ok(())
    }
}

/// A server's `application_name` as a standby.
fn name(index: usize) -> String {
    format!("assay_{index}")
}

/// Copies the primary's data over whatever the other has.
fn copy(primary: &Server, other: &Server) -> Result<()> {
    let data = other.home().data();
    if data.exists() {
        fs::remove_dir_all(&data).context("remove the old data")?;
    }
    let source = source(primary);
    let args = ["-D", text(&data)?, "-d", &source, "-R", "-X", "stream", "-c", "fast", "--no-sync"];
    other.tool("pg_basebackup", &args)?;
    Ok(())
}

/// Takes back what only the other has, up to where the primary's history left its own.
fn rewind(primary: &Server, other: &Server) -> Result<()> {
    let data = other.home().data();
    let source = source(primary);
    let args = ["-D", text(&data)?, "--source-server", &source, "-R", "--no-sync"];
    other.tool("pg_rewind", &args)?;
    Ok(())
}

/// Prepares the other to follow the primary when it starts. Settings of the command line go before
/// those that `pg_basebackup -R` and `pg_rewind -R` wrote beside `standby.signal`.
fn stand_by(primary: &Server, other: &Server, index: usize) -> Result<()> {
    ensure!(
        other.home().data().join("standby.signal").exists(),
        "the copy is not marked as a standby"
    );
    let connection = format!("{} application_name={}", source(primary), name(index));
    other.set_more(vec![
        format!("primary_conninfo={connection}"),
        format!("primary_slot_name={SLOT}"),
    ]);
    Ok(())
}

fn source(primary: &Server) -> String {
    format!("host=127.0.0.1 port={} user=assay dbname=postgres", primary.port())
}

fn create_slot(server: &Server) -> Result<()> {
    drop_slots(server)?;
    let create = format!("SELECT pg_create_physical_replication_slot('{SLOT}', true)");
    server.psql("postgres", &create)?;
    Ok(())
}

fn drop_slots(server: &Server) -> Result<()> {
    let sql = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots";
    server.psql("postgres", sql)?;
    Ok(())
}
