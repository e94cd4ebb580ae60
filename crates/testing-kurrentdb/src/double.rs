//! The double: one or more nodes over one log.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::Mutex;

use crate::faults::Faults;
use crate::node::{self, Node};
use crate::shared::Shared;

/// Running servers on 127.0.0.1; stopped when dropped.
pub struct Double {
    shared: Arc<Shared>,
    ports: Vec<u16>,
    nodes: Mutex<Vec<Option<Node>>>,
}

impl Double {
    /// One node, at a free port.
    ///
    /// # Errors
    /// If no port or thread can be had.
    pub async fn start() -> anyhow::Result<Self> {
        Self::cluster(1).await
    }

    /// One node, at this port; 0 is any free one.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start_at(port: u16) -> anyhow::Result<Self> {
        Self::serve(&[port]).await
    }

    /// So many nodes, at least one, at free ports; they share one log, and node 0 leads.
    ///
    /// # Errors
    /// If no port or thread can be had.
    pub async fn cluster(nodes: usize) -> anyhow::Result<Self> {
        Self::serve(&vec![0; nodes.max(1)]).await
    }

    async fn serve(ports: &[u16]) -> anyhow::Result<Self> {
        let mut listeners = vec![];
        for port in ports {
            listeners.push(node::listen(*port).await?);
        }
        let ports = listeners
            .iter()
            .map(|listener| Ok(listener.local_addr()?.port()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let shared = Arc::new(Shared::new(&ports));
        let mut nodes = vec![];
        for (index, listener) in listeners.into_iter().enumerate() {
            nodes.push(Some(Node::start(&shared, index, listener)?));
        }
        Ok(Self { shared, ports, nodes: Mutex::new(nodes) })
    }

    /// Where to connect: `kurrentdb://127.0.0.1:PORT?tls=false`; of a cluster all nodes, with commas.
    pub fn url(&self) -> String {
        format!("kurrentdb://{}?tls=false", self.hosts())
    }

    /// Where to connect with a login. The client does not decode what is written here.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("kurrentdb://{user}:{password}@{}?tls=false", self.hosts())
    }

    /// The ports of the nodes, in order.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The switches for what goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// From now on, lets in only who logs in so.
    pub fn require_login(&self, user: &str, password: &str) {
        self.shared.require_login(user, password);
    }

    /// Stops node `n` as a crash does: its connections break, its port closes, the log stays. Nobody leads while the
    /// leader is down, unless [`Double::lead`] says who. A node that is down, or is none, is left alone.
    pub async fn stop_node(&self, n: usize) {
        let node = self.nodes.lock().await.get_mut(n).and_then(Option::take);
        let Some(node) = node else { return };
        self.shared.members().set_alive(n, false);
        node.stop().await;
        self.shared.faults.ring();
    }

    /// Starts node `n` again, at its old port and with the log as it is now. One that runs is left alone.
    ///
    /// # Errors
    /// If there is no such node, or its port was taken meanwhile.
    pub async fn start_node(&self, n: usize) -> anyhow::Result<()> {
        let port = *self.ports.get(n).with_context(|| format!("there is no node {n}"))?;
        let mut nodes = self.nodes.lock().await;
        if let Some(slot @ None) = nodes.get_mut(n) {
            *slot = Some(Node::start(&self.shared, n, node::listen(port).await?)?);
        }
        Ok(())
    }

    /// Makes node `n` the leader. Who subscribed to the old one as the leader is sent to the new one. If `n` is down or
    /// is none, nobody leads.
    #[expect(clippy::unused_async, reason = "a change of leader is something one waits for")]
    pub async fn lead(&self, n: usize) {
        self.shared.members().appoint(n);
        self.shared.faults.ring();
    }

    /// How many events are in the log, the server's own (in streams beginning with `$`) aside.
    pub fn events(&self) -> usize {
        self.shared.records().own_count()
    }

    /// As if an older backup were restored: keeps the first `to` events as [`Double::events`] counts them, forgets all
    /// that came later, and breaks every subscription. New events take the old positions again.
    pub fn rewind(&self, to: usize) {
        self.shared.rewind(to);
    }

    fn hosts(&self) -> String {
        let hosts: Vec<_> = self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        hosts.join(",")
    }
}
