//! One transaction over a group: two round trips, the head's lock first, the commit last and never given up.

use std::collections::HashMap;
use std::time::Duration;

use assay_store::log::{Committed, LogError};
use futures_util::future::{join3, join4};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};
use uuid::Uuid;

use crate::batch::{Answer, Batch, Place, Stored, Wanted};
use crate::error::told;
use crate::rows::{Hidden, bytes, count, signed, value};
use crate::session::{Session, Trouble, within};
use crate::writer::Written;

/// Whatever the database's default is: each statement must see what was committed before it began.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
/// Who has this row has the turn; the next node waits here.
const LOCK: &str = "SELECT position, recorded_at FROM assay.head WHERE one FOR UPDATE";
const ENDS: &str = "SELECT s.stream, e.revision
    FROM unnest($1::text[]) AS s (stream) CROSS JOIN LATERAL (
        SELECT revision FROM assay.entries WHERE stream = s.stream COLLATE \"C\"
        ORDER BY revision DESC LIMIT 1) e";
const PLACES: &str =
    "SELECT id, stream, revision, position, leaf FROM assay.entries WHERE id = ANY($1)";
/// The head moves by what was inserted and by nothing else, in the same statement.
const WRITE: &str = "WITH written AS (
        INSERT INTO assay.entries (position, stream, revision, id, name, recorded_at, actor,
            actor_kind, on_behalf_of, session, command, causation, correlation, case_id,
            request_mac, leaf, data)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[],
            $6::bigint[], $7::uuid[], $8::smallint[], $9::uuid[], $10::uuid[], $11::uuid[],
            $12::uuid[], $13::uuid[], $14::uuid[], $15::bytea[], $16::bytea[], $17::bytea[])
        RETURNING 1)
    UPDATE assay.head SET position = position + (SELECT count(*) FROM written), recorded_at = $18
    WHERE one";
const NOTIFY: &str = "SELECT pg_notify('assay_head', '')";

/// How a group ended well.
pub(crate) struct Done {
    pub(crate) answers: Vec<Answer>,
    pub(crate) written: Written,
    pub(crate) is_reusable: bool,
}

/// How a group ended without answers; the connection is of no use any more.
pub(crate) enum Stopped {
    /// Nothing was written.
    Before(Trouble),
    /// The commit was asked for, and what became of it is not known.
    Unknown(String),
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Self::Before(trouble)
    }
}

struct Statements {
    lock: Statement,
    ends: Statement,
    places: Statement,
    write: Statement,
    notify: Statement,
}

impl Statements {
    async fn of(session: &mut Session) -> Result<Self, Error> {
        Ok(Self {
            lock: session.prepared(LOCK).await?,
            ends: session.prepared(ENDS).await?,
            places: session.prepared(PLACES).await?,
            write: session.prepared(WRITE).await?,
            notify: session.prepared(NOTIFY).await?,
        })
    }
}

/// Prepares what a transaction needs, so that a log which opens knows that it can write.
pub(crate) async fn prepare(session: &mut Session) -> Result<(), Error> {
    Statements::of(session).await.map(|_| ())
}

/// Commits the whole group, or nothing of it.
pub(crate) async fn transaction(
    session: &mut Session,
    limit: Duration,
    wanted: &[Wanted],
) -> Result<Done, Stopped> {
    let statements = within(limit, Statements::of(session)).await?;
    let rows = within(limit, look(session, &statements, wanted)).await?;
    let stored = match stored(&rows) {
        Ok(stored) => stored,
        Err(corrupt) => return Ok(refused(session, limit, wanted, &corrupt).await),
    };
    let mut batch = Batch::new(stored);
    let answers = batch.decide(wanted);
    if batch.lines.is_empty() && !batch.repeats {
        let is_reusable = within(limit, session.client.batch_execute("ROLLBACK")).await.is_ok();
        return Ok(Done { answers, written: Written::default(), is_reusable });
    }
    commit(session, limit, &statements, &batch).await?;
    let (appends, facts) = (batch.appends, batch.lines.len());
    let written = Written { appends, facts, is_committed: true };
    Ok(Done { answers, written, is_reusable: true })
}

/// What stands there cannot be right: nothing is added to it.
async fn refused(session: &Session, limit: Duration, wanted: &[Wanted], why: &LogError) -> Done {
    tracing::error!(error = %why, "the log's tables cannot be read");
    let is_reusable = within(limit, session.client.batch_execute("ROLLBACK")).await.is_ok();
    let answers = wanted.iter().map(|_| Err(why.clone())).collect();
    Done { answers, written: Written::default(), is_reusable }
}

struct Looked {
    head: Vec<Row>,
    ends: Vec<Row>,
    places: Vec<Row>,
}

