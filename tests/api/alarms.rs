//! What keeps messages from leaving, in one list, until it works again.

use chrono::TimeDelta;
use qingfeng_bot::Bot;
use qingfeng_core::{
    audit::records,
    outbox::{
        self, MessageState, Notice, Recipient,
        consents::{self, Consent, Teller},
    },
    people::Role,
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{
    Fault, FaultKind, Group, Phone, Platform, PushOutcome, RunningSandbox, Sandbox, SandboxSettings, Template,
};
use rstest::rstest;
use sea_orm::{ColumnTrait, ConnectionTrait as _, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Cast, Person, TestServer, bot, platform};

const SUBSCRIBE: &str = "/cgi-bin/message/subscribe/send";

/// Residents with phones, both templates, two bots, and somebody who runs the system.
struct Scene<'a> {
    server: &'a TestServer,
    cast: Cast<'a>,
    operator: Person,
    platform: Sandbox,
    running: RunningSandbox,
    bots: [Bot; 2],
}

impl<'a> Scene<'a> {
    async fn of(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let operator = cast.township.staff(Role::SystemAdministrator).await;
        let platform = platform(server);
        let settings = &server.application.config.wechat;
        let reminder = Template::new(settings.reminder_template.id(), "待办提醒")
            .with_field("thing2", "事项")
            .with_field("time5", "期限")
            .with_field("thing7", "提示")
            .with_field("thing9", "原因")
            .with_field("phrase3", "状态");
        let progress = Template::new(settings.progress_template.id(), "进展通知")
            .with_field("thing4", "事项")
            .with_field("thing1", "进展")
            .with_field("thing8", "原因");
        for template in [reminder, progress] {
            platform.add_template(template).unwrap();
        }
        let running = platform.start("127.0.0.1:0").unwrap();
        let bots = [bot(server, &running), bot(server, &running)];
        Self { server, cast, operator, platform, running, bots }
    }

    /// A resident who accepts so many messages of this template is told something.
    async fn news_for(&self, phone: &str, template: &str, facts: Value) {
        self.platform.add_phone(Phone::new(phone, phone));
        let known = self.cast.township.add_resident(self.cast.village, Some(phone), None).await;
        self.accepts(phone, template).await;
        let county = self.cast.township.county;
        let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
        let notice = Notice::new(Recipient::Resident(known), "complaint_accepted", subject)
            .township(self.cast.township.id)
            .facts(facts);
        self.cast.township.write(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await;
    }

    async fn accepts(&self, phone: &str, template: &str) {
        self.platform.accept_subscription(phone, template, 5);
        let (store, county) = (&self.server.application.store, self.cast.township.county);
        consents::accepted(store, county, Consent::new(phone, template), Teller::Platform, 5).await.unwrap();
    }

    async fn pass(&self, time: TimeDelta) {
        self.server.clock.advance(time);
        for bot in &self.bots {
            bot.tick().await.unwrap();
        }
    }

    async fn states(&self) -> Vec<MessageState> {
        let messages = outbox::entity::Entity::find()
            .filter(outbox::entity::Column::Kind.eq("complaint_accepted"))
            .order_by_asc(outbox::entity::Column::Id);
        let messages = messages.all(self.server.application.store.reader()).await.unwrap();
        messages.into_iter().map(|message| message.state).collect()
    }

    async fn alarms(&self) -> Vec<Value> {
        self.operator.get("/api/alarms").await.ok()["items"].as_array().unwrap().clone()
    }

    async fn ready(&self) -> String {
        self.server.visitor().get("/readyz").await.ok_text().to_owned()
    }

    fn calls(&self, endpoint: &str) -> usize {
        self.platform.calls().iter().filter(|call| call.endpoint.ends_with(endpoint)).count()
    }

    fn progress(&self) -> &'a str {
        self.server.application.config.wechat.progress_template.id()
    }
}

