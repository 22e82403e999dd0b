//! Surveys of a village about a thing: figures are kept, no answers.

use qingfeng_core::{audit, storage::Engine};
use qingfeng_sandbox::PushOutcome;
use rstest::rstest;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, Statement};
use serde_json::json;

use crate::support::{Cast, TestServer, platform};

#[derive(Debug, PartialEq, Eq, FromQueryResult)]
struct Figure {
    question: i32,
    choice: i32,
    answers: i32,
}

#[rstest]
#[actix_web::test]
async fn nothing_in_the_database_leads_from_an_answer_to_a_person(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let draft = json!({"village_id": cast.village.id, "title": "通组路修好了吗", "closes_on": "2026-03-09", "questions": [
        {"text": "路面平不平？", "choices": ["平", "不平"]}, {"text": "雨天能走吗？", "choices": ["能", "不能", "没走过"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
    for (open_id, choices) in [("phone-1", ["2", "3"]), ("phone-2", ["1", "3"])] {
        cast.township.add_resident(cast.village, Some(open_id), None).await;
        let phone = platform.phone(open_id);
        phone.say("问卷").await;
        phone.say(choices[0]).await;
        match phone.say(choices[1]).await {
            PushOutcome::Replied(answer) => assert!(answer.contains("谢谢"), "{answer}"),
            other => panic!("{open_id}: {other:?}"),
        }
    }
    let connection = server.application.store.reader();
    let select = |sql: &str| Statement::from_string(connection.get_database_backend(), sql);
    // In SQLite by the order in which they were written: the survey's, whatever the first one chose.
    let order = if engine == Engine::Sqlite { "rowid" } else { "question, choice" };
    let figures = select(&format!("SELECT question, choice, answers FROM survey_tallies ORDER BY {order}"));
    let figures = Figure::find_by_statement(figures).all(connection).await.unwrap();
    let expected = [(0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 0), (1, 2, 2)];
    assert_eq!(figures, expected.map(|(question, choice, answers)| Figure { question, choice, answers }));
    if engine == Engine::Postgres {
        let row = connection
            .query_one_raw(select("SELECT count(DISTINCT xmin::text) AS writers FROM survey_tallies"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.try_get::<i64>("", "writers").unwrap(), 1, "a row's transaction tells who raised it");
    }
    let audited = audit::records::Entity::find().filter(audit::records::Column::ActorKind.eq("resident"));
    assert_eq!(audited.count(connection).await.unwrap(), 0);
}
