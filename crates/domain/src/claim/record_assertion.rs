//! «They say so here, in these words.»

use uuid::Uuid;

use super::{AssertionContent, Claim, Event, PARTS_MAX, Refusal};
use crate::aggregate::{Command, Context, Found, Need};
use crate::id::{AssertionId, ClaimId, ReportId};
use crate::policy::Permission;
use crate::report::{Report, ToolUse};
use crate::text::{Phrase, Reason};
use crate::value::{Anchor, Chain, Hedge, Holder, Polarity, Quote, Stance};

/// Records somebody's stance towards a claim. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct RecordAssertion {
    /// Towards which claim.
    pub claim: ClaimId,
    /// Its name.
    pub assertion: AssertionId,
    /// In which report.
    pub report: ReportId,
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

impl RecordAssertion {
    fn content(&self, report: &Report) -> Result<AssertionContent, Refusal> {
        if self.quotes.is_empty()
            || self.quotes.len() > PARTS_MAX
            || self.editorial.len() > PARTS_MAX
        {
            return Err(Refusal::AnchorsEmpty.at("/quotes"));
        }
        let mut anchors: Vec<Anchor> = Vec::with_capacity(self.quotes.len());
        for (quote, at) in self.quotes.iter().zip(0..) {
            let anchor = report.resolve(quote).map_err(|refusal| unwrap_report(&refusal, at))?;
            anchors.push(anchor);
        }
        Ok(AssertionContent {
            chain: self.chain.clone(),
            hedge: self.hedge.clone(),
            polarity: self.polarity,
            anchors,
            editorial: self.editorial.clone(),
            note: self.note.clone(),
            tool: self.tool.clone(),
        })
    }
}

/// A report's refusal of a quote, as a refusal of this request.
fn unwrap_report(refusal: &crate::report::Refusal, at: usize) -> Refusal {
    use crate::aggregate::Refusal as _;
    let error = crate::text::ValueError::new(refusal.code(), refusal.to_string());
    Refusal::Value(error).at(format!("/quotes/{at}"))
}

impl Command for RecordAssertion {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Extract;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn needs(&self, _: &Claim, _: &Found) -> Vec<Need> {
        let source = |holder: &Holder| match holder {
            Holder::Source { source } => Some(Need::Source(*source)),
            _ => None,
        };
        let sources = self.chain.links().filter_map(|link| source(&link.holder));
        std::iter::once(Need::Report(self.report)).chain(sources).collect()
    }

    fn decide(&self, claim: &Claim, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        claim.must_stand()?;
        let report = ctx.found.report(self.report, claim.in_case);
        let report = report.ok_or_else(|| Refusal::ReportUnknown.at("/report"))?.state.as_ref();
        if report.withdrawn {
            return Err(Refusal::ReportWithdrawn.at("/report"));
        }
        known_sources(&self.chain, ctx)?;
        let content = self.content(report)?;
        if let Some(known) = claim.assertions.get(&self.assertion) {
            let same = known.report == self.report
                && known.stance == self.stance
                && known.content.as_ref() == Some(&content);
            return if same { Ok(vec![]) } else { Err(Refusal::AssertionTaken) };
        }
        Ok(vec![Event::AssertionRecorded {
            assertion: self.assertion,
            report: self.report,
            publisher: report.publisher(),
            stance: self.stance,
            content: content.into(),
        }])
    }
}

/// Refuses a chain that names a source which is not registered.
pub(super) fn known_sources(chain: &Chain, ctx: &Context) -> Result<(), Refusal> {
    for (link, at) in chain.links().zip(0..) {
        if let Holder::Source { source } = &link.holder
            && !ctx.found.sources.contains_key(source)
        {
            return Err(Refusal::SourceUnknown.at(format!("/chain/{at}/holder/source")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{proposed, recording, with_report};
    use super::*;
    use crate::aggregate::Refusal as _;
    use crate::testing::{ctx, decide_from};

    #[test]
    fn words_that_do_not_stand_there_are_refused_where_they_are_given() {
        let mut command = recording("took 17 villages");
        let refused = decide_from(&proposed(), &command, &with_report());
        assert_eq!(
            refused.map_err(|refusal| (refusal.code(), refusal.pointer())),
            Err(("anchor_not_found", Some("/quotes/0".to_owned())))
        );
        command.quotes.clear();
        let refused = decide_from(&proposed(), &command, &with_report());
        assert_eq!(refused, Err(Refusal::AnchorsEmpty.at("/quotes")));
    }

    #[test]
    fn a_report_of_another_case_is_as_good_as_none() {
        let refused = decide_from(&proposed(), &recording("16 villages"), &ctx());
        assert_eq!(refused, Err(Refusal::ReportUnknown.at("/report")));
    }

    #[test]
    fn recording_twice_is_harmless() {
        let command = recording("16 villages");
        let mut past = proposed();
        past.extend(decide_from(&past, &command, &with_report()).unwrap_or_default());
        assert_eq!(past.len(), 2);
        assert_eq!(decide_from(&past, &command, &with_report()), Ok(vec![]));
    }
}
