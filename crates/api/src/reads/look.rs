//! One look at the views: on the worker's own connection when it is short, on a bounded pool when it is long.

use std::cell::RefCell;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
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

/// A connection of this thread, and the file it is open on.
struct Held {
    path: PathBuf,
    inode: u64,
    reader: Reader,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Asks on this thread.
pub(crate) fn here<T>(
    app: &App,
    user: UserId,
    at: At,
    ask: impl FnOnce(&Look<'_>) -> Result<T, Problem>,
) -> Result<(T, Moment), Problem> {
    with_reader(&app.views, |db| asked(db, user, at, ask))
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
        let answer = with_reader(&views, |db| asked(db, user, at, ask));
        drop((admitted, permit));
        answer
    });
    asked.await.map_err(Problem::fault)?
}

fn asked<T>(
    db: &Reader,
    user: UserId,
    at: At,
    ask: impl FnOnce(&Look<'_>) -> Result<T, Problem>,
) -> Result<(T, Moment), Problem> {
    let answer = db.snapshot(|| {
        let Some(sight) = Sight::of(db, user)? else {
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
    work: impl FnOnce(&Reader) -> Result<T, Problem>,
) -> Result<T, Problem> {
    HELD.with(|cell| {
        let mut held = cell.try_borrow_mut().map_err(Problem::fault)?;
        let inode = inode(views.path())?;
        let same = |held: &Held| held.path == views.path() && held.inode == inode;
        // A file made anew beside the old one and swapped in is another file under the same name.
        let current = match held.take().filter(same) {
            Some(current) => current,
            None => Held { path: views.path().to_owned(), inode, reader: views.reader()? },
        };
        work(&held.insert(current).reader)
    })
}

fn inode(path: &Path) -> Result<u64, Problem> {
    let found = std::fs::metadata(path).map(|found| found.ino());
    Ok(found.map_err(ViewError::from)?)
}
