//! Rows of the UCDP data set: dates, places and deaths keep their precision and their oddities.

use assay_domain::id::CaseId;
use assay_domain::report::ReportKind;
use assay_domain::value::{Form, FuzzyPlace, PrecisionCode, QuantityFlag, sha256_hex};
use assay_exchange::{ClaimItem, Format, Item, ReportItem};
use serde_json::{Value, json};

use super::{items, sample, slip, slips};

fn row(change: Value) -> String {
    let mut row = json!({
        "id": 7, "source_date": "2022-06-03 00:00",
        "deaths_side_a": 2, "deaths_side_b": 0, "deaths_civilian": 1, "deaths_unknown": 0,
        "deaths_low": 2, "deaths_high": 4, "side_a_name": "Side One", "side_b_name": "Side Two",
        "location_root_name": "Land", "location_adm1_name": "Province",
        "location_adm2_name": "District", "location_where_name": "Town",
        "start_date": "2022-05-26", "end_date": "2022-05-26"
    });
    let changes: serde_json::Map<String, Value> = serde_json::from_value(change).unwrap();
    row.as_object_mut().unwrap().extend(changes);
    row.to_string()
}

fn pair(line: &str) -> (ReportItem, ClaimItem) {
    match items(Format::Ucdp, line).as_slice() {
        [Item::Report(report), Item::Claim(claim)] => ((**report).clone(), (**claim).clone()),
        other => panic!("{other:?}"),
    }
}

fn place(change: Value) -> FuzzyPlace {
    pair(&row(change)).1.proposition.places.first().unwrap().clone()
}

#[test]
fn a_row_is_a_report_in_plain_sentences_and_a_claim_anchored_in_them() {
    let (report, claim) = pair(&row(json!({})));
    assert_eq!((report.key.as_str(), report.kind), ("ucdp:ged:7", ReportKind::Dataset));
    assert_eq!(
        report.content.text,
        "Uppsala Conflict Data Program, Georeferenced Event Dataset, event 7.\n\
         Side A is Side One; side B is Side Two.\n\
         The event is dated 2022-05-26.\n\
         The place is Town, District, Province, Land.\n\
         Deaths: 2 on side A, 0 on side B, 1 of civilians, 0 of people of unknown side; \
         sum of these 3, low estimate 2, high estimate 4.\n\
         It was coded from a source dated 2022-06-03."
    );
    let hash = sha256_hex(report.content.text.as_bytes());
    let case = CaseId(uuid::Uuid::nil());
    let recording = claim.recording(case).unwrap();
    assert_eq!(recording.quotes.len(), 4);
    for quote in &recording.quotes {
        let anchor = quote.resolve(report.filing(case).rendition, &report.content.text, &hash);
        assert_eq!(anchor.map(|anchor| anchor.exact).ok(), quote.exact);
    }
}

#[test]
fn days_become_edtf_with_the_precision_given_or_derived() {
    let table = [
        ("2022-05-26", None, "2022-05-26", 1),
        ("2022-05-27", None, "2022-05-26/2022-05-27", 2),
        ("2022-05-31", None, "2022-05-26/2022-05-31", 2),
        ("2022-06-01", None, "2022-05-26/2022-06-01", 3),
        ("2022-06-02", None, "2022-05-26/2022-06-02", 4),
        ("2022-06-25", None, "2022-05-26/2022-06-25", 4),
        ("2022-06-26", None, "2022-05-26/2022-06-26", 5),
        ("2022-05-26 00:00:00.000", Some(4), "2022-05-26", 4),
    ];
    for (end, given, edtf, precision) in table {
        let (_, claim) = pair(&row(json!({"end_date": end, "date_prec": given})));
        let time = claim.proposition.time.unwrap();
        assert_eq!(time.edtf.as_ref().unwrap().as_str(), edtf);
        assert_eq!(time.date_precision, Some(precision), "{edtf}");
        assert!(time.resolved().is_ok());
    }
}

#[test]
fn the_place_has_the_precision_given_or_that_of_its_finest_name() {
    let given = [
        PrecisionCode::Exact,
        PrecisionCode::Near,
        PrecisionCode::Adm2,
        PrecisionCode::Adm1,
        PrecisionCode::Linear,
        PrecisionCode::Country,
        PrecisionCode::Unknown,
    ];
    for (code, n) in given.into_iter().zip(1_u8..) {
        let precision = place(json!({"where_prec": n})).precision.unwrap();
        assert_eq!((precision.code, precision.radius_m), (code, (n == 2).then_some(25_000.0)));
        assert_eq!(precision.scheme.unwrap().as_str(), format!("ucdp:where_prec={n}"));
    }
    let none = Value::from("");
    let table = [
        (json!({}), "Town", PrecisionCode::Locality, Some("District, Province, Land")),
        (
            json!({"location_where_name": none}),
            "District",
            PrecisionCode::Adm2,
            Some("Province, Land"),
        ),
        (
            json!({"location_where_name": "Province", "location_adm2_name": none}),
            "Province",
            PrecisionCode::Adm1,
            Some("Land"),
        ),
        (
            json!({"location_where_name": none, "location_adm2_name": none, "location_adm1_name": none}),
            "Land",
            PrecisionCode::Country,
            None,
        ),
    ];
    for (change, name, code, of) in table {
        let place = place(change);
        assert_eq!(place.name.as_str(), name);
        assert_eq!(place.precision.unwrap().code, code);
        let relation = place.relation.and_then(|relation| relation.of).map(String::from);
        assert_eq!(relation.as_deref(), of);
    }
}

