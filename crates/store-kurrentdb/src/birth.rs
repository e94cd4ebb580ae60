//! The stream that says which log this is, made once.

use kurrentdb::{EventData, StreamState};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::connection::Connection;
use crate::error::{OpenError, Trouble};
use crate::options::{Names, Options};

/// How streams and events are laid out; another number is not read.
const FORMAT: u32 = 1;
const EVENT: &str = "log.meta.v1";

#[derive(Serialize, Deserialize)]
struct Meta {
    format: u32,
    log_id: Uuid,
}

/// Makes what a log and a vault need at this address: one stream that names the log.
///
/// Harmless where it is there already, and where two do it at once.
///
/// # Errors
///
/// As [`OpenError`] says.
pub async fn prepare(options: &Options) -> Result<(), OpenError> {
    let names = options.names()?;
    let connection = Connection::open(options).await?;
    let log_id = random_id();
    let meta = Meta { format: FORMAT, log_id };
    let data = serde_json::to_vec(&meta).map_err(|error| OpenError::Refused(error.to_string()))?;
    let event = EventData::binary(EVENT, data.into()).id(log_id);
    match connection.append(&names.meta(), StreamState::NoStream, &[event]).await {
        Ok(_) | Err(Trouble::Moved { .. }) => {}
        Err(trouble) => return Err(trouble.into()),
    }
    log_id_at(&connection, &names).await.map(|_| ())
}

/// Which log this is.
pub(crate) async fn log_id_at(connection: &Connection, names: &Names) -> Result<Uuid, OpenError> {
    let page = connection.page_of(&names.meta(), crate::reads::From::Forward(0), 1).await?;
    let first = page.events.first().ok_or(OpenError::NotPrepared)?;
    let meta: Option<Meta> = serde_json::from_slice(&first.data).ok();
    let meta = meta.filter(|_| first.name == EVENT);
    let meta =
        meta.ok_or_else(|| OpenError::Corrupt(format!("{} cannot be read", names.meta())))?;
    if meta.format == FORMAT {
        Ok(meta.log_id)
    } else {
        let what = format!("the log has format {}; this program reads {FORMAT}", meta.format);
        Err(OpenError::Refused(what))
    }
}

/// A random UUID (version 4).
pub(crate) fn random_id() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}
