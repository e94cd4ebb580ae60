//! The outside ledger: what was asked, what was answered, and what the clients had to live with.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use uuid::Uuid;

/// How many surprises are told; the first ones say it all.
const SURPRISES_MAX: usize = 20;

/// What somebody asked for.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A report with a text.
    Report { report: Uuid, rendition: Uuid, text: String },
    /// A claim with its gist.
    Claim { claim: Uuid, gist: String },
    /// Somebody's words, recorded under a claim.
    Assertion { claim: Uuid, assertion: Uuid },
    /// That a reviewer looks at a claim.
    Review { claim: Uuid },
    /// A verdict by who may pass it.
    Verdict { claim: Uuid, verdict: Uuid },
    /// A verdict by who had a hand in it, which nobody may pass.
    Attempt { claim: Uuid },
}

impl What {
    /// The kind, for counting.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Report { .. } => "report",
            Self::Claim { .. } => "claim",
            Self::Assertion { .. } => "assertion",
            Self::Review { .. } => "review",
            Self::Verdict { .. } => "verdict",
            Self::Attempt { .. } => "attempt to judge one's own",
        }
    }
}

/// What an acknowledgement said.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// The position, where the node knew it.
    pub(crate) position: Option<u64>,
    /// How many facts were made.
    pub(crate) facts: usize,
    /// Which node said so.
    pub(crate) node: usize,
}

/// What is known to have come of a write.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Nobody said.
    Unknown,
    /// It was acknowledged.
    Ok(Done),
    /// It was refused.
    Fail { status: u16, code: String },
}

/// One write, however often it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// The command, as the history calls it: made of who asks and of their key.
    pub(crate) command: Uuid,
    /// Who asked.
    pub(crate) who: Uuid,
    /// For what.
    pub(crate) what: What,
    /// How often.
    pub(crate) asked: u32,
    /// What came of it.
    pub(crate) outcome: Outcome,
}

/// An acknowledgement: when it was asked for and when it came.
#[derive(Clone, Copy, Debug)]
struct Acknowledged {
    asked_at: Instant,
    at: Instant,
}

#[derive(Debug, Default)]
struct Pages {
    writes: Vec<Write>,
    answers: BTreeMap<String, u64>,
    surprises: Vec<String>,
    acknowledged: Vec<Acknowledged>,
    figures: Vec<(&'static str, Duration)>,
}

/// The outside ledger of a run.
#[derive(Debug)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
    /// How many writes each node acknowledged.
    counts: watch::Sender<Vec<u64>>,
    ended: watch::Sender<bool>,
}

impl Book {
    /// An empty one, for so many nodes.
    pub(crate) fn new(nodes: usize) -> Self {
        let counts = watch::Sender::new(vec![0; nodes]);
        Self { pages: Mutex::default(), counts, ended: watch::Sender::new(false) }
    }

    /// Notes a write before it is asked for; answers its number.
    pub(crate) fn open(&self, command: Uuid, who: Uuid, what: What) -> usize {
        let mut pages = self.pages();
        pages.writes.push(Write { command, who, what, asked: 0, outcome: Outcome::Unknown });
        pages.writes.len().saturating_sub(1)
    }

    /// Notes that a write is asked for once more.
    pub(crate) fn ask(&self, number: usize) {
        if let Some(write) = self.pages().writes.get_mut(number) {
            write.asked += 1;
        }
    }

    /// Notes an acknowledgement.
    pub(crate) fn ok(&self, number: usize, done: Done, asked_at: Instant) {
        let node = done.node;
        let mut pages = self.pages();
        pages.acknowledged.push(Acknowledged { asked_at, at: Instant::now() });
        if let Some(write) = pages.writes.get_mut(number) {
            write.outcome = Outcome::Ok(done);
        }
        drop(pages);
        self.counts.send_modify(|counts| {
            if let Some(count) = counts.get_mut(node) {
                *count += 1;
            }
        });
    }

    /// Notes a refusal.
    pub(crate) fn fail(&self, number: usize, status: u16, code: &str) {
        if let Some(write) = self.pages().writes.get_mut(number) {
            write.outcome = Outcome::Fail { status, code: code.to_owned() };
        }
    }

    /// Counts an answer, or that there was none.
    pub(crate) fn answered(&self, words: String) {
        *self.pages().answers.entry(words).or_default() += 1;
    }

    /// Notes what must not be.
    pub(crate) fn surprise(&self, words: String) {
        let mut pages = self.pages();
        if pages.surprises.len() < SURPRISES_MAX {
            pages.surprises.push(words);
        }
    }

    /// What must not have been.
    pub(crate) fn surprises(&self) -> Vec<String> {
        self.pages().surprises.clone()
    }

    /// Every write.
    pub(crate) fn writes(&self) -> Vec<Write> {
        self.pages().writes.clone()
    }

    /// Tells the writers to end.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Whether the writers shall end.
    pub(crate) fn ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// How many writes each node acknowledged, to be watched.
    pub(crate) fn counts(&self) -> watch::Receiver<Vec<u64>> {
        self.counts.subscribe()
    }

    /// Keeps a figure to be printed.
    pub(crate) fn figure(&self, name: &'static str, took: Duration) {
        self.pages().figures.push((name, took));
    }

    /// How long after a moment the first write was acknowledged that was asked for after it.
    pub(crate) fn first_after(&self, moment: Instant) -> Option<Duration> {
        let pages = self.pages();
        let later = pages.acknowledged.iter().filter(|known| known.asked_at >= moment);
        later.map(|known| known.at.duration_since(moment)).min()
    }

    /// The longest time in which nothing was acknowledged.
    fn longest_gap(pages: &Pages) -> Duration {
        let mut times: Vec<Instant> = pages.acknowledged.iter().map(|known| known.at).collect();
        times.sort_unstable();
        let pairs = times.iter().zip(times.iter().skip(1));
        pairs.map(|(before, after)| after.duration_since(*before)).max().unwrap_or_default()
    }

    /// Prints what there is to be counted; nothing of it is asserted.
    pub(crate) fn print(&self, name: &str) {
        let pages = self.pages();
        let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
        for write in &pages.writes {
            let outcome = match &write.outcome {
                Outcome::Unknown => "unknown".to_owned(),
                Outcome::Ok(_) if write.asked > 1 => "ok, asked more than once".to_owned(),
                Outcome::Ok(_) => "ok".to_owned(),
                Outcome::Fail { status, code } => format!("{status} {code}"),
            };
            *outcomes.entry(format!("{}: {outcome}", write.what.kind())).or_default() += 1;
        }
        println!("{name}: {} writes", pages.writes.len());
        for (words, count) in &outcomes {
            println!("{count:>9}  {words}");
        }
        println!("{name}: answers");
        for (words, count) in &pages.answers {
            println!("{count:>9}  {words}");
        }
        for (words, took) in &pages.figures {
            println!("{:>7.2} s  {words}", took.as_secs_f64());
        }
        let gap = Self::longest_gap(&pages);
        println!("{:>7.2} s  longest time without an ok", gap.as_secs_f64());
    }

    // A panic of a writer leaves pages that can still be read.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
