//! The short reason a fact carries, for those who skim a history.

use assay_domain::aggregate::Event;
use assay_domain::personal::Personal;
use assay_domain::text::Reason;
use assay_domain::{
    access, case, claim, erasure, finding, link, log_key, replay, report, source, user,
};

use crate::doc::{gone, words};

/// The most characters of a reason in a history; the rest is in the document.
const WHY_CHARS_MAX: usize = 280;

/// The reason, cut short, and whether it was erased.
pub(super) fn why(event: &Event) -> (Option<String>, bool) {
    let (text, erased) = match event {
        Event::User(event) => of_user(event),
        Event::Case(event) => of_case(event),
        Event::Source(event) => of_source(event),
        Event::Report(event) => of_report(event),
        Event::Claim(event) => of_claim(event),
        Event::Link(event) => of_link(event),
        Event::Finding(event) => of_finding(event),
        Event::Access(event) => of_access(event),
        Event::Replay(event) => of_replay(event),
        Event::Erasure(event) => of_erasure(event),
        Event::Adoption(_) => NONE,
        Event::Log(event) => of_log(event),
    };
    (text.map(short), erased)
}

type Why = (Option<String>, bool);

const NONE: Why = (None, false);

fn said<T: Clone + Into<String>>(text: &Personal<T>) -> Why {
    (words(text), gone(text))
}

fn perhaps<T: Clone + Into<String>>(text: Option<&Personal<T>>) -> Why {
    text.map_or(NONE, said)
}

fn short(text: String) -> String {
    match text.char_indices().nth(WHY_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn of_user(event: &user::Event) -> Why {
    match event {
        user::Event::Suspended { reason } | user::Event::Reinstated { reason } => said(reason),
        user::Event::Registered { .. }
        | user::Event::RoleGranted { .. }
        | user::Event::RoleRevoked { .. }
        | user::Event::Cleared { .. }
        | user::Event::PasswordChanged {} => NONE,
    }
}

fn of_case(event: &case::Event) -> Why {
    match event {
        case::Event::MarkingLowered { reason, .. }
        | case::Event::Closed { outcome: reason, .. }
        | case::Event::Reopened { reason }
        | case::Event::PurposeWaived { reason } => said(reason),
        case::Event::Opened { .. }
        | case::Event::Retitled { .. }
        | case::Event::MemberAdded { .. }
        | case::Event::MemberRemoved { .. }
        | case::Event::MarkingRaised { .. }
        | case::Event::PurposeDemanded {} => NONE,
    }
}

fn of_source(event: &source::Event) -> Why {
    match event {
        source::Event::NameDropped { reason, .. }
        | source::Event::Flagged { reason, .. }
        | source::Event::Unflagged { reason, .. } => said(reason),
        source::Event::Registered { .. } | source::Event::Named { .. } => NONE,
    }
}

fn of_report(event: &report::Event) -> Why {
    match event {
        report::Event::MetadataInferred { inference } => match inference.known() {
            Some(known) => {
                let basis: Vec<&str> = known.basis.iter().map(Reason::as_str).collect();
                (Some(basis.join("; ")), false)
            }
            None => (None, true),
        },
        report::Event::MetadataCorrected { correction } => {
            let known = correction.known().map(|known| known.reason.clone().into());
            (known, gone(correction))
        }
        report::Event::SpanMarkedNoClaim { span } => {
            (span.known().map(|known| known.why.clone().into()), gone(span))
        }
        report::Event::Withdrawn { note, .. } => perhaps(note.as_ref()),
        report::Event::Filed { .. } | report::Event::RenditionAdded { .. } => NONE,
    }
}

fn of_claim(event: &claim::Event) -> Why {
    use claim::Event as E;
    match event {
        E::Refined { reason, .. }
        | E::AssertionReattributed { reason, .. }
        | E::ReliabilityAssessed { rationale: reason, .. }
        | E::CredibilityAssessed { rationale: reason, .. }
        | E::VerdictSuperseded { reason, .. }
        | E::Withdrawn { reason }
        | E::Reinstated { reason } => said(reason),
        E::AssertionWithdrawn { note, .. } | E::ReviewRequested { note, .. } => {
            perhaps(note.as_ref())
        }
        E::ReviewReturned { questions: text, .. } | E::DissentRecorded { reasons: text, .. } => {
            said(text)
        }
        E::VerdictIssued { text, .. } => {
            (text.known().map(|text| text.justification.clone().into()), gone(text))
        }
        E::Proposed { .. } | E::AssertionRecorded { .. } | E::VerdictBasisChanged { .. } => NONE,
    }
}

fn of_link(event: &link::Event) -> Why {
    match event {
        link::Event::Proposed { rationale: reason, .. }
        | link::Event::Rejected { reason }
        | link::Event::Withdrawn { reason } => said(reason),
        link::Event::Confirmed { note } => perhaps(note.as_ref()),
    }
}

fn of_finding(event: &finding::Event) -> Why {
    match event {
        finding::Event::Recorded { statement: text, .. }
        | finding::Event::Answered { answer: text } => said(text),
        finding::Event::Closed { reason, .. } | finding::Event::Reopened { reason } => said(reason),
    }
}

/// To what end was read, where it was said; of many readings the first that says so.
fn of_access(event: &access::Event) -> Why {
    match event {
        access::Event::ReadsRecorded { readings, .. } => {
            perhaps(readings.iter().find_map(|reading| reading.purpose.as_ref()))
        }
        access::Event::Exported { purpose, .. } => perhaps(purpose.as_ref()),
    }
}

fn of_replay(event: &replay::Event) -> Why {
    match event {
        replay::Event::WentTo { note, .. } => perhaps(note.as_ref()),
        replay::Event::Saved { .. } | replay::Event::Dropped {} => NONE,
    }
}

fn of_erasure(event: &erasure::Event) -> Why {
    match event {
        erasure::Event::Requested { ground: reason, .. }
        | erasure::Event::Restricted { reason }
        | erasure::Event::RestrictionLifted { reason }
        | erasure::Event::Refused { ground: reason } => said(reason),
        erasure::Event::CarriedOut { .. } => NONE,
    }
}

fn of_log(event: &log_key::Event) -> Why {
    match event {
        log_key::Event::KeyRetired { reason, .. } => said(reason),
        log_key::Event::KeyAdded { .. } => NONE,
    }
}
