//! Subscribe messages by the account's own templates: configured, compared with the platform's, and told when they do not fit.

use std::{collections::BTreeMap, process::Command};

use qingfeng::{Config, config::OfficialAccount};
use qingfeng_bot::channels::{Role, TemplateKeys, TemplateUse};
use qingfeng_core::{
    outbox::{
        self, MessageState, Notice, Recipient,
        consents::{self, Consent, Teller},
    },
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Fault, FaultKind, Phone, Platform, RunningSandbox, Sandbox, SandboxSettings, Template};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Cast, TestServer, bot, platform};

const PROGRAM: &str = env!("CARGO_BIN_EXE_qingfeng");
const PHONE: &str = "phone-2";

/// Lets the official account send cards, too.
pub fn with_template_messages(config: &mut Config) {
    config.official_account = Some(OfficialAccount::simulated());
}

/// What an account may have found in the library.
fn found_in_the_library() -> Template {
    Template::new("T-TODO", "待办任务提醒")
        .with_field("thing11", "任务名称")
        .with_field("character_string4", "截止日期")
        .with_field("phrase6", "任务状态")
        .with_field("thing2", "备注")
        .with_field("name8", "发布单位")
        .with_choice("enum5", "任务类型", &["整改", "会议"])
}

fn its_keys() -> TemplateKeys {
    let roles = [
        (Role::Matter, "thing11"),
        (Role::Due, "character_string4"),
        (Role::Hint, "thing2"),
        (Role::Status, "phrase6"),
    ];
    let roles = roles.map(|(role, key)| (role, key.to_owned()));
    let always = [("name8", "云溪镇人民政府"), ("enum5", "整改")];
    let always: BTreeMap<_, _> = always.into_iter().map(|(key, words)| (key.to_owned(), words.to_owned())).collect();
    TemplateKeys::new(TemplateUse::Reminder, "T-TODO", roles, &always).unwrap()
}

/// The simulator's own, which the shipped configuration names.
pub fn shipped_reminder() -> Template {
    Template::new("TEMPLATE-REMINDER", "待办提醒")
        .with_field("thing2", "事项")
        .with_field("phrase3", "状态")
        .with_field("time5", "期限")
        .with_field("thing7", "提示")
        .with_field("thing9", "原因")
}

pub fn shipped_progress() -> Template {
    Template::new("TEMPLATE-PROGRESS", "进展通知")
        .with_field("thing4", "事项")
        .with_field("thing1", "进展")
        .with_field("thing8", "原因")
}

#[rstest]
#[actix_web::test]
async fn a_reminder_arrives_by_the_template_that_the_township_found(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start_with(engine, |config| config.wechat.reminder_template = its_keys()).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    platform.add_template(found_in_the_library()).unwrap();
    platform.add_phone(Phone::new(PHONE, "书记的手机"));
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);

    let staff = cast.township.add_staff_with_phone(cast.village.id, PHONE).await;
    let (county, store) = (cast.township.county, &server.application.store);
    platform.accept_subscription(PHONE, "T-TODO", 1);
    consents::accepted(store, county, Consent::new(PHONE, "T-TODO"), Teller::Platform, 1).await.unwrap();
    let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
    let notice = Notice::new(Recipient::Staff(staff), "deadline_today", subject)
        .facts(json!({"title": "村口路灯坏了", "due_on": "2026-03-02"}));
    store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await.unwrap();

    assert_eq!(bot.tick().await.unwrap().cards, 1);
    let card = platform.phone(PHONE).subscribe_messages()[0].content.text();
    // No key carries the reason: it stands behind the hint, where it fits.
    assert_eq!(
        card,
        "任务名称：村口路灯坏了\n截止日期：2026-03-02\n任务状态：今天到期\n备注：今天到期，请今天办结，您负责办这件事\n\
         发布单位：云溪镇人民政府\n任务类型：整改"
    );
    running.stop().await;
}

