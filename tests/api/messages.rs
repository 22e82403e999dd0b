use chrono::TimeDelta;
use qingfeng_core::{
    ids::{ResidentId, SealedSurveyId},
    outbox::{self, Notice, Recipient},
    people::Role,
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Fault, FaultKind, Group, Platform};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Cast, TestServer, bot, platform};

/// A survey's invitation goes to a group whose robot was taken out.
async fn group_without_robot(cast: &Cast<'_>) {
    cast.township.chat_group(cast.village, "东河村村民群", "group-key").await;
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-03-09", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
}

async fn told_of_the_robot(server: &TestServer) -> usize {
    let notices = outbox::entity::Entity::find()
        .filter(outbox::entity::Column::Kind.eq("group_robot_gone"))
        .all(server.application.store.reader())
        .await;
    notices.unwrap().len()
}

/// The post into the group, among what did not get through.
fn post_of(page: &Value) -> &Value {
    page["items"].as_array().unwrap().iter().find(|item| item["recipient_kind"] == "group").expect("a post")
}

fn recipients(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["recipient_kind"].as_str().unwrap()).collect()
}

#[rstest]
#[actix_web::test]
async fn what_did_not_get_through_is_seen_with_its_reason_and_sent_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    group_without_robot(&cast).await;
    bot.tick().await.unwrap();
    let page = cast.office.get("/api/messages").await.ok();
    let post = post_of(&page);
    assert_eq!((&post["recipient"], &post["state"]), (&json!("东河村村民群"), &json!("parked")), "{page}");
    assert_eq!(post["recipient_place"], "东河村");
    assert!(post["reason"].as_str().is_some_and(|reason| !reason.is_ascii()), "{page}");
    assert_eq!(post["why"], Value::Null, "a group is not told why");

    // Its robot is gone: nothing goes there any more, and those who can set it up are told once.
    bot.tick().await.unwrap();
    assert_eq!(told_of_the_robot(&server).await, 1);
    platform.add_group(Group::new("group-key", "东河村村民群"));
    cast.township.new_robot_key("东河村村民群", "group-key").await;
    let again = format!("/api/messages/{}/resending", post["id"].as_str().unwrap());
    cast.secretary.post(&again, json!({})).await.problem(404, "not_found");
    server.township().await.staff(Role::TownshipOffice).await.post(&again, json!({})).await.problem(404, "not_found");
    cast.office.post_once(&again, "draft-0001", json!({})).await.ok();
    cast.office.post_once(&again, "draft-0001", json!({})).await.ok();
    cast.office.post(&again, json!({})).await.problem(409, "message_not_parked");
    bot.tick().await.unwrap();
    assert_eq!(platform.delivered_to_group("group-key").len(), 1);
    cast.office.post(&again, json!({})).await.problem(409, "message_not_parked");
    let left = cast.office.get("/api/messages").await.ok();
    assert!(left["items"].as_array().unwrap().iter().all(|item| item["id"] != post["id"]), "{left}");
    let unknown = "/api/messages/01890000-0000-7000-8000-000000000000/resending";
    cast.office.post(unknown, json!({})).await.problem(404, "not_found");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn of_a_post_nobody_knows_about_somebody_says_that_it_arrived(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    platform.add_group(Group::new("group-key", "东河村村民群"));
    platform.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at("/cgi-bin/webhook/send").times(1));
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    group_without_robot(&cast).await;
    bot.tick().await.unwrap();
    let page = cast.office.get("/api/messages").await.ok();
    let post = post_of(&page);
    assert_eq!(post["state"], "unknown", "{page}");
    let posts = platform.delivered_to_group("group-key").len();

    let arrived = format!("/api/messages/{}/arrival", post["id"].as_str().unwrap());
    cast.secretary.post(&arrived, json!({})).await.problem(404, "not_found");
    server.township().await.staff(Role::TownshipOffice).await.post(&arrived, json!({})).await.problem(404, "not_found");
    cast.office.post_once(&arrived, "draft-0001", json!({})).await.ok();
    cast.office.post_once(&arrived, "draft-0001", json!({})).await.ok();
    cast.office.post(&arrived, json!({})).await.problem(409, "message_not_unknown");
    assert_eq!(cast.office.get("/api/messages").await.ok()["items"], json!([]));
    bot.tick().await.unwrap();
    assert_eq!(platform.delivered_to_group("group-key").len(), posts, "it is not sent again");
    running.stop().await;
}

