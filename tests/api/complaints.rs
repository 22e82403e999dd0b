use chrono::TimeDelta;
use qingfeng_core::{
    audit,
    outbox::{self, RecipientKind},
    people::Role,
    storage::Engine,
};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::support::{Cast, TestServer, path};

async fn messages(server: &TestServer, kind: &str) -> u64 {
    outbox::entity::Entity::find()
        .filter(outbox::entity::Column::Kind.eq(kind))
        .count(server.application.store.reader())
        .await
        .unwrap()
}

#[rstest]
#[actix_web::test]
async fn a_complaint_goes_from_the_resident_to_an_answer_that_satisfies_and_is_closed(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let path = cast.answered().await;
    cast.rate(&path, "satisfied").await.ok();
    cast.close(&path).await.ok();
    let view = cast.view(&path).await;
    assert_eq!(view["state"], "closed");
    let kinds: Vec<_> = view["timeline"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["registered", "classified", "dispatched", "accepted", "answered", "closed"]);
    for kind in ["complaint_dispatched", "complaint_accepted", "complaint_answered", "complaint_closed"] {
        assert_eq!(messages(&server, kind).await, 1, "{kind}");
    }
    assert_eq!(audit::verify(&server.application.store, cast.township.county).await.unwrap(), []);
}

#[rstest]
#[actix_web::test]
async fn a_dissatisfied_rating_reopens_the_complaint_and_nothing_closes_it_until_a_later_one_is_better(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let path = cast.answered().await;
    cast.rate(&path, "dissatisfied").await.ok();
    let view = cast.view(&path).await;
    assert_eq!((&view["state"], &view["round"]), (&json!("reopened"), &json!(2)));
    let case = &view["deadlines"].as_array().unwrap().iter().find(|row| row["kind"] == "bad_rating").unwrap().clone();
    assert_eq!(case["due_on"], "2026-03-23");
    cast.close(&path).await.problem(409, "somebody_dissatisfied");
    cast.dispatch(&path).await.problem(409, "call_back_missing");
    cast.call_back(&path, "reached").await.ok();
    cast.close(&path).await.problem(409, "somebody_dissatisfied");
    cast.dispatch(&path).await.ok();
    cast.secretary.post(&format!("{path}/acceptance"), json!({})).await.ok();
    cast.answer(&path).await.ok();
    cast.close(&path).await.problem(409, "somebody_dissatisfied");
    cast.rate(&path, "satisfied").await.ok();
    cast.close(&path).await.ok();
    assert_eq!(cast.view(&path).await["state"], "closed");
}

#[rstest]
#[actix_web::test]
async fn silence_is_not_consent(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let path = cast.answered().await;
    cast.close(&path).await.problem(409, "not_rated_yet");
    server.clock.advance(TimeDelta::days(16));
    cast.close(&path).await.problem(409, "not_rated_yet");
    cast.call_back(&path, "not_reached").await.ok();
    cast.close(&path).await.ok();
    let view = cast.view(&path).await;
    assert_eq!(view["timeline"].as_array().unwrap().last().unwrap()["text"], "未收到评价，经回访后办结，单独统计");
    assert_eq!(view["ratings"], json!([]));
    // The one who had been silent may still speak up.
    cast.rate(&path, "very_dissatisfied").await.ok();
    assert_eq!(cast.view(&path).await["state"], "reopened");
}

#[rstest]
#[actix_web::test]
async fn somebody_dissatisfied_who_falls_silent_keeps_the_complaint_open(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let path = cast.answered().await;
    cast.rate(&path, "dissatisfied").await.ok();
    cast.call_back(&path, "reached").await.ok();
    // Neither refusing nor merging it is a way out.
    cast.dispatch(&path).await.ok();
    let why = json!({"reason": "不归我们管"});
    cast.secretary.post(&format!("{path}/return"), why.clone()).await.ok();
    cast.office.post(&format!("{path}/refusal"), why).await.problem(409, "somebody_dissatisfied");
    cast.dispatch(&path).await.ok();
    cast.secretary.post(&format!("{path}/acceptance"), json!({})).await.ok();
    cast.answer(&path).await.ok();
    server.clock.advance(TimeDelta::days(16));
    cast.close(&path).await.problem(409, "somebody_dissatisfied");
    cast.call_back(&path, "not_reached").await.ok();
    cast.close(&path).await.problem(409, "somebody_dissatisfied");
    cast.rate(&path, "basically_satisfied").await.ok();
    cast.close(&path).await.ok();
}

