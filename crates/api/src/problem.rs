//! Problem details (RFC 9457): the only file with status codes.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use assay_bundle::BundleError;
use assay_commands::{Error, Fault, Since};
use assay_domain::aggregate::{Refusal, RefusalKind};
use assay_notary::NotaryError;
use assay_store::log::LogError;
use assay_store::vault::VaultError;
use assay_views::ViewError;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// How long a client waits before it asks again, in seconds, where we are busy.
const RETRY_SOON_S: u64 = 1;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901) into the request.
    pub pointer: String,
    /// Stable reason.
    pub code: String,
    /// In words.
    pub detail: String,
}

/// A fact that came between a read and a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CameBetween {
    /// Its revision.
    pub revision: u64,
    /// Its wire name.
    pub name: String,
    /// Who recorded it.
    pub actor: Uuid,
    /// When, RFC 3339 in UTC.
    pub recorded_at: String,
}

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What happened.
    detail: &'a str,
    /// Stable reason, for programs.
    code: &'a str,
    /// Which fields are to blame.
    errors: &'a [FieldError],
    /// Names this request; give it when you ask for help.
    request_id: String,
    /// The revision it has now, where it changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<u64>,
    /// What was recorded since, oldest first, where it changed since.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    since: &'a [CameBetween],
}

/// Why a request is not answered with a success; it has no way to carry a secret.
#[derive(Debug)]
pub struct Problem(Box<Details>);

/// What is behind a problem; boxed, because it is the rare end of every function.
#[derive(Debug, Default)]
struct Details {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    /// Headers that belong to it.
    headers: Vec<(&'static str, String)>,
    current: Option<u64>,
    since: Vec<CameBetween>,
    /// For the log only, never for the answer.
    inside: Option<String>,
}

impl Problem {
    fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (code, detail) = (code.into(), detail.into());
        Self(Box::new(Details { status, code, detail, ..Details::default() }))
    }

    /// The request itself is not well-formed.
    pub(crate) fn malformed(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// Well-formed, but a field is not what it should be.
    pub(crate) fn field(pointer: String, code: impl Into<String>, detail: String) -> Self {
        let code = code.into();
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code.clone(), detail.clone());
        problem.0.errors.push(FieldError { pointer, code, detail });
        problem
    }

    /// There is nothing there, or nothing this asker may know of: one and the same answer.
    pub(crate) fn unseen() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing there")
    }

    /// The method is not one of this resource.
    pub(crate) fn method(allow: String) -> Self {
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this resource does not take this method",
        );
        problem.0.headers.push(("allow", allow));
        problem
    }

    /// A body of another type than JSON.
    pub(crate) fn media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type",
            "send `application/json` in UTF-8",
        )
    }

    /// A body over its limit.
    pub(crate) fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// A body that does not arrive.
    pub(crate) fn slow_body() -> Self {
        let detail = "the body did not arrive in time";
        let mut problem = Self::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", detail);
        problem.0.headers.push(("connection", "close".to_owned()));
        problem
    }

    /// Nobody we know: no token, or one that is not good.
    pub(crate) fn unauthenticated(error: Option<&'static str>) -> Self {
        let detail = "a valid access token is needed";
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail);
        let challenge = match error {
            None => "Bearer realm=\"assay\"".to_owned(),
            Some(error) => format!("Bearer realm=\"assay\", error=\"{error}\""),
        };
        problem.0.headers.push(("www-authenticate", challenge));
        problem
    }

    /// Credentials that are not good, for whatever reason.
    pub(crate) fn credentials(code: &'static str, detail: &'static str) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, code, detail);
        let challenge = "Bearer realm=\"assay\", error=\"invalid_grant\"".to_owned();
        problem.0.headers.push(("www-authenticate", challenge));
        problem
    }

    /// Seen, but not with this right.
    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "not with your roles")
    }

    /// Seen only by who says to what end they read.
    pub(crate) fn purpose_required() -> Self {
        let detail = "this case demands a purpose: say to what end you read it in the header \
                      `Assay-Purpose`, 3 to 500 characters";
        Self::new(StatusCode::FORBIDDEN, "purpose_required", detail)
    }

    /// Too often.
    pub(crate) fn too_often(retry_after_s: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests")
            .retry_after(retry_after_s)
    }

    /// Not now, but soon.
    pub(crate) fn busy(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(RETRY_SOON_S)
    }

    /// A fault of ours; what it was goes to the log alone.
    pub(crate) fn fault(inside: impl fmt::Display) -> Self {
        let detail = "this did not work, and it is not your fault";
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail);
        problem.because(inside)
    }

    /// A decision is recorded, and what follows from it is not done yet; why goes to the log alone.
    pub(crate) fn unfinished(inside: impl fmt::Display) -> Self {
        let detail = "it is recorded, but not carried out to its end; ask the same again";
        Self::busy("erasure_unfinished", detail).because(inside)
    }

    /// A file of ours for a short while cannot be made or read.
    pub(crate) fn spool(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded => LogError::Full.into(),
            _ => Self::fault(error),
        }
    }

    /// Any other status that the web framework itself answers.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::unseen(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large("the body is too large"),
            status if status.is_client_error() => {
                Self::new(status, "request_refused", "the request is not one we understand")
            }
            status => Self::fault(status),
        }
    }

    /// This node should get no requests now; why is for the operator.
    pub(crate) fn not_ready(why: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why).retry_after(RETRY_SOON_S)
    }

    /// Whether it is about who asks, not about what is asked.
    pub(crate) fn denies(&self) -> bool {
        matches!(self.0.status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED)
    }

    /// Whether it keeps from the asker what others may see.
    pub(crate) fn unseen_or_denied(&self) -> bool {
        self.0.status == StatusCode::NOT_FOUND || self.denies()
    }

    /// A request that took longer than any may.
    pub(crate) fn request_timeout() -> Self {
        Self::busy("request_timeout", "this took too long; ask again")
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.0.headers.push(("retry-after", seconds.max(1).to_string()));
        self
    }

    fn because(mut self, inside: impl fmt::Display) -> Self {
        self.0.inside = Some(inside.to_string());
        self
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }

    /// The HTTP status.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The fields to blame.
    #[cfg(test)]
    pub(crate) fn fields(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// What only the log is told.
    pub(crate) fn inside(&self) -> Option<&str> {
        self.0.inside.as_deref()
    }

    /// The answer, naming the request.
    pub(crate) fn answer(&self, request_id: Uuid) -> HttpResponse {
        let body = ProblemBody {
            kind: format!("urn:assay:problem:{}", self.0.code),
            title: self.0.status.canonical_reason().unwrap_or("Problem"),
            status: self.0.status.as_u16(),
            detail: &self.0.detail,
            code: &self.0.code,
            errors: &self.0.errors,
            request_id: request_id.to_string(),
            current: self.0.current,
            since: &self.0.since,
        };
        let mut answer = HttpResponse::build(self.0.status);
        for (name, value) in &self.0.headers {
            answer.insert_header((*name, value.as_str()));
        }
        if let Some(current) = self.0.current {
            answer.insert_header(("etag", format!("\"{current}\"")));
        }
        // A value of strings and numbers always serialises.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        answer.content_type("application/problem+json").body(json)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    /// Rendered again, with the request's name, by the outermost layer.
    fn error_response(&self) -> HttpResponse {
        self.answer(Uuid::nil())
    }
}

impl<R: Refusal> From<Error<R>> for Problem {
    fn from(error: Error<R>) -> Self {
        match error {
            Error::Unseen => Self::unseen(),
            Error::Forbidden => Self::forbidden(),
            Error::Inactive => Self::unauthenticated(Some("invalid_token")),
            Error::CaseClosed => {
                Self::new(StatusCode::CONFLICT, "case_closed", "the case is closed")
            }
            Error::Refused(refusal) => refused(&refusal),
            Error::Moved { current, since } => moved(current, since),
            Error::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this idempotency key was used for another request",
            ),
            Error::Busy => Self::busy("busy", "too many changed it at once; ask again"),
            Error::Fault(fault) => fault.into(),
        }
    }
}

