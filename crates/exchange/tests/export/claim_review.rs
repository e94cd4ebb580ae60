//! A verdict as `ClaimReview`: worst, best, value and words together, and nothing where there is nothing to say.

use assay_domain::claim::{ClaimKind, Outcome};
use assay_domain::report::Metadata;
use assay_domain::value::{FuzzyTime, Holder, Stance, Tlp};
use assay_exchange::claim_review::{NoReview, Publisher, Reviewed, of};
use assay_exchange::stix::{Snapshot, Version};
use assay_views::claims::{BasisChange, ClaimDoc, Standing};
use assay_views::doc::Deed;
use assay_views::reports::{Basis, Known, ReportDoc};
use assay_views::sources::SourceDoc;
use serde_json::{Value, json};

use super::demo::{HEAD, card, demo, later};
use super::standing::who;

const STRUCK: &str = "Warplanes struck";

/// The review of one claim of a snapshot.
fn review(mut snapshot: Snapshot, gist: &str) -> Result<Value, NoReview> {
    let claim = card(&mut snapshot, gist).doc.clone();
    let reports: Vec<ReportDoc> = snapshot.reports.into_iter().map(|report| report.doc).collect();
    let sources: Vec<SourceDoc> = snapshot.sources.into_iter().map(|source| source.doc).collect();
    let marking = Tlp::Amber;
    let reviewed = Reviewed { claim: &claim, reports: &reports, sources: &sources, marking };
    of(&reviewed, &Publisher { name: "The House", base: "https://house.example" })
}

/// The demo with one of its claims changed.
fn with(gist: &str, change: impl FnOnce(&mut ClaimDoc)) -> Snapshot {
    let mut snapshot = demo(HEAD);
    let Version { doc, .. } = card(&mut snapshot, gist);
    change(doc);
    snapshot
}

#[test]
fn a_review_says_what_was_reviewed_by_whom_and_where() {
    let told = review(demo(HEAD), STRUCK).unwrap();
    assert_eq!(
        (&told["@context"], &told["@type"]),
        (&json!("https://schema.org"), &json!("ClaimReview"))
    );
    assert_eq!(told["claimReviewed"], "Warplanes struck civilian areas.");
    assert_eq!(told["author"]["name"], "The House");
    let claim = card(&mut demo(HEAD), STRUCK).doc.clone();
    assert_eq!(told["url"], format!("https://house.example/claims/{}", claim.id));
    assert_eq!(told["datePublished"], json!(claim.verdicts[0].issued.at));
    assert_eq!(told["itemReviewed"]["@type"], "Claim");
    assert_eq!(told["itemReviewed"]["datePublished"], "2018-01-12");
    assert_eq!(told["itemReviewed"]["appearance"][0]["@type"], "CreativeWork");
    assert_eq!(told["conditionsOfAccess"], "TLP:AMBER");
    assert!(told["reviewBody"].is_string());
    // The narrator of a report without a known publisher is nobody to name.
    assert!(told["itemReviewed"].get("author").is_none());
}

#[test]
fn every_rating_has_worst_best_value_and_words_and_five_is_the_best() {
    for (outcome, value, best) in [
        (Outcome::Supported, 5, 5),
        (Outcome::ConflictingEvidence, 3, 5),
        (Outcome::Refuted, 1, 5),
        (Outcome::NotEnoughEvidence, 1, 1),
        (Outcome::CannotBeJudged, 1, 1),
    ] {
        let told = review(with(STRUCK, |doc| doc.verdicts[0].outcome = outcome), STRUCK).unwrap();
        let rating = &told["reviewRating"];
        assert_eq!((&rating["worstRating"], &rating["bestRating"]), (&json!(1), &json!(best)));
        assert_eq!(rating["ratingValue"], value);
        assert!(!rating["alternateName"].as_str().unwrap().is_empty());
        let scale = rating["ratingExplanation"].as_str().unwrap();
        let says = if best == 5 { "5, supported by the evidence (best)" } else { "one step" };
        assert!(scale.contains(says), "{scale}");
    }
}

#[test]
fn a_stale_verdict_says_so_in_words() {
    let stale = with(STRUCK, |doc| {
        let assertion = doc.assertions[0].id;
        let said = Deed { by: who(), at: later(1) };
        doc.standing = Standing::Stale;
        doc.verdicts[0].basis_changed.push(BasisChange { assertion, said });
    });
    let words = |told: Value| told["reviewRating"]["alternateName"].as_str().unwrap().to_owned();
    assert_eq!(words(review(demo(HEAD), STRUCK).unwrap()), "Supported by the evidence");
    assert!(words(review(stale, STRUCK).unwrap()).contains("has changed since"));
}

