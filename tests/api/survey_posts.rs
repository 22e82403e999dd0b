//! What surveys tell groups: the words that somebody wrote are read by a second person, also when the product tells them later.

use chrono::TimeDelta;
use qingfeng_bot::Reviewing;
use qingfeng_core::{people::Role, storage::Engine};
use qingfeng_sandbox::{Group, Sandbox};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Cast, Person, Polling, SealedStage, TestServer, bot_with, platform};

/// What stands in the group about this.
fn posts_about(platform: &Sandbox, words: &str) -> usize {
    let posts = platform.delivered_to_group("KEY");
    posts.iter().filter(|post| post.content.text().contains(words)).count()
}

/// The only post that waits for a second person.
async fn the_one_that_waits(reader: &Person) -> Value {
    let page = reader.get("/api/group-posts?state=waiting").await.ok();
    let waiting = page["items"].as_array().unwrap();
    assert_eq!(waiting.len(), 1, "{page}");
    waiting[0].clone()
}

fn approval(post: &Value) -> String {
    format!("/api/group-posts/{}/approval", post["id"].as_str().unwrap())
}

#[rstest]
#[actix_web::test]
async fn the_result_of_a_survey_is_let_go_by_somebody_who_did_not_write_its_questions(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let reader = cast.township.staff(Role::GroupAdministrator).await;
    let platform = platform(&server);
    platform.add_group(Group::new("KEY", "东河村群"));
    cast.township.chat_group(cast.village, "东河村群", "KEY").await;
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot_with(&server, &running, Reviewing::SecondPerson);
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-03-09", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
    bot.tick().await.unwrap();
    let invitation = the_one_that_waits(&reader).await;
    reader.post(&approval(&invitation), json!({})).await.ok();
    bot.tick().await.unwrap();
    assert_eq!(posts_about(&platform, "自来水"), 1);

    // The clock closes it: nobody acts, and yet the words are the office's.
    server.clock.advance(TimeDelta::days(8));
    bot.tick().await.unwrap();
    bot.tick().await.unwrap();
    assert_eq!(posts_about(&platform, "问卷结束"), 0);
    let result = the_one_that_waits(&reader).await;
    assert!(result["text"].as_str().unwrap().contains("问卷结束"), "{result}");
    cast.office.post(&approval(&result), json!({})).await.problem(403, "own_post");
    reader.post(&approval(&result), json!({})).await.ok();
    bot.tick().await.unwrap();
    assert_eq!(posts_about(&platform, "问卷结束"), 1);
    running.stop().await;
}

#[actix_web::test]
async fn why_an_anonymous_survey_was_cancelled_is_read_by_a_second_person() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    let reader = stage.township.staff(Role::GroupAdministrator).await;
    let platform = platform(&polling.server);
    platform.add_group(Group::new("KEY", "东河村群"));
    stage.township.chat_group(stage.village, "东河村群", "KEY").await;
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot_with(&polling.server, &running, Reviewing::SecondPerson);

    let with_number = json!({"reason": "题目印错了，请打13800000000"});
    stage.act("cancellation", with_number).await.problem(422, "invalid_input");
    stage.act("cancellation", json!({"reason": "题目印错了"})).await.ok();
    bot.tick().await.unwrap();
    assert_eq!(posts_about(&platform, "题目印错了"), 0);
    let post = the_one_that_waits(&reader).await;
    stage.office.post(&approval(&post), json!({})).await.problem(403, "own_post");
    reader.post(&approval(&post), json!({})).await.ok();
    bot.tick().await.unwrap();
    assert_eq!(posts_about(&platform, "题目印错了"), 1);
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn the_office_finds_its_township_s_surveys_page_by_page(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    for title in ["自来水", "通组路"] {
        server.clock.advance(TimeDelta::minutes(1));
        let draft = json!({"village_id": cast.village.id, "title": title, "closes_on": "2026-03-09", "questions": [
            {"text": "好了吗？", "choices": ["好了", "没有"]}]});
        cast.office.post("/api/surveys", draft).await.ok();
    }
    let page = cast.office.get("/api/surveys").await.ok();
    let titles: Vec<_> = page["items"].as_array().unwrap().iter().map(|survey| survey["title"].clone()).collect();
    assert_eq!(titles, [json!("通组路"), json!("自来水")], "{page}");
    let latest = &page["items"][0];
    assert_eq!((&latest["village"], &latest["state"]), (&json!("东河村"), &json!("open")));
    assert_eq!(latest["questions"], json!([{"text": "好了吗？", "choices": ["好了", "没有"]}]));
    let before = format!("/api/surveys?before={}", latest["id"].as_str().unwrap());
    let older = cast.office.get(&before).await.ok();
    assert_eq!((older["items"].as_array().unwrap().len(), &older["items"][0]["title"]), (1, &json!("自来水")));

    let elsewhere = server.township().await.staff(Role::TownshipOffice).await;
    assert_eq!(elsewhere.get("/api/surveys").await.ok()["items"], json!([]));
    cast.secretary.get("/api/surveys").await.problem(403, "forbidden");
    cast.resident.get("/api/surveys").await.problem(403, "forbidden");
    cast.office.get("/api/surveys?before=1").await.problem(422, "invalid_query");
}
