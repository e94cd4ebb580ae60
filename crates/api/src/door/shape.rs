//! JSON that is not JSON, and JSON of another shape: which field, which stable code.

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::problem::Problem;

/// How deep a body may nest.
const DEPTH_MAX: usize = 32;

/// Reads a JSON text into a type, or says what is wrong with it and where.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    read_under(text, "")
}

/// The same for a text that stands somewhere in the request: pointers begin there.
pub(crate) fn read_under<T: DeserializeOwned>(text: &str, root: &str) -> Result<T, Problem> {
    if depth(text) > DEPTH_MAX {
        let detail = format!("nested deeper than {DEPTH_MAX}");
        return Err(Problem::malformed("json_too_deep", detail));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = pointer(root, error.path());
        told(&path, &error.into_inner())
    })?;
    reader.end().map_err(|error| told(root, &error))?;
    Ok(value)
}

/// How deep brackets nest, those in strings aside.
fn depth(text: &str) -> usize {
    let (mut deepest, mut now, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                now = now.saturating_add(1);
                deepest = deepest.max(now);
            }
            b']' | b'}' if !in_string => now = now.saturating_sub(1),
            _ => (),
        }
    }
    deepest
}

/// A JSON pointer (RFC 6901) to where reading stopped.
fn pointer(root: &str, path: &Path) -> String {
    let mut pointer = root.to_owned();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { variant } => push(&mut pointer, variant),
            Segment::Unknown => (),
        }
    }
    pointer
}

fn push(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

fn told(pointer: &str, error: &serde_json::Error) -> Problem {
    let said = error.to_string();
    match error.classify() {
        Category::Data => wrong_shape(pointer.to_owned(), without_place(&said)),
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::malformed("json_malformed", said)
        }
    }
}

/// The message without the line and column that serde adds.
fn without_place(said: &str) -> &str {
    said.rsplit_once(" at line ").map_or(said, |(said, _)| said)
}

/// Turns serde's words into a stable code at a place.
pub(crate) fn wrong_shape(mut pointer: String, said: &str) -> Problem {
    let quoted = said.split('`').nth(1).unwrap_or_default();
    let code = match () {
        () if said.starts_with("missing field") => {
            push(&mut pointer, quoted);
            "field_missing"
        }
        () if said.starts_with("unknown field") => {
            let mut last = String::new();
            push(&mut last, quoted);
            if !pointer.ends_with(&last) {
                pointer.push_str(&last);
            }
            "field_unknown"
        }
        () if said.starts_with("duplicate field") => {
            push(&mut pointer, quoted);
            "field_duplicate"
        }
        () if said.starts_with("invalid type") => "type_mismatch",
        () if said.starts_with("unknown variant") => "value_unknown",
        () if said.starts_with("UUID parsing failed") => "id_invalid",
        () => return by_own_code(pointer, said),
    };
    Problem::field(pointer, code, said.to_owned())
}

/// Values of the domain say `code: detail` themselves.
fn by_own_code(pointer: String, said: &str) -> Problem {
    let code_like = |code: &str| {
        !code.is_empty()
            && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    match said.split_once(": ").filter(|(code, _)| code_like(code)) {
        Some((code, detail)) => Problem::field(pointer, code, detail.to_owned()),
        None => Problem::field(pointer, "value_invalid", said.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_domain::text::Title;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "title")]
        _title: Title,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "inner")]
        _inner: Vec<Inner>,
    }

    fn answer(text: &str) -> (u16, String, String) {
        let problem = read::<Outer>(text).unwrap_err();
        let body: serde_json::Value = serde_json::to_value(problem.fields()).unwrap();
        let pointer = body[0]["pointer"].as_str().unwrap_or_default().to_owned();
        (problem.status().as_u16(), problem.code().to_owned(), pointer)
    }

    #[test]
    fn every_wrong_shape_has_its_code_and_place() {
        for (text, status, code, pointer) in [
            ("{", 400, "json_malformed", ""),
            ("{} x", 422, "field_missing", "/inner"),
            (r#"{"inner":[]} x"#, 400, "json_malformed", ""),
            (r#"{"inner":[],"x":1}"#, 422, "field_unknown", "/x"),
            (r#"{"inner":[{"title":"a","y/z":1}]}"#, 422, "field_unknown", "/inner/0/y~1z"),
            (r#"{"inner":[{}]}"#, 422, "field_missing", "/inner/0/title"),
            (r#"{"inner":[{"title":3}]}"#, 422, "type_mismatch", "/inner/0/title"),
            (r#"{"inner":[{"title":""}]}"#, 422, "text_empty", "/inner/0/title"),
            (r#"{"inner":[],"inner":[]}"#, 422, "field_duplicate", "/inner"),
        ] {
            assert_eq!(answer(text), (status, code.to_owned(), pointer.to_owned()), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        assert_eq!(answer(&deep).1, "json_too_deep");
    }
}
