use qingfeng_ballots::Hex;
use qingfeng_cosigner::surveys::{Proposal, RollPlace, Unit};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use crate::support::{County, Engine, log_signer};

#[rstest]
#[actix_web::test]
async fn the_same_proposal_gets_the_same_keys_and_another_none(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start(engine).await;
    let village = county.village(5).await;
    let proposal = county.proposal(&village, Hex([1; 16]));
    let agreed = county.operate_json("/v1/surveys", &proposal).await.ok();
    assert_eq!(agreed["b"].as_str().unwrap().len(), 512);
    assert!(agreed["box"].as_str().unwrap().starts_with("age1"));
    assert_eq!(county.operate_json("/v1/surveys", &proposal).await.ok(), agreed);

    let mut other = proposal.clone();
    other.draft.title = "另一份".into();
    assert_eq!(county.operate_json("/v1/surveys", &other).await.refusal(), (409, "survey_differs"));
    let county = county.restart().await;
    assert_eq!(county.operate_json("/v1/surveys", &proposal).await.ok(), agreed);
}

#[rstest]
#[actix_web::test]
async fn two_proposals_at_the_same_time_get_one_key(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village(5).await;
    let proposal = county.proposal(&village, Hex([1; 16]));
    let send = || county.operate_json("/v1/surveys", &proposal);
    let (one, two) = tokio::join!(send(), send());
    assert_eq!(one.ok(), two.ok());
}

#[rstest]
#[actix_web::test]
async fn an_invented_resident_is_named(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village(5).await;
    let sid = Hex([1; 16]);
    let good = county.proposal(&village, sid);

    let mut invented = good.clone();
    let stranger = Uuid::new_v4();
    invented.roll.push(RollPlace { resident: stranger, leaf: Hex([9; 32]) });
    let refused = county.operate_json("/v1/surveys", &invented).await;
    assert_eq!(refused.refusal(), (422, "roll_mismatch"));
    assert_eq!(refused.body["residents"], json!([stranger]));

    // A leaf for which the platform knows the secret instead of the resident.
    let mut replaced = good.clone();
    replaced.roll[2].leaf = Hex([9; 32]);
    let refused = county.operate_json("/v1/surveys", &replaced).await;
    assert_eq!(refused.body["residents"], json!([village.people[2].id]));

    let mut doubled = good.clone();
    doubled.roll.push(good.roll[0].clone());
    assert_eq!(county.operate_json("/v1/surveys", &doubled).await.refusal(), (422, "roll_mismatch"));

    let mut short = good.clone();
    short.unit = Some(Unit { villages: vec![village.id], class: "residents".into(), rated: vec![] });
    assert!(county.operate_json("/v1/surveys", &short).await.status.is_success());
    let mut left_out = county.proposal(&village, Hex([2; 16]));
    left_out.unit = short.unit;
    let missing = left_out.roll.pop().unwrap().resident;
    let refused = county.operate_json("/v1/surveys", &left_out).await;
    assert_eq!(refused.body["residents"], json!([missing]), "who was left out is named");
}

#[rstest]
#[actix_web::test]
async fn who_is_rated_is_left_out_by_name_and_nobody_else(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village(6).await;
    let unit = |rated: Vec<Uuid>| Some(Unit { villages: vec![village.id], class: "residents".into(), rated });
    let mut good = county.proposal(&village, Hex([1; 16]));
    let rated = good.roll.pop().unwrap().resident;
    good.unit = unit(vec![rated]);
    assert!(county.operate_json("/v1/surveys", &good).await.status.is_success());
    assert!(county.cosigner.authority.minutes().await.unwrap().iter().any(|minute| minute.kind == "recused"));

    let mut many = county.proposal(&village, Hex([2; 16]));
    many.unit = unit((0..21).map(|_| Uuid::new_v4()).collect());
    assert_eq!(county.operate_json("/v1/surveys", &many).await.refusal(), (422, "bad_draft"));

    let mut another = county.proposal(&village, Hex([3; 16]));
    let missing = another.roll.remove(0).resident;
    another.unit = unit(vec![rated]);
    let refused = county.operate_json("/v1/surveys", &another).await;
    let mut differing = vec![rated.to_string(), missing.to_string()];
    differing.sort();
    assert_eq!(refused.body["residents"], json!(differing), "one is on the roll, one is not");

    let mut stranger = county.proposal(&village, Hex([4; 16]));
    stranger.unit = unit(vec![Uuid::new_v4()]);
    assert_eq!(county.operate_json("/v1/surveys", &stranger).await.refusal(), (422, "roll_mismatch"));
}

