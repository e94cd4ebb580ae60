//! The schedule at work: with real waits of nothing, and one who never answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{
    Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::outside::Server;
use super::{Leaves, Office};
use crate::AnchorKind;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_signs_what_arrives_and_one_who_never_answers_holds_up_nobody() {
    let (told, mut hears) = mpsc::unbounded_channel();
    let server = Server::answering(move |heard| {
        let body: serde_json::Value = serde_json::from_slice(&heard.body).unwrap();
        told.send(body["size"].as_u64().unwrap()).unwrap();
        (200, "text/plain", vec![])
    });
    let hook = |url| AnchorKind::Webhook { url, header: None, plain_http: false };
    let mut office = Office::new()
        .with("silent", hook(Server::silent().await))
        .with("hook", hook(server.await.url));
    office.anchors.iter_mut().for_each(|anchor| anchor.every = Duration::ZERO);
    let journal = Leaves::empty();
    let mut config = office.config();
    config.interval = Duration::ZERO;
    let notary = office.open_with(config, Arc::<Leaves>::clone(&journal)).unwrap();
    let notary = Arc::new(notary);
    let (stop, stops) = watch::channel(false);
    let running = tokio::spawn(Arc::clone(&notary).run(stops));
    for size in [3, 6, 9] {
        journal.grow(3);
        let mut newest = 0;
        while newest < size {
            newest = timeout(PATIENCE, hears.recv()).await.unwrap().unwrap();
        }
        assert_eq!(newest, size);
    }
    stop.send(true).unwrap();
    timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
    assert_eq!(notary.latest().unwrap().checkpoint.size, 9);
    assert_eq!(notary.anchors()[0].last, None);
}

#[tokio::test]
async fn it_stops_when_nobody_can_tell_it_to_any_more() {
    let notary = Arc::new(Office::new().open(&Leaves::of(3, 0, 0)).unwrap());
    let (stop, stops) = watch::channel(false);
    drop(stop);
    timeout(PATIENCE, notary.run(stops)).await.unwrap();
}

#[tokio::test]
async fn signing_is_tried_again_after_the_disk_comes_back() {
    let (office, journal) = (Office::new(), Leaves::of(3, 0, 0));
    std::fs::create_dir(office.dir()).unwrap();
    let mut config = office.config();
    config.interval = Duration::ZERO;
    let notary = Arc::new(office.open_with(config, journal).unwrap());
    std::fs::create_dir(office.second()).unwrap();
    assert!(notary.sign().is_err());
    std::fs::remove_dir(office.second()).unwrap();
    let mut latest = notary.watch();
    let (stop, stops) = watch::channel(false);
    let running = tokio::spawn(Arc::clone(&notary).run(stops));
    timeout(PATIENCE, latest.wait_for(Option::is_some)).await.unwrap().unwrap();
    stop.send(true).unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap();
}

/// Keeps the last value of every gauge.
#[derive(Clone, Default)]
struct Gauges(Arc<Mutex<BTreeMap<String, f64>>>);

struct Kept(Gauges, String);

impl GaugeFn for Kept {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.0.0.lock().unwrap().insert(self.1.clone(), value);
    }
}

impl Recorder for Gauges {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let labels = key.labels().flat_map(|label| ["/", label.value()]);
        let name: String = std::iter::once(key.name()).chain(labels).collect();
        Gauge::from_arc(Arc::new(Kept(self.clone(), name)))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn what_is_late_is_measured() {
    let office = Office::new().with("file", AnchorKind::File { path: "/nowhere/x".into() });
    let notary = office.open(&Leaves::of(7, 0, 0)).unwrap();
    notary.sign().unwrap();
    let gauges = Gauges::default();
    let shown = |name: &str| {
        metrics::with_local_recorder(&gauges, || notary.look());
        gauges.0.lock().unwrap().get(name).copied()
    };
    assert_eq!(shown("assay_checkpoint_size"), Some(7.0));
    assert_eq!(shown("assay_anchor_late/file"), Some(0.0));
    assert_eq!(shown("assay_anchor_age_seconds/file"), None);
    office.pass(Duration::from_hours(2));
    assert_eq!(shown("assay_checkpoint_age_seconds"), Some(7_200.0));
    assert_eq!(shown("assay_anchor_late/file"), Some(1.0));
    assert_eq!(shown("assay_notary_refusing"), Some(0.0));
    notary.anchors[0].succeeded(7, notary.now());
    assert_eq!(shown("assay_anchor_late/file"), Some(0.0));
    assert_eq!(shown("assay_anchor_age_seconds/file"), Some(0.0));
}
