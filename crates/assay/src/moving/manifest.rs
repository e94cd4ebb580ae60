//! What a backup says of itself: `backup.json`, and its own digest beside it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::files::{self, below, digest};
use crate::exit::usage;

/// The format this program writes and reads.
const FORMAT: u32 = 1;
/// The names of the two files.
const NAME: &str = "backup.json";
const DIGEST_NAME: &str = "backup.json.sha256";
/// The most bytes of the first: some hundred thousand files.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What is in a backup. **Shape**: one JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of this format.
    pub(super) format: u32,
    /// The version of the program that made it.
    pub(super) program: String,
    /// When it was begun (UTC): what was recorded before is in it.
    pub(super) taken_at: String,
    /// The log.
    pub(super) log_id: Uuid,
    /// How many entries its journal has.
    pub(super) entries: u64,
    /// The ledger's root over them, in hex.
    pub(super) root: String,
    /// Whether it is the backup of a node, whose log and vault are elsewhere.
    pub(super) node: bool,
    /// Whether the master key is in it.
    pub(super) master_key: bool,
    /// Whether what was written was checked.
    pub(super) verified: bool,
    /// Every file but this one and its digest, by path.
    pub(super) files: Vec<Listed>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    /// Where it is in the backup, with `/` between the parts.
    pub(super) path: String,
    /// How long it is.
    pub(super) bytes: u64,
    /// Its SHA-256, in hex.
    pub(super) sha256: String,
}

impl Manifest {
    /// The format this program writes.
    pub(super) const fn format() -> u32 {
        FORMAT
    }

    /// Writes it into a backup.
    pub(super) fn write(&self, dir: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        files::write(&dir.join(NAME), text.as_bytes())?;
        files::write(&dir.join(DIGEST_NAME), digest_line(text.as_bytes()).as_bytes())
    }

    /// Reads it out of a backup.
    ///
    /// # Errors
    ///
    /// A usage error where there is none, or one of a format that this program does not know.
    pub(super) fn read(dir: &Path) -> anyhow::Result<Self> {
        let (path, beside) = (dir.join(NAME), dir.join(DIGEST_NAME));
        let shown = path.display().to_string();
        let Some(text) = small(&path)? else {
            return Err(usage(format!("{} is no backup: there is no {NAME}", dir.display())));
        };
        let wanted = small(&beside)?.with_context(|| format!("there is no {DIGEST_NAME}"))?;
        if wanted != digest_line(&text).as_bytes() {
            bail!("{shown} is not what was written: {} says another digest", beside.display());
        }
        let format: Format =
            serde_json::from_slice(&text).with_context(|| format!("reading {shown}"))?;
        if format.format != FORMAT {
            return Err(usage(format!(
                "{shown} has format {}; this program reads {FORMAT}: use a newer one",
                format.format
            )));
        }
        let found: Self =
            serde_json::from_slice(&text).with_context(|| format!("reading {shown}"))?;
        found.must_have_safe_paths()?;
        Ok(found)
    }

    /// How many bytes all files have.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// Compares every file with its digest, and finds files that are not listed.
    pub(super) fn check_files(
        &self,
        dir: &Path,
        told: &mut dyn FnMut(u64, u64),
    ) -> anyhow::Result<()> {
        let (all, mut done) = (self.bytes(), 0_u64);
        for listed in &self.files {
            let path = dir.join(&listed.path);
            let (bytes, sha256) = digest(&path, &mut |read| {
                done = done.saturating_add(read);
                told(done, all);
            })?;
            if (bytes, &sha256) != (listed.bytes, &listed.sha256) {
                bail!("{} is not what was written: its digest differs", path.display());
            }
        }
        let listed: BTreeSet<PathBuf> =
            self.files.iter().map(|file| PathBuf::from(&file.path)).collect();
        let ours = [NAME, DIGEST_NAME];
        let mut others = below(dir)?;
        // What a look into the databases leaves beside them is never copied, so it may lie there.
        others.retain(|path| {
            let name = path.to_str().unwrap_or_default();
            !listed.contains(path) && !ours.contains(&name) && !files::BESIDE.contains(&name)
        });
        match others.first() {
            Some(first) => bail!("{} is not listed in {NAME}", dir.join(first).display()),
            None => Ok(()),
        }
    }

