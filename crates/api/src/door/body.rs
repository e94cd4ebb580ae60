//! JSON bodies: bounded in size, in time and in kind.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use serde::de::DeserializeOwned;

use super::shape;
use crate::app::App;
use crate::problem::Problem;

/// A JSON body of a request that needs no caller.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        async move {
            super::query::none(&req)?;
            json(&req, payload).await.map(|(value, _)| Self(value))
        }
        .boxed_local()
    }
}

/// Reads a JSON body, and keeps its bytes.
pub(crate) async fn json<T: DeserializeOwned>(
    req: &HttpRequest,
    payload: Payload,
) -> Result<(T, Bytes), Problem> {
    must_be_json(req)?;
    let bytes = bytes(req, payload).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Problem::malformed("text_encoding", "the body is not UTF-8"))?;
    Ok((shape::read(text)?, bytes))
}

/// Refuses a body where none belongs.
pub(crate) async fn nothing(req: &HttpRequest, payload: Payload) -> Result<(), Problem> {
    let bytes = bytes(req, payload).await?;
    if bytes.is_empty() {
        return Ok(());
    }
    Err(Problem::malformed("body_unexpected", "this request takes no body"))
}

fn must_be_json(req: &HttpRequest) -> Result<(), Problem> {
    let value = |name| req.headers().get(name).and_then(|value| value.to_str().ok());
    let kind = value(header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let mut parts = kind.split(';').map(str::trim);
    let json = parts.next() == Some("application/json");
    let utf8 = parts.all(|part| matches!(part, "charset=utf-8" | "charset=\"utf-8\""));
    let plain = value(header::CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
    if json && utf8 && plain { Ok(()) } else { Err(Problem::media_type()) }
}

async fn bytes(req: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let (max, timeout) = req.app_data::<Data<App>>().map_or((0, Duration::ZERO), |app| {
        (app.settings.json_bytes_max, app.settings.body_timeout)
    });
    let announced = req.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > max)) {
        return Err(over(max));
    }
    tokio::time::timeout(timeout, collected(payload, max))
        .await
        .unwrap_or_else(|_| Err(Problem::slow_body()))
}

async fn collected(mut payload: Payload, max: usize) -> Result<Bytes, Problem> {
    let mut collected = BytesMut::new();
    while let Some(part) = payload.next().await {
        let part =
            part.map_err(|_| Problem::malformed("body_broken", "the body did not arrive whole"))?;
        if collected.len().saturating_add(part.len()) > max {
            return Err(over(max));
        }
        collected.extend_from_slice(&part);
    }
    Ok(collected.freeze())
}

fn over(max: usize) -> Problem {
    Problem::too_large(format!("a body has at most {max} bytes"))
}
