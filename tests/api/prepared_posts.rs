//! Posts for ordinary chat groups: prepared, put there by a person, confirmed, reminded of.

use chrono::TimeDelta;
use qingfeng_bot::Bot;
use qingfeng_core::{
    groups::{GroupChannel, entity as groups, prepared},
    ids::StaffId,
    outbox::{self, MessageState},
    people::{Actor, Role},
    storage::{Command, Engine},
};
use qingfeng_sandbox::{Content, Fault, FaultKind, Phone, Platform, PushOutcome, Sandbox};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Cast, TestServer, bot, platform};

/// An ordinary group, looked after by a member of staff who is at WeCom, and a survey whose invitation is to get there.
async fn scene(cast: &Cast<'_>, platform: &Sandbox, bot: &Bot) -> StaffId {
    platform.add_phone(Phone::new("phone-9", "网格员").at_wecom("keeper"));
    let keeper = cast.township.add_staff_with_phone(cast.village.id, "phone-9").await;
    let group = cast.township.group(cast.village, "东河村村民群", GroupChannel::OrdinaryChat).await;
    let (store, county) = (&cast.township.server.application.store, cast.township.county);
    let command = Command::by(&Actor::System { county });
    prepared::name_keeper(store, &command, county, group, keeper).await.unwrap();
    // The month's post is no matter of these tests: it is in the group before the keeper is at WeCom.
    bot.tick().await.unwrap();
    let page = cast.secretary.get("/api/prepared-posts").await.ok();
    let month = format!("/api/prepared-posts/{}/confirmation", page["items"][0]["id"].as_str().unwrap());
    cast.secretary.post(&month, json!({})).await.ok();
    cast.township.at_wecom(keeper, "keeper").await;
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-04-01", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
    keeper
}

async fn state_of_post(server: &TestServer) -> MessageState {
    let query = outbox::entity::Entity::find().filter(outbox::entity::Column::Kind.eq("survey_invitation"));
    query.one(server.application.store.reader()).await.unwrap().unwrap().state
}

fn waiting(page: &Value) -> usize {
    page["items"].as_array().unwrap().len()
}

