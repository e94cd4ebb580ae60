//! Pages of a stream and of `$all`, each event taken out of the client's hands.

use std::time::Duration;

use assay_store::log::Revision;
use bytes::Bytes;
use kurrentdb::{
    Error, Position, ReadAllOptions, ReadEvent, ReadStream, ReadStreamOptions, ResolvedEvent,
    StreamPosition, SubscriptionFilter,
};
use uuid::Uuid;

use crate::connection::Connection;
use crate::error::Trouble;

/// How many events one page has at most.
pub(crate) const PAGE_EVENTS: usize = 256;
/// After this many bytes a page of `$all` is ended, so that big events do not fill the memory.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// How long the server may look for the first event of ours in `$all` without a word.
const SCAN_SILENCE_MAX: Duration = Duration::from_mins(2);
/// How long one page may take in all.
const PAGE_TIME_MAX: Duration = Duration::from_mins(10);

/// An event as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) stream: String,
    pub(crate) revision: Revision,
    pub(crate) position: Position,
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) envelope: Bytes,
    pub(crate) data: Bytes,
}

impl Found {
    /// Its place in the log.
    ///
    /// # Errors
    ///
    /// `Corrupt` where it was written in a way that we never write (trap: commit and prepare are one
    /// place for us), or where the server is too old to say.
    pub(crate) fn token(&self) -> Result<u64, Trouble> {
        let Position { commit, prepare } = self.position;
        if commit == prepare && commit != u64::MAX {
            return Ok(commit);
        }
        let what = format!("{} at {} has no single position in `$all`", self.stream, self.revision);
        Err(Trouble::Corrupt(what))
    }
}

/// A page of a stream.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<Found>,
    /// Whether the server said, after the last of them, that this is the stream's end. Without it
    /// a short page may only be one that was cut.
    pub(crate) end: bool,
}

/// Which way and where from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    /// Forward from a revision, that one included.
    Forward(Revision),
    /// Backward from a revision, that one included.
    Backward(Revision),
    /// Backward from the last event.
    End,
}

impl Connection {
    /// At most one page of a stream.
    ///
    /// # Errors
    ///
    /// `Missing` where there is no such stream.
    pub(crate) async fn page_of(
        &self,
        stream: &str,
        from: From,
        limit: usize,
    ) -> Result<Page, Trouble> {
        // Trap 5: a position overrides the direction, so the direction is said last.
        let options = ReadStreamOptions::default();
        let options = match from {
            From::Forward(revision) => {
                options.position(StreamPosition::Position(revision)).forwards()
            }
            From::Backward(revision) => {
                options.position(StreamPosition::Position(revision)).backwards()
            }
            From::End => options.position(StreamPosition::End).backwards(),
        };
        let mut options = options.max_count(limit.min(PAGE_EVENTS)).requires_leader(true);
        if let Some(credentials) = self.credentials() {
            options = options.authenticated(credentials.clone());
        }
        let (options, silence) = (&options, self.call_deadline());
        let work = move |client: kurrentdb::Client| async move {
            let reading = within(silence, client.read_stream(stream, options)).await?;
            collect(reading, silence).await
        };
        let (events, last) = self.call_within(PAGE_TIME_MAX, work).await?.answer;
        let events: Vec<Found> = events.into_iter().filter_map(found).collect();
        let end = last.is_some_and(|last| events.last().is_none_or(|event| event.revision >= last));
        Ok(Page { events, end })
    }

    /// The last event of a stream, or nothing where there is no such stream.
    pub(crate) async fn last_of(&self, stream: &str) -> Result<Option<Found>, Trouble> {
        match self.page_of(stream, From::End, 1).await {
            Ok(page) => Ok(page.events.into_iter().next()),
            Err(Trouble::Missing) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The last event of `$all`, or the last of the streams with a prefix.
    pub(crate) async fn last_of_all(&self, prefix: Option<&str>) -> Result<Option<Found>, Trouble> {
        let mut options = ReadAllOptions::default().position(StreamPosition::End).backwards();
        let mut silence = self.call_deadline();
        if let Some(prefix) = prefix {
            options = options.filter(SubscriptionFilter::on_stream_name().add_prefix(prefix));
            silence = SCAN_SILENCE_MAX;
        }
        Ok(self.all(options.max_count(1), silence).await?.into_iter().next())
    }

    /// A page of `$all` from a place on, that one included, of the streams with these prefixes.
    ///
    /// Trap 6: with a pattern the server would overlook the prefixes, so there is none.
    pub(crate) async fn all_from(
        &self,
        place: Option<u64>,
        prefixes: [&str; 2],
    ) -> Result<Vec<Found>, Trouble> {
        let position = place.map_or(StreamPosition::Start, |place| {
            StreamPosition::Position(Position { commit: place, prepare: place })
        });
        let [ours, other] = prefixes;
        let mut filter = SubscriptionFilter::on_stream_name().add_prefix(ours);
        if !other.starts_with(ours) {
            filter = filter.add_prefix(other);
        }
        let options = ReadAllOptions::default().position(position).forwards().filter(filter);
        self.all(options.max_count(PAGE_EVENTS), SCAN_SILENCE_MAX).await
    }

    async fn all(&self, options: ReadAllOptions, silence: Duration) -> Result<Vec<Found>, Trouble> {
        let mut options = options.requires_leader(true);
        if let Some(credentials) = self.credentials() {
            options = options.authenticated(credentials.clone());
        }
        let options = &options;
        let work = move |client: kurrentdb::Client| async move {
            let reading = within(silence, client.read_all(options)).await?;
            collect(reading, silence).await
        };
        let (events, _) = self.call_within(PAGE_TIME_MAX, work).await?.answer;
        Ok(events.into_iter().filter_map(found).collect())
    }
}

/// Everything of a page, or as much of it as its bytes allow: whoever reads goes on after the last one.
async fn collect(
    mut reading: ReadStream,
    silence: Duration,
) -> Result<(Vec<ResolvedEvent>, Option<Revision>), Error> {
    let (mut events, mut last, mut bytes) = (Vec::new(), None, 0_usize);
    while let Some(said) = within(silence, reading.next_read_event()).await? {
        match said {
            ReadEvent::Event(event) => {
                let data = event.event.as_ref().map_or(0, |event| event.data.len());
                bytes = bytes.saturating_add(data);
                events.push(event);
            }
            ReadEvent::LastStreamPosition(revision) => last = Some(revision),
            ReadEvent::FirstStreamPosition(_) | ReadEvent::LastAllStreamPosition(_) => {}
        }
        if bytes >= PAGE_BYTES {
            break;
        }
    }
    Ok((events, last))
}

/// The client's own deadlines are only told to the server: this one holds.
async fn within<T>(
    silence: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(silence, work).await.unwrap_or(Err(Error::DeadlineExceeded))
}

/// Links are not resolved, so an event is what was written, or a link that is one itself.
fn found(event: ResolvedEvent) -> Option<Found> {
    let event = event.link.or(event.event)?;
    Some(Found {
        stream: event.stream_id().to_owned(),
        revision: event.revision,
        position: event.position,
        id: event.id,
        name: event.event_type,
        envelope: event.custom_metadata,
        data: event.data,
    })
}
