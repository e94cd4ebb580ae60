//! A SHA-256 digest, written as 64 lower-case hexadecimal digits.

use serde::{Deserialize, Serialize};

use crate::text::ValueError;

/// A SHA-256 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

#[cfg(feature = "schema")]
crate::schema::text!(Digest, |text| text.pattern(Some("^[0-9a-f]{64}$")));

impl TryFrom<String> for Digest {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let refused = || ValueError::new("digest_invalid", "64 of 0-9 and a-f");
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(refused());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| refused())?;
        Ok(Self(bytes))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        hex::encode(digest.0)
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_way_of_writing_it() {
        assert!(Digest::try_from("ab".repeat(32)).is_ok());
        assert!(Digest::try_from("AB".repeat(32)).is_err());
        assert!(Digest::try_from("ab".repeat(31)).is_err());
    }
}
