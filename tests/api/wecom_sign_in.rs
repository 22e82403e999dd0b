//! Staff sign in through WeCom.

use chrono::TimeDelta;
use qingfeng_core::{
    clock::Clock,
    people::{
        Role,
        sign_in::{self, FormerMember},
    },
    storage::Engine,
};
use qingfeng_sandbox::{Fault, FaultKind, Phone, Platform, RunningSandbox, Sandbox, SandboxSettings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer};

const PASSWORD: &str = "correct horse battery";

/// The corporation, and a server that asks it.
async fn stage(engine: Engine) -> (Sandbox, RunningSandbox, TestServer) {
    let platform = Sandbox::new(SandboxSettings::default());
    platform.add_phone(Phone::new("phone-1", "办事员").at_wecom("Clerk"));
    platform.add_phone(Phone::new("phone-2", "外人"));
    let running = platform.start("127.0.0.1:0").unwrap();
    let base = running.wecom_base();
    let server = TestServer::start_with(engine, move |config| config.wecom.api_base = base).await;
    (platform, running, server)
}

/// Where the browser was sent, and its proof.
async fn departed(server: &TestServer) -> (String, Value) {
    let departure = server.visitor().post("/api/sign-in/wecom/departure", json!({})).await.ok();
    let address = url::Url::parse(departure["address"].as_str().unwrap()).unwrap();
    assert_eq!((address.host_str(), address.fragment()), (Some("open.weixin.qq.com"), Some("wechat_redirect")));
    let field = |name: &str| address.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!((field("scope").as_str(), field("response_type").as_str()), ("snsapi_base", "code"));
    assert!(field("redirect_uri").ends_with("/app/"));
    (field("state"), departure["proof"].clone())
}

async fn arrive(server: &TestServer, code: &str, state: &str, proof: &Value) -> Answer {
    server.visitor().post("/api/sign-in/wecom", json!({"code": code, "state": state, "proof": proof})).await
}

/// A member comes back whose account nobody knows: member, ticket and proof.
async fn unknown(server: &TestServer, phone: &qingfeng_sandbox::PhoneHandle) -> (Value, Value, Value) {
    let (state, proof) = departed(server).await;
    let answer = arrive(server, &phone.wecom_login_code(), &state, &proof).await.ok();
    assert_eq!(answer["result"], "binding_needed");
    (answer["member"].clone(), answer["ticket"].clone(), proof)
}

/// Signs in by password with the next code of the authenticator.
async fn sign_in_with(server: &TestServer, login: &str, password: &str, wecom: &Value) -> Answer {
    server.clock.advance(TimeDelta::seconds(60));
    let body = json!({"login": login, "password": password, "code": totp(server), "wecom": wecom});
    server.visitor().post("/api/sign-in/staff", body).await
}

async fn bind(server: &TestServer, login: &str, wecom: &Value) -> Answer {
    sign_in_with(server, login, PASSWORD, wecom).await
}

fn totp(server: &TestServer) -> String {
    let seconds = u64::try_from(server.clock.now().timestamp()).unwrap();
    sign_in::authenticator(b"twenty bytes of test".to_vec()).unwrap().generate(seconds).to_string()
}

#[rstest]
#[actix_web::test]
async fn the_first_sign_in_binds_the_account_and_the_next_needs_no_password(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (platform, running, server) = stage(engine).await;
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    let other = township.add_staff(township.id, Role::TownshipLeader, "leader").await;
    let phone = platform.phone("phone-1");

    let (member, ticket, proof) = unknown(&server, &phone).await;
    assert_eq!(member.as_str().unwrap().to_lowercase(), "clerk", "who is bound is shown");
    let made_up = bind(&server, "office", &json!({"ticket": "made up", "proof": proof})).await;
    let words = made_up.problem(401, "ticket_expired");
    assert!(words["detail"].as_str().unwrap().contains("用企业微信登录"), "{words}");
    let wecom = json!({"ticket": ticket, "proof": proof});
    bind(&server, "office", &wecom).await.ok();
    bind(&server, "office", &wecom).await.problem(401, "ticket_expired");

    let (state, proof) = departed(&server).await;
    let answer = arrive(&server, &phone.wecom_login_code(), &state, &proof).await.ok();
    assert_eq!(answer["result"], "signed_in");
    let me = server.visitor().with_token(answer["access_token"].as_str().unwrap()).get("/api/me").await.ok();
    assert_eq!(me["posts"][0]["role"], "township_office");

    // One name at WeCom is one person.
    let (store, county) = (&server.application.store, township.county);
    let leader = qingfeng_core::people::sessions::Person {
        county,
        kind: qingfeng_core::people::PersonKind::Staff,
        id: other.0.0,
    };
    let taken = sign_in::bind_wecom(store, leader, "clerk", FormerMember::Stays).await;
    assert!(
        matches!(&taken, Err(qingfeng_core::refusal::Fault::Refused(refusal)) if refusal.code == "wecom_taken"),
        "{taken:?}"
    );
    running.stop().await;
}

