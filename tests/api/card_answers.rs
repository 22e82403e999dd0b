//! Answers on cards at WeCom: each changes the item.

use chrono::TimeDelta;
use qingfeng_core::{outbox::card_updates, people::Role, storage::Engine};
use qingfeng_sandbox::{Content, Fault, FaultKind, Phone, Platform, PushOutcome, RunningSandbox, Sandbox};
use rstest::rstest;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{Cast, TestServer, bot, platform};

const UPDATE: &str = "/cgi-bin/message/update_template_card";

/// A secretary at WeCom, and a bot.
pub struct Chat<'a> {
    pub server: &'a TestServer,
    pub cast: Cast<'a>,
    pub platform: Sandbox,
    pub running: RunningSandbox,
    pub bot: qingfeng_bot::Bot,
}

impl<'a> Chat<'a> {
    pub async fn with_secretary(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let platform = platform(server);
        let mut corporation = platform.wecom_account();
        corporation.corp_id.clone_from(&server.application.config.wecom.corp_id);
        corporation.callback_url = Some(format!("{}/callbacks/wecom", server.address));
        platform.set_wecom_account(corporation);
        platform.add_phone(Phone::new("phone-1", "书记").at_wecom("secretary"));
        platform.add_phone(Phone::new("phone-2", "外人").at_wecom("stranger"));
        cast.township.at_wecom(cast.secretary_id, "secretary").await;
        let running = platform.start("127.0.0.1:0").unwrap();
        let bot = bot(server, &running);
        Self { server, cast, platform, running, bot }
    }

    pub async fn latest_card(&self) -> (String, Vec<String>, String) {
        self.bot.tick().await.unwrap();
        let cards = self.platform.delivered_to_member("secretary");
        let Content::Card { buttons, task: Some(task), .. } = &cards.last().unwrap().content else {
            panic!("{cards:?}")
        };
        let labels = buttons.iter().map(|button| button.text.clone()).collect();
        (task.clone(), labels, cards.last().unwrap().content.text())
    }

    pub async fn tap(&self, task: &str, key: &str) {
        // Two taps within a second would be one event.
        self.server.clock.advance(TimeDelta::seconds(1));
        assert_eq!(self.platform.phone("phone-1").tap(task, key).await, PushOutcome::Handled);
    }

    /// A tap that the phone does not offer.
    async fn forge_tap(&self, task: &str, key: &str) {
        self.server.clock.advance(TimeDelta::seconds(1));
        assert_eq!(self.platform.phone("phone-1").forge_tap(task, key).await, PushOutcome::Handled);
    }

