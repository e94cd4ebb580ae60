//! Entries of a log as the appends that make them again: neighbours of one stream go together.

use assay_store::fact::{APPEND_BYTES_MAX, APPEND_FACTS_MAX, Recorded};
use assay_store::log::{Append, Expected};

/// With so many appends a group is full.
const GROUP_APPENDS_MAX: usize = 256;
/// With so many bytes of facts a group is full.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Appends that are asked for together, in the order of the log.
#[derive(Debug, Default)]
pub(super) struct Group {
    appends: Vec<Append>,
    bytes: usize,
    /// What the last append carries, in bytes.
    last_bytes: usize,
    /// The revision that would continue the last append.
    next_revision: u64,
}

impl Group {
    /// Adds the next entry of the log.
    pub(super) fn push(&mut self, recorded: Recorded) {
        let Recorded { stream, revision, fact, .. } = recorded;
        let bytes = fact.data.len();
        let together = self.last_bytes.saturating_add(bytes);
        let continues = revision == self.next_revision && together <= APPEND_BYTES_MAX;
        self.bytes = self.bytes.saturating_add(bytes);
        self.next_revision = revision.saturating_add(1);
        if let Some(last) = self.appends.last_mut()
            && continues
            && last.stream == stream
            && last.facts.len() < APPEND_FACTS_MAX
        {
            last.facts.push(fact);
            self.last_bytes = together;
            return;
        }
        let expected = revision.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
        self.appends.push(Append { stream, expected, facts: vec![fact] });
        self.last_bytes = bytes;
    }

    /// Whether it is time to ask for them.
    pub(super) const fn is_full(&self) -> bool {
        self.appends.len() >= GROUP_APPENDS_MAX || self.bytes >= GROUP_BYTES_MAX
    }

    /// The appends.
    pub(super) fn into_appends(self) -> Vec<Append> {
        self.appends
    }
}

#[cfg(test)]
mod tests {
    use assay_store::log::check_append;

    use super::*;
    use crate::moving::testing::recorded;

    fn grouped(facts: Vec<Recorded>) -> Vec<Append> {
        let mut group = Group::default();
        for fact in facts {
            group.push(fact);
        }
        group.into_appends()
    }

    #[test]
    fn neighbours_of_one_stream_are_one_append() {
        let facts = [("a", 0), ("a", 1), ("b", 0), ("a", 2), ("a", 3)];
        let appends = grouped(facts.map(|(stream, revision)| recorded(stream, revision, 9)).into());
        let shape: Vec<_> = appends
            .iter()
            .map(|one| (one.stream.as_str(), one.expected, one.facts.len()))
            .collect();
        assert_eq!(
            shape,
            [
                ("a", Expected::NoStream, 2),
                ("b", Expected::NoStream, 1),
                ("a", Expected::Exact(1), 2)
            ]
        );
    }

    #[test]
    fn no_append_is_over_a_limit() {
        let many = (0..1_201).map(|revision| recorded("many", revision, 3));
        let big = (0..5).map(|revision| recorded("big", revision, 500 * 1024));
        let appends = grouped(many.chain(big).collect());
        assert!(appends.iter().all(|one| check_append(&one.stream, &one.facts).is_ok()));
        let facts: Vec<usize> = appends.iter().map(|one| one.facts.len()).collect();
        assert_eq!(facts, [500, 500, 201, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_gap_in_a_stream_is_left_for_the_target_to_find() {
        let appends = grouped(vec![recorded("a", 0, 1), recorded("a", 2, 1)]);
        let expected: Vec<_> = appends.iter().map(|one| one.expected).collect();
        assert_eq!(expected, [Expected::NoStream, Expected::Exact(1)]);
    }
}
