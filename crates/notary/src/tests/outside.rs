//! Servers on this machine that play those outside: each answers as a closure says.

use std::sync::{Arc, Mutex};

use assay_ledger::witness::{CONFLICT_CONTENT_TYPE, conflict_body, cosignature_lines};
use assay_ledger::{
    AddCheckpoint, Checkpoint, Refusal, VerifierKey, WitnessSigner, WitnessVerifier, consider,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// An answer: status, content type, body.
pub(super) type Said = (u16, &'static str, Vec<u8>);

/// A server and what it heard.
pub(super) struct Server {
    pub(super) url: String,
    pub(super) heard: Arc<Mutex<Vec<Heard>>>,
}

impl Server {
    /// A server that answers every request so.
    pub(super) async fn answering(answer: impl Fn(&Heard) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&heard), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                tokio::spawn(async move { speak(stream, &kept, &*answer).await });
            }
        });
        Self { url, heard }
    }

    /// A server that listens, and never says a word.
    pub(super) async fn silent() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        url
    }

    pub(super) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

async fn speak(
    mut stream: TcpStream,
    kept: &Mutex<Vec<Heard>>,
    answer: &(dyn Fn(&Heard) -> Said + Send + Sync),
) {
    let Some(heard) = hear(&mut stream).await else { return };
    let (status, content_type, body) = answer(&heard);
    kept.lock().unwrap().push(heard);
    let opening = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
         location: /elsewhere\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _gone = stream.write_all(opening.as_bytes()).await;
    let _gone = stream.write_all(&body).await;
}

async fn hear(stream: &mut TcpStream) -> Option<Heard> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if bytes.len() >= end + 4 + length {
            return Some(Heard { head, body: bytes[end + 4..].to_vec() });
        }
    }
}

/// A real little witness: it keeps the last checkpoint, asks the rule, and cosigns.
pub(super) struct Witness {
    signer: WitnessSigner,
    trusted: Vec<VerifierKey>,
    known: Mutex<Option<Checkpoint>>,
    /// Its clock in seconds since 1970.
    seconds: u64,
}

impl Witness {
    pub(super) fn trusting(trusted: Vec<VerifierKey>) -> Arc<Self> {
        let signer = WitnessSigner::new("witness.example/w", &[42; 32]).unwrap();
        Arc::new(Self { signer, trusted, known: Mutex::default(), seconds: 1_749_978_500 })
    }

    pub(super) fn vkey(&self) -> WitnessVerifier {
        self.signer.verifier().clone()
    }

    pub(super) fn size(&self) -> u64 {
        self.known.lock().unwrap().as_ref().map_or(0, |known| known.size)
    }

    pub(super) fn answer(&self, heard: &Heard) -> Said {
        assert!(heard.head.starts_with("post /add-checkpoint "), "{}", heard.head);
        let mut known = self.known.lock().unwrap();
        let request = AddCheckpoint::parse(std::str::from_utf8(&heard.body).unwrap());
        let considered = request.and_then(|request| {
            consider(known.as_ref(), &request, &self.trusted).map(|state| (state, request))
        });
        match considered {
            Ok((state, request)) => {
                *known = Some(state);
                let line = self.signer.cosign(&request.checkpoint, self.seconds).unwrap();
                (200, "text/plain", cosignature_lines(&[line]).into_bytes())
            }
            Err(Refusal::Conflict(size)) => {
                (409, CONFLICT_CONTENT_TYPE, conflict_body(size).into_bytes())
            }
            Err(refusal) => (refusal.status(), "text/plain", Vec::new()),
        }
    }
}
