//! Appending: what is expected of a stream, conflicts, the same again, and what is too big.

use assay_testing_kurrentdb::Double;
use kurrentdb::{
    AppendToStreamOptions, CurrentRevision, Error, EventData, ReadStreamOptions, StreamState,
};

use crate::world::{alone, append, event, numbers, rest, told, within};

fn conflict(result: Result<kurrentdb::WriteResult, Error>) -> CurrentRevision {
    match result {
        Err(Error::WrongExpectedVersion { current, .. }) => current,
        other => panic!("no conflict: {other:?}"),
    }
}

#[tokio::test]
async fn the_answer_is_the_revision_and_the_place_of_the_last_event() {
    let (double, client) = alone().await;
    let first = append(&client, "case-1", StreamState::NoStream, [1, 2]).await.unwrap();
    assert_eq!(first.next_expected_version, 1);
    let second = append(&client, "case-1", StreamState::StreamRevision(1), [3]).await.unwrap();
    assert_eq!(second.next_expected_version, 2);
    assert_eq!(first.position.commit, first.position.prepare);
    assert!(second.position.commit > first.position.commit + 1, "positions are sparse");
    assert_eq!(double.events(), 3);
}

#[tokio::test]
async fn what_is_expected_wrongly_is_refused_with_the_current_revision_and_writes_nothing() {
    let (double, client) = alone().await;
    let missing = append(&client, "case-1", StreamState::StreamRevision(0), [1, 2]).await;
    assert_eq!(conflict(missing), CurrentRevision::NoStream);
    let missing = append(&client, "case-1", StreamState::StreamExists, [1]).await;
    assert_eq!(conflict(missing), CurrentRevision::NoStream);
    append(&client, "case-1", StreamState::NoStream, [1, 2]).await.unwrap();
    for state in
        [StreamState::NoStream, StreamState::StreamRevision(0), StreamState::StreamRevision(7)]
    {
        let refused = append(&client, "case-1", state, [3, 4]).await;
        assert_eq!(conflict(refused), CurrentRevision::Current(1));
    }
    assert_eq!(double.events(), 2);
    append(&client, "case-1", StreamState::StreamExists, [5]).await.unwrap();
    append(&client, "case-1", StreamState::Any, [6]).await.unwrap();
    assert_eq!(double.events(), 4);
}

#[tokio::test]
async fn the_same_ids_at_the_same_place_have_the_same_answer_and_one_copy() {
    let (double, client) = alone().await;
    let first = append(&client, "case-1", StreamState::NoStream, [1, 2]).await.unwrap();
    let second = append(&client, "case-1", StreamState::StreamRevision(1), [3]).await.unwrap();
    let again = append(&client, "case-1", StreamState::NoStream, [1, 2]).await.unwrap();
    assert_eq!(told(&again), told(&first));
    let again = append(&client, "case-1", StreamState::StreamRevision(1), [3]).await.unwrap();
    assert_eq!(told(&again), told(&second));
    let again = append(&client, "case-1", StreamState::Any, [1, 2]).await.unwrap();
    assert_eq!(told(&again), told(&first));
    assert_eq!(double.events(), 3);
}

#[tokio::test]
async fn what_is_the_same_only_in_part_is_a_conflict() {
    let (double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, [1, 2]).await.unwrap();
    for (state, numbers) in [
        (StreamState::NoStream, vec![1, 3]),
        (StreamState::NoStream, vec![1, 2, 3]),
        (StreamState::StreamRevision(0), vec![2, 3]),
        (StreamState::Any, vec![2, 3]),
    ] {
        let refused = append(&client, "case-1", state, numbers).await;
        assert_eq!(conflict(refused), CurrentRevision::Current(1));
    }
    assert_eq!(double.events(), 2);
}

#[tokio::test]
async fn an_empty_append_to_a_missing_stream_is_answered_well_and_makes_no_stream() {
    let (double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, []).await.unwrap();
    let read = within(client.read_stream("case-1", &ReadStreamOptions::default())).await.unwrap();
    assert!(matches!(rest(read).await, Err(Error::ResourceNotFound)));
    assert_eq!(double.events(), 0);
}

#[tokio::test]
async fn a_mebibyte_is_taken_and_more_is_refused() {
    let (double, client) = alone().await;
    let options = AppendToStreamOptions::default().stream_state(StreamState::NoStream);
    // The type counts double: the server keeps it so.
    let fits = 1024 * 1024 - 2 * "big".len();
    let big = |size| EventData::binary("big", vec![7; size].into());
    within(client.append_to_stream("fits", &options, big(fits))).await.unwrap();
    match within(client.append_to_stream("too-big", &options, big(fits + 1))).await {
        Err(Error::Grpc { code, message }) => {
            assert_eq!(code, tonic::Code::InvalidArgument);
            assert_eq!(message, "Maximum Append Size of 1048576 Exceeded.");
        }
        other => panic!("not refused: {other:?}"),
    }
    assert_eq!(double.events(), 1);
}

#[tokio::test]
async fn of_many_who_expect_the_same_one_wins() {
    let (double, client) = alone().await;
    let tries = (1..=8).map(|n| append(&client, "case-1", StreamState::NoStream, [n]));
    let results = futures_util::future::join_all(tries).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(double.events(), 1);
}

#[tokio::test]
async fn names_types_and_payloads_come_back_as_they_were() {
    let double = Double::start().await.unwrap();
    let client = crate::world::client(&double.url());
    let name = "Fall 7/Zürich 🗂";
    let mut said = event(1).metadata(bytes::Bytes::from_static(b"\x00meta"));
    said = said.id(crate::world::id(9));
    let options = AppendToStreamOptions::default();
    within(client.append_to_stream(name, &options, said)).await.unwrap();
    let read = within(client.read_stream(name, &ReadStreamOptions::default())).await.unwrap();
    let events = rest(read).await.unwrap();
    assert_eq!(numbers(&events), [1]);
    let event = events[0].get_original_event();
    assert_eq!(event.id, crate::world::id(9));
    assert_eq!(event.stream_id(), name);
    assert_eq!(event.event_type, "it.happened.v1");
    assert_eq!(&event.custom_metadata[..], b"\x00meta");
    assert!(!event.is_json);
    assert_eq!(event.created.timestamp_subsec_nanos(), 0, "the client cuts it to seconds");
    assert!(event.created.timestamp() > 0);
}
