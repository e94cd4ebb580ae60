//! Checked words: text with a length, so that every field has a limit.

use serde::{Deserialize, Serialize};

/// Why a value is not one; `code` is stable, `detail` is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct ValueError {
    /// Stable, `subject_reason`.
    pub code: &'static str,
    /// What a person needs to mend it.
    pub detail: String,
}

impl ValueError {
    /// A value error with its stable code.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// Whether a character can deceive the eye or break a line: controls and bidirectional overrides.
fn deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

fn check(text: &str, max: usize, lines: bool) -> Result<(), ValueError> {
    if text.trim().is_empty() {
        return Err(ValueError::new("text_empty", "say something"));
    }
    let length = text.chars().count();
    if length > max {
        let detail = format!("{length} characters, at most {max}");
        return Err(ValueError::new("text_too_long", detail));
    }
    let kept = |c: char| lines && matches!(c, '\n' | '\t');
    match text.chars().find(|c| deceptive(*c) && !kept(*c)) {
        Some(c) => {
            Err(ValueError::new("text_control", format!("U+{:04X} is not allowed", u32::from(c))))
        }
        None => Ok(()),
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $max:literal, $lines:literal);* $(;)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        #[cfg(feature = "schema")]
        crate::schema::text!($name, |text| text.min_length(Some(1)).max_length(Some($max)));

        impl $name {
            /// The most characters (Unicode scalars) it may have.
            pub const CHARS_MAX: usize = $max;

            /// The words themselves.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ValueError;
            fn try_from(text: String) -> Result<Self, ValueError> {
                check(&text, $max, $lines)?;
                Ok(Self(text))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = ValueError;
            fn try_from(text: &str) -> Result<Self, ValueError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

texts! {
    /// A title on one line, 1–200 characters.
    Title, 200, false;
    /// The name of a person, a group, a source, a place, a thing, 1–300 characters.
    Name, 300, false;
    /// A short word or phrase kept as it stood, 1–500 characters.
    Phrase, 500, false;
    /// Why something was done, 1–4,000 characters, lines allowed.
    Reason, 4000, true;
    /// A passage, 1–20,000 characters, lines allowed.
    Passage, 20000, true;
    /// A web address, 1–2,000 characters.
    Address, 2000, false;
}

/// A machine word: lower case letters, digits, `_` and `-`, 1–60 characters, first a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[a-z][a-z0-9_-]{0,59}$"))]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl Label {
    /// The word itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = ValueError;
    fn try_from(text: String) -> Result<Self, ValueError> {
        let mut chars = text.chars();
        let first = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        let rest =
            chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if first && rest && text.len() <= 60 {
            return Ok(Self(text));
        }
        Err(ValueError::new("label_invalid", "1 to 60 of a-z, 0-9, `_`, `-`, first a letter"))
    }
}

impl From<Label> for String {
    fn from(label: Label) -> String {
        label.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_of_at_most_200_characters() {
        assert!(Title::try_from("ı".repeat(200)).is_ok());
        assert_eq!(Title::try_from("x".repeat(201)).map_err(|e| e.code), Err("text_too_long"));
        assert_eq!(Title::try_from("a\nb").map_err(|e| e.code), Err("text_control"));
        assert_eq!(Title::try_from("  ").map_err(|e| e.code), Err("text_empty"));
    }

    #[test]
    fn an_override_cannot_turn_a_name_around() {
        assert_eq!(Name::try_from("abc\u{202E}def").map_err(|e| e.code), Err("text_control"));
    }

    #[test]
    fn a_label_is_a_machine_word() {
        assert!(Label::try_from("pro-government_2".to_owned()).is_ok());
        assert!(Label::try_from("Government".to_owned()).is_err());
    }
}
