//! Appends that are asked for together, and carried out one after the other.

use assay_store::log::{Append, Appended, LogError, check_append};

use super::{SqliteLog, bytes_of};
use crate::batch::Wanted;
use crate::writer::{GROUP_BYTES_MAX, What};

/// What goes into one transaction.
#[derive(Default)]
struct Part {
    wanted: Vec<Wanted>,
    bytes: usize,
}

impl SqliteLog {
    /// Carries them out in parts, each in one transaction; the first that fails ends it.
    pub(super) async fn carry_out(&self, appends: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        let mut answers = Vec::with_capacity(appends.len());
        let mut part = Part::default();
        for Append { stream, expected, facts } in appends {
            if let Err(error) = check_append(&stream, &facts) {
                self.finish(&mut part, &mut answers).await?;
                return Err(error);
            }
            part.bytes += bytes_of(&facts);
            part.wanted.push(Wanted { stream, expected, facts });
            if part.wanted.len() >= self.order_appends_max || part.bytes >= GROUP_BYTES_MAX {
                self.finish(&mut part, &mut answers).await?;
            }
        }
        self.finish(&mut part, &mut answers).await?;
        Ok(answers)
    }

    async fn finish(&self, part: &mut Part, answers: &mut Vec<Appended>) -> Result<(), LogError> {
        let Part { wanted, bytes } = std::mem::take(part);
        if !wanted.is_empty() {
            answers.extend(self.ask(bytes, |answer| What::InOrder(wanted, answer)).await?);
        }
        Ok(())
    }
}