#[test]
fn confidence_and_likelihood_are_not_mixed_into_the_words() {
    let rating = review(demo(HEAD), STRUCK).unwrap()["reviewRating"].to_string();
    assert!(!rating.contains("likely") && !rating.contains("low"));
}

#[test]
fn there_is_no_review_without_a_verdict_or_of_what_can_be_neither_true_nor_false() {
    let why = |change: fn(&mut ClaimDoc)| review(with(STRUCK, change), STRUCK).unwrap_err();
    assert_eq!(why(|doc| doc.current_verdict = None), NoReview::NoVerdict);
    assert_eq!(why(|doc| doc.standing = Standing::Withdrawn), NoReview::Withdrawn);
    let none =
        [ClaimKind::Appeal, ClaimKind::Intent, ClaimKind::SpeechAct, ClaimKind::KnowledgeGap];
    for kind in none {
        let snapshot = with(STRUCK, |doc| doc.kind = kind);
        assert_eq!(review(snapshot, STRUCK), Err(NoReview::NoTruthValue));
    }
    // A prediction has a verdict in the demo, and still no truth value.
    assert_eq!(review(demo(HEAD), "The Abu Duhur airbase"), Err(NoReview::NoTruthValue));
    assert_eq!(review(demo(HEAD), "Russia bombed"), Err(NoReview::NoVerdict));
    let codes =
        [NoReview::Withdrawn, NoReview::NoTruthValue, NoReview::NoVerdict, NoReview::Erased];
    assert!(codes.iter().all(|code| code.code().starts_with("claim_")));
}

#[test]
fn what_was_erased_is_not_reviewed() {
    let mut snapshot = demo(HEAD);
    let mut claim = card(&mut snapshot, STRUCK).doc.clone();
    claim.proposition = None;
    let (reports, sources) = ([], []);
    let reviewed =
        Reviewed { claim: &claim, reports: &reports, sources: &sources, marking: Tlp::Clear };
    let publisher = Publisher { name: "The House", base: "https://house.example" };
    assert_eq!(of(&reviewed, &publisher), Err(NoReview::Erased));
}

/// The demo with its report published by a source at an address, on a day that is or is not known.
fn published(edtf: &str) -> Snapshot {
    let mut snapshot = demo(HEAD);
    let source = snapshot.sources[0].doc.id;
    let edtf = Some(edtf.to_owned().try_into().unwrap());
    let known = [
        Metadata::Published(FuzzyTime { edtf, ..FuzzyTime::default() }),
        Metadata::Url("https://news.example/1".to_owned().try_into().unwrap()),
        Metadata::Title("The day in Idlib".to_owned().try_into().unwrap()),
        Metadata::Publisher(source),
    ];
    let said = Deed { by: who(), at: later(1) };
    let known = known.into_iter().map(|metadata| Known {
        metadata: Some(metadata),
        how: Basis::Stated,
        basis: Vec::new(),
        erased: false,
        said,
    });
    snapshot.reports[0].doc.metadata = known.collect();
    let assertions = &mut card(&mut snapshot, STRUCK).doc.assertions;
    for assertion in assertions.iter_mut() {
        assertion.publisher = Some(source);
    }
    snapshot
}

#[test]
fn what_is_known_of_a_report_shows_and_an_uncertain_day_does_not() {
    let told = review(published("2018-01-12"), STRUCK).unwrap();
    let item = &told["itemReviewed"];
    assert_eq!(item["appearance"][0]["url"], "https://news.example/1");
    assert_eq!(item["appearance"][0]["headline"], "The day in Idlib");
    assert_eq!(item["appearance"][0]["publisher"]["name"], item["author"][0]["name"]);
    assert_eq!(item["datePublished"], "2018-01-12");
    for uncertain in ["2018-01-12~", "2018-01", "[2018-01-11,2018-01-12]", "2018-01-11/.."] {
        let told = review(published(uncertain), STRUCK).unwrap();
        assert!(told["itemReviewed"].get("datePublished").is_none(), "{uncertain}");
        assert!(told["itemReviewed"]["appearance"][0].get("datePublished").is_none());
    }
}

#[test]
fn who_denies_a_claim_is_not_its_author() {
    let named = |stance| {
        with(STRUCK, |doc| {
            let name = "Binali".to_owned().try_into().unwrap();
            doc.assertions[0].holder = Some(Holder::Named { name });
            doc.assertions[0].stance = stance;
        })
    };
    let told = review(named(Stance::Asserts), STRUCK).unwrap();
    assert_eq!(told["itemReviewed"]["author"], json!([{"@type": "Person", "name": "Binali"}]));
    let told = review(named(Stance::Denies), STRUCK).unwrap();
    assert!(told["itemReviewed"].get("author").is_none());
}
