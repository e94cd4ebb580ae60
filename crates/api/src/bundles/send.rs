//! The way out of a bundle: part after part, for at most an hour.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING};
use actix_web::web::Bytes;
use assay_domain::id::CaseId;
use futures_util::stream;

use super::make::Made;
use super::spool::Room;

/// How much is sent at once, in bytes.
const PART_BYTES: usize = 64 * 1024;
/// How long a bundle may take to be sent; then its room is somebody else's.
const SENDING_MAX: Duration = Duration::from_hours(1);

/// The file while it is sent, and the room it takes.
type Leaving = Arc<Mutex<Option<(File, Room)>>>;

/// The answer that sends the file.
pub(super) fn answer(case: CaseId, made: Made) -> HttpResponse {
    let leaving: Leaving = Arc::new(Mutex::new(Some((made.file, made.room))));
    let watched = Arc::downgrade(&leaving);
    // Whoever stops reading is not asked again by the server, so somebody else looks after the room.
    actix_web::rt::spawn(async move {
        tokio::time::sleep(SENDING_MAX).await;
        if let Some(leaving) = watched.upgrade() {
            drop(taken(&leaving));
        }
    });
    let parts = stream::try_unfold(leaving, |leaving| async move {
        let Some(part) = next(&leaving).await? else { return Ok::<_, io::Error>(None) };
        Ok(Some((part, leaving)))
    });
    HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"case-{case}.assay.zip\""),
        ))
        .insert_header(("assay-bundle-sha256", hex::encode(made.sha256)))
        .body(SizedStream::new(made.size_bytes, parts))
}

/// The next part of the file; nothing at its end.
async fn next(leaving: &Leaving) -> io::Result<Option<Bytes>> {
    let Some((file, room)) = taken(leaving) else { return Err(io::ErrorKind::TimedOut.into()) };
    let reading = tokio::task::spawn_blocking(move || part(file));
    let (file, part) = reading.await.map_err(io::Error::other)??;
    *leaving.lock().unwrap_or_else(PoisonError::into_inner) = Some((file, room));
    Ok((!part.is_empty()).then(|| Bytes::from(part)))
}

fn part(mut file: File) -> io::Result<(File, Vec<u8>)> {
    let mut part = vec![0; PART_BYTES];
    let read = file.read(&mut part)?;
    part.truncate(read);
    Ok((file, part))
}

fn taken(leaving: &Leaving) -> Option<(File, Room)> {
    leaving.lock().unwrap_or_else(PoisonError::into_inner).take()
}
