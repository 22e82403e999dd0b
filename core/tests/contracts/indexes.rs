//! The busy queries have their index, on both engines.

use qingfeng_core::{
    complaints::queries::{Filter, list_query},
    ids::{CountyId, OrganizationId, PostId, ResidentId, StaffId},
    people::{Actor, HeldPost, OrganizationKind, Resident, Role, Staff},
    storage::{Engine, Store},
};
use rstest::rstest;
use sea_orm::{ConnectionTrait, QueryTrait, Statement};
use uuid::Uuid;

use crate::engines::store;

fn staff(role: Role) -> Actor {
    let id = || Uuid::new_v4();
    let post = HeldPost {
        id: PostId(id()),
        role,
        organization: OrganizationId(id()),
        organization_kind: OrganizationKind::Village,
        township: Some(OrganizationId(id())),
    };
    Actor::Staff(Staff {
        id: StaffId(id()),
        county: CountyId(id()),
        posts: vec![post],
        recused_from_staff: vec![],
        recused_from_organizations: vec![],
    })
}

fn resident() -> Actor {
    let id = || Uuid::new_v4();
    Actor::Resident(Resident {
        id: ResidentId(id()),
        county: CountyId(id()),
        township: OrganizationId(id()),
        village: OrganizationId(id()),
        also_staff: None,
    })
}

/// The engine's plan for the statement, as text.
async fn plan(store: &Store, engine: Engine, statement: Statement) -> String {
    let connection = store.reader();
    let explain = match engine {
        Engine::Sqlite => "EXPLAIN QUERY PLAN",
        Engine::Postgres => "EXPLAIN",
    };
    let sql = format!("{explain} {}", statement.sql);
    let explained = match statement.values {
        Some(values) => Statement::from_sql_and_values(connection.get_database_backend(), sql, values.0),
        None => Statement::from_string(connection.get_database_backend(), sql),
    };
    let column = if engine == Engine::Sqlite { "detail" } else { "QUERY PLAN" };
    let rows = connection.query_all_raw(explained).await.unwrap();
    rows.iter().map(|row| row.try_get::<String>("", column).unwrap()).collect::<Vec<_>>().join("\n")
}

#[rstest]
#[tokio::test]
async fn lists_of_complaints_walk_an_index_and_never_the_table(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values("resident", "secretary", "office", "inspector")] who: &str,
) {
    let fixture = store(engine).await;
    if engine == Engine::Postgres {
        // Enough rows for the planner to care.
        let fill = "INSERT INTO complaints (id, county_id, township_id, village_id, number, channel, category, title, body, \
            place, state, round, returns, closed_in_silence, registered_at, changed_at) \
            SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), n::text, 'phone', 'road', '', '', '', \
            'working', 1, 0, false, now(), now() FROM generate_series(1, 20000) n";
        fixture.store.reader().execute_unprepared(fill).await.unwrap();
        fixture.store.reader().execute_unprepared("ANALYZE").await.unwrap();
    }
    let actor = match who {
        "resident" => resident(),
        "secretary" => staff(Role::VillageSecretary),
        "office" => staff(Role::TownshipOffice),
        _ => staff(Role::CountyInspector),
    };
    let query = list_query(&actor, Filter::default()).unwrap();
    let statement = query.build(fixture.store.reader().get_database_backend());
    let plan = plan(&fixture.store, engine, statement).await;
    let walks_the_table = plan.lines().any(|line| {
        let line = line.trim();
        line.contains("Seq Scan on complaints")
            || line == "SCAN complaints"
            || line.starts_with("SCAN complaints USING INDEX sqlite_autoindex")
    });
    assert!(!walks_the_table, "{plan}");
}
