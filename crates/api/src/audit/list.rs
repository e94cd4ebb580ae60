//! A list of the API as a value: read from the path somebody would ask for it by, and asked as of any moment.

use assay_domain::id::CaseId;
use assay_domain::policy::Permission;
use assay_domain::source::SourceKind;
use assay_views::claims::ClaimFilter;
use assay_views::diff::Naming;
use assay_views::findings::FindingFilter;
use assay_views::links::LinkFilter;
use assay_views::queue::QueueFilter;
use assay_views::reports::ReportFilter;
use assay_views::search::SearchFilter;
use assay_views::{
    At, Cursor, Limit, Page, ViewError, claims, contradictions, findings, links, members, queue,
    reports, search, sources,
};
use serde::de::DeserializeOwned;

use crate::door::query::{self, Pairs};
use crate::findings::FindingQuery;
use crate::problem::Problem;
use crate::reads::Paging;
use crate::reads::cases::must_see;
use crate::reads::claims::{ClaimQuery, QueueQuery};
use crate::reads::links::{ContradictionQuery, LinkQuery};
use crate::reads::look::Look;
use crate::reads::people::SourceQuery;
use crate::reads::reports::ReportQuery;
use crate::reads::search::SearchQuery;

/// Where all lists are found; the path may be given with or without it.
const BASE: &str = "/api/v1";
/// What is said beside the query: which part of it, and as of when.
const NOT_OF_IT: [&str; 4] = ["limit", "cursor", "as_of", "after"];

/// A list and its filters.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum List {
    /// `/cases/{case}/reports`
    Reports(CaseId, ReportFilter),
    /// `/cases/{case}/claims`
    Claims(CaseId, ClaimFilter),
    /// `/cases/{case}/links`
    Links(CaseId, LinkFilter),
    /// `/cases/{case}/contradictions`, open ones or others.
    Contradictions(CaseId, Option<bool>),
    /// `/cases/{case}/members`
    Members(CaseId),
    /// `/review-queue`
    Queue(QueueFilter),
    /// `/search`, with the words looked for.
    Search(String, SearchFilter),
    /// `/sources`, of one kind or all.
    Sources(Option<SourceKind>),
    /// `/findings`
    Findings(FindingFilter),
}

impl List {
    /// Reads a path with its parameters.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let text = text.strip_prefix(BASE).unwrap_or(text);
        let (path, parameters) = text.split_once('?').unwrap_or((text, ""));
        let pairs = query::pairs_of(parameters).map_err(|problem| refused(&problem))?;
        if let Some((name, _)) = pairs.iter().find(|(name, _)| NOT_OF_IT.contains(&&**name)) {
            return Err(invalid(format!("`{name}` is no part of the query")));
        }
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["", "cases", case, list] => {
                let case = case.parse().map(CaseId).map_err(|_| unknown())?;
                Self::in_case(case, list, &pairs)
            }
            ["", "review-queue"] => Ok(Self::Queue(filters::<QueueQuery>(&pairs)?.filter())),
            ["", "search"] => {
                let asked = filters::<SearchQuery>(&pairs)?;
                let words = asked.words().map_err(|problem| refused(&problem))?.to_owned();
                Ok(Self::Search(words, asked.filter()))
            }
            ["", "sources"] => Ok(Self::Sources(filters::<SourceQuery>(&pairs)?.kind)),
            ["", "findings"] => Ok(Self::Findings(filters::<FindingQuery>(&pairs)?.filter())),
            _ => Err(unknown()),
        }
    }

    fn in_case(case: CaseId, list: &str, pairs: &Pairs) -> Result<Self, Problem> {
        Ok(match list {
            "reports" => Self::Reports(case, filters::<ReportQuery>(pairs)?.filter()),
            "claims" => Self::Claims(case, filters::<ClaimQuery>(pairs)?.filter()),
            "links" => Self::Links(case, filters::<LinkQuery>(pairs)?.filter()),
            "contradictions" => {
                Self::Contradictions(case, filters::<ContradictionQuery>(pairs)?.open)
            }
            "members" => filters::<Paging>(pairs).map(|_| Self::Members(case))?,
            _ => return Err(unknown()),
        })
    }

    /// Refuses who would not be answered the list itself.
    pub(super) fn must_see(&self, look: &Look<'_>) -> Result<(), Problem> {
        match self {
            Self::Reports(case, _)
            | Self::Claims(case, _)
            | Self::Links(case, _)
            | Self::Contradictions(case, _)
            | Self::Members(case) => must_see(look, *case),
            Self::Sources(_) => look.need_anywhere(Permission::ReadSources),
            Self::Queue(_) | Self::Search(..) | Self::Findings(_) => Ok(()),
        }
    }

    /// A part of the list as of a moment.
    pub(super) fn page(
        &self,
        look: &Look<'_>,
        at: At,
        cursor: Option<&Cursor>,
        limit: Limit,
    ) -> Result<Page, ViewError> {
        let Look { db, sight, .. } = look;
        match self {
            Self::Reports(case, filter) => {
                reports::page(db, sight, at, *case, filter, cursor, limit)
            }
            Self::Claims(case, filter) => claims::page(db, sight, at, *case, filter, cursor, limit),
            Self::Links(case, filter) => links::page(db, sight, at, *case, filter, cursor, limit),
            Self::Contradictions(case, open) => {
                contradictions::page(db, sight, at, *case, *open, cursor, limit)
            }
            Self::Members(case) => members::page(db, sight, at, *case, cursor, limit),
            Self::Queue(filter) => queue::page(db, sight, at, filter, cursor, limit),
            Self::Search(words, filter) => {
                search::find(db, sight, at, words, filter, cursor, limit)
            }
            Self::Sources(kind) => sources::page(db, sight, at, *kind, cursor, limit),
            Self::Findings(filter) => findings::page(db, sight, at, filter, cursor, limit),
        }
    }

    /// What names its items, and what else they are made of.
    pub(super) const fn naming(&self) -> Naming<'static> {
        match self {
            Self::Contradictions(..) => Naming { key: "link", also: &["/from/claim", "/to/claim"] },
            Self::Members(_) => Naming { key: "user", also: &["/case"] },
            Self::Queue(_) => Naming { key: "claim", also: &[] },
            Self::Reports(..)
            | Self::Claims(..)
            | Self::Links(..)
            | Self::Search(..)
            | Self::Sources(_)
            | Self::Findings(_) => Naming { key: "id", also: &[] },
        }
    }
}

