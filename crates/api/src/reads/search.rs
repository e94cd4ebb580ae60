//! Searching: words in any script, in everything in sight.

use actix_web::get;
use assay_domain::id::CaseId;
use assay_views::search::{self, Hit, HitKind, SearchFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::ListOf;
use super::look::Look;
use super::{Read, paged};
use crate::problem::Problem;
use crate::write::Answer;

/// The longest question.
const CHARS_MAX: usize = 500;

/// What to look for, and where.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// All of these words; `"quoted phrases"` stand together, `word*` is a beginning.
    #[param(min_length = 1, max_length = 500)]
    q: String,
    /// Only this kind of thing.
    #[param(inline)]
    kind: Option<HitKind>,
    /// Only in this case.
    #[param(value_type = Option<uuid::Uuid>)]
    case: Option<CaseId>,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(SearchQuery);

impl SearchQuery {
    /// The words to look for.
    pub(crate) fn words(&self) -> Result<&str, Problem> {
        if self.q.trim().is_empty() || self.q.chars().count() > CHARS_MAX {
            return Err(Problem::malformed("query_invalid", "`q` has 1 to 500 characters"));
        }
        Ok(&self.q)
    }

    /// What of it the views filter by.
    pub(crate) const fn filter(&self) -> SearchFilter {
        SearchFilter { kind: self.kind, case: self.case }
    }
}

/// Search reports, claims, sources and cases; the best first.
#[utoipa::path(tag = "search", params(SearchQuery),
    responses((status = 200, description = "What was found.", body = ListOf<Hit>)))]
#[get("/search")]
pub(crate) async fn find(read: Read<SearchQuery>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let (q, filter) = (read.params.words()?.to_owned(), read.params.filter());
    let find = move |look: &Look<'_>| {
        let Look { db, sight, at, .. } = look;
        Ok(Some(search::find(db, sight, *at, &q, &filter, cursor.as_ref(), limit)?))
    };
    read.long_list(find).await
}
