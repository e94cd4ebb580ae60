//! What the stories share: a PostgreSQL server, nodes over a fresh database, people who work, and waiting.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use assay_testing_postgres::Server as Postgres;
use assay_tests::{Answer, Client, Nodes, run, run_failing};
use reqwest::Method;
use serde_json::{Value, json};

/// How often something is looked at before we give up: two minutes in all, for a busy machine.
const LOOKS_MAX: usize = 1_200;
/// How long lies between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What every node is told: to sign soon, and not to mind how often a test logs in.
const SETTINGS: &str = "[limits]\nlogins_per_minute = 6000\n[ledger]\ninterval_s = 1\n";

/// The server that all stories share but those that stop it. Its watchdog ends it after us.
pub(crate) fn postgres() -> Result<&'static Postgres> {
    static SERVER: OnceLock<Result<Postgres, String>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Postgres::start().map_err(|error| format!("{error:#}")));
    server.as_ref().map_err(|error| anyhow!("{error}"))
}

/// So many nodes over a fresh database.
pub(crate) async fn nodes(count: usize) -> Result<Nodes> {
    nodes_at(&postgres()?.database()?, count).await
}

/// So many nodes over the log at an address.
pub(crate) async fn nodes_at(url: &str, count: usize) -> Result<Nodes> {
    nodes_with(url, count, "").await
}

/// The same with more to say of the ledger, as TOML.
pub(crate) async fn nodes_with(url: &str, count: usize, ledger: &str) -> Result<Nodes> {
    Nodes::start_with(url, count, &format!("{SETTINGS}{ledger}")).await
}

/// The same person on another node.
pub(crate) fn at(who: &Client, nodes: &Nodes, number: usize) -> Result<Client> {
    Ok(who.at(&nodes.node(number)?.url))
}

/// Looks again and again until it is so.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    for _ in 0..LOOKS_MAX {
        if look().await? {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bail!("waited in vain: {what}")
}

/// Opens a case, alone.
pub(crate) async fn open_case(ana: &Client) -> Result<String> {
    let body = json!({"title": "Villages", "mandate": "Who holds what."});
    ana.post("/cases", &body).await?.expect(201)?.text_at("/id")
}

/// Asks to file a report.
pub(crate) async fn file(who: &Client, case: &str, text: &str) -> Result<Answer> {
    who.post(&format!("/cases/{case}/reports"), &news(text)).await
}

/// What is filed.
pub(crate) fn news(text: &str) -> Value {
    json!({"kind": "news", "text": text})
}

/// Proposes a claim and records the narrator of a report asserting it in these words.
pub(crate) async fn claim(ana: &Client, case: &str, report: &str, words: &str) -> Result<String> {
    let body = json!({"kind": "event", "gist": words, "polarity": "affirmed"});
    let claim = ana.post(&format!("/cases/{case}/claims"), &body).await?.expect(201)?;
    let claim = claim.text_at("/id")?;
    let narrated = json!({
        "report": report,
        "chain": [{"holder": {"is": "narrator"}, "act": "asserts", "directness": "narration"}],
        "stance": "asserts",
        "hedge": {"level": "flat"},
        "polarity": "affirmed",
        "quotes": [{"exact": words}],
    });
    ana.post(&format!("/claims/{claim}/assertions"), &narrated).await?.expect(201)?;
    Ok(claim)
}

/// How many reports somebody sees in a case.
pub(crate) async fn reports(who: &Client, case: &str) -> Result<usize> {
    let path = format!("/cases/{case}/reports?limit=500");
    Ok(who.get(&path).await?.expect(200)?.items().len())
}

/// How ready a node says to be.
pub(crate) async fn readiness(nodes: &Nodes, number: usize) -> Result<Answer> {
    health(nodes, number, "ready").await
}

/// What a node says of itself at `/health/…`.
pub(crate) async fn health(nodes: &Nodes, number: usize, what: &str) -> Result<Answer> {
    let response = reqwest::get(format!("{}/health/{what}", nodes.node(number)?.url)).await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer { status, headers, body, text })
}