#[test]
fn low_above_best_is_kept_and_flagged_and_low_above_high_is_refused() {
    let claim = |change| pair(&row(change)).1;
    let whole = |claim: &ClaimItem| claim.proposition.quantities.first().unwrap().clone();
    let plain = claim(json!({}));
    assert_eq!(
        whole(&plain).form,
        Form::Range { low: 2.into(), high: 4.into(), best: Some(3.into()) }
    );
    assert_eq!(plain.proposition.quantities.len(), 5);
    let odd = claim(json!({"deaths_low": 4, "deaths_high": 4}));
    assert_eq!(whole(&odd).flags(), [QuantityFlag::LowAboveBest]);
    let proposal = odd.proposal(CaseId(uuid::Uuid::nil()));
    assert_eq!(serde_json::to_value(proposal.flags).unwrap(), json!(["low_above_best"]));
    assert_eq!(whole(&claim(json!({"best": 9}))).flags(), [QuantityFlag::BestAboveHigh]);
    let refused = slips(Format::Ucdp, row(json!({"deaths_low": 5})));
    assert_eq!(refused, [slip(1, "quantity_range_inverted", "/deaths_low")]);
}

#[test]
fn a_slip_names_its_field() {
    let table = [
        (json!({"start_date": "2022-05-27"}), "date_inverted", "/end_date"),
        (json!({"start_date": "May"}), "date_invalid", "/start_date"),
        (json!({"where_prec": 8}), "precision_unknown", "/where_prec"),
        (json!({"date_prec": 0}), "precision_unknown", "/date_prec"),
        (json!({"deaths_low": -1}), "value_invalid", "/deaths_low"),
        (json!({"side_a_name": ""}), "text_empty", "/side_a_name"),
        (json!({"latitude": 91.0, "longitude": 0.0}), "place_off_globe", "/latitude"),
        (json!({"mood": 1}), "field_unknown", "/mood"),
    ];
    for (change, code, pointer) in table {
        let file = format!("{}\n{}\n", row(json!({})), row(change.clone()));
        assert_eq!(slips(Format::Ucdp, file), [slip(2, code, pointer)], "{change}");
    }
}

#[test]
fn the_export_of_the_data_set_reads_by_its_own_column_names() {
    let line = json!({
        "id": 8, "source_article": "\"A paper, 2022-05-27\"", "deaths_a": 1, "deaths_b": 0,
        "deaths_civilians": 0, "deaths_unknown": 0, "best": 1, "high": 1, "low": 1,
        "side_a": "Side One", "side_b": "Civilians", "country": "Land", "adm_1": "Province",
        "where_coordinates": "Town", "where_prec": 1, "date_prec": 1,
        "date_start": "2022-05-26 00:00:00.000", "date_end": "2022-05-26 00:00:00.000"
    });
    let (report, claim) = pair(&line.to_string());
    assert!(report.content.text.ends_with("It was coded from: \"A paper, 2022-05-27\"."));
    assert!(report.content.text.contains("best estimate 1, low estimate 1"));
    assert_eq!(claim.proposition.participants.len(), 2);
}

#[test]
fn the_samples_read_whole_with_every_precision_they_have() {
    let items = items(Format::Ucdp, sample("ucdp-2022.jsonl"));
    assert_eq!(items.len(), 120);
    let claims = || {
        items.iter().filter_map(|item| match item {
            Item::Claim(claim) => Some(claim.as_ref()),
            Item::Report(_) => None,
        })
    };
    let counted = |code| {
        let at = |claim: &&ClaimItem| {
            claim.proposition.places.iter().any(|p| p.precision.as_ref().unwrap().code == code)
        };
        claims().filter(at).count()
    };
    let places =
        [PrecisionCode::Locality, PrecisionCode::Adm2, PrecisionCode::Adm1, PrecisionCode::Country]
            .map(counted);
    assert_eq!(places.iter().sum::<usize>(), 60);
    assert_eq!(places, [44, 8, 4, 4]);
    let dated = |n: u8| {
        let at =
            |claim: &&ClaimItem| claim.proposition.time.as_ref().unwrap().date_precision == Some(n);
        claims().filter(at).count()
    };
    assert_eq!([1, 2, 3, 4, 5].map(dated), [38, 16, 2, 3, 1]);
    let flagged = |claim: &&ClaimItem| !claim.proposal(CaseId(uuid::Uuid::nil())).flags.is_empty();
    assert_eq!(claims().filter(flagged).count(), 0); // None of the 1,299 rows has one.
}

#[test]
fn the_odd_rows_are_flagged_each_in_its_way() {
    let items = items(Format::Ucdp, sample("ucdp-odd-made-up.jsonl"));
    let flags: Vec<Value> = items
        .iter()
        .filter_map(|item| match item {
            Item::Claim(claim) => {
                Some(serde_json::to_value(claim.proposal(CaseId(uuid::Uuid::nil())).flags).unwrap())
            }
            Item::Report(_) => None,
        })
        .collect();
    assert_eq!(flags, [json!(["low_above_best"]), json!(["best_above_high"]), json!([])]);
}
