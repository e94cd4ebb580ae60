//! Numbers about the running program, for Prometheus.

use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use assay_api::app::RenderMetrics;
use assay_store_sqlite::{SqliteLog, Stats};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::upstream::Counted;

/// How often the log's own counts are taken over, and old samples are let go.
const EVERY: Duration = Duration::from_secs(5);
/// The bounds of every histogram, in seconds.
const BOUNDS_S: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0];

/// Begins to count; before anything that counts.
pub(crate) fn begin() -> anyhow::Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets(&BOUNDS_S)?;
    builder.install_recorder().context("starting the metrics")
}

/// Takes the log's counts over from time to time; answers how the numbers are read.
pub(crate) fn start(
    handle: PrometheusHandle,
    log: &Arc<SqliteLog>,
    counted: Option<Counted>,
) -> RenderMetrics {
    let (kept, log) = (handle.clone(), Arc::downgrade(log));
    actix_web::rt::spawn(async move {
        while take_over(&log, counted.as_ref()) {
            kept.run_upkeep();
            tokio::time::sleep(EVERY).await;
        }
    });
    Arc::new(move || handle.render())
}

/// Takes over what the log counted; whether there still is a log.
fn take_over(log: &Weak<SqliteLog>, counted: Option<&Counted>) -> bool {
    let Some(log) = log.upgrade() else { return false };
    let Stats { commits, appends, facts, turned_away, read_only, .. } = log.stats();
    if let Some(counted) = counted {
        counted.tell();
    } else {
        metrics::counter!("assay_log_commits_total").absolute(commits);
        metrics::counter!("assay_log_appends_total").absolute(appends);
        metrics::counter!("assay_log_facts_total").absolute(facts);
        metrics::counter!("assay_log_turned_away_total").absolute(turned_away);
    }
    metrics::gauge!("assay_log_read_only").set(f64::from(u8::from(read_only)));
    true
}
