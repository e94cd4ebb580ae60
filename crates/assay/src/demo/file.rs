//! The demo case as it stands in `demo/case.json`: keys instead of ids, otherwise the domain's own shapes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use assay_domain::claim::{ClaimKind, Materiel, Participant, Proposition, Resolution};
use assay_domain::link::{End, LinkType};
use assay_domain::text::{Passage, Phrase, Reason, Title};
use assay_domain::value::{
    Chain, Edtf, FuzzyPlace, FuzzyTime, Hedge, Order, Polarity, Quantity, Quote, Stance,
    TimeAnchor, TimeOrder,
};
use serde::Deserialize;

use super::ids;

/// The text of the report.
pub(crate) const REPORT: &str = include_str!("../../demo/report.txt");
const CASE: &str = include_str!("../../demo/case.json");

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    pub(crate) title: Title,
    pub(crate) mandate: Passage,
    pub(crate) published: Published,
    pub(crate) claims: Vec<ClaimIn>,
    pub(crate) assertions: Vec<AssertionIn>,
    pub(crate) links: Vec<LinkIn>,
    #[serde(rename = "gaps")]
    _gaps: Vec<serde::de::IgnoredAny>,
}

/// When the report appeared, and why one thinks so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Published {
    pub(crate) edtf: Edtf,
    pub(crate) basis: Vec<Reason>,
}

/// A claim; other claims are named by key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimIn {
    pub(crate) key: String,
    pub(crate) kind: ClaimKind,
    gist: Reason,
    polarity: Polarity,
    participants: Vec<Participant>,
    time: Option<TimeIn>,
    place: Option<FuzzyPlace>,
    #[serde(default)]
    more_places: Vec<FuzzyPlace>,
    #[serde(default)]
    quantities: Vec<Quantity>,
    #[serde(default)]
    materiel: Vec<Materiel>,
    resolution: Option<Resolution>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeIn {
    edtf: Option<Edtf>,
    verbatim: Option<Phrase>,
    anchor: Option<TimeAnchor>,
    zone: Option<Phrase>,
    date_precision: Option<u8>,
    relative: Option<OrderIn>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderIn {
    rel: Order,
    to: String,
}

/// An assertion towards a claim.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssertionIn {
    pub(crate) key: String,
    pub(crate) claim: String,
    pub(crate) chain: Chain,
    pub(crate) stance: Stance,
    pub(crate) hedge: Hedge,
    pub(crate) polarity: Polarity,
    pub(crate) quotes: Vec<Quote>,
    #[serde(default)]
    pub(crate) editorial: Vec<Phrase>,
    pub(crate) note: Option<Reason>,
}

/// A link between two assertions, each named by key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkIn {
    pub(crate) from: String,
    #[serde(rename = "type")]
    pub(crate) kind: LinkType,
    pub(crate) to: String,
    pub(crate) why: Reason,
    #[serde(default)]
    pub(crate) tentative: bool,
}

impl CaseFile {
    /// Reads the file that is compiled in.
    pub(crate) fn read() -> anyhow::Result<Self> {
        serde_json::from_str(CASE).context("reading demo/case.json")
    }

    /// The claims, those that a time hangs on before those whose time hangs on them.
    pub(crate) fn claims_in_order(&self) -> anyhow::Result<Vec<&ClaimIn>> {
        let mut done = BTreeSet::new();
        let mut ordered = Vec::with_capacity(self.claims.len());
        let mut waiting: Vec<&ClaimIn> = self.claims.iter().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|claim| {
                let ready = claim.hangs_on().is_none_or(|key| done.contains(key));
                if ready {
                    done.insert(claim.key.as_str());
                    ordered.push(*claim);
                }
                !ready
            });
            if waiting.len() == before {
                bail!("the times of {} claims hang on each other", waiting.len());
            }
        }
        Ok(ordered)
    }

    /// One assertion by its key.
    pub(crate) fn assertion(&self, key: &str) -> anyhow::Result<&AssertionIn> {
        let found = self.assertions.iter().find(|assertion| assertion.key == key);
        found.with_context(|| format!("demo/case.json has no assertion {key}"))
    }

    /// The end of a link: an assertion and the claim it is about.
    pub(crate) fn end(&self, key: &str) -> anyhow::Result<End> {
        let assertion = self.assertion(key)?;
        Ok(End { claim: ids::claim(&assertion.claim), assertion: Some(ids::assertion(key)) })
    }

    /// How often each pair of ends is linked, so that each link has a name of its own.
    pub(crate) fn link_keys(&self) -> Vec<(String, &LinkIn)> {
        let mut seen = BTreeMap::new();
        let name = |link: &LinkIn| format!("{}-{:?}-{}", link.from, link.kind, link.to);
        self.links
            .iter()
            .map(|link| {
                let count: &mut u32 = seen.entry(name(link)).or_default();
                *count += 1;
                (format!("{}-{count}", name(link)), link)
            })
            .collect()
    }
}

impl ClaimIn {
    fn hangs_on(&self) -> Option<&str> {
        Some(self.time.as_ref()?.relative.as_ref()?.to.as_str())
    }

    /// What is said, with ids for keys.
    pub(crate) fn proposition(&self) -> Proposition {
        Proposition {
            gist: self.gist.clone(),
            polarity: self.polarity,
            participants: self.participants.clone(),
            time: self.time.clone().map(TimeIn::with_ids),
            places: self.place.iter().chain(&self.more_places).cloned().collect(),
            quantities: self.quantities.clone(),
            materiel: self.materiel.clone(),
            resolution: self.resolution.clone(),
        }
    }
}

impl TimeIn {
    fn with_ids(self) -> FuzzyTime {
        let order = |order: OrderIn| TimeOrder { rel: order.rel, to: ids::claim(&order.to) };
        FuzzyTime {
            edtf: self.edtf,
            verbatim: self.verbatim,
            anchor: self.anchor,
            zone: self.zone,
            date_precision: self.date_precision,
            relative: self.relative.map(order),
            ..FuzzyTime::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_what_it_promises() {
        let file = CaseFile::read().unwrap();
        assert_eq!((file.claims.len(), file.assertions.len(), file.links.len()), (53, 56, 42));
        assert_eq!(file.claims_in_order().unwrap().len(), 53);
        for (_, link) in file.link_keys() {
            assert!(file.end(&link.from).is_ok() && file.end(&link.to).is_ok());
        }
    }
}
