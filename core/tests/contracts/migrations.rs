//! What migrations do to rows that stand there already.

use qingfeng_core::storage::Engine;
use qingfeng_migrations::{Migrator, MigratorTrait};
use rstest::rstest;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use crate::engines::{Fixture, without_schema};

/// A database as it was just before the migration of this name.
async fn before(engine: Engine, name: &str) -> Fixture {
    let fixture = without_schema(engine, 8).await;
    let earlier = Migrator::migrations().iter().position(|migration| migration.name().ends_with(name)).unwrap();
    Migrator::up(fixture.store.reader(), Some(u32::try_from(earlier).unwrap())).await.unwrap();
    fixture
}

#[derive(Debug, PartialEq, Eq, FromQueryResult)]
struct Figure {
    choice: i32,
    answers: i32,
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn figures_that_were_counted_keep_their_numbers_and_lose_who_raised_them(#[case] engine: Engine) {
    let fixture = before(engine, "plain_tallies").await;
    let connection = fixture.store.reader();
    let id = "'00000000-0000-0000-0000-000000000001'";
    // As three people answered one after the other.
    for (choice, answers) in [(2, 4), (0, 1), (1, 7)] {
        let row = format!(
            "INSERT INTO survey_tallies (county_id, survey_id, question, choice, answers) \
             VALUES ({id}, {id}, 0, {choice}, {answers})"
        );
        connection.execute_unprepared(&row).await.unwrap();
    }
    fixture.store.migrate().await.unwrap();
    let select = |sql: &str| Statement::from_string(connection.get_database_backend(), sql);
    // As they lie in the file.
    let order = if engine == Engine::Sqlite { "rowid" } else { "ctid" };
    let figures = select(&format!("SELECT choice, answers FROM survey_tallies ORDER BY {order}"));
    let figures = Figure::find_by_statement(figures).all(connection).await.unwrap();
    let expected = [(0, 1), (1, 7), (2, 4)].map(|(choice, answers)| Figure { choice, answers });
    assert_eq!(figures, expected);
    if engine == Engine::Postgres {
        let writers = select("SELECT count(DISTINCT xmin::text) AS writers FROM survey_tallies");
        let writers = connection.query_one_raw(writers).await.unwrap().unwrap();
        assert_eq!(writers.try_get::<i64>("", "writers").unwrap(), 1);
    }
}

#[derive(Debug, FromQueryResult)]
struct Open {
    interface: String,
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn alarms_of_no_account_which_nothing_would_close_are_gone_and_those_of_groups_stay(#[case] engine: Engine) {
    let fixture = before(engine, "alarm_names").await;
    let connection = fixture.store.reader();
    for (number, interface) in ["wechat:token", "wecom:/cgi-bin/message/send", "group:1"].into_iter().enumerate() {
        let id = format!("'00000000-0000-0000-0000-00000000000{number}'");
        let row = format!(
            "INSERT INTO platform_alarms (id, county_id, interface, kind, code, since, last_at, times) \
             VALUES ({id}, {id}, '{interface}', 'bad_config', 1, '2026-03-02T00:00:00Z', '2026-03-02T00:00:00Z', 1)"
        );
        connection.execute_unprepared(&row).await.unwrap();
    }
    fixture.store.migrate().await.unwrap();
    let left = Statement::from_string(connection.get_database_backend(), "SELECT interface FROM platform_alarms");
    let left = Open::find_by_statement(left).all(connection).await.unwrap();
    assert_eq!(left.iter().map(|alarm| alarm.interface.as_str()).collect::<Vec<_>>(), ["group:1"]);
}
