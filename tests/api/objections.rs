//! "Not mine": everybody sees on the desk who said so of what; the office gives it to somebody else, or back.

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_core::{ids::OrganizationId, outbox, people::Role, storage::Engine};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{
    card_answers::Chat,
    support::{Cast, TestServer, bot, platform},
};

/// The secretary's duty of a small plan, and a rectification item of the village.
async fn items(cast: &Cast<'_>) -> [Value; 2] {
    let plan = include_str!("../../core/src/campaigns/reading/right.toml");
    cast.office.post("/api/campaigns", json!({"township_id": cast.township.id, "source": plan})).await.ok();
    let problem =
        json!({"village_id": cast.village.id, "way": "residents", "category": "all_talk", "words": "路灯不亮"});
    let problem = cast.office.post("/api/problems", problem).await.ok()["id"].clone();
    let item = json!({
        "village_id": cast.village.id, "problem_ids": [problem], "title": "路灯", "goal": "全亮", "measures": ["换灯"],
        "pace": "immediate", "due_on": "2026-04-10", "lead_unit_id": cast.village.id,
    });
    cast.office.post("/api/rectifications", item).await.ok();
    let desk = cast.secretary.get("/api/desk").await.ok();
    ["duty", "rectification"].map(|kind| {
        let lines = desk["items"].as_array().unwrap();
        lines.iter().find(|line| line["subject_kind"] == kind).unwrap_or_else(|| panic!("{desk}")).clone()
    })
}

fn line(desk: &Value, id: &Value) -> Option<Value> {
    desk["items"].as_array().unwrap().iter().find(|line| line["id"] == *id).cloned()
}

