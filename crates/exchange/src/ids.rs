//! The same names every time: ids are derived from the case, the kind of thing and its owner's key (UUID v5).

use assay_domain::id::{AssertionId, CaseId, ClaimId, RenditionId, ReportId};
use uuid::Uuid;

use crate::item::Key;

/// The id of a thing of a case: UUID v5 in the namespace that is the case's id.
fn derived(case: CaseId, kind: &str, key: &Key) -> Uuid {
    Uuid::new_v5(&case.0, format!("import:{kind}:{}", key.as_str()).as_bytes())
}

/// The report under a key.
pub fn report(case: CaseId, key: &Key) -> ReportId {
    derived(case, "report", key).into()
}

/// The first rendition of the report under a key.
pub fn rendition(case: CaseId, report: &Key) -> RenditionId {
    derived(case, "rendition", report).into()
}

/// The claim under a key.
pub fn claim(case: CaseId, key: &Key) -> ClaimId {
    derived(case, "claim", key).into()
}

/// The assertion that comes with the claim under a key.
pub fn assertion(case: CaseId, claim: &Key) -> AssertionId {
    derived(case, "assertion", claim).into()
}

/// The command that files the report under a key.
pub fn filing(case: CaseId, report: &Key) -> Uuid {
    derived(case, "filing", report)
}

/// The command that proposes the claim under a key.
pub fn proposal(case: CaseId, claim: &Key) -> Uuid {
    derived(case, "proposal", claim)
}

/// The command that records the assertion of the claim under a key.
pub fn recording(case: CaseId, claim: &Key) -> Uuid {
    derived(case, "recording", claim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_by_case_kind_and_key_and_never_by_the_day() -> Result<(), String> {
        let key = |text: &str| Key::try_from(text.to_owned()).map_err(|e| e.to_string());
        let (one, two): (CaseId, CaseId) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
        let (a, b) = (key("a")?, key("b")?);
        assert_eq!(report(one, &a).to_string(), "b3fb11b8-d6da-57a6-bae0-a4d62065cdb0");
        assert_eq!(report(one, &a), report(one, &a));
        assert_ne!(report(one, &a), report(one, &b));
        assert_ne!(report(one, &a), report(two, &a));
        assert_ne!(report(one, &a).0, claim(one, &a).0);
        assert_ne!(filing(one, &a), report(one, &a).0);
        Ok(())
    }
}
