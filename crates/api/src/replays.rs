//! Replays: a walk through a case's past, saved with what was seen there, and compared with what is seen there today.

use actix_web::{get, post};
use assay_domain::erasure::{Erasable, ErasableKind, ErasureStanding};
use assay_domain::id::{CaseId, ReplayId};
use assay_domain::replay::{DropReplay, GotoStep, SaveReplay, StateDigest};
use assay_domain::text::{Reason, Title};
use assay_views::replays::{self, ReplayDoc};
use assay_views::{At, claims, erasures, links, reports};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

use crate::audit::state::{CaseState, state_of};
use crate::audit::writer;
use crate::door::{Act, Asking, Place};
use crate::problem::Problem;
use crate::reads::answer::{ListOf, Seen};
use crate::reads::look::{Look, aside};
use crate::reads::{Plain, Read, paged};
use crate::write::{Answer, Written};

/// A replay to be saved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReplay {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<ReplayId>,
    /// Of which case.
    case: CaseId,
    /// What to call it.
    title: Title,
    /// From after this position.
    from: u64,
    /// Up to this position, included.
    to: u64,
}

/// Where to go in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GotoBody {
    /// After which entry to stand.
    position: u64,
    /// What is worth noting there.
    #[serde(default)]
    note: Option<Reason>,
}

/// What a replay's case is today, as of the replay's end.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StateNow {
    /// Made again just now, as of `to`.
    state: StateDigest,
    /// Whether the entries are the same: anything else means that the log was changed.
    same_entries: bool,
    /// Whether what is shown is the same: it is not where something was erased or restricted since.
    same_shown: bool,
    /// Where what is shown differs: what of this case is forgotten or restricted now. Where there is
    /// none, the program came to show things otherwise.
    explained_by: Vec<Hidden>,
}

/// Something that is not shown any more.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hidden {
    /// What.
    subject: Erasable,
    /// Whether it is forgotten for ever or restricted until that is decided.
    standing: ErasureStanding,
}

/// Which replays.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReplayQuery {
    /// Only of this case.
    #[param(value_type = Option<uuid::Uuid>)]
    case: Option<CaseId>,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(ReplayQuery);

/// A saved replay, and whether it is still what it was.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplayThenAndNow {
    /// As it was saved.
    #[serde(flatten)]
    #[schema(value_type = ReplayDoc, inline)]
    replay: Map<String, Value>,
    /// As it is made again.
    now: StateNow,
}

/// What of a stored replay is needed for making its end again.
#[derive(Deserialize)]
struct Saved {
    case: CaseId,
    to: u64,
    state: StateDigest,
}

/// Save a replay of a case; what the case was at its end is put down with it.
#[utoipa::path(tag = "replays", request_body = NewReplay,
    responses((status = 201, description = "It is saved.", body = Written)))]
#[post("/replays")]
pub(crate) async fn save(act: Act<NewReplay>) -> Answer {
    let Act { asking, body } = act;
    let NewReplay { id, case, title, from, to } = body;
    let replay = asking.id(id, "replay");
    let state = state_at(&asking, case, to).await?;
    let command = SaveReplay { replay, case, title, from, to, state };
    asking.create(&command, replay.0, &format!("replays/{replay}")).await
}

/// My saved replays, last saved first; auditors see everybody's.
#[utoipa::path(tag = "replays", params(ReplayQuery),
    responses((status = 200, description = "Replays.", body = ListOf<ReplayDoc>)))]
#[get("/replays")]
pub(crate) async fn list(read: Read<ReplayQuery>) -> Answer {
    let (paging, case) = (read.params.paging(), read.params.case);
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let find = move |look: &Look<'_>| {
        let Look { db, sight, at, .. } = look;
        Ok(Some(replays::page(db, sight, *at, case, cursor.as_ref(), limit)?))
    };
    read.list(&paging, find).await
}

/// One replay, and whether its end is still what it was when it was saved.
#[utoipa::path(tag = "replays",
    responses((status = 200, description = "The replay.", body = Seen<ReplayThenAndNow>)))]
