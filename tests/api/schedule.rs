//! What the clock does by itself.

use chrono::TimeDelta;
use qingfeng_core::{outbox, people::Role, storage::Engine};
use rstest::rstest;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use crate::support::{Cast, TestServer, bot, platform};

pub async fn messages(server: &TestServer, kind: &str) -> Vec<outbox::entity::Model> {
    outbox::entity::Entity::find()
        .filter(outbox::entity::Column::Kind.eq(kind))
        .order_by_asc(outbox::entity::Column::Id)
        .all(server.application.store.reader())
        .await
        .unwrap()
}

#[rstest]
#[actix_web::test]
async fn who_says_nothing_is_asked_twice_and_then_the_office_is_told_to_call(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let silent = cast.answered().await;
    let rated = cast.answered().await;
    cast.rate(&rated, "satisfied").await.ok();
    let mut asked = Vec::new();
    for _ in 0..20 {
        server.clock.advance(TimeDelta::days(1));
        // Twice a day: a message of the series is written once.
        bot.tick().await.unwrap();
        bot.tick().await.unwrap();
        asked.push(messages(&server, "rating_reminder").await.len());
    }
    assert_eq!(asked[..11], [0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
    let reminders = messages(&server, "rating_reminder").await;
    assert_eq!(reminders.iter().map(|message| &message.step).collect::<Vec<_>>(), ["3_days", "10_days"]);
    assert!(reminders.iter().all(|message| silent.ends_with(&message.subject_id.to_string())));
    assert_eq!(messages(&server, "call_back_due").await.len(), 1);
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_survey_whose_days_are_over_is_closed_by_the_clock(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-03-09", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]}]});
    let survey = cast.office.post("/api/surveys", draft).await.ok()["id"].clone();
    let results = format!("/api/surveys/{}/results", survey.as_str().unwrap());
    for (days, code) in [(7, "survey_still_open"), (1, "too_few_answers")] {
        server.clock.advance(TimeDelta::days(days));
        bot.tick().await.unwrap();
        cast.office.get(&results).await.problem(409, code);
    }
    running.stop().await;
}

#[actix_web::test]
async fn a_complaint_that_sounds_like_an_earlier_one_is_suggested_to_the_office_alone() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let file = async |body: &str| {
        server.clock.advance(TimeDelta::minutes(1));
        cast.resident.post("/api/complaints", json!({"body": body})).await.ok()["id"].as_str().unwrap().to_owned()
    };
    let lamp = file("村口的路灯坏了三个月没人修，晚上看不见路").await;
    file("自来水中午没有水").await;
    let again = file("村口路灯坏了好几个月一直没人修，晚上走路看不见").await;
    let later = file("村口的路灯坏了三个月没人修").await;
    let path = format!("/api/complaints/{again}/similar");
    let found = cast.office.get(&path).await.ok();
    let ids: Vec<_> = found["items"].as_array().unwrap().iter().map(|item| &item["complaint"]["id"]).collect();
    assert_eq!(ids, [&json!(lamp)], "neither the water nor the later one {later}: {found}");
    cast.secretary.get(&path).await.problem(403, "forbidden");
    cast.resident.get(&path).await.problem(403, "forbidden");
    let other = server.township().await.staff(Role::TownshipOffice).await;
    other.get(&path).await.problem(404, "not_found");
    cast.office.post(&format!("/api/complaints/{again}/merge"), json!({"into": lamp})).await.ok();
    assert_eq!(
        cast.office.get(&format!("/api/complaints/{later}/similar")).await.ok()["items"][0]["complaint"]["id"],
        lamp
    );
}

#[rstest]
#[actix_web::test]
async fn a_job_that_fails_shows_until_it_comes_through_and_stops_no_other(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    cast.answered().await;
    let database = server.application.store.reader();
    database.execute_unprepared("ALTER TABLE surveys RENAME TO surveys_away").await.unwrap();
    server.clock.advance(TimeDelta::days(3));
    bot.tick().await.unwrap();
    bot.tick().await.unwrap();
    let ready = server.visitor().get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert!(ready.text.starts_with("degraded\nsurveys failed 2 times since 2026-03-05"), "{}", ready.text);
    assert_eq!(messages(&server, "rating_reminder").await.len(), 1, "the other jobs go on");

    database.execute_unprepared("ALTER TABLE surveys_away RENAME TO surveys").await.unwrap();
    bot.tick().await.unwrap();
    assert_eq!(server.visitor().get("/readyz").await.text, "ok");
    running.stop().await;
}
