//! What goes wrong (survey protocol §10), each with exactly what comes of it.

use qingfeng_ballots::{outer::Outer, voter::Request};
use qingfeng_core::{
    people::Role,
    sealed_surveys::{
        entity::{ballot_boxes, checkpoints, issuance, log},
        service,
    },
    storage::Engine,
};
use reqwest::Method;
use rstest::rstest;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{Answer, Polling, SealedStage, Source, draft, outer};

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[actix_web::test]
async fn fifty_requests_at_once_get_one_credential(#[case] engine: Engine) {
    let polling = Polling::start(engine).await;
    let stage = SealedStage::opened(&polling).await;
    let (_, keys) = stage.manifest().await;
    let voter = &stage.voters[0];
    let path = stage.path("credential");
    let bodies: Vec<_> =
        (0..50).map(|_| voter.body(&stage.sid, &Request::new(stage.sid.sid(), &keys, &Source).unwrap())).collect();
    let answers = futures::future::join_all(bodies.iter().map(|body| voter.person.post(&path, body.clone()))).await;
    let won: Vec<_> = answers.iter().zip(&bodies).filter(|(answer, _)| answer.status == 200).collect();
    assert_eq!(won.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.problem(409, "already_issued");
    }
    // Its answer may have been lost: the same request gets the same bytes, however often.
    let (first, body) = won[0];
    for _ in 0..2 {
        assert_eq!(voter.person.post(&path, (*body).clone()).await.ok(), first.json());
    }
    let connection = polling.server.application.store.reader();
    assert_eq!(issuance::Entity::find().count(connection).await.unwrap(), 1);
}

#[actix_web::test]
async fn a_credential_is_for_who_is_on_the_roll_with_the_enrolled_phone_and_on_time() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    let (_, keys) = stage.manifest().await;
    let path = stage.path("credential");
    let request = Request::new(stage.sid.sid(), &keys, &Source).unwrap();
    let [first, second, third] = [&stage.voters[0], &stage.voters[1], &stage.voters[2]];

    let elsewhere = stage.township.village("西坡村").await;
    let (stranger, _) = stage.township.resident(elsewhere).await;
    stranger.post(&path, first.body(&stage.sid, &request)).await.problem(404, "not_found");
    stage.office.post(&path, first.body(&stage.sid, &request)).await.problem(403, "forbidden");
    // Signed by somebody else's phone.
    first.person.post(&path, second.body(&stage.sid, &request)).await.problem(403, "wrong_device");
    let mut another = first.body(&stage.sid, &request);
    another["sid"] = json!("00");
    first.person.post(&path, another).await.problem(422, "invalid_input");
    // Zero is no blinded message, and using it costs nobody her right.
    let signature = {
        use ed25519_dalek::Signer as _;
        let message = qingfeng_ballots::messages::request(&stage.sid.sid(), &[&[0; 256], &[0; 256]]);
        hex::encode(first.device.sign(&message).to_bytes())
    };
    let zeros = json!({"a": "00".repeat(256), "d": "00".repeat(256), "signature": signature});
    first.person.post(&path, zeros).await.problem(422, "bad_request");
    // A page that the platform itself has sent does not protect enough.
    let origin = polling.server.application.config.http.public_url.clone();
    let from_here =
        first.person.request(Method::POST, &path).header("Origin", origin).json(&first.body(&stage.sid, &request));
    Answer::of(from_here).await.problem(403, "level_too_low");
    first.person.post(&path, first.body(&stage.sid, &request)).await.ok();

    // While the platform has not heard of a phone yet, it asks.
    stage.forget_phone(third.resident).await;
    third.person.post(&path, third.body(&stage.sid, &request)).await.ok();

    stage.day(7);
    second.person.post(&path, second.body(&stage.sid, &request)).await.problem(409, "not_issuing");
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[actix_web::test]
async fn the_box_takes_what_is_its_own_and_says_nothing_else(#[case] engine: Engine) {
    let polling = Polling::start(engine).await;
    let stage = SealedStage::opened(&polling).await;
    let (manifest, keys) = stage.manifest().await;
    let sid = stage.sid.to_string();
    let credential = stage.credential(&stage.voters[0], &keys).await;
    let first = outer(&manifest, &credential, [1, 1], 0);
    let second = outer(&manifest, &credential, [2, 2], 1);
    let refused = async |bytes: Vec<u8>, status: u16, code: &str| {
        let (answered, body) = polling.throw(&sid, bytes).await;
        assert_eq!((answered.as_u16(), body.len()), (status, 64), "{}", String::from_utf8_lossy(&body));
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["code"], code);
    };

    assert_eq!(polling.throw(&sid, first.to_bytes()).await, (204.try_into().unwrap(), vec![]));
    assert_eq!(polling.throw(&sid, first.to_bytes()).await.0, 204, "the reply was lost: the identical bytes again");
    assert_eq!(polling.throw(&sid, second.to_bytes()).await.0, 204);
    refused(outer(&manifest, &credential, [3, 3], 1).to_bytes(), 409, "stale_seq").await;
    refused(outer(&manifest, &credential, [3, 3], 0).to_bytes(), 409, "stale_seq").await;
    refused(outer(&manifest, &credential, [3, 3], 8).to_bytes(), 400, "bad_form").await;
    refused(vec![b'x'; Outer::LENGTH], 400, "bad_form").await;
    refused(first.to_bytes()[1..].to_vec(), 400, "bad_form").await;
    refused([first.to_bytes(), vec![b' ']].concat(), 400, "bad_form").await;
    refused(vec![b'x'; 100_000], 400, "bad_form").await;
    // A tag without a ticket, a changed revision, another survey's credential.
    let forged = Outer { sig: qingfeng_ballots::Hex([7; 256]), ..outer(&manifest, &credential, [3, 3], 2) };
    refused(forged.to_bytes(), 403, "ticket").await;
    refused(Outer { seq: 3, ..outer(&manifest, &credential, [3, 3], 2) }.to_bytes(), 403, "ticket").await;
    let foreign = qingfeng_ballots::Hex([3; 16]);
    refused(Outer { sid: foreign, ..outer(&manifest, &credential, [3, 3], 2) }.to_bytes(), 403, "ticket").await;
    assert_eq!(polling.throw(&"3".repeat(32), first.to_bytes()).await.0, 404);
    assert_eq!(polling.throw("nonsense", first.to_bytes()).await.0, 404);

    stage.day(8);
    refused(outer(&manifest, &credential, [3, 3], 2).to_bytes(), 410, "closed").await;
    polling.tick().await;
    refused(outer(&manifest, &credential, [3, 3], 2).to_bytes(), 410, "closed").await;
    // Both revisions stand in the log; after the close nothing is added.
    let log = String::from_utf8(polling.file(&sid, "log.jsonl").await.unwrap()).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains("\"t\":\"box\"")).count(), 2);
}

