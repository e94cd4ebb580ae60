//! Traffic Light Protocol 2.0: who may know.

use serde::{Deserialize, Serialize};

use crate::text::ValueError;

/// A TLP 2.0 label, from open to closed. `WHITE` is read as `CLEAR` and never written.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub enum Tlp {
    /// For everybody.
    Clear,
    /// For the community.
    Green,
    /// For the organisation and its clients, as needed.
    #[default]
    Amber,
    /// For the organisation only.
    AmberStrict,
    /// For named recipients only.
    Red,
}

#[cfg(feature = "schema")]
crate::schema::text!(Tlp, |text| text.examples(["TLP:AMBER"]));

impl Tlp {
    /// All labels, from open to closed.
    pub const ALL: [Self; 5] =
        [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// As it is written: `TLP:AMBER+STRICT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        }
    }

    /// Its place from open (0) to closed (4).
    pub const fn level(self) -> u8 {
        match self {
            Self::Clear => 0,
            Self::Green => 1,
            Self::Amber => 2,
            Self::AmberStrict => 3,
            Self::Red => 4,
        }
    }
}

impl TryFrom<String> for Tlp {
    type Error = ValueError;
    fn try_from(text: String) -> Result<Self, ValueError> {
        if text == "TLP:WHITE" {
            return Ok(Self::Clear);
        }
        let found = Self::ALL.into_iter().find(|tlp| tlp.as_str() == text);
        found.ok_or_else(|| {
            ValueError::new(
                "tlp_unknown",
                "TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED",
            )
        })
    }
}

impl From<Tlp> for String {
    fn from(tlp: Tlp) -> String {
        tlp.as_str().to_owned()
    }
}
