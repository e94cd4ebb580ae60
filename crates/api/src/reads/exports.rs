//! A case or a verdict in other people's formats: read in one moment, recorded, and only then sent.

use std::collections::BTreeSet;

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, get};
use assay_domain::id::{CaseId, ClaimId, ReportId, SourceId};
use assay_domain::text::{Address, Name};
use assay_domain::value::Holder;
use assay_exchange::claim_review::{self, Publisher, Reviewed};
use assay_exchange::stix::{self, AsOf, Snapshot, Version};
use assay_views::cases::{self, CaseDoc};
use assay_views::claims::{self, ClaimDoc, ClaimFilter};
use assay_views::db::moment;
use assay_views::links::{self, LinkDoc, LinkFilter};
use assay_views::page::LIMIT_MAX;
use assay_views::reports::{self, ReportDoc, ReportFilter};
use assay_views::sources::{self, SourceDoc};
use assay_views::{At, Cursor, Document, Limit, Page, ViewError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use uuid::Uuid;

use super::look::Look;
use super::{Plain, Read, reached};
use crate::door::Place;
use crate::problem::{Problem, ProblemBody};
use crate::reading;
use crate::write::Answer;

/// The most documents a bundle is made of.
const DOCUMENTS_MAX: usize = 10_000;

/// Who publishes a review.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReviewQuery {
    /// The name of the house that publishes it; the issuer of its tokens where left out.
    #[param(value_type = Option<String>)]
    publisher: Option<Name>,
    /// Where its pages begin: the claim is at `{base}/claims/{claim}`; this API where left out.
    #[param(value_type = Option<String>, example = "https://house.example")]
    base: Option<Address>,
}

/// A case as a STIX 2.1 bundle, which reads the same for ever as of the same position.
///
/// It takes in all that was recorded in the microsecond of the position; the `grouping` in it says
/// up to which position that is. That it leaves the house is recorded before its first byte.
#[utoipa::path(tag = "exports",
    responses((status = 200, description = "The bundle.", body = Object,
        content_type = "application/stix+json;version=2.1")))]
#[get("/cases/{case}/exports/stix")]
pub(crate) async fn as_stix(read: Read<Plain>, case: Place<CaseId>) -> Answer {
    let case = *case;
    let read = whole_instant(read, case).await?;
    let find = move |look: &Look<'_>| Ok(stix::bundle(&snapshot(look, case)?).to_string());
    let (bundle, moment) = read.look_aside(find).await?;
    reading::now(&read.app, &read.req, &read.caller, moment.position).await?;
    let name = format!("attachment; filename=\"case-{case}.stix.json\"");
    let mut answer = HttpResponse::Ok();
    answer.content_type(stix::MEDIA_TYPE).insert_header((CONTENT_DISPOSITION, name));
    Ok(answer.body(bundle))
}

/// The verdict that stands on a claim, as schema.org `ClaimReview`.
///
/// Only of claims that can be true or false. That it leaves the house is recorded before its first byte.
#[utoipa::path(tag = "exports", params(ReviewQuery),
    responses(
        (status = 200, description = "The review.", body = Object,
            content_type = "application/ld+json"),
        (status = 422, description = "The claim has no verdict, or can be neither true nor false.",
            body = ProblemBody, content_type = "application/problem+json")))]
#[get("/claims/{claim}/claim-review")]
pub(crate) async fn as_claim_review(read: Read<ReviewQuery>, claim: Place<ClaimId>) -> Answer {
    let claim = *claim;
    let (name, base) = (publisher(&read), base(&read));
    let find =
        move |look: &Look<'_>| reviewed(look, claim, &Publisher { name: &name, base: &base });
    let (review, moment) = read.look_aside(find).await?;
    reading::now(&read.app, &read.req, &read.caller, moment.position).await?;
    Ok(HttpResponse::Ok().content_type(claim_review::MEDIA_TYPE).body(review))
}

fn publisher(read: &Read<ReviewQuery>) -> String {
    let named = read.params.publisher.clone();
    named.map_or_else(|| read.app.settings.issuer.clone(), Into::into)
}

/// Where pages begin, without a slash at the end.
fn base(read: &Read<ReviewQuery>) -> String {
    let here = || {
        let connection = read.req.connection_info();
        format!("{}://{}/api/v1", connection.scheme(), connection.host())
    };
    let base = read.params.base.clone().map_or_else(here, Into::into);
    base.trim_end_matches('/').to_owned()
}

/// The question as of the last position of its instant: what was recorded in one act is told whole.
async fn whole_instant(mut read: Read<Plain>, case: CaseId) -> Result<Read<Plain>, Problem> {
    let (_, moment) = read.look(|look| case_in(look, case))?;
    if let Some(instant) = moment.recorded_at {
        let position = read.app.house.journal().position_at(instant.micros())?;
        reached(&read.app, position).await?;
        read.at = At::Position(position);
    }
    Ok(read)
}

fn case_in(look: &Look<'_>, case: CaseId) -> Result<Document, Problem> {
    cases::one(look.db, look.sight, look.at, case)?.ok_or_else(Problem::unseen)
}

