//! Answers on cards at WeCom: each changes the item.

use std::sync::Arc;

use chrono::TimeDelta;
use qingfeng_core::{
    outbox::{self, Notice, Recipient, card_updates},
    people::Role,
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Content, Fault, FaultKind, Phone, Platform, PushOutcome, RunningSandbox, Sandbox};
use rstest::rstest;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Cast, TestServer, bot, platform};

const UPDATE: &str = "/cgi-bin/message/update_template_card";

struct Chat<'a> {
    server: &'a TestServer,
    cast: Cast<'a>,
    platform: Sandbox,
    running: RunningSandbox,
    bot: qingfeng_bot::Bot,
}

impl<'a> Chat<'a> {
    async fn with_secretary(server: &'a TestServer) -> Self {
        let cast = Cast::of(server).await;
        let platform = platform(server);
        let mut corporation = platform.wecom_account();
        corporation.callback_url = Some(format!("{}/callbacks/wecom", server.address));
        platform.set_wecom_account(corporation);
        platform.add_phone(Phone::new("phone-1", "书记").at_wecom("secretary"));
        platform.add_phone(Phone::new("phone-2", "外人").at_wecom("stranger"));
        cast.township.at_wecom(cast.secretary_id, "secretary").await;
        let running = platform.start("127.0.0.1:0").unwrap();
        let bot = bot(server, &running);
        Self { server, cast, platform, running, bot }
    }

    async fn latest_card(&self) -> (String, Vec<String>, String) {
        self.bot.tick().await.unwrap();
        let cards = self.platform.delivered_to_member("secretary");
        let Content::Card { buttons, task: Some(task), .. } = &cards.last().unwrap().content else {
            panic!("{cards:?}")
        };
        let labels = buttons.iter().map(|button| button.text.clone()).collect();
        (task.clone(), labels, cards.last().unwrap().content.text())
    }

    async fn tap(&self, task: &str, key: &str) {
        // Two taps within a second would be one event.
        self.server.clock.advance(TimeDelta::seconds(1));
        assert_eq!(self.platform.phone("phone-1").tap(task, key).await, PushOutcome::Handled);
    }

    /// A tap that the phone does not offer.
    async fn forge_tap(&self, task: &str, key: &str) {
        self.server.clock.advance(TimeDelta::seconds(1));
        assert_eq!(self.platform.phone("phone-1").forge_tap(task, key).await, PushOutcome::Handled);
    }

