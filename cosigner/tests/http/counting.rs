use std::path::PathBuf;

use chrono::TimeDelta;
use qingfeng_ballots::{
    Hex,
    close::Publication,
    envelope::ENVELOPE_LENGTH,
    log::{Leaf, Note, Pinned},
    outer::Outer,
    verification::{Reader, verify},
};
use qingfeng_cosigner::{
    config::Custody,
    surveys::{Counted, Share},
    witness::AddCheckpoint,
};
use reqwest::Method;
use rstest::rstest;
use sea_orm::{ConnectionTrait, Database};
use serde_json::json;

use crate::{
    actors::{Running, Village, box_leaf, published},
    support::{County, Engine, automatic},
};

fn observers() -> [String; 2] {
    ["监票甲".to_owned(), "监票乙".to_owned()]
}

/// Everybody answers; the box is in the log.
async fn answered(county: &County, village: &Village) -> (Running, Vec<Outer>) {
    let mut survey = county.open(village).await;
    let mut outers = Vec::new();
    for (number, resident) in village.people.iter().enumerate() {
        let credential = county.draw(&survey, resident).await;
        outers.push(survey.cast(&credential, u8::try_from(number % 3 + 1).unwrap()));
    }
    log_box(county, &mut survey, &outers).await;
    (survey, outers)
}

async fn log_box(county: &County, survey: &mut Running, outers: &[Outer]) {
    let mut leaves: Vec<_> = outers.iter().collect();
    leaves.sort_unstable_by_key(|outer| outer.envelope_hash());
    county.extend(survey, leaves.into_iter().map(box_leaf).collect()).await.ok();
}

fn issued(survey: &Running, village: &Village) -> Vec<Hex<32>> {
    village.people.iter().map(|resident| resident.leaf(&survey.sid)).collect()
}

async fn state(county: &County, survey: &Running) -> String {
    let row = county.cosigner.authority.store.reader().query_one_raw(sea_orm::Statement::from_sql_and_values(
        county.cosigner.authority.store.reader().get_database_backend(),
        "SELECT state FROM surveys WHERE sid = $1",
        [survey.sid.as_slice().to_vec().into()],
    ));
    row.await.unwrap().unwrap().try_get("", "state").unwrap()
}

#[rstest]
#[actix_web::test]
async fn a_survey_is_counted_published_verified_and_wiped(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(6).await;
    let (mut survey, outers) = answered(&county, &village).await;
    let authority = county.cosigner.authority.clone();

    // Early, and without people, nothing is opened.
    assert_eq!(county.counted(&survey).await.refusal(), (409, "not_counted"));
    let early = authority.count(&survey.sid, &observers(), &[]).await.unwrap_err();
    assert_eq!(early.code(), Some("not_closed"));
    assert_eq!(county.hand_over(&survey, &outers[..3]).await.status, 204);
    let closed = issued(&survey, &village);
    assert_eq!(county.close(&mut survey, &closed).await.status, 202);
    let incomplete = authority.count(&survey.sid, &observers(), &[]).await.unwrap_err();
    assert_eq!(incomplete.code(), Some("not_counted"), "envelopes are missing");
    assert_eq!(county.hand_over(&survey, &outers).await.status, 204);
    assert_eq!(county.counted(&survey).await.refusal(), (409, "not_counted"));
    for alone in
        [vec![], vec!["监票甲".to_owned()], vec!["监票甲".to_owned(); 2], vec!["监票甲".to_owned(), " ".into()]]
    {
        let refused = authority.count(&survey.sid, &alone, &[]).await.unwrap_err();
        assert_eq!(refused.code(), Some("invalid_input"));
    }

    let counted = authority.count(&survey.sid, &observers(), &[]).await.unwrap();
    assert_eq!((counted.ballots.len(), counted.junk.len(), counted.unopenable.len()), (6, 0, 0));
    let served: Counted = serde_json::from_value(county.counted(&survey).await.ok()).unwrap();
    assert_eq!(served, counted);
    assert_eq!(served.observers, observers());
    let twice = authority.count(&survey.sid, &observers(), &[]).await.unwrap_err();
    assert_eq!(twice.code(), Some("already_counted"));

    // The platform publishes exactly what was counted, or gets no signature.
    let mut bundle = published(&survey, &counted, &closed);
    let mut dropped = counted.clone();
    dropped.ballots.pop();
    let forged = published(&survey, &dropped, &closed).log;
    assert_eq!(county.publish(&mut survey, &forged).await.refusal(), (409, "log_differs_from_count"));
    let closing_note = survey.note.clone();
    county.publish(&mut survey, &bundle.log).await.ok();
    let old_size = Note::from_bytes(closing_note.as_bytes()).map(|_| u64::try_from(outers.len()).unwrap() + 1).unwrap();
    let proof = bundle.tree().consistency(old_size, bundle.tree().size()).unwrap();
    let request = AddCheckpoint { old_size, proof, note: Note::from_bytes(survey.note.as_bytes()).unwrap() };
    let (status, line) = county.ask_witness(request.to_bytes()).await;
    assert_eq!(status, 200, "{line}");
    survey.note.push_str(&line);
    bundle.checkpoints = vec![closing_note, survey.note.clone()];
    assert_eq!(bundle.close.publication, Publication::Rows);
    let reader = Reader {
        pinned: Pinned::parse(&survey.manifest.vkeys.join("\n")).unwrap(),
        checkpoints: Vec::new(),
        fingerprints: Vec::new(),
        mine: None,
        roll_size: Some(6),
    };
    let report = verify(&bundle, &reader);
    assert!(report.passed(), "{report:?}");

    // Seven days later everything secret is gone.
    county.time.advance(TimeDelta::days(6));
    assert_eq!(authority.wipe_what_is_due().await.unwrap(), []);
    assert_eq!(state(&county, &survey).await, "published");
    county.time.advance(TimeDelta::days(1));
    assert_eq!(authority.wipe_what_is_due().await.unwrap(), [survey.sid]);
    assert_eq!(authority.wipe_what_is_due().await.unwrap(), []);
    assert_eq!(county.counted(&survey).await.refusal(), (410, "wiped"));
    assert_nothing_secret(&county).await;
    let minutes = authority.minutes().await.unwrap();
    let kinds: Vec<_> = minutes.iter().map(|minute| minute.kind.as_str()).collect();
    assert_eq!(kinds, ["counted", "wiped"]);
    assert_eq!(minutes[0].observers, observers());
}