    /// A path must stay inside.
    fn must_have_safe_paths(&self) -> anyhow::Result<()> {
        let inside = |file: &&Listed| {
            let mut parts = Path::new(&file.path).components();
            !file.path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
        };
        match self.files.iter().find(|file| !inside(file)) {
            Some(file) => bail!("{NAME} names the path {:?}, which leads elsewhere", file.path),
            None => Ok(()),
        }
    }
}

/// Every file below a folder, with its digest.
pub(super) fn list(dir: &Path, told: &mut dyn FnMut(u64)) -> anyhow::Result<Vec<Listed>> {
    let one = |path: PathBuf| {
        let (bytes, sha256) = digest(&dir.join(&path), told)?;
        let path = path.to_str().context("a file has a name that is no text")?.to_owned();
        Ok(Listed { path, bytes, sha256 })
    };
    below(dir)?.into_iter().map(one).collect()
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// As `sha256sum` writes and checks it.
fn digest_line(text: &[u8]) -> String {
    format!("{}  {NAME}\n", hex::encode(Sha256::digest(text)))
}

fn small(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    let shown = || format!("reading {}", path.display());
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.with_context(shown)?,
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).with_context(shown)?;
    if u64::try_from(bytes.len())? > BYTES_MAX {
        bail!("{} is too long", path.display());
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Usage;

    fn made(dir: &Path) -> Manifest {
        std::fs::write(dir.join("journal.db"), b"entries").unwrap();
        let manifest = Manifest {
            format: FORMAT,
            program: "0".to_owned(),
            taken_at: "2026-01-01T00:00:00Z".to_owned(),
            log_id: Uuid::nil(),
            entries: 3,
            root: "00".to_owned(),
            node: false,
            master_key: false,
            verified: true,
            files: list(dir, &mut |_| ()).unwrap(),
        };
        manifest.write(dir).unwrap();
        manifest
    }

    #[test]
    fn every_flipped_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let manifest = made(dir);
        let check = || {
            let found = Manifest::read(dir)?;
            assert_eq!(found, manifest);
            found.check_files(dir, &mut |done, all| assert!(done <= all))
        };
        check().unwrap();
        for name in ["journal.db", NAME, DIGEST_NAME] {
            let right = std::fs::read(dir.join(name)).unwrap();
            for at in 0..right.len() {
                let mut wrong = right.clone();
                wrong[at] ^= 1;
                std::fs::write(dir.join(name), wrong).unwrap();
                assert!(check().is_err(), "byte {at} of {name}");
            }
            std::fs::write(dir.join(name), right).unwrap();
        }
        std::fs::write(dir.join("more"), b"").unwrap();
        assert!(check().unwrap_err().to_string().contains("not listed"));
        std::fs::rename(dir.join("more"), dir.join("journal.db-shm")).unwrap();
        check().unwrap();
    }

    #[test]
    fn another_format_and_a_path_that_leads_out_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        assert!(Manifest::read(dir).unwrap_err().downcast_ref::<Usage>().is_some());
        let mut manifest = made(dir);
        let mut again = |change: fn(&mut Manifest)| {
            for name in [NAME, DIGEST_NAME] {
                std::fs::remove_file(dir.join(name)).unwrap();
            }
            change(&mut manifest);
            manifest.write(dir).unwrap();
            Manifest::read(dir).unwrap_err().to_string()
        };
        assert!(again(|m| m.format = 2).contains("format 2"));
        let out = again(|m| {
            m.format = FORMAT;
            "../elsewhere".clone_into(&mut m.files[0].path);
        });
        assert!(out.contains("leads elsewhere"), "{out}");
    }
}
