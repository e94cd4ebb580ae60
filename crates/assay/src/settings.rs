//! What can be set: every key with its meaning and its default, and the floors nobody can go below.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::exit::usage;

/// All settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The data directory.
    pub(crate) data_dir: PathBuf,
    /// The log and the vault, where they are elsewhere.
    pub(crate) store: Store,
    /// The listener.
    pub(crate) server: Server,
    /// The log of the program (not the event log).
    pub(crate) log: Log,
    /// Passwords and sessions.
    pub(crate) auth: Auth,
    /// How much one caller may ask.
    pub(crate) limits: Limits,
    /// Keys.
    pub(crate) keys: Keys,
    /// The ledger: its checkpoints and where they are anchored.
    pub(crate) ledger: Ledger,
    /// The read log.
    pub(crate) reads: Reads,
}

/// The log and the vault, where they are elsewhere: then this is one of several nodes over them.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    /// Where: `postgresql://…` or `kurrentdb://…`; empty for files in the data directory.
    pub(crate) url: String,
    /// A private file with that address instead, so that its password stands in no environment.
    pub(crate) url_file: Option<PathBuf>,
    /// The authorities (PEM) that the servers' certificates must come from.
    pub(crate) tls_roots_file: Option<PathBuf>,
    /// Whether another host than this one may be talked to without encryption.
    pub(crate) plaintext: bool,
    /// What others call this node; the host's name where empty.
    pub(crate) node_name: String,
}

/// Its password is for nobody's eyes.
impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("url", &redacted(&self.url)).finish_non_exhaustive()
    }
}

impl Store {
    /// Whether log and vault are elsewhere.
    pub(crate) fn elsewhere(&self) -> bool {
        !self.url.is_empty() || self.url_file.is_some()
    }
}

/// An address without what stands between its scheme and its host.
pub(crate) fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://[REDACTED]@{host}"),
        None => url.to_owned(),
    }
}

/// Where and how it listens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    /// Address and port of the API; port 0 takes a free one.
    pub(crate) listen: String,
    /// Address and port of health and metrics.
    pub(crate) ops_listen: String,
    /// Whether a proxy with TLS stands in front, so that another address than loopback is allowed.
    pub(crate) behind_proxy: bool,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// Sites whose scripts may call; exact origins.
    pub(crate) cors_origins: Vec<String>,
    /// Threads that answer; 0 means one for each processor.
    pub(crate) workers: usize,
    /// Whether the pages at `/api/docs` are shown.
    pub(crate) docs: bool,
}

/// How the program logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// One JSON object a line, or text for people.
    pub(crate) format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter of `tracing`.
    pub(crate) level: String,
}

/// The two shapes of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}

/// Passwords and sessions; all times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    /// Who issues access tokens, and for whom.
    pub(crate) issuer: String,
    /// How long an access token lives.
    pub(crate) access_token_s: u64,
    /// How long a session lives unused.
    pub(crate) session_idle_s: u64,
    /// How long a session lives at all.
    pub(crate) session_max_s: u64,
    /// How long a one-time code for a password lives.
    pub(crate) code_s: u64,
    /// Memory of one password hash, in KiB.
    pub(crate) argon2_memory_kib: u32,
    /// Passes of one password hash.
    pub(crate) argon2_passes: u32,
    /// Lanes of one password hash.
    pub(crate) argon2_lanes: u32,
    /// How many passwords are hashed at once.
    pub(crate) hashing_at_once: usize,
    /// Failed logins before an account is locked.
    pub(crate) attempts_max: u32,
    /// How long the first lock lasts; each further failure doubles it.
    pub(crate) lock_s: u64,
    /// How long a lock lasts at most.
    pub(crate) lock_max_s: u64,
}

