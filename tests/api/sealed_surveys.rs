//! A whole anonymous survey through HTTP: planned, signed, opened, answered, counted, published, forgotten.

use qingfeng_ballots::{
    bundle::{Bundle, Mine},
    close::Publication,
    log::Pinned,
    messages::readable_code,
    verification::{Check, Reader, verify},
};
use qingfeng_core::{
    outbox::{self, RecipientKind},
    people::Role,
    sealed_surveys::{
        entity::{ballot_boxes, box_files, entries, issuance, rows},
        results,
    },
    storage::Engine,
};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use crate::support::{Polling, SealedStage, draft, outer};

async fn reader(polling: &Polling) -> Reader {
    let pinned = Pinned::parse(&polling.server.application.quorum.pinned_lines().await.unwrap()).unwrap();
    Reader { pinned, checkpoints: vec![], fingerprints: vec![], mine: None, roll_size: Some(30) }
}

async fn told(polling: &Polling, kind: &str) -> (usize, usize) {
    let messages = outbox::entity::Entity::find()
        .filter(outbox::entity::Column::Kind.eq(kind))
        .all(polling.server.application.store.reader())
        .await
        .unwrap();
    let groups = messages.iter().filter(|message| message.recipient_kind == RecipientKind::Group).count();
    (groups, messages.len() - groups)
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[actix_web::test]
async fn twenty_four_of_thirty_answer_and_the_bundle_passes_every_check(#[case] engine: Engine) {
    let polling = Polling::start(engine).await;
    let stage = SealedStage::planned(&polling, draft()).await;
    assert_eq!(stage.state().await, "draft");
    assert!(stage.voters[0].person.get("/api/sealed-surveys").await.ok()["items"].as_array().unwrap().is_empty());
    let prepared = stage.prepare().await;
    assert_eq!((prepared["state"].as_str(), prepared["trouble"].as_str()), (Some("signed"), None), "{prepared}");
    let sid = stage.sid.to_string();
    assert!(polling.file(&sid, "manifest.json").await.is_none(), "nothing is shown before the opening");
    stage.act("opening", json!({})).await.ok();
    assert_eq!(told(&polling, "sealed_survey_opened").await, (1, 30));
    assert_eq!(told(&polling, "sealed_survey_fingerprint").await, (1, 0));

    let credentials = stage.vote(24).await;
    let (manifest, _) = stage.manifest().await;
    let code = readable_code(&manifest.hash(), 8);
    assert_eq!(stage.view().await["boxes"][0]["poster_code"], format!("{}-{}", &code[..4], &code[4..]));
    polling.tick().await;
    let mine = stage.voters[0].person.get("/api/sealed-surveys").await.ok();
    assert_eq!(mine["items"][0]["boxes"][0]["my_state"], "issued");
    let turnout = stage.office.get(&stage.path("turnout")).await.ok();
    assert_eq!(turnout, json!({"eligible": 30, "issued": 24, "note": null}));

    // One changes her mind; one envelope waits alone and is not logged alone.
    let again = outer(&manifest, &credentials[5], [3, 3], 1);
    assert_eq!(polling.throw(&sid, again.to_bytes()).await.0, 204);
    polling.tick().await;
    assert_eq!(log_length(&polling, &sid).await, 25, "the manifest and the first batch");
    assert!(polling.file(&sid, "ballots.jsonl").await.is_none());

    stage.day(4);
    polling.tick().await;
    assert_eq!(told(&polling, "sealed_survey_reminder").await, (0, 30), "everybody, whether they took part or not");
    assert_eq!(log_length(&polling, &sid).await, 25, "one alone waits, however long");
    stage.day(7);
    polling.tick().await;
    assert_eq!(stage.state().await, "casting");
    stage.day(8);
    polling.tick().await;
    polling.tick().await;
    assert_eq!(
        (stage.state().await.as_str(), stage.trouble().await),
        ("closed", json!(null)),
        "people count, not programs"
    );
    assert_eq!(log_length(&polling, &sid).await, 26);
    polling.count(&stage.sid).await;
    assert_eq!(stage.state().await, "published", "{}", stage.trouble().await);
    assert_eq!(results::publish_finished(&polling.server.application.store, stage.township.county).await.unwrap(), 1);
    assert_eq!(told(&polling, "sealed_survey_published").await, (1, 0));
    // The opening, the first day's batch, the close.
    assert_eq!(told(&polling, "sealed_survey_fingerprint").await, (3, 0));

    let folder = polling.folder(&sid).await;
    let bundle = Bundle::read(folder.path()).unwrap();
    let mut reader = reader(&polling).await;
    let row = bundle
        .ballots
        .as_ref()
        .unwrap()
        .iter()
        .find(|row| row.ballot.pk.0 == credentials[5].ballot_key.verifying_key().to_bytes());
    let row = row.unwrap().ballot.clone();
    assert_eq!(row.ans.0["overall"], 3, "the last answer counts");
    let leaf = bundle.close.issued_a.iter().find(|leaf| bundle.manifest.roll.contains(leaf)).unwrap();
    reader.mine = Some(Mine { row: Some(row.row_hash()), roll_leaf: *leaf, issued: true });
    let report = verify(&bundle, &reader);
    assert_eq!(report.failed, Default::default());
    assert!(report.not_checked.keys().all(|check| *check == Check::V3), "{:?}", report.not_checked);
    assert_eq!((bundle.close.ballots, bundle.close.junk, bundle.close.publication), (24, 0, Publication::Rows));

    // A week later nothing leads from the roll to the box any more; the public files stay.
    stage.day(14);
    polling.tick().await;
    assert_eq!(stage.state().await, "published");
    stage.day(15);
    polling.tick().await;
    polling.tick().await;
    assert_eq!(stage.state().await, "wiped");
    let connection = polling.server.application.store.reader();
    assert_eq!(entries::Entity::find().count(connection).await.unwrap(), 0);
    assert_eq!(issuance::Entity::find().count(connection).await.unwrap(), 0);
    assert_eq!(rows::Entity::find().count(connection).await.unwrap(), 24);
    let row = ballot_boxes::Entity::find_by_id(stage.sid).one(connection).await.unwrap().unwrap();
    assert_eq!((row.key_a_sealed, row.key_d_sealed), (None, None));
    assert_eq!(Bundle::read(polling.folder(&sid).await.path()).unwrap(), bundle);
}

async fn log_length(polling: &Polling, sid: &str) -> usize {
    String::from_utf8(polling.file(sid, "log.jsonl").await.unwrap()).unwrap().lines().count()
}

#[actix_web::test]
async fn under_twenty_the_rows_are_for_the_committee_alone() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    let sid = stage.sid.to_string();
    stage.vote(12).await;
    let bundle_of =
        |name: &str| format!("/api/sealed-surveys/{}/boxes/{sid}/bundle/{name}", stage.survey.as_str().unwrap());
    stage.office.get(&bundle_of("ballots.jsonl")).await.problem(409, "not_published");
    stage.day(8);
    polling.tick().await;
    polling.count(&stage.sid).await;
    assert_eq!(stage.state().await, "published", "{}", stage.trouble().await);
    assert!(polling.file(&sid, "ballots.jsonl").await.is_none());
    let bundle = Bundle::read(polling.folder(&sid).await.path()).unwrap();
    assert_eq!((bundle.close.ballots, bundle.close.publication), (12, Publication::Totals));
    assert_eq!(verify(&bundle, &reader(&polling).await).failed, Default::default());
    let rows = stage.office.get(&bundle_of("ballots.jsonl")).await;
    assert_eq!((rows.status.as_u16(), rows.text.lines().count()), (200, 12));
    stage.office.get(&bundle_of("paper.batch")).await.problem(404, "not_found");
    for role in [Role::VillageSecretary, Role::TownshipLeader, Role::GroupAdministrator] {
        assert!(
            !stage.township.staff(role).await.get(&bundle_of("ballots.jsonl")).await.status.is_success(),
            "{role:?}"
        );
    }
    let discipline = stage.township.staff(Role::DisciplinaryOfficer).await;
    discipline.get(&bundle_of("ballots.jsonl")).await.ok_text();
}

