//! Sealed reports (检举控告): sealed by the reporter's phone, opened by the officers of the office it is for, and by nobody else.

use chrono::NaiveDate;
use futures::future::join_all;
use qingfeng_ballots::{codes::Code, reports::ReportKey};
use qingfeng_core::{
    people::{Role, entity::posts},
    storage::Engine,
};
use rstest::rstest;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, sea_query::Expr};
use serde_json::{Value, json};

use crate::support::{
    Answer, Cast, Chat, Moment, Person, Reporter, TestServer, Trap, county_of, envelope, is_stored, key_of, opened,
    sealed,
};

const TEXT: &str = "村支书收了修路的回扣四千块";

/// A township whose disciplinary office can receive reports.
struct Stage<'a> {
    cast: Cast<'a>,
    officer: Person,
    key: ReportKey,
    server: &'a TestServer,
}

impl<'a> Stage<'a> {
    async fn of(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let officer = cast.township.staff(Role::DisciplinaryOfficer).await;
        let key = key_of(&officer, cast.township.id).await;
        Self { cast, officer, key, server }
    }

    fn reporter(&self) -> Reporter {
        Reporter::at(&self.server.visitor())
    }

    /// A report to the township's office.
    async fn reported(&self) -> Reporter {
        let reporter = self.reporter();
        reporter.report(self.cast.township.id, TEXT).await.ok();
        reporter
    }

    async fn only_report(&self) -> String {
        let list = self.officer.get("/api/sealed-reports").await.ok();
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
        format!("/api/sealed-reports/{}", list["items"][0]["id"].as_str().unwrap())
    }

    /// An answer, sealed to the reporter and the office.
    fn answer(&self, reporter: &Reporter, text: &str) -> Value {
        json!(sealed(&[reporter.reply_key(), self.key.recipient()], text))
    }

    async fn count(&self, table: &str) -> i64 {
        self.counted(&format!("SELECT count(*) AS found FROM {table}")).await
    }

    async fn counted(&self, sql: &str) -> i64 {
        let connection = self.server.application.store.reader();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "found").unwrap()
    }
}

#[rstest]
#[actix_web::test]
async fn a_report_is_opened_by_its_office_and_answered_to_whoever_has_its_code(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let stage = Stage::of(&server).await;
    let reporter = stage.reported().await;
    assert_eq!(reporter.followed().await["state"], "received");

    let list = stage.officer.get("/api/sealed-reports").await.ok();
    let item = &list["items"][0];
    assert_eq!((&item["state"], &item["waits"]), (&json!("received"), &json!(true)), "{list}");
    // Fifteen working days from Monday 2026-03-02.
    assert_eq!((&item["received_on"], &item["tell_by"]), (&json!("2026-03-02"), &json!("2026-03-23")));
    let path = stage.only_report().await;
    let read = stage.officer.get(&path).await.ok();
    let content: Value = serde_json::from_str(&opened(&stage.key, &read["parts"][0])).unwrap();
    assert_eq!((&content["text"], &content["reply"]), (&json!(TEXT), &json!(reporter.reply_key())));

    let verdict = json!({"decision": "within_remit", "sealed": stage.answer(&reporter, "已受理，正在核实")});
    stage.officer.post(&format!("{path}/decision"), verdict.clone()).await.ok();
    stage.officer.post(&format!("{path}/decision"), verdict).await.problem(409, "report_decided");
    let followed = reporter.followed().await;
    assert_eq!(followed["state"], "within_remit");
    assert_eq!(opened(&reporter.key(), &followed["parts"][1]), "已受理，正在核实");
    assert_eq!(opened(&stage.key, &followed["parts"][1]), "已受理，正在核实", "the office reads what it said");

    assert_eq!(stage.officer.get("/api/sealed-reports").await.ok()["items"][0]["waits"], false);
    reporter.add(&stage.key.recipient(), "钱是在村部给的").await.ok();
    let list = stage.officer.get("/api/sealed-reports").await.ok();
    assert_eq!((&list["items"][0]["waits"], &list["items"][0]["tell_by"]), (&json!(true), &Value::Null));
    let read = stage.officer.get(&path).await.ok();
    assert_eq!(opened(&stage.key, &read["parts"][2]), "钱是在村部给的");
    let answer = json!({"sealed": stage.answer(&reporter, "收到，谢谢")});
    stage.officer.post_once(&format!("{path}/answers"), "answer-000001", answer.clone()).await.ok();
    stage.officer.post_once(&format!("{path}/answers"), "answer-000001", answer).await.ok();
    let followed = reporter.followed().await;
    assert_eq!(followed["parts"].as_array().unwrap().len(), 4, "the answer is there once");
    assert_eq!(opened(&reporter.key(), &followed["parts"][3]), "收到，谢谢");

    for secret in
        [TEXT, "四千块", "村部", "已受理，正在核实", &reporter.code.to_print(), &reporter.lookup(), "127.0.0.1"]
    {
        assert!(!is_stored(&server, secret).await, "{secret} stands in the database");
    }
    // The look into the tables would find it.
    assert!(is_stored(&server, &reporter.lookup_digest()).await && is_stored(&server, &stage.key.recipient()).await);
}

