//! The demo's case on tape: told in one piece, in spans, searched, and as it stood in between.

use assay_domain::id::CaseId;
use assay_views::cases::{self, CaseDoc, CaseFilter};
use assay_views::{At, Reader, Sight, Views};

use super::plain::{self, Span};
use super::tape::{Found, Tape, text_of};
use crate::settings::Settings;
use crate::viewing::all;

/// The demo, its only case, and where it ends; the directory goes with the first.
async fn demo() -> (tempfile::TempDir, Tape, u64) {
    let parent = tempfile::tempdir().unwrap();
    let settings = Settings { data_dir: parent.path().join("demo"), ..Settings::default() };
    crate::demo::prepare(&settings).await.unwrap();
    let reader = reader(&parent);
    let (case, head) = (only_case(&reader), reader.position().unwrap());
    (parent, Tape::of(reader, case, head).unwrap(), head)
}

fn reader(parent: &tempfile::TempDir) -> Reader {
    Views::open(parent.path().join("demo").join("views.db")).unwrap().reader().unwrap()
}

fn only_case(reader: &Reader) -> CaseId {
    let sight = Sight::house();
    let found: Vec<CaseDoc> =
        all(|cursor, limit| cases::page(reader, &sight, At::Head, CaseFilter::All, cursor, limit))
            .unwrap();
    found[0].id
}

fn told(tape: &Tape, span: Span) -> String {
    let mut out = Vec::new();
    plain::print(&mut out, tape, span).unwrap();
    String::from_utf8(out).unwrap()
}

/// The numbers of the steps in a text.
fn numbers(told: &str) -> Vec<u64> {
    let lines = told.lines().filter_map(|line| line.strip_prefix("── Step "));
    lines.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_case_is_told_from_its_first_step_to_its_last() {
    let (_dir, tape, head) = demo().await;
    let (first, last) = (tape.first().unwrap().unwrap(), tape.last().unwrap().unwrap());
    assert_eq!((first.step.index, first.step.previous), (1, None));
    assert_eq!((last.step.index, last.step.next), (last.step.of, None));

    let whole = told(&tape, Span::default());
    assert_eq!(numbers(&whole), (1..=last.step.of).collect::<Vec<_>>());
    assert!(whole.starts_with("Counter-attack in Idlib Province, January 2018\nTLP:AMBER, open\n"));
    assert!(whole.contains(&format!("\nTold up to entry {head}, recorded ")), "{whole}");
    assert!(whole.contains("\n- standing: adjudicated\n+ standing: stale\n"), "{whole}");
    assert!(!whole.contains(" more step"), "all of them");

    // Forward and back over every step lands where it began.
    let mut here = last.clone();
    while let Some(before) = here.step.previous {
        let next = tape.holding(before).unwrap().unwrap();
        assert_eq!(
            (next.step.index + 1, next.step.next),
            (here.step.index, Some(here.step.act.position))
        );
        here = next;
    }
    assert_eq!(here, first);
}

#[tokio::test]
async fn a_span_has_both_its_ends_and_says_how_much_is_left() {
    let (_dir, tape, head) = demo().await;
    let third = tape.from(24).unwrap().unwrap();
    let span = Span { from: Some(24), to: None, limit: Some(2) };
    let part = told(&tape, span);
    assert_eq!(numbers(&part), [third.step.index, third.step.index + 1]);
    let left = third.step.of - third.step.index - 1;
    assert!(part.contains(&format!("\n{left} more steps: ")), "{part}");

    // The last step has two entries: either of them is in it.
    for from in [head - 1, head] {
        let span = Span { from: Some(from), to: Some(head), limit: None };
        assert_eq!(numbers(&told(&tape, span)), [third.step.of]);
    }
    let none = told(&tape, Span { from: Some(30), to: Some(25), limit: None });
    assert!(none.starts_with("There is no step in that span"), "{none}");
    let early = told(&tape, Span { from: None, to: Some(3), limit: None });
    assert!(early.starts_with("There is no step in that span"), "{early}");
}

#[tokio::test]
async fn words_are_found_in_later_steps_only_whatever_their_capitals() {
    let (_dir, tape, _) = demo().await;
    let Found::Here(first) = tape.find("VERDICT ISSUED", 0).unwrap() else { panic!("nothing") };
    assert!(text_of(&first).contains("verdict issued"));
    let after = first.step.act.position;
    let Found::Here(second) = tape.find("verdict issued", after).unwrap() else { panic!("once") };
    assert!(second.step.index > first.step.index);
    assert!(matches!(tape.find("no such words", 0).unwrap(), Found::Nowhere));
}

#[tokio::test]
async fn nothing_after_the_end_of_a_replay_is_in_it() {
    let (dir, tape, head) = demo().await;
    let case = tape.first().unwrap().unwrap().step.act.facts[0].subject.id;
    let early = Tape::of(reader(&dir), CaseId(case), 60).unwrap();
    let last = early.last().unwrap().unwrap();
    assert_eq!((last.step.act.position, last.step.index), (60, last.step.of));
    assert!(early.position("61").is_err() && early.position(&head.to_string()).is_err());
    assert_eq!(early.position("2100-01-01T00:00:00Z").unwrap(), 60);
    assert!(early.position("yesterday").is_err());
    assert!(early.whole(60).unwrap().contains("Claims: "));
    assert_ne!(early.whole(60).unwrap(), tape.whole(head).unwrap());

    let refused = Tape::of(reader(&dir), CaseId(case), 3).unwrap_err();
    assert!(refused.to_string().contains("there was no case"), "{refused}");
}

#[tokio::test]
async fn everybody_and_everything_is_called_by_name() {
    let (_dir, tape, _) = demo().await;
    let last = tape.last().unwrap().unwrap();
    assert_eq!(last.doer(), "by Ana (demo analyst) (person)");
    let text = text_of(&last);
    assert!(text.contains("claim “The Abu Duhur airbase is about to be captured"), "{text}");
    assert!(text.contains("assertions 1 (pro-Assad forces: predicts), side: government"), "{text}");
}
