//! A case in a file that a stranger verifies: chosen, recorded, and only then sent.
//!
//! Read in this order: the handler here, `choice` (what goes in and which keys), `make` (the file),
//! `proofs`, `spool` (how many at once, and where), `send` (the way out).

mod choice;
mod make;
mod proofs;
mod send;
pub mod spool;

use actix_web::{HttpMessage as _, HttpRequest, post};
use assay_commands::Receipt;
use assay_domain::access::RecordExport;
use assay_domain::id::CaseId;
use assay_domain::text::Phrase;
use assay_domain::value::{Digest, Tlp};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Purpose;
use crate::door::{Act, Asking, Place};
use crate::problem::Problem;
use crate::reading::{access_of, request_for};
use crate::write::Answer;

pub use spool::Bundles;

/// What is to be put in a file, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBundle {
    /// Which keys are disclosed: without its key, what is sealed stays sealed and provable.
    disclose: Disclose,
    /// For whom; recorded with the export.
    #[serde(default)]
    recipient: Option<Phrase>,
    /// Up to which marking they may see; of a case marked above it no key is disclosed.
    #[serde(default)]
    recipient_clearance: Option<Tlp>,
    /// The size of a checkpoint they hold: the file then proves that the log continues it.
    #[serde(default)]
    #[schema(minimum = 1)]
    since: Option<u64>,
    /// Whether the data of the entries goes in, or its digests only; it does where left out.
    #[serde(default = "yes")]
    with_data: bool,
}

/// Which keys are disclosed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Disclose {
    /// All of what the caller may read.
    All,
    /// None.
    None,
    /// All but those of these subjects.
    Withhold(Vec<Withheld>),
}

/// Subjects whose keys stay here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WithheldSubjects)]
pub(crate) struct Withheld {
    /// Of which kind.
    kind: ContentKind,
    /// Which; all of the kind where left out.
    #[serde(default)]
    id: Option<Uuid>,
}

/// The kinds of subjects in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContentKind {
    /// The case's own title and mandate.
    Case,
    /// Reports.
    Report,
    /// Claims.
    Claim,
    /// Links.
    Link,
    /// Findings.
    Finding,
    /// Sources.
    Source,
    /// What names users.
    User,
}

const fn yes() -> bool {
    true
}

/// Put a case in a file that a stranger can verify: its entries, their proofs, and the keys that are disclosed.
///
/// For whoever reads the case. That it leaves the house is recorded before its first byte; the file's
/// SHA-256 stands in `Assay-Bundle-Sha256`. `assay verify` checks the file with the log's key alone.
#[utoipa::path(tag = "bundles", request_body = NewBundle,
    params(("Assay-Purpose" = Option<String>, Header, description = "To what end it leaves: recorded, and demanded by some cases; 3–500 characters, one line.")),
    responses((status = 200, description = "The file (ZIP).", body = [u8], content_type = "application/zip",
        headers(("Assay-Bundle-Sha256" = String, description = "Its SHA-256, hex.")))))]
#[post("/cases/{case}/bundles")]
pub(crate) async fn leave(act: Act<NewBundle>, req: HttpRequest, case: Place<CaseId>) -> Answer {
    let Act { asking, body } = act;
    let case = *case;
    asking.app.must_be_sound()?;
    let room = asking.app.bundles.room()?;
    let chosen = choice::of(&asking, &body, case).await?;
    let made = make::file(&asking, chosen, room).await?;
    let purpose = req.extensions().get::<Purpose>().map(|purpose| purpose.0.clone());
    let export = RecordExport {
        access: access_of(asking.caller.session, Some(case), asking.app.house.now()),
        reader: asking.caller.user,
        case,
        as_of: made.as_of,
        file: Digest(made.sha256),
        entries: made.entries,
        keys: made.keys,
        recipient: body.recipient,
        purpose,
    };
    recorded(&asking, &export).await?;
    Ok(send::answer(case, made))
}

/// Writes down that the file leaves, under a name of its own each time.
async fn recorded(asking: &Asking, export: &RecordExport) -> Result<Receipt, Problem> {
    let app = &asking.app;
    let request = request_for(export.reader, asking.caller.session, app.new_id());
    Ok(app.house.execute(&request, export).await?)
}
