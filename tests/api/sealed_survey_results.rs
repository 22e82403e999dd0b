use qingfeng_core::{
    audit,
    ids::SealedSurveyId,
    outbox,
    people::{Role, RosterGroup},
    sealed_surveys::{BoxState, results},
    storage::Engine,
};
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{Cast, Evaluatee, Person, TestBox, TestServer};

async fn publish(server: &TestServer, cast: &Cast<'_>) -> u32 {
    results::publish_finished(&server.application.store, cast.township.county).await.unwrap()
}

fn path(survey: SealedSurveyId) -> String {
    format!("/api/sealed-surveys/{survey}")
}

async fn sheet(person: &Person, survey: SealedSurveyId) -> Value {
    person.get(&format!("{}/sheet", path(survey))).await.ok()
}

#[rstest]
#[actix_web::test]
async fn a_satisfaction_survey_is_public_once_the_last_box_is_out_and_then_never_changes(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let west = cast.township.village("西坡村").await;
    let north = cast.township.village("北沟村").await;
    let boxes = vec![
        TestBox::of(cast.village, "东河村", &[0, 20, 10, 10, 0]),
        TestBox::of(west, "西坡村", &[1, 18, 2, 0, 3]).in_state(BoxState::Counted),
        TestBox::of(north, "北沟村", &[]).in_state(BoxState::TooFew),
    ];
    let (survey, sids) = cast.township.sealed_survey("public_satisfaction", boxes).await;
    cast.township.chat_group(cast.village, "东河村村民群", "group-key").await;

    assert_eq!(publish(&server, &cast).await, 0);
    let visitor = server.visitor();
    visitor.get(&format!("{}/sheet", path(survey))).await.problem(409, "results_not_published");
    cast.office.get(&format!("{}/sheet", path(survey))).await.problem(409, "results_not_published");

    cast.township.move_box(sids[1], BoxState::Cancelled).await;
    assert_eq!(publish(&server, &cast).await, 1);
    assert_eq!(publish(&server, &cast).await, 0);
    let seen = sheet(&visitor, survey).await;
    let rows = seen["rows"].as_array().unwrap();
    let line = |row: &Value| format!("{} {} {}", row["label"].as_str().unwrap(), row["score"], row["rank"]);
    assert_eq!(
        rows.iter().map(line).collect::<Vec<_>>(),
        ["东河村 \"75.00\" null", "北沟村 null null", "合计 \"75.00\" null",]
    );
    assert_eq!(rows[0]["questions"][0]["counts"], json!([0, 20, 10, 10, 0]));
    assert_eq!(rows[1]["ballots"], Value::Null);
    assert!(seen["head"]["formula_words"].as_str().unwrap().contains("不满意票数×30"));

    // Whatever happens to the boxes afterwards, a second look shows the same.
    cast.township.move_box(sids[0], BoxState::Wiped).await;
    assert_eq!(publish(&server, &cast).await, 0);
    assert_eq!(sheet(&cast.office, survey).await, seen);
    cast.office.post(&format!("{}/release", path(survey)), json!({})).await.problem(409, "results_are_public");

    let messages = outbox::entity::Entity::find().all(server.application.store.reader()).await.unwrap();
    let posts: Vec<_> = messages.iter().filter(|message| message.kind == "sealed_survey_published").collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].facts["rows"][0]["score"], "75.00");
    assert!(posts[0].facts["boxes"][0]["fingerprint"].as_str().unwrap().ends_with("/42"));
}

