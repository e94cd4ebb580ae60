//! How to reach a KurrentDB, and within which limits.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::OpenError;

/// How many appends may wait unless said otherwise.
const QUEUE_APPENDS_MAX: usize = 4_096;
/// How long one call may take unless said otherwise; it is then asked again with the same ids.
const CALL_DEADLINE: Duration = Duration::from_secs(5);
/// The most bytes a namespace may have.
const NAMESPACE_BYTES_MAX: usize = 64;

/// How to open a log or a vault. Never printed with user or password.
///
/// **The address** is `kurrentdb://USER:PASSWORD@HOST:PORT,HOST:PORT?PARAMETERS`; the port is 2113
/// where none is given. Several hosts are the nodes of one cluster; `kurrentdb+discover` takes one
/// name that stands for all of them. TLS is on and the certificate is checked: `tls=false` is taken
/// for the loopback only, or with [`Self::plaintext`], and `tlsVerifyCert=false` never. User and
/// password are asked for everywhere but on the loopback and may be percent-encoded; the password
/// that every fresh server has is refused there. They are sent with every call but the cluster's
/// gossip, which is open by default. The user must be allowed to read `$all`.
///
/// Parameters taken: `tls`, `tlsVerifyCert`, `tlsCAFile`, `userCertFile`, `userKeyFile`,
/// `maxDiscoverAttempts`, `discoveryInterval`, `gossipTimeout`, `keepAliveInterval`,
/// `keepAliveTimeout` (milliseconds; 10 000 at least, since the client overlooks less),
/// `nodePreference` (`leader` only) and `connectionName`. Others are refused.
#[derive(Clone)]
pub struct Options {
    /// The address.
    pub url: String,
    /// What all our streams begin with, so that a server can be shared: `assay`.
    pub namespace: String,
    /// The certificates (PEM) that the server's is checked by; the system's own otherwise.
    pub tls_roots: Option<PathBuf>,
    /// Whether another host than the loopback may be spoken to without TLS.
    pub plaintext: bool,
    /// How many appends may wait; one more is turned away with `Unavailable`.
    pub queue_appends_max: usize,
    /// How long one call may take. A page of a read may take this long between two events.
    pub call_deadline: Duration,
}

impl Options {
    /// What is usual, at an address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: "assay".to_owned(),
            tls_roots: None,
            plaintext: false,
            queue_appends_max: QUEUE_APPENDS_MAX,
            call_deadline: CALL_DEADLINE,
        }
    }

    /// The names of our streams.
    pub(crate) fn names(&self) -> Result<Names, OpenError> {
        let namespace = &self.namespace;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if namespace.is_empty()
            || namespace.len() > NAMESPACE_BYTES_MAX
            || !namespace.bytes().all(allowed)
        {
            let what = "a namespace has 1 to 64 letters, digits, `-`, `_` or `.`";
            return Err(OpenError::Refused(what.to_owned()));
        }
        Ok(Names { namespace: namespace.clone() })
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &without_credentials(&self.url))
            .field("namespace", &self.namespace)
            .field("tls_roots", &self.tls_roots)
            .field("plaintext", &self.plaintext)
            .field("queue_appends_max", &self.queue_appends_max)
            .field("call_deadline", &self.call_deadline)
            .finish()
    }
}

/// An address as it may be shown: whatever stands before the last `@` is left out.
fn without_credentials(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (_, None) => url.to_owned(),
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        (None, Some((_, rest))) => format!("…@{rest}"),
    }
}

/// The names of our streams: all begin with the namespace, and none is the beginning of another kind.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    namespace: String,
}

impl Names {
    /// The stream that says which log this is.
    pub(crate) fn meta(&self) -> String {
        format!("{}.meta", self.namespace)
    }

    /// What every stream of the log begins with.
    pub(crate) fn log(&self) -> String {
        format!("{}.log/", self.namespace)
    }

    /// What every stream of the vault begins with.
    pub(crate) fn vault(&self) -> String {
        format!("{}.vault/", self.namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_printed_without_user_and_password() {
        for url in
            ["kurrentdb://u:geheim@db:2113?tls=true", "u:geheim@db", "kurrentdb://u:g@geheim@h"]
        {
            let shown = format!("{:?}", Options::new(url));
            assert!(!shown.contains("geheim") && !shown.contains("u:"), "{shown}");
        }
        assert!(
            format!("{:?}", Options::new("kurrentdb://db:2113")).contains("kurrentdb://db:2113")
        );
    }

    #[test]
    fn a_namespace_cannot_reach_into_another() {
        let named =
            |namespace: &str| Options { namespace: namespace.to_owned(), ..Options::new("") };
        assert_eq!(named("assay").names().unwrap().log(), "assay.log/");
        for bad in ["", "$assay", "a/b", "a b", "ä", &"n".repeat(65)] {
            assert!(named(bad).names().is_err(), "{bad}");
        }
    }
}
