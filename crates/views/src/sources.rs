//! Sources: what each is called in any script, what is known of it, what to beware of.

use assay_domain::aggregate::{Event, Subject};
use assay_domain::id::SourceId;
use assay_domain::policy::Permission;
use assay_domain::source::{self, SourceFlag, SourceKind};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::db::Reader;
use crate::doc::{Deed, Remark, gone, words};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, word};

/// Something to beware of in a source, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = SourceWarning))]
pub struct WarningDoc {
    /// What to beware of.
    pub flag: SourceFlag,
    /// Who says so, when and why.
    #[serde(flatten)]
    pub said: Remark,
}

/// A source of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Source))]
pub struct SourceDoc {
    /// Which.
    pub id: SourceId,
    /// What kind it is.
    pub kind: SourceKind,
    /// What it is called, first name first.
    pub names: Vec<String>,
    /// Where it is found.
    pub url: Option<String>,
    /// Its main language, a BCP 47 tag.
    pub language: Option<String>,
    /// Who owns it, whom it belongs to; access, competence, bias.
    pub description: Option<String>,
    /// Whether something of it was erased.
    pub erased: bool,
    /// What to beware of.
    pub flags: Vec<WarningDoc>,
    /// Who registered it.
    pub registered: Deed,
}

impl Row for SourceDoc {
    const TABLE: &'static str = "sources";
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("kind", "TEXT NOT NULL"), ("registered_at", "INTEGER NOT NULL")];
    const INDEXES: &'static [&'static str] =
        &["(registered_at, id) ?open", "(registered_at, id, from_pos, to_pos)"];

    fn columns(&self) -> Vec<Value> {
        vec![word(&self.kind).into(), self.registered.at.micros().into()]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.sources
    }
}

fn registered(id: SourceId, fact: &Fact, event: &source::Event) -> Option<SourceDoc> {
    let source::Event::Registered { kind, descriptor } = event else { return None };
    let known = descriptor.known().cloned();
    let text = |text: Option<assay_domain::text::Phrase>| text.map(Into::into);
    Some(SourceDoc {
        id,
        kind: *kind,
        names: known.iter().map(|known| known.name.clone().into()).collect(),
        url: known.as_ref().and_then(|known| known.url.clone()).map(Into::into),
        language: text(known.as_ref().and_then(|known| known.language.clone())),
        description: known.and_then(|known| known.description).map(Into::into),
        erased: gone(descriptor),
        flags: Vec::new(),
        registered: fact.deed(),
    })
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (Event::Source(event), Subject::Source(id)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    if let Some(row) = registered(id, fact, event) {
        rows.put(id.0, Of::Own, row)?;
        return Ok(Took::Used);
    }
    rows.change::<SourceDoc>(id.0, Of::Own, |row| match event {
        source::Event::Named { name } => {
            row.names.extend(words(name));
            row.erased |= gone(name);
        }
        source::Event::NameDropped { name, .. } => {
            let dropped = words(name);
            row.names.retain(|known| Some(known) != dropped.as_ref());
        }
        source::Event::Flagged { flag, reason } => {
            row.flags.retain(|known| known.flag != *flag);
            let said = Remark::new(fact.deed(), Some(reason));
            row.flags.push(WarningDoc { flag: *flag, said });
        }
        source::Event::Unflagged { flag, .. } => row.flags.retain(|known| known.flag != *flag),
        source::Event::Registered { .. } => (),
    })?;
    Ok(Took::Used)
}

/// One source, for those who may read the registry.
pub fn one(db: &Reader, sight: &Sight, at: At, source: SourceId) -> Result<Option<Document>> {
    if !sight.may_anywhere(Permission::ReadSources) {
        return Ok(None);
    }
    db.document(SourceDoc::TABLE, source.0, at)
}

/// The registry of sources, first registered first; of one kind where asked.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    kind: Option<SourceKind>,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sight.may_anywhere(Permission::ReadSources) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    List::of(SourceDoc::TABLE, &["registered_at"])
        .only_if("t.kind = ?", kind.map(|kind| word(&kind)))
        .page(db, at, cursor, limit)
}