/// The filters of a list, known ones only.
fn filters<T: DeserializeOwned>(pairs: &Pairs) -> Result<T, Problem> {
    query::rest(pairs).map_err(|problem| refused(&problem))
}

/// A query that would be refused as a request is refused as a parameter.
fn refused(problem: &Problem) -> Problem {
    invalid(problem.to_string())
}

fn invalid(detail: String) -> Problem {
    Problem::field("/query".to_owned(), "diff_query_invalid", detail)
}

fn unknown() -> Problem {
    let detail = "`query` is the path of a list of what is in cases, with its filters";
    Problem::field("/query".to_owned(), "diff_query_unknown", detail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_domain::claim::ClaimKind;

    const CASE: &str = "0199c0de-0000-7000-8000-000000000001";

    fn code(text: &str) -> String {
        List::read(text).unwrap_err().code().to_owned()
    }

    #[test]
    fn every_list_of_what_is_in_cases_is_known_by_its_path() {
        let case = CaseId(CASE.parse().unwrap());
        let claims = List::read(&format!("/cases/{CASE}/claims?kind=casualty&contested=true"));
        let filter = ClaimFilter {
            kind: Some(ClaimKind::Casualty),
            contested: Some(true),
            ..ClaimFilter::default()
        };
        assert_eq!(claims.unwrap(), List::Claims(case, filter));
        for list in ["reports", "links", "contradictions", "members"] {
            assert!(List::read(&format!("/api/v1/cases/{CASE}/{list}")).is_ok(), "{list}");
        }
        for list in ["/review-queue", "/search?q=a+b", "/sources?kind=outlet", "/findings"] {
            assert!(List::read(list).is_ok(), "{list}");
        }
    }

    #[test]
    fn anything_else_is_refused_as_a_parameter() {
        for text in ["", "/", "/cases", "cases", "/cases/x/claims", "/users", "/audit/entries"] {
            assert_eq!(code(text), "diff_query_unknown", "{text}");
        }
        for text in [
            "/search",
            "/search?q=",
            "/sources?kind=nothing",
            "/sources?kind=outlet&kind=outlet",
            "/sources?limit=2",
            "/findings?as_of=3",
            "/findings?colour=red",
        ] {
            assert_eq!(code(text), "diff_query_invalid", "{text}");
        }
    }
}
