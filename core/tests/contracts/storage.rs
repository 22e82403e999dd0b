use qingfeng_core::{
    audit::{self, AuditEntry},
    ids::{CountyId, StaffId},
    outbox::{self, Notice, Recipient},
    people::{Actor, Staff},
    refusal::{Fault, Refusal},
    storage::{Command, Done, Engine, IdempotencyKey, Outcome, Store},
    subject::{SubjectKind, SubjectRef},
};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use uuid::Uuid;

use crate::engines::store;

fn county() -> CountyId {
    CountyId(Uuid::new_v4())
}

fn staff(county: CountyId) -> Actor {
    Actor::Staff(Staff {
        id: StaffId(Uuid::new_v4()),
        county,
        posts: vec![],
        recused_from_staff: vec![],
        recused_from_organizations: vec![],
    })
}

fn thing() -> SubjectRef {
    SubjectRef { kind: SubjectKind::Complaint, id: Uuid::new_v4() }
}

fn reminder(to: Uuid, about: SubjectRef) -> Notice {
    Notice::new(Recipient::Staff(StaffId(to)), "deadline_ahead", about).step("3_days_before")
}

async fn messages(store: &Store) -> u64 {
    outbox::entity::Entity::find().count(store.reader()).await.unwrap()
}

async fn records(store: &Store) -> u64 {
    audit::records::Entity::find().count(store.reader()).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_command_leaves_its_audit_record_and_its_message(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let fixture = store(engine).await;
    let (county, about) = (county(), thing());
    let outcome = fixture
        .store
        .command(county, &Command::by(&staff(county)), move |_| {
            Box::pin(async move {
                Ok(Done::new(7, AuditEntry::new("tested", about)).telling([reminder(Uuid::new_v4(), about)]))
            })
        })
        .await
        .unwrap();
    assert_eq!(outcome, Outcome { value: 7, replayed: false });
    assert_eq!((messages(&fixture.store).await, records(&fixture.store).await), (1, 1));
    assert_eq!(audit::verify(&fixture.store, county).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn a_refused_command_leaves_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let fixture = store(engine).await;
    let (county, about) = (county(), thing());
    let refused = fixture
        .store
        .command::<(), _>(county, &Command::by(&staff(county)), move |unit| {
            Box::pin(async move {
                outbox::enqueue(unit, county, vec![reminder(Uuid::new_v4(), about)]).await?;
                Err(Refusal::forbidden().into())
            })
        })
        .await;
    assert!(matches!(refused, Err(Fault::Refused(refusal)) if refusal.code == "forbidden"));
    assert_eq!((messages(&fixture.store).await, records(&fixture.store).await), (0, 0));
}

#[rstest]
#[tokio::test]
async fn an_act_of_staff_without_an_audit_record_is_not_done(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store(engine).await;
    let (county, about) = (county(), thing());
    let done = fixture
        .store
        .command(county, &Command::by(&staff(county)), move |_| {
            Box::pin(
                async move { Ok(Done { value: (), audit: vec![], notices: vec![reminder(Uuid::new_v4(), about)] }) },
            )
        })
        .await;
    assert!(matches!(done, Err(Fault::Unavailable(_))));
    assert_eq!(messages(&fixture.store).await, 0);
}

#[rstest]
#[tokio::test]
async fn the_same_request_is_done_once_even_when_it_comes_twenty_times_at_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store(engine).await;
    let (county, about) = (county(), thing());
    let actor = staff(county);
    let key = IdempotencyKey::parse("someone", "rate", "draft-1234", b"content").unwrap();
    let attempts = (0..20).map(|attempt| {
        let (store, command) = (fixture.store.clone(), Command::once(&actor, Some(key.clone())));
        async move {
            store
                .command(county, &command, move |_| {
                    Box::pin(async move {
                        Ok(Done::new(attempt, AuditEntry::new("tested", about))
                            .telling([reminder(Uuid::new_v4(), about)]))
                    })
                })
                .await
                .unwrap()
        }
    });
    let outcomes = futures::future::join_all(attempts).await;
    let fresh: Vec<_> = outcomes.iter().filter(|outcome| !outcome.replayed).collect();
    assert_eq!(fresh.len(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.value == fresh[0].value));
    assert_eq!((messages(&fixture.store).await, records(&fixture.store).await), (1, 1));
}

#[rstest]
#[tokio::test]
async fn the_same_key_with_other_content_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let fixture = store(engine).await;
    let (county, about) = (county(), thing());
    let actor = staff(county);
    let run = |content: &'static [u8]| {
        let key = IdempotencyKey::parse("someone", "rate", "draft-1234", content).unwrap();
        let (store, command) = (fixture.store.clone(), Command::once(&actor, Some(key)));
        async move {
            store
                .command(county, &command, move |_| {
                    Box::pin(async move { Ok(Done::new((), AuditEntry::new("tested", about))) })
                })
                .await
        }
    };
    run(b"satisfied").await.unwrap();
    let refused = run(b"dissatisfied").await;
    assert!(matches!(refused, Err(Fault::Refused(refusal)) if refusal.code == "idempotency_key_reused"));
}

