//! The data directory: what lies where, that nobody else can read it, and that one process holds it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::exit::usage;

/// A data directory and the names of its files.
#[derive(Clone, Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
}

/// Proof that this process holds the directory; given back when dropped, or by the system after a kill.
#[derive(Debug)]
pub(crate) struct Held {
    _file: File,
}

impl DataDir {
    /// Names a directory without touching it.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The log and the journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal.db")
    }

    /// Keys and secrets.
    pub(crate) fn vault(&self) -> PathBuf {
        self.root.join("vault.db")
    }

    /// The views; disposable.
    pub(crate) fn views(&self) -> PathBuf {
        self.root.join("views.db")
    }

    /// The key that wraps the vault.
    pub(crate) fn master_key(&self) -> PathBuf {
        self.root.join("keys").join("master.key")
    }

    /// The key that signs access tokens.
    pub(crate) fn jwt_key(&self) -> PathBuf {
        self.root.join("keys").join("jwt.pem")
    }

    /// Where the keys that sign the log's checkpoints lie, beside the others.
    pub(crate) fn log_keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Tiles, signed checkpoints and what witnesses and clocks said to them.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.root.join("ledger")
    }

    /// Which node this is, among those over one log.
    pub(crate) fn node_id(&self) -> PathBuf {
        self.root.join("node-id")
    }

    /// Where bundles are made before they leave.
    pub(crate) fn make_bundle_spool(&self) -> anyhow::Result<PathBuf> {
        let spool = self.root.join("exports");
        private_dir(&spool).with_context(|| format!("making {}", spool.display()))?;
        Ok(spool)
    }

    /// Bundles that cases were taken over from.
    pub(crate) fn bundles(&self) -> PathBuf {
        self.root.join("bundles")
    }

    /// The first admin's one-time secret.
    pub(crate) fn bootstrap_secret(&self) -> PathBuf {
        self.root.join("bootstrap-secret.txt")
    }

    /// Says that this directory was made for demonstration.
    pub(crate) fn demo_mark(&self) -> PathBuf {
        self.root.join("demo")
    }

    /// Whether a house was set up here.
    pub(crate) fn is_initialised(&self) -> bool {
        self.journal().exists() && self.jwt_key().exists()
    }

    /// Makes the directory and its parts for the owner alone; one that is there must be private.
    pub(crate) fn make(&self) -> anyhow::Result<()> {
        let shown = self.root.display();
        private_dir(&self.root).with_context(|| format!("making {shown}"))?;
        self.must_be_private()?;
        private_dir(&self.root.join("keys")).with_context(|| format!("making {shown}/keys"))
    }

    /// Makes the database files, empty and private, so that `SQLite` keeps their permissions; no
    /// vault where that is elsewhere.
    pub(crate) fn make_files(&self, elsewhere: bool) -> anyhow::Result<()> {
        let beside = self.root.join("journal.db.lock");
        let vault = (!elsewhere).then(|| self.vault());
        for path in [self.journal(), self.views(), beside].into_iter().chain(vault) {
            private().create(true).append(true).open(&path).with_context(|| shown(&path))?;
        }
        Ok(())
    }

    /// Makes the folder that uploads pass through.
    pub(crate) fn make_spool(&self) -> anyhow::Result<PathBuf> {
        let spool = self.root.join("imports");
        private_dir(&spool).with_context(|| format!("making {}", spool.display()))?;
        Ok(spool)
    }

    /// Refuses a directory that is not set up, or that others can enter.
    pub(crate) fn must_be_ready(&self) -> anyhow::Result<()> {
        let shown = self.root.display();
        if !self.is_initialised() {
            return Err(usage(format!(
                "{shown} holds no house yet: run `assay init --data-dir {shown}` to set one up, \
                 or `assay demo` to look around; where the log is elsewhere, say where (store.url)"
            )));
        }
        self.must_be_private()?;
        must_be_private_file(&self.jwt_key())
    }

    fn must_be_private(&self) -> anyhow::Result<()> {
        let shown = self.root.display();
        let found = fs::metadata(&self.root).with_context(|| format!("looking at {shown}"))?;
        if !found.is_dir() {
            return Err(usage(format!("{shown} is not a directory")));
        }
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(usage(format!(
                "{shown} can be entered by others (mode {mode:o}): run `chmod 700 {shown}` first"
            )));
        }
        Ok(())
    }

    /// Takes the directory for this process, or says who has it.
    pub(crate) fn hold(&self) -> anyhow::Result<Held> {
        let path = self.root.join("lock");
        let mut options = private();
        options.create(true).truncate(false).read(true);
        let mut file = options.open(&path).with_context(|| shown(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.taken(&mut file)),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| shown(&path)),
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Held { _file: file })
    }

    fn taken(&self, file: &mut File) -> anyhow::Error {
        let mut holder = String::new();
        let read = file.read_to_string(&mut holder);
        let holder = match (read, holder.trim()) {
            (Ok(_), id) if !id.is_empty() => format!("process {id}"),
            _ => "another process".to_owned(),
        };
        usage(format!("{} is in use by {holder}: stop it first", self.root.display()))
    }
}

/// Writes a new file that only its owner can read; one that is there is never overwritten.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = private().create_new(true).open(path).with_context(|| shown(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(|| shown(path))
}

/// Reads a file that only its owner may read.
pub(crate) fn read_private(path: &Path) -> anyhow::Result<String> {
    must_be_private_file(path)?;
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

fn must_be_private_file(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let found = fs::metadata(path).with_context(|| format!("looking at {shown}"))?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("{shown} can be read by others (mode {mode:o}): run `chmod 600 {shown}` first");
    }
    Ok(())
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

pub(crate) fn private_dir(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn shown(path: &Path) -> String {
    format!("writing {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let parent = tempfile::tempdir().unwrap();
        let dir = DataDir::at(&parent.path().join("data"));
        dir.make().unwrap();
        let held = dir.hold().unwrap();
        let refused = dir.hold().unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(held);
        assert!(dir.hold().is_ok());
    }

    #[test]
    fn everything_is_for_the_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let dir = DataDir::at(&parent.path().join("data"));
        dir.make().unwrap();
        dir.make_files(false).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(dir.root()), mode(&dir.root().join("keys"))), (0o700, 0o700));
        assert_eq!((mode(&dir.journal()), mode(&dir.vault())), (0o600, 0o600));
        fs::set_permissions(dir.root(), fs::Permissions::from_mode(0o750)).unwrap();
        let refused = dir.make().unwrap_err().to_string();
        assert!(refused.contains("chmod 700"), "{refused}");
    }
}
