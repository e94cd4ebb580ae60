//! The read log: who read what, when, how often, as of which position and to what end; and what left the house.

use assay_domain::access::{Event, Reading};
use assay_domain::aggregate::Event as AnyEvent;
use assay_domain::id::{CaseId, UserId};
use assay_domain::policy::Permission;
use assay_domain::value::Digest;
use jiff::Timestamp;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::at::At;
use crate::db::Reader;
use crate::doc::{Instant, gone, words};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob, flag};

/// What kind of reading it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReadKind {
    /// Something was looked at.
    Read,
    /// A case left the house in a file.
    Export,
}

/// The file in which a case left the house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExportedFile {
    /// Its SHA-256.
    pub file: Digest,
    /// How many entries are in it.
    pub entries: u64,
    /// How many keys are disclosed in it.
    pub keys: u64,
    /// For whom; null where nobody said or it was erased.
    pub recipient: Option<String>,
}

/// The same thing read by one person, once or many times in a short while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = ReadingOf))]
pub struct ReadDoc {
    /// Which reading this is.
    pub id: Uuid,
    /// The entry that tells of it.
    pub position: u64,
    /// Whether it was looked at or taken out.
    pub kind: ReadKind,
    /// Who read.
    pub reader: UserId,
    /// In which session.
    pub session: Option<Uuid>,
    /// In which case; null where it was of the house or of many cases.
    pub case: Option<CaseId>,
    /// Which question, such as `/claims/{claim}`; null of an export.
    pub question: Option<String>,
    /// The subject it was about, where it was about one.
    pub subject: Option<Uuid>,
    /// What else was asked: filters, words searched for; null where nothing was or it was erased.
    pub asked: Option<String>,
    /// As of which position it was answered.
    pub as_of: u64,
    /// To what end; null where nobody said or it was erased.
    pub purpose: Option<String>,
    /// Whether some of its words were erased.
    pub erased: bool,
    /// When it was read first.
    pub first_at: Instant,
    /// When it was read last.
    pub last_at: Instant,
    /// How often.
    pub times: u64,
    /// The file, of an export.
    pub export: Option<ExportedFile>,
}

impl Row for ReadDoc {
    const TABLE: &'static str = "reads";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("reader", "BLOB NOT NULL"),
        ("case_id", "BLOB"),
        ("subject", "BLOB"),
        ("first_at", "INTEGER NOT NULL"),
        ("last_at", "INTEGER NOT NULL"),
        ("span", "INTEGER NOT NULL"),
        ("export", "INTEGER NOT NULL"),
    ];
    // A reading never changes: every row is open, and one index serves now and then.
    const INDEXES: &'static [&'static str] = &[
        "(last_at, id, from_pos, to_pos)",
        "(reader, last_at, id, from_pos, to_pos)",
        "(case_id, last_at, id, from_pos, to_pos)",
        "(subject, last_at, id, from_pos, to_pos)",
        "(last_at, id, from_pos, to_pos) WHERE export = 1",
        "(span)",
        "(reader, case_id, last_at, id, from_pos, to_pos)",
        "(reader, last_at, id, from_pos, to_pos) WHERE export = 1",
    ];

    fn columns(&self) -> Vec<Value> {
        let (first, last) = (self.first_at.micros(), self.last_at.micros());
        vec![
            blob(self.reader.0),
            self.case.map_or(Value::Null, |case| blob(case.0)),
            self.subject.map_or(Value::Null, blob),
            first.into(),
            last.into(),
            last.saturating_sub(first).into(),
            flag(self.kind == ReadKind::Export),
        ]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.reads
    }
}

