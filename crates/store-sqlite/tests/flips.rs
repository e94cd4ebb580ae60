//! One turned bit anywhere in a closed journal or vault: the check finds it, or nobody can tell.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

#[path = "common/flip.rs"]
mod flip;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::journal::{Entry, Journal as _};
use assay_store::log::{Expected, Log as _, Token};
use assay_store::master::MasterKey;
use assay_store::replica::Replica as _;
use assay_store::seal::seal;
use assay_store::vault::{Key, Vault as _};
use assay_store_sqlite::{Options, SqliteLog, SqliteVault, check_journal, tamper};
use flip::{HEADER_BYTES, Outcome, PAGE_BYTES, Random, Specimen, Tally};
use rusqlite::Connection;
use uuid::Uuid;

const ENTRIES: u64 = 60;
/// The entry whose every bit is turned.
const CHOSEN: u64 = 17;

/// A fact with a value in every column, no two alike; every 20th is too big for one page.
fn fact(number: u64) -> NewFact {
    let mut random = Random(number);
    let mut id = || Uuid::from_bytes(random.bytes());
    let envelope = Envelope {
        recorded_at: 1_700_000_000_000_000 + i64::try_from(number).unwrap() * 1_001,
        actor: id(),
        actor_kind: ActorKind::Person,
        on_behalf_of: Some(id()),
        session: Some(id()),
        command: id(),
        causation: Some(id()),
        correlation: id(),
        case: Some(id()),
        request_mac: Some(id().into_bytes()),
    };
    let fact_id = id();
    let plain = vec![b'x'; if number % 20 == 19 { 15_000 } else { 40 }];
    let sealed = seal(id(), &Key([1; 32]), &stream(number), &plain).unwrap();
    let data = format!("{{\"type\":\"n.v1\",\"who\":{{\"sealed\":\"{sealed}\"}}}}").into();
    NewFact { id: fact_id, name: format!("flip.turned.v{}", number % 4), envelope, data }
}

fn stream(number: u64) -> String {
    format!("stream-of-{}", number % 5)
}

fn says(path: &Path) -> Result<(), String> {
    let report = check_journal(path, |_, _| ());
    report.map(|_| ()).map_err(|fault| fault.to_string())
}

async fn journal(directory: &Path) -> (Specimen, Vec<Entry>) {
    let path = directory.join("journal.db");
    let log = SqliteLog::open(&path, Options::default()).unwrap();
    for number in 0..ENTRIES {
        log.append(&stream(number), Expected::Any, vec![fact(number)]).await.unwrap();
    }
    let entries = log.entries(0, 100).unwrap();
    drop(log);
    (Specimen::new(path, says), entries)
}

/// Every bit of what the journal holds, column for column, as bytes in the file.
#[tokio::test]
async fn every_bit_of_a_journals_values_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let (specimen, entries) = journal(directory.path()).await;
    let entry = entries.iter().find(|entry| entry.position == CHOSEN).unwrap();
    let fact = &entry.recorded.fact;
    let e = &fact.envelope;
    let at_entry = |position: u64| format!("entry {position}: ");
    for (column, value) in [
        ("id", fact.id),
        ("actor", e.actor),
        ("on_behalf_of", e.on_behalf_of.unwrap()),
        ("session", e.session.unwrap()),
        ("command", e.command),
        ("causation", e.causation.unwrap()),
        ("correlation", e.correlation),
        ("case_id", e.case.unwrap()),
        ("request_mac", Uuid::from_bytes(e.request_mac.unwrap())),
    ] {
        let said = specimen.flip_value(&format!("entries.{column}"), value.as_bytes());
        let here = said.iter().filter(|fault| fault.starts_with(&at_entry(CHOSEN))).count();
        assert!(here >= 128, "entries.{column}: {said:?}");
    }
    for (column, value) in [("leaf", entry.leaf_hash.as_slice()), ("data", &fact.data)] {
        let said = specimen.flip_value(&format!("entries.{column}"), value);
        assert!(said.iter().all(|fault| fault.starts_with(&at_entry(CHOSEN))), "{said:?}");
    }
    let recorded_at = specimen.flip_value("entries.recorded_at", &e.recorded_at.to_be_bytes());
    assert_eq!(recorded_at.len(), 64);

    specimen.flip_value("streams.name", b"stream-of-3");
    specimen.flip_value("names.name", b"flip.turned.v2");
    let connection = Connection::open(directory.path().join("journal.db")).unwrap();
    let blob = |sql| connection.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    specimen.flip_value("meta.log_id", &blob("SELECT value FROM meta WHERE name = 'log_id'"));
    specimen.flip_value("ledger.frontier", &blob("SELECT frontier FROM ledger"));
    specimen.flip_value("a trigger's text", b"CREATE TRIGGER entries_stay BEFORE UPDATE ON");
    specimen.flip_value("a trigger's words", b"'entries are never changed'");
    specimen.flip_value("a table's text", b"actor_kind   INTEGER NOT NULL");
}

