//! Taking over: facts of another house's stream, appended here as they were written there.

use std::marker::PhantomData;

use assay_domain::adoption::{Refusal, Take};
use assay_domain::aggregate::Subject;
use assay_domain::case::Case;
use assay_domain::claim::Claim;
use assay_domain::finding::Finding;
use assay_domain::link::Link;
use assay_domain::report::Report;
use assay_domain::source::Source;
use assay_domain::user::User;
use bytes::Bytes;
use uuid::Uuid;

use crate::error::{Error, Fault};
use crate::execute::House;
use crate::load::Cached;
use crate::request::{Receipt, Request, Taken};

/// What personal data in clear begins with. Inside a JSON text its quotes would be escaped.
const CLEAR: &[u8] = br#"{"clear":"#;

/// Facts of one stream that follow each other, as they stand in another house's log.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// The stream, there and here.
    pub stream: String,
    /// The revision of the first of them, there and here.
    pub first: u64,
    /// Who did each here, and which fact of there says so.
    pub taken: Vec<Taken>,
    /// The stored bytes of each.
    pub data: Vec<Bytes>,
}

impl House {
    /// Appends facts of another house unchanged; what is here already is not taken again.
    ///
    /// Their keys must be in the vault. Whoever calls this has verified them against the other
    /// log's checkpoint, and noted where they come from.
    ///
    /// # Errors
    ///
    /// `adoption_stream_differs` where the stream here is not at the place where they begin;
    /// `adoption_unsealed` where one of them would be sealed anew, and so not stay as it is.
    pub async fn take(
        &self,
        request: &Request,
        foreign: &Foreign,
    ) -> Result<Receipt, Error<Refusal>> {
        match Subject::of_stream(&foreign.stream) {
            Some(Subject::User(id)) => self.take_on::<User>(request, id.0, foreign).await,
            Some(Subject::Case(id)) => self.take_on::<Case>(request, id.0, foreign).await,
            Some(Subject::Source(id)) => self.take_on::<Source>(request, id.0, foreign).await,
            Some(Subject::Report(id)) => self.take_on::<Report>(request, id.0, foreign).await,
            Some(Subject::Claim(id)) => self.take_on::<Claim>(request, id.0, foreign).await,
            Some(Subject::Link(id)) => self.take_on::<Link>(request, id.0, foreign).await,
            Some(Subject::Finding(id)) => self.take_on::<Finding>(request, id.0, foreign).await,
            Some(
                Subject::Access(_)
                | Subject::Replay(_)
                | Subject::Erasure(_)
                | Subject::Adoption(_)
                | Subject::Log(_),
            )
            | None => Err(Error::Unseen),
        }
    }

    async fn take_on<A: Cached>(
        &self,
        request: &Request,
        id: Uuid,
        foreign: &Foreign,
    ) -> Result<Receipt, Error<Refusal>> {
        let mut events = Vec::with_capacity(foreign.data.len());
        for (data, revision) in foreign.data.iter().zip(foreign.first..) {
            if memchr::memmem::find(data, CLEAR).is_some() {
                return Err(Error::Refused(Refusal::Unsealed));
            }
            // Read without keys: what is sealed stays as it is, byte for byte.
            let event = serde_json::from_slice::<A::Event>(data)
                .map_err(|source| Fault::codec(&foreign.stream, revision, source.into()))?;
            events.push(event);
        }
        let take = Take::<A> { id, first: foreign.first, events, on: PhantomData };
        let request = Request { taken: foreign.taken.clone(), ..request.clone() };
        self.execute(&request, &take).await
    }
}
