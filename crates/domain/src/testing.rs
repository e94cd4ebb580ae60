//! Words for the tests of the rules: given these facts, when this command, then those.

use jiff::Timestamp;
use uuid::Uuid;

use crate::aggregate::{Aggregate, Command, Context, EventOf, Found, Stamp};
use crate::id::UserId;
use crate::policy::Roles;
use crate::text::{Label, Name, Passage, Phrase, Reason, Title};
use crate::user::{self, Profile};

pub(crate) fn ana() -> UserId {
    Uuid::from_u128(0xA).into()
}

pub(crate) fn rao() -> UserId {
    Uuid::from_u128(0xB).into()
}

/// Ana asks.
pub(crate) fn ctx() -> Context {
    by(ana())
}

pub(crate) fn by(actor: UserId) -> Context {
    let found = Found::default();
    Context { actor, roles: Roles::new(), now: Timestamp::UNIX_EPOCH, revision: None, found }
}

/// The state after facts, all recorded by one person.
pub(crate) fn state_by<A: Aggregate>(facts: &[A::Event], actor: UserId) -> A {
    facts.iter().zip(0..).fold(A::default(), |state, (fact, revision)| {
        state.evolve(fact, &Stamp { actor, at: Timestamp::UNIX_EPOCH, revision })
    })
}

/// What a command leads to after facts that Ana recorded.
pub(crate) fn decide_from<C: Command>(
    past: &[EventOf<C>],
    command: &C,
    ctx: &Context,
) -> Result<Vec<EventOf<C>>, C::Refusal> {
    command.decide(&state_by::<C::On>(past, ana()), ctx)
}

macro_rules! words {
    ($($name:ident: $type:ty),*) => {$(
        pub(crate) fn $name(text: &str) -> $type {
            <$type>::try_from(text.to_owned()).unwrap_or_else(|error| panic!("{text}: {error}"))
        }
    )*};
}

words! { title: Title, name: Name, reason: Reason, label: Label, passage: Passage, phrase: Phrase }

pub(crate) fn registered() -> user::Event {
    let profile = Profile { username: label("ana"), display_name: name("Ana") };
    user::Event::Registered { profile: profile.into() }
}
