//! How fast a journal takes the facts of a log elsewhere, in batches of 500: entries in a second.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a tool of the tests")]

use std::time::Instant;

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::log::Token;
use assay_store::replica::Replica as _;
use assay_store_sqlite::{Options, SqliteLog};
use uuid::Uuid;

const FACTS: u64 = 100_000;
const BATCH: u64 = 500;
const STREAMS: u64 = 5_000;

fn recorded(number: u64, apart: u64) -> Recorded {
    let id = Uuid::from_u128(rand::random());
    let envelope = Envelope {
        recorded_at: 1_700_000_000_000_000 + i64::try_from(number).unwrap(),
        actor: id,
        actor_kind: ActorKind::Person,
        on_behalf_of: None,
        session: Some(id),
        command: id,
        causation: None,
        correlation: id,
        case: Some(id),
        request_mac: Some([7; 16]),
    };
    let data = vec![b'x'; 400].into();
    Recorded {
        stream: format!("stream-{}", number % STREAMS),
        revision: number / STREAMS,
        token: Token((number + 1) * apart),
        fact: NewFact { id, name: "some.thing.v1".to_owned(), envelope, data },
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    for (name, apart) in [("dense tokens", 1), ("sparse tokens", 300)] {
        let log = SqliteLog::open(directory.path().join(name), Options::default()).unwrap();
        log.adopt(Uuid::from_u128(1)).await.unwrap();
        let facts: Vec<Recorded> = (0..FACTS).map(|number| recorded(number, apart)).collect();
        let batches: Vec<_> = facts.chunks(usize::try_from(BATCH).unwrap()).collect();
        let began = Instant::now();
        for batch in batches {
            log.take(batch.to_vec(), batch[batch.len() - 1].token).await.unwrap();
        }
        let took = began.elapsed().as_secs_f64();
        let each_second = f64::from(u32::try_from(FACTS).unwrap()) / took;
        println!("{name}: {FACTS} entries in {took:.2} s, {each_second:.0} a second");
    }
}
