//! What can be seen to be missing: streams with gaps, entries out of order, time that goes back.

use std::collections::HashMap;

use uuid::Uuid;

use crate::line::Line;
use crate::report::{CheckName, Report};

/// What was seen of one stream.
#[derive(Debug)]
struct Seen {
    last: u64,
    /// Where something before it is missing first.
    gap: Option<u64>,
    of_case: bool,
}

/// Everything seen of the entries so far.
#[derive(Debug)]
pub(crate) struct Streams {
    case: Uuid,
    seen: HashMap<String, Seen>,
    last: Option<(u64, i64)>,
    order: Option<(String, u64)>,
    broken: Option<(String, u64)>,
    pub(crate) entries: u64,
    pub(crate) withheld: u64,
}

impl Streams {
    /// Nothing seen yet of this case.
    pub(crate) fn new(case: Uuid) -> Self {
        let (last, order, broken) = (None, None, None);
        Self { case, seen: HashMap::new(), last, order, broken, entries: 0, withheld: 0 }
    }

    /// The last position.
    pub(crate) fn last_position(&self) -> u64 {
        self.last.map_or(0, |(position, _)| position)
    }

    /// Sees the next entry.
    pub(crate) fn see(&mut self, line: &Line) {
        self.entries += 1;
        let recorded_at = line.envelope.recorded_at;
        if let Some((position, before)) = self.last {
            if line.position <= position {
                let words = format!("the entry stands after position {position}");
                self.order.get_or_insert((words, line.position));
            } else if recorded_at < before {
                let words = "it was recorded before the entry that precedes it".to_owned();
                self.order.get_or_insert((words, line.position));
            }
        }
        self.last = Some((line.position, recorded_at));
        if let Some(case) = line.envelope.case.filter(|case| *case != self.case) {
            let words = format!("the entry belongs to another case, {case}");
            self.broken.get_or_insert((words, line.position));
        }
        self.place(line);
    }

    fn place(&mut self, line: &Line) {
        let of_case = line.envelope.case.is_some();
        let (revision, here) = (line.revision, line.position);
        let Some(seen) = self.seen.get_mut(&line.stream) else {
            let gap = (revision > 0).then_some(here);
            self.seen.insert(line.stream.clone(), Seen { last: revision, gap, of_case });
            return;
        };
        seen.of_case |= of_case;
        if revision <= seen.last {
            let words = format!("revision {revision} of {} is there twice", line.stream);
            self.broken.get_or_insert((words, here));
        } else if revision - seen.last > 1 {
            seen.gap.get_or_insert(here);
        }
        seen.last = revision;
    }

    /// Writes down what was found.
    pub(crate) fn tell(self, report: &mut Report) {
        match self.order {
            Some((words, position)) => report.fail(CheckName::Order, words, Some(position)),
            None => report.hold(CheckName::Order, "positions ascend and time never goes back"),
        }
        if let Some((words, position)) = self.broken {
            report.fail(CheckName::Streams, words, Some(position));
        }
        let gaps = self.seen.iter().filter(|(_, seen)| seen.of_case);
        let gaps = gaps.filter_map(|(stream, seen)| seen.gap.map(|at| (at, stream)));
        if let Some((at, stream)) = gaps.min() {
            let words = format!("entries of {stream} before this one are missing");
            report.fail(CheckName::Streams, words, Some(at));
        }
        let own = format!("case-{}", self.case);
        if !self.seen.get(&own).is_some_and(|seen| seen.of_case) {
            report.fail(
                CheckName::Streams,
                format!("the case's own stream {own} is missing"),
                None,
            );
        }
        let of_case = self.seen.values().filter(|seen| seen.of_case).count();
        let others = self.seen.len() - of_case;
        report.hold(
            CheckName::Streams,
            format!(
                "{of_case} streams of the case run from their first entry on without gaps; \
                 {others} others (people, sources) are excerpts, as they are meant to be"
            ),
        );
    }
}
