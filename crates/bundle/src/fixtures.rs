//! Named good and bad bundles and mirrors, and what every verifier must say of them: for tests, never in production.
//!
//! [`write_all`] puts them into a directory with an `index.json`, so that two verifiers can be compared over all of
//! them; [`all`] gives them as they are. Their keys are known to everybody.

mod catalogue;
mod chance;
mod entries;
mod files;
mod members;
mod world;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor};
use std::path::Path;

use assay_ledger::{SignedCheckpoint, VerifierKey, WitnessVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::error::BundleError;
use crate::mirror::{MirrorFiles, verify_tiles};
use crate::report::{CheckName, Report, State};
use crate::trust::Trust;
use crate::verify::verify;
use crate::write::Failure;

pub use chance::Chance;
pub use members::Members;
pub use world::{ORIGIN, WITNESS, Wish, World};

/// What making a fixture comes to.
pub type Outcome<T> = Result<T, Failure>;

/// What is done to the members, and the position where it shows.
type Apply = Box<dyn Fn(&mut Members) -> Outcome<Option<u64>>>;

/// One thing done to a bundle; answers the position where a verifier must see it, where that is known.
struct Tampering {
    name: &'static str,
    must_fail: CheckName,
    apply: Apply,
}

/// What a fixture consists of.
#[derive(Clone, Debug)]
pub enum Files {
    /// A bundle.
    Bundle(Vec<u8>),
    /// A mirror: the path and the bytes of every file.
    Mirror(Vec<(String, Vec<u8>)>),
}

/// A bundle or a mirror, how its reader asks, and what must come of it.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Its name, also as a file.
    pub name: String,
    /// What it consists of.
    pub files: Files,
    /// The keys its reader trusts, as texts.
    pub keys: Vec<String>,
    /// The witnesses all of which must have cosigned, as texts.
    pub witnesses: Vec<String>,
    /// The checkpoint its reader holds.
    pub older: Option<SignedCheckpoint>,
    /// Whether its reader trusts the authority behind the timestamps.
    pub roots: bool,
    /// Whether the question itself is wrong.
    pub usage: bool,
    /// The check that must fail; none where all is well.
    pub must_fail: Option<CheckName>,
    /// The position that check must name.
    pub position: Option<u64>,
}

/// A line of `index.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Indexed {
    /// The fixture's name.
    pub name: String,
    /// The file or the directory, relative to the index.
    pub file: String,
    /// `bundle` or `mirror`.
    pub kind: &'static str,
    /// The arguments of a verifier, behind the file; paths are relative to the index.
    pub args: Vec<String>,
    /// Roots of timestamp authorities (PEM), for verifiers that know RFC 3161.
    pub timestamp_roots: Option<String>,
    /// The exit code: 0 holds, 1 does not, 2 asked wrongly. A verifier that does not know RFC 3161 must be let off
    /// where `must_fail` is `timestamps`.
    pub exit: u8,
    /// The check that must fail.
    pub must_fail: Option<CheckName>,
    /// The position it must name.
    pub position: Option<u64>,
    /// How every check ends; without RFC 3161 `timestamps` is not checked.
    pub states: BTreeMap<&'static str, State>,
}

/// Every fixture there is.
pub fn all() -> Outcome<Vec<Fixture>> {
    catalogue::all()
}

/// The wish that most bad bundles are made from: everything disclosed, timestamped, with a proof since an older size.
pub const fn full_wish() -> Wish {
    catalogue::full()
}

/// Writes every fixture and `index.json` into an existing directory, and answers what is in the index.
pub fn write_all(dir: &Path) -> Outcome<Vec<Indexed>> {
    let roots = World::authority()?.root()?;
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(roots)
    );
    fs::write(dir.join("roots.pem"), pem)?;
    let mut index = Vec::new();
    for fixture in all()? {
        index.push(fixture.write(dir)?);
    }
    fs::write(dir.join("index.json"), serde_json::to_vec_pretty(&index)?)?;
    Ok(index)
}

impl MirrorFiles for [(String, Vec<u8>)] {
    fn read(&self, path: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let found = self.iter().find(|(name, _)| name == path).map(|(_, bytes)| bytes);
        if found.is_some_and(|bytes| crate::text::count(bytes.len()) > bytes_max) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(found.cloned())
    }
}

impl Fixture {
    /// Whom its reader trusts.
    pub fn trust(&self) -> Outcome<Trust> {
        let keys: Result<_, _> = self.keys.iter().map(|key| VerifierKey::parse(key)).collect();
        let witnesses: Result<Vec<_>, _> =
            self.witnesses.iter().map(|key| WitnessVerifier::parse(key)).collect();
        let witnesses = witnesses?;
        let roots = World::authority()?.trust()?;
        Ok(Trust {
            log_keys: if self.usage { Vec::new() } else { keys? },
            witnesses_needed: witnesses.len(),
            witnesses,
            timestamp_roots: if self.roots { roots } else { assay_timestamp::Trust::nobody() },
            older: self.older.iter().cloned().collect(),
        })
    }

    /// What the verifier says of it.
    pub fn verify(&self) -> Outcome<Result<Report, BundleError>> {
        let trust = self.trust()?;
        Ok(match &self.files {
            Files::Bundle(bytes) => verify(Cursor::new(bytes), &trust, |_, _| ()),
            Files::Mirror(files) => verify_tiles(files.as_slice(), &trust, |_, _| ()),
        })
    }

    fn write(&self, dir: &Path) -> Outcome<Indexed> {
        let (file, kind) = match &self.files {
            Files::Bundle(bytes) => {
                let file = format!("{}.assay.zip", self.name);
                fs::write(dir.join(&file), bytes)?;
                (file, "bundle")
            }
            Files::Mirror(files) => {
                for (path, bytes) in files {
                    let path = dir.join(&self.name).join(path);
                    fs::create_dir_all(path.parent().ok_or("a file lies in a directory")?)?;
                    fs::write(path, bytes)?;
                }
                (self.name.clone(), "mirror")
            }
        };
        let mut args = Vec::new();
        let keys = self.keys.iter().map(|key| ("--key", key));
        for (option, value) in keys.chain(self.witnesses.iter().map(|key| ("--witness", key))) {
            args.extend([option.to_owned(), value.clone()]);
        }
        if let Some(older) = &self.older {
            let held = format!("{}.older.txt", self.name);
            fs::write(dir.join(&held), older.to_text())?;
            args.extend(["--checkpoint".to_owned(), held]);
        }
        let report = self.verify()?;
        let checks = report.iter().flat_map(|report| &report.checks);
        let states = checks.map(|check| (check.name.as_str(), check.state)).collect();
        let exit = match (self.usage, self.must_fail) {
            (true, _) => 2,
            (false, Some(_)) => 1,
            (false, None) => 0,
        };
        Ok(Indexed {
            name: self.name.clone(),
            file,
            kind,
            args,
            timestamp_roots: self.roots.then(|| "roots.pem".to_owned()),
            exit,
            must_fail: self.must_fail,
            position: self.position,
            states,
        })
    }
}
