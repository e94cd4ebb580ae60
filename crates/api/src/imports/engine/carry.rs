//! Carrying out one item: a report is filed; a claim is proposed and then asserted, once both can be.

use assay_commands::{Error, Fault, House};
use assay_domain::aggregate::{Command, Refusal};
use assay_domain::claim::{self, Claim};
use assay_domain::id::{RenditionId, ReportId};
use assay_domain::report::{FileReport, Metadata, RenditionContent, Report, ReportKind};
use assay_domain::{report, text::Phrase};
use assay_exchange::{ClaimItem, Item, LineError, Numbered, ReportItem, ids};
use assay_store::log::LogError;
use assay_store::vault::VaultError;
use uuid::Uuid;

use super::compare::{Done, done, foresee};
use super::turns::{Ticket, Turn};
use super::{Importer, What};

/// How an item ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is recorded.
    Filed,
    /// It was there already, the same.
    Already,
    /// It is refused, and nothing of what was there is touched.
    Refused(LineError),
    /// Neither it nor what follows can succeed now.
    Stop(LineError),
}

/// An item that ended.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) turn: Ticket,
    pub(super) what: What,
    pub(super) outcome: Outcome,
}

/// Waits for an item's turn and carries it out.
pub(super) async fn carry(
    house: &House,
    importer: &Importer,
    numbered: Numbered,
    mut turn: Turn,
) -> Carried {
    turn.come().await;
    let asking = Asking { house, importer, line: numbered.line };
    let what = What::of(&numbered.item);
    let ended = match &numbered.item {
        Item::Report(item) => asking.report(item).await,
        Item::Claim(item) => asking.claim(item).await,
    };
    Carried { turn: turn.ticket(), what, outcome: ended.unwrap_or_else(|not| not) }
}

