//! Groups with outside WeChat users: a post is a task at WeCom until its keeper taps it.

use std::time::Duration;

use chrono::TimeDelta;
use qingfeng_bot::{Bot, Reviewing, delivery::Delivered};
use qingfeng_core::{
    groups::{GroupChannel, RobotKey},
    outbox::{self, MessageState},
    storage::Engine,
};
use qingfeng_sandbox::{Fault, FaultKind, Group, Phone, Platform, RunningSandbox, Sandbox};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Cast, TestServer, bot, bot_with, platform};

const TASK: &str = "/cgi-bin/externalcontact/add_msg_template";
const RESULT: &str = "/cgi-bin/externalcontact/get_groupmsg_send_result";
const STOP: &str = "/cgi-bin/externalcontact/cancel_groupmsg_send";

/// A village whose only group is one of customers, looked after by its secretary, and two bots.
struct Scene<'a> {
    cast: Cast<'a>,
    platform: Sandbox,
    running: RunningSandbox,
    bots: [Bot; 2],
}

impl<'a> Scene<'a> {
    async fn of(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let platform = platform(server);
        let running = platform.start("127.0.0.1:0").unwrap();
        let bots = [bot(server, &running), bot(server, &running)];
        platform.add_group(Group::new("wrCustomers", "东河村客户群").of_customers("keeper"));
        platform.add_phone(Phone::new("phone-3", "书记").at_wecom("keeper"));
        cast.township.at_wecom(cast.secretary_id, "keeper").await;
        let channel = GroupChannel::WecomCustomerGroup(RobotKey::new("wrCustomers"));
        cast.township.group(cast.village, "东河村客户群", channel).await;
        Self { cast, platform, running, bots }
    }

    async fn tick(&self) {
        for bot in &self.bots {
            bot.tick().await.unwrap();
        }
    }

    async fn pass(&self, time: TimeDelta) {
        self.cast.township.server.clock.advance(time);
        self.tick().await;
        self.tick().await;
    }

    async fn messages(&self, kind: &str) -> Vec<outbox::entity::Model> {
        let posts = outbox::entity::Entity::find().filter(outbox::entity::Column::Kind.eq(kind));
        posts.all(self.cast.township.server.application.store.reader()).await.unwrap()
    }

    async fn post(&self) -> outbox::entity::Model {
        let mut posts = self.messages("monthly_progress").await;
        assert_eq!(posts.len(), 1, "the month's post");
        posts.remove(0)
    }

    async fn retraction(&self) -> String {
        format!("/api/group-posts/{}/retraction", self.post().await.id)
    }

    /// The correction is a task like any other: its keeper taps it.
    async fn is_corrected(&self) {
        assert_eq!(self.state().await, MessageState::Sent, "it is in the group");
        assert_eq!(self.tap(), 1);
        let posts = self.platform.delivered_to_group("wrCustomers");
        assert!(posts.len() == 2 && posts[1].content.text().contains("数字写错了"), "{posts:?}");
    }

    async fn state(&self) -> MessageState {
        self.post().await.state
    }

    fn in_the_group(&self) -> usize {
        self.platform.delivered_to_group("wrCustomers").len()
    }

    fn tap(&self) -> usize {
        self.platform.phone("phone-3").confirm_group_messages()
    }

    fn reminders(&self) -> usize {
        let cards = self.platform.delivered_to_member("keeper");
        cards.iter().filter(|card| card.content.text().contains("请在企业微信点发送")).count()
    }

    fn calls(&self, endpoint: &str) -> usize {
        self.platform.calls().iter().filter(|call| call.endpoint.ends_with(endpoint)).count()
    }

    async fn undelivered(&self) -> Vec<Value> {
        let page = self.cast.office.get("/api/messages").await.ok();
        page["items"].as_array().unwrap().clone()
    }
}

