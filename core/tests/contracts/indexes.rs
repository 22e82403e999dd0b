//! The busy queries have their index, on both engines.

use qingfeng_core::{
    clock::shanghai_date,
    complaints::{
        State,
        queries::{Filter, list_query},
        silence::silent_reporters,
    },
    deadlines::desk,
    groups::sent,
    ids::{CountyId, GroupId, OrganizationId, PostId, ResidentId, StaffId},
    outbox::{self, Priority, residents_missed::residents_missed, undelivered::undelivered},
    people::{
        Actor, HeldPost, OrganizationKind, Resident, Role, Staff,
        authorization::{Action, Reach, StaffReach, reach},
    },
    publication::village_board,
    storage::{Engine, Store},
    surveys,
};
use rstest::rstest;
use sea_orm::{ConnectionTrait, QuerySelect, QueryTrait, Statement};
use uuid::Uuid;

use crate::engines::{store, store_with};

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

/// Pages of the database that a page of this person's list takes, when so many complaints are the unit's.
async fn pages_read(store: &Store, actor: &Actor, filter: Filter, complaints: u32) -> i64 {
    let Actor::Staff(staff) = actor else { panic!("a list of staff") };
    let connection = store.reader();
    let (unit, handler) = (staff.posts[0].organization, staff.id);
    let fill = format!(
        "INSERT INTO complaints (id, county_id, township_id, village_id, lead_unit_id, handler_id, number, channel, category, \
         title, body, place, state, round, returns, closed_in_silence, registered_at, changed_at) \
         SELECT gen_random_uuid(), '{county}', '{unit}', '{unit}', '{unit}', '{handler}', gen_random_uuid()::text, 'phone', 'road', \
         '路灯坏了', '村口的路灯坏了', '', 'working', 1, 0, false, now(), now() FROM generate_series(1, {complaints}) n",
        county = staff.county,
    );
    connection.execute_unprepared(&fill).await.unwrap();
    connection.execute_unprepared("VACUUM ANALYZE complaints").await.unwrap();
    let query = list_query(actor, filter).unwrap().build(connection.get_database_backend());
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {}", query.sql);
    let explained = Statement::from_sql_and_values(connection.get_database_backend(), explain, query.values.unwrap().0);
    let mut fewest = i64::MAX;
    // What a busy server has not tidied up yet is read once more than it has to be.
    for _ in 0..3 {
        let row = connection.query_one_raw(explained.clone()).await.unwrap().unwrap();
        let plan: serde_json::Value = row.try_get("", "QUERY PLAN").unwrap();
        let plan = &plan[0]["Plan"];
        assert_eq!(plan["Actual Rows"], 30, "{plan:#}");
        let pages = plan["Shared Hit Blocks"].as_i64().unwrap() + plan["Shared Read Blocks"].as_i64().unwrap();
        fewest = fewest.min(pages);
    }
    fewest
}

#[rstest]
#[tokio::test]
async fn a_units_list_takes_no_more_of_a_long_table_than_of_a_short_one(
    #[values(None, Some(State::Working))] state: Option<State>,
) {
    let fixture = store_with(Engine::Postgres, 1).await;
    let (actor, filter) = (staff(Role::VillageSecretary), Filter { state, ..Filter::default() });
    let few = pages_read(&fixture.store, &actor, filter, 2_000).await;
    let many = pages_read(&fixture.store, &actor, filter, 98_000).await;
    // Fifty times the rows: the trees are a level higher, and the rows of a page lie on more pages of the table.
    assert!(many <= 2 * few, "{few} pages of 2000 rows, {many} of 100000");
    assert!(many <= 200, "{many}");
}

/// As many rows as make the planner care, whatever the columns are.
async fn fill(store: &Store, table: &str) {
    let connection = store.reader();
    let columns = Statement::from_string(
        connection.get_database_backend(),
        format!(
            "SELECT column_name, data_type FROM information_schema.columns \
             WHERE table_name = '{table}' AND is_nullable = 'NO' AND table_schema = 'public'"
        ),
    );
    let rows = connection.query_all_raw(columns).await.unwrap();
    let (names, values): (Vec<_>, Vec<_>) = rows
        .iter()
        .map(|row| {
            let kind: String = row.try_get("", "data_type").unwrap();
            let value = match kind.as_str() {
                "uuid" => "gen_random_uuid()",
                "integer" | "bigint" | "smallint" => "n",
                "date" => "date '2026-01-01' + n % 300",
                "timestamp with time zone" => "now() - n * interval '1 minute'",
                "json" | "jsonb" => "'{}'",
                "boolean" => "true",
                "bytea" => "sha256(n::text::bytea)",
                _ => "'x' || n",
            };
            (format!("\"{}\"", row.try_get::<String>("", "column_name").unwrap()), value)
        })
        .unzip();
    let sql = format!(
        "INSERT INTO {table} ({}) SELECT {} FROM generate_series(1, 20000) n",
        names.join(", "),
        values.join(", ")
    );
    connection.execute_unprepared(&sql).await.unwrap();
}

