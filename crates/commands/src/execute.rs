//! The one way a fact comes to be: authorise, load, decide, seal, append.

use std::sync::Arc;

use assay_domain::aggregate::{Command, Context, EventOf, stream_of};
use assay_domain::id::CaseId;
use assay_store::fact::{Envelope, NewFact, Recorded};
use assay_store::journal::Journal;
use assay_store::keyring::KeyRing;
use assay_store::log::{Appended, Direction, Expected, Log, LogError, Token};
use assay_store::vault::{Key, KeyId, KeyState};
use jiff::Timestamp;
use uuid::Uuid;

use crate::codec::{Stored, encode};
use crate::error::{Error, Fault, Since};
use crate::load::{Cached, Folds, Loaded};
use crate::request::{Clock, Receipt, Request, event_id};

/// How often a command looks again when somebody else wrote first.
pub const ATTEMPTS_MAX: usize = 8;
/// How many facts a lost update is told about.
const SINCE_MAX: usize = 50;

/// The house: its log, its keys, its clock.
#[derive(Debug)]
pub struct House {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) folds: Folds,
}

impl House {
    /// A house on a log, with the node's journal of it.
    pub fn new(
        log: Arc<dyn Log>,
        journal: Arc<dyn Journal>,
        keys: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { log, journal, keys, clock, folds: Folds::new() }
    }

    /// The node's journal.
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    /// The keys at hand.
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.keys
    }

    /// The house's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Carries out a command; the same request again answers the same and adds nothing.
    pub async fn execute<C: Command<On: Cached>>(
        &self,
        request: &Request,
        command: &C,
    ) -> Result<Receipt, Error<C::Refusal>> {
        let stream = stream_of::<C::On>(command.target());
        for _ in 0..ATTEMPTS_MAX {
            let target = self.load::<C::On>(command.target()).await?;
            if let Some(receipt) = self.replay(request, &stream, &target)? {
                return Ok(receipt);
            }
            let granted = self.authorise(request, command, &target.state).await?;
            self.must_match(request, &stream, &target).await?;
            let found = self.look_up(command, &target.state).await?;
            let now = self.clock.now();
            let revision = target.revision;
            let ctx =
                Context { actor: request.actor.id(), roles: granted.roles, now, revision, found };
            let events = command.decide(&target.state, &ctx).map_err(Error::Refused)?;
            if events.is_empty() {
                return Ok(self.unchanged(&stream, &target)?);
            }
            let draft = Draft { stream: &stream, now, case: granted.case, events: &events };
            let written = self.write::<C>(request, command.target(), target, draft).await;
            match written {
                Err(Fault::Log(LogError::Conflict { .. })) => (), // Somebody else wrote first: look again.
                Err(Fault::Log(LogError::Invalid(_))) => return Err(Error::KeyReused),
                other => return Ok(other?),
            }
        }
        Err(Error::Busy)
    }

    /// The receipt of the same command carried out before by the same asker, if it was.
    ///
    /// Looked at before their rights: the command may be the one that took those away.
    fn replay<A: Cached, R>(
        &self,
        request: &Request,
        stream: &str,
        target: &Loaded<A>,
    ) -> Result<Option<Receipt>, Error<R>> {
        let Some(done) = target.commands.get(&request.command) else { return Ok(None) };
        let asker = request.taken.first().map_or_else(|| request.actor.id(), |taken| taken.actor);
        if done.actor != asker.0 || done.mac != request.mac {
            return Err(Error::KeyReused);
        }
        let event_ids: Vec<Uuid> =
            (0..done.facts).map(|at| event_id(request.command, at)).collect();
        let mut receipt = self.receipt_of(stream, &event_ids)?;
        receipt.revision = Some(done.last);
        // Another node wrote it and this one does not have it yet: the stream's end is not before it.
        receipt.token = receipt.token.or(target.token);
        receipt.replayed = true;
        Ok(Some(receipt))
    }

    /// Refuses a lost update and says what came between.
    async fn must_match<A: Cached, R>(
        &self,
        request: &Request,
        stream: &str,
        target: &Loaded<A>,
    ) -> Result<(), Error<R>> {
        let Some(seen) = request.if_match else { return Ok(()) };
        let current = target.revision;
        if current == Some(seen) {
            return Ok(());
        }
        let from = seen.saturating_add(1);
        let facts = match self.log.read_stream(stream, from, Direction::Forward, SINCE_MAX).await {
            Err(LogError::StreamNotFound) => Vec::new(),
            other => other.map_err(Fault::from)?,
        };
        Err(Error::Moved { current, since: facts.into_iter().map(since).collect() })
    }

    /// The receipt of a command that changed nothing.
    fn unchanged<A: Cached>(&self, stream: &str, target: &Loaded<A>) -> Result<Receipt, Fault> {
        let mut receipt = self.receipt_of(stream, &[])?;
        receipt.revision = target.revision;
        receipt.token = target.token;
        let reached = target.token.map(|token| self.journal.reached(token)).transpose()?;
        receipt.position = reached.flatten();
        Ok(receipt)
    }

    fn receipt_of(&self, stream: &str, event_ids: &[Uuid]) -> Result<Receipt, Fault> {
        let entry = event_ids.last().map(|id| self.journal.locate(*id)).transpose()?.flatten();
        Ok(Receipt {
            stream: stream.to_owned(),
            revision: entry.as_ref().map(|entry| entry.recorded.revision),
            event_ids: event_ids.to_vec(),
            position: entry.as_ref().map(|entry| entry.position),
            leaf_hash: entry.as_ref().map(|entry| entry.leaf_hash),
            token: entry.map(|entry| entry.recorded.token),
            replayed: false,
        })
    }

    /// Seals and appends; keeps the fold it leads to.
    async fn write<C: Command<On: Cached>>(
        &self,
        request: &Request,
        id: Uuid,
        target: Loaded<C::On>,
        draft: Draft<'_, EventOf<C>>,
    ) -> Result<Receipt, Fault> {
        let (key_id, key) = self.key_for(&target).await?;
        let expected = target.revision.map_or(Expected::NoStream, Expected::Exact);
        let first = target.revision.map_or(0, |revision| revision.saturating_add(1));
        let facts = draft.facts(request, first, key_id, &key)?;
        let mut folded = target;
        for ((event, fact), revision) in draft.events.iter().zip(&facts).zip(first..) {
            let recorded = Recorded {
                stream: draft.stream.to_owned(),
                revision,
                token: Token(0), // Known only after the append; put right below.
                fact: fact.clone(),
            };
            folded = folded.after(event, &recorded);
        }
        let facts = draft.in_case(facts, folded.state.as_ref());
        let event_ids: Vec<Uuid> = facts.iter().map(|fact| fact.id).collect();
        let appended = self.append(draft.stream, expected, facts).await?;
        folded.token = Some(appended.token);
        if !request.taken.is_empty() {
            // Folded from facts still sealed: the next to ask reads them with their keys.
            self.unlearn::<C::On>(id);
        } else if folded.revision == Some(appended.last) {
            self.remember(id, folded);
        }
        let last = appended.committed.last();
        Ok(Receipt {
            stream: draft.stream.to_owned(),
            revision: Some(appended.last),
            event_ids,
            position: last.map(|committed| committed.position),
            leaf_hash: last.map(|committed| committed.leaf_hash),
            token: Some(appended.token),
            replayed: false,
        })
    }

    /// Appends; an unknown outcome is asked once more with the same ids, which is harmless.
    async fn append(
        &self,
        stream: &str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> Result<Appended, LogError> {
        match self.log.append(stream, expected, facts.clone()).await {
            Err(LogError::Unavailable { outcome_unknown: true }) => {
                tracing::warn!(
                    stream,
                    "the outcome of an append is unknown; asking again with the same ids"
                );
                self.log.append(stream, expected, facts).await
            }
            other => other,
        }
    }

    /// The subject's key, or a new one for a new or a forgotten subject.
    async fn key_for<A: Cached>(&self, target: &Loaded<A>) -> Result<(KeyId, Key), Fault> {
        if let Some(id) = target.key {
            self.keys.fetch(&[id]).await?;
            if let Some(KeyState::Held(key)) = self.keys.get(id) {
                return Ok((id, key));
            }
        }
        Ok(self.keys.draw().await?)
    }
}

