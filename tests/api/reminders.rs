//! When a reminder rings, and when it has nothing to say any more.

use chrono::TimeDelta;
use qingfeng_core::{
    deadlines,
    ids::{ComplaintId, StaffId},
    outbox::MessageState,
    people::Role,
    storage::Engine,
};
use rstest::rstest;
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use crate::{
    card_answers::Chat,
    schedule::messages,
    support::{Person, TestServer},
};

/// A complaint with the secretary, due on Wednesday 2026-05-06, after the holiday; everything before has been told.
async fn due_after_the_holiday(chat: &Chat<'_>) -> String {
    let path = chat.cast.working().await;
    chat.bot.tick().await.unwrap();
    path
}

fn at(server: &TestServer, text: &str) {
    server.clock.set(chrono::DateTime::parse_from_str(&format!("{text} +0800"), "%Y-%m-%d %H:%M %z").unwrap().to_utc());
}

fn arrived(chat: &Chat<'_>) -> usize {
    chat.platform.delivered_to_member("secretary").len()
}

/// A reminder of this kind is written in this moment, and waits because all sending is stopped.
async fn reminder_that_waits(chat: &Chat<'_>, operator: &Person, moment: &str, kind: &str) {
    operator.post("/api/sending/stop", json!({"reason": "平台维护"})).await.ok();
    at(chat.server, moment);
    chat.bot.tick().await.unwrap();
    assert_eq!(messages(chat.server, kind).await[0].state, MessageState::Pending);
}

async fn sending_goes_on(chat: &Chat<'_>, operator: &Person) {
    operator.post("/api/sending/resumption", json!({})).await.ok();
    chat.bot.tick().await.unwrap();
}

#[rstest]
#[actix_web::test]
async fn what_would_ring_in_a_holiday_comes_before_it_and_what_is_late_after_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    due_after_the_holiday(&chat).await;
    let before = arrived(&chat);
    for (moment, rung) in [
        ("2026-04-29 08:30", 0),
        ("2026-04-30 08:30", 1),
        ("2026-05-03 08:30", 1),
        ("2026-05-05 08:30", 1),
        ("2026-05-06 08:30", 2),
        // Every seven days after it, the last time before National Day.
        ("2026-09-30 08:30", 3),
        ("2026-10-07 08:30", 3),
        ("2026-10-08 08:30", 4),
    ] {
        at(&server, moment);
        chat.bot.tick().await.unwrap();
        assert_eq!(arrived(&chat) - before, rung, "{moment}");
    }
    let overdue: Vec<_> = messages(&server, "deadline_overdue").await.into_iter().map(|message| message.step).collect();
    assert_eq!(overdue, ["answer:2026-05-06:overdue-147", "answer:2026-05-06:overdue-154"]);
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn what_would_have_rung_before_a_holiday_rings_in_it_when_the_bots_were_away(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    due_after_the_holiday(&chat).await;
    let before = arrived(&chat);
    for (moment, rung) in
        [("2026-04-29 08:30", 0), ("2026-05-01 09:30", 1), ("2026-05-02 09:30", 1), ("2026-05-06 08:30", 2)]
    {
        at(&server, moment);
        chat.bot.tick().await.unwrap();
        assert_eq!(arrived(&chat) - before, rung, "{moment}");
    }
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_reminder_of_what_somebody_else_has_by_now_is_withdrawn(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let operator = chat.cast.township.staff(Role::SystemAdministrator).await;
    let (_, colleague): (_, StaffId) = chat.cast.township.staff_of(chat.cast.village.id, Role::VillageStaff).await;
    let path = due_after_the_holiday(&chat).await;
    let before = arrived(&chat);
    reminder_that_waits(&chat, &operator, "2026-05-06 08:30", "deadline_today").await;
    let complaint: ComplaintId = path.rsplit('/').next().unwrap().parse().unwrap();
    let village = chat.cast.village.id;
    chat.cast
        .township
        .write(move |unit| Box::pin(deadlines::reassign(unit, complaint.into(), Some(village), Some(colleague))))
        .await;
    sending_goes_on(&chat, &operator).await;
    let reminder = &messages(&server, "deadline_today").await[0];
    assert_eq!((reminder.state, arrived(&chat) - before), (MessageState::Withdrawn, 0));
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn who_says_that_he_knows_is_not_told_again_by_a_card_that_waited(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let operator = chat.cast.township.staff(Role::SystemAdministrator).await;
    due_after_the_holiday(&chat).await;
    let before = arrived(&chat);
    reminder_that_waits(&chat, &operator, "2026-04-30 08:30", "deadline_ahead").await;
    let desk = chat.cast.secretary.get("/api/desk").await.ok();
    let known = format!("/api/deadlines/{}/acknowledgement", desk["items"][0]["id"].as_str().unwrap());
    chat.cast.secretary.post(&known, json!({})).await.ok();
    sending_goes_on(&chat, &operator).await;
    let reminder = &messages(&server, "deadline_ahead").await[0];
    assert_eq!((reminder.state, arrived(&chat) - before), (MessageState::Withdrawn, 0));
    chat.running.stop().await;
}

/// The bot dies before its run is over: what it wrote is not taken apart by another one meanwhile, and is not lost.
#[actix_web::test]
async fn what_a_run_writes_leaves_when_it_is_over_or_some_minutes_later() {
    let server = TestServer::start(Engine::Sqlite).await;
    let chat = Chat::with_secretary(&server).await;
    due_after_the_holiday(&chat).await;
    let before = arrived(&chat);
    let database = server.application.store.reader();
    let broken = "CREATE TRIGGER broken BEFORE UPDATE OF not_before ON outbox_messages \
        BEGIN SELECT RAISE(ABORT, 'the run does not come to its end'); END";
    database.execute_unprepared(broken).await.unwrap();
    at(&server, "2026-05-06 08:30");
    chat.bot.tick().await.unwrap();
    assert_eq!((messages(&server, "deadline_today").await.len(), arrived(&chat) - before), (1, 0));
    database.execute_unprepared("DROP TRIGGER broken").await.unwrap();
    chat.bot.tick().await.unwrap();
    assert_eq!(arrived(&chat) - before, 0);
    server.clock.advance(TimeDelta::minutes(5));
    chat.bot.tick().await.unwrap();
    assert_eq!(arrived(&chat) - before, 1);
    chat.running.stop().await;
}
