use qingfeng_core::storage::Engine;
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::support::{Answer, Cast, TestServer};

#[rstest]
#[actix_web::test]
async fn anybody_reads_the_board_and_a_second_look_costs_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let path = cast.answered().await;
    cast.rate(&path, "satisfied").await.ok();
    let address = format!("/api/board/villages/{}", cast.village.id);
    let first = server.visitor().get(&address).await;
    let board = first.ok();
    assert_eq!(board["village"], "东河村");
    assert_eq!(board["this_month"]["received"], 1);
    assert_eq!(board["this_month"]["satisfied"], 1);
    let etag = first.headers["etag"].to_str().unwrap();
    let strong = etag.trim_start_matches("W/");
    for known in [etag, strong, "*", &format!("\"other\", {etag}")] {
        let request = server.visitor().request(Method::GET, &address).header("If-None-Match", known);
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (304, ""), "{known}");
        assert_eq!(answer.headers["cache-control"], first.headers["cache-control"]);
    }
    for stale in ["\"other\"", "nonsense"] {
        let request = server.visitor().request(Method::GET, &address).header("If-None-Match", stale);
        assert_eq!(Answer::of(request).await.status, 200, "{stale}");
    }
    let township = server.visitor().get(&format!("/api/board/townships/{}", cast.township.id)).await.ok();
    assert_eq!(township["villages"][0]["name"], "东河村");
    let unknown = "/api/board/villages/01890000-0000-7000-8000-000000000000";
    server.visitor().get(unknown).await.problem(404, "not_found");
    server.visitor().get("/api/board/villages/nonsense").await.problem(404, "not_found");
}

#[rstest]
#[actix_web::test]
async fn the_board_never_shows_a_name_or_a_complaints_words() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let complaint = json!({"body": "MARKER-WORDS 张三家门口", "place": "MARKER-PLACE"});
    cast.resident.post("/api/complaints", complaint).await.ok();
    let problem = json!({
        "village_id": cast.village.id, "way": "residents", "category": "wooden", "words": "MARKER-PROBLEM",
    });
    let problem = cast.office.post("/api/problems", problem).await.ok()["id"].clone();
    let item = json!({
        "village_id": cast.village.id, "problem_ids": [problem], "title": "路灯", "goal": "亮", "measures": ["换"],
        "pace": "immediate", "due_on": "2026-04-10", "lead_unit_id": cast.village.id,
    });
    let id = cast.office.post("/api/rectifications", item).await.ok()["id"].clone();
    let address = format!("/api/board/villages/{}", cast.village.id);
    // Not before the commitment is public.
    assert_eq!(server.visitor().get(&address).await.ok()["items"], json!([]));
    let publication = format!("/api/rectifications/{}/publication", id.as_str().unwrap());
    cast.secretary.post(&publication, json!({"commitment": "修好"})).await.ok();
    let text = server.visitor().get(&address).await.text;
    assert!(text.contains("测某某"), "the surname is shown: {text}");
    assert!(!text.contains("测试干部") && !text.contains("测试村民") && !text.contains("MARKER"), "{text}");
}

#[rstest]
#[actix_web::test]
async fn a_page_of_the_board_stands_for_its_time() {
    let server = TestServer::start_with(Engine::Sqlite, |config| config.board.fresh_seconds = 3600).await;
    let cast = Cast::of(&server).await;
    let address = format!("/api/board/villages/{}", cast.village.id);
    let first = server.visitor().get(&address).await;
    assert_eq!(first.headers["cache-control"], "public, max-age=3600");
    let path = cast.answered().await;
    cast.rate(&path, "satisfied").await.ok();
    assert_eq!(server.visitor().get(&address).await.text, first.text);
}

#[rstest]
#[actix_web::test]
async fn anybody_finds_the_township_and_from_there_the_village(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let first = server.visitor().get("/api/board/townships").await.ok();
    assert_eq!(first["items"], json!([{"id": cast.township.id, "name": "云溪镇"}]));
    assert_eq!(first["next"], json!(null));
    let township = first["items"][0]["id"].as_str().unwrap();
    let villages = server.visitor().get(&format!("/api/board/townships/{township}")).await.ok();
    assert_eq!(villages["villages"][0]["id"], json!(cast.village.id));
    let after = server.visitor().get(&format!("/api/board/townships?after={township}")).await.ok();
    assert_eq!(after["items"], json!([]));
    server.visitor().get("/api/board/townships?after=nonsense").await.problem(422, "invalid_query");
}
