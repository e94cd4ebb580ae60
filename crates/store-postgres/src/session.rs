//! One connection to the server that takes writes, set up so that nothing rests on the server's defaults.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use assay_store::log::LogError;
use assay_store::vault::VaultError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::Address;
use crate::error::{Kind, OpenError, kind, log_error, open_error, told, vault_error};
use crate::options::{CONNECT_MAX, HELD_TURN_MAX, TURN_MAX};

/// Counts what happened in the log, to wake who waits for it; how far it counts says nothing.
pub(crate) type Wake = Arc<watch::Sender<u64>>;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nothing came within the limit.
    Silent,
    /// The connection or the server said so.
    Said(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Said(error)
    }
}

impl Trouble {
    /// Whether another connection may fare better.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Silent => true,
            Self::Said(error) => kind(error) == Kind::Lost,
        }
    }

    /// What it means to the log's caller, where nothing was written.
    pub(crate) fn for_log(&self) -> LogError {
        match self {
            Self::Silent => {
                tracing::debug!("PostgreSQL does not answer");
                LogError::Unavailable { outcome_unknown: false }
            }
            Self::Said(error) => log_error(error),
        }
    }

    pub(crate) fn for_vault(&self) -> VaultError {
        match self {
            Self::Silent => VaultError::Unavailable("PostgreSQL does not answer".to_owned()),
            Self::Said(error) => vault_error(error),
        }
    }

    pub(crate) fn for_opener(&self) -> OpenError {
        match self {
            Self::Silent => OpenError::Unreachable("it does not answer".to_owned()),
            Self::Said(error) => open_error(error),
        }
    }

    pub(crate) fn told(&self) -> String {
        match self {
            Self::Silent => "it does not answer".to_owned(),
            Self::Said(error) => told(error),
        }
    }
}

/// Waits for an answer, but not for ever.
pub(crate) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(Trouble::Said),
        Err(_) => Err(Trouble::Silent),
    }
}

/// A connection and the task that moves its bytes; dropped, it is closed at once.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    /// Warnings that the server sent, counted before the answer that follows them.
    warnings: Arc<AtomicU64>,
    statements: HashMap<&'static str, Statement>,
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // A server that is silent would keep the task for as long as it likes.
        self.driver.abort();
    }
}

impl Session {
    /// Connects to the first host that takes writes.
    pub(crate) async fn open(address: &Address, wake: Option<&Wake>) -> Result<Self, Trouble> {
        let mut told: Option<Trouble> = None;
        for (number, host) in address.in_turn() {
            let opened = match &address.tls {
                Some(tls) => {
                    within(CONNECT_MAX, Box::pin(Self::open_verified(host, tls.clone(), wake)))
                        .await
                }
                None => within(CONNECT_MAX, Box::pin(Self::open_plain(host, wake))).await,
            };
            match opened {
                Ok(session) => {
                    address.takes_writes(number);
                    return Ok(session);
                }
                // Of several hosts, one that answers says more than one that does not.
                Err(trouble) if told.as_ref().is_none_or(Trouble::is_lost) => told = Some(trouble),
                Err(_) => {}
            }
        }
        Err(told.unwrap_or(Trouble::Silent))
    }

    async fn open_verified(
        host: &Config,
        tls: MakeRustlsConnect,
        wake: Option<&Wake>,
    ) -> Result<Self, Error> {
        let (client, connection) = host.connect(tls).await?;
        Self::set_up(client, connection, wake).await
    }

    async fn open_plain(host: &Config, wake: Option<&Wake>) -> Result<Self, Error> {
        let (client, connection) = host.connect(NoTls).await?;
        Self::set_up(client, connection, wake).await
    }

    async fn set_up<S, T>(
        client: Client,
        connection: Connection<S, T>,
        wake: Option<&Wake>,
    ) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let warnings = Arc::new(AtomicU64::new(0));
        let driver = tokio::spawn(drive(connection, Arc::clone(&warnings), wake.cloned()));
        let session = Self { client, warnings, statements: HashMap::new(), driver };
        session.client.batch_execute(&settings()).await?;
        Ok(session)
    }

    pub(crate) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Acquire)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The statement, prepared when it is asked for the first time.
    pub(crate) async fn prepared(&mut self, sql: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    pub(crate) async fn query(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.prepared(sql).await?;
        self.client.query(&statement, parameters).await
    }
}

/// What every connection is told first.
///
/// - An acknowledged commit is on disk, and on the standby where there is one to wait for.
/// - No statement is cancelled while a commit may be under way; waiting for a lock is limited, and
///   who holds one and falls silent loses it.
/// - Plans are by index whatever the statistics say: they are made once, of a table that then grows.
fn settings() -> String {
    format!(
        "SET client_min_messages = warning;
         SET statement_timeout = 0;
         SET lock_timeout = '{TURN_MAX}';
         SET idle_in_transaction_session_timeout = '{HELD_TURN_MAX}';
         SET default_transaction_isolation = 'read committed';
         SET plan_cache_mode = force_generic_plan;
         SET enable_seqscan = off;
         SET enable_bitmapscan = off;
         SET jit = off;
         SELECT set_config('synchronous_commit', 'on', false)
         WHERE current_setting('synchronous_commit') IN ('off', 'local')"
    )
}

/// Moves the connection's bytes until it ends, and hears what the server says unasked.
async fn drive<S, T>(mut connection: Connection<S, T>, warnings: Arc<AtomicU64>, wake: Option<Wake>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => {
                let severity = notice.parsed_severity();
                // Who cannot tell how bad it is takes it for bad.
                if matches!(severity, Some(Severity::Warning) | None) {
                    warnings.fetch_add(1, Ordering::AcqRel);
                    let code = notice.code().code();
                    tracing::warn!(code, message = notice.message(), "PostgreSQL warns");
                }
            }
            Ok(AsyncMessage::Notification(_)) => {
                if let Some(wake) = &wake {
                    wake.send_modify(|count| *count = count.wrapping_add(1));
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(error = told(&error), "a connection to PostgreSQL ended");
                return;
            }
        }
    }
}
