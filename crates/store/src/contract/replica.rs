//! What a journal that is the copy of a log elsewhere must keep: the same entries as on every other node.

mod upstream;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{fact, facts, in_time, must};
use crate::fact::Recorded;
use crate::journal::Journal;
use crate::log::{Append, Expected, Log, LogError, Token};
use crate::replica::Replica;
use upstream::{FACTS, Places, Upstream, upstream};

/// How an adapter makes replicas for the contract.
pub trait MakeReplica: Send + Sync {
    /// The replica it makes.
    type Replica: Replica + 'static;

    /// An empty journal that is the copy of nothing yet.
    fn fresh(&self) -> BoxFuture<'_, Arc<Self::Replica>>;

    /// The same journal after its process ended and another one started. Nobody else holds it.
    fn reopen(&self, replica: Arc<Self::Replica>) -> BoxFuture<'_, Arc<Self::Replica>>;
}

/// Holds a replica to its promises. Runs inside a tokio runtime.
///
/// # Panics
///
/// With the first that is broken.
pub async fn run<M: MakeReplica>(make: &M) {
    in_time("replica: adopt", a_journal_is_the_copy_of_one_log(make)).await;
    for places in [Places::Dense, Places::Sparse, Places::Parting] {
        in_time("replica: copy", a_copy_is_like_its_log(make, places)).await;
        in_time("replica: batches", the_borders_of_batches_do_not_matter(make, places)).await;
        in_time("replica: places", places_are_found(make, places)).await;
        in_time("replica: refuse", what_does_not_follow_is_refused(make, places)).await;
    }
    in_time("replica: seen", what_was_taken_is_seen(make)).await;
}

fn last_token(facts: &[Recorded]) -> Token {
    facts.last().map_or(Token(0), |recorded| recorded.token)
}

/// Takes facts in batches of so many.
async fn take_in(replica: &impl Replica, facts: &[Recorded], batch: usize) {
    for batch in facts.chunks(batch) {
        must("replica: take", replica.take(batch.to_vec(), last_token(batch)).await);
    }
}

