//! Several nodes: gossip leads to the leader, a follower says who leads, a stopped node is gone.

use assay_testing_kurrentdb::Double;
use kurrentdb::{
    Client, Error, ReadStreamOptions, StreamState, SubscribeToAllOptions, SubscriptionFilter,
};

use crate::world::{alone, append, client, next, rest, until_caught_up, within};

async fn read(client: &Client) -> Result<usize, Error> {
    let read = within(client.read_stream("case-1", &ReadStreamOptions::default())).await?;
    Ok(rest(read).await?.len())
}

fn url_of(double: &Double, node: usize) -> String {
    format!("kurrentdb://127.0.0.1:{}?tls=false", double.ports()[node])
}

#[tokio::test]
async fn the_seeds_and_discovery_lead_to_the_leader() {
    let double = Double::cluster(3).await.unwrap();
    append(&client(&double.url()), "case-1", StreamState::NoStream, [0]).await.unwrap();
    for node in 0..3 {
        let port = double.ports()[node];
        let found = client(&format!("kurrentdb+discover://127.0.0.1:{port}?tls=false"));
        assert_eq!(read(&found).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_follower_names_the_leader_and_the_client_goes_there() {
    let double = Double::cluster(3).await.unwrap();
    let follower = client(&url_of(&double, 2));
    match append(&follower, "case-1", StreamState::NoStream, [0]).await {
        Err(Error::NotLeaderException(leader)) => {
            assert_eq!(leader.port, u32::from(double.ports()[0]));
        }
        other => panic!("the follower took it: {other:?}"),
    }
    assert_eq!(double.events(), 0);
    append(&follower, "case-1", StreamState::NoStream, [0]).await.unwrap();
}

#[tokio::test]
async fn a_follower_answers_who_prefers_followers() {
    let double = Double::cluster(3).await.unwrap();
    let follower = client(&format!("{}&nodePreference=follower", url_of(&double, 1)));
    append(&follower, "case-1", StreamState::NoStream, [0]).await.unwrap();
    assert_eq!(read(&follower).await.unwrap(), 1);
}

#[tokio::test]
async fn when_another_node_leads_the_old_leader_sends_everybody_there() {
    let double = Double::cluster(3).await.unwrap();
    let client = client(&double.url());
    append(&client, "case-1", StreamState::NoStream, [0]).await.unwrap();
    let filter = SubscriptionFilter::on_stream_name().add_prefix("case-");
    let options = SubscribeToAllOptions::default().filter(filter);
    let mut subscription = client.subscribe_to_all(&options).await;
    assert_eq!(until_caught_up(&mut subscription).await, [0]);
    double.lead(1).await;
    let moved = next(&mut subscription).await;
    assert!(matches!(moved, Err(Error::NotLeaderException(_))), "{moved:?}");
    append(&client, "case-1", StreamState::StreamRevision(0), [1]).await.unwrap();
    assert_eq!(read(&client).await.unwrap(), 2);
}

#[tokio::test]
async fn while_the_leader_is_down_nobody_leads_until_somebody_is_appointed() {
    let double = Double::cluster(3).await.unwrap();
    let old = client(&double.url());
    append(&old, "case-1", StreamState::NoStream, [0]).await.unwrap();
    double.stop_node(0).await;
    assert!(append(&old, "case-1", StreamState::StreamRevision(0), [1]).await.is_err());
    let survivor = url_of(&double, 1);
    let waiting = append(&client(&survivor), "case-1", StreamState::StreamRevision(0), [1]).await;
    assert!(matches!(waiting, Err(Error::ServerError(_))), "{waiting:?}");
    double.lead(1).await;
    let fresh = client(&double.url());
    append(&fresh, "case-1", StreamState::StreamRevision(0), [1]).await.unwrap();
    double.start_node(0).await.unwrap();
    let back = append(&client(&url_of(&double, 0)), "case-1", StreamState::Any, [2]).await;
    assert!(matches!(back, Err(Error::NotLeaderException(_))), "{back:?}");
    assert_eq!(double.events(), 2);
}

#[tokio::test]
async fn a_stopped_node_breaks_its_connections_and_comes_back_with_its_log() {
    let (double, first) = alone().await;
    append(&first, "case-1", StreamState::NoStream, [0]).await.unwrap();
    let mut subscription = first.subscribe_to_all(&SubscribeToAllOptions::default()).await;
    within(subscription.next()).await.unwrap();
    double.stop_node(0).await;
    let broken = within(async {
        loop {
            if let Err(error) = subscription.next_subscription_event().await {
                break error;
            }
        }
    })
    .await;
    assert!(matches!(broken, Error::ServerError(_)), "{broken:?}");
    assert!(append(&first, "case-1", StreamState::StreamRevision(0), [1]).await.is_err());
    let url = double.url();
    double.start_node(0).await.unwrap();
    double.start_node(0).await.unwrap();
    assert_eq!(double.url(), url);
    let fresh = client(&url);
    append(&fresh, "case-1", StreamState::StreamRevision(0), [1]).await.unwrap();
    assert_eq!(read(&fresh).await.unwrap(), 2);
    assert!(double.start_node(1).await.is_err());
}