#[actix_web::test]
async fn before_the_opening_there_is_no_box() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::planned(&polling, draft()).await;
    stage.act("opening", json!({})).await.problem(409, "not_signed_yet");
    assert_eq!(polling.throw(&stage.sid.to_string(), vec![b'x'; Outer::LENGTH]).await.0, 404);
    stage.prepare().await;
    assert_eq!(polling.throw(&stage.sid.to_string(), vec![b'x'; Outer::LENGTH]).await.0, 404);
    stage.act("opening", json!({})).await.ok();
    stage.act("opening", json!({})).await.problem(409, "sealed_survey_state");
}

#[actix_web::test]
async fn a_co_signer_that_is_switched_off_delays_and_loses_nothing() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::planned(&polling, draft()).await;
    polling.others.switch_off().await;
    let prepared = stage.prepare().await;
    assert_eq!((&prepared["state"], &prepared["trouble"]), (&json!("draft"), &json!("cosigner_down")));
    polling.tick().await;
    assert_eq!(stage.state().await, "draft");
    polling.others.switch_on().await;
    polling.tick().await;
    assert_eq!((stage.state().await.as_str(), stage.trouble().await), ("signed", Value::Null));
    stage.act("opening", json!({})).await.ok();

    // During the issue: the platform's half is given out, the log waits for its signatures.
    stage.vote(12).await;
    polling.others.switch_off().await;
    polling.tick().await;
    assert_eq!((stage.state().await.as_str(), stage.trouble().await), ("issuing", json!("cosigner_down")));
    let connection = polling.server.application.store.reader();
    assert_eq!(
        (
            log::Entity::find().count(connection).await.unwrap(),
            checkpoints::Entity::find().count(connection).await.unwrap()
        ),
        (13, 1)
    );
    // At the close: the box is shut on time all the same.
    stage.day(8);
    polling.tick().await;
    assert_eq!(stage.state().await, "closed");
    polling.others.switch_on().await;
    polling.tick().await;
    polling.count(&stage.sid).await;
    assert_eq!((stage.state().await.as_str(), stage.trouble().await), ("published", Value::Null));
}

