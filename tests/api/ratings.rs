//! Ratings that come at the same moment are seen and written together, and stay each its own.

use futures::future::join_all;
use qingfeng_core::{audit, outbox, storage::Engine};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::support::{Cast, TestServer};

const LEVELS: [&str; 4] = ["very_satisfied", "satisfied", "basically_satisfied", "dissatisfied"];

#[rstest]
#[actix_web::test]
async fn ratings_of_the_same_moment_are_each_about_their_own_complaint(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let mut paths = Vec::new();
    for _ in 0..12 {
        paths.push(cast.answered().await);
    }
    let (stranger, _) = cast.township.resident(cast.village).await;
    let ratings = paths.iter().zip(LEVELS.iter().cycle()).map(|(path, level)| cast.rate(path, level));
    // Somebody else's tries in between.
    let stranger = &stranger;
    let tries = paths.iter().map(|path| async move {
        let address = format!("{path}/ratings");
        stranger.post(&address, json!({"level": "very_dissatisfied"})).await
    });
    let (rated, refused) = futures::join!(join_all(ratings), join_all(tries));
    for answer in rated {
        answer.ok();
    }
    for answer in refused {
        answer.problem(404, "not_found");
    }
    for (path, level) in paths.iter().zip(LEVELS.iter().cycle()) {
        let view = cast.view(path).await;
        assert_eq!(view["ratings"].as_array().unwrap().len(), 1);
        assert_eq!(view["ratings"][0]["level"], *level);
        assert_eq!(view["state"], if *level == "dissatisfied" { "reopened" } else { "rated" });
    }
    for (kind, count) in [("complaint_rated", 9), ("complaint_rated_bad", 3)] {
        let told = outbox::entity::Entity::find().filter(outbox::entity::Column::Kind.eq(kind));
        assert_eq!(told.count(server.application.store.reader()).await.unwrap(), count, "{kind}");
    }
    assert_eq!(audit::verify(&server.application.store, cast.township.county).await.unwrap(), []);
}