/// What a copy of a log elsewhere holds besides, and no leaf covers.
#[tokio::test]
async fn every_bit_of_a_copys_tokens_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = SqliteLog::open(&path, Options::default()).unwrap();
    let upstream = Uuid::from_bytes(Random(5).bytes());
    log.adopt(upstream).await.unwrap();
    // Six bytes each, so that none stands anywhere by chance.
    let token = |number: u64| Token(0x1234_5678_9abc + number * 0x0101_0101);
    for number in 0..ENTRIES {
        let (stream, revision) = (stream(number), number / 5);
        let fact = fact(number);
        let recorded = Recorded { stream, revision, token: token(number), fact };
        log.take(vec![recorded], token(number)).await.unwrap();
    }
    let followed = Token(0x2345_6789_abcd);
    log.take(Vec::new(), followed).await.unwrap();
    drop(log);
    let specimen = Specimen::new(path, says);
    let bytes = |token: Token| token.0.to_be_bytes()[2..].to_vec();
    let said = specimen.flip_value("tokens.token", &bytes(token(CHOSEN)));
    assert_eq!(said.len(), 2 * 48, "in the table and in its index");
    specimen.flip_value("followed.token and its copy", &bytes(followed));
    specimen.flip_value("meta.upstream", upstream.as_bytes());
}

/// Numbers are short in the file, so they are turned by SQL, all 64 bits of each.
#[tokio::test]
async fn every_bit_of_a_journals_numbers_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let (specimen, _) = journal(directory.path()).await;
    let path = directory.path().join("journal.db");
    let mut tally = BTreeMap::<&str, (usize, usize)>::new();
    for (column, at) in [
        ("entries.position", "position = 17"),
        ("entries.sid", "position = 17"),
        ("entries.revision", "position = 17"),
        ("entries.nid", "position = 17"),
        ("entries.recorded_at", "position = 17"),
        ("entries.actor_kind", "position = 17"),
        ("streams.sid", "sid = 3"),
        ("names.nid", "nid = 2"),
        ("ledger.size", "one = 1"),
    ] {
        let (table, name) = column.split_once('.').unwrap();
        for bit in 0..64 {
            std::fs::write(&path, &specimen.bytes).unwrap();
            // There is no exclusive or in SQL.
            let edit = format!(
                "UPDATE {table} SET {name} = ({name} | (1 << {bit})) - ({name} & (1 << {bit}))
                 WHERE {at}"
            );
            let counts = tally.entry(column).or_default();
            match tamper::sql(&path, &edit) {
                Ok(()) => {
                    says(&path).expect_err(&format!("{column}, bit {bit}"));
                    counts.0 += 1;
                }
                // It would stand there twice: SQLite itself does not let that in.
                Err(error) => {
                    assert!(error.to_string().contains("UNIQUE"), "{column}, bit {bit}: {error}");
                    counts.1 += 1;
                }
            }
        }
    }
    println!("found, and refused by SQLite itself: {tally:?}");
    assert!(tally.values().all(|(found, refused)| *found >= 57 && found + refused == 64));
}

