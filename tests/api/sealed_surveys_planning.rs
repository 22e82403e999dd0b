//! What a survey may be about, who is asked, and by which ways: decided when it is planned, and kept to afterwards.

use qingfeng_ballots::voter::Request;
use qingfeng_core::{
    campaigns::SHIPPED_PLANS,
    ids::OrganizationId,
    outbox::{self, RecipientKind},
    people::Role,
    sealed_surveys::results,
    storage::Engine,
};
use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Polling, SealedStage, Source, draft};

/// The fields that are wrong.
fn wrong(answer: &Answer) -> Vec<String> {
    let problem = answer.problem(422, "invalid_input");
    let faults = problem["errors"].as_array().unwrap();
    faults.iter().map(|fault| fault["pointer"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn at_level_four_there_are_slips_and_no_credentials() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::peopled(&polling).await;
    let mut paper = draft();
    paper["min_level"] = json!(4);
    assert_eq!(wrong(&stage.office.post("/api/sealed-surveys", paper.clone()).await), ["/paper"]);
    paper["paper"] = json!(3);
    let stage = stage.plan(paper).await;
    stage.prepare().await;
    polling.others.print_slips(&stage.sid.sid(), 3, &polling.server.address).await;
    stage.act("opening", json!({})).await.ok();
    let (_, keys) = stage.manifest().await;
    let (voter, sid) = (&stage.voters[0], stage.sid.sid());
    let request = Request::new(sid, &keys, &Source).unwrap();
    voter.person.post(&stage.path("credential"), voter.body(&stage.sid, &request)).await.problem(403, "paper_only");
    let refused = polling.others.ask_to_cosign(&sid, &voter.device, request.for_cosigner(), None).await;
    assert_eq!(refused["code"], "paper_only");
}

#[actix_web::test]
async fn at_level_three_no_page_gets_a_credential_whoever_has_served_it() {
    let polling = Polling::start(Engine::Sqlite).await;
    let mut without_pages = draft();
    without_pages["min_level"] = json!(3);
    let stage = SealedStage::planned(&polling, without_pages).await;
    stage.prepare().await;
    stage.act("opening", json!({})).await.ok();
    let (_, keys) = stage.manifest().await;
    let (voter, sid, path) = (&stage.voters[0], stage.sid.sid(), stage.path("credential"));
    let request = Request::new(sid, &keys, &Source).unwrap();
    let body = voter.body(&stage.sid, &request);
    let page = polling.others.cosigner_address.clone();
    let from_page = voter.person.request(Method::POST, &path).header("Origin", page.clone()).json(&body);
    Answer::of(from_page).await.problem(403, "level_too_low");
    let refused = polling.others.ask_to_cosign(&sid, &voter.device, request.for_cosigner(), Some(&page)).await;
    assert_eq!(refused["code"], "level_too_low");
    // The mini-program has no origin, and nothing was used up.
    voter.person.post(&path, body).await.ok();
    let signed = polling.others.ask_to_cosign(&sid, &voter.device, request.for_cosigner(), None).await;
    assert!(signed["sb"].is_string(), "{signed}");
}

#[actix_web::test]
async fn who_is_rated_is_chosen_from_the_townships_own_people_and_units() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::peopled(&polling).await;
    let (rating, _, id) = stage.rating().await;
    let about = |kind: &str, topics: Value| {
        let mut draft = rating.clone();
        draft["kind"] = json!(kind);
        draft["title"] = json!("年度测评");
        draft["topics"] = topics;
        draft["classes"] = json!([if kind == "department_rating" { "representative" } else { "resident" }]);
        stage.office.post("/api/sealed-surveys", draft)
    };
    assert_eq!(wrong(&about("cadre_evaluation", json!([{}])).await), ["/topics/0/staff_id"]);
    let nobody = json!([{"evaluatee": "某某", "staff_id": Uuid::from_u128(1)}]);
    assert_eq!(wrong(&about("cadre_evaluation", nobody).await), ["/topics/0/staff_id"]);
    let elsewhere = polling.server.township().await;
    let (_, stranger) = elsewhere.staff_of(elsewhere.id, Role::TownshipLeader).await;
    let foreign = json!([{"evaluatee": "某某", "staff_id": stranger}]);
    assert_eq!(wrong(&about("cadre_evaluation", foreign).await), ["/topics/0/staff_id"]);
    let twice = json!([{"staff_id": id}, {"evaluatee": "测试干部", "staff_id": id}]);
    assert_eq!(wrong(&about("cadre_evaluation", twice).await), ["/topics/1"]);

    let typed = json!([{"evaluatee": "便民服务中心"}]);
    assert_eq!(wrong(&about("department_rating", typed).await), ["/topics/0/organization_id"]);
    let unknown = json!([{"evaluatee": "便民服务中心", "organization_id": OrganizationId(Uuid::from_u128(1))}]);
    assert_eq!(wrong(&about("department_rating", unknown).await), ["/topics/0/organization_id"]);
    let department = stage.township.department("便民服务中心").await;
    let chosen = json!([{"evaluatee": "便民服务中心", "organization_id": department}]);
    about("department_rating", chosen).await.problem(409, "nobody_to_ask");

    // A person in the place of a thing.
    let person = json!([{"evaluatee": "测试干部"}]);
    assert_eq!(wrong(&about("service_satisfaction", person).await), ["/topics/0/evaluatee"]);
    about("service_satisfaction", json!([{"evaluatee": "东河村卫生室"}])).await.ok();
    about("cadre_evaluation", rating["topics"].clone()).await.ok();
}

#[actix_web::test]
async fn nobody_votes_on_himself() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::peopled(&polling).await;
    let (mut rating, _, id) = stage.rating().await;
    let himself = stage.township.add_resident(stage.village, None, Some(id)).await;
    polling.others.print_cards(stage.village.id, &[himself]).await;
    // The doubled words of a form are said once.
    rating["topics"][0]["evaluatee"] = json!("东河村东河村党支部 测试干部");
    let stage = stage.plan(rating).await;
    let planned = stage.view().await["boxes"][0].clone();
    assert_eq!(planned["eligible"], 30, "thirty-one live there");
    assert_eq!(planned["evaluatee"], "东河村党支部 测试干部");
    let prepared = stage.prepare().await;
    assert_eq!((prepared["state"].as_str(), prepared["trouble"].as_str()), (Some("signed"), None), "{prepared}");
    stage.act("opening", json!({})).await.ok();
    assert_eq!(stage.view().await["boxes"][0]["eligible"], 30);
    let (manifest, _) = stage.manifest().await;
    assert_eq!(manifest.roll.len(), 30);
    let person = stage.township.signed_in_as(himself).await;
    assert!(person.get("/api/sealed-surveys").await.ok()["items"].as_array().unwrap().is_empty());
    assert_eq!(stage.voters[0].person.get("/api/sealed-surveys").await.ok()["items"].as_array().unwrap().len(), 1);
}