/// Asks whether filing is allowed, by asking for a filing that every rule refuses: the question of
/// rights comes first and is asked where it is always asked.
pub(crate) async fn may_file(
    house: &House,
    importer: &Importer,
) -> Result<(), Error<report::Refusal>> {
    let name = Uuid::new_v5(&importer.case.0, b"import:may-file");
    let content = RenditionContent::new("?".to_owned(), None).map_err(Error::Refused)?;
    let twice = Phrase::try_from("und").map_err(|error| Error::Refused(error.into()))?;
    let probe = FileReport {
        case: importer.case,
        report: ReportId(name),
        kind: ReportKind::Other,
        rendition: RenditionId(name),
        content,
        stated: vec![Metadata::Language(twice.clone()), Metadata::Language(twice)],
        flags: Vec::new(),
    };
    match house.execute(&importer.request(name), &probe).await {
        Ok(_) | Err(Error::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// One item's questions to the house.
struct Asking<'a> {
    house: &'a House,
    importer: &'a Importer,
    line: u64,
}

impl Asking<'_> {
    async fn report(&self, item: &ReportItem) -> Result<Outcome, Outcome> {
        let case = self.importer.case;
        let command = item.filing(case);
        let receipt = self
            .house
            .execute(&self.importer.request(ids::filing(case, &item.key)), &command)
            .await
            .map_err(|error| self.not_done(error, |_| "/report"))?;
        let (actor, blank) = (self.importer.actor, Report::default());
        self.ended(done(self.house, actor, &command, &blank, &receipt).await, &[])
    }

    async fn claim(&self, item: &ClaimItem) -> Result<Outcome, Outcome> {
        let case = self.importer.case;
        self.must_be_possible(item).await?;
        let blank = Claim { in_case: Some(case), ..Claim::default() };
        let proposal = item.proposal(case);
        let name = ids::proposal(case, &item.key);
        let proposed = self.ask(name, &proposal, &Claim::default(), |_| "/claim").await?;
        let Some(recording) = item.recording(case) else {
            return self.ended(Ok(proposed), &[]);
        };
        if let Done::Changed | Done::Unknown = proposed {
            return self.ended(Ok(proposed), &[]);
        }
        let name = ids::recording(case, &item.key);
        let recorded = self.ask(name, &recording, &blank, under_claim).await?;
        self.ended(Ok(recorded), &[proposed])
    }

    /// Refuses a claim whose report is not there or whose words do not stand in it before anything
    /// is proposed, so that no claim is left behind without who says it.
    async fn must_be_possible(&self, item: &ClaimItem) -> Result<(), Outcome> {
        let (case, house) = (self.importer.case, self.house);
        let fault = |fault| self.fault(&fault);
        let report =
            house.load::<Report>(ids::report(case, &item.report).0).await.map_err(fault)?;
        if report.state.in_case != Some(case) {
            let detail = "there is no report under this key; it stands before its claims";
            let error = LineError::new(self.line, "report_unknown", detail);
            return Err(Outcome::Refused(error.at("/claim/report")));
        }
        let Some(recording) = item.recording(case) else { return Ok(()) };
        let claim = house.load::<Claim>(recording.claim.0).await.map_err(fault)?;
        if claim.state.assertions.contains_key(&recording.assertion) {
            return Ok(()); // Recorded before: whether it was the same is compared later.
        }
        let blank = Claim { in_case: Some(case), ..Claim::default() };
        let foreseen = foresee(house, self.importer.actor, &recording, &blank).await;
        let refused = foreseen.map_err(fault)?.err();
        refused.map_or(Ok(()), |refusal| Err(self.refused(&refusal, under_claim)))
    }

    /// Asks for one change of a claim, and what became of it.
    async fn ask<C>(
        &self,
        name: Uuid,
        command: &C,
        blank: &Claim,
        under: fn(&str) -> &'static str,
    ) -> Result<Done, Outcome>
    where
        C: Command<On = Claim, Refusal = claim::Refusal>,
    {
        let request = self.importer.request(name);
        let receipt = self.house.execute(&request, command).await;
        let receipt = receipt.map_err(|error| self.not_done(error, under))?;
        let done = done(self.house, self.importer.actor, command, blank, &receipt).await;
        done.map_err(|fault| self.fault(&fault))
    }

    /// The outcome of an item, of its last command and those before.
    fn ended(&self, last: Result<Done, Fault>, before: &[Done]) -> Result<Outcome, Outcome> {
        let last = last.map_err(|fault| self.fault(&fault))?;
        let error = |code, detail: &str| Outcome::Refused(LineError::new(self.line, code, detail));
        Ok(match last {
            Done::Changed => error(
                "import_changed",
                "another item was imported under this key; it stays as it is",
            ),
            Done::Unknown => error(
                "import_not_compared",
                "it was imported before, and this node does not see it yet; import it again",
            ),
            Done::Before if !before.contains(&Done::Now) => Outcome::Already,
            Done::Now | Done::Before => Outcome::Filed,
        })
    }

    fn refused(&self, refusal: &impl Refusal, under: fn(&str) -> &'static str) -> Outcome {
        let pointer = refusal.pointer().unwrap_or_default();
        Outcome::Refused(LineError::refused(self.line, under(&pointer), refusal))
    }

    /// What a command that did not happen means for its item and for the run.
    fn not_done<R: Refusal>(&self, error: Error<R>, under: fn(&str) -> &'static str) -> Outcome {
        let line = |code, detail: &str| LineError::new(self.line, code, detail);
        let stop = |code, detail: &str| Outcome::Stop(line(code, detail));
        match error {
            Error::Unseen => stop("not_found", "there is nothing there"),
            Error::Forbidden => stop("forbidden", "not with your roles"),
            Error::Inactive => stop("unauthenticated", "the account is not active"),
            Error::CaseClosed => stop("case_closed", "the case is closed"),
            Error::Refused(refusal) => self.refused(&refusal, under),
            Error::KeyReused => Outcome::Refused(line(
                "import_changed",
                "something else was recorded under this key; it stays as it is",
            )),
            Error::Moved { .. } | Error::Busy => {
                Outcome::Refused(line("busy", "too many changed it at once; import it again"))
            }
            Error::Fault(fault) => self.fault(&fault),
        }
    }

    /// A fault says nothing of the inside here; the log line says all.
    fn fault(&self, fault: &Fault) -> Outcome {
        let (code, detail) = match fault {
            Fault::Log(LogError::TooLarge) => {
                let error = LineError::new(self.line, "too_large", "too much for one fact");
                return Outcome::Refused(error);
            }
            Fault::Log(LogError::Full) => ("storage_full", "there is no room to record it"),
            Fault::Log(LogError::Unavailable { .. }) => {
                ("log_unavailable", "the log cannot take it now; import it again later")
            }
            Fault::Vault(VaultError::Unavailable(_)) => {
                ("vault_unavailable", "the vault cannot be reached now; import it again later")
            }
            _ => ("internal", "this did not work, and it is not your fault"),
        };
        tracing::error!(line = self.line, code, %fault, "an import stops");
        Outcome::Stop(LineError::new(self.line, code, detail))
    }
}

/// Where the fields of an assertion stand in a line.
fn under_claim(pointer: &str) -> &'static str {
    if pointer.starts_with("/report") { "/claim" } else { "/claim/assertion" }
}
