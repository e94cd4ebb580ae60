//! Importing into a real house on a memory log: whole samples, twice, changed, out of order, without the right.

use std::cell::Cell;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use assay_commands::{Actor, decode};
use assay_domain::case::CloseCase;
use assay_domain::claim::{self, Claim};
use assay_domain::id::UserId;
use assay_domain::report::Report;
use assay_domain::value::QuantityFlag;
use assay_exchange::{Format, generate, ids, read};
use assay_store::fact::ActorKind;
use assay_store::journal::{Entry, Journal as _};

use super::super::world::{World, ana, case, eve, key};
use super::{ERRORS_MAX, Importer, Summary, Tally, run};

const UCDP: &str = include_str!("../../../../exchange/samples/ucdp-2022.jsonl");
const ODD: &str = include_str!("../../../../exchange/samples/ucdp-odd-made-up.jsonl");
const NDJSON: &str = include_str!("../../../../exchange/samples/reports.ndjson");
const CSV: &str = include_str!("../../../../exchange/samples/reports.csv");

impl World {
    async fn import(&self, format: Format, file: &str) -> Summary {
        self.import_as(ana(), format, file).await
    }

    async fn import_as(&self, actor: UserId, format: Format, file: &str) -> Summary {
        let items = read(format, Cursor::new(file.to_owned().into_bytes()));
        let done = Cell::new(0);
        let importer = Importer::new(actor, case());
        let house = Arc::clone(&self.house);
        let summary = run(house, importer, items, |progress| {
            assert!(progress.done >= done.get(), "progress went back");
            done.set(progress.done);
        });
        let summary = summary.await;
        assert_eq!(done.get(), summary.filed.all() + summary.already.all());
        summary
    }

    fn entries(&self) -> Vec<Entry> {
        self.log.entries(0, usize::MAX).unwrap()
    }

    fn named(&self, name: &str) -> Vec<Entry> {
        self.entries().into_iter().filter(|entry| entry.recorded.fact.name == name).collect()
    }
}

/// Line, code and pointer of every listed error.
fn codes(summary: &Summary) -> Vec<(u64, &str, &str)> {
    let errors = summary.errors.iter();
    errors.map(|e| (e.line, e.code.as_ref(), e.pointer.as_deref().unwrap_or_default())).collect()
}

const fn tally(reports: u64, claims: u64) -> Tally {
    Tally { reports, claims }
}

#[tokio::test]
async fn the_sample_imports_whole_and_a_second_time_adds_nothing() {
    let world = World::new().await;
    let before = world.head();
    let first = world.import(Format::Ucdp, UCDP).await;
    assert_eq!((first.filed, first.already, first.refused), (tally(60, 60), tally(0, 0), 0));
    assert_eq!((first.lines_read, first.bytes), (60, u64::try_from(UCDP.len()).unwrap()));
    assert_eq!(world.head(), before + 180); // A report, a claim and an assertion each.
    let second = world.import(Format::Ucdp, UCDP).await;
    assert_eq!((second.filed, second.already, second.refused), (tally(0, 0), tally(60, 60), 0));
    assert_eq!(world.head(), before + 180);
}

#[tokio::test]
async fn every_format_imports_in_the_name_of_who_asked() {
    let world = World::new().await;
    let before = world.entries().len();
    assert_eq!(world.import(Format::Ndjson, NDJSON).await.filed, tally(2, 1));
    assert_eq!(world.import(Format::Csv, CSV).await.filed, tally(2, 0));
    for entry in world.entries().iter().skip(before) {
        let envelope = &entry.recorded.fact.envelope;
        assert_eq!(envelope.actor_kind, ActorKind::Import);
        assert_eq!((envelope.actor, envelope.on_behalf_of), (ana().0, Some(ana().0)));
        assert_eq!(envelope.case, Some(case().0));
    }
    let report = world.house.load::<Report>(ids::report(case(), &key("keld-3")).0).await.unwrap();
    assert_eq!(report.state.metadata.len(), 4);
}

