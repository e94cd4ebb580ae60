//! It keeps up, it stops at what it cannot read, and what was erased shows as nothing.

use assay_domain::aggregate::{Event, Subject};
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

/// Two claims of a case, each sealed with a key of its own, and so many entries that say little.
fn sealed(many: usize) -> (World, assay_store::vault::KeyId) {
    let mut world = World::peopled();
    let (kept, _) = world.runtime.block_on(world.keys.draw()).unwrap();
    let (lost, _) = world.runtime.block_on(world.keys.draw()).unwrap();
    world.key = Some(kept);
    world.propose(1, 1, ANA, "keptwords stay");
    world.key = Some(lost);
    world.propose(1, 2, ANA, "lostwords go");
    for n in 0..20 {
        world.refine(2, ANA, &format!("lostwords go {n}"));
    }
    world.key = None;
    let event = Event::User(assay_domain::user::Event::PasswordChanged {});
    for _ in 0..many / 100 {
        world.add(Subject::User(user(ANA)), ANA, None, vec![event.clone(); 100]);
    }
    (world, lost)
}

fn gist(db: &Reader, n: u8) -> Value {
    let found = claims::card(db, &sight(db, ANA), head(), claim(n)).unwrap().unwrap();
    let found: Value = serde_json::from_str(&found.json).unwrap();
    found["proposition"]["gist"].clone()
}

/// Whether some bytes stand anywhere in a file or what SQLite keeps beside it.
fn stands_in(path: &Path, words: &str) -> bool {
    ["", "-wal", "-shm"].into_iter().any(|end| {
        let bytes = std::fs::read(with_end(path, end)).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    })
}

#[test]
fn what_was_forgotten_is_in_no_byte_of_views_made_anew() {
    let (world, lost) = sealed(0);
    let path = world.dir.path().join("live.db");
    let projector = run(&world, "live.db");
    wait(&world, &projector, world.log_head());
    let views = Views::open(&path).unwrap();
    let before = views.reader().unwrap();
    assert!(stands_in(&path, "lostwords"));
    world.runtime.block_on(world.keys.destroy(lost)).unwrap();
    world.runtime.block_on(projector.renewer().renewed()).unwrap();
    assert!(!stands_in(&path, "lostwords"));
    assert!(!with_end(&path, ".new").exists() && !with_end(&path, ".old").exists());
    assert!((views.generation(), views.current(&before)) == (1, false));
    let after = views.reader().unwrap();
    assert!(views.current(&after));
    assert_eq!((gist(&after, 1), gist(&after, 2)), ("keptwords stay".into(), Value::Null));
    // Who still reads the old file reads all of it, until it is let go.
    assert_eq!(gist(&before, 1), "keptwords stay");
    drop(before);
    assert_eq!(gist(&views.reader().unwrap(), 1), "keptwords stay");
    projector.stop();
    assert!(!stands_in(&path, "lostwords"));
}

#[test]
fn readers_always_get_an_answer_and_never_a_mix_while_views_are_made_anew() {
    let (mut world, lost) = sealed(3_000);
    let path = world.dir.path().join("live.db");
    let projector = run(&world, "live.db");
    wait(&world, &projector, world.log_head());
    let done = std::sync::atomic::AtomicBool::new(false);
    let before = world.log_head();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (path, done) = (&path, &done);
                scope.spawn(move || {
                    let views = Views::open(path).unwrap();
                    let (mut reader, mut seen, mut count) = (views.reader().unwrap(), 0, 0_u32);
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        if !views.current(&reader) {
                            reader = views.reader().unwrap();
                        }
                        reader
                            .snapshot(|| {
                                let position = reader.position()?;
                                assert!(position >= seen, "an entry was seen and is gone");
                                seen = position;
                                let gone = gist(&reader, 2).is_null();
                                let found = crate::search::find(
                                    &reader,
                                    &sight(&reader, ANA),
                                    head(),
                                    "lostwords",
                                    &crate::search::SearchFilter::default(),
                                    None,
                                    crate::testing::many(),
                                )?;
                                assert_eq!(found.items.is_empty(), gone, "a mix of two files");
                                assert_eq!(gist(&reader, 1), "keptwords stay");
                                Ok(())
                            })
                            .unwrap();
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        world.runtime.block_on(world.keys.destroy(lost)).unwrap();
        for round in 0..3 {
            let asked = projector.renew();
            world.file(100 + round, 1, ANA, "meanwhile");
            let mut renewals = projector.renewer().watch();
            let answered = renewals.wait_for(|now| now.renewed.max(now.failed) >= asked);
            assert_eq!(world.runtime.block_on(answered).unwrap().renewed, asked);
            wait(&world, &projector, world.log_head());
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    assert_eq!(Views::open(&path).unwrap().generation(), 3);
    assert_eq!(world.log_head(), before + 3);
    projector.stop();
    let live = Views::open(&path).unwrap().reader().unwrap();
    assert_eq!(digest(&live, At::Head).unwrap(), digest(&world.views(), At::Head).unwrap());
}

#[test]
fn a_renewal_that_fails_leaves_the_views_as_they_were_and_the_next_may_succeed() {
    let (world, _) = sealed(0);
    let path = world.dir.path().join("live.db");
    let projector = run(&world, "live.db");
    wait(&world, &projector, world.log_head());
    let renewer = projector.renewer();
    // Something in the way that is not a file.
    let shadow = with_end(&path, ".new");
    std::fs::create_dir(&shadow).unwrap();
    let refused = world.runtime.block_on(renewer.renewed()).unwrap_err();
    assert!(refused.to_string().contains("not made anew"), "{refused}");
    let now = renewer.status();
    assert_eq!((now.asked, now.renewed, now.failed), (1, 0, 1));
    let views = Views::open(&path).unwrap();
    assert_eq!(gist(&views.reader().unwrap(), 2), "lostwords go 19");
    std::fs::remove_dir(&shadow).unwrap();
    world.runtime.block_on(renewer.renewed()).unwrap();
    assert_eq!((renewer.status().renewed, renewer.status().reason), (2, None));
    assert_eq!(views.generation(), 1);
    projector.stop();
    assert!(renewer.status().over);
    assert!(world.runtime.block_on(renewer.renewed()).is_err());
}

#[test]
fn stopping_ends_a_renewal_and_leaves_nothing_beside_the_views() {
    let (world, _) = sealed(2_000);
    let path = world.dir.path().join("live.db");
    let projector = run(&world, "live.db");
    let renewer = projector.renewer();
    projector.renew();
    projector.stop();
    assert!(renewer.status().over);
    assert!(!with_end(&path, ".new").exists());
    let db = Views::open(&path).unwrap().reader().unwrap();
    assert_eq!(db.position().unwrap(), world.log_head());
}
