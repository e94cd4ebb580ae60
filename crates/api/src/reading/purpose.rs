//! To what end somebody reads: the header `Assay-Purpose`, one line in UTF-8.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use assay_domain::text::{Phrase, Reason};

use crate::problem::Problem;

/// The header that says to what end something is read.
const ASSAY_PURPOSE: HeaderName = HeaderName::from_static("assay-purpose");
/// The fewest characters a purpose may have.
const CHARS_MIN: usize = 3;

/// The purpose that a request names: 3–500 characters on one line.
pub(crate) fn of(req: &HttpRequest) -> Result<Option<Reason>, Problem> {
    let mut values = req.headers().get_all(&ASSAY_PURPOSE);
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok().filter(|_| values.next().is_none());
    let line = text.and_then(|text| Phrase::try_from(text.trim()).ok());
    let purpose = line.filter(|line| line.as_str().chars().count() >= CHARS_MIN);
    let purpose = purpose.and_then(|line| Reason::try_from(String::from(line)).ok());
    let detail = "`Assay-Purpose` is given once: 3 to 500 characters of UTF-8 on one line";
    purpose.map(Some).ok_or_else(|| Problem::malformed("purpose_invalid", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use actix_web::test::TestRequest;

    fn code(values: &[&[u8]]) -> Result<Option<String>, String> {
        let mut request = TestRequest::get();
        for value in values {
            let value = HeaderValue::from_bytes(value).unwrap();
            request = request.append_header((ASSAY_PURPOSE, value));
        }
        let purpose = of(&request.to_http_request());
        purpose.map(|one| one.map(String::from)).map_err(|problem| problem.code().to_owned())
    }

    #[test]
    fn a_purpose_is_one_line_of_3_to_500_characters_given_once() {
        let long = "x".repeat(501);
        assert_eq!(code(&[]), Ok(None));
        assert_eq!(code(&["перевірка дат".as_bytes()]), Ok(Some("перевірка дат".to_owned())));
        for bad in [
            &[b"ab".as_slice()][..],
            &[b"      "],
            &[long.as_bytes()],
            &[b"one", b"two"],
            &[b"caf\xe9 with others"],
            &[b"a\ttab in it"],
            &["turned \u{202E} round".as_bytes()],
        ] {
            assert_eq!(code(bad), Err("purpose_invalid".to_owned()), "{bad:?}");
        }
    }
}
