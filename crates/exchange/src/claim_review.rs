//! A verdict as schema.org `ClaimReview` (JSON-LD): the claim, who makes it, where it appears, what we make of it.
//!
//! Ratings of `ClaimReview` have no fixed direction, so worst, best, value and the words are always there
//! (`ratings`). Links between claims have no place in schema.org and are left to the other exports.

mod ratings;

use assay_domain::report::Metadata;
use assay_domain::source::SourceKind;
use assay_domain::value::{FuzzyTime, Holder, Tlp};
use assay_views::claims::{AssertionDoc, ClaimDoc, Standing, VerdictDoc};
use assay_views::reports::ReportDoc;
use assay_views::sources::SourceDoc;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

/// The media type of a review.
pub const MEDIA_TYPE: &str = "application/ld+json";

/// A claim with what its review names.
#[derive(Clone, Copy, Debug)]
pub struct Reviewed<'a> {
    /// The claim.
    pub claim: &'a ClaimDoc,
    /// The reports it was read in; others are left out.
    pub reports: &'a [ReportDoc],
    /// The sources that published or said it; others are left out.
    pub sources: &'a [SourceDoc],
    /// The marking of its case.
    pub marking: Tlp,
}

/// Who publishes the review.
#[derive(Clone, Copy, Debug)]
pub struct Publisher<'a> {
    /// The name of the house.
    pub name: &'a str,
    /// Where its pages begin, without a slash at the end: a claim is at `{base}/claims/{claim}`.
    pub base: &'a str,
}

/// Why there is no review of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReview {
    /// It was withdrawn.
    Withdrawn,
    /// It can be neither true nor false: an appeal, an intent, a speech, a prediction, a gap.
    NoTruthValue,
    /// No verdict stands.
    NoVerdict,
    /// What it says was erased.
    Erased,
}

impl NoReview {
    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Withdrawn => "claim_withdrawn",
            Self::NoTruthValue => "claim_no_truth_value",
            Self::NoVerdict => "claim_no_verdict",
            Self::Erased => "claim_erased",
        }
    }
}

/// The review of a claim by the verdict that stands.
///
/// # Errors
/// [`NoReview`] where there is nothing to publish.
pub fn of(reviewed: &Reviewed<'_>, publisher: &Publisher<'_>) -> Result<Value, NoReview> {
    let claim = reviewed.claim;
    let verdict = verdict(claim)?;
    let proposition = claim.proposition.as_ref().ok_or(NoReview::Erased)?;
    let house = json!({ "@type": "Organization", "name": publisher.name, "url": publisher.base });
    let stale = claim.standing == Standing::Stale || !verdict.basis_changed.is_empty();
    let mut review = object(json!({
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": format!("{}/claims/{}", publisher.base, claim.id),
        "identifier": verdict.id,
        "author": &house,
        "datePublished": verdict.issued.at,
        "claimReviewed": proposition.gist,
        "itemReviewed": item(reviewed, &house),
        "reviewRating": ratings::of(verdict.outcome, stale),
        "conditionsOfAccess": reviewed.marking.as_str(),
    }));
    if let Some(text) = &verdict.text {
        review.insert("reviewBody".to_owned(), text.justification.as_str().into());
    }
    let mut review = Value::Object(review);
    review.sort_all_objects();
    Ok(review)
}

fn verdict(claim: &ClaimDoc) -> Result<&VerdictDoc, NoReview> {
    if claim.standing == Standing::Withdrawn {
        return Err(NoReview::Withdrawn);
    }
    if !claim.kind.has_truth_value() {
        return Err(NoReview::NoTruthValue);
    }
    let current = claim.current_verdict.ok_or(NoReview::NoVerdict)?;
    let verdict = claim.verdicts.iter().find(|verdict| verdict.id == current);
    verdict.ok_or(NoReview::NoVerdict)
}

