//! One step with all that is needed to tell it: the case as it was called then, and words for ids.

use std::collections::BTreeMap;

use assay_domain::value::Tlp;
use assay_views::steps::Step;
use uuid::Uuid;

use super::text::cut;
use crate::words::{instant, word};

/// Words for ids: people by name, claims by gist, sources by name, reports by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    ids: BTreeMap<Uuid, String>,
    /// Entries of lists by their JSON pointer in the document: `/members/0` is Ana.
    places: BTreeMap<String, Uuid>,
}

/// A longer gist is cut where it only names something.
const NAME_COLUMNS_MAX: usize = 100;

impl Known {
    /// Says what an id means.
    pub(super) fn learn(&mut self, id: Uuid, words: &str) {
        self.ids.insert(id, cut(words, NAME_COLUMNS_MAX));
    }

    /// Says what stands at a place of the document.
    pub(super) fn place(&mut self, pointer: &str, id: Uuid) {
        self.places.insert(pointer.to_owned(), id);
    }

    /// Words for what stands at a place of the document, where there are some.
    pub(super) fn at(&self, pointer: &str) -> Option<&str> {
        self.ids.get(self.places.get(pointer)?).map(String::as_str)
    }

    /// The words, with the id behind them; the id alone where nothing is known.
    pub(super) fn full(&self, id: Uuid) -> String {
        match self.ids.get(&id) {
            Some(words) => format!("{words} ({id})"),
            None => id.to_string(),
        }
    }

    /// The words; the id where nothing is known.
    pub(super) fn short(&self, id: Uuid) -> String {
        self.ids.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// Whether anything is known of an id.
    pub(super) fn knows(&self, id: Uuid) -> bool {
        self.ids.contains_key(&id)
    }
}

/// One step of a case, ready to be told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    /// The case's title as of this step.
    pub(super) title: String,
    /// Its marking as of this step.
    pub(super) marking: Tlp,
    /// Whether it was closed.
    pub(super) closed: bool,
    /// What was done.
    pub(super) step: Step,
    /// Words for ids.
    pub(super) known: Known,
}

impl Frame {
    /// "TLP:AMBER, open"
    pub(super) fn standing(&self) -> String {
        let state = if self.closed { "closed" } else { "open" };
        format!("{}, {state}", self.marking.as_str())
    }

    /// "Step 3 of 18 · entries 45–46 · 2018-01-12 09:30:00 UTC"
    pub(super) fn place(&self) -> String {
        let Step { index, of, act, .. } = &self.step;
        let entries = match (act.positions.first(), act.positions.last()) {
            (Some(first), Some(last)) if first != last => format!("entries {first}–{last}"),
            _ => format!("entry {}", act.position),
        };
        format!("Step {index} of {of} · {entries} · {}", instant(act.recorded_at))
    }

    /// "by Ana Ilić (person), on behalf of Bo"
    pub(super) fn doer(&self) -> String {
        let act = &self.step.act;
        let name = match &act.actor.profile {
            Some(profile) => profile.display_name.as_str().to_owned(),
            None => self.known.short(act.actor.id.0),
        };
        let on_behalf =
            act.on_behalf_of.map(|user| format!(", on behalf of {}", self.known.short(user.0)));
        format!("by {name} ({}){}", word(&act.actor_kind), on_behalf.unwrap_or_default())
    }
}
