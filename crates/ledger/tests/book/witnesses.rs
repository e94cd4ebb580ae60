//! The witness protocol against the C2SP example and the requests of Filippo Valsorda's `torchwood`.

use assay_ledger::witness::{
    CONFLICT_CONTENT_TYPE, conflict_body, cosignature_lines, parse_conflict_body,
    parse_cosignature_lines,
};
use assay_ledger::*;

use crate::reference::{Reference, mutations};

/// The example request of C2SP tlog-witness.
const EXAMPLE: &str = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";

/// The example answer of C2SP tlog-witness.
const ANSWER: &str = "— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
";

/// Log and requests of github.com/FiloSottile/torchwood, `internal/witness/witness_test.go`: to sizes 1, 3 and 5.
const TORCHWOOD: &str =
    "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562";
const TORCHWOOD_KEY: &str = "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f";
const TO_1: &str = "old 0

sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562
1
KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

— sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562 UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=
";
const TO_3: &str = "old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562
3
RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=

— sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562 UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=
";
const TO_5: &str = "old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=
KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562
5
QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=

— sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562 UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=
";

fn torchwood() -> [VerifierKey; 1] {
    let public = hex::decode(TORCHWOOD_KEY).unwrap().try_into().unwrap();
    [VerifierKey::new(TORCHWOOD, &public).unwrap()]
}

fn request(text: &str) -> AddCheckpoint {
    let request = AddCheckpoint::parse(text).unwrap();
    assert_eq!(request.to_text(), text);
    request
}

#[test]
fn the_published_request_and_answer_are_read_and_written() {
    let example = request(EXAMPLE);
    assert_eq!((example.old_size, example.proof.len()), (20_852_014, 4));
    assert_eq!(example.checkpoint.checkpoint().size, 20_852_163);
    let answer = parse_cosignature_lines(ANSWER).unwrap();
    assert_eq!(answer.iter().map(|line| line.signature.len()).collect::<Vec<_>>(), [72; 3]);
    assert_eq!(cosignature_lines(&answer), ANSWER);
    assert_eq!(CONFLICT_CONTENT_TYPE, "text/x.tlog.size");
}

#[test]
fn the_published_race_ends_as_published() {
    let [one, three, five] = [TO_1, TO_3, TO_5].map(request);
    let known = consider(None, &one, &torchwood()).unwrap();
    assert_eq!(&known, one.checkpoint.checkpoint());
    assert!(consider(Some(&known), &three, &torchwood()).is_ok());
    let known = consider(Some(&known), &five, &torchwood()).unwrap();
    assert_eq!(known.size, 5);
    assert_eq!(consider(Some(&known), &three, &torchwood()), Err(Refusal::Conflict(5)));
}

#[test]
fn a_malformed_request_is_refused() {
    let hash = "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    let checkpoint = TO_1.strip_prefix("old 0\n").unwrap();
    assert!(AddCheckpoint::parse(&format!("old 0\n{}{checkpoint}", hash.repeat(63))).is_ok());
    let malformed = [
        String::new(),
        checkpoint.to_owned(),
        format!("old 0\n{}{checkpoint}", hash.repeat(64)),
        TO_1.replace("old 0", "old 00"),
        TO_1.replace("old 0", "old"),
        TO_1.replace("old 0", "old  0"),
        TO_1.replace("old 0", "old -1"),
        TO_1.replace("old 0", "old 0 "),
        TO_1.replace("old 0\n", "old 0\r\n"),
        TO_1.replace("old 0\n\n", "old 0\n"),
        TO_1.replace("old 0\n", "old 0\nAAAA\n"),
        TO_3.replace("AAAA=\nKgI", "AAAA\nKgI"),
        TO_1.trim_end().to_owned(),
        format!("{TO_1}\n"),
        "old 0\n\n".to_owned(),
    ];
    for body in malformed {
        assert_eq!(AddCheckpoint::parse(&body), Err(Refusal::BadRequest), "{body:?}");
    }
}

fn log() -> SignerKey {
    SignerKey::new("log.example", &[1; 32]).unwrap()
}

fn asking(old: u64, proof: Vec<Hash>, new: u64, root: Hash) -> AddCheckpoint {
    let checkpoint = Checkpoint::new("log.example", new, root).sign(&[log()]).unwrap();
    AddCheckpoint { old_size: old, proof, checkpoint }
}

fn answer(known: Option<(u64, Hash)>, request: &AddCheckpoint) -> Result<u64, Refusal> {
    let known = known.map(|(size, root)| Checkpoint::new("log.example", size, root));
    consider(known.as_ref(), request, &[log().verifier().clone()]).map(|checkpoint| checkpoint.size)
}

