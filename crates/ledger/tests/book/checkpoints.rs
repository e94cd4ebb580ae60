//! Checkpoints and cosignatures against a real log's, cosigned by real witnesses, and against falsified ones.

use assay_ledger::*;

use crate::reference::mutations;

/// A checkpoint of a public log with the cosignatures of its witnesses, as served in 2026.
const ARCHE: &str = "arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
";
const ARCHE_KEY: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";

/// The keys of four of its witnesses, as they publish them.
const WITNESSES: [&str; 4] = [
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
];

/// 23 May 2026, the second all four witnesses state.
const COSIGNED_AT: u64 = 0x6a12_2120;

/// The example of C2SP tlog-cosignature, whose keys are not published.
const SOFA: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

fn arche() -> SignedCheckpoint {
    SignedCheckpoint::parse(ARCHE).unwrap()
}

fn arche_key() -> VerifierKey {
    VerifierKey::parse(ARCHE_KEY).unwrap()
}

fn witnesses() -> Vec<WitnessVerifier> {
    WITNESSES.iter().map(|key| WitnessVerifier::parse(key).unwrap()).collect()
}

#[test]
fn the_published_checkpoint_is_read_and_written() {
    let sofa = SignedCheckpoint::parse(SOFA).unwrap();
    assert_eq!(sofa.checkpoint().origin, "example.com/behind-the-sofa");
    assert_eq!(sofa.checkpoint().size, 20_852_163);
    let root = "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62";
    assert_eq!(hex::encode(sofa.checkpoint().root), root);
    assert_eq!(sofa.to_text(), SOFA);
    assert_eq!(sofa.checkpoint().to_text(), sofa.note().text());
}

#[test]
fn a_real_checkpoint_and_its_cosignatures_hold() {
    assert_eq!(arche().to_text(), ARCHE);
    let origin = arche_key().name().to_owned();
    assert_eq!(arche().verify_for(&origin, &[arche_key()]).unwrap(), [origin]);
    for (witness, text) in witnesses().iter().zip(WITNESSES) {
        assert_eq!(witness.to_text(), text);
        assert_eq!(witness.verify(&arche()), Ok(COSIGNED_AT), "{}", witness.name());
    }
}

#[test]
fn a_real_checkpoint_of_another_size_or_time_does_not_hold() {
    let clobbered = SignedCheckpoint::parse(&ARCHE.replace("1432088532", "42")).unwrap();
    let forged = NoteError::Forged { name: arche_key().name().to_owned() };
    assert_eq!(clobbered.verify(&[arche_key()]), Err(CheckpointError::Note(forged)));
    for witness in witnesses() {
        let name = witness.name().to_owned();
        assert_eq!(
            witness.verify(&clobbered),
            Err(CosignatureError::Forged { name: name.clone() })
        );
        let later = SignedCheckpoint::parse(&ARCHE.replace("AAAABqEiEg", "AAAABqEiEh")).unwrap();
        assert_eq!(witness.verify(&later), Err(CosignatureError::Forged { name }));
    }
}

#[test]
fn a_checkpoint_of_another_log_is_not_ours() {
    let refused = arche().verify_for("example.com/log", &[arche_key()]);
    assert!(matches!(refused, Err(CheckpointError::OtherLog { .. })));
    let foreign = VerifierKey::new(
        "example.com/log",
        &[
            0xe9, 0x32, 0x79, 0x1a, 0xe6, 0xe7, 0xa8, 0x40, 0xa4, 0x61, 0x64, 0xc9, 0x04, 0x78,
            0x64, 0x26, 0xd5, 0xe7, 0x82, 0x1d, 0xd8, 0xb2, 0x9a, 0x00, 0xd6, 0x1c, 0xae, 0x72,
            0xaf, 0xdd, 0x4d, 0xa4,
        ],
    );
    assert_eq!(
        arche().verify(&[foreign.unwrap()]),
        Err(CheckpointError::Note(NoteError::Unsigned))
    );
}

