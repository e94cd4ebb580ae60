//! What a step changed, path by path: `-` before what stood there, `+` before what stands there now.

use assay_views::diff::Change;
use serde_json::{Map, Value};

use super::frame::Known;
use super::text::{Line, Tone};

/// How much further in what lies below a path stands.
const STEP: &str = "  ";

/// One side of a change.
#[derive(Clone, Copy, Debug)]
struct Side<'a> {
    mark: &'static str,
    tone: Tone,
    known: &'a Known,
}

/// The changes of a step; says so where there are none.
pub(super) fn difference(changes: &[Change], known: &Known) -> Vec<Line> {
    let old = Side { mark: "- ", tone: Tone::Old, known };
    let new = Side { mark: "+ ", tone: Tone::New, known };
    let mut lines = Vec::new();
    for change in changes {
        // An empty list where there was none: nothing was there, and nothing is.
        if is_empty(&change.from) && is_empty(&change.to) {
            continue;
        }
        let path = path(&change.path, known);
        if !change.from.is_null() {
            old.put(&mut lines, "", &path, &change.from);
        }
        if !change.to.is_null() {
            new.put(&mut lines, "", &path, &change.to);
        }
    }
    if lines.is_empty() { vec![nothing()] } else { lines }
}

fn nothing() -> Line {
    Line::new(Tone::Faint, STEP, "Nothing changed in what is shown of it.")
}

/// `/assertions/0/said_by` is "assertions 1, said by": a reader counts from one. What is known
/// of an entry of a list is said of it: "members 2 (Rao), roles 1".
fn path(pointer: &str, known: &Known) -> String {
    let (mut words, mut walked) = (Vec::<String>::new(), String::new());
    for part in pointer.split('/').skip(1) {
        walked.push('/');
        walked.push_str(part);
        let part = part.replace("~1", "/").replace("~0", "~");
        match (part.parse::<u64>(), words.last_mut()) {
            (Ok(at), Some(list)) => {
                let what = known.at(&walked).map(|what| format!(" ({what})"));
                *list = format!("{list} {}{}", at.saturating_add(1), what.unwrap_or_default());
            }
            (Ok(_) | Err(_), _) => words.push(name(&part)),
        }
    }
    if words.is_empty() { "all of it".to_owned() } else { words.join(", ") }
}

fn name(key: &str) -> String {
    key.replace('_', " ")
}

impl Side<'_> {
    /// A value under its name: on the same line where it is one word or text, else line by line below.
    fn put(self, lines: &mut Vec<Line>, indent: &str, name: &str, value: &Value) {
        let mut line = |text: &str| {
            lines.push(Line::new(self.tone, format!("{}{indent}", self.mark), text));
        };
        // What a thing is called is told where others name it; its own id stands alone.
        let own = value.as_str().filter(|_| name == "id").map(str::to_owned);
        if let Some(words) = own.or_else(|| self.words(value)) {
            line(&format!("{name}: {words}"));
            return;
        }
        line(name);
        let deeper = format!("{indent}{STEP}");
        match value {
            Value::Object(fields) => self.fields(lines, &deeper, fields),
            Value::Array(items) => {
                for (number, item) in (1_u64..).zip(items) {
                    self.put(lines, &deeper, &number.to_string(), item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
        }
    }

    /// The fields that hold something: an empty one says nothing of what came or went.
    fn fields(self, lines: &mut Vec<Line>, indent: &str, fields: &Map<String, Value>) {
        for (key, value) in fields.iter().filter(|(_, value)| !is_empty(value)) {
            self.put(lines, indent, &name(key), value);
        }
    }

    /// A value that fits behind its name.
    fn words(self, value: &Value) -> Option<String> {
        match value {
            Value::Null => Some("(nothing)".to_owned()),
            Value::Bool(true) => Some("yes".to_owned()),
            Value::Bool(false) => Some("no".to_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => {
                Some(text.parse().map_or_else(|_| text.clone(), |id| self.known.full(id)))
            }
            Value::Object(fields) if fields.is_empty() => Some("(nothing)".to_owned()),
            Value::Object(fields) => cut_text(fields),
            Value::Array(items) if items.is_empty() => Some("(none)".to_owned()),
            Value::Array(items) => {
                let plain = |item: &Value| !item.is_object() && !item.is_array();
                let all = items.iter().all(plain);
                let words = || items.iter().filter_map(|item| self.words(item));
                all.then(|| words().collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A text that was cut because it is long: its beginning, how long it is, and its hash.
fn cut_text(fields: &Map<String, Value>) -> Option<String> {
    let begin = fields.get("cut")?.as_str()?;
    let (length, sha256) = (fields.get("length")?.as_u64()?, fields.get("sha256")?.as_str()?);
    let whole = fields.len() == 3;
    whole.then(|| format!("{begin}… ({length} characters in all, SHA-256 {sha256})"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{person, shown};
    use super::*;
    use serde_json::json;

    fn told(changes: &[(&str, Value, Value)]) -> String {
        let change = |(path, from, to): &(&str, Value, Value)| Change {
            path: (*path).to_owned(),
            from: from.clone(),
            to: to.clone(),
        };
        let changes: Vec<Change> = changes.iter().map(change).collect();
        let mut known = Known::default();
        known.learn(person(), "Ana Ilić");
        known.place("/members/1", person());
        shown(&difference(&changes, &known), 60)
    }

    #[test]
    fn old_stands_above_new_and_paths_are_words() {
        let told = told(&[("/assertions/0/side_of", json!("army"), json!("rebels"))]);
        assert_eq!(told, "- assertions 1, side of: army\n+ assertions 1, side of: rebels\n");
    }

    #[test]
    fn what_is_new_is_shown_field_by_field_without_its_empty_fields() {
        // In the order of the alphabet, so that it stands in any map.
        let value = json!({"by": person(), "flags": [], "live": true,
            "quotes": [{"exact": "sixteen"}], "roles": ["lead", "analyst"], "side": null});
        let expected = "\
+ members 2 (Ana Ilić)
+   by: Ana Ilić (00000000-0000-0000-0000-00000000000a)
+   live: yes
+   quotes
+     1
+       exact: sixteen
+   roles: lead, analyst
";
        assert_eq!(told(&[("/members/1", Value::Null, value)]), expected);
    }

    #[test]
    fn an_entry_of_a_list_is_named_where_it_is_known() {
        let told = told(&[("/members/1/roles/0", Value::Null, json!("reviewer"))]);
        assert_eq!(told, "+ members 2 (Ana Ilić), roles 1: reviewer\n");
    }

    #[test]
    fn what_went_is_marked_so_and_nothing_is_said_to_be_nothing() {
        let told = told(&[
            ("/closed", json!({"reason": "done"}), Value::Null),
            ("/flags", json!(["tainted"]), json!([])),
        ]);
        let expected = "- closed\n-   reason: done\n- flags: tainted\n+ flags: (none)\n";
        assert_eq!(told, expected);
        let empty = Change { path: "/flags".into(), from: Value::Null, to: json!([]) };
        assert_eq!(difference(&[empty], &Known::default()), [nothing()]);
        assert_eq!(difference(&[], &Known::default()), [nothing()]);
    }

    #[test]
    fn a_cut_text_says_how_long_it_is() {
        let cut = json!({"cut": "Rebels", "length": 2_001, "sha256": "00ff"});
        let told = told(&[("/text", Value::Null, cut)]);
        assert_eq!(told, "+ text: Rebels… (2001 characters in all, SHA-256 00ff)\n");
    }
}
