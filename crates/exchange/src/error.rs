//! What is wrong with a line: where, with a stable code, in words for people.

use std::borrow::Cow;

use assay_domain::aggregate::Refusal;
use assay_domain::text::ValueError;
use serde::Serialize;
use serde_path_to_error::{Path, Segment};

/// Why a line was not imported. The lines around it are not touched by it.
///
/// `{"line":3,"code":"edtf_invalid","pointer":"/claim/time/edtf","detail":"…"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineError {
    /// Which line, from 1; of a row over several lines the first.
    pub line: u64,
    /// Stable, `subject_reason`.
    pub code: Cow<'static, str>,
    /// The field to blame, as a JSON pointer into the line's object; for CSV `/column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What a person needs to mend it.
    pub detail: String,
}

impl LineError {
    /// An error of a whole line.
    pub fn new(line: u64, code: &'static str, detail: impl Into<String>) -> Self {
        Self { line, code: Cow::Borrowed(code), pointer: None, detail: detail.into() }
    }

    /// The same, blaming a field.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// A value that breaks its own law.
    pub(crate) fn value(line: u64, pointer: &str, error: &ValueError) -> Self {
        Self::new(line, error.code, error.detail.as_str()).at(pointer)
    }

    /// What a rule refuses; its pointer is put below `under`.
    pub fn refused(line: u64, under: &str, refusal: &impl Refusal) -> Self {
        let pointer = format!("{under}{}", refusal.pointer().unwrap_or_default());
        let error = Self::new(line, refusal.code(), refusal.to_string());
        if pointer.is_empty() { error } else { error.at(pointer) }
    }

    /// What serde says of a line, with the codes and pointers that bodies of the API get too.
    pub(crate) fn json(line: u64, error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let inner = error.inner();
        let whole = inner.to_string();
        let said = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(said, _)| said);
        if !inner.is_data() {
            let detail = format!("{said} at column {}", inner.column());
            return Self::new(line, "json_malformed", detail);
        }
        let mut pointer = pointer_of(error.path());
        let (code, detail) = code_of(said);
        let named = said.split('`').nth(1).map(step).unwrap_or_default();
        let about_field = code.starts_with("field_");
        if about_field && !(code == "field_unknown" && pointer.ends_with(&named)) {
            pointer.push_str(&named);
        }
        let pointer = Some(pointer).filter(|pointer| !pointer.is_empty());
        Self { line, code, pointer, detail }
    }
}

/// The code of what serde says: the kind of slip, or the value's own code where it named one.
fn code_of(said: &str) -> (Cow<'static, str>, String) {
    let slips = [
        ("missing field", "field_missing"),
        ("unknown field", "field_unknown"),
        ("duplicate field", "field_duplicate"),
        ("invalid type", "type_mismatch"),
        ("unknown variant", "value_unknown"),
        ("UUID parsing failed", "id_invalid"),
    ];
    if let Some((_, code)) = slips.iter().find(|(words, _)| said.starts_with(words)) {
        return (Cow::Borrowed(code), said.to_owned());
    }
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match said.split_once(": ").filter(|(code, _)| !code.is_empty() && code.chars().all(word)) {
        Some((code, detail)) => (Cow::Owned(code.to_owned()), detail.to_owned()),
        None => (Cow::Borrowed("value_invalid"), said.to_owned()),
    }
}

/// A path as an RFC 6901 pointer.
fn pointer_of(path: &Path) -> String {
    path.iter()
        .map_while(|segment| match segment {
            Segment::Seq { index } => Some(step(&index.to_string())),
            Segment::Map { key } => Some(step(key)),
            Segment::Enum { variant } => Some(step(variant)),
            Segment::Unknown => None,
        })
        .collect()
}

fn step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
