//! What the platforms push: plain and encrypted, of the account and of WeCom, once whatever is delivered again.

use qingfeng_bot::{
    callbacks::{self, Queued},
    conversations::Push,
};
use qingfeng_core::{
    outbox::consents::{self, Consent},
    people::entity::staff,
    storage::Engine,
};
use qingfeng_sandbox::{Account, EventFormat, Phone, PushOutcome, PushResult, Sandbox};
use rstest::rstest;
use sea_orm::{
    ColumnTrait, ConnectionTrait, Database, DatabaseTransaction, EntityTrait, QueryFilter, Statement, TransactionTrait,
    sea_query::Expr,
};

use crate::support::{Cast, TestServer, bot, platform, push};

/// The last letter carries bits that are no part of the key, as most real keys' does.
const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const FORMER_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

async fn encrypting_server(engine: Engine) -> TestServer {
    TestServer::start_with(engine, |config| {
        let keys = vec![KEY.to_owned(), FORMER_KEY.to_owned()];
        config.wechat.callback_keys.clone_from(&keys);
        config.official_account.as_mut().unwrap().callback_keys = keys;
    })
    .await
}

fn encrypting_platform(server: &TestServer, key: &str, event_format: EventFormat) -> Sandbox {
    let platform = platform(server);
    change_both(&platform, |account| account.callback_key = Some(key.into()));
    // Official accounts have XML only.
    let mut mini_program = platform.account();
    mini_program.event_format = event_format;
    platform.set_account(mini_program);
    platform
}

/// Both accounts, which are set up alike here.
fn change_both(platform: &Sandbox, change: impl Fn(&mut Account)) {
    let (mut mini_program, mut official) = (platform.account(), platform.official_account());
    change(&mut mini_program);
    change(&mut official);
    platform.set_account(mini_program);
    platform.set_official_account(official);
}

async fn events_left(server: &TestServer) -> (i64, i64) {
    let connection = server.application.store.reader();
    let sql = "SELECT COUNT(*) AS written, COUNT(event) AS open FROM platform_events";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    (row.try_get("", "written").unwrap(), row.try_get("", "open").unwrap())
}

#[rstest]
#[actix_web::test]
async fn encrypted_pushes_are_answered_encrypted_and_events_are_written_down_first(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(EventFormat::Xml, EventFormat::Json)] format: EventFormat,
) {
    let server = encrypting_server(engine).await;
    let cast = Cast::of(&server).await;
    cast.township.add_resident(cast.village, Some("phone-1"), None).await;
    // While a key is being changed, the former one still works.
    for (accepts, key) in [(1, KEY), (2, FORMER_KEY)] {
        let platform = encrypting_platform(&server, key, format);
        assert!(platform.verify_callback().await, "the question is plain even so");
        assert!(platform.verify_official_callback().await);
        let answer = platform.phone("phone-1").say("帮助").await;
        assert!(matches!(&answer, PushOutcome::Replied(text) if text.contains("“进度”")), "{answer:?}");
        assert_eq!(platform.phone("phone-1").accept("TEMPLATE-PROGRESS").await, PushOutcome::Handled);
        let consent = Consent::new("phone-1", "TEMPLATE-PROGRESS");
        assert_eq!(consents::left(&server.application.store, &consent).await.unwrap(), accepts);
        assert_eq!(events_left(&server).await, (i64::from(accepts), 0), "written down, worked off, and emptied");
        server.clock.advance(chrono::TimeDelta::seconds(1));
    }
}

#[actix_web::test]
async fn who_has_not_the_key_or_sends_in_the_clear_is_refused() {
    let server = encrypting_server(Engine::Sqlite).await;
    let other_key = encrypting_platform(&server, &KEY.replace('j', "k"), EventFormat::Xml);
    let plain = platform(&server);
    let foreign = encrypting_platform(&server, KEY, EventFormat::Xml);
    change_both(&foreign, |account| account.app_id = "wx-another-account".into());
    let unsigned = encrypting_platform(&server, KEY, EventFormat::Xml);
    change_both(&unsigned, |account| account.callback_token = "another-token".into());
    for (platform, status) in [(&other_key, 403), (&plain, 400), (&foreign, 403), (&unsigned, 403)] {
        assert_eq!(platform.phone("phone-1").say("帮助").await, PushOutcome::Failed);
        assert!(
            platform.pushes().iter().all(|push| push.result == PushResult::Status(status)),
            "{:?}",
            platform.pushes()
        );
    }
    assert!(!unsigned.verify_callback().await && !unsigned.verify_official_callback().await);
}

