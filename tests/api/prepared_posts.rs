//! Posts for ordinary chat groups: prepared, put there by a person, confirmed, reminded of.

use chrono::TimeDelta;
use qingfeng_core::{
    groups::{GroupChannel, entity as groups},
    ids::StaffId,
    outbox::{self, MessageState, RecipientKind},
    people::{Role, entity::staff},
    storage::Engine,
};
use qingfeng_sandbox::{Content, Fault, FaultKind, Phone, Platform, PushOutcome, Sandbox};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use crate::support::{Cast, TestServer, bot, platform};

/// An ordinary group, looked after by a member of staff who is at WeCom, and a survey whose invitation is to get there.
async fn scene(cast: &Cast<'_>, platform: &Sandbox) -> StaffId {
    platform.add_phone(Phone::new("phone-9", "网格员").at_wecom("keeper"));
    let keeper = cast.township.add_staff_with_phone(cast.village.id, "phone-9").await;
    let group = cast.township.group(cast.village, "东河村村民群", GroupChannel::OrdinaryChat).await;
    cast.township
        .write(move |unit| {
            Box::pin(async move {
                groups::Entity::update_many()
                    .col_expr(groups::Column::KeeperStaffId, Expr::value(keeper.0))
                    .filter(groups::Column::Id.eq(group))
                    .exec(unit.connection())
                    .await?;
                staff::Entity::update_many()
                    .col_expr(staff::Column::WecomUserId, Expr::value("keeper"))
                    .filter(staff::Column::Id.eq(keeper))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await;
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-04-09", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
    keeper
}

async fn state_of_post(server: &TestServer) -> MessageState {
    let query = outbox::entity::Entity::find().filter(outbox::entity::Column::RecipientKind.eq(RecipientKind::Group));
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
    scene(&cast, &platform).await;
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

    // Nobody else.
    let stranger = server.township().await.staff(Role::VillageSecretary).await;
    stranger.get(&path).await.problem(404, "not_found");
    stranger.post(&format!("{path}/confirmation"), json!({})).await.problem(404, "not_found");
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
    scene(&cast, &platform).await;
    bot.tick().await.unwrap();
    bot.tick().await.unwrap();
    let cards = platform.delivered_to_member("keeper");
    let Content::Card { buttons, task: Some(task), .. } = &cards[0].content else { panic!("{cards:?}") };
    assert_eq!(platform.phone("phone-8").tap(task, &buttons[0].key).await, PushOutcome::Handled);
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
    scene(&cast, &platform).await;
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
    running.stop().await;
}