#[test]
fn a_malformed_checkpoint_is_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    assert!(Checkpoint::parse(&format!("log\n0\n{root}\n")).is_ok());
    let malformed = [
        String::new(),
        "log\n".to_owned(),
        "log\n1\n".to_owned(),
        format!("log\n1\n{root}"),
        format!("\n1\n{root}\n"),
        format!("log\n\n{root}\n"),
        format!("log\n01\n{root}\n"),
        format!("log\n+1\n{root}\n"),
        format!("log\n-1\n{root}\n"),
        format!("log\n1 \n{root}\n"),
        format!("log\n18446744073709551616\n{root}\n"),
        format!("log\n1\n{}\n", &root[..40]),
        format!("log\n1\n{}\n", root.replace('=', "")),
        format!("log\n1\n{}\n", root.replace("2I=", "2J=")),
        format!("log\n1\n{root}\n\n"),
        format!("log\n1\n{root}\n\nmore\n"),
        format!("log\n1\n{root}\nmore"),
        format!("lo\u{1}g\n1\n{root}\n"),
        format!("log\r\n1\r\n{root}\r\n"),
    ];
    for text in malformed {
        assert_eq!(Checkpoint::parse(&text), Err(CheckpointError::Shape), "{text:?}");
    }
}

#[test]
fn extension_lines_are_kept_and_signed() {
    let log = SignerKey::new("log.example", &[1; 32]).unwrap();
    let mut checkpoint = Checkpoint::new("log.example", 7, [9; 32]);
    checkpoint.extensions = vec!["extension 1".to_owned(), "extension 2".to_owned()];
    let signed = checkpoint.sign(&[&log]).unwrap();
    let read = SignedCheckpoint::parse(&signed.to_text()).unwrap();
    assert_eq!((read.checkpoint(), &read), (&checkpoint, &signed));
    assert!(read.verify(std::slice::from_ref(log.verifier())).is_ok());
    let other =
        SignedCheckpoint::parse(&signed.to_text().replace("extension 2", "extension X")).unwrap();
    assert!(other.verify(std::slice::from_ref(log.verifier())).is_err());
}

#[test]
fn what_would_read_as_another_checkpoint_is_not_signed() {
    let log = SignerKey::new("log.example", &[1; 32]).unwrap();
    for origin in ["", "log\n5", "a\u{7}"] {
        let refused = Checkpoint::new(origin, 1, [0; 32]).sign(&[&log]);
        assert_eq!(refused, Err(CheckpointError::Shape), "{origin:?}");
    }
    for extension in ["", "a\nb", "a\n"] {
        let mut checkpoint = Checkpoint::new("log.example", 1, [0; 32]);
        checkpoint.extensions.push(extension.to_owned());
        assert_eq!(checkpoint.sign(&[&log]), Err(CheckpointError::Shape), "{extension:?}");
    }
}

fn ours() -> (SignedCheckpoint, SignerKey, WitnessSigner) {
    let log = SignerKey::new("log.example", &[1; 32]).unwrap();
    let witness = WitnessSigner::new("witness.example/w1", &[2; 32]).unwrap();
    (Checkpoint::new("log.example", 5, [3; 32]).sign(&[&log]).unwrap(), log, witness)
}

#[test]
fn a_cosignature_is_made_taken_over_and_checked() {
    let (mut checkpoint, _, witness) = ours();
    let stranger = WitnessSigner::new("witness.example/w2", &[4; 32]).unwrap();
    let offered = [
        witness.cosign(&checkpoint, 1_679_315_147).unwrap(),
        stranger.cosign(&checkpoint, 5).unwrap(),
    ];
    let known = [witness.verifier().clone()];
    let taken = take_cosignatures(&mut checkpoint, &offered, &known).unwrap();
    assert_eq!(taken, [("witness.example/w1".to_owned(), 1_679_315_147)]);
    assert_eq!(checkpoint.note().signatures().len(), 2, "the stranger's is left out");
    let read = SignedCheckpoint::parse(&checkpoint.to_text()).unwrap();
    assert_eq!(witness.verifier().verify(&read), Ok(1_679_315_147));
    let name = "witness.example/w2".to_owned();
    assert_eq!(stranger.verifier().verify(&read), Err(CosignatureError::Unsigned { name }));
}

