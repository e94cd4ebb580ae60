//! How the answer of a query changed between two moments: what came, what went, what changed, and through whom.

use actix_web::get;
use assay_views::At;
use assay_views::diff::{ListDiff, ListsError, lists};
use serde::Deserialize;
use utoipa::IntoParams;

use super::list::List;
use crate::problem::Problem;
use crate::reads::Read;
use crate::reads::answer::Seen;
use crate::reads::cases::until;
use crate::reads::look::Look;
use crate::write::Answer;

/// Which query, between which positions.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct QueryDiffQuery {
    /// The path of a list with its filters, percent-encoded: `/cases/{case}/claims?kind=casualty`.
    ///
    /// Any list of what is in cases: reports, claims, links, contradictions, members, the review
    /// queue, a search, sources, findings; without `limit`, `cursor` and `as_of`.
    query: String,
    /// After this position.
    from: u64,
    /// Up to this position, included; the last one where left out.
    to: Option<u64>,
}

/// What a query answers otherwise than it did, and by which entries; at most 5,000 items a side.
///
/// Seen with today's rights, at both moments.
#[utoipa::path(tag = "audit", params(QueryDiffQuery),
    responses((status = 200, description = "The difference.", body = Seen<ListDiff>)))]
#[get("/audit/diff")]
pub(crate) async fn of_query(read: Read<QueryDiffQuery>) -> Answer {
    let list = List::read(&read.params.query)?;
    let QueryDiffQuery { from, to, .. } = read.params;
    let find = move |look: &Look<'_>| {
        let to = until(look, from, to)?;
        list.must_see(look)?;
        let (then, now) = (At::Position(from), At::Position(to));
        let mut before = |cursor: Option<&_>, limit| list.page(look, then, cursor, limit);
        let mut after = |cursor: Option<&_>, limit| list.page(look, now, cursor, limit);
        let naming = list.naming();
        let found = lists(look.db, look.sight, (from, to), &mut before, &mut after, naming);
        Ok(Some(found.map_err(not_compared)?))
    };
    read.long_value(find).await
}

fn not_compared(error: ListsError) -> Problem {
    match error {
        ListsError::View(error) => error.into(),
        error @ ListsError::TooMany { .. } => {
            Problem::field("/query".to_owned(), "diff_query_too_long", error.to_string())
        }
    }
}
