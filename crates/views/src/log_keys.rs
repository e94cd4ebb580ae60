//! The keys that sign this log's checkpoints: since when each signs, and when and why it stopped.

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::id::LogId;
use assay_domain::log_key::Event;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::at::At;
use crate::db::Reader;
use crate::doc::{Deed, Remark};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables};

/// A key that signs checkpoints, or did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = LogKey))]
pub struct LogKeyDoc {
    /// Of which log.
    pub log: LogId,
    /// The public key, as signed notes write it: name, id and key.
    pub key: String,
    /// Who added it.
    pub added: Deed,
    /// Who retired it, when and why; null while it signs.
    pub retired: Option<Remark>,
}

impl Row for LogKeyDoc {
    const TABLE: &'static str = "log_keys";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[("added_at", "INTEGER NOT NULL")];
    const INDEXES: &'static [&'static str] =
        &["(added_at, id) ?open", "(added_at, id, from_pos, to_pos)"];

    fn columns(&self) -> Vec<Value> {
        vec![self.added.at.micros().into()]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.log_keys
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (AnyEvent::Log(event), Subject::Log(log)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    let name = |key: &str| Uuid::new_v5(&log.0, key.as_bytes());
    match event {
        Event::KeyAdded { key, .. } => {
            let key: String = key.clone().into();
            let row = LogKeyDoc { log, added: fact.deed(), retired: None, key };
            rows.put(name(&row.key), Of::Own, row)?;
        }
        Event::KeyRetired { key, reason } => {
            let retired = Remark::new(fact.deed(), Some(reason));
            rows.change::<LogKeyDoc>(name(key.as_str()), Of::Own, |row| {
                row.retired = Some(retired);
            })?;
        }
    }
    Ok(Took::Used)
}

/// The keys of the log, first added first. They are public: whoever has an account may know them.
pub fn page(db: &Reader, _: &Sight, at: At, cursor: Option<&Cursor>, limit: Limit) -> Result<Page> {
    List::of(LogKeyDoc::TABLE, &["added_at"]).page(db, at, cursor, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, World, head, many, sight, values};

    #[test]
    fn a_retired_key_is_still_known_and_why() {
        let mut world = World::peopled();
        world.log_keys("log+one", "log+two");
        let db = world.views();
        let all = values(&page(&db, &sight(&db, ANA), head(), None, many()).unwrap());
        assert_eq!(all.len(), 2);
        assert_eq!(
            (&all[0]["key"], &all[0]["retired"]["reason"]),
            (&"log+one".into(), &"old".into())
        );
        assert!(all[1]["retired"].is_null());
    }
}
