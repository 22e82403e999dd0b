//! What anybody may ask is counted by place; behind a proxy, by the address that the proxy names.

use qingfeng_core::{people::sign_in, storage::Engine};
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, TestServer};

/// Somebody tries an invitation code that is none; so many lines of the header come with it.
async fn guess(server: &TestServer, forwarded: &[&str]) -> Answer {
    let request = server.visitor().request(Method::POST, "/api/sign-in/invitation");
    let request = request.json(&json!({"invitation_code": "2222-2222-2222"}));
    let with_line = |request: reqwest::RequestBuilder, line: &&str| request.header("X-Forwarded-For", *line);
    Answer::of(forwarded.iter().fold(request, with_line)).await
}

async fn behind_a_proxy() -> TestServer {
    TestServer::start_with(Engine::Sqlite, |config| config.http.behind_proxy = true).await
}

#[actix_web::test]
async fn behind_a_proxy_every_address_has_guesses_of_its_own() {
    let server = behind_a_proxy().await;
    for _ in 0..10 {
        guess(&server, &["203.0.113.1"]).await.problem(401, "invitation_invalid");
    }
    guess(&server, &["203.0.113.1"]).await.problem(429, "too_many_attempts");
    guess(&server, &["203.0.113.2"]).await.problem(401, "invitation_invalid");
    // What the caller wrote stands before what the proxy adds, in its line or in one above.
    guess(&server, &["203.0.113.3, 203.0.113.1"]).await.problem(429, "too_many_attempts");
    guess(&server, &["203.0.113.4", "203.0.113.1"]).await.problem(429, "too_many_attempts");
}

#[actix_web::test]
async fn all_addresses_that_one_connection_has_are_one_place() {
    let server = behind_a_proxy().await;
    for number in 1..=10 {
        guess(&server, &[&format!("2001:db8:0:1::{number}")]).await.problem(401, "invitation_invalid");
    }
    guess(&server, &["2001:db8:0:1:ffff::1"]).await.problem(429, "too_many_attempts");
    guess(&server, &["2001:db8:0:2::1"]).await.problem(401, "invitation_invalid");
    // Version 4, told as version 6.
    guess(&server, &["::ffff:203.0.113.1"]).await.problem(401, "invitation_invalid");
}

#[actix_web::test]
async fn without_a_proxy_a_forged_address_makes_no_room() {
    let server = TestServer::start(Engine::Sqlite).await;
    for number in 0..10 {
        guess(&server, &[&format!("203.0.113.{number}")]).await.problem(401, "invitation_invalid");
    }
    guess(&server, &["203.0.113.99"]).await.problem(429, "too_many_attempts");
}

#[actix_web::test]
async fn a_village_that_signs_in_on_one_evening_uses_up_no_guesses() {
    let server = TestServer::start(Engine::Sqlite).await;
    let township = server.township().await;
    let village = township.village("东河村").await;
    let county = township.county;
    guess(&server, &[]).await.problem(401, "invitation_invalid");
    for _ in 0..12 {
        let resident = township.add_resident(village, None, None).await;
        let codes = server.application.paper_codes.clone();
        let invitation = township
            .write(move |unit| Box::pin(async move { sign_in::invite(unit, &codes, county, resident).await }))
            .await;
        server.visitor().post("/api/sign-in/invitation", json!({"invitation_code": invitation})).await.ok();
    }
    for _ in 0..9 {
        guess(&server, &[]).await.problem(401, "invitation_invalid");
    }
    guess(&server, &[]).await.problem(429, "too_many_attempts");
}
