//! Thousands of random tamperings under a corrected manifest, none of which passes; and honest bundles, all of which do.
#![expect(clippy::indexing_slicing, reason = "tests may")]

use std::io::Cursor;

use assay_bundle::fixtures::{Chance, Members, Outcome, Wish, World, full_wish};
use assay_bundle::{Data, Line, Trust, verify};
use uuid::Uuid;

/// How many tamperings are tried.
const TAMPERINGS: u64 = 2_400;
/// The members a tampering picks from; the entries most of the time.
const NAMES: [&str; 7] = [
    "entries.ndjson",
    "entries.ndjson",
    "entries.ndjson",
    "keys.ndjson",
    "checkpoint.txt",
    "consistency.txt",
    "README.txt",
];

fn holds(file: &[u8], trust: &Trust) -> Outcome<bool> {
    Ok(verify(Cursor::new(file), trust, |_, _| ())?.holds())
}

fn some<'a, T>(chance: &mut Chance, of: &'a mut [T]) -> &'a mut T {
    let at = chance.below(of.len());
    &mut of[at]
}

/// Changes the bytes of a member: a bit, a byte, a piece more or less.
fn bytes(chance: &mut Chance, members: &mut Members) -> Outcome<String> {
    let name = *some(chance, &mut NAMES.clone());
    let bytes = members.get_mut(name)?;
    let at = chance.below(bytes.len());
    let kind = chance.below(4);
    match kind {
        0 => bytes[at] ^= 1 << chance.below(8),
        1 => bytes[at] = bytes[at].wrapping_add(u8::try_from(1 + chance.below(255))?),
        2 => {
            let end = (at + 1 + chance.below(40)).min(bytes.len());
            bytes.drain(at..end);
        }
        _ => {
            let piece = chance.bytes();
            bytes.splice(at..at, piece[..=chance.below(31)].iter().copied());
        }
    }
    Ok(format!("{name}: kind {kind} at {at}"))
}

/// Moves whole lines about.
fn lines(chance: &mut Chance, members: &mut Members, other: &Members) -> Outcome<String> {
    let name = if chance.below(4) == 0 { "keys.ndjson" } else { "entries.ndjson" };
    let foreign = other.lines(name)?;
    let mut lines = members.lines(name)?;
    let (one, two) = (chance.below(lines.len()), chance.below(lines.len()));
    let kind = chance.below(3);
    match kind {
        0 if one != two => lines.swap(one, two),
        1 => lines.insert(one, lines[two].clone()),
        _ => lines[one].clone_from(&foreign[chance.below(foreign.len())]),
    }
    *members.get_mut(name)? = lines.concat();
    Ok(format!("{name}: lines {one} and {two}, kind {kind}"))
}

/// Drops an entry of the case that another of its stream follows.
fn drop_one(chance: &mut Chance, members: &mut Members) -> Outcome<String> {
    let mut told = String::new();
    members.change_entries(|lines| {
        let followed = |at: &usize| {
            let line = &lines[*at];
            line.envelope.case.is_some()
                && lines[at + 1..].iter().any(|other| other.stream == line.stream)
        };
        let mut candidates: Vec<usize> = (0..lines.len()).filter(followed).collect();
        let at = *some(chance, &mut candidates);
        told = format!("dropped line {at}");
        lines.remove(at);
    })?;
    Ok(told)
}

/// Gives a field another value, in the one right spelling.
fn field(chance: &mut Chance, line: &mut Line) -> usize {
    let number = chance.number();
    let id = chance.uuid();
    let e = &mut line.envelope;
    let kind = chance.below(17);
    match kind {
        0 => line.position = number,
        1 => line.position ^= 1 << (number % 6),
        2 => line.revision ^= 1 << (number % 4),
        3 => line.stream = format!("case-{id}"),
        4 => line.id = id,
        5 => line.name.insert(0, 'x'),
        6 => e.recorded_at ^= 1 << (number % 50),
        7 => e.actor = id,
        8 => e.command = id,
        9 => e.correlation = id,
        10 => e.on_behalf_of = e.on_behalf_of.xor(Some(id)),
        11 => e.session = e.session.xor(Some(id)),
        12 => e.causation = e.causation.xor(Some(id)),
        13 => e.case = Some(Uuid::from_u128(e.case.map_or(7, |case| case.as_u128() ^ 1))),
        14 => e.request_mac = e.request_mac.xor(Some(*id.as_bytes())),
        15 => {
            if let Data::Full(text) = &mut line.data {
                text.insert(usize::try_from(number % 2).unwrap_or(0), ' ');
            }
        }
        _ => line.data = Data::Withheld(chance.bytes()),
    }
    kind
}

