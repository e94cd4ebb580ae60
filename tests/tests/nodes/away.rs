//! The log away: reading goes on, writing is refused in a way that can be asked again, and it goes on by itself.

use anyhow::{Context as _, Result, ensure};
use assay_testing_postgres::Server as Postgres;
use assay_tests::{Client, Nodes};
use reqwest::header::RETRY_AFTER;

use crate::team::{
    all_hold_the_same, at, health, news, nodes_at, open_case, readiness, reports, stop, until,
};

#[tokio::test]
async fn while_postgresql_is_away_reading_goes_on_and_nothing_is_lost() -> Result<()> {
    let postgres = Postgres::start()?;
    let mut nodes = nodes_at(&postgres.database()?, 2).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 0, "ana", "analyst").await?;
    let case = open_case(&ana).await?;
    let path = format!("/cases/{case}/reports");
    let mut filed = 0;
    for number in [0, 1] {
        let key = format!("before-{number}");
        let there = at(&ana, &nodes, number)?;
        there.post_keyed(&path, &key, &news("Before.")).await?.expect(201)?;
        filed += 1;
        // Read, so that what each node shows is known and the session believed.
        assert_eq!(reports(&there, &case).await?, filed);
    }
    assert_eq!(reports(&at(&ana, &nodes, 0)?, &case).await?, filed);

    for (round, how) in ["stopped in good order", "killed"].iter().enumerate() {
        quiet(&nodes).await?;
        if round == 0 {
            postgres.stop()?;
        } else {
            postgres.kill()?;
        }
        for number in [0, 1] {
            without_the_log(&nodes, &ana, number, &case, filed, round).await.context(*how)?;
        }
        postgres.restart()?;
        // The same request again, until it is taken: there is one copy of it.
        for number in [0, 1] {
            let (key, there) = (format!("round-{round}-{number}"), at(&ana, &nodes, number)?);
            let what = format!("node {number} to write again");
            let taken = async || {
                let answer = there.post_keyed(&path, &key, &news("During.")).await?;
                ensure!(matches!(answer.status, 200 | 201 | 503), "{}", answer.text);
                Ok(answer.status != 503)
            };
            until(&what, taken).await?;
            filed += 1;
            assert_eq!(reports(&there, &case).await?, filed);
            let follows =
                async || Ok(readiness(&nodes, number).await?.at("/upstream/state") == "following");
            until("the log to be followed again", follows).await?;
        }
    }
    Client::login(&nodes.node(1)?.url, "ana", Nodes::password()).await?;
    stop(&mut nodes, &[0, 1]).await?;
    all_hold_the_same(&nodes, &[0, 1])?;
    Ok(())
}

/// Waits until both nodes show everything and nothing waits to be written: what comes later needs the log.
async fn quiet(nodes: &Nodes) -> Result<()> {
    until("both nodes to have nothing to do", async || {
        let (one, two) = (readiness(nodes, 0).await?, readiness(nodes, 1).await?);
        let head = one.at("/head");
        Ok([&one, &two].iter().all(|node| {
            let nothing = node.at("/read_log/pending") == 0;
            nothing && node.at("/head") == head && node.at("/projected") == head
        }))
    })
    .await
}

/// A node whose log is away.
async fn without_the_log(
    nodes: &Nodes,
    ana: &Client,
    number: usize,
    case: &str,
    filed: usize,
    round: usize,
) -> Result<()> {
    let there = at(ana, nodes, number)?;
    let away = async || {
        let ready = readiness(nodes, number).await?;
        ensure!(ready.status == 200, "not ready after a moment: {}", ready.text);
        Ok(ready.at("/upstream/state") == "away")
    };
    until("a node to notice that its log is away", away).await?;
    let ready = readiness(nodes, number).await?.expect(200)?;
    ensure!(ready.at("/upstream/away_s").is_number(), "{}", ready.text);
    health(nodes, number, "live").await?.expect(200)?;
    for _ in 0..5 {
        ensure!(reports(&there, case).await? == filed, "reading goes on");
        there.get(&format!("/cases/{case}")).await?.expect(200)?;
    }
    let path = format!("/cases/{case}/reports");
    let key = format!("round-{round}-{number}");
    let refused = there.post_keyed(&path, &key, &news("During.")).await?;
    ensure!(refused.status == 503, "{}: {}", refused.status, refused.text);
    ensure!(refused.code() == "log_unavailable", "{}", refused.text);
    ensure!(refused.headers.contains_key(RETRY_AFTER), "{:?}", refused.headers);
    ensure!(!refused.text.contains("127.0.0.1"), "it says where the log is: {}", refused.text);
    let body = serde_json::json!({"username": "ana", "password": Nodes::password()});
    let login = Client::stranger(&nodes.node(number)?.url).post("/login", &body).await?;
    ensure!(login.status == 503, "{}: {}", login.status, login.text);
    ensure!(login.headers.contains_key(RETRY_AFTER), "{:?}", login.headers);
    ensure!(reports(&there, case).await? == filed, "nothing came of it");
    Ok(())
}