#[actix_web::test]
async fn two_rolls_that_differ_open_nothing_and_name_whom() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::planned(&polling, draft()).await;
    // Somebody new whom the co-signer has no card for.
    let missing = stage.township.add_resident(stage.village, None, None).await;
    let prepared = stage.prepare().await;
    assert_eq!(prepared["trouble"], "roll_mismatch");
    assert_eq!(prepared["without_card"], json!([{"resident_id": missing, "name": "测试村民"}]));
    assert_eq!(prepared["differing"], json!([]));
    stage.act("opening", json!({})).await.problem(409, "not_signed_yet");
    // Somebody whom the platform has struck off and the co-signer has not.
    polling.others.print_cards(stage.village.id, &[missing]).await;
    stage.strike_off(missing).await;
    let prepared = stage.prepare().await;
    assert_eq!(
        (&prepared["trouble"], &prepared["differing"][0]["resident_id"], &prepared["without_card"]),
        (&json!("roll_mismatch"), &json!(missing), &json!([]))
    );
    stage.take_back(missing).await;
    polling.tick().await;
    assert_eq!((stage.state().await.as_str(), stage.trouble().await), ("signed", Value::Null));
}

#[actix_web::test]
async fn a_log_that_was_changed_is_signed_by_nobody() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    stage.vote(12).await;
    polling.tick().await;
    // Whoever has the platform's database swaps a logged envelope for another.
    stage.change_the_log(3).await;
    let (manifest, keys) = stage.manifest().await;
    for voter in &stage.voters[12..24] {
        let credential = stage.credential(voter, &keys).await;
        let outer = outer(&manifest, &credential, [1, 1], 0);
        assert_eq!(polling.throw(&stage.sid.to_string(), outer.to_bytes()).await.0, 204);
    }
    polling.tick().await;
    assert_eq!(stage.trouble().await, "log_forked");
    stage.day(8);
    polling.tick().await;
    assert_eq!((stage.state().await.as_str(), stage.trouble().await), ("closed", json!("log_forked")));
}

#[actix_web::test]
async fn each_step_may_come_twice_or_too_early() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    stage.vote(12).await;
    let (store, sid) = (&polling.server.application.store, stage.sid);
    let early = async || {
        service::end_issuing(store, sid).await.unwrap();
        service::close(store, sid).await.unwrap();
        service::publish(store, sid).await.unwrap();
        service::find_too_few(store, sid).await.unwrap();
        service::wipe(store, sid).await.unwrap();
    };
    early().await;
    assert_eq!(stage.state().await, "issuing");
    stage.day(8);
    for _ in 0..2 {
        service::close(store, sid).await.unwrap();
        service::flush(store, sid, chrono::TimeDelta::zero()).await.unwrap();
    }
    assert_eq!(log::Entity::find().count(store.reader()).await.unwrap(), 13);
    service::publish(store, sid).await.unwrap();
    assert_eq!(stage.state().await, "closed");
    polling.tick().await;
    polling.tick().await;
    polling.count(&stage.sid).await;
    assert_eq!(stage.state().await, "published");
    early().await;
    polling.tick().await;
    assert_eq!(stage.state().await, "published");
    assert_eq!(log::Entity::find().count(store.reader()).await.unwrap(), 13 + 12 + 1);
}

#[actix_web::test]
async fn paper_and_phone_exclude_each_other() {
    let polling = Polling::start(Engine::Sqlite).await;
    let (stage, _) = SealedStage::with_slips(&polling).await;
    let (_, keys) = stage.manifest().await;
    let [paper, phone] = [&stage.voters[0], &stage.voters[1]];
    let register = stage.path("register");
    let leader = stage.township.staff(Role::TownshipLeader).await;
    leader.post(&register, json!({"resident_id": paper.resident})).await.problem(403, "forbidden");
    for _ in 0..2 {
        stage.office.post(&register, json!({"resident_id": paper.resident})).await.ok();
    }
    let request = Request::new(stage.sid.sid(), &keys, &Source).unwrap();
    paper.person.post(&stage.path("credential"), paper.body(&stage.sid, &request)).await.problem(409, "votes_on_paper");
    let mine = paper.person.get("/api/sealed-surveys").await.ok();
    assert_eq!(mine["items"][0]["boxes"][0]["my_state"], "paper");

    stage.credential(phone, &keys).await;
    stage.office.post(&register, json!({"resident_id": phone.resident})).await.problem(409, "issued_electronically");
    // The co-signer alone has signed for her.
    let third = &stage.voters[2];
    polling.others.cosign(&stage.sid.sid(), &third.device, request.for_cosigner()).await;
    stage.office.post(&register, json!({"resident_id": third.resident})).await.problem(409, "issued_electronically");
    polling.others.switch_off().await;
    let answer = stage.office.post(&register, json!({"resident_id": stage.voters[3].resident})).await;
    assert_eq!(answer.status, 503);
    let found = stage.office.get(&format!("{register}?name=测试村民")).await.ok();
    assert_eq!((found["items"].as_array().unwrap().len(), &found["items"][0]["village_name"]), (30, &json!("东河村")));
    assert_eq!(stage.office.get(&format!("{register}?name=测试")).await.ok(), json!({"items": []}), "whole names only");
    stage.office.get(&register).await.problem(422, "invalid_query");
    leader.get(&format!("{register}?name=测试村民")).await.problem(403, "forbidden");
}