fn proof(chance: &mut Chance, line: &mut Line) -> usize {
    let kind = chance.below(4);
    let at = chance.below(line.proof.len());
    match kind {
        0 => line.proof[at][chance.below(32)] ^= 1 << chance.below(8),
        1 => {
            line.proof.remove(at);
        }
        2 => line.proof.insert(at, chance.bytes()),
        _ => line.proof.reverse(),
    }
    kind
}

fn one(chance: &mut Chance, members: &mut Members, other: &Members) -> Outcome<String> {
    match chance.below(6) {
        0 | 1 => bytes(chance, members),
        2 => lines(chance, members, other),
        3 => drop_one(chance, members),
        kind => {
            let mut told = String::new();
            members.change_entries(|lines| {
                let line = some(chance, lines);
                let what = if kind == 4 { field(chance, line) } else { proof(chance, line) };
                told = format!("entry {}: {kind}, {what}", line.position);
            })?;
            Ok(told)
        }
    }
}

#[test]
fn no_random_tampering_passes() -> Outcome<()> {
    let world = World::new(11, 10)?;
    let trust = world.trust(Some(30))?;
    let good = Members::unpack(&world.bundle(&full_wish())?)?;
    let other = Members::unpack(&World::new(12, 10)?.bundle(&full_wish())?)?;
    let mut tried = 0;
    for seed in 0.. {
        let mut members = good.clone();
        let told = one(&mut Chance::new(seed), &mut members, &other)?;
        // A reversed proof of two equal hashes, a byte turned into itself: nothing was done.
        if members == good {
            continue;
        }
        let file = members.pack_corrected()?;
        assert!(!holds(&file, &trust)?, "seed {seed} passes: {told}");
        tried += 1;
        if tried == TAMPERINGS {
            break;
        }
    }
    Ok(())
}

/// An archive has bytes that mean nothing, such as the hour of a member; nothing that is read may change with them.
#[test]
fn a_flip_anywhere_in_the_file_is_refused_or_changes_nothing_that_is_read() -> Outcome<()> {
    let world = World::new(13, 4)?;
    let trust = world.trust(None)?;
    let wish = Wish { size: world.size(), since: None, ..full_wish() };
    let good = world.bundle(&wish)?;
    let members = Members::unpack(&good)?;
    let mut chance = Chance::new(13);
    for _ in 0..2_000 {
        let mut bad = good.clone();
        let at = chance.below(bad.len());
        bad[at] ^= 1 << chance.below(8);
        if holds(&bad, &trust)? {
            assert_eq!(Members::unpack(&bad)?, members, "at {at}");
        }
    }
    Ok(())
}

#[test]
fn no_honest_bundle_is_refused() -> Outcome<()> {
    for seed in 0..50 {
        let mut chance = Chance::new(seed);
        let world = World::new(seed, 2 + seed % 9)?;
        let size = world.size() - u64::try_from(chance.below(3))?;
        let since = (seed % 3 > 0).then(|| 1 + chance.number() % size);
        let (keep_back, no_data) = (chance.number() % 4, chance.number() % 4);
        let wish = Wish { size, keep_back, no_data, since, timestamped: seed % 2 == 0 };
        let file = world.bundle(&wish)?;
        let report = verify(Cursor::new(&file), &world.trust(since)?, |_, _| ())?;
        assert!(report.holds(), "seed {seed}, {wish:?}:\n{report}");
    }
    Ok(())
}

#[test]
fn every_byte_of_a_timestamp_that_was_signed_counts() -> Outcome<()> {
    let world = World::new(11, 3)?;
    let trust = world.trust(None)?;
    let wish =
        Wish { size: world.size(), keep_back: 1, no_data: 0, since: None, timestamped: true };
    let good = Members::unpack(&world.bundle(&wish)?)?;
    let length = good.get("timestamps/1.tsr")?.len();
    let mut passing = Vec::new();
    for at in 0..length {
        let mut members = good.clone();
        members.get_mut("timestamps/1.tsr")?[at] ^= 1;
        if holds(&members.pack_corrected()?, &trust)? {
            passing.push(at);
        }
    }
    // What nobody signs in RFC 3161: whether the authority granted the request as asked or with changes, the
    // version of the envelope and its list of digests. All that is stated comes after those.
    assert!(passing.iter().all(|at| *at < 50), "{passing:?} of {length}");
    Ok(())
}
