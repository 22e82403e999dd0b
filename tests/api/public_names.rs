//! What staff publish names nobody of the village; a word that is no name passes when its writer says so.

use qingfeng_core::{
    audit::{self, records},
    people::{
        RosterGroup,
        roster::{self, NewResident},
    },
    storage::Engine,
};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Cast, Scene, TestServer};

/// Somebody of the cast's village with this name.
async fn lives_there(cast: &Cast<'_>, name: &'static str) {
    let (county, township, village) = (cast.township.county, cast.township.id, cast.village.id);
    cast.township
        .write(move |unit| {
            let resident = NewResident {
                township,
                village,
                name: name.into(),
                neighbourhood: "一组".into(),
                group: RosterGroup::Resident,
                also_staff: None,
                open_id: None,
            };
            Box::pin(roster::add_resident(unit, county, resident))
        })
        .await;
}

async fn confirmations(server: &TestServer) -> u64 {
    let confirmed = records::Entity::find().filter(records::Column::Action.eq("words_confirmed_no_names"));
    confirmed.count(server.application.store.reader()).await.unwrap()
}

/// The fields and words that a refusal names.
fn named(problem: &Value) -> Vec<(String, Value)> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|error| (error["pointer"].as_str().unwrap().to_owned(), error["words"].clone())).collect()
}

#[rstest]
#[actix_web::test]
async fn whatever_goes_on_the_board_is_refused_while_it_names_a_resident(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 3).await;
    lives_there(&scene.cast, "赵平安").await;
    let item = json!({
        "village_id": scene.cast.village.id, "problem_ids": [scene.problem().await], "title": "路灯", "goal": "赵平安家门口有灯",
        "measures": ["换灯", "请赵 平安验收"], "pace": "immediate", "due_on": "2026-04-10", "lead_unit_id": scene.cast.village.id,
    });
    let problem = scene.cast.office.post("/api/rectifications", item).await.problem(422, "resident_named");
    let words = json!(["赵平安"]);
    assert_eq!(named(&problem), [("/goal".to_owned(), words.clone()), ("/measures/1".to_owned(), words.clone())]);
    let path = scene.created().await;
    let promise = json!({"commitment": "向赵平安保证"});
    let problem = scene.secretary(&path, "publication", promise).await.problem(422, "resident_named");
    assert_eq!(named(&problem), [("/commitment".to_owned(), words.clone())]);
    scene.secretary(&path, "publication", json!({"commitment": "向赵某保证"})).await.ok();
    for (act, pointer, body) in [
        ("progress", "/text", json!({"text": "赵平安家已通水"})),
        ("completion", "/text", json!({"text": "赵平安家已通水"})),
        ("extensions", "/reason", json!({"reason": "赵平安不在家", "new_due_on": "2026-05-10"})),
    ] {
        let problem = scene.secretary(&path, act, body).await.problem(422, "resident_named");
        assert_eq!(named(&problem), [(pointer.to_owned(), words.clone())], "{act}");
    }
    let board = server.visitor().get(&format!("/api/board/villages/{}", scene.cast.village.id)).await;
    assert!(!board.text.contains("平安"), "{}", board.text);
    let complaint = scene.cast.working().await;
    let order = json!({"reason": "等赵平安回来", "review_on": "2026-03-20"});
    let problem = scene.cast.leader.post(&format!("{complaint}/parking"), order).await.problem(422, "resident_named");
    assert_eq!(named(&problem), [("/reason".to_owned(), words)]);
    assert_eq!(confirmations(&server).await, 0);
}

#[rstest]
#[actix_web::test]
async fn a_word_that_is_said_to_be_no_name_is_published_and_the_saying_is_recorded(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 3).await;
    for name in ["高山", "赵平安"] {
        lives_there(&scene.cast, name).await;
    }
    let path = scene.published().await;
    // Saying so of one word lets no other through.
    let both = json!({"text": "高山泵站已通电，赵平安家已通水", "no_names": ["高山"]});
    let problem = scene.secretary(&path, "progress", both).await.problem(422, "resident_named");
    assert_eq!(named(&problem), [("/text".to_owned(), json!(["赵平安"]))]);
    scene.secretary(&path, "progress", json!({"text": "高山泵站已通电", "no_names": ["高山"]})).await.ok();
    assert_eq!(confirmations(&server).await, 1);
    // Nothing is recorded that did not have to be said.
    scene.secretary(&path, "progress", json!({"text": "水池已修好", "no_names": ["高山"]})).await.ok();
    assert_eq!(confirmations(&server).await, 1);
    let complaint = scene.cast.working().await;
    let order = json!({"reason": "高山公路封闭", "review_on": "2026-03-20", "no_names": ["高山"]});
    scene.cast.leader.post(&format!("{complaint}/parking"), order).await.ok();
    assert_eq!(confirmations(&server).await, 2);
    assert_eq!(audit::verify(&server.application.store, scene.cast.township.county).await.unwrap(), []);
    let board = server.visitor().get(&format!("/api/board/villages/{}", scene.cast.village.id)).await;
    assert!(board.text.contains("高山泵站已通电") && board.text.contains("高山公路封闭"), "{}", board.text);
}

#[actix_web::test]
async fn whoever_may_not_publish_learns_nothing_about_the_roster() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 3).await;
    lives_there(&scene.cast, "赵平安").await;
    let path = scene.created().await;
    let body = json!({"commitment": "向赵平安保证"});
    scene.residents[0].0.post(&format!("{path}/publication"), body).await.problem(403, "forbidden");
}

#[actix_web::test]
async fn names_of_another_village_are_no_names_here() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 3).await;
    let path = scene.published().await;
    let elsewhere = scene.cast.township.village("西岭村").await;
    let (county, township) = (scene.cast.township.county, scene.cast.township.id);
    scene
        .cast
        .township
        .write(move |unit| {
            let resident = NewResident {
                township,
                village: elsewhere.id,
                name: "高山".into(),
                neighbourhood: "一组".into(),
                group: RosterGroup::Resident,
                also_staff: None,
                open_id: None,
            };
            Box::pin(roster::add_resident(unit, county, resident))
        })
        .await;
    scene.secretary(&path, "progress", json!({"text": "高山泵站已通电"})).await.ok();
}
