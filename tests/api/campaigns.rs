use qingfeng_core::{campaigns::SHIPPED_PLANS, people::Role, storage::Engine};
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Cast, TestServer, bot, platform};

/// Plan E, which promises acceptance within five working days.
const PLAN_E: &str = SHIPPED_PLANS[4].text;

async fn loaded(cast: &Cast<'_>) -> Value {
    load(cast, PLAN_E).await
}

async fn load(cast: &Cast<'_>, plan: &str) -> Value {
    let body = json!({"township_id": cast.township.id, "source": plan, "year": 2026});
    cast.office.post("/api/campaigns", body).await.ok()
}

/// The village's monthly publication: it asks for a photo.
async fn duty(cast: &Cast<'_>, key: &str) -> Value {
    let page = cast.secretary.get("/api/duties").await.ok();
    let found = page["items"].as_array().unwrap().iter().find(|duty| duty["title"].as_str().unwrap().starts_with(key));
    found.unwrap_or_else(|| panic!("{page}")).clone()
}

#[rstest]
#[actix_web::test]
async fn a_plan_file_starts_a_campaign_and_its_duties_reach_the_desk(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let campaign = loaded(&cast).await;
    assert_eq!(campaign["version"], 1);
    let vacant: Vec<_> = campaign["vacancies"].as_array().unwrap().iter().map(|vacancy| &vacancy["office"]).collect();
    assert!(vacant.contains(&&json!("网格员")), "{vacant:?}");

    let publication = duty(&cast, "整改情况在网站").await;
    assert_eq!(publication["due_on"], "2026-03-25");
    assert_eq!(publication["staff_id"], json!(cast.secretary_id));
    let desk = cast.secretary.get("/api/desk").await.ok();
    let on_desk = desk["items"].as_array().unwrap().iter().any(|line| line["subject_id"] == publication["id"]);
    assert!(on_desk, "{desk}");

    let seen = cast.secretary.get(&format!("/api/campaigns/{}", campaign["id"].as_str().unwrap())).await.ok();
    assert_eq!((&seen["phase"], &seen["starts_on"]), (&json!("建账明责"), &json!("2026-01-01")));
    assert_eq!(seen["plan"]["taxonomies"][0]["label"], "问题来源");
    assert_eq!(cast.resident.get("/api/campaigns").await.ok()["items"], json!([]));
}

#[rstest]
#[actix_web::test]
async fn a_duty_is_done_with_what_the_plan_asks_for_and_by_its_owner_only(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    loaded(&cast).await;
    let publication = duty(&cast, "整改情况在网站").await;
    let path = format!("/api/duties/{}", publication["id"].as_str().unwrap());
    let asked = cast.secretary.get(&path).await.ok();
    assert_eq!(asked["asked_for"], json!([{"label": "公开栏照片", "kind": "photo"}]));

    let refused = cast.secretary.post(&format!("{path}/completion"), json!({"items": []})).await;
    assert_eq!(refused.problem(422, "invalid_input")["errors"][0]["pointer"], "/items");

    let photo = crate::files::uploaded(&cast.secretary).await;
    let body = json!({"items": [{"label": "公开栏照片", "files": [photo]}]});
    let elsewhere = cast.township.village("西坡村").await;
    let (neighbour, _) = cast.township.staff_of(elsewhere.id, Role::VillageSecretary).await;
    neighbour.get(&path).await.problem(404, "not_found");
    neighbour.post(&format!("{path}/completion"), body.clone()).await.problem(404, "not_found");
    cast.resident.post(&format!("{path}/completion"), body.clone()).await.problem(403, "forbidden");

    let done = cast.secretary.post_once(&format!("{path}/completion"), "draft-0001", body.clone()).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
    cast.secretary.post_once(&format!("{path}/completion"), "draft-0001", body.clone()).await.ok();
    cast.secretary.post(&format!("{path}/completion"), body).await.problem(409, "duty_done");
    let seen = cast.office.get(&path).await.ok();
    assert_eq!((&seen["state"], &seen["photos"]), (&json!("done"), &json!([photo])));
    let address = format!("/api/files/{photo}/view");
    assert_eq!(cast.office.get(&address).await.status, 200);
    neighbour.get(&address).await.problem(404, "not_found");
    server.visitor().get(&address).await.problem(404, "not_found");
    let left = cast.secretary.get("/api/duties?state=open").await.ok();
    assert!(left["items"].as_array().unwrap().iter().all(|duty| duty["id"] != publication["id"]));
}

