//! Posts that are in groups, or may be: they are found, and what is taken back stays so however it was sent.

use std::time::Duration;

use chrono::TimeDelta;
use qingfeng_bot::Bot;
use qingfeng_core::{
    outbox::{MessageState, entity as messages},
    people::{
        Role,
        concerns::{self, Concerns},
    },
    storage::Engine,
    subject::SubjectRef,
};
use qingfeng_sandbox::{Fault, FaultKind, Group, Platform, RunningSandbox, Sandbox};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Cast, Polling, SealedStage, TestServer, bot, platform};

const SEND: &str = "/cgi-bin/webhook/send";

/// A village with one group, whose robot posts what happened last month, and nobody has to read that.
struct Scene<'a> {
    cast: Cast<'a>,
    platform: Sandbox,
    running: RunningSandbox,
    bot: Bot,
}

impl<'a> Scene<'a> {
    /// `key` is the robot's, as the platform's group has it or not.
    async fn with_robot(server: &'a TestServer, key: &str) -> Self {
        let cast = Cast::of(server).await;
        let platform = platform(server);
        platform.add_group(Group::new("KEY", "东河村群"));
        cast.township.chat_group(cast.village, "东河村群", key).await;
        let running = platform.start("127.0.0.1:0").unwrap();
        let bot = bot(server, &running);
        Self { cast, platform, running, bot }
    }

    async fn pass(&self, time: TimeDelta) {
        self.cast.township.server.clock.advance(time);
        self.bot.tick().await.unwrap();
        self.bot.tick().await.unwrap();
    }

    async fn message(&self, kind: &str) -> Option<messages::Model> {
        let query = messages::Entity::find().filter(messages::Column::Kind.eq(kind));
        query.one(self.cast.township.server.application.store.reader()).await.unwrap()
    }

    async fn state(&self) -> MessageState {
        self.message("monthly_progress").await.unwrap().state
    }

    async fn retraction(&self) -> String {
        format!("/api/group-posts/{}/retraction", self.message("monthly_progress").await.unwrap().id)
    }

    async fn resending(&self) -> String {
        format!("/api/messages/{}/resending", self.message("monthly_progress").await.unwrap().id)
    }

    fn posts(&self) -> Vec<String> {
        self.platform.delivered_to_group("KEY").iter().map(|post| post.content.text()).collect()
    }
}

/// Group, state, and whether it was taken back, of each post of a page.
fn items(page: &Value) -> Vec<(&str, &str, bool)> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let (group, state) = (item["group"].as_str(), item["state"].as_str());
            (group.unwrap(), state.unwrap(), item["retracted"].as_bool().unwrap())
        })
        .collect()
}

