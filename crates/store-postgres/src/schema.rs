//! The tables. A database once prepared is opened for ever: steps are only ever added.

use std::time::Duration;

use assay_store::log::LogError;
use tokio_postgres::Transaction;
use uuid::Uuid;

use crate::address::Address;
use crate::error::OpenError;
use crate::options::Options;
use crate::readers::Readers;
use crate::session::{Session, Trouble, within};

/// The newest version this program knows.
pub(crate) const VERSION: i32 = 1;

/// The oldest server that is worked with.
const SERVER_MIN: i32 = 15;

/// Held while tables or the vault's first rows are made, so that two who do it at once take turns.
/// Any number will do; this one spells "assay".
pub(crate) const BIRTH_LOCK: i64 = 0x61_7373_6179;

/// How long preparing may take: it may wait for another who does the same.
const PREPARE_MAX: Duration = Duration::from_mins(1);

/// Version 1.
///
/// - Names are compared byte by byte (`COLLATE "C"`), as the contract has it.
/// - `head` is one row that every writer locks first: so positions have no gaps, are taken in the
///   order of the commits, and nothing ever appears behind a reader.
/// - `leaf` is the ledger's leaf, so that an append asked again gets the answer it got before.
/// - Triggers are enabled ALWAYS: they hold in a replication role too. They are against accidents;
///   whoever owns the database is caught by the ledger and by the vault's own proofs.
const V1: &str = r#"
CREATE SCHEMA IF NOT EXISTS assay;

CREATE TABLE assay.meta (
    one     boolean PRIMARY KEY CHECK (one),
    version integer NOT NULL,
    log_id  uuid NOT NULL
);

CREATE TABLE assay.head (
    one         boolean PRIMARY KEY CHECK (one),
    position    bigint NOT NULL CHECK (position >= 0),
    recorded_at bigint NOT NULL
);
INSERT INTO assay.head VALUES (true, 0, -9223372036854775808);

CREATE TABLE assay.entries (
    position     bigint PRIMARY KEY CHECK (position > 0),
    stream       text COLLATE "C" NOT NULL,
    revision     bigint NOT NULL CHECK (revision >= 0),
    id           uuid NOT NULL UNIQUE,
    name         text COLLATE "C" NOT NULL,
    recorded_at  bigint NOT NULL,
    actor        uuid NOT NULL,
    actor_kind   smallint NOT NULL,
    on_behalf_of uuid,
    session      uuid,
    command      uuid NOT NULL,
    causation    uuid,
    correlation  uuid NOT NULL,
    case_id      uuid,
    request_mac  bytea CHECK (octet_length(request_mac) = 16),
    leaf         bytea NOT NULL CHECK (octet_length(leaf) = 32),
    data         bytea NOT NULL,
    UNIQUE (stream, revision)
);

CREATE TABLE assay.vault (
    name  text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE assay.keys (
    id           uuid PRIMARY KEY,
    wrapped      bytea,
    created_at   bigint NOT NULL,
    destroyed_at bigint,
    mac          bytea NOT NULL,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE TABLE assay.secrets (
    name    text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version > 0),
    wrapped bytea NOT NULL,
    mac     bytea NOT NULL
);

CREATE FUNCTION assay.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$;

CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON assay.entries
    FOR EACH STATEMENT EXECUTE FUNCTION assay.refuse('entries are never changed or deleted');
CREATE TRIGGER head_remains BEFORE DELETE OR TRUNCATE ON assay.head
    FOR EACH STATEMENT EXECUTE FUNCTION assay.refuse('the head is never deleted');
CREATE TRIGGER head_grows BEFORE UPDATE ON assay.head
    FOR EACH ROW WHEN (NEW.position < OLD.position OR NEW.recorded_at < OLD.recorded_at)
    EXECUTE FUNCTION assay.refuse('the head never goes back');
CREATE TRIGGER keys_remain BEFORE DELETE OR TRUNCATE ON assay.keys
    FOR EACH STATEMENT EXECUTE FUNCTION assay.refuse('keys are destroyed, not deleted');
CREATE TRIGGER keys_stay_destroyed BEFORE UPDATE ON assay.keys
    FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL)
    EXECUTE FUNCTION assay.refuse('a destroyed key does not come back');
ALTER TABLE assay.entries ENABLE ALWAYS TRIGGER entries_stay;
ALTER TABLE assay.head ENABLE ALWAYS TRIGGER head_remains;
ALTER TABLE assay.head ENABLE ALWAYS TRIGGER head_grows;
ALTER TABLE assay.keys ENABLE ALWAYS TRIGGER keys_remain;
ALTER TABLE assay.keys ENABLE ALWAYS TRIGGER keys_stay_destroyed;
"#;

