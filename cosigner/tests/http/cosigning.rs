use chrono::TimeDelta;
use qingfeng_ballots::Hex;
use rstest::rstest;
use serde_json::json;

use crate::{
    actors::Phone,
    support::{County, Engine},
};

#[rstest]
#[actix_web::test]
async fn the_same_request_gets_the_same_bytes_and_another_none(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let survey = county.open(&village).await;
    let phone = village.people[0].phone();
    let request = phone.cosign(&survey.sid, survey.wish().for_cosigner());
    let signed = county.post("/v1/cosign", &request).await.ok();
    assert_eq!(county.post("/v1/cosign", &request).await.ok(), signed);
    let other = phone.cosign(&survey.sid, survey.wish().for_cosigner());
    assert_eq!(county.post("/v1/cosign", &other).await.refusal(), (409, "already_issued"));
    let county = county.restart().await;
    assert_eq!(county.post("/v1/cosign", &request).await.ok(), signed);
    assert_eq!(county.post("/v1/cosign", &other).await.refusal(), (409, "already_issued"));
}

#[actix_web::test]
async fn at_level_four_nothing_is_signed_for_a_phone() {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village_with_phones(5).await;
    let mut survey = county.agreed_with(&village, |draft| draft.min_level = 4).await;
    county.extend(&mut survey, Vec::new()).await.ok();
    let request = village.people[0].phone().cosign(&survey.sid, survey.wish().for_cosigner());
    assert_eq!(county.post("/v1/cosign", &request).await.refusal(), (409, "paper_only"));
}

#[rstest]
#[actix_web::test]
async fn of_fifty_requests_at_once_one_is_signed(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let survey = county.open(&village).await;
    let phone = village.people[0].phone();
    let requests: Vec<_> = (0..50).map(|_| phone.cosign(&survey.sid, survey.wish().for_cosigner())).collect();
    let answers = futures::future::join_all(requests.iter().map(|request| county.post("/v1/cosign", request))).await;
    let signed = answers.iter().filter(|answer| answer.status.is_success()).count();
    let refused = answers.iter().filter(|answer| answer.refusal() == (409, "already_issued")).count();
    assert_eq!((signed, refused), (1, 49));
}

#[rstest]
#[actix_web::test]
async fn nobody_asks_for_somebody_else(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let survey = county.open(&village).await;
    let wish = survey.wish();
    let resident = &village.people[0];

    // The platform knows everybody's device key, but not how to sign with it.
    let mut by_platform = Phone::new().cosign(&survey.sid, wish.for_cosigner());
    by_platform["device"] = json!(resident.phone().key());
    assert_eq!(county.post("/v1/cosign", &by_platform).await.refusal(), (401, "bad_signature"));
    assert_eq!(county.operate_json("/v1/cosign", &by_platform).await.refusal(), (401, "bad_signature"));

    // A signature for another number, or another survey, does not serve here.
    let mut moved = resident.phone().cosign(&survey.sid, survey.wish().for_cosigner());
    moved["b"] = json!(hex::encode(wish.for_cosigner()));
    assert_eq!(county.post("/v1/cosign", &moved).await.refusal(), (401, "bad_signature"));
    let mut elsewhere = resident.phone().cosign(&Hex([3; 16]), wish.for_cosigner());
    elsewhere["sid"] = json!(survey.sid);
    assert_eq!(county.post("/v1/cosign", &elsewhere).await.refusal(), (401, "bad_signature"));

    let unknown = Phone::new().cosign(&survey.sid, wish.for_cosigner());
    assert_eq!(county.post("/v1/cosign", &unknown).await.refusal(), (409, "not_enrolled"));
    let no_survey = resident.phone().cosign(&Hex([3; 16]), wish.for_cosigner());
    assert_eq!(county.post("/v1/cosign", &no_survey).await.refusal(), (404, "unknown_survey"));

    // A stolen phone whose card was replaced is nobody's.
    let card = county.cosigner.authority.reissue_card(resident.id).await.unwrap();
    let stolen = resident.phone().cosign(&survey.sid, wish.for_cosigner());
    assert_eq!(county.post("/v1/cosign", &stolen).await.refusal(), (409, "not_enrolled"));
    let phone = Phone::new();
    county.post("/v1/enrolments", &phone.enrolment(&card.code)).await.ok();
    county.post("/v1/cosign", &phone.cosign(&survey.sid, wish.for_cosigner())).await.ok();
}

