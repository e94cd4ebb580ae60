//! What a request asked, taken apart: the subject in its path, where that has its home, and all else as text.

use assay_domain::aggregate::Subject;
use assay_domain::text::Passage;
use uuid::Uuid;

use crate::door::query::Pairs;

/// Where all routes of the API begin; a question is named without it.
const BASE: &str = "/api/v1";
/// What says as of when, and after which write: the position that was answered stands for both.
const OF_TIME: [&str; 2] = ["as_of", "after"];

/// A question taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The first id in the path.
    pub(super) subject: Option<Uuid>,
    /// Of what it was: a subject whose case is to be found.
    pub(super) home: Option<Subject>,
    /// The rest of the path's parts and all parameters, a line each: `name=value`.
    pub(super) rest: Option<Passage>,
}

/// The name of a route as a question.
pub(super) fn question(route: &str) -> &str {
    route.strip_prefix(BASE).unwrap_or(route)
}

/// A path and what stood behind it, without the token of a write, which is another each time.
pub(super) fn place(path: &str, query: &str) -> Box<str> {
    if query.is_empty() {
        return question(path).into();
    }
    let mut place = question(path).to_owned();
    let kept = query.split('&').filter(|pair| !pair.starts_with("after="));
    for (pair, mark) in kept.zip(std::iter::once('?').chain(std::iter::repeat('&'))) {
        place.push(mark);
        place.push_str(pair);
    }
    place.into()
}

/// Takes a place apart, as its question names the parts of the path.
pub(super) fn read(question: &str, place: &str) -> Asked {
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    let parts = parts(question, path);
    let subject = parts.iter().find_map(|(_, value)| value.parse::<Uuid>().ok());
    let mut home = parts.iter().find_map(|(name, value)| of_kind(name, value));
    let mut lines = String::new();
    let mut first = true;
    for (name, value) in parts {
        let is_subject = first && value.parse::<Uuid>().is_ok();
        first = first && !is_subject;
        if !is_subject {
            line(&mut lines, &name, &value);
        }
    }
    let pairs: Pairs = serde_html_form::from_str(query).unwrap_or_default();
    for (name, value) in pairs.iter().filter(|(name, _)| !OF_TIME.contains(&name.as_str())) {
        home = home.or_else(|| of_parameter(name, value));
        line(&mut lines, name, value);
    }
    Asked { subject, home, rest: passage(lines) }
}

/// The named parts of a path, with their values.
fn parts(question: &str, path: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut values = path.split('/');
    for part in question.split('/') {
        let Some(value) = values.next() else { break };
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            continue;
        };
        match name.split_once(':') {
            None => found.push((name.to_owned(), value.to_owned())),
            // A part with a pattern of its own may hold what is left of the path.
            Some((name, _)) => {
                let all: Vec<&str> = std::iter::once(value).chain(values.by_ref()).collect();
                found.push((name.to_owned(), all.join("/")));
            }
        }
    }
    found
}

/// The subject of a kind that has its home in a case.
fn of_kind(kind: &str, id: &str) -> Option<Subject> {
    let subject = Subject::of_stream(&format!("{kind}-{id}"));
    let of_the_house = |subject: &Subject| {
        matches!(
            subject,
            Subject::User(_) | Subject::Source(_) | Subject::Access(_) | Subject::Log(_)
        )
    };
    subject.filter(|subject| !of_the_house(subject))
}

/// The subject that a parameter is about: `case=…`, `subject=claim:…`, `query=/cases/…`.
fn of_parameter(name: &str, value: &str) -> Option<Subject> {
    match name {
        "subject" => value.split_once(':').and_then(|(kind, id)| of_kind(kind, id)),
        "query" => {
            let mut parts = value.trim_start_matches('/').split(['/', '?']);
            let kind = parts.next()?.strip_suffix('s')?;
            of_kind(kind, parts.next()?)
        }
        name => of_kind(name, value),
    }
}

