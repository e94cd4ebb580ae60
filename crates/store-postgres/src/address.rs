//! A URL as hosts to connect to, one by one; refuses what would carry facts or passwords in the open.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::OpenError;
use crate::options::{
    CONNECT_MAX, KEEPALIVE_AFTER, KEEPALIVE_EVERY, KEEPALIVE_TRIES, Options, SILENCE_MAX,
};

/// The hosts, each with all there is to say when connecting to it, and what verifies them.
#[derive(Clone)]
pub(crate) struct Address {
    /// In the order of the URL; never empty.
    pub(crate) hosts: Vec<Config>,
    /// Which host is tried first: the one that took writes last, for every connection of this address.
    first: Arc<AtomicUsize>,
    pub(crate) tls: Option<MakeRustlsConnect>,
}

impl Address {
    /// The hosts with their numbers, beginning with the one that took writes last.
    pub(crate) fn in_turn(&self) -> impl Iterator<Item = (usize, &Config)> {
        let first = self.first.load(Ordering::Relaxed) % self.hosts.len().max(1);
        let numbered = || self.hosts.iter().enumerate();
        numbered().skip(first).chain(numbered().take(first))
    }

    /// This one takes writes.
    pub(crate) fn takes_writes(&self, host: usize) {
        self.first.store(host, Ordering::Relaxed);
    }

    /// It was silent in the middle of something: an old primary may wait for ever for the standby
    /// that took over, so the next connection begins with the next host.
    pub(crate) fn turn(&self) {
        self.first.fetch_add(1, Ordering::Relaxed);
    }
}

impl Address {
    pub(crate) fn of(options: &Options) -> Result<Self, OpenError> {
        let whole = parse(&options.url)?;
        if options.tls_roots.is_none() && whole.get_ssl_mode() == SslMode::Require {
            return refused("sslmode=require needs the certificates to verify the server by");
        }
        if options.tls_roots.is_some() && whole.get_ssl_mode() == SslMode::Disable {
            return refused("sslmode=disable contradicts the certificates that were given");
        }
        let count = whole.get_hosts().len().max(whole.get_hostaddrs().len());
        if count == 0 {
            return refused("the URL names no host");
        }
        let hosts = (0..count).map(|n| one(&whole, n, options)).collect::<Result<_, _>>()?;
        let tls = options.tls_roots.as_deref().map(connector).transpose()?;
        Ok(Self { hosts, tls, first: Arc::default() })
    }
}

fn refused<T>(what: impl Into<String>) -> Result<T, OpenError> {
    Err(OpenError::Refused(what.into()))
}

fn parse(url: &str) -> Result<Config, OpenError> {
    let Some(rest) = url.strip_prefix("postgresql://").or_else(|| url.strip_prefix("postgres://"))
    else {
        return refused("the URL does not begin with postgresql://");
    };
    // Whatever stands after the first @ is taken for a host, and hosts are named in errors.
    if rest.matches('@').count() > 1 {
        return refused("the URL has an @ in the name or the password: it is written %40 there");
    }
    let config = without_degrees(url).parse::<Config>();
    config.map_err(|error| OpenError::Refused(format!("the URL: {}", crate::error::told(&error))))
}

/// Here a certificate is verified always, and its name too: whoever asks for that gets it.
fn without_degrees(url: &str) -> String {
    let Some((before, parameters)) = url.split_once('?') else { return url.to_owned() };
    let verified = parameters
        .split('&')
        .map(|parameter| match parameter {
            "sslmode=verify-full" | "sslmode=verify-ca" => "sslmode=require",
            other => other,
        })
        .collect::<Vec<_>>();
    format!("{before}?{}", verified.join("&"))
}