#[rstest]
#[tokio::test]
async fn the_same_message_is_in_the_outbox_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let fixture = store(engine).await;
    let (county, about, to) = (county(), thing(), Uuid::new_v4());
    let enqueue =
        |notice: Notice| fixture.store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice])));
    assert_eq!(enqueue(reminder(to, about)).await.unwrap(), 1);
    assert_eq!(enqueue(reminder(to, about)).await.unwrap(), 0);
    assert_eq!(enqueue(reminder(to, about).round(2)).await.unwrap(), 1);
    assert_eq!(messages(&fixture.store).await, 2);
}

#[rstest]
#[tokio::test]
async fn many_commands_at_once_keep_the_audit_chain_whole_and_tampering_shows(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store(engine).await;
    let county = county();
    let actor = staff(county);
    // Numbered, so that every chain gets some.
    let acts = (0..200_u128).map(|number| {
        let about = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::from_u128(number) };
        let (store, command) = (fixture.store.clone(), Command::by(&actor));
        async move {
            store
                .command(county, &command, move |_| {
                    Box::pin(async move {
                        let first = AuditEntry::new("first", about).changing(&1, &2);
                        Ok(Done { value: (), audit: vec![first, AuditEntry::new("second", about)], notices: vec![] })
                    })
                })
                .await
                .unwrap();
        }
    });
    futures::future::join_all(acts).await;
    assert_eq!(records(&fixture.store).await, 400);
    assert_eq!(audit::verify(&fixture.store, county).await.unwrap(), []);

    let last = "DELETE FROM audit_records WHERE stripe = 7 AND sequence = (SELECT max(sequence) FROM audit_records WHERE stripe = 7)";
    let changed = "UPDATE audit_records SET action = 'third' WHERE stripe = 9 AND sequence = 1";
    for tampering in [last, changed] {
        fixture.store.reader().execute_unprepared(tampering).await.unwrap();
    }
    let broken = audit::verify(&fixture.store, county).await.unwrap();
    assert_eq!(broken.iter().map(|link| link.stripe).collect::<Vec<_>>(), [7, 9]);
}

#[rstest]
#[tokio::test]
async fn a_command_that_fails_in_the_database_does_not_spoil_the_others_of_its_group(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store(engine).await;
    let county = county();
    let actor = staff(county);
    let acts = (0..50).map(|number| {
        let (store, command, about) = (fixture.store.clone(), Command::by(&actor), thing());
        async move {
            store
                .command(county, &command, move |unit| {
                    Box::pin(async move {
                        if number % 5 == 0 {
                            unit.connection().execute_unprepared("INSERT INTO no_such_table VALUES (1)").await?;
                        }
                        Ok(Done::new(number, AuditEntry::new("tested", about)))
                    })
                })
                .await
        }
    });
    let outcomes = futures::future::join_all(acts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 40);
    assert_eq!(records(&fixture.store).await, 40);
}

#[rstest]
#[tokio::test]
async fn a_caller_who_hangs_up_does_not_undo_or_block_the_writer(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store(engine).await;
    let (county, about) = (county(), thing());
    let actor = staff(county);
    let (store, command) = (fixture.store.clone(), Command::by(&actor));
    let hung_up = tokio::spawn(async move {
        store
            .command(county, &command, move |_| {
                Box::pin(async move {
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                    Ok(Done::new((), AuditEntry::new("tested", about)))
                })
            })
            .await
    });
    tokio::task::yield_now().await;
    hung_up.abort();
    let outcome = fixture
        .store
        .command(county, &Command::by(&actor), move |_| {
            Box::pin(async move { Ok(Done::new((), AuditEntry::new("tested", about))) })
        })
        .await;
    assert!(outcome.is_ok());
}
