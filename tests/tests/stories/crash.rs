//! Killed at any moment, the server has everything it acknowledged, once, where it said.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use assay_tests::{Client, Server, run};
use serde_json::json;
use tokio::sync::Mutex;

use crate::team::{PASSWORD, Team};

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let data = team.data.clone();
    let mut server = team.server;
    let mut ana = team.ana;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for round in 0..3_u64 {
        let writers = (0..8).map(|writer| {
            let (ana, path) = (ana.clone(), format!("/cases/{case}/reports"));
            let acknowledged = Arc::clone(&acknowledged);
            tokio::spawn(async move {
                for n in 0..10_000 {
                    let text = format!("Round {round}, writer {writer}, report {n}.");
                    let body = json!({"kind": "news", "text": text});
                    match ana.post(&path, &body).await {
                        Ok(answer) if answer.status == 201 => {
                            let id = answer.text_at("/id").unwrap_or_default();
                            let position =
                                answer.number_at("/receipt/position").unwrap_or_default();
                            acknowledged.lock().await.push((id, text, position));
                        }
                        _ => break,
                    }
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        tokio::time::sleep(Duration::from_millis(300 + 170 * round)).await;
        server.kill().await?;
        for writer in writers {
            writer.await?;
        }
        server = Server::start(&data).await?;
        ana = Client::login(&server.url, "ana", PASSWORD).await?;
    }
    let acknowledged = acknowledged.lock().await.clone();
    assert!(acknowledged.len() > 20, "only {} writes were acknowledged", acknowledged.len());
    for (id, text, position) in &acknowledged {
        let report = ana.get(&format!("/reports/{id}?as_of={position}")).await?.expect(200)?;
        let rendition = report.text_at("/renditions/0/id")?;
        let words = ana.get(&format!("/reports/{id}/renditions/{rendition}")).await?.expect(200)?;
        assert_eq!(&words.text_at("/text")?, text);
    }
    assert!(server.stop().await?);
    run(&["check", "--data-dir", data.to_str().context("a path")?])?;
    Ok(())
}