/// Adds a line; what a line may not hold is percent-encoded, as is the sign for that.
fn line(lines: &mut String, name: &str, value: &str) {
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines.push_str(name);
    lines.push('=');
    for c in value.chars() {
        if plain(c) {
            lines.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                lines.push('%');
                lines.push_str(&hex::encode_upper([byte]));
            }
        }
    }
}

/// Whether a character may stand in a line as it is.
fn plain(c: char) -> bool {
    let quick = c.is_ascii_graphic() || c == ' ';
    (quick && c != '%')
        || (!c.is_ascii() && !c.is_control() && Passage::try_from(format!("-{c}")).is_ok())
}

/// The lines as they are kept: cut where they are longer than a passage may be.
fn passage(lines: String) -> Option<Passage> {
    let cut = lines.char_indices().nth(Passage::CHARS_MAX).map(|(at, _)| at);
    let kept = match cut {
        None => lines,
        Some(at) => lines.get(..at).unwrap_or_default().to_owned(),
    };
    Passage::try_from(kept).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0199c0de-0000-7000-8000-000000000001";
    const OTHER: &str = "0199c0de-0000-7000-8000-000000000002";

    fn lines(question: &str, place: &str) -> String {
        read(question, place).rest.map(String::from).unwrap_or_default()
    }

    #[test]
    fn a_place_is_the_same_whatever_write_it_waited_for() {
        let place = |query| place("/api/v1/cases", query).into_string();
        assert_eq!(place(""), "/cases");
        assert_eq!(place("after=77"), "/cases");
        assert_eq!(place("limit=2&after=77&standing=open"), "/cases?limit=2&standing=open");
    }

    #[test]
    fn the_first_id_of_a_path_is_the_subject_and_the_rest_is_text() {
        let question = "/reports/{report}/renditions/{rendition}";
        let asked = read(question, &format!("/reports/{ID}/renditions/{OTHER}"));
        assert_eq!(asked.subject, ID.parse().ok());
        assert_eq!(asked.home, of_kind("report", ID));
        assert_eq!(asked.rest.map(String::from), Some(format!("rendition={OTHER}")));
        assert_eq!(lines("/audit/entries/{position}", "/audit/entries/5"), "position=5");
        assert_eq!(
            lines("/ledger/tile/{level}/{path:.*}", "/ledger/tile/0/x001/067"),
            "level=0\npath=x001/067"
        );
    }

    #[test]
    fn a_parameter_may_name_the_case() {
        let case = of_kind("case", ID);
        for (question, place) in [
            ("/search", format!("/search?q=x&case={ID}")),
            ("/audit/access", format!("/audit/access?subject=case:{ID}")),
            ("/audit/access", format!("/audit/access?subject=case%3A{ID}")),
            ("/audit/diff", format!("/audit/diff?query=%2Fcases%2F{ID}%2Fclaims%3Fkind%3Dcontrol")),
        ] {
            assert_eq!(read(question, &place).home, case, "{place}");
        }
        assert_eq!(read("/search", "/search?q=case-x").home, None);
        assert_eq!(read("/users/{user}", &format!("/users/{ID}")).home, None);
    }

    #[test]
    fn words_are_kept_as_they_were_asked_and_moments_are_not() {
        let place = "/search?q=%D0%BB%D1%96%D1%81+%22a%22&as_of=7&kind=claim";
        assert_eq!(lines("/search", place), "q=ліс \"a\"\nkind=claim");
        assert_eq!(lines("/search", "/search?q=a%0Ab%25%E2%80%AEc"), "q=a%0Ab%25%E2%80%AEc");
        assert_eq!(read("/cases", "/cases?as_of=7").rest, None);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let place = format!("/search?q={}", "ж".repeat(Passage::CHARS_MAX * 2));
        assert_eq!(lines("/search", &place).chars().count(), Passage::CHARS_MAX);
    }
}
