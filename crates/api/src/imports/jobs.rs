//! Imports that run or ran: their room, their progress, and what is told of them for a day.
//!
//! Jobs live in memory. A restart forgets what was told of a job, not what it imported; running the
//! same file again is safe and says the rest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assay_domain::id::{CaseId, UserId};
use assay_exchange::{Format, LineError};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::engine::{ERRORS_MAX, Progress, Summary};

/// How many imports of one person run at once.
pub const RUNNING_PER_USER_MAX: usize = 2;
/// How many imports run at once in all.
pub const RUNNING_MAX: usize = 4;
/// How long an ended job is told of.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How many jobs are told of at most; the oldest ended ones go first.
pub const JOBS_MAX: usize = 500;

/// The imports of this node.
#[derive(Debug)]
pub struct Imports {
    spool: PathBuf,
    stopping: AtomicBool,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    running: Vec<(UserId, CaseId)>,
    jobs: HashMap<Uuid, Arc<Mutex<Job>>>,
}

/// Why an import cannot begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// This person has [`RUNNING_PER_USER_MAX`] already.
    User,
    /// Another import into the same case runs.
    Case,
    /// There are [`RUNNING_MAX`] already, or the server is stopping.
    House,
}

/// Room for one running import; given back when dropped.
#[derive(Debug)]
pub(super) struct Room {
    imports: Arc<Imports>,
    user: UserId,
    case: CaseId,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Finished,
    Failed,
}

/// What is told of an import.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: Uuid,
    pub(super) owner: UserId,
    pub(super) case: CaseId,
    pub(super) format: Format,
    pub(super) state: State,
    pub(super) summary: Summary,
    pub(super) done: u64,
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
}

// A panic of another thread leaves whole values only: each change is one assignment or insertion.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Imports {
    /// Imports that keep their uploads in a folder while they run.
    ///
    /// The folder is made if need be. Uploads in it have no name from the moment they are open, so
    /// that nothing of them stays behind, not even after a crash.
    pub fn new(spool: impl Into<PathBuf>) -> std::io::Result<Self> {
        let spool = spool.into();
        std::fs::create_dir_all(&spool)?;
        Ok(Self { spool, stopping: AtomicBool::new(false), books: Mutex::default() })
    }

    /// Begins no more imports and ends the running ones after what is in flight.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(super) fn spool(&self) -> &Path {
        &self.spool
    }

    /// Room for one more import.
    pub(super) fn room(self: &Arc<Self>, user: UserId, case: CaseId) -> Result<Room, NoRoom> {
        let mut books = lock(&self.books);
        let own = books.running.iter().filter(|(who, _)| *who == user).count();
        if own >= RUNNING_PER_USER_MAX {
            return Err(NoRoom::User);
        }
        if books.running.iter().any(|(_, into)| *into == case) {
            return Err(NoRoom::Case);
        }
        if books.running.len() >= RUNNING_MAX || self.stopping() {
            return Err(NoRoom::House);
        }
        books.running.push((user, case));
        drop(books);
        Ok(Room { imports: Arc::clone(self), user, case })
    }

    /// Enters a job in the books, and strikes out those that ended long ago.
    pub(super) fn enter(&self, job: Job) -> Arc<Mutex<Job>> {
        let (id, now) = (job.id, job.started_at);
        let job = Arc::new(Mutex::new(job));
        let mut books = lock(&self.books);
        books.jobs.retain(|_, known| !lock(known).ended_long_ago(now));
        if books.jobs.len() >= JOBS_MAX {
            let ended = books.jobs.values().filter_map(|known| {
                let known = lock(known);
                known.finished_at.map(|at| (at, known.id))
            });
            if let Some((_, oldest)) = ended.min() {
                books.jobs.remove(&oldest);
            }
        }
        books.jobs.insert(id, Arc::clone(&job));
        drop(books);
        job
    }

    /// A job of this person, while it is told of.
    pub(super) fn of(&self, owner: UserId, id: Uuid, now: Timestamp) -> Option<Job> {
        let job = lock(&self.books).jobs.get(&id).cloned()?;
        let job = lock(&job);
        (job.owner == owner && !job.ended_long_ago(now)).then(|| job.clone())
    }
}

impl Room {
    pub(super) fn imports(&self) -> &Arc<Imports> {
        &self.imports
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut books = lock(&self.imports.books);
        let own = books.running.iter().position(|taken| *taken == (self.user, self.case));
        if let Some(at) = own {
            books.running.swap_remove(at);
        }
    }
}

impl Job {
    fn ended_long_ago(&self, now: Timestamp) -> bool {
        self.finished_at.is_some_and(|at| now.duration_since(at) > KEPT)
    }
}

