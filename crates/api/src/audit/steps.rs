//! A case step by step, forward and back: what was done, on what it rested, what it changed.

use actix_web::get;
use assay_domain::id::CaseId;
use assay_views::steps::{self, Step, Walk};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::door::Place;
use crate::reads::answer::{ListOf, Seen};
use crate::reads::cases::must_see;
use crate::reads::look::Look;
use crate::reads::{Plain, Read, paged};
use crate::write::Answer;

/// Which way to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// To what came after.
    #[default]
    Forward,
    /// To what came before.
    Back,
}

/// From where, and which way.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StepQuery {
    /// The step that holds this position is where one stands, and is not told again; left out, one
    /// stands before the first, or after the last where one goes back.
    position: Option<u64>,
    /// Which way.
    #[serde(default)]
    #[param(inline, required = false)]
    direction: Direction,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(StepQuery);

impl StepQuery {
    fn walk(&self) -> Walk {
        let forward = self.direction == Direction::Forward;
        let end = if forward { 0 } else { u64::MAX };
        Walk { after: self.position.unwrap_or(end), forward }
    }
}

/// The steps of a case from one of them, in the direction one goes.
#[utoipa::path(tag = "audit", params(StepQuery),
    responses((status = 200, description = "Steps.", body = ListOf<Step>)))]
#[get("/audit/cases/{case}/steps")]
pub(crate) async fn list(read: Read<StepQuery>, case: Place<CaseId>) -> Answer {
    let (paging, walk) = (read.params.paging(), read.params.walk());
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let find = move |look: &Look<'_>| {
        must_see(look, *case)?;
        let Look { db, sight, at, .. } = look;
        Ok(Some(steps::page(db, sight, *case, *at, walk, cursor.as_ref(), limit)?))
    };
    read.long_list(find).await
}

/// The step that holds a position, or the last one before it.
#[utoipa::path(tag = "audit",
    responses((status = 200, description = "The step.", body = Seen<Step>)))]
#[get("/audit/cases/{case}/steps/{position}")]
pub(crate) async fn one(read: Read<Plain>, place: Place<(CaseId, u64)>) -> Answer {
    let (case, position) = place.into_inner();
    let find = move |look: &Look<'_>| {
        must_see(look, case)?;
        Ok(steps::at(look.db, look.sight, case, look.at, position)?)
    };
    read.long_value(find).await
}