/// The claim itself: who makes it, since when as far as that is known to the day, and where it appears.
fn item(reviewed: &Reviewed<'_>, house: &Value) -> Value {
    let standing = reviewed.claim.assertions.iter().filter(|one| one.withdrawn.is_none());
    let mut authors: Vec<Value> = Vec::new();
    let mut appears: Vec<&ReportDoc> = Vec::new();
    for assertion in standing {
        // Who denies a claim does not make it.
        let author = assertion.stance.supports().then(|| author(reviewed, assertion)).flatten();
        authors.extend(author.filter(|author| !authors.contains(author)));
        let report = reviewed.reports.iter().find(|report| report.id == assertion.report);
        let known = |report: &&ReportDoc| appears.iter().all(|known| known.id != report.id);
        appears.extend(report.filter(|report| report.withdrawn.is_none()).filter(known));
    }
    let mut item = object(json!({ "@type": "Claim", "claimInterpreter": house }));
    let days = appears.iter().filter_map(|report| day(published(report)?));
    if let Some(first) = days.min() {
        item.insert("datePublished".to_owned(), first.to_string().into());
    }
    if !authors.is_empty() {
        item.insert("author".to_owned(), authors.into());
    }
    let appears: Vec<Value> = appears.into_iter().map(|report| work(reviewed, report)).collect();
    if !appears.is_empty() {
        item.insert("appearance".to_owned(), appears.into());
    }
    Value::Object(item)
}

/// Whose statement it is in the end; nobody where the report does not let us know.
fn author(reviewed: &Reviewed<'_>, assertion: &AssertionDoc) -> Option<Value> {
    match assertion.holder.as_ref()? {
        Holder::Named { name } => Some(json!({ "@type": "Person", "name": name })),
        Holder::Group { name } => Some(json!({ "@type": "Organization", "name": name })),
        Holder::Unnamed { description, .. } => Some(json!({
            "@type": "Organization",
            "name": description,
            "disambiguatingDescription": "Not named by the report; these are its words.",
        })),
        Holder::Source { source } => body(reviewed.sources.iter().find(|one| one.id == *source)?),
        Holder::Narrator => {
            let publisher = assertion.publisher?;
            body(reviewed.sources.iter().find(|one| one.id == publisher)?)
        }
        Holder::Unrecoverable { .. } => None,
    }
}

/// A source as schema.org has it.
fn body(source: &SourceDoc) -> Option<Value> {
    let kind = if source.kind == SourceKind::Person { "Person" } else { "Organization" };
    let mut body = object(json!({ "@type": kind, "name": source.names.first()? }));
    if let Some(url) = &source.url {
        body.insert("url".to_owned(), url.as_str().into());
    }
    Some(Value::Object(body))
}

/// A report the claim appears in, with what is known of it.
fn work(reviewed: &Reviewed<'_>, report: &ReportDoc) -> Value {
    let mut work = object(json!({ "@type": "CreativeWork", "identifier": report.id }));
    for known in report.metadata.iter().filter_map(|known| known.metadata.as_ref()) {
        let (name, value) = match known {
            Metadata::Title(title) => ("headline", json!(title)),
            Metadata::Url(address) => ("url", json!(address)),
            Metadata::Language(language) => ("inLanguage", json!(language)),
            Metadata::Author(author) => ("author", json!({ "@type": "Person", "name": author })),
            Metadata::Publisher(source) => {
                let source = reviewed.sources.iter().find(|one| one.id == *source);
                ("publisher", json!(source.and_then(body)))
            }
            Metadata::Published(time) => ("datePublished", json!(day(time))),
        };
        if !value.is_null() {
            work.insert(name.to_owned(), value);
        }
    }
    Value::Object(work)
}

fn published(report: &ReportDoc) -> Option<&FuzzyTime> {
    report.metadata.iter().find_map(|known| match &known.metadata {
        Some(Metadata::Published(time)) => Some(time),
        _ => None,
    })
}

/// The day a time means, where it means exactly one: schema.org has no uncertain dates.
fn day(time: &FuzzyTime) -> Option<Date> {
    let edtf = time.edtf.as_ref()?;
    let (bounds, day) = (edtf.bounds(), edtf.bounds().earliest.day()?);
    (bounds.latest.day() == Some(day) && edtf.as_str() == day.to_string()).then_some(day)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
