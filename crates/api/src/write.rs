//! Answering a write: one way for all of them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, ETAG, LOCATION};
use assay_commands::Receipt;
use assay_domain::aggregate::Command;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::door::Asking;
use crate::problem::Problem;

/// The answer of a handler.
pub(crate) type Answer = Result<HttpResponse, Problem>;

/// What a successful write answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Written {
    /// The thing it was about.
    pub(crate) id: Uuid,
    /// The proof of it.
    pub(crate) receipt: WrittenReceipt,
}

/// The receipt of a write.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Receipt)]
pub(crate) struct WrittenReceipt {
    /// The journal's position of the last fact; null where nothing changed or another node wrote it.
    pub(crate) position: Option<u64>,
    /// The stream it went to.
    pub(crate) stream: String,
    /// The revision of the stream now.
    pub(crate) revision: Option<u64>,
    /// The facts that were made; none where all was already so.
    pub(crate) event_ids: Vec<Uuid>,
    /// The ledger's leaf over the last of them, hex.
    pub(crate) leaf_hash: Option<String>,
    /// Give it as `after` to a read that shall show this.
    pub(crate) token: Option<String>,
}

impl From<&Receipt> for WrittenReceipt {
    fn from(receipt: &Receipt) -> Self {
        Self {
            position: receipt.position,
            stream: receipt.stream.clone(),
            revision: receipt.revision,
            event_ids: receipt.event_ids.clone(),
            leaf_hash: receipt.leaf_hash.map(hex::encode),
            token: receipt.token.map(|token| token.0.to_string()),
        }
    }
}

impl Asking {
    /// Carries out a command and answers 201 where something new came of it, 200 where it was so already.
    pub(crate) async fn create<C>(&self, command: &C, id: Uuid, place: &str) -> Answer
    where
        C: Command<On: assay_commands::Cached>,
    {
        self.app.must_be_sound()?;
        let receipt = self.app.house.execute(&self.request, command).await?;
        let new = !receipt.replayed && !receipt.event_ids.is_empty();
        Ok(answer(
            if new { StatusCode::CREATED } else { StatusCode::OK },
            &receipt,
            id,
            Some(place),
        ))
    }

    /// Carries out a command that changes what is there, and answers 200.
    pub(crate) async fn change<C>(&self, command: &C, id: Uuid) -> Answer
    where
        C: Command<On: assay_commands::Cached>,
    {
        self.app.must_be_sound()?;
        let receipt = self.app.house.execute(&self.request, command).await?;
        Ok(answer(StatusCode::OK, &receipt, id, None))
    }
}

/// The answer with its receipt.
pub(crate) fn answer(
    status: StatusCode,
    receipt: &Receipt,
    id: Uuid,
    place: Option<&str>,
) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    // Says to the compressing layer: leave it, it is short.
    answer.insert_header((CONTENT_ENCODING, "identity"));
    if let Some(place) = place {
        answer.insert_header((LOCATION, format!("/api/v1/{place}")));
    }
    if let Some(revision) = receipt.revision {
        answer.insert_header((ETAG, format!("\"{revision}\"")));
    }
    if let Some(token) = receipt.token {
        answer.insert_header(("assay-token", token.0.to_string()));
    }
    answer.json(Written { id, receipt: receipt.into() })
}
