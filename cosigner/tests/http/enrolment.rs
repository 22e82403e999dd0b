use chrono::TimeDelta;
use qingfeng_ballots::codes::Code;
use qingfeng_cosigner::{
    randomness::SystemRandomness,
    roll::{Extent, RollLine},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use crate::{
    actors::Phone,
    support::{County, Engine},
};

#[rstest]
#[actix_web::test]
async fn a_card_enrols_one_phone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village(2).await;
    let (first, second) = (&village.people[0], &village.people[1]);
    let phone = Phone::new();

    let enrolled = county.post("/v1/enrolments", &phone.enrolment(&first.code)).await;
    assert_eq!(enrolled.status, 201);
    assert_eq!(enrolled.body, json!({ "resident": first.id, "village_name": "东河村" }));
    let again = county.post("/v1/enrolments", &phone.enrolment(&first.code)).await;
    assert_eq!((again.status.as_u16(), again.body), (200, enrolled.body));

    let other = county.post("/v1/enrolments", &Phone::new().enrolment(&first.code)).await;
    assert_eq!(other.refusal(), (409, "card_used"));
    let for_two = county.post("/v1/enrolments", &phone.enrolment(&second.code)).await;
    assert_eq!(for_two.refusal(), (409, "device_used"));
}

#[rstest]
#[actix_web::test]
async fn a_mistyped_code_a_foreign_signature_and_an_unknown_card_are_refused(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start(engine).await;
    let village = county.village(1).await;
    let code = &village.people[0].code;
    let phone = Phone::new();

    let mut mistyped = phone.enrolment(code);
    let printed = code.to_print();
    let other = if printed.starts_with('0') { "1" } else { "0" };
    mistyped["code"] = json!(format!("{other}{}", &printed[1..]));
    assert_eq!(county.post("/v1/enrolments", &mistyped).await.refusal(), (422, "bad_code"));

    // Somebody who read the code over a shoulder cannot enrol the key of another phone.
    let mut foreign = phone.enrolment(code);
    foreign["device"] = json!(Phone::new().key());
    assert_eq!(county.post("/v1/enrolments", &foreign).await.refusal(), (401, "bad_signature"));

    let unknown = Code::generate(&SystemRandomness).unwrap();
    assert_eq!(county.post("/v1/enrolments", &phone.enrolment(&unknown)).await.refusal(), (404, "unknown_card"));
}

#[actix_web::test]
async fn who_guesses_codes_is_stopped_for_ten_minutes() {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village(1).await;
    let phone = Phone::new();
    for _ in 0..10 {
        let guess = Code::generate(&SystemRandomness).unwrap();
        assert_eq!(county.post("/v1/enrolments", &phone.enrolment(&guess)).await.refusal(), (404, "unknown_card"));
    }
    let right = phone.enrolment(&village.people[0].code);
    assert_eq!(county.post("/v1/enrolments", &right).await.refusal(), (429, "slow_down"));
    county.time.advance(TimeDelta::minutes(10));
    assert_eq!(county.post("/v1/enrolments", &right).await.status, 201);
}

#[rstest]
#[actix_web::test]
async fn the_platform_reads_a_villages_roll_without_names(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(2).await;
    let path = format!("/v1/roll?village={}", village.id);
    let roll = county.operate(Method::GET, &path, Vec::new()).await.ok();
    let rows = roll.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let resident = village.people.iter().find(|resident| row["resident"] == json!(resident.id)).unwrap();
        let expected = json!({
            "resident": resident.id,
            "class": "residents",
            "commitment": qingfeng_ballots::messages::audit_commitment(&resident.code.card_secret()),
            "device": resident.phone().key(),
            "channel": "phone",
        });
        assert_eq!(*row, expected);
    }
    assert_eq!(county.send(Method::GET, &path, Vec::new()).await.refusal(), (401, "not_the_platform"));
    let other = format!("/v1/roll?village={}", Uuid::new_v4());
    assert_eq!(county.operate(Method::GET, &other, Vec::new()).await.ok(), json!([]));
}

#[rstest]
#[actix_web::test]
async fn a_lost_phone_gets_a_new_card_that_is_counted_and_published(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(1).await;
    let resident = &village.people[0];
    let card = county.cosigner.authority.reissue_card(resident.id).await.unwrap();
    assert_eq!(
        county.post("/v1/enrolments", &resident.phone().enrolment(&resident.code)).await.refusal(),
        (404, "unknown_card")
    );
    let phone = Phone::new();
    assert_eq!(county.post("/v1/enrolments", &phone.enrolment(&card.code)).await.status, 201);
    let minutes = county.send(Method::GET, "/v1/minutes", Vec::new()).await.ok();
    assert_eq!(minutes.as_array().unwrap().len(), 1);
    assert_eq!(minutes[0]["kind"], "card_reissued");
    assert_eq!(minutes[0]["day"], "2026-03-02");
    assert!(!minutes.to_string().contains("村民000"), "the minutes name nobody");
}

#[rstest]
#[actix_web::test]
async fn nobody_who_drew_gets_a_new_card_while_the_survey_runs(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let survey = county.open(&village).await;
    county.draw(&survey, &village.people[0]).await;
    let refused = county.cosigner.authority.reissue_card(village.people[0].id).await.unwrap_err();
    assert_eq!(refused.code(), Some("already_issued"));
    assert!(county.cosigner.authority.reissue_card(village.people[1].id).await.is_ok());
    county.operate_json(&format!("/v1/surveys/{}/cancel", survey.sid), &json!({})).await.ok();
    assert!(county.cosigner.authority.reissue_card(village.people[0].id).await.is_ok());
}

#[rstest]
#[actix_web::test]
async fn a_roll_is_taken_over_whole_or_not_at_all(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let authority = &county.cosigner.authority;
    let village = Uuid::new_v4();
    let line = |resident: Uuid, class: &str, name: &str| RollLine {
        resident,
        village,
        village_name: "西河村".into(),
        class: class.into(),
        name: name.into(),
    };
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    let lines = [line(one, "residents", "甲"), line(one, "party_members", "甲"), line(two, "residents", "乙")];
    let imported = authority.import_roll(&lines, Extent::Additions).await.unwrap();
    assert_eq!((imported.added, imported.changed, imported.removed), (2, 0, 0));
    let imported = authority.import_roll(&lines, Extent::Complete).await.unwrap();
    assert_eq!((imported.added, imported.changed, imported.removed), (0, 0, 0));
    assert_eq!(authority.roll_of(village).await.unwrap().len(), 3);

    for bad in [
        vec![line(one, "residents", "甲"), line(one, "residents", "丙")],
        vec![line(Uuid::new_v4(), "residents", "丁"), line(one, "residents", " ")],
        vec![],
    ] {
        let refused = authority.import_roll(&bad, Extent::Complete).await.unwrap_err();
        assert_eq!(refused.code(), Some("invalid_input"));
    }
    assert_eq!(authority.roll_of(village).await.unwrap().len(), 3);

    let imported = authority.import_roll(&lines[..1], Extent::Complete).await.unwrap();
    assert_eq!((imported.added, imported.changed, imported.removed), (0, 1, 1));
    assert_eq!(authority.roll_of(village).await.unwrap().len(), 1);
}
