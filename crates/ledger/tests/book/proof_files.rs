//! Proof files: their form as in the C2SP text and Google's tests, and whom they convince.

use assay_ledger::*;

use crate::proofs::{LEAVES, ROOTS, hash};
use crate::reference::{Reference, leaf, mutations};

/// The form of the example of C2SP tlog-proof, with the checkpoint of tlog-checkpoint: the text shortens its own.
const EXAMPLE: &str = "c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
";

fn log() -> SignerKey {
    SignerKey::new("log.example", &[1; 32]).unwrap()
}

fn witness(number: u8) -> WitnessSigner {
    WitnessSigner::new(&format!("witness.example/{number}"), &[100 + number; 32]).unwrap()
}

/// The proof of leaf 5 of 13, cosigned by witnesses 1 and 2.
fn proof() -> TlogProof {
    let tree = Reference::default();
    let checkpoint = Checkpoint::new("log.example", 13, tree.root(13)).sign(&[log()]);
    let mut checkpoint = checkpoint.unwrap();
    for number in [1, 2] {
        let cosignature = witness(number).cosign(&checkpoint, 1000 + u64::from(number));
        checkpoint.add(cosignature.unwrap()).unwrap();
    }
    TlogProof {
        extra: b"extra information".to_vec(),
        index: 5,
        hashes: tree.path(5, 0, 13),
        checkpoint,
    }
}

fn verdict(
    proof: &TlogProof,
    numbers: &[u8],
    witnesses_min: usize,
) -> Result<Vouched, TlogProofError> {
    let witnesses: Vec<_> = numbers.iter().map(|n| witness(*n).verifier().clone()).collect();
    let log_keys = [log().verifier().clone()];
    let policy = ProofPolicy {
        origin: "log.example",
        log_keys: &log_keys,
        witnesses: &witnesses,
        witnesses_min,
    };
    proof.verify(&leaf(5), &policy)
}

#[test]
fn the_published_form_is_read_and_written() {
    let example = TlogProof::parse(EXAMPLE).unwrap();
    assert_eq!(example.extra, b"age-v1.2.1-darwin-arm64.tar.gz");
    assert_eq!((example.index, example.hashes.len()), (73_894, 5));
    assert_eq!(example.to_text(), EXAMPLE);
    let bare = EXAMPLE.replace("extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6\n", "");
    let read = TlogProof::parse(&bare).unwrap();
    assert_eq!((read.to_text(), read.extra), (bare, vec![]));
}

#[test]
fn the_published_bad_forms_and_their_like_are_refused() {
    let cases = [
        ("c2sp.org/tlog-proof@v1", "wrong-header"),
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("extra YWdl", "extra !!notbase64!!"),
        ("extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6", "extra "),
        ("extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6", "extra"),
        ("index 73894\n", ""),
        ("index 73894", "index notanumber"),
        ("index 73894", "index -5"),
        ("index 73894", "index 05"),
        ("index 73894", "index  5"),
        ("index 73894", "index 73894\nextra YWdl"),
        ("gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=", "!!notbase64!!"),
        ("gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=", "AAAA"),
        (
            "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=",
            "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlR=",
        ),
        ("\n\nexample", "\nexample"),
    ];
    for (right, wrong) in cases {
        let refused = TlogProof::parse(&EXAMPLE.replacen(right, wrong, 1));
        assert_eq!(refused, Err(TlogProofError::Shape), "{wrong:?} for {right:?}");
    }
    let line = "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n";
    assert!(TlogProof::parse(&EXAMPLE.replacen(line, &line.repeat(60), 1)).is_ok(), "64 hashes");
    assert!(TlogProof::parse(&EXAMPLE.replacen(line, &line.repeat(61), 1)).is_err(), "65 hashes");
    assert_eq!(TlogProof::parse(""), Err(TlogProofError::Shape));
    assert!(TlogProof::parse(&"a\n".repeat(1 << 20)).is_err());
}

#[test]
fn a_proof_over_the_published_leaves_convinces() {
    let hashes = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    let checkpoint = Checkpoint::new("log.example", 8, hash(ROOTS[7])).sign(&[log()]).unwrap();
    let proof =
        TlogProof { extra: vec![], index: 5, hashes: hashes.map(hash).to_vec(), checkpoint };
    let read = TlogProof::parse(&proof.to_text()).unwrap();
    let log_keys = [log().verifier().clone()];
    let policy = ProofPolicy {
        origin: "log.example",
        log_keys: &log_keys,
        witnesses: &[],
        witnesses_min: 0,
    };
    let record = hex::decode(LEAVES[5]).unwrap();
    assert!(read.verify(&leaf_hash(&record), &policy).is_ok());
    assert_eq!(read.verify(&leaf_hash(b"other"), &policy), Err(ProofError::OtherRoot.into()));
}

