//! A village's groups of every kind, and the robots' keys.

use qingfeng_bot::delivery::Delivered;
use qingfeng_core::{
    groups::{self, GroupChannel, GroupKind as Kind, RobotKey},
    outbox::{self, Notice, Recipient},
    people::{Actor, entity::staff},
    refusal::Fault,
    storage::{Command, Engine},
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Fault as PlatformFault, FaultKind, Group, GroupKind, Phone, Platform};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Cast, TestServer, bot, platform};

const SECRET: &str = "SECof-the-robot";

#[rstest]
#[actix_web::test]
async fn one_invitation_reaches_the_village_s_groups_on_every_platform(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let robots = [
        (Kind::WecomRobot, RobotKey::new("wecom-key"), Group::new("wecom-key", "村务群")),
        (
            Kind::DingtalkRobot,
            RobotKey::new("dingtalk-key").signed_with(SECRET),
            Group::new("dingtalk-key", "钉钉群").of_kind(GroupKind::Dingtalk).signed_with(SECRET),
        ),
        (
            Kind::FeishuRobot,
            RobotKey::new("feishu-key").signed_with(SECRET),
            Group::new("feishu-key", "飞书群").of_kind(GroupKind::Feishu).signed_with(SECRET),
        ),
    ];
    for (kind, key, group) in robots {
        let channel = GroupChannel::of(kind, Some(key)).unwrap();
        cast.township.group(cast.village, &group.name.clone(), channel).await;
        platform.add_group(group);
    }
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-03-09", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
    let delivered = bot(&server, &running).tick().await.unwrap();
    assert_eq!(delivered, Delivered { cards: 6, messages: 6, ..Delivered::default() }, "with the monthly progress");
    for key in ["wecom-key", "dingtalk-key", "feishu-key"] {
        let posts = platform.delivered_to_group(key);
        let invitations = posts.iter().filter(|post| post.content.text().contains("自来水")).count();
        assert_eq!((posts.len(), invitations), (2, 1), "{key} {posts:?}");
    }
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_robot_s_key_is_rotated_and_the_old_one_is_gone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let application = &server.application;
    let robot = |key: &str| GroupChannel::WecomRobot(RobotKey::new(key));
    let id = cast.township.group(cast.village, "村务群", robot("old-key")).await;
    let ordinary = cast.township.group(cast.village, "村民群", GroupChannel::OrdinaryChat).await;
    let county = cast.township.county;
    let command = Command::by(&Actor::System { county });
    let rotate = async |id, county| {
        let key = RobotKey::new("new-key");
        groups::rotate_key(&application.store, &command, &application.sealer, county, id, key).await
    };
    rotate(id, county).await.unwrap();
    let group = groups::entity::Entity::find_by_id(id).one(application.store.reader()).await.unwrap().unwrap();
    assert_eq!(groups::robot_key(&application.sealer, &group).unwrap(), Some(RobotKey::new("new-key")));
    let stored = String::from_utf8_lossy(&group.robot_key_sealed).into_owned();
    assert!(!stored.contains("new-key") && !stored.contains("old-key"), "the database alone opens nothing");
    let refused = |result: Result<_, Fault>| match result.map(|_: qingfeng_core::storage::Outcome<()>| ()) {
        Err(Fault::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(rotate(ordinary, county).await), "group_has_no_robot");
    let elsewhere = server.township().await.county;
    assert_eq!(refused(rotate(id, elsewhere).await), "not_found");
}

#[rstest]
#[actix_web::test]
async fn a_robot_whose_old_key_is_refused_keeps_its_group_when_it_has_a_new_one(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    platform.add_group(Group::new("new-key", "东河村村民群"));
    let running = platform.start("127.0.0.1:0").unwrap();
    let id =
        cast.township.group(cast.village, "东河村村民群", GroupChannel::WecomRobot(RobotKey::new("old-key"))).await;
    // The month's post is on its way with the old key; while the platform refuses that, the robot gets the new one.
    let send = "/cgi-bin/webhook/send";
    platform.inject(PlatformFault::new(Platform::WeCom, FaultKind::Delay { milliseconds: 1500 }).at(send).times(1));
    let bot = std::sync::Arc::new(bot(&server, &running));
    let work = tokio::spawn({
        let bot = std::sync::Arc::clone(&bot);
        async move { bot.tick().await.map(|_| ()) }
    });
    while !platform.calls().iter().any(|call| call.endpoint == send) {
        assert!(!work.is_finished(), "a post was due");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    cast.township.new_robot_key("东河村村民群", "new-key").await;
    work.await.unwrap().unwrap();
    bot.tick().await.unwrap();
    let group = groups::entity::Entity::find_by_id(id).one(server.application.store.reader()).await.unwrap().unwrap();
    assert!(group.active);
    assert_eq!(platform.delivered_to_group("new-key").len(), 1);
    let told = outbox::entity::Entity::find().filter(outbox::entity::Column::Kind.eq("group_robot_gone"));
    assert!(told.all(server.application.store.reader()).await.unwrap().is_empty(), "nobody has to do anything");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn staff_with_wecom_are_told_there_and_those_whom_it_does_not_know_on_their_phone(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    platform.add_phone(Phone::new("phone-9", "办事员").at_wecom("clerk"));
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let clerk = cast.township.add_staff_with_phone(cast.village.id, "phone-9").await;
    let tell = async |step: &'static str| {
        let county = cast.township.county;
        let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
        let notice = Notice::new(Recipient::Staff(clerk), "complaint_assigned", subject)
            .step(step)
            .facts(json!({"title": "村口路灯坏了"}));
        cast.township.write(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await;
    };
    let at_wecom = async |user: &'static str| {
        cast.township
            .write(move |unit| {
                Box::pin(async move {
                    staff::Entity::update_many()
                        .col_expr(staff::Column::WecomUserId, Expr::value(user))
                        .filter(staff::Column::Id.eq(clerk))
                        .exec(unit.connection())
                        .await?;
                    Ok(())
                })
            })
            .await;
    };
    at_wecom("clerk").await;
    tell("first").await;
    assert_eq!(bot.tick().await.unwrap().cards, 1);
    let card = platform.delivered_to_member("clerk");
    assert!(card.len() == 1 && card[0].content.text().contains("村口路灯坏了"), "{card:?}");

    // The corporation dropped him: without an accept on his phone the message is parked, with the reason.
    at_wecom("somebody-else").await;
    tell("second").await;
    let delivered = bot.tick().await.unwrap();
    assert_eq!(delivered, Delivered { parked: 1, ..Delivered::default() });
    assert_eq!(platform.delivered_to_member("clerk").len(), 1);

    // An outage: nothing arrives, nothing is lost, and afterwards it arrives once.
    at_wecom("clerk").await;
    let outage = platform.inject(PlatformFault::new(Platform::WeCom, FaultKind::Outage));
    tell("third").await;
    assert_eq!(bot.tick().await.unwrap().postponed, 1);
    assert!(platform.end_fault(outage));
    server.clock.advance(chrono::TimeDelta::minutes(3));
    assert_eq!(bot.tick().await.unwrap().cards, 1);
    assert_eq!(platform.delivered_to_member("clerk").len(), 2);
    running.stop().await;
}
