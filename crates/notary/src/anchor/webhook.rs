//! A server that is told of checkpoints as JSON, and keeps them if it answers with success.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{BoxFuture, FutureExt as _};
use secrecy::SecretString;

use crate::anchor::http::{Line, Plain};
use crate::anchor::{Outlet, Prover, Receipt, Words};
use crate::notary::Published;

/// Posts `{"origin": text, "size": number, "root": base64, "note": text}`; any 2xx is the receipt.
pub(super) struct Webhook {
    line: Line,
}

impl Webhook {
    pub(super) fn new(
        url: &str,
        header: Option<&(String, SecretString)>,
        plain_http: bool,
    ) -> Result<Self, Words> {
        let plain = if plain_http { Plain::Anywhere } else { Plain::Loopback };
        let line = Line::new(url, plain)?;
        let line = match header {
            Some((name, value)) => line.with_header(name, value)?,
            None => line,
        };
        Ok(Self { line })
    }
}

impl Outlet for Webhook {
    fn send<'a>(
        &'a self,
        published: &'a Published,
        _: &'a Prover,
    ) -> BoxFuture<'a, Result<Receipt, Words>> {
        async move {
            let checkpoint = &published.checkpoint;
            let body = serde_json::json!({
                "origin": checkpoint.origin,
                "size": checkpoint.size,
                "root": STANDARD.encode(checkpoint.root),
                "note": published.note,
            });
            let body = body.to_string().into_bytes();
            let answer = self.line.post("application/json", body).await?;
            match answer.status {
                200..=299 => Ok(Receipt::Taken),
                status => Err(format!("it answered with status {status}")),
            }
        }
        .boxed()
    }
}