#[test]
fn a_proof_states_who_vouches_for_it() {
    let read = TlogProof::parse(&proof().to_text()).unwrap();
    assert_eq!(read, proof());
    let vouched = verdict(&read, &[1, 2, 3], 2).unwrap();
    assert_eq!(vouched.log_keys, ["log.example"]);
    let expected = [("witness.example/1".to_owned(), 1001), ("witness.example/2".to_owned(), 1002)];
    assert_eq!(vouched.witnesses, expected);
    assert_eq!(verdict(&read, &[], 0).unwrap().witnesses, []);
}

#[test]
fn too_few_witnesses_do_not_convince() {
    let too_few = |wanted, found| Err(TlogProofError::Witnesses { wanted, found });
    assert_eq!(verdict(&proof(), &[1, 2, 3], 3), too_few(3, 2));
    assert_eq!(verdict(&proof(), &[3, 4], 1), too_few(1, 0));
    assert_eq!(verdict(&proof(), &[1, 1, 1], 2), too_few(2, 1));
}

#[test]
fn one_witness_under_two_names_counts_once() {
    let mut proof = proof();
    let alias = WitnessSigner::new("witness.example/alias", &[101; 32]).unwrap();
    proof.checkpoint.add(alias.cosign(&proof.checkpoint, 9).unwrap()).unwrap();
    let witnesses = [witness(1).verifier().clone(), alias.verifier().clone()];
    let log_keys = [log().verifier().clone()];
    let policy = ProofPolicy {
        origin: "log.example",
        log_keys: &log_keys,
        witnesses: &witnesses,
        witnesses_min: 2,
    };
    let too_few = TlogProofError::Witnesses { wanted: 2, found: 1 };
    assert_eq!(proof.verify(&leaf(5), &policy), Err(too_few));
}

#[test]
fn another_leaf_place_log_or_key_does_not_convince() {
    let log_keys = [log().verifier().clone()];
    let policy = ProofPolicy {
        origin: "log.example",
        log_keys: &log_keys,
        witnesses: &[],
        witnesses_min: 0,
    };
    assert_eq!(proof().verify(&leaf(4), &policy), Err(ProofError::OtherRoot.into()));
    let moved = TlogProof { index: 4, ..proof() };
    assert_eq!(moved.verify(&leaf(5), &policy), Err(ProofError::OtherRoot.into()));
    let outside = TlogProof { index: 13, ..proof() };
    assert!(matches!(
        outside.verify(&leaf(5), &policy),
        Err(TlogProofError::Inclusion(ProofError::NoSuchLeaf { .. }))
    ));
    let elsewhere = ProofPolicy { origin: "log.example/2", ..policy };
    assert!(matches!(
        proof().verify(&leaf(5), &elsewhere),
        Err(TlogProofError::Checkpoint(CheckpointError::OtherLog { .. }))
    ));
    let keyless = ProofPolicy { log_keys: &[], ..policy };
    assert_eq!(
        proof().verify(&leaf(5), &keyless),
        Err(CheckpointError::Note(NoteError::Unsigned).into())
    );
}

#[test]
fn a_falsified_proof_never_convinces_of_anything_else() {
    let original = proof();
    let (log_keys, witnesses) = ([log().verifier().clone()], [witness(1).verifier().clone()]);
    let policy = ProofPolicy {
        origin: "log.example",
        log_keys: &log_keys,
        witnesses: &witnesses,
        witnesses_min: 1,
    };
    let (mut read, mut convinced) = (0, 0);
    for text in mutations(&original.to_text(), 2500) {
        let Ok(parsed) = TlogProof::parse(&text) else { continue };
        read += 1;
        assert_eq!(parsed.to_text(), text);
        if parsed.verify(&leaf(5), &policy).is_ok() {
            convinced += 1;
            assert_eq!((parsed.index, &parsed.hashes), (original.index, &original.hashes));
            assert_eq!(parsed.checkpoint.checkpoint(), original.checkpoint.checkpoint());
        }
    }
    assert!(read > 300 && convinced > 10, "{read} read, {convinced} convinced");
}
