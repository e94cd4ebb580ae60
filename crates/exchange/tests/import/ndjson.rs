//! One JSON object a line: what reads, and what is said of what does not.

use assay_exchange::{Format, Item};

use super::{all, items, sample, slip, slips};

const REPORT: &str = r#"{"report":{"key":"a","kind":"news","text":"One. Two."}}"#;

#[test]
fn the_sample_reads_as_reports_and_a_claim() {
    let items = items(Format::Ndjson, sample("reports.ndjson"));
    let [Item::Report(first), Item::Claim(claim), Item::Report(second)] = items.as_slice() else {
        panic!("{items:?}");
    };
    assert_eq!((first.key.as_str(), first.stated.len()), ("keld-1", 2));
    assert_eq!(claim.report, first.key);
    assert_eq!(claim.assertion.as_ref().unwrap().chain.len(), 2);
    assert_eq!(second.content.language.as_ref().unwrap().as_str(), "ar");
}

#[test]
fn a_slip_names_its_line_its_code_and_its_field() {
    let claim = |rest: &str| {
        format!(r#"{{"claim":{{"key":"c","report":"a","kind":"event","gist":"g"{rest}}}}}"#)
    };
    let table = [
        ("{".to_owned(), "json_malformed", ""),
        (format!("{REPORT} {REPORT}"), "json_malformed", ""),
        ("[1]".to_owned(), "json_malformed", ""),
        (r#"{"note":{}}"#.to_owned(), "value_unknown", ""),
        (r#"{"report":{"key":"a","kind":"news"}}"#.to_owned(), "field_missing", "/report/text"),
        (
            r#"{"report":{"key":"a","kind":"news","text":""}}"#.to_owned(),
            "text_empty",
            "/report/text",
        ),
        (
            r#"{"report":{"key":"a","kind":"news","text":"x","by":1}}"#.to_owned(),
            "field_unknown",
            "/report/by",
        ),
        (
            r#"{"report":{"key":" a","kind":"news","text":"x"}}"#.to_owned(),
            "key_invalid",
            "/report/key",
        ),
        (
            r#"{"report":{"key":"a","kind":"gossip","text":"x"}}"#.to_owned(),
            "value_unknown",
            "/report/kind",
        ),
        (
            r#"{"report":{"key":"a","kind":"news","text":"x","text_sha256":"00"}}"#.to_owned(),
            "report_text_hash",
            "/report/text_sha256",
        ),
        (claim(r#","time":{"edtf":"yesterday"}"#), "edtf_invalid", "/claim/time/edtf"),
        (claim(r#","places":[{"name":"a"},{"name":" "}]"#), "text_empty", "/claim/places/1/name"),
        (claim(r#","gist":"again""#), "field_duplicate", "/claim/gist"),
        (
            claim(r#","assertion":{"chain":[],"stance":"asserts","quotes":[]}"#),
            "chain_empty",
            "/claim/assertion/chain",
        ),
    ];
    for (line, code, pointer) in table {
        let file = format!("{REPORT}\n\n{line}\n{REPORT}");
        assert_eq!(slips(Format::Ndjson, file), [slip(3, code, pointer)], "{line}");
    }
}

#[test]
fn long_lines_and_other_encodings_spoil_only_themselves() {
    let long =
        format!(r#"{{"report":{{"key":"a","kind":"news","text":"{}"}}}}"#, "x".repeat(1024 * 1024));
    let mut file = format!("{REPORT}\n{long}\n").into_bytes();
    file.extend(b"{\"report\":\"\xff\"}\n");
    file.extend(REPORT.as_bytes());
    let read = all(Format::Ndjson, file.clone());
    assert_eq!(read.iter().filter(|read| read.is_ok()).count(), 2);
    assert_eq!(
        read.last().unwrap().as_ref().map(|n| (n.line, n.bytes)),
        Ok((4, u64::try_from(file.len()).unwrap()))
    );
    let slips = slips(Format::Ndjson, file);
    assert_eq!(slips, [slip(2, "line_too_long", ""), slip(3, "line_not_utf8", "")]);
}