/// What a rule refuses.
fn refused<R: Refusal>(refusal: &R) -> Problem {
    let status = match refusal.kind() {
        RefusalKind::Missing => StatusCode::NOT_FOUND,
        RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::Conflicting => StatusCode::CONFLICT,
        RefusalKind::Barred => StatusCode::FORBIDDEN,
    };
    let mut problem = Problem::new(status, refusal.code(), refusal.to_string());
    problem.0.errors.extend(refusal.pointer().map(|pointer| FieldError {
        pointer,
        code: refusal.code().to_owned(),
        detail: refusal.to_string(),
    }));
    problem
}

fn moved(current: Option<u64>, since: Vec<Since>) -> Problem {
    let mut problem = Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "precondition_failed",
        "it changed since the revision you saw",
    );
    problem.0.current = current;
    problem.0.since = since
        .into_iter()
        .map(|fact| CameBetween {
            revision: fact.revision,
            name: fact.name,
            actor: fact.actor,
            recorded_at: format!("{:.6}", fact.recorded_at),
        })
        .collect();
    problem
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Log(error) => error.into(),
            Fault::Vault(error) => error.into(),
            fault @ Fault::Codec { .. } => Self::fault(fault),
        }
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unavailable { .. } => {
                Self::busy("log_unavailable", "the log cannot take it now; ask again")
                    .because(error)
            }
            LogError::Full => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "storage_full",
                "there is no room to record it",
            ),
            LogError::TooLarge => Self::too_large("too much for one fact"),
            other => Self::fault(other),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Unavailable(_) => {
                Self::busy("vault_unavailable", "the vault cannot be reached now; ask again")
                    .because(error)
            }
            VaultError::Conflict { .. } => {
                Self::busy("busy", "too many changed it at once; ask again").because(error)
            }
            other => Self::fault(other),
        }
    }
}

impl From<NotaryError> for Problem {
    fn from(error: NotaryError) -> Self {
        match error {
            NotaryError::Nothing | NotaryError::Beyond { .. } => Self::unseen(),
            NotaryError::Unsettled { .. } => {
                Self::busy("ledger_unsettled", "the ledger is a moment behind; ask again")
                    .because(error)
            }
            NotaryError::Refusing(_) => {
                let detail = "no checkpoint is signed until somebody has looked into the log";
                Self::busy("ledger_refusing", detail).because(error)
            }
            NotaryError::Journal(error) => error.into(),
            other => Self::fault(other),
        }
    }
}

impl From<BundleError> for Problem {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::TooLarge { .. } => Self::too_large(error.to_string()),
            BundleError::Journal(error) => error.into(),
            BundleError::Io(error) => Self::spool(error),
            other => Self::fault(other),
        }
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::BadCursor => Self::malformed("cursor_invalid", error.to_string()),
            ViewError::BadLimit => Self::malformed("limit_invalid", error.to_string()),
            error if error.passes() => {
                Self::busy("view_unavailable", "the views cannot answer now; ask again")
                    .because(error)
            }
            error => Self::fault(error),
        }
    }
}
