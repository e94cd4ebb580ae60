//! One stream of answers on its way to a client: counts its messages, and breaks where it shall.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::shared::Shared;
use crate::wire::event_store::client::streams::ReadResp;
use crate::wire::event_store::client::streams::read_resp::Content;

/// How many messages wait for a slow client before the server waits too.
const WAITING_MESSAGES_MAX: usize = 16;

/// What the client's end receives.
pub(crate) type Answers = ReceiverStream<Result<ReadResp, Status>>;

/// Why a stream of answers is over.
pub(crate) enum Stop {
    /// The client went away.
    Gone,
    /// The server has nothing more to say.
    Ended,
    /// It failed, with these words.
    Failed(Status),
}

/// The server's end of a stream of answers.
pub(crate) struct Outlet {
    shared: Arc<Shared>,
    out: mpsc::Sender<Result<ReadResp, Status>>,
    sent: u32,
}

impl Outlet {
    /// Both ends.
    pub(crate) fn new(shared: Arc<Shared>) -> (Self, Answers) {
        let (out, answers) = mpsc::channel(WAITING_MESSAGES_MAX);
        (Self { shared, out, sent: 0 }, ReceiverStream::new(answers))
    }

    /// Sends a message, or breaks.
    pub(crate) async fn send(&mut self, content: Content) -> Result<(), Stop> {
        if self.shared.faults.breaks(self.sent) {
            return Err(Stop::Failed(Status::unavailable("the connection broke")));
        }
        let message = ReadResp { content: Some(content) };
        self.out.send(Ok(message)).await.map_err(|_| Stop::Gone)?;
        self.sent = self.sent.saturating_add(1);
        Ok(())
    }

    /// Until the client goes away.
    pub(crate) async fn closed(&self) {
        self.out.closed().await;
    }

    /// Says the last word, where there is one.
    pub(crate) async fn finish(self, how: Stop) {
        if let Stop::Failed(status) = how {
            // Who is gone need not hear it.
            self.out.send(Err(status)).await.ok();
        }
    }
}
