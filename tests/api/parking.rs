//! 挂账: what has to wait does so in public, by the leader's word, and is looked at again.

use chrono::TimeDelta;
use qingfeng_core::{people::Role, storage::Engine};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Cast, TestServer};

fn order(review_on: &str) -> Value {
    json!({"reason": "等省里批复", "review_on": review_on})
}

fn deadline(view: &Value, kind: &str) -> (Value, Value) {
    let row = view["deadlines"].as_array().unwrap().iter().rfind(|row| row["kind"] == kind).unwrap().clone();
    (row["due_on"].clone(), row["status"].clone())
}

async fn board(cast: &Cast<'_>, server: &TestServer) -> Value {
    server.visitor().get(&format!("/api/board/villages/{}", cast.village.id)).await.ok()
}

/// Answered a second time; the one who was dissatisfied says nothing any more.
async fn dissatisfied_and_silent(cast: &Cast<'_>) -> String {
    let path = cast.answered().await;
    cast.rate(&path, "dissatisfied").await.ok();
    cast.call_back(&path, "reached").await.ok();
    cast.dispatch(&path).await.ok();
    // The call was about the first answer, not about the next.
    cast.township.server.clock.advance(TimeDelta::hours(1));
    cast.secretary.post(&format!("{path}/acceptance"), json!({})).await.ok();
    cast.answer(&path).await.ok();
    path
}

#[rstest]
#[actix_web::test]
async fn parking_needs_a_leader_and_a_review_and_the_clock_stands_still_meanwhile() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let path = cast.working().await;
    cast.office.post(&format!("{path}/parking"), order("2026-03-20")).await.problem(403, "forbidden");
    for never in ["2026-03-02", "2026-12-31"] {
        let problem = cast.leader.post(&format!("{path}/parking"), order(never)).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/review_on");
    }
    let desk = cast.secretary.get("/api/desk").await.ok();
    let known = format!("/api/deadlines/{}/acknowledgement", desk["items"][0]["id"].as_str().unwrap());
    cast.secretary.post(&known, json!({})).await.ok();
    cast.leader.post(&format!("{path}/parking"), order("2026-03-20")).await.ok();
    server.clock.advance(TimeDelta::days(10));
    cast.office.post(&format!("{path}/resumption"), json!({})).await.ok();
    let line = cast.secretary.get("/api/desk").await.ok()["items"][0].clone();
    let moved = (&json!("2026-05-16"), &json!(false));
    assert_eq!((&line["due_on"], &line["acknowledged"]), moved, "nobody knows of this date yet");
    let view = cast.view(&path).await;
    assert_eq!(deadline(&view, "answer"), (json!("2026-05-16"), json!("open")));
    assert_eq!(deadline(&view, "parking_review"), (json!("2026-03-20"), json!("met")));
    // Parked again, it is to be looked at again.
    cast.leader.post(&format!("{path}/parking"), order("2026-05-01")).await.ok();
    assert_eq!(deadline(&cast.view(&path).await, "parking_review"), (json!("2026-05-01"), json!("open")));
    let desk = cast.office.get("/api/desk").await.ok();
    assert!(desk.to_string().contains("parking_review"), "the office sees the review on its desk: {desk}");
}

#[rstest]
#[actix_web::test]
async fn what_is_parked_stands_on_the_board_with_its_reason_and_without_the_complaints_words(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let path = cast.working().await;
    assert_eq!(board(&cast, &server).await["parked"], json!([]));
    let private = json!({"reason": "反映人13800000000联系不上", "review_on": "2026-03-20"});
    let problem = cast.leader.post(&format!("{path}/parking"), private).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/reason");
    cast.leader.post(&format!("{path}/parking"), order("2026-03-20")).await.ok();
    let view = cast.view(&path).await;
    let shown = board(&cast, &server).await;
    let expected = json!([{
        "number": view["number"], "category": view["category"], "reason": "等省里批复", "parked_on": "2026-03-02",
        "review_on": "2026-03-20", "somebody_dissatisfied": false,
    }]);
    assert_eq!(shown["parked"], expected);
    assert!(!shown.to_string().contains(view["title"].as_str().unwrap()));
    cast.office.post(&format!("{path}/resumption"), json!({})).await.ok();
    assert_eq!(board(&cast, &server).await["parked"], json!([]));
}

