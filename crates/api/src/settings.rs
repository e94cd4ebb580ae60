//! What an operator may set, each with a safe default and a floor or ceiling that holds.

use std::time::Duration;

use assay_bundle::limits::BUNDLE_BYTES_MAX;

/// The most bytes a JSON body may have.
pub const JSON_BYTES_MAX: usize = 1024 * 1024;
/// The weakest memory argon2id may use, in KiB.
pub const ARGON2_MEMORY_KIB_MIN: u32 = 19_456;
/// The fewest passes argon2id may make.
pub const ARGON2_PASSES_MIN: u32 = 2;
/// The longest an access token may live.
pub const ACCESS_TOKEN_S_MAX: u64 = 900;

/// How soon what was read is written down at the latest.
pub const READ_LOG_FLUSH_MAX: Duration = Duration::from_secs(10);
/// The most readings that may wait to be written down: about 1 KiB of memory each.
pub const READ_LOG_PENDING_CEILING: usize = 1_000_000;

/// The limits and lifetimes of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Who issues our tokens, and for whom: `iss` and `aud`.
    pub issuer: String,
    /// The most bytes of a JSON body; at most [`JSON_BYTES_MAX`].
    pub json_bytes_max: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How long a read waits for a write it names.
    pub wait_max: Duration,
    /// How long an access token lives; at most 15 minutes.
    pub access_token: Duration,
    /// How long a session lives unused.
    pub session_idle: Duration,
    /// How long a session lives at all.
    pub session_max: Duration,
    /// How long a one-time code for a password lives.
    pub code: Duration,
    /// Memory of argon2id in KiB; at least 19 MiB.
    pub argon2_memory_kib: u32,
    /// Passes of argon2id; at least 2.
    pub argon2_passes: u32,
    /// Lanes of argon2id; at least 1.
    pub argon2_lanes: u32,
    /// How many passwords are hashed at once; 1–8.
    pub hashing_at_once: usize,
    /// How many logins may wait for that; more are sent away.
    pub hashing_queue_max: usize,
    /// Failed logins of an account before it is locked; 3–20.
    pub attempts_max: u32,
    /// How long the first lock lasts; each further failure doubles it.
    pub lock: Duration,
    /// How long a lock lasts at most.
    pub lock_max: Duration,
    /// Logins of one address in a minute.
    pub logins_per_minute: u32,
    /// Requests of one account in a second.
    pub requests_per_second: u32,
    /// Long reads at once.
    pub long_reads_at_once: usize,
    /// Long reads that may wait.
    pub long_reads_queue_max: usize,
    /// Open streams of changes at once.
    pub streams_max: usize,
    /// How soon what was read is written down; what a killed process loses of it. At most 10 s.
    pub read_log_flush: Duration,
    /// How many readings may wait to be written down before nothing more is shown; 1–1,000,000.
    pub read_log_pending_max: usize,
    /// Sites whose scripts may call; exact origins, none by default.
    pub cors_origins: Vec<String>,
    /// Addresses of proxies whose `X-Forwarded-For` is believed; none by default.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// Worker threads.
    pub workers: usize,
    /// Whether `/api/docs` is shown.
    pub docs: bool,
    /// Whether checkpoints and tiles of the ledger are told to anybody; else to whoever has an
    /// account. The records of entries are told to auditors alone, either way.
    pub ledger_public: bool,
    /// Requests of one address for the ledger in a second, where it is public.
    pub ledger_per_second: u32,
    /// Cases put together in a file, or being sent in one, at once; 1–16.
    pub bundles_at_once: usize,
    /// The most bytes such a file may have; at most 8 GiB.
    pub bundle_bytes_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: "assay".to_owned(),
            json_bytes_max: JSON_BYTES_MAX,
            body_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_mins(1),
            wait_max: Duration::from_secs(2),
            access_token: Duration::from_secs(ACCESS_TOKEN_S_MAX),
            session_idle: Duration::from_hours(24),
            session_max: Duration::from_hours(14 * 24),
            code: Duration::from_hours(24),
            argon2_memory_kib: ARGON2_MEMORY_KIB_MIN,
            argon2_passes: ARGON2_PASSES_MIN,
            argon2_lanes: 1,
            hashing_at_once: 2,
            hashing_queue_max: 64,
            attempts_max: 5,
            lock: Duration::from_secs(30),
            lock_max: Duration::from_hours(1),
            logins_per_minute: 60,
            requests_per_second: 5_000,
            long_reads_at_once: 4,
            long_reads_queue_max: 256,
            streams_max: 1_000,
            read_log_flush: Duration::from_secs(2),
            read_log_pending_max: 100_000,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            workers: 2,
            docs: true,
            ledger_public: false,
            ledger_per_second: 50,
            bundles_at_once: 4,
            bundle_bytes_max: 2 * 1024 * 1024 * 1024,
        }
    }
}

