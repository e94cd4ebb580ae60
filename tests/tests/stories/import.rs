//! Reports by the thousand, twice, with the lines that are wrong named by number.

use anyhow::{Context as _, Result};
use assay_tests::{Client, Server, run, run_failing};

use crate::team::{PASSWORD, Team};

#[tokio::test]
async fn an_import_is_safe_to_run_twice() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let data = team.data.clone();
    assert!(team.server.stop().await?);
    let shown = data.to_str().context("a path")?;
    let file = data.with_extension("ndjson");
    let file = file.to_str().context("a path")?;
    run(&["import", "--generate", "300", file])?;
    let import = ["import", file, "--case", &case, "--as", "ana", "--data-dir", shown];
    run(&import)?;
    run(&import)?;

    let mut lines = std::fs::read_to_string(file)?;
    lines.push_str("{\"report\": {\"key\": \"bad\"}}\n");
    std::fs::write(file, lines)?;
    let (code, said) = run_failing(&import)?;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("301"), "the line is named: {said}");

    let server = Server::start(&data).await?;
    let ana = Client::login(&server.url, "ana", PASSWORD).await?;
    let mut path = format!("/cases/{case}/reports?limit=200");
    let mut count = 0;
    loop {
        let page = ana.get(&path).await?.expect(200)?;
        count += page.items().len();
        let Some(next) = page.at("/next").as_str() else { break };
        path = format!("/cases/{case}/reports?limit=200&cursor={next}");
    }
    assert_eq!(count, 300);
    Ok(())
}

#[tokio::test]
async fn real_rows_keep_their_ranges_and_oddities() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let data = team.data.clone();
    assert!(team.server.stop().await?);
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/exchange/samples");
    let shown = data.to_str().context("a path")?;
    // The real rows hold no best estimate outside its ends; three made-up ones do.
    for sample in ["ucdp-2022.jsonl", "ucdp-odd-made-up.jsonl"] {
        let file = format!("{samples}/{sample}");
        let whose = ["--case", &case, "--as", "ana", "--data-dir", shown];
        run(&[&["import", &file, "--format", "ucdp"], whose.as_slice()].concat())?;
    }
    let server = Server::start(&data).await?;
    let ana = Client::login(&server.url, "ana", PASSWORD).await?;
    let claims = ana.get(&format!("/cases/{case}/claims?limit=500")).await?.expect(200)?;
    assert!(claims.text.contains("\"is\":\"range\""), "deaths are ranges");
    assert!(claims.text.contains("low_above_best"), "low > best is kept and flagged");
    assert!(claims.text.contains("\"code\":\"adm1\""), "precision codes are mapped");
    Ok(())
}
