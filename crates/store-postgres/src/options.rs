//! How to reach the server, and every limit on waiting for it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How long a connection to one of the hosts may take, from the first packet to the first answer.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long a packet may stay unanswered before the system gives a connection up.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(10);
/// How long a connection is idle before the system asks whether the other side is there.
pub(crate) const KEEPALIVE_AFTER: Duration = Duration::from_secs(10);
/// How often it asks.
pub(crate) const KEEPALIVE_EVERY: Duration = Duration::from_secs(3);
/// How often it asks in vain before it gives up.
pub(crate) const KEEPALIVE_TRIES: u32 = 3;
/// How many connections read at once; one more reader waits.
pub(crate) const READERS_MAX: usize = 8;
/// How long a reader waits for one of them.
pub(crate) const READER_WAIT_MAX: Duration = Duration::from_secs(5);
/// How many entries are read at once.
pub(crate) const PAGE_ENTRIES_MAX: i64 = 500;
/// How many bytes of data are read at once, but for the fact that crosses the limit.
pub(crate) const PAGE_BYTES_MAX: i64 = 4 * 1024 * 1024;
/// How often a follower at the head looks whether there is more; a notification only wakes it sooner.
pub(crate) const POLL_EVERY: Duration = Duration::from_millis(250);
/// How many bytes of facts may wait for the writer.
pub(crate) const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most appends in one transaction.
pub(crate) const GROUP_APPENDS_MAX: usize = 1_024;
/// The most bytes in one transaction, but for the append that crosses the limit.
pub(crate) const GROUP_BYTES_MAX: usize = 1024 * 1024;
/// How many appends of one [`append_in_order`](assay_store::log::Log::append_in_order) wait at once.
pub(crate) const IN_ORDER_APPENDS_MAX: usize = 512;
/// How many bytes of it wait at once, but for the append that crosses the limit.
pub(crate) const IN_ORDER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What a fact's envelope counts for in limits of bytes.
pub(crate) const ENVELOPE_BYTES: usize = 256;
/// How long appends wait for a server that has just gone, before they are turned away.
pub(crate) const AWAY_MAX: Duration = Duration::from_secs(2);
/// The first wait between two attempts to reach a server, doubled from one to the next.
pub(crate) const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// The longest wait between two attempts.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// How long the server lets an append wait for its turn behind those of other nodes.
pub(crate) const TURN_MAX: &str = "5s";
/// After what silence the server takes the turn away from a node that has it.
pub(crate) const HELD_TURN_MAX: &str = "10s";

/// How to reach a PostgreSQL server, or several of which one is the primary.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    /// `postgresql://user:password@host:port,host:port/database?…`; the first host that takes writes is used.
    pub url: String,
    /// The certificates (PEM) that the server's must descend from. With them, TLS is used and the
    /// server's name is verified, always.
    pub tls_roots: Option<PathBuf>,
    /// Whether another host than this one may be reached without TLS.
    pub plaintext: bool,
    /// How many appends may wait; one more is turned away with `Unavailable`.
    pub queue_appends_max: usize,
    /// How long any answer of the server may take. Beyond it the connection is given up, and a
    /// commit that was asked for has an unknown outcome.
    pub answer_max: Duration,
}

impl Options {
    /// The server at a URL, reached with TLS unless it is on this host.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            tls_roots: None,
            plaintext: false,
            queue_appends_max: 4_096,
            answer_max: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL holds a password.
        f.debug_struct("Options")
            .field("url", &"[REDACTED]")
            .field("tls_roots", &self.tls_roots)
            .field("plaintext", &self.plaintext)
            .field("queue_appends_max", &self.queue_appends_max)
            .field("answer_max", &self.answer_max)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let shown = format!("{:?}", Options::new("postgresql://u:hunter2@localhost/d"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
