//! Who is who: everybody who acts in a bundle is mapped by the operator, or gets an account that nobody logs in with.

use std::collections::{BTreeMap, BTreeSet};

use assay_domain::adoption::{Actor, Adoption, Kinship};
use assay_domain::id::UserId;
use assay_domain::user::User;
use uuid::Uuid;

use crate::accounts::known;
use crate::exit::usage;
use crate::open::Opened;

/// Everybody who acts in the bundle, and who they are here.
#[derive(Clone, Debug)]
pub(super) struct People(BTreeMap<UserId, Actor>);

impl People {
    /// Puts them together; nobody is taken for somebody of this house unless the operator says so.
    pub(super) async fn of(
        opened: &Opened,
        acting: BTreeSet<Uuid>,
        map: &[String],
        adoption: Uuid,
    ) -> anyhow::Result<Self> {
        let mut mapped = BTreeMap::new();
        for word in map {
            let (there, here) = word.split_once('=').ok_or_else(|| {
                usage(format!("--map {word}: an id of the other house, `=`, a username of ours"))
            })?;
            let id: Uuid = there
                .parse()
                .map_err(|_| usage(format!("--map {word}: {there} is no id of a user")))?;
            if !acting.contains(&id) {
                return Err(usage(format!("--map {word}: nobody with this id acts in the bundle")));
            }
            mapped.insert(id, known(opened, here).await?);
        }
        let before = opened.house.load::<Adoption>(adoption).await?.state;
        let mut people = BTreeMap::new();
        for id in acting {
            let there = UserId(id);
            let actor = match mapped.get(&id) {
                Some(here) => Actor { there, here: *here, how: Kinship::Mapped },
                None => Actor { there, here: there, how: Kinship::Foreign },
            };
            let ours = opened.house.load::<User>(id).await?.state;
            if actor.how == Kinship::Foreign && ours.registered && !before.actors.contains(&actor) {
                let name = ours.profile.as_ref().map(|known| known.username.as_str().to_owned());
                return Err(usage(format!(
                    "{id} acts in the bundle and is an account here ({}): say who they are with \
                     --map {id}=USERNAME",
                    name.unwrap_or_else(|| "its name is erased".to_owned())
                )));
            }
            people.insert(there, actor);
        }
        let people = Self(people);
        if before.bundle.is_some() && before.actors != people.actors() {
            return Err(usage(
                "this bundle was taken over already, with other people: who is who is in the log and \
                 does not change",
            ));
        }
        Ok(people)
    }

    /// Who somebody of the other house is here; the house itself stays the house.
    pub(super) fn here(&self, there: Uuid) -> UserId {
        self.0.get(&UserId(there)).map_or(UserId(there), |actor| actor.here)
    }

    /// Whether the operator said who they are.
    pub(super) fn is_mapped(&self, there: Uuid) -> bool {
        self.0.get(&UserId(there)).is_some_and(|actor| actor.how == Kinship::Mapped)
    }

    /// All of them.
    pub(super) fn actors(&self) -> Vec<Actor> {
        self.0.values().copied().collect()
    }
}
