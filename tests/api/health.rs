use qingfeng_core::storage::Engine;
use rstest::rstest;

use crate::support::TestServer;

#[rstest]
#[actix_web::test]
async fn a_running_server_is_alive_and_ready(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    assert_eq!(server.visitor().get("/healthz").await.status, 200);
    assert_eq!(server.visitor().get("/readyz").await.status, 200);
}

#[rstest]
#[actix_web::test]
async fn an_address_that_does_not_exist_is_a_problem_in_chinese() {
    let server = TestServer::start(Engine::Sqlite).await;
    server.visitor().get("/api/no-such-thing").await.problem(404, "not_found");
}

#[rstest]
#[actix_web::test]
async fn a_body_that_is_no_json_or_too_large_or_incomplete_is_a_problem_that_names_the_field() {
    let server = TestServer::start(Engine::Sqlite).await;
    let visitor = server.visitor();
    let send = |body: String| {
        let request = visitor.request(reqwest::Method::POST, "/api/sign-in/staff");
        crate::support::Answer::of(request.header("content-type", "application/json").body(body))
    };
    send("{".into()).await.problem(422, "invalid_json");
    send("x".repeat(300 * 1024)).await.problem(413, "body_too_large");
    let problem = send(r#"{"login": "a", "password": 1, "code": ""}"#.into()).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/password");
    let problem = send(r#"{"login": "a", "password": "b"}"#.into()).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/code");
    let problem = send(r#"{"login": "a", "password": "b", "code": "", "role": "x"}"#.into()).await;
    assert_eq!(problem.problem(422, "invalid_input")["errors"][0]["pointer"], "/role");
}
