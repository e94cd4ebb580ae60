//! The stage of the demo: everybody acts through the same door as everybody else, `House::execute`.

use anyhow::{anyhow, bail};
use assay_commands::{Actor, Cached, Error, House, Receipt, Request};
use assay_domain::aggregate::{Command, Refusal as _};
use assay_store::fact::ActorKind;
use jiff::Timestamp;

use super::ids;
use super::people::Person;
use crate::accounts::by_house;
use crate::clock::ScriptedClock;

/// A house and its scripted clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) house: &'a House,
    pub(crate) clock: &'a ScriptedClock,
}

/// Something the house would not do, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) words: String,
}

impl Stage<'_> {
    /// Moves the clock on to a moment of the story.
    pub(crate) fn at(&self, instant: &str) -> anyhow::Result<()> {
        self.clock.forward_to(instant.parse::<Timestamp>()?);
        Ok(())
    }

    /// Somebody does something that must succeed. The key names the act, so that twice is once.
    pub(crate) async fn act<C>(
        &self,
        who: Person,
        key: &str,
        command: &C,
    ) -> anyhow::Result<Receipt>
    where
        C: Command<On: Cached>,
    {
        self.ask(&by(who, key), key, command).await
    }

    /// The house itself does something.
    pub(crate) async fn by_house<C>(&self, key: &str, command: &C) -> anyhow::Result<Receipt>
    where
        C: Command<On: Cached>,
    {
        self.ask(&by_house(ids::command(key)), key, command).await
    }

    async fn ask<C>(&self, request: &Request, key: &str, command: &C) -> anyhow::Result<Receipt>
    where
        C: Command<On: Cached>,
    {
        let done = self.house.execute(request, command).await;
        done.map_err(|error| anyhow!(error).context(format!("the demo's act `{key}`")))
    }

    /// Somebody tries something that a rule must refuse.
    pub(crate) async fn try_in_vain<C>(
        &self,
        who: Person,
        key: &str,
        command: &C,
    ) -> anyhow::Result<Refused>
    where
        C: Command<On: Cached>,
    {
        match self.house.execute(&by(who, key), command).await {
            Err(Error::Refused(refusal)) => {
                Ok(Refused { code: refusal.code(), words: refusal.to_string() })
            }
            Err(other) => bail!("`{key}` should have been refused by a rule, not: {other}"),
            Ok(_) => bail!("`{key}` should have been refused by a rule and was not"),
        }
    }
}

/// A request of somebody.
fn by(who: Person, key: &str) -> Request {
    let actor = Actor::User(ids::user(who.username));
    Request::by(actor, ActorKind::Person, ids::command(key))
}
