//! The server: sockets, workers, and the parts put where handlers find them.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::LOCATION;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data};
use actix_web::{App as WebApp, HttpResponse, HttpServer};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt as _;
use utoipa_swagger_ui::SwaggerUi;

use crate::app::{App, Parts, StartError};
use crate::health::{self, OpsAddress};
use crate::imports::jobs::Imports;
use crate::routes::{self, Known};
use crate::{layer, openapi};

/// How long a request's head may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be idle between requests.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the last requests may take when the house closes, in seconds.
const DRAIN_S: u64 = 7;
/// How long it may take then to write down what was read.
const LAST_FLUSH_MAX: Duration = Duration::from_secs(2);
/// How often the books of the rate limits are tidied.
const TIDY: Duration = Duration::from_mins(1);

/// What every worker gets.
#[derive(Clone)]
pub struct Site {
    app: Data<App>,
    known: Data<Known>,
    ops: Data<OpsAddress>,
    imports: Data<Imports>,
    document: OpenApi,
}

impl Site {
    /// Puts the parts together; refuses weak settings and bad keys.
    pub fn new(
        parts: Parts,
        imports: Arc<Imports>,
        ops: Option<std::net::SocketAddr>,
    ) -> Result<Self, StartError> {
        let document = openapi::document();
        Ok(Self {
            app: Data::new(App::new(parts)?),
            known: Data::new(Known::of(&document)),
            ops: Data::new(OpsAddress(ops)),
            imports: Data::from(imports),
            document,
        })
    }

    /// Registers everything on a worker's application.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        config.app_data(self.app.clone()).app_data(self.known.clone()).app_data(self.ops.clone());
        config.app_data(self.imports.clone());
        config.app_data(routes::places()).service(health::numbers);
        if self.app.settings.docs {
            let page = SwaggerUi::new("/api/docs/{_:.*}");
            config.service(page.url("/api/openapi.json", self.document.clone()));
            config.route("/api/docs", web::get().to(to_docs));
        } else {
            let document = self.document.clone();
            let shown = move || std::future::ready(HttpResponse::Ok().json(&document));
            config.route("/api/openapi.json", web::get().to(shown));
        }
        config.default_service(web::to(routes::nothing));
    }
}

async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/api/docs/")).finish()
}

/// Starts serving; the answer runs until it is awaited to its end or told to stop.
///
/// Stops as soon as `told` is ready, draining within ten seconds; what was read is written down
/// before it ends. What then is still not is told by [`Readings::pending`](crate::reading::Readings::pending).
pub fn serve(
    parts: Parts,
    imports: Arc<Imports>,
    listener: TcpListener,
    ops_listener: Option<TcpListener>,
    told: impl Future<Output = ()> + 'static,
) -> Result<impl Future<Output = std::io::Result<()>>, StartError> {
    let ops = ops_listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let site = Site::new(parts, imports, ops)?;
    let app = site.app.clone();
    let workers = app.settings.workers.max(1);
    let mut server = HttpServer::new(move || {
        let site = site.clone();
        WebApp::new()
            .into_utoipa_app()
            .configure(routes::all)
            .into_app()
            .configure(move |config| site.configure(config))
            .wrap(Compress::default())
            .wrap(from_fn(layer::around))
    })
    .workers(workers)
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(DRAIN_S)
    .disable_signals()
    .listen(listener)?;
    if let Some(ops) = ops_listener {
        server = server.listen(ops)?;
    }
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(async move {
        told.await;
        handle.stop(true).await;
    });
    Ok(to_the_end(server, app))
}

/// Runs the server and what goes on beside it; at its end nothing that was read is left in memory.
async fn to_the_end(server: Server, app: Data<App>) -> std::io::Result<()> {
    let tidying = async {
        loop {
            tokio::time::sleep(TIDY).await;
            app.gates.tidy();
        }
    };
    let ended = tokio::select! {
        ended = server => ended,
        () = app.readings.keep() => Ok(()),
        () = tidying => Ok(()),
    };
    match tokio::time::timeout(LAST_FLUSH_MAX, app.readings.flush()).await {
        Ok(Ok(())) => (),
        Ok(Err(error)) => tracing::error!(%error, "the last readings are lost"),
        Err(_) => {
            let pending = app.readings.pending();
            tracing::error!(
                pending,
                "the log did not take the last readings in time; they are lost"
            );
        }
    }
    ended
}
