//! Who are you: asked once, at the door, of the `Authorization` header and nothing else.

use std::future::Future;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use assay_domain::id::UserId;
use assay_domain::text::Reason;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use uuid::Uuid;

use crate::app::App;
use crate::problem::Problem;
use crate::reading;

/// Who asks, in which session, in which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    pub(crate) session: Uuid,
    pub(crate) request_id: Uuid,
    /// Whether they said to what end they ask; in which words stands beside, as [`Purpose`].
    pub(crate) purposed: bool,
}

/// To what end somebody asks; kept with the request where they said so.
#[derive(Clone, Debug)]
pub(crate) struct Purpose(pub(crate) Reason);

/// The name of a request, given by the outermost layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId(pub(crate) Uuid);

impl Caller {
    /// The caller of a request; the same answer for no token and for one that is not good.
    pub(crate) fn of(req: &HttpRequest) -> impl Future<Output = Result<Self, Problem>> + use<> {
        let req = req.clone();
        async move {
            let app = App::of(&req)?;
            let token = bearer(&req)?;
            let wrong = || Problem::unauthenticated(Some("invalid_token"));
            let verified = app.tokens.verify(token, app.house.now()).ok_or_else(wrong)?;
            if !app.sessions.live(verified.user, verified.session).await? {
                return Err(wrong());
            }
            let request_id = req.extensions().get::<RequestId>().map_or(Uuid::nil(), |id| id.0);
            let purpose = reading::purpose_of(&req)?;
            let (user, session) = (verified.user, verified.session);
            let caller = Self { user, session, request_id, purposed: purpose.is_some() };
            req.extensions_mut().insert(caller);
            if let Some(purpose) = purpose {
                req.extensions_mut().insert(Purpose(purpose));
            }
            app.gates.account(caller.user)?;
            Ok(caller)
        }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        Self::of(req).boxed_local()
    }
}

/// The token of the only `Authorization` header.
fn bearer(req: &HttpRequest) -> Result<&str, Problem> {
    let mut values = req.headers().get_all(AUTHORIZATION);
    let value = values.next().ok_or_else(|| Problem::unauthenticated(None))?;
    let wrong = || Problem::unauthenticated(Some("invalid_request"));
    if values.next().is_some() {
        return Err(wrong());
    }
    let value = value.to_str().map_err(|_| wrong())?;
    let (scheme, token) = value.split_once(' ').ok_or_else(wrong)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(wrong()) }
}
