//! One house: who registered on one node works on all, sees the same there at once, and nobody overwrites anybody.

use anyhow::{Context as _, Result};
use assay_tests::{Answer, Client};
use reqwest::Method;
use reqwest::header::ETAG;
use serde_json::{Value, json};

use crate::team::{at, file, news, nodes, open_case, reports};

const NODES: usize = 3;

#[tokio::test]
async fn what_is_done_on_one_node_is_known_on_all_of_them() -> Result<()> {
    let nodes = nodes(NODES).await?;
    let admin = nodes.admin().await?;
    let (id, ana) = nodes.register(&admin, 1, "ana", "analyst").await?;
    let mut keys = Vec::new();
    for number in 0..NODES {
        let me = at(&ana, &nodes, number)?.get("/me").await?.expect(200)?;
        assert_eq!(me.text_at("/id")?, id);
        let url = format!("{}/.well-known/jwks.json", nodes.node(number)?.url);
        keys.push(reqwest::get(url).await?.json::<Value>().await?);
    }
    assert!(keys.iter().all(|key| *key == keys[0] && key["keys"][0]["kid"].is_string()));

    let case = open_case(&at(&ana, &nodes, 2)?).await?;
    let mut last = 0;
    for count in 0..12 {
        let (here, text) = (at(&ana, &nodes, count % NODES)?, format!("Report {count}."));
        let answer = file(&here, &case, &text).await?.expect(201)?;
        let position = answer.number_at("/receipt/position")?;
        assert!(position > last, "{position} after {last}");
        last = position;
        // The very next read, elsewhere, shows it.
        let elsewhere = at(&ana, &nodes, (count + 1) % NODES)?;
        elsewhere.get(&format!("/reports/{}", answer.text_at("/id")?)).await?.expect(200)?;
    }
    let mut seen = Vec::new();
    for number in 0..NODES {
        let there = at(&ana, &nodes, number)?;
        assert_eq!(reports(&there, &case).await?, 12);
        let then = there.get(&format!("/cases/{case}/reports?limit=500&as_of={last}")).await?;
        let now = there.get(&format!("/cases/{case}")).await?.expect(200)?;
        let revision = now.headers.get(ETAG).context("a tag")?.to_str()?.to_owned();
        seen.push((then.expect(200)?.body, revision));
    }
    assert!(seen.iter().all(|there| *there == seen[0]), "{seen:?}");
    Ok(())
}

/// Two answers say the same in these parts.
fn same(one: &Answer, two: &Answer, parts: &[&str]) {
    for part in parts {
        assert!(!one.at(part).is_null(), "nothing at {part} in {}", one.text);
        assert_eq!(one.at(part), two.at(part), "{part}: {} and {}", one.text, two.text);
    }
}

#[tokio::test]
async fn asked_again_on_another_node_a_write_has_the_same_receipt() -> Result<()> {
    let nodes = nodes(2).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 0, "ana", "analyst").await?;
    let (one, two) = (at(&ana, &nodes, 0)?, at(&ana, &nodes, 1)?);
    let case = open_case(&one).await?;
    let path = format!("/cases/{case}/reports");
    let first = one.post_keyed(&path, "filing", &news("Once.")).await?.expect(201)?;
    let again = two.post_keyed(&path, "filing", &news("Once.")).await?.expect(200)?;
    same(&first, &again, &["/id", "/receipt/event_ids", "/receipt/token"]);
    // Where the entry stands is told by a node that has it.
    two.get(&format!("/reports/{}", first.text_at("/id")?)).await?.expect(200)?;
    let again = two.post_keyed(&path, "filing", &news("Once.")).await?.expect(200)?;
    same(&first, &again, &["/id", "/receipt"]);

    // At once on both: one report comes of it.
    for round in 0..5 {
        let (key, body) = (format!("round-{round}"), news(&format!("Round {round}.")));
        let (here, there) =
            tokio::join!(one.post_keyed(&path, &key, &body), two.post_keyed(&path, &key, &body));
        let (here, there) = (here?, there?);
        // Each may have been the one that wrote it: the log took it from both and kept it once.
        let statuses = [here.status, there.status];
        assert!(statuses.contains(&201), "{} and {}", here.text, there.text);
        assert!(statuses.iter().all(|status| matches!(status, 200 | 201)), "{statuses:?}");
        same(&here, &there, &["/id", "/receipt/event_ids", "/receipt/token"]);
    }
    for number in 0..2 {
        assert_eq!(reports(&at(&ana, &nodes, number)?, &case).await?, 6);
    }
    let other = two.post_keyed(&path, "filing", &news("Something else.")).await?;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
    Ok(())
}

/// Gives a case another title, if it still is what was seen.
async fn retitle(who: &Client, case: &str, seen: &str, title: &str) -> Result<Answer> {
    let request = who.request(&Method::PUT, &format!("/cases/{case}/title"));
    who.send(request.header("If-Match", seen).json(&json!({"title": title}))).await
}

#[tokio::test]
async fn of_two_who_change_what_both_saw_on_two_nodes_one_is_told() -> Result<()> {
    let nodes = nodes(2).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 0, "ana", "analyst").await?;
    let (one, two) = (at(&ana, &nodes, 0)?, at(&ana, &nodes, 1)?);
    let case = open_case(&one).await?;
    for round in 0..5 {
        let seen = two.get(&format!("/cases/{case}")).await?.expect(200)?;
        let seen = seen.headers.get(ETAG).context("a tag")?.to_str()?.to_owned();
        let titles = [format!("Hers {round}"), format!("His {round}")];
        let (here, there) = tokio::join!(
            retitle(&one, &case, &seen, &titles[0]),
            retitle(&two, &case, &seen, &titles[1])
        );
        let (here, there) = (here?, there?);
        let mut statuses = [here.status, there.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{} and {}", here.text, there.text);
        let (won, told) =
            if here.status == 200 { (&titles[0], &there) } else { (&titles[1], &here) };
        assert_eq!(told.code(), "precondition_failed");
        assert_ne!(told.headers.get(ETAG).context("the tag now")?.to_str()?, seen);
        for number in 0..2 {
            let case = at(&ana, &nodes, number)?.get(&format!("/cases/{case}")).await?;
            assert_eq!(&case.expect(200)?.text_at("/title")?, won);
        }
    }
    Ok(())
}
