//! A step told in lines: what was done, why, what it rested on, what it changed.

use assay_views::steps::{Act, Basis, Pinned, StepFact};

use super::difference::difference;
use super::frame::{Frame, Known};
use super::text::{Line, Tone};
use crate::words::{instant, word};

/// What stands under a heading.
const INDENT: &str = "  ";
/// What belongs to the line above it.
const FURTHER: &str = "    ";

/// Everything a step says, under four headings.
pub(super) fn tell(frame: &Frame) -> Vec<Line> {
    let mut lines = vec![heading("WHAT")];
    lines.extend(what(&frame.step.act, &frame.known));
    lines.extend([Line::empty(), heading("WHY")]);
    lines.extend(why(&frame.step.act));
    lines.extend([Line::empty(), heading("BASIS")]);
    lines.extend(basis(&frame.step.basis, &frame.known));
    lines.extend([Line::empty(), heading("DIFFERENCE")]);
    lines.extend(difference(&frame.step.changes, &frame.known));
    lines
}

fn heading(text: &str) -> Line {
    Line::new(Tone::Strong, "", text)
}

fn plain(text: &str) -> Line {
    Line::new(Tone::Plain, INDENT, text)
}

fn faint(text: &str) -> Line {
    Line::new(Tone::Faint, FURTHER, text)
}

/// `claim.review_requested.v1` is "review requested": its subject is named beside it.
fn deed(wire_name: &str) -> String {
    let mut parts = wire_name.split('.');
    let subject = parts.next().unwrap_or_default();
    parts.next().unwrap_or(subject).replace('_', " ")
}

fn what(act: &Act, known: &Known) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(fact) = act.facts.first() {
        let subject = &fact.subject;
        let named = if known.knows(subject.id) {
            known.full(subject.id)
        } else {
            format!("{} {}", subject.kind, subject.id)
        };
        lines.push(plain(&named));
    }
    for fact in &act.facts {
        let StepFact { position, fact: name, revision, .. } = fact;
        lines.push(plain(&format!(
            "entry {position}: {} ({name}, revision {revision})",
            deed(name)
        )));
        if let Some(origin) = &fact.origin {
            lines.push(faint(&format!(
                "taken over from entry {} of {}, recorded there {} by {}",
                origin.position,
                origin.log,
                instant(origin.recorded_at),
                known.full(origin.actor.0)
            )));
        }
    }
    let session = act.session.map(|session| format!(", session {session}"));
    let command = format!("command {}{}", act.command, session.unwrap_or_default());
    lines.push(Line::new(Tone::Faint, INDENT, &command));
    lines
}

fn why(act: &Act) -> Vec<Line> {
    let mut lines = Vec::new();
    for fact in &act.facts {
        match (&fact.why, fact.erased) {
            (Some(why), _) => lines.push(plain(why)),
            (None, true) => lines.push(plain("The reason was erased.")),
            (None, false) => (),
        }
    }
    if lines.is_empty() {
        lines.push(Line::new(Tone::Faint, INDENT, "No reason is recorded."));
    }
    lines
}

fn basis(found: &[Basis], known: &Known) -> Vec<Line> {
    let mut lines = Vec::new();
    for one in found {
        match one {
            Basis::Assertion { claim, assertion, cited } => {
                let (said, towards) = (known.full(assertion.0), known.full(claim.0));
                lines.push(plain(&format!("assertion {said}, towards {towards}")));
                lines.extend(cited.as_ref().map(pinned));
            }
            Basis::Report { report, cited } => {
                lines.push(plain(&of_kind("report", report.0, known)));
                lines.extend(cited.as_ref().map(pinned));
            }
            Basis::Claim { claim } => lines.push(plain(&of_kind("claim", claim.0, known))),
            Basis::Link { link } => lines.push(plain(&of_kind("link", link.0, known))),
            Basis::Entry { position, log } => {
                let log = log.as_ref().map_or_else(|| "the log".to_owned(), Clone::clone);
                lines.push(plain(&format!("entry {position} of {log}")));
            }
            Basis::Words { words } => lines.push(plain(words)),
        }
    }
    if lines.is_empty() {
        let none = "Nothing is recorded that it rested on.";
        lines.push(Line::new(Tone::Faint, INDENT, none));
    }
    lines
}

fn of_kind(kind: &str, id: uuid::Uuid, known: &Known) -> String {
    if known.knows(id) { known.full(id) } else { format!("{kind} {id}") }
}

/// "cited: refutes; version 3, SHA-256 …; what it shows"
fn pinned(pin: &Pinned) -> Line {
    let note = pin.note.as_ref().map(|note| format!("; {note}"));
    faint(&format!(
        "cited: {}; version {}, SHA-256 {}{}",
        word(&pin.role),
        pin.version,
        pin.sha256,
        note.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{frame, shown};
    use super::*;

    #[test]
    fn a_step_says_what_why_on_what_and_what_it_changed() {
        let told = shown(&tell(&frame(2)), 200);
        let expected = "\
WHAT
  claim “Rebels took sixteen villages” (00000000-0000-0000-0000-00000000000c)
  entry 6: review requested (claim.review_requested.v1, revision 2)
  command 00000000-0000-0000-0000-0000000000c2

WHY
  The figure is disputed.

BASIS
  Nothing is recorded that it rested on.

DIFFERENCE
- standing: proposed
+ standing: under_review
+ rounds 1
+   by: Ana Ilić (00000000-0000-0000-0000-00000000000a)
+   round: 1
";
        assert_eq!(told, expected);
    }

    #[test]
    fn an_erased_reason_and_a_pinned_citation_are_said() {
        let told = shown(&tell(&frame(3)), 200);
        assert!(told.contains("WHY\n  The reason was erased.\n"), "{told}");
        let cited = format!(
            "BASIS\n  assertion the army denies it (00000000-0000-0000-0000-0000000000aa), towards \
             claim “Rebels took sixteen villages” (00000000-0000-0000-0000-00000000000c)\n    \
             cited: refutes; version 1, SHA-256 {}; the denial\n",
            "ab".repeat(32)
        );
        assert!(told.contains(&cited), "{told}");
    }

    #[test]
    fn what_was_taken_over_says_from_where() {
        let told = shown(&tell(&frame(1)), 200);
        let from = "    taken over from entry 17 of other.example/log, recorded there \
                    2018-01-11 08:00:00 UTC by 00000000-0000-0000-0000-00000000000f\n";
        assert!(told.contains(from), "{told}");
    }
}
