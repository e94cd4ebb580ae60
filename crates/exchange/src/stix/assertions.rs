//! Assertions: who says that who says it, how strongly, in which words, and how it was graded.

use assay_domain::value::ChainLink;
use assay_views::claims::{AssertionDoc, ClaimDoc};
use serde_json::{Value, json};

use super::Version;
use super::frame::{Frame, Thing};
use super::identities::{of_holders, of_link};
use super::scale::of_credibility;

/// The assertions of a claim, each with the holders it names.
pub(super) fn all(frame: &Frame<'_>, claim: &Version<ClaimDoc>) -> Vec<Value> {
    let assertions = claim.doc.assertions.iter();
    let each = assertions.flat_map(|assertion| {
        let holders = of_holders(frame, claim, assertion);
        holders.into_iter().chain(std::iter::once(of(frame, claim, assertion)))
    });
    each.collect()
}

fn of(frame: &Frame<'_>, claim: &Version<ClaimDoc>, assertion: &AssertionDoc) -> Value {
    let doc = &claim.doc;
    let until = assertion.withdrawn.as_ref().map(|gone| gone.said.at);
    let modified = until.unwrap_or_else(|| frame.changed(claim.changed));
    let id = frame.assertion(doc.id, assertion.id);
    let claim_id = until.map_or_else(|| frame.claim_now(doc), |until| frame.claim_at(doc, until));
    let grade = assertion.credibility.last().and_then(|last| of_credibility(last.grade));
    let thing = Thing::new(frame, "assay-assertion", &id, assertion.recorded.at, modified)
        .with("assay_id", assertion.id)
        .with("claim_ref", claim_id)
        .with("report_ref", frame.report(assertion.report))
        .with("report_id", assertion.report)
        .with("publisher_ref", assertion.publisher.and_then(|source| frame.source(source)))
        .with("publisher_id", assertion.publisher)
        .with("stance", assertion.stance)
        .with("side", &assertion.side)
        .with("holder", &assertion.holder)
        .with("confidence", grade)
        .with_all(content(frame, doc, assertion))
        .with("content_sha256", &assertion.sha256)
        .with("erased", assertion.erased)
        .with("recorded", assertion.recorded)
        .with("reliability", &assertion.reliability)
        .with("credibility", &assertion.credibility)
        .with("reattributed", &assertion.reattributed)
        .with("withdrawn", &assertion.withdrawn)
        .of_new_kind();
    if until.is_some() { thing.revoked().done() } else { thing.done() }
}

/// What is said and how, each holder with the identity it has.
fn content(frame: &Frame<'_>, doc: &ClaimDoc, assertion: &AssertionDoc) -> Value {
    let Some(said) = &assertion.content else { return Value::Null };
    let link = |(at, link): (usize, &ChainLink)| {
        let mut shown = json!(link);
        if let (Value::Object(shown), Some(holder)) =
            (&mut shown, of_link(frame, doc, assertion, (at, link)))
        {
            shown.insert("holder_ref".to_owned(), holder.into());
        }
        shown
    };
    let chain: Vec<Value> = said.chain.links().enumerate().map(link).collect();
    let mut content = json!(said);
    if let Value::Object(content) = &mut content {
        content.insert("chain".to_owned(), chain.into());
    }
    content
}
