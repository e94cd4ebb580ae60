//! A team on a fresh data directory: the admin of the first hour, two analysts, a reviewer, an auditor.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use assay_tests::{Client, Server, run};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A pass phrase no list has.
pub(crate) const PASSWORD: &str = "seven-lanterns over quiet water 41";

/// A server and the people who use it.
pub(crate) struct Team {
    pub(crate) server: Server,
    pub(crate) data: PathBuf,
    pub(crate) admin: Client,
    pub(crate) ana: Client,
    pub(crate) ben: Client,
    pub(crate) rao: Client,
    pub(crate) ida: Client,
    /// Their ids: ana, ben, rao, ida.
    pub(crate) ids: [String; 4],
    _folder: TempDir,
}

/// Initialises a data directory and lets its first admin set a password.
pub(crate) async fn first_admin(data: &Path) -> Result<(Server, Client)> {
    let shown = data.to_str().context("a path")?;
    run(&["init", "--data-dir", shown])?;
    let secret = std::fs::read_to_string(data.join("bootstrap-secret.txt"))?;
    let server = Server::start(data).await?;
    let body = json!({"username": "admin", "code": secret.trim(), "password": PASSWORD});
    let stranger = Client::stranger(&server.url);
    let set = stranger.post("/password", &body).await?;
    assert!(matches!(set.status, 200 | 204), "{}", set.text);
    let again = stranger.post("/password", &body).await?;
    assert_eq!(again.status, 401, "a bootstrap secret works once: {}", again.text);
    let admin = Client::login(&server.url, "admin", PASSWORD).await?;
    Ok((server, admin))
}

/// Registers somebody, who then sets a password by the one-time code and logs in.
pub(crate) async fn register(
    admin: &Client,
    url: &str,
    name: &str,
    role: &str,
) -> Result<(String, Client)> {
    let body =
        json!({"username": name, "display_name": name, "roles": [role], "clearance": "TLP:AMBER"});
    let id = admin.post("/users", &body).await?.expect(201)?.text_at("/id")?;
    let code = admin.post_bare(&format!("/users/{id}/password-code")).await?;
    let code = code.text_at("/code")?;
    let body = json!({"username": name, "code": code, "password": PASSWORD});
    let set = Client::stranger(url).post("/password", &body).await?;
    assert!(matches!(set.status, 200 | 204), "{}", set.text);
    Ok((id, Client::login(url, name, PASSWORD).await?.beside(admin)))
}

impl Team {
    /// A fresh house with everybody in it.
    pub(crate) async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let (server, admin) = first_admin(&data).await?;
        let (ana_id, ana) = register(&admin, &server.url, "ana", "analyst").await?;
        let (ben_id, ben) = register(&admin, &server.url, "ben", "analyst").await?;
        let (rao_id, rao) = register(&admin, &server.url, "rao", "reviewer").await?;
        let (ida_id, ida) = register(&admin, &server.url, "ida", "auditor").await?;
        let ids = [ana_id, ben_id, rao_id, ida_id];
        Ok(Self { server, data, admin, ana, ben, rao, ida, ids, _folder: folder })
    }

    /// Ana opens a case with Rao as its reviewer; she reviews too, for the team is small.
    pub(crate) async fn case(&self) -> Result<String> {
        let body = json!({"title": "Villages", "mandate": "Who holds what."});
        let case = self.ana.post("/cases", &body).await?.expect(201)?.text_at("/id")?;
        let member = |user: &str| format!("/cases/{case}/members/{user}");
        self.ana.put(&member(&self.ids[2]), &json!({"roles": ["reviewer"]})).await?.expect(200)?;
        let all = json!({"roles": ["case_lead", "analyst", "reviewer"]});
        self.ana.put(&member(&self.ids[0]), &all).await?.expect(200)?;
        Ok(case)
    }

    /// Ana files a report.
    pub(crate) async fn report(&self, case: &str, text: &str) -> Result<String> {
        let body = json!({"kind": "news", "text": text});
        self.ana.post(&format!("/cases/{case}/reports"), &body).await?.expect(201)?.text_at("/id")
    }

    /// Ana proposes a claim and records the narrator asserting it in these words.
    pub(crate) async fn claim(
        &self,
        case: &str,
        report: &str,
        words: &str,
    ) -> Result<(String, String)> {
        let body = json!({"kind": "event", "gist": words, "polarity": "affirmed"});
        let claim = self
            .ana
            .post(&format!("/cases/{case}/claims"), &body)
            .await?
            .expect(201)?
            .text_at("/id")?;
        let path = format!("/claims/{claim}/assertions");
        let recorded = self.ana.post(&path, &narrated(report, words)).await?.expect(201)?;
        Ok((claim, recorded.text_at("/id")?))
    }
}

/// The narrator asserts something in these words.
pub(crate) fn narrated(report: &str, words: &str) -> Value {
    json!({
        "report": report,
        "chain": [{"holder": {"is": "narrator"}, "act": "asserts", "directness": "narration"}],
        "stance": "asserts",
        "hedge": {"level": "flat"},
        "polarity": "affirmed",
        "quotes": [{"exact": words}],
    })
}
