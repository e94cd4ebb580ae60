//! A house in memory behind the real server, people with passwords, and a client.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use assay_api::accounts::{self, Hashing};
use assay_api::bundles::Bundles;
use assay_api::imports::jobs::Imports;
use assay_api::reading::Readings;
use assay_api::{Forget, Parts, Settings};
use assay_commands::{Actor, Clock, House, Request};
use assay_domain::erasure::ErasureStanding;
use assay_domain::id::UserId;
use assay_domain::text::{Label, Name};
use assay_domain::user::{HouseRole, Profile, RegisterUser};
use assay_domain::value::Tlp;
use assay_ledger::{SignerKey, VerifierKey};
use assay_notary::Notary;
use assay_store::fact::ActorKind;
use assay_store::journal::Journal;
use assay_store::keyring::KeyRing;
use assay_store::memory::{MemoryLog, MemoryVault};
use assay_store::vault::Vault;
use assay_views::projector::Renewer;
use assay_views::{Views, projector};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use reqwest::Method;
use secrecy::{SecretBox, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::balky::{Balky, Mood};

pub(crate) const PASSWORD: &str = "seven goats on a tin roof";

#[derive(Debug)]
pub(crate) struct Still(AtomicI64);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

impl Still {
    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

pub(crate) struct World {
    pub(crate) base: String,
    pub(crate) clock: Arc<Still>,
    pub(crate) log: MemoryLog,
    pub(crate) mood: Mood,
    /// Written down when a test asks for it, not by the clock of the machine.
    pub(crate) readings: Arc<Readings>,
    pub(crate) house: Arc<House>,
    pub(crate) renewer: Renewer,
    /// Whether decisions on erasures cannot be carried out.
    pub(crate) stuck: Arc<AtomicBool>,
    pub(crate) notary: Arc<Notary>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) settings: Settings,
    pub(crate) key: SigningKey,
    client: reqwest::Client,
    _files: tempfile::TempDir,
}

pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) token: String,
    pub(crate) refresh: String,
    pub(crate) session: String,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> String {
        self.json["id"].as_str().unwrap_or_else(|| panic!("no id: {}", self.text)).to_owned()
    }

    /// The body without what is different every time.
    pub(crate) fn anonymous(&self) -> Value {
        let mut json = self.json.clone();
        if let Some(object) = json.as_object_mut() {
            object.remove("request_id");
        }
        json
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// How the log of these tests calls itself.
pub(crate) const ORIGIN: &str = "example.org/assay";

fn signer() -> SignerKey {
    SignerKey::new(ORIGIN, &[5; 32]).unwrap()
}

/// The key that everybody may know.
pub(crate) fn log_key() -> VerifierKey {
    signer().verifier().clone()
}

fn notary(dir: &std::path::Path, journal: Arc<dyn Journal>, clock: Arc<Still>) -> Notary {
    let config = assay_notary::Config::new(dir, ORIGIN);
    let now = Arc::new(move || clock.now().as_microsecond());
    Notary::open(config, journal, vec![signer()], now).unwrap()
}

/// As the program does it, unless it is stuck.
fn forget(
    house: Arc<House>,
    keys: Arc<KeyRing>,
    renewer: Renewer,
    stuck: Arc<AtomicBool>,
) -> Forget {
    Arc::new(move |subject, standing| {
        if stuck.load(Ordering::SeqCst) {
            return std::future::ready(Err("the vault is away".to_owned())).boxed();
        }
        let (house, keys, renewer) = (Arc::clone(&house), Arc::clone(&keys), renewer.clone());
        async move {
            let stream = subject.stream();
            match standing {
                ErasureStanding::CarriedOut => {
                    house.forget(subject).await.map_err(|error| error.to_string())?;
                    keys.give_back(&stream).await.map_err(|error| error.to_string())?;
                }
                ErasureStanding::Restricted => {
                    keys.hold_back(&stream).await.map_err(|error| error.to_string())?;
                }
                ErasureStanding::Requested | ErasureStanding::Refused => {
                    keys.give_back(&stream).await.map_err(|error| error.to_string())?;
                }
            }
            renewer.renew();
            Ok(())
        }
        .boxed()
    })
}

pub(crate) fn settings() -> Settings {
    Settings { logins_per_minute: 100_000, workers: 1, ..Settings::default() }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let clock = Arc::new(Still(AtomicI64::new(1_515_750_000_000_000)));
        let log = MemoryLog::new();
        let vault: Arc<dyn Vault> = Arc::new(MemoryVault::new());
        let keys = Arc::new(KeyRing::new(Arc::clone(&vault)));
        let journal: Arc<dyn Journal> = Arc::new(log.clone());
        let clock_of_house: Arc<dyn Clock> = clock.clone();
        let mood = Mood::default();
        let balky = Arc::new(Balky { log: log.clone(), mood: mood.clone() });
        let house = House::new(balky, journal.clone(), keys.clone(), clock_of_house);
        let house = Arc::new(house);
        let files = tempfile::tempdir().unwrap();
        let path = files.path().join("views.db");
        // Kept for the whole test run: a runtime must not be dropped where another one runs.
        let runtime = Box::leak(Box::new(tokio::runtime::Runtime::new().unwrap()));
        let handle = runtime.handle().clone();
        let projector = projector::start(&path, journal.clone(), keys.clone(), handle).unwrap();
        let (renewer, stuck) = (projector.renewer(), Arc::new(AtomicBool::new(false)));
        let notary = Arc::new(notary(&files.path().join("ledger"), journal, clock.clone()));
        let bundles = Bundles::new(files.path().join("bundles"), &settings).unwrap();
        let key = SigningKey::from_bytes(&[7; 32]);
        let pem = key.to_pkcs8_pem(ed25519_dalek::pkcs8::spki::der::pem::LineEnding::LF).unwrap();
        let views = Views::open(&path).unwrap();
        let readings = Readings::by_hand(Arc::clone(&house), views.clone(), &settings);
        let readings = Arc::new(readings);
        let parts = Parts {
            house: Arc::clone(&house),
            vault: Arc::clone(&vault),
            views,
            projected: projector.projected(),
            projector: projector.watch_status(),
            signing_keys: vec![SecretString::from(pem.to_string())],
            secret: SecretBox::new(Box::new([9; 32])),
            readings: Arc::clone(&readings),
            notary: Arc::clone(&notary),
            bundles: Arc::new(bundles),
            forget: forget(Arc::clone(&house), keys, renewer.clone(), Arc::clone(&stuck)),
            upstream: Arc::new(|| None),
            settings: settings.clone(),
            metrics: Arc::new(|| "metrics".to_owned()),
        };
        std::mem::forget(projector);
        let imports = Arc::new(Imports::new(files.path().join("spool")).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                assay_api::serve(parts, imports, listener, None, std::future::pending())
                    .unwrap()
                    .await
            })
        });
        let client = reqwest::Client::new();
        Self {
            base,
            clock,
            log,
            mood,
            readings,
            house,
            renewer,
            stuck,
            notary,
            vault,
            settings,
            key,
            client,
            _files: files,
        }
    }

    pub(crate) fn head(&self) -> u64 {
        Journal::head(&self.log).unwrap()
    }

    /// Somebody with an account and a password, who has not logged in.
    pub(crate) async fn account(&self, name: &str, roles: &[HouseRole]) -> UserId {
        let user = UserId(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()));
        let username = Label::try_from(name.to_owned()).unwrap();
        let display_name = Name::try_from(name).unwrap();
        let profile = Profile { username: username.clone(), display_name };
        let clearance = Tlp::Red;
        let command = RegisterUser { user, profile, roles: roles.to_vec(), clearance };
        let request = Request::by(Actor::House, ActorKind::Service, user.0);
        self.house.execute(&request, &command).await.unwrap();
        accounts::reserve_username(&*self.vault, &username, user).await.unwrap();
        let hashing = Hashing::new(&self.settings).unwrap();
        let password = PASSWORD.to_owned();
        accounts::set_password(&*self.vault, &hashing, user, &username, password).await.unwrap();
        user
    }

    pub(crate) async fn person(&self, name: &str, roles: &[HouseRole]) -> Person {
        let id = self.account(name, roles).await;
        let reply = self.login(name, PASSWORD).await.expect(200);
        let word = |key: &str| reply.json[key].as_str().unwrap().to_owned();
        // A read that begins now shall know them.
        let token = word("access_token");
        let head = self.head();
        self.get(&format!("/me/../users/{id}?after={head}"), &token).await;
        Person { id, token, refresh: word("refresh_token"), session: word("session") }
    }

    pub(crate) async fn login(&self, username: &str, password: &str) -> Reply {
        let body = json!({ "username": username, "password": password });
        self.send(Method::POST, "/login", None, Some(body), &[]).await
    }

    /// An answer whose body may go on for ever.
    pub(crate) async fn open(
        &self,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
    ) -> reqwest::Response {
        let mut request = self.client.get(format!("{}/api/v1{path}", self.base)).bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(Method::GET, path, Some(token), None, &[]).await
    }

    /// A read that shows everything written until now.
    pub(crate) async fn see(&self, path: &str, token: &str) -> Reply {
        let mark = if path.contains('?') { '&' } else { '?' };
        self.get(&format!("{path}{mark}after={}", self.head()), token).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(token), Some(body), &[]).await
    }

    pub(crate) async fn put(&self, path: &str, token: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(token), Some(body), &[]).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let raw = body.map(|body| body.to_string().into_bytes());
        self.raw(method, path, token, raw, headers).await
    }

    pub(crate) async fn raw(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let outside = ["/api", "/health", "/.well", "/ledger/checkpoint", "/ledger/tile"]
            .iter()
            .any(|start| path.starts_with(start));
        let prefix = if outside { "" } else { "/api/v1" };
        let mut request = self.client.request(method, format!("{}{prefix}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            if !headers.iter().any(|(name, _)| *name == "content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await.unwrap().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply { status, headers, bytes, text, json }
    }
}

/// A case of Ana's with Ben and a reviewer, one report and one claim with an assertion.
pub(crate) struct Story {
    pub(crate) ana: Person,
    pub(crate) rao: Person,
    pub(crate) case: String,
    pub(crate) report: String,
    pub(crate) rendition: String,
    pub(crate) claim: String,
    pub(crate) assertion: String,
}

pub(crate) const TEXT: &str =
    "Rebel forces have regained control of 16 villages, local sources said.";

impl Story {
    pub(crate) async fn new(world: &World) -> Self {
        let ana = world.person("ana", &[HouseRole::Analyst]).await;
        let rao = world.person("rao", &[HouseRole::Reviewer]).await;
        let title = json!({ "title": "The counter-attack" });
        let case = world.post("/cases", &ana.token, title).await.expect(201).id();
        let roles = json!({ "roles": ["reviewer"] });
        let place = format!("/cases/{case}/members/{}", rao.id);
        world.put(&place, &ana.token, roles).await.expect(200);
        let place = format!("/cases/{case}/reports");
        let filed = json!({ "kind": "news", "text": TEXT, "rendition_id": Uuid::from_u128(77) });
        let report = world.post(&place, &ana.token, filed).await.expect(201).id();
        let claim = world.post(&format!("/cases/{case}/claims"), &ana.token, claim()).await;
        let claim = claim.expect(201).id();
        let place = format!("/claims/{claim}/assertions");
        let assertion = world.post(&place, &ana.token, assertion(&report)).await.expect(201).id();
        let rendition = Uuid::from_u128(77).to_string();
        Self { ana, rao, case, report, rendition, claim, assertion }
    }
}

pub(crate) fn claim() -> Value {
    json!({
        "kind": "control",
        "gist": "Rebel forces regained control of 16 villages.",
        "polarity": "affirmed",
        "participants": [{ "role": "agent", "who": { "is": "umbrella", "label": "rebel forces" } }],
        "time": { "edtf": "[2018-01-07..2018-01-11]" },
        "quantities": [{ "population": "villages", "form": { "is": "exact", "n": 16 } }]
    })
}

pub(crate) fn assertion(report: &str) -> Value {
    json!({
        "report": report,
        "chain": [
            { "holder": { "is": "narrator" }, "act": "reports", "directness": "narration" },
            { "holder": { "is": "unnamed", "description": "local sources", "number": "some" },
              "act": "says", "directness": "indirect" }
        ],
        "stance": "asserts",
        "hedge": { "level": "reported", "marker": "said" },
        "polarity": "affirmed",
        "quotes": [{ "exact": "regained control of 16 villages" }]
    })
}

pub(crate) fn verdict(claim: &str, assertion: &str) -> Value {
    json!({
        "outcome": "supported",
        "confidence": "moderate",
        "citations": [{
            "cites": { "assertion": { "claim": claim, "assertion": assertion } },
            "role": "supports"
        }],
        "justification": "Two sources, independent of each other."
    })
}
