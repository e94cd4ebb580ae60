//! Progress on stderr: a bar for people, a line now and then for files.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is printed where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Work of a known or growing size.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    started: Instant,
    said: Instant,
}

impl Progress {
    /// Begins; `what` says what is counted ("entries checked").
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let shape = "{msg} [{bar:30}] {human_pos} of {human_len} ({per_sec}, {eta} left)";
            bar.set_style(
                ProgressStyle::with_template(shape)
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            );
            bar.set_message(what);
            bar
        });
        let now = Instant::now();
        Self { bar, what, started: now, said: now }
    }

    /// So many of so many are done.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        } else if self.said.elapsed() >= LINE_EVERY {
            self.said = Instant::now();
            let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100);
            eprintln!("{}: {done} of {total} ({percent} %)", self.what);
        }
    }

    /// Ends; answers how long it took.
    pub(crate) fn finish(self) -> Duration {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed()
    }
}

/// How many a second, rounded; all of them where it took no time.
pub(crate) fn per_second(count: u64, took: Duration) -> u64 {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    let scaled = u128::from(count).saturating_mul(1_000_000);
    u64::try_from(scaled.checked_div(u128::from(micros)).unwrap_or_default()).unwrap_or(u64::MAX)
}

/// Seconds with three decimals, for printing.
pub(crate) fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}
