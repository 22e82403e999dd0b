use qingfeng_ballots::{
    Hex,
    log::{Leaf, Pinned},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::{
    actors::Running,
    support::{County, Engine, log_signer, note},
};

fn some_box(number: u8) -> Leaf {
    Leaf::Box { tag: Hex([number; 32]), seq: 0, h: Hex([number; 32]) }
}

#[rstest]
#[actix_web::test]
async fn the_log_grows_and_the_quorum_signs(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village(5).await;
    let mut survey = county.open(&village).await;
    let first = survey.clone();
    county.extend(&mut survey, vec![some_box(1), some_box(2)]).await.ok();
    county.witnessed(&mut survey).await;
    let pinned = Pinned::parse(&survey.manifest.vkeys.join("\n")).unwrap();
    assert_eq!(pinned.read(survey.note.as_bytes(), &survey.manifest.origin).unwrap().size, 3);

    // An answer was lost: the same again, and an older one, are signed the same.
    let again = county.send_log(1, &survey).await.ok();
    assert!(survey.note.starts_with(again["note"].as_str().unwrap()));
    assert_eq!(county.send_log(0, &first).await.ok()["note"], json!(first.note));
}

#[rstest]
#[actix_web::test]
async fn a_manifest_that_was_not_agreed_is_not_opened(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village(5).await;
    let agreed = county.agreed(&village).await;
    let mut other = agreed.clone();
    other.manifest.k_min = 6;
    other.log.push(Leaf::Manifest { h: other.manifest.hash() }.to_bytes());
    assert_eq!(county.send_log(0, &other).await.refusal(), (409, "manifest_differs"));
    // The right manifest beside the hash of another.
    other.manifest = agreed.manifest.clone();
    assert_eq!(county.send_log(0, &other).await.refusal(), (422, "bad_leaf"));
    let mut good = agreed;
    assert!(county.extend(&mut good, Vec::new()).await.status.is_success());
}

#[rstest]
#[actix_web::test]
async fn a_forked_log_is_not_signed_and_the_proof_is_kept(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village(5).await;
    let mut survey = county.open(&village).await;
    county.extend(&mut survey, vec![some_box(1), some_box(2)]).await.ok();

    let mut replaced = survey.clone();
    replaced.log[2] = some_box(3).to_bytes();
    for _ in 0..2 {
        assert_eq!(county.send_log(2, &replaced).await.refusal(), (409, "log_forked"));
        assert_eq!(county.send_log(0, &replaced).await.refusal(), (409, "log_forked"));
    }
    let mut gap = survey.clone();
    gap.log.extend([some_box(4).to_bytes(), some_box(5).to_bytes()]);
    let refused = county.send_log(4, &gap).await;
    assert_eq!(refused.refusal(), (409, "log_behind"));
    assert_eq!(refused.body["size"], json!(3));

    // A root that does not follow from the lines.
    let path = format!("/v1/surveys/{}/checkpoints", survey.sid);
    let lie = json!({ "leaves": [], "size_before": 3, "note": county.platform_note(&gap) });
    assert_eq!(county.operate_json(&path, &lie).await.refusal(), (409, "log_forked"));

    let minutes = county.send(Method::GET, "/v1/minutes", Vec::new()).await.ok();
    let forks = minutes.as_array().unwrap().iter().filter(|minute| minute["kind"] == "fork_refused");
    assert_eq!(forks.count(), 2, "each lie once");
    assert!(county.extend(&mut survey, vec![some_box(6)]).await.status.is_success());
}

#[rstest]
#[case::twice_the_same_revision(vec![some_box(1)])]
#[case::one_envelope_under_two_tags(vec![Leaf::Box { tag: Hex([8; 32]), seq: 0, h: Hex([1; 32]) }])]
#[case::a_row_before_the_count(vec![Leaf::Ballot { h: Hex([1; 32]) }])]
#[case::a_close_before_the_close(vec![Leaf::Close { h: Hex([1; 32]) }])]
#[case::another_manifest(vec![Leaf::Manifest { h: Hex([1; 32]) }])]
#[actix_web::test]
async fn lines_that_may_not_come_now_are_refused(#[case] leaves: Vec<Leaf>) {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village(5).await;
    let mut survey = county.open(&village).await;
    county.extend(&mut survey, vec![some_box(1)]).await.ok();
    assert_eq!(county.extend(&mut survey, leaves).await.refusal(), (422, "bad_leaf"));
}

#[actix_web::test]
async fn a_note_of_somebody_else_or_of_another_log_is_refused() {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village(5).await;
    let survey = county.open(&village).await;
    let path = format!("/v1/surveys/{}/checkpoints", survey.sid);
    let send = async |note: String| {
        let body = json!({ "leaves": [], "size_before": 1, "note": note });
        county.operate_json(&path, &body).await
    };
    let stranger = log_signer("platform.qinghe");
    for note in [
        note(&survey.manifest.origin, &survey.log, &stranger),
        note("box.example/other", &survey.log, &county.platform.log),
        String::new(),
        "a\n\n— b c\n".into(),
    ] {
        assert_eq!(send(note).await.refusal(), (422, "bad_note"));
    }
    let spaced = Running { log: vec![b"{ \"t\": \"box\" }".to_vec()], ..survey.clone() };
    let extended = Running { log: [survey.log.clone(), spaced.log].concat(), ..survey };
    assert_eq!(county.send_log(1, &extended).await.refusal(), (422, "bad_leaf"));
}