#[get("/replays/{replay}")]
pub(crate) async fn one(read: Read<Plain>, replay: Place<ReplayId>) -> Answer {
    let journal = Arc::clone(read.app.house.journal());
    let find = move |look: &Look<'_>| {
        let Some(found) = replays::one(look.db, look.sight, look.at, *replay)? else {
            return Ok(None);
        };
        let saved: Saved = serde_json::from_str(&found.json).map_err(Problem::fault)?;
        let replay = serde_json::from_str(&found.json).map_err(Problem::fault)?;
        let Some(state) = state_of(look, &*journal, At::Position(saved.to), saved.case)? else {
            return Ok(None);
        };
        Ok(Some(ReplayThenAndNow { replay, now: compared(look, &saved, state.state)? }))
    };
    read.long_value(find).await
}

/// Go to a step of a replay, perhaps with a note.
#[utoipa::path(tag = "replays", request_body = GotoBody,
    responses((status = 200, description = "It stands there.", body = Written)))]
#[post("/replays/{replay}/goto")]
pub(crate) async fn goto(act: Act<GotoBody>, replay: Place<ReplayId>) -> Answer {
    let GotoBody { position, note } = act.body;
    act.asking.change(&GotoStep { replay: *replay, position, note }, replay.0).await
}

/// Drop a replay; its owner needs it no more.
#[utoipa::path(tag = "replays", responses((status = 200, description = "It is dropped.", body = Written)))]
#[post("/replays/{replay}/drop")]
pub(crate) async fn drop_it(asking: Asking, replay: Place<ReplayId>) -> Answer {
    asking.change(&DropReplay { replay: *replay }, replay.0).await
}

/// What a case was at the end of a replay that is about to be saved.
async fn state_at(asking: &Asking, case: CaseId, to: u64) -> Result<StateDigest, Problem> {
    let journal = Arc::clone(asking.app.house.journal());
    let find = move |look: &Look<'_>| {
        if to > assay_views::db::moment(look.db, At::Head)?.position {
            let detail = "`to` lies beyond what this node shows".to_owned();
            return Err(Problem::field("/to".to_owned(), "replay_range_invalid", detail));
        }
        let found = state_of(look, &*journal, At::Position(to), case)?;
        let CaseState { state, .. } = found.ok_or_else(Problem::unseen)?;
        Ok(state)
    };
    aside(&asking.app, &writer(asking), At::Head, find).await.map(|(state, _)| state)
}

fn compared(look: &Look<'_>, saved: &Saved, state: StateDigest) -> Result<StateNow, Problem> {
    let same_entries = state.entries == saved.state.entries;
    let same_shown = state.shown == saved.state.shown;
    let explained_by = if same_shown { Vec::new() } else { hidden_of(look, saved.case)? };
    Ok(StateNow { state, same_entries, same_shown, explained_by })
}

/// What of a case is forgotten or restricted now.
fn hidden_of(look: &Look<'_>, case: CaseId) -> Result<Vec<Hidden>, Problem> {
    let mut found = Vec::new();
    for (subject, standing) in erasures::hidden(look.db)? {
        if is_of(look, subject, case)? {
            found.push(Hidden { subject, standing });
        }
    }
    Ok(found)
}

/// Whether a subject belongs to a case; people and sources belong to none.
fn is_of(look: &Look<'_>, subject: Erasable, case: CaseId) -> Result<bool, Problem> {
    #[derive(Deserialize)]
    struct Placed {
        case: CaseId,
    }
    let Look { db, sight, .. } = look;
    let found = match subject.kind {
        ErasableKind::User | ErasableKind::Source => return Ok(false),
        ErasableKind::Case => return Ok(subject.id == case.0),
        ErasableKind::Report => reports::one(db, sight, At::Head, subject.id.into())?,
        ErasableKind::Claim => claims::card(db, sight, At::Head, subject.id.into())?,
        ErasableKind::Link => links::one(db, sight, At::Head, subject.id.into())?,
    };
    let Some(found) = found else { return Ok(false) };
    let placed: Placed = serde_json::from_str(&found.json).map_err(Problem::fault)?;
    Ok(placed.case == case)
}
