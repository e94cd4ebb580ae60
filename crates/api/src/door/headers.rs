//! Headers with a meaning of ours: `If-Match`, `Idempotency-Key`.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, IF_MATCH};

use crate::problem::Problem;

/// The header that names a request, so that it may be repeated.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest name of a request.
const KEY_CHARS_MAX: usize = 200;

/// The value of a header that is given at most once, in visible ASCII.
pub(crate) fn single<'a>(
    req: &'a HttpRequest,
    name: &HeaderName,
) -> Result<Option<&'a str>, Problem> {
    let mut values = req.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    let broken =
        || Problem::malformed("header_invalid", format!("`{name}` is not one plain value"));
    if values.next().is_some() {
        return Err(broken());
    }
    value.to_str().map(Some).map_err(|_| broken())
}

/// The revision a write is about: `If-Match: "7"`, or the `ETag` of a read, `"7-1203"`.
pub(crate) fn if_match(req: &HttpRequest) -> Result<Option<u64>, Problem> {
    let Some(value) = single(req, &IF_MATCH)? else { return Ok(None) };
    let quoted = value.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let revision = quoted.map(|seen| seen.split_once('-').map_or(seen, |(revision, _)| revision));
    let revision = revision.and_then(|digits| digits.parse().ok());
    let wrong = || Problem::malformed("if_match_invalid", "give the `ETag` you saw: `\"7\"`");
    revision.map(Some).ok_or_else(wrong)
}

/// The name a client gives to its request.
pub(crate) fn idempotency_key(req: &HttpRequest) -> Result<Option<&str>, Problem> {
    let Some(key) = single(req, &IDEMPOTENCY_KEY)? else { return Ok(None) };
    let plain = key.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && (1..=KEY_CHARS_MAX).contains(&key.len()) {
        return Ok(Some(key));
    }
    let detail = "an idempotency key has 1 to 200 visible ASCII characters";
    Err(Problem::malformed("idempotency_key_invalid", detail))
}
