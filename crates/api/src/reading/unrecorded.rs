//! The routes whose answers are not readings, each with its reason; whatever is not named here is recorded.

/// Every `GET` that leaves no reading, and why.
pub const UNRECORDED: &[(&str, &str)] = &[
    ("/.well-known/jwks.json", "public keys, told to anybody"),
    ("/health/live", "tells of the house, not of a case"),
    ("/health/ready", "tells of the house, not of a case"),
    ("/api/v1/me", "one's own account"),
    ("/api/v1/me/sessions", "one's own sessions"),
    ("/api/v1/imports/{import}", "tells the importer of their own file"),
    ("/ledger/checkpoint", "hashes of the whole log, which name nothing in it"),
    ("/ledger/tile/{level}/{path}", "hashes of the whole log, which name nothing in it"),
    ("/api/v1/ledger/keys", "public keys, told to anybody"),
    ("/api/v1/ledger/checkpoints", "hashes of the whole log, which name nothing in it"),
    ("/api/v1/ledger/checkpoints/{size}", "hashes of the whole log, which name nothing in it"),
    ("/api/v1/ledger/consistency", "hashes of the whole log, which name nothing in it"),
];

/// What a part of a route says that takes the rest of a path; the document does not.
const REST: &str = ":.*}";

/// Whether the answers of a route are recorded.
pub(super) fn recorded(route: &str) -> bool {
    let named = |route: &str| UNRECORDED.iter().any(|(unrecorded, _)| *unrecorded == route);
    if route.ends_with(REST) { !named(&route.replace(REST, "}")) } else { !named(route) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exception_is_named_once() {
        let routes: std::collections::BTreeSet<_> = UNRECORDED.iter().map(|(at, _)| at).collect();
        assert_eq!(routes.len(), UNRECORDED.len());
    }

    #[test]
    fn what_is_not_named_is_recorded() {
        assert!(!recorded("/api/v1/me") && !recorded("/ledger/tile/{level}/{path:.*}"));
        assert!(recorded("/api/v1/me/reads") && recorded("/ledger/tile/entries/{path:.*}"));
        assert!(recorded("/api/v1/whatever/comes/{next}"));
    }
}