/// A setting that is weaker than allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {why}")]
pub struct Unsafe {
    /// Which setting.
    pub setting: &'static str,
    /// What is allowed.
    pub why: &'static str,
}

impl Settings {
    /// Refuses settings below their floors.
    pub fn check(&self) -> Result<(), Unsafe> {
        let minute = Duration::from_mins(1);
        let rules = [
            (
                "json_bytes_max",
                (1024..=JSON_BYTES_MAX).contains(&self.json_bytes_max),
                "1 KiB to 1 MiB",
            ),
            ("body_timeout", self.body_timeout <= Duration::from_secs(15), "at most 15 seconds"),
            ("request_timeout", self.request_timeout <= minute, "at most 60 seconds"),
            (
                "access_token",
                (1..=ACCESS_TOKEN_S_MAX).contains(&self.access_token.as_secs()),
                "1 second to 15 minutes",
            ),
            ("session_max", self.session_max <= Duration::from_hours(30 * 24), "at most 30 days"),
            ("session_idle", self.session_idle <= self.session_max, "at most `session_max`"),
            ("code", self.code <= Duration::from_hours(7 * 24), "at most 7 days"),
            (
                "argon2_memory_kib",
                self.argon2_memory_kib >= ARGON2_MEMORY_KIB_MIN,
                "at least 19456",
            ),
            ("argon2_passes", self.argon2_passes >= ARGON2_PASSES_MIN, "at least 2"),
            ("argon2_lanes", self.argon2_lanes >= 1, "at least 1"),
            ("hashing_at_once", (1..=8).contains(&self.hashing_at_once), "1 to 8"),
            ("ledger_per_second", self.ledger_per_second >= 1, "at least 1"),
            ("bundles_at_once", (1..=16).contains(&self.bundles_at_once), "1 to 16"),
            (
                "bundle_bytes_max",
                (1..=BUNDLE_BYTES_MAX).contains(&self.bundle_bytes_max),
                "1 byte to 8 GiB",
            ),
            ("attempts_max", (3..=20).contains(&self.attempts_max), "3 to 20"),
            ("lock", self.lock >= Duration::from_secs(1), "at least a second"),
            ("lock_max", self.lock_max <= Duration::from_hours(24), "at most a day"),
            ("logins_per_minute", self.logins_per_minute >= 1, "at least 1"),
            ("requests_per_second", self.requests_per_second >= 1, "at least 1"),
            (
                "read_log_flush",
                (Duration::from_millis(50)..=READ_LOG_FLUSH_MAX).contains(&self.read_log_flush),
                "50 milliseconds to 10 seconds",
            ),
            (
                "read_log_pending_max",
                (1..=READ_LOG_PENDING_CEILING).contains(&self.read_log_pending_max),
                "1 to 1000000",
            ),
            (
                "cors_origins",
                !self.cors_origins.iter().any(|o| o == "*" || o == "null"),
                "exact origins only",
            ),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            Some((setting, _, why)) => Err(Unsafe { setting, why }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_and_weaker_ones_do_not() {
        assert_eq!(Settings::default().check(), Ok(()));
        let weak = Settings { argon2_memory_kib: 8, ..Settings::default() };
        assert_eq!(weak.check().map_err(|error| error.setting), Err("argon2_memory_kib"));
        let long = Settings { access_token: Duration::from_secs(901), ..Settings::default() };
        assert_eq!(long.check().map_err(|error| error.setting), Err("access_token"));
        let late = Settings { read_log_flush: Duration::from_secs(11), ..Settings::default() };
        assert_eq!(late.check().map_err(|error| error.setting), Err("read_log_flush"));
    }
}