async fn a_journal_is_the_copy_of_one_log<M: MakeReplica>(make: &M) {
    let replica = make.fresh().await;
    let (ours, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(replica.upstream(), Ok(None), "replica: of nothing at first");
    assert_eq!(replica.followed(), Ok(None), "replica: nothing followed yet");
    let early = replica.take(Vec::new(), Token(1)).await;
    assert!(early.is_err(), "replica: it takes nothing before it is one");
    must("replica: adopt", replica.adopt(ours).await);
    must("replica: adopt, again", replica.adopt(ours).await);
    let refused = replica.adopt(other).await;
    assert!(matches!(refused, Err(LogError::Invalid(_))), "replica: not of two: {refused:?}");
    assert_eq!(replica.upstream(), Ok(Some(ours)), "replica: of the first");
    assert_eq!(replica.followed(), Ok(None), "replica: still nothing followed");
    assert_eq!(replica.head(), Ok(0), "replica: still empty");

    let replica = make.reopen(replica).await;
    assert_eq!(replica.upstream(), Ok(Some(ours)), "replica: also after a restart");
    let refused = replica.adopt(other).await;
    assert!(matches!(refused, Err(LogError::Invalid(_))), "replica: not of two: {refused:?}");
    must("replica: adopt, after a restart", replica.adopt(ours).await);
}

async fn a_copy_is_like_its_log<M: MakeReplica>(make: &M, places: Places) {
    let upstream = upstream(places).await;
    let replica = make.fresh().await;
    must("replica: adopt", replica.adopt(upstream.id).await);
    take_in(&*replica, &upstream.first(50), 20).await;
    // Wherever it stops, it goes on from what it says itself.
    let replica = make.reopen(replica).await;
    let followed = must("replica: followed", replica.followed());
    let rest = upstream.facts.iter().filter(|recorded| Some(recorded.token) > followed);
    let rest: Vec<Recorded> = rest.cloned().collect();
    assert_eq!(rest.len(), 70, "replica: {places:?}: what was taken was followed");
    take_in(&*replica, &rest, 33).await;

    the_same_as(&*replica, &upstream, places);
    the_same_as(&*make.reopen(replica).await, &upstream, places);
}

fn the_same_as(replica: &impl Replica, upstream: &Upstream, places: Places) {
    let entries = must("replica", replica.entries(0, 10_000));
    assert_eq!(entries, upstream.entries(), "replica: {places:?}: the same entries");
    let ours = must("replica", replica.frontier());
    let theirs = must("replica", upstream.journal.frontier());
    assert_eq!(ours.root(), theirs.root(), "replica: {places:?}: the same root");
    for entry in &entries {
        let found = must("replica", replica.locate(entry.recorded.fact.id));
        assert_eq!(found.as_ref(), Some(entry), "replica: {places:?}: by id");
    }
    let last = last_token(&upstream.facts);
    assert_eq!(replica.followed(), Ok(Some(last)), "replica: {places:?}: how far it came");
}

async fn the_borders_of_batches_do_not_matter<M: MakeReplica>(make: &M, places: Places) {
    let upstream = upstream(places).await;
    let wanted = upstream.entries();
    for batch in [1, 7, 41, 500] {
        let replica = make.fresh().await;
        must("replica: adopt", replica.adopt(upstream.id).await);
        take_in(&*replica, &upstream.facts, batch).await;
        let entries = must("replica", replica.entries(0, 10_000));
        assert_eq!(entries, wanted, "replica: {places:?}: batches of {batch}");
    }
}

async fn places_are_found<M: MakeReplica>(make: &M, places: Places) {
    let upstream = upstream(places).await;
    let replica = make.fresh().await;
    must("replica: adopt", replica.adopt(upstream.id).await);
    let (half, last) = (places.token(60), places.token(FACTS));
    must("replica", replica.take(upstream.first(60), half).await);
    assert_eq!(replica.reached(half), Ok(Some(60)), "replica: {places:?}: the last one");
    let not_yet = replica.reached(Token(half.0 + 1));
    assert_eq!(not_yet, Ok(None), "replica: {places:?}: not before it is followed");
    assert_eq!(replica.reached(Token(u64::MAX)), Ok(None), "replica: {places:?}: never");
    must("replica", replica.take(upstream.after(60), last).await);
    // The log went on, with nothing for us.
    let on = Token(last.0 + 5);
    let head = must("replica", replica.take(Vec::new(), on).await);
    assert_eq!(head, FACTS, "replica: {places:?}: a place adds no entry");

    let replica = make.reopen(replica).await;
    assert_eq!(replica.followed(), Ok(Some(on)), "replica: {places:?}: the place is kept");
    assert_eq!(replica.reached(on), Ok(Some(FACTS)), "replica: {places:?}: all before it is here");
    assert_eq!(replica.reached(Token(on.0 + 1)), Ok(None), "replica: {places:?}: no further");
    for position in 1..=FACTS {
        let token = places.token(position);
        assert_eq!(replica.token_of(position), Ok(Some(token)), "replica: {places:?}: {position}");
        assert_eq!(replica.reached(token), Ok(Some(position)), "replica: {places:?}: {token:?}");
        if places.token(position - 1) < Token(token.0 - 1) {
            let before = replica.reached(Token(token.0 - 1));
            assert_eq!(before, Ok(Some(position)), "replica: {places:?}: a place without a fact");
        }
    }
    for nowhere in [0, FACTS + 1, u64::MAX] {
        assert_eq!(replica.token_of(nowhere), Ok(None), "replica: {places:?}: no entry {nowhere}");
    }
}

async fn what_does_not_follow_is_refused<M: MakeReplica>(make: &M, places: Places) {
    let upstream = upstream(places).await;
    let replica = make.fresh().await;
    must("replica: adopt", replica.adopt(upstream.id).await);
    take_in(&*replica, &upstream.first(60), 60).await;
    let (before, followed) = (must("r", replica.frontier()), must("r", replica.followed()));
    let next = upstream.after(60);
    let wrong = |at: usize, change: fn(&mut Recorded)| {
        let mut facts: Vec<Recorded> = next.iter().take(20).cloned().collect();
        if let Some(recorded) = facts.get_mut(at) {
            change(recorded);
        }
        facts
    };
    for (what, facts) in [
        ("a revision too far", wrong(13, |recorded| recorded.revision += 1)),
        ("a revision again", wrong(13, |recorded| recorded.revision -= 1)),
        ("a new stream's middle", wrong(13, |recorded| recorded.stream.push('x'))),
        ("a known id", wrong(13, |recorded| recorded.fact.id = fact(3).id)),
        ("the same id twice", wrong(13, |recorded| recorded.fact.id = fact(61).id)),
        ("a token that goes back", wrong(13, |recorded| recorded.token.0 = 1)),
        ("what was taken before", upstream.facts.iter().skip(50).take(20).cloned().collect()),
        ("a fact left out", wrong(0, |_| ()).into_iter().filter(|r| r.fact != fact(63)).collect()),
    ] {
        let up_to = last_token(&facts);
        let refused = replica.take(facts, up_to).await;
        let corrupt = matches!(refused, Err(LogError::Corrupt(_)));
        assert!(corrupt, "replica: {places:?}: {what}: {refused:?}");
        assert_eq!(replica.head(), Ok(60), "replica: {places:?}: {what}: nothing was written");
        assert_eq!(replica.frontier().as_ref(), Ok(&before), "replica: {places:?}: {what}: leaf");
        assert_eq!(replica.followed(), Ok(followed), "replica: {places:?}: {what}: place");
    }
    let short = replica.take(next.clone(), places.token(61)).await;
    assert!(short.is_err(), "replica: {places:?}: a place before what was taken: {short:?}");
    let back = replica.take(Vec::new(), Token(1)).await;
    assert!(back.is_err(), "replica: {places:?}: a place before the last one: {back:?}");
    assert_eq!(replica.followed(), Ok(followed), "replica: {places:?}: it never goes back");

    take_in(&*replica, &next, 500).await;
    let entries = must("replica", replica.entries(0, 10_000));
    assert_eq!(entries, upstream.entries(), "replica: {places:?}: what was refused left no trace");
    for position in 1..=FACTS {
        let reached = replica.reached(places.token(position));
        assert_eq!(reached, Ok(Some(position)), "replica: {places:?}: also in the places");
    }
}

async fn what_was_taken_is_seen<M: MakeReplica>(make: &M) {
    let upstream = upstream(Places::Sparse).await;
    let replica = make.fresh().await;
    must("replica: adopt", replica.adopt(upstream.id).await);
    let mut watch = replica.watch();
    for (count, recorded) in (1..).zip(&upstream.facts) {
        let head = must("replica", replica.take(vec![recorded.clone()], recorded.token).await);
        assert_eq!(head, count, "replica: the answer is the new head");
        assert_eq!(replica.head(), Ok(head), "replica: at once");
        assert_eq!(replica.reached(recorded.token), Ok(Some(head)), "replica: at once");
        must("replica", watch.wait_for(|seen| *seen >= head).await);
    }
}

/// Holds a journal that can also be written to by itself to being one or the other.
///
/// # Panics
///
/// With what is broken.
pub async fn run_one_or_the_other<R: Replica + Log>(own: &R, copy: &R) {
    must("replica", own.append("a", Expected::NoStream, facts([1])).await);
    let refused = own.adopt(Uuid::from_u128(1)).await;
    assert!(matches!(refused, Err(LogError::Invalid(_))), "replica: it has its own: {refused:?}");
    let refused = own.take(Vec::new(), Token(9)).await;
    assert_eq!(refused, Err(LogError::Denied), "replica: it takes nothing");
    assert_eq!(own.upstream(), Ok(None), "replica: it is no copy");
    assert_eq!(own.followed(), Ok(None), "replica: it follows nothing");
    must("replica", own.append("a", Expected::Exact(0), facts([2])).await);

    let upstream = Uuid::from_u128(3);
    must("replica", copy.adopt(upstream).await);
    assert_eq!(copy.log_id().await, Ok(upstream), "replica: it is that log");
    let refused = copy.append("a", Expected::NoStream, facts([1])).await;
    assert_eq!(refused, Err(LogError::Denied), "replica: nobody else adds to it");
    let order = Append { stream: "a".to_owned(), expected: Expected::Any, facts: facts([1]) };
    let refused = copy.append_in_order(vec![order]).await;
    assert_eq!(refused, Err(LogError::Denied), "replica: in no way");
    assert_eq!(Journal::head(copy), Ok(0), "replica: it is still empty");
}
