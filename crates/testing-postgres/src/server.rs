//! One PostgreSQL server: started, killed, paused and started again by a test.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use crate::home::Home;
use crate::ports::free_port;
use crate::processes::{is_stopped, processes_in, signal, wait_until};
use crate::programs::Programs;
use crate::template::{self, text};
use crate::tls::{self, Certificates};

/// How long a server may take to start, recovery from a crash included.
const START_LIMIT: Duration = Duration::from_secs(90);
/// How long it may take to stop, and signals to have their effect.
const STOP_LIMIT: Duration = Duration::from_mins(1);
/// How long a dropped server may take to end before it is killed.
const DROP_LIMIT: Duration = Duration::from_secs(5);
/// How often another port is tried where one was taken meanwhile.
const PORTS_TRIED_MAX: u32 = 10;
/// The most clients at once.
const CONNECTIONS_MAX: u32 = 200;

/// A real server on 127.0.0.1 in a temporary directory, never as root. Its superuser `assay` needs
/// no password. Dropping it ends it at once and removes the directory.
///
/// Every method blocks; errors carry the end of the server's own log.
#[derive(Debug)]
pub struct Server {
    postmaster: Mutex<Option<Child>>,
    databases: AtomicU32,
    port: u16,
    durable: bool,
    tls: Option<Certificates>,
    /// More settings, `name=value`; a pair's members have some.
    more: Mutex<Vec<String>>,
    home: Home,
}

impl Server {
    /// A server that keeps what it acknowledged (`fsync=on`).
    ///
    /// # Errors
    /// No PostgreSQL on this machine, or it did not start.
    pub fn start() -> Result<Self> {
        Self::with_template(true, false)
    }

    /// A server that does not wait for the disk. It survives `kill` all the same, because the
    /// machine does.
    pub fn quick() -> Result<Self> {
        Self::with_template(false, false)
    }

    /// A server that takes only TLS over TCP, with a certificate for 127.0.0.1 and localhost.
    pub fn start_tls() -> Result<Self> {
        Self::with_template(true, true)
    }

    fn with_template(durable: bool, tls: bool) -> Result<Self> {
        let mut server = Self::without_data(durable)?;
        template::copy_to(&server.home)?;
        if tls {
            server.tls = Some(tls::make(&server.home)?);
            let rules = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
            fs::write(server.home.data().join("pg_hba.conf"), rules)
                .context("write pg_hba.conf")?;
        }
        server.launch_on_a_free_port()?;
        Ok(server)
    }

    /// A home and a port, and no data yet.
    pub(crate) fn without_data(durable: bool) -> Result<Self> {
        Ok(Self {
            postmaster: Mutex::default(),
            databases: AtomicU32::new(0),
            port: 0,
            durable,
            tls: None,
            more: Mutex::default(),
            home: Home::new()?,
        })
    }

    /// The URL of the superuser's database `postgres`.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database on this server.
    pub fn url_of(&self, database: &str) -> String {
        let tls = if self.tls.is_some() { "?sslmode=require" } else { "" };
        format!("postgresql://assay@127.0.0.1:{}/{database}{tls}", self.port)
    }

    /// The TCP port on 127.0.0.1; the same for as long as the server lives.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of everything that belongs to this server.
    pub fn directory(&self) -> &Path {
        self.home.path()
    }

    /// The file of certificates (PEM) a client must trust, where the server has TLS.
    pub fn tls_roots(&self) -> Option<&Path> {
        self.tls.as_ref().map(|tls| tls.roots.as_path())
    }

    /// Makes a fresh, empty database and returns its URL.
    pub fn database(&self) -> Result<String> {
        Ok(self.url_of(&self.create_database()?))
    }

