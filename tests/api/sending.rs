//! The stop switch.

use chrono::TimeDelta;
use qingfeng_core::{audit::records, people::Role, storage::Engine};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::support::{Cast, TestServer, bot, platform};

#[rstest]
#[actix_web::test]
async fn whoever_runs_the_system_stops_all_sending_and_nothing_is_lost(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let administrator = cast.township.staff(Role::SystemAdministrator).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let bots = [bot(&server, &running), bot(&server, &running)];
    platform.add_group(qingfeng_sandbox::Group::new("KEY", "东河村群"));
    cast.township.chat_group(cast.village, "东河村群", "KEY").await;

    for who in [&cast.office, &cast.leader] {
        who.post("/api/sending/stop", json!({"reason": "试试"})).await.problem(403, "forbidden");
        who.get("/api/sending").await.problem(403, "forbidden");
    }
    cast.resident.post("/api/sending/stop", json!({"reason": "试试"})).await.problem(403, "forbidden");
    administrator.post("/api/sending/stop", json!({"reason": " "})).await.problem(422, "invalid_input");
    administrator.post("/api/sending/stop", json!({"reason": "长".repeat(201)})).await.problem(422, "invalid_input");
    administrator.post("/api/sending/resumption", json!({})).await.problem(409, "sending_not_stopped");
    administrator.post("/api/sending/stop", json!({"reason": "名单导错了"})).await.ok();
    administrator.post("/api/sending/stop", json!({"reason": "再停"})).await.problem(409, "sending_stopped");
    let state = administrator.get("/api/sending").await.ok();
    assert_eq!((&state["stopped"], &state["reason"]), (&json!(true), &json!("名单导错了")));

    // The month's post is due, and is not sent by anybody.
    for _ in 0..3 {
        for bot in &bots {
            bot.tick().await.unwrap();
        }
        server.clock.advance(TimeDelta::hours(1));
    }
    assert!(platform.deliveries().is_empty());
    administrator.post("/api/sending/resumption", json!({})).await.ok();
    for bot in bots.iter().chain(&bots) {
        bot.tick().await.unwrap();
    }
    assert_eq!(platform.delivered_to_group("KEY").len(), 1);

    let acts = records::Entity::find().filter(records::Column::Action.is_in(["sending_stopped", "sending_resumed"]));
    assert_eq!(acts.count(server.application.store.reader()).await.unwrap(), 2);
    running.stop().await;
}