#[rstest]
#[actix_web::test]
async fn a_post_that_nobody_had_to_read_is_found_and_taken_back(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::with_robot(&server, "KEY").await;
    let cast = &scene.cast;
    scene.pass(TimeDelta::minutes(1)).await;
    assert_eq!(scene.posts().len(), 1, "the month's post");
    let page = cast.secretary.get("/api/group-posts/sent").await.ok();
    assert_eq!(items(&page), [("东河村群", "sent", false)]);
    assert!(page["items"][0]["what"].as_str().unwrap().contains("每月一次"), "{page}");
    assert_eq!(page["items"][0]["can_be_retracted"], true, "{page}");
    assert_eq!(cast.office.get("/api/group-posts/sent").await.ok(), page);

    let village = cast.township.village("西坡村").await;
    let (neighbour, _) = cast.township.staff_of(village.id, Role::VillageSecretary).await;
    assert_eq!(neighbour.get("/api/group-posts/sent").await.ok()["items"], json!([]));
    let stranger = server.township().await.staff(Role::GroupAdministrator).await;
    assert_eq!(stranger.get("/api/group-posts/sent").await.ok()["items"], json!([]));
    cast.leader.get("/api/group-posts/sent").await.problem(403, "forbidden");
    cast.resident.get("/api/group-posts/sent").await.problem(403, "forbidden");
    cast.office.get("/api/group-posts/sent?before=1").await.problem(422, "invalid_query");

    server.clock.advance(TimeDelta::minutes(1));
    let why = json!({"reason": "数字写错了"});
    neighbour.post(&scene.retraction().await, why.clone()).await.problem(404, "not_found");
    cast.secretary.post(&scene.retraction().await, why).await.ok();
    let page = cast.secretary.get("/api/group-posts/sent").await.ok();
    assert_eq!(items(&page), [("东河村群", "pending", false), ("东河村群", "sent", true)], "with its correction");
    assert_eq!(page["items"][1]["can_be_retracted"], false, "no second time");
    let before = format!("/api/group-posts/sent?before={}", page["items"][0]["id"].as_str().unwrap());
    assert_eq!(items(&cast.office.get(&before).await.ok()), [("东河村群", "sent", true)]);
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_post_that_may_have_arrived_is_corrected_and_never_sent_again_once_it_is_taken_back(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(false, true)] is_sent_again: bool,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::with_robot(&server, "KEY").await;
    let cast = &scene.cast;
    scene.platform.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at(SEND).times(1));
    scene.bot.tick().await.unwrap();
    assert_eq!((scene.state().await, scene.posts().len()), (MessageState::Unknown, 1));
    let resending = scene.resending().await;
    if is_sent_again {
        cast.office.post(&resending, json!({})).await.ok();
    }
    cast.secretary.post(&scene.retraction().await, json!({"reason": "数字写错了"})).await.ok();
    cast.secretary.post(&scene.retraction().await, json!({"reason": "再来"})).await.problem(409, "post_retracted");
    cast.office.post(&resending, json!({})).await.problem(409, "message_not_parked");
    scene.pass(TimeDelta::minutes(1)).await;
    scene.pass(TimeDelta::minutes(10)).await;
    let posts = scene.posts();
    assert!(posts.len() == 2 && posts[1].contains("数字写错了"), "{posts:?}");
    assert_eq!(scene.state().await, MessageState::Withdrawn);
    assert_eq!(cast.office.get("/api/messages").await.ok()["items"], json!([]));
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_post_that_is_taken_back_while_its_robot_refuses_it_is_neither_posted_later_nor_corrected(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::with_robot(&server, "old-key").await;
    // While the platform refuses the old key, the robot gets the new one: the post would be sent again with that.
    let held = scene.platform.inject(Fault::new(Platform::WeCom, FaultKind::Hold).at(SEND));
    let meanwhile = async {
        for attempt in 0.. {
            if scene.platform.calls().iter().any(|call| call.endpoint == SEND) {
                break;
            }
            assert!(attempt < 2000, "a post was due");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let retraction = scene.retraction().await;
        scene.cast.secretary.post(&retraction, json!({"reason": "数字写错了"})).await.ok();
        assert_eq!(scene.state().await, MessageState::Departed);
        scene.cast.township.new_robot_key("东河村群", "KEY").await;
        scene.platform.end_fault(held);
    };
    let (ticked, ()) = futures::join!(scene.bot.tick(), meanwhile);
    ticked.unwrap();
    scene.pass(TimeDelta::minutes(1)).await;
    scene.pass(TimeDelta::minutes(10)).await;
    assert_eq!((scene.state().await, scene.posts()), (MessageState::Withdrawn, Vec::new()));
    let correction = scene.message("post_corrected").await.unwrap();
    assert_eq!(correction.state, MessageState::Withdrawn);
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn whom_the_matter_of_a_post_concerns_neither_finds_it_nor_takes_it_back(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::with_robot(&server, "KEY").await;
    let cast = &scene.cast;
    scene.pass(TimeDelta::minutes(1)).await;
    let post = scene.message("monthly_progress").await.unwrap();
    let matter = SubjectRef { kind: post.subject_kind, id: post.subject_id };
    let (county, concerned) = (cast.township.county, cast.secretary_id);
    cast.township
        .write(move |unit| {
            Box::pin(async move {
                let about = Concerns { staff: vec![concerned], ..Concerns::default() };
                concerns::record(unit, county, matter, &about).await
            })
        })
        .await;
    assert_eq!(cast.secretary.get("/api/group-posts/sent").await.ok()["items"], json!([]));
    let why = json!({"reason": "数字写错了"});
    cast.secretary.post(&scene.retraction().await, why.clone()).await.problem(404, "not_found");
    assert_eq!(items(&cast.office.get("/api/group-posts/sent").await.ok()), [("东河村群", "sent", false)]);
    cast.office.post(&scene.retraction().await, why).await.ok();
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn what_the_product_says_about_an_anonymous_survey_is_taken_back_by_nobody(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let polling = Polling::start(engine).await;
    let stage = SealedStage::peopled(&polling).await;
    let (rating, rated, _) = stage.rating().await;
    let stage = stage.plan(rating).await;
    stage.prepare().await;
    stage.act("opening", json!({})).await.ok();
    for person in [&rated, &stage.office] {
        let page = person.get("/api/group-posts/sent").await.ok();
        let posts = page["items"].as_array().unwrap();
        assert_eq!(posts.len(), 2, "that it is open, and its fingerprint: {page}");
        for post in posts {
            assert_eq!((&post["state"], &post["can_be_retracted"]), (&json!("pending"), &json!(false)), "{post}");
            let retraction = format!("/api/group-posts/{}/retraction", post["id"].as_str().unwrap());
            person.post(&retraction, json!({"reason": "写错了"})).await.problem(409, "post_not_retractable");
        }
        assert_eq!(person.get("/api/group-posts/sent").await.ok(), page);
    }
    // Why it ends somebody wrote.
    stage.act("cancellation", json!({"reason": "题目印错了"})).await.ok();
    let page = stage.office.get("/api/group-posts/sent").await.ok();
    let posts = page["items"].as_array().unwrap();
    assert_eq!(posts.iter().filter(|post| post["can_be_retracted"] == true).count(), 1, "{page}");
}
