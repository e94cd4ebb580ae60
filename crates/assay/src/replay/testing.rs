//! Three steps of a case for the tests of how a replay looks: opened, up for review, judged.

use assay_domain::claim::CitationRole;
use assay_domain::id::UserId;
use assay_domain::user::Profile;
use assay_domain::value::Tlp;
use assay_store::fact::ActorKind;
use assay_views::diff::Change;
use assay_views::doc::Instant;
use assay_views::history::{EntryOrigin, SubjectRef};
use assay_views::steps::{Act, Basis, Doer, Pinned, Step, StepFact};
use serde_json::{Value, json};
use uuid::Uuid;

use super::frame::{Frame, Known};
use super::text::{Line, fold_all, joined};

/// Ana.
pub(super) fn person() -> Uuid {
    Uuid::from_u128(0xa)
}

const CLAIM: Uuid = Uuid::from_u128(0xc);
const ASSERTION: Uuid = Uuid::from_u128(0xaa);

/// The lines as text at a width.
pub(super) fn shown(lines: &[Line], columns: usize) -> String {
    joined(&fold_all(lines, columns))
}

fn moment(text: &str) -> Instant {
    Instant(text.parse().unwrap())
}

fn change(path: &str, from: Value, to: Value) -> Change {
    Change { path: path.to_owned(), from, to }
}

fn fact(position: u64, name: &str, kind: &str, id: Uuid, revision: u64) -> StepFact {
    let subject = SubjectRef { kind: kind.to_owned(), id };
    StepFact {
        position,
        fact: name.to_owned(),
        subject,
        revision,
        why: None,
        erased: false,
        origin: None,
    }
}

fn opened() -> (Vec<StepFact>, Vec<Basis>, Vec<Change>) {
    let mut fact = fact(4, "case.opened.v1", "case", Uuid::from_u128(0x1), 0);
    fact.origin = Some(EntryOrigin {
        log: "other.example/log".to_owned(),
        position: 17,
        recorded_at: moment("2018-01-11T08:00:00Z"),
        actor: UserId(Uuid::from_u128(0xf)),
        leaf: serde_json::from_value(json!("00".repeat(32))).unwrap(),
    });
    (vec![fact], vec![], vec![change("/title", Value::Null, json!("Counter-attack"))])
}

fn asked() -> (Vec<StepFact>, Vec<Basis>, Vec<Change>) {
    let mut fact = fact(6, "claim.review_requested.v1", "claim", CLAIM, 2);
    fact.why = Some("The figure is disputed.".to_owned());
    let changes = vec![
        change("/standing", json!("proposed"), json!("under_review")),
        change("/rounds/0", Value::Null, json!({"by": person(), "returned": null, "round": 1})),
    ];
    (vec![fact], vec![], changes)
}

fn judged() -> (Vec<StepFact>, Vec<Basis>, Vec<Change>) {
    let mut fact = fact(9, "claim.verdict_issued.v1", "claim", CLAIM, 3);
    fact.erased = true;
    let cited = Pinned {
        role: CitationRole::Refutes,
        sha256: "ab".repeat(32),
        version: 1,
        note: Some("the denial".to_owned()),
    };
    let basis =
        Basis::Assertion { claim: CLAIM.into(), assertion: ASSERTION.into(), cited: Some(cited) };
    let lines = (0..40).map(|at| {
        change(&format!("/verdicts/0/reasons/{at}"), Value::Null, json!(format!("reason {at}")))
    });
    (vec![fact], vec![basis], lines.collect())
}

/// One of the three steps.
pub(super) fn frame(index: u64) -> Frame {
    let (facts, basis, changes) = match index {
        1 => opened(),
        2 => asked(),
        _ => judged(),
    };
    let positions: Vec<u64> = facts.iter().map(|fact| fact.position).collect();
    let profile: Profile =
        serde_json::from_value(json!({"username": "ana", "display_name": "Ana Ilić"})).unwrap();
    let act = Act {
        command: Uuid::from_u128(0xc0 + u128::from(index)),
        position: positions[0],
        positions,
        recorded_at: moment("2018-01-12T09:30:00Z"),
        actor: Doer { id: UserId(person()), profile: Some(profile) },
        actor_kind: if index == 1 { ActorKind::Import } else { ActorKind::Person },
        on_behalf_of: (index == 1).then_some(UserId(person())),
        session: None,
        facts,
    };
    let (previous, next) = match index {
        1 => (None, Some(6)),
        2 => (Some(4), Some(9)),
        _ => (Some(6), None),
    };
    let step = Step { index, of: 3, act, basis, changes, previous, next };
    let mut known = Known::default();
    known.learn(person(), "Ana Ilić");
    known.learn(CLAIM, "claim “Rebels took sixteen villages”");
    known.learn(ASSERTION, "the army denies it");
    let title = "Counter-attack at Abu al-Duhur".to_owned();
    Frame { title, marking: Tlp::Amber, closed: false, step, known }
}