#[actix_web::test]
async fn the_disciplinary_office_sees_and_does_its_own_duties_and_nothing_else() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let (officer, id) = cast.township.staff_of(cast.township.id, Role::DisciplinaryOfficer).await;
    // Plan A: the case ledger is the disciplinary office's, each month.
    load(&cast, SHIPPED_PLANS[0].text).await;
    server.clock.advance(chrono::TimeDelta::days(60));
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    bot(&server, &running).tick().await.unwrap();
    cast.filed().await;
    let own = officer.get("/api/duties").await.ok();
    let own = own["items"].as_array().unwrap();
    assert!(!own.is_empty() && own.iter().all(|duty| duty["staff_id"] == json!(id)), "{own:?}");
    let desk = officer.get("/api/desk").await.ok();
    assert!(desk["items"].as_array().unwrap().iter().all(|line| line["kind"] == "duty"), "{desk}");
    let path = format!("/api/duties/{}", own[0]["id"].as_str().unwrap());
    let asked = officer.get(&path).await.ok();
    let items: Vec<_> = asked["asked_for"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!({"label": item["label"], "text": "已按要求完成", "files": []}))
        .collect();
    cast.secretary.post(&format!("{path}/completion"), json!({"items": items})).await.problem(404, "not_found");
    officer.post(&format!("{path}/completion"), json!({"items": items})).await.ok();
    assert_eq!(cast.office.get(&path).await.ok()["state"], "done");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn complaints_and_problems_follow_the_running_campaign(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let campaign = loaded(&cast).await["id"].clone();
    cast.filed().await;
    let desk = cast.office.get("/api/desk").await.ok();
    let acceptance = desk["items"].as_array().unwrap().iter().find(|line| line["kind"] == "acceptance").unwrap();
    // Five working days instead of the law's fifteen days.
    assert_eq!(acceptance["due_on"], "2026-03-09");

    let problem = |category: &str| {
        json!({"village_id": cast.village.id, "campaign_id": campaign, "way": "residents", "category": category,
            "words": "审计说的事第二年又发生了"})
    };
    let refused = cast.office.post("/api/problems", problem("all_talk")).await;
    assert_eq!(refused.problem(422, "invalid_input")["errors"][0]["pointer"], "/category");
    cast.office.post("/api/problems", problem("surface_fix")).await.ok();
}

#[rstest]
#[actix_web::test]
async fn a_broken_plan_file_is_refused_with_every_fault(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let broken = PLAN_E.replacen("level = \"township\"", "level = \"town\"", 1).replacen(
        "minimum_answers = 5",
        "minimum_answers = 0",
        1,
    );
    let body = |source: &str| json!({"township_id": cast.township.id, "source": source});
    let refused = cast.office.post("/api/campaigns", body(&broken)).await.problem(422, "invalid_input");
    let sentences: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|fault| fault["detail"].to_string()).collect();
    assert_eq!(sentences.len(), 2, "{refused}");
    assert!(
        sentences[0].contains("第6行第9列 level") && sentences[1].contains("satisfaction.minimum_answers"),
        "{sentences:?}"
    );
    cast.secretary.post("/api/campaigns", body(PLAN_E)).await.problem(404, "not_found");
    cast.resident.post("/api/campaigns", body(PLAN_E)).await.problem(403, "forbidden");
    assert_eq!(cast.office.get("/api/campaigns").await.ok()["items"], json!([]));
}
