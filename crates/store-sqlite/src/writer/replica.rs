//! What the writer does for a journal that is the copy of a log elsewhere.

use std::sync::atomic::Ordering;

use assay_store::log::LogError;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::outcome::End;
use super::{Answer, Writer};
use crate::batch::Taken;

impl Writer {
    pub(super) fn serve_take(&mut self, taken: &Taken, sender: oneshot::Sender<Answer<u64>>) {
        let before = self.readers.origin.now();
        let done = self.refuse_if_read_only().and_then(|()| {
            let readers = self.readers.clone();
            self.transaction(|batch| batch.take(taken, &readers.origin)).map_err(End::error)
        });
        let head = self.known.tip.position;
        // The head first: whoever sees how far the log was followed must find what was in it.
        self.readers.head.store(head, Ordering::Release);
        match &done {
            Ok(()) => self.readers.origin.follow_to(taken.up_to),
            // It may be in the file all the same.
            Err(LogError::Unavailable { outcome_unknown: true }) => {}
            Err(_) => self.readers.origin.part_again_at(before.apart_from),
        }
        let _gone = sender.send(done.map(|()| head));
        if self.readers.origin.now().followed != before.followed {
            self.wake();
        }
    }

    pub(super) fn serve_adopt(&mut self, log: Uuid, sender: oneshot::Sender<Answer<()>>) {
        let done = self.refuse_if_read_only().and_then(|()| {
            let readers = self.readers.clone();
            self.transaction(|batch| batch.adopt(log, &readers.origin)).map_err(End::error)
        });
        if done.is_ok() {
            self.readers.origin.become_copy_of(log);
        }
        let _gone = sender.send(done);
    }

    fn refuse_if_read_only(&self) -> Result<(), LogError> {
        if self.counters.read_only.load(Ordering::Relaxed) {
            return Err(LogError::Unavailable { outcome_unknown: false });
        }
        Ok(())
    }
}
