//! Which addresses are taken: TLS, certificates, user and password, and no parameter overlooked.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use kurrentdb::{ClientSettings, Credentials};

use crate::error::OpenError;
use crate::options::Options;

/// The port where none is given.
const PORT: u16 = 2_113;
/// The most hosts one address may name.
const HOSTS_MAX: usize = 32;
/// The client overlooks less, with a warning only.
const KEEP_ALIVE_MS_MIN: u64 = 10_000;
/// The client waits this long before every connection, the first one too; 500 ms if not told.
const DISCOVERY_INTERVAL_MS: u64 = 25;
/// User and password of every fresh server.
const FRESH: (&str, &str) = ("admin", "changeit");

/// Where to, as the client wants it. The settings hold neither user nor password.
#[derive(Clone)]
pub(crate) struct Address {
    /// For a new client.
    pub(crate) settings: ClientSettings,
    /// Sent with every call.
    pub(crate) credentials: Option<Credentials>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.settings.hosts().iter().map(|host| &host.host)).finish()
    }
}

fn refused(what: impl Into<String>) -> OpenError {
    OpenError::Refused(what.into())
}

impl Address {
    /// Reads and checks an address.
    ///
    /// # Errors
    ///
    /// `Refused`, never with user or password in it.
    pub(crate) fn new(options: &Options) -> Result<Self, OpenError> {
        let parts = Parts::of(&options.url)?;
        let loopback = parts.hosts.iter().all(Host::is_loopback);
        let mut parameters = Parameters::of(parts.query)?;
        if !parameters.tls && !loopback && !options.plaintext {
            return Err(refused(
                "without TLS only the loopback is spoken to, unless `plaintext` says so",
            ));
        }
        check_credentials(parts.credentials.as_ref(), loopback)?;
        if let Some(path) = &options.tls_roots {
            parameters.add_roots(path)?;
        }
        if let Some(path) = &parameters.roots {
            check_roots(path)?;
        }
        let hosts: Vec<String> = parts.hosts.iter().map(ToString::to_string).collect();
        // Several names are asked for the cluster's members anyway; the client would take one only.
        let scheme =
            if parts.discover && hosts.len() == 1 { "kurrentdb+discover" } else { "kurrentdb" };
        let url = format!("{scheme}://{}?{}", hosts.join(","), parameters.kept.join("&"));
        // The client's own message would repeat the address.
        let settings: ClientSettings =
            url.parse().map_err(|_| refused("the client does not take this address"))?;
        if settings.hosts().len() != hosts.len()
            || settings.is_secure_mode_enabled() != parameters.tls
        {
            return Err(refused("the client reads another address than is written"));
        }
        let credentials =
            parts.credentials.map(|(user, password)| Credentials::new(user, password));
        Ok(Self { settings, credentials })
    }
}

fn check_credentials(
    credentials: Option<&(String, String)>,
    loopback: bool,
) -> Result<(), OpenError> {
    match credentials {
        _ if loopback => Ok(()),
        None => Err(refused("another host than the loopback needs user and password")),
        Some((user, password)) if (user.as_str(), password.as_str()) == FRESH => {
            Err(refused("the password that every fresh server has is taken on the loopback only"))
        }
        Some(_) => Ok(()),
    }
}

/// The client panics over a file that is no PEM, and trusts nobody where it holds no certificate.
fn check_roots(path: &str) -> Result<(), OpenError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| refused(format!("reading the certificates in {path}: {error}")))?;
    if text.contains("-----BEGIN CERTIFICATE-----") {
        Ok(())
    } else {
        Err(refused(format!("{path} holds no certificate (PEM)")))
    }
}

/// An address, taken apart.
struct Parts<'a> {
    discover: bool,
    credentials: Option<(String, String)>,
    hosts: Vec<Host>,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Result<Self, OpenError> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| refused("an address begins with `kurrentdb://`"))?;
        let (scheme, discover) = match scheme.split_once('+') {
            None => (scheme, false),
            Some((scheme, "discover")) => (scheme, true),
            Some(_) => ("", false),
        };
        if !["kurrentdb", "kurrent", "kdb", "esdb"].contains(&scheme) {
            return Err(refused(
                "an address begins with `kurrentdb://` or `kurrentdb+discover://`",
            ));
        }
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let before = before.strip_suffix('/').unwrap_or(before);
        if query.contains('@') || before.contains(['/', '#']) || query.contains(['#', ',']) {
            return Err(refused(
                "an address has no path; `/`, `?`, `#`, `@` and `,` in user, password or a parameter are percent-encoded",
            ));
        }
        let (credentials, hosts) = match before.rsplit_once('@') {
            None => (None, before),
            Some((credentials, hosts)) => (Some(read_credentials(credentials)?), hosts),
        };
        let hosts = hosts.split(',').map(Host::of).collect::<Result<Vec<_>, _>>()?;
        if hosts.len() > HOSTS_MAX {
            return Err(refused(format!("an address names {HOSTS_MAX} hosts at most")));
        }
        if hosts.len() > 1 && hosts.iter().any(|host| host.name.starts_with('[')) {
            return Err(refused(
                "among several hosts the client takes no IPv6 address; give names",
            ));
        }
        Ok(Self { discover, credentials, hosts, query })
    }
}

