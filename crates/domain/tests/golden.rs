//! Frozen facts: every stored line reads and writes back byte for byte, and every fact there is has one.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its samples has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use assay_domain::aggregate::{Event, Subject, name_of, write};
use assay_domain::{
    access, adoption, case, claim, erasure, finding, link, log_key, policy, replay, report, source,
    user,
};
use strum::EnumCount;
use uuid::Uuid;

fn lines(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(folder);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    json.map(|path| {
        let line = fs::read_to_string(&path).unwrap();
        (path.display().to_string(), line.trim_end().to_owned())
    })
    .collect()
}

fn read(line: &str) -> serde_json::Result<Event> {
    let category = name_of(line.as_bytes()).and_then(|name| name.split('.').next()).unwrap();
    let subject = Subject::of_stream(&format!("{category}-{}", Uuid::nil())).unwrap();
    subject.read(line.as_bytes())
}

fn write_back(event: &Event) -> String {
    let bytes = match event {
        Event::User(event) => write(event),
        Event::Case(event) => write(event),
        Event::Source(event) => write(event),
        Event::Report(event) => write(event),
        Event::Claim(event) => write(event),
        Event::Link(event) => write(event),
        Event::Finding(event) => write(event),
        Event::Access(event) => write(event),
        Event::Replay(event) => write(event),
        Event::Erasure(event) => write(event),
        Event::Adoption(event) => write(event),
        Event::Log(event) => write(event),
    };
    String::from_utf8(bytes.unwrap()).unwrap()
}

#[test]
fn todays_facts_write_back_byte_for_byte() {
    for (path, line) in lines("today") {
        let event = read(&line).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(write_back(&event), line, "{path}");
    }
}

#[test]
fn retired_facts_read_for_ever() {
    for (path, line) in lines("retired") {
        read(&line).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

#[test]
fn every_fact_has_a_stored_line() {
    let all = lines("today");
    let names: BTreeSet<&str> =
        all.iter().map(|(_, line)| name_of(line.as_bytes()).unwrap()).collect();
    let variants = user::Event::COUNT
        + case::Event::COUNT
        + source::Event::COUNT
        + report::Event::COUNT
        + claim::Event::COUNT
        + link::Event::COUNT
        + finding::Event::COUNT
        + access::Event::COUNT
        + replay::Event::COUNT
        + erasure::Event::COUNT
        + adoption::Event::COUNT
        + log_key::Event::COUNT;
    assert_eq!(names.len(), variants, "{names:#?}");
}

#[test]
fn unknown_fields_are_not_swallowed() {
    for (path, line) in lines("today") {
        let spoiled =
            line.replacen(r#""data":{"#, r#""data":{"surprise":1,"#, 1).replace("1,}", "1}");
        assert!(read(&spoiled).is_err(), "{path} took an unknown field");
    }
}

#[test]
fn the_policy_is_the_one_that_was_reviewed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/policy.txt");
    if std::env::var_os("ASSAY_GOLDEN").is_some_and(|how| how == "write") {
        fs::write(&path, policy::table()).unwrap();
    }
    assert_eq!(policy::table(), fs::read_to_string(&path).unwrap());
}
