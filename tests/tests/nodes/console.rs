//! The console on one of several nodes: people, checks and views, as on a single machine, and no password in sight.

use std::fs;

use anyhow::{Context as _, Result};
use assay_tests::{Client, Nodes, run, run_failing};

use crate::team::{SERVE, at, console, console_refuses, file, nodes, open_case, stop, text};

#[tokio::test]
async fn the_console_works_on_a_stopped_node_while_another_serves() -> Result<()> {
    let mut nodes = nodes(2).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 0, "ana", "analyst").await?;
    let case = open_case(&ana).await?;
    let password = nodes.folder().join("password");
    fs::write(&password, Nodes::password())?;
    fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let add = ["user", "add", "zoe", "--role", "analyst", "--password-file", text(&password)?];
    console_refuses(&nodes, 1, &add, &["in use"])?;

    stop(&mut nodes, &[1]).await?;
    file(&at(&ana, &nodes, 0)?, &case, "While a node was stopped.").await?.expect(201)?;
    console(&nodes, 1, &add)?;
    let listed = console(&nodes, 1, &["user", "list"])?;
    assert!(["admin", "ana", "zoe"].iter().all(|name| listed.contains(name)), "{listed}");
    let zoe = Client::login(&nodes.node(0)?.url, "zoe", Nodes::password()).await?;
    open_case(&zoe).await?;
    console(&nodes, 1, &["user", "suspend", "zoe", "--reason", "a look"])?;
    let refused = zoe.post("/cases", &serde_json::json!({"title": "More"})).await?;
    assert_eq!(refused.status, 401, "{}", refused.text);
    console(&nodes, 1, &["user", "reinstate", "zoe", "--reason", "seen"])?;

    let checked = console(&nodes, 1, &["check"])?;
    assert!(checked.contains("everything holds"), "{checked}");
    console(&nodes, 1, &["rebuild", "--compare"])?;
    console(&nodes, 1, &["rebuild"])?;
    let replayed = console(&nodes, 1, &["replay", "--case", &case, "--plain"])?;
    assert!(replayed.contains("case.opened") || replayed.contains("opened"), "{replayed}");
    console(&nodes, 1, &["ledger", "checkpoint", "--sign"])?;

    nodes.add(1).await?;
    let zoe = Client::login(&nodes.node(1)?.url, "zoe", Nodes::password()).await?;
    zoe.get("/cases").await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn the_address_of_the_log_is_shown_without_its_password() -> Result<()> {
    let nodes = nodes(0).await?;
    let all = fs::read_to_string(nodes.config(0))?;
    let config = nodes.folder().join("secret.toml");
    let secret = "wren-in-a-hedge";
    fs::write(&config, all.replace("assay@127.0.0.1", &format!("assay:{secret}@127.0.0.1")))?;
    let data = nodes.data(0);
    let house = ["--data-dir", text(&data)?, "--config", text(&config)?];
    let shown = run(&[["config"].as_slice(), &house].concat())?;
    assert!(!shown.contains(secret) && shown.contains("[REDACTED]@127.0.0.1"), "{shown}");

    // Nor is it told when nobody answers there, or when the server says no.
    let port = all.split_once("127.0.0.1:").and_then(|(_, rest)| rest.split('/').next());
    let wrong = fs::read_to_string(&config)?.replace(port.context("a port")?, "1");
    fs::write(&config, &wrong)?;
    let (code, said) = run_failing(&[SERVE.as_slice(), &house].concat())?;
    assert!(code != 0 && !said.contains(secret), "{said}");
    fs::write(&config, wrong.replace("assay:", "assay%zz:"))?;
    let (code, said) = run_failing(&[SERVE.as_slice(), &house].concat())?;
    assert!(code != 0 && !said.contains(secret), "{said}");

    // The address in a private file.
    let address = nodes.folder().join("store.url");
    let url = all.lines().find_map(|line| line.strip_prefix("url = ")).context("an address")?;
    fs::write(&address, format!("{}\n", url.trim_matches('"')))?;
    let line = format!("url = {url}");
    fs::write(&config, all.replace(&line, &format!("url_file = {:?}", text(&address)?)))?;
    let listed = [["user", "list"].as_slice(), &house].concat();
    let (code, said) = run_failing(&listed).context("a file that others can read")?;
    assert!(code != 0 && said.contains("chmod 600"), "{said}");
    fs::set_permissions(&address, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let listed = run(&listed)?;
    assert!(listed.contains("admin"), "{listed}");
    Ok(())
}