/// Host number `n` of several as a configuration of its own, so that one which is silent does not
/// use up the patience for the others.
fn one(whole: &Config, n: usize, options: &Options) -> Result<Config, OpenError> {
    let mut config = Config::new();
    let (host, address) = (whole.get_hosts().get(n), whole.get_hostaddrs().get(n));
    let is_here = match (host, address) {
        (_, Some(address)) => address.is_loopback(),
        (Some(host), None) => is_here(host),
        (None, None) => false,
    };
    let is_socket = address.is_none() && matches!(host, Some(Host::Unix(_)));
    let mode = if options.tls_roots.is_some() && !is_socket {
        SslMode::Require
    } else if is_here || options.plaintext {
        SslMode::Disable
    } else {
        let name = match (host, address) {
            (Some(Host::Tcp(name)), _) => name.clone(),
            (_, Some(address)) => address.to_string(),
            _ => "the host".to_owned(),
        };
        return refused(format!(
            "{name} is another host: name the certificates to verify it by, or allow plaintext"
        ));
    };
    match host {
        Some(Host::Tcp(name)) => _ = config.host(name),
        Some(Host::Unix(path)) => _ = config.host_path(path),
        None => {}
    }
    address.map(|address| config.hostaddr(*address));
    let port = whole.get_ports().get(n).or_else(|| whole.get_ports().first());
    port.map(|port| config.port(*port));
    whole.get_user().map(|user| config.user(user));
    whole.get_password().map(|password| config.password(password));
    whole.get_dbname().map(|name| config.dbname(name));
    whole.get_options().map(|options| config.options(options));
    config
        .application_name(whole.get_application_name().unwrap_or("assay"))
        .ssl_mode(mode)
        .ssl_negotiation(whole.get_ssl_negotiation())
        .channel_binding(whole.get_channel_binding())
        // A standby is neither written to nor read from: what it shows may be behind.
        .target_session_attrs(TargetSessionAttrs::ReadWrite)
        .connect_timeout(CONNECT_MAX)
        .tcp_user_timeout(SILENCE_MAX)
        .keepalives(true)
        .keepalives_idle(KEEPALIVE_AFTER)
        .keepalives_interval(KEEPALIVE_EVERY)
        .keepalives_retries(KEEPALIVE_TRIES);
    Ok(config)
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn connector(roots: &std::path::Path) -> Result<MakeRustlsConnect, OpenError> {
    let unreadable =
        |why: String| OpenError::Refused(format!("the certificates in {}: {why}", roots.display()));
    let mut store = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(roots).map_err(|error| unreadable(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        store.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(unreadable("there are none".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(options: &Options) -> String {
        Address::of(options).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn only_this_host_is_reached_without_tls() {
        for url in [
            "postgresql://u:p@localhost/d",
            "postgresql://u:p@127.0.0.1:5433/d",
            "postgresql://u:p@[::1]/d?sslmode=disable",
            "postgres://u@%2Frun%2Fpostgresql/d",
            "postgresql://localhost,127.0.0.1/d",
        ] {
            assert_eq!(refusal(&Options::new(url)), "", "{url}");
        }
        for url in [
            "postgresql://u:p@db.example/d",
            "postgresql://u:p@db.example/d?sslmode=disable",
            "postgresql://u:p@localhost,db.example/d",
            "postgresql://u:p@localhost/d?hostaddr=192.0.2.1",
        ] {
            let mut options = Options::new(url);
            assert!(refusal(&options).contains("another host"), "{url}");
            options.plaintext = true;
            assert_eq!(refusal(&options), "", "{url}");
        }
    }

    #[test]
    fn asking_for_tls_needs_something_to_verify_by() {
        for mode in ["require", "verify-full", "verify-ca"] {
            let url = format!("postgresql://localhost/d?sslmode={mode}");
            assert!(refusal(&Options::new(url)).contains("certificates"), "{mode}");
        }
        let mut options = Options::new("postgresql://localhost/d");
        options.tls_roots = Some("/nowhere/roots.pem".into());
        assert!(refusal(&options).contains("/nowhere/roots.pem"));
        options.url += "?sslmode=disable";
        assert!(refusal(&options).contains("contradicts"));
    }

    #[test]
    fn what_is_refused_is_told_without_the_password() {
        for url in [
            "mysql://u:hunter2@localhost/d",
            "postgresql://u:hunter2@2@localhost/d",
            "postgresql://u:hunter2@localhost/d?nonsense=1",
            "postgresql://u:hunter2@localhost:port/d",
            "postgresql://u:hunter2@db.example/d",
            "host=localhost password=hunter2",
            "postgresql://u:hunter2@",
        ] {
            let told = refusal(&Options::new(url));
            assert!(!told.is_empty() && !told.contains("hunter2"), "{url}: {told:?}");
        }
    }

    #[test]
    fn each_host_keeps_its_own_port() {
        let url = "postgresql://u@127.0.0.1:5001,127.0.0.1:5002/d";
        let address = Address::of(&Options::new(url)).ok().unwrap();
        let ports: Vec<&[u16]> = address.hosts.iter().map(Config::get_ports).collect();
        assert_eq!(ports, [&[5001], &[5002]]);
    }
}