/// What was sent of one kind, the oldest first.
async fn sent(polling: &Polling, kind: &str) -> Vec<outbox::entity::Model> {
    outbox::entity::Entity::find()
        .filter(outbox::entity::Column::Kind.eq(kind))
        .order_by_asc(outbox::entity::Column::Id)
        .all(polling.server.application.store.reader())
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_group_gets_one_post_of_all_boxes_and_a_resident_one_card() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::peopled(&polling).await;
    let (mut rating, _, first) = stage.rating().await;
    let (_, second) = stage.township.staff_of(stage.village.id, Role::VillageStaff).await;
    rating["topics"] = json!([{"evaluatee": "甲", "staff_id": first}, {"evaluatee": "乙", "staff_id": second}]);
    let stage = stage.plan(rating).await;
    stage.act("preparation", json!({})).await.ok();
    stage.act("opening", json!({})).await.ok();
    let opened = sent(&polling, "sealed_survey_opened").await;
    let (posts, cards): (Vec<_>, Vec<_>) =
        opened.into_iter().partition(|message| message.recipient_kind == RecipientKind::Group);
    assert_eq!((posts.len(), cards.len()), (1, 30));
    // Neither names the one box for both.
    assert!(cards.iter().all(|card| card.facts["title"] == "村干部民主测评"), "{}", cards[0].facts);
    let named = |facts: &Value, what: &str| {
        let boxes = facts["boxes"].as_array().unwrap();
        let named: std::collections::BTreeSet<_> =
            boxes.iter().map(|one| one[what].as_str().unwrap().to_owned()).collect();
        named
    };
    assert_eq!((&posts[0].facts["title"], &posts[0].facts["village"]), (&json!("村干部民主测评"), &json!("东河村")));
    assert_eq!(named(&posts[0].facts, "title"), ["乙·东河村·村民".to_owned(), "甲·东河村·村民".to_owned()].into());
    assert_eq!(named(&posts[0].facts, "poster_code").len(), 2);
    assert_eq!(posts[0].facts["paper"], 0);
    assert_eq!(sent(&polling, "sealed_survey_fingerprint").await.len(), 1);

    // One of the boxes has a batch: one more post, and none without news.
    stage.vote(10).await;
    polling.tick().await;
    polling.tick().await;
    stage.day(3);
    polling.tick().await;
    let fingerprints = sent(&polling, "sealed_survey_fingerprint").await;
    assert_eq!(fingerprints.len(), 2);
    let both = |message: usize| named(&fingerprints[message].facts, "fingerprint");
    assert_eq!(both(0).intersection(&both(1)).count(), 1);
    // Both are shut at once and told in one post.
    stage.day(8);
    polling.tick().await;
    polling.tick().await;
    assert_eq!(sent(&polling, "sealed_survey_fingerprint").await.len(), 3);
    polling.count(&stage.sid).await;
    polling.tick().await;
    assert_eq!(sent(&polling, "sealed_survey_fingerprint").await.len(), 3);
    assert_eq!(results::publish_finished(&polling.server.application.store, stage.township.county).await.unwrap(), 1);
    let result = &sent(&polling, "sealed_survey_published").await[0].facts;
    assert_eq!((&result["checkable"], result["boxes"].as_array().unwrap().len()), (&json!("own"), 2));
}

