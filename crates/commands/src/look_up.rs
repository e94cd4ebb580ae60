//! Looking up what a decision needs beside its own state, until it needs nothing more.

use std::collections::HashSet;

use assay_domain::aggregate::{At, Command, Found, Need};

use crate::error::Fault;
use crate::execute::House;
use crate::load::{Cached, Loaded};

/// How often what was found may name more.
const ROUNDS_MAX: usize = 4;

impl House {
    /// Everything the command names, and everything that names in turn.
    pub(crate) async fn look_up<C: Command>(
        &self,
        command: &C,
        state: &C::On,
    ) -> Result<Found, Fault> {
        let mut found = Found::default();
        let mut seen = HashSet::new();
        for _ in 0..ROUNDS_MAX {
            let mut news = command.needs(state, &found);
            news.retain(|need| seen.insert(*need));
            if news.is_empty() {
                break;
            }
            for need in news {
                self.find(need, &mut found).await?;
            }
        }
        Ok(found)
    }

    async fn find(&self, need: Need, found: &mut Found) -> Result<(), Fault> {
        match need {
            Need::User(id) => found.users.extend(there(self.load(id.0).await?).map(|at| (id, at))),
            Need::Source(id) => {
                found.sources.extend(there(self.load(id.0).await?).map(|at| (id, at)));
            }
            Need::Report(id) => {
                found.reports.extend(there(self.load(id.0).await?).map(|at| (id, at)));
            }
            Need::Claim(id) => {
                found.claims.extend(there(self.load(id.0).await?).map(|at| (id, at)));
            }
        }
        Ok(())
    }
}

/// A state with its revision, where there is a stream.
fn there<A: Cached>(loaded: Loaded<A>) -> Option<At<A>> {
    loaded.revision.map(|revision| At { state: loaded.state, revision })
}
