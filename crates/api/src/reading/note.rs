//! Noting a reading: of every answer in the outermost layer, of each part of a stream, and at once before an export.

use actix_web::http::Method;
use actix_web::{HttpMessage as _, HttpRequest};

use super::book::{Key, Noted, Tally};
use super::{asked, named, unrecorded};
use crate::app::App;
use crate::caller::{Caller, Purpose};
use crate::problem::Problem;

/// As of which position a request was answered; kept with the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered(pub(crate) u64);

/// A request whose reading is in the log already; kept with the request.
#[derive(Clone, Copy, Debug)]
struct Recorded;

/// The status of an answer that is what its reader has already.
const NOT_MODIFIED: u16 = 304;

/// Notes what an answer tells, before it leaves; refused where there is no room to.
pub(crate) fn of_answer(
    app: &App,
    req: &HttpRequest,
    status: u16,
    route: Option<&str>,
) -> Result<(), Problem> {
    let told = (200..300).contains(&status) || status == NOT_MODIFIED;
    if !told || req.method() != Method::GET || req.extensions().contains::<Recorded>() {
        return Ok(());
    }
    let Some(caller) = req.extensions().get::<Caller>().copied() else { return Ok(()) };
    let Some(route) = route.filter(|route| unrecorded::recorded(route)) else { return Ok(()) };
    let (key, as_of) = (key(req, &caller), as_of(app, req));
    app.readings.note(key, route, as_of)
}

/// What a stream that goes on tells later is read as well.
#[derive(Debug)]
pub(crate) struct Further {
    key: Key,
    route: String,
}

impl Further {
    /// Of the request that opened the stream.
    pub(crate) fn of(req: &HttpRequest, caller: &Caller) -> Self {
        Self { key: key(req, caller), route: req.match_pattern().unwrap_or_default() }
    }

    /// Notes another part, before it leaves.
    pub(crate) fn note(&self, app: &App, as_of: u64) -> Result<(), Problem> {
        app.readings.note(self.key.clone(), &self.route, as_of)
    }
}

/// Records a reading in the log at once, before the first byte leaves; refused where it cannot be.
pub(crate) async fn now(
    app: &App,
    req: &HttpRequest,
    caller: &Caller,
    as_of: u64,
) -> Result<(), Problem> {
    let route = req.match_pattern().unwrap_or_default();
    let question = named(&route).ok_or_else(|| Problem::fault("a route without a name"))?;
    let at = app.house.now();
    let tally = Tally { question, as_of, first_at: at, last_at: at, times: 1 };
    let noted = Noted { key: key(req, caller), tally };
    if let Err(why) = app.readings.record(noted).await {
        tracing::error!(why, question = route, "a reading could not be recorded; nothing was told");
        let detail = "this is shown only once it is recorded, and it cannot be now; ask again";
        return Err(Problem::busy("read_log_unavailable", detail));
    }
    req.extensions_mut().insert(Recorded);
    Ok(())
}

fn key(req: &HttpRequest, caller: &Caller) -> Key {
    let purpose = req.extensions().get::<Purpose>().map(|purpose| purpose.0.clone());
    // The path as the routes see it: another spelling of an id names the same subject.
    let place = asked::place(req.match_info().as_str(), req.query_string());
    Key { session: caller.session, reader: caller.user, place, purpose }
}

/// The position a request was answered as of; the last one that is shown where it does not say.
fn as_of(app: &App, req: &HttpRequest) -> u64 {
    let answered = req.extensions().get::<Answered>().map(|answered| answered.0);
    answered.unwrap_or_else(|| *app.projected.borrow())
}
