//! The demo case: a real report decomposed, with nothing lost.

use anyhow::{Context as _, Result};
use assay_tests::{Client, Server, run};
use serde_json::Value;

/// The pass phrase the demo prints for somebody: `| ana | … | … |`.
pub(crate) fn password<'a>(printed: &'a str, username: &str) -> Result<&'a str> {
    let mut rows = printed.lines().map(|line| line.split('|').map(str::trim));
    let row = rows.find_map(|mut cells| (cells.nth(1) == Some(username)).then_some(cells));
    let cell = row.and_then(|mut cells| cells.next());
    cell.with_context(|| format!("no line for {username} in\n{printed}"))
}

#[tokio::test]
async fn the_demo_case_shows_what_the_report_holds() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("demo");
    let shown = data.to_str().context("a path")?;
    let printed = run(&["demo", "--data-dir", shown])?;
    run(&["demo", "--data-dir", shown])?; // Twice is harmless.
    run(&["check", "--data-dir", shown])?;
    run(&["rebuild", "--compare", "--data-dir", shown])?;

    let server = Server::start(&data).await?;
    let ida = Client::login(&server.url, "ida", password(&printed, "ida")?).await?;
    let ana = Client::login(&server.url, "ana", password(&printed, "ana")?).await?;
    let case = ana.get("/cases").await?.expect(200)?.text_at("/items/0/id")?;

    let open = ana.get(&format!("/cases/{case}/contradictions?open=true")).await?.expect(200)?;
    let same_side = open.items().iter().filter(|item| item["same_side"] == Value::Bool(true));
    assert_eq!((open.items().len(), same_side.count()), (7, 1));

    let report =
        ana.get(&format!("/cases/{case}/reports")).await?.expect(200)?.text_at("/items/0/id")?;
    let coverage = ana.get(&format!("/reports/{report}/coverage")).await?.expect(200)?;
    assert_eq!(coverage.at("/words_covered"), coverage.at("/words_total"));
    assert_eq!(coverage.at("/uncovered"), &Value::Array(vec![]));

    let claims = ana.get(&format!("/cases/{case}/claims?limit=500")).await?.expect(200)?;
    let links = ana.get(&format!("/cases/{case}/links?limit=500")).await?.expect(200)?;
    let assertions: usize =
        claims.items().iter().map(|claim| claim["assertions"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!((claims.items().len(), assertions, links.items().len()), (53, 56, 42));

    // Who is said to hold what on a day of 2016? One claim reaches back that far for sure.
    let then = ana.get(&format!("/cases/{case}/claims?valid_at=2016-06-01&match=certain")).await?;
    let then = then.expect(200)?;
    assert_eq!(then.items().len(), 1, "{}", then.text);
    assert_eq!(then.at("/items/0/proposition/time/edtf"), "2015-21/..");

    // The auditor sees the register fill up.
    let head = open.number_at("/as_of/position")?;
    let mut seen = std::collections::BTreeSet::new();
    for position in [1, head / 2, head] {
        let then =
            ida.get(&format!("/cases/{case}/contradictions?open=true&as_of={position}")).await?;
        seen.insert(if then.status == 200 { then.items().len() } else { 0 });
    }
    assert!(seen.contains(&7) && seen.contains(&0), "{seen:?}");
    Ok(())
}
