//! What a command writes late, what was seen before it, and who is overtaken.

use qingfeng_core::{
    audit::{self, AuditEntry, records},
    ids::CountyId,
    people::Actor,
    refusal::Fault,
    storage::{Command, Done, Engine, IdempotencyKey, Store, UnitOfWork},
    subject::{SubjectKind, SubjectRef},
};
use rstest::rstest;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr,
};
use uuid::Uuid;

use crate::engines::{Fixture, store};

/// A table of the tests' own.
mod lamps {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "lamps")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub turns: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

async fn store_with_a_lamp(engine: Engine) -> Fixture {
    let fixture = store(engine).await;
    for sql in
        ["CREATE TABLE lamps (id INTEGER PRIMARY KEY, turns INTEGER NOT NULL)", "INSERT INTO lamps VALUES (1, 0)"]
    {
        fixture.store.reader().execute_unprepared(sql).await.unwrap();
    }
    fixture
}

fn county() -> CountyId {
    CountyId(Uuid::from_u128(7))
}

fn act() -> AuditEntry {
    AuditEntry::new("turned", SubjectRef { kind: SubjectKind::Complaint, id: Uuid::from_u128(3) })
}

fn system() -> Actor {
    Actor::System { county: county() }
}

fn turn_from(seen: i32) -> sea_orm::UpdateMany<lamps::Entity> {
    lamps::Entity::update_many()
        .col_expr(lamps::Column::Turns, Expr::value(seen + 1))
        .filter(lamps::Column::Id.eq(1))
        .filter(lamps::Column::Turns.eq(seen))
}

async fn turns(connection: &impl ConnectionTrait) -> i32 {
    lamps::Entity::find_by_id(1).one(connection).await.unwrap().unwrap().turns
}

async fn rows(store: &Store) -> (u64, u64) {
    let lamps = lamps::Entity::find().count(store.reader()).await.unwrap();
    (lamps, records::Entity::find().count(store.reader()).await.unwrap())
}

fn another_lamp(unit: &UnitOfWork, id: i32) {
    unit.later(&lamps::Entity::insert(lamps::ActiveModel { id: Set(id), turns: Set(0) }));
}

/// How a command that was decided on what was seen before it is written.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// By itself, without a transaction.
    WithoutReading,
    /// With the transaction opened only to write.
    Late,
    /// In a transaction that was open already.
    Opened,
}

/// Turns the lamp that was seen in this state, and lights others.
async fn turn_as_seen(store: &Store, way: Way, seen: i32, others: &'static [i32]) -> Result<(), Fault> {
    let command = Command::by(&system());
    let write = move |unit: &UnitOfWork| {
        for id in others {
            another_lamp(unit, *id);
        }
        unit.later_if_it_holds(&turn_from(seen));
        Done::new((), act())
    };
    if matches!(way, Way::WithoutReading) {
        store.command_without_reading(county(), &command, |unit| Ok(write(unit))).await?;
        return Ok(());
    }
    let in_transaction = store.command(county(), &command, move |unit| {
        Box::pin(async move {
            if matches!(way, Way::Opened) {
                turns(unit.connection()).await;
            }
            Ok(write(unit))
        })
    });
    in_transaction.await?;
    Ok(())
}

/// Turns the lamp without a lock, again and again until nobody came between.
async fn turn(store: &Store, way: Way) {
    loop {
        let seen = turns(store.lanes()).await;
        match turn_as_seen(store, way, seen, &[]).await {
            Ok(()) => return,
            Err(Fault::Overtaken) => {}
            Err(fault) => panic!("{fault}"),
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_is_decided_on_what_was_seen_is_written_once_or_overtaken(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Way::WithoutReading, Way::Late, Way::Opened)] way: Way,
) {
    let fixture = store_with_a_lamp(engine).await;
    futures::future::join_all((0..20).map(|_| turn(&fixture.store, way))).await;
    assert_eq!(turns(fixture.store.reader()).await, 20);
    assert_eq!(rows(&fixture.store).await, (1, 20));
    assert_eq!(audit::verify(&fixture.store, county()).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn an_overtaken_command_leaves_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Way::WithoutReading, Way::Late, Way::Opened)] way: Way,
) {
    let fixture = store_with_a_lamp(engine).await;
    let overtaken = turn_as_seen(&fixture.store, way, 99, &[2]).await;
    assert!(matches!(overtaken, Err(Fault::Overtaken)));
    assert_eq!(rows(&fixture.store).await, (1, 0));
}

/// An act on a thing of its own, so that its record stands in a chain of its own.
fn act_on(id: i32) -> AuditEntry {
    AuditEntry::new(
        "turned",
        SubjectRef { kind: SubjectKind::Complaint, id: Uuid::from_u128(id.unsigned_abs().into()) },
    )
}

