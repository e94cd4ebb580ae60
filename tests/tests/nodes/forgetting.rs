//! Forgetting everywhere: what is held back, given back or forgotten on one node is so on all of them, and in their files.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use assay_tests::{Client, Nodes};
use serde_json::json;

use crate::team::{
    all_hold_the_same, at, claim, console, file, nodes, open_case, postgres, stop, until,
};

const NODES: usize = 3;
const OFFICER: &str = "al-Mudarris";
const TEXT: &str =
    "Colonel Hisham al-Mudarris ordered the shelling on Monday. The army denied it.\n";
const WORDS: &str = "Colonel Hisham al-Mudarris ordered the shelling on Monday";

/// Everything on one node that might name the officer.
async fn everything(who: &Client, case: &str, report: &str) -> Result<String> {
    let mut all = String::new();
    for path in [
        format!("/cases/{case}/claims?limit=500"),
        format!("/cases/{case}/reports?limit=500"),
        format!("/cases/{case}/history?limit=500"),
        format!("/reports/{report}/coverage"),
        "/search?q=Mudarris".to_owned(),
    ] {
        all.push_str(&who.get(&path).await?.expect(200)?.text);
    }
    let shown = who.get(&format!("/reports/{report}")).await?.expect(200)?;
    let rendition = shown.text_at("/renditions/0/id")?;
    all.push_str(&who.get(&format!("/reports/{report}/renditions/{rendition}")).await?.text);
    Ok(all)
}

/// A case that names an officer, and who sees it.
struct Named {
    nodes: Nodes,
    ana: Client,
    case: String,
    report: String,
}

impl Named {
    /// Waits until every node names the officer, or none does.
    async fn until_named(&self, named: bool) -> Result<()> {
        for number in [1, 2, 0] {
            let there = at(&self.ana, &self.nodes, number)?;
            let what = format!("node {number} to name the officer: {named}");
            let looked = async || {
                let all = everything(&there, &self.case, &self.report).await?;
                Ok(all.contains(OFFICER) == named)
            };
            until(&what, looked).await?;
        }
        Ok(())
    }
}

/// Whether no file below a folder has the word in clear.
fn holds_no_clear(folder: &Path) -> Result<()> {
    let found = Command::new("grep").args(["-rlaF", "--", OFFICER]).arg(folder).output()?;
    let files = String::from_utf8_lossy(&found.stdout).into_owned();
    ensure!(found.status.code() == Some(1), "still named in {}: {files}", folder.display());
    Ok(())
}

#[tokio::test]
async fn who_is_forgotten_on_one_node_is_forgotten_on_all() -> Result<()> {
    let nodes = nodes(NODES).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 1, "ana", "analyst").await?;
    let (_, dora) = nodes.register(&admin, 2, "dora", "dpo").await?;
    let case = open_case(&ana).await?;
    let report = file(&ana, &case, TEXT).await?.expect(201)?.text_at("/id")?;
    let claim = claim(&ana, &case, &report, WORDS).await?;
    let mut named = Named { nodes, ana, case, report };
    named.until_named(true).await?;

    let (dora, second) = (at(&dora, &named.nodes, 0)?, at(&admin, &named.nodes, 2)?);
    let subjects = [("claim", claim), ("report", named.report.clone())];
    let mut erasures = Vec::new();
    for (kind, id) in &subjects {
        let body = json!({"subject": {"kind": kind, "id": id}, "living": "held_as_living",
            "ground": "A named officer asks through counsel."});
        let erasure = dora.post("/erasures", &body).await?.expect(201)?.text_at("/id")?;
        erasures.push(format!("/erasures/{erasure}"));
    }
    let restrict = async || -> Result<()> {
        for erasure in &erasures {
            let body = json!({"reason": "until it is decided"});
            dora.post(&format!("{erasure}/restrict"), &body).await?.expect(202)?;
        }
        Ok(())
    };

    restrict().await?;
    named.until_named(false).await?;
    for erasure in &erasures {
        let body = json!({"reason": "a look"});
        dora.post(&format!("{erasure}/lift"), &body).await?.expect(202)?;
    }
    named.until_named(true).await?;

    restrict().await?;
    named.until_named(false).await?;
    let elsewhere = at(&dora, &named.nodes, 1)?;
    for erasure in &erasures {
        let own = elsewhere.post_bare(&format!("{erasure}/carry-out")).await?;
        assert_eq!((own.status, own.code()), (403, "erasure_four_eyes"), "{}", own.text);
        let done = second.post_bare(&format!("{erasure}/carry-out")).await?;
        assert!(matches!(done.status, 200 | 202), "{}", done.text);
    }
    named.until_named(false).await?;

    stop(&mut named.nodes, &[0, 1, 2]).await?;
    all_hold_the_same(&named.nodes, &[0, 1, 2])?;
    for number in 0..NODES {
        let dump = console(&named.nodes, number, &["views", "dump", "--canonical"])?;
        assert!(!dump.contains(OFFICER), "node {number} names them in its views");
    }
    holds_no_clear(named.nodes.folder())?;
    holds_no_clear(postgres()?.directory())?;

    // A node that was away meanwhile has nothing to remember either.
    std::fs::remove_dir_all(named.nodes.data(2))?;
    named.nodes.add(2).await?;
    let there = Client::login(&named.nodes.node(2)?.url, "ana", Nodes::password()).await?;
    let all = everything(&there, &named.case, &named.report).await?;
    assert!(!all.contains(OFFICER));
    assert!(all.contains(&named.case), "it shows the case: {all}");
    named.nodes.stop(2).await?.then_some(()).context("it ends well")
}