/// Facts about to be written.
struct Draft<'a, E> {
    stream: &'a str,
    now: Timestamp,
    case: Option<CaseId>,
    events: &'a [E],
}

impl<E: serde::Serialize> Draft<'_, E> {
    fn facts(
        &self,
        request: &Request,
        first: u64,
        key_id: KeyId,
        key: &Key,
    ) -> Result<Vec<NewFact>, Fault> {
        let mut facts = Vec::with_capacity(self.events.len());
        for ((event, index), revision) in self.events.iter().zip(0..).zip(first..) {
            let fault = |source| Fault::codec(self.stream, revision, source);
            let Stored { name, data } = encode(event, self.stream, key_id, key).map_err(fault)?;
            let id = event_id(request.command, index);
            let envelope = self.envelope(request, index);
            facts.push(NewFact { id, name, envelope, data: data.into() });
        }
        Ok(facts)
    }

    fn envelope(&self, request: &Request, index: u32) -> Envelope {
        let taken = usize::try_from(index).ok().and_then(|index| request.taken.get(index));
        Envelope {
            recorded_at: self.now.as_microsecond(),
            actor: taken.map_or_else(|| request.actor.id().0, |taken| taken.actor.0),
            actor_kind: request.kind,
            on_behalf_of: request.on_behalf_of,
            session: request.session,
            command: request.command,
            causation: taken.map(|taken| taken.fact),
            correlation: request.correlation,
            case: self.case.map(|case| case.0),
            request_mac: request.mac,
        }
    }

    /// The same facts, naming the case that their first one opened.
    fn in_case<A: assay_domain::aggregate::Aggregate>(
        &self,
        mut facts: Vec<NewFact>,
        state: &A,
    ) -> Vec<NewFact> {
        let case = self.case.or_else(|| state.case()).map(|case| case.0);
        for fact in &mut facts {
            fact.envelope.case = case;
        }
        facts
    }
}

fn since(recorded: Recorded) -> Since {
    let envelope = &recorded.fact.envelope;
    Since {
        revision: recorded.revision,
        actor: envelope.actor,
        recorded_at: Timestamp::from_microsecond(envelope.recorded_at)
            .unwrap_or(Timestamp::UNIX_EPOCH),
        name: recorded.fact.name,
    }
}
