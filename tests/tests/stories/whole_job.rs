//! The whole job of all three: file, claim, verify, replay.

use anyhow::Result;
use serde_json::json;

use crate::team::Team;

const TEXT: &str = "Rebels took 16 villages on Thursday. The army denied it.\n";

fn verdict(claim: &str, assertion: &str) -> serde_json::Value {
    json!({
        "outcome": "supported",
        "confidence": "moderate",
        "citations": [{"cites": {"assertion": {"claim": claim, "assertion": assertion}}, "role": "supports"}],
        "justification": "Told plainly and nowhere taken back.",
    })
}

#[tokio::test]
async fn file_claim_verify_replay() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let report = team.report(&case, TEXT).await?;
    let (claim, assertion) = team.claim(&case, &report, "Rebels took 16 villages").await?;

    let coverage = team.ana.get(&format!("/reports/{report}/coverage")).await?.expect(200)?;
    assert_eq!(coverage.number_at("/words_total")?, 10);
    assert_eq!(coverage.number_at("/words_covered")?, 4);

    let review = format!("/claims/{claim}/review");
    team.ana.post(&review, &json!({"priority": 1})).await?.expect(200)?;
    let queue = team.rao.get("/review-queue").await?.expect(200)?;
    assert_eq!(queue.items().len(), 1);
    assert_eq!(queue.at("/items/0/barred"), &json!(false));

    let path = format!("/claims/{claim}/verdicts");
    let own = team.ana.post(&path, &verdict(&claim, &assertion)).await?;
    assert_eq!((own.status, own.code()), (403, "claim_four_eyes"));
    let before = team.ana.get(&format!("/claims/{claim}")).await?.expect(200)?;
    let position = before.number_at("/as_of/position")?;
    team.rao.post(&path, &verdict(&claim, &assertion)).await?.expect(201)?;

    let card = team.rao.get(&format!("/claims/{claim}")).await?.expect(200)?;
    assert_eq!(card.at("/standing"), &json!("adjudicated"));
    let then = team.ida.get(&format!("/claims/{claim}?as_of={position}")).await?.expect(200)?;
    assert_eq!(then.at("/standing"), &json!("under_review"));

    let diff =
        format!("/claims/{claim}/diff?from={position}&to={}", card.number_at("/as_of/position")?);
    let diff = team.ida.get(&diff).await?.expect(200)?;
    assert!(diff.text.contains("claim.verdict_issued.v1"), "{}", diff.text);
    let history = team.ida.get(&format!("/claims/{claim}/history")).await?.expect(200)?;
    assert!(
        history.text.contains("under_review") && history.text.contains("adjudicated"),
        "{}",
        history.text
    );
    Ok(())
}

#[tokio::test]
async fn strangers_to_a_case_find_nothing_at_all() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let report = team.report(&case, "A canary sang in Saraqeb.").await?;
    let nothing = uuid::Uuid::from_u128(0x018d_0a2c_0000_7000_8000_0000_0000_0bad).to_string();
    for path in ["/cases/ID", "/cases/ID/reports", "/cases/ID/claims", "/cases/ID/history"] {
        let hidden = team.ben.get(&path.replace("ID", &case)).await?;
        let absent = team.ben.get(&path.replace("ID", &nothing)).await?;
        assert_eq!((hidden.status, absent.status), (404, 404), "{path}");
        assert_eq!(hidden.at("/detail"), absent.at("/detail"), "{path}");
    }
    assert_eq!(team.ben.get(&format!("/reports/{report}")).await?.status, 404);
    assert_eq!(team.ben.get("/search?q=canary").await?.expect(200)?.items().len(), 0);
    assert_eq!(team.ana.get("/search?q=canary").await?.expect(200)?.items().len(), 1);
    assert_eq!(
        team.admin.get(&format!("/cases/{case}")).await?.status,
        404,
        "an admin reads no case"
    );
    assert_eq!(team.ben.get("/cases").await?.expect(200)?.items().len(), 0);
    Ok(())
}

#[tokio::test]
async fn who_was_removed_is_out_at_the_next_request() -> Result<()> {
    let team = Team::new().await?;
    let case = team.case().await?;
    let member = format!("/cases/{case}/members/{}", team.ids[1]);
    team.ana.put(&member, &json!({"roles": ["analyst"]})).await?.expect(200)?;
    let file = format!("/cases/{case}/reports");
    team.ben.post(&file, &json!({"kind": "news", "text": "One."})).await?.expect(201)?;
    team.ana.send(team.ana.request(&reqwest::Method::DELETE, &member)).await?.expect(200)?;
    assert_eq!(team.ben.post(&file, &json!({"kind": "news", "text": "Two."})).await?.status, 404);
    let suspend = format!("/users/{}/suspend", team.ids[2]);
    team.admin.post(&suspend, &json!({"reason": "left"})).await?.expect(200)?;
    assert_eq!(team.rao.get("/review-queue").await?.status, 401);
    Ok(())
}
