//! Three nodes over one log, and the people who work there.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use assay_tests::{Client, Nodes};
use serde_json::json;
use tokio::process::Command;
use uuid::Uuid;

use crate::book::Book;
use crate::level;

/// How many nodes there are.
pub(crate) const NODES: usize = 3;
/// How long a node may take to start and to copy what it lacks.
const START_LIMIT: Duration = Duration::from_mins(2);
/// Everybody is a client of one address and in a hurry; checkpoints are signed all the time.
const SETTINGS: &str = "[limits]\nlogins_per_minute = 100000\nrequests_per_second = 100000\n\
                        [ledger]\ninterval_s = 2\n[auth]\naccess_token_s = 900\n";

/// Where a node listens, or listened last.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The API.
    pub(crate) url: String,
    /// Health and metrics.
    pub(crate) ops: String,
}

/// Where the nodes are; a node that was killed stays where it was until it is started again.
#[derive(Debug)]
pub(crate) struct Places(RwLock<Vec<Place>>);

impl Places {
    /// The place of a node, counted round and round.
    pub(crate) fn get(&self, number: usize) -> Place {
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = places.get(number % NODES).cloned();
        known.unwrap_or_else(|| Place { url: String::new(), ops: String::new() })
    }

    fn set(&self, number: usize, place: Place) {
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = places.get_mut(number) {
            *known = place;
        }
    }
}

/// Somebody who works here.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// Who.
    pub(crate) id: Uuid,
    /// Their client; its token is good on every node.
    pub(crate) client: Client,
}

/// The nodes, the people, their case, and the book kept outside.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) nodes: Nodes,
    pub(crate) places: Arc<Places>,
    pub(crate) book: Arc<Book>,
    pub(crate) case: Uuid,
    /// Analysts of the case who may also review in it.
    pub(crate) ana: Person,
    pub(crate) ben: Person,
    /// A reviewer.
    pub(crate) rao: Person,
}

impl House {
    /// Sets the nodes up over the log at `url`, registers the people and opens their case.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let nodes = Nodes::start_with(url, NODES, SETTINGS).await?;
        let places = (0..NODES).map(|number| place(&nodes, number)).collect::<Result<_>>()?;
        let places = Arc::new(Places(RwLock::new(places)));
        let admin = nodes.admin().await?;
        // One after the other on another node each, so that each node registers somebody.
        let ana = register(&nodes, &admin, 0, "ana", "analyst").await?;
        let ben = register(&nodes, &admin, 1, "ben", "analyst").await?;
        let rao = register(&nodes, &admin, 2, "rao", "reviewer").await?;
        register(&nodes, &admin, 0, "ida", "auditor").await?;
        // Ida, the auditor, logs in when all is over.
        let body = json!({"title": "Villages", "mandate": "Who holds what."});
        let case = ana.client.post("/cases", &body).await?.expect(201)?.text_at("/id")?;
        let roles = [
            (&ben, json!({"roles": ["analyst", "reviewer"]})),
            (&rao, json!({"roles": ["reviewer"]})),
            (&ana, json!({"roles": ["case_lead", "analyst", "reviewer"]})),
        ];
        for (person, roles) in roles {
            let member = format!("/cases/{case}/members/{}", person.id);
            ana.client.put(&member, &roles).await?.expect(200)?;
        }
        level::wait(&places).await?;
        let case = case.parse().context("a case's id")?;
        let book = Arc::new(Book::new(NODES));
        Ok(Self { nodes, places, book, case, ana, ben, rao })
    }

    /// Kills a node and starts it again.
    pub(crate) async fn kill_and_restart(&mut self, number: usize) -> Result<()> {
        self.nodes.kill(number).await?;
        let started = tokio::time::timeout(START_LIMIT, self.nodes.add(number)).await;
        started.with_context(|| format!("node {number} did not start again"))??;
        self.places.set(number, place(&self.nodes, number)?);
        Ok(())
    }

    /// The process of a node: it writes its id into its data directory.
    pub(crate) fn process(&self, number: usize) -> Result<u32> {
        let lock = self.nodes.data(number).join("lock");
        let text = std::fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
        text.trim().parse().context("a process id")
    }

    /// Puts the logs of the nodes aside, for whoever looks into a failure.
    pub(crate) fn keep_logs(&self) -> Result<PathBuf> {
        let kept = tempfile::Builder::new().prefix("assay-faults-").tempdir()?.keep();
        for number in 0..NODES {
            let name = format!("node{number}.log");
            std::fs::copy(self.nodes.folder().join(&name), kept.join(&name))?;
        }
        Ok(kept)
    }
}

fn place(nodes: &Nodes, number: usize) -> Result<Place> {
    let server = nodes.node(number)?;
    let ops = server.ready.get("ops_url").and_then(|url| url.as_str()).context("an address")?;
    Ok(Place { url: server.url.clone(), ops: ops.to_owned() })
}

async fn register(
    nodes: &Nodes,
    admin: &Client,
    number: usize,
    name: &str,
    role: &str,
) -> Result<Person> {
    let (id, client) = nodes.register(admin, number, name, role).await?;
    Ok(Person { id: id.parse().context("a user's id")?, client })
}

/// Stops the clock of a process, or lets it go on.
pub(crate) async fn signal(name: &str, process: u32) -> Result<()> {
    let arguments = [format!("-{name}"), process.to_string()];
    let sent = Command::new("kill").args(arguments).status().await?;
    ensure!(sent.success(), "SIG{name} did not reach process {process}");
    Ok(())
}
