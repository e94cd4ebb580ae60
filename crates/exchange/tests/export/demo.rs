//! The demo case at four moments, as the views held it (`fixtures/demo-case.ndjson`).

use assay_exchange::stix::{AsOf, Snapshot, Version};
use assay_views::claims::ClaimDoc;
use assay_views::doc::Instant;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Every moment that the fixture has.
pub(crate) const MOMENTS: [u64; 4] = [60, 198, 211, 213];
/// The last of them.
pub(crate) const HEAD: u64 = 213;

/// A row of the views: what it said, from when to when (0: it still does).
#[derive(Deserialize)]
struct Row {
    table: String,
    from: u64,
    to: u64,
    changed: Instant,
    doc: Value,
}

/// A position and when it was recorded.
#[derive(Deserialize)]
struct Moment {
    position: u64,
    recorded_at: Instant,
}

fn lines<T: DeserializeOwned>() -> Vec<T> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/demo-case.ndjson");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The demo case as of a moment.
pub(crate) fn demo(position: u64) -> Snapshot {
    let moments = lines::<Moment>();
    let moment = moments.iter().find(|moment| moment.position == position).unwrap();
    let rows: Vec<Row> = lines::<Row>()
        .into_iter()
        .filter(|row| row.from <= position && (row.to == 0 || position < row.to))
        .collect();
    Snapshot {
        case: of(&rows, "cases").pop().unwrap(),
        reports: of(&rows, "reports"),
        claims: of(&rows, "claims"),
        sources: of(&rows, "sources"),
        links: of(&rows, "links"),
        as_of: AsOf { position, recorded_at: moment.recorded_at },
    }
}

fn of<T: DeserializeOwned>(rows: &[Row], table: &str) -> Vec<Version<T>> {
    let rows = rows.iter().filter(|row| row.table == table);
    let version = |row: &Row| Version {
        changed: row.changed,
        doc: serde_json::from_value(row.doc.clone()).unwrap(),
    };
    rows.map(version).collect()
}

/// A claim of a snapshot, by how its gist begins.
pub(crate) fn card<'a>(snapshot: &'a mut Snapshot, gist: &str) -> &'a mut Version<ClaimDoc> {
    let begins = |claim: &&mut Version<ClaimDoc>| {
        let proposition = claim.doc.proposition.as_ref();
        proposition.is_some_and(|known| known.gist.as_str().starts_with(gist))
    };
    snapshot.claims.iter_mut().find(begins).unwrap()
}

/// A moment of the made-up part of the story, after all that the demo tells.
pub(crate) fn later(hour: u32) -> Instant {
    Instant(format!("2018-02-01T{hour:02}:00:00Z").parse().unwrap())
}
