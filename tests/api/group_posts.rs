//! What staff write for a group is read by a second person before it goes there, and corrected there when it was wrong.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use qingfeng_bot::{Bot, Reviewing};
use qingfeng_core::{
    groups::GroupChannel,
    ids::MessageId,
    outbox::{MessageState, entity as messages},
    people::{
        Role,
        concerns::{self, Concerns},
        entity::posts,
    },
    storage::Engine,
    subject::SubjectRef,
};
use qingfeng_sandbox::{Fault, FaultKind, Group, Phone, Platform, RunningSandbox, Sandbox};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Person, Scene, TestServer, bot_with, platform};

struct Press<'a> {
    server: &'a TestServer,
    scene: Scene<'a>,
    reader: Person,
    platform: Sandbox,
    running: RunningSandbox,
    bot: Bot,
}

impl<'a> Press<'a> {
    async fn of(server: &'a TestServer, reviewing: Reviewing) -> Self {
        let scene = Scene::of(server, 3).await;
        let cast = &scene.cast;
        let (reader, reader_id) = cast.township.staff_of(cast.township.id, Role::GroupAdministrator).await;
        let platform = platform(server);
        platform.add_group(Group::new("KEY", "东河村群"));
        cast.township.chat_group(cast.village, "东河村群", "KEY").await;
        platform.add_phone(Phone::new("phone-5", "群管理员").at_wecom("reader"));
        cast.township.at_wecom(reader_id, "reader").await;
        let running = platform.start("127.0.0.1:0").unwrap();
        let bot = bot_with(server, &running, reviewing);
        // The month's post is no matter of this test.
        bot.tick().await.unwrap();
        Self { server, scene, reader, platform, running, bot }
    }

    fn posts(&self) -> Vec<String> {
        let posts = self.platform.delivered_to_group("KEY");
        let texts = posts.iter().map(|post| post.content.text());
        texts
            .filter(|text| text.contains("整改公示") || text.contains("更正") || text.contains("整改进展** "))
            .collect()
    }

    async fn tick(&self) {
        self.server.clock.advance(TimeDelta::minutes(1));
        self.bot.tick().await.unwrap();
        self.bot.tick().await.unwrap();
    }

    /// Only people who used the mini-program lately may be named to the platform when it checks a text.
    async fn author_opens_the_mini_program(&self) {
        let cast = &self.scene.cast;
        self.platform.add_phone(Phone::new("phone-6", "书记"));
        cast.township.with_phone(cast.secretary_id, "phone-6").await;
        let code = self.platform.login_code("phone-6");
        let (base, account) = (self.running.wechat_base(), self.platform.account());
        let login = format!(
            "{base}/sns/jscode2session?appid={}&secret={}&js_code={code}&grant_type=authorization_code",
            account.app_id, account.app_secret
        );
        assert!(reqwest::get(login).await.unwrap().status().is_success());
    }

    /// Of the post that says what was promised.
    async fn post_state(&self) -> MessageState {
        let query = messages::Entity::find().filter(messages::Column::Kind.eq("rectification_published"));
        query.one(self.server.application.store.reader()).await.unwrap().unwrap().state
    }

    async fn waiting(&self) -> Vec<Value> {
        let page = self.reader.get("/api/group-posts?state=waiting").await.ok();
        page["items"].as_array().unwrap().clone()
    }
}

fn act(post: &Value, act: &str) -> String {
    format!("/api/group-posts/{}/{act}", post["id"].as_str().unwrap())
}

