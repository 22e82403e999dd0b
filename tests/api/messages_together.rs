//! What one card said has one end: it is shown and settled as one.

use chrono::TimeDelta;
use qingfeng_core::{
    ids::StaffId,
    outbox::{self, MessageState, Notice, Recipient},
    people::Role,
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Fault, FaultKind, Phone, Platform};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    card_answers::Chat,
    support::{Cast, TestServer},
};

const TITLES: [&str; 3] = ["路灯", "水渠", "村道"];

/// Three things at once for somebody.
async fn tell(cast: &Cast<'_>, to: StaffId) {
    let (county, township) = (cast.township.county, cast.township.id);
    let notice = |title: &str| {
        let subject = SubjectRef { kind: SubjectKind::Rectification, id: Uuid::now_v7() };
        let facts = json!({"title": title, "due_on": "2026-05-31"});
        Notice::new(Recipient::Staff(to), "rectification_assigned", subject).township(township).facts(facts)
    };
    let notices = TITLES.map(notice).to_vec();
    cast.township.write(move |unit| Box::pin(outbox::enqueue(unit, county, notices))).await;
}

/// The platform takes a card for each of these people and says nothing: hours later nobody knows what became of it.
async fn in_doubt(chat: &Chat<'_>, people: &[StaffId]) {
    let times = u32::try_from(people.len()).unwrap();
    chat.platform.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at("/cgi-bin/message/send").times(times));
    for person in people {
        tell(&chat.cast, *person).await;
    }
    chat.bot.tick().await.unwrap();
    chat.server.clock.advance(TimeDelta::hours(4));
    chat.bot.tick().await.unwrap();
}

async fn stored(server: &TestServer) -> Vec<outbox::entity::Model> {
    outbox::entity::Entity::find()
        .filter(outbox::entity::Column::Kind.eq("rectification_assigned"))
        .order_by_asc(outbox::entity::Column::Id)
        .all(server.application.store.reader())
        .await
        .unwrap()
}

async fn undelivered(cast: &Cast<'_>) -> Vec<Value> {
    cast.office.get("/api/messages").await.ok()["items"].as_array().unwrap().clone()
}

