//! Those who vouch: witnesses and time-stamping authorities, and when they are not believed.

use std::sync::Arc;

use assay_ledger::{SignedCheckpoint, VerifierKey};
use assay_timestamp::stub::{Authority, Flaw};
use assay_timestamp::{Anchor, Trust, verify};
use sha2::{Digest as _, Sha256};

use super::anchors::{go_on, open, words};
use super::outside::{Server, Witness};
use super::{Leaves, Office, key, text};
use crate::AnchorKind;

fn log_key() -> VerifierKey {
    key(1).verifier().clone()
}

async fn witnessed(witness: &Arc<Witness>) -> Office {
    let answers = Arc::clone(witness);
    let server = Server::answering(move |heard| answers.answer(heard)).await;
    Office::new().with("witness", AnchorKind::Witness { url: server.url, vkey: witness.vkey() })
}

#[tokio::test]
async fn a_witness_cosigns_every_checkpoint_it_is_sent() {
    let witness = Witness::trusting(vec![log_key()]);
    let (office, journal) = (witnessed(&witness).await, Leaves::of(300, 0, 0));
    let notary = open(&office, &journal).await;
    for size in [310, 320, 330] {
        let status = go_on(&office, &journal, &notary).await;
        assert_eq!((status.last.unwrap().size, words(&status), witness.size()), (size, "", size));
        let published = notary.latest().unwrap();
        let signed = SignedCheckpoint::parse(&published.note).unwrap();
        assert_eq!(witness.vkey().verify(&signed), Ok(1_749_978_500));
        assert!(signed.verify(&[log_key()]).is_ok());
        // Everywhere it stands, it stands with the cosignature.
        assert_eq!(text(&office.second()), published.note);
        assert_eq!(text(&office.dir().join("latest")), published.note);
        assert_eq!(notary.at_size(size).unwrap().as_ref(), Some(&*published));
    }
    let report = notary.check(|_, _| ()).unwrap();
    assert_eq!((report.cosignatures, report.unknown_signatures), (4, 0));
    // Opened anew, it goes on from where the witness stands.
    let notary = Arc::new(office.open(&journal).unwrap());
    assert!(!notary.send(0).await);
    assert_eq!(words(&go_on(&office, &journal, &notary).await), "");
}

#[tokio::test]
async fn a_witness_that_knows_another_size_is_asked_again_from_there() {
    let witness = Witness::trusting(vec![log_key()]);
    let (office, journal) = (witnessed(&witness).await, Leaves::of(300, 0, 0));
    open(&office, &journal).await;
    // What was remembered is lost: it believes that the witness knows nothing.
    std::fs::remove_file(office.dir().join("anchors.json")).unwrap();
    let notary = Arc::new(office.open(&journal).unwrap());
    let status = go_on(&office, &journal, &notary).await;
    assert_eq!((words(&status), witness.size()), ("", 310));
}

#[tokio::test]
async fn a_witness_shows_that_this_is_an_older_copy() {
    let witness = Witness::trusting(vec![log_key()]);
    let (mut office, journal) = (witnessed(&witness).await, Leaves::of(300, 0, 0));
    open(&office, &journal).await;
    // Another house with an earlier state of everything, and the same witness.
    let anchors = std::mem::take(&mut office.anchors);
    let mut older = Office::new();
    older.anchors.clone_from(&anchors);
    let status = open(&older, &Leaves::of(200, 0, 0)).await.anchors().remove(0);
    assert!(words(&status).contains("has cosigned 300 entries, and we have signed 200"));
    assert_eq!(status.last, None);
    // And one with another history.
    let mut forked = Office::new();
    forked.anchors = anchors;
    let status = open(&forked, &Leaves::of(400, 10, 3)).await.anchors().remove(0);
    assert!(words(&status).contains("does not continue"), "{}", words(&status));
    assert_eq!(witness.size(), 300);
}

#[tokio::test]
async fn a_witness_who_does_not_know_us_says_so() {
    for (trusted, wanted) in [(vec![], "(404)"), (vec![key(9).verifier().clone()], "(403)")] {
        let office = witnessed(&Witness::trusting(trusted)).await;
        let status = open(&office, &Leaves::of(3, 0, 0)).await.anchors().remove(0);
        assert!(words(&status).contains(wanted), "{}", words(&status));
    }
}