#[actix_web::test]
async fn a_cancelled_survey_is_never_opened_and_a_closed_one_is_not_cancelled() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    stage.vote(12).await;
    polling.tick().await;
    stage.act("cancellation", json!({"reason": " "})).await.problem(422, "invalid_input");
    stage.act("cancellation", json!({"reason": "题目印错了"})).await.ok();
    assert_eq!(stage.state().await, "cancelled");
    let (store, sid) = (&polling.server.application.store, stage.sid.to_string());
    let row = ballot_boxes::Entity::find_by_id(stage.sid).one(store.reader()).await.unwrap().unwrap();
    assert!(row.handed_over && row.key_a_sealed.is_none(), "the co-signer has heard of it");
    assert_eq!(issuance::Entity::find().count(store.reader()).await.unwrap(), 0);
    let close: Value = serde_json::from_slice(&polling.file(&sid, "close.json").await.unwrap()).unwrap();
    assert_eq!(close["ended"], "cancelled");
    stage.day(9);
    polling.tick().await;
    assert_eq!(stage.state().await, "cancelled");

    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    stage.vote(10).await;
    stage.day(8);
    polling.tick().await;
    stage.act("cancellation", json!({"reason": "结果不好看"})).await.problem(409, "sealed_survey_state");
    assert_eq!(stage.state().await, "closed");
}

#[actix_web::test]
async fn one_signature_of_two_is_no_credential_and_spoils_nothing() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::opened(&polling).await;
    let (_, keys) = stage.manifest().await;
    stage.vote(20).await;
    let request = Request::new(stage.sid.sid(), &keys, &Source).unwrap();
    let half = &stage.voters[20];
    half.person.post(&stage.path("credential"), half.body(&stage.sid, &request)).await.ok();
    polling.others.cosign(&stage.sid.sid(), &stage.voters[21].device, request.for_cosigner()).await;
    stage.day(8);
    polling.tick().await;
    polling.count(&stage.sid).await;
    assert_eq!(stage.state().await, "published", "{}", stage.trouble().await);
    let close: Value =
        serde_json::from_slice(&polling.file(&stage.sid.to_string(), "close.json").await.unwrap()).unwrap();
    assert_eq!((close["issued_a"].as_array().unwrap().len(), &close["issued_a"]), (20, &close["issued_b"]));
}

#[actix_web::test]
async fn without_a_co_signer_nothing_is_promised_that_cannot_be_kept() {
    let server = crate::support::TestServer::start(Engine::Sqlite).await;
    let township = server.township().await;
    let village = township.village("东河村").await;
    for _ in 0..30 {
        township.add_resident(village, None, None).await;
    }
    let office = township.staff(Role::TownshipOffice).await;
    office.post("/api/sealed-surveys", draft()).await.problem(409, "no_cosigner");
    let mut harmless = draft();
    harmless["min_level"] = json!(1);
    office.post("/api/sealed-surveys", harmless.clone()).await.ok();
    let leader = township.staff(Role::TownshipLeader).await;
    leader.post("/api/sealed-surveys", harmless.clone()).await.problem(403, "forbidden");
    // Too few to hide anybody.
    let small = township.village("西坡村").await;
    township.add_resident(small, None, None).await;
    harmless["topics"] = json!([{"village_id": small.id}]);
    office.post("/api/sealed-surveys", harmless.clone()).await.problem(409, "nobody_to_ask");
    harmless["topics"] = json!([{}]);
    let mut unknown = harmless.clone();
    unknown["kind"] = json!("nothing");
    office.post("/api/sealed-surveys", unknown).await.problem(422, "unknown_questionnaire");
    let mut foreign = harmless.clone();
    foreign["classes"] = json!(["deputy"]);
    office.post("/api/sealed-surveys", foreign).await.problem(422, "invalid_input");
    let planned = office.post("/api/sealed-surveys", harmless).await.ok();
    assert_eq!(planned["not_held"], json!([{"unit_name": "西坡村", "class": "resident", "eligible": 1}]));
}

