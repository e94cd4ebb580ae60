//! What of an entry is committed to the ledger: a compact binary record over its stored bytes.

use assay_ledger::leaf_hash;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::fact::{Envelope, NewFact};

/// The RFC 6962 hash of an entry's record.
pub type LeafHash = [u8; 32];

/// The first byte of every record; another layout gets another number.
pub const LEAF_VERSION: u8 = 1;

/// The record of entry `position`, hashed as leaf `position - 1`.
///
/// Layout, integers big-endian: version `u8` · position `u64` · revision `u64` · `recorded_at` `i64`
/// (µs) · fact id 16 bytes · actor 16 · actor kind `u8` · command 16 · correlation 16 · then
/// `on_behalf_of`, session, causation, case, each `0` or `1` + 16 bytes · request mac `0` or `1` + 16
/// bytes · stream `u16` length + bytes · name `u16` length + bytes · SHA-256 of the data.
/// At most about 650 bytes, far below the 65,535 of a tile's entry.
pub fn leaf_record(position: u64, stream: &str, revision: u64, fact: &NewFact) -> Vec<u8> {
    let e: &Envelope = &fact.envelope;
    let mut out = Vec::with_capacity(256 + stream.len() + fact.name.len());
    out.push(LEAF_VERSION);
    out.extend_from_slice(&position.to_be_bytes());
    out.extend_from_slice(&revision.to_be_bytes());
    out.extend_from_slice(&e.recorded_at.to_be_bytes());
    out.extend_from_slice(fact.id.as_bytes());
    out.extend_from_slice(e.actor.as_bytes());
    out.push(e.actor_kind.code());
    out.extend_from_slice(e.command.as_bytes());
    out.extend_from_slice(e.correlation.as_bytes());
    for id in [e.on_behalf_of, e.session, e.causation, e.case] {
        push_optional(&mut out, id.as_ref().map(Uuid::as_bytes));
    }
    push_optional(&mut out, e.request_mac.as_ref());
    push_text(&mut out, stream);
    push_text(&mut out, &fact.name);
    out.extend_from_slice(&Sha256::digest(&fact.data));
    out
}

/// The leaf of entry `position`.
pub fn leaf_of(position: u64, stream: &str, revision: u64, fact: &NewFact) -> LeafHash {
    leaf_hash(&leaf_record(position, stream, revision, fact))
}

fn push_optional(out: &mut Vec<u8>, bytes: Option<&[u8; 16]>) {
    match bytes {
        None => out.push(0),
        Some(bytes) => {
            out.push(1);
            out.extend_from_slice(bytes);
        }
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    // Names are at most 200 bytes (L8), so the length always fits.
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::ActorKind;

    fn fact() -> NewFact {
        let id = |byte| Uuid::from_bytes([byte; 16]);
        let envelope = Envelope {
            recorded_at: 1_700_000_000_000_001,
            actor: id(2),
            actor_kind: ActorKind::Service,
            on_behalf_of: Some(id(3)),
            session: None,
            command: id(4),
            causation: None,
            correlation: id(5),
            case: Some(id(6)),
            request_mac: Some([7; 16]),
        };
        NewFact { id: id(1), name: "n.v1".to_owned(), envelope, data: "{}".into() }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    /// Written by hand from the layout: proofs made today are checked against it for ever.
    #[test]
    fn the_record_has_the_bytes_it_always_had() {
        let wanted = [
            "01",                               // version
            "0000000000000102",                 // position 258
            "0000000000000003",                 // revision
            "00060a24181e4001",                 // recorded_at
            "01010101010101010101010101010101", // fact
            "02020202020202020202020202020202", // actor
            "02",                               // a service
            "04040404040404040404040404040404", // command
            "05050505050505050505050505050505", // correlation
            "01",                               // on behalf of
            "03030303030303030303030303030303",
            "00", // no session
            "00", // no causation
            "01", // case
            "06060606060606060606060606060606",
            "01", // request mac
            "07070707070707070707070707070707",
            "0003", // stream
            "732f31",
            "0004", // name
            "6e2e7631",
            // SHA-256 of the data
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        ];
        assert_eq!(hex(&leaf_record(258, "s/1", 3, &fact())), wanted.concat());
    }

    #[test]
    fn every_part_of_an_entry_changes_its_leaf() {
        let whole = leaf_of(1, "s", 0, &fact());
        let changed = |change: fn(&mut NewFact)| {
            let mut fact = fact();
            change(&mut fact);
            leaf_of(1, "s", 0, &fact)
        };
        let others = [
            leaf_of(2, "s", 0, &fact()),
            leaf_of(1, "t", 0, &fact()),
            leaf_of(1, "s", 1, &fact()),
            changed(|fact| fact.id = Uuid::nil()),
            changed(|fact| fact.name.push('x')),
            changed(|fact| fact.data = "{ }".into()),
            changed(|fact| fact.envelope.recorded_at += 1),
            changed(|fact| fact.envelope.actor = Uuid::nil()),
            changed(|fact| fact.envelope.actor_kind = ActorKind::Person),
            changed(|fact| fact.envelope.on_behalf_of = None),
            changed(|fact| fact.envelope.session = Some(Uuid::nil())),
            changed(|fact| fact.envelope.command = Uuid::nil()),
            changed(|fact| fact.envelope.causation = Some(Uuid::nil())),
            changed(|fact| fact.envelope.correlation = Uuid::nil()),
            changed(|fact| fact.envelope.case = None),
            changed(|fact| fact.envelope.request_mac = None),
        ];
        assert!(others.iter().all(|other| *other != whole));
    }
}
