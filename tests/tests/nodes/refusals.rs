//! Who does not belong is refused in words: another key, another log, a directory of its own, a house that is not there.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use assay_tests::{Nodes, Server, run, run_failing};

use crate::team::{
    SERVE, console_refuses, nodes, of_node, postgres, refused, stop, text, until_ready_says,
};

/// `serve` with a directory and a settings file.
fn serve<'a>(data: &'a str, config: &'a str) -> Vec<&'a str> {
    [SERVE.as_slice(), &["--data-dir", data, "--config", config]].concat()
}

/// The settings of a node with something in them replaced; the file.
fn settings(nodes: &Nodes, name: &str, old: &str, new: &str) -> Result<String> {
    let all = fs::read_to_string(nodes.config(0))?;
    ensure!(all.contains(old), "{all}");
    let path = nodes.folder().join(name);
    fs::write(&path, all.replace(old, new))?;
    Ok(text(&path)?.to_owned())
}

/// What the settings say of a key, without its quotes.
fn said(nodes: &Nodes, key: &str) -> Result<String> {
    let all = fs::read_to_string(nodes.config(0))?;
    let line = all.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    Ok(line.with_context(|| format!("{key} in {all}"))?.trim_matches('"').to_owned())
}

#[tokio::test]
async fn a_house_is_set_up_once_and_before_it_is_served() -> Result<()> {
    let url = postgres()?.database()?;
    let folder = tempfile::tempdir()?;
    let (data, config) = (folder.path().join("data"), folder.path().join("assay.toml"));
    fs::write(&config, format!("[store]\nurl = {url:?}\n"))?;
    let (data, config) = (text(&data)?, text(&config)?);
    let house = ["--data-dir", data, "--config", config];
    let (code, words) = run_failing(&serve(data, config))?;
    ensure!(code != 0 && words.contains("master key"), "without a master key: {code} {words}");

    // With a key, and nothing there yet.
    let key = folder.path().join("data/keys/master.key");
    fs::create_dir_all(folder.path().join("data/keys"))?;
    fs::write(&key, "0a".repeat(32))?;
    for path in [data, text(&folder.path().join("data/keys"))?, text(&key)?] {
        let done = std::process::Command::new("chmod").args(["go-rwx", path]).status()?;
        ensure!(done.success(), "chmod {path}");
    }
    refused(&serve(data, config), &["assay init"])?;
    run(&[["init"].as_slice(), &house].concat())?;
    refused(&[["init"].as_slice(), &house].concat(), &["already initialised"])?;
    // Nor from another directory with the same key.
    let other = folder.path().join("other");
    let environment = format!("[keys]\nmaster_key_file = {:?}\n", text(&key)?);
    let second = folder.path().join("second.toml");
    fs::write(&second, format!("[store]\nurl = {url:?}\n{environment}"))?;
    let init = ["init", "--data-dir", text(&other)?, "--config", text(&second)?];
    refused(&init, &["already initialised"])
}

#[tokio::test]
async fn a_directory_or_a_key_that_does_not_belong_is_refused_in_words() -> Result<()> {
    let mut nodes = nodes(1).await?;
    until_ready_says(&nodes, 0, 200).await?;
    stop(&mut nodes, &[0]).await?;
    let url = said(&nodes, "url")?;
    let other = Nodes::start(&postgres()?.database()?, 0).await?;

    // Another master key: of another house, or of none.
    let (ours, theirs) = (said(&nodes, "master_key_file")?, said(&other, "master_key_file")?);
    let config = settings(&nodes, "key.toml", &ours, &theirs)?;
    let fresh = nodes.folder().join("fresh");
    refused(&serve(text(&fresh)?, &config), &["master key", "store.url"])?;
    let absent = nodes.folder().join("absent.key");
    let config = settings(&nodes, "absent.toml", &ours, text(&absent)?)?;
    let (code, words) = run_failing(&serve(text(&fresh)?, &config))?;
    ensure!(code != 0 && words.contains("master key"), "{code} {words}");

    // A copy of our log in front of another one.
    let before = entries(&nodes)?;
    let data = nodes.data(0);
    let data = text(&data)?;
    let all = fs::read_to_string(other.config(0))?;
    let config = other.folder().join("copy.toml");
    fs::write(&config, all)?;
    refused(&serve(data, text(&config)?), &["store.url", "empty directory"])?;
    assert_eq!(entries(&nodes)?, before, "nothing was changed");

    // A house of its own is no copy.
    let own = nodes.folder().join("own");
    run(&["init", "--data-dir", text(&own)?])?;
    let config = settings(&nodes, "own.toml", &ours, &ours)?;
    refused(&serve(text(&own)?, &config), &["no copy", "assay log copy"])?;
    let server = Server::start(&own).await?;
    reqwest::get(format!("{}/health/ready", server.url)).await?.error_for_status()?;
    ensure!(server.stop().await?, "it is still a house");

    // A copy without its log.
    let config = settings(&nodes, "without.toml", &url, "")?;
    let (code, words) = run_failing(&serve(data, &config))?;
    ensure!(code == 2 && words.contains("store.url"), "a copy alone: {code} {words}");

    // An engine nobody knows.
    let config = settings(&nodes, "engine.toml", "postgresql://", "mysql://")?;
    refused(&serve(data, &config), &["postgresql", "kurrentdb"])?;

    // After all of that it is what it was.
    console_refuses(&nodes, 0, &["init"], &["already initialised"])?;
    nodes.add(0).await?;
    let (code, words) = run_failing(
        &[&SERVE[..], &of_node(&nodes, 0)?.iter().map(String::as_str).collect::<Vec<_>>()].concat(),
    )?;
    ensure!(code == 2 && words.contains("in use"), "held: {code} {words}");
    Ok(())
}

/// How many entries a node's journal has.
fn entries(nodes: &Nodes) -> Result<u64> {
    use assay_store::journal::Journal as _;
    use assay_store_sqlite::{Options, SqliteLog};
    let journal = SqliteLog::open(nodes.data(0).join("journal.db"), Options::default())?;
    Ok(journal.head()?)
}