/// Takes the turn, then reads all that the group has to do with: in one round trip, since the
/// server does one after the other and each statement sees what was committed before it began.
async fn look(
    session: &Session,
    statements: &Statements,
    wanted: &[Wanted],
) -> Result<Looked, Error> {
    let client = &session.client;
    let mut streams: Vec<&str> = wanted.iter().map(|wanted| wanted.stream.as_str()).collect();
    streams.sort_unstable();
    streams.dedup();
    let facts = wanted.iter().flat_map(|wanted| &wanted.facts);
    let ids: Vec<Uuid> = facts.map(|fact| fact.id).collect();
    // Polled in this order, so sent in this order.
    let (begun, head, ends, places) = join4(
        client.batch_execute(BEGIN),
        client.query(&statements.lock, &[]),
        client.query(&statements.ends, &[&streams]),
        client.query(&statements.places, &[&ids]),
    )
    .await;
    begun?;
    Ok(Looked { head: head?, ends: ends?, places: places? })
}

fn stored(looked: &Looked) -> Result<Stored, LogError> {
    let gone = || LogError::Corrupt("the log has no head".to_owned());
    let head = looked.head.first().ok_or_else(gone)?;
    let ends = looked.ends.iter().map(|row| Ok((value(row, 0)?, count(row, 1)?)));
    let places = looked.places.iter().map(|row| {
        let committed = Committed { position: count(row, 3)?, leaf_hash: bytes(row, 4)? };
        let place = Place { stream: value(row, 1)?, revision: count(row, 2)?, committed };
        Ok((value::<Uuid>(row, 0)?, place))
    });
    Ok(Stored {
        position: count(head, 0)?,
        recorded_at: value(head, 1)?,
        ends: ends.collect::<Result<HashMap<_, _>, LogError>>()?,
        places: places.collect::<Result<HashMap<_, _>, LogError>>()?,
    })
}

/// Writes and commits in one round trip.
///
/// An append that was asked before is answered by a commit too, though it writes nothing but the
/// head as it is: what it finds may be on this server and not yet on its standby, and a commit
/// waits for all that stood before it.
async fn commit(
    session: &Session,
    limit: Duration,
    statements: &Statements,
    batch: &Batch<'_>,
) -> Result<(), Stopped> {
    let warnings = session.warnings();
    // Sent in this order. A write that cannot even be sent leaves a commit of nothing.
    let all = join3(
        write(session, &statements.write, batch),
        session.client.query(&statements.notify, &[]),
        session.client.batch_execute("COMMIT"),
    );
    // From here on nothing but the server's answer tells what became of it.
    let Ok((written, notified, committed)) = tokio::time::timeout(limit, all).await else {
        return Err(Stopped::Unknown("the server does not answer".to_owned()));
    };
    for done in [written.map(|_| ()), notified.map(|_| ())] {
        match done {
            // The server itself says no: what follows in a failed transaction is not done either.
            Err(error) if error.as_db_error().is_some() => {
                return Err(Stopped::Before(Trouble::Said(error)));
            }
            Err(error) => return Err(Stopped::Unknown(told(&error))),
            Ok(()) => {}
        }
    }
    committed.map_err(|error| Stopped::Unknown(told(&error)))?;
    if session.warnings() != warnings {
        let why = "the server warned while it committed: it may not have waited for its standby";
        return Err(Stopped::Unknown(why.to_owned()));
    }
    Ok(())
}

/// All rows with one statement, a column at a time; with no rows the head is written as it is.
async fn write(session: &Session, statement: &Statement, batch: &Batch<'_>) -> Result<u64, Error> {
    macro_rules! column {
        ($line:ident => $value:expr) => {
            batch.lines.iter().map(|$line| $value).collect::<Vec<_>>()
        };
    }
    let columns: [&(dyn ToSql + Sync); 18] = [
        &column!(line => signed(line.position)),
        &column!(line => line.stream),
        &column!(line => signed(line.revision)),
        &column!(line => line.fact.id),
        &column!(line => line.fact.name.as_str()),
        &column!(line => line.fact.envelope.recorded_at),
        &column!(line => line.fact.envelope.actor),
        &column!(line => i16::from(line.fact.envelope.actor_kind.code())),
        &column!(line => line.fact.envelope.on_behalf_of),
        &column!(line => line.fact.envelope.session),
        &column!(line => line.fact.envelope.command),
        &column!(line => line.fact.envelope.causation),
        &column!(line => line.fact.envelope.correlation),
        &column!(line => line.fact.envelope.case),
        &column!(line => line.fact.envelope.request_mac.as_ref().map(|mac| Hidden(mac))),
        &column!(line => Hidden(&line.leaf)),
        &column!(line => Hidden(&line.fact.data)),
        &batch.stored.recorded_at,
    ];
    session.client.execute(statement, &columns).await
}
