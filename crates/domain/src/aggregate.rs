//! The three words every rule is made of: a state before anything happened, `evolve`, and `decide`.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::access::Access;
use crate::adoption::Adoption;
use crate::case::Case;
use crate::claim::Claim;
use crate::erasure::Erasure;
use crate::finding::Finding;
use crate::id::{
    AccessId, AdoptionId, CaseId, ClaimId, ErasureId, FindingId, LinkId, LogId, ReplayId, ReportId,
    SourceId, UserId,
};
use crate::link::Link;
use crate::log_key::LogKeys;
use crate::policy::{Permission, Roles};
use crate::replay::Replay;
use crate::report::Report;
use crate::source::Source;
use crate::user::User;

/// Who recorded a fact and when; the part of its envelope that rules may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Who did it.
    pub actor: UserId,
    /// When the server recorded it.
    pub at: Timestamp,
    /// The fact's place in its stream, from 0.
    pub revision: u64,
}

/// Something with a history of its own: one stream, one state.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// `case` in the stream name `case-018f…`.
    const CATEGORY: &'static str;
    /// Its facts; serde is the codec, and the tag of each variant its wire name for ever.
    type Event: Serialize + DeserializeOwned + Clone + Send + Sync + std::fmt::Debug + PartialEq;
    /// What the state is after a fact. Total: a fact cannot be refused.
    #[must_use]
    fn evolve(self, event: &Self::Event, stamp: &Stamp) -> Self;
    /// The case it lives in, if it lives in one and exists.
    fn case(&self) -> Option<CaseId>;
}

/// Where a command belongs, and so whose members may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// In this case.
    Case(CaseId),
    /// Nowhere in particular: users, sources, a case yet to be opened.
    House,
    /// Its target does not exist: to the asker there is nothing.
    Nowhere,
}

/// Something else a decision must know; looked up before deciding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// A user.
    User(UserId),
    /// A source.
    Source(SourceId),
    /// A report.
    Report(ReportId),
    /// A claim.
    Claim(ClaimId),
}

/// A state looked up, and the revision it was read at.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// What was found.
    pub state: Arc<T>,
    /// The revision of its last fact.
    pub revision: u64,
}

/// What was looked up, by id. What does not exist is not in it.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Users.
    pub users: HashMap<UserId, At<User>>,
    /// Sources.
    pub sources: HashMap<SourceId, At<Source>>,
    /// Reports.
    pub reports: HashMap<ReportId, At<Report>>,
    /// Claims.
    pub claims: HashMap<ClaimId, At<Claim>>,
}

impl Found {
    /// A report of this case; one of another case is as good as none.
    pub fn report(&self, id: ReportId, case: Option<CaseId>) -> Option<&At<Report>> {
        self.reports.get(&id).filter(|found| case.is_some() && found.state.case() == case)
    }

    /// A claim of this case; one of another case is as good as none.
    pub fn claim(&self, id: ClaimId, case: Option<CaseId>) -> Option<&At<Claim>> {
        self.claims.get(&id).filter(|found| case.is_some() && found.state.case() == case)
    }
}

/// What a decision is made in: who asks, in which roles, when, and what was looked up.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who asks.
    pub actor: UserId,
    /// In which roles, in this case or in the house.
    pub roles: Roles,
    /// The server's clock.
    pub now: Timestamp,
    /// The revision of the target's last fact, if it has any.
    pub revision: Option<u64>,
    /// What the command needed.
    pub found: Found,
}

/// Why a well-formed command is refused.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    /// Stable, `subject_reason`.
    fn code(&self) -> &'static str;
    /// What kind of refusal it is.
    fn kind(&self) -> RefusalKind;
    /// The field of the request that is to blame, as a JSON pointer.
    fn pointer(&self) -> Option<String> {
        None
    }
}

/// The kinds of refusal; the door turns each into one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// It is not there.
    Missing,
    /// A rule does not accept what was said.
    Invalid,
    /// The state of things does not allow it now.
    Conflicting,
    /// A rule does not allow this person to do it.
    Barred,
}

/// Something somebody wants to happen.
pub trait Command: Send + Sync {
    /// What it happens to.
    type On: Aggregate;
    /// Why it may be refused.
    type Refusal: Refusal;
    /// What its asker must be allowed.
    const PERMISSION: Permission;
    /// Whether a closed case still accepts it.
    const IN_CLOSED_CASE: bool = false;
    /// Which stream.
    fn target(&self) -> Uuid;
    /// Whose members may ask.
    fn home(&self, state: &Self::On) -> Home {
        state.case().map_or(Home::Nowhere, Home::Case)
    }
    /// What else must be looked up before deciding.
    ///
    /// Asked again with what was found, until nothing new is named: what is found may name more.
    fn needs(&self, _state: &Self::On, _found: &Found) -> Vec<Need> {
        Vec::new()
    }
    /// The facts that follow; none where all is already so.
    fn decide(&self, state: &Self::On, ctx: &Context) -> Result<Vec<EventOf<Self>>, Self::Refusal>;
}

/// The facts of what a command happens to.
pub type EventOf<C> = <<C as Command>::On as Aggregate>::Event;

/// The name of the stream of one aggregate.
pub fn stream_of<A: Aggregate>(id: Uuid) -> String {
    format!("{}-{id}", A::CATEGORY)
}

