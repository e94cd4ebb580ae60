//! Reading: who asks, as of when, having seen which write; then one question in one consistent moment.

pub(crate) mod answer;
pub(crate) mod cases;
pub(crate) mod changes;
pub(crate) mod claims;
pub(crate) mod exports;
pub(crate) mod history;
pub(crate) mod links;
pub(crate) mod look;
pub(crate) mod people;
pub(crate) mod reports;
pub(crate) mod search;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use assay_domain::id::{CaseId, LinkId};
use assay_store::log::Token;
use assay_views::{At, Cursor, Limit};
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::app::App;
use crate::caller::Caller;
use crate::door::query::Pairs;
use crate::door::{Asking, headers, query};
use crate::problem::Problem;

/// The header that names a write a read shall show.
const ASSAY_AFTER: HeaderName = HeaderName::from_static("assay-after");

/// A question as it comes in.
pub(crate) struct Read<T> {
    pub(crate) app: Data<App>,
    pub(crate) caller: Caller,
    /// As of when.
    pub(crate) at: At,
    /// Whether the answer can never change.
    pub(crate) fixed: bool,
    /// The parameters of its own.
    pub(crate) params: T,
    /// The request it came in.
    pub(crate) req: HttpRequest,
}

/// No parameters of its own.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plain {}

/// Which part of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    pub(crate) cursor: Option<String>,
}

impl Paging {
    pub(crate) fn limit(&self) -> Result<Limit, Problem> {
        Ok(self.limit.map(Limit::new).transpose()?.unwrap_or_default())
    }

    pub(crate) fn cursor(&self) -> Option<Cursor> {
        self.cursor.clone().map(Cursor::new)
    }
}

/// A list with filters of its own beside [`Paging`].
///
/// (serde's `flatten` would lose both the strictness and the numbers.)
macro_rules! paged {
    ($name:ident) => {
        impl $name {
            /// Which part of the list.
            pub(crate) fn paging(&self) -> $crate::reads::Paging {
                $crate::reads::Paging { limit: self.limit, cursor: self.cursor.clone() }
            }
        }
    };
}
pub(crate) use paged;

impl<T: DeserializeOwned + 'static> FromRequest for Read<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        async move {
            let caller = Caller::of(&req).await?;
            let app = App::of(&req)?;
            let mut pairs = query::pairs(&req)?;
            shown(&app, &req, &mut pairs).await?;
            let (at, fixed) = moment(&app, query::take(&mut pairs, "as_of")).await?;
            Ok(Self { app, caller, at, fixed, params: query::rest(&pairs)?, req })
        }
        .boxed_local()
    }
}

/// Waits until the write that the asker names is shown here.
async fn shown(app: &App, req: &HttpRequest, pairs: &mut Pairs) -> Result<(), Problem> {
    let header = headers::single(req, &ASSAY_AFTER)?.map(str::to_owned);
    let Some(token) = query::take(pairs, "after").or(header) else { return Ok(()) };
    let place = token
        .parse()
        .map_err(|_| Problem::malformed("token_invalid", "`after` is the token of a receipt"))?;
    match tokio::time::timeout(app.settings.wait_max, position_of(app, Token(place))).await {
        Ok(position) => reached(app, position?).await,
        Err(_) => Err(not_yet()),
    }
}

/// The position by which the fact at a token is in this node's journal, once it is.
async fn position_of(app: &App, token: Token) -> Result<u64, Problem> {
    let journal = app.house.journal();
    let mut moved = journal.watch();
    loop {
        moved.borrow_and_update();
        if let Some(position) = journal.reached(token)? {
            return Ok(position);
        }
        moved.changed().await.map_err(Problem::fault)?;
    }
}

fn not_yet() -> Problem {
    Problem::busy("not_shown_yet", "this node does not show it yet; ask again")
}

/// Waits until this node shows a position, or sends the asker away for a moment.
async fn reached(app: &App, position: u64) -> Result<(), Problem> {
    let mut projected = app.projected.clone();
    let there = projected.wait_for(|shown| *shown >= position);
    match tokio::time::timeout(app.settings.wait_max, there).await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(not_yet()),
    }
}

/// What `as_of` means: a position, or an instant.
async fn moment(app: &App, as_of: Option<String>) -> Result<(At, bool), Problem> {
    let Some(as_of) = as_of else { return Ok((At::Head, false)) };
    if let Ok(position) = as_of.parse::<u64>() {
        let head = app.house.journal().head()?;
        if position > head {
            let detail = format!("the last position is {head}");
            return Err(Problem::malformed("as_of_ahead", detail));
        }
        reached(app, position).await?;
        return Ok((At::Position(position), true));
    }
    let instant: Timestamp = as_of.parse().map_err(|_| {
        Problem::malformed("as_of_invalid", "`as_of` is a position or an RFC 3339 instant")
    })?;
    let position = app.house.journal().position_at(instant.as_microsecond())?;
    reached(app, position).await?;
    Ok((At::Position(position), false))
}

/// The contradictions of a case that are open now; what a closing case names.
pub(crate) fn open_contradictions(asking: &Asking, case: CaseId) -> Result<Vec<LinkId>, Problem> {
    #[derive(Deserialize)]
    struct Named {
        link: Uuid,
    }
    let limit = Limit::new(assay_views::page::LIMIT_MAX)?;
    // A write needs no purpose: what it looks up is not shown.
    let caller = Caller { purposed: true, ..asking.caller };
    look::here(&asking.app, &caller, At::Head, |look| {
        let mut open = Vec::new();
        let mut cursor = None;
        loop {
            let page = assay_views::contradictions::page(
                look.db,
                look.sight,
                look.at,
                case,
                Some(true),
                cursor.as_ref(),
                limit,
            )?;
            for item in &page.items {
                let named: Named = serde_json::from_str(item.get()).map_err(Problem::fault)?;
                open.push(LinkId(named.link));
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(open);
            }
        }
    })
    .map(|(open, _)| open)
}