#[rstest]
#[actix_web::test]
async fn of_a_reporters_acts_nothing_is_left_but_the_report(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let stage = Stage::of(&server).await;
    let tables = ["idempotency_keys", "audit_records", "outbox_messages", "refresh_tokens"];
    let before = join_all(tables.map(|table| stage.count(table))).await;
    // Also of somebody who is signed in on this phone, and whose program sends a key with everything.
    let reporter = Reporter::at(&stage.cast.resident);
    let body = reporter.body(stage.cast.township.id, TEXT, &[stage.key.recipient()]);
    stage.cast.resident.post_once("/api/sealed-reports", "draft-00000001", body).await.ok();
    reporter.followed().await;
    reporter.add(&stage.key.recipient(), "还有一次").await.ok();
    assert_eq!(join_all(tables.map(|table| stage.count(table))).await, before);
    assert_eq!((stage.count("sealed_reports").await, stage.count("sealed_report_parts").await), (1, 2));

    let path = stage.only_report().await;
    stage.officer.get(&path).await.ok();
    stage.officer.get(&path).await.ok();
    let reads =
        "SELECT count(*) AS found FROM audit_records WHERE action = 'sealed_report_read' AND actor_kind = 'staff'";
    assert_eq!(stage.counted(reads).await, 2, "every look of an officer is recorded");
}

#[rstest]
#[actix_web::test]
async fn a_report_that_is_sent_again_is_there_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let stage = Stage::of(&server).await;
    let reporter = stage.reporter();
    let body = reporter.body(stage.cast.township.id, TEXT, &[stage.key.recipient()]);
    let visitor = server.visitor();
    let at_once = join_all((0..8).map(|_| visitor.post("/api/sealed-reports", body.clone()))).await;
    assert!(at_once.iter().all(|answer| answer.status == 204), "{at_once:?}");
    // An officer's key may be gone by then.
    let keys = stage.officer.get("/api/sealed-reports/keys").await.ok();
    let key = keys["offices"][0]["keys"][0]["id"].as_str().unwrap();
    stage.officer.post(&format!("/api/sealed-reports/keys/{key}/retirement"), json!({})).await.ok();
    visitor.post("/api/sealed-reports", body).await.ok();
    assert_eq!((stage.count("sealed_reports").await, stage.count("sealed_report_parts").await), (1, 1));
    let other = reporter.body(stage.cast.township.id, "别的事", &[stage.key.recipient()]);
    visitor.post("/api/sealed-reports", other).await.problem(409, "report_code_taken");

    let addition = reporter.addition(&stage.key.recipient(), "补充");
    let at_once = join_all((0..8).map(|_| visitor.post("/api/sealed-reports/additions", addition.clone()))).await;
    assert!(at_once.iter().all(|answer| answer.status == 204), "{at_once:?}");
    assert_eq!(stage.count("sealed_report_parts").await, 2);
}

#[rstest]
#[actix_web::test]
async fn what_is_lost_on_the_way_is_sent_again_and_nothing_is_doubled(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Moment::Before, Moment::After)] moment: Moment,
) {
    let server = TestServer::start(engine).await;
    let stage = Stage::of(&server).await;
    let way = Trap::before(&server.address);
    let visitor = server.visitor().at(&way.address);
    let reporter = Reporter::at(&visitor);
    let report = reporter.body(stage.cast.township.id, TEXT, &[stage.key.recipient()]);
    let addition = reporter.addition(&stage.key.recipient(), "补充");
    for (path, body) in [("/api/sealed-reports", report), ("/api/sealed-reports/additions", addition)] {
        way.arm(path, moment, || {});
        let lost = visitor.request(reqwest::Method::POST, path).json(&body).send().await.unwrap();
        assert_eq!((lost.status().as_u16(), way.has_sprung()), (502, true));
        visitor.post(path, body).await.ok();
    }
    let followed = reporter.followed().await;
    assert_eq!(followed["parts"].as_array().unwrap().len(), 2);
}

