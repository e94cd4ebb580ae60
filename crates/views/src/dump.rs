//! The canonical dump: every row of every table as a JSON line in one order, and a digest of it.

use std::io::Write;

use rusqlite::types::ValueRef;
use sha2::{Digest as _, Sha256};

use crate::at::{At, sql};
use crate::db::Reader;
use crate::error::{Result, ViewError};
use crate::rows::Schema;

/// One row, and the key it is ordered by.
pub(crate) struct Line {
    pub(crate) key: (Vec<u8>, i64),
    pub(crate) text: String,
}

/// The tables of the dump, in their order.
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    Schema::VERSIONED.iter().copied().chain(["origins", "history"])
}

/// Writes every row that had begun at a moment, one JSON line each; ends that came later read as open.
///
/// The dump of views of entries 1 to P is byte for byte the dump as of P of any later views.
pub fn dump_canonical(db: &Reader, at: At, out: &mut impl Write) -> Result<()> {
    db.snapshot(|| {
        for table in tables() {
            each(db, table, at, |line| {
                out.write_all(line.text.as_bytes())?;
                out.write_all(b"\n").map_err(ViewError::Io)
            })?;
        }
        Ok(())
    })
}

/// SHA-256 of the canonical dump, in lower-case hex.
pub fn digest(db: &Reader, at: At) -> Result<String> {
    struct Sink(Sha256);
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Sink(Sha256::new());
    dump_canonical(db, at, &mut sink)?;
    Ok(hex::encode(sink.0.finalize()))
}

/// The lines of one table, in memory.
pub(crate) fn lines(db: &Reader, table: &str, at: At) -> Result<Vec<Line>> {
    let mut found = Vec::new();
    each(db, table, at, |line| {
        found.push(line);
        Ok(())
    })?;
    Ok(found)
}

fn each(db: &Reader, table: &str, at: At, mut take: impl FnMut(Line) -> Result<()>) -> Result<()> {
    let position = sql(db.resolve(at)?);
    let query = if table == "history" {
        "SELECT * FROM history WHERE position <= ? ORDER BY position".to_owned()
    } else {
        format!("SELECT * FROM {table} WHERE from_pos <= ? ORDER BY id, from_pos")
    };
    let mut statement = db.conn().prepare_cached(&query)?;
    let names: Vec<String> = statement.column_names().into_iter().map(ToOwned::to_owned).collect();
    let mut rows = statement.query([position])?;
    while let Some(row) = rows.next()? {
        let mut key = (Vec::new(), 0);
        let mut fields: Vec<String> = vec![format!("\"table\":\"{table}\"")];
        for (at, name) in names.iter().enumerate() {
            let value = row.get_ref(at)?;
            let text = match (name.as_str(), value) {
                // The key only says in which order rows were written.
                ("key", _) => continue,
                ("doc", ValueRef::Text(doc)) => String::from_utf8_lossy(doc).into_owned(),
                ("to_pos", ValueRef::Integer(to)) if to > position => "null".to_owned(),
                (_, ValueRef::Integer(number)) => number.to_string(),
                (_, ValueRef::Text(text)) => serde_json::to_string(&String::from_utf8_lossy(text))?,
                (_, ValueRef::Blob(bytes)) => format!("\"{}\"", hex::encode(bytes)),
                (_, ValueRef::Real(real)) => real.to_string(),
                (_, ValueRef::Null) => "null".to_owned(),
            };
            match (name.as_str(), value) {
                ("id", ValueRef::Blob(bytes)) => key.0 = bytes.to_vec(),
                ("from_pos" | "position", ValueRef::Integer(from)) => key.1 = from,
                _ => (),
            }
            fields.push(format!("\"{name}\":{text}"));
        }
        take(Line { key, text: format!("{{{}}}", fields.join(",")) })?;
    }
    Ok(())
}
