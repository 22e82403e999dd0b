use chrono::TimeDelta;
use futures::future::join_all;
use qingfeng_core::{
    outbox,
    people::{PersonKind, Role, sessions},
    storage::Engine,
};
use rstest::rstest;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Statement};
use serde_json::{Value, json};

use crate::support::{Answer, Scene, TestServer};

#[rstest]
#[actix_web::test]
async fn an_item_is_closed_out_once_residents_are_content_and_the_township_has_passed_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 6).await;
    let path = scene.published().await;
    let measures = scene.cast.secretary.get(&path).await.ok()["measures"].clone();
    let report = json!({"text": "换好两盏", "finished_measure_ids": [measures[0]["id"]]});
    scene.secretary(&path, "progress", report).await.ok();
    scene.evaluating(&path).await;
    scene.office(&path, "closure", json!({})).await.problem(409, "voting_goes_on");
    scene
        .judge(&path, &["satisfied", "very_satisfied", "satisfied", "basically_satisfied", "satisfied", "dissatisfied"])
        .await;
    assert_eq!(scene.office(&path, "verdict", json!({})).await.ok()["state"], "evaluated");
    scene.office(&path, "closure", json!({})).await.problem(409, "township_evaluation_missing");
    scene.office(&path, "township-evaluation", json!({"passed": true, "opinion": "现场看过"})).await.ok();
    scene.office(&path, "closure", json!({})).await.ok();
    assert_eq!(scene.state(&path).await, "closed");
    let board = server.visitor().get(&format!("/api/board/villages/{}", scene.cast.village.id)).await.ok();
    let item = &board["items"][0];
    assert_eq!(item["satisfaction"], json!({"round": 1, "answered": 6, "share": 83}));
    // What was promised and when it was done stay to be read.
    assert_eq!((&item["due_on"], &item["days_overdue"]), (&json!("2026-04-10"), &json!(0)));
    assert!(item["finished_on"].is_string(), "{item}");
}

#[rstest]
#[actix_web::test]
async fn an_item_that_was_closed_late_stays_late_on_the_board() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 6).await;
    let path = scene.published().await;
    server.clock.advance(TimeDelta::days(42));
    scene.evaluating(&path).await;
    scene.judge(&path, &["satisfied"; 6]).await;
    scene.verdict(&path).await.ok();
    scene.office(&path, "township-evaluation", json!({"passed": true, "opinion": "现场看过"})).await.ok();
    scene.office(&path, "closure", json!({})).await.ok();
    let address = format!("/api/board/villages/{}", scene.cast.village.id);
    let late = server.visitor().get(&address).await.ok()["items"][0]["days_overdue"].clone();
    assert!(late.as_i64().unwrap() >= 3, "{late}");
    server.clock.advance(TimeDelta::days(30));
    assert_eq!(server.visitor().get(&address).await.ok()["items"][0]["days_overdue"], late);
}

#[rstest]
#[actix_web::test]
async fn what_goes_on_the_board_names_no_private_number() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 3).await;
    let path = scene.published().await;
    let report = json!({"text": "已与反映人（１３８ ００００ ００００）联系"});
    let problem = scene.secretary(&path, "progress", report).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/text");
    let ask = json!({"new_due_on": "2026-05-10", "reason": "户主身份证11010519491231002X登记有误"});
    scene.secretary(&path, "extensions", ask).await.problem(422, "invalid_input");
    scene.secretary(&path, "progress", json!({"text": "投入35000元，2026-03-20完工"})).await.ok();
}

#[rstest]
#[actix_web::test]
async fn what_residents_are_dissatisfied_with_goes_back_to_work_and_nobody_closes_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 5).await;
    let path = scene.published().await;
    scene.evaluating(&path).await;
    scene.judge(&path, &["dissatisfied", "dissatisfied", "satisfied", "satisfied", "very_dissatisfied"]).await;
    assert_eq!(scene.office(&path, "verdict", json!({})).await.ok()["state"], "returned");
    for person in [&scene.cast.office, &scene.cast.leader, &scene.cast.secretary] {
        let refused = person.post(&format!("{path}/closure"), json!({})).await;
        assert!(matches!(refused.status.as_u16(), 403 | 409), "{}", refused.text);
    }
    scene.office(&path, "closure", json!({})).await.problem(409, "residents_dissatisfied");
    let view = scene.cast.office.get(&path).await.ok();
    assert_eq!(view["round"], 2);
    let deadline = view["deadlines"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&deadline["round"], &deadline["status"]), (&json!(2), &json!("open")));
    assert!(deadline["explanation"].as_str().unwrap().contains("群众不满意"));
    // A second round that satisfies opens the way.
    scene.evaluating(&path).await;
    scene.judge(&path, &["satisfied"; 5]).await;
    scene.office(&path, "verdict", json!({})).await.ok();
    scene.office(&path, "township-evaluation", json!({"passed": true, "opinion": "修好了"})).await.ok();
    scene.office(&path, "closure", json!({})).await.ok();
}