#[tokio::test]
async fn what_is_odd_is_kept_and_its_flags_stand_in_the_fact() {
    let world = World::new().await;
    let summary = world.import(Format::Ucdp, ODD).await;
    assert_eq!((summary.filed, summary.refused), (tally(3, 3), 0));
    let mut flagged = Vec::new();
    for entry in world.named("claim.proposed.v1") {
        let recorded = entry.recorded;
        let keys = world.house.keys();
        let event = decode(keys, &recorded.stream, &recorded.fact.data).await.unwrap();
        let claim::Event::Proposed { flags, .. } = event else { panic!("{event:?}") };
        let flags: Vec<QuantityFlag> =
            serde_json::from_value(serde_json::to_value(flags).unwrap()).unwrap();
        flagged.extend(flags);
    }
    flagged.sort_unstable();
    assert_eq!(flagged, [QuantityFlag::LowAboveBest, QuantityFlag::BestAboveHigh]);
}

#[tokio::test]
async fn a_changed_line_under_the_same_key_is_refused_and_what_was_there_stays() {
    let world = World::new().await;
    world.import(Format::Ndjson, NDJSON).await;
    let before = world.head();
    let text = NDJSON.replace("The army denied it.", "The army said nothing.");
    let summary = world.import(Format::Ndjson, &text).await;
    assert_eq!(codes(&summary), [(1, "import_changed", "")]);
    assert_eq!(summary.already, tally(1, 1));
    let kind = NDJSON.replace("social_post", "witness").replace("Fighting near", "Near");
    assert_eq!(
        codes(&world.import(Format::Ndjson, &kind).await),
        [(1, "import_changed", ""), (3, "import_changed", "")]
    );
    let said = NDJSON.replace(r#""stance":"asserts""#, r#""stance":"claims""#);
    assert_eq!(codes(&world.import(Format::Ndjson, &said).await), [(2, "import_changed", "")]);
    let count = NDJSON.replace(r#""n":16"#, r#""n":17"#);
    assert_eq!(codes(&world.import(Format::Ndjson, &count).await), [(2, "import_changed", "")]);
    assert_eq!(world.head(), before);
}

#[tokio::test]
async fn one_key_twice_in_a_file_is_filed_once() {
    let world = World::new().await;
    let line = |text: &str| format!(r#"{{"report":{{"key":"a","kind":"news","text":"{text}"}}}}"#);
    let file = [line("One."), line("One."), line("Two."), line("One.")].join("\n");
    let summary = world.import(Format::Ndjson, &file).await;
    assert_eq!((summary.filed, summary.already), (tally(1, 0), tally(2, 0)));
    assert_eq!(codes(&summary), [(3, "import_changed", "")]);
}

#[tokio::test]
async fn a_claim_that_cannot_be_anchored_is_not_proposed() {
    let world = World::new().await;
    let lines: Vec<&str> = NDJSON.lines().collect();
    let [report, claim, _] = lines.as_slice() else { panic!() };
    let early = world.import(Format::Ndjson, &format!("{claim}\n{report}")).await;
    assert_eq!(codes(&early), [(1, "report_unknown", "/claim/report")]);
    let words = claim.replace("took 16 villages near Oster Keld on", "took all villages on");
    let unsaid = world.import(Format::Ndjson, &words).await;
    assert_eq!(codes(&unsaid), [(1, "anchor_not_found", "/claim/assertion/quotes/0")]);
    let source = r#""holder":{"is":"source","source":"00000000-0000-0000-0000-000000000009"}"#;
    let nobody = claim.replace(r#""holder":{"is":"narrator"}"#, source);
    let unknown = world.import(Format::Ndjson, &nobody).await;
    let pointer = "/claim/assertion/chain/0/holder/source";
    assert_eq!(codes(&unknown), [(1, "source_unknown", pointer)]);
    assert_eq!(world.named("claim.proposed.v1"), []);
    let now = world.import(Format::Ndjson, NDJSON).await;
    assert_eq!((now.filed, now.already), (tally(1, 1), tally(1, 0)));
}

#[tokio::test]
async fn a_refused_line_spoils_only_itself() {
    let world = World::new().await;
    let file = format!("{{\n{NDJSON}\n[]\n");
    let summary = world.import(Format::Ndjson, &file).await;
    assert_eq!((summary.filed, summary.refused), (tally(2, 1), 2));
    assert_eq!(codes(&summary), [(1, "json_malformed", ""), (6, "json_malformed", "")]);
    let publisher = r#"{"report":{"key":"p","kind":"news","text":"x","stated":[{"field":"publisher","value":"00000000-0000-0000-0000-000000000009"}]}}"#;
    let summary = world.import(Format::Ndjson, publisher).await;
    assert_eq!(codes(&summary), [(1, "source_unknown", "/report/stated/0/value")]);
}

#[tokio::test]
async fn who_has_no_part_in_the_case_files_nothing_and_the_run_stops() {
    let world = World::new().await;
    let before = world.head();
    let stranger = Importer::new(eve(), case());
    let error = stranger.may_file(&world.house).await.unwrap_err();
    assert!(matches!(error, assay_commands::Error::Unseen), "{error:?}");
    Importer::new(ana(), case()).may_file(&world.house).await.unwrap();
    let summary = world.import_as(eve(), Format::Ucdp, UCDP).await;
    assert_eq!(summary.stopped.as_ref().map(|error| error.code.as_ref()), Some("not_found"));
    assert_eq!(summary.filed, tally(0, 0));
    assert_eq!(world.head(), before);
}

#[tokio::test]
async fn a_closed_case_stops_the_run() {
    let world = World::new().await;
    let (one, rest) = UCDP.split_once('\n').unwrap();
    world.import(Format::Ucdp, one).await;
    let outcome = "done".try_into().unwrap();
    let close = CloseCase { case: case(), outcome, open_contradictions: vec![] };
    world.ask(Actor::User(ana()), &close).await;
    let before = world.head();
    let summary = world.import(Format::Ucdp, rest).await;
    assert_eq!(
        summary.stopped.map(|error| error.code.into_owned()).as_deref(),
        Some("case_closed")
    );
    assert_eq!((summary.filed, world.head()), (tally(0, 0), before));
}

#[tokio::test]
async fn errors_are_listed_up_to_their_limit_and_counted_beyond() {
    let world = World::new().await;
    let file = "{\n".repeat(ERRORS_MAX + 500);
    let summary = world.import(Format::Ndjson, &file).await;
    assert_eq!((summary.errors.len(), summary.errors_beyond()), (ERRORS_MAX, 500));
    assert!(summary.errors.is_sorted_by_key(|error| error.line));
}

#[tokio::test]
async fn made_up_reports_import_at_volume_and_twice() {
    let world = World::new().await;
    let file: String = generate(3_000, 1).map(|line| line + "\n").collect();
    let before = world.head();
    assert_eq!(world.import(Format::Ndjson, &file).await.filed, tally(3_000, 0));
    assert_eq!(world.import(Format::Ndjson, &file).await.already, tally(3_000, 0));
    assert_eq!(world.head(), before + 3_000);
}

#[tokio::test]
async fn a_claim_waits_for_the_claim_its_time_hangs_on() {
    let world = World::new().await;
    let mut file = String::from("{\"report\":{\"key\":\"r\",\"kind\":\"news\",\"text\":\"x\"}}\n");
    let mut earlier = None;
    for n in 0..50 {
        let name = format!("c{n}");
        let time = earlier.map_or(String::new(), |to: String| {
            format!(r#","time":{{"relative":{{"rel":"after","to":"{to}"}}}}"#)
        });
        let line = format!(
            "{{\"claim\":{{\"key\":\"{name}\",\"report\":\"r\",\"kind\":\"event\",\"gist\":\"g\"{time}}}}}\n"
        );
        file.push_str(&line);
        earlier = Some(ids::claim(case(), &key(&name)).to_string());
    }
    let summary = world.import(Format::Ndjson, &file).await;
    assert_eq!((codes(&summary), summary.filed), (vec![], tally(1, 50)));
    let last = ids::claim(case(), &key("c49")).0;
    assert_eq!(world.house.load::<Claim>(last).await.unwrap().revision, Some(0));
}

#[tokio::test]
async fn a_log_that_goes_away_stops_the_run_and_the_same_file_completes_it_later() {
    let world = World::new().await;
    let before = world.head();
    world.appends_left.store(50, Ordering::Relaxed);
    let first = world.import(Format::Ucdp, UCDP).await;
    let stopped = first.stopped.map(|error| error.code.into_owned());
    assert_eq!(stopped.as_deref(), Some("log_unavailable"));
    assert_eq!(world.head(), before + 50);
    world.appends_left.store(u64::MAX, Ordering::Relaxed);
    let second = world.import(Format::Ucdp, UCDP).await;
    assert_eq!((second.refused, second.stopped), (0, None));
    assert_eq!(second.filed.all() + second.already.all(), 120);
    assert_eq!(world.head(), before + 180);
}
