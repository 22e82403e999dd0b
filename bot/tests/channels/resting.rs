//! Interfaces that do not answer, are used up or not meant for us rest, for all bots together.

use chrono::TimeDelta;
use qingfeng_bot::{
    channels::{AppMessage, Channels, Post},
    delivery::Outcome,
};
use qingfeng_core::{
    clock::Clock as _,
    groups::{GroupKind, RobotKey},
};
use qingfeng_sandbox::{Fault, FaultKind, Platform};
use rstest::rstest;

use crate::replicas::{Replicas, SIGNING_SECRET, Shared};

const SEND: &str = "/cgi-bin/message/send";
const LINK: &str = "/wxa/generate_urllink";

/// A card of its own: the very same one again would be dropped by the platform.
async fn tell(channels: &Channels, number: usize) -> Outcome {
    let app = channels.wecom_app.as_ref().unwrap();
    let body = AppMessage::Text(format!("第{number}条")).bodies().remove(0);
    app.send(&app.envelope("cadre-1", body)).await
}

async fn link(replicas: &Replicas, channels: &Channels) -> Result<String, Outcome> {
    let until = replicas.clock.now() + TimeDelta::days(10);
    channels.accounts.mini_program.url_link("pages/board/village", "id=7", until).await
}

fn asked(replicas: &Replicas, endpoint: &str) -> usize {
    replicas.platforms.calls().iter().filter(|call| call.endpoint == endpoint).count()
}

fn waits_for(replicas: &Replicas, outcome: &Outcome) -> Option<TimeDelta> {
    match outcome {
        Outcome::Waits { until, .. } => Some(*until - replicas.clock.now()),
        _ => None,
    }
}

#[rstest]
#[case::connection_breaks(FaultKind::Cut)]
#[case::gateway_gives_up(FaultKind::GatewayAfter { status: 504 })]
#[case::half_an_answer(FaultKind::Truncated)]
#[tokio::test]
async fn after_three_messages_without_an_answer_the_interface_rests_ever_longer_and_one_at_a_time_tries(
    #[case] fault: FaultKind,
    #[values(Shared::Memory, Shared::Redis)] shared: Shared,
) {
    let replicas = Replicas::on(shared).await;
    let bots = [&replicas.first, &replicas.second];
    let fault = replicas.platforms.inject(Fault::new(Platform::WeCom, fault).at(SEND));
    for number in 0..3 {
        let outcome = tell(bots[number % 2], number).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    }
    for (rest, number) in [(1, 10), (2, 20), (4, 30)] {
        let before = asked(&replicas, SEND);
        for bot in bots {
            let outcome = tell(bot, number).await;
            assert_eq!(waits_for(&replicas, &outcome), Some(TimeDelta::minutes(rest)), "{outcome:?}");
        }
        replicas.clock.advance(TimeDelta::minutes(rest) - TimeDelta::seconds(1));
        assert!(waits_for(&replicas, &tell(bots[0], number).await).is_some());
        assert_eq!(asked(&replicas, SEND), before);
        replicas.clock.advance(TimeDelta::seconds(1));
        let outcome = tell(bots[1], number + 1).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "one tries: {outcome:?}");
        assert!(waits_for(&replicas, &tell(bots[0], number + 2).await).is_some(), "that is enough");
        assert_eq!(asked(&replicas, SEND), before + 1);
    }
    replicas.platforms.end_fault(fault);
    replicas.clock.advance(TimeDelta::minutes(8));
    for (number, bot) in bots.into_iter().chain(bots).enumerate() {
        assert!(tell(bot, 100 + number).await.is_taken(), "it answers again");
    }
}

#[rstest]
#[tokio::test]
async fn while_one_bot_tries_the_other_waits(#[values(Shared::Memory, Shared::Redis)] shared: Shared) {
    let replicas = Replicas::on(shared).await;
    replicas.platforms.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at(SEND).times(3));
    for number in 0..3 {
        tell(&replicas.first, number).await;
    }
    replicas.clock.advance(TimeDelta::minutes(1));
    replicas.platforms.inject(Fault::new(Platform::WeCom, FaultKind::Delay { milliseconds: 500 }).at(SEND).times(1));
    let both = tokio::join!(tell(&replicas.first, 10), tell(&replicas.second, 11));
    assert_eq!(i32::from(both.0.is_taken()) + i32::from(both.1.is_taken()), 1, "{both:?}");
    assert!([&both.0, &both.1].into_iter().any(|outcome| waits_for(&replicas, outcome).is_some()), "{both:?}");
    assert!(tell(&replicas.second, 12).await.is_taken());
}

