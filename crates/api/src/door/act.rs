//! A write as it comes in: who asks, under which name, what they saw, and what they want.

use actix_web::dev::Payload;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use assay_commands::{Actor, Request};
use assay_store::fact::ActorKind;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::de::DeserializeOwned;
use sha2::Sha256;
use uuid::Uuid;

use super::{body, headers, query};
use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;

/// Somebody asks for a change, without a body.
pub(crate) struct Asking {
    pub(crate) app: Data<App>,
    pub(crate) caller: Caller,
    pub(crate) request: Request,
    /// Whether the client may ask the same again under the same name.
    pub(crate) named: bool,
}

/// Somebody asks for a change, and says in a body which.
pub(crate) struct Act<T> {
    pub(crate) asking: Asking,
    pub(crate) body: T,
}

impl FromRequest for Asking {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        async move {
            let caller = Caller::of(&req).await?;
            query::none(&req)?;
            body::nothing(&req, payload).await?;
            Self::new(&req, caller, &Bytes::new())
        }
        .boxed_local()
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Act<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        async move {
            let caller = Caller::of(&req).await?;
            query::none(&req)?;
            let (body, bytes) = body::json(&req, payload).await?;
            Ok(Self { asking: Asking::new(&req, caller, &bytes)?, body })
        }
        .boxed_local()
    }
}

impl Asking {
    fn new(req: &HttpRequest, caller: Caller, body: &Bytes) -> Result<Self, Problem> {
        let app = App::of(req)?;
        let key = headers::idempotency_key(req)?;
        let command = match key {
            Some(key) => Uuid::new_v5(&caller.user.0, key.as_bytes()),
            None => app.new_id(),
        };
        let mac = key.map(|_| mac(&app, req, body)).transpose()?;
        let request = Request {
            session: Some(caller.session),
            correlation: caller.request_id,
            mac,
            if_match: headers::if_match(req)?,
            ..Request::by(Actor::User(caller.user), ActorKind::Person, command)
        };
        Ok(Self { app, caller, request, named: key.is_some() })
    }

    /// The id of a new thing: the client's, or one that the same request gets again.
    pub(crate) fn id<T: From<Uuid>>(&self, given: Option<T>, role: &str) -> T {
        given.unwrap_or_else(|| {
            let derived = || Uuid::new_v5(&self.request.command, role.as_bytes());
            T::from(if self.named { derived() } else { self.app.new_id() })
        })
    }
}

/// A keyed digest of what was asked, so that one name is not used for two requests.
fn mac(app: &App, req: &HttpRequest, body: &Bytes) -> Result<[u8; 16], Problem> {
    let mut mac = Hmac::<Sha256>::new_from_slice(app.secret()).map_err(Problem::fault)?;
    for part in [req.method().as_str().as_bytes(), req.path().as_bytes(), body.as_ref()] {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        mac.update(&length.to_be_bytes());
        mac.update(part);
    }
    let digest: [u8; 32] = mac.finalize().into_bytes().into();
    digest.first_chunk::<16>().copied().ok_or_else(|| Problem::fault("a digest of 32 bytes"))
}
