//! Where each thing of a case goes, and that nothing is rounded off on the way.

use assay_domain::claim::Outcome;
use assay_domain::value::{Confidence, Credibility, Holder};
use assay_exchange::stix::{bundle, scale};
use assay_views::claims::CredibilityGrade;
use serde_json::{Value, json};

use super::demo::{HEAD, card, demo, later};
use super::standing::remark;
use super::{by_id, claim, extension, of_type};

#[test]
fn a_claim_keeps_its_quantity_its_time_and_its_kind_as_they_are() {
    let (bundle, mut snapshot) = (bundle(&demo(HEAD)), demo(HEAD));
    let told = claim(&bundle, "Pro-Assad troops were");
    assert_eq!(
        told["quantities"][0]["form"],
        json!({"is": "at_least", "n": "60", "inclusive": true})
    );
    assert_eq!(told["quantities"][0]["qualifier"], "at least");
    assert_eq!(told["time"]["verbatim"], "in the first wave");
    assert_eq!(told["claim_kind"], "casualty");
    assert_eq!(claim(&bundle, "The opposition controls")["time"]["edtf"], "2015-21/..");
    // All of every proposition is there, word for word.
    for version in snapshot.claims.drain(..) {
        let Value::Object(said) = json!(version.doc.proposition) else { panic!("a proposition") };
        let told = of_type(&bundle, "assay-claim").into_iter();
        let told: Vec<_> = told.filter(|one| one["assay_id"] == json!(version.doc.id)).collect();
        for (name, value) in said {
            assert_eq!(told[0][&name], value);
        }
    }
}

#[test]
fn an_assertion_keeps_its_chain_its_hedge_and_its_words_and_names_its_holders() {
    let bundle = bundle(&demo(HEAD));
    let mut named = 0;
    for version in demo(HEAD).claims {
        for assertion in &version.doc.assertions {
            let told = of_type(&bundle, "assay-assertion").into_iter();
            let told: Vec<_> = told.filter(|one| one["assay_id"] == json!(assertion.id)).collect();
            let content = assertion.content.as_ref().unwrap();
            assert_eq!(told[0]["hedge"], json!(content.hedge));
            assert_eq!(told[0]["anchors"], json!(content.anchors));
            assert_eq!(told[0]["report_ref"], of_type(&bundle, "report")[0]["id"]);
            for (link, told) in content.chain.links().zip(told[0]["chain"].as_array().unwrap()) {
                assert_eq!(told["holder"], json!(link.holder));
                if let Holder::Named { name } | Holder::Group { name } = &link.holder {
                    let holder = by_id(&bundle, &told["holder_ref"]);
                    assert_eq!(holder["name"], json!(name));
                    named += 1;
                } else {
                    assert!(told["holder_ref"].is_null());
                }
            }
        }
    }
    assert!(named >= 10, "{named} holders have a name");
}

#[test]
fn credibility_is_a_confidence_by_its_table_and_unknown_is_none() {
    use Credibility as C;
    let table = [(C::Confirmed, 90), (C::ProbablyTrue, 70), (C::PossiblyTrue, 50)];
    let table = table.into_iter().chain([(C::Doubtful, 30), (C::Improbable, 10)]);
    for (grade, number) in table {
        assert_eq!(scale::of_credibility(grade), Some(number));
        let mut snapshot = demo(HEAD);
        let card = card(&mut snapshot, "Pro-Assad troops were");
        let said = remark(later(1), "looked at again");
        let grade = CredibilityGrade { grade, corroborated_by: Vec::new(), said };
        card.doc.assertions[0].credibility.push(grade);
        let id = json!(card.doc.assertions[0].id);
        let told = bundle(&snapshot);
        let told = of_type(&told, "assay-assertion").into_iter().find(|one| one["assay_id"] == id);
        assert_eq!(told.unwrap()["confidence"], number);
        assert_eq!(told.unwrap()["credibility"][0]["grade"], "6");
    }
    assert_eq!(scale::of_credibility(C::CannotBeJudged), None);
    let told = bundle(&demo(HEAD));
    let graded = of_type(&told, "assay-assertion").into_iter();
    let six: Vec<_> = graded.filter(|one| one["credibility"][0]["grade"] == "6").collect();
    assert!(!six.is_empty() && six.iter().all(|one| one.get("confidence").is_none()));
    assert_eq!(six[0]["reliability"][0]["grade"], "D");
}

