//! The structural difference of two documents, path by path.

use assay_domain::value::sha256_hex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Longer strings are cut: the document has them whole.
const TEXT_CHARS_MAX: usize = 2_000;
/// How many characters of a cut string are shown.
const SHOWN_CHARS: usize = 200;

/// One place of a document that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// Where, as a JSON pointer; into the document before for what is gone, else into the one after.
    pub path: String,
    /// What stood there; null where nothing did. Longer texts as `{"cut", "length", "sha256"}`.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub from: Value,
    /// What stands there; null where nothing does.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub to: Value,
}

/// What changed from one document to the other; nothing counts as an empty document.
pub fn changes(before: &Option<Value>, after: &Option<Value>) -> Vec<Change> {
    let mut found = Vec::new();
    match (before, after) {
        (None, None) => (),
        (Some(before), Some(after)) => compare("", before, after, &mut found),
        (before, after) => {
            let empty = Value::Object(Map::new());
            let (before, after) = (before.as_ref().unwrap_or(&empty), after.as_ref());
            compare("", before, after.unwrap_or(&empty), &mut found);
        }
    }
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => (),
        (Value::Object(before), Value::Object(after)) => objects(path, before, after, found),
        (Value::Array(before), Value::Array(after)) => arrays(path, before, after, found),
        _ => found.push(Change { path: path.to_owned(), from: cut(before), to: cut(after) }),
    }
}

fn objects(
    path: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    found: &mut Vec<Change>,
) {
    for (key, old) in before {
        let new = after.get(key).unwrap_or(&Value::Null);
        compare(&below(path, key), old, new, found);
    }
    for (key, new) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        compare(&below(path, key), &Value::Null, new, found);
    }
}

/// Things with an id are compared with themselves, wherever they stand; others by their place.
fn arrays(path: &str, before: &[Value], after: &[Value], found: &mut Vec<Change>) {
    let named = before.iter().chain(after).all(|value| id(value).is_some());
    if !named {
        let length = before.len().max(after.len());
        for at in 0..length {
            let old = before.get(at).unwrap_or(&Value::Null);
            let new = after.get(at).unwrap_or(&Value::Null);
            compare(&below(path, &at.to_string()), old, new, found);
        }
        return;
    }
    let same = |one: &Value, all: &[Value]| all.iter().find(|other| id(other) == id(one)).cloned();
    for (at, old) in before.iter().enumerate() {
        if same(old, after).is_none() {
            compare(&below(path, &at.to_string()), old, &Value::Null, found);
        }
    }
    for (at, new) in after.iter().enumerate() {
        let old = same(new, before).unwrap_or(Value::Null);
        compare(&below(path, &at.to_string()), &old, new, found);
    }
}

/// What names an entry of a list within it.
fn id(value: &Value) -> Option<&str> {
    let named = ["id", "user", "flag"].into_iter().find_map(|name| value.get(name));
    named.and_then(Value::as_str)
}

fn below(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let length = text.chars().count();
            if length <= TEXT_CHARS_MAX {
                return value.clone();
            }
            let shown: String = text.chars().take(SHOWN_CHARS).collect();
            json!({"cut": shown, "length": length, "sha256": sha256_hex(text.as_bytes())})
        }
        Value::Array(items) => items.iter().map(cut).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), cut(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(before: Value, after: Value) -> Vec<String> {
        changes(&Some(before), &Some(after)).into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn what_has_an_id_is_compared_with_itself() {
        let before = json!({"all": [{"id": "a", "n": 1}, {"id": "b", "n": 2}]});
        let after = json!({"all": [{"id": "b", "n": 3}, {"id": "c", "n": 2}]});
        assert_eq!(paths(before, after), ["/all/0", "/all/0/n", "/all/1"]);
    }

    #[test]
    fn what_did_not_exist_has_every_field_new() {
        let changes = changes(&None, &Some(json!({"a/b": 1, "c": null})));
        assert_eq!(changes, [Change { path: "/a~1b".into(), from: Value::Null, to: json!(1) }]);
    }

    #[test]
    fn long_texts_are_cut_with_their_length_and_hash() {
        let long = "ı".repeat(2_001);
        let changes = changes(&Some(json!({"t": "x"})), &Some(json!({"t": long})));
        let to = changes.first().map(|change| change.to.clone()).unwrap_or_default();
        assert_eq!(to.get("length"), Some(&json!(2_001)));
        assert_eq!(to.get("sha256"), Some(&json!(sha256_hex("ı".repeat(2_001).as_bytes()))));
    }
}