/// Any fact of the house, by the category of its stream; views match on it.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Of a user.
    User(crate::user::Event),
    /// Of a case.
    Case(crate::case::Event),
    /// Of a source.
    Source(crate::source::Event),
    /// Of a report.
    Report(crate::report::Event),
    /// Of a claim.
    Claim(crate::claim::Event),
    /// Of a link.
    Link(crate::link::Event),
    /// Of a finding.
    Finding(crate::finding::Event),
    /// Of who read what.
    Access(crate::access::Event),
    /// Of a saved replay.
    Replay(crate::replay::Event),
    /// Of an erasure.
    Erasure(crate::erasure::Event),
    /// Of a case taken over.
    Adoption(crate::adoption::Event),
    /// Of the keys of the log.
    Log(crate::log_key::Event),
}

/// The subject a stream is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// `user-…`
    User(UserId),
    /// `case-…`
    Case(CaseId),
    /// `source-…`
    Source(SourceId),
    /// `report-…`
    Report(ReportId),
    /// `claim-…`
    Claim(ClaimId),
    /// `link-…`
    Link(LinkId),
    /// `finding-…`
    Finding(FindingId),
    /// `access-…`
    Access(AccessId),
    /// `replay-…`
    Replay(ReplayId),
    /// `erasure-…`
    Erasure(ErasureId),
    /// `adoption-…`
    Adoption(AdoptionId),
    /// `log-…`
    Log(LogId),
}

impl Subject {
    /// The subject of a stream, by its name.
    pub fn of_stream(stream: &str) -> Option<Self> {
        let (category, id) = stream.split_once('-')?;
        let id: Uuid = id.parse().ok()?;
        Some(match category {
            User::CATEGORY => Self::User(id.into()),
            Case::CATEGORY => Self::Case(id.into()),
            Source::CATEGORY => Self::Source(id.into()),
            Report::CATEGORY => Self::Report(id.into()),
            Claim::CATEGORY => Self::Claim(id.into()),
            Link::CATEGORY => Self::Link(id.into()),
            Finding::CATEGORY => Self::Finding(id.into()),
            Access::CATEGORY => Self::Access(id.into()),
            Replay::CATEGORY => Self::Replay(id.into()),
            Erasure::CATEGORY => Self::Erasure(id.into()),
            Adoption::CATEGORY => Self::Adoption(id.into()),
            LogKeys::CATEGORY => Self::Log(id.into()),
            _ => return None,
        })
    }

    /// The category of its stream.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => User::CATEGORY,
            Self::Case(_) => Case::CATEGORY,
            Self::Source(_) => Source::CATEGORY,
            Self::Report(_) => Report::CATEGORY,
            Self::Claim(_) => Claim::CATEGORY,
            Self::Link(_) => Link::CATEGORY,
            Self::Finding(_) => Finding::CATEGORY,
            Self::Access(_) => Access::CATEGORY,
            Self::Replay(_) => Replay::CATEGORY,
            Self::Erasure(_) => Erasure::CATEGORY,
            Self::Adoption(_) => Adoption::CATEGORY,
            Self::Log(_) => LogKeys::CATEGORY,
        }
    }

    /// Its id, whatever it is.
    pub const fn id(self) -> Uuid {
        match self {
            Self::User(id) => id.0,
            Self::Case(id) => id.0,
            Self::Source(id) => id.0,
            Self::Report(id) => id.0,
            Self::Claim(id) => id.0,
            Self::Link(id) => id.0,
            Self::Finding(id) => id.0,
            Self::Access(id) => id.0,
            Self::Replay(id) => id.0,
            Self::Erasure(id) => id.0,
            Self::Adoption(id) => id.0,
            Self::Log(id) => id.0,
        }
    }

    /// Reads one stored fact of this subject.
    pub fn read(self, data: &[u8]) -> serde_json::Result<Event> {
        Ok(match self {
            Self::User(_) => Event::User(serde_json::from_slice(data)?),
            Self::Case(_) => Event::Case(serde_json::from_slice(data)?),
            Self::Source(_) => Event::Source(serde_json::from_slice(data)?),
            Self::Report(_) => Event::Report(serde_json::from_slice(data)?),
            Self::Claim(_) => Event::Claim(serde_json::from_slice(data)?),
            Self::Link(_) => Event::Link(serde_json::from_slice(data)?),
            Self::Finding(_) => Event::Finding(serde_json::from_slice(data)?),
            Self::Access(_) => Event::Access(serde_json::from_slice(data)?),
            Self::Replay(_) => Event::Replay(serde_json::from_slice(data)?),
            Self::Erasure(_) => Event::Erasure(serde_json::from_slice(data)?),
            Self::Adoption(_) => Event::Adoption(serde_json::from_slice(data)?),
            Self::Log(_) => Event::Log(serde_json::from_slice(data)?),
        })
    }
}

/// Writes one fact as it is stored; its wire name stands first in it.
pub fn write<E: Serialize>(event: &E) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(event)
}

/// The wire name of a stored fact: the tag serde wrote first.
pub fn name_of(data: &[u8]) -> Option<&str> {
    let rest = data.strip_prefix(br#"{"type":""#)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(rest.get(..end)?).ok()
}
