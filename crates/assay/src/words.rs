//! Values as people read them: `under_review` is "under review", a moment is a date and a time.

use std::collections::HashMap;
use std::io::IsTerminal as _;

use assay_domain::claim::Proposition;
use assay_domain::id::UserId;
use assay_domain::value::{Holder, Polarity};
use assay_views::db::Moment;
use assay_views::doc::Instant;
use assay_views::users::UserDoc;
use comfy_table::presets::{ASCII_FULL, ASCII_FULL_CONDENSED};
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use serde::Serialize;

/// How wide a table is where no terminal tells.
const WIDTH_CHARS: u16 = 120;

/// The wire word of a value, with spaces.
pub(crate) fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or("?").replace('_', " ")
}

/// A moment to the second.
pub(crate) fn instant(instant: Instant) -> String {
    instant.0.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// "entry 17, recorded 2018-01-12 …"
pub(crate) fn moment(moment: Moment) -> String {
    match moment.recorded_at {
        Some(at) => format!("entry {}, recorded {}", moment.position, instant(at)),
        None => "entry 0, before anything was recorded".to_owned(),
    }
}

/// Who speaks, in a word or two.
pub(crate) fn holder(holder: &Holder) -> String {
    match holder {
        Holder::Narrator => "the report itself".to_owned(),
        Holder::Source { source } => format!("source {source}"),
        Holder::Named { name } | Holder::Group { name } => name.as_str().to_owned(),
        Holder::Unnamed { description, .. } => description.as_str().to_owned(),
        Holder::Unrecoverable { .. } => "somebody the text does not name".to_owned(),
    }
}

/// The names of people by id.
#[derive(Debug)]
pub(crate) struct Names(HashMap<UserId, String>);

impl Names {
    /// From the accounts of the house.
    pub(crate) fn of(users: Vec<UserDoc>) -> Self {
        let name = |user: UserDoc| {
            let shown = user.profile.map(|profile| String::from(profile.display_name));
            (user.id, shown.unwrap_or_else(|| "somebody forgotten".to_owned()))
        };
        Self(users.into_iter().map(name).collect())
    }

    /// Somebody's name, or their id.
    pub(crate) fn get(&self, user: UserId) -> String {
        self.0.get(&user).cloned().unwrap_or_else(|| user.to_string())
    }
}

/// A gist with its polarity: "HTS took part" may be what is denied.
pub(crate) fn gist(said: &Proposition) -> String {
    let gist = said.gist.as_str();
    match said.polarity {
        Polarity::Affirmed => gist.to_owned(),
        Polarity::Negated => format!("Not so: {gist}"),
        Polarity::Unknown => format!("Not known whether: {gist}"),
        Polarity::NotAddressed => format!("Not spoken of: {gist}"),
    }
}

/// A table as wide as the terminal.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_width(WIDTH_CHARS);
    }
    table.load_style(ASCII_FULL_CONDENSED);
    table.set_header(header.to_vec());
    table
}

/// A table whose rows have several lines each.
pub(crate) fn ruled(header: &[&str]) -> Table {
    let mut table = table(header);
    table.load_style(ASCII_FULL);
    table
}

/// Keeps the first column, an id, in one piece.
pub(crate) fn keep_ids_whole(table: &mut Table) {
    if let Some(first) = table.column_mut(0) {
        first.set_constraint(ColumnConstraint::ContentWidth);
    }
}
