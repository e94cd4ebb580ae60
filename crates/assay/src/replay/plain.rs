//! The steps of a case one after the other as plain text, for a pipe.

use std::io::Write;

use super::frame::Frame;
use super::tape::{Tape, text_of};
use super::text::clean;

/// So many steps are printed where nobody says how many.
const STEPS_DEFAULT: u64 = 1_000;

/// Which steps are printed: each end is a position of the journal, and its step is among them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) from: Option<u64>,
    pub(super) to: Option<u64>,
    pub(super) limit: Option<u64>,
}

/// Prints them, and how many more there are.
pub(super) fn print(out: &mut impl Write, tape: &Tape, span: Span) -> anyhow::Result<()> {
    let limit = span.limit.unwrap_or(STEPS_DEFAULT);
    let last = match span.to {
        Some(to) => tape.holding(to)?,
        None => tape.last()?,
    };
    let first = tape.from(span.from.unwrap_or(0))?;
    let last =
        last.filter(|last| first.as_ref().is_some_and(|first| first.step.index <= last.step.index));
    let (Some(first), Some(last)) = (first, last) else {
        writeln!(out, "There is no step in that span; the case is told up to {}.", tape.end()?)?;
        return Ok(());
    };
    let title = clean(&first.title);
    writeln!(out, "{title}\n{}\nTold up to {}.", first.standing(), tape.end()?)?;
    let mut printed = 0_u64;
    let end = last.step.index;
    let (after, from) = (first.step.previous.unwrap_or(0), first.step.index);
    tape.after(after, |frame| {
        one(out, &frame)?;
        printed = printed.saturating_add(1);
        Ok(frame.step.index < end && printed < limit)
    })?;
    let left = end.saturating_sub(from).saturating_add(1).saturating_sub(printed);
    if left > 0 {
        let plural = if left == 1 { "step" } else { "steps" };
        writeln!(
            out,
            "\n{left} more {plural}: go on with a later --from, or give a greater --limit."
        )?;
    }
    Ok(())
}

fn one(out: &mut impl Write, frame: &Frame) -> anyhow::Result<()> {
    write!(out, "\n── {}", text_of(frame))?;
    Ok(())
}