/// How much one caller may ask; times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// The most bytes of a JSON body.
    pub(crate) json_bytes_max: usize,
    /// How long a body may take to arrive.
    pub(crate) body_timeout_s: u64,
    /// How long a request may take.
    pub(crate) request_timeout_s: u64,
    /// Logins from one address in a minute.
    pub(crate) logins_per_minute: u32,
    /// Requests of one account in a second.
    pub(crate) requests_per_second: u32,
    /// Open streams of changes at once.
    pub(crate) streams_max: usize,
    /// Appends that may wait for the disk at once.
    pub(crate) queue_appends_max: usize,
}

/// The ledger: its checkpoints and where they are anchored; times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ledger {
    /// What stands before the log's id in the origin of its checkpoints: a host name of yours.
    pub(crate) name: String,
    /// How often a checkpoint is signed when there is something new.
    pub(crate) interval_s: u64,
    /// A file on another disk that keeps the last signed checkpoint.
    pub(crate) second_place: Option<PathBuf>,
    /// After how long a checkpoint that an anchor has not taken is an alarm.
    pub(crate) late_after_s: u64,
    /// Whether checkpoints, keys and tiles of hashes are shown to anybody.
    pub(crate) public: bool,
    /// Where checkpoints are anchored.
    pub(crate) anchors: Vec<Anchor>,
}

/// One place where checkpoints are anchored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Anchor {
    /// What it is called in metrics and alarms.
    pub(crate) name: String,
    /// What kind of place it is.
    pub(crate) kind: AnchorKind,
    /// The path of a file, or the address to send to.
    pub(crate) to: String,
    /// How often, in seconds.
    #[serde(default = "hour")]
    pub(crate) every_s: u64,
    /// Of a witness: its key, as signed notes write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// Of a webhook: a file with the value of the `Authorization` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorization_file: Option<PathBuf>,
    /// Of a time-stamping authority: a file with the roots that are trusted (PEM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) roots_file: Option<PathBuf>,
}

/// The kinds of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnchorKind {
    /// A file elsewhere.
    File,
    /// An address that takes JSON.
    Webhook,
    /// A witness that cosigns (C2SP tlog-witness).
    Witness,
    /// A time-stamping authority (RFC 3161).
    Timestamp,
}

const fn hour() -> u64 {
    3_600
}

/// The read log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reads {
    /// How long a reading may wait before it is in the log, in milliseconds.
    pub(crate) flush_ms: u64,
    /// How many different readings may wait; then reads are refused.
    pub(crate) pending_max: usize,
}

/// Keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    /// The file with the master key (64 hex digits); the data directory's own where left out.
    pub(crate) master_key_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        let api = assay_api::Settings::default();
        Self {
            data_dir: PathBuf::from("assay-data"),
            store: Store::default(),
            server: Server {
                listen: "127.0.0.1:8080".to_owned(),
                ops_listen: "127.0.0.1:9090".to_owned(),
                behind_proxy: false,
                trusted_proxies: api.trusted_proxies,
                cors_origins: api.cors_origins,
                workers: 0,
                docs: api.docs,
            },
            log: Log { format: LogFormat::Json, level: "info".to_owned() },
            auth: Auth {
                issuer: api.issuer,
                access_token_s: api.access_token.as_secs(),
                session_idle_s: api.session_idle.as_secs(),
                session_max_s: api.session_max.as_secs(),
                code_s: api.code.as_secs(),
                argon2_memory_kib: api.argon2_memory_kib,
                argon2_passes: api.argon2_passes,
                argon2_lanes: api.argon2_lanes,
                hashing_at_once: api.hashing_at_once,
                attempts_max: api.attempts_max,
                lock_s: api.lock.as_secs(),
                lock_max_s: api.lock_max.as_secs(),
            },
            limits: Limits {
                json_bytes_max: api.json_bytes_max,
                body_timeout_s: api.body_timeout.as_secs(),
                request_timeout_s: api.request_timeout.as_secs(),
                logins_per_minute: api.logins_per_minute,
                requests_per_second: api.requests_per_second,
                streams_max: api.streams_max,
                queue_appends_max: assay_store_sqlite::Options::default().queue_appends_max,
            },
            keys: Keys::default(),
            ledger: Ledger {
                name: "assay.local".to_owned(),
                interval_s: 60,
                second_place: None,
                late_after_s: 86_400,
                public: false,
                anchors: Vec::new(),
            },
            reads: Reads { flush_ms: 2_000, pending_max: 100_000 },
        }
    }
}

