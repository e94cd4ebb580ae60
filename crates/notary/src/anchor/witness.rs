//! A witness: checks that the tree only grew since it last looked, and cosigns.

use std::sync::atomic::{AtomicU64, Ordering};

use assay_ledger::witness::{CONFLICT_CONTENT_TYPE, parse_conflict_body, parse_cosignature_lines};
use assay_ledger::{
    AddCheckpoint, CosignatureError, NoteSignature, SignedCheckpoint, WitnessVerifier,
};
use futures_util::future::{BoxFuture, FutureExt as _};

use crate::anchor::http::{Answer, Line, Plain};
use crate::anchor::{Outlet, Prover, Receipt, Words};
use crate::notary::Published;

/// How often a witness is asked again because it knows another size than we believed.
const TURNS_MAX: u32 = 3;

/// Asks a witness to cosign (C2SP tlog-witness) and believes only its key.
pub(super) struct WitnessOutlet {
    line: Line,
    vkey: WitnessVerifier,
    /// The size it cosigned last, as far as we know.
    known: AtomicU64,
}

/// What an answer means for us.
enum Reply {
    Cosigned(Vec<NoteSignature>),
    Knows(u64),
}

impl WitnessOutlet {
    pub(super) fn new(url: &str, vkey: WitnessVerifier, known: u64) -> Result<Self, Words> {
        let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        Ok(Self { line: Line::new(&url, Plain::Anywhere)?, vkey, known: AtomicU64::new(known) })
    }

    async fn ask(
        &self,
        signed: &SignedCheckpoint,
        old_size: u64,
        prover: &Prover,
    ) -> Result<Reply, Words> {
        let proof = prover.consistency(old_size, signed.checkpoint().size).await?;
        let request = AddCheckpoint { old_size, proof, checkpoint: signed.clone() };
        let body = request.to_text().into_bytes();
        self.understand(signed, self.line.post("text/plain; charset=utf-8", body).await?)
    }

    fn understand(&self, signed: &SignedCheckpoint, answer: Answer) -> Result<Reply, Words> {
        let text = String::from_utf8(answer.body).map_err(|_| "its answer is not text")?;
        match answer.status {
            200 => {
                let lines = parse_cosignature_lines(&text);
                let lines = lines.map_err(|error| format!("its answer: {error}"))?;
                self.believed(signed, lines).map(Reply::Cosigned)
            }
            409 if answer.content_type == CONFLICT_CONTENT_TYPE => {
                let size = parse_conflict_body(&text);
                size.map(Reply::Knows).ok_or_else(|| "it states a size that is none".to_owned())
            }
            403 => Err("it does not know our key (403)".to_owned()),
            404 => Err("it does not know our log (404)".to_owned()),
            409 => Err("it cosigned another checkpoint of this size (409)".to_owned()),
            422 => Err("it says that our tree does not continue the one it knows (422)".to_owned()),
            status => Err(format!("it answered with status {status}")),
        }
    }

    /// Those lines that are cosignatures by the witness's key; a wrong one spoils all.
    fn believed(
        &self,
        signed: &SignedCheckpoint,
        lines: Vec<NoteSignature>,
    ) -> Result<Vec<NoteSignature>, Words> {
        let mut believed = Vec::new();
        for line in lines {
            match self.vkey.verify_signature(signed, &line) {
                Ok(_) => believed.push(line),
                Err(CosignatureError::Unsigned { .. }) => {}
                Err(wrong) => return Err(wrong.to_string()),
            }
        }
        if believed.is_empty() {
            return Err(format!("its answer holds no cosignature of {}", self.vkey.name()));
        }
        Ok(believed)
    }

    async fn cosignatures(&self, published: &Published, prover: &Prover) -> Result<Receipt, Words> {
        let signed = SignedCheckpoint::parse(&published.note).map_err(|error| error.to_string())?;
        let size = published.checkpoint.size;
        // It may have cosigned just before we stopped.
        if self.vkey.verify(&signed).is_ok() {
            return Ok(Receipt::Taken);
        }
        let mut old_size = self.known.load(Ordering::Relaxed).min(size);
        for _ in 0..TURNS_MAX {
            match self.ask(&signed, old_size, prover).await? {
                Reply::Cosigned(cosignatures) => {
                    self.known.store(size, Ordering::Relaxed);
                    return Ok(Receipt::Cosigned(cosignatures));
                }
                Reply::Knows(known) if known > size => {
                    return Err(format!(
                        "it has cosigned {known} entries, and we have signed {size}: \
                         is this an older copy of the data?"
                    ));
                }
                Reply::Knows(known) if known == old_size => {
                    return Err(format!("it cosigned another tree of {known} entries (409)"));
                }
                Reply::Knows(known) => {
                    self.known.store(known, Ordering::Relaxed);
                    old_size = known;
                }
            }
        }
        Err("it states another size at every turn".to_owned())
    }
}

impl Outlet for WitnessOutlet {
    fn send<'a>(
        &'a self,
        published: &'a Published,
        prover: &'a Prover,
    ) -> BoxFuture<'a, Result<Receipt, Words>> {
        self.cosignatures(published, prover).boxed()
    }
}