#[rstest]
#[actix_web::test]
async fn what_is_not_mine_is_seen_by_the_office_and_goes_to_somebody_else(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let elsewhere = cast.township.department("供电所").await;
    let (handler, handler_id) = cast.township.staff_of(elsewhere, Role::DepartmentHandler).await;
    let outside = server.township().await;
    let (_, stranger) = outside.staff_of(outside.village("南山村").await.id, Role::VillageSecretary).await;
    for item in items(&cast).await {
        let path = format!("/api/deadlines/{}", item["id"].as_str().unwrap());
        let decision = format!("{path}/objection/decision");
        assert_eq!((&item["mine"], &item["objection"]), (&json!(true), &Value::Null));
        let to_handler = json!({"staff_id": handler_id, "reason": "路灯归供电所管"});
        cast.office.post(&decision, to_handler.clone()).await.problem(409, "no_objection");
        cast.secretary.post(&format!("{path}/objection"), json!({"reason": "归供电所管"})).await.ok();

        // The office and the leader see who said what; only the office decides.
        for (person, may_decide) in [(&cast.office, true), (&cast.leader, false), (&cast.secretary, false)] {
            let seen = line(&person.get("/api/desk").await.ok(), &item["id"]).unwrap();
            assert_eq!(seen["objection"]["reason"], "归供电所管");
            assert_eq!(
                (&seen["objection"]["by"], &seen["objection"]["may_decide"]),
                (&json!("测试干部"), &json!(may_decide))
            );
        }
        for person in [&cast.leader, &cast.secretary, &cast.resident] {
            person.post(&decision, to_handler.clone()).await.problem(403, "forbidden");
        }
        for wrong in [json!(stranger), json!(cast.secretary_id)] {
            cast.office
                .post(&decision, json!({"staff_id": wrong, "reason": "归你"}))
                .await
                .problem(422, "invalid_input");
        }
        cast.office.post(&decision, json!({"reason": " "})).await.problem(422, "invalid_input");
        assert!(line(&handler.get("/api/desk").await.ok(), &item["id"]).is_none());

        cast.office.post(&decision, to_handler.clone()).await.ok();
        cast.office.post(&decision, to_handler).await.problem(409, "no_objection");
        let now = line(&handler.get("/api/desk").await.ok(), &item["id"]).unwrap();
        assert_eq!((&now["mine"], &now["objection"], &now["due_on"]), (&json!(true), &Value::Null, &item["due_on"]));
        assert!(line(&cast.secretary.get("/api/desk").await.ok(), &item["id"]).is_none(), "it left the other desk");
        // He may answer for it; the plan's schedule does not take it away from him.
        handler.post(&format!("{path}/acknowledgement"), json!({})).await.ok();
        let seen = line(&cast.leader.get("/api/desk").await.ok(), &item["id"]).unwrap();
        assert_eq!((&seen["acknowledged"], &seen["acknowledged_by"]), (&json!(true), &json!("测试干部")));
    }
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    server.clock.advance(TimeDelta::days(1));
    bot.tick().await.unwrap();
    let desk = handler.get("/api/desk").await.ok();
    assert_eq!(desk["items"].as_array().unwrap().len(), 2, "{desk}");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn nobody_decides_about_what_he_objected_to_himself(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let (colleague, colleague_id) = cast.township.staff_of(cast.township.id, Role::TownshipOffice).await;
    let [duty, _] = items(&cast).await;
    let path = format!("/api/deadlines/{}", duty["id"].as_str().unwrap());
    let decision = format!("{path}/objection/decision");
    cast.office.post(&format!("{path}/objection"), json!({"reason": "不归我们办"})).await.ok();
    assert_eq!(told(&server).await, [colleague_id.0], "he knows it already");
    for (person, may_decide) in [(&cast.office, false), (&colleague, true)] {
        let seen = line(&person.get("/api/desk").await.ok(), &duty["id"]).unwrap();
        assert_eq!(seen["objection"]["may_decide"], json!(may_decide));
    }
    for wanted in [json!(null), json!(colleague_id)] {
        let body = json!({"staff_id": wanted, "reason": "另有安排"});
        cast.office.post(&decision, body).await.problem(409, "own_objection");
    }
    colleague.post(&decision, json!({"staff_id": null, "reason": "按方案办"})).await.ok();
    let seen = line(&cast.office.get("/api/desk").await.ok(), &duty["id"]).unwrap();
    assert_eq!(seen["objection"], Value::Null);
}

/// Whom an objection is told.
async fn told(server: &TestServer) -> Vec<uuid::Uuid> {
    let messages = outbox::entity::Entity::find()
        .filter(outbox::entity::Column::Kind.eq("assignment_disputed"))
        .all(server.application.store.reader())
        .await
        .unwrap();
    messages.into_iter().map(|message| message.recipient_id).collect()
}

#[rstest]
#[actix_web::test]
async fn what_the_only_person_of_the_office_objects_to_is_decided_by_those_above(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let (leader, leader_id) = cast.township.staff_of(cast.township.id, Role::TownshipLeader).await;
    let [duty, _] = items(&cast).await;
    let path = format!("/api/deadlines/{}", duty["id"].as_str().unwrap());
    let decision = format!("{path}/objection/decision");
    cast.office.post(&format!("{path}/objection"), json!({"reason": "不归我们办"})).await.ok();
    let told = told(&server).await;
    assert!(told.len() == 2 && told.contains(&leader_id.0), "both leaders, and not he himself: {told:?}");
    for (person, may_decide) in [(&cast.office, false), (&leader, true), (&cast.leader, true)] {
        let seen = line(&person.get("/api/desk").await.ok(), &duty["id"]).unwrap();
        assert_eq!(seen["objection"]["may_decide"], json!(may_decide));
    }
    let stays = json!({"staff_id": null, "reason": "按方案办"});
    cast.office.post(&decision, stays.clone()).await.problem(409, "own_objection");
    cast.secretary.post(&decision, stays.clone()).await.problem(403, "forbidden");
    leader.post(&decision, stays).await.ok();
    let seen = line(&cast.leader.get("/api/desk").await.ok(), &duty["id"]).unwrap();
    assert_eq!(seen["objection"], Value::Null);
}

#[rstest]
#[actix_web::test]
async fn where_a_township_has_nobody_else_at_all_the_county_decides(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let township = server.township().await;
    let village = township.village("东河村").await;
    let (secretary, _) = township.staff_of(village.id, Role::VillageSecretary).await;
    let (office, _) = township.staff_of(township.id, Role::TownshipOffice).await;
    let above = OrganizationId(township.county.0);
    let (inspector, inspector_id) = township.staff_of(above, Role::CountyInspector).await;
    let plan = include_str!("../../core/src/campaigns/reading/right.toml");
    office.post("/api/campaigns", json!({"township_id": township.id, "source": plan})).await.ok();
    let desk = secretary.get("/api/desk").await.ok();
    let duty = desk["items"].as_array().unwrap().iter().find(|line| line["subject_kind"] == "duty").unwrap().clone();
    let path = format!("/api/deadlines/{}", duty["id"].as_str().unwrap());
    let decision = format!("{path}/objection/decision");
    office.post(&format!("{path}/objection"), json!({"reason": "不归我们办"})).await.ok();
    assert_eq!(told(&server).await, [inspector_id.0]);
    let seen = line(&inspector.get("/api/desk").await.ok(), &duty["id"]).unwrap();
    assert_eq!(seen["objection"]["may_decide"], true);

    // Somebody comes to the office: then it is his.
    let colleague = township.staff(Role::TownshipOffice).await;
    let stays = json!({"staff_id": null, "reason": "按方案办"});
    inspector.post(&decision, stays.clone()).await.problem(403, "forbidden");
    colleague.post(&decision, stays).await.ok();
}

#[rstest]
#[case::leader(Role::TownshipLeader)]
#[case::office(Role::TownshipOffice)]
#[case::disciplinary_officer(Role::DisciplinaryOfficer)]
#[actix_web::test]
async fn an_item_is_not_given_to_a_post_that_cannot_work_on_it(#[case] role: Role) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let (_, id) = cast.township.staff_of(cast.township.id, role).await;
    let [_, item] = items(&cast).await;
    let path = format!("/api/deadlines/{}", item["id"].as_str().unwrap());
    let decision = format!("{path}/objection/decision");
    cast.secretary.post(&format!("{path}/objection"), json!({"reason": "归供电所管"})).await.ok();
    let refused = cast.office.post(&decision, json!({"staff_id": id, "reason": "请您办"})).await;
    assert!(refused.text.contains("这位干部的岗位不能办理这类事项"), "{}", refused.text);
    refused.problem(422, "invalid_input");
    let kept = line(&cast.secretary.get("/api/desk").await.ok(), &item["id"]).unwrap();
    assert_eq!((&kept["mine"], &kept["objection"]["reason"]), (&json!(true), &json!("归供电所管")));
}

#[actix_web::test]
async fn what_stays_where_it_is_is_told_to_whoever_objected() {
    let server = TestServer::start(Engine::Sqlite).await;
    let chat = Chat::with_secretary(&server).await;
    let [duty, item] = items(&chat.cast).await;
    for told in [duty, item] {
        let path = format!("/api/deadlines/{}", told["id"].as_str().unwrap());
        chat.cast.secretary.post(&format!("{path}/objection"), json!({"reason": "归供电所管"})).await.ok();
        let stays = json!({"staff_id": null, "reason": "村里的灯归村里"});
        chat.cast.office.post(&format!("{path}/objection/decision"), stays).await.ok();
        let line = line(&chat.cast.secretary.get("/api/desk").await.ok(), &told["id"]).unwrap();
        assert_eq!((&line["mine"], &line["objection"]), (&json!(true), &Value::Null));
        // It can be said again, for another reason.
        chat.cast.secretary.post(&format!("{path}/objection"), json!({"reason": "我已调离"})).await.ok();
    }
    chat.bot.tick().await.unwrap();
    let said: String = chat.platform.delivered_to_member("secretary").iter().map(|card| card.content.text()).collect();
    assert!(said.contains("共") || said.contains("仍由您办"), "{said}");
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_button_says_it_of_a_duty_and_of_a_rectification_item(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let elsewhere = chat.cast.township.department("供电所").await;
    let (_, handler) = chat.cast.township.staff_of(elsewhere, Role::DepartmentHandler).await;
    let [duty, item] = items(&chat.cast).await;
    chat.bot.tick().await.unwrap();
    // A week ahead of each.
    for (told, morning, labels) in [
        (duty, "2026-03-18T01:00:00Z", vec!["知道了", "不是我的"]),
        (item, "2026-04-03T01:00:00Z", vec!["知道了", "要延期", "不是我的"]),
    ] {
        let morning: DateTime<Utc> = morning.parse().unwrap();
        // What else comes to the secretary comes the day before.
        server.clock.set(morning - TimeDelta::days(1));
        chat.bot.tick().await.unwrap();
        server.clock.set(morning);
        let (task, shown, _) = chat.latest_card().await;
        assert_eq!(shown, labels);
        chat.tap(&task, "not_mine").await;
        let said = chat.say("归供电所管").await;
        assert!(said.contains("已转告镇专项行动办"), "{said}");
        chat.bot.tick().await.unwrap();
        assert_eq!(chat.buttons_of(&task), ["已说明不是我的"]);
        let seen = line(&chat.cast.leader.get("/api/desk").await.ok(), &told["id"]).unwrap();
        assert_eq!(seen["objection"]["reason"], "归供电所管");
        let decision = format!("/api/deadlines/{}/objection/decision", told["id"].as_str().unwrap());
        chat.cast.office.post(&decision, json!({"staff_id": handler, "reason": "归供电所管"})).await.ok();
        chat.bot.tick().await.unwrap();
        let card = chat.platform.delivered_to_member("secretary").last().unwrap().content.text();
        assert!(card.contains("不归您办，已改派他人"), "{card}");
    }
    chat.running.stop().await;
}
