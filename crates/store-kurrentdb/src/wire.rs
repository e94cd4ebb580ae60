//! A fact as an event: its name is the event's type, its id the event's id, its bytes are left as they are.
//!
//! The envelope is a JSON object of short keys in the event's own metadata, since the server counts
//! it, with the fact's name twice, towards the 1 MiB that one append may have: with 500 facts of
//! 900 KiB in all there are some 250 bytes left for each.

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::log::Token;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use kurrentdb::EventData;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::error::Trouble;
use crate::reads::Found;

/// 16 bytes, in base64url without padding: 22 characters.
struct Sixteen([u8; 16]);

impl Serialize for Sixteen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Sixteen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(de::Error::custom)?;
        bytes.try_into().map(Self).map_err(|_| de::Error::custom("16 bytes are wanted"))
    }
}

/// The envelope as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// Microseconds since 1970 (UTC). Trap 7: the server's own time comes cut to seconds.
    #[serde(rename = "t")]
    recorded_at: i64,
    #[serde(rename = "a")]
    actor: Sixteen,
    #[serde(rename = "k")]
    actor_kind: u8,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<Sixteen>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    session: Option<Sixteen>,
    #[serde(rename = "c")]
    command: Sixteen,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    causation: Option<Sixteen>,
    #[serde(rename = "r")]
    correlation: Sixteen,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    case: Option<Sixteen>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    request_mac: Option<Sixteen>,
}

fn stored(envelope: &Envelope) -> Stored {
    let id = |id: Uuid| Sixteen(id.into_bytes());
    Stored {
        recorded_at: envelope.recorded_at,
        actor: id(envelope.actor),
        actor_kind: envelope.actor_kind.code(),
        on_behalf_of: envelope.on_behalf_of.map(id),
        session: envelope.session.map(id),
        command: id(envelope.command),
        causation: envelope.causation.map(id),
        correlation: id(envelope.correlation),
        case: envelope.case.map(id),
        request_mac: envelope.request_mac.map(Sixteen),
    }
}

fn read(stored: Stored) -> Option<Envelope> {
    let id = |id: Sixteen| Uuid::from_bytes(id.0);
    Some(Envelope {
        recorded_at: stored.recorded_at,
        actor: id(stored.actor),
        actor_kind: ActorKind::from_code(stored.actor_kind)?,
        on_behalf_of: stored.on_behalf_of.map(id),
        session: stored.session.map(id),
        command: id(stored.command),
        causation: stored.causation.map(id),
        correlation: id(stored.correlation),
        case: stored.case.map(id),
        request_mac: stored.request_mac.map(|mac| mac.0),
    })
}

/// Trap 12: ids are by chance unless they are said, so they always are.
pub(crate) fn event(fact: &NewFact) -> Result<EventData, Trouble> {
    let envelope = serde_json::to_vec(&stored(&fact.envelope))
        .map_err(|error| Trouble::Refused(error.to_string()))?;
    let event = EventData::binary(&fact.name, fact.data.clone());
    Ok(event.id(fact.id).metadata(Bytes::from(envelope)))
}

/// An event of a stream of ours, whose name begins with the prefix, as the fact it was.
pub(crate) fn recorded(prefix: &str, found: Found) -> Result<Recorded, Trouble> {
    let token = Token(found.token()?);
    let wrong =
        |what: &str| Trouble::Corrupt(format!("{} at {}: {what}", found.stream, found.revision));
    let stream =
        found.stream.strip_prefix(prefix).ok_or_else(|| wrong("not a stream of the log"))?;
    let envelope = serde_json::from_slice(&found.envelope).ok().and_then(read);
    let envelope = envelope.ok_or_else(|| wrong("the envelope cannot be read"))?;
    let stream = stream.to_owned();
    let fact = NewFact { id: found.id, name: found.name, envelope, data: found.data };
    Ok(Recorded { stream, revision: found.revision, token, fact })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(full: bool) -> Envelope {
        let id = |n: u128| Uuid::from_u128(u128::MAX - n);
        Envelope {
            recorded_at: 1_732_345_678_901_234,
            actor: id(1),
            actor_kind: ActorKind::Model,
            on_behalf_of: full.then(|| id(2)),
            session: full.then(|| id(3)),
            command: id(4),
            causation: full.then(|| id(5)),
            correlation: id(6),
            case: full.then(|| id(7)),
            request_mac: full.then_some([9; 16]),
        }
    }

    #[test]
    fn trap_7_an_envelope_comes_back_with_its_own_time_to_the_microsecond() {
        for full in [true, false] {
            let bytes = serde_json::to_vec(&stored(&envelope(full))).unwrap();
            assert_eq!(serde_json::from_slice(&bytes).ok().and_then(read), Some(envelope(full)));
            assert!(bytes.len() < 270, "{} bytes", bytes.len());
        }
    }

    /// Stored for ever: what was written once is read by every later version.
    #[test]
    fn an_envelope_is_written_as_it_always_was() {
        let text =
            String::from_utf8(serde_json::to_vec(&stored(&envelope(false))).unwrap()).unwrap();
        let wanted = r#"{"t":1732345678901234,"a":"_____________________g","k":4,"c":"____________________-w","r":"____________________-Q"}"#;
        assert_eq!(text, wanted);
    }

    #[test]
    fn an_event_that_we_did_not_write_is_refused() {
        let found = |stream: &str, envelope: &str, commit| Found {
            stream: stream.to_owned(),
            revision: 0,
            position: kurrentdb::Position { commit, prepare: 7 },
            id: Uuid::from_u128(1),
            name: "n".to_owned(),
            envelope: Bytes::copy_from_slice(envelope.as_bytes()),
            data: Bytes::new(),
        };
        let good = serde_json::to_string(&stored(&envelope(true))).unwrap();
        assert_eq!(recorded("p/", found("p/s", &good, 7)).unwrap().stream, "s");
        for wrong in [
            found("q/s", &good, 7),
            found("p/s", "", 7),
            found("p/s", "{}", 7),
            found("p/s", &good.replace("\"k\":4", "\"k\":9"), 7),
            found("p/s", &good, 8),
        ] {
            assert!(matches!(recorded("p/", wrong), Err(Trouble::Corrupt(_))));
        }
    }
}
