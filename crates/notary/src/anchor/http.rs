//! Speaking HTTP to those outside: one request, no redirects, and a limit on every wait and every answer.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};

use crate::anchor::Words;

/// How long a request may take from its beginning to the end of the answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How long until somebody picks up.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// The most bytes of an answer: 64 KiB.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Who may be spoken to without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Nobody but this machine.
    Loopback,
    /// Anybody.
    Anywhere,
}

/// An address that is spoken to.
#[derive(Debug)]
pub(crate) struct Line {
    client: Result<Client, Words>,
    url: Url,
    headers: HeaderMap,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Line {
    /// A line to this address; no request is made yet.
    pub(crate) fn new(url: &str, plain: Plain) -> Result<Self, Words> {
        let url = Url::parse(url).map_err(|error| format!("its address is none: {error}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("its address holds a user or a password: use a header".to_owned());
        }
        let secure = match url.scheme() {
            "https" => true,
            "http" if plain == Plain::Anywhere || is_loopback(&url) => false,
            "http" => return Err("its address must be https, or http to this machine".to_owned()),
            _ => return Err("its address must be https".to_owned()),
        };
        let builder = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_MAX)
            .timeout(ANSWER_MAX)
            .user_agent("assay-notary");
        // Without TLS no root is needed, and the system need not have any.
        let builder = if secure { builder.https_only(true) } else { builder.tls_certs_only([]) };
        // What is wrong with the system's roots is told in the anchor's status, at every try.
        let client = builder.build().map_err(|error| told(&error));
        Ok(Self { client, url, headers: HeaderMap::new() })
    }

    /// With a secret header.
    pub(crate) fn with_header(mut self, name: &str, value: &SecretString) -> Result<Self, Words> {
        let name = HeaderName::try_from(name).map_err(|_| "the header has no sound name")?;
        let value = HeaderValue::try_from(value.expose_secret());
        let mut value = value.map_err(|_| "the header has no sound value")?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Posts a body and hears the whole answer.
    pub(crate) async fn post(&self, content_type: &str, body: Vec<u8>) -> Result<Answer, Words> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let request = client.post(self.url.clone()).headers(self.headers.clone());
        let request = request.header(CONTENT_TYPE, content_type).body(body);
        let mut response = request.send().await.map_err(|error| told(&error))?;
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (status, content_type) = (response.status().as_u16(), content_type.to_owned());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| told(&error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(format!("its answer has more than {ANSWER_BYTES_MAX} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, content_type, body })
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The whole chain of reasons without the address: a webhook's often holds a secret.
fn told(error: &reqwest::Error) -> Words {
    let mut words = Vec::new();
    if error.is_timeout() {
        words.push("it did not answer in time".to_owned());
    }
    let mut source = std::error::Error::source(error);
    while let Some(reason) = source {
        words.push(reason.to_string());
        source = reason.source();
    }
    if words.is_empty() { "the request failed".to_owned() } else { words.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_without_tls_unless_told() {
        for sound in
            ["https://example.com/x", "http://127.0.0.1:9", "http://[::1]:9", "http://localhost"]
        {
            assert!(Line::new(sound, Plain::Loopback).is_ok(), "{sound}");
        }
        for wrong in
            ["http://example.com", "http://127.0.0.1.example.com", "ftp://x", "x", "https://u:p@x"]
        {
            assert!(Line::new(wrong, Plain::Loopback).is_err(), "{wrong}");
        }
        assert!(Line::new("http://example.com", Plain::Anywhere).is_ok());
    }
}
