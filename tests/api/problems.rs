use qingfeng_core::{people::Role, storage::Engine};
use rstest::rstest;
use serde_json::json;

use crate::support::{Cast, TestServer, path};

#[rstest]
#[actix_web::test]
async fn whom_a_complaint_is_about_is_kept_out_of_the_problem_and_the_item_that_come_of_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let (accused, accused_id) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let filed = json!({"body": "村里会计态度不好", "concerns": {"staff": [accused_id]}});
    let complaint = path(&cast.resident.post("/api/complaints", filed).await);
    let complaint = complaint.rsplit('/').next().unwrap();
    // Nobody repeats whom it is about: the complaint knows.
    let problem = json!({
        "village_id": cast.village.id, "way": "residents", "category": "cold-faced", "words": "态度不好",
        "complaint_ids": [complaint],
    });
    let problem = cast.office.post("/api/problems", problem).await.ok()["id"].clone();
    assert_eq!(accused.get("/api/problems").await.ok()["items"], json!([]));
    assert_eq!(cast.secretary.get("/api/problems").await.ok()["items"].as_array().unwrap().len(), 1);
    let item = |responsible| {
        json!({
            "village_id": cast.village.id, "problem_ids": [problem], "title": "作风", "goal": "改", "measures": ["学"],
            "pace": "immediate", "due_on": "2026-04-10", "lead_unit_id": cast.village.id, "responsible_id": responsible,
        })
    };
    cast.office.post("/api/rectifications", item(json!(accused_id))).await.problem(422, "recused");
    let created = cast.office.post("/api/rectifications", item(json!(null))).await.ok();
    let address = format!("/api/rectifications/{}", created["id"].as_str().unwrap());
    accused.get(&address).await.problem(404, "not_found");
    cast.secretary.get(&address).await.ok();
}

#[rstest]
#[actix_web::test]
async fn a_problem_is_made_of_complaints_that_its_recorder_may_see() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let complaint = cast.filed().await;
    let elsewhere = cast.township.village("西坡村").await;
    let (stranger, _) = cast.township.staff_of(elsewhere.id, Role::VillageSecretary).await;
    let problem = json!({
        "village_id": elsewhere.id, "way": "residents", "category": "cold-faced", "words": "态度不好",
        "complaint_ids": [complaint.rsplit('/').next().unwrap()],
    });
    stranger.post("/api/problems", problem).await.problem(404, "not_found");
}
