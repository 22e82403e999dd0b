use actix_web::{HttpResponse, web};
use chrono::TimeDelta;
use qingfeng_core::{
    clock::Clock,
    people::{PersonKind, Role, phones, sign_in},
    storage::Engine,
};
use qingfeng_sandbox::{Fault, FaultKind, Phone, Platform, RunningSandbox, Sandbox, SandboxSettings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{TestServer, Township};

/// What the authenticator shows at this moment.
fn code(server: &TestServer) -> String {
    let seconds = u64::try_from(server.clock.now().timestamp()).unwrap();
    sign_in::authenticator(b"twenty bytes of test".to_vec()).unwrap().generate(seconds).to_string()
}

async fn sign_in_staff(township: &Township<'_>, login: &str) -> Value {
    let body = json!({"login": login, "password": "correct horse battery", "code": code(township.server)});
    township.server.visitor().post("/api/sign-in/staff", body).await.ok()
}

#[rstest]
#[actix_web::test]
async fn staff_sign_in_with_password_and_code_and_see_their_posts(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    let tokens = sign_in_staff(&township, "office").await;
    let me = server.visitor().with_token(tokens["access_token"].as_str().unwrap()).get("/api/me").await.ok();
    assert_eq!(me["kind"], "staff");
    assert_eq!(me["posts"][0]["role"], "township_office");
    assert_eq!(me["posts"][0]["organization"]["name"], "云溪镇");
}

#[rstest]
#[actix_web::test]
async fn a_wrong_password_code_or_login_is_refused_in_the_same_words() {
    let server = TestServer::start(Engine::Sqlite).await;
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    let attempt = |login: &str, password: &str, code: String| {
        let body = json!({"login": login, "password": password, "code": code});
        let visitor = server.visitor();
        async move { visitor.post("/api/sign-in/staff", body).await.problem(401, "wrong_credentials")["detail"].clone() }
    };
    let password = "correct horse battery";
    let answers = [
        attempt("office", "wrong password", code(&server)).await,
        attempt("office", password, "000000".into()).await,
        attempt("nobody", password, code(&server)).await,
    ];
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[rstest]
#[actix_web::test]
async fn an_authenticator_code_is_good_once() {
    let server = TestServer::start(Engine::Sqlite).await;
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    sign_in_staff(&township, "office").await;
    let again = json!({"login": "office", "password": "correct horse battery", "code": code(&server)});
    server.visitor().post("/api/sign-in/staff", again).await.problem(401, "wrong_credentials");
    server.clock.advance(TimeDelta::seconds(30));
    sign_in_staff(&township, "office").await;
}

#[rstest]
#[actix_web::test]
async fn five_wrong_passwords_lock_the_login_for_a_quarter_of_an_hour() {
    let server = TestServer::start(Engine::Sqlite).await;
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    for _ in 0..5 {
        let body = json!({"login": "office", "password": "guess guess guess", "code": "000000"});
        server.visitor().post("/api/sign-in/staff", body).await.problem(401, "wrong_credentials");
    }
    let right = json!({"login": "office", "password": "correct horse battery", "code": code(&server)});
    server.visitor().post("/api/sign-in/staff", right).await.problem(429, "too_many_attempts");
    server.clock.advance(TimeDelta::minutes(15));
    sign_in_staff(&township, "office").await;
}

#[rstest]
#[actix_web::test]
async fn a_refresh_token_is_exchanged_once_and_a_stolen_copy_ends_the_session(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    let first = sign_in_staff(&township, "office").await;
    let refresh = |token: &Value| {
        let (visitor, body) = (server.visitor(), json!({"refresh_token": token}));
        async move { visitor.post("/api/sign-in/refresh", body).await }
    };
    let second = refresh(&first["refresh_token"]).await.ok();
    // The answer may have got lost on the way: asking again at once is no theft.
    server.clock.advance(TimeDelta::seconds(30));
    refresh(&first["refresh_token"]).await.ok();
    server.clock.advance(TimeDelta::minutes(2));
    refresh(&first["refresh_token"]).await.problem(401, "session_over");
    refresh(&second["refresh_token"]).await.problem(401, "session_over");
    let holder = server.visitor().with_token(second["access_token"].as_str().unwrap());
    holder.get("/api/me").await.problem(401, "session_over");
}

#[rstest]
#[actix_web::test]
async fn signing_out_ends_access_and_refresh_at_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let township = server.township().await;
    township.add_staff(township.id, Role::TownshipOffice, "office").await;
    let tokens = sign_in_staff(&township, "office").await;
    let person = server.visitor().with_token(tokens["access_token"].as_str().unwrap());
    person.post("/api/sign-out", json!({})).await.ok();
    person.get("/api/me").await.problem(401, "session_over");
    let body = json!({"refresh_token": tokens["refresh_token"]});
    server.visitor().post("/api/sign-in/refresh", body).await.problem(401, "session_over");
}

#[rstest]
#[actix_web::test]
async fn a_forged_or_missing_token_is_refused() {
    let server = TestServer::start(Engine::Sqlite).await;
    server.visitor().get("/api/me").await.problem(401, "sign_in_needed");
    server.visitor().with_token("eyJhbGciOiJub25lIn0.e30.").get("/api/me").await.problem(401, "session_over");
}

#[rstest]
#[actix_web::test]
async fn a_printed_invitation_signs_a_resident_in_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let township = server.township().await;
    let village = township.village("东河村").await;
    let resident = township.add_resident(village, None, None).await;
    let county = township.county;
    let codes = server.application.paper_codes.clone();
    let invitation = township
        .write(move |unit| Box::pin(async move { sign_in::invite(unit, &codes, county, resident).await }))
        .await;
    let body = json!({"invitation_code": invitation.to_lowercase()});
    let tokens = server.visitor().post("/api/sign-in/invitation", body.clone()).await.ok();
    let me = server.visitor().with_token(tokens["access_token"].as_str().unwrap()).get("/api/me").await.ok();
    assert_eq!((&me["kind"], &me["village"]["name"]), (&json!("resident"), &json!("东河村")));
    server.visitor().post("/api/sign-in/invitation", body).await.problem(401, "invitation_invalid");
}

