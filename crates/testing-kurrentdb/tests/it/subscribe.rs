//! Subscribing: exclusive beginnings, catching up, what comes later, checkpoints.

use kurrentdb::{
    Position, StreamPosition, StreamState, SubscribeToAllOptions, SubscribeToStreamOptions,
    SubscriptionEvent, SubscriptionFilter,
};

use crate::world::{alone, append, next, number, until_caught_up, within};

fn cases() -> SubscribeToAllOptions {
    let filter = SubscriptionFilter::on_stream_name().add_prefix("case-");
    SubscribeToAllOptions::default().filter(filter)
}

#[tokio::test]
async fn a_subscription_is_confirmed_tells_all_catches_up_and_tells_what_comes() {
    let (_double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, 0..100).await.unwrap();
    append(&client, "other", StreamState::NoStream, [999]).await.unwrap();
    let mut subscription = client.subscribe_to_all(&cases()).await;
    let first = within(subscription.next_subscription_event()).await.unwrap();
    assert!(matches!(first, SubscriptionEvent::Confirmed(_)));
    assert_eq!(until_caught_up(&mut subscription).await, (0..100).collect::<Vec<_>>());
    append(&client, "case-2", StreamState::NoStream, [100]).await.unwrap();
    let event = within(subscription.next()).await.unwrap();
    assert_eq!(number(&event), 100);
    assert_eq!(event.get_original_event().revision, 0);
}

#[tokio::test]
async fn a_subscription_begins_after_its_position() {
    let (_double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    let second = append(&client, "case-2", StreamState::NoStream, [1]).await.unwrap().position;
    append(&client, "case-3", StreamState::NoStream, [2]).await.unwrap();
    let after = cases().position(StreamPosition::Position(second));
    let mut subscription = client.subscribe_to_all(&after).await;
    assert_eq!(until_caught_up(&mut subscription).await, [2]);
    let mut subscription = client.subscribe_to_all(&cases().position(StreamPosition::End)).await;
    assert_eq!(until_caught_up(&mut subscription).await, [0_u128; 0]);
    append(&client, "case-4", StreamState::NoStream, [3]).await.unwrap();
    assert_eq!(number(&within(subscription.next()).await.unwrap()), 3);
}

#[tokio::test]
async fn caught_up_says_where() {
    let (_double, client) = alone().await;
    let last = append(&client, "case-1", StreamState::NoStream, [0, 1]).await.unwrap().position;
    let mut subscription = client.subscribe_to_all(&cases()).await;
    let position = loop {
        if let SubscriptionEvent::CaughtUp(Some(said)) = next(&mut subscription).await.unwrap() {
            break said.position;
        }
    };
    assert_eq!(position, Some(last));
    let options = SubscribeToStreamOptions::default();
    let mut subscription = client.subscribe_to_stream("case-1", &options).await;
    let revision = loop {
        if let SubscriptionEvent::CaughtUp(Some(said)) = next(&mut subscription).await.unwrap() {
            break said.stream_revision;
        }
    };
    assert_eq!(revision, Some(1));
}

#[tokio::test]
async fn beyond_the_end_of_the_log_a_subscription_skips_in_silence() {
    let (_double, client) = alone().await;
    let beyond = Position { commit: 1 << 40, prepare: 1 << 40 };
    let options = cases().position(StreamPosition::Position(beyond));
    let mut subscription = client.subscribe_to_all(&options).await;
    assert_eq!(until_caught_up(&mut subscription).await, [0_u128; 0]);
}

#[tokio::test]
async fn a_filtered_subscription_says_how_far_it_is_though_nothing_matches() {
    let (_double, client) = alone().await;
    append(&client, "other", StreamState::NoStream, 0..20).await.unwrap();
    let filter = SubscriptionFilter::on_stream_name().add_prefix("case-").max(5);
    let options = SubscribeToAllOptions::default().filter(filter);
    let mut subscription = client.subscribe_to_all(&options).await;
    let mut checkpoints: Vec<u64> = vec![];
    loop {
        match next(&mut subscription).await.unwrap() {
            SubscriptionEvent::Checkpoint(position) => checkpoints.push(position.commit),
            SubscriptionEvent::CaughtUp(_) => break,
            other => panic!("unexpected: {other:?}"),
        }
    }
    // Three events of the server's own and twenty others.
    assert_eq!(checkpoints.len(), 4);
    assert!(checkpoints.is_sorted());
    let last = Position { commit: checkpoints[3], prepare: checkpoints[3] };
    append(&client, "case-1", StreamState::NoStream, [100]).await.unwrap();
    let options = cases().position(StreamPosition::Position(last));
    let mut resumed = client.subscribe_to_all(&options).await;
    assert_eq!(until_caught_up(&mut resumed).await, [100]);
}

#[tokio::test]
async fn a_stream_that_is_not_there_yet_can_be_subscribed_to() {
    let (_double, client) = alone().await;
    let options = SubscribeToStreamOptions::default();
    let mut subscription = client.subscribe_to_stream("case-1", &options).await;
    assert_eq!(until_caught_up(&mut subscription).await, [0_u128; 0]);
    append(&client, "case-2", StreamState::NoStream, [7]).await.unwrap();
    append(&client, "case-1", StreamState::NoStream, [0, 1]).await.unwrap();
    assert_eq!(number(&within(subscription.next()).await.unwrap()), 0);
    let after_first = SubscribeToStreamOptions::default().start_from(StreamPosition::Position(0));
    let mut subscription = client.subscribe_to_stream("case-1", &after_first).await;
    assert_eq!(until_caught_up(&mut subscription).await, [1]);
}

#[tokio::test]
async fn a_slow_reader_still_gets_everything_in_order() {
    let (_double, client) = alone().await;
    let mut subscription = client.subscribe_to_all(&cases()).await;
    assert_eq!(until_caught_up(&mut subscription).await, [0_u128; 0]);
    for n in 0..50 {
        append(&client, &format!("case-{n}"), StreamState::NoStream, n * 10..n * 10 + 10)
            .await
            .unwrap();
    }
    for n in 0..500 {
        assert_eq!(number(&within(subscription.next()).await.unwrap()), n);
    }
}
