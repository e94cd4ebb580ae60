//! `assay serve`: everything put together, until somebody says stop.

mod numbers;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use assay_api::Parts;
use assay_api::app::RenderMetrics;
use assay_api::bundles::Bundles;
use assay_api::imports::jobs::Imports;
use assay_api::reading::Readings;
use assay_api::upstream::TellUpstream;
use assay_commands::Clock;
use assay_nodes::State;
use assay_notary::{Notary, NotaryError, NotaryState};
use assay_store::vault::Vault;
use assay_views::Views;
use assay_views::projector::{self, Projector, Status};
use secrecy::SecretBox;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::SystemClock;
use crate::exit::{Exit, usage};
use crate::keys::{jwt_key, kept_or_made};
use crate::nodes::{self, Among};
use crate::open::{Opened, open};
use crate::settings::Settings;
use crate::{forgetting, notary};

/// Under which name the vault keeps the secret for digests and marks.
const SECRET_NAME: &str = "house/secret";

/// How long anchors that are being asked may take when the house closes.
const ANCHORS_END: Duration = Duration::from_millis(500);

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<Exit> {
    let server = &settings.server;
    let api = address("server.listen", &server.listen, server.behind_proxy)?;
    let ops = address("server.ops_listen", &server.ops_listen, server.behind_proxy)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let counted = numbers::begin()?;
    let opened = open(settings, clock).await?;
    let (listener, ops_listener) = (bind(api)?, bind(ops)?);
    let (api, ops) = (listener.local_addr()?, ops_listener.local_addr()?);

    let (known, head) = (forgetting::settle_known(&opened).await?, opened.head()?);
    forgetting::remove_outdated_views(&opened)?;
    let (stop_notary, stopped) = watch::channel(false);
    let among = nodes::join(settings, &opened, stopped.clone())?;
    let anchoring = among.as_ref().map(|among| among.anchoring.clone());
    let notary = notary::open(settings, &opened, anchoring).await?;
    let keys = Arc::clone(&opened.keys);
    let projector = projector::start(opened.dir.views(), opened.journal(), keys, Handle::current())
        .context("starting the projector of the views")?;
    forgetting::settle_late(&opened, &projector, known, head)?;
    if let Some(among) = &among {
        forgetting::watch_others(&opened, &projector)?;
        among.run(opened.journal(), Arc::clone(&notary), stopped.clone());
    }
    let tell = among.as_ref().map_or_else(|| nowhere(), Among::tell);
    let metrics = numbers::start(counted, &opened.local, opened.counted.clone());
    let told = Told { upstream: tell, metrics };
    let parts = parts(settings, &opened, &projector, Arc::clone(&notary), told).await?;
    let readings = Arc::clone(&parts.readings);
    let schedule = actix_web::rt::spawn(Arc::clone(&notary).run(stopped));
    let imports = Arc::new(Imports::new(opened.dir.make_spool()?).context("the imports' folder")?);
    let told = told_to_stop(Arc::clone(&imports))?;
    let running = assay_api::serve(parts, imports, listener, Some(ops_listener), told)?;
    say_ready(&opened, api, ops)?;
    running.await.context("serving")?;
    let sound = drain(&opened, &readings, &notary, (stop_notary, schedule)).await;
    Ok(end(opened, projector, sound).await)
}

/// Writes down and signs what is left; whether everything is as it should be.
async fn drain(
    opened: &Opened,
    readings: &Readings,
    notary: &Arc<Notary>,
    (stop, schedule): (watch::Sender<bool>, JoinHandle<()>),
) -> bool {
    tracing::info!("draining: every acknowledged write is on disk");
    let kept = readings.flush().await;
    if let Err(error) = &kept {
        tracing::error!(%error, "the last readings could not be written down");
    }
    stop.send_replace(true);
    // An anchor that does not answer must not hold up the end: what is half sent is sent again.
    if tokio::time::timeout(ANCHORS_END, schedule).await.is_err() {
        tracing::warn!("an anchor was still being asked");
    }
    let mut agrees = true;
    if let Some(replication) = &opened.replication {
        replication.stop().await;
        agrees = !matches!(*replication.state().borrow(), State::Diverged { .. });
    }
    let last = Arc::clone(notary);
    match tokio::task::spawn_blocking(move || last.sign()).await {
        Ok(Ok(_) | Err(NotaryError::Nothing)) => {}
        other => tracing::error!(?other, "the last entries are not covered by a checkpoint"),
    }
    kept.is_ok() && agrees && matches!(notary.state(), NotaryState::Sound)
}

