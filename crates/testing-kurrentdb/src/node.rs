//! One node: a server at a port, in a runtime of its own, so that stopping it kills every connection at once.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};
use tokio_stream::StreamExt as _;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::shared::Shared;
use crate::socket::Socket;
use crate::streams::Service;
use crate::wire::event_store::client::gossip::gossip_server::GossipServer;
use crate::wire::event_store::client::server_features::server_features_server::ServerFeaturesServer;
use crate::wire::event_store::client::streams::streams_server::StreamsServer;

/// A message from a client, at most; more than the largest append, whose refusal is then the append's own.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a stopping node may take.
const STOP_MAX: Duration = Duration::from_secs(5);
/// How often the old port is tried when a node starts again, and the pause between.
const BIND_ATTEMPTS_MAX: usize = 100;
const BIND_PAUSE: Duration = Duration::from_millis(20);

/// A running node; stopped when dropped.
pub(crate) struct Node {
    runtime: Option<Runtime>,
}

impl Node {
    /// Serves what is shared, at the listener's port.
    pub(crate) fn start(
        shared: &Arc<Shared>,
        index: usize,
        listener: TcpListener,
    ) -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("kurrentdb-double")
            .enable_all()
            .build()?;
        listener.set_nonblocking(true)?;
        let service = || Service { shared: Arc::clone(shared), node: index };
        let streams = StreamsServer::new(service()).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let server = Server::builder()
            .add_service(streams)
            .add_service(GossipServer::new(service()))
            .add_service(ServerFeaturesServer::new(service()));
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let incoming = incoming.map(|connection| connection.map(Socket));
        runtime.spawn(server.serve_with_incoming(incoming));
        shared.members().set_alive(index, true);
        shared.faults.ring();
        Ok(Self { runtime: Some(runtime) })
    }

    /// Stops it; when this returns, its port and connections are closed.
    pub(crate) async fn stop(mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for threads is no work for an async task. It fails only if it panics.
            tokio::task::spawn_blocking(|| runtime.shutdown_timeout(STOP_MAX)).await.ok();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A listener at this port of the loopback; 0 is any free one.
pub(crate) async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener),
            Err(_) if attempts < BIND_ATTEMPTS_MAX => tokio::time::sleep(BIND_PAUSE).await,
            Err(error) => return Err(error).with_context(|| format!("cannot listen at {port}")),
        }
    }
}
