//! Those outside: what they are sent, what is believed of their answers, and how they are missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use assay_timestamp::Trust;
use secrecy::SecretString;

use super::outside::Server;
use super::{Leaves, ORIGIN, Office, text};
use crate::{AnchorKind, AnchorStatus, Notary, NotaryError};

/// Opens, signs the journal and sends the first anchor what is due.
pub(super) async fn open(office: &Office, journal: &Arc<Leaves>) -> Arc<Notary> {
    let notary = Arc::new(office.open(journal).unwrap());
    notary.sign().unwrap();
    notary.send(0).await;
    notary
}

/// Grows, signs, and sends after the wait.
pub(super) async fn go_on(
    office: &Office,
    journal: &Arc<Leaves>,
    notary: &Arc<Notary>,
) -> AnchorStatus {
    journal.grow(10);
    notary.sign().unwrap();
    office.pass(Duration::from_mins(20));
    assert!(notary.send(0).await);
    notary.anchors().remove(0)
}

pub(super) fn words(status: &AnchorStatus) -> &str {
    status.error.as_ref().map_or("", |error| error.words.as_str())
}

fn webhook(url: &str) -> AnchorKind {
    let header = Some(("Authorization".to_owned(), SecretString::from("Bearer hush")));
    AnchorKind::Webhook { url: format!("{url}/hook?token=hush"), header, plain_http: false }
}

#[tokio::test]
async fn a_webhook_is_sent_the_checkpoint_as_json_with_its_header() {
    let server = Server::answering(|_| (204, "text/plain", vec![])).await;
    let office = Office::new().with("hook", webhook(&server.url));
    let notary = open(&office, &Leaves::of(5, 0, 0)).await;
    let heard = server.heard.lock().unwrap().remove(0);
    assert!(heard.head.starts_with("post /hook?token=hush "), "{}", heard.head);
    assert!(heard.head.contains("authorization: bearer hush"), "{}", heard.head);
    let body: serde_json::Value = serde_json::from_slice(&heard.body).unwrap();
    let latest = notary.latest().unwrap();
    assert_eq!((&body["origin"], &body["size"]), (&ORIGIN.into(), &5.into()));
    assert_eq!(body["note"], latest.note);
    assert!(latest.note.contains(&format!("\n{}\n", body["root"].as_str().unwrap())));
    let status = &notary.anchors()[0];
    assert_eq!((status.last.unwrap().size, &status.error, status.due), (5, &None, None));
}

#[tokio::test]
async fn a_webhook_that_fails_is_tried_again_later_and_later_and_its_secrets_are_not_told() {
    let status = Arc::new(AtomicU16::new(500));
    let says = Arc::clone(&status);
    let server =
        Server::answering(move |_| (says.load(Ordering::Relaxed), "text/plain", vec![])).await;
    let office = Office::new().with("hook", webhook(&server.url));
    let notary = open(&office, &Leaves::of(5, 0, 0)).await;
    assert_eq!(words(&notary.anchors()[0]), "it answered with status 500");
    assert!(!notary.send(0).await, "at once it is not tried again");
    for (wait, tried) in [(4, false), (1, true), (5, false), (5, true), (19, false), (1, true)] {
        office.pass(Duration::from_secs(wait));
        assert_eq!(notary.send(0).await, tried);
    }
    // A redirect is not followed: the header would go with it.
    status.store(307, Ordering::Relaxed);
    office.pass(Duration::from_secs(40));
    assert!(notary.send(0).await);
    assert_eq!((words(&notary.anchors()[0]), server.count()), ("it answered with status 307", 5));
    status.store(200, Ordering::Relaxed);
    office.pass(Duration::from_mins(15));
    assert!(notary.send(0).await);
    assert_eq!(notary.anchors()[0].error, None);
    let unreachable = Office::new().with("hook", webhook("http://127.0.0.1:1"));
    let notary = open(&unreachable, &Leaves::of(5, 0, 0)).await;
    let status = notary.anchors().remove(0);
    assert!(!words(&status).is_empty() && !words(&status).contains("hush"), "{}", words(&status));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let server = Server::answering(|_| (200, "text/plain", vec![b'x'; 100_000])).await;
    let office = Office::new().with("hook", webhook(&server.url));
    let notary = open(&office, &Leaves::of(5, 0, 0)).await;
    assert!(words(&notary.anchors()[0]).contains("more than 65536 bytes"));
}

fn filed() -> (Office, std::path::PathBuf) {
    let office = Office::new();
    let path = office.place.path().join("elsewhere").join("checkpoints.txt");
    (office.with("file", AnchorKind::File { path: path.clone() }), path)
}