/// Hears SIGTERM and SIGINT from now on. A long import must not hold up the end: it is told to stop
/// as soon as we are.
fn told_to_stop(imports: Arc<Imports>) -> anyhow::Result<impl Future<Output = ()>> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => (),
            _ = int.recv() => (),
        }
        imports.stop();
    })
}

/// How this node stands to its log, and its numbers.
struct Told {
    upstream: TellUpstream,
    metrics: RenderMetrics,
}

async fn parts(
    settings: &Settings,
    opened: &Opened,
    projector: &Projector,
    notary: Arc<Notary>,
    told: Told,
) -> anyhow::Result<Parts> {
    let vault = Arc::clone(opened.keys.vault());
    let secret = house_secret(vault.as_ref()).await?;
    let views = Views::open(opened.dir.views())?;
    let api = settings.api();
    let readings = Readings::new(Arc::clone(&opened.house), views.clone(), &api);
    let bundles = Bundles::new(opened.dir.make_bundle_spool()?, &api);
    Ok(Parts {
        house: Arc::clone(&opened.house),
        readings: Arc::new(readings),
        notary,
        bundles: Arc::new(bundles.context("the bundles' folder")?),
        forget: forgetting::forget(opened, projector)?,
        upstream: told.upstream,
        secret: SecretBox::new(Box::new(secret)),
        vault,
        views,
        projected: projector.projected(),
        projector: projector.watch_status(),
        signing_keys: vec![jwt_key(opened).await?],
        settings: api,
        metrics: told.metrics,
    })
}

/// The log is this node's own.
fn nowhere() -> TellUpstream {
    Arc::new(|| None)
}

/// Tells whoever started us that we answer now: one JSON line on stdout, and never another.
fn say_ready(opened: &Opened, api: SocketAddr, ops: SocketAddr) -> anyhow::Result<()> {
    let root = opened.dir.root();
    let data_dir = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let position = opened.head()?;
    let ready = json!({
        "event": "ready",
        "url": format!("http://{api}"),
        "ops_url": format!("http://{ops}"),
        "docs": format!("http://{api}/api/docs/"),
        "data_dir": data_dir,
        "position": position,
        "version": env!("CARGO_PKG_VERSION"),
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ready}")?;
    out.flush()?;
    tracing::info!(url = %format!("http://{api}"), position, "ready");
    Ok(())
}

/// Stops the projector and gives the directory back; not well where something had broken.
async fn end(mut opened: Opened, projector: Projector, sound: bool) -> Exit {
    let failed = matches!(projector.status(), Status::Failed { .. });
    let broken = failed || opened.local.is_read_only() || !sound;
    let stopped = tokio::task::spawn_blocking(move || projector.stop()).await;
    if stopped.is_err() {
        tracing::error!("the projector did not stop");
    }
    opened.hold_until_exit();
    tracing::info!(broken, "stopped");
    if broken { Exit::DoesNotHold } else { Exit::Holds }
}

/// An address to listen on; any other than loopback only behind a proxy with TLS.
fn address(key: &str, text: &str, behind_proxy: bool) -> anyhow::Result<SocketAddr> {
    let found = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    let found = found.ok_or_else(|| {
        usage(format!("the setting {key} is {text:?}; an address like 127.0.0.1:8080 is wanted"))
    })?;
    if !found.ip().is_loopback() && !behind_proxy {
        return Err(usage(format!(
            "{key} is {found}, which others can reach, and there is no encryption: listen on \
             127.0.0.1, or put a proxy with TLS in front and say --behind-proxy"
        )));
    }
    Ok(found)
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| usage(format!("listening on {address}: {error}")))
}

/// 256 bits that stay the same for this house, made at its first start.
async fn house_secret(vault: &dyn Vault) -> anyhow::Result<[u8; 32]> {
    let made: [u8; 32] = rand::random();
    let kept = kept_or_made(vault, SECRET_NAME, &made).await?;
    <[u8; 32]>::try_from(kept.as_slice()).context("the house's secret in the vault has no 256 bits")
}
