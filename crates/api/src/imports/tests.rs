//! Imports over HTTP: accepted, carried out, told of; refused early where they cannot be.

use std::sync::Arc;

use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use actix_web::test::{self, TestRequest};
use actix_web::web::Data;
use assay_domain::id::UserId;
use assay_notary::Notary;
use assay_views::Views;
use assay_views::projector::Status;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use secrecy::SecretBox;
use serde_json::{Value, json};
use tokio::sync::watch;
use utoipa_actix_web::AppExt as _;
use uuid::Uuid;

use super::configure;
use super::jobs::Imports;
use super::world::{World, ana, case, eve};
use crate::app::{App, Parts};
use crate::bundles::Bundles;
use crate::reading::Readings;
use crate::settings::Settings;

const NDJSON: &str = include_str!("../../../exchange/samples/reports.ndjson");
const NDJSON_TYPE: &str = "application/x-ndjson";

struct Site {
    app: Data<App>,
    imports: Data<Imports>,
    _dir: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let world = World::new().await;
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::from_bytes(&[7; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
        let views = Views::open(dir.path().join("views.db")).unwrap();
        let settings = Settings::default();
        let readings = Readings::by_hand(Arc::clone(&world.house), views.clone(), &settings);
        let config = assay_notary::Config::new(dir.path().join("ledger"), "example.org/assay");
        let signer = assay_ledger::SignerKey::new("example.org/assay", &[5; 32]).unwrap();
        let journal = Arc::clone(world.house.journal());
        let notary = Notary::open(config, journal, vec![signer], Arc::new(|| 0)).unwrap();
        let bundles = Bundles::new(dir.path().join("bundles"), &settings).unwrap();
        let parts = Parts {
            house: world.house,
            vault: world.vault,
            views,
            projected: watch::channel(0).1,
            projector: watch::channel(Status::Running).1,
            signing_keys: vec![key.as_str().to_owned().into()],
            secret: SecretBox::new(Box::new([9; 32])),
            readings: Arc::new(readings),
            notary: Arc::new(notary),
            bundles: Arc::new(bundles),
            forget: Arc::new(|_, _| Box::pin(std::future::ready(Ok(())))),
            upstream: Arc::new(|| None),
            settings,
            metrics: Arc::new(String::new),
        };
        let imports = Imports::new(dir.path().join("spool")).unwrap();
        let app = Data::new(App::new(parts).unwrap());
        Self { app, imports: Data::new(imports), _dir: dir }
    }

    async fn token(&self, user: UserId) -> String {
        let session = self.app.new_id();
        self.app.sessions.begin(user, session).await.unwrap();
        let token = self.app.tokens.sign(user, session, self.app.new_id(), self.app.house.now());
        format!("Bearer {}", token.unwrap())
    }

    async fn ask(&self, user: UserId, request: TestRequest) -> ServiceResponse {
        let app = actix_web::App::new()
            .into_utoipa_app()
            .app_data(self.app.clone())
            .app_data(self.imports.clone())
            .service(utoipa_actix_web::scope("/api/v1").configure(configure))
            .into_app();
        let app = test::init_service(app).await;
        let request = request.insert_header((AUTHORIZATION, self.token(user).await));
        test::call_service(&app, request.to_request()).await.map_into_boxed_body()
    }

    async fn send(&self, user: UserId, query: &str, kind: &str, file: &str) -> ServiceResponse {
        let request = TestRequest::post().uri(&format!("/api/v1/imports?{query}"));
        let request = request.insert_header((CONTENT_TYPE, kind));
        self.ask(user, request.set_payload(file.to_owned())).await
    }

    async fn get(&self, user: UserId, place: &str) -> (StatusCode, Value) {
        let answer = self.ask(user, TestRequest::get().uri(place)).await;
        let status = answer.status();
        (status, serde_json::from_slice(&test::read_body(answer).await).unwrap())
    }

    /// Sends a file of Ana's and asks until the job has ended.
    async fn import(&self, format: &str, file: &str) -> Value {
        let query = format!("case={}&format={format}", case());
        let answer = self.send(ana(), &query, NDJSON_TYPE, file).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let place = answer.headers().get(LOCATION).unwrap().to_str().unwrap().to_owned();
        let begun: Value = serde_json::from_slice(&test::read_body(answer).await).unwrap();
        assert_eq!(format!("/api/v1/imports/{}", begun["id"].as_str().unwrap()), place);
        assert_eq!((&begun["state"], &begun["finished_at"]), (&json!("running"), &json!(null)));
        loop {
            let (status, job) = self.get(ana(), &place).await;
            assert_eq!(status, StatusCode::OK);
            if job["state"] != json!("running") {
                return job;
            }
            tokio::task::yield_now().await;
        }
    }
}

async fn code(answer: ServiceResponse) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&test::read_body(answer).await).unwrap();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[actix_web::test]
async fn a_file_is_accepted_carried_out_and_told_of_line_by_line() {
    let site = Site::new().await;
    let file = format!("{NDJSON}{{\n[]\n");
    let job = site.import("ndjson", &file).await;
    assert_eq!(job["state"], json!("finished"));
    assert_eq!((&job["lines"], &job["done"], &job["refused"]), (&json!(5), &json!(3), &json!(2)));
    assert_eq!(job["filed"], json!({"reports": 2, "claims": 1}));
    assert_eq!(job["errors"][0]["line"], json!(4));
    assert_eq!(job["errors"][1]["code"], json!("json_malformed"));
    assert_eq!((&job["stopped"], &job["next"]), (&json!(null), &json!(null)));
    let place = format!("/api/v1/imports/{}", job["id"].as_str().unwrap());
    let (_, page) = site.get(ana(), &format!("{place}?limit=1")).await;
    assert_eq!((page["errors"].as_array().unwrap().len(), &page["next"]), (1, &json!(1)));
    let (_, page) = site.get(ana(), &format!("{place}?limit=1&cursor=1")).await;
    assert_eq!((&page["errors"][0]["line"], &page["next"]), (&json!(5), &json!(null)));
    let again = site.import("ndjson", &file).await;
    assert_eq!(again["already"], json!({"reports": 2, "claims": 1}));
    assert_eq!(again["filed"], json!({"reports": 0, "claims": 0}));
}