#[rstest]
#[actix_web::test]
async fn what_is_not_sealed_is_not_taken() {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::of(&server).await;
    let visitor = server.visitor();
    let reporter = stage.reporter();
    let good = reporter.body(stage.cast.township.id, TEXT, &[stage.key.recipient()]);
    let base64 = good["sealed"].as_str().unwrap();
    let plain = json!({"text": TEXT}).to_string();
    for bad in [
        "",
        "not base 64!",
        &plain,
        &base64[..base64.len() - 4],
        &format!("{base64}AAAA"),
        &base64.replacen('Y', "Z", 1),
    ] {
        let mut body = good.clone();
        body["sealed"] = json!(bad);
        visitor.post("/api/sealed-reports", body).await.problem(422, "invalid_input");
        let addition = json!({"lookup": reporter.lookup(), "sealed": bad});
        visitor.post("/api/sealed-reports/additions", addition).await.problem(422, "invalid_input");
    }
    let lookup = reporter.lookup();
    for bad in ["", &lookup[1..], &lookup.to_uppercase(), &reporter.code.to_print()] {
        let mut body = good.clone();
        body["lookup"] = json!(bad);
        visitor.post("/api/sealed-reports", body).await.problem(422, "invalid_input");
        visitor.post("/api/sealed-reports/lookup", json!({"lookup": bad})).await.problem(422, "invalid_input");
    }
    // Offices that cannot receive: none at all, and one without a key.
    for office in [stage.cast.village.id, county_of(&stage.cast.township).await] {
        let mut body = good.clone();
        body["office_id"] = json!(office);
        visitor.post("/api/sealed-reports", body).await.problem(409, "office_not_receiving");
    }
    assert_eq!(stage.count("sealed_reports").await, 0);
    // A wrong code opens nothing, and says no more than that.
    visitor.post("/api/sealed-reports/lookup", json!({"lookup": lookup})).await.problem(404, "report_unknown");
    reporter.add(&stage.key.recipient(), "补充").await.problem(404, "report_unknown");
}

#[rstest]
#[actix_web::test]
async fn to_everybody_else_there_is_no_report(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let stage = Stage::of(&server).await;
    let reporter = stage.reported().await;
    let path = stage.only_report().await;
    let unknown = "/api/sealed-reports/01890000-0000-7000-8000-000000000000";
    let township = &stage.cast.township;
    let above = county_of(township).await;
    let (above_officer, _) = township.staff_of(above, Role::DisciplinaryOfficer).await;
    let mut others = vec![stage.cast.resident.clone(), stage.cast.secretary.clone(), stage.cast.office.clone()];
    others.extend([
        stage.cast.leader.clone(),
        township.staff_of(stage.cast.village.id, Role::DisciplinaryOfficer).await.0,
    ]);
    for role in [
        Role::VillageStaff,
        Role::DepartmentHandler,
        Role::CountyInspector,
        Role::CityInspector,
        Role::GroupAdministrator,
        Role::SystemAdministrator,
    ] {
        others.push(township.staff(role).await);
    }
    let sealed = stage.answer(&reporter, "冒充的答复");
    for (number, person) in others.iter().chain([&above_officer]).enumerate() {
        if number < others.len() {
            person.get("/api/sealed-reports").await.problem(404, "not_found");
            person.get("/api/sealed-reports/keys").await.problem(404, "not_found");
        } else {
            assert_eq!(person.get("/api/sealed-reports").await.ok()["items"], json!([]), "the office above");
        }
        for there in [path.as_str(), unknown] {
            let verdict = json!({"decision": "duplicate", "sealed": sealed});
            let seen = [
                person.get(there).await,
                person.post(&format!("{there}/decision"), verdict).await,
                person.post(&format!("{there}/answers"), json!({"sealed": sealed})).await,
            ];
            // The same for one that is there and one that is not, to the letter.
            for answer in seen {
                answer.problem(404, "not_found");
            }
        }
        for list in ["/api/desk", "/api/complaints", "/api/messages"] {
            let answer = person.get(list).await;
            assert!(!answer.text.contains("sealed_report") && !answer.text.contains("举报"), "{list}: {}", answer.text);
        }
    }
    server.visitor().get(&path).await.problem(401, "sign_in_needed");
    server.visitor().get("/api/sealed-reports").await.problem(401, "sign_in_needed");
    assert_eq!(reporter.followed().await["parts"].as_array().unwrap().len(), 1);
}

