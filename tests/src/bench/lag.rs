//! P12: how long after a write's answer a read shows it, while facts arrive at a steady rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::task::JoinSet;

use super::figures::{Rounds, float, float_len, millis, quantile};
use super::house::{House, Serving};
use super::load::Requests;
use super::rest::report_body;
use super::wire::{Connection, request};

const SPAN: Duration = Duration::from_millis(1_500);
const CLIENTS: u32 = 32;

/// The steady rates: facts a second, how many writes for one look, and the figure's name.
const RATES: [(u32, u64, &str); 2] = [(200, 1, "p12.200"), (2_000, 5, "p12.2000")];

/// What is asked.
#[derive(Clone, Debug)]
pub struct Lag {
    address: std::net::SocketAddr,
    write: Arc<Requests>,
    path: String,
    token: String,
}

#[derive(Debug, Default)]
struct Seen {
    lags: Vec<f64>,
    plain: Vec<f64>,
    writes: u64,
}

impl Lag {
    /// Prepares.
    pub fn new(serving: &Serving, house: &House) -> Result<Self> {
        let path = format!("/api/v1/cases/{}", house.case);
        let body = report_body();
        let reports = format!("{path}/reports");
        let write = serving.tokens.iter();
        let write = write.map(|token| request(&reports, Some(token), "", Some(&body))).collect();
        let token = serving.tokens.first().context("a session")?.clone();
        Ok(Self { address: serving.process.address, write: Requests::new(write), path, token })
    }

    /// One round at every rate.
    pub async fn round(&self, rounds: &mut Rounds) {
        for (rate, every, name) in RATES {
            let ends = [".p50", ".p99", ".plain", ".rate"].map(|end| format!("{name}{end}"));
            let [p50, p99, plain, achieved] = &ends;
            match self.at(rate, every).await {
                Ok(seen) => {
                    rounds.put(p50, quantile(&seen.lags, 500).unwrap_or_default());
                    rounds.put(p99, quantile(&seen.lags, 990).unwrap_or_default());
                    rounds.put(plain, quantile(&seen.plain, 500).unwrap_or_default());
                    rounds.put(achieved, float(seen.writes) / SPAN.as_secs_f64());
                }
                Err(error) => ends.iter().for_each(|name| rounds.fail(name, &error)),
            }
        }
    }

    async fn at(&self, rate: u32, every: u64) -> Result<Seen> {
        let begin = Instant::now() + Duration::from_millis(20);
        let counter = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for client in 0..CLIENTS {
            let (lag, counter) = (self.clone(), Arc::clone(&counter));
            let first = begin + Duration::from_secs(1) * client / rate;
            let pause = Duration::from_secs(1) * CLIENTS / rate;
            tasks.spawn(
                async move { lag.client(first, pause, begin + SPAN, every, &counter).await },
            );
        }
        let mut all = Seen::default();
        while let Some(task) = tasks.join_next().await {
            let seen = task??;
            all.lags.extend(seen.lags);
            all.plain.extend(seen.plain);
            all.writes += seen.writes;
        }
        ensure!(float_len(all.lags.len()) >= 50.0, "only {} looks", all.lags.len());
        Ok(all)
    }

    /// Writes at its times; every so often looks for what it wrote, and once in a while at nothing new.
    async fn client(
        &self,
        first: Instant,
        pause: Duration,
        end: Instant,
        every: u64,
        counter: &AtomicU64,
    ) -> Result<Seen> {
        let mut connection = Connection::open(self.address).await?;
        let (mut seen, mut buffer, mut due) = (Seen::default(), Vec::new(), first);
        let plain = request(&self.path, Some(&self.token), "", None);
        while due < end {
            tokio::time::sleep_until(due.into()).await;
            due += pause;
            self.write.fill(0, &mut buffer)?;
            let head = connection.ask(&buffer).await?;
            let answered = Instant::now();
            ensure!(head.status == 201, "a write answered {}", head.status);
            seen.writes += 1;
            let number = counter.fetch_add(1, Ordering::Relaxed);
            if !number.is_multiple_of(every) {
                continue;
            }
            let token = connection.header(head, "assay-token").context("no `Assay-Token`")?;
            let more = format!("Assay-After: {token}\r\n");
            let look = request(&self.path, Some(&self.token), &more, None);
            let head = connection.ask(&look).await?;
            seen.lags.push(millis(answered.elapsed()));
            if head.status != 200 {
                bail!("a read that waits answered {}", head.status);
            }
            if number.is_multiple_of(every * 4) {
                let before = Instant::now();
                connection.ask(&plain).await?;
                seen.plain.push(millis(before.elapsed()));
            }
        }
        Ok(seen)
    }
}
