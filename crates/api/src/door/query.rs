//! Query strings: every parameter known, and given once.

use std::collections::HashSet;

use actix_web::HttpRequest;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A query string in parts.
pub(crate) type Pairs = Vec<(String, String)>;

/// The longest query string: what was asked is kept with who asked it.
const BYTES_MAX: usize = 8 * 1024;

/// The parameters of a request; one given twice is refused.
pub(crate) fn pairs(req: &HttpRequest) -> Result<Pairs, Problem> {
    pairs_of(req.query_string())
}

/// The same of a query string that stands somewhere else.
pub(crate) fn pairs_of(text: &str) -> Result<Pairs, Problem> {
    if text.len() > BYTES_MAX {
        let detail = format!("a query string has at most {BYTES_MAX} bytes");
        return Err(Problem::malformed("query_too_long", detail));
    }
    let pairs: Pairs = serde_html_form::from_str(text)
        .map_err(|_| Problem::malformed("query_malformed", "the query string does not parse"))?;
    if String::from_utf8_lossy(&percent(text)).contains('\u{FFFD}') {
        return Err(Problem::malformed("text_encoding", "the query string is not UTF-8"));
    }
    let mut seen = HashSet::new();
    match pairs.iter().find(|(name, _)| !seen.insert(name.clone())) {
        Some((name, _)) => {
            Err(Problem::malformed("query_repeated", format!("`{name}` is given twice")))
        }
        None => Ok(pairs),
    }
}

/// The bytes a percent-encoded text stands for.
fn percent(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let digits = (byte == b'%').then(|| bytes.clone().take(2).collect::<Vec<u8>>());
        let decoded = digits.and_then(|digits| hex::decode(digits).ok()?.first().copied());
        if decoded.is_some() {
            bytes.nth(1);
        }
        plain.push(decoded.unwrap_or(byte));
    }
    plain
}

/// Takes one parameter out.
pub(crate) fn take(pairs: &mut Pairs, name: &str) -> Option<String> {
    let at = pairs.iter().position(|(known, _)| known == name)?;
    Some(pairs.swap_remove(at).1)
}

/// What remains, as a type that knows all its parameters.
pub(crate) fn rest<T: DeserializeOwned>(pairs: &Pairs) -> Result<T, Problem> {
    let text = serde_html_form::to_string(pairs).map_err(Problem::fault)?;
    serde_html_form::from_str(&text).map_err(|error| refused(&error.to_string()))
}

fn refused(said: &str) -> Problem {
    match said.strip_prefix("unknown field ") {
        Some(name) => Problem::malformed("query_unknown", format!("there is no parameter {name}")),
        None => Problem::malformed("query_invalid", said.to_owned()),
    }
}

/// Refuses any parameter.
pub(crate) fn none(req: &HttpRequest) -> Result<(), Problem> {
    match pairs(req)?.first() {
        Some((name, _)) => {
            Err(Problem::malformed("query_unknown", format!("there is no parameter `{name}`")))
        }
        None => Ok(()),
    }
}
