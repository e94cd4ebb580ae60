//! Positions and tokens of the log that the journal is a copy of.

use assay_store::journal::Journal as _;
use assay_store::log::{LogError, Token};

use super::Readers;

impl Readers {
    /// The token of the entry at a position.
    pub(crate) fn token_of(&self, position: u64) -> Result<Option<Token>, LogError> {
        if position == 0 || position > self.head()? {
            return Ok(None);
        }
        self.with(|connection| self.origin.token_of(connection, position)).map(Some)
    }

    /// How many entries there are up to a token, that one included.
    pub(crate) fn entries_up_to(&self, token: Token) -> Result<u64, LogError> {
        let head = self.head()?;
        let after = Token(token.0.saturating_add(1));
        let first = self.with(|connection| self.origin.first_from(connection, after))?;
        Ok(first.map_or(head, |first| (first - 1).min(head)))
    }

    /// The position by which the fact at a token is here.
    pub(super) fn position_reached(&self, token: Token) -> Result<Option<u64>, LogError> {
        let origin = self.origin.now();
        let head = self.head()?;
        if !origin.is_copy || token.0 == 0 {
            return Ok((token.0 <= head).then_some(token.0));
        }
        if origin.followed < Some(token) {
            return Ok(None);
        }
        // Where no fact at or after it is here, everything before it is.
        let first = self.with(|connection| self.origin.first_from(connection, token))?;
        Ok(Some(first.unwrap_or(head)))
    }
}
