//! What an import is made of: reports and claims under their owner's own keys, checked as far as a value can be.

use assay_domain::claim::{ClaimKind, ProposeClaim, Proposition, RecordAssertion};
use assay_domain::id::CaseId;
use assay_domain::report::{FileReport, Metadata, RenditionContent, ReportKind, ToolUse};
use assay_domain::text::{Phrase, Reason, ValueError};
use assay_domain::value::{Chain, Hedge, Polarity, Quantity, QuantityFlag, Quote, Stance};
use serde::{Deserialize, Serialize};

use crate::ids;

/// The most characters a key may have.
pub const KEY_CHARS_MAX: usize = 200;

/// The owner's own stable name of a report or a claim, 1–200 characters on one line.
///
/// The same key in the same case is the same thing for ever: importing it again adds nothing. Ids
/// are derived from it without a secret, so a key should not be a person's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

impl Key {
    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Key {
    type Error = ValueError;
    fn try_from(key: String) -> Result<Self, ValueError> {
        let fits = (1..=KEY_CHARS_MAX).contains(&key.chars().count());
        if !fits || key.trim() != key || key.chars().any(char::is_control) {
            let detail = "1 to 200 characters on one line, without space around them";
            return Err(ValueError::new("key_invalid", detail));
        }
        Ok(Self(key))
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.0
    }
}

/// An item with its place in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    /// Its line, from 1; of a row over several lines the first.
    pub line: u64,
    /// How many bytes of the file were read when it was complete.
    pub bytes: u64,
    /// The item.
    pub item: Item,
}

/// One thing to record.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A report to file.
    Report(Box<ReportItem>),
    /// A claim to propose, perhaps with who says so.
    Claim(Box<ClaimItem>),
}

/// A report to file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportItem {
    /// The owner's key.
    pub key: Key,
    /// What kind it is.
    pub kind: ReportKind,
    /// Its text, byte for byte.
    pub content: RenditionContent,
    /// What it states of itself.
    pub stated: Vec<Metadata>,
    /// What is odd about it and was kept all the same.
    pub flags: Vec<Phrase>,
}

impl ReportItem {
    /// The command that files it in a case, the same every time.
    pub fn filing(&self, case: CaseId) -> FileReport {
        FileReport {
            case,
            report: ids::report(case, &self.key),
            kind: self.kind,
            rendition: ids::rendition(case, &self.key),
            content: self.content.clone(),
            stated: self.stated.clone(),
            flags: self.flags.clone(),
        }
    }
}

/// A claim to propose.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimItem {
    /// The owner's key.
    pub key: Key,
    /// The report it was read in, by its key; it stands earlier in the file or is there already.
    pub report: Key,
    /// What kind it is.
    pub kind: ClaimKind,
    /// What is said.
    pub proposition: Proposition,
    /// Who says so, and in which words.
    pub assertion: Option<AssertionItem>,
}

/// Who says a claim, and in which words of its report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionItem {
    /// Who says that who says it.
    pub chain: Chain,
    /// What the holder does towards the claim.
    pub stance: Stance,
    /// How strongly.
    pub hedge: Hedge,
    /// Whether it is affirmed or negated.
    pub polarity: Polarity,
    /// In which words.
    pub quotes: Vec<Quote>,
    /// The narrator's evaluative words.
    pub editorial: Vec<Phrase>,
    /// What is to be said about this reading.
    pub note: Option<Reason>,
    /// The tool that proposed it.
    pub tool: Option<ToolUse>,
}

impl ClaimItem {
    /// The command that proposes it in a case, the same every time; it carries what is odd about
    /// its quantities as flags.
    pub fn proposal(&self, case: CaseId) -> ProposeClaim {
        ProposeClaim {
            case,
            claim: ids::claim(case, &self.key),
            kind: self.kind,
            proposition: self.proposition.clone(),
            flags: flags(&self.proposition.quantities),
        }
    }

    /// The command that records who says so, where the item tells.
    pub fn recording(&self, case: CaseId) -> Option<RecordAssertion> {
        let assertion = self.assertion.clone()?;
        Some(RecordAssertion {
            claim: ids::claim(case, &self.key),
            assertion: ids::assertion(case, &self.key),
            report: ids::report(case, &self.report),
            chain: assertion.chain,
            stance: assertion.stance,
            hedge: assertion.hedge,
            polarity: assertion.polarity,
            quotes: assertion.quotes,
            editorial: assertion.editorial,
            note: assertion.note,
            tool: assertion.tool,
        })
    }
}

/// What is odd about quantities, in the words of [`QuantityFlag`] on the wire, each once.
pub fn flags(quantities: &[Quantity]) -> Vec<Phrase> {
    let mut found: Vec<QuantityFlag> = quantities.iter().flat_map(Quantity::flags).collect();
    found.sort_unstable();
    found.dedup();
    let word = |flag| match flag {
        QuantityFlag::LowAboveBest => "low_above_best",
        QuantityFlag::BestAboveHigh => "best_above_high",
    };
    found.into_iter().filter_map(|flag| Phrase::try_from(word(flag)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_flag_reads_back_as_the_flag() -> serde_json::Result<()> {
        let odd: Quantity = serde_json::from_str(
            r#"{"population":"people","form":{"is":"range","low":5,"high":5,"best":4}}"#,
        )?;
        let high: Quantity = serde_json::from_str(
            r#"{"population":"people","form":{"is":"range","low":1,"high":3,"best":4}}"#,
        )?;
        let words = serde_json::to_string(&flags(&[high, odd.clone(), odd]))?;
        let read: Vec<QuantityFlag> = serde_json::from_str(&words)?;
        assert_eq!(read, [QuantityFlag::LowAboveBest, QuantityFlag::BestAboveHigh]);
        Ok(())
    }

    #[test]
    fn a_key_is_one_line_without_space_around() {
        assert!(Key::try_from("дело-1 / أ".to_owned()).is_ok());
        for bad in ["", " a", "a\n", "a\tb"] {
            assert_eq!(Key::try_from(bad.to_owned()).map_err(|e| e.code), Err("key_invalid"));
        }
        assert!(Key::try_from("x".repeat(KEY_CHARS_MAX + 1)).is_err());
    }
}
