//! «This case comes to us.»

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Actor, Adoption, Event, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::{AdoptionId, CaseId};
use crate::policy::Permission;
use crate::text::{Passage, Phrase};
use crate::value::Digest;

/// Begins to take over a case from a verified bundle. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct BeginAdoption {
    /// Which.
    pub adoption: AdoptionId,
    /// Which case.
    pub case: CaseId,
    /// The other log, as its checkpoints call it.
    pub origin: Phrase,
    /// Its size at the checkpoint.
    pub size: u64,
    /// Its root at the checkpoint.
    pub root: Digest,
    /// The digest of the bundle.
    pub bundle: Digest,
    /// The signed checkpoint the bundle was verified against.
    pub checkpoint: Passage,
    /// Who is who; nobody here stands for two people there.
    pub actors: Vec<Actor>,
}

impl Command for BeginAdoption {
    type On = Adoption;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Adopt;

    fn target(&self) -> Uuid {
        self.adoption.0
    }

    fn home(&self, _: &Adoption) -> Home {
        Home::House
    }

    fn decide(&self, adoption: &Adoption, _: &Context) -> Result<Vec<Event>, Refusal> {
        if let Some(bundle) = adoption.bundle {
            let same = bundle == self.bundle && adoption.actors == self.actors;
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        let mut here = BTreeSet::new();
        if self.actors.iter().any(|actor| !here.insert(actor.here)) {
            return Err(Refusal::Merged);
        }
        Ok(vec![Event::Began {
            adoption: self.adoption,
            case: self.case,
            origin: self.origin.clone(),
            size: self.size,
            root: self.root,
            bundle: self.bundle,
            checkpoint: self.checkpoint.clone(),
            actors: self.actors.clone(),
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kinship;
    use super::*;
    use crate::testing::{ana, ctx, decide_from, passage, rao};

    fn begin(actors: Vec<Actor>) -> BeginAdoption {
        BeginAdoption {
            adoption: Uuid::from_u128(6).into(),
            case: Uuid::from_u128(1).into(),
            origin: Phrase::try_from("assay.example/log").unwrap_or_else(|_| unreachable!()),
            size: 9,
            root: Digest([1; 32]),
            bundle: Digest([2; 32]),
            checkpoint: passage("assay.example/log"),
            actors,
        }
    }

    #[test]
    fn nobody_here_stands_for_two_people_there() {
        let actor = |there| Actor { there, here: ana(), how: Kinship::Mapped };
        let merged = begin(vec![actor(ana()), actor(rao())]);
        assert_eq!(decide_from(&[], &merged, &ctx()), Err(Refusal::Merged));
        let one = begin(vec![actor(rao())]);
        let past = decide_from(&[], &one, &ctx()).unwrap_or_default();
        assert_eq!(decide_from(&past, &one, &ctx()), Ok(vec![]));
        assert_eq!(decide_from(&past, &begin(vec![]), &ctx()), Err(Refusal::Taken));
    }
}
