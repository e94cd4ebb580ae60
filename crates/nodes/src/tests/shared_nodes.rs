//! Nodes know each other.

use std::sync::Arc;
use std::time::Duration;

use assay_store::memory::MemoryVault;
use assay_store::vault::Vault as _;
use uuid::Uuid;

use super::Hands;
use super::vault::Way;
use crate::nodes::{FORGOTTEN_AFTER, NODES_MAX, Node, Nodes, Root, SILENT_AFTER};
use crate::{Clock, ClusterError};

fn node(vault: &Arc<MemoryVault>, id: u128, clock: Clock) -> Nodes {
    let (name, version) = (format!("node {id}"), "1.2.3".to_owned());
    Nodes::new(vault.clone(), Uuid::from_u128(id), name, version, clock)
}

#[tokio::test]
async fn each_sees_what_the_others_said_last() {
    let (vault, hands) = (Arc::new(MemoryVault::new()), Hands::at(1_000_000));
    let (one, two) = (node(&vault, 1, hands.clock()), node(&vault, 2, hands.clock()));
    assert_eq!(one.others().await, Ok(vec![]));
    one.announce(7, None, None).await.unwrap();
    assert_eq!(one.others().await, Ok(vec![]));
    two.announce(8, None, None).await.unwrap();
    hands.pass(Duration::from_secs(1));
    let note = "origin\n8\nroot\n\n— signature\n".to_owned();
    two.announce(9, Some((9, [0xab; 32])), Some(note.clone())).await.unwrap();
    let seen = Node {
        id: Uuid::from_u128(2),
        name: "node 2".to_owned(),
        version: "1.2.3".to_owned(),
        position: 9,
        root: Some(Root { size: 9, hash: [0xab; 32] }),
        at: 2_000_000,
        checkpoint: Some(note),
        silent: false,
    };
    assert_eq!(one.others().await, Ok(vec![seen]));
    let others = two.others().await.unwrap();
    assert_eq!(others.iter().map(|node| node.position).collect::<Vec<_>>(), [7]);
}

#[tokio::test]
async fn what_is_stored_reads_for_ever() {
    let (vault, hands) = (Arc::new(MemoryVault::new()), Hands::at(5));
    let stored = r#"{"name":"a","version":"1","position":3,"at":4,"later":true}"#;
    let name = format!("node/{}", Uuid::from_u128(9));
    vault.put_secret(&name, None, stored.into()).await.unwrap();
    let others = node(&vault, 1, hands.clock()).others().await.unwrap();
    assert_eq!((others[0].position, others[0].at, others[0].root), (3, 4, None));
}

#[tokio::test]
async fn a_node_falls_silent_and_is_forgotten_in_the_end() {
    let (vault, hands) = (Arc::new(MemoryVault::new()), Hands::at(1_000_000));
    let (one, two) = (node(&vault, 1, hands.clock()), node(&vault, 2, hands.clock()));
    two.announce(9, None, None).await.unwrap();
    let silent = async || -> Vec<bool> {
        one.others().await.unwrap().iter().map(|node| node.silent).collect()
    };
    hands.pass(SILENT_AFTER);
    assert_eq!(silent().await, [false]);
    hands.pass(Duration::from_micros(1));
    assert_eq!(silent().await, [true]);
    hands.pass(FORGOTTEN_AFTER.checked_sub(SILENT_AFTER).unwrap());
    assert_eq!(silent().await, [false; 0]);
    assert_eq!(vault.secret_names("node/", None, 9).await.unwrap(), [""; 0]);
    two.announce(10, None, None).await.unwrap();
    assert_eq!(silent().await, [false], "and is back when it speaks again");
}

#[tokio::test]
async fn a_retired_node_is_gone_and_the_number_of_nodes_has_a_limit() {
    let (vault, hands) = (Arc::new(MemoryVault::new()), Hands::at(1));
    for id in 1..=u128::try_from(NODES_MAX).unwrap() {
        node(&vault, id, hands.clock()).announce(1, None, None).await.unwrap();
    }
    let last = node(&vault, 1, hands.clock());
    assert_eq!(last.others().await.unwrap().len(), NODES_MAX - 1);
    last.announce(2, None, None).await.unwrap();
    let more = node(&vault, 1_000, hands.clock());
    let refused = more.announce(1, None, None).await;
    assert_eq!(refused, Err(ClusterError::TooManyNodes { nodes: NODES_MAX }));
    more.retire(Uuid::from_u128(1)).await.unwrap();
    more.retire(Uuid::from_u128(1)).await.unwrap();
    more.announce(1, None, None).await.unwrap();
    assert!(more.others().await.unwrap().iter().all(|node| node.id != Uuid::from_u128(1)));
}

#[tokio::test(start_paused = true)]
async fn an_announcement_survives_lost_answers_and_says_when_the_vault_is_away() {
    let (vault, hands) = (Arc::new(MemoryVault::new()), Hands::at(1));
    let way = Way::to(&vault);
    let me = Uuid::from_u128(1);
    let node = Nodes::new(way.clone(), me, "a".into(), "1".into(), hands.clock());
    node.announce(1, None, None).await.unwrap();
    way.faults().loses_answers = true;
    let lost = node.announce(2, None, None).await;
    assert!(matches!(lost, Err(ClusterError::Vault(_))), "{lost:?}");
    way.faults().loses_answers = false;
    node.announce(3, None, None).await.unwrap();
    vault.drop_secret(&format!("node/{me}")).await.unwrap();
    node.announce(4, None, None).await.unwrap();
    let stored = vault.secret(&format!("node/{me}")).await.unwrap().unwrap();
    assert_eq!(stored.version, 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_said() {
    let (vault, hands) = (Arc::new(MemoryVault::new()), Hands::at(1));
    let name = format!("node/{}", Uuid::from_u128(9));
    vault.put_secret(&name, None, b"{}".to_vec()).await.unwrap();
    let one = node(&vault, 1, hands.clock());
    assert_eq!(one.others().await, Err(ClusterError::Unreadable { name }));
}