/// The same on the raw bytes: a whole entry with the header of its row, and all of the two indexes.
#[tokio::test]
async fn every_bit_around_an_entry_is_found_or_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (specimen, entries) = journal(directory.path()).await;
    let entry = entries.iter().find(|entry| entry.position == CHOSEN).unwrap();
    let data = &entry.recorded.fact.data;
    let id = entry.recorded.fact.id;
    // In the table the data stands behind the id; in the index something else does.
    let near = |from: &usize| {
        specimen
            .places(data)
            .iter()
            .map(|to| to + data.len())
            .find(|to| (*from..from + 1_000).contains(to))
    };
    let mut rows = specimen.places(id.as_bytes()).into_iter().map(|from| (from, near(&from)));
    // Pages that were split keep stale copies.
    let live = |(from, to): (usize, Option<usize>)| {
        to.filter(|_| specimen.is_live(from)).map(|to| from..to)
    };
    let row = rows.find_map(live).unwrap();
    let mut whole = Tally::default();
    // Before the id: the row's length, its position, the types of its columns, sid and revision.
    for outcome in specimen.flip_all(row.start - 36..row.end - data.len()) {
        whole.count(&outcome);
    }
    println!("a row with its header, without its data: {whole:?}");
    // The position stands before the row; its slot inside may say 0 instead of nothing, unread.
    assert!(whole.harmless <= 1, "{whole:?}");

    let mut random = Random(1_993);
    for (page, name) in specimen.pages() {
        if ["ledger", "meta", "names", "streams"].contains(&name.as_str())
            || name.starts_with("sqlite_autoindex_")
        {
            let mut tally = Tally::default();
            for at in specimen.cells(page) {
                tally.count(&specimen.flip(at, random.below(8)));
            }
            println!("page {page}, one bit in each byte of {name}'s rows: {tally:?}");
            assert!(tally.found > 9 * tally.harmless, "{name}: {tally:?}");
        }
    }
}

#[tokio::test]
async fn a_walk_through_a_journals_file_finds_every_bit_that_matters() {
    let directory = tempfile::tempdir().unwrap();
    let (specimen, _) = journal(directory.path()).await;
    told("journal", &specimen);
}

fn told(what: &str, specimen: &Specimen) {
    let mut header = Tally::default();
    specimen.flip_all(0..HEADER_BYTES).iter().for_each(|outcome| header.count(outcome));
    println!("{what}, every bit of the file's header: {header:?}");
    let tallies = specimen.walk(2_026);
    let (mut found, mut harmless) = (0, 0);
    for (part, tally) in &tallies {
        println!("{what}, one bit in 64 bytes of {part}: {tally:?}");
        (found, harmless) = (found + tally.found, harmless + tally.harmless);
    }
    println!("{what}: {found} found, {harmless} harmless");
    assert_eq!(found + harmless, specimen.bytes.len().div_ceil(64));
    assert!(found > 0 && header.found > 0);
}

fn opened(path: &Path) -> Result<SqliteVault, String> {
    // Every asking a microsecond later, so that no two keys are made at once.
    let clock = AtomicI64::new(1_700_000_000_000_000);
    let clock = Arc::new(move || clock.fetch_add(1, Ordering::SeqCst));
    SqliteVault::open(path, MasterKey::new([3; 32]), clock).map_err(|error| error.to_string())
}

fn vault_says(path: &Path) -> Result<(), String> {
    opened(path)?.check().map(|_| ()).map_err(|fault| fault.to_string())
}

