//! Whether all nodes show the same, and how far they lag while they do not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::house::{NODES, Places};

/// How long the nodes may take to be level once nobody writes any more.
const LEVEL_LIMIT: Duration = Duration::from_mins(3);
/// How often they are asked.
const ASKED_EVERY: Duration = Duration::from_millis(200);
/// How often the lag is looked at.
const LOOKED_EVERY: Duration = Duration::from_millis(500);
/// How long a node may take to tell.
const TOLD_LIMIT: Duration = Duration::from_secs(2);
/// The metric.
const LAG: &str = "assay_replication_lag_seconds";

/// Waits until every node follows the log and shows the same position as the others; which.
pub(crate) async fn wait(places: &Places) -> Result<u64> {
    let http = reqwest::Client::new();
    let began_at = Instant::now();
    loop {
        let mut told = Vec::new();
        for number in 0..NODES {
            let url = format!("{}/health/ready", places.get(number).url);
            let answer = http.get(url).timeout(TOLD_LIMIT).send().await;
            let text = match answer {
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            told.push(text);
        }
        let shown: Vec<_> = told.iter().map(|text| position(text)).collect();
        if let [Some(first), rest @ ..] = shown.as_slice()
            && rest.iter().all(|other| other.as_ref() == Some(first))
        {
            return Ok(*first);
        }
        if began_at.elapsed() > LEVEL_LIMIT {
            bail!("the nodes do not show the same: {told:#?}");
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
}

/// The position a node shows, where it shows all it has and follows the log.
fn position(ready: &str) -> Option<u64> {
    let ready: Value = serde_json::from_str(ready).ok()?;
    let number = |name: &str| ready.get(name).and_then(Value::as_u64);
    let follows = ready.pointer("/upstream/state").and_then(Value::as_str) == Some("following");
    let (head, projected) = (number("head")?, number("projected")?);
    (follows && head == projected).then_some(head)
}

/// How far the nodes lagged, looked at again and again.
#[derive(Debug)]
pub(crate) struct Lag {
    seen: Arc<Mutex<Vec<f64>>>,
    task: JoinHandle<()>,
}

impl Lag {
    /// Begins to look.
    pub(crate) fn watch(places: Arc<Places>) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let http = reqwest::Client::new();
            loop {
                for number in 0..NODES {
                    let url = format!("{}/metrics", places.get(number).ops);
                    let Ok(answer) = http.get(url).timeout(TOLD_LIMIT).send().await else {
                        continue;
                    };
                    let text = answer.text().await.unwrap_or_default();
                    kept.lock().unwrap_or_else(PoisonError::into_inner).extend(lag(&text));
                }
                tokio::time::sleep(LOOKED_EVERY).await;
            }
        });
        Self { seen, task }
    }

    /// Ends looking and prints what was seen.
    pub(crate) async fn print(self) {
        self.task.abort();
        let _ = self.task.await;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        seen.sort_unstable_by(f64::total_cmp);
        let (half, most) = (seen.get(seen.len() / 2), seen.last());
        if let (Some(half), Some(most)) = (half, most) {
            let looks = seen.len();
            println!(
                "{half:>7.2} s  {LAG} half of the time, {most:.2} s at most, of {looks} looks"
            );
        }
    }
}

/// The lag in a page of metrics, in seconds.
fn lag(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(LAG))?;
    line.rsplit(' ').next()?.parse().ok()
}