/// Half of them in transactions, half without; every third is overtaken, every fifth finds its row taken.
#[rstest]
#[tokio::test]
async fn commands_that_fail_do_not_spoil_the_others_however_they_are_written(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(false, true)] about_the_same_thing: bool,
) {
    let fixture = store_with_a_lamp(engine).await;
    let commands = (100..160).map(|id| {
        let store = fixture.store.clone();
        async move {
            let write = move |unit: &UnitOfWork| {
                another_lamp(unit, id);
                if id % 3 == 0 {
                    unit.later_if_it_holds(&turn_from(99));
                }
                if id % 5 == 0 {
                    another_lamp(unit, 1);
                }
                Done::new(id, if about_the_same_thing { act() } else { act_on(id) })
            };
            let command = Command::by(&system());
            if id % 2 == 0 {
                return store.command_without_reading(county(), &command, |unit| Ok(write(unit))).await;
            }
            store.command(county(), &command, move |unit| Box::pin(async move { Ok(write(unit)) })).await
        }
    });
    let outcomes = futures::future::join_all(commands).await;
    for (id, outcome) in (100..160).zip(&outcomes) {
        let fails = id % 3 == 0 || id % 5 == 0;
        assert_eq!(matches!(outcome, Err(Fault::Overtaken)), fails, "{id}: {outcome:?}");
        assert_eq!(outcome.is_ok(), !fails, "{id}: {outcome:?}");
    }
    // 32 of 60 numbers are divisible by neither.
    assert_eq!(rows(&fixture.store).await, (33, 32));
    assert_eq!(audit::verify(&fixture.store, county()).await.unwrap(), []);
}

/// Lamps with every number from 100 on, lit by as many commands at the same moment; those in `bad` cannot be.
async fn light_together(store: &Store, count: i32, bad: &'static [i32]) -> Vec<Result<i32, Fault>> {
    let commands = (100..100 + count).map(|id| async move {
        let command =
            Command::once(&system(), IdempotencyKey::parse("someone", "light", &format!("lamp-{id:05}"), b"").ok());
        let light = |unit: &UnitOfWork| {
            another_lamp(unit, if bad.contains(&id) { 1 } else { id });
            Ok(Done::new(id, act_on(id)))
        };
        store.command_without_reading(county(), &command, light).await.map(|outcome| outcome.value)
    });
    futures::future::join_all(commands).await
}

#[tokio::test]
async fn what_comes_at_the_same_moment_is_written_to_postgres_with_few_commits() {
    let fixture = store_with_a_lamp(Engine::Postgres).await;
    let lit = light_together(&fixture.store, 60, &[]).await;
    assert_eq!(lit.into_iter().map(Result::unwrap).collect::<Vec<_>>(), (100..160).collect::<Vec<_>>());
    assert_eq!(rows(&fixture.store).await, (61, 60));
    assert_eq!(audit::verify(&fixture.store, county()).await.unwrap(), []);
    let commits = "SELECT count(DISTINCT xmin::text) AS commits FROM lamps WHERE id >= 100";
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, commits);
    let row = fixture.store.reader().query_one_raw(statement).await.unwrap().unwrap();
    let commits: i64 = row.try_get("", "commits").unwrap();
    assert!(commits <= 10, "{commits} commits for 60 commands");
}

#[rstest]
#[tokio::test]
async fn one_of_a_group_that_cannot_be_written_is_told_so_and_the_others_are_written(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store_with_a_lamp(engine).await;
    let lit = light_together(&fixture.store, 40, &[103, 117]).await;
    for (id, outcome) in (100..140).zip(lit) {
        match outcome {
            Err(Fault::Overtaken) => assert!([103, 117].contains(&id)),
            outcome => assert_eq!(outcome.unwrap(), id),
        }
    }
    assert_eq!(rows(&fixture.store).await, (39, 38));
    assert_eq!(audit::verify(&fixture.store, county()).await.unwrap(), []);
    // Sent again, each finds its own answer; the two leave nothing, as before.
    let again = light_together(&fixture.store, 40, &[103, 117]).await;
    assert_eq!(again.iter().filter(|outcome| outcome.is_ok()).count(), 38);
    assert_eq!(rows(&fixture.store).await, (39, 38));
}

#[rstest]
#[tokio::test]
async fn a_lane_whose_statement_failed_or_whose_caller_hung_up_serves_on(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store_with_a_lamp(engine).await;
    let lanes = fixture.store.lanes();
    for _ in 0..40 {
        let unknown = sea_orm::Statement::from_string(lanes.get_database_backend(), "SELECT * FROM no_such_table");
        assert!(lanes.query_one_raw(unknown).await.is_err());
        // Polled once, then given up.
        let given_up = turns(lanes);
        tokio::select! {
            biased;
            _ = given_up => {}
            () = std::future::ready(()) => {}
        }
        assert_eq!(turns(lanes).await, 0);
    }
}

