//! Who asks, under which names, and what they get for it.

use assay_domain::id::UserId;
use assay_store::fact::ActorKind;
use assay_store::leaf::LeafHash;
use assay_store::log::Token;
use jiff::Timestamp;
use uuid::Uuid;

/// The house's own name in envelopes: the operator at the console, the program itself.
pub const HOUSE: Uuid = Uuid::nil();

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The house itself.
    House,
    /// Somebody with an account.
    User(UserId),
}

impl Actor {
    /// The name that stands in the envelope.
    pub const fn id(self) -> UserId {
        match self {
            Self::House => UserId(HOUSE),
            Self::User(id) => id,
        }
    }
}

/// A request to make something happen.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// What kind of doer that is.
    pub kind: ActorKind,
    /// For whom, when a program acts for a person.
    pub on_behalf_of: Option<Uuid>,
    /// In which session.
    pub session: Option<Uuid>,
    /// The command's name; the same name again is the same command.
    pub command: Uuid,
    /// The chain of work it belongs to.
    pub correlation: Uuid,
    /// A keyed digest of what was asked, where the caller may repeat it under the same name.
    pub mac: Option<[u8; 16]>,
    /// The revision the caller saw; anything else is a lost update.
    pub if_match: Option<u64>,
    /// Where the facts come from, one for each, when they are taken over from another house.
    pub taken: Vec<Taken>,
}

/// Who did something in another house, and which fact of it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who they are here.
    pub actor: UserId,
    /// The fact there; here it stands as the cause.
    pub fact: Uuid,
}

impl Request {
    /// A request under a name of its own, without a session.
    pub const fn by(actor: Actor, kind: ActorKind, command: Uuid) -> Self {
        Self {
            actor,
            kind,
            on_behalf_of: None,
            session: None,
            command,
            correlation: command,
            mac: None,
            if_match: None,
            taken: Vec::new(),
        }
    }
}

/// What a successful command answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The stream it went to.
    pub stream: String,
    /// The revision of the stream's last fact; nothing where the stream does not exist.
    pub revision: Option<u64>,
    /// The ids of the facts that were made; none where all was already so.
    pub event_ids: Vec<Uuid>,
    /// The journal's position of the last of them, where this node knows it already.
    pub position: Option<u64>,
    /// The ledger's leaf over it.
    pub leaf_hash: Option<LeafHash>,
    /// What a read waits for to see it.
    pub token: Option<Token>,
    /// Whether the same command had been carried out before.
    pub replayed: bool,
}

/// The id of a command's fact, by its place among the command's facts.
///
/// Derived from the command's id, so that asking twice is harmless; next to it in order, so that
/// time-ordered command ids make time-ordered fact ids.
pub fn event_id(command: Uuid, index: u32) -> Uuid {
    Uuid::from_u128(command.as_u128().wrapping_add(u128::from(index).wrapping_add(1)))
}

/// What time it is. Only the composition root has a real one.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}
