//! What a maker of bundles must not do is refused before a byte is written; what was made opens again as it was.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;

use assay_bundle::fixtures::{Outcome, Wish, World, full_wish};
use assay_bundle::{
    About, BundleError, CheckName, Data, Disclosure, Failure, Order, README, State, Trust,
    Withheld, open_verified, verify, write,
};
use assay_ledger::{Hash, SignerKey};
use assay_store::journal::Entry;
use assay_store::vault::Key;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// What stands in the README is a part of the format: another text is another format.
#[test]
fn the_readme_has_the_bytes_it_always_had() {
    let digest = hex::encode(Sha256::digest(README));
    assert_eq!(digest, "adac7a5bb0de3563404e80496b9eab5e6f0cf413fe38ff1d6a5244ef86e9f296");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for told in ["docs/verification.md", "tests/verify/assay_verify.py"] {
        let text = fs::read_to_string(root.join(told)).unwrap();
        assert!(text.contains(&digest), "{told} knows another");
    }
}

/// Makes a bundle of the world after a change to an order that would do; answers the bytes written.
fn make(
    world: &World,
    change: impl FnOnce(&mut Order<'_>),
) -> Outcome<Result<Vec<u8>, BundleError>> {
    let size = world.size();
    let note = world.note(size)?.to_text();
    let proof = |index| -> Result<Vec<Hash>, Failure> { world.proof(index, size) };
    let positions = world.selection(size);
    let everything = |_: &Entry| Disclosure::Full;
    let case_key = world.keys().get(&world.case()).ok_or("a key")?;
    let mut order = Order {
        journal: world.log(),
        positions,
        checkpoint: &note,
        log_keys: vec![World::signer()?.verifier().clone()],
        proof: &proof,
        keys: vec![(world.case(), case_key.clone())],
        withhold: &everything,
        withheld: Vec::new(),
        consistency: None,
        timestamps: Vec::new(),
        about: About {
            case: world.case(),
            as_of: size,
            made_at: 0,
            made_by: Uuid::nil(),
            recipient: None,
        },
    };
    change(&mut order);
    let mut out = Cursor::new(Vec::new());
    Ok(match write(&mut out, &order, |_, _| ()) {
        Ok(_) => Ok(out.into_inner()),
        Err(error) => {
            assert!(out.into_inner().is_empty(), "nothing is written where {error}");
            Err(error)
        }
    })
}

fn nothing(_: &Entry) -> Disclosure {
    Disclosure::NoData
}

#[expect(clippy::unnecessary_wraps, reason = "it stands in for those that can fail")]
fn wrong_proof(_: u64) -> Result<Vec<Hash>, Failure> {
    Ok(vec![[0; 32]])
}

fn no_proof(_: u64) -> Result<Vec<Hash>, Failure> {
    Err("no tiles".into())
}

#[test]
fn the_same_order_makes_the_same_bytes() -> Outcome<()> {
    let world = World::new(21, 5)?;
    let (one, other) = (make(&world, |_| ())??, make(&world, |_| ())??);
    assert_eq!(one, other);
    assert!(verify(Cursor::new(one), &world.trust(None)?, |_, _| ())?.holds());
    Ok(())
}

#[test]
fn a_maker_cannot_give_away_what_would_not_verify() -> Outcome<()> {
    let world = World::new(21, 5)?;
    let size = world.size();
    let refused = |change: &dyn Fn(&mut Order<'_>)| -> Outcome<String> {
        let made = make(&world, |order| change(order))?;
        Ok(format!("{:?}", made.err().ok_or("it was made")?))
    };
    let stranger = SignerKey::new("another.example.org", &[8; 32])?.verifier().clone();
    let case = world.case();
    let said = [
        (refused(&|order| order.positions = vec![2, 1])?, "Position(1)"),
        (refused(&|order| order.positions = vec![1, 1])?, "Position(1)"),
        (refused(&|order| order.positions = vec![0])?, "Position(0)"),
        (refused(&|order| order.positions = vec![size + 1])?, "Missing"),
        (refused(&|order| order.about.as_of = size + 1)?, "Position"),
        (refused(&|order| order.about.as_of = 3)?, "Position"),
        (refused(&|order| order.checkpoint = "nonsense")?, "Checkpoint"),
        (refused(&|order| order.log_keys.push(stranger.clone()))?, "Checkpoint"),
        (refused(&|order| order.log_keys.clear())?, "Checkpoint"),
        (refused(&|order| order.proof = &wrong_proof)?, "Unproved"),
        (refused(&|order| order.proof = &no_proof)?, "NoProof"),
        (refused(&|order| order.keys.push((Uuid::max(), Key([1; 32]))))?, "IdleKey"),
        (refused(&|order| order.keys = vec![(case, Key([1; 32]))])?, "WrongKey"),
        (refused(&|order| order.keys.push((case, Key([1; 32]))))?, "RepeatedKey"),
        (refused(&|order| order.withhold = &nothing)?, "IdleKey"),
        (
            refused(&|order| {
                order.withhold = &nothing;
                order.keys.clear();
            })?,
            "Unexplained",
        ),
        (refused(&|order| order.consistency = Some((size + 1, Vec::new())))?, "Consistency"),
        (refused(&|order| order.timestamps = vec![vec![1, 2, 3]])?, "Timestamp"),
    ];
    for (found, wanted) in said {
        assert!(found.starts_with(wanted), "{found} instead of {wanted}");
    }
    Ok(())
}

#[test]
fn what_holds_opens_with_everything_that_is_in_it() -> Outcome<()> {
    let world = World::new(22, 6)?;
    let wish = Wish { size: world.size(), no_data: 5, since: None, ..full_wish() };
    let file = world.bundle(&wish)?;
    let (mut bundle, report) = open_verified(Cursor::new(file), &world.trust(None)?, |_, _| ())?;
    assert!(report.holds());
    assert_eq!(bundle.manifest().case, world.case());
    assert!(bundle.keys().all(|(id, key)| world.keys().get(&id) == Some(key)));
    let positions = world.selection(world.size());
    let entries = bundle.entries()?.collect::<Result<Vec<_>, _>>()?;
    assert!(entries.iter().map(|entry| entry.position).eq(positions));
    for entry in entries {
        let there = &assay_store::journal::Journal::entries(world.log(), entry.position - 1, 1)?[0];
        assert_eq!(entry.leaf(), there.leaf_hash);
        match entry.data {
            Data::Full(_) => assert_eq!(entry.fact(), there.recorded.fact),
            Data::Withheld(_) => assert!(entry.position.is_multiple_of(5)),
        }
    }
    Ok(())
}

#[test]
fn what_does_not_hold_does_not_open() -> Outcome<()> {
    let world = World::new(22, 6)?;
    let strange = SignerKey::new(assay_bundle::fixtures::ORIGIN, &[8; 32])?.verifier().clone();
    let trust = Trust { log_keys: vec![strange], ..Trust::default() };
    let file =
        Cursor::new(world.bundle(&Wish { size: world.size(), since: None, ..full_wish() })?);
    match open_verified(file, &trust, |_, _| ()) {
        Err(BundleError::DoesNotHold(report)) => {
            assert_eq!(report.state_of(CheckName::Signature), Some(State::Fails));
        }
        other => return Err(format!("{other:?}").into()),
    }
    Ok(())
}

/// A file that can be changed behind the reader's back, or breaks.
#[derive(Clone)]
struct Shared(std::rc::Rc<std::cell::RefCell<(Vec<u8>, bool)>>, u64);

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let kept = self.0.borrow();
        if kept.1 {
            return Err(io::Error::other("the disk is gone"));
        }
        let at = usize::try_from(self.1).unwrap().min(kept.0.len());
        let length = (&kept.0[at..]).read(buffer)?;
        self.1 += u64::try_from(length).unwrap();
        Ok(length)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let kept = self.0.borrow();
        let mut cursor = Cursor::new(&kept.0);
        cursor.set_position(self.1);
        self.1 = cursor.seek(to)?;
        Ok(self.1)
    }
}

