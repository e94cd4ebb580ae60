//! Import at volume: a file comes in, a job carries it out, and says line by line what it refused.
//!
//! Read in this order: the handlers here, `upload` (the file), [`jobs`] (what runs and what is told
//! of it), [`engine`] (carrying it out; the command line uses it too).
//!
//! Jobs are kept in memory for 24 hours. A restart forgets the report of a job, not what was
//! imported; running the same file again is safe: what is there is found, and only the rest is filed.

pub mod engine;
pub mod jobs;

mod told;
mod upload;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

use std::fs::File;
use std::io::BufReader;
use std::sync::{Arc, Mutex};

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, get, post};
use assay_commands::House;
use assay_domain::id::CaseId;
use assay_exchange::{Format, LineError};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::app::App;
use crate::caller::Caller;
use crate::door::{Place, query};
use crate::problem::Problem;
use crate::write::Answer;
use engine::{Importer, Summary, run};
use jobs::{Imports, Job, NoRoom, Room, State};
use told::ImportJob;

/// How long somebody waits who finds no room, in seconds.
const RETRY_AFTER_S: u64 = 10;

/// Registers the handlers; the server gives them its `Data<Imports>`, one for all its workers.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.service(begin).service(show);
}

/// Into which case, and what the file is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Into_ {
    case: CaseId,
    format: String,
}

/// Which of the errors.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    limit: Option<u64>,
    cursor: Option<u64>,
}

/// Import a file of reports and claims.
///
/// The file is taken in whole and then carried out by a job, line by line, in the caller's name; a
/// refused line spoils only itself. Safe to run twice: the same key is the same thing, and a line
/// that changed under its key is refused as `import_changed`. At most 2 imports of one person, 4
/// in all and 1 into each case run at once.
#[utoipa::path(
    tag = "imports",
    params(
        ("case" = Uuid, Query, description = "Into which case; the caller may file reports there."),
        ("format" = String, Query, description = "`ndjson`, `csv` or `ucdp`."),
    ),
    request_body(
        description = "The file, at most 64 MiB, a line at most 1 MiB; `text/csv` for `csv`.",
        content((String = "application/x-ndjson"), (String = "text/csv")),
    ),
    responses((status = 202, description = "The job that carries it out.", body = ImportJob,
        headers(("Location" = String, description = "Where the job tells of itself.")))),
)]
#[post("/imports")]
pub(crate) async fn begin(caller: Caller, req: HttpRequest, body: web::Payload) -> Answer {
    let app = App::of(&req)?;
    let Into_ { case, format } = query::rest(&query::pairs(&req)?)?;
    let format: Format =
        format.parse().map_err(|detail: String| Problem::malformed("format_unknown", detail))?;
    upload::must_fit(&req, format)?;
    let id = app.new_id();
    let session = Some(caller.session);
    let importer = Importer { actor: caller.user, case, session, run: Some(id) };
    importer.may_file(&app.house).await?;
    let room = imports_of(&req)?.room(caller.user, case).map_err(no_room)?;
    let patience = app.settings.body_timeout;
    let file = upload::take(body, room.imports().spool(), id, patience).await?;
    let job = Job {
        id,
        owner: caller.user,
        case,
        format,
        state: State::Running,
        summary: Summary::default(),
        done: 0,
        started_at: app.house.now(),
        finished_at: None,
    };
    let told = ImportJob::of(&job, 0, 0);
    let job = room.imports().enter(job);
    start(Arc::clone(&app.house), importer, format, file, Running { job, room })?;
    let place = format!("/api/v1/imports/{id}");
    Ok(HttpResponse::Accepted().insert_header((LOCATION, place)).json(told))
}

/// How an import of mine is going, and what it refused.
///
/// Errors are listed by line, at most 1,000 of them; those beyond are counted. Pages of them are of
/// one moment only once the job has ended.
#[utoipa::path(
    tag = "imports",
    params(
        ("limit" = Option<u64>, Query, description = "Errors on a page, 1 to 500; 50 where left out."),
        ("cursor" = Option<u64>, Query, description = "`next` of the page before."),
    ),
    responses((status = 200, description = "The job.", body = ImportJob)),
)]
#[get("/imports/{import}")]
pub(crate) async fn show(caller: Caller, req: HttpRequest, import: Place<Uuid>) -> Answer {
    let app = App::of(&req)?;
    let Which { limit, cursor } = query::rest(&query::pairs(&req)?)?;
    let limit = limit.unwrap_or(50);
    if !(1..=500).contains(&limit) {
        return Err(Problem::malformed("limit_invalid", "`limit` is 1 to 500"));
    }
    let job = imports_of(&req)?.of(caller.user, *import, app.house.now());
    let job = job.ok_or_else(Problem::unseen)?;
    Ok(HttpResponse::Ok().json(ImportJob::of(&job, cursor.unwrap_or(0), limit)))
}

fn imports_of(req: &HttpRequest) -> Result<Arc<Imports>, Problem> {
    let imports = req.app_data::<Data<Imports>>().map(|imports| Arc::clone(imports));
    imports.ok_or_else(|| Problem::fault("the server was put together without its imports"))
}

fn no_room(why: NoRoom) -> Problem {
    match why {
        NoRoom::User => Problem::too_often(RETRY_AFTER_S),
        NoRoom::Case => {
            Problem::busy("import_running", "an import into this case is running; ask again later")
        }
        NoRoom::House => Problem::busy("imports_busy", "too many imports are running; ask again"),
    }
}

/// A job that runs, and its room.
struct Running {
    job: Arc<Mutex<Job>>,
    room: Room,
}

/// Carries a file out on a thread of its own, so that reading it blocks nobody.
fn start(
    house: Arc<House>,
    importer: Importer,
    format: Format,
    file: File,
    running: Running,
) -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        jobs::broken_off(&running.job, house.now());
        Problem::fault(error)
    })?;
    let job = Arc::clone(&running.job);
    let clock = Arc::clone(&house);
    let work = move || {
        let ended = Ended { running, house: Arc::clone(&house) };
        let Running { job, room } = &ended.running;
        let imports = Arc::clone(room.imports());
        let items = assay_exchange::read(format, BufReader::new(file));
        let items = items.take_while(|_| !imports.stopping());
        let progress = |progress: engine::Progress<'_>| jobs::advance(job, &progress);
        let mut summary = runtime.block_on(run(Arc::clone(&house), importer, items, progress));
        if imports.stopping() && summary.stopped.is_none() {
            let detail = "the server is stopping; import the same file again";
            let error = LineError::new(summary.lines_read, "server_stopping", detail);
            summary.stopped = Some(error);
        }
        jobs::end(job, summary, house.now());
    };
    let spawned = std::thread::Builder::new().name("import".to_owned()).spawn(work);
    spawned.map(|_| ()).map_err(|error| {
        jobs::broken_off(&job, clock.now());
        Problem::fault(error)
    })
}

/// Takes down that a job broke off, should its thread end before it did.
struct Ended {
    running: Running,
    house: Arc<House>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        jobs::broken_off(&self.running.job, self.house.now());
    }
}
