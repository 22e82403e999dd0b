//! What a command writes late, what it only glances at, and who is overtaken.

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
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, entity::prelude::*, sea_query::Expr,
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

/// Turns the lamp without a lock, again and again until nobody came between.
async fn turn(store: &Store) {
    loop {
        let turned = store
            .command(county(), &Command::by(&system()), |unit| {
                Box::pin(async move {
                    let seen = turns(&unit.glance()).await;
                    // Room for others between seeing and writing.
                    tokio::task::yield_now().await;
                    unit.later_if_it_holds(&turn_from(seen));
                    Ok(Done::new((), act()))
                })
            })
            .await;
        match turned {
            Ok(_) => return,
            Err(Fault::Overtaken) => {}
            Err(fault) => panic!("{fault}"),
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_is_decided_on_a_glance_is_written_once_or_overtaken(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store_with_a_lamp(engine).await;
    futures::future::join_all((0..20).map(|_| turn(&fixture.store))).await;
    assert_eq!(turns(fixture.store.reader()).await, 20);
    assert_eq!(rows(&fixture.store).await, (1, 20));
    assert_eq!(audit::verify(&fixture.store, county()).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn an_overtaken_command_leaves_nothing(
    #[values(Engine::Postgres)] engine: Engine,
    #[values(false, true)] with_open_transaction: bool,
) {
    let fixture = store_with_a_lamp(engine).await;
    let overtaken = fixture
        .store
        .command(county(), &Command::by(&system()), move |unit| {
            Box::pin(async move {
                if with_open_transaction {
                    turns(unit.connection()).await;
                }
                another_lamp(unit, 2);
                unit.later_if_it_holds(&turn_from(99));
                Ok(Done::new((), act()))
            })
        })
        .await;
    assert!(matches!(overtaken, Err(Fault::Overtaken)));
    assert_eq!(rows(&fixture.store).await, (1, 0));
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
                Ok(Done::new((first, second, turns(&unit.glance()).await), act()))
            })
        })
        .await
        .unwrap();
    assert_eq!(seen.value, (1, 2, 2));
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
