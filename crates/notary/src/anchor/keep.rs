//! Sending a checkpoint to one anchor, and keeping what came back.

use std::sync::Arc;

use assay_ledger::{NoteSignature, SignedCheckpoint};

use crate::anchor::{Anchor, Prover, Receipt, SEND_MAX, Words, off};
use crate::checkpoints::TIMESTAMPS_MAX;
use crate::error::NotaryError;
use crate::notary::{Notary, Published, lock};

impl Notary {
    /// Sends the newest checkpoint to an anchor if it is time; the answer is whether it was tried.
    pub(crate) async fn send(self: &Arc<Self>, index: usize) -> bool {
        let Some(anchor) = self.anchors.get(index) else { return false };
        let notary = Arc::clone(self);
        let at = off(move || Ok::<_, NotaryError>(notary.send_at(index))).await.ok().flatten();
        let due = at.is_some_and(|at| at <= self.now());
        let Some(published) = self.latest().filter(|_| due) else { return false };
        let size = published.checkpoint.size;
        let outcome = self.send_published(anchor, &published).await;
        let now = self.now();
        match outcome {
            Ok(()) => {
                anchor.succeeded(size, now);
                tracing::debug!(anchor = %anchor.name, size, "an anchor took a checkpoint");
            }
            Err(words) => {
                tracing::warn!(anchor = %anchor.name, size, why = %words, "an anchor took nothing");
                anchor.failed(words, now);
            }
        }
        let notary = Arc::clone(self);
        if let Err(why) = off(move || notary.remember_anchors()).await {
            tracing::error!(%why, "what the anchors took is not remembered");
        }
        true
    }

    async fn send_published(
        self: &Arc<Self>,
        anchor: &Anchor,
        published: &Arc<Published>,
    ) -> Result<(), Words> {
        let prover = Prover(Arc::clone(self));
        let sending = anchor.outlet.send(published, &prover);
        let receipt = tokio::time::timeout(SEND_MAX, sending).await;
        let receipt = receipt.map_err(|_| "it took too long".to_owned())??;
        let (notary, size) = (Arc::clone(self), published.checkpoint.size);
        off(move || notary.keep(size, receipt)).await
    }

    /// Puts what came back to the checkpoint it is about.
    fn keep(&self, size: u64, receipt: Receipt) -> Result<(), NotaryError> {
        if matches!(receipt, Receipt::Taken) {
            return Ok(());
        }
        let _writing = lock(&self.writing);
        let lost = || NotaryError::Damaged(format!("the checkpoint over {size} entries is gone"));
        let mut published = self.checkpoints.load(size)?.ok_or_else(lost)?;
        match receipt {
            Receipt::Taken => {}
            Receipt::Cosigned(signatures) => {
                published.note = cosigned(&published.note, signatures)?;
                self.checkpoints.store_note(&published)?;
            }
            Receipt::Stamped(reply) => {
                let number = u32::try_from(published.timestamps.len()).unwrap_or(u32::MAX);
                if number >= TIMESTAMPS_MAX {
                    let what = format!("the checkpoint over {size} entries has enough timestamps");
                    return Err(NotaryError::Damaged(what));
                }
                self.checkpoints.store_timestamp(size, number + 1, &reply)?;
                published.timestamps.push(reply);
            }
        }
        if self.published_size() == size {
            self.second.write(&published)?;
            self.write_latest(&published)?;
            self.latest.send_replace(Some(Arc::new(published)));
        }
        Ok(())
    }
}

/// The note with further signatures.
fn cosigned(note: &str, signatures: Vec<NoteSignature>) -> Result<String, NotaryError> {
    let mut signed = SignedCheckpoint::parse(note)?;
    signatures.into_iter().try_for_each(|signature| signed.add(signature))?;
    Ok(signed.to_text())
}
