//! How this node stands to its log, where that is elsewhere: for readiness, and for whether writes are taken.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

/// How this node stands to a log that is elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Upstream {
    /// How it stands.
    pub state: UpstreamState,
    /// How far this node's journal is behind that log, in seconds.
    pub lag_s: f64,
    /// For how long the log has been away, in seconds; null while it is there.
    pub away_s: Option<f64>,
    /// Why it is not followed; null where it is.
    pub why: Option<String>,
}

/// The ways to stand to a log that is elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamState {
    /// Everything known there is here.
    Following,
    /// More is there than here.
    CatchingUp,
    /// It cannot be reached: reading goes on.
    Away,
    /// It is not the log this node copied: nothing is taken from it until somebody has looked.
    Diverged,
}

/// Tells how this node stands to its log; nothing where the log is this node's own.
pub type TellUpstream = Arc<dyn Fn() -> Option<Upstream> + Send + Sync>;