#[rstest]
#[actix_web::test]
async fn silence_is_not_consent(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 6).await;
    let path = scene.published().await;
    scene.evaluating(&path).await;
    scene.judge(&path, &["satisfied", "satisfied"]).await;
    scene.office(&path, "verdict", json!({})).await.problem(409, "voting_goes_on");
    scene.verdict(&path).await.problem(409, "quorum_not_reached");
    assert_eq!(scene.state(&path).await, "evaluating");
}

#[rstest]
#[actix_web::test]
async fn an_item_whose_complaint_stands_reopened_by_a_bad_rating_is_not_closed_out() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 5).await;
    let complaint = scene.cast.answered().await;
    let complaint_id = complaint.rsplit('/').next().unwrap();
    let problem = json!({
        "village_id": scene.cast.village.id, "way": "complaint", "category": "wooden", "words": "路灯", "complaint_ids": [complaint_id],
    });
    let problem = scene.cast.office.post("/api/problems", problem).await.ok()["id"].clone();
    let affected: Vec<_> = scene.residents.iter().map(|(_, id)| *id).collect();
    let body = json!({
        "village_id": scene.cast.village.id, "problem_ids": [problem], "title": "路灯", "goal": "修好", "measures": ["换灯"],
        "pace": "immediate", "due_on": "2026-04-10", "lead_unit_id": scene.cast.village.id, "affected": affected,
    });
    let created = scene.cast.office.post("/api/rectifications", body).await.ok();
    let path = format!("/api/rectifications/{}", created["id"].as_str().unwrap());
    scene.secretary(&path, "publication", json!({"commitment": "修好"})).await.ok();
    scene.evaluating(&path).await;
    scene.judge(&path, &["satisfied"; 5]).await;
    scene.office(&path, "verdict", json!({})).await.ok();
    scene.office(&path, "township-evaluation", json!({"passed": true, "opinion": "可以"})).await.ok();
    scene.cast.rate(&complaint, "dissatisfied").await.ok();
    scene.office(&path, "closure", json!({})).await.problem(409, "complaint_dissatisfied");
    // Silence after the next answer does not take the bad rating back.
    scene.cast.call_back(&complaint, "reached").await.ok();
    scene.cast.dispatch(&complaint).await.ok();
    scene.cast.secretary.post(&format!("{complaint}/acceptance"), json!({})).await.ok();
    scene.cast.answer(&complaint).await.ok();
    server.clock.advance(TimeDelta::days(16));
    scene.cast.call_back(&complaint, "not_reached").await.ok();
    scene.cast.close(&complaint).await.problem(409, "somebody_dissatisfied");
    scene.office(&path, "closure", json!({})).await.problem(409, "complaint_dissatisfied");
    // Its author does.
    scene.cast.rate(&complaint, "satisfied").await.ok();
    scene.office(&path, "closure", json!({})).await.ok();
}

