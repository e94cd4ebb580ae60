//! «These two belong together, like this.»

use uuid::Uuid;

use super::{End, Event, Link, LinkType, Refusal};
use crate::aggregate::{Command, Context, Found, Home, Need};
use crate::id::{CaseId, LinkId};
use crate::policy::Permission;
use crate::text::Reason;

/// Proposes a link. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct ProposeLink {
    /// In which case.
    pub case: CaseId,
    /// Which link.
    pub link: LinkId,
    /// From here.
    pub from: End,
    /// How.
    pub kind: LinkType,
    /// To there.
    pub to: End,
    /// Whether its proposer is unsure.
    pub tentative: bool,
    /// Why.
    pub rationale: Reason,
}

impl Command for ProposeLink {
    type On = Link;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Link;

    fn target(&self) -> Uuid {
        self.link.0
    }

    fn home(&self, link: &Link) -> Home {
        Home::Case(link.in_case.unwrap_or(self.case))
    }

    fn needs(&self, _: &Link, _: &Found) -> Vec<Need> {
        vec![Need::Claim(self.from.claim), Need::Claim(self.to.claim)]
    }

    fn decide(&self, link: &Link, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if link.in_case.is_some() {
            let same = (link.from, link.kind, link.to)
                == (Some(self.from), Some(self.kind), Some(self.to));
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        let both_assertions = self.from.assertion.is_some() && self.to.assertion.is_some();
        if self.from == self.to || (self.from.claim == self.to.claim && !both_assertions) {
            return Err(Refusal::SelfLink.at("/to"));
        }
        for (end, pointer) in [(self.from, "/from"), (self.to, "/to")] {
            let unknown = || Refusal::EndUnknown.at(pointer);
            let claim = ctx.found.claim(end.claim, Some(self.case)).ok_or_else(unknown)?;
            if end.assertion.is_some_and(|id| !claim.state.assertions.contains_key(&id)) {
                return Err(unknown());
            }
        }
        Ok(vec![Event::Proposed {
            case: self.case,
            from: self.from,
            kind: self.kind,
            to: self.to,
            tentative: self.tentative,
            rationale: self.rationale.clone().into(),
        }])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::aggregate::At;
    use crate::claim::Claim;
    use crate::testing::{ctx, decide_from, reason};

    pub(in crate::link) fn propose(from: u128, to: u128) -> ProposeLink {
        let end = |id: u128| End { claim: Uuid::from_u128(id).into(), assertion: None };
        ProposeLink {
            case: Uuid::from_u128(1).into(),
            link: Uuid::from_u128(20).into(),
            from: end(from),
            kind: LinkType::Contradicts,
            to: end(to),
            tentative: false,
            rationale: reason("both cannot be"),
        }
    }

    fn found() -> Context {
        let mut ctx = ctx();
        for id in [10, 11] {
            let claim = Claim { in_case: Some(Uuid::from_u128(1).into()), ..Claim::default() };
            ctx.found
                .claims
                .insert(Uuid::from_u128(id).into(), At { state: claim.into(), revision: 0 });
        }
        ctx
    }

    pub(in crate::link) fn proposed() -> Vec<Event> {
        decide_from(&[], &propose(10, 11), &found()).unwrap_or_default()
    }

    #[test]
    fn a_claim_is_not_linked_to_itself_nor_to_nothing() {
        assert_eq!(decide_from(&[], &propose(10, 10), &found()), Err(Refusal::SelfLink.at("/to")));
        assert_eq!(
            decide_from(&[], &propose(10, 12), &found()),
            Err(Refusal::EndUnknown.at("/to"))
        );
    }

    #[test]
    fn proposing_twice_is_harmless() {
        assert_eq!(proposed().len(), 1);
        assert_eq!(decide_from(&proposed(), &propose(10, 11), &found()), Ok(vec![]));
    }
}
