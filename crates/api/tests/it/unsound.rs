//! A breach found at run time: writes stop, readiness says so, reads go on.

use assay_domain::user::HouseRole;
use assay_store::fact::{ActorKind, Envelope, NewFact};
use assay_store::journal::Journal;
use assay_store::log::{Expected, Log as _};
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

/// A fact nobody can read.
fn unreadable() -> NewFact {
    let envelope = Envelope {
        recorded_at: 0,
        actor: Uuid::nil(),
        actor_kind: ActorKind::Service,
        on_behalf_of: None,
        session: None,
        command: Uuid::nil(),
        causation: None,
        correlation: Uuid::nil(),
        case: None,
        request_mac: None,
    };
    let data = br#"{"type":"case.unheard_of.v1","data":{}}"#.as_slice().into();
    NewFact { id: Uuid::from_u128(77), name: "case.unheard_of.v1".to_owned(), envelope, data }
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_stops_writes_and_shows() {
    let world = World::new();
    let ana = world.person("ana", &[HouseRole::Analyst]).await;
    world.get("/health/ready", "").await.expect(200);
    let stream = format!("case-{}", Uuid::from_u128(78));
    world.log.append(&stream, Expected::NoStream, vec![unreadable()]).await.unwrap();
    let mut ready = 200;
    for _ in 0..500 {
        ready = world.get("/health/ready", "").await.status;
        if ready != 200 {
            break;
        }
    }
    assert_eq!(ready, 503);
    let head = Journal::head(&world.log).unwrap();
    let refused = world.post("/cases", &ana.token, json!({"title": "A case"})).await;
    assert_eq!((refused.status, refused.code()), (503, "house_unsound"), "{}", refused.text);
    assert_eq!(Journal::head(&world.log).unwrap(), head);
    world.get("/cases", &ana.token).await.expect(200);
}
