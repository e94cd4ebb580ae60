//! How a transaction of the writer ends, and what each way of failing means.

use std::sync::atomic::Ordering;

use assay_store::log::LogError;
use rusqlite::{Connection, ErrorCode};

use crate::stats::Counters;

/// How a transaction ended without a commit.
pub(super) enum End {
    /// Nothing of it was written, everybody gets this answer.
    Refused(LogError),
    /// One of the appends broke a rule of the database: do it again with care.
    Again,
}

impl End {
    pub(super) fn error(self) -> LogError {
        match self {
            Self::Refused(error) => error,
            // With care nobody asks for another time; if so, nothing was written.
            Self::Again => LogError::Unavailable { outcome_unknown: false },
        }
    }
}

pub(super) fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

pub(super) fn roll_back(connection: &Connection, counters: &Counters) {
    // Some errors have rolled back already.
    if !connection.is_autocommit()
        && let Err(error) = run(connection, "ROLLBACK")
    {
        read_only(counters, &error);
    }
}

/// An error before the commit: nothing was written, and who asked hears so.
pub(super) fn failed(counters: &Counters, error: &rusqlite::Error) -> End {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            tracing::error!("the disk is full: nothing is written until there is room");
            return End::Refused(LogError::Full);
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            tracing::warn!(%error, "another process holds the journal");
        }
        _ => read_only(counters, error),
    }
    End::Refused(LogError::Unavailable { outcome_unknown: false })
}

/// An error of the commit itself. Unless SQLite says that there was no room, or that it never
/// began, the transaction may be on the disk all the same: its outcome is unknown, and the next
/// sync could succeed without it. So nothing is written any more until somebody has looked.
pub(super) fn commit_failed(counters: &Counters, error: &rusqlite::Error) -> End {
    let code = error.sqlite_error_code();
    if matches!(code, Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy)) {
        return failed(counters, error);
    }
    read_only(counters, error);
    End::Refused(LogError::Unavailable { outcome_unknown: true })
}

fn read_only(counters: &Counters, error: &rusqlite::Error) {
    counters.read_only.store(true, Ordering::Relaxed);
    tracing::error!(%error, "the journal is read-only now: writing failed, restart after checking");
}
