//! Copying a ledger's checkpoint and tiles into a directory, so that they are verified without the server.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use assay_ledger::{SignedCheckpoint, entries_tiles_of, tiles_of};
use reqwest::{Client, redirect};

use crate::data_dir::read_private;
use crate::exit::{Exit, usage};
use crate::progress::Progress;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a checkpoint.
const CHECKPOINT_BYTES_MAX: usize = 1024 * 1024;
/// The most bytes of a tile: 256 records of at most 65,535 bytes with their lengths.
const TILE_BYTES_MAX: usize = 256 * (65_535 + 2);

/// Somebody else's ledger.
struct Remote {
    client: Client,
    base: String,
    token: Option<String>,
}

/// Copies what is not there yet; the checkpoint comes last, so that a copy that broke off is not taken for whole.
pub(super) async fn run(
    from: &str,
    to: &Path,
    token_file: Option<&Path>,
    entries: bool,
) -> anyhow::Result<Exit> {
    let token = token_file.map(read_private).transpose()?.map(|text| text.trim().to_owned());
    let client = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).build()?;
    let remote = Remote { client, base: from.trim_end_matches('/').to_owned(), token };
    let note = remote.get("checkpoint", CHECKPOINT_BYTES_MAX).await?;
    let note = String::from_utf8(note).context("the checkpoint is no text")?;
    let signed = SignedCheckpoint::parse(&note)
        .map_err(|error| usage(format!("{from} gave no checkpoint: {error}")))?;
    let size = signed.checkpoint().size;
    let mut paths: Vec<String> = tiles_of(size).map(|path| path.to_string()).collect();
    if entries {
        paths.extend(entries_tiles_of(size).map(|path| path.to_string()));
    }
    let all = u64::try_from(paths.len())?;
    let mut progress = Progress::new("tiles copied");
    for (path, done) in paths.iter().zip(1..) {
        copy(&remote, path, to).await?;
        progress.set(done, all);
    }
    progress.finish();
    write(&to.join("checkpoint"), note.as_bytes())?;
    println!("{all} tiles of a ledger of {size} entries are in {}.", to.display());
    println!("Verify them with: assay verify {} --key KEY", to.display());
    Ok(Exit::Holds)
}

/// A full tile never changes: one that is there is kept.
async fn copy(remote: &Remote, path: &str, to: &Path) -> anyhow::Result<()> {
    let file = to.join(path);
    if !path.contains(".p/") && file.exists() {
        return Ok(());
    }
    let bytes = remote.get(path, TILE_BYTES_MAX).await?;
    write(&file, &bytes)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let shown = || format!("writing {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(shown)?;
    }
    let part = path.with_extension("part");
    fs::write(&part, bytes).and_then(|()| fs::rename(&part, path)).with_context(shown)
}

impl Remote {
    async fn get(&self, path: &str, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
        let url = format!("{}/{path}", self.base);
        let mut request = self.client.get(&url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let mut answer = request.send().await.with_context(|| format!("asking {url}"))?;
        match answer.status().as_u16() {
            200 => {}
            401 | 403 => {
                return Err(usage(format!("{url} wants an access token: --token-file FILE")));
            }
            status => bail!("{url} answered {status}"),
        }
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.with_context(|| format!("reading {url}"))? {
            if bytes.len().saturating_add(part.len()) > bytes_max {
                bail!("{url} is longer than {bytes_max} bytes");
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}