#[rstest]
#[actix_web::test]
async fn a_post_for_an_ordinary_group_is_prepared_put_there_and_confirmed(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    scene(&cast, &platform, &bot).await;
    bot.tick().await.unwrap();
    assert_eq!(state_of_post(&server).await, MessageState::HandedOver);
    bot.tick().await.unwrap();

    // The person gets one card with one button.
    let cards = platform.delivered_to_member("keeper");
    assert_eq!(cards.len(), 1, "{cards:?}");
    let Content::Card { buttons, task: Some(_), .. } = &cards[0].content else { panic!("{cards:?}") };
    assert_eq!(buttons[0].text, "已发到群里");

    // Whoever works in the village may do it, too.
    let page = cast.secretary.get("/api/prepared-posts?state=prepared").await.ok();
    let post = &page["items"][0];
    assert_eq!((post["group"].as_str(), waiting(&page)), (Some("东河村村民群"), 1));
    let text = post["text"].as_str().unwrap();
    assert!(text.contains("自来水") && !text.contains("**") && !text.contains("> "), "{text}");
    assert!(post["link"].as_str().unwrap().starts_with("https://wxaurl.cn/"), "{post}");
    let path = format!("/api/prepared-posts/{}", post["id"].as_str().unwrap());
    cast.secretary.get(&path).await.ok();
    assert_eq!(post["has_picture"], true);
    let picture = cast.secretary.get(&format!("{path}/picture")).await;
    assert_eq!((picture.status.as_u16(), &picture.headers["content-type"]), (200, &"image/png".parse().unwrap()));

    // Nobody else.
    let stranger = server.township().await.staff(Role::VillageSecretary).await;
    stranger.get(&path).await.problem(404, "not_found");
    stranger.post(&format!("{path}/confirmation"), json!({})).await.problem(404, "not_found");
    stranger.get(&format!("{path}/picture")).await.problem(404, "not_found");
    assert_eq!(waiting(&stranger.get("/api/prepared-posts").await.ok()), 0);
    cast.resident.get("/api/prepared-posts").await.problem(403, "forbidden");

    cast.secretary.post_once(&format!("{path}/confirmation"), "draft-0001", json!({})).await.ok();
    cast.secretary.post_once(&format!("{path}/confirmation"), "draft-0001", json!({})).await.ok();
    cast.secretary.post(&format!("{path}/confirmation"), json!({})).await.problem(409, "post_already_confirmed");
    assert_eq!(state_of_post(&server).await, MessageState::Sent);
    assert_eq!(waiting(&cast.secretary.get("/api/prepared-posts?state=prepared").await.ok()), 0);
    for _ in 0..10 {
        server.clock.advance(TimeDelta::days(1));
        bot.tick().await.unwrap();
    }
    let of_posts = |delivery: &&qingfeng_sandbox::Delivery| delivery.content.text().contains("东河村村民群");
    assert_eq!(platform.delivered_to_member("keeper").iter().filter(of_posts).count(), 1, "done is done");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn the_button_of_the_card_confirms_for_the_one_whom_it_was_sent_to(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let mut corporation = platform.wecom_account();
    corporation.callback_url = Some(format!("{}/callbacks/wecom", server.address));
    platform.set_wecom_account(corporation);
    platform.add_phone(Phone::new("phone-8", "外人").at_wecom("stranger"));
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    scene(&cast, &platform, &bot).await;
    bot.tick().await.unwrap();
    bot.tick().await.unwrap();
    let cards = platform.delivered_to_member("keeper");
    let Content::Card { buttons, task: Some(task), .. } = &cards[0].content else { panic!("{cards:?}") };
    assert_eq!(platform.phone("phone-8").forge_tap(task, &buttons[0].key).await, PushOutcome::Handled);
    assert_eq!(state_of_post(&server).await, MessageState::HandedOver);
    for _ in 0..2 {
        assert_eq!(platform.phone("phone-9").tap(task, &buttons[0].key).await, PushOutcome::Handled);
        assert_eq!(state_of_post(&server).await, MessageState::Sent);
        server.clock.advance(TimeDelta::seconds(1));
    }
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn who_forgets_is_reminded_twice_and_then_the_office_sees_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    // The platform gives neither link nor code: the post is prepared all the same.
    platform.inject(Fault::new(Platform::WeChat, FaultKind::Outage));
    let bots = [bot(&server, &running), bot(&server, &running)];
    scene(&cast, &platform, &bots[0]).await;
    let mut cards = Vec::new();
    for _ in 0..10 {
        for bot in bots.iter().chain(&bots) {
            bot.tick().await.unwrap();
        }
        let of_posts = |delivery: &&qingfeng_sandbox::Delivery| delivery.content.text().contains("东河村村民群");
        cards.push(platform.delivered_to_member("keeper").iter().filter(of_posts).count());
        server.clock.advance(TimeDelta::days(1));
    }
    assert_eq!(cards, [1, 2, 2, 3, 3, 3, 3, 3, 3, 3], "at once, after one day, after three");
    assert_eq!(state_of_post(&server).await, MessageState::Parked);
    let undelivered = cast.office.get("/api/messages").await.ok();
    assert!(undelivered.to_string().contains("一直没有人把它转发到群里"), "{undelivered}");
    let page = cast.secretary.get("/api/prepared-posts?state=expired").await.ok();
    assert!(page["items"][0]["link"].as_str().unwrap().contains("/app/#/pages/board/village?id="), "{page}");

    // The office sends it again: prepared anew, told anew.
    let lost =
        undelivered["items"].as_array().unwrap().iter().find(|item| item["recipient"] == "东河村村民群").unwrap();
    let resend = format!("/api/messages/{}/resending", lost["id"].as_str().unwrap());
    cast.office.post(&resend, json!({})).await.ok();
    for bot in bots.iter().chain(&bots) {
        bot.tick().await.unwrap();
    }
    let of_posts = |delivery: &&qingfeng_sandbox::Delivery| delivery.content.text().contains("东河村村民群");
    assert_eq!(platform.delivered_to_member("keeper").iter().filter(of_posts).count(), 4);
    assert_eq!(state_of_post(&server).await, MessageState::HandedOver);
    let page = cast.secretary.get("/api/prepared-posts?state=prepared").await.ok();
    assert_eq!(waiting(&page), 1);
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn nobody_is_asked_to_forward_what_is_in_the_group_already(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    scene(&cast, &platform, &bot).await;
    // The keeper's card is held up.
    platform.inject(Fault::new(Platform::WeCom, FaultKind::Outage));
    bot.tick().await.unwrap();
    bot.tick().await.unwrap();
    let page = cast.secretary.get("/api/prepared-posts?state=prepared").await.ok();
    let path = format!("/api/prepared-posts/{}", page["items"][0]["id"].as_str().unwrap());
    cast.secretary.post(&format!("{path}/confirmation"), json!({})).await.ok();
    platform.clear_faults();
    server.clock.advance(TimeDelta::hours(5));
    bot.tick().await.unwrap();
    assert!(platform.delivered_to_member("keeper").is_empty());
    running.stop().await;
}

#[actix_web::test]
async fn who_looks_after_a_group_is_somebody_of_the_county() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let elsewhere = Cast::of(&server).await;
    let group = cast.township.group(cast.village, "东河村村民群", GroupChannel::OrdinaryChat).await;
    let (store, county) = (&server.application.store, cast.township.county);
    let command = Command::by(&Actor::System { county });
    for (county, keeper) in [(county, elsewhere.secretary_id), (elsewhere.township.county, elsewhere.secretary_id)] {
        let refused = prepared::name_keeper(store, &command, county, group, keeper).await;
        assert!(matches!(refused, Err(qingfeng_core::refusal::Fault::Refused(_))));
    }
    prepared::name_keeper(store, &command, county, group, cast.secretary_id).await.unwrap();
    let named = groups::Entity::find_by_id(group).one(store.reader()).await.unwrap().unwrap();
    assert_eq!(named.keeper_staff_id, Some(cast.secretary_id));
}

/// A post that was handed over and then taken back by the office, whose keeper has a card about that.
async fn taken_back(cast: &Cast<'_>, platform: &Sandbox, bot: &Bot) -> String {
    scene(cast, platform, bot).await;
    bot.tick().await.unwrap();
    bot.tick().await.unwrap();
    let page = cast.secretary.get("/api/prepared-posts?state=prepared").await.ok();
    let id = page["items"][0]["id"].as_str().unwrap().to_owned();
    let retraction = format!("/api/group-posts/{id}/retraction");
    cast.office.post(&retraction, json!({"reason": "问题写错了"})).await.ok();
    cast.office.post(&retraction, json!({"reason": "再来"})).await.problem(409, "post_retracted");
    bot.tick().await.unwrap();
    bot.tick().await.unwrap();
    format!("/api/prepared-posts/{id}")
}

fn recalls(platform: &Sandbox) -> Vec<qingfeng_sandbox::Delivery> {
    let cards = platform.delivered_to_member("keeper").into_iter();
    cards.filter(|card| card.content.text().contains("不要再转发")).collect()
}

async fn corrections(server: &TestServer) -> usize {
    let query = outbox::entity::Entity::find().filter(outbox::entity::Column::Kind.eq("post_corrected"));
    query.all(server.application.store.reader()).await.unwrap().len()
}

#[rstest]
#[actix_web::test]
async fn who_has_a_post_that_is_taken_back_is_told_not_to_forward_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    taken_back(&cast, &platform, &bot).await;
    assert_eq!(recalls(&platform).len(), 1);
    assert_eq!(state_of_post(&server).await, MessageState::Withdrawn);
    let page = cast.secretary.get("/api/prepared-posts?state=retracted").await.ok();
    assert_eq!(waiting(&page), 1, "{page}");
    // He heeds it: nobody reminds him, and nothing has to be corrected.
    for _ in 0..8 {
        server.clock.advance(TimeDelta::days(1));
        bot.tick().await.unwrap();
    }
    let of_posts = |delivery: &&qingfeng_sandbox::Delivery| delivery.content.text().contains("东河村村民群");
    assert_eq!(platform.delivered_to_member("keeper").iter().filter(of_posts).count(), 2);
    assert_eq!((corrections(&server).await, state_of_post(&server).await), (0, MessageState::Withdrawn));
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_post_that_was_in_the_group_before_it_was_taken_back_is_corrected_there(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let path = taken_back(&cast, &platform, &bot).await;
    assert_eq!(corrections(&server).await, 0);
    cast.secretary.post_once(&format!("{path}/confirmation"), "draft-0001", json!({})).await.ok();
    cast.secretary.post_once(&format!("{path}/confirmation"), "draft-0001", json!({})).await.ok();
    cast.secretary.post(&format!("{path}/confirmation"), json!({})).await.problem(409, "post_already_confirmed");
    assert_eq!((corrections(&server).await, state_of_post(&server).await), (1, MessageState::Sent));
    bot.tick().await.unwrap();
    let page = cast.secretary.get("/api/prepared-posts?state=prepared").await.ok();
    let text = page["items"][0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("更正") && text.contains("问题写错了"), "{page}");
    running.stop().await;
}