type Change = fn(&mut Proposal);

#[rstest]
#[case::no_questions(|proposal: &mut Proposal| proposal.draft.questions.clear(), "bad_draft")]
#[case::thresholds_that_protect_nobody(|proposal: &mut Proposal| proposal.draft.k_min = 1, "bad_draft")]
#[case::one_key_for_two_purposes(|proposal: &mut Proposal| proposal.draft.keys.d = proposal.draft.keys.a, "bad_draft")]
#[case::days_in_the_wrong_order(|proposal: &mut Proposal| proposal.draft.windows.issue_until = "2026-02-01".into(), "bad_draft")]
#[case::no_days(|proposal: &mut Proposal| proposal.draft.windows.cast_from = "bald".into(), "bad_draft")]
#[case::a_day_beyond_the_calendar(|proposal: &mut Proposal| proposal.draft.windows.cast_until = "+262142-12-31".into(), "bad_draft")]
#[case::an_origin_of_two_lines(|proposal: &mut Proposal| proposal.draft.origin = "a\nb".into(), "bad_draft")]
#[case::more_paper_than_people(|proposal: &mut Proposal| proposal.draft.paper = 6, "bad_draft")]
#[case::nobody(|proposal: &mut Proposal| proposal.roll.clear(), "bad_draft")]
#[case::a_foreign_platform(|proposal: &mut Proposal| proposal.draft.vkeys[0] = log_signer("platform.qinghe").public, "foreign_keys")]
#[case::without_this_cosigner(|proposal: &mut Proposal| { proposal.draft.vkeys.remove(1); }, "foreign_keys")]
#[case::without_a_witness(|proposal: &mut Proposal| { proposal.draft.vkeys.remove(2); }, "foreign_keys")]
#[actix_web::test]
async fn a_draft_that_cannot_be_a_manifest_is_refused(#[case] change: Change, #[case] code: &str) {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village(5).await;
    let mut proposal = county.proposal(&village, Hex([1; 16]));
    change(&mut proposal);
    assert_eq!(county.operate_json("/v1/surveys", &proposal).await.refusal(), (422, code));
}

#[actix_web::test]
async fn only_the_pinned_platform_operates() {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village_with_phones(5).await;
    let survey = county.open(&village).await;
    let sid = survey.sid;
    let proposal = county.proposal(&village, Hex([1; 16]));
    let body = serde_json::to_vec(&proposal).unwrap();
    let surveys = format!("/v1/surveys/{sid}");
    let routes = [
        (Method::GET, format!("/v1/roll?village={}", village.id)),
        (Method::POST, "/v1/surveys".into()),
        (Method::POST, format!("{surveys}/checkpoints")),
        (Method::POST, format!("{surveys}/channel")),
        (Method::PUT, format!("{surveys}/envelopes")),
        (Method::POST, format!("{surveys}/close")),
        (Method::GET, format!("{surveys}/count")),
        (Method::POST, format!("{surveys}/cancel")),
    ];
    let stranger = log_signer("platform.qinghe");
    for (method, path) in &routes {
        let unsigned = county.send(method.clone(), path, body.clone()).await;
        assert_eq!(unsigned.refusal(), (401, "not_the_platform"), "{path}");
        let wrong = [
            stranger.sign_request(method.as_str(), path, &body),
            // Signatures over something else: another method, another address, another body.
            county.platform.log.sign_request("DELETE", path, &body),
            county.platform.log.sign_request(method.as_str(), "/v1/other", &body),
            county.platform.log.sign_request(method.as_str(), path, b"{}"),
            "nonsense".into(),
        ];
        for signature in wrong {
            let request = county.client.request(method.clone(), county.url(path));
            let answer = request.header("Qingfeng-Signature", signature).body(body.clone()).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{path}");
        }
    }
}