#[tokio::test]
async fn a_file_holds_every_checkpoint_it_was_sent_and_the_newest_alone_beside_it() {
    let ((office, path), journal) = (filed(), Leaves::of(5, 0, 0));
    let notary = open(&office, &journal).await;
    go_on(&office, &journal, &notary).await;
    go_on(&office, &journal, &notary).await;
    let notes: Vec<String> = notary.page(None, 9).unwrap().into_iter().map(|p| p.note).collect();
    let latest = path.with_extension("txt.latest");
    let whole: Vec<&str> = notes.iter().rev().flat_map(|note| [note.as_str(), "\n"]).collect();
    assert_eq!(text(&path), whole.concat());
    assert_eq!(text(&latest), notes[0]);
    // A part that a crash left is closed off, and the next note stands whole.
    std::fs::write(&path, format!("{}half a no", text(&path))).unwrap();
    go_on(&office, &journal, &notary).await;
    let newest = notary.latest().unwrap().note.clone();
    assert!(text(&path).ends_with(&format!("half a no\n\n{newest}\n")));
}

#[tokio::test]
async fn a_file_elsewhere_shows_that_this_is_an_older_copy() {
    let (office, path) = filed();
    open(&office, &Leaves::of(50, 0, 0)).await;
    for (journal, wanted) in [
        (Leaves::of(40, 0, 0), "a checkpoint over 50 entries stands there, and we have signed 40"),
        (Leaves::of(60, 20, 1), "another tree of 50 entries stands there"),
    ] {
        let kind = AnchorKind::File { path: path.clone() };
        let older = Office::new().with("file", kind);
        let status = open(&older, &journal).await.anchors().remove(0);
        assert!(words(&status).contains(wanted), "{}", words(&status));
    }
    // The same again is not written twice.
    let before = text(&path);
    std::fs::remove_file(office.dir().join("anchors.json")).unwrap();
    open(&office, &Leaves::of(50, 0, 0)).await;
    assert_eq!(text(&path), before);
}

#[tokio::test]
async fn an_anchor_is_late_when_nothing_reached_it_in_time_and_no_longer_when_something_did() {
    let status = Arc::new(AtomicU16::new(500));
    let says = Arc::clone(&status);
    let server =
        Server::answering(move |_| (says.load(Ordering::Relaxed), "text/plain", vec![])).await;
    let (office, journal) = (Office::new().with("hook", webhook(&server.url)), Leaves::of(5, 0, 0));
    let notary = open(&office, &journal).await;
    let late = || notary.anchors()[0].late;
    office.pass(Duration::from_hours(1));
    assert!(!late());
    office.pass(Duration::from_secs(1));
    assert!(late());
    notary.look();
    // Still late after the next start, since nothing was taken.
    assert!(office.open(&journal).unwrap().anchors()[0].late);
    status.store(200, Ordering::Relaxed);
    assert!(notary.send(0).await);
    assert!(!late());
    notary.look();
    // Nothing new: it may be silent for ever. Something new is due after its time.
    office.pass(Duration::from_hours(50));
    assert!(!late() && !notary.send(0).await);
    journal.grow(1);
    notary.sign().unwrap();
    assert_eq!(notary.anchors()[0].due, Some(notary.now()));
    office.pass(Duration::from_mins(61));
    assert!(late());
}

#[tokio::test]
async fn an_anchor_is_not_sent_more_often_than_it_wants() {
    let server = Server::answering(|_| (200, "text/plain", vec![])).await;
    let (office, journal) = (Office::new().with("hook", webhook(&server.url)), Leaves::of(5, 0, 0));
    let notary = open(&office, &journal).await;
    journal.grow(1);
    notary.sign().unwrap();
    office.pass(Duration::from_mins(9));
    assert!(!notary.send(0).await);
    office.pass(Duration::from_mins(1));
    assert!(notary.send(0).await);
    assert_eq!(server.count(), 2);
}

#[test]
fn anchors_that_make_no_sense_are_refused() {
    let file = AnchorKind::File { path: "x".into() };
    let nobody = Trust::nobody();
    let timestamp = AnchorKind::Timestamp { url: "http://x.example".to_owned(), roots: nobody };
    let plain = AnchorKind::Webhook {
        url: "http://example.com".to_owned(),
        header: None,
        plain_http: false,
    };
    let offices = [
        Office::new().with("file", file.clone()).with("file", file.clone()),
        Office::new().with("A file", file),
        Office::new().with("authority", timestamp),
        Office::new().with("hook", plain),
    ];
    for office in offices {
        assert!(matches!(office.open(&Leaves::empty()), Err(NotaryError::Config(_))));
    }
}
