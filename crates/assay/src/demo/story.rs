//! The demo's story, 11 to 14 January 2018: a case is opened, a report is read to the last word, judged, and one reading mended.

use std::collections::BTreeSet;

use anyhow::Context as _;
use assay_commands::Receipt;
use assay_domain::case::{AddMember, Brief, CaseRole, OpenCase};
use assay_domain::claim::{Claim, ProposeClaim, ReattributeAssertion, RecordAssertion};
use assay_domain::link::{ConfirmLink, ProposeLink};
use assay_domain::report::{
    FileReport, InferMetadata, Inference, Metadata, RenditionContent, ReportKind,
};
use assay_domain::source::{Descriptor, RegisterSource, SourceKind};
use assay_domain::user::ChangePassword;
use assay_domain::value::{Act, Chain, ChainLink, Directness, FuzzyTime, Holder, Scope, Tlp};

use super::file::{CaseFile, REPORT};
use super::ids;
use super::judging::{self, C01_AGAIN, C01_FIRST, C07, C19, C39, C55};
use super::people::{self, ANA, BEN, RAO};
use super::stage::{Refused, Stage};

/// What the story leads to, for the summary and the tests.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The rule that stopped Ana; nothing when the story had been told before.
    pub(crate) refused: Option<Refused>,
    /// The entry with Rao's verdict on C39.
    pub(crate) verdict: u64,
    /// The last entry before the speaker of C07 was mended.
    pub(crate) before_reattribution: u64,
    /// The last entry of that mending.
    pub(crate) reattribution: u64,
}

