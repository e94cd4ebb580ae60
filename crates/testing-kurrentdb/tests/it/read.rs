//! Reading streams and `$all`: directions, limits, filters, metadata.

use kurrentdb::{
    AppendToStreamOptions, Client, Error, Position, ReadAllOptions, ReadStreamOptions,
    StreamMetadata, StreamMetadataResult, StreamPosition, StreamState, SubscriptionFilter,
};

use crate::world::{alone, append, numbers, rest, within};

async fn of_stream(client: &Client, options: ReadStreamOptions) -> Vec<u128> {
    let read = within(client.read_stream("case-1", &options)).await.unwrap();
    numbers(&rest(read).await.unwrap())
}

async fn of_all(client: &Client, options: ReadAllOptions) -> Vec<u128> {
    let options = options.filter(SubscriptionFilter::on_stream_name().add_prefix("case-"));
    let read = within(client.read_all(&options)).await.unwrap();
    numbers(&rest(read).await.unwrap())
}

fn exactly(position: Position) -> StreamPosition<Position> {
    StreamPosition::Position(position)
}

#[tokio::test]
async fn a_missing_stream_is_not_found_at_the_first_message() {
    let (_double, client) = alone().await;
    let read = within(client.read_stream("case-1", &ReadStreamOptions::default())).await.unwrap();
    assert!(matches!(rest(read).await, Err(Error::ResourceNotFound)));
}

#[tokio::test]
async fn a_stream_is_read_from_a_revision_on_in_both_directions() {
    let (_double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, 0..5).await.unwrap();
    let options = ReadStreamOptions::default;
    assert_eq!(of_stream(&client, options()).await, [0, 1, 2, 3, 4]);
    let from = |revision| options().position(StreamPosition::Position(revision));
    assert_eq!(of_stream(&client, from(3)).await, [3, 4]);
    assert_eq!(of_stream(&client, from(3).max_count(1)).await, [3]);
    assert_eq!(of_stream(&client, from(5)).await, [0_u128; 0]);
    assert_eq!(of_stream(&client, from(2).backwards()).await, [2, 1, 0]);
    let last = options().position(StreamPosition::End).max_count(2);
    assert_eq!(of_stream(&client, last).await, [4, 3]);
}

#[tokio::test]
async fn all_is_read_from_a_position_on_forwards_and_before_it_backwards() {
    let (_double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    let second = append(&client, "case-2", StreamState::NoStream, [1]).await.unwrap().position;
    append(&client, "other", StreamState::NoStream, [2]).await.unwrap();
    append(&client, "case-3", StreamState::NoStream, [3]).await.unwrap();
    let options = ReadAllOptions::default;
    assert_eq!(of_all(&client, options()).await, [0, 1, 3]);
    assert_eq!(of_all(&client, options().max_count(2)).await, [0, 1]);
    assert_eq!(of_all(&client, options().position(exactly(second))).await, [1, 3]);
    assert_eq!(of_all(&client, options().position(exactly(second)).backwards()).await, [0]);
    let last = options().position(StreamPosition::End).max_count(1);
    assert_eq!(of_all(&client, last).await, [3]);
    let beyond = Position { commit: u64::MAX / 2, prepare: u64::MAX / 2 };
    assert_eq!(of_all(&client, options().position(exactly(beyond))).await, [0_u128; 0]);
}

#[tokio::test]
async fn a_position_inside_a_record_is_refused() {
    let (_double, client) = alone().await;
    let at = append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap().position;
    let inside = Position { commit: at.commit + 1, prepare: at.prepare + 1 };
    let options = ReadAllOptions::default().position(exactly(inside));
    assert!(matches!(within(client.read_all(&options)).await, Err(Error::Grpc { .. })));
}

#[tokio::test]
async fn the_servers_own_events_are_in_all_and_a_pattern_makes_it_ignore_prefixes() {
    let (_double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    append(&client, "other", StreamState::NoStream, [1]).await.unwrap();
    let names = async |options: ReadAllOptions| {
        let events = rest(within(client.read_all(&options)).await.unwrap()).await.unwrap();
        events.iter().map(|e| e.get_original_stream_id().to_owned()).collect::<Vec<_>>()
    };
    let all = names(ReadAllOptions::default()).await;
    assert!(all.iter().any(|name| name.starts_with('$')), "{all:?}");
    let pattern = SubscriptionFilter::on_stream_name().add_prefix("case-").exclude_system_events();
    assert_eq!(names(ReadAllOptions::default().filter(pattern)).await, ["case-1", "other"]);
    let by_type = SubscriptionFilter::on_event_type().add_prefix("it.").add_prefix("$meta");
    let found = names(ReadAllOptions::default().filter(by_type)).await;
    assert_eq!(found, ["$$$stats", "case-1", "other"]);
}

#[tokio::test]
async fn a_stream_shows_as_many_events_as_its_metadata_keeps_and_all_shows_every_one() {
    let (_double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, 0..5).await.unwrap();
    for keep in [4, 2] {
        let metadata = StreamMetadata::builder().max_count(keep).build();
        let options = AppendToStreamOptions::default();
        within(client.set_stream_metadata("case-1", &options, &metadata)).await.unwrap();
    }
    let options = ReadStreamOptions::default;
    assert_eq!(of_stream(&client, options()).await, [3, 4]);
    let backwards = options().position(StreamPosition::End);
    assert_eq!(of_stream(&client, backwards).await, [4, 3]);
    assert_eq!(of_all(&client, ReadAllOptions::default()).await, [0, 1, 2, 3, 4]);
    match within(client.get_stream_metadata("case-1", &options())).await.unwrap() {
        StreamMetadataResult::Success(found) => assert_eq!(found.metadata().max_count, Some(2)),
        other => panic!("no metadata: {other:?}"),
    }
    let next = append(&client, "case-1", StreamState::StreamRevision(4), [5]).await.unwrap();
    assert_eq!(next.next_expected_version, 5);
    assert_eq!(of_stream(&client, options()).await, [4, 5]);
}