#[rstest]
#[actix_web::test]
async fn an_invitation_that_signed_a_browser_in_still_binds_one_phone_for_a_month(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let township = server.township().await;
    let village = township.village("东河村").await;
    let (store, codes, county) = (&server.application.store, &server.application.paper_codes, township.county);
    let mut invitations = Vec::new();
    for _ in 0..2 {
        let resident = township.add_resident(village, None, None).await;
        let codes = codes.clone();
        let invitation = township
            .write(move |unit| Box::pin(async move { sign_in::invite(unit, &codes, county, resident).await }))
            .await;
        let body = json!({"invitation_code": invitation});
        server.visitor().post("/api/sign-in/invitation", body).await.ok();
        invitations.push((resident, invitation));
    }
    let bind = async |invitation: &str, phone: &str| {
        sign_in::accept_invitation(store, codes, invitation, Some(phone.to_owned())).await
    };
    let refused = |answer: Result<_, qingfeng_core::refusal::Fault>| match answer {
        Err(qingfeng_core::refusal::Fault::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    };
    let (resident, first) = &invitations[0];
    server.clock.advance(TimeDelta::days(29));
    assert_eq!(bind(first, "her-phone").await.unwrap().id, resident.0);
    let told = phones::open_id(store.reader(), PersonKind::Resident, resident.0).await.unwrap();
    assert_eq!(told.as_deref(), Some("her-phone"));
    assert_eq!(refused(bind(first, "another-phone").await), "invitation_invalid");
    let body = json!({"invitation_code": first});
    server.visitor().post("/api/sign-in/invitation", body).await.problem(401, "invitation_invalid");

    server.clock.advance(TimeDelta::days(2));
    assert_eq!(refused(bind(&invitations[1].1, "a-finders-phone").await), "invitation_invalid");
}

/// A simulated WeChat with two phones, and a server that signs people in with it.
async fn with_wechat() -> (Sandbox, RunningSandbox, TestServer) {
    let phones = vec![Phone::new("open-id-known", "已绑定"), Phone::new("open-id-new", "没绑定")];
    let sandbox = Sandbox::new(SandboxSettings { phones, ..SandboxSettings::default() });
    let running = sandbox.start("127.0.0.1:0").unwrap();
    let base = running.wechat_base();
    let server = TestServer::start_with(Engine::Sqlite, |config| config.wechat.api_base = base).await;
    (sandbox, running, server)
}

#[actix_web::test]
async fn a_resident_signs_in_with_the_mini_programs_code_once() {
    let (sandbox, _running, server) = with_wechat().await;
    let township = server.township().await;
    let village = township.village("东河村").await;
    township.add_resident(village, Some("open-id-known"), None).await;
    let body = json!({"code": sandbox.login_code("open-id-known")});
    let tokens = server.visitor().post("/api/sign-in/mini-program", body.clone()).await.ok();
    assert_eq!(tokens["result"], "signed_in");
    let me = server.visitor().with_token(tokens["access_token"].as_str().unwrap()).get("/api/me").await.ok();
    assert_eq!(me["kind"], "resident");
    server.visitor().post("/api/sign-in/mini-program", body).await.problem(401, "code_invalid");
    let unknown = json!({"code": "no-such-code"});
    server.visitor().post("/api/sign-in/mini-program", unknown).await.problem(401, "code_invalid");
}

#[actix_web::test]
async fn an_unknown_wechat_is_bound_with_a_printed_invitation_and_knows_its_resident_from_then_on() {
    let (sandbox, _running, server) = with_wechat().await;
    let township = server.township().await;
    let village = township.village("东河村").await;
    let resident = township.add_resident(village, None, None).await;
    let county = township.county;
    let codes = server.application.paper_codes.clone();
    let invitation = township
        .write(move |unit| Box::pin(async move { sign_in::invite(unit, &codes, county, resident).await }))
        .await;
    let code = json!({"code": sandbox.login_code("open-id-new")});
    let answer = server.visitor().post("/api/sign-in/mini-program", code).await.ok();
    assert_eq!(answer["result"], "binding_needed");
    let wrong = json!({"invitation_code": invitation, "ticket": "no-such-ticket"});
    server.visitor().post("/api/sign-in/invitation", wrong).await.problem(401, "ticket_expired");
    let binding = json!({"invitation_code": invitation, "ticket": answer["ticket"]});
    server.visitor().post("/api/sign-in/invitation", binding).await.ok();
    let code = json!({"code": sandbox.login_code("open-id-new")});
    assert_eq!(server.visitor().post("/api/sign-in/mini-program", code).await.ok()["result"], "signed_in");
}

#[actix_web::test]
async fn a_platform_that_is_down_is_told_and_nothing_is_kept() {
    let (sandbox, _running, server) = with_wechat().await;
    let code = sandbox.login_code("open-id-known");
    for fault in [FaultKind::BadGateway, FaultKind::Truncated, FaultKind::Cut] {
        sandbox.inject(Fault::new(Platform::WeChat, fault).times(1));
        let body = json!({"code": code});
        server.visitor().post("/api/sign-in/mini-program", body).await.problem(503, "temporarily_unavailable");
    }
}

#[rstest]
#[actix_web::test]
async fn of_two_phones_the_one_that_was_bound_last_is_told(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let township = server.township().await;
    let village = township.village("东河村").await;
    let resident = township.add_resident(village, Some("z-first-phone"), None).await;
    server.clock.advance(TimeDelta::days(30));
    let (county, codes) = (township.county, server.application.paper_codes.clone());
    let invitation = township
        .write(move |unit| Box::pin(async move { sign_in::invite(unit, &codes, county, resident).await }))
        .await;
    let (store, codes) = (&server.application.store, &server.application.paper_codes);
    sign_in::accept_invitation(store, codes, &invitation, Some("a-new-phone".into())).await.unwrap();
    let told = phones::open_id(store.reader(), PersonKind::Resident, resident.0).await.unwrap();
    assert_eq!(told.as_deref(), Some("a-new-phone"));
}

#[actix_web::test]
async fn the_code_exchange_follows_no_redirect_and_reads_codes_that_come_as_text() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let elsewhere = format!("{address}/elsewhere");
    let platform = actix_web::HttpServer::new(move || {
        let elsewhere = elsewhere.clone();
        let redirect = move || {
            let elsewhere = elsewhere.clone();
            async move { HttpResponse::Found().insert_header(("location", elsewhere)).finish() }
        };
        actix_web::App::new()
            .route("/text/sns/jscode2session", web::get().to(async || r#"{"errcode":"40029","errmsg":"invalid code"}"#))
            .route("/redirect/sns/jscode2session", web::get().to(redirect))
            .route("/elsewhere", web::get().to(async || r#"{"openid":"a-thief"}"#))
    });
    let running = platform.workers(1).disable_signals().listen(listener).unwrap().run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    for (path, status, code) in [("text", 401, "code_invalid"), ("redirect", 503, "temporarily_unavailable")] {
        let base = format!("{address}/{path}");
        let server = TestServer::start_with(Engine::Sqlite, |config| config.wechat.api_base = base).await;
        server.visitor().post("/api/sign-in/mini-program", json!({"code": "code"})).await.problem(status, code);
    }
    handle.stop(false).await;
}
