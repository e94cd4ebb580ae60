//! Taking in a file: its type, its size, and a nameless file on disk that holds it while it is read.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut};
use assay_exchange::Format;
use assay_store::log::LogError;
use futures_util::{Stream, StreamExt as _};
use uuid::Uuid;

use crate::problem::Problem;

/// The most bytes a file may have.
pub(super) const IMPORT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much is gathered before it goes to the disk.
const PART_BYTES: usize = 256 * 1024;

/// Refuses another media type than the format's, another encoding, and a length over the limit.
pub(super) fn must_fit(req: &HttpRequest, format: Format) -> Result<(), Problem> {
    let value = |name| req.headers().get(name).and_then(|value| value.to_str().ok());
    let kind = value(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let mut parts = kind.split(';').map(str::trim);
    let fits = parts.next() == Some(format.media_type());
    let utf8 = parts.all(|part| matches!(part, "charset=utf-8" | "charset=\"utf-8\""));
    let plain = value(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
    if !(fits && utf8 && plain) {
        return Err(Problem::media_type());
    }
    let announced = value(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let most = u64::try_from(IMPORT_BYTES_MAX).unwrap_or(u64::MAX);
    if announced.is_some_and(|length| length > most) { Err(over()) } else { Ok(()) }
}

/// Takes in a body; it may pause for `patience` between its parts.
pub(super) async fn take<E>(
    body: impl Stream<Item = Result<Bytes, E>>,
    spool: &Path,
    name: Uuid,
    patience: Duration,
) -> Result<File, Problem> {
    let path = spool.join(format!("{name}.part"));
    let mut file = blocking(move || nameless(&path)).await?;
    let mut body = std::pin::pin!(body);
    let (mut part, mut taken) = (BytesMut::new(), 0_usize);
    loop {
        let next = tokio::time::timeout(patience, body.next());
        let Some(bytes) = next.await.map_err(|_| Problem::slow_body())? else { break };
        let bytes = bytes
            .map_err(|_| Problem::malformed("body_broken", "the body did not arrive whole"))?;
        taken = taken.saturating_add(bytes.len());
        if taken > IMPORT_BYTES_MAX {
            return Err(over());
        }
        part.extend_from_slice(&bytes);
        if part.len() >= PART_BYTES {
            let full = part.split();
            file = blocking(move || file.write_all(&full).map(|()| file)).await?;
        }
    }
    blocking(move || {
        file.write_all(&part)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    })
    .await
}

/// A file without a name: gone when it is closed, however the process ends.
fn nameless(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    remove_file(path)?;
    Ok(file)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await.map_err(Problem::fault)?;
    done.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LogError::Full.into(),
        _ => Problem::fault(error),
    })
}

fn over() -> Problem {
    Problem::too_large(format!("an import has at most {IMPORT_BYTES_MAX} bytes; send it in parts"))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;
    use futures_util::stream;

    use super::*;

    async fn taken(
        parts: impl IntoIterator<Item = Result<Bytes, ()>>,
    ) -> Result<String, StatusCode> {
        let dir = tempfile::tempdir().unwrap();
        let body = stream::iter(parts);
        let file = take(body, dir.path(), Uuid::nil(), Duration::from_secs(1)).await;
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0); // Nothing stays behind.
        let mut text = String::new();
        file.map_err(|problem| problem.status())?.read_to_string(&mut text).unwrap();
        Ok(text)
    }

    #[tokio::test]
    async fn what_arrives_in_parts_is_read_from_the_beginning() {
        let parts = (0..3).map(|n| Ok(Bytes::from(n.to_string().repeat(PART_BYTES / 2))));
        let text = taken(parts).await.unwrap();
        assert_eq!(text.len(), PART_BYTES / 2 * 3);
        assert!(text.starts_with('0') && text.ends_with('2'));
        assert_eq!(taken([]).await, Ok(String::new()));
    }

    #[tokio::test]
    async fn too_much_is_refused_while_it_arrives_and_a_broken_body_too() {
        let mebibyte = || Ok(Bytes::from(vec![b'x'; 1024 * 1024]));
        let parts = std::iter::repeat_with(mebibyte).take(65);
        assert_eq!(taken(parts).await, Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(taken([Err(())]).await, Err(StatusCode::BAD_REQUEST));
    }

    #[tokio::test]
    async fn a_body_that_stops_arriving_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let body = stream::pending::<Result<Bytes, ()>>();
        let given_up = take(body, dir.path(), Uuid::nil(), Duration::from_millis(1)).await;
        assert_eq!(given_up.unwrap_err().status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[test]
    fn only_the_type_of_the_format_fits() {
        for (format, kind, fits) in [
            (Format::Csv, "text/csv", true),
            (Format::Csv, "text/csv; charset=UTF-8", true),
            (Format::Csv, "application/x-ndjson", false),
            (Format::Ucdp, "application/x-ndjson", true),
            (Format::Ndjson, "application/json", false),
            (Format::Ndjson, "application/x-ndjson; charset=latin1", false),
        ] {
            let req = TestRequest::default().insert_header((CONTENT_TYPE, kind));
            assert_eq!(must_fit(&req.to_http_request(), format).is_ok(), fits, "{kind}");
        }
    }
}