/// How often each of these tables was read from end to end.
async fn whole_reads(store: &Store, tables: &[&str]) -> Vec<(String, i64)> {
    let connection = store.reader();
    connection.execute_unprepared("SELECT pg_stat_force_next_flush()").await.unwrap();
    let list = tables.iter().map(|table| format!("'{table}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT relname::text AS name, seq_scan FROM pg_stat_user_tables WHERE relname IN ({list}) ORDER BY relname"
    );
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| (row.try_get("", "name").unwrap(), row.try_get("", "seq_scan").unwrap())).collect()
}

/// A bot asks every two seconds: what waits for its time, and what has been sent, must cost it nothing.
#[rstest]
#[tokio::test]
async fn what_is_due_is_found_in_order_without_walking_over_what_waits(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Priority::Urgent, Priority::Everybody)] priority: Priority,
) {
    let fixture = store(engine).await;
    if engine == Engine::Postgres {
        fill(&fixture.store, "outbox_messages").await;
        fixture.store.reader().execute_unprepared("ANALYZE").await.unwrap();
    }
    let backend = fixture.store.reader().get_database_backend();
    let statement = outbox::due(priority, fixture.store.clock().now()).limit(100).build(backend);
    let plan = plan(&fixture.store, engine, statement).await;
    assert!(plan.contains("outbox_messages_state_priority_not_before_id"), "{plan}");
    // SQLite names a sort after its tree, PostgreSQL by its name.
    assert!(!plan.contains("B-TREE") && !plan.contains("Sort"), "{plan}");
    let bounds = if engine == Engine::Sqlite { "state=? AND priority=? AND not_before<?" } else { "not_before <=" };
    assert!(plan.contains(bounds), "{plan}");
}

/// Most messages are for persons: whoever looks for what went into groups does not walk over them.
#[rstest]
#[tokio::test]
async fn what_went_into_groups_is_found_in_order_without_walking_over_what_went_to_persons(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(false, true)] of_one_village: bool,
) {
    let fixture = store(engine).await;
    let (township, group) = (OrganizationId(Uuid::new_v4()), GroupId(Uuid::new_v4()));
    if engine == Engine::Postgres {
        fill(&fixture.store, "outbox_messages").await;
        // Every hundredth is a post of the township's.
        let posts = format!(
            "UPDATE outbox_messages SET recipient_kind = 'group', township_id = '{}' WHERE attempts % 100 = 0",
            township.0
        );
        fixture.store.reader().execute_unprepared(&posts).await.unwrap();
        fixture.store.reader().execute_unprepared("ANALYZE").await.unwrap();
    }
    let backend = fixture.store.reader().get_database_backend();
    let (townships, groups) = if of_one_village { (vec![], vec![group]) } else { (vec![township], vec![]) };
    let reach = StaffReach {
        townships,
        not_concerning_staff: vec![StaffId(Uuid::new_v4())],
        not_concerning_organizations: vec![township],
        ..StaffReach::default()
    };
    let query = sent::list_query(&reach, &groups, None).build(backend);
    let plan = plan(&fixture.store, engine, query).await;
    let walks_the_table = plan.contains("Seq Scan on outbox_messages") || plan.contains("SCAN outbox_messages");
    assert!(!walks_the_table, "{plan}");
    if !of_one_village {
        assert!(plan.contains("outbox_messages_posts"), "{plan}");
        assert!(!plan.contains("B-TREE") && !plan.contains("Sort"), "{plan}");
    }
}