#[rstest]
#[actix_web::test]
async fn a_content_neighbour_does_not_outweigh_a_dissatisfied_one() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let first = cast.filed().await;
    let (neighbour, _) = cast.township.resident(cast.village).await;
    let second = path(&neighbour.post("/api/complaints", json!({"body": "路灯不亮"})).await);
    let into = first.rsplit('/').next().unwrap();
    cast.office.post(&format!("{second}/merge"), json!({"into": into})).await.ok();
    cast.resident.post(&format!("{first}/withdrawal"), json!({})).await.problem(409, "others_brought_it_up");
    cast.classify(&first).await.ok();
    for round in 1..=2 {
        cast.dispatch(&first).await.ok();
        cast.secretary.post(&format!("{first}/acceptance"), json!({})).await.ok();
        cast.answer(&first).await.ok();
        if round == 1 {
            cast.rate(&first, "dissatisfied").await.ok();
            cast.call_back(&first, "reached").await.ok();
        }
    }
    neighbour.post(&format!("{first}/ratings"), json!({"level": "very_satisfied"})).await.ok();
    server.clock.advance(TimeDelta::days(16));
    cast.call_back(&first, "not_reached").await.ok();
    cast.close(&first).await.problem(409, "somebody_dissatisfied");
    cast.rate(&first, "satisfied").await.ok();
    cast.close(&first).await.ok();
}

#[rstest]
#[actix_web::test]
async fn who_wrote_a_complaint_down_and_saw_its_receipt_does_not_handle_it() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let body = json!({"village_id": cast.village.id, "channel": "visit", "complaint": {"body": "水管漏水"}});
    let path = path(&cast.secretary.post("/api/complaints/on-behalf", body).await);
    cast.classify(&path).await.ok();
    cast.dispatch(&path).await.problem(422, "recused");
    cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    cast.dispatch(&path).await.ok();
}

#[rstest]
#[actix_web::test]
async fn a_merge_does_not_put_a_complaint_into_the_hands_of_whom_it_is_about() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let first = cast.dispatched().await;
    let (neighbour, _) = cast.township.resident(cast.village).await;
    let about = json!({"body": "书记不管路灯", "concerns": {"staff": [cast.secretary_id]}});
    let second = path(&neighbour.post("/api/complaints", about).await);
    let into = json!({"into": first.rsplit('/').next().unwrap()});
    cast.office.post(&format!("{second}/merge"), into).await.problem(422, "recused");
}

#[rstest]
#[actix_web::test]
async fn somebody_without_a_phone_follows_and_rates_with_the_paper_receipt(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let body = json!({
        "village_id": cast.village.id, "channel": "visit", "complaint": {"body": "水管漏水", "category": "water"},
    });
    let filed = cast.office.post("/api/complaints/on-behalf", body).await;
    let code = filed.ok()["receipt_code"].as_str().unwrap().to_lowercase();
    let path = path(&filed);
    cast.classify(&path).await.ok();
    cast.dispatch(&path).await.ok();
    cast.secretary.post(&format!("{path}/acceptance"), json!({})).await.ok();
    cast.answer(&path).await.ok();
    let visitor = server.visitor();
    let seen = visitor.post("/api/receipts/lookup", json!({"receipt_code": code})).await.ok();
    assert_eq!((&seen["state"], &seen["actions"]), (&json!("answered"), &json!(["rate"])));
    let rating = json!({"receipt_code": code, "level": "very_dissatisfied", "comment": "还在漏"});
    visitor.post("/api/receipts/ratings", rating.clone()).await.ok();
    visitor.post("/api/receipts/ratings", rating).await.problem(409, "wrong_state");
    assert_eq!(cast.view(&path).await["state"], "reopened");
    let unknown = json!({"receipt_code": "2222-2222-2222-2"});
    visitor.post("/api/receipts/lookup", unknown).await.problem(404, "receipt_unknown");
}