#[tokio::test]
async fn two_lost_answers_and_one_that_came_are_no_reason_to_rest() {
    let replicas = Replicas::on(Shared::Memory).await;
    for round in 0..3 {
        replicas.platforms.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at(SEND).times(2));
        for number in 0..2 {
            assert!(matches!(tell(&replicas.first, 10 * round + number).await, Outcome::Unknown(_)));
        }
        assert!(tell(&replicas.first, 10 * round + 5).await.is_taken());
    }
}

#[tokio::test]
async fn a_platform_that_turns_us_away_at_the_door_is_asked_for_each_message() {
    let replicas = Replicas::on(Shared::Memory).await;
    replicas.platforms.inject(Fault::new(Platform::WeCom, FaultKind::Outage).at(SEND));
    for number in 0..5 {
        let outcome = tell(&replicas.first, number).await;
        assert!(matches!(outcome, Outcome::Later { .. }), "nothing is doubtful: {outcome:?}");
    }
}

#[tokio::test]
async fn the_robots_of_one_platform_rest_together_and_those_of_the_others_go_on() {
    let replicas = Replicas::on(Shared::Memory).await;
    replicas.platforms.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at("/cgi-bin/webhook/send"));
    let post = Post::Markdown("通报\n内容".into());
    let (wecom, dingtalk) =
        (RobotKey::new(&replicas.wecom), RobotKey::new(&replicas.dingtalk).signed_with(SIGNING_SECRET));
    for _ in 0..3 {
        let outcome = replicas.first.robots.post(GroupKind::WecomRobot, &wecom, &post).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    }
    let another = RobotKey::new("another-group");
    let outcome = replicas.second.robots.post(GroupKind::WecomRobot, &another, &post).await;
    assert!(waits_for(&replicas, &outcome).is_some(), "{outcome:?}");
    assert!(replicas.second.robots.post(GroupKind::DingtalkRobot, &dingtalk, &post).await.is_taken());
    assert!(tell(&replicas.first, 1).await.is_taken(), "nor does the application rest");
}

#[rstest]
#[tokio::test]
async fn a_quota_that_is_used_up_closes_the_interface_until_midnight_in_beijing(
    #[values(Shared::Memory, Shared::Redis)] shared: Shared,
) {
    let replicas = Replicas::on(shared).await;
    replicas.platforms.inject(Fault::new(Platform::WeChat, FaultKind::Refuse { code: 45009 }).at(LINK).times(1));
    for channels in [&replicas.first, &replicas.second, &replicas.first] {
        let outcome = link(&replicas, channels).await.unwrap_err();
        // It is nine in the morning.
        assert_eq!(waits_for(&replicas, &outcome), Some(TimeDelta::hours(15)), "{outcome:?}");
        assert!(outcome.reason().unwrap().contains("额度已用完"), "{outcome:?}");
    }
    assert_eq!(asked(&replicas, LINK), 1);
    assert!(
        replicas.first.accounts.mini_program.code_image("a", "pages/board/village").await.is_ok(),
        "the others go on"
    );
    replicas.clock.advance(TimeDelta::hours(15));
    assert!(link(&replicas, &replicas.second).await.is_ok());
}

#[tokio::test]
async fn an_address_that_the_platform_does_not_trust_is_tried_again_after_ten_minutes() {
    let replicas = Replicas::on(Shared::Memory).await;
    replicas.platforms.inject(Fault::new(Platform::WeCom, FaultKind::Refuse { code: 60020 }).at(SEND).times(1));
    for (number, bot) in [&replicas.first, &replicas.second].into_iter().enumerate() {
        let outcome = tell(bot, number).await;
        assert_eq!(waits_for(&replicas, &outcome), Some(TimeDelta::minutes(10)), "{outcome:?}");
    }
    assert_eq!(asked(&replicas, SEND), 1);
    replicas.clock.advance(TimeDelta::minutes(10));
    assert!(tell(&replicas.second, 5).await.is_taken());
}