#[rstest]
#[actix_web::test]
async fn what_concerns_the_office_or_its_leaders_goes_above_and_is_not_seen_here() {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::of(&server).await;
    let township = &stage.cast.township;
    let offices = format!("/api/townships/{}/report-offices", township.id);
    let seen = server.visitor().get(&offices).await.ok();
    assert_eq!((&seen["own"]["name"], &seen["above"]), (&json!("云溪镇纪委"), &Value::Null));
    let above = county_of(township).await;
    let (above_officer, _) = township.staff_of(above, Role::DisciplinaryOfficer).await;
    let above_key = key_of(&above_officer, above).await;
    let seen = server.visitor().get(&offices).await.ok();
    assert_eq!(seen["above"], json!({"id": above, "name": "清和县纪委监委", "keys": [above_key.recipient()]}));
    server
        .visitor()
        .get(&offices.replace(&township.id.to_string(), &stage.cast.village.id.to_string()))
        .await
        .problem(404, "not_found");

    let reporter = Reporter::at(&server.visitor());
    let body = reporter.body(above, "镇纪委书记压案不查", &[above_key.recipient()]);
    server.visitor().post("/api/sealed-reports", body).await.ok();
    assert_eq!(stage.officer.get("/api/sealed-reports").await.ok()["items"], json!([]));
    let list = above_officer.get("/api/sealed-reports").await.ok();
    let path = format!("/api/sealed-reports/{}", list["items"][0]["id"].as_str().unwrap());
    stage.officer.get(&path).await.problem(404, "not_found");
    let read = above_officer.get(&path).await.ok();
    assert!(opened(&above_key, &read["parts"][0]).contains("压案不查"));
    assert!(stage.key.open(&envelope(&read["parts"][0])).is_err());
}