#[rstest]
#[actix_web::test]
async fn only_the_affected_judge_and_each_only_once_also_from_two_phones_at_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 5).await;
    let path = scene.published().await;
    scene.evaluating(&path).await;
    let address = format!("{path}/evaluations");
    let answer = json!({"level": "very_satisfied"});
    let (stranger, _) = scene.cast.township.resident(scene.cast.village).await;
    stranger.post(&address, answer.clone()).await.problem(403, "forbidden");
    for staff in [&scene.cast.office, &scene.cast.secretary, &scene.cast.leader] {
        staff.post(&address, answer.clone()).await.problem(403, "forbidden");
    }
    let person = &scene.residents[0].0;
    let answers = join_all((0..6).map(|_| person.post(&address, answer.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 204) {
        refused.problem(409, "already_evaluated");
    }
    assert_eq!(person.get(&path).await.ok()["i_have_evaluated"], true);
}

#[rstest]
#[actix_web::test]
async fn who_answers_for_the_work_does_not_judge_it_as_a_villager() {
    let server = TestServer::start(Engine::Sqlite).await;
    let mut scene = Scene::of(&server, 0).await;
    let own = scene.cast.township.add_resident(scene.cast.village, None, Some(scene.cast.secretary_id)).await;
    let identity = sessions::Person { county: scene.cast.township.county, kind: PersonKind::Resident, id: own.0 };
    let phone = server.signed_in(identity).await;
    scene.residents.clear();
    let path = scene.published().await;
    scene.evaluating(&path).await;
    phone.post(&format!("{path}/evaluations"), json!({"level": "very_satisfied"})).await.problem(403, "forbidden");
}

#[rstest]
#[actix_web::test]
async fn nothing_in_the_database_leads_from_an_answer_to_a_person(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 5).await;
    let path = scene.published().await;
    scene.evaluating(&path).await;
    scene.judge(&path, &["satisfied", "dissatisfied", "satisfied", "satisfied", "satisfied"]).await;
    let connection = server.application.store.reader();
    let columns = |table: &str| {
        let sql = match engine {
            Engine::Sqlite => format!("SELECT name FROM pragma_table_info('{table}') ORDER BY name"),
            Engine::Postgres => {
                format!(
                    "SELECT column_name::text AS name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY 1"
                )
            }
        };
        async move {
            let rows =
                connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await.unwrap();
            rows.iter().map(|row| row.try_get::<String>("", "name").unwrap()).collect::<Vec<_>>()
        }
    };
    assert_eq!(columns("evaluation_participation").await, ["county_id", "rectification_id", "resident_id", "round"]);
    assert_eq!(columns("evaluation_tallies").await, ["answers", "county_id", "level", "rectification_id", "round"]);
    if engine == Engine::Postgres {
        let sql = "SELECT count(*) AS rows, count(DISTINCT xmin::text) AS writers FROM evaluation_tallies";
        let row = connection
            .query_one_raw(Statement::from_string(connection.get_database_backend(), sql))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.try_get::<i64>("", "rows").unwrap(), 5, "every level from the first answer on");
        assert_eq!(row.try_get::<i64>("", "writers").unwrap(), 1, "a row's transaction tells who raised it");
    }
    // No audit record, no idempotency key and no message tells of an answer.
    let told = outbox::entity::Entity::find()
        .filter(outbox::entity::Column::Kind.contains("evaluat"))
        .all(connection)
        .await
        .unwrap();
    assert!(told.iter().all(|message| message.kind == "evaluation_opened"));
    assert_eq!(told.len(), 5, "everybody is invited alike");
    let audited = qingfeng_core::audit::records::Entity::find()
        .filter(qingfeng_core::audit::records::Column::ActorKind.eq("resident"))
        .count(connection)
        .await
        .unwrap();
    assert_eq!(audited, 0);
}

#[rstest]
#[actix_web::test]
async fn an_item_about_a_person_is_not_given_to_that_person() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 3).await;
    let problem = json!({
        "village_id": scene.cast.village.id, "way": "residents", "category": "lordly", "words": "态度蛮横",
        "concerns": {"staff": [scene.cast.secretary_id]},
    });
    let problem = scene.cast.office.post("/api/problems", problem).await.ok()["id"].clone();
    let body = json!({
        "village_id": scene.cast.village.id, "problem_ids": [problem], "title": "作风", "goal": "改", "measures": ["学习"],
        "pace": "immediate", "due_on": "2026-04-10", "lead_unit_id": scene.cast.village.id,
    });
    scene.cast.office.post("/api/rectifications", body).await.problem(422, "recused");
    assert_eq!(scene.cast.secretary.get("/api/problems").await.ok()["items"], json!([]));
}

