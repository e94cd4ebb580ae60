//! The log put back to an older copy behind the nodes: they notice, go on showing what they have, and repair nothing.

use anyhow::{Context as _, Result, ensure};
use assay_tests::run_failing;

use crate::team::{
    SERVE, all_hold_the_same, at, file, nodes_at, of_node, open_case, postgres, readiness, reports,
    stop, until_ready_says,
};

/// Puts another database where one is, as restoring it would; the one that was there is kept as `aside`.
fn exchange(database: &str, with: &str, aside: &str) -> Result<()> {
    let psql = |sql: &str| postgres()?.psql("postgres", sql);
    psql(&format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"))?;
    psql(&format!(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{database}'"
    ))?;
    psql(&format!("ALTER DATABASE {database} RENAME TO {aside}"))?;
    psql(&format!("ALTER DATABASE {with} RENAME TO {database}"))?;
    psql(&format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"))?;
    Ok(())
}

#[tokio::test]
async fn a_log_put_back_to_an_older_copy_is_noticed_and_nothing_is_repaired() -> Result<()> {
    let url = postgres()?.database()?;
    let database = url.rsplit('/').next().context("a database")?;
    let (older, newer) = (format!("{database}_older"), format!("{database}_newer"));
    let mut nodes = nodes_at(&url, 2).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 0, "ana", "analyst").await?;
    let case = open_case(&ana).await?;
    file(&ana, &case, "Before the copy.").await?.expect(201)?;
    stop(&mut nodes, &[0, 1]).await?;
    postgres()?.psql("postgres", &format!("CREATE DATABASE {older} TEMPLATE {database}"))?;
    nodes.add(0).await?;
    nodes.add(1).await?;
    for count in 0..5 {
        file(&at(&ana, &nodes, count % 2)?, &case, "After the copy.").await?.expect(201)?;
    }
    for number in 0..2 {
        assert_eq!(reports(&at(&ana, &nodes, number)?, &case).await?, 6);
    }

    // While they run.
    exchange(database, &older, &newer)?;
    // The first write may come before anybody has noticed: it is not acknowledged either.
    let first = file(&at(&ana, &nodes, 0)?, &case, "Into the older copy.").await?;
    assert_eq!(first.status, 503, "{}", first.text);
    for number in 0..2 {
        until_ready_says(&nodes, number, 503).await?;
        let ready = readiness(&nodes, number).await?;
        assert_eq!(ready.code(), "not_ready");
        assert!(ready.text.contains("not the one it copied"), "{}", ready.text);
        let there = at(&ana, &nodes, number)?;
        assert_eq!(reports(&there, &case).await?, 6, "reading goes on");
        let refused = file(&there, &case, "Onto the older copy.").await?;
        assert_eq!((refused.status, refused.code()), (503, "house_unsound"), "{}", refused.text);
        let logged = nodes.node(number)?.logged()?;
        assert!(logged.contains("older copy"), "{logged}");
    }

    // At their start. Words for the operator, and the journal stays what it was.
    for number in 0..2 {
        nodes.stop(number).await?;
        let node = of_node(&nodes, number)?;
        let node: Vec<&str> = node.iter().map(String::as_str).collect();
        let (code, said) = run_failing(&[&SERVE[..], &node].concat())?;
        ensure!(code == 2, "{code}: {said}");
        ensure!(said.contains("older copy") && said.contains("empty directory"), "{said}");
    }

    // The right one again: everything is as it was.
    exchange(database, &newer, &older)?;
    for number in 0..2 {
        nodes.add(number).await?;
    }
    for number in 0..2 {
        until_ready_says(&nodes, number, 200).await?;
        let there = at(&ana, &nodes, number)?;
        assert_eq!(reports(&there, &case).await?, 6 + number);
        file(&there, &case, "Onto the right one.").await?.expect(201)?;
    }
    stop(&mut nodes, &[0, 1]).await?;
    all_hold_the_same(&nodes, &[0, 1])?;
    Ok(())
}