/// Tells the whole story. Told again, it adds nothing.
pub(crate) async fn tell(
    stage: Stage<'_>,
    file: &CaseFile,
    progress: impl Fn(&'static str),
) -> anyhow::Result<Told> {
    progress("giving five people accounts");
    stage.at("2018-01-11T18:30:00Z")?;
    for person in people::ALL {
        let key = format!("register-{}", person.username);
        stage.by_house(&key, &person.registration()?).await?;
        let key = format!("password-{}", person.username);
        let set = ChangePassword { user: ids::user(person.username) };
        stage.by_house(&key, &set).await?;
    }
    progress("opening the case and filing the report");
    open(stage, file).await?;
    file_report(stage, file).await?;
    progress("recording 53 claims and 56 assertions");
    extract(stage, file).await?;
    progress("linking and grading");
    link(stage, file).await?;
    judging::grade(stage, file).await?;
    progress("asking for review and judging");
    judging::ask_for_review(stage).await?;
    stage.at("2018-01-13T08:00:00Z")?;
    let refused = try_own_verdict(stage, file).await?;
    let verdict = judging::issue(stage, file, &C39).await?;
    judging::issue(stage, file, &C19).await?;
    judging::issue(stage, file, &C01_FIRST).await?;
    judging::issue(stage, file, &C07).await?;
    judging::issue(stage, file, &C55).await?;
    confirm(stage, file).await?;
    judging::supersede(stage, file, &C01_FIRST, &C01_AGAIN).await?;
    progress("mending a misread sentence");
    let reattribution = reattribute(stage).await?;
    Ok(Told {
        refused,
        verdict: position(&verdict)?,
        before_reattribution: before(&reattribution)?,
        reattribution: position(&reattribution)?,
    })
}

fn position(receipt: &Receipt) -> anyhow::Result<u64> {
    receipt.position.context("the journal does not show what was just written")
}

/// The position before the first of a command's facts: they stand together.
fn before(receipt: &Receipt) -> anyhow::Result<u64> {
    let facts = u64::try_from(receipt.event_ids.len())?;
    Ok(position(receipt)?.saturating_sub(facts))
}

async fn open(stage: Stage<'_>, file: &CaseFile) -> anyhow::Result<()> {
    stage.at("2018-01-11T19:00:00Z")?;
    let brief = Brief { title: file.title.clone(), mandate: Some(file.mandate.clone()) };
    let open = OpenCase { case: ids::case(), brief, marking: Tlp::Amber };
    stage.act(ANA, "open", &open).await?;
    // A small team: Ana may judge too, and will see why that does not help her with her own work.
    let all = [CaseRole::CaseLead, CaseRole::Analyst, CaseRole::Reviewer];
    for (person, roles) in
        [(ANA, all.as_slice()), (RAO, &[CaseRole::Reviewer]), (BEN, &[CaseRole::Analyst])]
    {
        let roles: BTreeSet<CaseRole> = roles.iter().copied().collect();
        let add = AddMember { case: ids::case(), user: ids::user(person.username), roles };
        stage.act(ANA, &format!("member-{}", person.username), &add).await?;
    }
    register(
        stage,
        "airwars",
        "Airwars",
        "https://airwars.org",
        "Monitors civilian harm from air strikes; compiles incidents from local reports.",
    )
    .await?;
    register(
        stage,
        "snhr",
        "Syrian Network for Human Rights",
        "https://snhr.org",
        "Documents violations in Syria; compiles reports of its own network of members.",
    )
    .await
}

async fn register(
    stage: Stage<'_>,
    key: &str,
    name: &str,
    url: &str,
    description: &str,
) -> anyhow::Result<()> {
    let descriptor = Descriptor {
        name: name.to_owned().try_into()?,
        url: Some(url.to_owned().try_into()?),
        language: Some("en".to_owned().try_into()?),
        description: Some(description.to_owned().try_into()?),
    };
    let command =
        RegisterSource { source: ids::source(key), kind: SourceKind::Organisation, descriptor };
    stage.act(ANA, &format!("source-{key}"), &command).await?;
    Ok(())
}

async fn file_report(stage: Stage<'_>, file: &CaseFile) -> anyhow::Result<()> {
    stage.at("2018-01-12T15:00:00Z")?;
    let mut content = RenditionContent::new(REPORT.to_owned(), None)?;
    content.language = Some("en".to_owned().try_into()?);
    let filed = FileReport {
        case: ids::case(),
        report: ids::report(),
        kind: ReportKind::News,
        rendition: ids::rendition(),
        content,
        stated: vec![],
        flags: vec![],
    };
    stage.act(ANA, "file", &filed).await?;
    let published = FuzzyTime::plain(file.published.edtf.clone());
    let inference =
        Inference { metadata: Metadata::Published(published), basis: file.published.basis.clone() };
    stage.act(ANA, "infer-published", &InferMetadata { report: ids::report(), inference }).await?;
    Ok(())
}

async fn extract(stage: Stage<'_>, file: &CaseFile) -> anyhow::Result<()> {
    stage.at("2018-01-12T15:20:00Z")?;
    for claim in file.claims_in_order()? {
        let propose = ProposeClaim {
            case: ids::case(),
            claim: ids::claim(&claim.key),
            kind: claim.kind,
            proposition: claim.proposition(),
            flags: vec![],
        };
        stage.act(ANA, &format!("claim-{}", claim.key), &propose).await?;
    }
    for assertion in &file.assertions {
        let record = RecordAssertion {
            claim: ids::claim(&assertion.claim),
            assertion: ids::assertion(&assertion.key),
            report: ids::report(),
            chain: assertion.chain.clone(),
            stance: assertion.stance,
            hedge: assertion.hedge.clone(),
            polarity: assertion.polarity,
            quotes: assertion.quotes.clone(),
            editorial: assertion.editorial.clone(),
            note: assertion.note.clone(),
            tool: None,
        };
        stage.act(ANA, &format!("assertion-{}", assertion.key), &record).await?;
    }
    Ok(())
}

async fn link(stage: Stage<'_>, file: &CaseFile) -> anyhow::Result<()> {
    stage.at("2018-01-12T16:45:00Z")?;
    for (key, link) in file.link_keys() {
        let propose = ProposeLink {
            case: ids::case(),
            link: ids::link(&key),
            from: file.end(&link.from)?,
            kind: link.kind,
            to: file.end(&link.to)?,
            tentative: link.tentative,
            rationale: link.why.clone(),
        };
        stage.act(ANA, &format!("link-{key}"), &propose).await?;
    }
    Ok(())
}

/// Ana proposed C39 and recorded its assertion: the house does not let her judge it.
async fn try_own_verdict(stage: Stage<'_>, file: &CaseFile) -> anyhow::Result<Option<Refused>> {
    let claim = stage.house.load::<Claim>(ids::claim("C39").0).await?;
    if claim.state.current.is_some() {
        return Ok(None); // The story was told before; the refusal left no trace in the log.
    }
    let command = judging::verdict(file, &C39)?;
    stage.try_in_vain(ANA, "own-verdict-C39", &command).await.map(Some)
}

/// Ben agrees with what he can see for himself in the text.
async fn confirm(stage: Stage<'_>, file: &CaseFile) -> anyhow::Result<()> {
    stage.at("2018-01-13T10:00:00Z")?;
    let seen = [
        ("D40", "C01"),
        ("D40", "C03"),
        ("D40", "C19"),
        ("C41", "C01"),
        ("C09", "C01"),
        ("C38", "C02"),
        ("C20", "C19"),
    ];
    for (key, link) in file.link_keys() {
        if seen.contains(&(link.from.as_str(), link.to.as_str())) {
            let confirm = ConfirmLink { link: ids::link(&key), note: None };
            stage.act(BEN, &format!("confirm-{key}"), &confirm).await?;
        }
    }
    Ok(())
}

/// Ana reads C07 again: the sentence before names the party whose announcement it is.
async fn reattribute(stage: Stage<'_>) -> anyhow::Result<Receipt> {
    stage.at("2018-01-14T09:00:00Z")?;
    let narrator = ChainLink {
        holder: Holder::Narrator,
        side: None,
        act: Act::Asserts,
        directness: Directness::Narration,
        verb: None,
        scope: Scope::Explicit,
    };
    let basis = "The two sentences before speak of the Assad government and its allies as the \
                 side that is advancing; the subject was dropped between them.";
    let speaker = ChainLink {
        holder: Holder::Group { name: "pro-Assad forces".to_owned().try_into()? },
        side: Some("government".to_owned().try_into()?),
        act: Act::Proclaims,
        directness: Directness::Indirect,
        verb: Some("proclaimed".to_owned().try_into()?),
        scope: Scope::Inferred { basis: basis.to_owned().try_into()? },
    };
    let reason = "Misread at first: the sentence lacks its subject, but the passage has one.";
    let command = ReattributeAssertion {
        claim: ids::claim("C07"),
        assertion: ids::assertion("C07"),
        chain: Chain::try_from(vec![narrator, speaker])?,
        reason: reason.to_owned().try_into()?,
    };
    stage.act(ANA, "reattribute-C07", &command).await
}