#[actix_web::test]
async fn a_survey_of_one_day_reminds_in_its_afternoon() {
    let polling = Polling::start(Engine::Sqlite).await;
    let mut short = draft();
    (short["issue_until"], short["cast_until"]) = (json!("2026-03-02"), json!("2026-03-03"));
    let stage = SealedStage::planned(&polling, short).await;
    stage.prepare().await;
    stage.act("opening", json!({})).await.ok();
    polling.tick().await;
    assert_eq!(sent(&polling, "sealed_survey_reminder").await.len(), 0);
    stage.day(2);
    polling.server.clock.advance(chrono::TimeDelta::hours(6));
    polling.tick().await;
    assert_eq!(sent(&polling, "sealed_survey_reminder").await.len(), 30);
}

#[actix_web::test]
async fn only_what_would_succeed_is_offered() {
    let polling = Polling::start(Engine::Sqlite).await;
    let mut later = draft();
    (later["issue_from"], later["paper"]) = (json!("2026-03-03"), json!(3));
    let stage = SealedStage::planned(&polling, later).await;
    let offered = async || stage.view().await["actions"].clone();
    assert_eq!(offered().await, json!(["prepare", "cancel"]));
    stage.prepare().await;
    assert_eq!(offered().await, json!(["cancel"]), "before the first day, without slips");
    stage.day(3);
    assert_eq!(offered().await, json!(["cancel"]), "without slips");
    polling.others.print_slips(&stage.sid.sid(), 3, &polling.server.address).await;
    polling.tick().await;
    assert_eq!(offered().await, json!(["open", "cancel"]));
    // Of a draft whose days are over nothing can come.
    let draft = stage.office.post("/api/sealed-surveys", {
        let mut draft = draft();
        draft["issue_from"] = json!("2026-03-03");
        draft
    });
    let old = draft.await.ok()["id"].as_str().unwrap().to_owned();
    stage.day(9);
    let path = format!("/api/sealed-surveys/{old}");
    assert_eq!(stage.office.get(&path).await.ok()["actions"], json!(["cancel"]));
    stage.office.post(&format!("{path}/preparation"), json!({})).await.problem(409, "too_late");
}

