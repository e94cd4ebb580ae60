//! What a client asks, taken out of its messages and looked over.

use tonic::{Status, Streaming};

use crate::answers::{self, Ids};
use crate::filter::Filter;
use crate::records::{Expected, Proposed, Records};
use crate::subscription::Source;
use crate::wire::event_store::client::StreamIdentifier;
use crate::wire::event_store::client::streams::append_req::options::ExpectedStreamRevision;
use crate::wire::event_store::client::streams::read_req::Options;
use crate::wire::event_store::client::streams::read_req::options::{
    FilterOption, StreamOption, UuidOption, all_options, stream_options, uuid_option,
};
use crate::wire::event_store::client::streams::{AppendReq, append_req};

/// The payload of one append, at most: the server's default.
const APPEND_BYTES_MAX: usize = 1024 * 1024;

/// Where to begin.
#[derive(Clone, Copy)]
pub(crate) enum Begin {
    Start,
    End,
    /// A position in `$all`, a revision in a stream.
    At(u64),
}

/// The position, if a record begins there or the log is over before.
pub(crate) fn place(records: &Records, position: u64) -> Result<u64, Status> {
    let found = records.is_place(position).then_some(position);
    found.ok_or_else(|| Status::invalid_argument(format!("no record begins at {position}")))
}

/// What a read is of, and where it begins.
pub(crate) fn parse(options: Options) -> Result<(Source, Begin), Status> {
    match options.stream_option.ok_or_else(|| missing("stream_option"))? {
        StreamOption::All(all) => {
            let filter = match options.filter_option {
                Some(FilterOption::Filter(filter)) => Some(Filter::of(filter)?),
                Some(FilterOption::NoFilter(())) | None => None,
            };
            let begin = match all.all_option.ok_or_else(|| missing("all_option"))? {
                all_options::AllOption::Start(()) => Begin::Start,
                all_options::AllOption::End(()) => Begin::End,
                all_options::AllOption::Position(at) => Begin::At(at.commit_position),
            };
            Ok((Source::All(filter), begin))
        }
        StreamOption::Stream(stream) => {
            let begin = match stream.revision_option.ok_or_else(|| missing("revision_option"))? {
                stream_options::RevisionOption::Start(()) => Begin::Start,
                stream_options::RevisionOption::End(()) => Begin::End,
                stream_options::RevisionOption::Revision(revision) => Begin::At(revision),
            };
            Ok((Source::Stream(name_of(stream.stream_identifier)?), begin))
        }
    }
}

/// How the client wants ids; the server's default is numbers.
pub(crate) fn ids_of(option: Option<&UuidOption>) -> Ids {
    match option.and_then(|option| option.content.as_ref()) {
        Some(uuid_option::Content::String(())) => Ids::Text,
        Some(uuid_option::Content::Structured(())) | None => Ids::Numbers,
    }
}

/// Receives a whole append.
pub(crate) async fn gather(
    mut parts: Streaming<AppendReq>,
) -> Result<(String, Expected, Vec<Proposed>), Status> {
    let first = parts.message().await?.and_then(|part| part.content);
    let Some(append_req::Content::Options(options)) = first else {
        return Err(missing("options"));
    };
    let expected = match options.expected_stream_revision {
        Some(ExpectedStreamRevision::NoStream(())) => Expected::NoStream,
        Some(ExpectedStreamRevision::Revision(revision)) => Expected::Exact(revision),
        Some(ExpectedStreamRevision::Any(())) => Expected::Any,
        Some(ExpectedStreamRevision::StreamExists(())) => Expected::Exists,
        None => return Err(missing("expected_stream_revision")),
    };
    let stream = name_of(options.stream_identifier)?;
    let (mut events, mut size_bytes) = (vec![], 0_usize);
    while let Some(part) = parts.message().await? {
        let Some(append_req::Content::ProposedMessage(message)) = part.content else {
            return Err(missing("proposed_message"));
        };
        let event = proposed(message)?;
        size_bytes += event.kind.len() * 2 + event.metadata.len() + event.data.len();
        if size_bytes > APPEND_BYTES_MAX {
            return Err(answers::too_large(APPEND_BYTES_MAX));
        }
        events.push(event);
    }
    Ok((stream, expected, events))
}

fn proposed(mut message: append_req::ProposedMessage) -> Result<Proposed, Status> {
    let mut said = |name| message.metadata.remove(name).ok_or_else(|| missing(name));
    let (kind, content_type) = (said("type")?, said("content-type")?);
    let id = answers::own_id(message.id)?;
    Ok(Proposed { id, kind, content_type, metadata: message.custom_metadata, data: message.data })
}

fn name_of(identifier: Option<StreamIdentifier>) -> Result<String, Status> {
    let name = identifier.ok_or_else(|| missing("stream_identifier"))?.stream_name;
    let name = String::from_utf8(name.into())
        .map_err(|error| Status::invalid_argument(error.to_string()))?;
    if name.is_empty() || name == "$all" {
        return Err(Status::invalid_argument("no name of a stream"));
    }
    Ok(name)
}

/// «Something is missing.»
pub(crate) fn missing(what: &str) -> Status {
    Status::invalid_argument(format!("Required '{what}' is missing"))
}
