//! What every answer carries, whatever it says.

use assay_api::Settings;
use reqwest::Method;
use serde_json::json;

use crate::world::{Reply, Story, World, settings};

fn dressed(reply: &Reply) {
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert!(reply.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(reply.header("cross-origin-resource-policy"), "same-origin");
    assert_ne!(reply.header("cache-control"), "");
    assert_eq!(reply.header("server"), "");
    assert!(uuid::Uuid::parse_str(reply.header("x-request-id")).is_ok());
}

#[tokio::test]
async fn every_answer_is_dressed() {
    let world = World::new();
    let Story { ana, case, .. } = Story::new(&world).await;
    let token = Some(ana.token.as_str());
    // Shown only once the views have it.
    let one = format!("/cases/{case}?after={}", world.head());
    for (method, path, token, status) in [
        (Method::GET, one.as_str(), token, 200),
        (Method::GET, "/cases/x", token, 404),
        (Method::GET, "/cases", None, 401),
        (Method::GET, "/nowhere", None, 404),
        (Method::PATCH, one.as_str(), token, 405),
        (Method::TRACE, one.as_str(), token, 405),
        (Method::OPTIONS, one.as_str(), token, 405),
        (Method::GET, "/health/live", None, 200),
        (Method::GET, "/health/ready", None, 200),
        (Method::GET, "/metrics", None, 404),
    ] {
        let reply = world.send(method.clone(), path, token, None, &[]).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
        dressed(&reply);
        if status == 405 {
            assert_eq!(reply.header("allow"), "GET");
        }
        if status >= 400 {
            assert_eq!(reply.json["status"], json!(status));
            assert_eq!(reply.header("content-type"), "application/problem+json");
        }
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    use std::io::{Read as _, Write as _};
    let body_timeout = std::time::Duration::from_millis(300);
    let world = World::with(Settings { body_timeout, ..settings() });
    let address = world.base.trim_start_matches("http://").to_owned();
    let told = tokio::task::spawn_blocking(move || {
        let mut line = std::net::TcpStream::connect(address).unwrap();
        let head = "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{";
        line.write_all(head.as_bytes()).unwrap();
        let mut told = String::new();
        line.read_to_string(&mut told).unwrap();
        told
    });
    let told = told.await.unwrap();
    assert!(told.starts_with("HTTP/1.1 408") && told.contains("body_timeout"), "{told}");
}

#[tokio::test]
async fn other_sites_may_call_only_where_they_are_named() {
    let cors_origins = vec!["https://console.example.org".to_owned()];
    let world = World::with(Settings { cors_origins, ..settings() });
    for (origin, allowed) in [
        ("https://console.example.org", true),
        ("https://console.example.org.evil.net", false),
        ("http://console.example.org", false),
        ("null", false),
    ] {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        let reply = world.send(Method::OPTIONS, "/cases", None, None, &headers).await;
        assert_eq!(reply.status == 204, allowed, "{origin}");
        let echoed = if allowed { origin } else { "" };
        assert_eq!(reply.header("access-control-allow-origin"), echoed, "{origin}");
    }
}

#[tokio::test]
async fn long_texts_are_compressed_and_secrets_are_not() {
    let world = World::new();
    let Story { ana, .. } = Story::new(&world).await;
    let zipped = [("accept-encoding", "gzip")];
    let list = world.raw(Method::GET, "/cases", Some(&ana.token), None, &zipped).await;
    assert_eq!(list.header("content-encoding"), "gzip");
    let body = json!({ "username": "ana", "password": crate::world::PASSWORD });
    let login = world.send(Method::POST, "/login", None, Some(body), &zipped).await.expect(200);
    assert_eq!(login.header("content-encoding"), "");
}