#[rstest]
#[actix_web::test]
async fn somebody_dissatisfied_who_vanishes_is_parked_in_public_and_never_closed(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let path = dissatisfied_and_silent(&cast).await;
    let park = || async { cast.leader.post(&format!("{path}/parking"), order("2026-06-30")).await };
    park().await.problem(409, "silence_not_followed_up");
    server.clock.advance(TimeDelta::days(16));
    park().await.problem(409, "silence_not_followed_up");
    cast.call_back(&path, "not_reached").await.ok();
    cast.close(&path).await.problem(409, "somebody_dissatisfied");
    assert!(cast.leader.get(&path).await.ok()["actions"].as_array().unwrap().contains(&json!("park")));
    for person in [&cast.office, &cast.secretary] {
        person.post(&format!("{path}/parking"), order("2026-06-30")).await.problem(403, "forbidden");
    }
    park().await.ok();
    assert_eq!(cast.view(&path).await["state"], "parked_unsatisfied");
    cast.close(&path).await.problem(409, "somebody_dissatisfied");
    let shown = board(&cast, &server).await;
    assert_eq!(shown["parked"][0]["somebody_dissatisfied"], true);
    let figures = &shown["this_month"];
    assert_eq!(
        (&figures["closed"], &figures["satisfied"], &figures["dissatisfied"]),
        (&json!(0), &json!(0), &json!(1))
    );
    // The review begins a new round: call, dispatch, answer, rate.
    cast.office.post(&format!("{path}/resumption"), json!({})).await.ok();
    let view = cast.view(&path).await;
    assert_eq!((&view["state"], &view["round"]), (&json!("reopened"), &json!(3)));
    assert_eq!(deadline(&view, "parking_review").1, "met");
    assert_eq!(deadline(&view, "bad_rating").1, "open");
    cast.dispatch(&path).await.problem(409, "call_back_missing");
}

#[rstest]
#[case("satisfied", "rated", "met")]
#[case("dissatisfied", "reopened", "met")]
#[actix_web::test]
async fn who_comes_back_rates_what_was_parked(#[case] level: &str, #[case] state: &str, #[case] review: &str) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let path = dissatisfied_and_silent(&cast).await;
    server.clock.advance(TimeDelta::days(16));
    cast.call_back(&path, "not_reached").await.ok();
    cast.leader.post(&format!("{path}/parking"), order("2026-06-30")).await.ok();
    assert!(cast.resident.get(&path).await.ok()["actions"].as_array().unwrap().contains(&json!("rate")));
    cast.rate(&path, level).await.ok();
    let view = cast.view(&path).await;
    assert_eq!((&view["state"], deadline(&view, "parking_review").1), (&json!(state), json!(review)));
    assert_eq!(board(&cast, &server).await["parked"], json!([]));
}

#[rstest]
#[actix_web::test]
async fn what_everybody_is_content_with_or_silent_about_is_not_parked() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let path = cast.answered().await;
    cast.leader.post(&format!("{path}/parking"), order("2026-06-30")).await.problem(409, "nobody_dissatisfied");
}

#[rstest]
#[actix_web::test]
async fn a_leader_who_works_in_the_unit_does_not_park_its_work() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let path = cast.working().await;
    let (both, id) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    cast.township.also_holds(id, cast.township.id, Role::TownshipLeader).await;
    both.post(&format!("{path}/parking"), order("2026-03-20")).await.problem(403, "parked_by_worker");
    cast.leader.post(&format!("{path}/parking"), order("2026-03-20")).await.ok();
}