/// Takes down how far a run is.
pub(super) fn advance(job: &Mutex<Job>, progress: &Progress<'_>) {
    let mut job = lock(job);
    job.done = progress.done;
    let summary = &mut job.summary;
    summary.lines_read = progress.lines_read;
    summary.bytes = progress.bytes;
    summary.refused = progress.refused;
    if let Some(error) = progress.error
        && summary.errors.len() < ERRORS_MAX
    {
        let place = summary.errors.partition_point(|known| known.line <= error.line);
        summary.errors.insert(place, error.clone());
    }
}

/// Takes down how a run ended.
pub(super) fn end(job: &Mutex<Job>, summary: Summary, now: Timestamp) {
    let mut job = lock(job);
    job.state = if summary.stopped.is_some() { State::Failed } else { State::Finished };
    job.done = summary.filed.all().saturating_add(summary.already.all());
    job.summary = summary;
    job.finished_at = Some(now);
}

/// Takes down that a run broke off, if it did not end.
pub(super) fn broken_off(job: &Mutex<Job>, now: Timestamp) {
    let mut job = lock(job);
    if job.state == State::Running {
        let (code, detail) = ("internal", "this did not work, and it is not your fault");
        job.summary.stopped = Some(LineError::new(job.summary.lines_read, code, detail));
        job.state = State::Failed;
        job.finished_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u128) -> UserId {
        Uuid::from_u128(n).into()
    }

    fn case(n: u128) -> CaseId {
        Uuid::from_u128(n).into()
    }

    fn imports() -> (tempfile::TempDir, Arc<Imports>) {
        let dir = tempfile::tempdir().unwrap();
        let imports = Imports::new(dir.path().join("spool")).unwrap();
        (dir, Arc::new(imports))
    }

    fn job(n: u128, finished_at: Option<Timestamp>) -> Job {
        Job {
            id: Uuid::from_u128(n),
            owner: user(1),
            case: case(1),
            format: Format::Ndjson,
            state: if finished_at.is_some() { State::Finished } else { State::Running },
            summary: Summary::default(),
            done: 0,
            started_at: Timestamp::UNIX_EPOCH,
            finished_at,
        }
    }

    #[test]
    fn room_is_limited_by_person_case_and_house_and_given_back() {
        let (_dir, imports) = imports();
        let first = imports.room(user(1), case(1)).unwrap();
        assert_eq!(imports.room(user(2), case(1)).unwrap_err(), NoRoom::Case);
        let _second = imports.room(user(1), case(2)).unwrap();
        assert_eq!(imports.room(user(1), case(3)).unwrap_err(), NoRoom::User);
        let _others = [3, 4].map(|n| imports.room(user(2), case(n)).unwrap());
        assert_eq!(imports.room(user(3), case(5)).unwrap_err(), NoRoom::House);
        drop(first);
        let again = imports.room(user(3), case(1));
        assert!(again.is_ok());
        drop(again);
        imports.stop();
        assert_eq!(imports.room(user(3), case(1)).unwrap_err(), NoRoom::House);
    }

    #[test]
    fn a_job_is_told_to_its_owner_and_for_a_day() {
        let (_dir, imports) = imports();
        let ended = Timestamp::UNIX_EPOCH;
        imports.enter(job(7, Some(ended)));
        let told = |who, at| imports.of(user(who), Uuid::from_u128(7), at).is_some();
        assert!(told(1, ended + KEPT));
        assert!(!told(2, ended));
        assert!(!told(1, ended + KEPT + SignedDuration::from_secs(1)));
    }

    #[test]
    fn the_books_stay_bounded_and_keep_what_runs() {
        let (_dir, imports) = imports();
        let at = |n: u128| Timestamp::from_second(i64::try_from(n).unwrap()).unwrap();
        imports.enter(job(1, None));
        for n in 2..600 {
            imports.enter(job(n, Some(at(n))));
        }
        assert_eq!(lock(&imports.books).jobs.len(), JOBS_MAX);
        let there = |n| imports.of(user(1), Uuid::from_u128(n), Timestamp::UNIX_EPOCH).is_some();
        assert_eq!([1, 2, 599].map(there), [true, false, true]);
    }

    #[test]
    fn a_run_that_breaks_off_is_told_as_failed() {
        let running = Mutex::new(job(1, None));
        broken_off(&running, Timestamp::UNIX_EPOCH);
        assert_eq!(lock(&running).state, State::Failed);
        let finished = Mutex::new(job(1, None));
        end(&finished, Summary::default(), Timestamp::UNIX_EPOCH);
        broken_off(&finished, Timestamp::UNIX_EPOCH);
        assert_eq!(lock(&finished).state, State::Finished);
    }
}