#[rstest]
#[actix_web::test]
async fn staff_write_to_the_application_at_wecom(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let mut corporation = platform.wecom_account();
    corporation.callback_url = Some(format!("{}/callbacks/wecom", server.address));
    platform.set_wecom_account(corporation.clone());
    platform.add_phone(Phone::new("phone-9", "办事员").at_wecom("Clerk"));
    let clerk = cast.township.add_staff_with_phone(cast.village.id, "phone-9").await;
    cast.township
        .write(move |unit| {
            Box::pin(async move {
                staff::Entity::update_many()
                    .col_expr(staff::Column::WecomUserId, Expr::value("Clerk"))
                    .filter(staff::Column::Id.eq(clerk))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await;
    assert!(platform.verify_wecom_callback().await, "the encrypted question is answered in the clear");
    let answer = platform.phone("phone-9").say_at_wecom("路灯的事怎么办").await;
    assert!(matches!(&answer, PushOutcome::Replied(text) if text.contains("没看懂")), "{answer:?}");
    assert_eq!(platform.phone("phone-9").forge_tap("some-task", "some-key").await, PushOutcome::Handled);
    assert_eq!(events_left(&server).await, (1, 0));

    corporation.callback_key = KEY.into();
    platform.set_wecom_account(corporation);
    assert!(!platform.verify_wecom_callback().await);
    assert_eq!(platform.phone("phone-9").say_at_wecom("在吗").await, PushOutcome::Failed);
}

#[rstest]
#[actix_web::test]
async fn an_event_that_is_delivered_again_counts_once_and_a_bot_does_what_a_server_left(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = encrypting_server(engine).await;
    let cast = Cast::of(&server).await;
    let store = &server.application.store;
    cast.township.add_resident(cast.village, Some("phone-1"), None).await;
    let platform = encrypting_platform(&server, KEY, EventFormat::Xml);
    let consent = Consent::new("phone-1", "TEMPLATE-PROGRESS");
    // The simulated clock stands: by the platform's rule these are one event.
    for _ in 0..3 {
        assert_eq!(platform.phone("phone-1").accept("TEMPLATE-PROGRESS").await, PushOutcome::Handled);
    }
    assert_eq!((consents::left(store, &consent).await.unwrap(), events_left(&server).await), (1, (1, 0)));

    // Without what the cache remembers, the database still knows it.
    let body = r#"{"ToUserName":"gh_1","FromUserName":"phone-1","CreateTime":1,"MsgType":"event",
        "Event":"subscribe_msg_popup_event","List":{"TemplateId":"TEMPLATE-PROGRESS","SubscribeStatusString":"accept"}}"#;
    let event = Push::parse(body.as_bytes()).unwrap();
    let (cache, sealer) = (&*server.application.cache, &server.application.sealer);
    for expected in [Queued::Done, Queued::Already] {
        assert_eq!(callbacks::enqueue(store, cache, sealer, &event).await.unwrap(), expected);
    }
    let stranger = Push { from: "nobody".into(), ..event.clone() };
    assert_eq!(callbacks::enqueue(store, cache, sealer, &stranger).await.unwrap(), Queued::OfNobody);
    assert_eq!((consents::left(store, &consent).await.unwrap(), events_left(&server).await), (2, (2, 0)));

    // A server wrote it down and died.
    let text = serde_json::to_string(&event).unwrap();
    let digest = sealer.pseudonym("event", &event.digest());
    let cast_to = if engine == Engine::Postgres { "::jsonb" } else { "" };
    let sql = format!("UPDATE platform_events SET event = '{text}'{cast_to} WHERE digest = '{digest}'");
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                unit.connection().execute_unprepared(&sql).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    assert_eq!(events_left(&server).await, (2, 1));
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    bot.tick().await.unwrap();
    assert_eq!(events_left(&server).await, (2, 1), "the server may still be at it");
    server.clock.advance(chrono::TimeDelta::minutes(2));
    bot.tick().await.unwrap();
    assert_eq!((consents::left(store, &consent).await.unwrap(), events_left(&server).await), (3, (2, 0)));
    server.clock.advance(chrono::TimeDelta::days(3));
    bot.tick().await.unwrap();
    assert_eq!(events_left(&server).await, (0, 0));
    running.stop().await;
}

fn event_of(phone: &str, created_at: u32, parts: &str) -> String {
    format!(
        "<xml><ToUserName>gh</ToUserName><FromUserName>{phone}</FromUserName><CreateTime>{created_at}</CreateTime>\
         <MsgType>event</MsgType>{parts}</xml>"
    )
}

/// Nobody gets at this table before the answer is dropped.
async fn locked(server: &TestServer, table: &str) -> DatabaseTransaction {
    let connection = Database::connect(&server.application.config.database.url).await.unwrap();
    let transaction = connection.begin().await.unwrap();
    transaction.execute_unprepared(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await.unwrap();
    transaction
}

#[actix_web::test]
async fn an_event_is_said_to_be_handled_only_when_it_is_written_down() {
    let server = TestServer::start(Engine::Postgres).await;
    let cast = Cast::of(&server).await;
    cast.township.add_resident(cast.village, Some("phone-1"), None).await;
    let accept = "<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List>\
                  <TemplateId>TEMPLATE-PROGRESS</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>\
                  </SubscribeMsgPopupEvent>";
    let body = event_of("phone-1", 7, accept);
    let lock = locked(&server, "platform_events").await;
    // The platform gives up after five seconds and delivers again; neither delivery may hear that all is well.
    let answers = futures::future::join(push(&server, "1", &body), push(&server, "2", &body)).await;
    assert!(answers.0.0.is_server_error() && answers.1.0.is_server_error(), "{answers:?}");
    lock.rollback().await.unwrap();
    for nonce in ["3", "4"] {
        assert_eq!(push(&server, nonce, &body).await.1, "success");
    }
    let consent = Consent::new("phone-1", "TEMPLATE-PROGRESS");
    assert_eq!(consents::left(&server.application.store, &consent).await.unwrap(), 1);
}

#[actix_web::test]
async fn a_text_that_is_being_answered_is_not_said_to_be_handled() {
    let server = TestServer::start(Engine::Postgres).await;
    let cast = Cast::of(&server).await;
    cast.township.add_resident(cast.village, Some("phone-1"), None).await;
    let open_id = platform(&server).phone("phone-1").official_openid();
    let body = format!(
        "<xml><ToUserName>gh</ToUserName><FromUserName>{open_id}</FromUserName><CreateTime>7</CreateTime>\
         <MsgType>text</MsgType><Content>进度</Content><MsgId>24000000000000001</MsgId></xml>"
    );
    let lock = locked(&server, "complaints").await;
    let first = push(&server, "1", &body);
    let meanwhile = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let second = push(&server, "2", &body).await;
        lock.rollback().await.unwrap();
        second
    };
    let (first, second) = futures::future::join(first, meanwhile).await;
    assert!(second.0.is_server_error(), "{second:?}");
    assert!(first.0 == 200 && first.1.contains("没有反映过问题"), "{first:?}");
    assert_eq!(push(&server, "3", &body).await, first);
}

#[rstest]
#[actix_web::test]
async fn the_account_cannot_speak_for_a_member_of_staff(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    cast.township.at_wecom(cast.secretary_id, "secretary").await;
    let path = cast.dispatched().await;
    let before = cast.secretary.get(&path).await.ok()["state"].clone();
    let task = format!("complaint_{}@card_1", path.rsplit('/').next().unwrap());
    let tap = format!(
        "<AgentID>1000002</AgentID><Event>template_card_event</Event><EventKey>take_on</EventKey><TaskId>{task}</TaskId>"
    );
    assert_eq!(push(&server, "1", &event_of("secretary", 7, &tap)).await.1, "success");
    assert_eq!(cast.secretary.get(&path).await.ok()["state"], before);
}