#[rstest]
#[actix_web::test]
async fn a_key_counts_as_long_as_its_officer_holds_the_post_and_makes_no_other(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let stage = Stage::of(&server).await;
    let township = &stage.cast.township;
    let offices = format!("/api/townships/{}/report-offices", township.id);
    let keys = async || server.visitor().get(&offices).await.ok()["own"]["keys"].as_array().map_or(0, Vec::len);
    let (colleague, colleague_id) = township.staff_of(township.id, Role::DisciplinaryOfficer).await;
    let second = key_of(&colleague, township.id).await;
    assert_eq!(keys().await, 2);

    let publish = |recipient: String| json!({"office_id": township.id, "recipient": recipient});
    let path = "/api/sealed-reports/keys";
    stage.officer.post(path, publish(second.recipient())).await.problem(409, "report_key_used");
    for bad in ["", "age1qqqq", &ReportKey::generate().to_text()] {
        stage.officer.post(path, publish(bad.to_owned())).await.problem(422, "invalid_input");
    }
    stage.cast.secretary.post(path, publish(ReportKey::generate().recipient())).await.problem(404, "not_found");
    let elsewhere = json!({"office_id": stage.cast.village.id, "recipient": ReportKey::generate().recipient()});
    stage.officer.post(path, elsewhere).await.problem(404, "not_found");

    let renewed = key_of(&colleague, township.id).await;
    let seen = colleague.get(path).await.ok();
    let listed: Vec<_> = seen["offices"][0]["keys"].as_array().unwrap().iter().map(|key| &key["recipient"]).collect();
    assert!(listed.contains(&&json!(renewed.recipient())) && !listed.contains(&&json!(second.recipient())), "{seen}");

    // The colleague leaves the office.
    township
        .write(move |unit| {
            Box::pin(async move {
                posts::Entity::update_many()
                    .col_expr(posts::Column::ToDate, Expr::value(NaiveDate::from_ymd_opt(2026, 3, 1)))
                    .filter(posts::Column::StaffId.eq(colleague_id))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await;
    assert_eq!(keys().await, 1);
    colleague.get("/api/sealed-reports").await.problem(404, "not_found");

    let own = stage.officer.get(path).await.ok()["offices"][0]["keys"][0].clone();
    assert_eq!((&own["mine"], &own["recipient"]), (&json!(true), &json!(stage.key.recipient())));
    let retirement = format!("{path}/{}/retirement", own["id"].as_str().unwrap());
    stage.cast.office.post(&retirement, json!({})).await.problem(404, "not_found");
    stage.officer.post(&retirement, json!({})).await.ok();
    stage.officer.post(&retirement, json!({})).await.problem(404, "not_found");
    assert_eq!(keys().await, 0);
}

#[rstest]
#[actix_web::test]
async fn nobody_fills_the_offices_shelf() {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::of(&server).await;
    let reporter = stage.reported().await;
    for number in 0..30 {
        reporter.add(&stage.key.recipient(), &format!("补充{number}")).await.ok();
    }
    reporter.add(&stage.key.recipient(), "再补充").await.problem(409, "too_many_additions");
    let path = stage.only_report().await;
    let answer = json!({"sealed": stage.answer(&reporter, "请到镇里来谈")});
    stage.officer.post(&format!("{path}/answers"), answer).await.ok();
    let mut refused: Option<Answer> = None;
    for _ in 0..120 {
        let answer = server.visitor().post("/api/sealed-reports/lookup", json!({"lookup": reporter.lookup()})).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    refused.unwrap().problem(429, "too_many_requests");
}

#[rstest]
#[actix_web::test]
async fn the_list_is_read_page_by_page_oldest_first() {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::of(&server).await;
    for _ in 0..3 {
        for _ in 0..11 {
            stage.reported().await;
        }
        server.clock.advance(chrono::TimeDelta::days(1));
    }
    let first = stage.officer.get("/api/sealed-reports").await.ok();
    let next = first["next"].as_str().unwrap();
    let second = stage.officer.get(&format!("/api/sealed-reports?after={next}")).await.ok();
    assert_eq!(second["next"], Value::Null);
    let items: Vec<_> = [&first, &second].iter().flat_map(|page| page["items"].as_array().unwrap()).collect();
    let days: Vec<_> = items.iter().map(|item| item["received_on"].as_str().unwrap()).collect();
    assert!(items.len() == 33 && days.is_sorted(), "{days:?}");
    let ids: std::collections::BTreeSet<_> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 33);
    stage.officer.get("/api/sealed-reports?after=01890000-0000-7000-8000-000000000000").await.problem(404, "not_found");
}

#[rstest]
#[actix_web::test]
async fn the_chat_leads_to_the_sealed_form_once_somebody_can_receive_reports(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let form = format!("{}/app/#/pages/reports/index", server.application.config.http.public_url);
    let said = chat.say("我要举报村支书收了四千块").await;
    assert!(said.contains("12388") && !said.contains(&form), "{said}");
    let officer = cast.township.staff(Role::DisciplinaryOfficer).await;
    key_of(&officer, cast.township.id).await;
    let said = chat.say("我要举报村支书收了五千块").await;
    assert!(said.contains(&form) && said.contains("12388") && said.contains("没有保存"), "{said}");
    // The address says nothing about who was led to it, and nothing of what was written.
    assert!(!said.contains("五千块") && !said.contains(&cast.township.id.to_string()), "{said}");
    for secret in ["四千块", "五千块"] {
        assert!(!is_stored(&server, secret).await);
    }
    let sealer = &server.application.sealer;
    let kept = server.application.cache.get(&sealer.pseudonym("said", &chat.open_id())).await.unwrap().unwrap();
    let kept = sealer.open("chat answer", &kept).unwrap();
    assert!(!String::from_utf8(kept).unwrap().contains("五千块"));
}

/// A code is worth what it is worth: another one, however near, opens nothing.
#[rstest]
#[actix_web::test]
async fn another_code_neither_finds_nor_opens() {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::of(&server).await;
    let reporter = stage.reported().await;
    let path = stage.only_report().await;
    let answer = json!({"sealed": stage.answer(&reporter, "已收到")});
    stage.officer.post(&format!("{path}/answers"), answer).await.ok();
    let other = Reporter::with_code(
        &server.visitor(),
        Code::generate(&qingfeng_cosigner::randomness::SystemRandomness).unwrap(),
    );
    other
        .client
        .post("/api/sealed-reports/lookup", json!({"lookup": other.lookup()}))
        .await
        .problem(404, "report_unknown");
    let followed = reporter.followed().await;
    assert!(other.key().open(&envelope(&followed["parts"][1])).is_err());
}
