//! One accept of a template is one message: counted from both tellers, used up once, never asked for in vain.

use qingfeng_bot::{Bot, delivery::Delivered};
use qingfeng_core::{
    clock::Clock as _,
    outbox::{
        self, MessageState, Notice, Recipient,
        consents::{self, Consent, Teller, Validity},
    },
    people::{PersonKind, sessions::Person as Identity},
    refusal::Fault,
    storage::{Engine, Store},
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{EventFormat, PushOutcome, RunningSandbox, Sandbox, SandboxSettings, Template};
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Cast, Person, TestServer, bot, push};

const PHONE: &str = "phone-1";

/// A resident with a phone, the platform, and a bot.
struct Stage<'a> {
    server: &'a TestServer,
    cast: Cast<'a>,
    platform: Sandbox,
    bot: Bot,
    resident: qingfeng_core::ids::ResidentId,
    person: Person,
    progress: String,
    reminder: String,
    _running: RunningSandbox,
}

impl<'a> Stage<'a> {
    async fn set(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let settings = &server.application.config.wechat;
        let (progress, reminder) =
            (settings.progress_template.id().to_owned(), settings.reminder_template.id().to_owned());
        let clock = server.clock.clone();
        let platform = Sandbox::new(SandboxSettings {
            clock: std::sync::Arc::new(move || clock.now()),
            templates: vec![
                Template::new(&reminder, "待办提醒")
                    .with_field("thing2", "事项")
                    .with_field("phrase3", "状态")
                    .with_field("time5", "期限")
                    .with_field("thing7", "提示")
                    .with_field("thing9", "原因"),
                Template::new(&progress, "进展通知")
                    .with_field("thing4", "事项")
                    .with_field("thing1", "进展")
                    .with_field("thing8", "原因"),
            ],
            ..SandboxSettings::default()
        });
        let mut account = platform.account();
        account.callback_url = Some(format!("{}/callbacks/wechat", server.address));
        account.callback_token = settings.callback_token.clone();
        platform.set_account(account);
        let running = platform.start("127.0.0.1:0").unwrap();
        let resident = cast.township.add_resident(cast.village, Some(PHONE), None).await;
        let identity = Identity { county: cast.township.county, kind: PersonKind::Resident, id: resident.0 };
        let person = server.signed_in(identity).await;
        platform.add_phone(qingfeng_sandbox::Phone::new(PHONE, "村民的手机"));
        let bot = bot(server, &running);
        Self { server, cast, platform, bot, resident, person, progress, reminder, _running: running }
    }

    async fn left(&self) -> u32 {
        consents::left(&self.server.application.store, &Consent::new(PHONE, &self.progress)).await.unwrap()
    }

    /// Some news about some complaint.
    async fn news(&self) {
        let (resident, county) = (self.resident, self.cast.township.county);
        let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
        let notice = Notice::new(Recipient::Resident(resident), "complaint_accepted", subject)
            .facts(json!({"title": "村口路灯坏了"}));
        let store = &self.server.application.store;
        store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await.unwrap();
    }

    async fn works(&self) -> Delivered {
        self.bot.tick().await.unwrap()
    }

    async fn message_states(&self) -> Vec<(MessageState, Option<String>)> {
        let messages = outbox::entity::Entity::find().all(self.server.application.store.reader()).await.unwrap();
        messages.into_iter().map(|message| (message.state, message.parked_reason)).collect()
    }

    fn calls(&self) -> usize {
        let calls = self.platform.calls();
        calls.iter().filter(|call| call.endpoint == "/cgi-bin/message/subscribe/send").count()
    }

    async fn reports(&self, answer: &str) -> Value {
        let choices = json!({"choices": [{"template_id": self.progress, "answer": answer}]});
        self.person.post("/api/me/consents", choices).await.ok()
    }
}

#[rstest]
#[actix_web::test]
async fn one_accept_is_one_message_and_the_next_is_not_even_tried(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(EventFormat::Xml, EventFormat::Json)] format: EventFormat,
) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    let mut account = stage.platform.account();
    account.event_format = format;
    stage.platform.set_account(account);
    let phone = stage.platform.phone(PHONE);
    // Two templates in one pop-up: a list of two; a refusal leaves what was accepted.
    let both = [(stage.progress.as_str(), true), (stage.reminder.as_str(), false)];
    assert_eq!(phone.choose(&both).await, PushOutcome::Handled);
    assert_eq!(phone.reject(&stage.progress).await, PushOutcome::Handled);
    // The app tells of the same accept: together they are one.
    stage.reports("accept").await;
    stage.reports("reject").await;
    assert_eq!(stage.left().await, 1);

    stage.news().await;
    assert_eq!(stage.works().await.cards, 1);
    assert_eq!((stage.left().await, phone.subscribe_messages().len()), (0, 1));

    stage.news().await;
    assert_eq!(stage.works().await.parked, 1);
    assert_eq!(stage.calls(), 1, "the platform is not asked in vain");
    let parked = stage.message_states().await.pop().unwrap();
    assert!(parked.0 == MessageState::Parked && parked.1.as_deref().unwrap().contains("没有同意接收"), "{parked:?}");

    let seen = stage.person.get("/api/me/consents").await.ok();
    assert_eq!(seen, json!({"templates": [{"template_id": stage.progress, "left": 0}]}));
}

