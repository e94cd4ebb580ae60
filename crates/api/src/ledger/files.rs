//! The ledger as files, as other tools read logs (C2SP tlog-tiles): the checkpoint, tiles of hashes, tiles of records.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use assay_domain::policy::Permission;
use assay_ledger::{EntriesPath, TilePath};
use assay_views::At;

use super::{asked, plain};
use crate::app::{App, address};
use crate::caller::Caller;
use crate::door::{Place, query};
use crate::problem::Problem;
use crate::reads::look::here;
use crate::write::Answer;

/// What is full never changes.
const FOR_EVER: &str = "private, max-age=31536000, immutable";

/// The newest signed checkpoint, as a signed note. Nothing is signed for the asking.
#[utoipa::path(tag = "ledger", responses((status = 200, description = "The signed note.",
    body = String, content_type = "text/plain")))]
#[get("/ledger/checkpoint")]
pub(crate) async fn checkpoint(req: HttpRequest) -> Answer {
    let app = admitted(&req).await?;
    let latest = app.notary.latest().ok_or_else(Problem::unseen)?;
    Ok(plain().content_type("text/plain; charset=utf-8").body(latest.note.clone()))
}

/// A tile of records: what entries commit to, 256 entries a full tile; auditors only.
#[utoipa::path(tag = "ledger", responses((status = 200, description = "The records, each with its length before it.",
    body = [u8], content_type = "application/octet-stream")))]
#[get("/ledger/tile/entries/{path:.*}")]
pub(crate) async fn entries(caller: Caller, req: HttpRequest, path: Place<String>) -> Answer {
    query::none(&req)?;
    let app = App::of(&req)?;
    here(&app, &caller, At::Head, |look| look.need(Permission::Audit))?;
    let name = format!("tile/entries/{}", path.into_inner());
    let name: EntriesPath = name.parse().map_err(|_| Problem::unseen())?;
    let bytes = asked(&app, move |notary| notary.entries_tile(name)).await?;
    octets(bytes, name.is_full())
}

/// A tile of hashes: 256 of them when full, fewer at the growing edge (`….p/<width>`).
#[utoipa::path(tag = "ledger", responses((status = 200, description = "The hashes, 32 bytes each.",
    body = [u8], content_type = "application/octet-stream")))]
#[get("/ledger/tile/{level}/{path:.*}")]
pub(crate) async fn hashes(req: HttpRequest, place: Place<(String, String)>) -> Answer {
    let app = admitted(&req).await?;
    let (level, path) = place.into_inner();
    let name = format!("tile/{level}/{path}");
    let name: TilePath = name.parse().map_err(|_| Problem::unseen())?;
    let bytes = asked(&app, move |notary| notary.tile(name)).await?;
    octets(bytes, name.is_full())
}

/// Who may see the log's hashes: anybody where the operator says so, else whoever is logged in.
async fn admitted(req: &HttpRequest) -> Result<Data<App>, Problem> {
    let app = App::of(req)?;
    if app.settings.ledger_public {
        app.gates.stranger(address(&app, req))?;
    } else {
        Caller::of(req).await?;
    }
    query::none(req)?;
    Ok(app)
}

fn octets(bytes: Option<Vec<u8>>, full: bool) -> Answer {
    let bytes = bytes.ok_or_else(Problem::unseen)?;
    let mut answer: actix_web::HttpResponseBuilder = plain();
    if full {
        answer.insert_header((CACHE_CONTROL, FOR_EVER));
    }
    let answer: HttpResponse = answer.content_type("application/octet-stream").body(bytes);
    Ok(answer)
}
