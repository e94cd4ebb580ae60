//! Answering a read: the document or the page as it lies there, with the moment it is of.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, LINK};
use actix_web::{HttpMessage as _, HttpResponse};
use assay_views::db::Moment;
use assay_views::{Document, Page};
use serde::Serialize;
use utoipa::ToSchema;

use super::look::{Look, aside, here};
use super::{Paging, Read};
use crate::door::{headers, query};
use crate::problem::Problem;
use crate::reading::Answered;
use crate::write::Answer;

/// Lists longer than this are read on the pool.
const SHORT_LIST: usize = 50;
/// What may be kept for ever by the one who asked.
const FOR_EVER: &str = "private, max-age=31536000, immutable";

/// A document and the moment it is of.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes answers that are spliced together from ready JSON")]
pub(crate) struct Seen<T> {
    #[schema(inline)]
    #[serde(flatten)]
    document: T,
    /// The moment it is of.
    as_of: Moment,
}

/// A part of a list and the moment it is of.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes answers that are spliced together from ready JSON")]
pub(crate) struct ListOf<T> {
    /// The items.
    items: Vec<T>,
    /// Give it as `cursor` for the next part; null at the end.
    next: Option<String>,
    /// The moment it is of.
    as_of: Moment,
}

impl<T> Read<T> {
    /// Looks on this thread, and keeps as of which position it was for the read log.
    pub(crate) fn look<F>(
        &self,
        find: impl Fn(&Look<'_>) -> Result<F, Problem>,
    ) -> Result<(F, Moment), Problem> {
        let (found, moment) = here(&self.app, &self.caller, self.at, find)?;
        self.answered(moment.position);
        Ok((found, moment))
    }

    /// Looks on the pool, and keeps as of which position it was for the read log.
    pub(crate) async fn look_aside<F: Send + 'static>(
        &self,
        find: impl Fn(&Look<'_>) -> Result<F, Problem> + Send + 'static,
    ) -> Result<(F, Moment), Problem> {
        let (found, moment) = aside(&self.app, &self.caller, self.at, find).await?;
        self.answered(moment.position);
        Ok((found, moment))
    }

    fn answered(&self, position: u64) {
        self.req.extensions_mut().insert(Answered(position));
    }

    /// Answers one stored document.
    pub(crate) fn object(
        &self,
        find: impl Fn(&Look<'_>) -> Result<Option<Document>, Problem>,
    ) -> Answer {
        let (found, moment) = self.look(seen(find))?;
        let Document { json, revision, position } = found;
        let etag = format!("\"{revision}-{position}\"");
        let known = headers::single(&self.req, &IF_NONE_MATCH)?;
        if known.is_some_and(|known| matches(known, &etag)) {
            let mut answer = HttpResponse::build(StatusCode::NOT_MODIFIED);
            return Ok(answer.insert_header((ETAG, etag)).finish());
        }
        let mut answer = self.ok();
        answer.insert_header((ETAG, etag));
        Ok(answer.body(spliced(json, &moment)?))
    }

    /// Answers something assembled.
    pub(crate) fn value<S: Serialize>(
        &self,
        find: impl Fn(&Look<'_>) -> Result<Option<S>, Problem>,
    ) -> Answer {
        let (found, moment) = self.look(seen(find))?;
        self.assembled(&found, &moment)
    }

    /// Answers something assembled at length.
    pub(crate) async fn long_value<S: Serialize + Send + 'static>(
        &self,
        find: impl Fn(&Look<'_>) -> Result<Option<S>, Problem> + Send + 'static,
    ) -> Answer {
        let (found, moment) = self.look_aside(seen(find)).await?;
        self.assembled(&found, &moment)
    }

    /// Answers a part of a list; a long one is read on the pool.
    pub(crate) async fn list(
        &self,
        paging: &Paging,
        find: impl Fn(&Look<'_>) -> Result<Option<Page>, Problem> + Send + 'static,
    ) -> Answer {
        if paging.limit()?.get() > SHORT_LIST {
            return self.long_list(find).await;
        }
        let (found, moment) = self.look(seen(find))?;
        self.part(&found, &moment)
    }

    /// Answers a part of a list that costs much.
    pub(crate) async fn long_list(
        &self,
        find: impl Fn(&Look<'_>) -> Result<Option<Page>, Problem> + Send + 'static,
    ) -> Answer {
        let (found, moment) = self.look_aside(seen(find)).await?;
        self.part(&found, &moment)
    }

    fn assembled<S: Serialize>(&self, found: &S, moment: &Moment) -> Answer {
        let json = serde_json::to_string(found).map_err(Problem::fault)?;
        Ok(self.ok().body(spliced(json, moment)?))
    }

    /// Answers a part of a list that was found, with the moment it is of.
    pub(crate) fn part(&self, page: &Page, moment: &Moment) -> Answer {
        let mut answer = self.ok();
        if let Some(next) = &page.next {
            let link = format!("<{}>; rel=\"next\"", self.next_place(next.as_str())?);
            answer.insert_header((LINK, link));
        }
        // A page of a cursor is of the moment of the first page.
        let moment = if page.position == moment.position { *moment } else { self.moment_of(page)? };
        let json = serde_json::to_string(page).map_err(Problem::fault)?;
        Ok(answer.body(spliced(json, &moment)?))
    }

    fn moment_of(&self, page: &Page) -> Result<Moment, Problem> {
        let at = assay_views::At::Position(page.position);
        let ((), moment) = here(&self.app, &self.caller, at, |_| Ok(()))?;
        self.answered(moment.position);
        Ok(moment)
    }

    fn next_place(&self, cursor: &str) -> Result<String, Problem> {
        let mut pairs = query::pairs(&self.req)?;
        pairs.retain(|(name, _)| !matches!(name.as_str(), "cursor" | "after"));
        pairs.push(("cursor".to_owned(), cursor.to_owned()));
        let query = serde_html_form::to_string(&pairs).map_err(Problem::fault)?;
        Ok(format!("{}?{query}", self.req.path()))
    }

    fn ok(&self) -> actix_web::HttpResponseBuilder {
        let mut answer = HttpResponse::Ok();
        answer.content_type("application/json");
        if self.fixed {
            answer.insert_header((CACHE_CONTROL, FOR_EVER));
        }
        answer
    }
}

/// What is not there is unseen.
fn seen<F>(
    find: impl Fn(&Look<'_>) -> Result<Option<F>, Problem>,
) -> impl Fn(&Look<'_>) -> Result<F, Problem> {
    move |look| find(look)?.ok_or_else(Problem::unseen)
}

/// Whether one of the tags that are known is this one.
fn matches(known: &str, etag: &str) -> bool {
    known.split(',').map(str::trim).any(|one| one.strip_prefix("W/").unwrap_or(one) == etag)
}

/// A JSON object with the moment put in at its end.
fn spliced(mut json: String, moment: &Moment) -> Result<String, Problem> {
    if json.pop() != Some('}') {
        return Err(Problem::fault("a document is not an object"));
    }
    let moment = serde_json::to_string(moment).map_err(Problem::fault)?;
    let comma = if json.ends_with('{') { "" } else { "," };
    Ok(format!("{json}{comma}\"as_of\":{moment}}}"))
}
