//! The service of streams: reading, subscribing and appending, as a node of the double answers them.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};

use crate::answers::{self, Ids};
use crate::filter::Filter;
use crate::outlet::{Answers, Outlet, Stop};
use crate::records::{Expected, Outcome, Proposed, Record, Records};
use crate::request::{Begin, gather, ids_of, missing, parse, place};
use crate::shared::{self, Shared};
use crate::subscription::{Source, Subscription};
use crate::wire::event_store::client::streams::read_req::Options;
use crate::wire::event_store::client::streams::read_req::options::{CountOption, ReadDirection};
use crate::wire::event_store::client::streams::read_resp::{Content, StreamNotFound};
use crate::wire::event_store::client::streams::streams_server::Streams;
use crate::wire::event_store::client::streams::{
    AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, DeleteReq, DeleteResp, ReadReq,
    TombstoneReq, TombstoneResp,
};

/// One node's service.
pub(crate) struct Service {
    pub(crate) shared: Arc<Shared>,
    pub(crate) node: usize,
}

#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = Answers;
    type BatchAppendStream = tokio_stream::Empty<Result<BatchAppendResp, Status>>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Answers>, Status> {
        self.shared.admit(self.node, request.metadata())?;
        let wants_leader = shared::wants_leader(request.metadata());
        let options = request.into_inner().options.ok_or_else(|| missing("options"))?;
        self.shared.faults.wait().await;
        match options.count_option {
            Some(CountOption::Count(limit)) => self.read_once(options, limit),
            Some(CountOption::Subscription(_)) => self.subscribe(options, wants_leader),
            None => Err(missing("count_option")),
        }
        .map(Response::new)
    }

    async fn append(
        &self,
        request: Request<Streaming<AppendReq>>,
    ) -> Result<Response<AppendResp>, Status> {
        self.shared.admit(self.node, request.metadata())?;
        let (stream, expected, events) = gather(request.into_inner()).await?;
        let answer = self.write(&stream, expected, events);
        self.shared.faults.wait().await;
        answer.map(Response::new)
    }

    async fn delete(&self, _: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        Err(Status::unimplemented("the double deletes nothing"))
    }

    async fn tombstone(&self, _: Request<TombstoneReq>) -> Result<Response<TombstoneResp>, Status> {
        Err(Status::unimplemented("the double deletes nothing"))
    }

    async fn batch_append(
        &self,
        _: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        Err(Status::unimplemented("the double knows no batches"))
    }
}

impl Service {
    /// Writes, unless a fault is due. A follower passes on to the leader what need not go there directly.
    fn write(
        &self,
        stream: &str,
        expected: Expected,
        events: Vec<Proposed>,
    ) -> Result<AppendResp, Status> {
        let faults = &self.shared.faults;
        if self.shared.members().leader().is_none() {
            return Err(answers::not_ready());
        }
        if faults.refuses() {
            return Err(Status::unavailable("Server Is Too Busy"));
        }
        let outcome = self.shared.records().append(stream, expected, events);
        faults.ring();
        if matches!(outcome, Outcome::Written { .. }) {
            if faults.times_out() {
                return Err(Status::aborted("Operation timed out"));
            }
            if faults.loses() {
                return Err(Status::unavailable("the connection broke"));
            }
        }
        Ok(answers::appended(expected, &outcome))
    }

    /// Reads what there is now, and ends.
    fn read_once(&self, options: Options, limit: u64) -> Result<Answers, Status> {
        let ids = ids_of(options.uuid_option.as_ref());
        let backwards = options.read_direction() == ReadDirection::Backwards;
        let tells_last = options.control_option.is_some_and(|control| control.compatibility >= 1);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (source, begin) = parse(options)?;
        let records = self.shared.records();
        let (found, last_word) = match source {
            Source::All(filter) => {
                (all_page(&records, filter.as_ref(), begin, backwards, limit)?, None)
            }
            Source::Stream(name) => match records.last_revision(&name) {
                None => {
                    let stream_identifier = Some(answers::identifier(&name));
                    (vec![], Some(Content::StreamNotFound(StreamNotFound { stream_identifier })))
                }
                Some(last) => {
                    let told = tells_last && !backwards;
                    let last_word = told.then_some(Content::LastStreamPosition(last));
                    (stream_page(&records, &name, begin, backwards, limit), last_word)
                }
            },
        };
        let (outlet, answers) = Outlet::new(Arc::clone(&self.shared));
        tokio::spawn(tell_all(outlet, found, last_word, ids));
        Ok(answers)
    }

