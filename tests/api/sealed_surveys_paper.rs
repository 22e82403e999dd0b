//! Paper slips: printed by the co-signer, drawn from a bag, accounted for before the count.

use qingfeng_ballots::{
    Hex,
    bundle::Bundle,
    close::{Slips, Voided},
    log::Pinned,
    verification,
    voter::Credential,
};
use qingfeng_core::storage::Engine;
use serde_json::{Value, json};

use crate::support::{Polling, SealedStage, draft, outer};

fn key(slip: &Credential) -> Hex<32> {
    Hex(slip.ballot_key.verifying_key().to_bytes())
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
    let (stage, slips) = SealedStage::with_slips(&polling).await;
    let sid = stage.sid.to_string();
    let public: Slips = serde_json::from_slice(&polling.file(&sid, "paper.json").await.unwrap()).unwrap();
    assert!(public.len() == 3 && public.is_well_formed());
    let (manifest, _) = stage.manifest().await;
    stage.vote(10).await;
    for voter in [20, 21] {
        stage.office.post(&stage.path("register"), json!({"resident_id": stage.voters[voter].resident})).await.ok();
    }
    // The second slip is thrown in by whoever printed it, though nobody drew it; the third was drawn and spoiled.
    for slip in &slips[..2] {
        let outer = outer(&manifest, slip, [2, 2], 0);
        assert_eq!(polling.throw(&sid, outer.to_bytes()).await.0, 204);
    }
    // Whoever gets hold of the code later cannot vote over the first.
    let again = outer(&manifest, &slips[0], [3, 3], 1);
    assert_eq!(polling.throw(&sid, again.to_bytes()).await.0, 409);
    let account = stage.path("slip-account");
    let settle = |drawn: u32, unused: Value| {
        stage
            .office
            .post(&account, json!({"printed": 3, "drawn": drawn, "returned": 1, "spoiled": 1, "unused": unused}))
    };
    let left = slips[1].unused();
    settle(2, json!([left])).await.problem(409, "sealed_survey_state");
    stage.day(8);
    polling.tick().await;
    polling.tick().await;
    assert_eq!(
        (stage.state().await.as_str(), stage.trouble().await),
        ("closed", json!("slips_unaccounted")),
        "nothing is handed over before the account"
    );
    settle(3, json!([left])).await.problem(409, "wrong_slips");
    let mut picked = left.clone();
    picked.pk_signature = Hex([7; 64]);
    settle(2, json!([picked])).await.problem(409, "wrong_slips");
    let mut crossed = left.clone();
    crossed.tag = slips[0].unused().tag;
    settle(2, json!([crossed])).await.problem(409, "wrong_slips");
    stage
        .office
        .post(&account, json!({"printed": 3, "drawn": 2, "returned": 1, "spoiled": 2, "unused": [left]}))
        .await
        .problem(409, "wrong_slips");
    settle(2, json!([left])).await.ok();
    settle(2, json!([left])).await.problem(409, "sealed_survey_state");
    polling.count(&stage.sid).await;
    let bundle = verified(&polling, &stage).await;
    assert_eq!((bundle.close.ballots, bundle.close.junk), (11, 0));
    assert_eq!(bundle.close.voided, Voided { keys: vec![key(&slips[1])], tags: vec![left.tag] });
    let shown = stage.view().await["boxes"][0]["slip_account"].clone();
    let expected = json!({"printed": 3, "drawn": 2, "returned": 1, "spoiled": 1, "lost": 0, "batch_void": false});
    assert_eq!(shown, expected);
}