fn plain() -> Value {
    json!({"title": "村口路灯坏了"})
}

#[rstest]
#[actix_web::test]
async fn a_template_that_the_platform_doubts_is_tried_once_more_and_works_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.platform.inject(Fault::new(Platform::WeChat, FaultKind::Refuse { code: 40037 }).at(SUBSCRIBE).times(1));
    scene.news_for("phone-1", scene.progress(), plain()).await;
    scene.pass(TimeDelta::zero()).await;
    scene.pass(TimeDelta::minutes(9)).await;
    assert_eq!((scene.calls(SUBSCRIBE), scene.states().await), (1, vec![MessageState::Pending]), "not sooner");
    scene.pass(TimeDelta::minutes(6)).await;
    assert_eq!((scene.calls(SUBSCRIBE), scene.states().await), (2, vec![MessageState::Sent]));
    assert!(scene.alarms().await.is_empty());
    assert_eq!(scene.platform.accepts_left("phone-1", scene.progress()), 4, "the refused one used up none");
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_template_that_fails_five_people_twice_is_used_no_more_until_an_operator_lets_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    let fault = scene.platform.inject(Fault::new(Platform::WeChat, FaultKind::Refuse { code: 40037 }).at(SUBSCRIBE));
    for number in 0..7 {
        scene.news_for(&format!("phone-{number}"), scene.progress(), plain()).await;
    }
    scene.pass(TimeDelta::zero()).await;
    assert_eq!(scene.calls(SUBSCRIBE), 7);
    assert!(scene.alarms().await.is_empty(), "once may be a hiccup");
    scene.pass(TimeDelta::minutes(15)).await;
    assert_eq!(scene.calls(SUBSCRIBE), 12, "the fifth stops it");
    let states = scene.states().await;
    let count = |state: MessageState| states.iter().filter(|known| **known == state).count();
    assert_eq!((count(MessageState::Parked), count(MessageState::Stopped)), (4, 3), "{states:?}");

    // Both bots know, and so does a message that is new.
    scene.news_for("phone-9", scene.progress(), plain()).await;
    scene.pass(TimeDelta::hours(1)).await;
    assert_eq!(scene.calls(SUBSCRIBE), 12, "the platform is not asked in vain");
    let seen = scene.cast.office.get("/api/messages").await.ok();
    // How many wait stands in the alarm; which residents, nobody is told.
    assert_eq!(seen["items"], json!([]), "{seen}");
    let alarms = scene.alarms().await;
    assert_eq!((alarms.len(), &alarms[0]["source"]), (1, &json!("template")), "{alarms:?}");
    assert!(alarms[0]["advice"].as_str().unwrap().contains("4条消息在等模板"), "{alarms:?}");
    assert!(alarms[0]["trouble"].as_str().unwrap().contains("连续5个人都收不到（40037）"), "{alarms:?}");
    assert!(scene.ready().await.starts_with("degraded\ntemplate:"));

    let resume = format!("/api/alarms/templates/{}/resumption", alarms[0]["id"].as_str().unwrap());
    for person in [&scene.cast.office, &scene.cast.leader] {
        person.post(&resume, json!({})).await.problem(403, "forbidden");
    }
    scene.cast.leader.get("/api/alarms").await.problem(403, "forbidden");
    assert!(scene.platform.end_fault(fault));
    scene.operator.post_once(&resume, "draft-0001", json!({})).await.ok();
    scene.operator.post_once(&resume, "draft-0001", json!({})).await.ok();
    scene.operator.post(&resume, json!({})).await.problem(404, "not_found");
    scene.pass(TimeDelta::zero()).await;
    let states = scene.states().await;
    assert_eq!(states.iter().filter(|state| **state == MessageState::Sent).count(), 4, "{states:?}");
    assert!(scene.alarms().await.is_empty());
    assert_eq!(scene.ready().await, "ok");
    let acts = records::Entity::find().filter(records::Column::Action.eq("template_resumed"));
    assert_eq!(acts.count(server.application.store.reader()).await.unwrap(), 1);
    scene.running.stop().await;
}

