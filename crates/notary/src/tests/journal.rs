//! A notary over a journal on disk: what somebody who owns the file can do to it, and what becomes of that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_ledger::{
    EntriesPath, SignedCheckpoint, SignerKey, TilePath, leaf_hash, parse_entries_tile,
    verify_consistency, verify_inclusion,
};
use assay_store::fact::{ActorKind, Envelope, NewFact};
use assay_store::journal::Journal;
use assay_store::log::{Expected, Log as _};
use assay_store_sqlite::log::{Options, SqliteLog};
use assay_store_sqlite::tamper;
use tempfile::TempDir;
use uuid::Uuid;

use super::ORIGIN;
use crate::{Config, Notary, NotaryError, NotaryState};

struct House {
    place: TempDir,
}

impl House {
    fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.place.path().join("journal.db")
    }

    fn log(&self) -> Arc<SqliteLog> {
        Arc::new(SqliteLog::open(self.file(), Options::default()).unwrap())
    }

    fn notary(&self, log: &Arc<SqliteLog>) -> Result<Notary, NotaryError> {
        let mut config = Config::new(self.place.path().join("ledger"), ORIGIN);
        config.second_place = Some(self.place.path().join("last.note"));
        let signer = SignerKey::new(ORIGIN, &[5; 32]).unwrap();
        let journal: Arc<dyn Journal> = Arc::<SqliteLog>::clone(log);
        Notary::open(config, journal, vec![signer], Arc::new(|| 1_749_978_400_000_000))
    }

    /// A house with so many entries, signed, and its files at rest.
    async fn signed(count: u64) -> Self {
        let house = Self::new();
        let log = house.log();
        append(&log, 0, count).await;
        house.notary(&log).unwrap().sign().unwrap();
        house
    }
}

async fn append(log: &SqliteLog, from: u64, to: u64) {
    for number in from..to {
        let id = |kind: u128| Uuid::from_u128(kind << 64 | u128::from(number));
        let envelope = Envelope {
            recorded_at: 1_749_978_000_000_000,
            actor: id(1),
            actor_kind: ActorKind::Person,
            on_behalf_of: None,
            session: None,
            command: id(2),
            causation: None,
            correlation: id(3),
            case: None,
            request_mac: None,
        };
        let data = format!("{{\"number\":{number}}}").into();
        let fact = NewFact { id: id(4), name: "case.noted.v1".to_owned(), envelope, data };
        let stream = format!("case-{number}");
        log.append(&stream, Expected::NoStream, vec![fact]).await.unwrap();
    }
}

fn why(outcome: Result<Notary, NotaryError>) -> String {
    match outcome {
        Err(NotaryError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_entry_of_a_journal_on_disk_is_proved_by_its_own_record() {
    let house = House::new();
    let log = house.log();
    append(&log, 0, 260).await;
    let notary = house.notary(&log).unwrap();
    let first = notary.sign().unwrap();
    append(&log, 260, 300).await;
    let newest = notary.covering(300).unwrap();
    let (old, new) = (&first.checkpoint, &newest.checkpoint);
    let proof = notary.consistency(old.size, new.size).unwrap();
    verify_consistency(old.size, &old.root, new.size, &new.root, &proof).unwrap();
    for (index, width) in [(0, 256), (1, 44)] {
        let records = notary.entries_tile(EntriesPath { index, width }).unwrap().unwrap();
        let tile = notary.tile(TilePath { level: 0, index, width }).unwrap().unwrap();
        let records = parse_entries_tile(&records).unwrap();
        for (place, (record, hash)) in records.iter().zip(tile.as_chunks::<32>().0).enumerate() {
            assert_eq!(leaf_hash(record), *hash);
            let leaf = (index << 8) + u64::try_from(place).unwrap();
            let proof = notary.inclusion(leaf, 300).unwrap();
            verify_inclusion(hash, leaf, 300, &proof, &new.root).unwrap();
        }
    }
    assert_eq!(notary.entries_tile(EntriesPath { index: 1, width: 45 }).unwrap(), None);
    let signed = SignedCheckpoint::parse(&newest.note).unwrap();
    assert!(signed.verify_for(ORIGIN, &notary.verifiers()).is_ok());
    assert_eq!(notary.check(|_, _| ()).unwrap().entries, 300);
}

#[tokio::test]
async fn an_older_copy_of_the_file_is_refused() {
    let house = House::signed(20).await;
    let kept = house.place.path().join("kept.db");
    std::fs::copy(house.file(), &kept).unwrap();
    let log = house.log();
    append(&log, 20, 30).await;
    house.notary(&log).unwrap().sign().unwrap();
    drop(log);
    for ending in ["-wal", "-shm"] {
        let beside = format!("{}{ending}", house.file().display());
        if Path::new(&beside).exists() {
            std::fs::remove_file(beside).unwrap();
        }
    }
    std::fs::copy(&kept, house.file()).unwrap();
    let why = why(house.notary(&house.log()));
    assert!(why.starts_with("the journal ends at 20; a checkpoint over 30 entries"), "{why}");
}

#[tokio::test]
async fn a_file_rewritten_with_all_its_hashes_is_refused() {
    type Change = fn(&Path);
    let changes: [Change; 4] = [
        |file| tamper::edit_data(file, 3, b"{\"number\":99}").unwrap(),
        |file| tamper::swap(file, 5, 6).unwrap(),
        |file| tamper::delete(file, 7, tamper::Gap::Closed).unwrap(),
        |file| tamper::truncate(file, 12).unwrap(),
    ];
    for change in changes {
        let house = House::signed(20).await;
        change(&house.file());
        tamper::rehash(house.file(), 1).unwrap();
        assert!(!why(house.notary(&house.log())).is_empty());
    }
}

#[tokio::test]
async fn an_entry_changed_under_its_leaf_is_shown_to_nobody() {
    let house = House::signed(20).await;
    tamper::edit_data(house.file(), 3, b"{\"number\":99}").unwrap();
    let log = house.log();
    let notary = house.notary(&log).unwrap();
    let shown = notary.entries_tile(EntriesPath { index: 0, width: 20 });
    let Err(NotaryError::Damaged(why)) = shown else { panic!("{shown:?}") };
    assert_eq!(why, "entry 3 is not the one that was signed");
}

#[tokio::test]
async fn a_leaf_changed_after_the_last_checkpoint_stops_the_signing() {
    let house = House::signed(20).await;
    let log = house.log();
    append(&log, 20, 30).await;
    drop(log);
    tamper::edit_column(house.file(), 25, "leaf", [7_u8; 32].as_slice()).unwrap();
    let log = house.log();
    let notary = house.notary(&log).unwrap();
    assert!(matches!(notary.state(), NotaryState::Refusing { .. }));
    assert!(matches!(notary.sign(), Err(NotaryError::Refusing(_))));
    assert_eq!(notary.latest().unwrap().checkpoint.size, 20);
}
