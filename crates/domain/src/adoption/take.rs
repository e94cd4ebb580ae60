//! «As it was written there, it stands here.» The facts of one stream of another house, unchanged.

use std::marker::PhantomData;

use uuid::Uuid;

use super::Refusal;
use crate::aggregate::{Aggregate, Command, Context, Home};
use crate::policy::Permission;

/// Takes over facts of one stream, from a revision on; what is here already is not taken again.
///
/// They were decided in the other house and proved by its log: here they are not decided anew.
#[derive(Clone, Debug)]
pub struct Take<A: Aggregate> {
    /// Which stream.
    pub id: Uuid,
    /// The revision of the first of them, there and here.
    pub first: u64,
    /// The facts, sealed as they were.
    pub events: Vec<A::Event>,
    /// Of which aggregate.
    pub on: PhantomData<fn() -> A>,
}

impl<A: Aggregate> Command for Take<A> {
    type On = A;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Adopt;
    const IN_CLOSED_CASE: bool = true;

    fn target(&self) -> Uuid {
        self.id
    }

    fn home(&self, _: &A) -> Home {
        Home::House
    }

    fn decide(&self, _: &A, ctx: &Context) -> Result<Vec<A::Event>, Refusal> {
        let next = ctx.revision.map_or(0, |last| last.saturating_add(1));
        let count = u64::try_from(self.events.len()).unwrap_or(u64::MAX);
        if next == self.first {
            return Ok(self.events.clone());
        }
        if next >= self.first.saturating_add(count) { Ok(vec![]) } else { Err(Refusal::Differs) }
    }
}
