//! The demo's ids: derived from words, so that preparing it twice names the same things.

use assay_domain::id::{
    AssertionId, CaseId, ClaimId, LinkId, RenditionId, ReportId, SourceId, UserId, VerdictId,
};
use uuid::Uuid;

fn of(kind: &str, key: &str) -> Uuid {
    let name = format!("https://assay.invalid/demo/{kind}/{key}");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
}

/// A person of the demo.
pub(crate) fn user(name: &str) -> UserId {
    of("user", name).into()
}

/// The demo's case.
pub(crate) fn case() -> CaseId {
    of("case", "idlib-2018").into()
}

/// A source of the demo.
pub(crate) fn source(key: &str) -> SourceId {
    of("source", key).into()
}

/// The demo's report.
pub(crate) fn report() -> ReportId {
    of("report", "counter-attack").into()
}

/// Its text as filed.
pub(crate) fn rendition() -> RenditionId {
    of("rendition", "counter-attack").into()
}

/// A claim by its key in the file.
pub(crate) fn claim(key: &str) -> ClaimId {
    of("claim", key).into()
}

/// An assertion by its key in the file.
pub(crate) fn assertion(key: &str) -> AssertionId {
    of("assertion", key).into()
}

/// A link by its ends and type.
pub(crate) fn link(key: &str) -> LinkId {
    of("link", key).into()
}

/// A verdict by its claim and number.
pub(crate) fn verdict(key: &str) -> VerdictId {
    of("verdict", key).into()
}

/// The name of a command, from what it does.
pub(crate) fn command(key: &str) -> Uuid {
    of("command", key)
}