async fn assert_nothing_secret(county: &County) {
    let database = Database::connect(&county.database_url).await.unwrap();
    for query in [
        "SELECT count(*) AS n FROM envelopes",
        "SELECT count(*) AS n FROM results",
        "SELECT count(*) AS n FROM box_shares",
        "SELECT count(*) AS n FROM surveys WHERE signer_sealed IS NOT NULL OR box_key_sealed IS NOT NULL",
    ] {
        let row = database.query_one_raw(sea_orm::Statement::from_string(database.get_database_backend(), query));
        let left: i64 = row.await.unwrap().unwrap().try_get("", "n").unwrap();
        assert_eq!(left, 0, "{query}");
    }
}

#[actix_web::test]
async fn nothing_that_was_wiped_stays_in_the_file() {
    let county = County::start_with(Engine::Sqlite, automatic).await;
    let village = county.village_with_phones(5).await;
    let (mut survey, outers) = answered(&county, &village).await;
    let closed = issued(&survey, &village);
    county.close(&mut survey, &closed).await.ok();
    county.hand_over(&survey, &outers).await.ok();
    let counted: Counted = serde_json::from_value(county.counted(&survey).await.ok()).unwrap();
    assert_eq!(counted.observers, Vec::<String>::new());
    let bundle = published(&survey, &counted, &closed);
    county.publish(&mut survey, &bundle.log).await.ok();
    // A long row is spread over pages: a piece from its middle lies in one of them.
    let piece = &outers[0].env.0[1500..1700];
    assert!(files_hold(&county, piece), "the test sees what is there");
    county.cosigner.authority.wipe(&survey.sid, &observers()).await.unwrap();
    assert!(!files_hold(&county, piece));
}

fn files_hold(county: &County, wanted: &[u8]) -> bool {
    let database = PathBuf::from(county.database_url.strip_prefix("sqlite://").unwrap());
    ["", "-wal"].iter().any(|suffix| {
        let mut path = database.clone().into_os_string();
        path.push(suffix);
        std::fs::read(path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted))
    })
}

#[rstest]
#[actix_web::test]
async fn junk_is_opened_for_everybody_and_what_nobody_can_open_is_listed(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(8).await;
    let mut survey = county.open(&village).await;
    let mut outers = Vec::new();
    for (number, resident) in village.people.iter().enumerate() {
        let credential = county.draw(&survey, resident).await;
        let thrown = match number {
            0 => survey.throw(&credential, b"no ballot at all", 0),
            // Changed the answer: the later one counts.
            1 => {
                outers.push(survey.cast(&credential, 1));
                let ballot = credential.ballot(qingfeng_ballots::answers::Answers([("q1".into(), 3)].into()));
                survey.throw(&credential, &ballot.to_bytes(), 1)
            }
            // An answer that does not exist.
            2 => survey.cast(&credential, 9),
            3 => {
                let mut outer = survey.cast(&credential, 1);
                // Damages the wrapped file key: the box key does not open it.
                outer.env.0[80] = if outer.env.0[80] == b'A' { b'B' } else { b'A' };
                outer
            }
            _ => survey.cast(&credential, 2),
        };
        outers.push(thrown);
    }
    log_box(&county, &mut survey, &outers).await;
    let closed = issued(&survey, &village);
    county.close(&mut survey, &closed).await.ok();
    county.hand_over(&survey, &outers).await.ok();
    let counted = county.cosigner.authority.count(&survey.sid, &observers(), &[]).await.unwrap();
    assert_eq!((counted.ballots.len(), counted.junk.len()), (5, 2));
    assert_eq!(counted.unopenable, [outers[4].envelope_hash()]);
    let changed = counted.ballots.iter().filter(|ballot| ballot.ans.0["q1"] == 3).count();
    assert_eq!(changed, 1);
    for junk in &counted.junk {
        assert!(qingfeng_ballots::envelope::open_with_file_key(junk.key, junk.env.as_slice()).is_ok());
    }
    let bundle = published(&survey, &counted, &closed);
    county.publish(&mut survey, &bundle.log).await.ok();
}

