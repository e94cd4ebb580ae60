//! The known traps of the client and the protocol, each by its number.
//!
//! 7, 8 and 13 are also tested beside the code that handles them.

use assay_store::fact::APPEND_FACTS_MAX;
use assay_store::log::{Direction, Expected, Followed, Log, LogError};
use assay_store_kurrentdb::{KurrentLog, Options, prepare};
use assay_testing_kurrentdb::Double;
use futures_util::stream::StreamExt as _;
use kurrentdb::{AppendToStreamOptions, Client, EventData, ReadStreamOptions, StreamState};

use crate::server::{PATIENCE, double_and_log, fact, facts, new_log, next_facts};

fn client(double: &Double) -> Client {
    Client::new(double.url().parse().unwrap()).unwrap()
}

/// Writes an event of somebody else's.
async fn write(client: &Client, stream: &str) {
    let options = AppendToStreamOptions::default().stream_state(StreamState::Any);
    let event = EventData::binary("else.v1", "x".into()).id(uuid::Uuid::from_u128(rand::random()));
    client.append_to_stream(stream, &options, event).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_1_a_node_that_died_is_left() {
    let double = Double::cluster(3).await.unwrap();
    let log = new_log(Options::new(double.url())).await;
    log.append("a", Expected::NoStream, facts([0])).await.unwrap();
    let mut following = log.follow(None);
    assert_eq!(next_facts(&mut following, 1).await, facts([0]));
    double.stop_node(0).await;
    double.lead(2).await;
    log.append("a", Expected::Exact(0), facts([1])).await.unwrap();
    assert_eq!(next_facts(&mut following, 1).await, facts([1]));
    assert!(log.connections() > 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_2_a_refused_first_connection_is_not_the_end() {
    let double = Double::start().await.unwrap();
    let options = Options::new(double.url());
    double.stop_node(0).await;
    let later = async {
        // However late it comes within the patience of a call.
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        double.start_node(0).await.unwrap();
    };
    let (prepared, ()) = tokio::join!(prepare(&options), later);
    prepared.unwrap();
    KurrentLog::open(options).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_3_a_follower_outlives_ended_and_silent_subscriptions() {
    let (double, log) = double_and_log().await;
    let mut following = log.follow(None);
    for n in 0..4 {
        log.append(&format!("s{n}"), Expected::NoStream, facts([n])).await.unwrap();
        double.faults().end_subscriptions();
        double.faults().silence_subscriptions(n % 2 == 0);
        assert_eq!(next_facts(&mut following, 1).await, facts([n]));
    }
    let happened = double.faults().happened();
    assert_eq!(happened.ended_subscriptions, 0, "nobody subscribes, so that no core can be lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_4_a_follower_goes_on_from_its_own_place_after_a_break() {
    let (double, log) = double_and_log().await;
    let head = log.append("a", Expected::NoStream, facts([0])).await.unwrap().token;
    let other = KurrentLog::open(log.options().clone()).await.unwrap();
    let mut following = log.follow(Some(head));
    assert_eq!(following.next().await, Some(Ok(Followed::CaughtUp)), "it stands at the head");
    double.faults().break_reads(3, 0);
    other.append("a", Expected::Exact(0), facts(1..4)).await.unwrap();
    double.stop_node(0).await;
    double.start_node(0).await.unwrap();
    other.append("b", Expected::NoStream, facts(4..7)).await.unwrap();
    assert_eq!(next_facts(&mut following, 6).await, facts(1..7), "none was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_5_a_position_does_not_turn_the_direction() {
    let (_double, log) = double_and_log().await;
    log.append("a", Expected::NoStream, facts(0..5)).await.unwrap();
    let numbers = async |from, direction, limit| {
        let page = log.read_stream("a", from, direction, limit).await.unwrap();
        page.iter().map(|recorded| recorded.revision).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, Direction::Backward, 9).await, [0]);
    assert_eq!(numbers(0, Direction::Forward, 2).await, [0, 1]);
    assert_eq!(numbers(3, Direction::Backward, 9).await, [3, 2, 1, 0]);
    assert_eq!(numbers(u64::MAX, Direction::Backward, 2).await, [4, 3]);
    assert!(numbers(u64::MAX, Direction::Forward, 2).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_6_only_the_streams_of_this_log_are_seen() {
    let (double, log) = double_and_log().await;
    let client = client(&double);
    let near = [
        "assay.logs/a",
        "assay.log",
        "assay.vault/key/1",
        "assay2.log/a",
        "$test",
        "a",
        "Assay.log/a",
    ];
    let mut last = None;
    for (n, stream) in (0..).zip(near) {
        write(&client, stream).await;
        last = Some(
            log.append("a", last.map_or(Expected::NoStream, Expected::Exact), facts([n]))
                .await
                .unwrap()
                .last,
        );
        write(&client, stream).await;
    }
    let mut following = log.follow(None);
    let mut seen = Vec::new();
    loop {
        match following.next().await {
            Some(Ok(Followed::Fact(fact))) => seen.push(fact.fact),
            Some(Ok(Followed::Progress(_))) => {}
            Some(Ok(Followed::CaughtUp)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, facts(0..7));
    let there = log.read_stream("a", 6, Direction::Forward, 1).await.unwrap();
    assert_eq!(
        log.head().await.unwrap(),
        there.first().map(|recorded| recorded.token),
        "the last of ours"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_8_a_password_of_any_characters_opens() {
    let double = Double::start().await.unwrap();
    double.require_login("us@er", "p:w/ %é?#,");
    let options = Options::new(double.url_as("us%40er", "p%3Aw%2F%20%25%C3%A9%3F%23%2C"));
    let log = new_log(options).await;
    log.append("a", Expected::NoStream, facts([0])).await.unwrap();
    let mut following = log.follow(None);
    assert_eq!(next_facts(&mut following, 1).await, facts([0]));
    let wrong = prepare(&Options::new(double.url_as("us%40er", "else"))).await;
    assert_eq!(wrong, Err(assay_store_kurrentdb::OpenError::Denied));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_9_an_empty_append_is_refused_before_the_wire() {
    let (double, log) = double_and_log().await;
    let before = double.events();
    let empty = log.append("a", Expected::NoStream, Vec::new()).await;
    assert!(matches!(empty, Err(LogError::Invalid(_))));
    assert_eq!(double.events(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traps_10_and_11_a_big_append_is_whole_and_its_last_revision_is_that_of_its_last_fact() {
    let (_double, log) = double_and_log().await;
    let count = u64::try_from(APPEND_FACTS_MAX).unwrap();
    let done = log.append("a", Expected::NoStream, facts(0..count)).await.unwrap();
    assert_eq!(done.last, count - 1);
    assert!(done.committed.is_empty());
    let conflict = log.append("a", Expected::Exact(3), facts(1_000..1_000 + count)).await;
    assert_eq!(conflict, Err(LogError::Conflict { current: Some(count - 1) }));
    let there = log.read_stream("a", 0, Direction::Forward, 10_000).await.unwrap();
    assert_eq!(there.len(), APPEND_FACTS_MAX, "a conflict writes nothing");
    assert_eq!(there.last().map(|recorded| recorded.token), Some(done.token));
    let again = log.append("a", Expected::NoStream, facts(0..count)).await;
    assert_eq!(again, Ok(done), "more facts than a page has are compared too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_12_an_event_has_the_id_and_the_bytes_of_its_fact() {
    let (double, log) = double_and_log().await;
    let odd = assay_store::fact::NewFact { data: vec![0, 255, b'{', 10].into(), ..fact(5) };
    log.append("🦀 a/b", Expected::NoStream, vec![odd.clone()]).await.unwrap();
    let options = ReadStreamOptions::default().max_count(1);
    let client = client(&double);
    let mut reading = client.read_stream("assay.log/🦀 a/b", &options).await.unwrap();
    let event = reading.next().await.unwrap().unwrap().event.unwrap();
    assert_eq!((event.id, &event.event_type, &event.data), (odd.id, &odd.name, &odd.data));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_14_an_append_anywhere_has_one_copy_though_its_answer_is_lost() {
    let (double, log) = double_and_log().await;
    for n in 0..6 {
        double.faults().lose_answers(1);
        let done = log.append("a", Expected::Any, facts([n])).await.unwrap();
        assert_eq!(done.last, n);
    }
    // The same id again is another fact: the server's memory of «any» is not asked.
    assert_eq!(log.append("a", Expected::Any, facts([0])).await.unwrap().last, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_15_caught_up_is_told_once_the_head_of_the_beginning_was_seen() {
    let (double, log) = double_and_log().await;
    log.append("a", Expected::NoStream, facts(0..300)).await.unwrap();
    // Nothing of ours is last in `$all`.
    write(&client(&double), "else").await;
    let following = log.follow(None).take_while(|item| {
        let go_on = !matches!(item, Ok(Followed::CaughtUp));
        async move { go_on }
    });
    let seen: Vec<_> = tokio::time::timeout(PATIENCE, following.collect()).await.unwrap();
    let count = seen.iter().filter(|item| matches!(item, Ok(Followed::Fact(_)))).count();
    assert_eq!(count, 300);
    let head = log.head().await.unwrap();
    let Some(Ok(Followed::Progress(place))) = seen.last() else { panic!("{:?}", seen.last()) };
    assert!(Some(*place) > head, "progress goes past what is not ours");
    let mut resumed = log.follow(Some(*place));
    assert_eq!(resumed.next().await, Some(Ok(Followed::CaughtUp)));
    log.append("b", Expected::NoStream, facts([300])).await.unwrap();
    assert_eq!(next_facts(&mut resumed, 1).await, facts([300]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_16_what_was_written_is_read_at_once_whichever_node_was_asked_first() {
    let double = Double::cluster(3).await.unwrap();
    double.lead(2).await;
    for port in double.ports() {
        let url = format!("kurrentdb://127.0.0.1:{port}?tls=false");
        let log = new_log(Options { namespace: format!("n{port}"), ..Options::new(url) }).await;
        for n in 0_u64..20 {
            let expected = n.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
            let done = log.append("a", expected, facts([n])).await.unwrap();
            assert_eq!(log.head().await, Ok(Some(done.token)));
        }
    }
}
