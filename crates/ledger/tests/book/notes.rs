//! Notes and their keys against the vectors of Go and C2SP, and against thousands of ways to falsify them.

use assay_ledger::*;
use proptest::prelude::*;

use crate::reference::mutations;

/// The vectors of golang.org/x/mod, `sumdb/note/note_test.go`.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_PRIVATE: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_LINE: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

/// The vector of C2SP signed-note.
const FOO: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const FOO_NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// The example at the head of C2SP signed-note, whose key is not published.
const QUASIMODO: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

fn peter() -> VerifierKey {
    VerifierKey::parse(PETER).unwrap()
}

fn enoch() -> VerifierKey {
    VerifierKey::parse(ENOCH).unwrap()
}

#[test]
fn the_published_keys_are_read_and_written() {
    for text in [PETER, ENOCH, FOO, "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6"] {
        assert_eq!(VerifierKey::parse(text).unwrap().to_text(), text);
    }
    assert_eq!((peter().name(), peter().key_id()), ("PeterNeumann", 0xc74f_20a3));
    let foo = VerifierKey::parse(FOO).unwrap();
    let public = "e932791ae6e7a840a46164c904786426d5e7821dd8b29a00d61cae72afdd4da4";
    assert_eq!((hex::encode(foo.public_key()).as_str(), foo.key_id()), (public, 0x530d_903a));
    assert_eq!(VerifierKey::new("example.com/foo", &foo.public_key()).unwrap(), foo);
    let private = SignerKey::parse(PETER_PRIVATE).unwrap();
    assert_eq!(private.to_private_text().as_str(), PETER_PRIVATE);
    assert_eq!((private.verifier(), private.name()), (&peter(), "PeterNeumann"));
}

#[test]
fn the_published_note_is_signed_to_the_byte() {
    let private = SignerKey::parse(PETER_PRIVATE).unwrap();
    let note = SignedNote::sign(TEXT, &[&private]).unwrap();
    assert_eq!(note.to_text(), format!("{TEXT}\n{PETER_LINE}"));
    assert_eq!(note.verified_by(&peter()), Ok(()));
}

#[test]
fn the_published_notes_are_read_and_checked() {
    let note = SignedNote::parse(&format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}")).unwrap();
    assert_eq!((note.text(), note.signatures().len()), (TEXT, 2));
    assert_eq!(note.verify(&[peter()]), Ok(vec!["PeterNeumann".to_owned()]));
    assert_eq!(note.verify(&[peter(), enoch(), peter()]).unwrap(), ["PeterNeumann", "EnochRoot"]);
    assert_eq!(note.verify(&[]), Err(NoteError::Unsigned));
    let foo = VerifierKey::parse(FOO).unwrap();
    assert_eq!(note.verify(std::slice::from_ref(&foo)), Err(NoteError::Unsigned));
    assert_eq!(SignedNote::parse(FOO_NOTE).unwrap().verified_by(&foo), Ok(()));
    let quasimodo = SignedNote::parse(QUASIMODO).unwrap();
    assert!(
        quasimodo.text().ends_with("sole:\n\ned è subito sera.\n"),
        "empty lines belong to the text"
    );
    assert_eq!(quasimodo.to_text(), QUASIMODO);
}

#[test]
fn a_mangled_key_is_no_key() {
    for (key, private) in [(PETER, false), (PETER_PRIVATE, true)] {
        let refused = |text: &str| {
            if private {
                SignerKey::parse(text).is_err()
            } else {
                VerifierKey::parse(text).is_err()
            }
        };
        for start in 0..key.len() {
            for end in start..=key.len() {
                assert!(
                    end - start == key.len() || refused(&key[start..end]),
                    "{}",
                    &key[start..end]
                );
            }
        }
        for at in 0..key.len() {
            for byte in [key.as_bytes()[at] + 1, b'A', b'+', b'=', b' ', b'\n', 0] {
                let mut bytes = key.as_bytes().to_vec();
                bytes[at] = byte;
                let text = String::from_utf8(bytes).unwrap();
                assert!(text == key || refused(&text), "{text:?}");
            }
        }
        assert!(
            refused(&format!("{key}\n"))
                && refused(&format!(" {key}"))
                && refused(&key.to_uppercase())
        );
    }
}

#[test]
fn the_published_bad_keys_are_refused() {
    let refused = |text: &str| VerifierKey::parse(text).unwrap_err();
    let long = "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==";
    assert!(matches!(refused(long), KeyError::Shape | KeyError::Bytes));
    let unknown = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(refused(unknown), KeyError::Kind { wanted: 1, found: 0x65 });
    assert_eq!(refused(&PETER.replace("c74f20a3", "00000000")), KeyError::Hash);
    assert_eq!(refused(&PETER.replace("c74f20a3", "C74F20A3")), KeyError::Shape);
    assert_eq!(refused("rekor.sigstore.dev+NOT_A_NUMBER+AQ=="), KeyError::Shape);
    assert_eq!(refused("bananas.sigstore.dev+12344556"), KeyError::Shape);
}