#[actix_web::test]
async fn what_goes_to_everybody_on_a_roll_is_nothing_to_go_after() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let resident = cast.township.add_resident(cast.village, None, None).await;
    let (county, township) = (cast.township.county, cast.township.id);
    cast.township
        .write(move |unit| {
            Box::pin(async move {
                let card = Notice::new(
                    Recipient::Resident(resident),
                    "sealed_survey_opened",
                    SealedSurveyId::new(unit.randomness(), unit.now()),
                );
                outbox::enqueue(unit, county, vec![card.township(township).facts(json!({"title": "村务满意度"}))]).await
            })
        })
        .await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    bot(&server, &running).tick().await.unwrap();
    let state = outbox::entity::Entity::find().one(server.application.store.reader()).await.unwrap().unwrap().state;
    assert_eq!(state, outbox::MessageState::Parked, "nobody has a phone there");
    assert_eq!(cast.office.get("/api/messages").await.ok()["items"], json!([]));
    running.stop().await;
}

/// News about some complaint for each of so many residents who have no phone.
async fn news_for(cast: &Cast<'_>, residents: usize) {
    let (county, township) = (cast.township.county, cast.township.id);
    let notice = |_| {
        let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
        Notice::new(Recipient::Resident(ResidentId(Uuid::now_v7())), "complaint_accepted", subject)
            .township(township)
            .facts(json!({"title": "村口路灯坏了"}))
    };
    let notices = (0..residents).map(notice).collect();
    cast.township.write(move |unit| Box::pin(outbox::enqueue(unit, county, notices))).await;
}

#[rstest]
#[actix_web::test]
async fn residents_who_were_not_reached_are_counted_by_the_day_and_a_handful_is_not_shown(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    news_for(&cast, 9).await;
    bot.tick().await.unwrap();
    let page = cast.office.get("/api/messages").await.ok();
    assert_eq!(
        (&page["items"], &page["residents"]),
        (&json!([]), &json!([])),
        "nine would lead back to their complaints"
    );
    server.clock.advance(TimeDelta::days(1));
    news_for(&cast, 12).await;
    bot.tick().await.unwrap();
    let page = cast.office.get("/api/messages").await.ok();
    let residents = json!([{"day": "2026-03-03", "messages": 12}]);
    assert_eq!((&page["items"], &page["residents"]), (&json!([]), &residents));
    for (person, seen) in [
        (cast.township.staff(Role::GroupAdministrator).await, json!([])),
        (server.township().await.staff(Role::TownshipOffice).await, json!([])),
    ] {
        assert_eq!(person.get("/api/messages").await.ok()["residents"], seen);
    }
    server.clock.advance(TimeDelta::days(31));
    assert_eq!(cast.office.get("/api/messages").await.ok()["residents"], json!([]), "that is long ago");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn who_wants_no_messages_is_no_case_for_the_office(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let (county, store) = (cast.township.county, &server.application.store);
    let resident = cast.township.add_resident(cast.village, Some("phone-1"), None).await;
    outbox::opt_outs::opt_out(store, county, resident).await.unwrap();
    let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
    let notice = Notice::new(Recipient::Resident(resident), "complaint_accepted", subject);
    let notice = notice.township(cast.township.id).facts(json!({"title": "村口路灯坏了"}));
    cast.township.write(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await;
    assert_eq!(bot.tick().await.unwrap().parked, 0);
    let state = outbox::entity::Entity::find().one(store.reader()).await.unwrap().unwrap().state;
    assert_eq!(state, outbox::MessageState::Withdrawn);
    running.stop().await;
}

#[actix_web::test]
async fn which_resident_a_message_was_for_is_shown_to_nobody() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    group_without_robot(&cast).await;
    cast.answered().await;
    bot(&server, &running).tick().await.unwrap();
    let page = cast.office.get("/api/messages").await.ok();
    let of_a_complaint = |item: &&Value| item["recipient_kind"] == "staff" && item["kind"] == "complaint_assigned";
    let staff = page["items"].as_array().unwrap().iter().find(of_a_complaint).unwrap();
    assert_eq!(staff["why"], "您是承办人", "{page}");
    assert!(recipients(&page).iter().all(|kind| *kind != "resident"), "{page}");

    let administrator = cast.township.staff(Role::GroupAdministrator).await;
    let seen = administrator.get("/api/messages").await.ok();
    assert!(!recipients(&seen).is_empty() && recipients(&seen).iter().all(|kind| *kind == "group"), "{seen}");
    // Nor does anybody do anything with it who came by its name.
    let to_resident = outbox::entity::Entity::find()
        .filter(outbox::entity::Column::RecipientKind.eq(outbox::RecipientKind::Resident))
        .filter(outbox::entity::Column::State.eq(outbox::MessageState::Parked))
        .one(server.application.store.reader())
        .await;
    let path = format!("/api/messages/{}/resending", to_resident.unwrap().expect("nobody has a phone there").id);
    for person in [&administrator, &cast.office] {
        person.post(&path, json!({})).await.problem(404, "not_found");
    }
    for person in [&cast.secretary, &cast.resident] {
        person.get("/api/messages").await.problem(403, "forbidden");
    }
    running.stop().await;
}