#[rstest]
#[actix_web::test]
async fn what_left_in_one_card_is_one_row_and_arrived_at_one_instant(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    in_doubt(&chat, &[chat.cast.secretary_id]).await;
    let rows = undelivered(&chat.cast).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["state"], &rows[0]["messages"]), (&json!("unknown"), &json!(3)));
    assert_eq!((&rows[0]["title"], &rows[0]["also"]), (&json!(TITLES[2]), &json!(TITLES[..2])));

    let arrived = format!("/api/messages/{}/arrival", rows[0]["id"].as_str().unwrap());
    chat.cast.office.post(&arrived, json!({})).await.ok();
    assert!(undelivered(&chat.cast).await.is_empty());
    let stored = stored(&server).await;
    let left_at: chrono::DateTime<chrono::Utc> = "2026-03-02T01:00:00Z".parse().unwrap();
    assert!(stored.iter().all(|row| (row.state, row.sent_at) == (MessageState::Sent, Some(left_at))), "{stored:?}");
    chat.cast.office.post(&arrived, json!({})).await.problem(409, "message_not_unknown");
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn what_left_in_one_card_is_sent_again_in_one(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    in_doubt(&chat, &[chat.cast.secretary_id]).await;
    let before = chat.platform.delivered_to_member("secretary").len();
    let row = undelivered(&chat.cast).await.remove(0);
    let again = format!("/api/messages/{}/resending", row["id"].as_str().unwrap());
    chat.cast.office.post(&again, json!({})).await.ok();
    chat.bot.tick().await.unwrap();
    assert_eq!(chat.platform.delivered_to_member("secretary").len(), before + 1);
    assert!(stored(&server).await.iter().all(|row| row.state == MessageState::Sent));
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn what_an_outage_left_in_doubt_is_settled_at_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let (_, colleague) = chat.cast.township.staff_of(chat.cast.village.id, Role::VillageStaff).await;
    chat.platform.add_phone(Phone::new("phone-3", "村干部").at_wecom("colleague"));
    chat.cast.township.at_wecom(colleague, "colleague").await;
    in_doubt(&chat, &[chat.cast.secretary_id, colleague]).await;
    let rows = undelivered(&chat.cast).await;
    assert_eq!(rows.len(), 2, "a card each: {rows:?}");
    let both = json!({"ids": [rows[0]["id"], rows[1]["id"]]});

    for act in ["/api/messages/arrival", "/api/messages/resending"] {
        server.visitor().post(act, both.clone()).await.problem(401, "sign_in_needed");
        for person in [&chat.cast.secretary, &chat.cast.leader] {
            person.post(act, both.clone()).await.problem(404, "not_found");
        }
        let elsewhere = server.township().await.staff(Role::TownshipOffice).await;
        elsewhere.post(act, both.clone()).await.problem(404, "not_found");
        let one_too_many = json!({"ids": [rows[0]["id"], Uuid::now_v7()]});
        chat.cast.office.post(act, one_too_many).await.problem(404, "not_found");
        for ids in [vec![], vec![rows[0]["id"].clone(); 101]] {
            chat.cast.office.post(act, json!({"ids": ids})).await.problem(422, "invalid_input");
        }
    }
    assert_eq!(undelivered(&chat.cast).await.len(), 2, "nothing was settled");

    // Somebody has settled one of them meanwhile: it stays as it is.
    let arrived = format!("/api/messages/{}/arrival", rows[0]["id"].as_str().unwrap());
    chat.cast.office.post(&arrived, json!({})).await.ok();
    let to = ["secretary", "colleague"];
    let cards = || to.map(|user| chat.platform.delivered_to_member(user).len()).iter().sum::<usize>();
    let before = cards();
    chat.cast.office.post("/api/messages/resending", both.clone()).await.ok();
    chat.cast.office.post("/api/messages/resending", both.clone()).await.problem(409, "message_not_parked");
    chat.cast.office.post("/api/messages/arrival", both).await.problem(409, "message_not_unknown");
    chat.bot.tick().await.unwrap();
    assert_eq!(cards(), before + 1);
    assert!(stored(&server).await.iter().all(|row| row.state == MessageState::Sent));
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn two_people_of_one_name_are_told_apart(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let (township, secretary) = (&chat.cast.township, chat.cast.secretary_id);
    let elsewhere = township.village("西河村").await;
    let (_, namesake) = township.staff_of(elsewhere.id, Role::VillageSecretary).await;
    chat.platform.add_phone(Phone::new("phone-3", "西河村书记").at_wecom("namesake"));
    township.at_wecom(namesake, "namesake").await;
    for person in [secretary, namesake] {
        township.named(person, "王伟").await;
    }
    in_doubt(&chat, &[secretary, namesake]).await;

    let rows = undelivered(&chat.cast).await;
    assert!(rows.iter().all(|row| row["recipient"] == "王伟"), "{rows:?}");
    let of = |person: StaffId| {
        let of_person: Vec<_> = rows.iter().filter(|row| row["recipient_id"] == json!(person)).collect();
        assert_eq!(of_person.len(), 1, "{rows:?}");
        of_person[0]
    };
    assert_eq!(of(secretary)["recipient_place"], "东河村 村党组织书记");
    assert_eq!(of(namesake)["recipient_place"], "西河村 村党组织书记");
    chat.cast.office.post("/api/messages/arrival", json!({"ids": [of(secretary)["id"]]})).await.ok();
    let left = undelivered(&chat.cast).await;
    assert_eq!(left.iter().map(|row| &row["recipient_id"]).collect::<Vec<_>>(), [&json!(namesake)]);
    chat.running.stop().await;
}