#[test]
fn a_name_has_no_spaces_and_no_plus() {
    for name in ["", " ", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{2003}", "a\tb", "a\u{1}b"] {
        assert_eq!(SignerKey::new(name, &[7; 32]).map(|_| ()), Err(KeyError::Name), "{name:?}");
        assert_eq!(VerifierKey::new(name, &peter().public_key()), Err(KeyError::Name), "{name:?}");
    }
    assert!(SignerKey::new("archief.example/dossiers—één", &[7; 32]).is_ok());
}

#[test]
fn a_weak_key_is_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    for weak in [[0; 32], identity, [0xff; 32]] {
        assert_eq!(VerifierKey::new("weak.example", &weak), Err(KeyError::Bytes));
    }
}

#[test]
fn a_private_key_is_not_shown() {
    let shown = format!("{:?}", SignerKey::parse(PETER_PRIVATE).unwrap());
    assert!(shown.contains(PETER) && !shown.contains("AYEKFALVFGyN"), "{shown}");
}

#[test]
fn a_malformed_note_is_refused() {
    let malformed = [
        (String::new(), NoteError::NoSignatures),
        (TEXT.to_owned(), NoteError::NoSignatures),
        (format!("{TEXT}\n"), NoteError::SignatureCount),
        (format!("{TEXT}{PETER_LINE}"), NoteError::NoSignatures),
        (format!("{TEXT}\n{}", PETER_LINE.trim_end()), NoteError::SignatureLine { line: 1 }),
        (format!("\u{1}{TEXT}\n{PETER_LINE}"), NoteError::Text),
        (format!("a\rb\n\n{PETER_LINE}"), NoteError::Text),
        (format!("{TEXT}\n{PETER_LINE}Unexpected line.\n"), NoteError::SignatureLine { line: 2 }),
        (
            format!("{TEXT}\n{}", PETER_LINE.replace("PeterN", "Bad N")),
            NoteError::SignatureLine { line: 1 },
        ),
        (
            format!("{TEXT}\n{}", PETER_LINE.replace("PeterN", "Bad+N")),
            NoteError::SignatureLine { line: 1 },
        ),
        (format!("{TEXT}\n{}", PETER_LINE.replace('—', "-")), NoteError::SignatureLine { line: 1 }),
        (
            format!("{TEXT}\n{}", PETER_LINE.replace("AM=", "AN=")),
            NoteError::SignatureLine { line: 1 },
        ),
        (
            format!("{TEXT}\n{}", PETER_LINE.replace("AM=", "AM")),
            NoteError::SignatureLine { line: 1 },
        ),
        (format!("{TEXT}\n— PeterNeumann x08gow==\n"), NoteError::SignatureLine { line: 1 }),
        (format!("{TEXT}\n— PeterNeumann  x08go/ZJ\n"), NoteError::SignatureLine { line: 1 }),
        (format!("{TEXT}\n{}", PETER_LINE.repeat(101)), NoteError::SignatureCount),
        (format!("{}\n\n{PETER_LINE}", "a".repeat(1 << 20)), NoteError::TooLong),
    ];
    for (note, error) in malformed {
        assert_eq!(SignedNote::parse(&note), Err(error), "{note:.200}");
    }
    let private = SignerKey::parse(PETER_PRIVATE).unwrap();
    assert_eq!(SignedNote::sign("abc", &[&private]), Err(NoteError::Text));
    assert_eq!(SignedNote::sign("", &[&private]), Err(NoteError::Text));
    assert_eq!(SignedNote::sign::<SignerKey>(TEXT, &[]), Err(NoteError::SignatureCount));
    assert!(SignedNote::parse(&format!("{TEXT}\n{}", PETER_LINE.repeat(100))).is_ok());
}

#[test]
fn a_wrong_signature_of_a_known_key_spoils_the_note() {
    let forged = NoteError::Forged { name: "PeterNeumann".to_owned() };
    let wrong = PETER_LINE.replace("ZJkuBS", "ZJkuBT");
    for lines in
        [wrong.clone(), format!("{PETER_LINE}{wrong}"), format!("{wrong}{PETER_LINE}{ENOCH_LINE}")]
    {
        let note = SignedNote::parse(&format!("{TEXT}\n{lines}")).unwrap();
        assert_eq!(note.verified_by(&peter()), Err(forged.clone()));
        assert_eq!(note.verify(&[enoch(), peter()]), Err(forged.clone()));
    }
    let short = "— PeterNeumann x08go/ZJkuBS9UG/\n";
    let note = SignedNote::parse(&format!("{TEXT}\n{short}{ENOCH_LINE}")).unwrap();
    assert_eq!(note.verify(&[peter(), enoch()]), Err(forged));
    assert_eq!(note.verify(&[enoch()]).unwrap(), ["EnochRoot"]);
}

