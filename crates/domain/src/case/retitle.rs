//! «Call this case something else.»

use uuid::Uuid;

use super::{Case, Event, Refusal};
use crate::aggregate::{Command, Context};
use crate::id::CaseId;
use crate::policy::Permission;
use crate::text::Title;

/// Gives a case a new title. The same title again changes nothing.
#[derive(Clone, Debug)]
pub struct RetitleCase {
    /// Which case.
    pub case: CaseId,
    /// What to call it.
    pub title: Title,
}

impl Command for RetitleCase {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::EditCase;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn decide(&self, case: &Case, _: &Context) -> Result<Vec<Event>, Refusal> {
        if case.title.as_ref() == Some(&self.title) {
            return Ok(vec![]);
        }
        Ok(vec![Event::Retitled { title: self.title.clone().into() }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::tests::opened;
    use super::*;
    use crate::testing::{ctx, decide_from, title};

    #[test]
    fn the_same_title_again_changes_nothing() {
        let retitle = |to: &str| RetitleCase { case: Uuid::from_u128(1).into(), title: title(to) };
        assert_eq!(decide_from(&opened(), &retitle("Idlib"), &ctx()), Ok(vec![]));
        let changed = decide_from(&opened(), &retitle("Idlib 2018"), &ctx());
        assert_eq!(changed, Ok(vec![Event::Retitled { title: title("Idlib 2018").into() }]));
    }
}
