//! `assay config` and `assay version`: what is in force, without secrets.

use std::io::Write as _;

use serde_json::Value;

use crate::configure::Configured;
use crate::data_dir::DataDir;
use crate::exit::Exit;
use crate::keys::{MASTER_KEY_VARIABLE, MasterFrom};
use crate::settings::redacted;

/// Prints the settings in force, where each comes from, and where each file is looked for.
pub(crate) fn config(configured: &Configured) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    let file = configured.file.as_ref().map_or_else(
        || "no settings file (name one with --config or ASSAY_CONFIG)".to_owned(),
        |path| format!("settings file {}", path.display()),
    );
    writeln!(out, "# Command line, then environment, then file, then default; {file}.")?;
    let all = serde_json::to_value(&configured.settings)?;
    let (sections, plain): (Vec<_>, Vec<_>) =
        all.as_object().into_iter().flatten().partition(|(_, value)| value.is_object());
    for (key, value) in plain {
        line(&mut out, configured, key, key, value)?;
    }
    for (section, values) in sections {
        writeln!(out, "\n[{section}]")?;
        for (key, value) in values.as_object().into_iter().flatten() {
            line(&mut out, configured, &format!("{section}.{key}"), key, value)?;
        }
    }
    files(&mut out, configured)?;
    Ok(Exit::Holds)
}

fn line(
    out: &mut impl std::io::Write,
    configured: &Configured,
    full: &str,
    key: &str,
    value: &Value,
) -> std::io::Result<()> {
    let origin = configured.origins.get(full).map_or("default", String::as_str);
    match value {
        Value::Null => writeln!(out, "# {key} is not set"),
        Value::String(url) if full == "store.url" => {
            writeln!(out, "{key} = {:?}  # {origin}", redacted(url))
        }
        _ => writeln!(out, "{key} = {value}  # {origin}"),
    }
}

fn files(out: &mut impl std::io::Write, configured: &Configured) -> std::io::Result<()> {
    let dir = DataDir::at(&configured.settings.data_dir);
    let master = MasterFrom::choose(configured.settings.keys.master_key_file.as_deref(), &dir);
    let held = |path: std::path::PathBuf| {
        let there = if path.exists() { "" } else { " (not there yet)" };
        format!("{}{there}", path.display())
    };
    writeln!(out, "\n# Files:")?;
    if configured.settings.store.elsewhere() {
        writeln!(out, "#   copy of the event log   {}", held(dir.journal()))?;
        writeln!(out, "#   views                   {}", held(dir.views()))?;
        writeln!(out, "#   vault and token key     where store.url says")?;
    } else {
        writeln!(out, "#   event log and journal   {}", held(dir.journal()))?;
        writeln!(out, "#   vault                   {}", held(dir.vault()))?;
        writeln!(out, "#   views                   {}", held(dir.views()))?;
        writeln!(out, "#   token key (secret)      {}", held(dir.jwt_key()))?;
    }
    writeln!(out, "#   master key (secret)     {}", master.describe())?;
    if matches!(master, MasterFrom::Environment(_)) {
        writeln!(out, "#   {MASTER_KEY_VARIABLE} = [REDACTED]")?;
    }
    Ok(())
}

/// Prints the version and what it was built with.
pub(crate) fn version() -> anyhow::Result<Exit> {
    writeln!(std::io::stdout(), "assay {}", env!("CARGO_PKG_VERSION"))?;
    Ok(Exit::Holds)
}
