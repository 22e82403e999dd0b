//! Who is away, and who stands in.

use chrono::TimeDelta;
use qingfeng_core::{
    ids::StaffId,
    outbox::{self, Notice, Recipient},
    people::{
        Role,
        concerns::{self, Concerns},
        entity::staff,
    },
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::Phone;
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Cast, TestServer, bot, platform};

fn draft(deputy: StaffId, from: &str, to: &str) -> Value {
    json!({"deputy_id": deputy, "from": from, "to": to})
}

/// A card for this person.
async fn assigned(cast: &Cast<'_>, to: StaffId) {
    let (county, township) = (cast.township.county, cast.township.id);
    let subject = SubjectRef { kind: SubjectKind::Rectification, id: Uuid::now_v7() };
    let notice = Notice::new(Recipient::Staff(to), "rectification_assigned", subject)
        .township(township)
        .facts(json!({"title": "村口路灯更换", "due_on": "2026-05-31"}));
    cast.township.write(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await;
}

async fn leaves_the_service(cast: &Cast<'_>, person: StaffId) {
    cast.township
        .write(move |unit| {
            Box::pin(async move {
                staff::Entity::update_many()
                    .col_expr(staff::Column::Active, Expr::value(false))
                    .filter(staff::Column::Id.eq(person))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await;
}

#[rstest]
#[actix_web::test]
async fn while_somebody_is_away_his_messages_go_to_whoever_stands_in(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let (_, deputy) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let platform = platform(&server);
    for (number, (user, staff)) in [("secretary", cast.secretary_id), ("deputy", deputy)].into_iter().enumerate() {
        platform.add_phone(Phone::new(format!("phone-{number}"), user).at_wecom(user));
        cast.township.at_wecom(staff, user).await;
    }
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    cast.secretary.post("/api/absences", draft(deputy, "2026-03-03", "2026-03-04")).await.ok();

    let county = cast.township.county;
    let tell = async |step: &'static str, about: Option<StaffId>| {
        let to = cast.secretary_id;
        let subject = SubjectRef { kind: SubjectKind::Rectification, id: Uuid::now_v7() };
        cast.township
            .write(move |unit| {
                Box::pin(async move {
                    if let Some(person) = about {
                        let about = Concerns { staff: vec![person], ..Concerns::default() };
                        concerns::record(unit, county, subject, &about).await?;
                    }
                    let notice = Notice::new(Recipient::Staff(to), "rectification_assigned", subject)
                        .step(step)
                        .facts(json!({"title": "村口路灯更换", "due_on": "2026-05-31"}));
                    outbox::enqueue(unit, county, vec![notice]).await.map(|_| ())
                })
            })
            .await;
    };
    let arrived = || (platform.delivered_to_member("secretary").len(), platform.delivered_to_member("deputy").len());
    tell("before", None).await;
    bot.tick().await.unwrap();
    assert_eq!(arrived(), (1, 0));
    server.clock.advance(TimeDelta::days(1));
    tell("away", None).await;
    // Whom it is about does not learn of it by standing in.
    tell("about the deputy", Some(deputy)).await;
    bot.tick().await.unwrap();
    assert_eq!(arrived(), (2, 1));
    let card = platform.delivered_to_member("deputy")[0].content.text();
    assert!(card.contains("您代理测试干部的工作"), "{card}");
    server.clock.advance(TimeDelta::days(2));
    tell("back", None).await;
    bot.tick().await.unwrap();
    assert_eq!(arrived(), (3, 1));
    running.stop().await;
}

#[rstest]
#[case::who_stands_in_is_on_no_phone(None)]
#[case::who_stands_in_has_left(Some("left"))]
#[actix_web::test]
async fn what_cannot_reach_whoever_stands_in_reaches_the_person(
    #[case] deputy_at_wecom: Option<&'static str>,
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let (_, deputy) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let platform = platform(&server);
    platform.add_phone(Phone::new("phone-1", "书记").at_wecom("secretary"));
    cast.township.at_wecom(cast.secretary_id, "secretary").await;
    let running = platform.start("127.0.0.1:0").unwrap();
    cast.secretary.post("/api/absences", draft(deputy, "2026-03-02", "2026-03-04")).await.ok();
    if let Some(user) = deputy_at_wecom {
        cast.township.at_wecom(deputy, user).await;
        leaves_the_service(&cast, deputy).await;
    }
    assigned(&cast, cast.secretary_id).await;
    let delivered = bot(&server, &running).tick().await.unwrap();
    assert_eq!((delivered.cards, delivered.parked), (1, 0));
    assert_eq!(platform.delivered_to_member("secretary").len(), 1);
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_deputy_who_is_away_too_has_his_own_stand_in_for_both(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let (deputy, deputy_id) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let (_, second_id) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let platform = platform(&server);
    let people = [("secretary", cast.secretary_id), ("deputy", deputy_id), ("second", second_id)];
    for (number, (user, staff)) in people.into_iter().enumerate() {
        platform.add_phone(Phone::new(format!("phone-{number}"), user).at_wecom(user));
        cast.township.at_wecom(staff, user).await;
    }
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let arrived = || people.map(|(user, _)| platform.delivered_to_member(user).len());
    cast.secretary.post("/api/absences", draft(deputy_id, "2026-03-02", "2026-03-10")).await.ok();
    deputy.post("/api/absences", draft(second_id, "2026-03-03", "2026-03-04")).await.ok();
    // Day by day: the deputy is there, is away, is away with nobody left to stand in, and is back.
    for (has_left, expected) in [(false, [0, 1, 0]), (false, [0, 1, 1]), (true, [1, 1, 1]), (false, [1, 2, 1])] {
        if has_left {
            leaves_the_service(&cast, second_id).await;
        }
        assigned(&cast, cast.secretary_id).await;
        bot.tick().await.unwrap();
        assert_eq!(arrived(), expected);
        server.clock.advance(TimeDelta::days(1));
    }
    running.stop().await;
}

#[actix_web::test]
async fn what_was_meant_for_somebody_who_left_says_so() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let (_, never_bound) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    leaves_the_service(&cast, cast.secretary_id).await;
    for person in [cast.secretary_id, never_bound] {
        assigned(&cast, person).await;
    }
    bot(&server, &running).tick().await.unwrap();
    let page = cast.office.get("/api/messages").await.ok();
    let mut reasons: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| item["reason"].to_string()).collect();
    reasons.sort();
    assert_eq!(reasons, ["\"本人已离任，这件事要交给别人\"", "\"本人还没有绑定微信\""], "{page}");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn absences_are_said_by_oneself_or_the_office_for_people_of_one_unit() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let (colleague, colleague_id) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let elsewhere = cast.township.village("西坡村").await;
    let (stranger, stranger_id) = cast.township.staff_of(elsewhere.id, Role::VillageSecretary).await;
    let secretary = &cast.secretary;
    let seen = secretary.get("/api/absences").await.ok();
    assert_eq!(seen["deputies"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(seen["deputies"][0]["id"], json!(colleague_id));

    for (deputy, from, to) in [
        (stranger_id, "2026-03-03", "2026-03-04"),
        (cast.secretary_id, "2026-03-03", "2026-03-04"),
        (colleague_id, "2026-03-01", "2026-03-04"),
        (colleague_id, "2026-03-04", "2026-03-03"),
        (colleague_id, "2026-03-03", "2026-07-01"),
    ] {
        secretary.post("/api/absences", draft(deputy, from, to)).await.problem(422, "invalid_input");
    }
    let of_secretary =
        json!({"staff_id": cast.secretary_id, "deputy_id": colleague_id, "from": "2026-03-03", "to": "2026-03-09"});
    colleague.post("/api/absences", of_secretary.clone()).await.problem(404, "not_found");
    stranger.post("/api/absences", of_secretary.clone()).await.problem(404, "not_found");
    cast.resident.post("/api/absences", of_secretary.clone()).await.problem(403, "forbidden");
    let id = cast.office.post("/api/absences", of_secretary.clone()).await.ok()["id"].clone();
    secretary.post("/api/absences", of_secretary).await.problem(409, "absence_overlaps");
    let other_way = draft(cast.secretary_id, "2026-03-05", "2026-03-06");
    colleague.post("/api/absences", other_way.clone()).await.problem(409, "deputy_absent");

    let end = format!("/api/absences/{}/end", id.as_str().unwrap());
    stranger.post(&end, json!({})).await.problem(404, "not_found");
    secretary.post(&end, json!({})).await.ok();
    secretary.post(&end, json!({})).await.problem(404, "not_found");
    colleague.post("/api/absences", other_way).await.ok();
}
