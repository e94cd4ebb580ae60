//! `assay views dump`: every row of the views as one JSON line, always in the same order.

use std::io::{BufWriter, Write as _};

use assay_views::{At, ViewError, dump};

use crate::exit::Exit;
use crate::settings::Settings;
use crate::viewing::{as_of, view};

/// Prints all rows as of a moment, or as of now.
pub(crate) async fn run(settings: &Settings, moment: Option<&str>) -> anyhow::Result<Exit> {
    let viewing = view(settings).await?;
    let at = match moment {
        Some(text) => At::Position(as_of(&viewing.reader, text)?.position),
        None => At::Head,
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    match dump::dump_canonical(&viewing.reader, at, &mut out) {
        // Whoever reads our output has seen enough: that is for `exit` to tell.
        Err(ViewError::Io(error)) => return Err(error.into()),
        other => other?,
    }
    out.flush()?;
    Ok(Exit::Holds)
}
