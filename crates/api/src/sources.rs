//! Sources: who publishes and testifies, what they are called, what to beware of.

use actix_web::{post, put};
use assay_domain::id::SourceId;
use assay_domain::source::{
    AddSourceName, Descriptor, DropSourceName, FlagSource, RegisterSource, SourceFlag, SourceKind,
    UnflagSource,
};
use assay_domain::text::{Address, Name, Passage, Phrase, Reason};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::door::{Act, Place};
use crate::users::ReasonBody;
use crate::write::{Answer, Written};

/// A source to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSource {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<SourceId>,
    /// What kind it is.
    kind: SourceKind,
    /// What it is called.
    name: Name,
    /// Where it publishes.
    #[serde(default)]
    url: Option<Address>,
    /// In which language, a BCP 47 tag.
    #[serde(default)]
    language: Option<Phrase>,
    /// What else is known of it.
    #[serde(default)]
    description: Option<Passage>,
}

/// A name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NameBody {
    /// What it is called.
    name: Name,
}

/// A name that is no more, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DropNameBody {
    /// What it is not called any more.
    name: Name,
    /// Why.
    reason: Reason,
}

/// Register a source.
#[utoipa::path(tag = "sources", request_body = NewSource,
    responses((status = 201, description = "The source is registered.", body = Written)))]
#[post("/sources")]
pub(crate) async fn register(act: Act<NewSource>) -> Answer {
    let Act { asking, body } = act;
    let NewSource { id, kind, name, url, language, description } = body;
    let source = asking.id(id, "source");
    let descriptor = Descriptor { name, url, language, description };
    let command = RegisterSource { source, kind, descriptor };
    asking.create(&command, source.0, &format!("sources/{source}")).await
}

/// Add a name to a source.
#[utoipa::path(tag = "sources", request_body = NameBody,
    responses((status = 200, description = "It is also called so.", body = Written)))]
#[post("/sources/{source}/names")]
pub(crate) async fn add_name(act: Act<NameBody>, source: Place<SourceId>) -> Answer {
    let command = AddSourceName { source: *source, name: act.body.name };
    act.asking.change(&command, source.0).await
}

/// Drop a name of a source.
#[utoipa::path(tag = "sources", request_body = DropNameBody,
    responses((status = 200, description = "It is not called so any more.", body = Written)))]
#[post("/sources/{source}/names/drop")]
pub(crate) async fn drop_name(act: Act<DropNameBody>, source: Place<SourceId>) -> Answer {
    let DropNameBody { name, reason } = act.body;
    act.asking.change(&DropSourceName { source: *source, name, reason }, source.0).await
}

/// Flag a source.
#[utoipa::path(tag = "sources", request_body = ReasonBody,
    responses((status = 200, description = "It carries the flag.", body = Written)))]
#[put("/sources/{source}/flags/{flag}")]
pub(crate) async fn raise_flag(
    act: Act<ReasonBody>,
    place: Place<(SourceId, SourceFlag)>,
) -> Answer {
    let (source, flag) = place.into_inner();
    act.asking.change(&FlagSource { source, flag, reason: act.body.reason }, source.0).await
}

/// Take a flag from a source.
#[utoipa::path(tag = "sources", request_body = ReasonBody,
    responses((status = 200, description = "It does not carry the flag any more.", body = Written)))]
#[post("/sources/{source}/flags/{flag}/drop")]
pub(crate) async fn drop_flag(
    act: Act<ReasonBody>,
    place: Place<(SourceId, SourceFlag)>,
) -> Answer {
    let (source, flag) = place.into_inner();
    act.asking.change(&UnflagSource { source, flag, reason: act.body.reason }, source.0).await
}
