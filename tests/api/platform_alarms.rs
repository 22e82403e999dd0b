//! Whose alarms they are, what closes them and what does not: accounts, answers that nobody can read, the clock.

use std::sync::Arc;

use chrono::TimeDelta;
use qingfeng_bot::{
    PlatformSettings,
    channels::{Watch, WeChatAccounts},
    delivery::Outcome,
};
use qingfeng_core::{
    clock::Clock,
    outbox::{self, Notice, Recipient},
    people::Role,
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Fault, FaultKind, Phone, Platform, RunningSandbox, Sandbox};
use rstest::rstest;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Cast, Person, TestServer, bot, platform, push_at};

/// The server's accounts at WeChat, and somebody who sees alarms.
struct Scene<'a> {
    server: &'a TestServer,
    cast: Cast<'a>,
    operator: Person,
    platform: Sandbox,
    running: RunningSandbox,
    accounts: WeChatAccounts,
}

impl<'a> Scene<'a> {
    async fn of(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let operator = cast.township.staff(Role::SystemAdministrator).await;
        let platform = platform(server);
        let running = platform.start("127.0.0.1:0").unwrap();
        let application = &server.application;
        let settings = PlatformSettings { wechat_api_base: running.wechat_base(), ..application.config.platforms() };
        let clock: Arc<dyn Clock> = server.clock.clone();
        let watch = Watch::on(&application.store);
        let accounts = WeChatAccounts::new(&application.cache, &clock, &watch, "test", &settings).unwrap();
        Self { server, cast, operator, platform, running, accounts }
    }

    async fn alarms(&self) -> Vec<Value> {
        self.operator.get("/api/alarms").await.ok()["items"].as_array().unwrap().clone()
    }

    async fn names(&self) -> Vec<String> {
        self.alarms().await.iter().map(|alarm| alarm["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn link(&self) -> Result<String, Outcome> {
        let until = self.server.clock.now() + TimeDelta::days(10);
        self.accounts.mini_program.url_link("pages/board/village", "id=7", until).await
    }
}

#[rstest]
#[actix_web::test]
async fn what_one_account_is_refused_does_not_end_when_the_other_is_served(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    let right = scene.platform.account();
    let mut wrong = right.clone();
    wrong.app_secret = "another".into();
    scene.platform.set_account(wrong);
    scene.accounts.mini_program.get_ready().await.unwrap_err();
    let name = format!("wechat:{}:token", right.app_id);
    assert_eq!(scene.names().await, [name.as_str()]);
    scene.accounts.official.as_ref().unwrap().get_ready().await.unwrap();
    assert_eq!(scene.names().await, [name.as_str()]);
    let what = scene.alarms().await[0]["what"].clone();
    assert!(what.as_str().unwrap().contains(&right.app_id), "{what}");

    scene.platform.set_account(right);
    scene.server.clock.advance(TimeDelta::minutes(11));
    scene.accounts.mini_program.get_ready().await.unwrap();
    assert!(scene.names().await.is_empty());
    scene.running.stop().await;
}

#[rstest]
#[case::half_an_answer(FaultKind::Truncated)]
#[case::a_page(FaultKind::Portal)]
#[actix_web::test]
async fn an_answer_that_nobody_can_read_ends_no_alarm(#[case] fault: FaultKind) {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server).await;
    let at = "/wxa/generate_urllink";
    let refused = Fault::new(Platform::WeChat, FaultKind::Refuse { code: 48001 }).at(at).times(1);
    scene.platform.inject(refused);
    scene.link().await.unwrap_err();
    assert_eq!(scene.names().await.len(), 1);
    scene.platform.inject(Fault::new(Platform::WeChat, fault).at(at).times(1));
    scene.link().await.unwrap_err();
    assert_eq!(scene.names().await.len(), 1, "nobody knows that it works");
    scene.link().await.unwrap();
    assert!(scene.names().await.is_empty());
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn an_application_that_is_too_fast_for_ten_minutes_has_used_up_its_day(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.platform.add_phone(Phone::new("phone-9", "办事员").at_wecom("clerk"));
    let township = &scene.cast.township;
    let clerk = township.add_staff_with_phone(scene.cast.village.id, "phone-9").await;
    township.at_wecom(clerk, "clerk").await;
    let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
    let notice = Notice::new(Recipient::Staff(clerk), "complaint_assigned", subject).facts(json!({"title": "路灯"}));
    let county = township.county;
    township.write(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await;

    let too_fast = Fault::new(Platform::WeCom, FaultKind::Refuse { code: 45009 }).at("/cgi-bin/message/send");
    let too_fast = scene.platform.inject(too_fast);
    let bot = bot(&server, &scene.running);
    bot.tick().await.unwrap();
    for minute in 1..=9 {
        server.clock.advance(TimeDelta::minutes(1));
        bot.tick().await.unwrap();
        assert!(scene.names().await.is_empty(), "{minute}: that may be a crowded minute");
    }
    server.clock.advance(TimeDelta::minutes(1));
    bot.tick().await.unwrap();
    let alarms = scene.alarms().await;
    assert_eq!((alarms.len(), &alarms[0]["trouble"]), (1, &json!("今天的调用次数已用完（45009）")), "{alarms:?}");
    scene.platform.end_fault(too_fast);
    server.clock.advance(TimeDelta::minutes(1));
    bot.tick().await.unwrap();
    assert!(scene.names().await.is_empty());
    assert_eq!(scene.platform.delivered_to_member("clerk").len(), 1);
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_push_of_another_time_tells_of_the_clock_until_one_comes_in_time(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    let body = "<xml><ToUserName>gh</ToUserName><FromUserName>somebody</FromUserName><CreateTime>7</CreateTime>\
                <MsgType>event</MsgType><Event>unsubscribe</Event></xml>";
    let now = server.clock.now().timestamp();
    assert_eq!(push_at(&server, now, "1", body).await.0.as_u16(), 200);
    // Whoever has not the token cannot raise it.
    let forged = format!("{}/callbacks/official-account?signature=00&timestamp=1&nonce=1", server.address);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(client.post(forged).body(body).send().await.unwrap().status().as_u16(), 403);
    assert!(scene.names().await.is_empty());

    for nonce in ["2", "3"] {
        assert_eq!(push_at(&server, now - 700, nonce, body).await.0.as_u16(), 403);
    }
    let alarms = scene.alarms().await;
    assert_eq!((alarms.len(), &alarms[0]["name"], &alarms[0]["times"]), (1, &json!("clock"), &json!(1)), "{alarms:?}");
    assert!(alarms[0]["advice"].as_str().unwrap().contains("校准服务器的时间"), "{alarms:?}");
    assert!(server.visitor().get("/readyz").await.ok_text().starts_with("degraded\nclock clock (0)"));
    server.clock.advance(TimeDelta::minutes(2));
    assert_eq!(push_at(&server, now - 700, "4", body).await.0.as_u16(), 403);
    assert_eq!(scene.alarms().await[0]["times"], 2);

    assert_eq!(push_at(&server, now + 120, "5", body).await.0.as_u16(), 200);
    assert!(scene.names().await.is_empty());
    scene.running.stop().await;
}
