//! A township words its messages itself: one person proposes, another releases, and no message is lost over it.

use chrono::TimeDelta;
use qingfeng_bot::Bot;
use qingfeng_core::{
    ids::{MessageTemplateId, OrganizationId, StaffId},
    outbox::templates::{TemplateState, entity},
    people::Role,
    storage::Engine,
};
use qingfeng_sandbox::{Group, Phone, RunningSandbox, Sandbox};
use rstest::rstest;
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};

use crate::support::{Scene, TestServer, bot, platform};

const OWN: &str =
    "**云溪镇公示** {{ 村 }}\n> {{ 标题 }}：{{ 承诺|缩短(20) }}\n{{ 期限|日期 }}前完成。[看进展]({{ 链接 }})";

struct Office<'a> {
    server: &'a TestServer,
    scene: Scene<'a>,
    office_id: StaffId,
    platform: Sandbox,
    running: RunningSandbox,
    bot: Bot,
}

impl<'a> Office<'a> {
    async fn of(server: &'a TestServer) -> Self {
        let scene = Scene::of(server, 3).await;
        let cast = &scene.cast;
        let platform = platform(server);
        platform.add_group(Group::new("KEY", "东河村群"));
        cast.township.chat_group(cast.village, "东河村群", "KEY").await;
        let (_, office_id) = cast.township.staff_of(cast.township.id, Role::TownshipLeader).await;
        platform.add_phone(Phone::new("phone-5", "领导").at_wecom("reader"));
        cast.township.at_wecom(office_id, "reader").await;
        let running = platform.start("127.0.0.1:0").unwrap();
        let bot = bot(server, &running);
        // The month's post is no matter of this test.
        bot.tick().await.unwrap();
        Self { server, scene, office_id, platform, running, bot }
    }

    fn path(&self, kind: &str, rest: &str) -> String {
        format!("/api/townships/{}/message-templates/{kind}{rest}", self.scene.cast.township.id)
    }

    async fn propose(&self, kind: &str, text: Value) -> String {
        let proposed = self.scene.cast.office.post(&self.path(kind, "/proposal"), json!({"text": text})).await.ok();
        format!("/api/message-templates/{}", proposed["id"].as_str().unwrap())
    }

    async fn in_force(&self, kind: &str, text: Value) {
        let template = self.propose(kind, text).await;
        self.scene.cast.leader.post(&format!("{template}/release"), json!({})).await.ok();
    }

    async fn kind(&self, kind: &str) -> Value {
        let path = format!("/api/townships/{}/message-templates", self.scene.cast.township.id);
        let all = self.scene.cast.leader.get(&path).await.ok();
        all["items"].as_array().unwrap().iter().find(|item| item["kind"] == kind).unwrap().clone()
    }

    async fn tick(&self) {
        self.server.clock.advance(TimeDelta::minutes(1));
        self.bot.tick().await.unwrap();
    }

    /// The posts about items, in the order in which they came.
    fn posts(&self) -> Vec<String> {
        let posts = self.platform.delivered_to_group("KEY");
        let texts = posts.iter().map(|post| post.content.text());
        texts.filter(|text| text.contains("公示**")).collect()
    }
}

