//! Forged, borrowed and expired tokens: all of them are nobody's.

use assay_domain::user::HouseRole;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::{Person, World};

fn part(value: &Value) -> String {
    B64.encode(value.to_string())
}

fn read(token: &str, at: usize) -> Value {
    serde_json::from_slice(&B64.decode(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
}

fn signed(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let text = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(text.as_bytes());
    format!("{text}.{}", B64.encode(signature.to_bytes()))
}

fn changed(mut value: Value, key: &str, to: Value) -> Value {
    if to.is_null() {
        value.as_object_mut().unwrap().remove(key);
    } else {
        value[key] = to;
    }
    value
}

fn forged(world: &World, ana: &Person) -> Vec<(String, String)> {
    let (header, claims) = (read(&ana.token, 0), read(&ana.token, 1));
    let now = world.house.now().as_second();
    let mut all = Vec::new();
    for alg in ["none", "None", "nOnE", "HS256", "HS512", "RS256", "ES256", "PS256", "EdDSA2"] {
        let header = changed(header.clone(), "alg", json!(alg));
        all.push((format!("alg {alg}"), signed(&header, &claims, &world.key)));
        let text = format!("{}.{}", part(&header), part(&claims));
        all.push((format!("alg {alg}, unsigned"), format!("{text}.")));
        let public = world.key.verifying_key();
        let mut mac = Hmac::<Sha256>::new_from_slice(public.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let mac = B64.encode(mac.finalize().into_bytes());
        all.push((format!("alg {alg}, keyed with the public key"), format!("{text}.{mac}")));
    }
    for (key, to) in [
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", Value::Null),
        ("typ", json!("JWT")),
        ("typ", json!("rt+jwt")),
        ("typ", Value::Null),
        ("alg", Value::Null),
        ("crit", json!(["b64"])),
        ("jku", json!("https://example.org/jwks")),
        ("x5u", json!("https://example.org/x")),
        ("x5c", json!(["MIIB"])),
        (
            "jwk",
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
        ),
    ] {
        let header = changed(header.clone(), key, to.clone());
        all.push((format!("header {key} {to}"), signed(&header, &claims, &world.key)));
    }
    for (key, to) in [
        ("iss", json!("other")),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", Value::Null),
        ("sub", Value::Null),
        ("sub", json!("root")),
        ("exp", Value::Null),
        ("exp", json!(now - 31)),
        ("exp", json!(now + 86_400)),
        ("exp", json!("never")),
        ("nbf", json!(now + 3600)),
        ("nbf", Value::Null),
        ("iat", json!(now + 3600)),
        ("iat", Value::Null),
        ("jti", Value::Null),
        ("sid", Value::Null),
        ("sid", json!(uuid::Uuid::nil())),
    ] {
        let claims = changed(claims.clone(), key, to.clone());
        all.push((format!("claim {key} {to}"), signed(&header, &claims, &world.key)));
    }
    let other = SigningKey::from_bytes(&[8; 32]);
    all.push(("another key".into(), signed(&header, &claims, &other)));
    all.push(("a refresh token".into(), ana.refresh.clone()));
    all.push(("nothing".into(), String::new()));
    all.push(("two parts".into(), ana.token.rsplit_once('.').unwrap().0.to_owned()));
    let other = if ana.token.ends_with("AA") { "QA" } else { "AA" };
    all.push(("a flipped end".into(), format!("{}{other}", &ana.token[..ana.token.len() - 2])));
    all.push(("too long".into(), "a".repeat(4000)));
    all
}

#[tokio::test]
async fn forged_tokens_are_nobodys() {
    let world = World::new();
    let ana = world.person("ana", &[HouseRole::Analyst]).await;
    let (header, claims) = (read(&ana.token, 0), read(&ana.token, 1));
    assert_eq!(header["typ"], "at+jwt");
    // The battery's own signing is right: an unchanged copy passes.
    world.get("/me", &signed(&header, &claims, &world.key)).await.expect(200);
    for (name, token) in forged(&world, &ana) {
        let reply = world.get("/me", &token).await;
        assert_eq!(reply.status, 401, "{name}: {}", reply.text);
        assert!(reply.header("www-authenticate").contains("error="), "{name}");
    }
}

#[tokio::test]
async fn a_token_expires_also_when_it_was_seen_before() {
    let world = World::new();
    let ana = world.person("ana", &[HouseRole::Analyst]).await;
    world.get("/me", &ana.token).await.expect(200);
    world.clock.pass(899);
    world.get("/me", &ana.token).await.expect(200);
    world.clock.pass(10);
    world.get("/me", &ana.token).await.expect(401);
}

#[tokio::test]
async fn a_token_stands_in_its_header_and_nowhere_else() {
    let world = World::new();
    let ana = world.person("ana", &[HouseRole::Analyst]).await;
    let query = format!("/me?access_token={}", ana.token);
    world.send(Method::GET, &query, None, None, &[]).await.expect(401);
    let basic = [("authorization", "Basic YW5hOmFuYQ==")];
    world.send(Method::GET, "/me", None, None, &basic).await.expect(401);
    let twice = format!("Bearer {}", ana.token);
    let twice = [("authorization", twice.as_str()), ("authorization", twice.as_str())];
    world.send(Method::GET, "/me", None, None, &twice).await.expect(401);
    let none = world.send(Method::GET, "/me", None, None, &[]).await.expect(401);
    assert_eq!(none.header("www-authenticate"), "Bearer realm=\"assay\"");
    let keys = world.send(Method::GET, "/.well-known/jwks.json", None, None, &[]).await.expect(200);
    assert_eq!(keys.json["keys"][0]["kid"], read(&ana.token, 0)["kid"]);
    assert!(keys.json["keys"][0].get("d").is_none());
    assert_eq!(ana.session, read(&ana.token, 1)["sid"].as_str().unwrap());
}
