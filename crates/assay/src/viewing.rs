//! Reading the views of a data directory at the console: brought up to date where no server does it already.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use assay_commands::Clock;
use assay_views::db::{Moment, moment};
use assay_views::{At, Cursor, Limit, Page, Reader, ViewError, Views};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::clock::SystemClock;
use crate::data_dir::DataDir;
use crate::exit::usage;
use crate::open::{Opened, must_be_ready, open_held};
use crate::project;
use crate::settings::Settings;

/// The views of a house, with the house itself where nobody else holds it.
#[derive(Debug)]
pub(crate) struct Viewing {
    /// Answers questions.
    pub(crate) reader: Reader,
    /// Keeps the directory for us while we read.
    _opened: Option<Opened>,
}

/// Opens the views; where no server runs, they are first brought up to date with the journal.
pub(crate) async fn view(settings: &Settings) -> anyhow::Result<Viewing> {
    let dir = DataDir::at(&settings.data_dir);
    must_be_ready(settings, &dir)?;
    let opened = match dir.hold() {
        Ok(held) => {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
            let opened = open_held(settings, clock, dir.clone(), held).await?;
            project::catch_up(&opened).await?;
            Some(opened)
        }
        // A server holds it and keeps the views up to date itself.
        Err(_) => None,
    };
    let reader = Views::open(dir.views()).and_then(|views| views.reader());
    let reader = reader.with_context(|| format!("reading {}", dir.views().display()))?;
    Ok(Viewing { reader, _opened: opened })
}

/// The moment somebody means: a position, or the last position recorded at or before an instant.
pub(crate) fn as_of(reader: &Reader, text: &str) -> anyhow::Result<Moment> {
    let head = reader.position()?;
    if let Ok(position) = text.parse::<u64>() {
        if position > head {
            return Err(usage(format!("the journal ends at position {head}; {position} is later")));
        }
        return Ok(moment(reader, At::Position(position))?);
    }
    let Ok(instant) = text.parse::<Timestamp>() else {
        return Err(usage(format!(
            "`{text}` is neither a position (17) nor an instant (2018-01-13T12:00:00Z)"
        )));
    };
    last_before(reader, instant, head)
}

/// Halves the journal until one position is left; time never goes back in it.
fn last_before(reader: &Reader, instant: Timestamp, head: u64) -> anyhow::Result<Moment> {
    let (mut known, mut after) = (0, head.saturating_add(1));
    while after.saturating_sub(known) > 1 {
        let middle = known.midpoint(after);
        let at = moment(reader, At::Position(middle))?;
        match at.recorded_at {
            Some(recorded) if recorded.0 <= instant => known = middle,
            Some(_) => after = middle,
            None => bail!("the views do not know when entry {middle} was recorded"),
        }
    }
    Ok(moment(reader, At::Position(known))?)
}

/// Everything a list holds, page by page.
pub(crate) fn all<T: DeserializeOwned>(
    mut ask: impl FnMut(Option<&Cursor>, Limit) -> Result<Page, ViewError>,
) -> anyhow::Result<Vec<T>> {
    let limit = Limit::new(assay_views::page::LIMIT_MAX)?;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = ask(cursor.as_ref(), limit)?;
        for item in &page.items {
            found.push(serde_json::from_str(item.get())?);
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(found),
        }
    }
}
