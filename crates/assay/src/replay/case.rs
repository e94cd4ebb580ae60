//! One case as it stood: its members, reports, claims with who says what, and open contradictions.

use std::io::Write;

use assay_domain::id::CaseId;
use assay_domain::report::{Metadata, MetadataField};
use assay_views::cases::{self, CaseDoc};
use assay_views::claims::{self, ClaimDoc, ClaimFilter, VerdictDoc};
use assay_views::contradictions::{self, ContradictionDoc, ContradictionEnd};
use assay_views::reports::{self, Basis, ReportDoc, ReportFilter};
use assay_views::{At, Reader, Sight};

use crate::exit::{Exit, usage};
use crate::viewing::all;
use crate::words::{Names, gist, holder, instant, keep_ids_whole, ruled, table, word};

/// What to show, and to whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) reader: &'a Reader,
    pub(super) sight: &'a Sight,
    pub(super) at: At,
    pub(super) case: CaseId,
    pub(super) names: &'a Names,
}

/// Prints the whole case.
pub(super) fn print(out: &mut impl Write, shown: &Shown<'_>) -> anyhow::Result<Exit> {
    let found = cases::one(shown.reader, shown.sight, shown.at, shown.case)?;
    let Some(found) = found else {
        return Err(usage(format!("there was no case {} at that moment", shown.case)));
    };
    heading(out, &serde_json::from_str(&found.json)?, shown.names)?;
    print_reports(out, shown)?;
    print_claims(out, shown)?;
    print_contradictions(out, shown)?;
    Ok(Exit::Holds)
}

fn heading(out: &mut impl Write, case: &CaseDoc, names: &Names) -> anyhow::Result<()> {
    writeln!(out, "{}", case.title.as_deref().unwrap_or("(title forgotten)"))?;
    let state = if case.closed.is_some() { "closed" } else { "open" };
    let (opened, by) = (instant(case.opened.at), names.get(case.opened.by));
    writeln!(out, "{}, {state}, opened {opened} by {by}", case.marking.as_str())?;
    let members: Vec<String> = case
        .members
        .iter()
        .map(|member| {
            let roles: Vec<String> = member.roles.iter().map(word).collect();
            format!("{} ({})", names.get(member.user), roles.join(", "))
        })
        .collect();
    writeln!(out, "Members: {}", members.join("; "))?;
    Ok(())
}

fn print_reports(out: &mut impl Write, shown: &Shown<'_>) -> anyhow::Result<()> {
    let Shown { reader, sight, at, case, names } = *shown;
    let filter = ReportFilter::default();
    let found: Vec<ReportDoc> =
        all(|cursor, limit| reports::page(reader, sight, at, case, &filter, cursor, limit))?;
    writeln!(out, "\nReports: {}", found.len())?;
    if found.is_empty() {
        return Ok(());
    }
    let mut rows = table(&["Report", "Kind", "Published", "Characters", "Filed"]);
    for report in found {
        let chars = report.renditions.first().and_then(|first| first.size_chars);
        rows.add_row(vec![
            report.id.to_string(),
            word(&report.kind),
            published(&report),
            chars.map_or_else(|| "?".to_owned(), |chars| chars.to_string()),
            format!("{} by {}", instant(report.filed.at), names.get(report.filed.by)),
        ]);
    }
    keep_ids_whole(&mut rows);
    writeln!(out, "{rows}")?;
    Ok(())
}

fn published(report: &ReportDoc) -> String {
    let known = report.metadata.iter().find_map(|known| match &known.metadata {
        Some(metadata @ Metadata::Published(time))
            if metadata.field() == MetadataField::Published =>
        {
            Some((time, known.how))
        }
        _ => None,
    });
    let Some((time, how)) = known else { return "not known".to_owned() };
    let day = time.edtf.as_ref().map_or("in words only", |edtf| edtf.as_str());
    match how {
        Basis::Stated => day.to_owned(),
        Basis::Inferred => format!("{day} (inferred)"),
        Basis::Corrected => format!("{day} (corrected)"),
    }
}

fn print_claims(out: &mut impl Write, shown: &Shown<'_>) -> anyhow::Result<()> {
    let Shown { reader, sight, at, case, names } = *shown;
    let filter = ClaimFilter::default();
    let found: Vec<ClaimDoc> =
        all(|cursor, limit| claims::page(reader, sight, at, case, &filter, cursor, limit))?;
    writeln!(out, "\nClaims: {}", found.len())?;
    if found.is_empty() {
        return Ok(());
    }
    let mut rows = ruled(&["What is said", "By whom", "State", "Current verdict"]);
    for claim in &found {
        let said = claim.proposition.as_ref();
        rows.add_row(vec![
            said.map_or_else(|| "(forgotten)".to_owned(), gist),
            voices(claim),
            word(&claim.standing),
            verdict(claim, names),
        ]);
    }
    writeln!(out, "{rows}")?;
    Ok(())
}

/// One line an assertion: the side, who says it in the end, and what they do.
fn voices(claim: &ClaimDoc) -> String {
    let live = claim.assertions.iter().filter(|assertion| assertion.withdrawn.is_none());
    let lines: Vec<String> = live
        .map(|assertion| {
            let who = assertion.holder.as_ref().map_or_else(|| "(forgotten)".to_owned(), holder);
            let side = assertion.side.as_ref().map(|side| format!(" [{}]", side.as_str()));
            format!("{who}{}: {}", side.unwrap_or_default(), word(&assertion.stance))
        })
        .collect();
    if lines.is_empty() { "nobody yet".to_owned() } else { lines.join("\n") }
}

fn verdict(claim: &ClaimDoc, names: &Names) -> String {
    let current = |verdict: &&VerdictDoc| Some(verdict.id) == claim.current_verdict;
    let Some(current) = claim.verdicts.iter().find(current) else { return "none".to_owned() };
    let likely = current.likelihood.as_ref().map(|likely| format!("\n{}", likely.term));
    format!(
        "{}{}\nconfidence {}\n{}, {}",
        word(&current.outcome),
        likely.unwrap_or_default(),
        word(&current.confidence),
        names.get(current.issued.by),
        instant(current.issued.at),
    )
}

fn print_contradictions(out: &mut impl Write, shown: &Shown<'_>) -> anyhow::Result<()> {
    let Shown { reader, sight, at, case, .. } = *shown;
    let found: Vec<ContradictionDoc> = all(|cursor, limit| {
        contradictions::page(reader, sight, at, case, Some(true), cursor, limit)
    })?;
    let inside = found.iter().filter(|found| found.same_side).count();
    writeln!(out, "\nOpen contradictions: {}, of which {inside} within one side", found.len())?;
    if found.is_empty() {
        return Ok(());
    }
    let mut rows = ruled(&["One", "The other", "Why", "Within one side"]);
    for found in &found {
        rows.add_row(vec![
            end(&found.from),
            end(&found.to),
            found.rationale.clone().unwrap_or_else(|| "(forgotten)".to_owned()),
            if found.same_side { "yes" } else { "" }.to_owned(),
        ]);
    }
    writeln!(out, "{rows}")?;
    Ok(())
}

fn end(end: &ContradictionEnd) -> String {
    let who: Vec<String> = end.holders.iter().map(holder).collect();
    let stances: Vec<String> = end.stances.iter().map(word).collect();
    let gist = end.gist.as_deref().unwrap_or("(forgotten)");
    format!("{} ({}): {gist}", who.join(", "), stances.join(", "))
}