impl Settings {
    /// What the API needs of them.
    pub(crate) fn api(&self) -> assay_api::Settings {
        let (server, auth, limits) = (&self.server, &self.auth, &self.limits);
        let processors = || std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        assay_api::Settings {
            issuer: auth.issuer.clone(),
            json_bytes_max: limits.json_bytes_max,
            body_timeout: Duration::from_secs(limits.body_timeout_s),
            request_timeout: Duration::from_secs(limits.request_timeout_s),
            access_token: Duration::from_secs(auth.access_token_s),
            session_idle: Duration::from_secs(auth.session_idle_s),
            session_max: Duration::from_secs(auth.session_max_s),
            code: Duration::from_secs(auth.code_s),
            argon2_memory_kib: auth.argon2_memory_kib,
            argon2_passes: auth.argon2_passes,
            argon2_lanes: auth.argon2_lanes,
            hashing_at_once: auth.hashing_at_once,
            attempts_max: auth.attempts_max,
            lock: Duration::from_secs(auth.lock_s),
            lock_max: Duration::from_secs(auth.lock_max_s),
            logins_per_minute: limits.logins_per_minute,
            requests_per_second: limits.requests_per_second,
            streams_max: limits.streams_max,
            cors_origins: server.cors_origins.clone(),
            trusted_proxies: server.trusted_proxies.clone(),
            workers: if server.workers == 0 { processors() } else { server.workers },
            docs: server.docs,
            read_log_flush: Duration::from_millis(self.reads.flush_ms),
            read_log_pending_max: self.reads.pending_max,
            ledger_public: self.ledger.public,
            ..assay_api::Settings::default()
        }
    }

    /// Refuses settings that would make the house unsafe or useless, naming the key.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.limits.queue_appends_max == 0 {
            return Err(usage("the setting limits.queue_appends_max must be at least 1"));
        }
        if !self.store.url.is_empty() && self.store.url_file.is_some() {
            return Err(usage("store.url and store.url_file are both set; one of them is enough"));
        }
        self.api().check().map_err(|refused| {
            let key = self.key_of(refused.setting);
            usage(format!("the setting {key} must be {}", refused.why))
        })
    }

    /// The full key of what the API calls so: the shortest that begins with its name.
    fn key_of(&self, name: &str) -> String {
        let all = serde_json::to_value(self).unwrap_or_default();
        let sections = all.as_object().into_iter().flatten();
        let keys = sections.flat_map(|(section, inner)| {
            let names = inner.as_object().into_iter().flat_map(|keys| keys.keys());
            names.filter(|key| key.starts_with(name)).map(move |key| format!("{section}.{key}"))
        });
        keys.min_by_key(String::len).unwrap_or_else(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_store_is_shown_without_its_password() {
        let shown = redacted("postgresql://assay:p@ss:word@db1,db2/assay?sslmode=require");
        assert_eq!(shown, "postgresql://[REDACTED]@db1,db2/assay?sslmode=require");
        assert_eq!(redacted("kurrentdb://db1:2113"), "kurrentdb://db1:2113");
        let store = Store { url: "postgresql://a:secret@b/c".to_owned(), ..Store::default() };
        assert!(!format!("{store:?}").contains("secret"));
    }

    #[test]
    fn the_defaults_pass_and_weaker_ones_are_named() {
        assert!(Settings::default().check().is_ok());
        let mut weak = Settings::default();
        weak.auth.argon2_memory_kib = 8;
        let words = weak.check().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(words, "the setting auth.argon2_memory_kib must be at least 19456");
        let mut long = Settings::default();
        long.auth.access_token_s = 9_000;
        let words = long.check().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(words, "the setting auth.access_token_s must be 1 second to 15 minutes");
    }
}
