//! What is taken into the journal at once: as much as is there, within limits.

use assay_store::fact::{FACT_BYTES_MAX, Recorded};
use assay_store::log::Token;

/// The most facts taken at once.
pub(crate) const BATCH_FACTS_MAX: usize = 500;
/// The most bytes of facts taken at once.
pub(crate) const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What a fact counts for beside its data.
const ENVELOPE_BYTES: usize = 1024;

/// The facts that came and are not in the journal yet.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    facts: Vec<Recorded>,
    bytes: usize,
    seen: Option<Token>,
    caught_up: bool,
}

/// What is taken at once.
#[derive(Debug)]
pub(crate) struct Part {
    /// The facts, in order.
    pub(crate) facts: Vec<Recorded>,
    /// Up to where the log was followed with them.
    pub(crate) up_to: Token,
    /// Whether the log had no more when they came.
    pub(crate) caught_up: bool,
}

impl Batch {
    /// An empty one, where the log was followed up to a place.
    pub(crate) fn after(seen: Option<Token>) -> Self {
        Self { seen, ..Self::default() }
    }

    /// Whether the biggest fact there may be has room.
    pub(crate) const fn has_room(&self) -> bool {
        let bytes = self.bytes + FACT_BYTES_MAX + ENVELOPE_BYTES;
        self.facts.len() < BATCH_FACTS_MAX && bytes <= BATCH_BYTES_MAX
    }

    /// Adds the next fact; whether it stands after all that came before, as it must.
    pub(crate) fn add(&mut self, fact: Recorded) -> bool {
        if self.seen.is_some_and(|seen| fact.token <= seen) {
            return false;
        }
        self.seen = Some(fact.token);
        self.bytes += fact.fact.data.len() + ENVELOPE_BYTES;
        self.facts.push(fact);
        true
    }

    /// Notes that everything up to a place has come.
    pub(crate) fn followed(&mut self, token: Token) {
        self.seen = self.seen.max(Some(token));
    }

    /// Notes that the log had no more.
    pub(crate) const fn caught_up(&mut self) {
        self.caught_up = true;
    }

    /// Whether there is no fact in it.
    pub(crate) const fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Up to where the log was followed with what is in it.
    pub(crate) const fn seen(&self) -> Option<Token> {
        self.seen
    }

    /// Whether the log had no more; said once.
    pub(crate) const fn take_caught_up(&mut self) -> bool {
        std::mem::replace(&mut self.caught_up, false)
    }

    /// All that is in it; nothing if the log was never followed anywhere.
    pub(crate) fn drain(&mut self) -> Option<Part> {
        let up_to = self.seen?;
        self.bytes = 0;
        let facts = std::mem::take(&mut self.facts);
        Some(Part { facts, up_to, caught_up: self.take_caught_up() })
    }

    /// Forgets all that is in it.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fact at a place, with so many bytes.
    fn fact(token: u64, bytes: usize) -> Recorded {
        let mut fact = crate::tests::fact(token);
        fact.data = vec![b'x'; bytes].into();
        Recorded { stream: "s".to_owned(), revision: token, token: Token(token), fact }
    }

    #[test]
    fn a_batch_is_full_by_count_or_by_bytes() {
        for (bytes, most) in [(10, BATCH_FACTS_MAX), (FACT_BYTES_MAX, 7)] {
            let mut batch = Batch::after(None);
            let filled =
                (1..).take_while(|token| batch.has_room() && batch.add(fact(*token, bytes)));
            assert_eq!(filled.count(), most);
            let part = batch.drain().unwrap();
            assert!(part.facts.iter().map(|f| f.fact.data.len()).sum::<usize>() <= BATCH_BYTES_MAX);
            assert_eq!(part.up_to, part.facts.last().unwrap().token);
            assert!(batch.is_empty() && batch.has_room());
        }
    }

    #[test]
    fn what_does_not_follow_is_not_added() {
        let mut batch = Batch::after(Some(Token(5)));
        assert!(!batch.add(fact(5, 1)) && batch.add(fact(6, 1)) && !batch.add(fact(6, 1)));
        batch.followed(Token(9));
        assert!(!batch.add(fact(8, 1)) && batch.add(fact(10, 1)));
        assert_eq!(batch.drain().unwrap().facts.len(), 2);
    }
}
