//! Logging in: the same refusal for everything, locks that hold under parallel guesses, codes that work once.

use assay_api::{Settings, accounts};
use assay_domain::user::HouseRole;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::world::{PASSWORD, Reply, World, settings};

#[tokio::test]
async fn unknown_wrong_locked_and_suspended_look_the_same() {
    let world = World::new();
    let admin = world.person("root-admin", &[HouseRole::Admin]).await;
    world.account("ana", &[HouseRole::Analyst]).await;
    let gone = world.account("gone", &[HouseRole::Analyst]).await;
    let suspend = format!("/users/{gone}/suspend");
    world.post(&suspend, &admin.token, json!({ "reason": "left" })).await.expect(200);
    let unknown = world.login("nobody", "some other password").await.expect(401);
    let wrong = world.login("ana", "some other password").await.expect(401);
    let suspended = world.login("gone", PASSWORD).await.expect(401);
    let no_name = world.login("No Such Name!", PASSWORD).await.expect(401);
    let long = world.login("ana", &"x".repeat(5000)).await.expect(401);
    for other in [&wrong, &suspended, &no_name, &long] {
        assert_eq!(unknown.anonymous(), other.anonymous());
    }
    for _ in 0..4 {
        world.login("ana", "some other password").await.expect(401);
    }
    let locked = world.login("ana", PASSWORD).await.expect(401);
    assert_eq!(unknown.anonymous(), locked.anonymous());
    assert!(locked.header("www-authenticate").starts_with("Bearer"));
    world.clock.pass(3700);
    world.login("ana", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn parallel_guesses_do_not_walk_around_the_lock() {
    let world = World::new();
    world.account("ana", &[HouseRole::Analyst]).await;
    let guesses = (0..40).map(|n| {
        let world = &world;
        async move { world.login("ana", &format!("guess number {n} of many")).await }
    });
    for reply in join_all(guesses).await {
        assert!(matches!(reply.status, 401 | 503), "{}", reply.text);
    }
    world.login("ana", PASSWORD).await.expect(401);
    world.clock.pass(31);
    world.login("ana", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn too_many_from_one_address_wait_whatever_they_say_of_themselves() {
    let world = World::with(Settings { logins_per_minute: 5, ..settings() });
    let mut last = None;
    for n in 0..7 {
        let body = json!({ "username": "ana", "password": "x" });
        let address = format!("10.0.0.{n}");
        let spoofed = [("x-forwarded-for", address.as_str())];
        last = Some(world.send(Method::POST, "/login", None, Some(body), &spoofed).await);
    }
    let last = last.unwrap().expect(429);
    assert_eq!(last.code(), "rate_limited");
    assert_ne!(last.header("retry-after"), "");
}

#[tokio::test]
async fn a_used_refresh_token_ends_the_family() {
    let world = World::new();
    let ana = world.person("ana", &[HouseRole::Analyst]).await;
    let refresh = |token: String| {
        let world = &world;
        async move {
            let body = json!({ "refresh_token": token });
            world.send(Method::POST, "/token/refresh", None, Some(body), &[]).await
        }
    };
    let next = refresh(ana.refresh.clone()).await.expect(200);
    let word = |reply: &Reply, key: &str| reply.json[key].as_str().unwrap().to_owned();
    let (access, second) = (word(&next, "access_token"), word(&next, "refresh_token"));
    world.get("/me", &access).await.expect(200);
    assert_eq!(refresh("made-up".to_owned()).await.expect(401).code(), "refresh_invalid");
    refresh(access.clone()).await.expect(401);
    refresh(ana.refresh.clone()).await.expect(401);
    refresh(second).await.expect(401);
    world.get("/me", &access).await.expect(401);
    world.get("/me", &ana.token).await.expect(401);
}

#[tokio::test]
async fn of_fifty_parallel_refreshes_at_most_one_goes_on() {
    let world = World::new();
    let ana = world.person("ana", &[HouseRole::Analyst]).await;
    let all = (0..50).map(|_| {
        let body = json!({ "refresh_token": ana.refresh });
        world.send(Method::POST, "/token/refresh", None, Some(body), &[])
    });
    let good = join_all(all).await.into_iter().filter(|reply| reply.status == 200).count();
    assert_eq!(good, 1);
}

#[tokio::test]
async fn logout_and_ended_sessions_count_at_once() {
    let world = World::new();
    let ana = world.person("ana", &[HouseRole::Analyst]).await;
    let other = world.login("ana", PASSWORD).await.expect(200);
    let token = other.json["access_token"].as_str().unwrap();
    let sessions = world.get("/me/sessions", &ana.token).await.expect(200);
    assert_eq!(sessions.json["items"].as_array().map(Vec::len), Some(2));
    let place = format!("/me/sessions/{}", other.json["session"].as_str().unwrap());
    world.send(Method::DELETE, &place, Some(&ana.token), None, &[]).await.expect(204);
    world.get("/me", token).await.expect(401);
    world.get("/me", &ana.token).await.expect(200);
    world.send(Method::POST, "/logout", Some(&ana.token), None, &[]).await.expect(204);
    let out = world.get("/me", &ana.token).await.expect(401);
    assert!(out.header("www-authenticate").contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn suspension_ends_what_is_open_and_a_changed_password_ends_the_rest() {
    let world = World::new();
    let admin = world.person("root-admin", &[HouseRole::Admin]).await;
    let ana = world.person("ana", &[HouseRole::Analyst]).await;
    let other = world.login("ana", PASSWORD).await.expect(200);
    let other = other.json["access_token"].as_str().unwrap().to_owned();
    let wrong =
        json!({ "current": "not the password", "password": "nine bells under the green sea" });
    world.put("/me/password", &ana.token, wrong).await.expect(401);
    let change = json!({ "current": PASSWORD, "password": "nine bells under the green sea" });
    world.put("/me/password", &ana.token, change).await.expect(204);
    world.get("/me", &other).await.expect(401);
    world.get("/me", &ana.token).await.expect(200);
    world.login("ana", PASSWORD).await.expect(401);
    world.login("ana", "nine bells under the green sea").await.expect(200);
    let suspend = format!("/users/{}/suspend", ana.id);
    world.post(&suspend, &admin.token, json!({ "reason": "left" })).await.expect(200);
    world.get("/me", &ana.token).await.expect(401);
    let reinstate = format!("/users/{}/reinstate", ana.id);
    world.post(&reinstate, &admin.token, json!({ "reason": "back" })).await.expect(200);
    world.login("ana", "nine bells under the green sea").await.expect(200);
}

#[tokio::test]
async fn a_code_sets_a_password_once() {
    let world = World::new();
    let admin = world.person("root-admin", &[HouseRole::Admin]).await;
    let body = json!({ "username": "new-one", "display_name": "New One", "roles": ["analyst"] });
    let user = world.post("/users", &admin.token, body.clone()).await.expect(201).id();
    let again = world.post("/users", &admin.token, body.clone()).await.expect(200);
    assert_eq!(again.id(), user, "the same name is the same user");
    let mut other = body;
    other["display_name"] = json!("Somebody Else");
    assert_eq!(world.post("/users", &admin.token, other).await.expect(409).code(), "user_exists");
    world.login("new-one", PASSWORD).await.expect(401);
    let place = format!("/users/{user}/password-code");
    let code = world.send(Method::POST, &place, Some(&admin.token), None, &[]).await.expect(201);
    let code = code.json["code"].as_str().unwrap().to_owned();
    let set = |code: &str, password: &str| {
        let body = json!({ "username": "new-one", "code": code, "password": password });
        world.send(Method::POST, "/password", None, Some(body), &[])
    };
    let weak = set(&code, "aaaaaaaaaaaaaaa").await.expect(422);
    assert_eq!(
        (weak.code(), weak.json["errors"][0]["pointer"].as_str()),
        ("password_guessable", Some("/password"))
    );
    assert_eq!(set("another", PASSWORD).await.expect(401).code(), "code_invalid");
    set(&code, PASSWORD).await.expect(204);
    set(&code, PASSWORD).await.expect(401);
    let token = world.login("new-one", PASSWORD).await.expect(200);
    let me = world.get("/me", token.json["access_token"].as_str().unwrap()).await.expect(200);
    assert_eq!(
        (me.json["username"].as_str(), me.json["roles"][0].as_str()),
        (Some("new-one"), Some("analyst"))
    );
    // An analyst neither makes accounts nor codes, and takes no name by trying.
    let token = token.json["access_token"].as_str().unwrap();
    let body = json!({ "username": "mine", "display_name": "Mine" });
    world.post("/users", token, body).await.expect(403);
    let taken =
        accounts::user_of(&*world.vault, &"mine".to_owned().try_into().unwrap()).await.unwrap();
    assert_eq!(taken, None);
    world.send(Method::POST, &place, Some(token), None, &[]).await.expect(403);
}

#[tokio::test]
async fn an_expired_code_is_worth_nothing() {
    let world = World::new();
    let user = world.account("ana", &[]).await;
    let soon = world.house.now() + jiff::SignedDuration::from_hours(1);
    let code = accounts::make_code(&*world.vault, user, soon).await.unwrap();
    world.clock.pass(3601);
    let body =
        json!({ "username": "ana", "code": code, "password": "nine bells under the green sea" });
    world.send(Method::POST, "/password", None, Some(body), &[]).await.expect(401);
}
