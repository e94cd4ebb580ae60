//! Each fault does what it says, so often as it was told.

use std::time::Duration;

use kurrentdb::{
    AppendToStreamOptions, Client, Error, ReadStreamOptions, StreamPosition, StreamState,
    SubscribeToAllOptions, SubscriptionFilter,
};

use crate::world::{
    alone, append, client, event, next, number, rest, told, until, until_caught_up, within,
};

fn cases() -> SubscribeToAllOptions {
    let filter = SubscriptionFilter::on_stream_name().add_prefix("case-");
    SubscribeToAllOptions::default().filter(filter)
}

async fn read(client: &Client) -> Result<usize, Error> {
    let read = within(client.read_stream("case-1", &ReadStreamOptions::default())).await?;
    Ok(rest(read).await?.len())
}

#[tokio::test]
async fn a_lost_answer_leaves_the_events_and_the_retry_one_copy() {
    let (double, client) = alone().await;
    double.faults().lose_answers(1);
    let lost = append(&client, "case-1", StreamState::NoStream, [0, 1]).await;
    assert!(matches!(lost, Err(Error::ServerError(_))), "{lost:?}");
    assert_eq!(double.events(), 2);
    let again = append(&client, "case-1", StreamState::NoStream, [0, 1]).await.unwrap();
    assert_eq!((again.next_expected_version, double.events()), (1, 2));
    assert_eq!(double.faults().happened().lost_answers, 1);
}

#[tokio::test]
async fn a_refused_append_writes_nothing() {
    let (double, client) = alone().await;
    double.faults().refuse_appends(2);
    for _ in 0..2 {
        let refused = append(&client, "case-1", StreamState::NoStream, [0]).await;
        assert!(matches!(refused, Err(Error::ServerError(_))), "{refused:?}");
        assert_eq!(double.events(), 0);
    }
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    assert_eq!(double.faults().happened().refused_appends, 2);
}

#[tokio::test]
async fn an_append_that_timed_out_is_written_all_the_same() {
    let (double, client) = alone().await;
    double.faults().time_out_appends(1);
    match append(&client, "case-1", StreamState::NoStream, [0]).await {
        Err(Error::Grpc { code, message }) => {
            assert_eq!(code, tonic::Code::Aborted);
            assert!(message.contains("timed out"), "{message}");
        }
        other => panic!("no timeout: {other:?}"),
    }
    assert_eq!(double.events(), 1);
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    assert_eq!(double.events(), 1);
}

#[tokio::test]
async fn a_read_breaks_after_so_many_messages() {
    let (double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, 0..5).await.unwrap();
    double.faults().break_reads(1, 3);
    let mut stream =
        within(client.read_stream("case-1", &ReadStreamOptions::default())).await.unwrap();
    for n in 0..3 {
        assert_eq!(number(&within(stream.next()).await.unwrap().unwrap()), n);
    }
    assert!(matches!(within(stream.next()).await, Err(Error::ServerError(_))));
    assert_eq!(read(&client).await.unwrap(), 5);
    assert_eq!(double.faults().happened().broken_reads, 1);
}

#[tokio::test]
async fn a_subscription_broken_at_each_event_and_resumed_misses_none() {
    let (double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, 0..10).await.unwrap();
    // The confirmation, one event, the end.
    double.faults().break_reads(9, 2);
    let (mut seen, mut options) = (vec![], cases());
    while seen.len() < 10 {
        let mut subscription = client.subscribe_to_all(&options).await;
        while let Ok(event) = within(subscription.next()).await {
            seen.push(number(&event));
            let position = event.get_original_event().position;
            options = options.position(StreamPosition::Position(position));
            if seen.len() == 10 {
                break;
            }
        }
    }
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    assert_eq!(double.faults().happened().broken_reads, 9);
}

#[tokio::test]
async fn every_open_subscription_ends_and_a_new_one_goes_on() {
    let (double, client) = alone().await;
    let mut subscription = client.subscribe_to_all(&cases()).await;
    until_caught_up(&mut subscription).await;
    double.faults().end_subscriptions();
    // The client is not asked what it thinks of it: it would spin for ever.
    until(|| double.faults().happened().ended_subscriptions == 1).await;
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    let mut subscription = client.subscribe_to_all(&cases()).await;
    assert_eq!(until_caught_up(&mut subscription).await, [0]);
}