/// Makes the tables where they are missing and brings older ones up to date. Harmless when done
/// already, and when two do it at once.
///
/// The role of the URL must be allowed to create a schema in the database. It owns the tables
/// then; where the program runs under another role, that one needs USAGE on schema `assay`, SELECT
/// on all its tables, INSERT on `entries`, UPDATE on `head`, and INSERT, UPDATE and DELETE on
/// `vault`, `keys` and `secrets`.
pub async fn prepare(options: &Options) -> Result<(), OpenError> {
    let address = Address::of(options)?;
    let mut session =
        Session::open(&address, None).await.map_err(|trouble| trouble.for_opener())?;
    let server = within(options.answer_max, check_server(&session)).await;
    server.map_err(|trouble| trouble.for_opener())??;
    let transaction = within(options.answer_max, session.client.transaction()).await;
    let transaction = transaction.map_err(|trouble| trouble.for_opener())?;
    let brought = within(PREPARE_MAX, bring_up(&transaction)).await;
    brought.map_err(|trouble| trouble.for_opener())??;
    let committed = within(options.answer_max, transaction.commit()).await;
    committed.map_err(|trouble| trouble.for_opener())
}

async fn bring_up(
    transaction: &Transaction<'_>,
) -> Result<Result<(), OpenError>, tokio_postgres::Error> {
    // Waiting here is meant: the other one makes what we would make.
    transaction.batch_execute("SET LOCAL lock_timeout = 0").await?;
    transaction.query("SELECT pg_advisory_xact_lock($1)", &[&BIRTH_LOCK]).await?;
    let found = version(transaction.client()).await?;
    if found > VERSION {
        return Ok(Err(OpenError::Newer { found, known: VERSION }));
    }
    if found < 1 {
        transaction.batch_execute(V1).await?;
        let log_id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        let birth = "INSERT INTO assay.meta VALUES (true, $1, $2)";
        transaction.execute(birth, &[&VERSION, &log_id]).await?;
    }
    Ok(Ok(()))
}

/// How far the database was brought; 0 where nothing of ours is there.
async fn version(client: &tokio_postgres::Client) -> Result<i32, tokio_postgres::Error> {
    let there = "SELECT to_regclass('assay.meta') IS NOT NULL";
    if !client.query_one(there, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let row = client.query_opt("SELECT version FROM assay.meta WHERE one", &[]).await?;
    row.map_or(Ok(0), |row| row.try_get(0))
}

/// Refuses a server that is too old, or a database that cannot hold every name.
async fn check_server(session: &Session) -> Result<Result<(), OpenError>, tokio_postgres::Error> {
    let sql = "SELECT current_setting('server_version_num')::integer / 10000,
                      current_setting('server_encoding'), current_setting('fsync')";
    let row = session.client.query_one(sql, &[]).await?;
    let (version, encoding): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
    if row.try_get::<_, String>(2)? != "on" {
        tracing::warn!("this PostgreSQL runs with fsync off: what it acknowledges may be lost");
    }
    Ok(if version < SERVER_MIN {
        Err(OpenError::Refused(format!(
            "PostgreSQL {version} is too old, at least {SERVER_MIN} is needed"
        )))
    } else if encoding == "UTF8" {
        Ok(())
    } else {
        Err(OpenError::Refused(format!("the database is encoded in {encoding}, not in UTF8")))
    })
}

/// Refuses a database that was not prepared, or by a newer program.
pub(crate) async fn check(readers: &Readers) -> Result<(), OpenError> {
    let opener = |trouble: Trouble| trouble.for_opener();
    let session = readers.session().await.map_err(opener)?;
    let limit = readers.answer_max();
    within(limit, check_server(&session)).await.map_err(opener)??;
    match within(limit, version(&session.client)).await.map_err(opener)? {
        VERSION => Ok(()),
        found if found > VERSION => Err(OpenError::Newer { found, known: VERSION }),
        _ => Err(OpenError::NotPrepared),
    }
}

/// The log's id, made with its tables.
pub(crate) async fn log_id(readers: &Readers) -> Result<Uuid, LogError> {
    let rows = readers.query("SELECT log_id FROM assay.meta WHERE one", &[]).await;
    let rows = rows.map_err(|trouble| trouble.for_log())?;
    let row = rows.first().ok_or_else(|| LogError::Corrupt("the log has no id".to_owned()))?;
    row.try_get(0).map_err(|error| LogError::Corrupt(crate::error::told(&error)))
}
