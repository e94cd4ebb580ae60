//! The ledger against the books: RFC 6962, the C2SP texts and the published vectors of those who wrote them.

#[cfg(test)]
mod bad_proofs;
#[cfg(test)]
mod checkpoints;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod proof_files;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tiles;
#[cfg(test)]
mod witnesses;
