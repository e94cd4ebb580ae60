//! The people of the demo, who exist nowhere else, and the pass phrases everybody may know.

use assay_domain::user::{HouseRole, Profile, RegisterUser};
use assay_domain::value::Tlp;

use super::ids;

/// Somebody of the demo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) username: &'static str,
    pub(crate) display_name: &'static str,
    pub(crate) role: HouseRole,
    pub(crate) clearance: Tlp,
    /// Printed at the end of the demo: these directories protect nothing.
    pub(crate) password: &'static str,
    pub(crate) does: &'static str,
}

/// Opens the case, files and extracts.
pub(crate) const ANA: Person = Person {
    username: "ana",
    display_name: "Ana (demo analyst)",
    role: HouseRole::Analyst,
    clearance: Tlp::AmberStrict,
    password: "olive-lantern-harbour-71",
    does: "analyst; leads the case",
};

/// Judges.
pub(crate) const RAO: Person = Person {
    username: "rao",
    display_name: "Rao (demo reviewer)",
    role: HouseRole::Reviewer,
    clearance: Tlp::AmberStrict,
    password: "copper-meadow-signal-58",
    does: "reviewer",
};

/// Confirms what Ana linked.
pub(crate) const BEN: Person = Person {
    username: "ben",
    display_name: "Ben (demo analyst)",
    role: HouseRole::Analyst,
    clearance: Tlp::AmberStrict,
    password: "quiet-orchard-compass-36",
    does: "analyst",
};

/// Replays.
pub(crate) const IDA: Person = Person {
    username: "ida",
    display_name: "Ida (demo auditor)",
    role: HouseRole::Auditor,
    clearance: Tlp::Red,
    password: "silver-bridge-notebook-94",
    does: "auditor; reads every case, writes in none",
};

/// Manages people.
pub(crate) const ADMIN: Person = Person {
    username: "admin",
    display_name: "Demo admin",
    role: HouseRole::Admin,
    clearance: Tlp::Clear,
    password: "granite-river-keyring-27",
    does: "admin; manages people, reads no case",
};

/// All of them.
pub(crate) const ALL: [Person; 5] = [ANA, RAO, BEN, IDA, ADMIN];

impl Person {
    /// The command that gives them an account.
    pub(crate) fn registration(&self) -> anyhow::Result<RegisterUser> {
        Ok(RegisterUser {
            user: ids::user(self.username),
            profile: Profile {
                username: self.username.to_owned().try_into()?,
                display_name: self.display_name.to_owned().try_into()?,
            },
            roles: vec![self.role],
            clearance: self.clearance,
        })
    }
}