#[rstest]
#[actix_web::test]
async fn a_post_counts_as_sent_when_its_keeper_has_tapped_it_and_not_before(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    let delivered = scene.bots[0].tick().await.unwrap();
    assert_eq!(delivered, Delivered { handed_over: 1, ..Delivered::default() });
    assert_eq!((scene.state().await, scene.in_the_group()), (MessageState::HandedOver, 0), "nothing before the tap");
    for _ in 0..6 {
        scene.pass(TimeDelta::minutes(5)).await;
    }
    assert_eq!(scene.state().await, MessageState::HandedOver);
    assert_eq!(scene.calls("add_msg_template"), 1, "one task, however many bots look");
    assert_eq!(scene.calls(RESULT), 6, "asked by one of them, every five minutes");

    assert_eq!(scene.tap(), 1);
    let posts = scene.platform.delivered_to_group("wrCustomers");
    assert!(posts.len() == 1 && posts[0].content.text().contains("东河村"), "{posts:?}");
    assert!(!posts[0].content.text().contains("**"));
    scene.pass(TimeDelta::minutes(5)).await;
    let post = scene.post().await;
    assert_eq!((post.state, post.sent_at), (MessageState::Sent, Some(server.application.store.clock().now())));
    let asked = scene.calls(RESULT);
    scene.pass(TimeDelta::days(2)).await;
    assert_eq!((scene.calls(RESULT), scene.reminders()), (asked, 0), "done is done");
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn who_does_not_tap_is_reminded_three_times_and_then_the_office_sees_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.tick().await;
    let mut reminders = Vec::new();
    for _ in 0..42 {
        scene.pass(TimeDelta::hours(4)).await;
        reminders.push(scene.reminders());
    }
    let by_day: Vec<_> = reminders.iter().skip(5).step_by(6).copied().collect();
    assert_eq!(by_day, [2, 2, 3, 3, 3, 3, 3], "after three hours, a day, three days: {reminders:?}");
    assert_eq!(scene.state().await, MessageState::Parked);
    let undelivered = scene.undelivered().await;
    let lost = undelivered.iter().find(|item| item["recipient"] == "东河村客户群").unwrap();
    assert!(lost["reason"].as_str().unwrap().contains("一直没有在企业微信里点发送"), "{lost}");
    // What was given up cannot get there any more: sending it again doubles nothing.
    assert_eq!((scene.calls(STOP), scene.tap(), scene.in_the_group()), (1, 0, 0));

    let resend = format!("/api/messages/{}/resending", lost["id"].as_str().unwrap());
    scene.cast.office.post(&resend, json!({})).await.ok();
    scene.tick().await;
    assert_eq!((scene.state().await, scene.tap(), scene.in_the_group()), (MessageState::HandedOver, 1, 1));
    scene.pass(TimeDelta::minutes(5)).await;
    assert_eq!(scene.state().await, MessageState::Sent);
    assert_eq!(scene.calls("add_msg_template"), 2);
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_task_that_cannot_be_stopped_is_left_to_a_person(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.tick().await;
    scene.platform.inject(Fault::new(Platform::WeCom, FaultKind::Outage).at(RESULT));
    let outage = scene.platform.inject(Fault::new(Platform::WeCom, FaultKind::Outage).at(STOP));
    for _ in 0..8 {
        scene.pass(TimeDelta::days(1)).await;
    }
    assert_eq!(scene.reminders(), 0, "whether it was tapped is not known");
    assert_eq!(scene.state().await, MessageState::HandedOver, "it could still be tapped");
    assert!(scene.platform.end_fault(outage));
    scene.platform.inject(Fault::new(Platform::WeCom, FaultKind::Refuse { code: 40058 }).at(STOP));
    scene.pass(TimeDelta::hours(1)).await;
    assert_eq!(scene.state().await, MessageState::Unknown);
    let undelivered = scene.undelivered().await;
    assert!(
        undelivered.iter().any(|item| item["reason"].as_str().unwrap().contains("可能还会发出")),
        "{undelivered:?}"
    );
    assert_eq!(scene.calls("add_msg_template"), 1, "never sent again blindly");
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_retracted_post_cannot_be_tapped_any_more_and_one_that_was_is_corrected(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.tick().await;
    let retract = scene.retraction().await;
    let why = json!({"reason": "数字写错了"});
    scene.cast.secretary.post(&retract, why.clone()).await.ok();
    scene.pass(TimeDelta::minutes(1)).await;
    assert_eq!((scene.calls(STOP), scene.tap()), (1, 0));
    assert_eq!((scene.state().await, scene.in_the_group()), (MessageState::Withdrawn, 0));
    scene.running.stop().await;

    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.tick().await;
    let retract = scene.retraction().await;
    assert_eq!(scene.tap(), 1);
    scene.cast.secretary.post(&retract, why.clone()).await.ok();
    // Nobody has to find out, and say it a second time.
    scene.pass(TimeDelta::minutes(1)).await;
    assert_eq!(scene.calls(STOP), 0, "too late to take it back");
    scene.cast.secretary.post(&retract, why).await.problem(409, "post_retracted");
    scene.is_corrected().await;
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_retracted_post_that_cannot_be_stopped_is_corrected_when_it_is_tapped_after_all(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(false, true)] somebody_sees_it: bool,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.tick().await;
    scene.platform.inject(Fault::new(Platform::WeCom, FaultKind::Refuse { code: 40058 }).at(STOP));
    scene.cast.secretary.post(&scene.retraction().await, json!({"reason": "数字写错了"})).await.ok();
    scene.pass(TimeDelta::minutes(1)).await;
    assert_eq!(scene.state().await, MessageState::Unknown);
    let undelivered = scene.undelivered().await;
    let post = undelivered.iter().find(|item| item["recipient"] == "东河村客户群").unwrap();
    assert!(post["reason"].as_str().unwrap().contains("停不下来"), "{post}");
    let settle = |act: &str| format!("/api/messages/{}/{act}", post["id"].as_str().unwrap());
    scene.cast.office.post(&settle("resending"), json!({})).await.problem(409, "post_retracted");
    scene.pass(TimeDelta::minutes(30)).await;
    assert_eq!((scene.state().await, scene.messages("post_corrected").await.len()), (MessageState::Unknown, 0));

    assert_eq!(scene.tap(), 1);
    if somebody_sees_it {
        scene.cast.office.post(&settle("arrival"), json!({})).await.ok();
        scene.tick().await;
    } else {
        scene.pass(TimeDelta::minutes(30)).await;
    }
    scene.is_corrected().await;
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_post_that_is_retracted_while_its_task_is_made_is_stopped_and_not_corrected(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.platform.inject(Fault::new(Platform::WeCom, FaultKind::Delay { milliseconds: 1500 }).at(TASK).times(1));
    let meanwhile = async {
        for attempt in 0.. {
            if scene.calls(TASK) > 0 {
                break;
            }
            assert!(attempt < 2000, "a post was due");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.cast.secretary.post(&scene.retraction().await, json!({"reason": "数字写错了"})).await.ok();
    };
    let (ticked, ()) = futures::join!(scene.bots[0].tick(), meanwhile);
    ticked.unwrap();
    scene.pass(TimeDelta::minutes(3)).await;
    assert_eq!((scene.calls(STOP), scene.tap()), (1, 0));
    scene.pass(TimeDelta::minutes(10)).await;
    assert_eq!((scene.state().await, scene.in_the_group(), scene.tap()), (MessageState::Withdrawn, 0, 0));
    let corrections = scene.messages("post_corrected").await;
    let states: Vec<_> = corrections.iter().map(|correction| correction.state).collect();
    assert_eq!(states, [MessageState::Withdrawn]);
    scene.running.stop().await;
}

/// The bot that makes the task waits so long for the answer that another one gives the post up, and a second person is asked about its
/// correction.
#[rstest]
#[actix_web::test]
async fn a_correction_waits_with_the_task_of_its_post_also_when_that_comes_to_light_late(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(false, true)] is_tapped: bool,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    let careful = bot_with(&server, &scene.running, Reviewing::SecondPerson);
    let corrections = async || {
        let corrections = scene.messages("post_corrected").await;
        corrections.iter().map(|correction| correction.state).collect::<Vec<_>>()
    };
    let waiting = async || scene.cast.office.get("/api/group-posts?state=waiting").await.ok()["items"].clone();
    let late = scene.platform.inject(Fault::new(Platform::WeCom, FaultKind::Hold).at(TASK));
    let outage = scene.platform.inject(Fault::new(Platform::WeCom, FaultKind::Outage).at(STOP));
    let meanwhile = async {
        for attempt in 0.. {
            if scene.calls(TASK) > 0 {
                break;
            }
            assert!(attempt < 2000, "a post was due");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.cast.secretary.post(&scene.retraction().await, json!({"reason": "数字写错了"})).await.ok();
        server.clock.advance(TimeDelta::minutes(6));
        careful.tick().await.unwrap();
        assert_eq!((scene.state().await, corrections().await), (MessageState::Withdrawn, vec![MessageState::Held]));
        let asked = waiting().await;
        assert!(scene.platform.end_fault(late));
        format!("/api/group-posts/{}/approval", asked[0]["id"].as_str().unwrap())
    };
    let (ticked, approval) = futures::join!(scene.bots[0].tick(), meanwhile);
    ticked.unwrap();
    assert_eq!((corrections().await, waiting().await), (vec![MessageState::Withdrawn], json!([])));
    scene.cast.office.post(&approval, json!({})).await.problem(409, "post_decided");
    scene.pass(TimeDelta::minutes(1)).await;
    assert_eq!(corrections().await, [MessageState::Withdrawn], "nothing is in the group");

    // The first attempt to stop the task failed.
    if is_tapped {
        assert_eq!(scene.tap(), 1);
        scene.pass(TimeDelta::hours(1)).await;
        scene.is_corrected().await;
    } else {
        assert!(scene.platform.end_fault(outage));
        scene.pass(TimeDelta::hours(1)).await;
        assert_eq!((scene.state().await, scene.tap(), scene.in_the_group()), (MessageState::Withdrawn, 0, 0));
        assert_eq!(corrections().await, [MessageState::Withdrawn]);
    }
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_group_that_nobody_at_wecom_looks_after_and_one_that_is_not_the_keeper_s_are_parked(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    platform.add_group(Group::new("wrCustomers", "东河村客户群").of_customers("somebody"));
    let channel = GroupChannel::WecomCustomerGroup(RobotKey::new("wrCustomers"));
    cast.township.group(cast.village, "东河村客户群", channel).await;
    bot.tick().await.unwrap();
    let parked = cast.office.get("/api/messages").await.ok();
    assert!(parked.to_string().contains("没有绑定了企业微信的转发人"), "{parked}");

    platform.add_phone(Phone::new("phone-3", "书记").at_wecom("keeper"));
    cast.township.at_wecom(cast.secretary_id, "keeper").await;
    let resend = format!("/api/messages/{}/resending", parked["items"][0]["id"].as_str().unwrap());
    cast.office.post(&resend, json!({})).await.ok();
    bot.tick().await.unwrap();
    let parked = cast.office.get("/api/messages").await.ok();
    assert!(parked.to_string().contains("群主不是转发人"), "{parked}");
    running.stop().await;
}
