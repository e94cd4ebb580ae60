//! P10 and P16: making all views anew beside plain decoding of the same bytes, and what everything takes on disk.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use assay_store::journal::{Entry, Journal as _};
use assay_store_sqlite::{Options, SqliteLog};
use serde_json::{Value, json};

use super::figures::{Rounds, float, float_len, per_second};
use super::house::Place;
use super::machine::file_bytes;

/// How many entries are read at once.
const ENTRIES_AT_ONCE: usize = 2_000;
/// Decoding is repeated until it took this long.
const DECODE_MIN: Duration = Duration::from_millis(300);

/// The stored bytes of every entry, and how long they would be as JSON with their envelope.
#[derive(Debug, Default)]
pub struct Stored {
    data: Vec<bytes::Bytes>,
    /// The same entries as canonical JSON, envelope and all.
    pub json_bytes: u64,
}

/// Reads a journal no server holds.
pub fn read(data: &Path) -> Result<Stored> {
    let log = SqliteLog::open(data.join("journal.db"), Options::default())?;
    let (mut stored, mut after) = (Stored::default(), 0);
    loop {
        let entries = log.entries(after, ENTRIES_AT_ONCE)?;
        let Some(last) = entries.last() else { return Ok(stored) };
        after = last.position;
        for entry in entries {
            stored.json_bytes += u64::try_from(as_json(&entry)?.len())?;
            stored.data.push(entry.recorded.fact.data);
        }
    }
}

/// "N entries folded in S seconds: …" as entries a second.
fn folded(said: &str) -> Result<f64> {
    let line = said.lines().find(|line| line.contains("entries folded in"));
    let line = line.with_context(|| format!("no count in {said:?}"))?;
    let mut numbers = line.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
    let (entries, seconds) =
        (numbers.next().context("a count")?, numbers.next().context("a time")?);
    Ok(entries / seconds.max(1e-3))
}

fn as_json(entry: &Entry) -> Result<String> {
    let recorded = &entry.recorded;
    let data: Value = serde_json::from_slice(&recorded.fact.data)?;
    let leaf: Vec<String> = entry.leaf_hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let all = json!({
        "position": entry.position,
        "stream": recorded.stream,
        "revision": recorded.revision,
        "id": recorded.fact.id,
        "name": recorded.fact.name,
        "envelope": recorded.fact.envelope,
        "leaf": leaf.concat(),
        "data": data,
    });
    Ok(all.to_string())
}

impl Stored {
    /// How many entries there are.
    pub fn entries(&self) -> u64 {
        u64::try_from(self.data.len()).unwrap_or(u64::MAX)
    }

    /// Entries decoded as plain JSON in a second.
    fn decode(&self) -> Result<f64> {
        let (started, mut count) = (Instant::now(), 0);
        while started.elapsed() < DECODE_MIN {
            for data in &self.data {
                std::hint::black_box(serde_json::from_slice::<Value>(data)?);
            }
            count += self.entries();
        }
        Ok(per_second(count, started.elapsed()))
    }

    /// One round: plain decoding, then `assay rebuild`, which says itself how long the folding took;
    /// the whole run also reads every row of both files to compare them.
    pub async fn round(&self, place: &Place, rounds: &mut Rounds) {
        rounds.take("p10.decode", self.decode());
        match place.run(&["rebuild"]).await {
            Ok(done) => {
                rounds.take("p10.rebuild", folded(&done.stdout));
                rounds.put("p10.whole", per_second(self.entries(), done.took));
                rounds.put("p10.rebuild.peak", float(done.peak_bytes) / 1e6);
            }
            Err(error) => rounds.fail("p10.rebuild", &error),
        }
    }

    /// Bytes on disk for each entry, beside its canonical JSON.
    pub fn sizes(&self, data: &Path, rounds: &mut Rounds) -> Result<()> {
        ensure!(!self.data.is_empty(), "an empty journal");
        let entries = float_len(self.data.len());
        let with_wal = |name: &str| {
            let wal = format!("{name}-wal");
            float(file_bytes(&data.join(name)) + file_bytes(&data.join(wal))) / entries
        };
        rounds.put("p16.journal", with_wal("journal.db"));
        rounds.put("p16.views", with_wal("views.db"));
        rounds.put("p16.json", float(self.json_bytes) / entries);
        Ok(())
    }
}
