//! Who are you: asked once, at the door, of the `Authorization` header and nothing else.

use std::future::Future;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use assay_domain::id::UserId;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use uuid::Uuid;

use crate::app::App;
use crate::problem::Problem;

/// Who asks, in which session, in which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    pub(crate) session: Uuid,
    pub(crate) request_id: Uuid,
}

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
            let caller = Self { user: verified.user, session: verified.session, request_id };
            req.extensions_mut().insert(caller);
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
