//! Carrying out an import: items become commands, many in flight, each asked of the house in a person's name.
//!
//! Read in this order: [`run`], then `carry` (one item), `compare` (what was recorded before
//! against what the file says now), `turns` (who waits for whom). No HTTP is in here: the command
//! line uses it as it is.
//!
//! Every item has the same ids and the same command ids each time (`assay_exchange::ids`), so that
//! running a file twice adds nothing, whatever became of the first run.

mod carry;
mod compare;
mod turns;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use assay_commands::{Actor, Error, House, Request};
use assay_domain::id::{CaseId, UserId};
use assay_domain::report;
use assay_exchange::{Item, LineError, Numbered};
use assay_store::fact::ActorKind;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use uuid::Uuid;

pub(crate) use carry::may_file;
use carry::{Carried, Outcome, carry};
use turns::Turns;

/// How many items are in flight at once.
pub const IN_FLIGHT_MAX: usize = 128;
/// How many line errors are kept; the others are counted.
pub const ERRORS_MAX: usize = 1_000;

/// In whose name, and into which case.
#[derive(Clone, Copy, Debug)]
pub struct Importer {
    /// Whose rights hold, and who stands in every envelope.
    pub actor: UserId,
    /// The case.
    pub case: CaseId,
    /// The session it was asked in.
    pub session: Option<Uuid>,
    /// The name of this run: its facts share it as their correlation.
    pub run: Option<Uuid>,
}

impl Importer {
    /// An importer without a session.
    pub const fn new(actor: UserId, case: CaseId) -> Self {
        Self { actor, case, session: None, run: None }
    }

    fn request(&self, command: Uuid) -> Request {
        Request {
            on_behalf_of: Some(self.actor.0),
            session: self.session,
            correlation: self.run.unwrap_or(command),
            ..Request::by(Actor::User(self.actor), ActorKind::Import, command)
        }
    }

    /// Whether this importer may file reports here; refused as any filing would be.
    pub async fn may_file(&self, house: &House) -> Result<(), Error<report::Refusal>> {
        may_file(house, self).await
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The last line that was read.
    pub lines_read: u64,
    /// Items that are in the house now: filed by this run, or there already.
    pub done: u64,
    /// Lines and items that were refused.
    pub refused: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// What was refused just now.
    pub error: Option<&'a LineError>,
}

/// Items by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Reports.
    pub reports: u64,
    /// Claims, with their assertions.
    pub claims: u64,
}

impl Tally {
    /// All of them.
    pub const fn all(self) -> u64 {
        self.reports.saturating_add(self.claims)
    }

    const fn count(&mut self, what: What) {
        match what {
            What::Report => self.reports = self.reports.saturating_add(1),
            What::Claim => self.claims = self.claims.saturating_add(1),
        }
    }
}

/// What kind of item it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Report,
    Claim,
}

impl What {
    const fn of(item: &Item) -> Self {
        match item {
            Item::Report(_) => Self::Report,
            Item::Claim(_) => Self::Claim,
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What this run recorded.
    pub filed: Tally,
    /// What was there already, the same.
    pub already: Tally,
    /// Lines and items that were refused; all of them, also those beyond [`ERRORS_MAX`].
    pub refused: u64,
    /// Why, by line, at most [`ERRORS_MAX`].
    pub errors: Vec<LineError>,
    /// The last line that was read.
    pub lines_read: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Why it ended before the file did; what follows that line was perhaps not tried.
    pub stopped: Option<LineError>,
}

impl Summary {
    /// How many refusals are counted and not listed.
    pub fn errors_beyond(&self) -> u64 {
        let listed = u64::try_from(self.errors.len()).unwrap_or(u64::MAX);
        self.refused.saturating_sub(listed)
    }

    fn progress<'a>(&self, error: Option<&'a LineError>) -> Progress<'a> {
        Progress {
            lines_read: self.lines_read,
            done: self.filed.all().saturating_add(self.already.all()),
            refused: self.refused,
            bytes: self.bytes,
            error,
        }
    }

    fn refuse(&mut self, error: LineError, progress: &impl Fn(Progress<'_>)) {
        self.refused = self.refused.saturating_add(1);
        progress(self.progress(Some(&error)));
        if self.errors.len() < ERRORS_MAX {
            let place = self.errors.partition_point(|known| known.line <= error.line);
            self.errors.insert(place, error);
        }
    }

    fn read(&mut self, next: &Result<Numbered, LineError>) {
        let (line, bytes) = match next {
            Ok(numbered) => (numbered.line, numbered.bytes),
            Err(error) => (error.line, self.bytes),
        };
        self.lines_read = self.lines_read.max(line);
        self.bytes = bytes;
    }

    fn settle(&mut self, carried: Carried, progress: &impl Fn(Progress<'_>)) {
        match carried.outcome {
            Outcome::Filed => self.filed.count(carried.what),
            Outcome::Already => self.already.count(carried.what),
            Outcome::Refused(error) => return self.refuse(error, progress),
            Outcome::Stop(error) => {
                self.stopped.get_or_insert_with(|| error.clone());
                return self.refuse(error, progress);
            }
        }
        progress(self.progress(None));
    }
}

/// Carries out an import to its end, or to where it cannot go on.
///
/// Items are taken in order and carried out up to [`IN_FLIGHT_MAX`] at once; a claim waits for its
/// report, and one key for itself. A refused item spoils only itself. The run stops where nothing
/// more can succeed: the right to file is gone, the case was closed, the log or the vault cannot
/// be reached. `progress` is called after every line read and every item settled. Reading `items`
/// blocks: run it where that harms nobody.
pub async fn run<I>(
    house: Arc<House>,
    importer: Importer,
    items: I,
    progress: impl Fn(Progress<'_>),
) -> Summary
where
    I: IntoIterator<Item = Result<Numbered, LineError>>,
{
    let mut items = items.into_iter().fuse();
    let mut summary = Summary::default();
    let mut turns = Turns::default();
    let mut in_flight = FuturesUnordered::new();
    loop {
        while in_flight.len() < IN_FLIGHT_MAX && summary.stopped.is_none() {
            let Some(next) = items.next() else { break };
            summary.read(&next);
            match next {
                Err(error) => summary.refuse(error, &progress),
                Ok(numbered) => {
                    let turn = turns.take(importer.case, &numbered.item);
                    in_flight.push(carry(&house, &importer, numbered, turn));
                    progress(summary.progress(None));
                }
            }
        }
        let Some(carried) = in_flight.next().await else { break };
        turns.over(carried.turn);
        summary.settle(carried, &progress);
    }
    summary
}