/// The case an entry of the read log is about.
pub(crate) const fn case_of(event: &AnyEvent) -> Option<CaseId> {
    match event {
        AnyEvent::Access(Event::ReadsRecorded { case, .. }) => *case,
        AnyEvent::Access(Event::Exported { case, .. }) => Some(*case),
        _ => None,
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let AnyEvent::Access(event) = &fact.event else { return Ok(Took::Ignored) };
    match event {
        Event::ReadsRecorded { reader, readings, .. } => {
            for (index, reading) in (0_u32..).zip(readings) {
                let row = read(fact, *reader, index, reading);
                rows.put(row.id, Of::Other, row)?;
            }
        }
        Event::Exported { .. } => {
            if let Some(row) = exported(fact, event) {
                rows.put(row.id, Of::Other, row)?;
            }
        }
    }
    Ok(Took::Used)
}

/// The name of a reading: the entry that tells of it, and its place in it.
fn name(fact: &Fact, index: u32) -> Uuid {
    let place = [fact.position.to_be_bytes().as_slice(), &index.to_be_bytes()].concat();
    Uuid::new_v5(&fact.subject.id(), &place)
}

fn read(fact: &Fact, reader: UserId, index: u32, reading: &Reading) -> ReadDoc {
    let (asked, purpose) = (reading.asked.as_ref(), reading.purpose.as_ref());
    ReadDoc {
        id: name(fact, index),
        position: fact.position,
        kind: ReadKind::Read,
        reader,
        session: fact.envelope.session,
        case: case_of(&fact.event),
        question: Some(reading.question.clone().into()),
        subject: reading.subject,
        asked: asked.and_then(words),
        as_of: reading.as_of,
        purpose: purpose.and_then(words),
        erased: asked.is_some_and(gone) || purpose.is_some_and(gone),
        first_at: Instant(reading.first_at),
        last_at: Instant(reading.last_at),
        times: reading.times,
        export: None,
    }
}

fn exported(fact: &Fact, event: &Event) -> Option<ReadDoc> {
    let Event::Exported { reader, case, as_of, file, entries, keys, recipient, purpose } = event
    else {
        return None;
    };
    let recipient_gone = recipient.as_ref().is_some_and(gone);
    Some(ReadDoc {
        id: name(fact, 0),
        position: fact.position,
        kind: ReadKind::Export,
        reader: *reader,
        session: fact.envelope.session,
        case: Some(*case),
        question: None,
        subject: None,
        asked: None,
        as_of: *as_of,
        purpose: purpose.as_ref().and_then(words),
        erased: recipient_gone || purpose.as_ref().is_some_and(gone),
        first_at: fact.at(),
        last_at: fact.at(),
        times: 1,
        export: Some(ExportedFile {
            file: *file,
            entries: *entries,
            keys: *keys,
            recipient: recipient.as_ref().and_then(words),
        }),
    })
}

/// Which readings a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadFilter {
    /// Only of this reader.
    pub reader: Option<UserId>,
    /// Only in this case.
    pub case: Option<CaseId>,
    /// Only about this subject.
    pub subject: Option<Uuid>,
    /// Only what was read at or after this instant.
    pub from: Option<Timestamp>,
    /// Only what was read at or before this instant.
    pub to: Option<Timestamp>,
    /// Only what left the house in a file.
    pub exports_only: bool,
}

/// Who read what, last read first: everybody their own, auditors everything but cases out of sight.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    filter: &ReadFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    let mut list = List::of(ReadDoc::TABLE, &["last_at"])
        .descending(true)
        .only_if("t.reader = ?", filter.reader.map(|reader| blob(reader.0)))
        .only_if("t.case_id = ?", filter.case.map(|case| blob(case.0)))
        .only_if("t.subject = ?", filter.subject.map(blob));
    if sight.may(Permission::Audit) {
        let (seen, values) = sight.filter("t.case_id");
        list = list.only(format!("(t.case_id IS NULL OR {seen})"), values);
    } else {
        let own = sight.user().map_or(Value::Null, |user| blob(user.0));
        list = list.only("t.reader = ?", [own]);
    }
    if filter.exports_only {
        list = list.only("t.export = 1", []);
    }
    db.snapshot(|| within(list, db, filter)?.page(db, at, cursor, limit))
}