#[actix_web::test]
async fn only_the_browser_that_was_sent_away_comes_back_once_with_a_code_of_a_member() {
    let (platform, running, server) = stage(Engine::Sqlite).await;
    let (member, outsider) = (platform.phone("phone-1"), platform.phone("phone-2"));
    let (state, proof) = departed(&server).await;
    let code = member.wecom_login_code();
    arrive(&server, &code, &state, &json!("another browser's")).await.problem(401, "login_expired");
    arrive(&server, &code, "made-up", &proof).await.problem(401, "login_expired");
    arrive(&server, &code, &"x".repeat(200), &proof).await.problem(401, "login_expired");
    arrive(&server, &code, &state, &proof).await.ok();
    arrive(&server, &code, &state, &proof).await.problem(401, "login_expired");

    let (state, proof) = departed(&server).await;
    arrive(&server, &code, &state, &proof).await.problem(401, "code_invalid");
    let (state, proof) = departed(&server).await;
    arrive(&server, &outsider.wecom_login_code(), &state, &proof).await.problem(403, "not_staff");
    let (state, proof) = departed(&server).await;
    server.clock.advance(TimeDelta::minutes(6));
    arrive(&server, &member.wecom_login_code(), &state, &proof).await.problem(401, "login_expired");
    platform.inject(Fault::new(Platform::WeCom, FaultKind::Outage));
    let (state, proof) = departed(&server).await;
    assert_eq!(arrive(&server, &member.wecom_login_code(), &state, &proof).await.status.as_u16(), 503);
    running.stop().await;

    let without = TestServer::start_with(Engine::Sqlite, |config| config.wecom.corp_id = String::new()).await;
    let refused = without.visitor().post("/api/sign-in/wecom/departure", json!({})).await;
    refused.problem(404, "wecom_not_used");
}

#[rstest]
#[actix_web::test]
async fn a_ticket_that_somebody_else_sends_to_the_clerk_binds_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (platform, running, server) = stage(engine).await;
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    let (_, ticket, proof) = unknown(&server, &platform.phone("phone-1")).await;
    // The clerk's browser was sent to WeCom, too: it has a proof of its own.
    let (_, own) = departed(&server).await;
    for other in [own, json!(""), json!("x".repeat(5000))] {
        bind(&server, "office", &json!({"ticket": ticket, "proof": other})).await.problem(401, "ticket_expired");
    }
    let without = json!({"login": "office", "password": PASSWORD, "code": totp(&server), "wecom": {"ticket": ticket}});
    assert_eq!(server.visitor().post("/api/sign-in/staff", without).await.status.as_u16(), 422);
    // The member's own browser still has it.
    bind(&server, "office", &json!({"ticket": ticket, "proof": proof})).await.ok();
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn an_account_with_another_member_is_bound_anew_only_when_that_is_asked_for(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (platform, running, server) = stage(engine).await;
    platform.add_phone(Phone::new("phone-3", "办事员的新号").at_wecom("Clerk2"));
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    let (old, new) = (platform.phone("phone-1"), platform.phone("phone-3"));
    let (_, ticket, proof) = unknown(&server, &old).await;
    bind(&server, "office", &json!({"ticket": ticket, "proof": proof})).await.ok();

    let (_, ticket, proof) = unknown(&server, &new).await;
    let wecom = |replace: bool| json!({"ticket": ticket, "proof": proof, "replace": replace});
    sign_in_with(&server, "office", "wrong password", &wecom(true)).await.problem(401, "wrong_credentials");
    bind(&server, "office", &wecom(false)).await.problem(409, "other_wecom_bound");
    assert_eq!(unknown(&server, &new).await.0.as_str().unwrap().to_lowercase(), "clerk2", "still nobody's");
    // The ticket is not spent by the refusal.
    bind(&server, "office", &wecom(true)).await.ok();
    let (state, arrived) = departed(&server).await;
    let answer = arrive(&server, &new.wecom_login_code(), &state, &arrived).await.ok();
    assert_eq!(answer["result"], "signed_in");
    unknown(&server, &old).await;
    running.stop().await;
}

#[actix_web::test]
async fn a_ticket_that_is_over_costs_no_attempt() {
    let (platform, running, server) = stage(Engine::Sqlite).await;
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    let (_, ticket, proof) = unknown(&server, &platform.phone("phone-1")).await;
    server.clock.advance(TimeDelta::minutes(11));
    let body = json!({
        "login": "office", "password": PASSWORD, "code": totp(&server), "wecom": {"ticket": ticket, "proof": proof}
    });
    for _ in 0..6 {
        server.visitor().post("/api/sign-in/staff", body.clone()).await.problem(401, "ticket_expired");
    }
    // Nor the code of the authenticator.
    let mut plain = body;
    plain.as_object_mut().unwrap().remove("wecom");
    server.visitor().post("/api/sign-in/staff", plain).await.ok();
    running.stop().await;
}