/// Waits until a node says with this status how ready it is.
pub(crate) async fn until_ready_says(nodes: &Nodes, number: usize, status: u16) -> Result<()> {
    let what = format!("node {number} to answer {status} at /health/ready");
    until(&what, async || Ok(readiness(nodes, number).await?.status == status)).await
}

/// A number that a node shows at its second address; nothing while it shows none of that name.
pub(crate) async fn metric(nodes: &Nodes, number: usize, name: &str) -> Result<Option<f64>> {
    let ops = nodes.node(number)?.ready["ops_url"].as_str().context("a second address")?;
    let text = reqwest::get(format!("{ops}/metrics")).await?.text().await?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(line.map(str::parse).transpose()?)
}

/// The arguments by which the console is told which node's directory is meant.
pub(crate) fn of_node(nodes: &Nodes, number: usize) -> Result<[String; 4]> {
    let data = text(&nodes.data(number))?.to_owned();
    Ok(["--data-dir".to_owned(), data, "--config".to_owned(), nodes.config(number)])
}

/// Runs the console on a node's directory; it must succeed.
pub(crate) fn console(nodes: &Nodes, number: usize, words: &[&str]) -> Result<String> {
    let node = of_node(nodes, number)?;
    run(&words.iter().copied().chain(node.iter().map(String::as_str)).collect::<Vec<_>>())
}

/// Runs the console on a node's directory; it must fail, and what it printed has all these words.
pub(crate) fn console_refuses(
    nodes: &Nodes,
    number: usize,
    words: &[&str],
    said: &[&str],
) -> Result<()> {
    let node = of_node(nodes, number)?;
    refused(&words.iter().copied().chain(node.iter().map(String::as_str)).collect::<Vec<_>>(), said)
}

/// Runs the binary; it must end with exit code 2, and what it printed has all these words.
pub(crate) fn refused(arguments: &[&str], words: &[&str]) -> Result<()> {
    let (code, said) = run_failing(arguments)?;
    ensure!(code == 2, "assay {} ended with {code}: {said}", arguments.join(" "));
    for word in words {
        ensure!(said.contains(word), "assay {}: no {word:?} in: {said}", arguments.join(" "));
    }
    Ok(())
}

/// `serve` on free ports, without a node's directory.
pub(crate) const SERVE: [&str; 5] =
    ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];

/// A path as an argument.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

/// Stops nodes; each must end well.
pub(crate) async fn stop(nodes: &mut Nodes, numbers: &[usize]) -> Result<()> {
    for number in numbers {
        ensure!(nodes.stop(*number).await?, "node {number} did not end well");
    }
    Ok(())
}

/// What `assay check` says of nodes that are stopped: the same entries with the same root everywhere.
pub(crate) fn all_hold_the_same(nodes: &Nodes, numbers: &[usize]) -> Result<Value> {
    // Asked twice, since looking brings a node up to where the last one stopped.
    for number in numbers {
        console(nodes, *number, &["check", "--json"])?;
    }
    let mut known: Option<(Value, Value)> = None;
    for number in numbers {
        let said = console(nodes, *number, &["check", "--json"])?;
        let said: Value = serde_json::from_str(&said)?;
        ensure!(said["holds"] == true && said["complete"] == true, "node {number}: {said}");
        let now = (said["entries"].clone(), said["root"].clone());
        let before = known.get_or_insert_with(|| now.clone());
        ensure!(*before == now, "node {number} has {now:?} where others have {before:?}");
    }
    known.map(|(_, root)| root).context("a node")
}

/// Takes a case out of the house at the node where somebody works; the bytes of the bundle.
pub(crate) async fn bundle(who: &Client, case: &str) -> Result<Vec<u8>> {
    let path = format!("/cases/{case}/bundles");
    let answer = who.request(&Method::POST, &path).json(&json!({"disclose": "all"}));
    let answer = answer.send().await?;
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await?;
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&bytes));
    Ok(bytes.to_vec())
}