#[actix_web::test]
async fn under_ten_nothing_is_opened() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    let sid = stage.sid.to_string();
    stage.vote(9).await;
    let told = stage.office.get(&stage.path("turnout")).await.ok();
    assert_eq!((&told["issued"], told["note"].is_string()), (&json!(null), true), "nine are few: {told}");
    stage.day(8);
    polling.tick().await;
    polling.tick().await;
    assert_eq!(stage.state().await, "too_few");
    assert_eq!(stage.view().await["boxes"][0]["issued"], json!(null));
    for name in ["ballots.jsonl", "totals.json", "junk.json"] {
        assert!(polling.file(&sid, name).await.is_none(), "{name}");
    }
    let close: serde_json::Value = serde_json::from_slice(&polling.file(&sid, "close.json").await.unwrap()).unwrap();
    assert_eq!(close["ended"], "too_few");
    assert_eq!(results::publish_finished(&polling.server.application.store, stage.township.county).await.unwrap(), 1);
    let connection = polling.server.application.store.reader();
    assert_eq!(entries::Entity::find().count(connection).await.unwrap(), 0);
    assert_eq!(rows::Entity::find().count(connection).await.unwrap(), 0);
    assert_eq!(issuance::Entity::find().count(connection).await.unwrap(), 9);
    stage.day(15);
    polling.tick().await;
    assert_eq!(
        (stage.state().await.as_str(), issuance::Entity::find().count(connection).await.unwrap()),
        ("too_few", 0)
    );
}