#[test]
fn verdicts_that_say_for_or_against_are_opinions_and_the_others_notes() {
    let bundle = bundle(&demo(HEAD));
    let verdict = |gist: &str| by_id(&bundle, &claim(&bundle, gist)["verdict_ref"]);
    let struck = verdict("Warplanes struck");
    assert_eq!((&struck["type"], &struck["opinion"]), (&json!("opinion"), &json!("agree")));
    assert_eq!(struck["confidence"], 15);
    assert_eq!(extension(struck)["confidence_term"], "low");
    assert_eq!(extension(struck)["likelihood"]["term"], "likely");
    assert!(!extension(struck)["cited_refs"].as_array().unwrap().is_empty());
    assert_eq!(verdict("The initiative of Turkey")["opinion"], "neutral");
    let taken = verdict("Pro-Assad troops were");
    assert_eq!((&taken["type"], &taken["opinion"]), (&json!("note"), &Value::Null));
    assert_eq!(taken["abstract"], "Verdict: not enough evidence");
    assert!(extension(taken)["text"]["would_settle"].is_string());
    let fall = verdict("The Abu Duhur airbase");
    assert_eq!(extension(fall)["stale"], true);
    assert!(extension(fall)["basis_changed"].is_array());
    for (outcome, step) in [
        (Outcome::Refuted, Some("disagree")),
        (Outcome::PredictionFulfilled, Some("agree")),
        (Outcome::PredictionFailed, Some("disagree")),
        (Outcome::OccurrenceConfirmed, None),
        (Outcome::OccurrenceNotConfirmed, None),
        (Outcome::CannotBeJudged, None),
    ] {
        assert_eq!(scale::of_outcome(outcome), step);
    }
    assert_eq!(scale::of_confidence(Confidence::High), 85);
    assert_eq!(scale::of_confidence(Confidence::Moderate), 50);
}

#[test]
fn a_report_says_how_its_date_is_known() {
    let bundle = bundle(&demo(HEAD));
    let report = of_type(&bundle, "report")[0];
    assert_eq!(report["published"], "2018-01-12T00:00:00.000000Z");
    assert_eq!(extension(report)["published_basis"], "inferred");
    let known = &extension(report)["metadata"][0];
    assert_eq!(known["metadata"]["value"]["edtf"], "2018-01-12");
    assert_eq!(known["basis"].as_array().unwrap().len(), 4);
    assert_eq!(report["object_refs"].as_array().unwrap().len(), 56);
}

#[test]
fn links_are_relationships_with_who_decided_on_them() {
    let bundle = bundle(&demo(HEAD));
    let links: Vec<_> = of_type(&bundle, "relationship")
        .into_iter()
        .filter(|one| !extension(one)["standing"].is_null())
        .collect();
    assert_eq!(links.len(), demo(HEAD).links.len());
    let same = links.iter().filter(|one| extension(one)["same_side"] == true);
    let same: Vec<_> = same.filter(|one| one["relationship_type"] == "contradicts").collect();
    assert!(!same.is_empty(), "one side contradicts itself");
    assert!(links.iter().any(|one| one["relationship_type"] == "same-origin"));
    for link in links {
        for end in [&link["source_ref"], &link["target_ref"]] {
            assert!(end.as_str().unwrap().starts_with("assay-"));
        }
    }
}

#[test]
fn the_share_names_everything_of_the_case_and_the_moment() {
    let bundle = bundle(&demo(HEAD));
    let share = of_type(&bundle, "grouping")[0];
    assert_eq!(share["context"], "unspecified");
    assert_eq!(extension(share)["as_of"]["position"], HEAD);
    let constant = 1 + 2 + 1 + 1; // the share itself, two markings, our extension, who defined it
    let all = bundle["objects"].as_array().unwrap().len();
    assert_eq!(share["object_refs"].as_array().unwrap().len(), all - constant);
    assert_eq!(extension(share)["links_left_out"], Value::Null);
    // Who is in the team is not for others.
    assert!(!bundle.to_string().contains("case_lead"));
}
