//! Who is rated is no elector of her own box.

use qingfeng_core::{
    people::{PersonKind, Role, sessions::Person as Identity},
    storage::Engine,
};
use rstest::rstest;
use serde_json::json;

use crate::support::Polling;

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[actix_web::test]
async fn who_is_rated_is_not_asked_about_herself(#[case] engine: Engine) {
    let polling = Polling::start(engine).await;
    let township = polling.server.township().await;
    let village = township.village("东河村").await;
    let office = township.staff(Role::TownshipOffice).await;
    let (_, secretary) = township.staff_of(village.id, Role::VillageSecretary).await;
    let (_, clerk) = township.staff_of(village.id, Role::VillageStaff).await;
    let rated = township.add_resident(village, None, Some(secretary)).await;
    let mut everybody = vec![rated];
    for _ in 0..30 {
        everybody.push(township.add_resident(village, None, None).await);
    }
    polling.others.print_cards(village.id, &everybody).await;
    let survey = json!({
        "kind": "cadre_evaluation", "title": "村干部年度测评", "min_level": 2, "classes": ["resident"],
        "topics": [{"evaluatee": "村支书", "staff_id": secretary}, {"evaluatee": "村文书", "staff_id": clerk}],
        "issue_from": "2026-03-02", "issue_until": "2026-03-06", "cast_until": "2026-03-07",
    });
    let survey = office.post("/api/sealed-surveys", survey).await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/sealed-surveys/{survey}");
    office.post(&format!("{path}/preparation"), json!({})).await.ok();
    let view = office.get(&path).await.ok();
    let mut boxes: Vec<_> = view["boxes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["evaluatee"].as_str().unwrap(), one["state"].as_str().unwrap(), one["eligible"].as_i64().unwrap())
        })
        .collect();
    boxes.sort_unstable();
    assert_eq!(boxes, [("村支书", "signed", 30), ("村文书", "signed", 31)], "the co-signer agrees to both");
    office.post(&format!("{path}/opening"), json!({})).await.ok();
    let asked = async |resident: qingfeng_core::ids::ResidentId| {
        let identity = Identity { county: township.county, kind: PersonKind::Resident, id: resident.0 };
        let mine = polling.server.signed_in(identity).await.get("/api/sealed-surveys").await.ok();
        mine["items"][0]["boxes"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((asked(rated).await, asked(everybody[1]).await), (1, 2));
}