/// The records that hold what somebody read: for the house itself, which forgets them with their reader.
pub fn accesses_of(db: &Reader, reader: UserId) -> Result<Vec<Uuid>> {
    let mut statement = db.conn().prepare_cached(
        "SELECT DISTINCT h.subject FROM reads t JOIN history h ON h.position = t.from_pos
         WHERE t.reader = ?",
    )?;
    let bytes = reader.0.as_bytes().as_slice();
    let found = statement.query_map([bytes], |row| Ok(Uuid::from_bytes(row.get(0)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// What was read between two instants: where the first and the last time meet them.
fn within(mut list: List, db: &Reader, filter: &ReadFilter) -> Result<List> {
    if let Some(from) = filter.from {
        list = list.only("t.last_at >= ?", [from.as_microsecond().into()]);
    }
    if let Some(to) = filter.to {
        let to = to.as_microsecond();
        list = list.only("t.first_at <= ?", [to.into()]);
        // No reading lasted longer than the longest: so the index need not be read from its end.
        let mut statement = db.conn().prepare_cached("SELECT max(span) FROM reads")?;
        let longest: Option<i64> = statement.query_row([], |row| row.get(0))?;
        list = list.only("t.last_at <= ?", [to.saturating_add(longest.unwrap_or(0)).into()]);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, AUD, BEN, RAO, World, case, claim, head, many, sight, user, values};
    use crate::{changes, history};
    use assay_domain::value::Tlp;

    fn when(second: i64) -> Timestamp {
        Timestamp::from_second(1_600_000_000 + second).unwrap()
    }

    fn world() -> World {
        let mut world = World::busy();
        world.reads(1, RAO, Some(1), &[(Some(claim(1).0), 0, 4), (None, 10, 10)]);
        world.reads(2, BEN, Some(2), &[(None, 20, 30)]);
        world.reads(3, RAO, None, &[(None, 40, 40)]);
        world.export(1, ANA, 1);
        world
    }

    fn ask(db: &Reader, who: u8, filter: ReadFilter) -> Vec<serde_json::Value> {
        values(&page(db, &sight(db, who), head(), &filter, None, many()).unwrap())
    }

    #[test]
    fn auditors_see_who_read_what_and_everybody_their_own() {
        let db = world().views();
        let all = ReadFilter::default();
        assert_eq!(ask(&db, AUD, all).len(), 5);
        let own = ask(&db, RAO, all);
        assert_eq!(own.len(), 3);
        assert!(own.iter().all(|read| read["reader"] == serde_json::json!(user(RAO))));
        assert!(ask(&db, ANA, ReadFilter { reader: Some(user(RAO)), ..all }).is_empty());
        let first = own.last().unwrap();
        assert_eq!(first["question"], "/claims/{claim}");
        assert_eq!(first["subject"], serde_json::json!(claim(1)));
        assert_eq!((&first["times"], &first["kind"]), (&2.into(), &"read".into()));
        assert_eq!((&first["asked"], &first["purpose"]), (&"q=villages".into(), &"review".into()));
        let export = &ask(&db, AUD, ReadFilter { exports_only: true, ..all })[0];
        assert_eq!((&export["kind"], &export["export"]["keys"]), (&"export".into(), &2.into()));
        assert_eq!(export["export"]["recipient"], "the court");
    }

    #[test]
    fn a_list_is_narrowed_by_reader_case_subject_and_time() {
        let db = world().views();
        let all = ReadFilter::default();
        let count = |filter| ask(&db, AUD, filter).len();
        assert_eq!(count(ReadFilter { reader: Some(user(RAO)), ..all }), 3);
        assert_eq!(count(ReadFilter { case: Some(case(2)), ..all }), 1);
        assert_eq!(count(ReadFilter { subject: Some(claim(1).0), ..all }), 1);
        let between = |from, to| {
            let filter = ReadFilter { from: Some(when(from)), to: Some(when(to)), ..all };
            ask(&db, AUD, filter).len()
        };
        assert_eq!((between(0, 50), between(2, 3), between(5, 9)), (4, 1, 0));
        assert_eq!((between(4, 20), between(25, 26), between(31, 39)), (3, 1, 0));
    }

    #[test]
    fn reads_of_a_case_above_the_clearance_are_out_of_an_auditors_sight() {
        let mut world = world();
        let raised = assay_domain::case::Event::MarkingRaised { marking: Tlp::Red };
        world.on_case(1, ANA, raised);
        let db = world.views();
        assert_eq!(ask(&db, AUD, ReadFilter::default()).len(), 2);
        let log = history::page(&db, &sight(&db, AUD), head(), None, many()).unwrap();
        let told = values(&log);
        let access = told.iter().filter(|entry| entry["subject"]["kind"] == "access").count();
        assert_eq!(access, 2);
    }

    #[test]
    fn reading_is_no_part_of_the_history_of_a_case() {
        let mut world = World::busy();
        let after = world.log_head();
        world.reads(1, RAO, Some(1), &[(None, 0, 0)]);
        let db = world.views();
        let ana = sight(&db, ANA);
        let told = values(&history::of_case(&db, &ana, head(), case(1), None, many()).unwrap());
        assert!(told.iter().all(|entry| entry["subject"]["kind"] != "access"));
        assert!(changes::after(&db, &ana, case(1), after, many()).unwrap().is_empty());
        let diff = crate::diff::case(&db, &ana, case(1), after, after + 1, None, many());
        assert!(diff.unwrap().unwrap().items.is_empty());
        assert!(history::one(&db, &ana, world.log_head()).unwrap().is_none());
        let entry = history::one(&db, &sight(&db, AUD), world.log_head()).unwrap().unwrap().entry;
        assert_eq!((entry.case, entry.why.as_deref()), (Some(case(1)), Some("review")));
    }

    #[test]
    fn every_filter_has_an_index() {
        let db = world().views();
        for (condition, index) in [
            ("reader = ?1", "reads_1"),
            ("case_id = ?1", "reads_2"),
            ("subject = ?1", "reads_3"),
            ("export = 1", "reads_4"),
            ("last_at <= ?1", "reads_0"),
            ("reader = ?1 AND case_id = ?2", "reads_6"),
            ("reader = ?1 AND export = 1", "reads_7"),
        ] {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT id FROM reads WHERE {condition} \
                 ORDER BY last_at DESC, id DESC LIMIT 50"
            );
            let mut statement = db.conn().prepare(&sql).unwrap();
            let bound = statement.parameter_count();
            let plan: Vec<String> = statement
                .query_map(rusqlite::params_from_iter(vec![1; bound]), |row| row.get(3))
                .unwrap()
                .collect::<rusqlite::Result<_>>()
                .unwrap();
            assert!(plan.len() == 1 && plan[0].contains(index), "{condition}: {plan:?}");
        }
    }
}
