//! Facts of a log elsewhere, written as this journal's next entries, or refused as not the next ones.

use assay_store::fact::{FACT_BYTES_MAX, Recorded};
use assay_store::log::{LogError, Token, check_name, next_revision};
use uuid::Uuid;

use super::{Batch, Head, Stop};
use crate::origin;
use crate::schema;

/// Facts of the log that this journal is a copy of.
pub(crate) struct Taken {
    pub(crate) facts: Vec<Recorded>,
    pub(crate) up_to: Token,
}

impl Batch<'_> {
    /// Writes the next facts of the log and how far it was followed. Any stop takes all of it back.
    pub(crate) fn take(&mut self, taken: &Taken, origin: &origin::Known) -> Result<(), Stop> {
        let before = origin.now();
        if !before.is_copy {
            return Err(Stop::Refused(LogError::Denied));
        }
        let mut followed = before.followed;
        for recorded in &taken.facts {
            if recorded.token.0 == 0 || Some(recorded.token) <= followed {
                let followed = followed.map_or(0, |token| token.0);
                return Err(corrupt(recorded, &format!("comes after token {followed}")));
            }
            self.take_one(recorded, origin)?;
            followed = Some(recorded.token);
        }
        if Some(taken.up_to) < followed || i64::try_from(taken.up_to.0).is_err() {
            let what = format!("{} is no place to go on from", taken.up_to.0);
            return Err(Stop::Refused(LogError::Invalid(what)));
        }
        if before.followed != Some(taken.up_to) {
            origin::write_followed(self.connection, taken.up_to)?;
            self.changes.wrote = true;
        }
        Ok(())
    }

    fn take_one(&mut self, recorded: &Recorded, origin: &origin::Known) -> Result<(), Stop> {
        let Recorded { stream, revision, token, fact } = recorded;
        let fits = check_name(stream).and_then(|()| check_name(&fact.name));
        if fits.is_err() || fact.data.len() > FACT_BYTES_MAX {
            return Err(corrupt(recorded, "has a name or data that no log takes"));
        }
        let head = self.head(stream)?;
        let next = next_revision(head.map(|head| head.last));
        if *revision != next {
            return Err(corrupt(recorded, &format!("comes where revision {next} is next")));
        }
        let sid = self.sid(head, stream)?;
        let written = self.write(sid, stream, *revision, fact).map_err(|stop| match stop {
            Stop::Broken => {
                corrupt(recorded, &format!("has the id {}, which is known already", fact.id))
            }
            other => other,
        })?;
        if token.0 != written.position {
            if token.0 < written.position || i64::try_from(token.0).is_err() {
                return Err(corrupt(recorded, "has a token that cannot be"));
            }
            origin.part_at(written.position);
            origin::write_token(self.connection, written.position, *token)?;
        }
        self.changes.heads.insert(stream.clone(), Head { sid, last: *revision });
        Ok(())
    }

    /// Makes this journal the copy of a log, unless it is already.
    pub(crate) fn adopt(&mut self, log: Uuid, origin: &origin::Known) -> Result<(), Stop> {
        let before = origin.now();
        let refused = |what: String| Err(Stop::Refused(LogError::Invalid(what)));
        if before.is_copy && before.log_id == log {
            return Ok(());
        }
        if before.is_copy {
            return refused(format!(
                "this journal is the copy of log {}, and {log} is another one",
                before.log_id
            ));
        }
        let entries = self.known.tip.position;
        if entries > 0 {
            return refused(format!(
                "this journal holds {entries} entries of its own and cannot become the copy of log {log}"
            ));
        }
        schema::mark_as_copy(self.connection, log)?;
        self.changes.wrote = true;
        Ok(())
    }
}

/// What is here is not what the log holds, or the log changed what it held.
fn corrupt(recorded: &Recorded, how: &str) -> Stop {
    let Recorded { stream, revision, token, .. } = recorded;
    Stop::Refused(LogError::Corrupt(format!(
        "revision {revision} of {stream:?}, at token {}, {how}",
        token.0
    )))
}
