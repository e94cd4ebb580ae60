//! Where PostgreSQL's programs are, as which user they run, and running one with a time limit.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

/// The oldest major version that will do.
const VERSION_MIN: u32 = 15;
/// Where Debian keeps one directory for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// How long a helper program (`initdb`, `psql`, `pg_basebackup`) may take.
const RUN_LIMIT: Duration = Duration::from_mins(2);

/// The directory of the programs and the user they run as. Looked up once in a process.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    bin: PathBuf,
    account: Option<Account>,
}

/// Whom root becomes, since PostgreSQL refuses to run as root.
#[derive(Clone, Copy, Debug)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Programs {
    /// PostgreSQL on this machine, or an error that says what to install.
    pub(crate) fn find() -> Result<&'static Self> {
        static FOUND: OnceLock<Result<Programs, String>> = OnceLock::new();
        FOUND
            .get_or_init(|| Self::look().map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| anyhow!("{error}"))
    }

    fn look() -> Result<Self> {
        let bin = from_debian().or_else(from_path).ok_or_else(|| {
            anyhow!(
                "no PostgreSQL {VERSION_MIN} or later in {DEBIAN} or PATH; \
                 run: apt-get install postgresql-15"
            )
        })?;
        let root = fs::metadata("/proc/self").context("look at /proc/self")?.uid() == 0;
        Ok(Self { bin, account: root.then(unprivileged).transpose()? })
    }

    /// One of PostgreSQL's programs, or another by its absolute path, as the server's user and in
    /// this directory, with nothing of our environment.
    pub(crate) fn command(&self, program: impl AsRef<Path>, directory: &Path) -> Command {
        let mut command = Command::new(self.bin.join(program));
        self.prepare(&mut command, directory);
        command
    }

    /// Runs a program of PostgreSQL's to its end and returns what it printed.
    ///
    /// # Errors
    /// It cannot be started, fails, or takes longer than two minutes.
    pub(crate) fn run(&self, directory: &Path, program: &str, args: &[&str]) -> Result<String> {
        self.run_program(directory, &self.bin.join(program), args)
    }

    /// The same for any program of the machine, found in `PATH` where it is a bare name.
    pub(crate) fn run_program(
        &self,
        directory: &Path,
        program: &Path,
        args: &[&str],
    ) -> Result<String> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let mut command = Command::new("timeout");
        self.prepare(&mut command, directory);
        let output = command
            .arg("--kill-after=5")
            .arg(RUN_LIMIT.as_secs().to_string())
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("run {name}"))?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("{name}: {}\n{}{}", output.status, stderr, stdout);
        }
        Ok(stdout.trim_end().to_owned())
    }

    /// Hands a file or directory to the server's user.
    pub(crate) fn give(&self, path: &Path) -> Result<()> {
        let Some(Account { uid, gid }) = self.account else { return Ok(()) };
        chown(path, Some(uid), Some(gid)).with_context(|| format!("chown {}", path.display()))
    }

    fn prepare(&self, command: &mut Command, directory: &Path) {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.bin.display());
        command.env_clear().env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC");
        command.env("PGPASSFILE", "/dev/null").env("PGCONNECT_TIMEOUT", "10");
        // A group of its own, so that an interrupt from the keyboard reaches only the test.
        command.current_dir(directory).process_group(0);
        if let Some(Account { uid, gid }) = self.account {
            command.uid(uid).gid(gid);
        }
    }
}

fn from_debian() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN).ok()?.flatten();
    let named = versions.filter_map(|entry| Some((version(&entry.file_name())?, entry.path())));
    let usable = named.map(|(version, path)| (version, path.join("bin")));
    let (_, bin) = usable
        .filter(|(version, bin)| *version >= VERSION_MIN && complete(bin))
        .max_by_key(|(version, _)| *version)?;
    Some(bin)
}

fn version(name: &std::ffi::OsStr) -> Option<u32> {
    name.to_str()?.parse().ok()
}

fn from_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|bin| {
        complete(bin) && major_version(&bin.join("postgres")).is_some_and(|v| v >= VERSION_MIN)
    })
}

fn complete(bin: &Path) -> bool {
    ["postgres", "initdb", "psql"].iter().all(|program| bin.join(program).is_file())
}

/// What `postgres --version` says: `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major_version(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    said.split_whitespace().nth(2)?.split('.').next()?.parse().ok()
}

/// The user `postgres`, or `nobody`, from `/etc/passwd`.
fn unprivileged() -> Result<Account> {
    let passwd = fs::read_to_string("/etc/passwd").context("read /etc/passwd")?;
    let account = ["postgres", "nobody"]
        .iter()
        .find_map(|name| passwd.lines().find_map(|line| account_of(line, name)))
        .context(
            "neither `postgres` nor `nobody` in /etc/passwd, and root may not run PostgreSQL",
        )?;
    ensure!(account.uid != 0, "the user for PostgreSQL in /etc/passwd is root");
    Ok(account)
}

/// A line is `name:password:uid:gid:…`.
fn account_of(line: &str, wanted: &str) -> Option<Account> {
    let mut fields = line.split(':');
    if fields.next()? != wanted {
        return None;
    }
    let uid = fields.nth(1)?.parse().ok()?;
    Some(Account { uid, gid: fields.next()?.parse().ok()? })
}