#[rstest]
#[tokio::test]
async fn a_township_s_surveys_are_found_in_order(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let fixture = store(engine).await;
    if engine == Engine::Postgres {
        fill(&fixture.store, "surveys").await;
        fixture.store.reader().execute_unprepared("ANALYZE").await.unwrap();
    }
    let backend = fixture.store.reader().get_database_backend();
    let query = surveys::list_query(&[OrganizationId(Uuid::new_v4())], None).build(backend);
    let plan = plan(&fixture.store, engine, query).await;
    assert!(plan.contains("surveys_township_id_id"), "{plan}");
}

/// PostgreSQL counts what it reads from end to end: the pages that people open all day never do that to a large table.
#[tokio::test]
async fn desk_board_undelivered_messages_and_the_silent_never_read_a_large_table_from_end_to_end() {
    const LARGE: [&str; 7] = [
        "attachments",
        "complaint_ratings",
        "complaint_reporters",
        "complaints",
        "deadlines",
        "outbox_messages",
        "rectifications",
    ];
    // One connection, so that its counts can be asked for.
    let fixture = store_with(Engine::Postgres, 1).await;
    let store = &fixture.store;
    for table in LARGE {
        fill(store, table).await;
    }
    store.reader().execute_unprepared("ANALYZE").await.unwrap();
    let place = Uuid::new_v4();
    let village = format!(
        "INSERT INTO organizations (id, county_id, kind, name, code) VALUES ('{place}', '{place}', 'village', '东河村', 'v')"
    );
    store.reader().execute_unprepared(&village).await.unwrap();
    let before = whole_reads(store, &LARGE).await;
    assert_eq!(before.len(), LARGE.len());

    for role in [Role::VillageSecretary, Role::TownshipOffice, Role::DisciplinaryOfficer] {
        let Reach::Staff(reach) = reach(&staff(role), Action::ViewDesk) else { panic!("{role:?} has a desk") };
        desk::due(store, &reach, None).await.unwrap();
        let today = shanghai_date(store.clock().now());
        desk::counts(store, &reach, today, today).await.unwrap();
    }
    undelivered(store, &staff(Role::TownshipOffice), None).await.unwrap();
    residents_missed(store, &staff(Role::TownshipOffice)).await.unwrap();
    let now = store.clock().now();
    silent_reporters(store.reader(), CountyId(place), now - chrono::TimeDelta::days(45)..now, None).await.unwrap();
    village_board(store.reader(), OrganizationId(place), shanghai_date(now)).await.unwrap();

    assert_eq!(whole_reads(store, &LARGE).await, before);
    // And it would be noticed.
    store.reader().execute_unprepared("SELECT count(*) FROM deadlines WHERE extensions = -1").await.unwrap();
    assert_ne!(whole_reads(store, &LARGE).await, before);
}

/// The database derives the phase, the lists ask for it: both have to mean the same.
#[rstest]
#[tokio::test]
async fn a_complaint_in_any_state_is_found_in_the_phase_of_that_state(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    use qingfeng_core::complaints::entity::complaints;
    use sea_orm::{
        ActiveEnum as _, ColumnTrait as _, EntityTrait as _, Iterable as _, PaginatorTrait as _, QueryFilter as _,
    };

    let fixture = store(engine).await;
    let connection = fixture.store.reader();
    for (number, state) in State::iter().enumerate() {
        let row = "INSERT INTO complaints (id, county_id, township_id, village_id, number, channel, category, title, body, place, \
             state, round, returns, closed_in_silence, registered_at, changed_at) VALUES ($1, $1, $1, $1, $2, 'phone', 'road', '', \
             '', '', $3, 1, 0, false, $4, $4)";
        let values = [
            Uuid::new_v4().into(),
            number.to_string().into(),
            state.to_value().into(),
            fixture.store.clock().now().into(),
        ];
        let insert = Statement::from_sql_and_values(connection.get_database_backend(), row, values);
        connection.execute_raw(insert).await.unwrap();
    }
    let ended = State::iter().filter(|state| !state.is_open()).count();
    for state in State::iter() {
        let of_its_phase = complaints::Entity::find().filter(complaints::in_phase_of(state));
        let found = of_its_phase.clone().filter(complaints::Column::State.eq(state)).count(connection).await.unwrap();
        assert_eq!(found, 1, "{state:?}");
        let together = if state.is_open() { State::iter().count() - ended } else { 1 };
        assert_eq!(of_its_phase.count(connection).await.unwrap(), together as u64, "{state:?}");
    }
}
