//! Connections for reading: a bounded number, shared, and replaced when they are stale.

use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::address::Address;
use crate::error::OpenError;
use crate::options::{CONNECT_MAX, READER_WAIT_MAX, READERS_MAX};
use crate::session::{Session, Trouble, within};

/// Makes the connections of a pool.
pub(crate) struct Connector {
    address: Address,
}

impl Manager for Connector {
    type Type = Session;
    type Error = Trouble;

    async fn create(&self) -> Result<Session, Trouble> {
        Session::open(&self.address, None).await
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Trouble> {
        if session.is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}

/// The connections and how long they are waited for.
pub(crate) struct Readers {
    pool: Pool<Connector>,
    answer_max: Duration,
}

impl Readers {
    pub(crate) fn new(address: Address, answer_max: Duration) -> Result<Self, OpenError> {
        let hosts = u32::try_from(address.hosts.len()).unwrap_or(u32::MAX);
        let pool = Pool::builder(Connector { address })
            .max_size(READERS_MAX)
            .wait_timeout(Some(READER_WAIT_MAX))
            .create_timeout(Some(CONNECT_MAX.saturating_mul(hosts)))
            .runtime(Runtime::Tokio1)
            .build();
        let pool = pool.map_err(|error| OpenError::Refused(error.to_string()))?;
        Ok(Self { pool, answer_max })
    }

    pub(crate) const fn answer_max(&self) -> Duration {
        self.answer_max
    }

    /// A connection; it goes back when dropped.
    pub(crate) async fn session(&self) -> Result<Object<Connector>, Trouble> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(trouble) => trouble,
            _ => Trouble::Silent,
        })
    }

    /// Gives up a connection that failed; those that stand idle may well be as stale.
    pub(crate) fn give_up(&self, session: Object<Connector>) {
        drop(Object::take(session));
        self.pool.retain(|_, _| false);
    }

    /// What a statement that only reads answers; asked again once where the connection was stale.
    pub(crate) async fn query(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Trouble> {
        match self.query_once(sql, parameters).await {
            Err(trouble @ Trouble::Said(_)) if trouble.is_lost() => {
                self.query_once(sql, parameters).await
            }
            answer => answer,
        }
    }

    async fn query_once(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Trouble> {
        let mut session = self.session().await?;
        let answer = within(self.answer_max, session.query(sql, parameters)).await;
        if answer.is_err() {
            self.give_up(session);
        }
        if matches!(answer, Err(Trouble::Silent)) {
            self.pool.manager().address.turn();
        }
        answer
    }
}