    fn subscribe(&self, options: Options, wants_leader: bool) -> Result<Answers, Status> {
        let ids = ids_of(options.uuid_option.as_ref());
        let (source, begin) = parse(options)?;
        let at = (self.node, wants_leader);
        let subscription = Subscription::new(Arc::clone(&self.shared), at, ids, source, begin)?;
        let (outlet, answers) = Outlet::new(Arc::clone(&self.shared));
        tokio::spawn(subscription.run(outlet));
        Ok(answers)
    }
}

/// Sends what was found and the last word, and ends.
async fn tell_all(
    mut outlet: Outlet,
    found: Vec<Arc<Record>>,
    last_word: Option<Content>,
    ids: Ids,
) {
    let events = found.iter().map(|record| answers::event(record, ids));
    for content in events.chain(last_word) {
        if let Err(stop) = outlet.send(content).await {
            return outlet.finish(stop).await;
        }
    }
    outlet.finish(Stop::Ended).await;
}

/// Forwards a position is inclusive; backwards it is a place between records, and what is before it is read.
fn all_page(
    records: &Records,
    filter: Option<&Filter>,
    begin: Begin,
    backwards: bool,
    limit: usize,
) -> Result<Vec<Arc<Record>>, Status> {
    let wanted = |record: &&Arc<Record>| filter.is_none_or(|filter| filter.wants(record));
    let range = match (begin, backwards) {
        (Begin::Start, false) | (Begin::End, true) => records.all(),
        (Begin::Start, true) | (Begin::End, false) => &[],
        (Begin::At(position), false) => records.from(place(records, position)?),
        (Begin::At(position), true) => records.before(place(records, position)?),
    };
    Ok(if backwards {
        range.iter().rev().filter(wanted).take(limit).cloned().collect()
    } else {
        range.iter().filter(wanted).take(limit).cloned().collect()
    })
}

/// A revision is inclusive in both directions.
fn stream_page(
    records: &Records,
    name: &str,
    begin: Begin,
    backwards: bool,
    limit: usize,
) -> Vec<Arc<Record>> {
    let from = match begin {
        Begin::Start => 0,
        Begin::End => u64::MAX,
        Begin::At(revision) => revision,
    };
    if !backwards {
        let places = records.stream_from(name, from).iter().take(limit);
        return places.filter_map(|place| records.at(*place)).cloned().collect();
    }
    let kept = records.stream_from(name, 0).iter().rev().filter_map(|place| records.at(*place));
    kept.filter(|record| record.revision <= from).take(limit).cloned().collect()
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;
    use crate::wire::event_store::client::streams::read_req::options::{
        AllOptions, StreamOption, SubscriptionOptions, all_options,
    };

    #[tokio::test]
    async fn a_subscription_that_is_ended_ends_without_an_error() {
        let shared = Arc::new(Shared::new(&[0]));
        shared.members().set_alive(0, true);
        let service = Service { shared: Arc::clone(&shared), node: 0 };
        let begin = AllOptions { all_option: Some(all_options::AllOption::End(())) };
        let options = Options {
            stream_option: Some(StreamOption::All(begin)),
            count_option: Some(CountOption::Subscription(SubscriptionOptions {})),
            ..Options::default()
        };
        let request = Request::new(ReadReq { options: Some(options) });
        let mut answers = service.read(request).await.unwrap().into_inner();
        let mut said = async || answers.next().await.map(|answer| answer.unwrap().content.unwrap());
        assert!(matches!(said().await, Some(Content::Confirmation(_))));
        assert!(matches!(said().await, Some(Content::CaughtUp(_))));
        shared.faults.end_subscriptions();
        assert!(said().await.is_none());
    }
}
