//! A source: an outlet, an account, an organisation, a witness; what it is called and what to beware of.

mod add_name;
mod drop_name;
mod flag;
mod register;
mod unflag;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::EnumCount;

pub use add_name::AddSourceName;
pub use drop_name::DropSourceName;
pub use flag::FlagSource;
pub use register::RegisterSource;
pub use unflag::UnflagSource;

use crate::aggregate::{Aggregate, Stamp};
use crate::id::CaseId;
use crate::personal::Personal;
use crate::refusal::refusals;
use crate::text::{Address, Name, Passage, Phrase, Reason};

/// What kind of source it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A news outlet.
    Outlet,
    /// An account on a platform.
    Account,
    /// An organisation: a monitor, an agency, a ministry.
    Organisation,
    /// A person.
    Person,
    /// A data set or a public record.
    Dataset,
    /// Anything else.
    Other,
}

/// What to beware of in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceFlag {
    /// It is a party to what it speaks of.
    InterestedParty,
    /// A state controls it.
    StateControlled,
    /// It deceives on purpose.
    Deceptive,
    /// Somebody else speaks through it.
    Compromised,
}

/// What is known of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// What it is called first.
    pub name: Name,
    /// Where it is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Address>,
    /// Its main language, a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Phrase>,
    /// Who owns it, whom it belongs to; access, competence, bias, currency, completeness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Passage>,
}

/// What happened to a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// It was registered.
    #[serde(rename = "source.registered.v1")]
    Registered {
        /// What kind it is.
        kind: SourceKind,
        /// What is known of it.
        descriptor: Personal<Descriptor>,
    },
    /// It is also called this.
    #[serde(rename = "source.named.v1")]
    Named {
        /// What, in any script.
        name: Personal<Name>,
    },
    /// It is not called this after all.
    #[serde(rename = "source.name_dropped.v1")]
    NameDropped {
        /// What.
        name: Personal<Name>,
        /// Why.
        reason: Personal<Reason>,
    },
    /// Beware of it.
    #[serde(rename = "source.flagged.v1")]
    Flagged {
        /// Of what.
        flag: SourceFlag,
        /// Why.
        reason: Personal<Reason>,
    },
    /// No need to beware of it any more.
    #[serde(rename = "source.unflagged.v1")]
    Unflagged {
        /// Of what.
        flag: SourceFlag,
        /// Why.
        reason: Personal<Reason>,
    },
}

/// What the rules ask of a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// Whether it is registered.
    pub registered: bool,
    /// What it is called, first name first.
    pub names: Vec<Name>,
    /// What to beware of.
    pub flags: BTreeSet<SourceFlag>,
}

impl Source {
    fn must_exist(&self) -> Result<(), Refusal> {
        if self.registered { Ok(()) } else { Err(Refusal::Missing) }
    }
}

impl Aggregate for Source {
    const CATEGORY: &'static str = "source";
    type Event = Event;

    fn evolve(mut self, event: &Event, _: &Stamp) -> Self {
        match event {
            Event::Registered { descriptor, .. } => {
                self.registered = true;
                self.names.extend(descriptor.known().map(|known| known.name.clone()));
            }
            Event::Named { name } => self.names.extend(name.known().cloned()),
            Event::NameDropped { name, .. } => {
                self.names.retain(|known| Some(known) != name.known());
            }
            Event::Flagged { flag, .. } => {
                self.flags.insert(*flag);
            }
            Event::Unflagged { flag, .. } => {
                self.flags.remove(flag);
            }
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        None
    }
}

refusals! {
    Missing = Missing, "source_missing", "there is no such source";
    Taken = Conflicting, "source_exists", "a source with this id exists already and is another";
    LastName = Conflicting, "source_last_name", "a source keeps at least one name";
}
