//! A subscription: everything after a place, as it comes, until somebody ends it.

use std::sync::Arc;

use tonic::Status;
use uuid::Uuid;

use crate::answers::{self, Ids};
use crate::filter::Filter;
use crate::outlet::{Outlet, Stop};
use crate::records::Record;
use crate::request::{Begin, place};
use crate::shared::Shared;
use crate::wire::event_store::client::streams::read_resp::{Content, SubscriptionConfirmation};

/// How many records are looked at before the log is asked again.
const PAGE_RECORDS: usize = 32;

/// What is followed.
pub(crate) enum Source {
    /// Everything, or what the filter wants of it; the cursor is a position.
    All(Option<Filter>),
    /// One stream, which need not exist; the cursor is a revision.
    Stream(String),
}

/// An open subscription.
pub(crate) struct Subscription {
    shared: Arc<Shared>,
    node: usize,
    wants_leader: bool,
    ids: Ids,
    source: Source,
    /// The last place looked at: what follows is after it.
    cursor: Option<u64>,
    /// How many records were looked at since the last checkpoint.
    looked_at: u32,
    endings: u64,
    restorations: u64,
}

impl Subscription {
    /// A subscription at this node to what comes after the beginning, which is exclusive.
    ///
    /// # Errors
    /// «Invalid argument» for a position inside a record.
    pub(crate) fn new(
        shared: Arc<Shared>,
        (node, wants_leader): (usize, bool),
        ids: Ids,
        source: Source,
        begin: Begin,
    ) -> Result<Self, Status> {
        let endings = shared.faults.endings();
        // Counted before the cursor is taken, so that a log which goes back in between is noticed.
        let restorations = shared.restorations();
        let cursor = {
            let records = shared.records();
            match (&source, begin) {
                (_, Begin::Start) => None,
                (Source::All(_), Begin::End) => records.all().last().map(|last| last.position),
                (Source::Stream(name), Begin::End) => records.last_revision(name),
                (Source::All(_), Begin::At(position)) => Some(place(&records, position)?),
                (Source::Stream(_), Begin::At(revision)) => Some(revision),
            }
        };
        let looked_at = 0;
        Ok(Self {
            shared,
            node,
            wants_leader,
            ids,
            source,
            cursor,
            looked_at,
            endings,
            restorations,
        })
    }

    /// Serves until the end.
    pub(crate) async fn run(mut self, mut outlet: Outlet) {
        if let Err(stop) = self.serve(&mut outlet).await {
            outlet.finish(stop).await;
        }
    }

    async fn serve(&mut self, outlet: &mut Outlet) -> Result<(), Stop> {
        let mut bell = self.shared.faults.listen();
        let (mut confirmed, mut behind, mut silent) = (false, true, false);
        loop {
            bell.borrow_and_update();
            self.goes_on()?;
            if !silent && self.shared.faults.is_silent() {
                silent = true;
                self.shared.faults.silenced();
            }
            if !silent {
                if !confirmed {
                    outlet.send(self.confirmation()).await?;
                    confirmed = true;
                }
                let page = self.page();
                if !page.is_empty() {
                    behind = behind || page.len() == PAGE_RECORDS;
                    self.shared.faults.wait().await;
                    for record in page {
                        self.tell(&record, outlet).await?;
                    }
                    continue;
                }
                if behind {
                    behind = false;
                    outlet.send(self.caught_up()).await?;
                }
            }
            tokio::select! {
                // The bell hangs on what this task holds, so it is never torn down before.
                _ = bell.changed() => {}
                () = outlet.closed() => return Err(Stop::Gone),
            }
        }
    }

    /// Ends where the double was told to, where the log went back, and where another node leads now.
    fn goes_on(&self) -> Result<(), Stop> {
        if self.shared.faults.endings() != self.endings {
            self.shared.faults.ended();
            return Err(Stop::Ended);
        }
        if self.shared.restorations() != self.restorations {
            return Err(Stop::Failed(Status::unavailable("the server was restored")));
        }
        self.shared.serves(self.node, self.wants_leader).map_err(Stop::Failed)
    }

    fn page(&self) -> Vec<Arc<Record>> {
        let records = self.shared.records();
        let next = self.cursor.map_or(0, |cursor| cursor.saturating_add(1));
        match &self.source {
            Source::All(_) => records.from(next).iter().take(PAGE_RECORDS).cloned().collect(),
            Source::Stream(name) => {
                let places = records.stream_from(name, next).iter().take(PAGE_RECORDS);
                places.filter_map(|place| records.at(*place)).cloned().collect()
            }
        }
    }

    async fn tell(&mut self, record: &Record, outlet: &mut Outlet) -> Result<(), Stop> {
        let (place, filter) = match &self.source {
            Source::All(filter) => (record.position, filter.as_ref()),
            Source::Stream(_) => (record.revision, None),
        };
        if filter.is_none_or(|filter| filter.wants(record)) {
            outlet.send(answers::event(record, self.ids)).await?;
        }
        self.cursor = Some(place);
        self.looked_at = self.looked_at.saturating_add(1);
        if filter.is_some_and(|filter| self.looked_at >= filter.checkpoint_every) {
            self.looked_at = 0;
            outlet.send(answers::checkpoint(place)).await?;
        }
        Ok(())
    }

    fn caught_up(&self) -> Content {
        match self.source {
            Source::All(_) => answers::caught_up_all(self.cursor),
            Source::Stream(_) => answers::caught_up_stream(self.cursor),
        }
    }

    fn confirmation(&self) -> Content {
        let id = Uuid::from_u64_pair(self.endings, self.cursor.unwrap_or_default());
        Content::Confirmation(SubscriptionConfirmation { subscription_id: id.to_string() })
    }
}
