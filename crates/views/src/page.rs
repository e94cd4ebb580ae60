//! What an answer looks like: one document, or a page of them with the way to the next.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::{Result, ViewError};

/// The most items of a page.
pub const LIMIT_MAX: u16 = 500;

/// How many items a page may have, 1–500, 50 where nobody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u16);

impl Limit {
    /// A limit; refuses 0 and more than [`LIMIT_MAX`].
    pub fn new(limit: u16) -> Result<Self> {
        if (1..=LIMIT_MAX).contains(&limit) { Ok(Self(limit)) } else { Err(ViewError::BadLimit) }
    }

    /// The number itself.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// A place in a list: opaque, and every page that follows it is of the moment of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

/// The value a list is sorted by, at the last item of a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Key {
    Number(i64),
    Text(String),
}

/// What a cursor holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// Which list, so that no cursor is used for another.
    #[serde(rename = "l")]
    pub(crate) list: String,
    /// The position the first page was read at.
    #[serde(rename = "p")]
    pub(crate) position: u64,
    /// The sort keys of the last item.
    #[serde(rename = "k")]
    pub(crate) keys: Vec<Key>,
    /// The last item.
    #[serde(rename = "i")]
    pub(crate) id: Uuid,
}

impl Cursor {
    /// A cursor as somebody hands it back; looked into only when used.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The opaque word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn of(place: &Place) -> Result<Self> {
        Ok(Self(B64.encode(serde_json::to_vec(place)?)))
    }

    pub(crate) fn place(&self, list: &str) -> Result<Place> {
        let bytes = B64.decode(&self.0).map_err(|_| ViewError::BadCursor)?;
        let place: Place = serde_json::from_slice(&bytes).map_err(|_| ViewError::BadCursor)?;
        if place.list == list { Ok(place) } else { Err(ViewError::BadCursor) }
    }
}

/// One document, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The JSON text.
    pub json: String,
    /// The revision of the subject's stream: its `ETag`.
    pub revision: u64,
    /// The position since when it reads like this; changes also where another subject changed it.
    pub position: u64,
}

/// A part of a list, ready to send.
#[derive(Debug, Serialize)]
pub struct Page {
    /// The documents.
    pub items: Vec<Box<RawValue>>,
    /// How to ask for the next part, if there is one.
    pub next: Option<Cursor>,
    /// The position all of it was read at.
    #[serde(skip)]
    pub position: u64,
}

impl Page {
    /// A page of nothing.
    pub(crate) const fn empty(position: u64) -> Self {
        Self { items: Vec::new(), next: None, position }
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_of_one_list_and_nothing_else_is_one() {
        let place = Place {
            list: "users".into(),
            position: 7,
            keys: vec![Key::Number(1)],
            id: Uuid::nil(),
        };
        let cursor = Cursor::of(&place).unwrap();
        assert_eq!(cursor.place("users").unwrap(), place);
        for bad in [cursor.clone(), Cursor::new(""), Cursor::new("%%%"), Cursor::new("e30")] {
            assert!(matches!(bad.place("cases"), Err(ViewError::BadCursor)));
        }
    }

    #[test]
    fn a_limit_is_1_to_500() {
        assert!(Limit::new(0).is_err());
        assert!(Limit::new(501).is_err());
        assert_eq!(Limit::new(500).unwrap().get(), 500);
    }
}
