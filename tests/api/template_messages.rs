//! Cards in the chat with the official account, where the mini-program has no accept left.

use chrono::TimeDelta;
use qingfeng_core::{
    clock::Clock as _,
    ids::StaffId,
    outbox::{self, MessageState, Notice, Recipient},
    people::{
        PersonKind,
        account_links::{self, AccountIdentity},
        entity::staff,
        sessions::Person as Identity,
    },
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Fault, FaultKind, Phone, Platform, RunningSandbox, Sandbox};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;
use uuid::Uuid;

use crate::{
    support::{Cast, TestServer, bot, platform, push},
    templates::{shipped_progress, shipped_reminder, with_template_messages},
};

const PHONE: &str = "phone-2";

/// A secretary whose chat with the official account is bound, and who accepts no message of the mini-program.
struct Stage<'a> {
    server: &'a TestServer,
    cast: Cast<'a>,
    platform: Sandbox,
    running: RunningSandbox,
    staff: StaffId,
}

impl<'a> Stage<'a> {
    async fn set(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let platform = platform(server);
        platform.add_template(shipped_reminder()).unwrap();
        platform.add_template(shipped_progress()).unwrap();
        platform.add_phone(Phone::new(PHONE, "书记的手机"));
        let running = platform.start("127.0.0.1:0").unwrap();
        let staff = cast.township.add_staff_with_phone(cast.village.id, PHONE).await;
        let account = server.application.config.official_account.as_ref().unwrap();
        let identity =
            AccountIdentity { app_id: account.app_id.clone(), open_id: platform.phone(PHONE).official_openid() };
        let own = Identity { county: cast.township.county, kind: PersonKind::Staff, id: staff.0 };
        let store = &server.application.store;
        store
            .housekeeping(move |unit| Box::pin(async move { account_links::add(unit, own, &identity).await }))
            .await
            .unwrap();
        Self { server, cast, platform, running, staff }
    }

    async fn remind(&self, title: &str) {
        let (county, store) = (self.cast.township.county, &self.server.application.store);
        let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
        let notice = Notice::new(Recipient::Staff(self.staff), "deadline_today", subject)
            .facts(json!({"title": title, "due_on": "2026-03-02"}));
        store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await.unwrap();
    }

    /// State and reason of the only message, or of the last one.
    async fn last(&self) -> (MessageState, String) {
        let mut messages = outbox::entity::Entity::find()
            .filter(outbox::entity::Column::Kind.eq("deadline_today"))
            .all(self.server.application.store.reader())
            .await
            .unwrap();
        messages.sort_by_key(|message| message.id);
        let last = messages.pop().unwrap();
        (last.state, last.parked_reason.unwrap_or_default())
    }

    /// What stands on the phone.
    fn arrived(&self) -> Vec<String> {
        self.platform.phone(PHONE).messages().into_iter().map(|message| message.content.text()).collect()
    }

    /// What became of the message, as the platform tells it.
    async fn told(&self, message: u64, status: &str) {
        let body = format!(
            "<xml><ToUserName>gh</ToUserName><FromUserName>{}</FromUserName><CreateTime>{}</CreateTime>\
             <MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>{message}</MsgID>\
             <Status><![CDATA[{status}]]></Status></xml>",
            self.platform.phone(PHONE).official_openid(),
            self.server.clock.now().timestamp(),
        );
        assert_eq!(push(self.server, "1", &body).await.1, "success");
    }
}

#[rstest]
#[actix_web::test]
async fn who_has_no_accept_left_is_told_in_the_chat_with_the_official_account(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start_with(engine, with_template_messages).await;
    let stage = Stage::set(&server).await;
    let bot = bot(&server, &stage.running);
    stage.remind("村口路灯坏了").await;
    assert_eq!(bot.tick().await.unwrap().cards, 1);
    let arrived = stage.arrived();
    assert!(
        arrived.len() == 1 && arrived[0].contains("村口路灯坏了") && arrived[0].contains("今天到期"),
        "{arrived:?}"
    );
    assert_eq!(stage.last().await.0, MessageState::Sent);

    // Of two messages of one second, one did not arrive after all.
    stage.remind("水渠漏水").await;
    assert_eq!(bot.tick().await.unwrap().cards, 1);
    let numbers: Vec<u64> = stage.platform.phone(PHONE).messages().iter().map(|message| message.id).collect();
    stage.told(numbers[0], "success").await;
    stage.told(numbers[1], " failed:user block ").await;
    bot.tick().await.unwrap();
    let (state, reason) = stage.last().await;
    assert!(state == MessageState::Parked && reason.contains("本人不接收服务号的消息"), "{state:?} {reason}");

    // Who does not follow is where he was before: with the mini-program, which needs his accept.
    stage.platform.phone(PHONE).unfollow();
    stage.remind("桥栏杆断了").await;
    assert_eq!(bot.tick().await.unwrap().parked, 1);
    let (state, reason) = stage.last().await;
    assert!(state == MessageState::Parked && reason.contains("没有同意接收"), "{state:?} {reason}");
    stage.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn one_that_is_not_answered_leaves_again_and_arrives_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start_with(engine, with_template_messages).await;
    let stage = Stage::set(&server).await;
    let bot = bot(&server, &stage.running);
    let cut = Fault::new(Platform::WeChat, FaultKind::Cut).at("/cgi-bin/message/template/send").times(1);
    stage.platform.inject(cut);
    stage.remind("村口路灯坏了").await;
    bot.tick().await.unwrap();
    assert_eq!(stage.last().await.0, MessageState::Departed);
    server.clock.advance(TimeDelta::minutes(2));
    let delivered = bot.tick().await.unwrap();
    assert_eq!((delivered.cards, stage.last().await), (1, (MessageState::Sent, String::new())), "{delivered:?}");
    assert_eq!(stage.arrived().len(), 1);

    // When the platform has forgotten the first one, nobody sends it again but a person.
    stage.platform.inject(Fault::new(Platform::WeChat, FaultKind::Cut).at("/cgi-bin/message/template/send"));
    stage.remind("水渠漏水").await;
    for _ in 0..4 {
        bot.tick().await.unwrap();
        server.clock.advance(TimeDelta::minutes(4));
    }
    bot.tick().await.unwrap();
    assert_eq!(stage.last().await.0, MessageState::Unknown);
    stage.running.stop().await;
}

#[actix_web::test]
async fn who_left_the_service_is_not_told() {
    let server = TestServer::start_with(Engine::Sqlite, with_template_messages).await;
    let stage = Stage::set(&server).await;
    let bot = bot(&server, &stage.running);
    let gone = stage.staff;
    let leave = staff::Entity::update_many()
        .col_expr(staff::Column::Active, Expr::value(false))
        .filter(staff::Column::Id.eq(gone));
    let store = &server.application.store;
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                leave.exec(unit.connection()).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    stage.remind("村口路灯坏了").await;
    assert_eq!(bot.tick().await.unwrap().parked, 1);
    assert_eq!((stage.last().await.1.as_str(), stage.arrived().len()), ("本人已离任，这件事要交给别人", 0));
    stage.running.stop().await;
}