/// How many different spellings there are of these columns.
async fn spellings(store: &Store, table: &str, columns: &[&str]) -> i64 {
    let columns: Vec<_> = columns.iter().map(|column| format!("typeof({column}) || hex({column})")).collect();
    let sql = format!("SELECT count(DISTINCT {}) AS spellings FROM {table}", columns.join(" || ' ' || "));
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql);
    store.reader().query_one_raw(statement).await.unwrap().unwrap().try_get("", "spellings").unwrap()
}

#[tokio::test]
async fn both_writers_of_sqlite_spell_values_alike() {
    let fixture = store_with_a_lamp(Engine::Sqlite).await;
    let key = |name| Some(IdempotencyKey::parse("someone", "turn", name, b"content").unwrap());
    let answer = || serde_json::json!({"text": "村口的路灯", "number": 7, "none": null});
    let (one, other) = (Command::once(&system(), key("draft-1234")), Command::once(&system(), key("draft-5678")));
    fixture.store.command_without_reading(county(), &one, |_| Ok(Done::new(answer(), act()))).await.unwrap();
    let late =
        fixture.store.command(county(), &other, move |_| Box::pin(async move { Ok(Done::new(answer(), act())) }));
    late.await.unwrap();
    let store = &fixture.store;
    assert_eq!(spellings(store, "idempotency_keys", &["key"]).await, 2);
    assert_eq!(spellings(store, "idempotency_keys", &["county_id", "content", "answer", "created_at"]).await, 1);
    let record = ["county_id", "stripe", "at", "actor_kind", "staff_id", "action", "subject_kind", "subject_id"];
    assert_eq!(spellings(store, "audit_records", &["sequence"]).await, 2);
    assert_eq!(spellings(store, "audit_records", &record).await, 1);
}

#[rstest]
#[tokio::test]
async fn a_command_reads_what_it_wrote_for_later(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let fixture = store_with_a_lamp(engine).await;
    let seen = fixture
        .store
        .command(county(), &Command::by(&system()), |unit| {
            Box::pin(async move {
                unit.later(&turn_from(0));
                let first = turns(unit.connection()).await;
                unit.later(&turn_from(1));
                let second = turns(unit.connection()).await;
                Ok(Done::new((first, second), act()))
            })
        })
        .await
        .unwrap();
    assert_eq!(seen.value, (1, 2));
    assert_eq!(turns(fixture.store.reader()).await, 2);
}

#[rstest]
#[tokio::test]
async fn a_refused_command_writes_nothing_of_what_it_wrote_for_later(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(false, true)] with_open_transaction: bool,
) {
    let fixture = store_with_a_lamp(engine).await;
    let refused = fixture
        .store
        .command::<(), _>(county(), &Command::by(&system()), move |unit| {
            Box::pin(async move {
                another_lamp(unit, 2);
                if with_open_transaction {
                    turns(unit.connection()).await;
                }
                another_lamp(unit, 3);
                Err(qingfeng_core::refusal::Refusal::forbidden().into())
            })
        })
        .await;
    assert!(matches!(refused, Err(Fault::Refused(_))));
    assert_eq!(rows(&fixture.store).await, (1, 0));
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_written_together_is_not_written_at_all(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store_with_a_lamp(engine).await;
    // Between two good commands of the same group.
    let commands = [2, 1, 3].map(|id| {
        let store = fixture.store.clone();
        async move {
            store
                .command(county(), &Command::by(&system()), move |unit| {
                    Box::pin(async move {
                        another_lamp(unit, id + 10);
                        another_lamp(unit, id);
                        Ok(Done::new((), act()))
                    })
                })
                .await
        }
    });
    let [first, taken, last] = futures::future::join_all(commands).await.try_into().unwrap();
    assert!(matches!(taken, Err(Fault::Overtaken)), "number 1 is there already");
    assert!(first.is_ok() && last.is_ok());
    assert_eq!(rows(&fixture.store).await, (5, 2));
    assert_eq!(audit::verify(&fixture.store, county()).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn a_request_that_was_done_finds_its_answer_even_when_it_could_not_be_done_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store_with_a_lamp(engine).await;
    let key = IdempotencyKey::parse("someone", "turn", "draft-1234", b"content").unwrap();
    let command = Command::once(&system(), Some(key));
    let mut replayed = Vec::new();
    for _ in 0..3 {
        let outcome = fixture
            .store
            .command(county(), &command, |unit| {
                Box::pin(async move {
                    if turns(unit.connection()).await > 0 {
                        return Err(qingfeng_core::refusal::Refusal::forbidden().into());
                    }
                    unit.later(&turn_from(0));
                    Ok(Done::new("lit".to_owned(), act()))
                })
            })
            .await
            .unwrap();
        assert_eq!(outcome.value, "lit");
        replayed.push(outcome.replayed);
    }
    assert_eq!(replayed, [false, true, true]);
    assert_eq!((turns(fixture.store.reader()).await, rows(&fixture.store).await), (1, (1, 1)));
}
