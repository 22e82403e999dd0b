//! How a round of the bot goes: what cannot wait first, nothing at night, and never so long that the rest of the bot has no turn.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use qingfeng_bot::{Bot, delivery::Delivered};
use qingfeng_core::{
    ids::{ResidentId, StaffId},
    outbox::{self, MessageState, Notice, Recipient, RecipientKind},
    people::Role,
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Fault, FaultKind, Phone, Platform, RunningSandbox, Sandbox};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::{Cast, TestServer, bot, platform};

/// Two people at WeCom.
struct Stage<'a> {
    server: &'a TestServer,
    cast: Cast<'a>,
    platform: Sandbox,
    running: RunningSandbox,
    first: StaffId,
    second: StaffId,
}

impl<'a> Stage<'a> {
    async fn set(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let platform = platform(server);
        let mut people = Vec::new();
        for user in ["first", "second"] {
            platform.add_phone(Phone::new(format!("phone-{user}"), user).at_wecom(user));
            let (_, person) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
            cast.township.at_wecom(person, user).await;
            people.push(person);
        }
        let running = platform.start("127.0.0.1:0").unwrap();
        Self { server, cast, platform, running, first: people[0], second: people[1] }
    }

    fn bot(&self) -> Arc<Bot> {
        Arc::new(bot(self.server, &self.running))
    }

    /// One card for each, a second after the one before.
    async fn tell(&self, kind: &'static str, recipients: impl IntoIterator<Item = Recipient>) {
        let (county, township) = (self.cast.township.county, self.cast.township.id);
        let subject = SubjectRef { kind: SubjectKind::Rectification, id: Uuid::now_v7() };
        let notice = |recipient| {
            Notice::new(recipient, kind, subject)
                .township(township)
                .facts(json!({"title": "村口路灯更换", "wanted": "not_mine"}))
        };
        let notices = recipients.into_iter().map(notice).collect();
        self.cast.township.write(move |unit| Box::pin(outbox::enqueue(unit, county, notices))).await;
        self.server.clock.advance(TimeDelta::seconds(1));
    }

    async fn count(&self, kind: RecipientKind, state: MessageState) -> u64 {
        outbox::entity::Entity::find()
            .filter(outbox::entity::Column::RecipientKind.eq(kind))
            .filter(outbox::entity::Column::State.eq(state))
            .count(self.server.application.store.reader())
            .await
            .unwrap()
    }

    fn arrived(&self, user: &str) -> usize {
        self.platform.delivered_to_member(user).len()
    }