#[actix_web::test]
async fn templates_that_do_not_fit_are_told_to_whoever_watches_until_they_do() {
    let server = TestServer::start_with(Engine::Sqlite, with_template_messages).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let ready = async || {
        let answer = server.visitor().get("/readyz").await;
        assert_eq!(answer.status, 200, "people are served all the same");
        answer.text
    };
    assert_eq!(ready().await, "ok");

    platform.add_template(shipped_reminder().with_field("number1", "序号")).unwrap();
    assert_eq!(bot.check_templates().await.unwrap().len(), 4);
    let told = ready().await;
    assert_eq!(
        told,
        "degraded\n提醒模板《待办提醒》的 number1（序号）没有配置放什么\n进展模板：小程序账号里没有这个编号的模板\n\
         服务号的提醒模板《待办提醒》的 number1（序号）没有配置放什么\n服务号的进展模板：服务号账号里没有这个编号的模板"
    );

    // What cannot be asked changes nothing.
    platform.inject(Fault::new(Platform::WeChat, FaultKind::Outage));
    assert!(bot.check_templates().await.is_err());
    assert_eq!(ready().await, told);
    platform.clear_faults();

    platform.add_template(shipped_reminder()).unwrap();
    platform.add_template(shipped_progress()).unwrap();
    assert_eq!(bot.check_templates().await, Ok(Vec::new()));
    assert_eq!(ready().await, "ok");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn cards_wait_while_their_template_has_other_keys_and_go_on_when_it_fits(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    platform.add_template(shipped_reminder().with_field("number1", "序号")).unwrap();
    platform.add_template(shipped_progress()).unwrap();
    platform.add_phone(Phone::new(PHONE, "书记的手机"));
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let staff = cast.township.add_staff_with_phone(cast.village.id, PHONE).await;
    let (county, store) = (cast.township.county, &server.application.store);
    platform.accept_subscription(PHONE, "TEMPLATE-REMINDER", 1);
    consents::accepted(store, county, Consent::new(PHONE, "TEMPLATE-REMINDER"), Teller::Platform, 1).await.unwrap();
    let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
    let notice = Notice::new(Recipient::Staff(staff), "deadline_today", subject)
        .facts(json!({"title": "村口路灯坏了", "due_on": "2026-03-02"}));
    store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await.unwrap();
    let state = async || {
        let about = outbox::entity::Entity::find().filter(outbox::entity::Column::Kind.eq("deadline_today"));
        about.one(store.reader()).await.unwrap().unwrap().state
    };
    let sent = || platform.phone(PHONE).subscribe_messages().len();

    // Nothing that is found twice lets it go.
    for _ in 0..2 {
        bot.check_templates().await.unwrap();
        bot.tick().await.unwrap();
        assert_eq!((state().await, sent()), (MessageState::Stopped, 0));
    }
    let asked = platform.calls().iter().filter(|call| call.endpoint.ends_with("/message/subscribe/send")).count();
    assert_eq!(asked, 0, "the platform is not asked in vain");

    platform.add_template(shipped_reminder()).unwrap();
    bot.check_templates().await.unwrap();
    bot.tick().await.unwrap();
    assert_eq!((state().await, sent()), (MessageState::Sent, 1));
    running.stop().await;
}

/// Whether `check-templates` succeeds with this configuration, and what it says.
async fn checked(running: &RunningSandbox, templates: &str) -> (bool, String) {
    let config = format!("[wechat]\napi_base = \"{}\"\n{templates}", running.wechat_base());
    let run = move || {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("qingfeng.toml"), config).unwrap();
        let arguments = ["--config", "qingfeng.toml", "check-templates"];
        Command::new(PROGRAM).args(arguments).current_dir(folder.path()).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), told.into_owned())
}

#[actix_web::test]
async fn the_command_shows_the_accounts_templates_and_fails_where_one_does_not_fit() {
    let platform = Sandbox::new(SandboxSettings {
        templates: vec![shipped_reminder(), shipped_progress(), found_in_the_library()],
        ..SandboxSettings::default()
    });
    let running = platform.start("127.0.0.1:0").unwrap();
    let (fits, told) = checked(&running, "").await;
    assert!(fits, "{told}");
    for line in [
        "《待办任务提醒》一次性订阅  T-TODO",
        "  character_string4  截止日期",
        "  enum5  任务类型，只能是：整改、会议",
        "  thing7  提示：还有3天到期，请抓紧办理",
        "  phrase3  状态：待办理",
        "配置与账号里的模板相符。",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
    assert!(!told.contains("sandbox-app-secret"), "{told}");

    let official = "[official_account]\napp_id = \"wxsandbox0000000002\"\napp_secret = \"sandbox-account-secret\"\n\
                    [official_account.reminder_template]\nid = \"TEMPLATE-REMINDER\"\n\
                    [official_account.progress_template]\nid = \"T-NONE\"\n";
    let (fits, told) = checked(&running, official).await;
    assert!(!fits && told.contains("- 服务号的进展模板：服务号账号里没有这个编号的模板"), "{told}");
    assert!(told.contains("服务号账号里有3个模板") && !told.contains("sandbox-account-secret"), "{told}");

    let odd = "[wechat.reminder_template]\nid = \"T-TODO\"\nmatter = \"thing11\"\nhint = \"thing3\"\n";
    let (fits, told) = checked(&running, odd).await;
    assert!(!fits, "{told}");
    assert!(told.contains("- 提醒模板《待办任务提醒》里没有 thing3（提示，hint）"), "{told}");
    assert!(told.contains("- 提醒模板《待办任务提醒》的 name8（发布单位）没有配置放什么"), "{told}");

    running.stop().await;
}

#[actix_web::test]
async fn the_shipped_configuration_fits_the_simulator_of_the_demo() {
    let mut config = qingfeng::Config::default();
    config.sandbox.bind = "127.0.0.1:0".into();
    let running = qingfeng::demo::start_simulator(&config, false).unwrap();
    let (fits, told) = checked(&running, "").await;
    assert!(fits, "{told}");
    running.stop().await;
}

#[actix_web::test]
async fn a_platform_that_is_away_is_told_by_the_command() {
    let platform = Sandbox::new(SandboxSettings::default());
    let running = platform.start("127.0.0.1:0").unwrap();
    platform.inject(Fault::new(Platform::WeChat, FaultKind::Outage));
    let (fits, told) = checked(&running, "").await;
    assert!(!fits && told.contains("问不到微信小程序的模板"), "{told}");
    running.stop().await;
}

#[test]
fn a_template_whose_keys_cannot_hold_what_they_should_keeps_the_program_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("qingfeng.toml");
    let bad = "[wechat.reminder_template]\nid = \"T-TODO\"\nmatter = \"thing1\"\nhint = \"character_string2\"\n";
    std::fs::write(&file, bad).unwrap();
    let output = Command::new(PROGRAM).arg("--config").arg(&file).arg("run").output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("提醒模板的“提示”（hint）不能放进 character_string2，只能放进这些类型：thing"), "{told}");
}