#[actix_web::test]
async fn who_is_rated_in_one_box_manages_none_and_is_not_told_what_was_not_held() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::peopled(&polling).await;
    let (mut rating, _, secretary) = stage.rating().await;
    let (rated, id) = stage.township.staff_of(stage.township.id, Role::TownshipOffice).await;
    let small = stage.township.village("西坡村").await;
    stage.township.add_resident(small, None, None).await;
    rating["topics"] = json!([
        {"evaluatee": "甲", "staff_id": secretary, "village_id": stage.village.id},
        {"evaluatee": "乙", "staff_id": id, "village_id": small.id},
    ]);
    let stage = stage.plan(rating).await;
    let seen = stage.view().await;
    assert_eq!(seen["not_held"][0]["staff_id"], json!(id));
    let path = format!("/api/sealed-surveys/{}", stage.survey.as_str().unwrap());
    let told = rated.get(&path).await.ok();
    assert_eq!(told["not_held"], json!([]), "{told}");
    // Rated himself in a box of it: nothing is offered that would be refused.
    let mut both = stage.rating().await.0;
    both["topics"] = json!([{"evaluatee": "甲", "staff_id": secretary}, {"evaluatee": "乙", "staff_id": id}]);
    let survey = stage.office.post("/api/sealed-surveys", both).await.ok()["id"].as_str().unwrap().to_owned();
    let told = rated.get(&format!("/api/sealed-surveys/{survey}")).await.ok();
    assert_eq!((told["boxes"].as_array().unwrap().len(), &told["actions"]), (1, &json!([])), "{told}");
}

#[actix_web::test]
async fn a_plans_evaluation_is_held_in_the_plans_terms() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::peopled(&polling).await;
    let (mut rating, ..) = stage.rating().await;
    let plan = json!({"township_id": stage.township.id, "source": SHIPPED_PLANS[0].text, "year": 2026});
    let campaign = stage.office.post("/api/campaigns", plan).await.ok()["id"].clone();
    (rating["campaign_id"], rating["evaluation"]) = (campaign, json!("duty_survey"));
    let planned = stage.office.post("/api/sealed-surveys", rating.clone()).await;
    assert_eq!(wrong(&planned), ["/kind"], "the plan holds it with another questionnaire");
    rating["kind"] = json!("duty_report");
    let mut unknown = rating.clone();
    unknown["evaluation"] = json!("nothing");
    assert_eq!(wrong(&stage.office.post("/api/sealed-surveys", unknown).await), ["/evaluation"]);
    let mut half = rating.clone();
    half["evaluation"] = json!(null);
    assert_eq!(wrong(&stage.office.post("/api/sealed-surveys", half).await), ["/evaluation"]);
    let elsewhere = polling.server.township().await;
    let office = elsewhere.staff(Role::TownshipOffice).await;
    let mut foreign = rating.clone();
    foreign["topics"] = json!([{"staff_id": elsewhere.staff_of(elsewhere.id, Role::TownshipLeader).await.1}]);
    assert_eq!(wrong(&office.post("/api/sealed-surveys", foreign).await), ["/campaign_id"]);

    let stage = stage.plan(rating).await;
    stage.prepare().await;
    stage.act("opening", json!({})).await.ok();
    stage.vote(12).await;
    stage.day(8);
    polling.tick().await;
    polling.count(&stage.sid).await;
    assert_eq!(results::publish_finished(&polling.server.application.store, stage.township.county).await.unwrap(), 1);
    let sheet = stage.office.get(&format!("/api/sealed-surveys/{}/sheet", stage.survey.as_str().unwrap())).await.ok();
    // Residents alone, in five levels of satisfaction: the plan's, not the questionnaire's.
    assert_eq!(sheet["head"]["groups"], json!([{"group": "resident", "weight": 10000}]));
    assert_eq!(sheet["rows"][0]["questions"][0]["options"].as_array().unwrap().len(), 5);
}
