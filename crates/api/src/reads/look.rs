//! One look at the views: on the worker's own connection when it is short, on a bounded pool when it is long.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use assay_domain::id::UserId;
use assay_domain::policy::Permission;
use assay_views::db::{Moment, moment};
use assay_views::{At, Reader, Sight, ViewError, Views};

use crate::app::App;
use crate::problem::Problem;

/// What a question is asked of: the views, what the asker sees, and when.
pub(crate) struct Look<'a> {
    pub(crate) db: &'a Reader,
    pub(crate) sight: &'a Sight,
    pub(crate) at: At,
}

impl Look<'_> {
    /// Refuses who may not do this in the house.
    pub(crate) fn need(&self, permission: Permission) -> Result<(), Problem> {
        if self.sight.may(permission) { Ok(()) } else { Err(Problem::forbidden()) }
    }

    /// Refuses who may do this neither in the house nor in any case.
    pub(crate) fn need_anywhere(&self, permission: Permission) -> Result<(), Problem> {
        if self.sight.may_anywhere(permission) { Ok(()) } else { Err(Problem::forbidden()) }
    }
}

/// How many readers' sights a thread keeps.
const SIGHTS_MAX: usize = 256;

/// A connection of this thread, the file it is open on, and the sights made at one position.
///
/// A running server has its file of views to itself: it is made anew only while none runs.
struct Held {
    path: PathBuf,
    reader: Reader,
    sights: Sights,
}

/// Sights made at one position of the views; at the next they may be others.
#[derive(Default)]
struct Sights {
    position: u64,
    of: HashMap<UserId, Sight>,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

impl Held {
    fn open(views: &Views) -> Result<Self, ViewError> {
        let (path, reader) = (views.path().to_owned(), views.reader()?);
        Ok(Self { path, reader, sights: Sights::default() })
    }
}

impl Sights {
    /// What a user sees at the position of this snapshot.
    fn of(&mut self, db: &Reader, user: UserId) -> Result<Option<Sight>, ViewError> {
        let position = db.position()?;
        if self.position != position || self.of.len() >= SIGHTS_MAX {
            *self = Self { position, of: HashMap::new() };
        }
        if let Some(sight) = self.of.get(&user) {
            return Ok(Some(sight.clone()));
        }
        let made = Sight::of(db, user)?;
        self.of.extend(made.clone().map(|sight| (user, sight)));
        Ok(made)
    }
}

/// Asks on this thread.
pub(crate) fn here<T>(
    app: &App,
    user: UserId,
    at: At,
    ask: impl FnOnce(&Look<'_>) -> Result<T, Problem>,
) -> Result<(T, Moment), Problem> {
    with_reader(&app.views, |held| asked(held, user, at, ask))
}

/// Asks on the bounded pool; too many at once are sent away.
pub(crate) async fn aside<T: Send + 'static>(
    app: &App,
    user: UserId,
    at: At,
    ask: impl FnOnce(&Look<'_>) -> Result<T, Problem> + Send + 'static,
) -> Result<(T, Moment), Problem> {
    let admitted = Arc::clone(&app.gates.long_reads_admitted).try_acquire_owned();
    let admitted = admitted
        .map_err(|_| Problem::busy("reads_busy", "too many long questions at once; ask again"))?;
    let permit = Arc::clone(&app.gates.long_reads).acquire_owned().await;
    let permit = permit.map_err(Problem::fault)?;
    let views = app.views.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let answer = with_reader(&views, |held| asked(held, user, at, ask));
        drop((admitted, permit));
        answer
    });
    asked.await.map_err(Problem::fault)?
}

fn asked<T>(
    held: &mut Held,
    user: UserId,
    at: At,
    ask: impl FnOnce(&Look<'_>) -> Result<T, Problem>,
) -> Result<(T, Moment), Problem> {
    let Held { reader, sights, .. } = held;
    let db = &*reader;
    let answer = db.snapshot(|| {
        let Some(sight) = sights.of(db, user)? else {
            // An account so new, or so gone, that this node shows nothing of it.
            return Ok(Err(Problem::unseen()));
        };
        let moment = moment(db, at)?;
        let answer = ask(&Look { db, sight: &sight, at });
        Ok(answer.map(|answer| (answer, moment)))
    });
    answer?
}

fn with_reader<T>(
    views: &Views,
    work: impl FnOnce(&mut Held) -> Result<T, Problem>,
) -> Result<T, Problem> {
    HELD.with(|cell| {
        let mut held = cell.try_borrow_mut().map_err(Problem::fault)?;
        let kept = held.take().filter(|held| held.path == views.path());
        let current = kept.map_or_else(|| Held::open(views), Ok)?;
        work(held.insert(current))
    })
}