#[rstest]
#[actix_web::test]
async fn an_event_delivered_again_counts_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    let body = format!(
        "<xml><ToUserName>gh</ToUserName><FromUserName>{PHONE}</FromUserName><CreateTime>7</CreateTime>\
         <MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List>\
         <TemplateId>{}</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>\
         </SubscribeMsgPopupEvent></xml>",
        stage.progress
    );
    for nonce in ["1", "2", "3"] {
        assert_eq!(push(&server, nonce, &body).await.1, "success");
    }
    assert_eq!(stage.left().await, 1);
    // Of a stranger nothing is counted.
    stage.platform.phone("stranger").accept(&stage.progress).await;
    let stranger = Consent::new("stranger", &stage.progress);
    assert_eq!(consents::left(&server.application.store, &stranger).await.unwrap(), 0);
}

#[rstest]
#[actix_web::test]
async fn what_the_platform_says_corrects_the_ledger(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    let phone = stage.platform.phone(PHONE);
    // Reported, but never accepted: 43101 is the truth.
    stage.reports("accept").await;
    stage.reports("accept").await;
    assert_eq!(stage.left().await, 2);
    stage.news().await;
    assert_eq!(stage.works().await.parked, 1);
    assert_eq!((stage.left().await, stage.calls()), (0, 1));
    // From then on everything counts again.
    phone.accept(&stage.progress).await;
    assert_eq!(stage.left().await, 1);
    // Switched off in the settings.
    phone.switch_off(&stage.progress).await;
    assert_eq!(stage.left().await, 0);
}

#[actix_web::test]
async fn a_message_that_did_not_arrive_after_all_is_parked() {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::set(&server).await;
    let phone = stage.platform.phone(PHONE);
    phone.accept(&stage.progress).await;
    stage.news().await;
    assert_eq!(stage.works().await.cards, 1);
    let id = phone.subscribe_messages()[0].id;
    phone.lose(&stage.progress, id + 1, 43110).await;
    assert_eq!(stage.message_states().await[0].0, MessageState::Sent, "another message");
    assert_eq!(stage.left().await, 0);
    phone.lose(&stage.progress, id, 43110).await;
    let (state, reason) = stage.message_states().await.remove(0);
    assert!(state == MessageState::Parked && reason.unwrap().contains("没有送达"));
    assert_eq!(stage.left().await, 1, "it used up no accept");
}

/// The platform's word that a message did not arrive, as of so many seconds after nine o'clock.
async fn lost(stage: &Stage<'_>, message: u64, code: i64, seconds: i64) {
    let body = format!(
        "<xml><ToUserName>gh</ToUserName><FromUserName>{PHONE}</FromUserName><CreateTime>{}</CreateTime>\
         <MsgType>event</MsgType><Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List>\
         <TemplateId>{}</TemplateId><MsgID>{message}</MsgID><ErrorCode>{code}</ErrorCode><ErrorStatus>failed</ErrorStatus>\
         </List></SubscribeMsgSentEvent></xml>",
        1_772_413_200 + seconds,
        stage.progress
    );
    assert_eq!(push(stage.server, "1", &body).await.1, "success");
}

#[rstest]
#[actix_web::test]
async fn that_none_is_left_is_said_of_one_message_once_and_not_of_what_was_accepted_later(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    let (store, county) = (&server.application.store, stage.cast.township.county);
    let phone = stage.platform.phone(PHONE);
    phone.accept(&stage.progress).await;
    // Of a message that is none of ours: it says nothing of the ledger.
    lost(&stage, 999_999, 43101, -120).await;
    lost(&stage, 999_999, 43101, 0).await;
    assert_eq!(stage.left().await, 1);

    stage.news().await;
    assert_eq!(stage.works().await.cards, 1);
    let id = phone.subscribe_messages()[0].id;
    let consent = Consent::new(PHONE, &stage.progress);
    consents::accepted(store, county, consent, Teller::Platform, 1).await.unwrap();
    assert_eq!(stage.left().await, 1);
    // What was accepted after it happened holds.
    lost(&stage, id, 43101, -1).await;
    assert_eq!(stage.left().await, 1);
    assert_eq!(stage.message_states().await[0].0, MessageState::Parked);
    // Said again, it is no news.
    lost(&stage, id, 43101, 1).await;
    assert_eq!(stage.left().await, 1);
}

