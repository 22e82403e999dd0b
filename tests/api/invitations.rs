//! Invitations in the place of lost or used ones.

use chrono::TimeDelta;
use qingfeng_core::{
    people::{Role, sign_in},
    storage::Engine,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, Cast, TestServer, bot, is_stored, platform};

const SEARCH: &str = "/api/residents/search";

async fn sign_in_with(server: &TestServer, code: &Value) -> Answer {
    server.visitor().post("/api/sign-in/invitation", json!({"invitation_code": code})).await
}

#[rstest]
#[actix_web::test]
async fn the_office_replaces_an_invitation_and_the_former_one_is_good_for_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let resident = cast.township.add_resident_without_chat(cast.village, None, None).await;
    let (county, codes) = (cast.township.county, server.application.paper_codes.clone());
    let lost = cast
        .township
        .write(move |unit| Box::pin(async move { sign_in::invite(unit, &codes, county, resident).await }))
        .await;

    let found = cast.office.post(SEARCH, json!({"name": "测试村民"})).await.ok();
    let found: Vec<&Value> = found["items"].as_array().unwrap().iter().collect();
    assert_eq!(found.len(), 2, "the cast's resident has the same name: {found:?}");
    let own = found.iter().find(|known| known["id"] == json!(resident)).unwrap();
    assert_eq!((&own["village_name"], &own["neighbourhood"]), (&json!("东河村"), &json!("三组")));

    let path = format!("/api/residents/{resident}/invitation");
    let made = cast.office.post(&path, json!({})).await.ok();
    let code = made["code"].as_str().unwrap();
    assert!(!is_stored(&server, code).await, "the code is kept nowhere");
    sign_in_with(&server, &json!(lost)).await.problem(401, "invitation_invalid");

    // The same request with the same key makes another one, and the first is lost in its turn.
    let again = cast.office.post_once(&path, "key-of-a-draft-0001", json!({})).await.ok();
    let last = cast.office.post_once(&path, "key-of-a-draft-0001", json!({})).await.ok();
    assert_ne!(again["code"], last["code"]);
    sign_in_with(&server, &made["code"]).await.problem(401, "invitation_invalid");
    let tokens = sign_in_with(&server, &last["code"]).await.ok();
    let me = server.visitor().with_token(tokens["access_token"].as_str().unwrap()).get("/api/me").await.ok();
    assert_eq!(me["id"], json!(resident));

    // From now on she has said things: nobody comes in her name any more.
    cast.office.post(&path, json!({})).await.problem(409, "resident_signed_in");
    // Who uses the product is not told by the search: she is found as she was.
    let afterwards = cast.office.post(SEARCH, json!({"name": "测试村民"})).await.ok();
    assert_eq!(afterwards["items"], json!(found));
    let bound = cast.township.add_resident_without_chat(cast.village, Some("her-phone"), None).await;
    let path = format!("/api/residents/{bound}/invitation");
    cast.office.post(&path, json!({})).await.problem(409, "resident_signed_in");
    assert!(qingfeng_core::audit::verify(&server.application.store, county).await.unwrap().is_empty());
}

#[actix_web::test]
async fn who_has_signed_in_is_known_to_have_when_her_code_is_long_over() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let resident = cast.township.add_resident_without_chat(cast.village, None, None).await;
    let path = format!("/api/residents/{resident}/invitation");
    let made = cast.office.post(&path, json!({})).await.ok();
    sign_in_with(&server, &made["code"]).await.ok();
    server.clock.advance(TimeDelta::days(100));
    bot(&server, &running).tick().await.unwrap();
    cast.office.post(&path, json!({})).await.problem(409, "resident_signed_in");
    running.stop().await;
}

#[actix_web::test]
async fn nobody_but_the_office_of_the_township_lets_somebody_in() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let (_, resident) = cast.township.resident(cast.village).await;
    let path = format!("/api/residents/{resident}/invitation");
    let seek = json!({"name": "x"});
    server.visitor().post(&path, json!({})).await.problem(401, "sign_in_needed");
    server.visitor().post(SEARCH, seek.clone()).await.problem(401, "sign_in_needed");
    // Who works in the village is rated by those who live there.
    for person in [&cast.secretary, &cast.leader] {
        person.post(&path, json!({})).await.problem(403, "forbidden");
        person.post(SEARCH, seek.clone()).await.problem(403, "forbidden");
    }
    cast.resident.post(SEARCH, seek.clone()).await.problem(403, "forbidden");
    cast.resident.post(&path, json!({})).await.problem(403, "forbidden");
    let administrator = cast.township.staff(Role::SystemAdministrator).await;
    administrator.post(SEARCH, seek.clone()).await.problem(403, "forbidden");
    administrator.post(&path, json!({})).await.problem(404, "not_found");

    let elsewhere = server.township().await;
    let stranger = elsewhere.staff(Role::TownshipOffice).await;
    stranger.post(&path, json!({})).await.problem(404, "not_found");
    let found = stranger.post(SEARCH, json!({"name": "测试村民"})).await.ok();
    assert_eq!(found["items"], json!([]));

    for name in [json!({}), json!({"name": " "})] {
        cast.office.post(SEARCH, name).await.problem(422, "invalid_input");
    }
    let unknown = "/api/residents/01890000-0000-7000-8000-000000000000/invitation";
    cast.office.post(unknown, json!({})).await.problem(404, "not_found");
    cast.office.post(&path, json!({"code": "MINE"})).await.problem(422, "invalid_input");
}
