//! It keeps up, it stops at what it cannot read, and what was erased shows as nothing.

use serde_json::Value;

use super::*;
use crate::at::At;
use crate::db::Reader;
use crate::dump::{digest, dump_canonical};
use crate::testing::{ANA, World, claim, head, id, report, sight, user};
use crate::{claims, reports, users};

fn run(world: &World, name: &str) -> Projector {
    start(world.dir.path().join(name), world.journal(), world.keys.clone(), world.handle()).unwrap()
}

fn wait(world: &World, projector: &Projector, position: u64) {
    let mut projected = projector.projected();
    world.runtime.block_on(projected.wait_for(|seen| *seen >= position)).unwrap();
}

#[test]
fn it_keeps_up_and_stopping_drains() {
    let mut world = World::peopled();
    let projector = run(&world, "live.db");
    wait(&world, &projector, world.log_head());
    world.file(1, 1, ANA, "a text");
    wait(&world, &projector, world.log_head());
    assert_eq!(projector.status(), Status::Running);
    world.propose(1, 1, ANA, "a claim");
    projector.stop();
    let views = Views::open(world.dir.path().join("live.db")).unwrap();
    let db = views.reader().unwrap();
    assert_eq!(db.position().unwrap(), world.log_head());
    assert_eq!(digest(&db, At::Head).unwrap(), digest(&world.views(), At::Head).unwrap());
}

fn failed(world: &World) -> (u64, String) {
    let projector = run(world, "live.db");
    let mut status = projector.watch_status();
    let failed = |status: &Status| matches!(status, Status::Failed { .. });
    let seen = world.runtime.block_on(status.wait_for(failed)).unwrap().clone();
    let projected = *projector.projected().borrow();
    projector.stop();
    match seen {
        Status::Failed { position, reason } => {
            assert_eq!(projected, position - 1);
            (position, reason)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fact_of_no_known_type_stops_it_and_nothing_is_skipped() {
    let mut world = World::busy();
    let unknown = br#"{"type":"claim.forgotten.v9","data":{}}"#.to_vec();
    let fact = world.fact(ANA, Some(1), unknown);
    world.append(&format!("claim-{}", claim(1)), vec![fact]);
    let bad = world.log_head();
    world.propose(1, 3, ANA, "after it");
    let (position, reason) = failed(&world);
    assert_eq!(position, bad);
    assert!(reason.contains("claim.forgotten.v9"), "{reason}");
}

#[test]
fn corrupt_bytes_and_unknown_streams_stop_it_too() {
    for (stream, data) in [("claim-nonsense", "{}"), ("weather-1", "{}"), ("claim", "not json")] {
        let mut world = World::peopled();
        let fact = world.fact(ANA, Some(1), data.as_bytes().to_vec());
        let stream = if stream == "claim" { format!("claim-{}", claim(1)) } else { stream.into() };
        world.append(&stream, vec![fact]);
        assert_eq!(failed(&world).0, world.log_head());
    }
}

#[test]
fn an_unknown_key_stops_it_exactly_there() {
    let mut world = World::peopled();
    let sealed = assay_store::seal::seal(id(11, 1), &assay_store::vault::Key([1; 32]), "x", b"1");
    let data = format!(
        r#"{{"type":"user.suspended.v1","data":{{"reason":{{"sealed":"{}"}}}}}}"#,
        sealed.unwrap()
    );
    let fact = world.fact(ANA, None, data.into_bytes());
    world.append(&format!("user-{}", user(ANA)), vec![fact]);
    let (position, reason) = failed(&world);
    assert_eq!(position, world.log_head());
    assert!(reason.contains("unknown"), "{reason}");
}

#[test]
fn what_was_sealed_reads_clear_and_what_was_erased_as_nothing() {
    let mut world = World::empty();
    let (key, _) = world.runtime.block_on(world.keys.draw()).unwrap();
    world.register(ANA, "ana", assay_domain::user::HouseRole::Analyst);
    world.open_case(1, ANA, "Idlib", assay_domain::value::Tlp::Amber);
    world.key = Some(key);
    world.file(1, 1, ANA, crate::testing::TEXT);
    world.propose(1, 1, ANA, "the secret gist");
    world.key = None;
    let db = world.views();
    let card = |db: &Reader| -> Value {
        let found = claims::card(db, &sight(db, ANA), head(), claim(1)).unwrap().unwrap();
        serde_json::from_str(&found.json).unwrap()
    };
    assert_eq!(card(&db)["proposition"]["gist"], "the secret gist");
    world.runtime.block_on(world.keys.destroy(key)).unwrap();
    let db = world.views();
    assert_eq!(
        (&card(&db)["proposition"], &card(&db)["erased"]),
        (&Value::Null, &Value::Bool(true))
    );
    let found = reports::one(&db, &sight(&db, ANA), head(), report(1)).unwrap().unwrap();
    let found: Value = serde_json::from_str(&found.json).unwrap();
    assert_eq!(found["renditions"][0]["erased"], true);
    let mut out = Vec::new();
    dump_canonical(&db, At::Head, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(!out.contains("secret gist") && !out.contains("villages"));
}

#[test]
fn views_of_another_journal_are_refused() {
    let mut world = World::busy();
    drop(world.views());
    let other = World::peopled();
    let path = world.dir.path().join("1.db");
    let refused = start(&path, other.journal(), other.keys.clone(), other.handle());
    assert!(matches!(refused, Err(ViewError::Foreign(_))));
    let rebuilt =
        crate::rebuild::rebuild(&path, &other.journal(), &other.keys, &other.handle(), |_, _| ());
    assert_eq!(rebuilt.unwrap().entries, other.log_head());
    let db = Views::open(&path).unwrap().reader().unwrap();
    assert!(users::one(&db, &sight(&db, ANA), head(), user(ANA)).unwrap().is_some());
    world.add_member(1, ANA, crate::testing::BEN, assay_domain::case::CaseRole::Analyst);
    drop(world.views());
    let differences = crate::rebuild::compare(&path, &world.dir.path().join("2.db")).unwrap();
    assert!(differences.is_empty(), "up to where both know, they know the same");
}