#[test]
fn the_latest_of_several_cosignatures_counts() {
    let (mut checkpoint, _, witness) = ours();
    for seconds in [20, 30, 10] {
        let signature = witness.cosign(&checkpoint, seconds).unwrap();
        checkpoint.add(signature).unwrap();
    }
    assert_eq!(witness.verifier().verify(&checkpoint), Ok(30));
}

#[test]
fn a_cosignature_of_something_else_takes_nothing_over() {
    let (mut checkpoint, log, witness) = ours();
    let elsewhere = Checkpoint::new("log.example", 6, [3; 32]).sign(&[&log]).unwrap();
    let good = witness.cosign(&checkpoint, 1).unwrap();
    let mut antedated = good.clone();
    antedated.signature[7] = 0;
    let cut = NoteSignature { signature: good.signature[..71].to_vec(), ..good.clone() };
    let extended =
        NoteSignature { signature: [good.signature.as_slice(), &[0]].concat(), ..good.clone() };
    let before = checkpoint.clone();
    for bad in [witness.cosign(&elsewhere, 1).unwrap(), antedated, cut, extended] {
        let forged = Err(CosignatureError::Forged { name: witness.name().to_owned() });
        let refused =
            take_cosignatures(&mut checkpoint, &[good.clone(), bad], &[witness.verifier().clone()]);
        assert_eq!((refused, &checkpoint), (forged, &before));
    }
}

#[test]
fn a_time_beyond_63_bits_is_not_stated() {
    let (mut checkpoint, _, witness) = ours();
    assert!(witness.cosign(&checkpoint, (1 << 63) - 1).is_ok());
    let refused = CosignatureError::Time { seconds: 1 << 63 };
    assert_eq!(witness.cosign(&checkpoint, 1 << 63), Err(refused.clone()));
    let mut signature = witness.cosign(&checkpoint, 0).unwrap();
    signature.signature[0] = 0x80;
    checkpoint.add(signature).unwrap();
    assert_eq!(witness.verifier().verify(&checkpoint), Err(refused));
}

#[test]
fn keys_of_logs_and_of_witnesses_are_not_confused() {
    assert_eq!(VerifierKey::parse(WITNESSES[2]), Err(KeyError::Kind { wanted: 1, found: 4 }));
    assert_eq!(WitnessVerifier::parse(ARCHE_KEY), Err(KeyError::Kind { wanted: 4, found: 1 }));
    let (checkpoint, log, _) = ours();
    let same = WitnessVerifier::new(log.name(), &log.verifier().public_key()).unwrap();
    assert_ne!(same.key_id(), log.verifier().key_id());
    assert!(matches!(same.verify(&checkpoint), Err(CosignatureError::Unsigned { .. })));
    let (_, _, witness) = ours();
    assert!(SignerKey::parse(&witness.to_private_text()).is_err());
    let again = WitnessSigner::parse(&witness.to_private_text()).unwrap();
    assert_eq!(again.verifier(), witness.verifier());
    let shown = format!("{witness:?}");
    assert!(!shown.contains(&witness.to_private_text()[45..]), "{shown}");
}

#[test]
fn a_falsified_checkpoint_is_never_taken_for_the_signed_one() {
    let (original, log_keys, witness) = (arche(), [arche_key()], witnesses().remove(2));
    let mut read = 0;
    for text in mutations(ARCHE, 2500) {
        let Ok(parsed) = SignedCheckpoint::parse(&text) else { continue };
        read += 1;
        assert_eq!(parsed.to_text(), text);
        if parsed.verify(&log_keys).is_ok() || witness.verify(&parsed).is_ok() {
            assert_eq!(parsed.checkpoint(), original.checkpoint());
        }
    }
    assert!(read > 300, "{read} read");
}