#[rstest]
#[actix_web::test]
async fn fewer_than_the_threshold_are_not_opened(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start_with(engine, automatic).await;
    let village = county.village_with_phones(6).await;
    let mut survey = county.open(&village).await;
    let mut outers = Vec::new();
    for resident in &village.people[..4] {
        let credential = county.draw(&survey, resident).await;
        // Two revisions are one voice.
        outers.push(survey.cast(&credential, 1));
        let ballot = credential.ballot(qingfeng_ballots::answers::Answers([("q1".into(), 3)].into()));
        outers.push(survey.throw(&credential, &ballot.to_bytes(), 1));
    }
    log_box(&county, &mut survey, &outers).await;
    assert_eq!(county.close(&mut survey, &[]).await.ok(), json!({ "state": "too_few" }));
    county.hand_over(&survey, &outers).await.ok();
    assert_eq!(county.counted(&survey).await.refusal(), (409, "too_few"));
    let refused = county.cosigner.authority.count(&survey.sid, &observers(), &[]).await.unwrap_err();
    assert_eq!(refused.code(), Some("too_few"));
    county.extend(&mut survey, vec![Leaf::Close { h: Hex([1; 32]) }]).await.ok();
    assert_eq!(county.counted(&survey).await.refusal(), (409, "too_few"));
    assert_eq!(county.extend(&mut survey, vec![Leaf::Close { h: Hex([2; 32]) }]).await.refusal(), (409, "box_closed"));
}

#[rstest]
#[actix_web::test]
async fn a_box_is_closed_once_with_everybodys_signature(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let (mut survey, _) = answered(&county, &village).await;
    let path = format!("/v1/surveys/{}/close", survey.sid);
    let without_witness = json!({ "issued_a": [], "note": survey.note });
    assert_eq!(county.operate_json(&path, &without_witness).await.refusal(), (422, "no_quorum"));
    county.witnessed(&mut survey).await;
    let leaf = village.people[0].leaf(&survey.sid);
    for (issued_a, voided, code) in [
        (json!([Hex([1; 32])]), json!({"keys": [], "tags": []}), "bad_issued"),
        (json!([leaf, leaf]), json!({"keys": [], "tags": []}), "bad_issued"),
        (json!([]), json!({"keys": [Hex([1; 32])], "tags": [Hex([1; 32])]}), "bad_voided"),
    ] {
        let body = json!({ "issued_a": issued_a, "voided": voided, "note": survey.note });
        assert_eq!(county.operate_json(&path, &body).await.refusal(), (422, code));
    }
    let earlier = json!({ "issued_a": [], "note": county.platform_note(&Running { log: survey.log[..3].to_vec(), ..survey.clone() }) });
    assert_eq!(county.operate_json(&path, &earlier).await.refusal(), (409, "log_forked"));

    let good = json!({ "issued_a": [leaf], "note": survey.note });
    assert_eq!(county.operate_json(&path, &good).await.status, 202);
    assert_eq!(county.operate_json(&path, &good).await.status, 202);
    let other = json!({ "issued_a": [], "note": survey.note });
    assert_eq!(county.operate_json(&path, &other).await.refusal(), (409, "close_differs"));
    let late = Leaf::Box { tag: Hex([1; 32]), seq: 0, h: Hex([1; 32]) };
    assert_eq!(county.extend(&mut survey, vec![late]).await.refusal(), (409, "box_closed"));
}