#[rstest]
#[actix_web::test]
async fn a_complaint_is_never_given_to_the_unit_or_person_it_is_about(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let about_person = json!({"body": "办事拖拉", "concerns": {"staff": [cast.secretary_id]}});
    let person = path(&cast.resident.post("/api/complaints", about_person).await);
    let about_unit = json!({"body": "村里账目不清", "concerns": {"organizations": [cast.village.id]}});
    let unit = path(&cast.resident.post("/api/complaints", about_unit).await);
    for path in [&person, &unit] {
        cast.classify(path).await.ok();
        cast.dispatch(path).await.problem(422, "recused");
        // Those concerned do not even learn that it exists.
        cast.secretary.get(path).await.problem(404, "not_found");
    }
    let listed = cast.secretary.get("/api/complaints").await.ok();
    assert_eq!(listed["items"], json!([]));
    let department = cast.township.department("民政办").await;
    let (handler, _) = cast.township.staff_of(department, Role::DepartmentHandler).await;
    cast.office.post(&format!("{person}/dispatch"), json!({"unit_id": department})).await.ok();
    assert_eq!(handler.get("/api/complaints").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[rstest]
#[actix_web::test]
async fn merged_complaints_share_the_work_and_each_reporter_rates_alone(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let first = cast.filed().await;
    let (neighbour, _) = cast.township.resident(cast.village).await;
    server.clock.advance(TimeDelta::minutes(5));
    let second = path(&neighbour.post("/api/complaints", json!({"body": "路灯不亮"})).await);
    let into = first.rsplit('/').next().unwrap();
    cast.office.post(&format!("{second}/merge"), json!({"into": into})).await.ok();
    cast.classify(&first).await.ok();
    cast.dispatch(&first).await.ok();
    cast.secretary.post(&format!("{first}/acceptance"), json!({})).await.ok();
    cast.answer(&first).await.ok();
    assert_eq!(messages(&server, "complaint_answered").await, 2);
    cast.rate(&first, "satisfied").await.ok();
    cast.close(&first).await.problem(409, "not_rated_yet");
    neighbour.post(&format!("{first}/ratings"), json!({"level": "dissatisfied"})).await.ok();
    cast.close(&first).await.problem(409, "somebody_dissatisfied");
    // The other way round it would be a later one swallowing an earlier one.
    let later = second.rsplit('/').next().unwrap();
    cast.office.post(&format!("{first}/merge"), json!({"into": later})).await.problem(422, "cannot_merge");
}

#[rstest]
#[actix_web::test]
async fn nobody_but_its_reporters_rates_a_complaint_and_only_once_a_round(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let path = cast.answered().await;
    let (stranger, _) = cast.township.resident(cast.village).await;
    let rating = json!({"level": "very_satisfied"});
    stranger.post(&format!("{path}/ratings"), rating.clone()).await.problem(404, "not_found");
    for staff in [&cast.office, &cast.secretary, &cast.leader] {
        staff.post(&format!("{path}/ratings"), rating.clone()).await.problem(403, "forbidden");
    }
    server.visitor().post(&format!("{path}/ratings"), rating.clone()).await.problem(401, "sign_in_needed");
    let attempts = (0..8).map(|_| cast.rate(&path, "satisfied"));
    let answers = futures::future::join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 7);
    assert_eq!(cast.view(&path).await["ratings"].as_array().unwrap().len(), 1);
}

#[rstest]
#[actix_web::test]
async fn who_handles_a_complaint_does_not_rate_it_from_his_own_phone() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let id = cast.township.add_resident(cast.village, None, Some(cast.secretary_id)).await;
    let identity = qingfeng_core::people::sessions::Person {
        county: cast.township.county,
        kind: qingfeng_core::people::PersonKind::Resident,
        id: id.0,
    };
    let phone = server.signed_in(identity).await;
    let path = path(&phone.post("/api/complaints", json!({"body": "我家门口的路"})).await);
    cast.classify(&path).await.ok();
    cast.dispatch(&path).await.ok();
    cast.secretary.post(&format!("{path}/acceptance"), json!({})).await.ok();
    cast.answer(&path).await.ok();
    phone.post(&format!("{path}/ratings"), json!({"level": "very_satisfied"})).await.problem(403, "own_work");
}

#[rstest]
#[actix_web::test]
async fn a_draft_that_is_sent_again_is_filed_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let draft = json!({"body": "村口的路灯坏了"});
    let first = cast.resident.post_once("/api/complaints", "draft-0001", draft.clone()).await.ok();
    let again = cast.resident.post_once("/api/complaints", "draft-0001", draft).await.ok();
    assert_eq!(first, again);
    let other = json!({"body": "别的内容"});
    cast.resident.post_once("/api/complaints", "draft-0001", other).await.problem(409, "idempotency_key_reused");
    assert_eq!(cast.resident.get("/api/complaints").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[rstest]
#[actix_web::test]
async fn an_accusation_is_led_to_the_sealed_way_and_nothing_of_it_is_kept() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let body = json!({"body": "他收了钱", "is_accusation": true});
    cast.resident.post("/api/complaints", body).await.problem(409, "belongs_to_sealed_reports");
    assert_eq!(cast.office.get("/api/complaints").await.ok()["items"], json!([]));
}

