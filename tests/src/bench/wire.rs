//! One keep-alive HTTP/1.1 connection that reads just enough of an answer: status, headers, length.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer's head; its body stays in the connection's buffer until the next request.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The status code.
    pub status: u16,
    ends_at: usize,
    body: usize,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request as it is and reads the whole answer.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Head> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        loop {
            self.read().await?;
            if let Some(head) = find(&self.buffer, b"\r\n\r\n") {
                return self.finish(head + 4).await;
            }
        }
    }

    async fn read(&mut self) -> Result<()> {
        let count = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(count > 0, "the server closed the connection");
        Ok(())
    }

    async fn finish(&mut self, head: usize) -> Result<Head> {
        let status = self.buffer.get(9..12).context("a status line")?;
        let status: u16 = std::str::from_utf8(status)?.parse()?;
        let lead = self.buffer.get(..head).unwrap_or_default();
        let length = header_in(lead, "content-length").map(str::parse::<usize>).transpose()?;
        let chunked = header_in(lead, "transfer-encoding").is_some();
        match length {
            Some(length) => {
                while self.buffer.len() < head + length {
                    self.read().await?;
                }
                Ok(Head { status, ends_at: head, body: length })
            }
            None if chunked => {
                while !self.buffer.ends_with(b"\r\n0\r\n\r\n") {
                    self.read().await?;
                }
                Ok(Head { status, ends_at: head, body: self.buffer.len() - head })
            }
            None if matches!(status, 204 | 304) => Ok(Head { status, ends_at: head, body: 0 }),
            None => bail!("an answer ({status}) without a length"),
        }
    }

    /// A header of the last answer.
    pub fn header(&self, head: Head, name: &str) -> Option<&str> {
        header_in(self.buffer.get(..head.ends_at)?, name)
    }

    /// The body of the last answer, as it came.
    pub fn body(&self, head: Head) -> &[u8] {
        self.buffer.get(head.ends_at..head.ends_at + head.body).unwrap_or_default()
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn header_in<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let lines = head.split(|byte| *byte == b'\n');
    lines.skip(1).find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        found.eq_ignore_ascii_case(name.as_bytes()).then_some(())?;
        std::str::from_utf8(value).ok().map(str::trim)
    })
}

/// A request with a token; a body makes it a POST of JSON.
pub fn request(path: &str, token: Option<&str>, more: &str, body: Option<&str>) -> Vec<u8> {
    let method = if body.is_some() { "POST" } else { "GET" };
    let token =
        token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let text = body.map_or_else(String::new, |body| {
        let length = body.len();
        format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
    });
    let end = if body.is_some() { "" } else { "\r\n" };
    format!("{method} {path} HTTP/1.1\r\nHost: bench\r\n{more}{token}{text}{end}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::header_in;

    #[test]
    fn headers_are_found_in_any_case() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nASSAY-token: 7\r\n\r\n";
        assert_eq!(header_in(head, "content-length"), Some("12"));
        assert_eq!(header_in(head, "assay-token"), Some("7"));
        assert_eq!(header_in(head, "content"), None);
    }
}
