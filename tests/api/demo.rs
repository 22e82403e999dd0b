use std::collections::BTreeSet;

use qingfeng_core::{
    campaigns::{
        DutyState,
        entity::{campaigns, duties},
    },
    complaints::{self, entity::complaints as complaint_rows},
    people::entity::{organizations, residents},
    rectification::{self, entity::rectifications},
    storage::Engine,
};
use rstest::rstest;
use sea_orm::{EntityTrait, Iterable, PaginatorTrait};

use crate::support::TestServer;

#[rstest]
#[actix_web::test]
async fn the_demo_township_is_in_the_middle_of_everything_and_seeded_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    qingfeng::demo::seed(&server.application).await.unwrap();
    let reader = server.application.store.reader();
    assert_eq!(residents::Entity::find().count(reader).await.unwrap(), 600);

    let complaints = complaint_rows::Entity::find().all(reader).await.unwrap();
    let states: BTreeSet<_> = complaints.iter().map(|row| format!("{:?}", row.state)).collect();
    for state in complaints::State::iter() {
        assert!(states.contains(&format!("{state:?}")), "{state:?} is not in {states:?}");
    }
    let items = rectifications::Entity::find().all(reader).await.unwrap();
    let states: BTreeSet<_> = items.iter().map(|row| format!("{:?}", row.state)).collect();
    for state in rectification::State::iter() {
        assert!(states.contains(&format!("{state:?}")), "{state:?} is not in {states:?}");
    }

    let campaign = campaigns::Entity::find().one(reader).await.unwrap().unwrap();
    assert_eq!((campaign.name.as_str(), campaign.starts_on.to_string().as_str()), ("“激浊扬清”专项行动", "2026-01-15"));
    let duties = duties::Entity::find().all(reader).await.unwrap();
    let done = duties.iter().filter(|duty| duty.state == DutyState::Done).count();
    assert!(done > 10 && duties.len() - done > 10, "{done} of {}", duties.len());
    let now = qingfeng_core::clock::Clock::now(&*server.clock);
    assert!(duties.iter().all(|duty| duty.completed_at.is_none_or(|at| at <= now)), "nobody works in the future");

    qingfeng::demo::seed(&server.application).await.unwrap();
    assert_eq!(organizations::Entity::find().count(reader).await.unwrap(), 20);
    assert_eq!(duties::Entity::find().count(reader).await.unwrap(), duties.len() as u64);
}