    async fn say(&self, text: &str) -> String {
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
async fn more_time_is_asked_for_in_the_chat_and_knowing_quiets_the_reminders(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
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
    chat.running.stop().await;
}

impl Chat<'_> {
    /// What the buttons of the latest card with this task say now.
    fn buttons_of(&self, task: &str) -> Vec<String> {
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

/// The secretary's duty of a small plan, and a rectification item of the village.
async fn items(cast: &Cast<'_>) -> [Value; 2] {
    let plan = include_str!("../../core/src/campaigns/reading/right.toml");
    cast.office.post("/api/campaigns", json!({"township_id": cast.township.id, "source": plan})).await.ok();
    let problem =
        json!({"village_id": cast.village.id, "way": "residents", "category": "all_talk", "words": "路灯不亮"});
    let problem = cast.office.post("/api/problems", problem).await.ok()["id"].clone();
    let item = json!({
        "village_id": cast.village.id, "problem_ids": [problem], "title": "路灯", "goal": "全亮", "measures": ["换灯"],
        "pace": "immediate", "due_on": "2026-04-10", "lead_unit_id": cast.village.id,
    });
    cast.office.post("/api/rectifications", item).await.ok();
    let desk = cast.secretary.get("/api/desk").await.ok();
    ["duty", "rectification"].map(|kind| {
        let lines = desk["items"].as_array().unwrap();
        lines.iter().find(|line| line["subject_kind"] == kind).unwrap_or_else(|| panic!("{desk}")).clone()
    })
}

fn line(desk: &Value, id: &Value) -> Option<Value> {
    desk["items"].as_array().unwrap().iter().find(|line| line["id"] == *id).cloned()
}

#[rstest]
#[actix_web::test]
async fn what_is_not_mine_is_seen_by_the_office_and_goes_to_somebody_else(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let elsewhere = cast.township.department("供电所").await;
    let (handler, handler_id) = cast.township.staff_of(elsewhere, Role::DepartmentHandler).await;
    let outside = server.township().await;
    let (_, stranger) = outside.staff_of(outside.village("南山村").await.id, Role::VillageSecretary).await;
    for item in items(&cast).await {
        let path = format!("/api/deadlines/{}", item["id"].as_str().unwrap());
        let decision = format!("{path}/objection/decision");
        assert_eq!((&item["mine"], &item["objection"]), (&json!(true), &Value::Null));
        let to_handler = json!({"staff_id": handler_id, "reason": "路灯归供电所管"});
        cast.office.post(&decision, to_handler.clone()).await.problem(409, "no_objection");
        cast.secretary.post(&format!("{path}/objection"), json!({"reason": "归供电所管"})).await.ok();

        // The office and the leader see who said what; only the office decides.
        for (person, may_decide) in [(&cast.office, true), (&cast.leader, false), (&cast.secretary, false)] {
            let seen = line(&person.get("/api/desk").await.ok(), &item["id"]).unwrap();
            assert_eq!(seen["objection"]["reason"], "归供电所管");
            assert_eq!(
                (&seen["objection"]["by"], &seen["objection"]["may_decide"]),
                (&json!("测试干部"), &json!(may_decide))
            );
        }
        for person in [&cast.leader, &cast.secretary, &cast.resident] {
            person.post(&decision, to_handler.clone()).await.problem(403, "forbidden");
        }
        for wrong in [json!(stranger), json!(cast.secretary_id)] {
            cast.office
                .post(&decision, json!({"staff_id": wrong, "reason": "归你"}))
                .await
                .problem(422, "invalid_input");
        }
        cast.office.post(&decision, json!({"reason": " "})).await.problem(422, "invalid_input");
        assert!(line(&handler.get("/api/desk").await.ok(), &item["id"]).is_none());

        cast.office.post(&decision, to_handler.clone()).await.ok();
        cast.office.post(&decision, to_handler).await.problem(409, "no_objection");
        let now = line(&handler.get("/api/desk").await.ok(), &item["id"]).unwrap();
        assert_eq!((&now["mine"], &now["objection"], &now["due_on"]), (&json!(true), &Value::Null, &item["due_on"]));
        assert!(line(&cast.secretary.get("/api/desk").await.ok(), &item["id"]).is_none(), "it left the other desk");
        // He may answer for it; the plan's schedule does not take it away from him.
        handler.post(&format!("{path}/acknowledgement"), json!({})).await.ok();
        let seen = line(&cast.leader.get("/api/desk").await.ok(), &item["id"]).unwrap();
        assert_eq!((&seen["acknowledged"], &seen["acknowledged_by"]), (&json!(true), &json!("测试干部")));
    }
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    server.clock.advance(TimeDelta::days(1));
    bot.tick().await.unwrap();
    let desk = handler.get("/api/desk").await.ok();
    assert_eq!(desk["items"].as_array().unwrap().len(), 2, "{desk}");
    running.stop().await;
}

#[actix_web::test]
async fn what_stays_where_it_is_is_told_to_whoever_objected() {
    let server = TestServer::start(Engine::Sqlite).await;
    let chat = Chat::with_secretary(&server).await;
    let [duty, item] = items(&chat.cast).await;
    for told in [duty, item] {
        let path = format!("/api/deadlines/{}", told["id"].as_str().unwrap());
        chat.cast.secretary.post(&format!("{path}/objection"), json!({"reason": "归供电所管"})).await.ok();
        let stays = json!({"staff_id": null, "reason": "村里的灯归村里"});
        chat.cast.office.post(&format!("{path}/objection/decision"), stays).await.ok();
        let line = line(&chat.cast.secretary.get("/api/desk").await.ok(), &told["id"]).unwrap();
        assert_eq!((&line["mine"], &line["objection"]), (&json!(true), &Value::Null));
        // It can be said again, for another reason.
        chat.cast.secretary.post(&format!("{path}/objection"), json!({"reason": "我已调离"})).await.ok();
    }
    chat.bot.tick().await.unwrap();
    let said: String = chat.platform.delivered_to_member("secretary").iter().map(|card| card.content.text()).collect();
    assert!(said.contains("共") || said.contains("仍由您办"), "{said}");
    chat.running.stop().await;
}

/// A card to the secretary at this very moment.
async fn tell(cast: &Cast<'_>, kind: &'static str, step: String) {
    let (county, to, township) = (cast.township.county, cast.secretary_id, cast.township.id);
    let subject = SubjectRef { kind: SubjectKind::Rectification, id: Uuid::now_v7() };
    let notice = Notice::new(Recipient::Staff(to), kind, subject)
        .step(step)
        .township(township)
        .facts(json!({"title": "村口路灯更换", "wanted": "not_mine"}));
    cast.township.write(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await;
}

#[rstest]
#[case::usual(None, 8)]
#[case::fewest(Some(3), 3)]
#[case::most(Some(20), 20)]
#[actix_web::test]
async fn nobody_gets_more_cards_a_day_than_the_campaign_says_and_the_rest_comes_in_one_the_next_morning(
    #[case] cards_per_day: Option<usize>,
    #[case] most: usize,
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    if let Some(cards) = cards_per_day {
        let plan = include_str!("../../core/src/campaigns/reading/right.toml");
        let plan =
            plan.replace("days_before = [7, 3, 1]", &format!("days_before = [7, 3, 1]\ncards_per_day = {cards}"));
        let body = json!({"township_id": chat.cast.township.id, "source": plan});
        chat.cast.office.post("/api/campaigns", body).await.ok();
    }
    let bots = [bot(&server, &chat.running), bot(&server, &chat.running)];
    let arrived = || chat.platform.delivered_to_member("secretary").len();
    for number in 0..most + 2 {
        tell(&chat.cast, "rectification_assigned", number.to_string()).await;
        bots[number % 2].tick().await.unwrap();
        server.clock.advance(TimeDelta::minutes(2));
        assert_eq!(arrived(), (number + 1).min(most - 2), "the last two are for what is urgent");
    }
    for number in 0..4 {
        tell(&chat.cast, "answer_wanted", number.to_string()).await;
        bots[number % 2].tick().await.unwrap();
        server.clock.advance(TimeDelta::minutes(2));
    }
    assert_eq!(arrived(), most);
    for _ in 0..2 {
        server.clock.advance(TimeDelta::hours(5));
        bots[0].tick().await.unwrap();
    }
    assert_eq!(arrived(), most, "nothing more today");
    let morning = "2026-03-03T00:01:00Z".parse().unwrap();
    server.clock.set(morning);
    for bot in &bots {
        bot.tick().await.unwrap();
    }
    assert_eq!(arrived(), most + 1, "everything that waited, in one card");
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn two_bots_do_not_go_over_a_days_cards_together(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let bots = [Arc::new(bot(&server, &chat.running)), Arc::new(bot(&server, &chat.running))];
    let arrived = || chat.platform.delivered_to_member("secretary").len();
    for number in 0..5 {
        tell(&chat.cast, "rectification_assigned", number.to_string()).await;
        bots[1].tick().await.unwrap();
        server.clock.advance(TimeDelta::minutes(2));
    }
    assert_eq!(arrived(), 5);
    // The sixth and last of today is on its way with one bot; the other one has the seventh.
    let slow =
        Fault::new(Platform::WeCom, FaultKind::Delay { milliseconds: 1500 }).at("/cgi-bin/message/send").times(1);
    chat.platform.inject(slow);
    tell(&chat.cast, "rectification_assigned", "sixth".into()).await;
    let first = Arc::clone(&bots[0]);
    let work = tokio::spawn(async move { first.tick().await });
    while arrived() == 5 {
        assert!(!work.is_finished(), "a card was due");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    tell(&chat.cast, "rectification_assigned", "seventh".into()).await;
    bots[1].tick().await.unwrap();
    assert_eq!(arrived(), 6);
    work.await.unwrap().unwrap();
    server.clock.advance(TimeDelta::minutes(2));
    for bot in &bots {
        bot.tick().await.unwrap();
    }
    assert_eq!(arrived(), 6, "the seventh waits for the morning");
    chat.running.stop().await;
}
