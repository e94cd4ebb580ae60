//! Names of things: one type each, so that a report is never taken for a claim.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A person or program with an account.
    UserId,
    /// A case: one investigation with its members.
    CaseId,
    /// A source in the registry: an outlet, an account, an organisation, a witness.
    SourceId,
    /// A report filed in a case.
    ReportId,
    /// One capture of a report's text.
    RenditionId,
    /// A claim: what is said, whoever says it.
    ClaimId,
    /// One holder's stance towards a claim in a report.
    AssertionId,
    /// One verdict in a claim's series.
    VerdictId,
    /// A relation between two claims.
    LinkId,
    /// Something an auditor found.
    FindingId,
    /// What one session read in one case.
    AccessId,
    /// A replay somebody saved to go on with.
    ReplayId,
    /// A request to forget.
    ErasureId,
    /// A case taken over from another house.
    AdoptionId,
    /// A log.
    LogId,
}
