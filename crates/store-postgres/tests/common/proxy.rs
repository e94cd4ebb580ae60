//! Stands between a client and a server and loses the answer to a commit.
#![expect(dead_code, unreachable_pub, reason = "not every test binary uses all of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lose {
    Nothing = 0,
    /// The server commits and says so; nobody hears it.
    Answer = 1,
    /// The server never gets it.
    Question = 2,
}

pub struct Proxy {
    port: u16,
    lose: Arc<AtomicU8>,
}

impl Proxy {
    /// A proxy to a port on this host.
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let lose = Arc::new(AtomicU8::new(0));
        let told = Arc::clone(&lose);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let told = Arc::clone(&told);
                tokio::spawn(async move {
                    // However it ends, both sides are closed.
                    let _ended = pass(client, server, &told).await;
                });
            }
        });
        Self { port, lose }
    }

    /// The same URL, through the proxy.
    pub fn url(&self, url: &str, server: u16) -> String {
        url.replace(&format!(":{server}"), &format!(":{}", self.port))
    }

    pub fn lose_next(&self, what: Lose) {
        let number = match what {
            Lose::Nothing => 0,
            Lose::Answer => 1,
            Lose::Question => 2,
        };
        self.lose.store(number, Ordering::SeqCst);
    }

    /// Whether a commit was lost since it was asked for.
    pub fn has_lost(&self) -> bool {
        self.lose.load(Ordering::SeqCst) == 0
    }
}

async fn pass(mut client: TcpStream, server: u16, lose: &AtomicU8) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", server)).await?;
    let (mut asked, mut answered) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        tokio::select! {
            count = client.read(&mut asked) => {
                let count = count?;
                let part = asked.get(..count).unwrap_or_default();
                if count == 0 {
                    return Ok(());
                }
                if !holds(part, b"COMMIT\0") || lose.load(Ordering::SeqCst) == 0 {
                    server.write_all(part).await?;
                    continue;
                }
                if lose.swap(0, Ordering::SeqCst) == 2 {
                    return Ok(());
                }
                server.write_all(part).await?;
                let mut heard = Vec::new();
                while !holds(&heard, b"COMMIT\0") {
                    let count = server.read(&mut answered).await?;
                    heard.extend_from_slice(answered.get(..count).unwrap_or_default());
                }
                return Ok(());
            }
            count = server.read(&mut answered) => {
                let count = count?;
                if count == 0 {
                    return Ok(());
                }
                client.write_all(answered.get(..count).unwrap_or_default()).await?;
            }
        }
    }
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}
