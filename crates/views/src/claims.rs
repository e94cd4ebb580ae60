//! Claims: the card of each, with everything its stream holds and the links that touch it.

mod doc;
mod fold;
mod query;

pub use doc::{
    AssertionDoc, AssertionGone, BasisChange, CardLink, ClaimDoc, ClaimWithdrawal,
    CredibilityGrade, Direction, Dissent, FlaggedQuantity, LinkStanding, ReliabilityGrade,
    ReviewReturn, ReviewRound, StanceCount, Standing, Superseded, VerdictDoc,
};
pub use query::{ClaimFilter, ClaimSort, TimeFilter, assertions, card, page, verdicts};

pub(crate) use fold::project;

#[cfg(test)]
mod tests;
