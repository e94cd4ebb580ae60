//! What a reader is told: line by line what holds, what does not and what was not checked, in words.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// What can be checked of a bundle or of a mirror. The names are for ever: other verifiers use them too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The file has exactly the members it may have, whole and within the limits.
    Container,
    /// The manifest is well formed and agrees with the rest.
    Manifest,
    /// The checkpoint is signed by a key of the caller's.
    Signature,
    /// The checkpoint is of the log that key belongs to.
    Origin,
    /// Enough of the caller's witnesses have cosigned.
    Witnesses,
    /// Authorities the caller trusts have put a time to the checkpoint.
    Timestamps,
    /// The log continues every older checkpoint the caller holds.
    Older,
    /// Every entry is in the log, as it stands here.
    Entries,
    /// Entries ascend, and time never goes back.
    Order,
    /// Streams of the case begin at their beginning and have no gaps.
    Streams,
    /// Every disclosed key opens what names it, and nothing is undone by it.
    Keys,
    /// What is withheld is said to be.
    Withheld,
    /// Files are what their names say.
    Evidence,
    /// Every tile of every level agrees with the leaves, and all with the root.
    Tiles,
    /// The records are those the leaves commit to.
    Records,
}

impl CheckName {
    /// The checks of a case bundle, in the order of the report.
    pub const BUNDLE: [Self; 13] = [
        Self::Container,
        Self::Manifest,
        Self::Signature,
        Self::Origin,
        Self::Witnesses,
        Self::Timestamps,
        Self::Older,
        Self::Entries,
        Self::Order,
        Self::Streams,
        Self::Keys,
        Self::Withheld,
        Self::Evidence,
    ];
    /// The checks of a mirror, in the order of the report.
    pub const MIRROR: [Self; 6] =
        [Self::Signature, Self::Origin, Self::Witnesses, Self::Older, Self::Tiles, Self::Records];

    /// The name as it is written everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Manifest => "manifest",
            Self::Signature => "signature",
            Self::Origin => "origin",
            Self::Witnesses => "witnesses",
            Self::Timestamps => "timestamps",
            Self::Older => "older",
            Self::Entries => "entries",
            Self::Order => "order",
            Self::Streams => "streams",
            Self::Keys => "keys",
            Self::Withheld => "withheld",
            Self::Evidence => "evidence",
            Self::Tiles => "tiles",
            Self::Records => "records",
        }
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails,
    /// It was not checked; the words say why.
    NotChecked,
}

/// One check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: CheckName,
    /// How it ended.
    pub state: State,
    /// The same in words.
    pub words: String,
    /// The first position where it does not hold, where it is of one.
    pub position: Option<u64>,
}

/// Everything found out about a bundle or a mirror.
///
/// **Shape** as JSON: `{"what", "holds", "position", "checks": [{"name", "state", "words", "position"}],
/// "does_not_prove": [text]}`; `position` is the first bad one, or null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was looked at, in one line.
    pub what: String,
    /// Every check there is for it, in a fixed order.
    pub checks: Vec<Check>,
    /// What nobody should conclude from it.
    pub does_not_prove: Vec<String>,
}

impl Report {
    /// A report in which nothing is checked yet.
    pub fn new(what: &str, names: &[CheckName], does_not_prove: &[&str]) -> Self {
        let words = "not looked at, because an earlier check does not hold";
        let check = |name: &CheckName| Check {
            name: *name,
            state: State::NotChecked,
            words: words.to_owned(),
            position: None,
        };
        Self {
            what: what.to_owned(),
            checks: names.iter().map(check).collect(),
            does_not_prove: does_not_prove.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    /// Whether nothing that was checked fails.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.state != State::Fails)
    }

    /// The checks that fail.
    pub fn failing(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.state == State::Fails)
    }

    /// How a check ended; none where it is not one for what was looked at.
    pub fn state_of(&self, name: CheckName) -> Option<State> {
        self.checks.iter().find(|check| check.name == name).map(|check| check.state)
    }

    /// The first bad position, where a failing check knows one.
    pub fn position(&self) -> Option<u64> {
        self.failing().filter_map(|check| check.position).min()
    }

    /// The report as plain text, at most 25 lines.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.what.clone()];
        for check in &self.checks {
            let state = match check.state {
                State::Holds => "holds",
                State::Fails => "FAILS",
                State::NotChecked => "not checked",
            };
            let place = check.position.map(|at| format!("position {at}: ")).unwrap_or_default();
            lines.push(format!("{:<10}  {state:<11}  {place}{}", check.name, check.words));
        }
        lines.push(match (self.holds(), self.position()) {
            (true, _) => "RESULT: it holds.".to_owned(),
            (false, None) => "RESULT: it does NOT hold.".to_owned(),
            (false, Some(at)) => {
                format!("RESULT: it does NOT hold; the first bad position is {at}.")
            }
        });
        lines.push("This does not prove:".to_owned());
        lines.extend(self.does_not_prove.iter().map(|text| format!("- {text}")));
        lines
    }

    /// Says that a check holds, unless it failed already.
    pub fn hold(&mut self, name: CheckName, words: impl Into<String>) {
        self.set(name, State::Holds, words.into(), None);
    }

    /// Says that a check was not made and why, unless it failed already.
    pub fn skip(&mut self, name: CheckName, words: impl Into<String>) {
        self.set(name, State::NotChecked, words.into(), None);
    }

    /// What failed once stays as it failed first.
    pub fn fail(&mut self, name: CheckName, words: impl Into<String>, position: Option<u64>) {
        self.set(name, State::Fails, words.into(), position);
    }

    fn set(&mut self, name: CheckName, state: State, words: String, position: Option<u64>) {
        let check = self.checks.iter_mut().find(|check| check.name == name);
        if let Some(check) = check.filter(|check| check.state != State::Fails) {
            *check = Check { name, state, words, position };
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Report", 5)?;
        out.serialize_field("what", &self.what)?;
        out.serialize_field("holds", &self.holds())?;
        out.serialize_field("position", &self.position())?;
        out.serialize_field("checks", &self.checks)?;
        out.serialize_field("does_not_prove", &self.does_not_prove)?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_stays_failed_and_the_first_words_stand() {
        let mut report = Report::new("x", &CheckName::BUNDLE, &[]);
        assert!(report.holds());
        report.fail(CheckName::Order, "first", Some(7));
        report.fail(CheckName::Order, "second", Some(3));
        report.hold(CheckName::Order, "all well");
        assert!(!report.holds());
        assert_eq!(report.position(), Some(7));
        assert!(report.to_string().contains("order       FAILS        position 7: first"));
    }

    #[test]
    fn names_are_written_as_json_writes_them() {
        for name in CheckName::BUNDLE.iter().chain(&CheckName::MIRROR) {
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
    }
}