#[actix_web::test]
async fn an_organizational_result_is_for_the_committee_and_after_release_for_the_person_rated() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let township = &cast.township;
    let (rated, rated_id) = township.staff_of(cast.village.id, Role::VillageSecretary).await;
    let (peer, peer_id) = township.staff_of(cast.village.id, Role::VillageStaff).await;
    let (chair, chair_id) = township.staff_of(township.id, Role::TownshipLeader).await;
    let a_box = |label, staff, counts: &[u32]| {
        TestBox::of(cast.village, "东河村", counts).about(label, Evaluatee::Staff(staff))
    };
    let boxes = vec![
        a_box("甲", rated_id, &[0, 30, 10, 0, 0]),
        a_box("乙", peer_id, &[0, 10, 10, 5, 15]),
        a_box("丙", chair_id, &[0, 40, 0, 0, 0]),
    ];
    township.chat_group(cast.village, "东河村村民群", "group-key").await;
    let (survey, _) = township.sealed_survey("cadre_evaluation", boxes).await;
    assert_eq!(publish(&server, &cast).await, 1);

    let discipline = township.staff(Role::DisciplinaryOfficer).await;
    let inspector = township.staff(Role::CountyInspector).await;
    for person in [&cast.office, &cast.leader, &discipline, &inspector] {
        let seen = sheet(person, survey).await;
        let grades: Vec<_> = seen["rows"].as_array().unwrap().iter().map(|row| row["proposed_grade"].clone()).collect();
        assert_eq!(grades, [json!("优秀"), json!("不称职"), json!("称职")], "by label: 丙, 乙, 甲");
    }
    let administrator = township.staff(Role::SystemAdministrator).await;
    let groups = township.staff(Role::GroupAdministrator).await;
    let city = township.staff(Role::CityInspector).await;
    // Also the leader who is rated himself sees nothing, of nobody.
    let visitor = server.visitor();
    let others = [&rated, &peer, &chair, &cast.secretary, &cast.resident, &administrator, &groups, &city, &visitor];
    for person in others {
        person.get(&format!("{}/sheet", path(survey))).await.problem(404, "not_found");
        person.get(&format!("{}/sheet/export.xlsx", path(survey))).await.problem(404, "not_found");
        let list = format!("/api/sealed-survey-results?township_id={}", township.id);
        assert_eq!(person.get(&list).await.ok()["sheets"], json!([]));
    }

    let release = format!("{}/release", path(survey));
    for person in [&rated, &chair, &cast.leader, &discipline, &inspector] {
        let refused = person.post(&release, json!({})).await;
        assert!(matches!(refused.status.as_u16(), 403 | 404), "{refused:?}");
    }
    cast.office.post(&release, json!({})).await.ok();
    cast.office.post(&release, json!({})).await.problem(409, "results_already_released");
    let records = audit::records::Entity::find().all(server.application.store.reader()).await.unwrap();
    let acts: Vec<_> = records.iter().map(|record| record.action.as_str()).collect();
    assert_eq!(acts.iter().filter(|act| **act == "sealed_survey_results_released").count(), 1);
    assert_eq!(acts.iter().filter(|act| **act == "sealed_survey_results_published").count(), 1);

    for (person, label) in [(&rated, "甲"), (&peer, "乙"), (&chair, "丙")] {
        let seen = sheet(person, survey).await;
        assert_eq!((&seen["is_own"], seen["rows"].as_array().unwrap().len()), (&json!(true), 1));
        assert_eq!(seen["rows"][0]["label"], label);
    }
    for person in [&cast.secretary, &cast.resident, &visitor] {
        person.get(&format!("{}/sheet", path(survey))).await.problem(404, "not_found");
    }

    let messages = outbox::entity::Entity::find().all(server.application.store.reader()).await.unwrap();
    let post = messages.iter().find(|message| message.kind == "sealed_survey_published").unwrap();
    assert_eq!(post.facts.get("rows"), None, "no figure of it reaches the group");
    assert_eq!(post.facts["ballots"], 120);
}

#[actix_web::test]
async fn a_units_result_is_its_own_peoples_after_release_and_no_other_units() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let civil = cast.township.department("民政办").await;
    let works = cast.township.department("建设办").await;
    let (clerk, _) = cast.township.staff_of(civil, Role::DepartmentHandler).await;
    let (builder, _) = cast.township.staff_of(works, Role::DepartmentHandler).await;
    let a_box = |label, unit, counts: &[u32]| {
        TestBox::of(cast.village, "东河村", counts).about(label, Evaluatee::Unit(unit)).by(RosterGroup::Representative)
    };
    let boxes = vec![a_box("民政办", civil, &[0, 20, 10, 0, 0]), a_box("建设办", works, &[0, 5, 10, 5, 10])];
    let (survey, _) = cast.township.sealed_survey("department_rating", boxes).await;
    publish(&server, &cast).await;
    let seen = sheet(&cast.office, survey).await;
    let ranks: Vec<_> = seen["rows"].as_array().unwrap().iter().map(|row| (&row["label"], &row["rank"])).collect();
    assert_eq!(ranks, [(&json!("民政办"), &json!(1)), (&json!("建设办"), &json!(2))]);
    clerk.get(&format!("{}/sheet", path(survey))).await.problem(404, "not_found");
    cast.office.post(&format!("{}/release", path(survey)), json!({})).await.ok();
    for (person, label) in [(&clerk, "民政办"), (&builder, "建设办")] {
        let seen = sheet(person, survey).await;
        assert_eq!(seen["rows"].as_array().unwrap().len(), 1);
        assert_eq!(seen["rows"][0]["label"], label);
        assert_eq!(seen["rows"][0]["rank"], Value::Null, "a rank tells of the others");
    }
    cast.secretary.get(&format!("{}/sheet", path(survey))).await.problem(404, "not_found");
}

