//! Optimistic appends that may be asked again: the same facts at the same place have the same answer, and one copy.

use assay_store::fact::NewFact;
use assay_store::log::{Appended, Expected, LogError, Revision, Token, check_append};
use kurrentdb::{AppendToStreamOptions, Client, EventData, StreamState, WriteResult};
use uuid::Uuid;

use crate::connection::{Connection, Tried, pause};
use crate::error::{Trouble, while_reading};
use crate::reads::{From, PAGE_EVENTS};
use crate::wire;

/// How often an append that goes anywhere looks where the stream ends.
const ANYWHERE_ATTEMPTS_MAX: u32 = 200;
/// From here on the server takes an expected revision for something else (the greatest one for «no stream»).
const REVISION_END: Revision = i64::MAX.cast_unsigned();

impl Connection {
    /// Appends events to one stream, all or none; asked again with the same ids where that may help.
    ///
    /// Trap 10: not as a batch, which takes no expectation.
    pub(crate) async fn append(
        &self,
        stream: &str,
        expected: StreamState,
        events: &[EventData],
    ) -> Result<Tried<WriteResult>, Trouble> {
        let options = AppendToStreamOptions::default().stream_state(expected);
        let mut options = options.requires_leader(true).deadline(self.call_deadline());
        if let Some(credentials) = self.credentials() {
            options = options.authenticated(credentials.clone());
        }
        let options = &options;
        self.call(move |client: Client| async move {
            client.append_to_stream(stream, options, events.to_vec()).await
        })
        .await
    }
}

/// One append on its way.
struct Appending<'a> {
    connection: &'a Connection,
    stream: String,
    ids: Vec<Uuid>,
    events: Vec<EventData>,
}

/// Appends to a stream of the log.
pub(crate) async fn append(
    connection: &Connection,
    prefix: &str,
    stream: &str,
    expected: Expected,
    facts: &[NewFact],
) -> Result<Appended, LogError> {
    // Trap 9: an empty append to a missing stream would be answered with success.
    check_append(stream, facts)?;
    let appending = Appending {
        connection,
        stream: format!("{prefix}{stream}"),
        ids: facts.iter().map(|fact| fact.id).collect(),
        events: facts.iter().map(wire::event).collect::<Result<_, _>>()?,
    };
    let appended = match expected {
        Expected::NoStream => appending.at(None).await,
        Expected::Exact(last) if last < REVISION_END => appending.at(Some(last)).await,
        Expected::Exact(_) => {
            let current = appending.current().await.map_err(while_reading)?;
            Err(LogError::Conflict { current })
        }
        Expected::Any => appending.anywhere().await,
    }?;
    connection.saw(appended.token.0);
    connection.woke();
    Ok(appended)
}

impl Appending<'_> {
    async fn current(&self) -> Result<Option<Revision>, Trouble> {
        let last = self.connection.last_of(&self.stream).await?;
        Ok(last.map(|event| event.revision))
    }

    /// Trap 14: the server's own «any» knows asking again for a while only, so it is never used.
    async fn anywhere(&self) -> Result<Appended, LogError> {
        let mut current = self.current().await.map_err(while_reading)?;
        for attempt in 1..=ANYWHERE_ATTEMPTS_MAX {
            match self.at(current).await {
                Err(LogError::Conflict { current: moved }) => current = moved,
                done => return done,
            }
            if attempt > 3 {
                tokio::time::sleep(pause(1)).await;
            }
        }
        Err(LogError::Unavailable { outcome_unknown: false })
    }

    /// Appends where the stream ends here.
    async fn at(&self, last: Option<Revision>) -> Result<Appended, LogError> {
        let expected = last.map_or(StreamState::NoStream, StreamState::StreamRevision);
        let first = last.map_or(0, |last| last.saturating_add(1));
        let seen = self.connection.seen();
        let tried = match self.connection.append(&self.stream, expected, &self.events).await {
            Ok(tried) => tried,
            Err(Trouble::Moved { current }) => {
                let conflict = LogError::Conflict { current };
                return self.standing(first).await.map_err(while_reading)?.ok_or(conflict);
            }
            Err(trouble) => return Err(trouble.into()),
        };
        // Trap 11: what is called the next revision is that of the last event written.
        let (revision, position) = (tried.answer.next_expected_version, tried.answer.position);
        let new = !tried.again && position.commit == position.prepare && position.commit > seen;
        if new && revision == self.last_revision(first) {
            let token = Token(position.commit);
            return Ok(Appended { last: revision, token, committed: Vec::new() });
        }
        // Asked again, now or before: where the facts stand is read rather than believed.
        let standing =
            self.standing(first).await.map_err(|trouble| match LogError::from(trouble) {
                LogError::Unavailable { .. } => LogError::Unavailable { outcome_unknown: true },
                other => other,
            })?;
        let what = format!("{}: what was acknowledged is not there", self.stream);
        standing.ok_or(LogError::Corrupt(what))
    }

    fn last_revision(&self, first: Revision) -> Revision {
        let count = u64::try_from(self.ids.len()).unwrap_or(u64::MAX);
        first.saturating_add(count).saturating_sub(1)
    }

    /// The answer given before, if exactly these facts stand there already.
    async fn standing(&self, first: Revision) -> Result<Option<Appended>, Trouble> {
        let mut answer = None;
        let mut from = first;
        for ids in self.ids.chunks(PAGE_EVENTS) {
            let page =
                match self.connection.page_of(&self.stream, From::Forward(from), ids.len()).await {
                    Ok(page) => page.events,
                    Err(Trouble::Missing) => return Ok(None),
                    Err(other) => return Err(other),
                };
            let same = page.iter().map(|event| event.id).eq(ids.iter().copied());
            let Some(last) = page.last().filter(|_| same) else { return Ok(None) };
            let token = Token(last.token()?);
            answer = Some(Appended { last: last.revision, token, committed: Vec::new() });
            from = last.revision.saturating_add(1);
        }
        Ok(answer)
    }
}
