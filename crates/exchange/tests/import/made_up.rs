//! Made-up reports: the same for the same seed, within their sizes, in every script, and all of them importable.

use std::collections::BTreeSet;

use assay_exchange::{Format, Item, generate};

use super::items;

#[test]
fn the_same_seed_gives_the_same_lines_whatever_the_number() {
    let some: Vec<String> = generate(20, 7).collect();
    assert_eq!(some, generate(500, 7).take(20).collect::<Vec<_>>());
    assert_ne!(some, generate(20, 8).collect::<Vec<_>>());
}

#[test]
fn every_line_imports_under_a_key_of_its_own_and_within_its_size() {
    let file: String = generate(2_000, 1).map(|line| line + "\n").collect();
    let (mut keys, mut texts, mut languages) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for item in items(Format::Ndjson, file) {
        let Item::Report(report) = item else { panic!("{item:?}") };
        let text = report.content.text;
        assert!((300..=900).contains(&text.len()), "{} bytes: {text}", text.len());
        assert!(!text.contains(['{', '}']), "{text}");
        keys.insert(report.key);
        texts.insert(text);
        languages.extend(report.content.language);
    }
    assert_eq!((keys.len(), texts.len(), languages.len()), (2_000, 2_000, 4));
}