#[rstest]
#[actix_web::test]
async fn who_is_not_on_the_surveys_roll_gets_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let neighbours = county.village_with_phones(1).await;
    let survey = county.open(&village).await;
    let request = neighbours.people[0].phone().cosign(&survey.sid, survey.wish().for_cosigner());
    assert_eq!(county.post("/v1/cosign", &request).await.refusal(), (404, "not_on_roll"));
}

#[rstest]
#[actix_web::test]
async fn paper_and_phone_exclude_each_other(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let survey = county.open(&village).await;
    let path = format!("/v1/surveys/{}/channel", survey.sid);
    let paper = |resident: uuid::Uuid| json!({ "resident": resident, "channel": "paper" });
    let (on_paper, on_phone) = (&village.people[0], &village.people[1]);

    for _ in 0..2 {
        assert_eq!(county.operate_json(&path, &paper(on_paper.id)).await.status, 204);
    }
    let request = on_paper.phone().cosign(&survey.sid, survey.wish().for_cosigner());
    assert_eq!(county.post("/v1/cosign", &request).await.refusal(), (409, "votes_on_paper"));

    county.draw(&survey, on_phone).await;
    assert_eq!(county.operate_json(&path, &paper(on_phone.id)).await.refusal(), (409, "already_issued"));
    assert_eq!(county.operate_json(&path, &paper(uuid::Uuid::new_v4())).await.refusal(), (404, "not_on_roll"));
    let other = json!({ "resident": on_phone.id, "channel": "phone" });
    assert_eq!(county.operate_json(&path, &other).await.refusal(), (422, "invalid_input"));
}

#[rstest]
#[case::the_day_before(-1, Some("not_issuing"))]
#[case::the_first_day(0, None)]
#[case::the_last_day(4, None)]
#[case::the_day_of_grace(5, None)]
#[case::after_that(6, Some("not_issuing"))]
#[actix_web::test]
async fn credentials_are_signed_within_the_period_and_one_day_more(#[case] days: i64, #[case] refused: Option<&str>) {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village_with_phones(5).await;
    let survey = county.open(&village).await;
    county.time.advance(TimeDelta::days(days));
    let request = village.people[0].phone().cosign(&survey.sid, survey.wish().for_cosigner());
    let answer = county.post("/v1/cosign", &request).await;
    assert_eq!(answer.body["code"].as_str(), refused);
}

#[rstest]
#[actix_web::test]
async fn a_survey_that_is_not_open_signs_nobody(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let mut survey = county.agreed(&village).await;
    let request = village.people[0].phone().cosign(&survey.sid, survey.wish().for_cosigner());
    assert_eq!(county.post("/v1/cosign", &request).await.refusal(), (409, "not_issuing"));
    county.extend(&mut survey, Vec::new()).await.ok();
    county.post("/v1/cosign", &request).await.ok();
    assert_eq!(county.close(&mut survey, &[]).await.status, 202);
    let other = village.people[1].phone().cosign(&survey.sid, survey.wish().for_cosigner());
    assert_eq!(county.post("/v1/cosign", &other).await.refusal(), (409, "not_issuing"));
    let county = county.restart().await;
    assert_eq!(county.post("/v1/cosign", &other).await.refusal(), (409, "not_issuing"));
}

#[rstest]
#[case::zero(vec![0; 256])]
#[case::above_every_modulus(vec![0xff; 256])]
#[actix_web::test]
async fn a_number_that_cannot_be_signed_uses_nobodys_right_up(#[case] blinded: Vec<u8>) {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village_with_phones(5).await;
    let survey = county.open(&village).await;
    let resident = &village.people[0];
    let bad = resident.phone().cosign(&survey.sid, &blinded);
    assert_eq!(county.post("/v1/cosign", &bad).await.refusal(), (422, "bad_blinded"));
    county.draw(&survey, resident).await;
}