#[test]
fn a_key_is_known_by_its_name_and_hash_together() {
    for line in
        [PETER_LINE.replace("PeterNeumann", "CarmenSandiego"), PETER_LINE.replace("x08g", "xxxx")]
    {
        let note = SignedNote::parse(&format!("{TEXT}\n{line}")).unwrap();
        assert_eq!(note.verified_by(&peter()), Err(NoteError::Unsigned));
    }
}

#[test]
fn a_signature_is_added_once() {
    let mut note = SignedNote::parse(&format!("{TEXT}\n{PETER_LINE}")).unwrap();
    let other =
        SignedNote::parse(&format!("{TEXT}\n{ENOCH_LINE}")).unwrap().signatures()[0].clone();
    note.add(other.clone()).unwrap();
    note.add(other.clone()).unwrap();
    assert_eq!(note.to_text(), format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}"));
    let malformed = NoteSignature { name: "a b".to_owned(), ..other.clone() };
    assert_eq!(note.add(malformed), Err(NoteError::SignatureLine { line: 3 }));
    for extra in 0..98_u32 {
        note.add(NoteSignature { key_id: extra, ..other.clone() }).unwrap();
    }
    assert_eq!(note.add(NoteSignature { key_id: 98, ..other }), Err(NoteError::SignatureCount));
    assert_eq!(note.signatures().len(), 100);
}

#[test]
fn a_falsified_note_is_never_taken_for_the_signed_one() {
    let (original, peter) = (format!("{TEXT}\n{PETER_LINE}"), peter());
    let twice = format!("{TEXT}\n{PETER_LINE}{PETER_LINE}");
    let mut read = 0;
    for note in mutations(&original, 12_000) {
        let Ok(parsed) = SignedNote::parse(&note) else { continue };
        read += 1;
        assert_eq!(parsed.to_text(), note, "what is read is written the same");
        assert!(parsed.verified_by(&peter).is_err() || note == twice, "{note}");
    }
    assert!(read > 1000, "{read} read");
}

#[test]
fn a_falsified_signature_of_somebody_else_leaves_the_text_as_it_is() {
    let (original, peter) = (format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}"), peter());
    let mut still_good = 0;
    for note in mutations(&original, 1500) {
        let Ok(parsed) = SignedNote::parse(&note) else { continue };
        if parsed.verified_by(&peter).is_ok() {
            still_good += 1;
            assert_eq!(parsed.text(), TEXT);
        }
    }
    assert!(still_good > 50, "{still_good} still good");
}

#[test]
fn a_flipped_bit_anywhere_in_a_signed_note_is_noticed() {
    let (original, peter) = (format!("{TEXT}\n{PETER_LINE}"), peter());
    for at in 0..original.len() {
        // The text is hashed as one: a bit of each byte is enough, and a signature takes its time unoptimised.
        for bit in if at < TEXT.len() { 0..1 } else { 0..8 } {
            let mut bytes = original.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let Ok(note) = String::from_utf8(bytes) else { continue };
            let good = SignedNote::parse(&note).is_ok_and(|note| note.verified_by(&peter).is_ok());
            assert!(!good, "bit {bit} of byte {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_signed_reads_back(text in "[^\\x00-\\x1f]{0,30}(\n[^\\x00-\\x1f]{0,30}){0,5}\n", seed: [u8; 32]) {
        let key = SignerKey::new("log.example/1", &seed).unwrap();
        let note = SignedNote::sign(&text, std::slice::from_ref(&key)).unwrap();
        let read = SignedNote::parse(&note.to_text()).unwrap();
        prop_assert_eq!(read.text(), &text);
        prop_assert_eq!(&read, &note);
        prop_assert_eq!(read.verified_by(key.verifier()), Ok(()));
        let again = SignerKey::parse(&key.to_private_text()).unwrap();
        prop_assert_eq!(again.verifier(), key.verifier());
        prop_assert_eq!(&VerifierKey::parse(&key.verifier().to_text()).unwrap(), key.verifier());
    }

}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,80}", lines in "(old |extra |index |[0-9]|—| |\n|=|A|\\+){0,40}") {
        for text in [text, lines] {
            let _ = SignedNote::parse(&text);
            let _ = SignedCheckpoint::parse(&text);
            let _ = Checkpoint::parse(&text);
            let _ = AddCheckpoint::parse(&text);
            let _ = TlogProof::parse(&text);
            let _ = VerifierKey::parse(&text);
            let _ = WitnessVerifier::parse(&text);
            let _ = SignerKey::parse(&text);
        }
    }
}
