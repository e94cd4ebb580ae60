//! Reading people and sources.

use actix_web::get;
use assay_domain::id::{SourceId, UserId};
use assay_domain::policy::Permission;
use assay_domain::source::SourceKind;
use assay_views::sources::SourceDoc;
use assay_views::users::{self, UserDoc};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::{ListOf, Seen};
use super::{Paging, Plain, Read, paged};
use crate::door::Place;
use crate::write::Answer;

/// Which sources.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SourceQuery {
    /// Only of this kind.
    #[param(inline)]
    pub(crate) kind: Option<SourceKind>,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(SourceQuery);

/// The users of the house, first registered first.
#[utoipa::path(tag = "users", params(Paging),
    responses((status = 200, description = "Users.", body = ListOf<UserDoc>)))]
#[get("/users")]
pub(crate) async fn user_list(read: Read<Paging>) -> Answer {
    let (limit, cursor) = (read.params.limit()?, read.params.cursor());
    let find = move |look: &super::look::Look<'_>| {
        look.need(Permission::ReadUsers)?;
        Ok(Some(users::page(look.db, look.sight, look.at, cursor.as_ref(), limit)?))
    };
    read.list(&read.params, find).await
}

/// One user.
#[utoipa::path(tag = "users",
    responses((status = 200, description = "The user.", body = Seen<UserDoc>)))]
#[get("/users/{user}")]
pub(crate) async fn one_user(read: Read<Plain>, user: Place<UserId>) -> Answer {
    read.object(|look| Ok(users::one(look.db, look.sight, look.at, *user)?))
}

/// The sources of the registry.
#[utoipa::path(tag = "sources", params(SourceQuery),
    responses((status = 200, description = "Sources.", body = ListOf<SourceDoc>)))]
#[get("/sources")]
pub(crate) async fn source_list(read: Read<SourceQuery>) -> Answer {
    let (kind, paging) = (read.params.kind, read.params.paging());
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let find = move |look: &super::look::Look<'_>| {
        look.need_anywhere(Permission::ReadSources)?;
        let cursor = cursor.as_ref();
        Ok(Some(assay_views::sources::page(look.db, look.sight, look.at, kind, cursor, limit)?))
    };
    read.list(&paging, find).await
}

/// One source.
#[utoipa::path(tag = "sources",
    responses((status = 200, description = "The source.", body = Seen<SourceDoc>)))]
#[get("/sources/{source}")]
pub(crate) async fn one_source(read: Read<Plain>, source: Place<SourceId>) -> Answer {
    read.object(|look| Ok(assay_views::sources::one(look.db, look.sight, look.at, *source)?))
}