/// Trap 8: the client takes them as they are written, so they are decoded here.
fn read_credentials(text: &str) -> Result<(String, String), OpenError> {
    let (user, password) = text.split_once(':').ok_or_else(|| refused("a user has a password"))?;
    let (user, password) = (decoded(user)?, decoded(password)?);
    if user.is_empty() || password.is_empty() || user.contains(':') {
        return Err(refused("user and password are not empty, and a user has no `:`"));
    }
    Ok((user, password))
}

/// Text with its percent-encoding taken away.
fn decoded(text: &str) -> Result<String, OpenError> {
    let wrong = || refused("user or password are not percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit =
                || rest.next().and_then(|d| char::from(d).to_digit(16)).ok_or_else(wrong);
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high * 16 + low).map_err(|_| wrong())?);
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    if text.chars().any(char::is_control) { Err(wrong()) } else { Ok(text) }
}

struct Host {
    name: String,
    port: u16,
}

impl Host {
    fn of(text: &str) -> Result<Self, OpenError> {
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                (name, port.parse().map_err(|_| refused("a port is a number up to 65535"))?)
            }
            _ => (text, PORT),
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let good = match v6 {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !name.is_empty() && name.bytes().all(allowed),
        };
        if good && port != 0 {
            Ok(Self { name: name.to_owned(), port })
        } else {
            Err(refused("a host is a name or an address, with a port after `:`"))
        }
    }

    fn is_loopback(&self) -> bool {
        let name = self.name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

/// What stands after `?`: each one is known, or the address is refused.
struct Parameters {
    tls: bool,
    roots: Option<String>,
    kept: Vec<String>,
}

impl Parameters {
    fn of(query: &str) -> Result<Self, OpenError> {
        let mut parameters = Self { tls: true, roots: None, kept: Vec::new() };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter
                .split_once('=')
                .ok_or_else(|| refused("a parameter has the form `name=value`"))?;
            parameters.take(&name.to_ascii_lowercase(), value)?;
            parameters.kept.push(format!("{name}={value}"));
        }
        if !parameters.says("discoveryInterval") {
            parameters.kept.push(format!("discoveryInterval={DISCOVERY_INTERVAL_MS}"));
        }
        Ok(parameters)
    }

    fn says(&self, name: &str) -> bool {
        let names = self.kept.iter().filter_map(|parameter| parameter.split_once('='));
        names.into_iter().any(|(kept, _)| kept.eq_ignore_ascii_case(name))
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), OpenError> {
        match name {
            "tls" => {
                self.tls = value.parse().map_err(|_| refused("`tls` is `true` or `false`"))?;
            }
            "tlsverifycert" if value == "true" => {}
            "tlsverifycert" => return Err(refused("the server's certificate is always checked")),
            "tlscafile" => self.roots = Some(decoded(value)?),
            "nodepreference" if value.eq_ignore_ascii_case("leader") => {}
            "nodepreference" => {
                return Err(refused("a log is read where it is written: from the leader"));
            }
            "keepaliveinterval" | "keepalivetimeout" => {
                let ms: u64 = value.parse().unwrap_or(0);
                if ms < KEEP_ALIVE_MS_MIN || ms > u64::from(u32::MAX) {
                    return Err(refused(format!("`{name}` is {KEEP_ALIVE_MS_MIN} ms at least")));
                }
            }
            "maxdiscoverattempts" | "discoveryinterval" | "gossiptimeout" => {
                value.parse::<u32>().map_err(|_| refused(format!("`{name}` is a number")))?;
            }
            // The client panics over a name that no header can hold.
            "connectionname"
                if value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%') => {}
            "connectionname" => return Err(refused("`connectionName` is plain ASCII")),
            "usercertfile" | "userkeyfile" => {}
            other => return Err(refused(format!("the parameter `{other}` is not known here"))),
        }
        Ok(())
    }

    fn add_roots(&mut self, path: &Path) -> Result<(), OpenError> {
        if self.roots.is_some() {
            return Err(refused("the certificates are named twice"));
        }
        let path = path.to_str().ok_or_else(|| refused("the certificates' path is not UTF-8"))?;
        self.kept.push(format!("tlsCAFile={}", encoded(path)));
        self.roots = Some(path.to_owned());
        Ok(())
    }
}

fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b if b.is_ascii_alphanumeric() || b"-_./".contains(&b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<Address, OpenError> {
        Address::new(&Options::new(url))
    }

    fn why(url: &str) -> String {
        match address(url) {
            Err(OpenError::Refused(why)) => why,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn tls_is_on_and_the_certificate_checked_unless_it_is_the_loopback() {
        let far = address("kurrentdb://u:p@db.example:2113").unwrap().settings;
        assert!(far.is_secure_mode_enabled() && far.is_tls_certificate_verification_enabled());
        assert!(why("kurrentdb://u:p@db.example?tls=false").contains("plaintext"));
        assert!(why("kurrentdb://127.0.0.1,db.example?tls=false").contains("plaintext"));
        for near in ["127.0.0.1", "localhost:5", "[::1]:2113", "127.0.0.1:1,127.0.0.2:2"] {
            let near = address(&format!("kurrentdb://{near}?tls=false")).unwrap().settings;
            assert!(!near.is_secure_mode_enabled());
        }
        assert!(address("kurrentdb://localhost").unwrap().settings.is_secure_mode_enabled());
        let told = Options { plaintext: true, ..Options::new("kurrentdb://u:p@db?tls=false") };
        assert!(Address::new(&told).is_ok());
        for url in
            ["kurrentdb://localhost?tlsVerifyCert=false", "kurrentdb://u:p@h?TLSVERIFYCERT=0"]
        {
            assert!(why(url).contains("always checked"));
        }
    }

    #[test]
    fn user_and_password_are_needed_and_not_those_of_a_fresh_server() {
        assert!(why("kurrentdb://db.example").contains("user and password"));
        assert!(why("kurrentdb://admin:changeit@db.example").contains("fresh server"));
        assert!(why("kurrentdb://admin:%63hangeit@db.example").contains("fresh server"));
        assert!(address("kurrentdb://admin:changeit@localhost").is_ok());
        assert!(address("kurrentdb://admin:else@db.example").is_ok());
    }

    #[test]
    fn trap_8_user_and_password_are_decoded_by_us() {
        let given = address("kurrentdb://us%40er:p%3Aa%2Fs%20s%E2%82%AC%25@db").unwrap();
        assert_eq!(given.credentials, Some(Credentials::new("us@er", "p:a/s s€%")));
        assert_eq!(*given.settings.default_authenticated_user(), None, "not twice");
        for bad in [
            "u%4:p@db",
            "u:p%zz@db",
            "u:%FF@db",
            "u@db",
            ":p@db",
            "u:@db",
            "u%3Ab:p@db",
            "u:p/q@db",
            "u:p?q@db",
        ] {
            let why = why(&format!("kurrentdb://{bad}"));
            assert!(!why.contains("p%zz") && !why.contains("u%4"), "{why}");
        }
    }

    #[test]
    fn hosts_keep_their_ports_whatever_the_client_makes_of_them() {
        let hosts = |url: &str| {
            let settings = address(url).unwrap().settings;
            settings.hosts().iter().map(|h| format!("{}:{}", h.host, h.port)).collect::<Vec<_>>()
        };
        assert_eq!(hosts("kurrentdb://u:p@a,b:1,c"), ["a:2113", "b:1", "c:2113"]);
        assert_eq!(hosts("esdb+discover://u:p@a:7,b"), ["a:7", "b:2113"]);
        assert_eq!(hosts("kurrentdb://[::1]:9/?tls=false"), ["[::1]:9"]);
        assert!(address("kurrentdb+discover://u:p@a").unwrap().settings.is_dns_discovery_enabled());
        for bad in ["", "a:0", "a:99999", "a:x", "a b", "a/b", "[::1", "[::1]:1,[::1]:2", "a,,b"] {
            why(&format!("kurrentdb://u:p@{bad}"));
        }
        why("postgresql://u:p@a");
        why("kurrentdb");
    }

    #[test]
    fn no_parameter_is_overlooked() {
        assert!(
            why("kurrentdb://localhost?throwOnAppendFailure=true").contains("throwonappendfailure")
        );
        assert!(why("kurrentdb://localhost?nodePreference=follower").contains("leader"));
        assert!(why("kurrentdb://localhost?keepAliveInterval=-1").contains("10000"));
        assert!(why("kurrentdb://localhost?keepAliveTimeout=500").contains("10000"));
        assert!(why("kurrentdb://localhost?connectionName=%C3%A4").contains("ASCII"));
        why("kurrentdb://localhost?tls");
        let interval = |url| address(url).unwrap().settings.discovery_interval().as_millis();
        assert_eq!(interval("kurrentdb://localhost"), 25);
        assert_eq!(interval("kurrentdb://localhost?DISCOVERYINTERVAL=70"), 70);
        let all = "kurrentdb://localhost?nodePreference=Leader&keepAliveInterval=20000&gossipTimeout=5&connectionName=n1";
        assert!(address(all).is_ok());
    }

    #[test]
    fn certificates_are_looked_at_before_the_client_panics_over_them() {
        let missing = Options {
            tls_roots: Some("/nowhere/roots.pem".into()),
            ..Options::new("kurrentdb://u:p@db")
        };
        assert!(matches!(Address::new(&missing), Err(OpenError::Refused(_))));
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let no_pem = Options { tls_roots: Some(here.into()), ..Options::new("kurrentdb://u:p@db") };
        assert!(
            matches!(Address::new(&no_pem), Err(OpenError::Refused(why)) if why.contains("PEM"))
        );
        assert_eq!(encoded("/a b,c/d+e.pem"), "/a%20b%2Cc/d%2Be.pem");
    }
}
