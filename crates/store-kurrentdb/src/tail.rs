//! Going on in `$all` without missing anything: no answer is taken for the end that does not prove it.

use crate::connection::Connection;
use crate::error::Trouble;
use crate::reads::Found;

/// How often nothing may come although something must be there.
const STALLS_MAX: u32 = 20;

/// A reader of all streams with a prefix, in the order of the log.
#[derive(Debug)]
pub(crate) struct Tail {
    connection: Connection,
    prefix: String,
    place: Option<u64>,
    stalls: u32,
}

impl Tail {
    /// Begins after a place of the log, or at its beginning.
    pub(crate) fn new(connection: Connection, prefix: String, place: Option<u64>) -> Self {
        Self { connection, prefix, place, stalls: 0 }
    }

    /// Everything of ours at or below this was given out.
    pub(crate) const fn place(&self) -> Option<u64> {
        self.place
    }

    /// Forgets how far it was.
    pub(crate) fn rewind(&mut self) {
        self.place = None;
    }

    /// The last event of `$all`, whoever wrote it.
    pub(crate) async fn head(&self) -> Result<Option<Found>, Trouble> {
        self.connection.last_of_all(None).await
    }

    /// Whether everything up to this event of `$all` was given out.
    pub(crate) fn reached(&self, head: &Found) -> bool {
        self.place >= Some(head.position.commit)
    }

    /// The next events of ours towards an event of `$all`, in order; the place moves with them.
    ///
    /// The streams with that event's name are asked for too, so the answer must contain it when it
    /// is whole: an answer that ended early only means a smaller step, however cleanly it ended.
    pub(crate) async fn towards(&mut self, head: &Found) -> Result<Vec<Found>, Trouble> {
        let place = self.place;
        let events = self.connection.all_from(place, [&self.prefix, &head.stream]).await?;
        let ours;
        (self.place, ours) = sift(place, &self.prefix, events);
        self.stalls = if self.place > place { 0 } else { self.stalls.saturating_add(1) };
        if self.stalls > STALLS_MAX {
            let last = &head.stream;
            tracing::error!(last, "the last event of `$all` cannot be reached");
            return Err(Trouble::Late);
        }
        Ok(ours)
    }
}

/// How far the events go, and which of them are ours. What is read from a place on begins with the
/// event at that place.
fn sift(place: Option<u64>, prefix: &str, events: Vec<Found>) -> (Option<u64>, Vec<Found>) {
    let mut reached = place;
    let mut ours = Vec::with_capacity(events.len());
    for event in events.into_iter().filter(|event| Some(event.position.commit) > place) {
        reached = Some(event.position.commit);
        if event.stream.starts_with(prefix) {
            ours.push(event);
        }
    }
    (reached, ours)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kurrentdb::Position;
    use uuid::Uuid;

    use super::*;

    fn event(commit: u64, stream: &str) -> Found {
        Found {
            stream: stream.to_owned(),
            revision: 0,
            position: Position { commit, prepare: commit },
            id: Uuid::nil(),
            name: String::new(),
            envelope: Bytes::new(),
            data: Bytes::new(),
        }
    }

    #[test]
    fn an_answer_that_was_cut_is_a_smaller_step_and_never_the_end() {
        let whole =
            || vec![event(5, "a/1"), event(7, "$stats"), event(9, "a/2"), event(12, "$stats")];
        for cut in 0..=4 {
            let read = whole().into_iter().take(cut).collect();
            let (place, ours) = sift(Some(5), "a/", read);
            let wanted = [5, 5, 7, 9, 12][cut];
            assert_eq!(place, Some(wanted), "as far as it was read");
            let wanted = if cut >= 3 { vec![9] } else { vec![] };
            assert!(
                ours.iter().map(|event| event.position.commit).eq(wanted),
                "and not itself again"
            );
        }
        assert_eq!(sift(None, "a/", Vec::new()).0, None);
    }
}
