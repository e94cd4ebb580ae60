//! The server that does nothing: actix-web with one handler that echoes JSON and one that answers kept bytes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use actix_web::web::{Bytes, Data, Json, Path as FromPath};
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// How the child is called: `bench CHILD FOLDER WORKERS`.
pub const CHILD: &str = "--child-bare";

type Kept = Arc<HashMap<String, Bytes>>;

async fn echo(body: Json<Value>) -> HttpResponse {
    HttpResponse::Created().json(body.into_inner())
}

async fn kept(name: FromPath<String>, kept: Data<Kept>) -> HttpResponse {
    match kept.get(name.as_str()) {
        Some(bytes) => HttpResponse::Ok().content_type("application/json").body(bytes.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

/// Serves every file of a folder from memory under its name, and `POST /echo`, until killed.
pub fn serve(folder: &Path, workers: usize) -> Result<()> {
    let mut found = HashMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(std::ffi::OsStr::to_str).context("a name")?.to_owned();
        found.insert(name, Bytes::from(std::fs::read(&path)?));
    }
    let found: Kept = Arc::new(found);
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::new(Arc::clone(&found)))
                .route("/echo", web::post().to(echo))
                .route("/kept/{name}", web::get().to(kept))
        });
        let server = server.workers(workers).bind(("127.0.0.1", 0))?;
        let address = *server.addrs().first().context("an address")?;
        println!("{}", json!({"event": "ready", "url": format!("http://{address}")}));
        server.run().await?;
        Ok(())
    })
}