#[actix_web::test]
async fn no_file_leads_from_a_slips_envelope_to_its_answers() {
    let polling = Polling::start(Engine::Sqlite).await;
    let (stage, slips) = SealedStage::with_slips(&polling).await;
    let (manifest, _) = stage.manifest().await;
    stage.vote(20).await;
    for (voter, slip) in (25..).zip(&slips) {
        stage.office.post(&stage.path("register"), json!({"resident_id": stage.voters[voter].resident})).await.ok();
        let outer = outer(&manifest, slip, [2, 2], 0);
        assert_eq!(polling.throw(&stage.sid.to_string(), outer.to_bytes()).await.0, 204);
    }
    stage.day(8);
    polling.tick().await;
    let account = json!({"printed": 3, "drawn": 3, "returned": 0, "spoiled": 0, "unused": []});
    stage.office.post(&stage.path("slip-account"), account).await.ok();
    polling.count(&stage.sid).await;
    assert_eq!(verified(&polling, &stage).await.close.ballots, 23);
    let files = polling.folder(&stage.sid.to_string()).await;
    for slip in &slips {
        let (pk, tag) = (key(slip).to_string(), slip.unused().tag.to_string());
        for file in std::fs::read_dir(files.path()).unwrap() {
            let content = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let together = |line: &str| line.contains(&pk) && line.contains(&tag);
            // The two lists of the slips stand in one line; between the lists nothing says which belong together.
            let parts: Vec<_> = content.lines().flat_map(|line| line.split("\"tags\":")).collect();
            assert!(!parts.into_iter().any(together));
        }
    }
    let slips: Slips =
        serde_json::from_slice(&polling.file(&stage.sid.to_string(), "paper.json").await.unwrap()).unwrap();
    assert!(slips.is_well_formed(), "each list is in an order of its own");
}

#[actix_web::test]
async fn a_batch_with_more_slips_used_than_drawn_is_void_and_nothing_of_it_is_opened() {
    let polling = Polling::start(Engine::Sqlite).await;
    let (stage, slips) = SealedStage::with_slips(&polling).await;
    let (manifest, _) = stage.manifest().await;
    stage.vote(10).await;
    for (voter, slip) in (20..).zip(&slips) {
        let register = json!({"resident_id": stage.voters[voter].resident});
        stage.office.post(&stage.path("register"), register).await.ok();
        let outer = outer(&manifest, slip, [3, 3], 0);
        assert_eq!(polling.throw(&stage.sid.to_string(), outer.to_bytes()).await.0, 204);
    }
    stage.day(8);
    polling.tick().await;
    // Two were drawn, the third is gone; three were used.
    let account = json!({"printed": 3, "drawn": 2, "returned": 0, "spoiled": 0, "unused": []});
    stage.office.post(&stage.path("slip-account"), account).await.ok();
    let shown = stage.view().await["boxes"][0]["slip_account"].clone();
    assert_eq!((&shown["batch_void"], &shown["lost"]), (&json!(true), &json!(1)));
    polling.count(&stage.sid).await;
    let bundle = verified(&polling, &stage).await;
    assert_eq!((bundle.close.ballots, bundle.close.junk, bundle.close.voided.tags.len()), (10, 0, 3));
}

#[actix_web::test]
async fn slips_that_count_for_nothing_hide_nobody() {
    let polling = Polling::start(Engine::Sqlite).await;
    let (stage, slips) = SealedStage::with_slips(&polling).await;
    let (manifest, _) = stage.manifest().await;
    stage.vote(8).await;
    for slip in &slips {
        let outer = outer(&manifest, slip, [3, 3], 0);
        assert_eq!(polling.throw(&stage.sid.to_string(), outer.to_bytes()).await.0, 204);
    }
    stage.day(8);
    polling.tick().await;
    // Nobody is registered for paper: whoever used the slips, none was drawn.
    let account = json!({"printed": 3, "drawn": 0, "returned": 0, "spoiled": 0});
    stage.office.post(&stage.path("slip-account"), account).await.ok();
    polling.tick().await;
    assert_eq!(stage.state().await, "too_few", "eleven envelopes, of which eight may be opened");
}

#[actix_web::test]
async fn without_slips_nobody_is_registered_for_paper() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    let register = json!({"resident_id": stage.voters[0].resident});
    stage.office.post(&stage.path("register"), register).await.problem(409, "no_paper");
    stage.vote(1).await;
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