/// Everything of a case at one moment.
fn snapshot(look: &Look<'_>, case: CaseId) -> Result<Snapshot, Problem> {
    let Look { db, sight, at, .. } = look;
    let of_case = version(look, &case_in(look, case)?)?;
    let any = ReportFilter::default();
    let reports: Vec<Version<ReportDoc>> = all(
        look,
        |cursor, limit| reports::page(db, sight, *at, case, &any, cursor, limit),
        |id| reports::one(db, sight, *at, id.into()),
    )?;
    let any = ClaimFilter::default();
    let claims: Vec<Version<ClaimDoc>> = all(
        look,
        |cursor, limit| claims::page(db, sight, *at, case, &any, cursor, limit),
        |id| claims::card(db, sight, *at, id.into()),
    )?;
    let any = LinkFilter::default();
    let links: Vec<Version<LinkDoc>> = all(
        look,
        |cursor, limit| links::page(db, sight, *at, case, &any, cursor, limit),
        |id| links::one(db, sight, *at, id.into()),
    )?;
    let named = reports.iter().filter_map(|report| report.doc.publisher);
    let named = named.chain(claims.iter().flat_map(|claim| sources_of(&claim.doc))).collect();
    let sources = sources_named(look, named)?;
    let moment = moment(db, *at)?;
    let recorded_at = moment.recorded_at.ok_or_else(Problem::unseen)?;
    let as_of = AsOf { position: moment.position, recorded_at };
    Ok(Snapshot { case: of_case, reports, claims, sources, links, as_of })
}

/// Every document of a list, each with the moment since which it reads like this.
fn all<T: DeserializeOwned>(
    look: &Look<'_>,
    page: impl Fn(Option<&Cursor>, Limit) -> Result<Page, ViewError>,
    one: impl Fn(Uuid) -> Result<Option<Document>, ViewError>,
) -> Result<Vec<Version<T>>, Problem> {
    #[derive(Deserialize)]
    struct Named {
        id: Uuid,
    }
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let part = page(cursor.as_ref(), Limit::new(LIMIT_MAX)?)?;
        if found.len().saturating_add(part.items.len()) > DOCUMENTS_MAX {
            let detail = format!("a bundle is made of at most {DOCUMENTS_MAX} of each kind");
            return Err(Problem::too_large(detail));
        }
        for item in &part.items {
            let Named { id } = serde_json::from_str(item.get()).map_err(Problem::fault)?;
            let document = one(id)?.ok_or_else(|| Problem::fault("listed and not there"))?;
            found.push(version(look, &document)?);
        }
        cursor = part.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

fn version<T: DeserializeOwned>(
    look: &Look<'_>,
    document: &Document,
) -> Result<Version<T>, Problem> {
    let since = moment(look.db, At::Position(document.position))?;
    let changed = since.recorded_at.ok_or_else(|| Problem::fault("a row of no moment"))?;
    Ok(Version { changed, doc: parsed(document)? })
}

fn parsed<T: DeserializeOwned>(document: &Document) -> Result<T, Problem> {
    serde_json::from_str(&document.json).map_err(Problem::fault)
}

/// The sources that say something of a claim.
fn sources_of(claim: &ClaimDoc) -> impl Iterator<Item = SourceId> {
    claim.assertions.iter().flat_map(|assertion| {
        let chain = assertion.content.iter().flat_map(|content| content.chain.links());
        let holders = chain.filter_map(|link| match link.holder {
            Holder::Source { source } => Some(source),
            _ => None,
        });
        assertion.publisher.into_iter().chain(holders)
    })
}

/// Those of them that the asker may read.
fn sources_named(
    look: &Look<'_>,
    named: BTreeSet<SourceId>,
) -> Result<Vec<Version<SourceDoc>>, Problem> {
    let found = named.into_iter().filter_map(|source| {
        sources::one(look.db, look.sight, look.at, source)
            .map_err(Problem::from)
            .transpose()
            .map(|found| version(look, &found?))
    });
    found.collect()
}

/// The review of a claim, with the reports and sources it names.
fn reviewed(look: &Look<'_>, claim: ClaimId, publisher: &Publisher<'_>) -> Result<String, Problem> {
    let card = claims::card(look.db, look.sight, look.at, claim)?.ok_or_else(Problem::unseen)?;
    let claim: ClaimDoc = parsed(&card)?;
    let case: CaseDoc = parsed(&case_in(look, claim.case)?)?;
    let read: BTreeSet<ReportId> = claim.assertions.iter().map(|one| one.report).collect();
    let mut reports: Vec<ReportDoc> = Vec::new();
    for report in read {
        if let Some(found) = reports::one(look.db, look.sight, look.at, report)? {
            reports.push(parsed(&found)?);
        }
    }
    let named = reports.iter().filter_map(|report| report.publisher);
    let sources = sources_named(look, named.chain(sources_of(&claim)).collect())?;
    let sources: Vec<SourceDoc> = sources.into_iter().map(|source| source.doc).collect();
    let marking = case.marking;
    let reviewed = Reviewed { claim: &claim, reports: &reports, sources: &sources, marking };
    let review = claim_review::of(&reviewed, publisher).map_err(|why| {
        let detail =
            "only a claim that can be true or false, with a verdict that stands, has a review";
        Problem::field("/claim".to_owned(), why.code(), detail.to_owned())
    })?;
    Ok(review.to_string())
}