#[rstest]
#[case(43107)]
#[case(43116)]
#[actix_web::test]
async fn a_template_that_was_taken_away_is_used_no_more_at_once_and_the_other_one_does_instead(
    #[case] code: i64,
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.platform.inject(Fault::new(Platform::WeChat, FaultKind::Refuse { code }).at(SUBSCRIBE).times(1));
    let dated = json!({"title": "村口路灯坏了", "due_on": "2026-03-20"});
    scene.news_for("phone-1", scene.progress(), dated.clone()).await;
    scene.pass(TimeDelta::zero()).await;
    assert_eq!((scene.calls(SUBSCRIBE), scene.states().await), (1, vec![MessageState::Stopped]));
    assert!(scene.alarms().await[0]["trouble"].as_str().unwrap().contains(&code.to_string()));
    // Who accepts the other template is reached by it.
    scene.news_for("phone-2", server.application.config.wechat.reminder_template.id(), dated).await;
    scene.accepts("phone-2", scene.progress()).await;
    scene.pass(TimeDelta::zero()).await;
    assert_eq!(scene.states().await, [MessageState::Stopped, MessageState::Sent]);
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_wrong_secret_a_full_day_and_a_missing_permission_stand_in_the_list_until_they_are_mended(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    let right = scene.platform.account();
    let mut wrong = right.clone();
    wrong.app_secret = "another".into();
    scene.platform.set_account(wrong);
    scene.news_for("phone-1", scene.progress(), plain()).await;
    scene.pass(TimeDelta::zero()).await;
    scene.pass(TimeDelta::minutes(11)).await;
    let alarms = scene.alarms().await;
    let since = alarms[0]["since"].as_str().unwrap().to_owned();
    let name = format!("wechat:{}:token", right.app_id);
    assert_eq!((alarms.len(), &alarms[0]["name"], &alarms[0]["times"]), (1, &json!(name), &json!(2)));
    assert!(alarms[0]["advice"].as_str().unwrap().contains("请核对"), "{alarms:?}");
    let shown = scene.ready().await;
    assert!(shown.starts_with(&format!("degraded\n{name} bad_config (")), "{shown}");
    assert!(!shown.contains("another") && !shown.contains(&right.app_secret), "{shown}");
    assert_eq!(scene.cast.office.get("/api/alarms").await.ok()["items"].as_array().unwrap().len(), 1);

    scene.platform.set_account(right.clone());
    scene.pass(TimeDelta::minutes(20)).await;
    assert!(scene.alarms().await.is_empty(), "a token came: {since}");
    assert_eq!(scene.states().await, [MessageState::Sent]);

    for (code, kind) in
        [(45009, "今天的调用次数已用完"), (48001, "没有开通这个接口"), (49_999, "原因程序不认识（49999）")]
    {
        scene.platform.inject(Fault::new(Platform::WeChat, FaultKind::Refuse { code }).at(SUBSCRIBE).times(1));
        scene.news_for(&format!("phone-{code}"), scene.progress(), plain()).await;
        scene.pass(TimeDelta::zero()).await;
        let alarms = scene.alarms().await;
        assert!(alarms.len() == 1 && alarms[0]["trouble"].as_str().unwrap().contains(kind), "{alarms:?}");
        assert_eq!(alarms[0]["what"], format!("微信：订阅消息（账号 {}）", right.app_id));
        let asked = scene.calls(SUBSCRIBE);
        scene.news_for(&format!("phone-{code}-other"), scene.progress(), plain()).await;
        scene.pass(TimeDelta::zero()).await;
        let rests = code == 45009;
        assert_eq!(scene.calls(SUBSCRIBE) == asked, rests, "what is used up for today rests until tomorrow");
        scene.pass(TimeDelta::days(1)).await;
        assert!(scene.alarms().await.is_empty(), "{code}: it worked again");
    }
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_login_that_the_platform_refuses_us_stands_in_the_list_until_somebody_gets_in(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let platform = Sandbox::new(SandboxSettings::default());
    let running = platform.start("127.0.0.1:0").unwrap();
    let base = running.wechat_base();
    let server = TestServer::start_with(engine, |config| config.wechat.api_base = base).await;
    let cast = Cast::of(&server).await;
    let operator = cast.township.staff(Role::SystemAdministrator).await;
    cast.township.add_resident(cast.village, Some("phone-1"), None).await;
    let visitor = server.visitor();
    let sign_in = async || {
        let code = platform.login_code("phone-1");
        visitor.post("/api/sign-in/mini-program", json!({"code": code})).await
    };
    let alarms = async || operator.get("/api/alarms").await.ok()["items"].as_array().unwrap().clone();

    let right = platform.account();
    let mut wrong = right.clone();
    wrong.app_secret = "another".into();
    platform.set_account(wrong);
    for _ in 0..2 {
        sign_in().await.problem(503, "temporarily_unavailable");
    }
    let open = alarms().await;
    assert_eq!((open.len(), &open[0]["times"]), (1, &json!(2)), "{open:?}");
    assert_eq!(open[0]["name"], format!("wechat:{}:/sns/jscode2session", right.app_id));
    assert_eq!(open[0]["what"], format!("微信：小程序登录（账号 {}）", right.app_id));
    assert!(open[0]["trouble"].as_str().unwrap().contains("不认我们的账号"), "{open:?}");
    assert!(!open[0].to_string().contains("phone-1"), "{open:?}");

    // What is wrong with a code says nothing of the interface.
    platform.set_account(right);
    visitor.post("/api/sign-in/mini-program", json!({"code": "no-such-code"})).await.problem(401, "code_invalid");
    assert_eq!(alarms().await.len(), 1);
    sign_in().await.ok();
    assert!(alarms().await.is_empty(), "somebody got in");
    visitor.post("/api/sign-in/mini-program", json!({"code": "no-such-code"})).await.problem(401, "code_invalid");
    assert!(alarms().await.is_empty());

    for (code, trouble) in [(45009, "今天的调用次数已用完"), (48001, "没有开通这个接口")] {
        let refusal = Fault::new(Platform::WeChat, FaultKind::Refuse { code }).at("/sns/jscode2session").times(1);
        platform.inject(refusal);
        sign_in().await.problem(503, "temporarily_unavailable");
        let open = alarms().await;
        assert!(open.len() == 1 && open[0]["trouble"].as_str().unwrap().contains(trouble), "{open:?}");
        sign_in().await.ok();
        assert!(alarms().await.is_empty(), "{code}");
    }
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_group_whose_robot_is_gone_stands_in_the_list_of_its_township_until_a_post_gets_there(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.cast.township.chat_group(scene.cast.village, "东河村群", "OLD").await;
    scene.pass(TimeDelta::zero()).await;
    assert_eq!(scene.alarms().await.len(), 1, "whoever runs the system sees the whole county's");
    let seen = scene.cast.office.get("/api/alarms").await.ok();
    assert_eq!((&seen["items"][0]["what"], &seen["items"][0]["source"]), (&json!("群“东河村群”"), &json!("group")));
    let elsewhere = server.township().await.staff(Role::TownshipOffice).await;
    assert_eq!(elsewhere.get("/api/alarms").await.ok()["items"], json!([]));

    scene.platform.add_group(Group::new("NEW", "东河村群"));
    scene.cast.township.new_robot_key("东河村群", "NEW").await;
    let lost = scene.cast.office.get("/api/messages").await.ok();
    let lost = lost["items"].as_array().unwrap().iter().find(|item| item["recipient"] == "东河村群").unwrap().clone();
    let resend = format!("/api/messages/{}/resending", lost["id"].as_str().unwrap());
    scene.cast.office.post(&resend, json!({})).await.ok();
    scene.pass(TimeDelta::minutes(1)).await;
    assert_eq!(scene.platform.delivered_to_group("NEW").len(), 1);
    assert_eq!(scene.cast.office.get("/api/alarms").await.ok()["items"], json!([]));
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn an_event_that_was_given_up_is_tried_again_when_somebody_says_so(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    scene.platform.add_phone(Phone::new("phone-1", "村民"));
    scene.cast.township.add_resident(scene.cast.village, Some("phone-1"), None).await;
    let database = server.application.store.reader();
    let (trap, mended) = if engine == Engine::Sqlite {
        (
            "CREATE TRIGGER dies BEFORE INSERT ON message_consents BEGIN SELECT RAISE(ABORT, 'gone'); END",
            "DROP TRIGGER dies",
        )
    } else {
        (
            "CREATE RULE dies AS ON INSERT TO message_consents DO INSTEAD SELECT 1 / 0",
            "DROP RULE dies ON message_consents",
        )
    };
    database.execute_unprepared(trap).await.unwrap();
    assert_eq!(scene.platform.phone("phone-1").accept(scene.progress()).await, PushOutcome::Handled);
    for _ in 0..25 {
        scene.pass(TimeDelta::minutes(2)).await;
    }
    let alarms = scene.alarms().await;
    assert_eq!((alarms.len(), &alarms[0]["source"], &alarms[0]["times"]), (1, &json!("event"), &json!(20)));
    assert_eq!(alarms[0]["what"], "订阅授权的变化");
    assert!(!alarms[0].to_string().contains("phone-1"), "{alarms:?}");
    assert!(scene.ready().await.contains("1 events of platforms were given up"));
    database.execute_unprepared(mended).await.unwrap();
    scene.pass(TimeDelta::minutes(2)).await;
    assert_eq!(scene.alarms().await.len(), 1, "not by itself");

    let again = format!("/api/alarms/events/{}/retrial", alarms[0]["id"].as_str().unwrap());
    scene.cast.office.post(&again, json!({})).await.problem(403, "forbidden");
    let elsewhere = server.township().await.staff(Role::SystemAdministrator).await;
    elsewhere.post(&again, json!({})).await.problem(404, "not_found");
    scene.operator.post(&again, json!({})).await.ok();
    scene.pass(TimeDelta::minutes(2)).await;
    assert!(scene.alarms().await.is_empty());
    scene.operator.post(&again, json!({})).await.problem(404, "not_found");
    let left = consents::left(&server.application.store, &Consent::new("phone-1", scene.progress())).await.unwrap();
    assert_eq!(left, 1);
    scene.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_scheduled_job_that_fails_stands_in_the_list_until_it_comes_through(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let scene = Scene::of(&server).await;
    let database = server.application.store.reader();
    let (trap, mended) = if engine == Engine::Sqlite {
        (
            "CREATE TRIGGER dies BEFORE INSERT ON schedule_runs BEGIN SELECT RAISE(ABORT, 'gone'); END",
            "DROP TRIGGER dies",
        )
    } else {
        ("CREATE RULE dies AS ON INSERT TO schedule_runs DO INSTEAD SELECT 1 / 0", "DROP RULE dies ON schedule_runs")
    };
    database.execute_unprepared(trap).await.unwrap();
    scene.pass(TimeDelta::zero()).await;
    let alarms = scene.alarms().await;
    let jobs: Vec<_> = alarms.iter().filter(|alarm| alarm["source"] == "schedule").collect();
    assert!(jobs.iter().any(|job| job["what"] == "定时任务：到期提醒"), "{alarms:?}");
    database.execute_unprepared(mended).await.unwrap();
    scene.pass(TimeDelta::minutes(1)).await;
    assert!(scene.alarms().await.is_empty());
    scene.running.stop().await;
}
