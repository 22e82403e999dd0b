//! What the village group hears of the work: the promise and what is finished, not every report.

use qingfeng_core::{outbox, storage::Engine};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Scene, TestServer};

async fn posts(server: &TestServer, kind: &str) -> Vec<Value> {
    let rows = outbox::entity::Entity::find()
        .filter(outbox::entity::Column::Kind.eq(kind))
        .all(server.application.store.reader())
        .await
        .unwrap();
    rows.into_iter().map(|row| row.facts).collect()
}

#[rstest]
#[actix_web::test]
async fn publishing_an_item_tells_the_village_group() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 3).await;
    scene.cast.township.chat_group(scene.cast.village, "东河村群", "KEY").await;
    scene.published().await;
    assert_eq!(posts(&server, "rectification_published").await.len(), 1);
}

#[rstest]
#[actix_web::test]
async fn a_finished_measure_is_told_once_and_an_ordinary_report_is_not(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 3).await;
    scene.cast.township.chat_group(scene.cast.village, "东河村群", "KEY").await;
    let path = scene.published().await;
    scene.secretary(&path, "progress", json!({"text": "材料到了"})).await.ok();
    assert_eq!(posts(&server, "rectification_progress").await, [] as [Value; 0]);
    let measures = scene.cast.secretary.get(&path).await.ok()["measures"].clone();
    let first = json!({"text": "三盏都换了", "finished_measure_ids": [measures[0]["id"]]});
    scene.secretary(&path, "progress", first.clone()).await.ok();
    let told = posts(&server, "rectification_progress").await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["finished"], &told[0]["text"]), (&json!(["换三盏路灯"]), &json!("三盏都换了")));
    // Finished before: it keeps its date, and nobody is told again.
    server.clock.advance(chrono::TimeDelta::days(2));
    scene.secretary(&path, "progress", first).await.ok();
    assert_eq!(posts(&server, "rectification_progress").await.len(), 1);
    let measures = scene.cast.secretary.get(&path).await.ok()["measures"].clone();
    assert_eq!((&measures[0]["done_on"], &measures[1]["done_on"]), (&json!("2026-03-02"), &json!(null)));
    scene.secretary(&path, "completion", json!({"text": "都亮了"})).await.ok();
    let told = posts(&server, "rectification_progress").await;
    assert_eq!((told.len(), &told[1]["reported_done"]), (2, &json!(true)));
}
