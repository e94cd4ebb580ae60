//! One look at the views: on the worker's own connection when it is short, on a bounded pool when it is long.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use assay_domain::id::UserId;
use assay_domain::policy::Permission;
use assay_views::db::{Moment, moment};
use assay_views::{At, Reader, Sight, ViewError, Views};

use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;

/// What a question is asked of: the views, what the asker sees, and when.
pub(crate) struct Look<'a> {
    pub(crate) db: &'a Reader,
    pub(crate) sight: &'a Sight,
    /// What the asker sees who says to what end: only for telling that a case is there.
    pub(crate) whole: &'a Sight,
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
/// Where the file was replaced by one made anew, the next look opens that.
struct Held {
    path: PathBuf,
    reader: Reader,
    sights: Sights,
}

/// Sights made at one position of the views; at the next they may be others.
#[derive(Default)]
struct Sights {
    position: u64,
    of: HashMap<UserId, Rc<Eyes>>,
}

/// What one asker sees.
struct Eyes {
    /// Saying to what end.
    whole: Sight,
    /// Not saying it: without the cases that demand it.
    narrow: Sight,
}

impl Eyes {
    /// Asks with what the asker sees, and tells what is out of it only for want of a purpose.
    fn ask<T>(
        &self,
        (db, at): (&Reader, At),
        purposed: bool,
        ask: impl Fn(&Look<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let look = |sight| ask(&Look { db, sight, whole: &self.whole, at });
        if purposed {
            return look(&self.whole);
        }
        let refused = match look(&self.narrow) {
            Err(problem) if problem.unseen_or_denied() => problem,
            other => return other,
        };
        // Asked again, so that nobody learns of a case who would not see it with a purpose either.
        Err(if look(&self.whole).is_ok() { Problem::purpose_required() } else { refused })
    }
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
    fn of(&mut self, db: &Reader, user: UserId) -> Result<Option<Rc<Eyes>>, ViewError> {
        let position = db.position()?;
        if self.position != position || self.of.len() >= SIGHTS_MAX {
            *self = Self { position, of: HashMap::new() };
        }
        if let Some(eyes) = self.of.get(&user) {
            return Ok(Some(Rc::clone(eyes)));
        }
        let Some(whole) = Sight::of(db, user)? else { return Ok(None) };
        let eyes = Rc::new(Eyes { narrow: whole.clone().without_purpose(), whole });
        self.of.insert(user, Rc::clone(&eyes));
        Ok(Some(eyes))
    }
}

/// Asks on this thread.
pub(crate) fn here<T>(
    app: &App,
    caller: &Caller,
    at: At,
    ask: impl Fn(&Look<'_>) -> Result<T, Problem>,
) -> Result<(T, Moment), Problem> {
    with_reader(&app.views, |held| asked(held, caller, at, ask))
}

/// Asks on the bounded pool; too many at once are sent away.
pub(crate) async fn aside<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    at: At,
    ask: impl Fn(&Look<'_>) -> Result<T, Problem> + Send + 'static,
) -> Result<(T, Moment), Problem> {
    let admitted = Arc::clone(&app.gates.long_reads_admitted).try_acquire_owned();
    let admitted = admitted
        .map_err(|_| Problem::busy("reads_busy", "too many long questions at once; ask again"))?;
    let permit = Arc::clone(&app.gates.long_reads).acquire_owned().await;
    let permit = permit.map_err(Problem::fault)?;
    let (views, caller) = (app.views.clone(), *caller);
    let asked = tokio::task::spawn_blocking(move || {
        let answer = with_reader(&views, |held| asked(held, &caller, at, ask));
        drop((admitted, permit));
        answer
    });
    asked.await.map_err(Problem::fault)?
}

fn asked<T>(
    held: &mut Held,
    caller: &Caller,
    at: At,
    ask: impl Fn(&Look<'_>) -> Result<T, Problem>,
) -> Result<(T, Moment), Problem> {
    let Held { reader, sights, .. } = held;
    let db = &*reader;
    let answer = db.snapshot(|| {
        let Some(eyes) = sights.of(db, caller.user)? else {
            // An account so new, or so gone, that this node shows nothing of it.
            return Ok(Err(Problem::unseen()));
        };
        let moment = moment(db, at)?;
        let answer = eyes.ask((db, at), caller.purposed, ask);
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
        let current = |held: &Held| held.path == views.path() && views.current(&held.reader);
        let kept = held.take().filter(current);
        let current = kept.map_or_else(|| Held::open(views), Ok)?;
        work(held.insert(current))
    })
}
