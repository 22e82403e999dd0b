use actix_web::web;
use qingfeng::Application;
use qingfeng_core::{ids::SessionId, people::sessions::Person as Identity};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use super::contract;

/// Somebody with a phone.
#[derive(Clone)]
pub struct Person {
    address: String,
    key: Key,
    client: reqwest::Client,
}

/// What opens the door.
#[derive(Clone)]
pub enum Key {
    None,
    Token(String),
    /// A session whose access token is renewed as the test's clock moves on.
    Session(web::Data<Application>, Identity, SessionId),
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    /// Sends it, and holds the answer against the API's description.
    pub async fn of(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        contract::check(&method, &path, status, content_type, &text);
        Self { status, headers, text }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {}", self.status, self.text))
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// A success whose body is no JSON.
    #[track_caller]
    pub fn ok_text(&self) -> &str {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        &self.text
    }

    /// Checks that it is a problem with this status and code.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.headers["content-type"].to_str().unwrap()),
            (status, "application/problem+json"),
            "{}",
            self.text
        );
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert!(body["detail"].as_str().is_some_and(|text| !text.is_ascii()), "a Chinese sentence: {body}");
        body
    }
}

impl Person {
    pub fn new(address: &str, key: Key) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address: address.to_owned(), key, client }
    }

    pub fn visiting(address: &str) -> Self {
        Self::new(address, Key::None)
    }

    /// The same person at another server of the installation, or at the same one over fresh connections.
    pub fn at(&self, address: &str) -> Self {
        Self::new(address, self.key.clone())
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self { key: Key::Token(token.to_owned()), ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.address));
        match &self.key {
            Key::None => request,
            Key::Token(token) => request.bearer_auth(token),
            Key::Session(application, identity, session) => {
                request.bearer_auth(application.access_tokens.issue(*identity, *session).unwrap())
            }
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(&body)).await
    }

    /// The same, with the key of a draft.
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).header("Idempotency-Key", key).json(&body)).await
    }
}
