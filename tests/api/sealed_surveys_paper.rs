//! Paper slips: printed by the co-signer, drawn from a bag, accounted for before the count.

use qingfeng_ballots::{Hex, bundle::Bundle, log::Pinned, verification, voter::Credential};
use qingfeng_core::storage::Engine;
use serde_json::{Value, json};

use crate::support::{Polling, SealedStage, draft, outer};

fn key(slip: &Credential) -> Hex<32> {
    Hex(slip.ballot_key.verifying_key().to_bytes())
}

/// A survey with three slips, opened.
async fn with_slips(polling: &Polling) -> (SealedStage<'_>, Vec<Credential>) {
    let mut with_paper = draft();
    with_paper["paper"] = json!(3);
    let stage = SealedStage::planned(polling, with_paper).await;
    stage.prepare().await;
    stage.act("opening", json!({})).await.problem(409, "paper_missing");
    let slips = polling.others.print_slips(&stage.sid.sid(), 3, &polling.server.address).await;
    stage.act("opening", json!({})).await.ok();
    (stage, slips)
}

async fn verified(polling: &Polling, stage: &SealedStage<'_>) -> Bundle {
    let bundle = Bundle::read(polling.folder(&stage.sid.to_string()).await.path()).unwrap();
    let pinned = Pinned::parse(&polling.server.application.quorum.pinned_lines().await.unwrap()).unwrap();
    let reader =
        verification::Reader { pinned, checkpoints: vec![], fingerprints: vec![], mine: None, roll_size: Some(30) };
    assert_eq!(verification::verify(&bundle, &reader).failed, Default::default());
    bundle
}

#[actix_web::test]
async fn a_drawn_slip_counts_and_one_left_in_the_bag_does_not() {
    let polling = Polling::start(Engine::Sqlite).await;
    let (stage, slips) = with_slips(&polling).await;
    let sid = stage.sid.to_string();
    let public = String::from_utf8(polling.file(&sid, "paper.jsonl").await.unwrap()).unwrap();
    assert_eq!(public.lines().count(), 3);
    let (manifest, _) = stage.manifest().await;
    stage.vote(10).await;
    stage.office.post(&stage.path("register"), json!({"resident_id": stage.voters[20].resident})).await.ok();
    // The second slip is thrown in by whoever printed it, though nobody drew it; the third was drawn and spoiled.
    for slip in &slips[..2] {
        let outer = outer(&manifest, slip, [2, 2], 0);
        assert_eq!(polling.throw(&sid, outer.to_bytes()).await.0, 204);
    }
    let account = stage.path("slip-account");
    let settle = |drawn: u32, unused: Value| {
        stage
            .office
            .post(&account, json!({"printed": 3, "drawn": drawn, "returned": 1, "spoiled": 1, "unused": unused}))
    };
    settle(3, json!([key(&slips[1])])).await.problem(409, "wrong_slips");
    settle(2, json!([])).await.problem(409, "wrong_slips");
    settle(2, json!([Hex([9; 32])])).await.problem(409, "wrong_slips");
    settle(2, json!([key(&slips[1])])).await.ok();
    stage.day(8);
    polling.tick().await;
    settle(2, json!([key(&slips[1])])).await.problem(409, "sealed_survey_state");
    polling.count(&stage.sid).await;
    let bundle = verified(&polling, &stage).await;
    assert_eq!((bundle.close.ballots, bundle.close.junk, &bundle.close.voided), (11, 1, &vec![key(&slips[1])]));
    let shown = stage.view().await["boxes"][0]["slip_account"].clone();
    assert_eq!(shown, json!({"printed": 3, "drawn": 2, "returned": 1, "spoiled": 1, "batch_void": false}));
}

#[actix_web::test]
async fn more_slips_back_than_drawn_void_them_all() {
    let polling = Polling::start(Engine::Sqlite).await;
    let (stage, slips) = with_slips(&polling).await;
    let (manifest, _) = stage.manifest().await;
    stage.vote(10).await;
    for slip in &slips {
        let outer = outer(&manifest, slip, [3, 3], 0);
        assert_eq!(polling.throw(&stage.sid.to_string(), outer.to_bytes()).await.0, 204);
    }
    let account = json!({"printed": 3, "drawn": 2, "returned": 3, "spoiled": 0, "unused": [key(&slips[2])]});
    stage.office.post(&stage.path("slip-account"), account).await.ok();
    assert_eq!(stage.view().await["boxes"][0]["slip_account"]["batch_void"], true);
    stage.day(8);
    polling.tick().await;
    polling.count(&stage.sid).await;
    let bundle = verified(&polling, &stage).await;
    assert_eq!((bundle.close.ballots, bundle.close.junk, bundle.close.voided.len()), (10, 3, 3));
}

#[actix_web::test]
async fn a_batch_of_slips_is_signed_once() {
    let polling = Polling::start(Engine::Sqlite).await;
    let mut with_paper = draft();
    with_paper["paper"] = json!(3);
    let stage = SealedStage::planned(&polling, with_paper).await;
    stage.prepare().await;
    let wish = |fill: u8, number: usize| vec![(Hex([fill; 256]), Hex([fill; 256])); number];
    let (store, sealer) = (&polling.server.application.store, &polling.server.application.sealer);
    let ask = async |fill: u8, number: usize| {
        let signed =
            qingfeng_core::sealed_surveys::service::sign_slips(store, sealer, stage.sid, wish(fill, number)).await;
        signed.map_err(|fault| match fault {
            qingfeng_core::refusal::Fault::Refused(refusal) => refusal.code,
            other => panic!("{other}"),
        })
    };
    assert_eq!(ask(7, 2).await.unwrap_err(), "wrong_slips");
    assert_eq!(ask(0, 3).await.unwrap_err(), "bad_request");
    let first = ask(7, 3).await.unwrap();
    assert_eq!(ask(7, 3).await.unwrap(), first, "the answer was lost");
    assert_eq!(ask(8, 3).await.unwrap_err(), "slips_signed");
}