#[actix_web::test]
async fn a_message_that_was_lost_for_want_of_an_accept_voids_the_others() {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::set(&server).await;
    let phone = stage.platform.phone(PHONE);
    phone.accept(&stage.progress).await;
    stage.reports("accept").await;
    stage.reports("accept").await;
    stage.news().await;
    assert_eq!(stage.works().await.cards, 1);
    assert_eq!(stage.left().await, 1);
    let id = phone.subscribe_messages()[0].id;
    lost(&stage, id, 43101, 0).await;
    assert_eq!((stage.left().await, stage.message_states().await[0].0), (0, MessageState::Parked));
}

#[actix_web::test]
async fn an_accept_is_given_back_when_the_platform_was_away() {
    use qingfeng_sandbox::{FaultKind, Platform};
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::set(&server).await;
    stage.platform.phone(PHONE).accept(&stage.progress).await;
    stage.news().await;
    stage.platform.inject(qingfeng_sandbox::Fault::new(Platform::WeChat, FaultKind::Outage));
    assert_eq!(stage.works().await.postponed, 1);
    assert_eq!(stage.left().await, 1);
    stage.platform.clear_faults();
    server.clock.advance(chrono::TimeDelta::minutes(30));
    assert_eq!(stage.works().await.cards, 1);
    assert_eq!(stage.left().await, 0);
}

async fn take(store: &Store, consent: &Consent, validity: Validity) -> Result<bool, Fault> {
    let consent = consent.clone();
    store.housekeeping(move |unit| Box::pin(async move { consents::take(unit, &consent, validity).await })).await
}

#[rstest]
#[actix_web::test]
async fn of_two_that_race_for_the_last_accept_one_gets_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let stage = Stage::set(&server).await;
    let (store, consent) = (&server.application.store, Consent::new(PHONE, &stage.progress));
    let county = stage.cast.township.county;
    consents::accepted(store, county, consent.clone(), Teller::Platform, 3).await.unwrap();
    let takers = (0..12).map(|_| take(store, &consent, Validity::Once));
    let taken = futures::future::try_join_all(takers).await.unwrap();
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 3);
    // A long-term accept is not used up.
    assert!(!take(store, &consent, Validity::LongTerm).await.unwrap());
    consents::accepted(store, county, consent.clone(), Teller::App, 4).await.unwrap();
    for _ in 0..5 {
        assert!(take(store, &consent, Validity::LongTerm).await.unwrap());
    }
    assert_eq!(stage.left().await, 1);
}

#[actix_web::test]
async fn staff_without_accepts_of_the_reminder_get_it_as_news() {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::set(&server).await;
    let staff = stage.cast.township.add_staff_with_phone(stage.cast.village.id, "phone-2").await;
    stage.platform.phone("phone-2").accept(&stage.progress).await;
    let county = stage.cast.township.county;
    let subject = SubjectRef { kind: SubjectKind::Complaint, id: Uuid::now_v7() };
    let notice = Notice::new(Recipient::Staff(staff), "deadline_today", subject)
        .facts(json!({"title": "村口路灯坏了", "due_on": "2026-03-02"}));
    let store = &server.application.store;
    store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await.unwrap();
    assert_eq!(stage.works().await.cards, 1);
    let card = stage.platform.phone("phone-2").subscribe_messages()[0].content.text();
    assert_eq!(card, "事项：村口路灯坏了\n进展：今天到期，请今天办结\n原因：您负责办这件事");
}

#[actix_web::test]
async fn only_known_templates_are_reported_and_only_by_who_has_a_phone() {
    let server = TestServer::start(Engine::Sqlite).await;
    let stage = Stage::set(&server).await;
    let report = |templates: &[&str]| {
        let choices: Vec<_> = templates.iter().map(|id| json!({"template_id": id, "answer": "accept"})).collect();
        json!({"choices": choices})
    };
    let path = "/api/me/consents";
    stage.person.post(path, report(&["unknown"])).await.problem(422, "invalid_input");
    // A resident is not reminded of deadlines.
    stage.person.post(path, report(&[&stage.reminder])).await.problem(422, "invalid_input");
    stage.person.post(path, report(&[&stage.progress, &stage.progress])).await.problem(422, "invalid_input");
    stage.cast.resident.post(path, report(&[&stage.progress])).await.problem(409, "no_wechat_identity");
    assert_eq!(stage.cast.resident.get(path).await.ok(), json!({"templates": []}));
    assert_eq!(stage.left().await, 0);
}
