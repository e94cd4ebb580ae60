//! Revoked everywhere: who logged out, was suspended or changed the password on one node is out on all.

use anyhow::{Result, ensure};
use assay_tests::{Client, Nodes};
use serde_json::json;

use crate::team::{at, file, nodes, open_case, until};

const NODES: usize = 3;

/// Somebody uses every node, so that each of them believes the session for a while.
async fn seen_everywhere(who: &Client, nodes: &Nodes) -> Result<()> {
    for number in 0..NODES {
        at(who, nodes, number)?.get("/me").await?.expect(200)?;
    }
    Ok(())
}

/// Waits until no node knows them any more, and looks again whether it stays so.
async fn out_everywhere(who: &Client, nodes: &Nodes) -> Result<()> {
    for number in 0..NODES {
        let there = at(who, nodes, number)?;
        let what = format!("a session to be over on node {number}");
        until(&what, async || Ok(there.get("/me").await?.status == 401)).await?;
    }
    for number in 0..NODES {
        let answer = at(who, nodes, number)?.get("/me").await?;
        ensure!(answer.status == 401, "node {number} took them in again: {}", answer.text);
    }
    Ok(())
}

#[tokio::test]
async fn who_is_out_on_one_node_is_out_on_all() -> Result<()> {
    let nodes = nodes(NODES).await?;
    let admin = nodes.admin().await?;
    let (id, ana) = nodes.register(&admin, 1, "ana", "analyst").await?;
    let login = async |number: usize, password: &str| {
        Client::login(&nodes.node(number)?.url, "ana", password).await
    };
    let password = Nodes::password();

    // Logged out: this session, and no other.
    let other = login(2, password).await?;
    seen_everywhere(&ana, &nodes).await?;
    at(&ana, &nodes, 0)?.post_bare("/logout").await?.expect(204)?;
    out_everywhere(&ana, &nodes).await?;
    seen_everywhere(&other, &nodes).await?;

    // Another password: all sessions but the one where it was set.
    let set = at(&other, &nodes, 0)?;
    let third = login(1, password).await?;
    seen_everywhere(&third, &nodes).await?;
    let next = "nine-lanterns over deeper water 52";
    let body = json!({"current": password, "password": next});
    set.put("/me/password", &body).await?.expect(204)?;
    out_everywhere(&third, &nodes).await?;
    seen_everywhere(&set, &nodes).await?;
    for number in 0..NODES {
        ensure!(login(number, password).await.is_err(), "the old password is good on {number}");
        login(number, next).await?;
    }

    // Suspended: no session is good and no command is taken, believed or not.
    let case = open_case(&set).await?;
    for number in 0..NODES {
        file(&at(&set, &nodes, number)?, &case, "Before.").await?.expect(201)?;
    }
    let suspend = format!("/users/{id}/suspend");
    at(&admin, &nodes, 0)?.post(&suspend, &json!({"reason": "left"})).await?.expect(200)?;
    for number in (0..NODES).rev() {
        let refused = file(&at(&set, &nodes, number)?, &case, "After.").await?;
        assert_eq!(refused.status, 401, "node {number}: {}", refused.text);
    }
    out_everywhere(&set, &nodes).await?;
    for number in 0..NODES {
        ensure!(login(number, next).await.is_err(), "a suspended person logged in on {number}");
    }

    // Reinstated on the last node, they log in on the first.
    let reinstate = format!("/users/{id}/reinstate");
    at(&admin, &nodes, 2)?.post(&reinstate, &json!({"reason": "back"})).await?.expect(200)?;
    let back = login(0, next).await?;
    file(&at(&back, &nodes, 1)?, &case, "Back.").await?.expect(201)?;
    Ok(())
}
