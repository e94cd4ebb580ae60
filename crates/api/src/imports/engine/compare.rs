//! What was recorded before under an item's command, against what the file says now.

use std::sync::Arc;

use assay_commands::{Cached, Fault, House, Receipt, decode};
use assay_domain::aggregate::{Aggregate, At, Command, Context, EventOf, Found, Need};
use assay_domain::claim;
use assay_domain::id::UserId;
use assay_domain::personal::Personal;
use assay_domain::policy::Roles;
use assay_domain::report;

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It made facts now.
    Now,
    /// It had made the same facts before.
    Before,
    /// It had made other facts before: the item is not what it was.
    Changed,
    /// It was carried out before, and this node cannot see yet how.
    Unknown,
}

/// What a command would lead to from a given state. Nothing is written, and no right is asked.
pub(super) async fn foresee<C: Command>(
    house: &House,
    actor: UserId,
    command: &C,
    state: &C::On,
) -> Result<Result<Vec<EventOf<C>>, C::Refusal>, Fault> {
    let mut found = Found::default();
    for need in command.needs(state, &Found::default()) {
        match need {
            Need::User(id) => found.users.extend(there(house, id.0).await?.map(|at| (id, at))),
            Need::Source(id) => found.sources.extend(there(house, id.0).await?.map(|at| (id, at))),
            Need::Report(id) => found.reports.extend(there(house, id.0).await?.map(|at| (id, at))),
            Need::Claim(id) => found.claims.extend(there(house, id.0).await?.map(|at| (id, at))),
        }
    }
    let ctx = Context { actor, roles: Roles::new(), now: house.now(), revision: None, found };
    Ok(command.decide(state, &ctx))
}

async fn there<A: Cached>(house: &House, id: uuid::Uuid) -> Result<Option<At<A>>, Fault> {
    let loaded = house.load::<A>(id).await?;
    Ok(loaded.revision.map(|revision| At { state: loaded.state, revision }))
}

/// Facts that say the same, as far as they are still known.
pub(super) trait Same {
    /// Whether what was recorded is what is asked now. What was erased since is not held against it.
    fn same(&self, asked: &Self) -> bool;
}

impl<T: PartialEq> Same for Personal<T> {
    fn same(&self, asked: &Self) -> bool {
        *self == Self::Erased || self == asked
    }
}

impl Same for report::Event {
    fn same(&self, asked: &Self) -> bool {
        match (self, asked) {
            (
                Self::Filed { case, kind, rendition, content, stated, .. },
                Self::Filed {
                    case: asked_case,
                    kind: asked_kind,
                    rendition: asked_rendition,
                    content: asked_content,
                    stated: asked_stated,
                    ..
                },
            ) => {
                (case, kind, rendition) == (asked_case, asked_kind, asked_rendition)
                    && content.same(asked_content)
                    && stated.same(asked_stated)
            }
            _ => self == asked,
        }
    }
}

impl Same for claim::Event {
    fn same(&self, asked: &Self) -> bool {
        match (self, asked) {
            (
                Self::Proposed { case, kind, proposition, .. },
                Self::Proposed {
                    case: asked_case,
                    kind: asked_kind,
                    proposition: asked_proposition,
                    ..
                },
            ) => (case, kind) == (asked_case, asked_kind) && proposition.same(asked_proposition),
            (
                Self::AssertionRecorded { assertion, report, stance, content, .. },
                Self::AssertionRecorded {
                    assertion: asked_assertion,
                    report: asked_report,
                    stance: asked_stance,
                    content: asked_content,
                    ..
                },
            ) => {
                (assertion, report, stance) == (asked_assertion, asked_report, asked_stance)
                    && content.same(asked_content)
            }
            _ => self == asked,
        }
    }
}

/// What became of a command that was accepted, given what it would lead to from nothing.
pub(super) async fn done<C>(
    house: &House,
    actor: UserId,
    command: &C,
    blank: &C::On,
    receipt: &Receipt,
) -> Result<Done, Fault>
where
    C: Command,
    EventOf<C>: Same,
    C::On: Aggregate,
{
    let Some(first) = receipt.event_ids.first() else { return Ok(Done::Before) };
    if !receipt.replayed {
        return Ok(Done::Now);
    }
    let Some(entry) = house.journal().locate(*first)? else { return Ok(Done::Unknown) };
    let recorded = entry.recorded;
    let keys: &Arc<_> = house.keys();
    let stored: EventOf<C> = decode(keys, &recorded.stream, &recorded.fact.data)
        .await
        .map_err(|source| Fault::codec(&recorded.stream, recorded.revision, source))?;
    let asked = foresee(house, actor, command, blank).await?;
    // What the rules would refuse today (the report was withdrawn since) was accepted then.
    let same = asked.map_or(true, |facts| facts.first().is_some_and(|fact| stored.same(fact)));
    Ok(if same { Done::Before } else { Done::Changed })
}