    pub async fn say(&self, text: &str) -> String {
        match self.platform.phone("phone-1").say_at_wecom(text).await {
            PushOutcome::Replied(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    async fn state(&self, path: &str) -> Value {
        self.cast.view(path).await["state"].clone()
    }
}

#[rstest]
#[actix_web::test]
async fn a_complaint_is_taken_on_right_on_the_card(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let path = chat.cast.dispatched().await;
    let (task, labels, _) = chat.latest_card().await;
    assert_eq!(labels, ["受理", "不是我的"]);
    assert_eq!(chat.platform.phone("phone-2").forge_tap(&task, "take_on").await, PushOutcome::Handled);
    chat.forge_tap(&task, "nonsense").await;
    chat.forge_tap("nonsense", "take_on").await;
    assert_eq!(chat.state(&path).await, "dispatched", "neither a stranger nor nonsense does anything");
    chat.tap(&task, "take_on").await;
    assert_eq!(chat.state(&path).await, "working");
    chat.tap(&task, "take_on").await;
    assert_eq!(chat.state(&path).await, "working");
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_complaint_that_is_not_mine_goes_back_with_the_reason_that_is_asked_for(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let path = chat.cast.dispatched().await;
    let (task, ..) = chat.latest_card().await;
    chat.tap(&task, "not_mine").await;
    assert_eq!(chat.state(&path).await, "dispatched", "a reason is missing");
    chat.bot.tick().await.unwrap();
    let asked = chat.platform.delivered_to_member("secretary").last().unwrap().content.text();
    assert!(asked.contains("请直接回复理由"), "{asked}");
    let said = chat.say("路灯归供电所管").await;
    assert!(said.contains("已退回镇专项行动办"), "{said}");
    assert_eq!(chat.state(&path).await, "classified");
    assert!(chat.cast.view(&path).await.to_string().contains("路灯归供电所管"));
    // The question is answered: what is written next is no reason any more.
    assert!(chat.say("路灯归供电所管").await.contains("没看懂"));
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn two_cards_wait_each_for_its_own_words(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let first = chat.cast.dispatched().await;
    let (first_task, ..) = chat.latest_card().await;
    server.clock.advance(TimeDelta::minutes(1));
    let second = chat.cast.dispatched().await;
    let (second_task, ..) = chat.latest_card().await;
    chat.tap(&first_task, "not_mine").await;
    chat.tap(&second_task, "not_mine").await;

    let asked = chat.say("路灯归供电所管").await;
    assert!(asked.contains("哪一件") && asked.contains("\n1 《") && asked.contains("\n2 《"), "{asked}");
    assert_eq!((chat.state(&first).await, chat.state(&second).await), (json!("dispatched"), json!("dispatched")));
    assert!(chat.say("7").await.contains("没有这个号"));
    // The words were kept for whichever is named.
    let said = chat.say("2").await;
    assert!(said.starts_with('《') && said.contains("已退回镇专项行动办") && said.contains("还有没答的"), "{said}");
    assert_eq!((chat.state(&first).await, chat.state(&second).await), (json!("dispatched"), json!("classified")));
    assert!(chat.cast.view(&second).await.to_string().contains("路灯归供电所管"));
    assert!(!chat.cast.view(&first).await.to_string().contains("路灯归供电所管"));

    assert!(chat.say("1").await.contains("请写理由"), "a number is no reason");
    assert!(chat.say("这条路是县道").await.contains("已退回镇专项行动办"));
    assert_eq!(chat.state(&first).await, "classified");
    assert!(chat.say("这条路是县道").await.contains("没看懂"));
    chat.running.stop().await;
}

#[actix_web::test]
async fn the_card_may_be_named_before_the_words() {
    let server = TestServer::start(Engine::Sqlite).await;
    let chat = Chat::with_secretary(&server).await;
    let mut paths = Vec::new();
    for _ in 0..2 {
        paths.push(chat.cast.dispatched().await);
        let (task, ..) = chat.latest_card().await;
        chat.tap(&task, "not_mine").await;
        // The question leaves before the next card: together they would be one, without buttons.
        chat.bot.tick().await.unwrap();
        server.clock.advance(TimeDelta::minutes(1));
    }
    assert!(chat.say("1").await.contains("请写理由"));
    // It is given up, the other one is not.
    let given_up = chat.say("取消").await;
    assert!(given_up.contains("没有提交") && given_up.contains("请写理由"), "{given_up}");
    assert!(chat.say("路灯归供电所管").await.contains("已退回镇专项行动办"));
    assert_eq!((chat.state(&paths[0]).await, chat.state(&paths[1]).await), (json!("dispatched"), json!("classified")));
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn who_gives_up_and_taps_again_is_asked_again(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let path = chat.cast.dispatched().await;
    let (task, ..) = chat.latest_card().await;
    let questions = async || {
        chat.bot.tick().await.unwrap();
        let cards = chat.platform.delivered_to_member("secretary");
        cards.iter().filter(|card| card.content.text().contains("请直接回复理由")).count()
    };
    chat.tap(&task, "not_mine").await;
    assert_eq!(questions().await, 1);
    // Who is asked already is not asked twice.
    server.clock.advance(TimeDelta::seconds(1));
    chat.tap(&task, "not_mine").await;
    assert_eq!(questions().await, 1);
    assert!(chat.say("取消").await.contains("没有提交"));
    assert!(chat.say("路灯归供电所管").await.contains("没看懂"), "nothing is asked any more");
    server.clock.advance(TimeDelta::seconds(1));
    chat.tap(&task, "not_mine").await;
    assert_eq!(questions().await, 2);
    // And so is who let a day go by.
    server.clock.advance(TimeDelta::hours(25));
    assert!(chat.say("路灯归供电所管").await.contains("没看懂"));
    chat.tap(&task, "not_mine").await;
    assert_eq!(questions().await, 3);
    assert!(chat.say("路灯归供电所管").await.contains("已退回镇专项行动办"));
    assert_eq!(chat.state(&path).await, "classified");
    chat.running.stop().await;
}

#[actix_web::test]
async fn what_is_plainly_no_reason_sends_nothing_back() {
    let server = TestServer::start(Engine::Sqlite).await;
    let chat = Chat::with_secretary(&server).await;
    let path = chat.cast.dispatched().await;
    let number = chat.cast.view(&path).await["number"].as_str().unwrap().to_owned();
    let (task, ..) = chat.latest_card().await;
    chat.tap(&task, "not_mine").await;
    let asked = format!("查{number}");
    for text in [asked.as_str(), "SQ26-ZZZZZZ", "进度", "公示", "问卷", "反映", "退订", "谢谢", "好的", "待办", "帮助"]
    {
        let said = chat.say(text).await;
        assert_eq!(chat.state(&path).await, "dispatched", "{text}: {said}");
    }
    assert!(chat.say(&number).await.contains("现在："));
    assert!(chat.say("收到").await.contains("还没有答"));
    let report = chat.say("我要举报有人收钱").await;
    assert!(report.contains("12388") && !report.contains("写到一半"), "there is no draft here: {report}");
    // Among other words the number belongs to the reason.
    let said = chat.say(&format!("和{number}说的是同一盏灯，归供电所管")).await;
    assert!(said.contains("已退回镇专项行动办"), "{said}");
    assert_eq!(chat.state(&path).await, "classified");
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn more_time_is_asked_for_in_the_chat_and_knowing_quiets_the_reminders(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    // So that the three days before the date are working days.
    server.clock.advance(TimeDelta::days(8));
    let path = chat.cast.working().await;
    let desk = chat.cast.secretary.get("/api/desk").await.ok();
    let due_on: chrono::NaiveDate = desk["items"][0]["due_on"].as_str().unwrap().parse().unwrap();
    let today = || qingfeng_core::clock::shanghai_date(qingfeng_core::clock::Clock::now(&*server.clock));
    chat.bot.tick().await.unwrap();
    server.clock.advance(TimeDelta::days((due_on - today()).num_days() - 3));
    let (task, labels, _) = chat.latest_card().await;
    assert_eq!(labels, ["知道了", "要延期", "不是我的"]);

    chat.tap(&task, "more_time").await;
    assert!(chat.say("等材料").await.contains("没看懂日期"));
    assert!(chat.say("5天").await.contains("还缺理由"));
    assert!(chat.say("延到2020-01-01，等材料").await.contains("要晚于现在的期限"));
    let said = chat.say("再给5天，等材料到货").await;
    assert!(said.contains("已申请延期"), "{said}");
    let waiting = chat.cast.leader.get("/api/desk/extensions").await.ok();
    assert_eq!(waiting["items"][0]["reason"], "等材料到货");
    assert_eq!(waiting["items"][0]["new_due_on"], json!(due_on + TimeDelta::days(5)));

    chat.tap(&task, "known").await;
    assert_eq!(chat.cast.secretary.get("/api/desk").await.ok()["items"][0]["acknowledged"], true);
    // The question about more time has come; the reminder of the day before does not, that of the day does.
    chat.bot.tick().await.unwrap();
    let cards = || chat.platform.delivered_to_member("secretary").len();
    let before = cards();
    server.clock.advance(TimeDelta::days(2));
    chat.bot.tick().await.unwrap();
    assert_eq!(cards(), before);
    server.clock.advance(TimeDelta::days(1));
    chat.bot.tick().await.unwrap();
    assert_eq!(cards(), before + 1);
    let (_, labels, _) = chat.latest_card().await;
    assert_eq!(labels, ["要延期", "不是我的"]);
    assert_eq!(chat.state(&path).await, "working");
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn who_taps_on_the_card_of_a_date_that_moved_does_not_know_of_the_new_one(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let path = chat.cast.working().await;
    chat.bot.tick().await.unwrap();
    // Due on May 6, after the holiday.
    server.clock.set("2026-04-30T01:00:00Z".parse().unwrap());
    let (task, labels, _) = chat.latest_card().await;
    assert_eq!(labels, ["知道了", "要延期", "不是我的"]);
    let more_time = json!({"new_due_on": "2026-05-20", "reason": "灯具缺货"});
    let request = chat.cast.secretary.post(&format!("{path}/extensions"), more_time).await.ok()["id"].clone();
    let decision = format!("/api/complaints/extensions/{}/decision", request.as_str().unwrap());
    chat.cast.leader.post(&decision, json!({"decision": "approve", "reason": "情况属实"})).await.ok();

    chat.tap(&task, "known").await;
    let desk = chat.cast.secretary.get("/api/desk").await.ok();
    assert_eq!((&desk["items"][0]["due_on"], &desk["items"][0]["acknowledged"]), (&json!("2026-05-20"), &json!(false)));
    chat.bot.tick().await.unwrap();
    assert_eq!(chat.buttons_of(&task), ["期限已调整"]);
    chat.running.stop().await;
}

#[actix_web::test]
async fn whoever_may_not_work_on_it_does_not_answer_for_it() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    cast.working().await;
    let elsewhere = cast.township.village("西坡村").await;
    let stranger = cast.township.staff_of(elsewhere.id, Role::VillageSecretary).await.0;
    let desk = cast.secretary.get("/api/desk").await.ok();
    let path = format!("/api/deadlines/{}", desk["items"][0]["id"].as_str().unwrap());
    for (act, body) in [("acknowledgement", json!({})), ("objection", json!({"reason": "不归我"}))] {
        stranger.post(&format!("{path}/{act}"), body.clone()).await.problem(404, "not_found");
        cast.resident.post(&format!("{path}/{act}"), body.clone()).await.problem(403, "forbidden");
        cast.leader.post(&format!("{path}/{act}"), body).await.problem(403, "forbidden");
    }
    cast.secretary.post(&format!("{path}/objection"), json!({"reason": " "})).await.problem(422, "invalid_input");
    cast.secretary.post(&format!("{path}/acknowledgement"), json!({})).await.ok();
    cast.secretary.post(&format!("{path}/acknowledgement"), json!({})).await.ok();
}

#[rstest]
#[actix_web::test]
async fn staff_ask_in_the_chat_what_waits_and_how_an_item_stands(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let path = chat.cast.working().await;
    let number = chat.cast.view(&path).await["number"].as_str().unwrap().to_owned();
    assert!(chat.say("待办").await.contains("还有"));
    let said = chat.say(&format!("查{}", number.to_lowercase())).await;
    assert!(said.contains(&number) && said.contains("正在办理"), "{said}");
    assert!(chat.say("SQ26-ZZZZZZ").await.contains("没有这个编号"));
    assert!(chat.say("帮助").await.contains("待办"));
    assert!(chat.say("我要举报有人收钱").await.contains("12388"));
    let stranger = chat.platform.phone("phone-2").say_at_wecom("待办").await;
    assert!(matches!(&stranger, PushOutcome::Replied(text) if text.contains("还不知道您是谁")), "{stranger:?}");
    // Who writes a report need not be known.
    let stranger = chat.platform.phone("phone-2").say_at_wecom("我要举报有人收钱").await;
    assert!(matches!(&stranger, PushOutcome::Replied(text) if text.contains("12388")), "{stranger:?}");
    chat.running.stop().await;
}

impl Chat<'_> {
    /// What the buttons of the latest card with this task say now.
    pub fn buttons_of(&self, task: &str) -> Vec<String> {
        let cards = self.platform.delivered_to_member("secretary");
        let its = |content: &Content| matches!(content, Content::Card { task: Some(its), .. } if its == task);
        let Some(Content::Card { buttons, .. }) = cards.iter().map(|card| &card.content).find(|content| its(content))
        else {
            panic!("{cards:?}")
        };
        buttons.iter().map(|button| button.text.clone()).collect()
    }
}

#[rstest]
#[actix_web::test]
async fn a_card_says_what_was_done_on_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    chat.cast.dispatched().await;
    let (first, ..) = chat.latest_card().await;
    // The platform is away when the card is to be changed: it is tried again.
    let away = chat.platform.inject(Fault::new(Platform::WeCom, FaultKind::Outage).at(UPDATE));
    chat.tap(&first, "take_on").await;
    chat.bot.tick().await.unwrap();
    assert_eq!(chat.buttons_of(&first), ["受理", "不是我的"]);
    assert!(chat.platform.end_fault(away));
    server.clock.advance(TimeDelta::minutes(6));
    chat.bot.tick().await.unwrap();
    assert_eq!(chat.buttons_of(&first), ["已受理"]);

    // A reason is asked for: the card changes when it is given.
    server.clock.advance(TimeDelta::minutes(1));
    chat.cast.dispatched().await;
    let (second, ..) = chat.latest_card().await;
    chat.tap(&second, "not_mine").await;
    chat.bot.tick().await.unwrap();
    assert_eq!(chat.buttons_of(&second), ["受理", "不是我的"]);
    chat.say("路灯归供电所管").await;
    chat.bot.tick().await.unwrap();
    assert_eq!(chat.buttons_of(&second), ["已说明不是我的"]);
    // What has moved on cannot be done any more, and says so: on a phone that has not heard of the change.
    chat.forge_tap(&second, "take_on").await;
    chat.bot.tick().await.unwrap();
    assert!(matches!(chat.buttons_of(&second).as_slice(), [one] if one == "已办理" || one == "已说明不是我的"));
    chat.running.stop().await;
}

#[rstest]
#[case::lost_answer(FaultKind::Cut)]
#[case::half_an_answer(FaultKind::Truncated)]
#[actix_web::test]
async fn a_change_whose_end_is_not_known_is_asked_for_again_in_vain_and_harms_nothing(#[case] fault: FaultKind) {
    let server = TestServer::start(Engine::Sqlite).await;
    let chat = Chat::with_secretary(&server).await;
    let path = chat.cast.dispatched().await;
    let (task, ..) = chat.latest_card().await;
    chat.platform.inject(Fault::new(Platform::WeCom, fault).at(UPDATE).times(1));
    chat.tap(&task, "take_on").await;
    for _ in 0..3 {
        chat.bot.tick().await.unwrap();
        server.clock.advance(TimeDelta::minutes(6));
    }
    assert_eq!(chat.buttons_of(&task), ["已受理"]);
    assert_eq!(chat.state(&path).await, "working");
    let waiting = card_updates::Entity::find().count(server.application.store.reader()).await.unwrap();
    assert_eq!(waiting, 0, "the code was used, so there is nothing to try any more");
    chat.running.stop().await;
}

#[actix_web::test]
async fn a_change_that_the_platform_takes_no_more_is_dropped() {
    let server = TestServer::start(Engine::Sqlite).await;
    let chat = Chat::with_secretary(&server).await;
    chat.cast.dispatched().await;
    let (task, ..) = chat.latest_card().await;
    let away = chat.platform.inject(Fault::new(Platform::WeCom, FaultKind::Outage).at(UPDATE));
    chat.tap(&task, "take_on").await;
    chat.bot.tick().await.unwrap();
    assert!(chat.platform.end_fault(away));
    server.clock.advance(TimeDelta::hours(73));
    chat.bot.tick().await.unwrap();
    assert_eq!(chat.buttons_of(&task), ["受理", "不是我的"]);
    assert_eq!(card_updates::Entity::find().count(server.application.store.reader()).await.unwrap(), 0);
    chat.running.stop().await;
}