#[rstest]
#[actix_web::test]
async fn whom_the_matter_of_a_post_concerns_does_not_read_it_for_others(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let press = Press::of(&server, Reviewing::SecondPerson).await;
    let cast = &press.scene.cast;
    let (concerned, concerned_id) = cast.township.staff_of(cast.township.id, Role::TownshipLeader).await;
    press.scene.published().await;
    press.tick().await;
    let post = press.waiting().await.remove(0);
    assert_eq!(concerned.get("/api/group-posts").await.ok()["items"].as_array().unwrap().len(), 1);
    let message: MessageId = post["id"].as_str().unwrap().parse().unwrap();
    let county = cast.township.county;
    cast.township
        .write(move |unit| {
            Box::pin(async move {
                let message = messages::Entity::find_by_id(message).one(unit.connection()).await?.unwrap();
                let matter = SubjectRef { kind: message.subject_kind, id: message.subject_id };
                let about = Concerns { staff: vec![concerned_id], ..Concerns::default() };
                concerns::record(unit, county, matter, &about).await
            })
        })
        .await;
    assert_eq!(concerned.get("/api/group-posts").await.ok()["items"], json!([]));
    concerned.post(&act(&post, "rejection"), json!({"reason": "不要发"})).await.problem(404, "not_found");
    concerned.post(&act(&post, "approval"), json!({})).await.problem(404, "not_found");
    assert_eq!(press.post_state().await, MessageState::Held);
    press.reader.post(&act(&post, "approval"), json!({})).await.ok();
    press.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_second_person_lets_a_post_go_and_a_wrong_one_is_corrected_in_the_group(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let press = Press::of(&server, Reviewing::SecondPerson).await;
    let cast = &press.scene.cast;
    press.scene.published().await;
    press.tick().await;
    assert_eq!(press.posts(), [] as [String; 0]);
    let told = press.platform.delivered_to_member("reader");
    assert_eq!(told.iter().filter(|card| card.content.text().contains("要您看过")).count(), 1, "{told:?}");

    let waiting = press.waiting().await;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let post = &waiting[0];
    assert!(post["text"].as_str().unwrap().contains("整改公示"), "{post}");
    let stranger = server.township().await.staff(Role::GroupAdministrator).await;
    stranger.post(&act(post, "approval"), json!({})).await.problem(404, "not_found");
    cast.resident.post(&act(post, "approval"), json!({})).await.problem(403, "forbidden");
    cast.resident.get("/api/group-posts").await.problem(403, "forbidden");
    // Who wrote it is no second person.
    cast.secretary.post(&act(post, "approval"), json!({})).await.problem(403, "own_post");
    press.reader.post_once(&act(post, "approval"), "draft-0001", json!({})).await.ok();
    press.reader.post_once(&act(post, "approval"), "draft-0001", json!({})).await.ok();
    press.reader.post(&act(post, "approval"), json!({})).await.problem(409, "post_decided");
    press.tick().await;
    press.tick().await;
    assert_eq!(press.posts().len(), 1);

    // It was wrong: the correction is read by a second person, too.
    press.reader.post(&act(post, "retraction"), json!({"reason": " "})).await.problem(422, "invalid_input");
    let with_number = json!({"reason": "请打13800000000"});
    press.reader.post(&act(post, "retraction"), with_number).await.problem(422, "invalid_input");
    stranger.post(&act(post, "retraction"), json!({"reason": "错了"})).await.problem(404, "not_found");
    press.reader.post(&act(post, "retraction"), json!({"reason": "完成时限写错了"})).await.ok();
    press.reader.post(&act(post, "retraction"), json!({"reason": "再来"})).await.problem(409, "post_retracted");
    press.tick().await;
    assert_eq!(press.posts().len(), 1);
    let correction = cast.office.get("/api/group-posts?state=waiting").await.ok()["items"][0].clone();
    press.reader.post(&act(&correction, "approval"), json!({})).await.problem(403, "own_post");
    cast.office.post(&act(&correction, "approval"), json!({})).await.ok();
    press.tick().await;
    let posts = press.posts();
    assert!(posts.len() == 2 && posts[1].contains("完成时限写错了"), "{posts:?}");
    press.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_rejected_post_never_goes_out_and_one_that_waits_is_taken_back_without_a_word(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let press = Press::of(&server, Reviewing::SecondPerson).await;
    let cast = &press.scene.cast;
    let path = press.scene.published().await;
    press.tick().await;
    let post = press.waiting().await.remove(0);
    press.reader.post(&act(&post, "rejection"), json!({"reason": ""})).await.problem(422, "invalid_input");
    press.reader.post(&act(&post, "rejection"), json!({"reason": "目标写得太笼统"})).await.ok();
    press.reader.post(&act(&post, "approval"), json!({})).await.problem(409, "post_decided");

    let measures = cast.secretary.get(&path).await.ok()["measures"].clone();
    let done = json!({"text": "三盏都换了", "finished_measure_ids": [measures[0]["id"]]});
    press.scene.secretary(&path, "progress", done).await.ok();
    press.tick().await;
    let post = press.waiting().await.remove(0);
    cast.secretary.post(&act(&post, "retraction"), json!({"reason": "照片不对"})).await.ok();
    press.reader.post(&act(&post, "approval"), json!({})).await.problem(409, "post_decided");
    press.tick().await;
    assert_eq!(press.posts(), [] as [String; 0]);
    press.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_post_that_is_retracted_while_a_bot_has_it_stays_retracted(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 3).await;
    let cast = &scene.cast;
    let platform = platform(&server);
    cast.township.group(cast.village, "东河村群", GroupChannel::OrdinaryChat).await;
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = Arc::new(bot_with(&server, &running, Reviewing::RulesAlone));
    bot.tick().await.unwrap();
    scene.published().await;
    let post = || async {
        let query = messages::Entity::find().filter(messages::Column::Kind.eq("rectification_published"));
        query.one(server.application.store.reader()).await.unwrap().unwrap()
    };
    // The link for the post is long in coming.
    let slow = Fault::new(Platform::WeChat, FaultKind::Delay { milliseconds: 2000 }).at("/wxa/generate_urllink");
    platform.inject(slow);
    server.clock.advance(TimeDelta::minutes(1));
    let work = tokio::spawn({
        let bot = Arc::clone(&bot);
        async move { bot.tick().await.map(|_| ()) }
    });
    while post().await.state != MessageState::Sending {
        assert!(!work.is_finished(), "a post was due");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let retraction = format!("/api/group-posts/{}/retraction", post().await.id);
    cast.secretary.post(&retraction, json!({"reason": "照片不对"})).await.ok();
    work.await.unwrap().unwrap();
    bot.tick().await.unwrap();
    assert_eq!(post().await.state, MessageState::Withdrawn);
    let forwarded = cast.secretary.get("/api/prepared-posts").await.ok();
    let texts: Vec<_> = forwarded["items"].as_array().unwrap().iter().map(|item| item["text"].to_string()).collect();
    assert!(texts.iter().all(|text| !text.contains("整改公示")), "{texts:?}");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_bot_that_is_so_slow_in_reading_that_another_took_over_posts_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let press = Press::of(&server, Reviewing::Rules).await;
    press.author_opens_the_mini_program().await;
    press.scene.published().await;
    server.clock.advance(TimeDelta::minutes(1));
    let check = "/wxa/msg_sec_check";
    press.platform.inject(Fault::new(Platform::WeChat, FaultKind::Delay { milliseconds: 1500 }).at(check).times(1));
    let slow = bot_with(&server, &press.running, Reviewing::Rules);
    let work = tokio::spawn(async move { slow.tick().await.map(|_| ()) });
    while !press.platform.calls().iter().any(|call| call.endpoint == check) {
        assert!(!work.is_finished(), "a post was due");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The lease of the slow one runs out.
    server.clock.advance(TimeDelta::minutes(6));
    press.bot.tick().await.unwrap();
    assert_eq!(press.posts().len(), 1);
    work.await.unwrap().unwrap();
    assert_eq!((press.posts().len(), press.post_state().await), (1, MessageState::Sent));
    press.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn what_the_rules_find_is_held_back_also_where_one_person_is_enough(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let press = Press::of(&server, Reviewing::Rules).await;
    let cast = &press.scene.cast;
    press.author_opens_the_mini_program().await;
    let path = press.scene.published().await;
    press.tick().await;
    assert_eq!(press.posts().len(), 1, "nothing was found");
    // The platform checks nothing of who was not in the mini-program for two hours.
    server.clock.advance(TimeDelta::hours(3));
    let measures = cast.secretary.get(&path).await.ok()["measures"].clone();
    let done = json!({"text": "三组12号门口的灯换了", "finished_measure_ids": [measures[0]["id"]]});
    press.scene.secretary(&path, "progress", done).await.ok();
    press.tick().await;
    assert_eq!(press.posts().len(), 1);
    let post = press.waiting().await.remove(0);
    let kinds: Vec<_> = post["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].clone()).collect();
    assert_eq!(kinds, [json!("address"), json!("platform_unchecked")], "{post}");
    press.reader.post(&act(&post, "approval"), json!({})).await.ok();
    press.tick().await;
    assert_eq!(press.posts().len(), 2, "a person has seen it");
    press.running.stop().await;
}

#[rstest]
#[case::the_author_is_on_no_phone(false)]
#[case::the_author_was_there_hours_ago(true)]
#[actix_web::test]
async fn what_the_platform_could_not_check_is_held_where_somebody_wrote_it(
    #[case] has_phone: bool,
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let press = Press::of(&server, Reviewing::Rules).await;
    if has_phone {
        press.author_opens_the_mini_program().await;
        server.clock.advance(TimeDelta::hours(3));
    }
    press.scene.published().await;
    press.tick().await;
    assert_eq!(press.posts(), [] as [String; 0]);
    let post = press.waiting().await.remove(0);
    assert_eq!(post["findings"][0]["kind"], "platform_unchecked", "{post}");
    press.reader.post(&act(&post, "approval"), json!({})).await.ok();
    press.tick().await;
    assert_eq!(press.posts().len(), 1);
    press.running.stop().await;
}

#[actix_web::test]
async fn what_the_platform_refuses_nobody_lets_go() {
    let server = TestServer::start(Engine::Sqlite).await;
    let press = Press::of(&server, Reviewing::Rules).await;
    let cast = &press.scene.cast;
    press.author_opens_the_mini_program().await;
    let path = press.scene.published().await;
    press.tick().await;
    let measures = cast.secretary.get(&path).await.ok()["measures"].clone();
    for (number, (words, kind, lets_go)) in
        [("三盏都换了，违禁词", "platform_refuses", false), ("三盏都换了，可疑词", "platform_doubts", true)]
            .into_iter()
            .enumerate()
    {
        let done = json!({"text": words, "finished_measure_ids": [measures[number]["id"]]});
        press.scene.secretary(&path, "progress", done).await.ok();
        press.tick().await;
        let post = press.waiting().await.remove(0);
        assert_eq!(post["findings"][0]["kind"], kind, "{post}");
        let answer = press.reader.post(&act(&post, "approval"), json!({})).await;
        if lets_go {
            answer.ok();
        } else {
            answer.problem(409, "post_not_allowed");
            press.reader.post(&act(&post, "rejection"), json!({"reason": "微信不让发"})).await.ok();
        }
    }
    press.tick().await;
    let posts = press.posts();
    assert!(posts.len() == 2 && posts[1].contains("可疑词"), "{posts:?}");
    press.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn who_can_read_a_post_is_reminded_twice_and_then_the_office_sees_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let press = Press::of(&server, Reviewing::SecondPerson).await;
    press.scene.published().await;
    let (mut cards, mut states) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        press.tick().await;
        cards.push(press.platform.delivered_to_member("reader").len());
        states.push(press.post_state().await);
        server.clock.advance(TimeDelta::days(1));
    }
    assert_eq!(cards, [1, 2, 2, 3, 3, 3, 3, 3, 3], "at once, after one day, after three");
    assert_eq!(states[..7], [MessageState::Held; 7]);
    assert_eq!(states[7..], [MessageState::Parked; 2]);
    let undelivered = press.scene.cast.office.get("/api/messages").await.ok();
    assert!(undelivered.to_string().contains("一直没有第二个人看过"), "{undelivered}");
    // Late is better than never.
    let post = press.waiting().await.remove(0);
    press.reader.post(&act(&post, "approval"), json!({})).await.ok();
    press.tick().await;
    assert_eq!((press.posts().len(), press.post_state().await), (1, MessageState::Sent));
    press.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn what_went_out_without_a_second_person_after_all_is_let_go_by_nobody_any_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let press = Press::of(&server, Reviewing::SecondPerson).await;
    press.scene.published().await;
    for _ in 0..9 {
        press.tick().await;
        server.clock.advance(TimeDelta::days(1));
    }
    assert_eq!(press.post_state().await, MessageState::Parked);
    let post = press.waiting().await.remove(0);
    // The office sends it again, and by then one person is enough.
    let resending = format!("/api/messages/{}/resending", post["id"].as_str().unwrap());
    press.scene.cast.office.post(&resending, json!({})).await.ok();
    bot_with(&server, &press.running, Reviewing::RulesAlone).tick().await.unwrap();
    assert_eq!((press.posts().len(), press.post_state().await), (1, MessageState::Sent));
    assert_eq!(press.waiting().await, [] as [Value; 0]);
    press.reader.post(&act(&post, "approval"), json!({})).await.problem(409, "post_decided");
    press.tick().await;
    assert_eq!(press.posts().len(), 1);
    press.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn where_nobody_else_can_read_a_post_its_author_is_told(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let press = Press::of(&server, Reviewing::SecondPerson).await;
    let cast = &press.scene.cast;
    press.platform.add_phone(Phone::new("phone-6", "书记").at_wecom("author"));
    cast.township.at_wecom(cast.secretary_id, "author").await;
    press.scene.published().await;
    let author = cast.secretary_id;
    cast.township
        .write(move |unit| {
            Box::pin(async move {
                let others = posts::Entity::delete_many().filter(posts::Column::StaffId.ne(author));
                others.exec(unit.connection()).await?;
                Ok(())
            })
        })
        .await;
    press.tick().await;
    press.tick().await;
    assert_eq!(press.post_state().await, MessageState::Held);
    let told = press.platform.delivered_to_member("author");
    let of_it = told.iter().filter(|card| card.content.text().contains("没有别人能看")).count();
    assert_eq!(of_it, 1, "{told:?}");
    press.running.stop().await;
}
