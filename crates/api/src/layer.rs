//! What is put around every answer: its name, its safety headers, its problem body, its log line, its metrics.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, CONTENT_ENCODING,
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpResponse};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, RequestId};
use crate::problem::Problem;
use crate::reading;

/// The header that names a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Nothing is loaded and nobody frames it.
const CSP: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// The documentation page loads its own scripts and styles and asks its own server.
const CSP_DOCS: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'",
);
/// What takes as long as its upload takes.
const UNHURRIED: &str = "/api/v1/imports";
/// What takes as long as its case is large: that it leaves is recorded only once it is whole.
const UNHURRIED_END: &str = "/bundles";

/// The outermost layer.
pub(crate) async fn around<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let app = App::of(req.request())?;
    let id = app.new_id();
    req.extensions_mut().insert(RequestId(id));
    let origin = allowed_origin(&app, req.headers());
    let docs = req.path().starts_with("/api/docs");
    let answered = match preflight(&req, origin.is_some()) {
        Some(answer) => Ok(req.into_response(answer)),
        None => in_time(&app, req, next).await,
    };
    let answered = answered.map_err(|error| lost(error, id))?;
    let route = answered.request().match_pattern();
    let mut answered = with_problem(once_noted(&app, answered, route.as_deref()), id);
    dress(answered.headers_mut(), id, docs);
    share(answered.headers_mut(), origin);
    note(&answered, route, id, started);
    Ok(answered)
}

/// The answer within the time any request may take.
async fn in_time<B: MessageBody + 'static>(
    app: &Data<App>,
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let path = req.path();
    let unhurried = path.starts_with(UNHURRIED) || path.ends_with(UNHURRIED_END);
    let called = next.call(req);
    let answered = if unhurried {
        called.await
    } else {
        let limited = tokio::time::timeout(app.settings.request_timeout, called).await;
        limited.unwrap_or_else(|_| Err(Problem::request_timeout().into()))
    };
    answered.map(ServiceResponse::map_into_boxed_body)
}

/// The answer where the request itself is gone, as after a timeout.
fn lost(error: actix_web::Error, id: Uuid) -> actix_web::Error {
    let status = error.as_response_error().status_code();
    let mut answer = match error.as_error::<Problem>() {
        Some(problem) => problem.answer(id),
        None => Problem::of_status(status).answer(id),
    };
    tracing::error!(request_id = %id, %error, status = status.as_u16(), "a request was given up");
    dress(answer.headers_mut(), id, false);
    InternalError::from_response(error, answer).into()
}

/// The answer, once it stands in the read log that it was given; or why it is not given.
fn once_noted(
    app: &App,
    answered: ServiceResponse<BoxBody>,
    route: Option<&str>,
) -> ServiceResponse<BoxBody> {
    let status = answered.status().as_u16();
    match reading::of_answer(app, answered.request(), status, route) {
        Ok(()) => answered,
        Err(problem) => {
            let req = answered.request().clone();
            drop(answered);
            ServiceResponse::from_err(problem, req)
        }
    }
}

/// Every answer that is not a success has the one body, naming the request.
fn with_problem(answered: ServiceResponse<BoxBody>, id: Uuid) -> ServiceResponse<BoxBody> {
    let status = answered.status();
    if status.is_success() || status.is_redirection() || status.is_informational() {
        return answered;
    }
    let framework = Problem::of_status(status);
    let ours = answered.response().error().and_then(|error| error.as_error::<Problem>());
    let problem = ours.unwrap_or(&framework);
    let req = answered.request();
    if status.is_server_error() {
        let inside = problem.inside().unwrap_or("-");
        tracing::error!(request_id = %id, code = problem.code(), inside, "a request failed");
    } else if problem.denies() {
        tracing::info!(request_id = %id, code = problem.code(), "a request was denied");
    }
    metrics::counter!("assay_refusals_total", "code" => problem.code().to_owned()).increment(1);
    ServiceResponse::new(req.clone(), problem.answer(id))
}

/// The headers of every answer; what an answer says itself stays.
fn dress(headers: &mut HeaderMap, id: Uuid, docs: bool) {
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        headers.remove(CONTENT_ENCODING);
    }
    let fixed = [
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (CONTENT_SECURITY_POLICY, if docs { CSP_DOCS } else { CSP }),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    for (name, value) in fixed {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The origin of a script that may call, exactly as the operator wrote it.
fn allowed_origin(app: &App, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let known = origin.to_str().ok()?;
    app.settings.cors_origins.iter().any(|allowed| allowed == known).then(|| origin.clone())
}

fn preflight(req: &ServiceRequest, allowed: bool) -> Option<HttpResponse> {
    let asks = req.method() == Method::OPTIONS
        && req.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    (asks && allowed).then(|| {
        HttpResponse::NoContent()
            .insert_header((ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE"))
            .insert_header((
                ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type, if-match, if-none-match, idempotency-key, assay-after, assay-purpose, last-event-id",
            ))
            .finish()
    })
}

fn share(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    let Some(origin) = origin else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let exposed =
        "etag, location, link, assay-token, assay-bundle-sha256, x-request-id, retry-after";
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
}

/// One line and one count for each request; never its query, never its body.
fn note(answered: &ServiceResponse<BoxBody>, route: Option<String>, id: Uuid, started: Instant) {
    let req = answered.request();
    let route = route.unwrap_or_else(|| "-".to_owned());
    let method = req.method().as_str();
    let status = answered.status().as_u16();
    let took = started.elapsed();
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let user = req.extensions().get::<Caller>().map(|caller| caller.user.to_string());
    let user = user.as_deref().unwrap_or("-");
    tracing::info!(request_id = %id, method, route, status, duration_ms, user, "request");
    let labels =
        [("route", route.clone()), ("method", method.to_owned()), ("status", status.to_string())];
    metrics::counter!("assay_requests_total", &labels).increment(1);
    metrics::histogram!("assay_request_duration_seconds", "route" => route)
        .record(took.as_secs_f64());
}
