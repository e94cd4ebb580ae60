//! What the tests share: a double with a client, events by number, and waiting that ends.

use std::time::Duration;

use assay_testing_kurrentdb::Double;
use kurrentdb::{
    AppendToStreamOptions, Client, ClientSettings, Error, EventData, Position, ReadStream,
    ResolvedEvent, StreamState, Subscription, SubscriptionEvent, WriteResult,
};
use uuid::Uuid;

/// Nothing here takes so long unless it hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The ids of the tests' events are far from those of the server's own.
const FIRST_ID: u128 = 1_000;

/// A client that does not wait half a second before its first connection, as it does by default.
pub(crate) fn client(url: &str) -> Client {
    let url = format!("{url}&discoveryInterval=10");
    Client::new(url.parse::<ClientSettings>().unwrap()).unwrap()
}

pub(crate) async fn alone() -> (Double, Client) {
    let double = Double::start().await.unwrap();
    let client = client(&double.url());
    (double, client)
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(FIRST_ID + number)
}

pub(crate) fn event(number: u128) -> EventData {
    EventData::binary("it.happened.v1", number.to_string().into_bytes().into()).id(id(number))
}

pub(crate) async fn append(
    client: &Client,
    stream: &str,
    state: StreamState,
    numbers: impl IntoIterator<Item = u128>,
) -> Result<WriteResult, Error> {
    let events: Vec<_> = numbers.into_iter().map(event).collect();
    let options = AppendToStreamOptions::default().stream_state(state);
    within(client.append_to_stream(stream, &options, events)).await
}

/// What the answer to an append says.
pub(crate) fn told(answer: &WriteResult) -> (u64, Position) {
    (answer.next_expected_version, answer.position)
}

/// Everything that is left to read.
pub(crate) async fn rest(mut stream: ReadStream) -> Result<Vec<ResolvedEvent>, Error> {
    let mut all = vec![];
    while let Some(event) = within(stream.next()).await? {
        all.push(event);
    }
    Ok(all)
}

/// The payloads: the numbers of the tests' events.
pub(crate) fn numbers(events: &[ResolvedEvent]) -> Vec<u128> {
    events.iter().map(number).collect()
}

pub(crate) fn number(event: &ResolvedEvent) -> u128 {
    std::str::from_utf8(&event.get_original_event().data).unwrap().parse().unwrap()
}

/// What a subscription says next, confirmations aside.
pub(crate) async fn next(subscription: &mut Subscription) -> Result<SubscriptionEvent, Error> {
    loop {
        match within(subscription.next_subscription_event()).await? {
            SubscriptionEvent::Confirmed(_) => (),
            said => return Ok(said),
        }
    }
}

/// The numbers of the events until the subscription has caught up.
pub(crate) async fn until_caught_up(subscription: &mut Subscription) -> Vec<u128> {
    let mut numbers = vec![];
    loop {
        match next(subscription).await.unwrap() {
            SubscriptionEvent::EventAppeared(event) => numbers.push(number(&event)),
            SubscriptionEvent::CaughtUp(_) => return numbers,
            _ => (),
        }
    }
}

/// Waits for a condition.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    within(async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("it hangs")
}
