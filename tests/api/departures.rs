//! Never resend blindly: a message of which nobody knows whether it arrived goes out again only where the platform drops
//! doubles, and only as long as it does.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use qingfeng_bot::Bot;
use qingfeng_core::{
    ids::StaffId,
    outbox::{self, MessageState, Notice, Recipient},
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Fault, FaultKind, Phone, Platform, RunningSandbox, Sandbox};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Cast, TestServer, bot, platform};

const SEND: &str = "/cgi-bin/message/send";

struct Stage<'a> {
    server: &'a TestServer,
    cast: Cast<'a>,
    platform: Sandbox,
    running: RunningSandbox,
    clerk: StaffId,
}

impl<'a> Stage<'a> {
    async fn set(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let platform = platform(server);
        platform.add_phone(Phone::new("phone-9", "办事员").at_wecom("clerk"));
        let running = platform.start("127.0.0.1:0").unwrap();
        let clerk = cast.township.add_staff_with_phone(cast.village.id, "phone-9").await;
        cast.township.at_wecom(clerk, "clerk").await;
        Self { server, cast, platform, running, clerk }
    }

    fn bot(&self) -> Arc<Bot> {
        Arc::new(bot(self.server, &self.running))
    }

    async fn tell(&self, step: &'static str) {
        self.tell_person(self.clerk, step).await;
    }

    async fn tell_person(&self, clerk: StaffId, step: &'static str) {
        let county = self.cast.township.county;
        let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
        let notice = Notice::new(Recipient::Staff(clerk), "complaint_assigned", subject)
            .step(step)
            .facts(json!({"title": "村口路灯坏了"}));
        self.cast.township.write(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await;
    }

    async fn states(&self) -> Vec<MessageState> {
        let rows = outbox::entity::Entity::find()
            .filter(outbox::entity::Column::RecipientId.eq(self.clerk.0))
            .all(self.server.application.store.reader())
            .await
            .unwrap();
        rows.into_iter().map(|message| message.state).collect()
    }

    fn arrived(&self) -> usize {
        self.platform.delivered_to_member("clerk").len()
    }

    /// A bot's round, in which the platform takes the first card and says nothing for so long.
    async fn a_slow_round(&self, milliseconds: u64) -> (tokio::task::JoinHandle<()>, u64) {
        let slow = Fault::new(Platform::WeCom, FaultKind::Delay { milliseconds }).at(SEND).times(1);
        let fault = self.platform.inject(slow);
        let bot = self.bot();
        let work = tokio::spawn(async move {
            bot.tick().await.unwrap();
        });
        while self.arrived() == 0 {
            assert!(!work.is_finished(), "a card was due");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (work, fault)
    }

    /// The platform takes the card, and the bot dies before it can write that down.
    async fn kill_a_bot_while_a_card_is_on_its_way(&self) {
        let (work, fault) = self.a_slow_round(60_000).await;
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        self.platform.end_fault(fault);
    }
}

#[rstest]
#[actix_web::test]
async fn a_card_whose_bot_died_is_sent_again_word_for_word_and_arrives_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    stage.tell("first").await;
    stage.kill_a_bot_while_a_card_is_on_its_way().await;
    // More for the same person comes meanwhile: it does not get into the card that left.
    stage.tell("second").await;
    let bots = [stage.bot(), stage.bot()];
    for bot in &bots {
        bot.tick().await.unwrap();
    }
    assert_eq!(stage.states().await, [MessageState::Departed, MessageState::Sent]);
    server.clock.advance(TimeDelta::minutes(6));
    for bot in &bots {
        bot.tick().await.unwrap();
    }
    assert_eq!(stage.states().await, [MessageState::Sent, MessageState::Sent]);
    assert_eq!(stage.arrived(), 2, "two messages, two cards");
}

#[rstest]
#[actix_web::test]
async fn a_bot_so_slow_that_another_took_over_lets_nothing_leave(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    stage.platform.add_phone(Phone::new("phone-10", "二办事员").at_wecom("second"));
    let second = stage.cast.township.add_staff_with_phone(stage.cast.village.id, "phone-10").await;
    stage.cast.township.at_wecom(second, "second").await;
    stage.tell("first").await;
    stage.tell_person(second, "first").await;
    let (work, _) = stage.a_slow_round(1500).await;
    // The lease of what the slow one still holds runs out; the other one sends it.
    server.clock.advance(TimeDelta::minutes(6));
    stage.bot().tick().await.unwrap();
    work.await.unwrap();
    stage.bot().tick().await.unwrap();
    assert_eq!((stage.arrived(), stage.platform.delivered_to_member("second").len()), (1, 1));
    assert_eq!(stage.states().await, [MessageState::Sent]);
}

#[rstest]
#[case::busy(FaultKind::Busy)]
#[case::too_fast(FaultKind::Refuse { code: 45009 })]
#[case::token(FaultKind::Refuse { code: 42001 })]
#[actix_web::test]
async fn a_repetition_that_is_turned_away_is_repeated_word_for_word(#[case] refusal: FaultKind) {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::set(&server).await;
    stage.platform.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at(SEND).times(1));
    stage.tell("first").await;
    let bot = stage.bot();
    bot.tick().await.unwrap();
    server.clock.advance(TimeDelta::seconds(61));
    stage.platform.inject(Fault::new(Platform::WeCom, refusal).at(SEND).times(2));
    // Of the first one nothing is known yet; what else is due does not get into its card.
    stage.tell("second").await;
    for _ in 0..20 {
        bot.tick().await.unwrap();
        server.clock.advance(TimeDelta::seconds(61));
    }
    assert_eq!(stage.states().await, [MessageState::Sent, MessageState::Sent]);
    assert_eq!(stage.arrived(), 2, "two messages, two cards");
}

#[rstest]
#[actix_web::test]
async fn when_the_guard_has_run_out_a_person_decides(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    stage.tell("first").await;
    stage.kill_a_bot_while_a_card_is_on_its_way().await;
    server.clock.advance(TimeDelta::hours(4));
    for bot in [stage.bot(), stage.bot()] {
        bot.tick().await.unwrap();
    }
    assert_eq!((stage.states().await, stage.arrived()), (vec![MessageState::Unknown], 1));
}

#[rstest]
#[case::connection_breaks(FaultKind::Cut)]
#[case::half_an_answer(FaultKind::Truncated)]
#[actix_web::test]
async fn an_answer_that_is_lost_is_asked_for_again(#[case] fault: FaultKind) {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::set(&server).await;
    stage.platform.inject(Fault::new(Platform::WeCom, fault).at(SEND).times(2));
    stage.tell("first").await;
    let bot = stage.bot();
    for expected in [MessageState::Departed, MessageState::Departed, MessageState::Sent] {
        bot.tick().await.unwrap();
        assert_eq!((stage.states().await, stage.arrived()), (vec![expected], 1));
        server.clock.advance(TimeDelta::seconds(61));
    }
}
