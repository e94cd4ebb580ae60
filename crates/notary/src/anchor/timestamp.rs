//! A time-stamping authority: puts its time to a checkpoint's text.

use assay_timestamp::{QUERY_TYPE, Request, Trust, verify};
use futures_util::future::{BoxFuture, FutureExt as _};
use sha2::{Digest as _, Sha256};

use crate::anchor::http::{Line, Plain};
use crate::anchor::{Outlet, Prover, Receipt, Words};
use crate::notary::Published;

/// Asks for a timestamp over the SHA-256 of the checkpoint's text and believes it only under the given roots.
pub(super) struct Authority {
    line: Line,
    roots: Trust,
}

impl Authority {
    pub(super) fn new(url: &str, roots: Trust) -> Result<Self, Words> {
        if roots.roots.is_empty() {
            return Err("no root is given: anybody could issue its timestamps".to_owned());
        }
        Ok(Self { line: Line::new(url, Plain::Anywhere)?, roots })
    }
}

impl Outlet for Authority {
    fn send<'a>(
        &'a self,
        published: &'a Published,
        _: &'a Prover,
    ) -> BoxFuture<'a, Result<Receipt, Words>> {
        async move {
            let digest: [u8; 32] = Sha256::digest(published.checkpoint.to_text()).into();
            let nonce: u64 = rand::random();
            let query = Request::new(digest, nonce).to_der();
            let answer = self.line.post(QUERY_TYPE, query).await?;
            if answer.status != 200 {
                return Err(format!("it answered with status {}", answer.status));
            }
            verify(&answer.body, &digest, Some(nonce), &self.roots)
                .map_err(|error| format!("its timestamp is not to be believed: {error}"))?;
            Ok(Receipt::Stamped(answer.body))
        }
        .boxed()
    }
}