#[actix_web::test]
async fn what_is_for_the_organization_is_not_shown_to_the_public() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::peopled(&polling).await;
    let (organizational, ..) = stage.rating().await;
    let stage = stage.plan(organizational).await;
    stage.prepare().await;
    stage.act("opening", json!({})).await.ok();
    stage.vote(20).await;
    stage.day(8);
    polling.tick().await;
    polling.count(&stage.sid).await;
    assert_eq!(stage.state().await, "published", "{}", stage.trouble().await);
    let sid = stage.sid.to_string();
    for (name, shown) in [
        ("log.jsonl", true),
        ("checkpoints.json", true),
        ("manifest.json", true),
        ("close.json", true),
        ("totals.json", false),
        ("junk.json", false),
        ("ballots.jsonl", false),
    ] {
        assert_eq!(polling.file(&sid, name).await.is_some(), shown, "{name}");
    }
    let inspector = stage.township.staff(Role::CountyInspector).await;
    let path = format!("/api/sealed-surveys/{}/boxes/{sid}/bundle/totals.json", stage.survey.as_str().unwrap());
    inspector.get(&path).await.ok_text();
}

#[actix_web::test]
async fn a_count_that_does_not_agree_is_not_published() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    stage.vote(12).await;
    stage.day(8);
    polling.tick().await;
    // Somebody has changed what the platform said of the slips after it was handed over.
    let account = json!({"printed": 1, "drawn": 0, "returned": 0, "spoiled": 0, "voided": {"keys": ["00".repeat(32)], "tags": ["00".repeat(32)]}, "batch_void": false});
    let sid = stage.sid;
    stage
        .township
        .write(move |unit| {
            Box::pin(async move {
                ballot_boxes::Entity::update_many()
                    .col_expr(ballot_boxes::Column::SlipAccount, Expr::value(Some(account)))
                    .filter(ballot_boxes::Column::Sid.eq(sid))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await;
    polling.count(&stage.sid).await;
    polling.tick().await;
    assert_eq!((stage.state().await.as_str(), stage.trouble().await), ("closed", json!("count_wrong")));
    assert_eq!(box_files::Entity::find().count(polling.server.application.store.reader()).await.unwrap(), 0);
}

#[actix_web::test]
async fn who_is_rated_does_not_know_how_many_take_part() {
    let polling = Polling::start(Engine::Sqlite).await;
    let mut rating = draft();
    let planned = SealedStage::planned(&polling, draft()).await;
    let (rated, id) = planned.township.staff_of(planned.township.id, Role::TownshipLeader).await;
    rating["kind"] = json!("cadre_evaluation");
    rating["topics"] = json!([{"evaluatee": "测试干部", "staff_id": id}]);
    let survey = planned.office.post("/api/sealed-surveys", rating.clone()).await.ok()["id"].clone();
    let view = planned.office.get(&format!("/api/sealed-surveys/{}", survey.as_str().unwrap())).await.ok();
    let turnout = format!("/api/sealed-surveys/boxes/{}/turnout", view["boxes"][0]["sid"].as_str().unwrap());
    rated.get(&turnout).await.problem(404, "not_found");
    rated.get(&format!("/api/sealed-surveys/{}", survey.as_str().unwrap())).await.problem(404, "not_found");
    let listed = rated.get("/api/sealed-surveys").await.ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "the other survey only: {listed}");
    let leader = planned.township.staff(Role::TownshipLeader).await;
    assert_eq!(leader.get(&turnout).await.ok(), json!({"eligible": 30, "issued": 0, "note": null}));
    rating["min_level"] = json!(1);
    planned.office.post("/api/sealed-surveys", rating).await.problem(422, "level_too_low_for_persons");
}
