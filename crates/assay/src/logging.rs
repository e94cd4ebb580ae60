//! Log lines on stderr: one JSON object a line for machines, text for people.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::exit::usage;
use crate::settings::{Log, LogFormat};

/// Starts logging; from now on a panic is a log line, too.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    // What that client says of every attempt is said by us once for the whole outage.
    let quiet = if log.level.contains("kurrentdb") { "" } else { ",kurrentdb=off" };
    let filter = EnvFilter::try_new(format!("{}{quiet}", log.level))
        .map_err(|error| usage(format!("the log level {:?} does not fit: {error}", log.level)))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).try_init(),
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            lines.with_target(false).with_ansi(colours).try_init()
        }
    };
    started.map_err(|error| anyhow::anyhow!("logging does not start: {error}"))?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, panic = panic.payload_as_str(), "a thread panicked");
    }));
    Ok(())
}
