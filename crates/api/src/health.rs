//! Health and metrics: alive, ready, and in numbers.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use assay_notary::NotaryState;
use assay_views::projector::Status;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;
use crate::reading::{ReadLog, ReadLogState};
use crate::upstream::{Upstream, UpstreamState};
use crate::write::Answer;

/// How far the views may lag behind before this node should get no requests, in entries.
const LAG_MAX: u64 = 10_000;

/// How long the log may be away, or ahead of this node, before it should get no requests: longer
/// than a failover takes.
const AWAY_MAX: Duration = Duration::from_mins(1);

/// How the house is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `live` or `ready`.
    status: &'static str,
    /// The journal's last position.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    /// The last position the views show.
    #[serde(skip_serializing_if = "Option::is_none")]
    projected: Option<u64>,
    /// What was read and how it gets written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_log: Option<ReadLog>,
    /// How this node stands to its log, where that is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<Upstream>,
}

/// Where the second socket is; metrics are shown there alone.
#[derive(Clone, Copy)]
pub(crate) struct OpsAddress(pub(crate) Option<std::net::SocketAddr>);

/// Whether the process is alive.
#[utoipa::path(tag = "health", security(()),
    responses((status = 200, description = "It is.", body = Health)))]
#[get("/health/live")]
pub(crate) async fn live() -> HttpResponse {
    let (head, projected, read_log, upstream) = (None, None, None, None);
    HttpResponse::Ok().json(Health { status: "live", head, projected, read_log, upstream })
}

/// Whether this node should get requests: views, log and vault.
#[utoipa::path(tag = "health", security(()),
    responses((status = 200, description = "It should.", body = Health)))]
#[get("/health/ready")]
pub(crate) async fn ready(app: Data<App>) -> Answer {
    let head = app.house.journal().head().map_err(|_| not("the log cannot be read"))?;
    let upstream = (app.upstream)();
    if let Some(upstream) = &upstream {
        must_follow(upstream)?;
    } else {
        let vault = app.vault.secret("health").await;
        vault.map_err(|_| not("the vault cannot be read"))?;
    }
    match &*app.projector.borrow() {
        Status::Running => (),
        // Keys are away with the log; for how long that may be was asked above.
        Status::Waiting { .. } if upstream.is_some() => (),
        Status::Waiting { .. } => return Err(not("the views wait for something that is away")),
        Status::Failed { position, .. } => {
            return Err(Problem::not_ready(format!("the views stopped at position {position}")));
        }
        Status::Stopped => return Err(not("the views are stopped")),
    }
    if app.notary.state() != NotaryState::Sound {
        return Err(not("the journal contradicts what was signed of it"));
    }
    let projected = *app.projected.borrow();
    if head.saturating_sub(projected) > LAG_MAX {
        return Err(not("the views lag behind"));
    }
    let read_log = app.readings.health();
    if read_log.state == ReadLogState::Full {
        let ReadLog { pending, oldest_age_s, .. } = read_log;
        return Err(Problem::not_ready(format!(
            "the read log is full: {pending} readings wait, the oldest for {oldest_age_s} s"
        )));
    }
    let (head, projected, read_log) = (Some(head), Some(projected), Some(read_log));
    Ok(HttpResponse::Ok().json(Health { status: "ready", head, projected, read_log, upstream }))
}

/// A log that is away for a moment stops no reading: if every node said «not ready» then, nobody
/// would answer at all.
fn must_follow(upstream: &Upstream) -> Result<(), Problem> {
    match (upstream.state, upstream.away_s) {
        (UpstreamState::Diverged, _) => {
            Err(not("the log this node follows is not the one it copied"))
        }
        (UpstreamState::Away, Some(away_s)) if away_s > AWAY_MAX.as_secs_f64() => {
            Err(Problem::not_ready(format!("the log has been away for {away_s:.0} s")))
        }
        (UpstreamState::CatchingUp, _) if upstream.lag_s > AWAY_MAX.as_secs_f64() => {
            Err(Problem::not_ready(format!("this node is {:.0} s behind the log", upstream.lag_s)))
        }
        _ => Ok(()),
    }
}

fn not(why: &str) -> Problem {
    Problem::not_ready(why.to_owned())
}

/// The metrics, as text for Prometheus; on the second socket alone.
#[get("/metrics")]
pub(crate) async fn numbers(app: Data<App>, ops: Data<OpsAddress>, req: HttpRequest) -> Answer {
    if ops.0 != Some(req.app_config().local_addr()) {
        return Err(Problem::unseen());
    }
    let head = app.house.journal().head()?;
    let lag = head.saturating_sub(*app.projected.borrow());
    metrics::gauge!("assay_projection_lag_entries").set(gauge(lag));
    metrics::gauge!("assay_journal_entries").set(gauge(head));
    let text = (app.metrics)();
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text))
}

fn gauge(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