#[actix_web::test]
async fn the_next_round_is_compared_with_the_last() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let a_box = |counts: &[u32]| vec![TestBox::of(cast.village, "东河村", counts)];
    cast.township.sealed_survey("public_satisfaction", a_box(&[0, 20, 10, 10, 0])).await;
    publish(&server, &cast).await;
    let (second, _) = cast.township.sealed_survey("public_satisfaction", a_box(&[0, 30, 10, 0, 0])).await;
    publish(&server, &cast).await;
    let row = sheet(&server.visitor(), second).await["rows"][0].clone();
    assert_eq!((&row["score"], &row["previous"]["score"]), (&json!("92.50"), &json!("75.00")));
    assert_eq!(row["previous"]["change"], "17.50");
}

#[actix_web::test]
async fn a_box_whose_rows_are_not_those_of_its_close_record_gives_no_sheet() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let a_box = vec![TestBox::of(cast.village, "东河村", &[0, 20, 10, 10, 0])];
    let (survey, _) = cast.township.sealed_survey("public_satisfaction", a_box).await;
    cast.township
        .write(|unit| {
            Box::pin(async move {
                let rows = qingfeng_core::sealed_surveys::entity::rows::Entity::find().all(unit.connection()).await?;
                let first = rows.into_iter().next().unwrap();
                sea_orm::ModelTrait::delete(first, unit.connection()).await?;
                Ok(())
            })
        })
        .await;
    let refused = results::publish_finished(&server.application.store, cast.township.county).await;
    assert!(refused.is_err());
    server.visitor().get(&format!("{}/sheet", path(survey))).await.problem(409, "results_not_published");
}

#[actix_web::test]
async fn the_workbook_holds_what_is_shown_and_the_formula_in_words() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let boxes = vec![
        TestBox::of(cast.village, "东河村", &[0, 20, 10, 10, 0]),
        TestBox::of(cast.village, "东河村", &[0, 3, 1, 0, 0]).by(RosterGroup::Deputy).in_state(BoxState::TooFew),
    ];
    let (survey, _) = cast.township.sealed_survey("public_satisfaction", boxes).await;
    publish(&server, &cast).await;
    let address = format!("{}{}/sheet/export.xlsx", server.address, path(survey));
    let answer = reqwest::get(&address).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().ends_with("spreadsheetml.sheet"));
    let bytes = answer.bytes().await.unwrap();
    let mut book = calamine::open_workbook_from_rs::<calamine::Xlsx<_>, _>(std::io::Cursor::new(bytes)).unwrap();
    let mut cells = |name: &str| -> Vec<Vec<String>> {
        let range = calamine::Reader::worksheet_range(&mut book, name).unwrap();
        range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
    };
    let results = cells("结果");
    assert_eq!(results.len(), 2);
    assert_eq!(results[1][..8], ["东河村", "东河村", "120", "不公布", "不公布", "75.00", "—", "—"]);
    let groups = cells("票种");
    assert_eq!(groups[1][..8], ["东河村", "东河村", "村民", "100%", "60", "40", "40", "75.00"]);
    assert_eq!(groups[2][2..8], ["人大代表", "—", "60", "不公布", "不公布", "—"]);
    let explanation = cells("说明").concat().concat();
    assert!(explanation.contains("满意票数×100") && explanation.contains("不足10张票"), "{explanation}");
}

#[actix_web::test]
async fn the_questionnaires_are_public() {
    let server = TestServer::start(Engine::Sqlite).await;
    let all = server.visitor().get("/api/sealed-surveys/questionnaires").await.ok();
    let keys: Vec<_> = all["items"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), 11);
    assert_eq!(all["items"][0]["questions"][1]["text"], "德：政治表现、品行、公道正派");
}