#[rstest]
#[actix_web::test]
async fn envelopes_that_are_not_in_the_log_are_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let (survey, outers) = answered(&county, &village).await;
    let mut foreign = outers[..1].to_vec();
    foreign[0].env.0[ENVELOPE_LENGTH - 1] ^= 1;
    assert_eq!(county.hand_over(&survey, &foreign).await.refusal(), (422, "unlogged_envelope"));
    assert_eq!(county.hand_over(&survey, &[]).await.refusal(), (422, "bad_envelope"));
    let path = format!("/v1/surveys/{}/envelopes", survey.sid);
    let cut = outers[0].env.0[..4000].to_vec();
    assert_eq!(county.operate(Method::PUT, &path, cut).await.refusal(), (422, "bad_envelope"));
    let doubled: Vec<_> = [&outers[0], &outers[0]].into_iter().cloned().collect();
    assert_eq!(county.hand_over(&survey, &doubled).await.status, 204);
}

#[rstest]
#[actix_web::test]
async fn two_of_three_shares_open_the_box_and_one_does_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start_with(engine, |settings| settings.surveys.box_custody = Custody::Shares).await;
    let village = county.village_with_phones(5).await;
    let mut survey = county.agreed(&village).await;
    assert_eq!(county.extend(&mut survey, Vec::new()).await.refusal(), (409, "shares_not_handed_out"));
    let authority = county.cosigner.authority.clone();
    let holders = ["甲", "乙", "丙"].map(str::to_owned);

    // A printer that fails keeps the shares here.
    let failed = authority
        .hand_out_shares(&survey.sid, &holders, |_| Err(qingfeng_cosigner::fault::Fault::Unavailable("paper".into())));
    assert!(failed.await.is_err());
    let mut texts = Vec::new();
    let handed = authority.hand_out_shares(&survey.sid, &holders, |shares| {
        texts = shares.iter().map(|share| share.to_text().to_string()).collect();
        Ok(())
    });
    handed.await.unwrap();
    assert_eq!(texts.len(), 3);
    let again = authority.hand_out_shares(&survey.sid, &holders, |_| Ok(())).await.unwrap_err();
    assert_eq!(again.code(), Some("no_shares"), "only once");

    county.extend(&mut survey, Vec::new()).await.ok();
    let mut outers = Vec::new();
    for resident in &village.people {
        let credential = county.draw(&survey, resident).await;
        outers.push(survey.cast(&credential, 1));
    }
    log_box(&county, &mut survey, &outers).await;
    county.close(&mut survey, &[]).await.ok();
    county.hand_over(&survey, &outers).await.ok();
    let share = |number: usize| Share::parse(&texts[number]).unwrap();
    for (shares, code) in
        [(vec![], "too_few_shares"), (vec![share(0)], "too_few_shares"), (vec![share(1), share(1)], "too_few_shares")]
    {
        let refused = authority.count(&survey.sid, &observers(), &shares).await.unwrap_err();
        assert_eq!(refused.code(), Some(code));
    }
    let counted = authority.count(&survey.sid, &observers(), &[share(2), share(0)]).await.unwrap();
    assert_eq!(counted.ballots.len(), 5);
}

#[rstest]
#[actix_web::test]
async fn a_cancelled_survey_opens_nothing_and_keeps_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start_with(engine, automatic).await;
    let village = county.village_with_phones(5).await;
    let (mut survey, outers) = answered(&county, &village).await;
    county.hand_over(&survey, &outers).await.ok();
    let path = format!("/v1/surveys/{}/cancel", survey.sid);
    for _ in 0..2 {
        assert_eq!(county.operate_json(&path, &json!({})).await.status, 204);
    }
    assert_eq!(county.counted(&survey).await.refusal(), (409, "cancelled"));
    assert_eq!(county.close(&mut survey, &[]).await.refusal(), (409, "cancelled"));
    assert_eq!(county.hand_over(&survey, &outers).await.refusal(), (409, "not_open"));
    assert_nothing_secret(&county).await;
    county.extend(&mut survey, vec![Leaf::Close { h: Hex([1; 32]) }]).await.ok();
    let counted = county.cosigner.authority.count(&survey.sid, &observers(), &[]).await.unwrap_err();
    assert_eq!(counted.code(), Some("already_counted"));
}

#[rstest]
#[actix_web::test]
async fn what_was_opened_is_not_cancelled_and_what_is_not_published_is_not_wiped(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start_with(engine, automatic).await;
    let village = county.village_with_phones(5).await;
    let (mut survey, outers) = answered(&county, &village).await;
    county.close(&mut survey, &[]).await.ok();
    county.hand_over(&survey, &outers).await.ok();
    // Asked twice at once, counted once.
    let (one, two) = tokio::join!(county.counted(&survey), county.counted(&survey));
    assert_eq!(one.ok(), two.ok());
    let path = format!("/v1/surveys/{}/cancel", survey.sid);
    assert_eq!(county.operate_json(&path, &json!({})).await.refusal(), (409, "already_counted"));
    let refused = county.cosigner.authority.wipe(&survey.sid, &[]).await.unwrap_err();
    assert_eq!(refused.code(), Some("not_published"));
    assert_eq!(county.cosigner.authority.minutes().await.unwrap().len(), 1);
}
