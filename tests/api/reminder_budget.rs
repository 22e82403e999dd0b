//! How many cards a person gets on a day.

use std::sync::Arc;

use chrono::TimeDelta;
use qingfeng_core::{
    ids::StaffId,
    outbox::{self, Notice, Recipient},
    people::Role,
    storage::Engine,
    subject::{SubjectKind, SubjectRef},
};
use qingfeng_sandbox::{Fault, FaultKind, Phone, Platform};
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use crate::{
    card_answers::Chat,
    support::{Cast, TestServer, bot, platform},
};

/// A card to the secretary at this very moment.
async fn tell(cast: &Cast<'_>, kind: &'static str, step: String) {
    tell_person(cast, cast.secretary_id, kind, step).await;
}

async fn tell_person(cast: &Cast<'_>, to: StaffId, kind: &'static str, step: String) {
    let (county, township) = (cast.township.county, cast.township.id);
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

#[rstest]
#[case::while_it_waits_to_be_sent_again(TimeDelta::seconds(5))]
#[case::when_nobody_will_ever_know(TimeDelta::hours(4))]
#[actix_web::test]
async fn a_card_that_may_have_arrived_counts_among_the_days_cards(
    #[case] later: TimeDelta,
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let chat = Chat::with_secretary(&server).await;
    let arrived = || chat.platform.delivered_to_member("secretary").len();
    chat.platform.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at("/cgi-bin/message/send").times(1));
    tell(&chat.cast, "rectification_assigned", "first".into()).await;
    chat.bot.tick().await.unwrap();
    assert_eq!(arrived(), 1);
    server.clock.advance(later);
    for number in 0..6 {
        tell(&chat.cast, "rectification_assigned", number.to_string()).await;
        chat.bot.tick().await.unwrap();
        server.clock.advance(TimeDelta::seconds(5));
        assert_eq!(arrived(), (number + 2).min(6), "the last two are for what is urgent");
    }
    chat.running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn who_stands_in_for_two_gets_no_more_cards_than_anybody_else(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let (colleague, colleague_id) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let (_, deputy_id) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let platform = platform(&server);
    let people = [("secretary", cast.secretary_id), ("colleague", colleague_id), ("deputy", deputy_id)];
    for (number, (user, staff)) in people.into_iter().enumerate() {
        platform.add_phone(Phone::new(format!("phone-{number}"), user).at_wecom(user));
        cast.township.at_wecom(staff, user).await;
    }
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    for person in [&cast.secretary, &colleague] {
        let away = json!({"deputy_id": deputy_id, "from": "2026-03-03", "to": "2026-03-03"});
        person.post("/api/absences", away).await.ok();
    }
    server.clock.advance(TimeDelta::days(1));
    let arrived = || platform.delivered_to_member("deputy").len();
    let to = [cast.secretary_id, colleague_id, deputy_id];
    for number in 0..9 {
        tell_person(&cast, to[number % 3], "rectification_assigned", number.to_string()).await;
        bot.tick().await.unwrap();
        server.clock.advance(TimeDelta::minutes(2));
        assert_eq!(arrived(), (number + 1).min(6), "the last two are for what is urgent");
    }
    for number in 0..6 {
        tell_person(&cast, to[number % 3], "answer_wanted", number.to_string()).await;
        bot.tick().await.unwrap();
        server.clock.advance(TimeDelta::minutes(2));
    }
    assert_eq!(arrived(), 8);
    assert_eq!(platform.delivered_to_member("secretary").len() + platform.delivered_to_member("colleague").len(), 0);

    // Back again they get what waited, each in one card; the deputy's day counts for nobody but the deputy.
    server.clock.set("2026-03-04T00:01:00Z".parse().unwrap());
    bot.tick().await.unwrap();
    let each = people.map(|(user, _)| platform.delivered_to_member(user).len());
    assert_eq!(each, [1, 1, 9]);
    running.stop().await;
}