#[actix_web::test]
async fn a_job_is_its_owners_alone() {
    let site = Site::new().await;
    let job = site.import("ndjson", NDJSON).await;
    let place = format!("/api/v1/imports/{}", job["id"].as_str().unwrap());
    assert_eq!(site.get(eve(), &place).await.0, StatusCode::NOT_FOUND);
    let nothing = format!("/api/v1/imports/{}", Uuid::nil());
    assert_eq!(site.get(ana(), &nothing).await.0, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn what_cannot_be_imported_is_refused_before_it_is_taken_in() {
    let site = Site::new().await;
    let into = format!("case={}&format=ndjson", case());
    let stranger = site.send(eve(), &into, NDJSON_TYPE, NDJSON).await;
    assert_eq!(code(stranger).await, (404, "not_found".to_owned()));
    for (query, kind, status, reason) in [
        (into.as_str(), "application/json", 415, "media_type"),
        (&format!("case={}&format=xml", case()), NDJSON_TYPE, 400, "format_unknown"),
        (&format!("{into}&mood=1"), NDJSON_TYPE, 400, "query_unknown"),
        ("format=csv", "text/csv", 400, "query_invalid"),
    ] {
        let answer = site.send(ana(), query, kind, NDJSON).await;
        assert_eq!(code(answer).await, (status, reason.to_owned()), "{query} {kind}");
    }
}

#[actix_web::test]
async fn only_so_many_run_at_once() {
    let site = Site::new().await;
    let imports = site.imports.clone().into_inner();
    let into = format!("case={}&format=ndjson", case());
    let room = imports.room(eve(), case()).unwrap();
    let answer = site.send(ana(), &into, NDJSON_TYPE, NDJSON).await;
    assert_eq!(code(answer).await, (503, "import_running".to_owned()));
    drop(room);
    let _own = [2, 3].map(|n| imports.room(ana(), Uuid::from_u128(n).into()).unwrap());
    let answer = site.send(ana(), &into, NDJSON_TYPE, NDJSON).await;
    assert_eq!(code(answer).await, (429, "rate_limited".to_owned()));
}
