//! The data directory every server begins with: made by `initdb` once in a process, then copied.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow};

use crate::home::Home;
use crate::programs::Programs;

/// Copies the template to a directory that does not exist yet.
pub(crate) fn copy_to(home: &Home) -> Result<()> {
    // In a static, so never dropped: its watchdog removes it when the process has ended.
    static TEMPLATE: OnceLock<Result<Home, String>> = OnceLock::new();
    let template = TEMPLATE
        .get_or_init(|| made().map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow!("{error}"))?;
    let (from, to) = (template.data(), home.data());
    let copy = ["--archive", "--reflink=auto", text(&from)?, text(&to)?];
    Programs::find()?.run_program(home.path(), Path::new("cp"), &copy)?;
    Ok(())
}

fn made() -> Result<Home> {
    let home = Home::new()?;
    let data = home.data();
    // Not the C collation, which would hide where a table forgot to ask for it. Checksums, because
    // `pg_rewind` needs them. Syncing is for what is to survive the machine.
    let args = [
        "--pgdata",
        text(&data)?,
        "--username=assay",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=icu",
        "--icu-locale=en-US",
        "--data-checksums",
        "--no-sync",
        "--no-instructions",
    ];
    Programs::find()?.run(home.path(), "initdb", &args)?;
    Ok(home)
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not text", path.display()))
}