#[rstest]
#[actix_web::test]
async fn a_second_person_releases_words_and_messages_use_them_until_the_usual_ones_are_wanted_back(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let office = Office::of(&server).await;
    let cast = &office.scene.cast;
    let kind = "group.rectification_published";
    let template = office.propose(kind, json!(OWN)).await;
    let release = format!("{template}/release");
    // Until somebody else releases them the former words hold.
    office.scene.published().await;
    office.tick().await;
    assert!(office.posts()[0].starts_with("**整改公示** "), "{:?}", office.posts());
    let told = office.platform.delivered_to_member("reader");
    assert_eq!(told.iter().filter(|card| card.content.text().contains("要您看过才能用")).count(), 1, "{told:?}");

    cast.office.post(&release, json!({})).await.problem(403, "own_template");
    cast.secretary.post(&release, json!({})).await.problem(404, "not_found");
    cast.resident.post(&release, json!({})).await.problem(403, "forbidden");
    server.township().await.staff(Role::TownshipLeader).await.post(&release, json!({})).await.problem(404, "not_found");
    let waiting = office.kind(kind).await["waiting"].clone();
    assert_eq!((&waiting["text"], &waiting["version"]), (&json!(OWN), &json!(1)), "{waiting}");
    let again = json!({"text": "换一个"});
    cast.office.post(&office.path(kind, "/proposal"), json!({"text": OWN})).await.problem(409, "template_waiting");
    cast.office.post(&office.path(kind, "/proposal"), again).await.problem(422, "invalid_input");
    cast.leader.post_once(&release, "draft-0001", json!({})).await.ok();
    cast.leader.post_once(&release, "draft-0001", json!({})).await.ok();
    cast.leader.post(&release, json!({})).await.problem(409, "template_decided");

    office.scene.published().await;
    office.tick().await;
    let posts = office.posts();
    let start = "**云溪镇公示** 东河村\n> 村口路灯整改：四月十日前修好，修不好我负责\n4月10日前完成。[看进展](http://";
    assert!(posts.len() == 2 && posts[1].starts_with(start), "{posts:?}");

    // Back to the usual words, by two people, too.
    cast.office.post(&office.path(kind, "/proposal"), json!({"text": OWN})).await.problem(409, "template_unchanged");
    office.in_force(kind, Value::Null).await;
    office.scene.published().await;
    office.tick().await;
    assert!(office.posts()[2].starts_with("**整改公示** "), "{:?}", office.posts());
    assert_eq!(office.kind(kind).await["own"], Value::Null);
    let history = cast.office.get(&office.path(kind, "")).await.ok();
    let versions: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|one| (&one["state"], &one["text"])).collect();
    assert_eq!(versions, [(&json!("released"), &Value::Null), (&json!("replaced"), &json!(OWN))]);
    office.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_rejected_proposal_changes_nothing_and_one_may_take_back_ones_own(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let office = Office::of(&server).await;
    let cast = &office.scene.cast;
    let kind = "resident.complaint_closed";
    for person in [&cast.leader, &cast.office] {
        let template = office.propose(kind, json!("已办结，请您放心")).await;
        let rejection = format!("{template}/rejection");
        person.post(&rejection, json!({"reason": "  "})).await.problem(422, "invalid_input");
        person.post(&rejection, json!({"reason": "说得太满"})).await.ok();
        person.post(&rejection, json!({"reason": "说得太满"})).await.problem(409, "template_decided");
    }
    let item = office.kind(kind).await;
    assert_eq!((&item["own"], &item["waiting"]), (&Value::Null, &Value::Null), "{item}");
    let history = cast.leader.get(&office.path(kind, "?before=2")).await.ok();
    assert_eq!((&history["items"][0]["version"], &history["items"][0]["reason"]), (&json!(1), &json!("说得太满")));
    office.running.stop().await;
}

#[rstest]
#[case("resident.complaint_closed", "已办结{{ 承诺 }}", "第1行第7个字：没有“承诺”这一项")]
#[case("resident.complaint_closed", "已办结{% if 事项 %}", "成对")]
#[case("resident.complaint_closed", "已办结，这一行比二十个字还要长出好一些来吧", "最多20个字")]
#[case("resident.complaint_closed", "已办结，请找测试村民", "像是村民的姓名")]
#[case("resident.complaint_closed", "办结请打13800000000", "像是电话、证件或账号")]
#[case("group.rectification_published", "{{ 村 }}{{ 标题 }}{{ 承诺 }}{{ 期限|日期 }}", "要写上“链接”")]
#[case("group.rectification_published", "{{ 村 }}{{ 标题 }}{{ 承诺 }}[看]({{ 链接 }})", "要写上“期限”")]
#[case("group.rectification_published", "{{ 村 }}{{ 标题 }}{{ 承诺 }}{{ 期限 }}[看]({{ 链接 }})https://t.cn/a", "网址")]
#[actix_web::test]
async fn words_that_will_not_do_are_refused_with_the_place(#[case] kind: &str, #[case] text: &str, #[case] part: &str) {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 1).await;
    let path = format!("/api/townships/{}/message-templates/{kind}", scene.cast.township.id);
    for act in ["proposal", "preview"] {
        let problem =
            scene.cast.office.post(&format!("{path}/{act}"), json!({"text": text})).await.problem(422, "invalid_input");
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.iter().all(|error| error["pointer"] == "/text"), "{problem}");
        assert!(errors.iter().any(|error| error["detail"].as_str().unwrap().contains(part)), "{problem}");
    }
}

#[actix_web::test]
async fn words_that_follow_from_something_else_cannot_be_changed() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 0).await;
    let office = &scene.cast.office;
    let path = |kind: &str| format!("/api/townships/{}/message-templates/{kind}/proposal", scene.cast.township.id);
    for kind in ["group.post_corrected", "group.sealed_survey_opened", "resident.sealed_survey_reminder"] {
        office.post(&path(kind), json!({"text": "没事"})).await.problem(409, "template_fixed");
    }
    office.post(&path("group.nothing"), json!({"text": "没事"})).await.problem(404, "not_found");
    office.post(&path("staff.complaint_rated"), json!({"text": null})).await.problem(409, "template_unchanged");
    office
        .post(&path("staff.complaint_rated"), json!({"text": "群众已评价，请查看"}))
        .await
        .problem(409, "template_unchanged");
    let of_village = format!("/api/townships/{}/message-templates", scene.cast.village.id);
    office.get(&of_village).await.problem(404, "not_found");
}