#[test]
fn a_file_changed_after_it_was_verified_gives_out_nothing_false() -> Outcome<()> {
    let world = World::new(22, 6)?;
    let wish = Wish { size: world.size(), since: None, ..full_wish() };
    // Stored, not packed, so that a change of the bytes is a change of the text.
    let good = assay_bundle::fixtures::Members::unpack(&world.bundle(&wish)?)?.pack()?;
    let at = good.windows(5).rposition(|part| part == "Zoë\\".as_bytes()).ok_or("a text")?;
    let shared = Shared(std::rc::Rc::new(std::cell::RefCell::new((good, false))), 0);
    let (mut bundle, _) = open_verified(shared.clone(), &world.trust(None)?, |_, _| ())?;
    shared.0.borrow_mut().0[at] = b'X';
    let mut read = Vec::new();
    let mut error = None;
    for entry in bundle.entries()? {
        match entry {
            Ok(entry) => read.push(entry),
            Err(found) => error = Some(found),
        }
    }
    assert!(matches!(error, Some(BundleError::Changed { .. })), "{error:?}");
    let note = world.note(world.size())?;
    let root = &note.checkpoint().root;
    assert!(read.iter().all(|entry| entry.verify(world.size(), root).is_ok()));
    shared.0.borrow_mut().1 = true;
    let broken = verify(shared.clone(), &world.trust(None)?, |_, _| ());
    assert!(matches!(broken, Err(BundleError::Io(_))), "a broken disk is no forged file");
    Ok(())
}