    pub(crate) fn create_database(&self) -> Result<String> {
        let name = format!("assay_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(name)
    }

    /// Runs SQL in a database with `psql` over the socket; the answer is a line for each row, with
    /// `|` between its columns.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String> {
        let port = self.port.to_string();
        let args = ["-h", text(self.directory())?, "-p", &port, "-U", "assay", "-d", database];
        let how = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql];
        self.tool("psql", &[args.as_slice(), how.as_slice()].concat())
    }

    /// Runs one of PostgreSQL's programs beside this server.
    pub(crate) fn tool(&self, program: &str, args: &[&str]) -> Result<String> {
        let done = Programs::find()?.run(self.directory(), program, args);
        done.map_err(|error| self.with_log(&error))
    }

    /// Whether the postmaster runs; a paused one does.
    pub fn is_running(&self) -> bool {
        self.postmaster().as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Kills the postmaster and every child (`SIGKILL`) and waits until all are gone.
    pub fn kill(&self) -> Result<()> {
        let mut postmaster = self.postmaster();
        if let Some(child) = postmaster.as_mut() {
            // First the one that would start others, and whose clean-up is what a crash lacks.
            let _ = child.kill();
            child.wait().context("wait for the killed server")?;
        }
        *postmaster = None;
        wait_until("a killed server's processes to be gone", STOP_LIMIT, || {
            let left = self.server_processes();
            signal("KILL", &left)?;
            Ok(left.is_empty())
        })
    }

    /// Stops it in good order (`fast`: open transactions are rolled back).
    pub fn stop(&self) -> Result<()> {
        self.resume()?;
        let mut postmaster = self.postmaster();
        let Some(child) = postmaster.as_mut() else { return Ok(()) };
        signal("INT", &[child.id()])?;
        wait_until("the server to stop", STOP_LIMIT, || Ok(child.try_wait()?.is_some()))
            .map_err(|error| self.with_log(&error))?;
        *postmaster = None;
        Ok(())
    }

    /// Starts it again on the same data and port, stopping it first where it still runs.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.launch().map_err(|error| self.with_log(&error))
    }

    /// Stops the clock for the postmaster and every child (`SIGSTOP`): connections stay open and
    /// nothing answers any more.
    pub fn pause(&self) -> Result<()> {
        ensure!(self.is_running(), "only a running server can be paused");
        wait_until("every process to stand still", STOP_LIMIT, || {
            let all = self.server_processes();
            let awake: Vec<u32> = all.into_iter().filter(|pid| !is_stopped(*pid)).collect();
            signal("STOP", &awake)?;
            Ok(awake.is_empty())
        })
    }

    /// Lets a paused server go on.
    pub fn resume(&self) -> Result<()> {
        wait_until("every process to go on", STOP_LIMIT, || {
            let all = self.server_processes();
            let asleep: Vec<u32> = all.into_iter().filter(|pid| is_stopped(*pid)).collect();
            signal("CONT", &asleep)?;
            Ok(asleep.is_empty())
        })
    }

    /// The postmaster and its children work in the data directory; helper programs do not.
    fn server_processes(&self) -> Vec<u32> {
        processes_in(&self.home.data())
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// What is set beside the usual from the next start on, each `name=value`.
    pub(crate) fn set_more(&self, settings: Vec<String>) {
        *self.more.lock().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// Starts it for the first time, on a port that nobody else took meanwhile.
    pub(crate) fn launch_on_a_free_port(&mut self) -> Result<()> {
        let mut tried = 0;
        loop {
            self.port = free_port()?;
            tried += 1;
            let Err(error) = self.launch() else { return Ok(()) };
            let log = self.home.log_tail();
            if tried == PORTS_TRIED_MAX || !log.contains("Address already in use") {
                return Err(self.with_log(&error));
            }
            fs::remove_file(self.home.log()).context("remove the log of the first try")?;
        }
    }

    /// Starts the postmaster as our child and waits until it takes connections.
    pub(crate) fn launch(&self) -> Result<()> {
        let mut postmaster = self.postmaster();
        ensure!(postmaster.is_none(), "the server runs already");
        let log = File::options().create(true).append(true).open(self.home.log());
        let log = log.context("open the server's log")?;
        let mut command = Programs::find()?.command("postgres", self.directory());
        command.arg("-D").arg(self.home.data());
        for setting in self.settings()? {
            command.args(["-c", &setting]);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = postmaster.insert(command.spawn().context("start postgres")?);
        let started = wait_until("the server to take connections", START_LIMIT, || {
            if let Some(status) = child.try_wait()? {
                bail!("the server did not start: {status}");
            }
            Ok(self.home.is_ready(child.id()))
        });
        if started.is_err() {
            let _ = child.kill();
            let _ = child.wait();
            *postmaster = None;
        }
        started
    }

    fn settings(&self) -> Result<Vec<String>> {
        let mut settings = vec![
            format!("port={}", self.port),
            format!("unix_socket_directories={}", text(self.directory())?),
            format!("fsync={}", if self.durable { "on" } else { "off" }),
            format!("max_connections={CONNECTIONS_MAX}"),
        ];
        let usual = [
            "listen_addresses=127.0.0.1",
            "shared_buffers=64MB",
            "logging_collector=off",
            "log_line_prefix=%m [%p] %a ",
            // Files in the data directory, which go with it; others outlive a killed server.
            "dynamic_shared_memory_type=mmap",
            // A standby that lost its primary tries again soon: the usual is every 5 s.
            "wal_retrieve_retry_interval=100ms",
        ];
        settings.extend(usual.map(str::to_owned));
        if let Some(tls) = &self.tls {
            settings.push("ssl=on".to_owned());
            settings.push(format!("ssl_cert_file={}", text(&tls.certificate)?));
            settings.push(format!("ssl_key_file={}", text(&tls.key)?));
        }
        settings.extend(self.more.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        Ok(settings)
    }

    fn with_log(&self, error: &anyhow::Error) -> anyhow::Error {
        anyhow!("{error:#}\nthe end of the server's log:\n{}", self.home.log_tail())
    }

    fn postmaster(&self) -> MutexGuard<'_, Option<Child>> {
        self.postmaster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ends it at once in good order, so that nothing is left for the watchdog to kill.
        let left = self.server_processes();
        let mut postmaster = self.postmaster();
        let Some(child) = postmaster.as_mut() else { return };
        let _ = signal("CONT", &left);
        let _ = signal("QUIT", &[child.id()]);
        let gone = || Ok(!matches!(child.try_wait(), Ok(None)));
        if wait_until("the server to end", DROP_LIMIT, gone).is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