#[rstest]
#[actix_web::test]
async fn words_that_do_not_hold_a_message_give_way_to_the_usual_ones_and_staff_see_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let office = Office::of(&server).await;
    // Released under a version of the product that had another fact.
    released(&office, "group.rectification_published", "{{ 村 }}{{ 从前有的 }}").await;
    office.scene.published().await;
    office.tick().await;
    office.tick().await;
    let posts = office.posts();
    assert!(posts.len() == 1 && posts[0].starts_with("**整改公示** 东河村"), "{posts:?}");
    let own = office.kind("group.rectification_published").await["own"].clone();
    assert!(own["failure"].as_str().unwrap().contains("没有的内容") && own["failed_at"].is_string(), "{own}");
    office.running.stop().await;
}

async fn released(office: &Office<'_>, kind: &'static str, text: &'static str) {
    let (county, township): (_, OrganizationId) = (office.scene.cast.township.county, office.scene.cast.township.id);
    let by = office.office_id;
    office
        .scene
        .cast
        .township
        .write(move |unit| {
            Box::pin(async move {
                entity::Entity::insert(entity::ActiveModel {
                    id: Set(MessageTemplateId::new(unit.randomness(), unit.now())),
                    county_id: Set(county),
                    township_id: Set(township),
                    kind: Set(kind.to_owned()),
                    version: Set(1),
                    text: Set(Some(text.to_owned())),
                    state: Set(TemplateState::Released),
                    proposed_by: Set(by),
                    proposed_at: Set(unit.now()),
                    decided_by: Set(Some(by)),
                    decided_at: Set(Some(unit.now())),
                    reason: Set(None),
                    failure: Set(None),
                    failed_at: Set(None),
                })
                .exec_without_returning(unit.connection())
                .await?;
                Ok(())
            })
        })
        .await;
}

#[actix_web::test]
async fn a_preview_shows_each_platform_with_made_up_facts_or_those_of_the_latest_message() {
    let server = TestServer::start(Engine::Sqlite).await;
    let office = Office::of(&server).await;
    let cast = &office.scene.cast;
    let path = office.path("group.rectification_published", "/preview");
    let latest = json!({"text": OWN, "facts": "latest"});
    // Nothing was posted yet.
    assert_eq!(cast.office.post(&path, latest.clone()).await.ok()["facts_of"], Value::Null);
    office.scene.published().await;
    office.tick().await;
    let preview = cast.office.post(&path, latest.clone()).await.ok();
    assert!(
        preview["facts_of"].is_string() && preview["words"].as_str().unwrap().contains("修不好我负责"),
        "{preview}"
    );
    let platforms: Vec<_> = preview["views"].as_array().unwrap().iter().map(|view| &view["platform"]).collect();
    assert_eq!(platforms, ["wecom_robot", "dingtalk_robot", "feishu_robot", "wecom_customer_group", "prepared_post"]);
    let robot = &preview["views"][0]["fields"][0];
    assert_eq!((&robot["text"], &robot["limit"]), (&preview["words"], &json!(4096)));
    assert_eq!(robot["used"], preview["words"].as_str().unwrap().len());
    // What is in force, with made-up facts.
    let usual = cast.leader.post(&path, json!({})).await.ok();
    assert!(usual["words"].as_str().unwrap().starts_with("**整改公示** 东河村"), "{usual}");
    // Who does not see messages does not see them here.
    assert_eq!(cast.leader.post(&path, latest).await.ok()["facts_of"], Value::Null);
    // A resident's message is nobody else's.
    let path = office.path("resident.complaint_accepted", "/preview");
    cast.resident.post("/api/complaints", json!({"body": "路灯坏了"})).await.ok();
    let card = cast.office.post(&path, json!({"facts": "latest"})).await.ok();
    assert_eq!((&card["facts_of"], &card["views"][0]["platform"]), (&Value::Null, &json!("subscribe_message")));
    office.running.stop().await;
}

#[actix_web::test]
async fn only_the_townships_own_office_and_leaders_see_and_word_its_messages() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scene = Scene::of(&server, 0).await;
    let cast = &scene.cast;
    let township = &cast.township;
    let list = format!("/api/townships/{}/message-templates", township.id);
    let of_kind = format!("{list}/staff.complaint_rated");
    let stranger = server.township().await.staff(Role::TownshipOffice).await;
    let inspector = township.staff(Role::CountyInspector).await;
    let administrator = township.staff(Role::GroupAdministrator).await;
    for (person, status, code) in [
        (&cast.secretary, 404, "not_found"),
        (&stranger, 404, "not_found"),
        (&administrator, 404, "not_found"),
        (&cast.resident, 403, "forbidden"),
        (&inspector, 403, "forbidden"),
    ] {
        person.get(&list).await.problem(status, code);
        person.get(&of_kind).await.problem(status, code);
        person.post(&format!("{of_kind}/preview"), json!({})).await.problem(status, code);
        // Not even what is wrong with the words is told.
        person.post(&format!("{of_kind}/proposal"), json!({"text": "测试村民"})).await.problem(status, code);
    }
    server.visitor().get(&list).await.problem(401, "sign_in_needed");
    cast.leader.post(&format!("{of_kind}/proposal"), json!({"text": "群众评价来了"})).await.problem(403, "forbidden");
}
