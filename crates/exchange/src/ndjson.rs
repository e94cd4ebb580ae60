//! Reports and claims as one JSON object a line, in the words of the API's own bodies.
//!
//! A line is `{"report": …}` ([`ReportLine`]) or `{"claim": …}` ([`ClaimLine`]). A report stands
//! before the claims that were read in it. Unknown fields are refused, not ignored.

use std::io::BufRead;

use assay_domain::claim::{ClaimKind, Materiel, Participant, Proposition, Resolution};
use assay_domain::report::{Metadata, RenditionContent, ReportKind, ToolUse};
use assay_domain::text::{Phrase, Reason};
use assay_domain::value::{
    Chain, FuzzyPlace, FuzzyTime, Hedge, HedgeLevel, Polarity, Quantity, Quote, Stance,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::LineError;
use crate::item::{AssertionItem, ClaimItem, Item, Key, Numbered, ReportItem};
use crate::lines::{Line, lines};

/// One line.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportLine {
    /// A report.
    Report(Box<ReportLine>),
    /// A claim.
    Claim(Box<ClaimLine>),
}

/// `{"report":{"key":"news-17","kind":"news","text":"…","language":"en","stated":[{"field":"title","value":"…"}]}}`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportLine {
    /// The caller's own stable key.
    pub key: Key,
    /// What kind it is.
    pub kind: ReportKind,
    /// Its text, kept byte for byte.
    pub text: String,
    /// SHA-256 of the text (UTF-8, hex), where the caller wants it checked.
    #[serde(default)]
    pub text_sha256: Option<String>,
    /// The text's language, a BCP 47 tag.
    #[serde(default)]
    pub language: Option<Phrase>,
    /// What the report states of itself.
    #[serde(default)]
    pub stated: Vec<Metadata>,
}

/// `{"claim":{"key":"news-17/1","report":"news-17","kind":"casualty","gist":"…","assertion":{…}}}`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimLine {
    /// The caller's own stable key.
    pub key: Key,
    /// The key of the report it was read in.
    pub report: Key,
    /// What kind it is.
    pub kind: ClaimKind,
    /// What is said, in one neutral sentence.
    pub gist: Reason,
    /// Whether it is put as being so; affirmed where left out.
    #[serde(default = "affirmed")]
    pub polarity: Polarity,
    /// Who takes part.
    #[serde(default)]
    pub participants: Vec<Participant>,
    /// When. A time that hangs on another claim names it by id.
    #[serde(default)]
    pub time: Option<FuzzyTime>,
    /// Where.
    #[serde(default)]
    pub places: Vec<FuzzyPlace>,
    /// How many, how much.
    #[serde(default)]
    pub quantities: Vec<Quantity>,
    /// With what.
    #[serde(default)]
    pub materiel: Vec<Materiel>,
    /// For predictions: how it will be resolved.
    #[serde(default)]
    pub resolution: Option<Resolution>,
    /// Who says so.
    #[serde(default)]
    pub assertion: Option<AssertionLine>,
}

/// `{"chain":[…],"stance":"asserts","hedge":{"level":"flat"},"polarity":"affirmed","quotes":[{"exact":"…"}]}`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssertionLine {
    /// Who says that who says it.
    pub chain: Chain,
    /// What the holder does towards the claim.
    pub stance: Stance,
    /// How strongly; flat where left out.
    #[serde(default = "flat")]
    pub hedge: Hedge,
    /// Whether it is affirmed or negated; affirmed where left out.
    #[serde(default = "affirmed")]
    pub polarity: Polarity,
    /// In which words of the report.
    pub quotes: Vec<Quote>,
    /// The narrator's evaluative words.
    #[serde(default)]
    pub editorial: Vec<Phrase>,
    /// What is to be said about this reading.
    #[serde(default)]
    pub note: Option<Reason>,
    /// The tool that proposed it.
    #[serde(default)]
    pub tool: Option<ToolUse>,
}

const fn affirmed() -> Polarity {
    Polarity::Affirmed
}

const fn flat() -> Hedge {
    Hedge { level: HedgeLevel::Flat, marker: None }
}

/// Reads a file of such lines.
pub fn read(input: impl BufRead) -> impl Iterator<Item = Result<Numbered, LineError>> {
    lines(input).map(|line| {
        let Line { number, bytes, text } = line?;
        let item = match parse(number, &text)? {
            ImportLine::Report(report) => Item::Report(Box::new(report_of(number, *report)?)),
            ImportLine::Claim(claim) => Item::Claim(Box::new(claim_of(*claim))),
        };
        Ok(Numbered { line: number, bytes, item })
    })
}

/// Reads the one JSON value of a line.
pub(crate) fn parse<T: DeserializeOwned>(number: u64, text: &str) -> Result<T, LineError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| LineError::json(number, &error))?;
    json.end().map_err(|_| {
        LineError::new(number, "json_malformed", "one JSON object a line, and nothing after it")
    })?;
    Ok(value)
}

fn report_of(number: u64, line: ReportLine) -> Result<ReportItem, LineError> {
    let content = RenditionContent::new(line.text, line.text_sha256.as_deref())
        .map_err(|refusal| LineError::refused(number, "/report", &refusal))?;
    Ok(ReportItem {
        key: line.key,
        kind: line.kind,
        content: RenditionContent { language: line.language, ..content },
        stated: line.stated,
        flags: Vec::new(),
    })
}

fn claim_of(line: ClaimLine) -> ClaimItem {
    let assertion = line.assertion.map(|said| AssertionItem {
        chain: said.chain,
        stance: said.stance,
        hedge: said.hedge,
        polarity: said.polarity,
        quotes: said.quotes,
        editorial: said.editorial,
        note: said.note,
        tool: said.tool,
    });
    let proposition = Proposition {
        gist: line.gist,
        polarity: line.polarity,
        participants: line.participants,
        time: line.time,
        places: line.places,
        quantities: line.quantities,
        materiel: line.materiel,
        resolution: line.resolution,
    };
    ClaimItem { key: line.key, report: line.report, kind: line.kind, proposition, assertion }
}
