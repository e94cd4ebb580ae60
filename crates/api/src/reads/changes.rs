//! Changes of a case as they happen: server-sent events, one for each fact in sight.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, HeaderName};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, get};
use assay_domain::id::CaseId;
use assay_views::{At, Limit};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use utoipa::IntoParams;

use super::Read;
use super::cases::must_see;
use super::look::{Look, here};
use crate::door::{Place, headers};
use crate::problem::Problem;
use crate::reading::Further;
use crate::write::Answer;

/// How often something is said, so that nobody thinks the line is dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How soon the end of a session ends its streams.
const LOOK_UP: Duration = Duration::from_secs(1);
/// How many facts are sent at once.
const BATCH: u16 = 100;
/// The header of a client that comes back.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Where to begin.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// After this position; what comes from now on where left out. `Last-Event-ID` counts before it.
    from: Option<u64>,
}

/// One stream and where it is.
struct Line {
    read: Read<ChangesQuery>,
    /// What the read log is told of all that follows.
    further: Further,
    case: CaseId,
    after: u64,
    projected: watch::Receiver<u64>,
    beat: Instant,
    _place: OwnedSemaphorePermit,
}

/// What happens in a case, as it happens (server-sent events).
///
/// One event for each fact in sight: `id` is its position, `event` its wire name, `data` the entry.
/// It ends when the session does, or when the case gets out of sight; a case that demands a
/// purpose is so for a stream that was opened without one.
#[utoipa::path(tag = "history", params(ChangesQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last event that was seen.")),
    responses((status = 200, description = "Events.", body = String, content_type = "text/event-stream")))]
#[get("/cases/{case}/changes")]
pub(crate) async fn changes(read: Read<ChangesQuery>, case: Place<CaseId>) -> Answer {
    let see = |look: &Look<'_>| must_see(look, *case);
    let ((), moment) = here(&read.app, &read.caller, At::Head, see)?;
    let place = Arc::clone(&read.app.gates.streams).try_acquire_owned();
    let place = place.map_err(|_| Problem::busy("streams_busy", "too many streams are open"))?;
    let after = last_seen(&read)?.or(read.params.from).unwrap_or(moment.position);
    let projected = read.app.projected.clone();
    let beat = Instant::now();
    let further = Further::of(&read.req, &read.caller);
    let line = Line { read, further, case: *case, after, projected, beat, _place: place };
    let events = stream::unfold(line, |mut line| async move {
        let said = line.next().await?;
        Some((Ok::<_, Problem>(said), line))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events))
}

fn last_seen(read: &Read<ChangesQuery>) -> Result<Option<u64>, Problem> {
    let seen = headers::single(&read.req, &LAST_EVENT_ID)?.map(str::parse).transpose();
    seen.map_err(|_| Problem::malformed("event_id_invalid", "`Last-Event-ID` is a position"))
}

impl Line {
    /// What is to be said next; nothing when the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.read.app.sessions.known_ended(self.read.caller.session) {
                return None;
            }
            let shown = *self.projected.borrow_and_update();
            if shown > self.after {
                let text = self.events(shown)?;
                if !text.is_empty() {
                    self.beat = Instant::now();
                    return Some(Bytes::from(text));
                }
            }
            if self.beat.elapsed() >= HEARTBEAT {
                return self.heartbeat().await;
            }
            // Whatever comes first: the loop looks at everything again.
            if let Ok(Err(_)) = tokio::time::timeout(LOOK_UP, self.projected.changed()).await {
                return None; // The projector ended: nothing more will come.
            }
        }
    }

    /// The facts after the last one that was said; nothing where the case got out of sight.
    fn events(&mut self, shown: u64) -> Option<String> {
        let (case, after) = (self.case, self.after);
        let look = here(&self.read.app, &self.read.caller, At::Head, |look| {
            must_see(look, case)?;
            let limit = Limit::new(BATCH)?;
            Ok((assay_views::changes::after(look.db, look.sight, case, after, limit)?, limit))
        });
        let ((facts, limit), _) = look.ok()?;
        let full = facts.len() >= limit.get();
        let last = facts.last().map(|fact| fact.position);
        let mut text = String::new();
        for fact in facts {
            let json = serde_json::to_string(&fact).ok()?;
            write!(text, "id: {}\nevent: {}\ndata: {json}\n\n", fact.position, fact.fact).ok()?;
        }
        self.after = if full { last? } else { shown.max(last.unwrap_or_default()) };
        if let Some(last) = last {
            // Where the read log takes no more, the stream is over.
            self.further.note(&self.read.app, last).ok()?;
        }
        Some(text)
    }

    async fn heartbeat(&mut self) -> Option<Bytes> {
        let caller = self.read.caller;
        let live = self.read.app.sessions.live(caller.user, caller.session).await;
        self.beat = Instant::now();
        matches!(live, Ok(true)).then(|| Bytes::from_static(b": still here\n\n"))
    }
}