async fn vault(directory: &Path) -> Specimen {
    let path = directory.join("vault.db");
    let vault = opened(&path).unwrap();
    for number in 0..36 {
        let keys = vault.new_keys(1).await.unwrap();
        if number % 9 == 4 {
            vault.destroy(keys[0].0).await.unwrap();
        }
    }
    for number in 0..12 {
        vault.put_secret(&format!("secret/{number}"), None, vec![b's'; 100]).await.unwrap();
    }
    vault.put_secret("secret/big", None, vec![b's'; 20_000]).await.unwrap();
    drop(vault);
    Specimen::new(path, vault_says)
}

#[tokio::test]
async fn every_bit_of_a_vaults_values_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let specimen = vault(directory.path()).await;
    let connection = Connection::open(directory.path().join("vault.db")).unwrap();
    let blob = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let held = "FROM keys WHERE wrapped IS NOT NULL ORDER BY id LIMIT 1 OFFSET 7";
    let gone = "FROM keys WHERE wrapped IS NULL ORDER BY id LIMIT 1 OFFSET 1";
    let secret = "FROM secrets WHERE name = 'secret/7'";
    for (name, value) in [
        ("a held key's id", blob(&format!("SELECT id {held}"))),
        ("a held key's bytes", blob(&format!("SELECT wrapped {held}"))),
        ("a held key's mac", blob(&format!("SELECT mac {held}"))),
        ("a destroyed key's id", blob(&format!("SELECT id {gone}"))),
        ("a destroyed key's mac", blob(&format!("SELECT mac {gone}"))),
        ("a secret's name", b"secret/7".to_vec()),
        ("a secret's bytes", blob(&format!("SELECT wrapped {secret}"))),
        ("a secret's mac", blob(&format!("SELECT mac {secret}"))),
        ("the check word", blob("SELECT value FROM meta WHERE name = 'check'")),
        ("the total", blob("SELECT value FROM meta WHERE name = 'total'")),
        ("a trigger's text", b"BEFORE UPDATE ON keys WHEN OLD.destroyed_at".to_vec()),
    ] {
        specimen.flip_value(name, &value);
    }
    for (name, sql) in [
        ("a held key's created_at", format!("SELECT created_at {held}")),
        ("a destroyed key's created_at", format!("SELECT created_at {gone}")),
        ("a destroyed key's destroyed_at", format!("SELECT destroyed_at {gone}")),
    ] {
        specimen.flip_value(name, &number(&sql).to_be_bytes());
    }
}

#[tokio::test]
async fn every_byte_of_a_vaults_rows_counts() {
    let directory = tempfile::tempdir().unwrap();
    let specimen = vault(directory.path()).await;
    let mut random = Random(1_993);
    for (page, name) in specimen.pages() {
        let is_leaf = specimen.bytes[(page - 1) * PAGE_BYTES] == 0x0a;
        if is_leaf && ["keys", "meta", "secrets"].contains(&name.as_str()) {
            let cells = specimen.cells(page);
            let until = cells.end.min(cells.start + 1_000);
            let mut tally = Tally::default();
            for at in cells.start..until {
                tally.count(&specimen.flip(at, random.below(8)));
            }
            println!("page {page}, one bit in each byte of the first rows of {name}: {tally:?}");
            assert!(tally.found > 9 * tally.harmless, "{name}: {tally:?}");
        }
    }
}

#[tokio::test]
async fn a_walk_through_a_vaults_file_finds_every_bit_that_matters() {
    let directory = tempfile::tempdir().unwrap();
    told("vault", &vault(directory.path()).await);
}

#[test]
fn a_change_that_the_check_misses_is_not_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("some.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE t (a BLOB); INSERT INTO t VALUES (x'00112233445566778899')")
        .unwrap();
    let specimen = Specimen::new(path, |_| Ok(()));
    let at = specimen.places(&[0x44, 0x55, 0x66])[0];
    let missed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| specimen.flip(at, 3)));
    assert!(missed.is_err(), "the judge looks at the rows itself");
    assert_eq!(specimen.flip(4_096 - 2_000, 0), Outcome::Harmless, "free space");
}