#[rstest]
#[actix_web::test]
async fn an_extension_stands_on_the_board_with_its_reason(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server, 3).await;
    let path = scene.published().await;
    let ask = json!({"new_due_on": "2026-05-10", "reason": "灯具厂家停产换型"});
    let id = scene.secretary(&path, "extensions", ask).await.ok()["id"].clone();
    let decision = format!("/api/rectifications/extensions/{}/decision", id.as_str().unwrap());
    let yes = json!({"decision": "approve", "reason": "属实"});
    scene.cast.secretary.post(&decision, yes.clone()).await.problem(403, "forbidden");
    let waiting = scene.cast.leader.get("/api/desk/extensions").await.ok();
    assert_eq!(waiting["items"][0]["reason"], "灯具厂家停产换型");
    scene.cast.leader.post(&decision, yes).await.ok();
    let board = server.visitor().get(&format!("/api/board/villages/{}", scene.cast.village.id)).await.ok();
    let item = &board["items"][0];
    assert_eq!((&item["due_on"], &item["original_due_on"]), (&json!("2026-05-10"), &json!("2026-04-10")));
    let change = &item["changes"][0];
    // Who decided and who answers for it have one surname here: each is somebody of his own.
    assert_eq!((&change["reason"], &change["decided_by"]), (&json!("灯具厂家停产换型"), &json!("测某某甲")));
    assert_eq!(item["responsible"], "测某某乙");
}

#[rstest]
#[actix_web::test]
async fn input_that_does_not_fit_is_refused_with_its_field() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 3).await;
    let problem = scene.problem().await;
    let draft = |change: Value| {
        let mut body = json!({
            "village_id": scene.cast.village.id, "problem_ids": [problem], "title": "标题", "goal": "目标",
            "measures": ["措施"], "pace": "phased", "due_on": "2026-04-10", "lead_unit_id": scene.cast.village.id,
        });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let office = scene.cast.office.clone();
        async move { office.post("/api/rectifications", body).await }
    };
    let pointer = |answer: Answer, code: &str| answer.problem(422, code)["errors"][0]["pointer"].clone();
    assert_eq!(pointer(draft(json!({"title": ""})).await, "invalid_input"), "/title");
    assert_eq!(pointer(draft(json!({"measures": []})).await, "invalid_input"), "/measures");
    assert_eq!(pointer(draft(json!({"measures": ["好", ""]})).await, "invalid_input"), "/measures/1");
    assert_eq!(pointer(draft(json!({"due_on": "2026-03-01"})).await, "invalid_input"), "/due_on");
    assert_eq!(pointer(draft(json!({"problem_ids": []})).await, "invalid_input"), "/problem_ids");
    let unknown = "01890000-0000-7000-8000-000000000000";
    assert_eq!(pointer(draft(json!({"problem_ids": [unknown]})).await, "unknown_problem"), "/problem_ids");
    assert_eq!(pointer(draft(json!({"affected": [unknown]})).await, "nobody_affected"), "/affected");
    assert_eq!(pointer(draft(json!({"lead_unit_id": unknown})).await, "unknown_responsible"), "/lead_unit_id");
    let (handler, _) =
        scene.cast.township.staff_of(scene.cast.township.department("民政办").await, Role::DepartmentHandler).await;
    handler
        .post(
            "/api/rectifications",
            json!({
                "village_id": scene.cast.village.id, "problem_ids": [problem], "title": "标题", "goal": "目标",
                "measures": ["措施"], "pace": "phased", "due_on": "2026-04-10", "lead_unit_id": scene.cast.village.id,
            }),
        )
        .await
        .problem(404, "not_found");
}

#[rstest]
#[actix_web::test]
async fn nobody_decides_on_an_extension_that_he_asked_for_or_answers_for(#[values(false, true)] of_a_complaint: bool) {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 3).await;
    let cast = &scene.cast;
    // The secretary has become a leader of the township, too.
    cast.township.also_holds(cast.secretary_id, cast.township.id, Role::TownshipLeader).await;
    let (colleague, colleague_id) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    cast.township.also_holds(colleague_id, cast.township.id, Role::TownshipLeader).await;
    let (path, kind) =
        if of_a_complaint { (cast.working().await, "complaints") } else { (scene.published().await, "rectifications") };
    let ask = json!({"new_due_on": "2026-05-10", "reason": "等材料"});
    let id = colleague.post(&format!("{path}/extensions"), ask).await.ok()["id"].clone();
    let decision = format!("/api/{kind}/extensions/{}/decision", id.as_str().unwrap());
    let approval = json!({"decision": "approve", "reason": "同意"});
    colleague.post(&decision, approval.clone()).await.problem(403, "own_request");
    cast.secretary.post(&decision, approval.clone()).await.problem(403, "own_request");
    cast.leader.post(&decision, approval).await.ok();
}
