//! Somebody who uses the API: logs in, asks, and reads what comes back.

use anyhow::{Context as _, Result, ensure};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, where it is JSON.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// The problem's stable code, or nothing.
    pub fn code(&self) -> &str {
        self.body.get("code").and_then(Value::as_str).unwrap_or_default()
    }

    /// A value inside the body, by JSON pointer; null where there is none.
    pub fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// A text inside the body.
    pub fn text_at(&self, pointer: &str) -> Result<String> {
        let found = self.at(pointer).as_str().map(str::to_owned);
        found.with_context(|| format!("no text at {pointer} in {}", self.text))
    }

    /// A whole number inside the body.
    pub fn number_at(&self, pointer: &str) -> Result<u64> {
        self.at(pointer)
            .as_u64()
            .with_context(|| format!("no number at {pointer} in {}", self.text))
    }

    /// The items of a list.
    pub fn items(&self) -> &[Value] {
        self.at("/items").as_array().map_or(&[], Vec::as_slice)
    }

    /// The same, if the status is as expected.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "expected {status}, got {}: {}", self.status, self.text);
        Ok(self)
    }
}

/// One user of the API.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    after: std::sync::Arc<std::sync::Mutex<Option<String>>>,
}

impl Client {
    /// Somebody who has not logged in.
    pub fn stranger(base: &str) -> Self {
        let after = std::sync::Arc::default();
        Self { http: reqwest::Client::new(), base: base.to_owned(), token: None, after }
    }

    /// Logs in.
    pub async fn login(base: &str, username: &str, password: &str) -> Result<Self> {
        let stranger = Self::stranger(base);
        let body = json!({"username": username, "password": password});
        let answer = stranger.post("/login", &body).await?.expect(200)?;
        Ok(Self { token: Some(answer.text_at("/access_token")?), ..stranger })
    }

    /// The same, whose reads also wait for the other's last write: they sit in one room.
    #[must_use]
    pub fn beside(self, other: &Self) -> Self {
        Self { after: std::sync::Arc::clone(&other.after), ..self }
    }

    /// The same person with the same token and the same last write, on another node.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The access token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request to a path below `/api/v1`; reads wait for this client's own last write.
    pub fn request(&self, method: &Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method.clone(), format!("{}/api/v1{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let after = self.after.lock().ok().and_then(|after| after.clone());
        if let Some(after) = after.filter(|_| *method == Method::GET)
            && let Ok(after) = HeaderValue::from_str(&after)
        {
            request = request.header("Assay-After", after);
        }
        request
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if let (Some(token), Ok(mut after)) = (headers.get("Assay-Token"), self.after.lock()) {
            *after = token.to_str().ok().map(str::to_owned);
        }
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, headers, body, text })
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request(&Method::GET, path)).await
    }

    /// Asks for something to happen.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(&Method::POST, path).json(body)).await
    }

    /// Asks for something that needs no more words.
    pub async fn post_bare(&self, path: &str) -> Result<Answer> {
        self.send(self.request(&Method::POST, path)).await
    }

    /// Sets something.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(&Method::PUT, path).json(body)).await
    }

    /// Asks under a name of its own, so that asking twice is harmless.
    pub async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(&Method::POST, path).header("Idempotency-Key", key).json(body)).await
    }
}
