//! Where a subject has its home: the case it is in, as the views say; looked up off the path of any answer.

use std::collections::{HashMap, HashSet};

use assay_domain::aggregate::Subject;
use assay_domain::id::CaseId;
use assay_views::{At, Limit, Sight, ViewError, Views, history};
use serde::Deserialize;

/// How many homes are remembered; a subject never moves.
const KNOWN_MAX: usize = 100_000;

/// The homes that were looked up.
#[derive(Debug, Default)]
pub(super) struct Homes {
    known: HashMap<Subject, CaseId>,
}

impl Homes {
    /// The case of a subject, if it was looked up.
    pub(super) fn of(&self, subject: Subject) -> Option<CaseId> {
        match subject {
            Subject::Case(case) => Some(case),
            other => self.known.get(&other).copied(),
        }
    }

    /// Looks up those that are not known. Blocks.
    pub(super) fn look_up(
        mut self,
        views: &Views,
        subjects: impl IntoIterator<Item = Subject>,
    ) -> (Self, Result<(), ViewError>) {
        if self.known.len() > KNOWN_MAX {
            self.known.clear();
        }
        let unknown = subjects.into_iter().filter(|one| self.of(*one).is_none());
        let wanted: HashSet<Subject> = unknown.collect();
        let found = if wanted.is_empty() { Ok(Vec::new()) } else { found(views, &wanted) };
        let done = found.map(|found| self.known.extend(found));
        (self, done)
    }
}

fn found(views: &Views, wanted: &HashSet<Subject>) -> Result<Vec<(Subject, CaseId)>, ViewError> {
    let db = views.reader()?;
    // The house keeps its own book: nobody is shown what it sees for that.
    let sight = Sight::house();
    db.snapshot(|| {
        let mut homes = Vec::new();
        for subject in wanted {
            let entries =
                history::of_subject(&db, &sight, At::Head, *subject, None, Limit::new(1)?)?;
            for entry in entries.items {
                let Placed { case } = serde_json::from_str(entry.get())?;
                homes.extend(case.map(|case| (*subject, case)));
            }
        }
        Ok(homes)
    })
}

#[derive(Deserialize)]
struct Placed {
    case: Option<CaseId>,
}
