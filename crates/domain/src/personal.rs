//! What must be forgettable: personal data stands in a fact only as `Personal<T>`, sealed at the codec's edge.
//!
//! The domain knows that a value is personal, not how it is encrypted. While facts are written
//! inside [`sealing`], every clear `Personal` goes through the given function and leaves as
//! `{"sealed": …}`; while they are read inside [`opening`], every sealed one comes back clear, or as
//! [`Personal::Erased`] where its key was destroyed. Outside both, sealed stays sealed, byte for byte.

use std::cell::RefCell;
use std::rc::Rc;

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that one subject may have forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Personal<T> {
    /// Known here and now.
    Clear(T),
    /// As it stands in the log; opaque without its key.
    Sealed(String),
    /// Its key was destroyed; nobody can know it again.
    Erased,
}

impl<T> Personal<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Clear(value) => Some(value),
            Self::Sealed(_) | Self::Erased => None,
        }
    }

    /// The value itself, where it is known.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Clear(value) => Some(value),
            Self::Sealed(_) | Self::Erased => None,
        }
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self::Clear(value)
    }
}

/// Turns clear bytes into a sealed word.
pub type Seal = dyn Fn(&[u8]) -> Result<String, String>;
/// Turns a sealed word into clear bytes, or into nothing where its key was destroyed.
pub type Open = dyn Fn(&str) -> Result<Option<Vec<u8>>, String>;

thread_local! {
    static SEAL: RefCell<Option<Rc<Seal>>> = const { RefCell::new(None) };
    static OPEN: RefCell<Option<Rc<Open>>> = const { RefCell::new(None) };
}

/// Does `work`, and whatever personal it writes is sealed.
pub fn sealing<R>(seal: Rc<Seal>, work: impl FnOnce() -> R) -> R {
    let before = SEAL.with(|cell| cell.replace(Some(seal)));
    let result = work();
    SEAL.with(|cell| cell.replace(before));
    result
}

/// Does `work`, and whatever sealed it reads is opened.
pub fn opening<R>(open: Rc<Open>, work: impl FnOnce() -> R) -> R {
    let before = OPEN.with(|cell| cell.replace(Some(open)));
    let result = work();
    OPEN.with(|cell| cell.replace(before));
    result
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Clear(value) => match SEAL.with(|cell| cell.borrow().clone()) {
                None => map.serialize_entry("clear", value)?,
                Some(seal) => {
                    let plain = serde_json::to_vec(value).map_err(S::Error::custom)?;
                    map.serialize_entry("sealed", &seal(&plain).map_err(S::Error::custom)?)?;
                }
            },
            Self::Sealed(sealed) => map.serialize_entry("sealed", sealed)?,
            Self::Erased => map.serialize_entry("erased", &true)?,
        }
        map.end()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Stored<T> {
    Clear(T),
    Sealed(String),
    Erased(serde::de::IgnoredAny),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sealed = match Stored::<T>::deserialize(deserializer)? {
            Stored::Clear(value) => return Ok(Self::Clear(value)),
            Stored::Erased(_) => return Ok(Self::Erased),
            Stored::Sealed(sealed) => sealed,
        };
        let Some(open) = OPEN.with(|cell| cell.borrow().clone()) else {
            return Ok(Self::Sealed(sealed));
        };
        match open(&sealed).map_err(D::Error::custom)? {
            None => Ok(Self::Erased),
            Some(plain) => {
                serde_json::from_slice(&plain).map(Self::Clear).map_err(D::Error::custom)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json<T: Serialize>(value: &T) -> String {
        serde_json::to_string(value).unwrap_or_default()
    }

    #[test]
    fn sealed_comes_back_clear_and_erased_stays_erased() -> serde_json::Result<()> {
        let seal: Rc<Seal> =
            Rc::new(|plain| Ok(String::from_utf8_lossy(plain).chars().rev().collect()));
        let stored = sealing(seal, || json(&Personal::Clear("Ana".to_owned())));
        assert_eq!(stored, r#"{"sealed":"\"anA\""}"#);
        let open: Rc<Open> =
            Rc::new(|sealed| Ok(Some(sealed.chars().rev().collect::<String>().into_bytes())));
        let read: Personal<String> = opening(open, || serde_json::from_str(&stored))?;
        assert_eq!(read, Personal::Clear("Ana".to_owned()));
        let gone: Personal<String> =
            opening(Rc::new(|_| Ok(None)), || serde_json::from_str(&stored))?;
        assert_eq!(gone, Personal::Erased);
        Ok(())
    }

    #[test]
    fn without_keys_sealed_writes_back_byte_for_byte() -> serde_json::Result<()> {
        let stored = r#"{"sealed":"xc1.abc"}"#;
        let read: Personal<String> = serde_json::from_str(stored)?;
        assert_eq!(json(&read), stored);
        Ok(())
    }
}