/// The table of torchwood's `TestZeroSize`, same file.
#[test]
fn the_published_cases_around_the_empty_tree_hold() {
    let (empty, leaf) = (empty_root(), leaf_hash(b"leaf"));
    for known in [None, Some((0, empty))] {
        assert_eq!(answer(known, &asking(0, vec![], 0, empty)), Ok(0));
        assert_eq!(answer(known, &asking(0, vec![], 0, leaf)), Err(Refusal::Unprocessable));
        assert_eq!(answer(known, &asking(0, vec![], 0, [0; 32])), Err(Refusal::Unprocessable));
        assert_eq!(answer(known, &asking(0, vec![leaf], 0, empty)), Err(Refusal::Unprocessable));
        assert_eq!(answer(known, &asking(0, vec![], 1, leaf)), Ok(1));
        assert_eq!(answer(known, &asking(0, vec![leaf], 1, leaf)), Err(Refusal::Unprocessable));
    }
    let known = Some((1, leaf));
    assert_eq!(answer(known, &asking(0, vec![leaf], 1, leaf)), Err(Refusal::Conflict(1)));
    assert_eq!(answer(known, &asking(1, vec![], 0, empty)), Err(Refusal::BadRequest));
    assert_eq!(answer(known, &asking(1, vec![], 1, leaf)), Ok(1));
}

#[test]
fn a_witness_follows_a_growing_log_and_no_fork() {
    let tree = Reference::default();
    let proof = |old, new| consistency_proof(&tree, old, new).unwrap();
    let mut known = None;
    let sizes = [1, 2, 3, 7, 8, 8, 100, 257];
    for (old, new) in [0].into_iter().chain(sizes).zip(sizes) {
        let request = asking(old, proof(old, new), new, tree.root(new));
        assert_eq!(answer(known, &request), Ok(new));
        known = Some((new, tree.root(new)));
    }
    let forked = asking(257, vec![], 257, tree.root(9));
    assert_eq!(answer(known, &forked), Err(Refusal::Conflict(257)));
    let forked = asking(257, proof(257, 300), 300, tree.root(299));
    assert_eq!(answer(known, &forked), Err(Refusal::Unprocessable));
    let unproven = asking(257, vec![], 300, tree.root(300));
    assert_eq!(answer(known, &unproven), Err(Refusal::Unprocessable));
    let stale = asking(100, proof(100, 300), 300, tree.root(300));
    assert_eq!(answer(known, &stale), Err(Refusal::Conflict(257)));
    let unwitnessed = asking(300, vec![], 300, tree.root(300));
    assert_eq!(answer(known, &unwitnessed), Err(Refusal::Conflict(257)));
}

#[test]
fn who_is_not_known_or_not_signed_is_refused() {
    let one = request(TO_1);
    assert_eq!(consider(None, &one, &[]), Err(Refusal::NotFound));
    assert_eq!(consider(None, &one, &[log().verifier().clone()]), Err(Refusal::Forbidden));
    let other = Checkpoint::new("other.example", 1, [0; 32]);
    assert_eq!(consider(Some(&other), &one, &torchwood()), Err(Refusal::NotFound));
    let forged = request(&TO_1.replace("\n1\n", "\n2\n"));
    assert_eq!(consider(None, &forged, &torchwood()), Err(Refusal::Forbidden));
}

#[test]
fn each_refusal_has_its_status() {
    let refusals = [
        Refusal::BadRequest,
        Refusal::Forbidden,
        Refusal::NotFound,
        Refusal::Conflict(5),
        Refusal::Unprocessable,
    ];
    assert_eq!(refusals.map(|refusal| refusal.status()), [400, 403, 404, 409, 422]);
}

#[test]
fn the_body_of_a_conflict_is_one_number() {
    assert_eq!(conflict_body(20_852_014), "20852014\n");
    for size in [0, 1, u64::MAX] {
        assert_eq!(parse_conflict_body(&conflict_body(size)), Some(size));
    }
    for body in ["", "\n", "5", "05\n", "5\n\n", " 5\n", "-5\n", "5\r\n", "18446744073709551616\n"]
    {
        assert_eq!(parse_conflict_body(body), None, "{body:?}");
    }
}

#[test]
fn an_answer_without_a_signature_is_none() {
    assert_eq!(parse_cosignature_lines(""), Err(NoteError::SignatureCount));
    assert_eq!(parse_cosignature_lines("\n"), Err(NoteError::SignatureLine { line: 1 }));
    assert_eq!(
        parse_cosignature_lines(ANSWER.trim_end()),
        Err(NoteError::SignatureLine { line: 3 })
    );
    assert_eq!(parse_cosignature_lines(&ANSWER.repeat(40)), Err(NoteError::SignatureCount));
}

#[test]
fn a_falsified_request_leads_to_no_other_checkpoint() {
    let keys = torchwood();
    let known = consider(None, &request(TO_1), &keys).unwrap();
    let (mut read, five) = (0, request(TO_5));
    for body in mutations(TO_5, 2500) {
        let Ok(parsed) = AddCheckpoint::parse(&body) else { continue };
        read += 1;
        assert_eq!(parsed.to_text(), body);
        if let Ok(agreed) = consider(Some(&known), &parsed, &keys) {
            assert_eq!((&agreed, &parsed.proof), (five.checkpoint.checkpoint(), &five.proof));
        }
    }
    assert!(read > 300, "{read} read");
}