#[actix_web::test]
async fn a_handed_over_sign_in_is_good_once_and_for_a_minute() {
    let polling = Polling::start(Engine::Sqlite).await;
    let stage = SealedStage::planned(&polling, draft()).await;
    let (resident, visitor) = (&stage.voters[0].person, polling.server.visitor());
    let code = || async { resident.post("/api/me/handover", json!({})).await.ok()["code"].clone() };
    let first = code().await;
    let tokens = visitor.post("/api/sign-in/handover", json!({"code": first})).await.ok();
    let there = visitor.with_token(tokens["access_token"].as_str().unwrap());
    assert_eq!(there.get("/api/me").await.ok(), resident.get("/api/me").await.ok());
    visitor.post("/api/sign-in/handover", json!({"code": first})).await.problem(401, "handover_invalid");
    let late = code().await;
    polling.server.clock.advance(chrono::TimeDelta::seconds(61));
    visitor.post("/api/sign-in/handover", json!({"code": late})).await.problem(401, "handover_invalid");
    visitor.post("/api/sign-in/handover", json!({"code": "没有这个"})).await.problem(401, "handover_invalid");
    stage.office.post("/api/me/handover", json!({})).await.problem(403, "forbidden");
}

#[actix_web::test]
async fn the_site_names_everybody_and_only_the_co_signers_page_may_call_from_elsewhere() {
    let polling = Polling::start(Engine::Sqlite).await;
    let visitor = polling.server.visitor();
    let site = visitor.get("/api/site").await.ok();
    assert_eq!((&site["served_by"], &site["single_operator"]), (&json!("platform"), &json!(false)));
    assert_eq!(
        (site["cosigner"].as_str(), site["box"].as_str()),
        (Some(&*polling.others.cosigner_address), Some(&*polling.box_address))
    );
    let roles: Vec<_> = site["vkeys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap().split(' ').next().unwrap())
        .collect();
    assert_eq!(roles, ["platform", "cosigner", "witness"]);
    let allowed = async |origin: &str| {
        let answer = visitor.request(Method::GET, "/api/site").header("Origin", origin).send().await.unwrap();
        answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(allowed(&polling.others.cosigner_address).await.as_deref(), Some(&*polling.others.cosigner_address));
    assert_eq!(allowed("https://elsewhere.example").await, None);
    let page = visitor.request(Method::GET, "/").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.contains(&format!("connect-src 'self' {} {};", polling.others.cosigner_address, polling.box_address))
    );
    visitor
        .post("/api/cosigner/paper", json!({"sid": "0".repeat(32), "a": [], "d": []}))
        .await
        .problem(401, "not_the_cosigner");
}

#[actix_web::test]
async fn with_one_operator_the_days_lie_apart_and_nothing_waits_for_people() {
    let polling = Polling::of_one_operator().await;
    let mut harmless = draft();
    harmless["min_level"] = json!(1);
    let stage = SealedStage::planned(&polling, harmless).await;
    assert_eq!(stage.prepare().await["state"], "signed");
    stage.act("opening", json!({})).await.ok();
    assert_eq!(polling.server.visitor().get("/api/site").await.ok()["single_operator"], true);
    let (manifest, keys) = stage.manifest().await;
    let mut outers = Vec::new();
    for voter in &stage.voters[..10] {
        let credential = stage.credential(voter, &keys).await;
        outers.push(outer(&manifest, &credential, [1, 2], 0).to_bytes());
    }
    let sid = stage.sid.to_string();
    assert_eq!(polling.throw(&sid, outers[0].clone()).await.0, 410, "not on a day on which credentials are given out");
    stage.day(7);
    for outer in outers {
        assert_eq!(polling.throw(&sid, outer).await.0, 204);
    }
    stage.day(8);
    polling.tick().await;
    assert_eq!((stage.state().await.as_str(), stage.trouble().await), ("published", Value::Null));
}
