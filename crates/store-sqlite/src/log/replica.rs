//! The file as the copy of a log elsewhere.

use std::sync::Arc;

use assay_store::fact::Recorded;
use assay_store::log::{Followed, LogError, Token};
use assay_store::replica::Replica;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use uuid::Uuid;

use super::{SqliteLog, bytes_of};
use crate::batch::Taken;
use crate::readers::Readers;
use crate::writer::What;

/// The most facts one [`Replica::take`] carries: what is more than that is `TooLarge`.
pub const TAKE_FACTS_MAX: usize = 10_000;

impl Replica for SqliteLog {
    fn upstream(&self) -> Result<Option<Uuid>, LogError> {
        let origin = self.readers.origin.now();
        Ok(origin.is_copy.then_some(origin.log_id))
    }

    fn adopt(&self, log: Uuid) -> BoxFuture<'_, Result<(), LogError>> {
        self.ask(0, move |answer| What::Adopt(log, answer)).boxed()
    }

    fn take(&self, facts: Vec<Recorded>, up_to: Token) -> BoxFuture<'_, Result<u64, LogError>> {
        async move {
            if facts.len() > TAKE_FACTS_MAX {
                return Err(LogError::TooLarge);
            }
            let bytes = bytes_of(facts.iter().map(|recorded| &recorded.fact));
            self.ask(bytes, |answer| What::Take(Taken { facts, up_to }, answer)).await
        }
        .boxed()
    }

    fn token_of(&self, position: u64) -> Result<Option<Token>, LogError> {
        self.readers.token_of(position)
    }

    fn followed(&self) -> Result<Option<Token>, LogError> {
        Ok(self.readers.origin.now().followed)
    }
}

/// Follows by the tokens of the log that this is a copy of, where [`assay_store::follow`] knows
/// positions.
pub(super) fn follow(
    readers: Arc<Readers>,
    after: Option<Token>,
) -> BoxStream<'static, Result<Followed, LogError>> {
    let after = match after {
        Some(token) if readers.origin.now().followed < Some(token) => Err(LogError::TokenAhead),
        Some(token) => readers.entries_up_to(token).map(|position| Some(Token(position))),
        None => Ok(None),
    };
    let after = match after {
        Ok(after) => after,
        Err(error) => return stream::iter([Err(error)]).boxed(),
    };
    let by_position = assay_store::follow::follow(readers.clone(), after);
    let by_token = move |followed| match followed {
        Followed::Progress(Token(position)) => {
            let token = readers.token_of(position)?;
            Ok(Followed::Progress(token.unwrap_or(Token(position))))
        }
        other => Ok(other),
    };
    by_position.map(move |item| item.and_then(&by_token)).boxed()
}