#[rstest]
#[actix_web::test]
async fn texts_that_are_empty_or_too_long_are_refused_with_the_field() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let refused = |body: serde_json::Value| {
        let resident = cast.resident.clone();
        async move {
            resident.post("/api/complaints", body).await.problem(422, "invalid_input")["errors"][0]["pointer"].clone()
        }
    };
    assert_eq!(refused(json!({"body": "  "})).await, "/body");
    assert_eq!(refused(json!({"body": "长".repeat(2001)})).await, "/body");
    assert_eq!(refused(json!({"body": "好", "title": "长".repeat(41)})).await, "/title");
    assert_eq!(refused(json!({"body": "好", "category": "religion"})).await, "/category");
    assert_eq!(refused(json!({"body": "好", "photos": ["01890000-0000-7000-8000-000000000000"]})).await, "/photos");
}

#[rstest]
#[actix_web::test]
async fn an_extension_is_asked_for_with_a_reason_granted_by_somebody_else_and_told_to_the_resident(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let path = cast.working().await;
    let due = cast.view(&path).await["deadlines"].as_array().unwrap().last().unwrap()["due_on"].clone();
    assert_eq!(due, "2026-05-06");
    let ask = |new_due_on: &str, reason: &str| {
        let body = json!({"new_due_on": new_due_on, "reason": reason});
        let (secretary, address) = (&cast.secretary, format!("{path}/extensions"));
        async move { secretary.post(&address, body).await }
    };
    ask("2026-05-01", "材料未到").await.problem(422, "invalid_input");
    ask("2026-07-30", "材料未到").await.problem(422, "invalid_input");
    ask("2026-05-20", " ").await.problem(422, "invalid_input");
    let id = ask("2026-05-20", "灯具缺货").await.ok()["id"].as_str().unwrap().to_owned();
    ask("2026-05-21", "又想延").await.problem(409, "extension_pending");
    let decision = format!("/api/complaints/extensions/{id}/decision");
    let yes = json!({"decision": "approve", "reason": "情况属实"});
    cast.secretary.post(&decision, yes.clone()).await.problem(403, "forbidden");
    cast.leader.post(&decision, yes.clone()).await.ok();
    cast.leader.post(&decision, yes).await.problem(409, "extension_decided");
    let view = cast.resident.get(&path).await.ok();
    let deadline = view["deadlines"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&deadline["due_on"], &deadline["original_due_on"]), (&json!("2026-05-20"), &json!("2026-05-06")));
    assert!(deadline["explanation"].as_str().unwrap().contains("灯具缺货"));
    assert_eq!(messages(&server, "complaint_extended").await, 1);
    ask("2026-06-01", "再延一次").await.problem(409, "extension_used_up");
}

#[rstest]
#[actix_web::test]
async fn a_unit_returns_a_complaint_once() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let path = cast.dispatched().await;
    let why = json!({"reason": "不属于本村"});
    cast.secretary.post(&format!("{path}/return"), why.clone()).await.ok();
    cast.dispatch(&path).await.ok();
    cast.secretary.post(&format!("{path}/return"), why.clone()).await.problem(409, "returned_before");
}

#[rstest]
#[actix_web::test]
async fn lists_are_paged_by_key_and_show_only_what_one_may_see(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let (neighbour, _) = cast.township.resident(cast.village).await;
    for number in 0..35 {
        server.clock.advance(TimeDelta::seconds(1));
        cast.resident.post("/api/complaints", json!({"body": format!("第{number}件")})).await.ok();
    }
    let first = cast.office.get("/api/complaints").await.ok();
    assert_eq!(first["items"].as_array().unwrap().len(), 30);
    assert_eq!(first["items"][0]["title"], "第34件");
    let next = first["next"].as_str().unwrap();
    let second = cast.office.get(&format!("/api/complaints?before={next}")).await.ok();
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next"]), (5, &json!(null)));
    assert_eq!(neighbour.get("/api/complaints").await.ok()["items"], json!([]));
    let elsewhere = cast.township.village("西坡村").await;
    let (other, _) = cast.township.staff_of(elsewhere.id, Role::VillageSecretary).await;
    assert_eq!(other.get("/api/complaints").await.ok()["items"], json!([]));
    cast.office.get("/api/complaints?state=nonsense").await.problem(422, "invalid_query");
}

#[rstest]
#[actix_web::test]
async fn those_who_handle_a_complaint_are_not_told_who_brought_it_up() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let path = cast.answered().await;
    cast.rate(&path, "dissatisfied").await.ok();
    let (_, stranger) = cast.township.resident(cast.village).await;
    let text = cast.office.get(&path).await.text + &cast.secretary.get(&path).await.text;
    assert!(!text.contains("测试村民") && !text.contains("resident") && !text.contains(&stranger.to_string()));
    let told_staff = outbox::entity::Entity::find()
        .filter(outbox::entity::Column::RecipientKind.eq(RecipientKind::Staff))
        .all(server.application.store.reader())
        .await
        .unwrap();
    assert!(told_staff.iter().all(|message| !message.facts.to_string().contains("resident")));
}