    /// A round in which the first card is on its way, and the platform takes its time.
    async fn a_slow_round(&self) -> JoinHandle<Delivered> {
        let slow = FaultKind::Delay { milliseconds: 1500 };
        self.platform.inject(Fault::new(Platform::WeCom, slow).at("/cgi-bin/message/send").times(1));
        let bot = self.bot();
        let work = tokio::spawn(async move { bot.tick().await.unwrap() });
        while self.arrived("first") == 0 {
            assert!(!work.is_finished(), "a card was due");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        work
    }
}

#[rstest]
#[actix_web::test]
async fn a_round_that_begins_in_the_evening_ends_at_nine(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    server.clock.set("2026-03-02T12:59:50Z".parse().unwrap());
    stage.tell("rectification_assigned", [Recipient::Staff(stage.first)]).await;
    stage.tell("rectification_assigned", [Recipient::Staff(stage.second)]).await;
    let work = stage.a_slow_round().await;
    server.clock.set("2026-03-02T13:00:00Z".parse().unwrap());
    let delivered = work.await.unwrap();
    assert!(delivered.cards == 1 && !delivered.more, "{delivered:?}");
    for bot in [stage.bot(), stage.bot()] {
        bot.tick().await.unwrap();
        assert_eq!((stage.arrived("first"), stage.arrived("second")), (1, 0), "it is night");
    }
    assert_eq!(stage.count(RecipientKind::Staff, MessageState::Pending).await, 1);
    server.clock.set("2026-03-03T00:00:00Z".parse().unwrap());
    stage.bot().tick().await.unwrap();
    assert_eq!((stage.arrived("first"), stage.arrived("second")), (1, 1));
}

#[rstest]
#[actix_web::test]
async fn after_some_seconds_the_rest_of_the_bot_has_its_turn_and_any_bot_goes_on(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    stage.tell("rectification_assigned", [Recipient::Staff(stage.first)]).await;
    stage.tell("rectification_assigned", [Recipient::Staff(stage.second)]).await;
    let work = stage.a_slow_round().await;
    server.clock.advance(TimeDelta::seconds(20));
    let delivered = work.await.unwrap();
    assert!(delivered.cards == 1 && delivered.more, "{delivered:?}");
    assert_eq!((stage.arrived("first"), stage.arrived("second")), (1, 0));
    // It was given back: another bot need not wait until a lease ends.
    stage.bot().tick().await.unwrap();
    assert_eq!((stage.arrived("first"), stage.arrived("second")), (1, 1));
}

#[rstest]
#[actix_web::test]
async fn behind_what_goes_to_everybody_nobody_waits_who_asked(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    const EVERYBODY: usize = 250;
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    // They have no phone: nothing can be sent, and each is put aside when its turn comes.
    let everybody = (0..EVERYBODY).map(|_| Recipient::Resident(ResidentId(Uuid::now_v7())));
    stage.tell("evaluation_opened", everybody).await;
    stage.tell("rectification_assigned", [Recipient::Staff(stage.second)]).await;
    stage.tell("answer_wanted", [Recipient::Staff(stage.first)]).await;
    let work = stage.a_slow_round().await;
    assert_eq!(stage.arrived("second"), 0, "who waits for an answer is first, though it came last");
    assert_eq!(stage.count(RecipientKind::Resident, MessageState::Parked).await, 0);
    work.await.unwrap();
    assert_eq!(stage.arrived("second"), 1);
    assert_eq!(stage.count(RecipientKind::Resident, MessageState::Parked).await, EVERYBODY as u64);
}

#[rstest]
#[actix_web::test]
async fn a_platform_that_hangs_leaves_three_messages_in_doubt_and_not_all(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    for number in 0..6 {
        let key = format!("KEY-{number}");
        platform.add_group(qingfeng_sandbox::Group::new(&key, format!("群{number}")));
        cast.township.chat_group(cast.village, &format!("群{number}"), &key).await;
    }
    let hangs = platform.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at("/cgi-bin/webhook/send"));
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-03-09", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
    let bots = [bot(&server, &running), bot(&server, &running)];
    let posts = async |state: MessageState| {
        outbox::entity::Entity::find()
            .filter(outbox::entity::Column::RecipientKind.eq(RecipientKind::Group))
            .filter(outbox::entity::Column::State.eq(state))
            .count(server.application.store.reader())
            .await
            .unwrap()
    };
    // In the first minute three, then one each time that the interface is tried.
    for (minutes, in_doubt) in [(0, 3), (1, 4), (1, 4), (1, 5), (3, 5), (1, 6)] {
        server.clock.advance(TimeDelta::minutes(minutes));
        for bot in &bots {
            bot.tick().await.unwrap();
        }
        assert_eq!(posts(MessageState::Unknown).await, in_doubt, "after {minutes} more minutes");
    }
    platform.end_fault(hangs);
    server.clock.advance(TimeDelta::minutes(8));
    for bot in &bots {
        bot.tick().await.unwrap();
    }
    // An invitation and the month's post for each group.
    let ended = (posts(MessageState::Unknown).await, posts(MessageState::Sent).await);
    assert_eq!(ended, (6, 6), "what waited goes out, what is in doubt waits for a person");
    running.stop().await;
}
