//! Several nodes of the real binary over one log elsewhere: started, killed and started again on loopback.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::json;
use tempfile::TempDir;

use crate::client::Client;
use crate::server::{Server, run};

/// A pass phrase no list has.
const PASSWORD: &str = "seven-lanterns over quiet water 41";

/// Nodes over one log.
#[derive(Debug)]
pub struct Nodes {
    folder: TempDir,
    url: String,
    servers: Vec<Option<Server>>,
    /// Settings every node gets besides the store, as TOML.
    more: String,
}

impl Nodes {
    /// Sets a house up on the log at `url` and starts so many nodes over it.
    pub async fn start(url: &str, count: usize) -> Result<Self> {
        Self::start_with(url, count, "").await
    }

    /// The same with more settings, as TOML.
    pub async fn start_with(url: &str, count: usize, more: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut nodes =
            Self { folder, url: url.to_owned(), servers: Vec::new(), more: more.to_owned() };
        let config = nodes.write_config(0)?;
        let data = nodes.data(0);
        let shown = data.to_str().context("a path")?;
        run(&["init", "--data-dir", shown, "--config", &config])?;
        for number in 0..count {
            nodes.add(number).await?;
        }
        Ok(nodes)
    }

    /// The pass phrase that [`Self::admin`] sets.
    pub const fn password() -> &'static str {
        PASSWORD
    }

    /// The data directory of a node.
    pub fn data(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("node{number}"))
    }

    /// A folder that goes when the nodes go.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The settings file of a node, as an argument.
    pub fn config(&self, number: usize) -> String {
        self.folder.path().join(format!("node{number}.toml")).to_string_lossy().into_owned()
    }

    fn write_config(&self, number: usize) -> Result<String> {
        let path = self.config(number);
        let master = self.data(0).join("keys").join("master.key");
        let text = format!(
            "[store]\nurl = {:?}\nnode_name = \"node{number}\"\n[keys]\nmaster_key_file = {:?}\n{}\n",
            self.url,
            master.to_string_lossy(),
            self.more
        );
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Starts one more node, or one that was killed.
    pub async fn add(&mut self, number: usize) -> Result<()> {
        let config = self.write_config(number)?;
        let server = Server::start_with(&self.data(number), &["--config", &config]).await?;
        while self.servers.len() <= number {
            self.servers.push(None);
        }
        if let Some(place) = self.servers.get_mut(number) {
            *place = Some(server);
        }
        Ok(())
    }

    /// A node that runs.
    pub fn node(&self, number: usize) -> Result<&Server> {
        self.servers.get(number).and_then(Option::as_ref).context("that node does not run")
    }

    /// The addresses of all nodes that run.
    pub fn urls(&self) -> Vec<String> {
        self.servers.iter().flatten().map(|server| server.url.clone()).collect()
    }

    /// Kills a node on the spot.
    pub async fn kill(&mut self, number: usize) -> Result<()> {
        let server = self.servers.get_mut(number).and_then(Option::take);
        server.context("that node does not run")?.kill().await
    }

    /// Asks a node to end, and answers whether it ended well.
    pub async fn stop(&mut self, number: usize) -> Result<bool> {
        let server = self.servers.get_mut(number).and_then(Option::take);
        server.context("that node does not run")?.stop().await
    }

    /// Lets the first admin set a password, and logs in on the first node.
    pub async fn admin(&self) -> Result<Client> {
        let secret = std::fs::read_to_string(self.data(0).join("bootstrap-secret.txt"))?;
        let body = json!({"username": "admin", "code": secret.trim(), "password": PASSWORD});
        let url = &self.node(0)?.url;
        Client::stranger(url).post("/password", &body).await?;
        Client::login(url, "admin", PASSWORD).await
    }

    /// Registers somebody, who sets a password and logs in on a node.
    pub async fn register(
        &self,
        admin: &Client,
        number: usize,
        name: &str,
        role: &str,
    ) -> Result<(String, Client)> {
        let body = json!({"username": name, "display_name": name, "roles": [role], "clearance": "TLP:AMBER"});
        let id = admin.post("/users", &body).await?.expect(201)?.text_at("/id")?;
        let code =
            admin.post_bare(&format!("/users/{id}/password-code")).await?.text_at("/code")?;
        let body = json!({"username": name, "code": code, "password": PASSWORD});
        let url = &self.node(number)?.url;
        let set = Client::stranger(url).post("/password", &body).await?;
        anyhow::ensure!(matches!(set.status, 200 | 204), "{}", set.text);
        Ok((id, Client::login(url, name, PASSWORD).await?.beside(admin)))
    }
}