#[tokio::test]
async fn a_silenced_subscription_says_nothing_more_and_a_later_one_speaks() {
    let (double, client) = alone().await;
    let mut subscription = client.subscribe_to_all(&cases()).await;
    until_caught_up(&mut subscription).await;
    double.faults().silence_subscriptions(true);
    until(|| double.faults().happened().silenced_subscriptions == 1).await;
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    double.faults().silence_subscriptions(false);
    let mut later = client.subscribe_to_all(&cases()).await;
    assert_eq!(until_caught_up(&mut later).await, [0]);
    append(&client, "case-1", StreamState::StreamRevision(0), [1]).await.unwrap();
    assert_eq!(number(&within(later.next()).await.unwrap()), 1);
    // The later one has heard of both, the silent one of none.
    let silent = subscription.next_subscription_event();
    assert!(futures_util::FutureExt::now_or_never(silent).is_none());
}

#[tokio::test]
async fn a_delayed_answer_comes_later_but_what_it_answers_was_done() {
    let (double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    double.faults().delay(Duration::from_hours(1));
    let options = AppendToStreamOptions::default()
        .stream_state(StreamState::StreamRevision(0))
        .deadline(Duration::from_millis(200));
    let late = within(client.append_to_stream("case-1", &options, event(1))).await;
    assert!(matches!(late, Err(Error::DeadlineExceeded)), "{late:?}");
    assert_eq!(double.events(), 2);
    double.faults().delay(Duration::from_millis(1));
    assert_eq!(read(&client).await.unwrap(), 2);
    double.faults().delay(Duration::ZERO);
    assert_eq!(read(&client).await.unwrap(), 2);
}

#[tokio::test]
async fn who_is_denied_hears_so() {
    let (double, client) = alone().await;
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    double.faults().deny(true);
    let denied = append(&client, "case-1", StreamState::NoStream, [0]).await;
    assert!(matches!(denied, Err(Error::AccessDenied)), "{denied:?}");
    assert!(matches!(read(&client).await, Err(Error::AccessDenied)));
    let mut subscription = client.subscribe_to_all(&cases()).await;
    assert!(matches!(next(&mut subscription).await, Err(Error::AccessDenied)));
    double.faults().deny(false);
    assert_eq!(read(&client).await.unwrap(), 1);
    assert_eq!(double.faults().happened().denied, 3);
}

#[tokio::test]
async fn where_a_login_is_required_only_that_login_comes_in() {
    let (double, stranger) = alone().await;
    double.require_login("assay", "s3cret");
    let refused = append(&stranger, "case-1", StreamState::NoStream, [0]).await;
    assert!(matches!(refused, Err(Error::AccessDenied)), "{refused:?}");
    let wrong = client(&double.url_as("assay", "guess"));
    let refused = append(&wrong, "case-1", StreamState::NoStream, [0]).await;
    assert!(matches!(refused, Err(Error::AccessDenied)), "{refused:?}");
    let right = client(&double.url_as("assay", "s3cret"));
    append(&right, "case-1", StreamState::NoStream, [0]).await.unwrap();
}

#[tokio::test]
async fn after_a_restore_the_later_events_are_gone_and_subscriptions_break() {
    let (double, client) = alone().await;
    let kept = append(&client, "case-1", StreamState::NoStream, [0, 1]).await.unwrap();
    let gone = append(&client, "case-2", StreamState::NoStream, [2]).await.unwrap();
    append(&client, "case-1", StreamState::StreamRevision(1), [3]).await.unwrap();
    let mut subscription = client.subscribe_to_all(&cases()).await;
    until_caught_up(&mut subscription).await;
    double.rewind(2);
    assert!(matches!(next(&mut subscription).await, Err(Error::ServerError(_))));
    assert_eq!((double.events(), read(&client).await.unwrap()), (2, 2));
    let again = append(&client, "case-1", StreamState::NoStream, [0, 1]).await.unwrap();
    assert_eq!(told(&again), told(&kept));
    let other = append(&client, "case-9", StreamState::NoStream, [9]).await.unwrap();
    assert_eq!(other.position, gone.position, "old places are taken again");
}