#[test]
fn a_question_nobody_can_answer_is_refused() -> Outcome<()> {
    let nothing = || Cursor::new(Vec::new());
    assert!(matches!(verify(nothing(), &Trust::default(), |_, _| ()), Err(BundleError::NoKey)));
    let world = World::new(22, 1)?;
    let trust = Trust { witnesses_needed: 2, ..world.trust(None)? };
    let answer = verify(nothing(), &trust, |_, _| ());
    assert!(matches!(answer, Err(BundleError::TooFewWitnesses { needed: 2, named: 1 })));
    Ok(())
}

#[test]
fn reasons_for_withholding_travel_with_the_file() -> Outcome<()> {
    let world = World::new(21, 2)?;
    let why = vec![Withheld { what: "everything".to_owned(), why: "a \"test\"\n".to_owned() }];
    let file = make(&world, |order| {
        order.withhold = &nothing;
        order.withheld.clone_from(&why);
        order.keys.clear();
    })??;
    let (bundle, report) = open_verified(Cursor::new(file), &world.trust(None)?, |_, _| ())?;
    assert_eq!(bundle.manifest().withheld, why);
    assert_eq!(report.state_of(CheckName::Withheld), Some(State::Holds));
    Ok(())
}

/// A writer that fails after so many bytes.
struct Narrow(Cursor<Vec<u8>>, usize);

impl Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.get_ref().len() + bytes.len() > self.1 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Narrow {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_full_disk_is_an_error_and_no_bundle() -> Outcome<()> {
    let world = World::new(21, 2)?;
    let size = world.size();
    let note = world.note(size)?.to_text();
    let proof = |index| -> Result<Vec<Hash>, Failure> { world.proof(index, size) };
    let everything = |_: &Entry| Disclosure::Full;
    let order = Order {
        journal: world.log(),
        positions: world.selection(size),
        checkpoint: &note,
        log_keys: vec![World::signer()?.verifier().clone()],
        proof: &proof,
        keys: Vec::new(),
        withhold: &everything,
        withheld: Vec::new(),
        consistency: None,
        timestamps: Vec::new(),
        about: About {
            case: world.case(),
            as_of: size,
            made_at: 0,
            made_by: Uuid::nil(),
            recipient: None,
        },
    };
    let made = write(Narrow(Cursor::new(Vec::new()), 2_000), &order, |_, _| ());
    assert!(matches!(made, Err(BundleError::Io(_))), "{made:?}");
    Ok(())
}
