//! What a job tells of itself.

use assay_exchange::LineError;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::engine::Tally;
use super::jobs::{Job, State};

/// An import: how far it is, and what it refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ImportJob {
    /// Its name.
    id: Uuid,
    /// Into which case.
    case: Uuid,
    /// `ndjson`, `csv` or `ucdp`.
    format: &'static str,
    /// `failed` is one that could not go on: see `stopped`. What it filed until then stays.
    state: ImportState,
    /// The last line that was read.
    lines: u64,
    /// Bytes that were read.
    bytes: u64,
    /// Reports and claims that are in the case now, filed by this run or there already.
    done: u64,
    /// What this run recorded; complete once it has ended.
    filed: ImportTally,
    /// What was there already, the same; complete once it has ended.
    already: ImportTally,
    /// Lines, reports and claims that were refused.
    refused: u64,
    /// Why, by line: one page of at most 1,000.
    errors: Vec<ImportError>,
    /// Refusals that are counted and not listed.
    errors_beyond: u64,
    /// The `cursor` of the next page of errors.
    next: Option<u64>,
    /// Why it could not go on, where it could not.
    stopped: Option<ImportError>,
    /// When it began, RFC 3339 in UTC.
    started_at: String,
    /// When it ended, RFC 3339 in UTC.
    finished_at: Option<String>,
}

/// Where an import stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImportState {
    /// It is being carried out.
    Running,
    /// It is done, whatever it refused.
    Finished,
    /// It could not go on.
    Failed,
}

/// Items by kind.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct ImportTally {
    /// Reports.
    reports: u64,
    /// Claims, with their assertions.
    claims: u64,
}

/// Why something was refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ImportError {
    /// In which line, from 1.
    line: u64,
    /// Stable reason.
    code: String,
    /// The field to blame, as a JSON pointer into the line; for CSV `/column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// In words.
    detail: String,
}

impl ImportJob {
    /// A job with a page of its errors.
    pub(super) fn of(job: &Job, cursor: u64, limit: u64) -> Self {
        let summary = &job.summary;
        let skip = usize::try_from(cursor).unwrap_or(usize::MAX);
        let take = usize::try_from(limit).unwrap_or(usize::MAX);
        let page = summary.errors.iter().skip(skip).take(take).map(ImportError::of).collect();
        let more = take > 0 && summary.errors.len() > skip.saturating_add(take);
        Self {
            id: job.id,
            case: job.case.0,
            format: job.format.as_str(),
            state: match job.state {
                State::Running => ImportState::Running,
                State::Finished => ImportState::Finished,
                State::Failed => ImportState::Failed,
            },
            lines: summary.lines_read,
            bytes: summary.bytes,
            done: job.done,
            filed: ImportTally::of(summary.filed),
            already: ImportTally::of(summary.already),
            refused: summary.refused,
            errors: page,
            errors_beyond: summary.errors_beyond(),
            next: more.then(|| cursor.saturating_add(limit)),
            stopped: summary.stopped.as_ref().map(ImportError::of),
            started_at: format!("{:.6}", job.started_at),
            finished_at: job.finished_at.map(|at| format!("{at:.6}")),
        }
    }
}

impl ImportTally {
    const fn of(tally: Tally) -> Self {
        Self { reports: tally.reports, claims: tally.claims }
    }
}

impl ImportError {
    fn of(error: &LineError) -> Self {
        Self {
            line: error.line,
            code: error.code.clone().into_owned(),
            pointer: error.pointer.clone(),
            detail: error.detail.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::engine::Summary;
    use super::*;

    #[test]
    fn errors_come_page_by_page_and_none_twice() {
        let error = |line| LineError::new(line, "json_malformed", "x");
        let errors: Vec<LineError> = (1..=5).map(error).collect();
        let job = Job {
            id: Uuid::nil(),
            owner: Uuid::nil().into(),
            case: Uuid::nil().into(),
            format: assay_exchange::Format::Csv,
            state: State::Finished,
            summary: Summary { refused: 7, errors, ..Summary::default() },
            done: 0,
            started_at: jiff::Timestamp::UNIX_EPOCH,
            finished_at: None,
        };
        let (mut seen, mut cursor) = (Vec::new(), Some(0));
        while let Some(at) = cursor {
            let told = ImportJob::of(&job, at, 2);
            assert_eq!(told.errors_beyond, 2);
            seen.extend(told.errors.iter().map(|error| error.line));
            cursor = told.next;
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
        assert!(ImportJob::of(&job, u64::MAX, 2).errors.is_empty());
    }
}
