//! Other people's formats: files become items the house can be asked to record; cases become files for others.
//!
//! Read in this order: [`item`] (what an import is made of), [`ids`] (how each item gets the same
//! names every time), [`error`] (what is wrong with a line), [`lines`] (reading a file line by line
//! within limits), then one module a format: [`ndjson`], [`table`] (CSV), [`ucdp`]; [`made_up`]
//! writes reports that nobody wrote, for measuring. The other way lead [`stix`] (a case) and
//! [`claim_review`] (a verdict), each a pure function of documents of the views.
//!
//! Nothing here knows the house: a reader turns bytes into an iterator of
//! `Result<Numbered, LineError>`, in order, one line in memory at a time. `FORMATS.md` beside this
//! crate shows every format by example.

pub mod claim_review;
pub mod error;
pub mod ids;
pub mod item;
pub mod lines;
pub mod made_up;
pub mod ndjson;
pub mod stix;
pub mod table;
pub mod ucdp;

use std::io::BufRead;

pub use error::LineError;
pub use item::{AssertionItem, ClaimItem, Item, Key, Numbered, ReportItem};
pub use made_up::generate;

/// A format that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Reports and claims, one JSON object a line.
    Ndjson,
    /// Reports, one a row, under a header.
    Csv,
    /// Events of the UCDP Georeferenced Event Dataset, one JSON object a line.
    Ucdp,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Ndjson, Self::Csv, Self::Ucdp];

    /// Its name, as in `?format=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Ucdp => "ucdp",
        }
    }

    /// The media type a file of it has.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson | Self::Ucdp => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == name);
        found.ok_or_else(|| "ndjson, csv or ucdp".to_owned())
    }
}

/// Items as they are read, each with its line; what is wrong with a line comes in its place.
pub type Items = Box<dyn Iterator<Item = Result<Numbered, LineError>> + Send>;

/// Reads a file of a format, item by item.
pub fn read(format: Format, input: impl BufRead + Send + 'static) -> Items {
    match format {
        Format::Ndjson => Box::new(ndjson::read(input)),
        Format::Csv => Box::new(table::read(input)),
        Format::Ucdp => Box::new(ucdp::read(input)),
    }
}