#[tokio::test]
async fn a_cosignature_by_another_key_or_of_something_else_is_not_added() {
    let witness = Witness::trusting(vec![log_key()]);
    let (answers, vkey) = (Arc::clone(&witness), witness.vkey());
    let forged = Server::answering(move |heard| {
        let (status, kind, mut body) = answers.answer(heard);
        // A character of the signature, well before its padding.
        let place = body.len() - 20;
        body[place] = if body[place] == b'A' { b'B' } else { b'A' };
        (status, kind, body)
    });
    let kind = AnchorKind::Witness { url: forged.await.url, vkey };
    let office = Office::new().with("witness", kind);
    let notary = open(&office, &Leaves::of(3, 0, 0)).await;
    let status = notary.anchors().remove(0);
    assert!(words(&status).contains("is wrong"), "{}", words(&status));
    let published = notary.latest().unwrap();
    assert_eq!(SignedCheckpoint::parse(&published.note).unwrap().note().signatures().len(), 1);
    // Another key than the one configured.
    let answers = Arc::clone(&witness);
    let server = Server::answering(move |heard| answers.answer(heard)).await;
    let other = assay_ledger::WitnessSigner::new("witness.example/w", &[43; 32]).unwrap();
    let vkey = other.verifier().clone();
    let office = Office::new().with("witness", AnchorKind::Witness { url: server.url, vkey });
    let status = open(&office, &Leaves::of(3, 0, 0)).await.anchors().remove(0);
    assert!(words(&status).contains("holds no cosignature"), "{}", words(&status));
}

async fn stamped(roots: Trust, flaw: Option<Flaw>) -> Office {
    let server = Server::answering(move |heard| {
        assert!(heard.head.contains("content-type: application/timestamp-query"));
        let (authority, at) = (Authority::new("stub").unwrap(), "2025-06-15T09:07:00Z");
        let at = at.parse().unwrap();
        let reply = match flaw {
            None => authority.answer(&heard.body, at),
            Some(flaw) => authority.answer_badly(&heard.body, at, flaw),
        };
        (200, "application/timestamp-reply", reply.unwrap())
    });
    let kind = AnchorKind::Timestamp { url: server.await.url, roots };
    Office::new().with("authority", kind)
}

#[tokio::test]
async fn an_authority_puts_its_time_to_the_checkpoints_text() {
    let trust = Authority::new("stub").unwrap().trust().unwrap();
    let (office, journal) = (stamped(trust.clone(), None).await, Leaves::of(3, 0, 0));
    let notary = open(&office, &journal).await;
    assert_eq!(words(&notary.anchors()[0]), "");
    let published = notary.latest().unwrap();
    let (body, _) = published.note.split_once("\n\n").unwrap();
    let digest = Sha256::digest(format!("{body}\n")).into();
    let verified = verify(&published.timestamps[0], &digest, None, &trust).unwrap();
    assert!(matches!(verified.anchored, Anchor::Root(_)));
    assert_eq!(verified.time.to_string(), "2025-06-15T09:07:00Z");
    assert_eq!(notary.at_size(3).unwrap().unwrap().timestamps, published.timestamps);
    assert_eq!(office.open(&journal).unwrap().latest(), Some(published));
    assert_eq!(notary.check(|_, _| ()).unwrap().timestamps, 1);
}

#[tokio::test]
async fn a_timestamp_that_is_not_to_be_believed_is_not_kept() {
    let trust = Authority::new("stub").unwrap().trust().unwrap();
    let other = Authority::new("other").unwrap().trust().unwrap();
    let offices = [
        stamped(trust.clone(), Some(Flaw::Declined)).await,
        stamped(trust.clone(), Some(Flaw::NoNonce)).await,
        stamped(other, None).await,
    ];
    for office in offices {
        let notary = open(&office, &Leaves::of(3, 0, 0)).await;
        let status = notary.anchors().remove(0);
        assert!(words(&status).contains("not to be believed"), "{}", words(&status));
        assert!(notary.latest().unwrap().timestamps.is_empty());
    }
}
