//! What the demo holds, read back from the views, and what to type next.

use std::io::Write;

use anyhow::Context as _;
use assay_views::cases::{self, CaseOverview};
use assay_views::claims::{self, ClaimDoc, ClaimFilter};
use assay_views::contradictions::{self, ContradictionDoc};
use assay_views::coverage::{Coverage, coverage};
use assay_views::{At, Reader, Sight};

use super::ids;
use super::people;
use super::story::Told;
use crate::open::Opened;
use crate::viewing::all;
use crate::words::table;

/// What is in the demo's case, counted.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) overview: CaseOverview,
    pub(crate) claims: Vec<ClaimDoc>,
    pub(crate) contradictions: Vec<ContradictionDoc>,
    pub(crate) coverage: Coverage,
}

/// Reads it all from the views.
pub(crate) fn count(reader: &Reader, at: At) -> anyhow::Result<Counted> {
    let (sight, case) = (Sight::house(), ids::case());
    let filter = ClaimFilter::default();
    Ok(Counted {
        overview: cases::overview(reader, &sight, at, case)?.context("the case is not there")?,
        claims: all(|cursor, limit| {
            claims::page(reader, &sight, at, case, &filter, cursor, limit)
        })?,
        contradictions: all(|cursor, limit| {
            contradictions::page(reader, &sight, at, case, Some(true), cursor, limit)
        })?,
        coverage: coverage(reader, &sight, at, ids::report(), None)?
            .context("the report is not there")?,
    })
}

impl Counted {
    /// Assertions of all claims.
    pub(crate) fn assertions(&self) -> usize {
        self.claims.iter().map(|claim| claim.assertions.len()).sum()
    }

    /// Open contradictions within one side.
    pub(crate) fn same_side(&self) -> usize {
        self.contradictions.iter().filter(|found| found.same_side).count()
    }
}

/// Prints what there is.
pub(crate) fn print(
    out: &mut impl Write,
    opened: &Opened,
    reader: &Reader,
    told: &Told,
) -> anyhow::Result<()> {
    let counted = count(reader, At::Head)?;
    let dir = opened.dir.root().display();
    let case = ids::case();
    writeln!(out, "\nThe demo is ready in {dir}.\n")?;
    what(out, &counted)?;
    match &told.refused {
        Some(refused) => {
            writeln!(
                out,
                "\nA rule at work: Ana may judge in this case, and tried her own claim."
            )?;
            writeln!(out, "  The house refused: {} ({}).", refused.words, refused.code)?;
        }
        None => writeln!(out, "\nIt had been prepared before: nothing was added.")?,
    }
    who(out)?;
    let before = told.verdict.saturating_sub(1);
    writeln!(out, "\nMoments worth replaying, of {} entries:", opened.head()?)?;
    let moments = [
        (before, "before Rao's verdict that the towns were struck"),
        (told.verdict, "after it"),
        (told.before_reattribution, "nobody knows who announced the fall of the Abu Duhur airbase"),
        (told.reattribution, "Ana has found out who did, and the verdict on it is stale"),
    ];
    for (position, what) in moments {
        writeln!(out, "  entry {position:<5} {what}")?;
    }
    writeln!(out, "\nNext:")?;
    writeln!(out, "  assay serve --data-dir {dir} --log-format text")?;
    writeln!(out, "  assay replay --data-dir {dir} --case {case}")?;
    writeln!(out, "  assay replay --data-dir {dir} --as-of {before} --case {case}")?;
    writeln!(out, "  assay replay --data-dir {dir} --as-of 2018-01-14T12:00:00Z --case {case}")?;
    writeln!(out, "  assay ledger key --data-dir {dir} > log.key")?;
    writeln!(out, "  assay verify {dir} --key log.key")?;
    writeln!(out, "  assay check --data-dir {dir}")?;
    writeln!(out, "  assay rebuild --data-dir {dir} --compare")?;
    Ok(())
}

fn what(out: &mut impl Write, counted: &Counted) -> anyhow::Result<()> {
    let Counted { overview, claims, coverage, .. } = counted;
    writeln!(out, "Case {}", overview.case)?;
    writeln!(
        out,
        "  {} report, {} claims, {} assertions, {} links",
        overview.reports,
        claims.len(),
        counted.assertions(),
        overview.links
    )?;
    writeln!(
        out,
        "  {:.0} % of the report is covered: {} of {} words",
        coverage.share * 100.0,
        coverage.words_covered,
        coverage.words_total
    )?;
    writeln!(
        out,
        "  {} open contradictions, {} of them within one side",
        counted.contradictions.len(),
        counted.same_side()
    )?;
    writeln!(out, "  {} claims wait for a reviewer", overview.queue)?;
    Ok(())
}

fn who(out: &mut impl Write) -> anyhow::Result<()> {
    let mut rows = table(&["Username", "Pass phrase", "Is"]);
    for person in people::ALL {
        rows.add_row(vec![person.username, person.password, person.does]);
    }
    writeln!(out, "\nPeople to log in as:\n{rows}")?;
    writeln!(out, "These pass phrases are public: use this directory for looking around only.")?;
    Ok(())
}
