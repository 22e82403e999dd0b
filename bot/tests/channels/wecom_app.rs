use chrono::TimeDelta;
use qingfeng_bot::{
    channels::{AppMessage, CardButton, CardTarget, Channels, Media, MediaKind, TemplateCard},
    delivery::Outcome,
};
use qingfeng_core::groups::tasks::Standing;
use qingfeng_sandbox::{Content, Fault, FaultKind, Group, Platform};
use rstest::rstest;

use crate::replicas::{Replicas, Shared};

const SEND: &str = "cgi-bin/message/send";

async fn tell(channels: &Channels, user: &str, message: &AppMessage) -> Vec<Outcome> {
    let app = channels.wecom_app.as_ref().unwrap();
    let mut outcomes = Vec::new();
    for body in message.bodies() {
        outcomes.push(app.send(&app.envelope(user, body)).await);
    }
    outcomes
}

fn text(text: impl Into<String>) -> AppMessage {
    AppMessage::Text(text.into())
}

#[rstest]
#[tokio::test]
async fn one_of_two_bots_fetches_the_token_for_both(#[values(Shared::Memory, Shared::Redis)] shared: Shared) {
    let replicas = Replicas::on(shared).await;
    let messages: Vec<_> = (0..8).map(|number| text(format!("第{number}条"))).collect();
    let sends = messages.iter().enumerate().map(|(number, message)| {
        let channels = if number % 2 == 0 { &replicas.first } else { &replicas.second };
        tell(channels, "cadre-1", message)
    });
    let outcomes = futures::future::join_all(sends).await;
    assert!(outcomes.iter().flatten().all(Outcome::is_taken), "{outcomes:?}");
    assert_eq!(replicas.platforms.wecom_token_calls(), 1);
    assert_eq!(replicas.platforms.delivered_to_member("cadre-1").len(), 8);
}

#[tokio::test]
async fn a_stale_token_is_replaced_once_and_the_message_arrives_once() {
    let replicas = Replicas::on(Shared::Memory).await;
    tell(&replicas.first, "cadre-1", &text("一")).await;
    replicas.platforms.revoke_tokens();
    assert!(tell(&replicas.second, "cadre-1", &text("二")).await[0].is_taken());
    assert!(tell(&replicas.first, "cadre-1", &text("三")).await[0].is_taken());
    assert_eq!(replicas.platforms.wecom_token_calls(), 2);
    replicas.clock.advance(TimeDelta::hours(3));
    assert!(tell(&replicas.first, "cadre-1", &text("四")).await[0].is_taken());
    assert_eq!(replicas.platforms.wecom_token_calls(), 3);

    // A platform that refuses every token is asked twice, not for ever.
    replicas.platforms.inject(Fault::new(Platform::WeCom, FaultKind::Refuse { code: 42001 }).at(format!("/{SEND}")));
    let before = replicas.platforms.calls().len();
    let outcome = tell(&replicas.first, "cadre-1", &text("五")).await.remove(0);
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
    let sends = replicas.platforms.calls().split_off(before);
    assert_eq!(sends.iter().filter(|call| call.endpoint.ends_with(SEND)).count(), 2);
    assert_eq!(replicas.platforms.delivered_to_member("cadre-1").len(), 4);
}

/// Many wrong secrets, and the platform bans our address for an hour.
#[rstest]
#[tokio::test]
async fn a_platform_that_refuses_our_secret_is_left_alone_for_ten_minutes_by_all(
    #[values(Shared::Memory, Shared::Redis)] shared: Shared,
) {
    let replicas = Replicas::on(shared).await;
    let refused = Fault::new(Platform::WeCom, FaultKind::Refuse { code: 40001 }).at("/cgi-bin/gettoken");
    let fault = replicas.platforms.inject(refused);
    let asked = || replicas.platforms.calls().iter().filter(|call| call.endpoint.ends_with("gettoken")).count();
    for number in 0..10 {
        let channels = if number % 2 == 0 { &replicas.first } else { &replicas.second };
        let outcome = tell(channels, "cadre-1", &text(format!("第{number}条"))).await.remove(0);
        assert!(matches!(outcome, Outcome::Later { .. } | Outcome::Waits { .. }), "{outcome:?}");
    }
    assert_eq!(asked(), 1);
    replicas.platforms.end_fault(fault);
    replicas.clock.advance(TimeDelta::minutes(9));
    assert!(matches!(tell(&replicas.first, "cadre-1", &text("早")).await[0], Outcome::Waits { .. }));
    replicas.clock.advance(TimeDelta::minutes(2));
    // A Redis server counts real seconds; what is kept there says until when it holds.
    assert!(tell(&replicas.first, "cadre-1", &text("到")).await[0].is_taken());
    assert_eq!(asked(), 2);
}

#[tokio::test]
async fn an_interface_that_was_called_too_often_rests_for_both_bots_and_the_others_do_not() {
    let replicas = Replicas::on(Shared::Memory).await;
    let too_often = Fault::new(Platform::WeCom, FaultKind::Refuse { code: 45009 }).at(format!("/{SEND}"));
    let fault = replicas.platforms.inject(too_often);
    let sends = || replicas.platforms.calls().iter().filter(|call| call.endpoint.ends_with(SEND)).count();
    for channels in [&replicas.first, &replicas.second, &replicas.first] {
        let outcome = tell(channels, "cadre-1", &text("等")).await.remove(0);
        assert!(matches!(outcome, Outcome::Waits { .. }), "{outcome:?}");
    }
    assert_eq!(sends(), 1);
    replicas.platforms.end_fault(fault);
    let picture = Media { kind: MediaKind::Image, name: "公示.png".into(), bytes: b"\x89PNG\r\n\x1a\n".to_vec() };
    replicas.second.wecom_app.as_ref().unwrap().upload(&picture).await.unwrap();
    replicas.clock.advance(TimeDelta::seconds(61));
    assert!(tell(&replicas.second, "cadre-1", &text("到")).await[0].is_taken());
}

/// 2048 bytes are 682 Chinese characters and two letters: the platform would cut the third without a word.
#[rstest]
#[case(format!("{}ab", "渠".repeat(682)), 1)]
#[case(format!("{}abc", "渠".repeat(682)), 2)]
#[tokio::test]
async fn nothing_of_a_long_text_is_cut_off(#[case] long: String, #[case] messages: usize) {
    for message in [text(&long), AppMessage::Markdown(long.clone())] {
        let replicas = Replicas::on(Shared::Memory).await;
        let outcomes = tell(&replicas.first, "cadre-1", &message).await;
        assert!(outcomes.iter().all(Outcome::is_taken) && outcomes.len() == messages);
        let arrived = replicas.platforms.delivered_to_member("cadre-1");
        let part =
            |part: String| part.strip_prefix('(').map_or(part.clone(), |rest| rest.split_once('\n').unwrap().1.into());
        let together: String = arrived.iter().map(|delivery| part(delivery.content.text())).collect();
        assert_eq!(together, long);
    }
}

#[tokio::test]
async fn a_card_carries_its_buttons_and_its_task() {
    let replicas = Replicas::on(Shared::Memory).await;
    let card = TemplateCard {
        source: "清风".into(),
        title: "东河村群公示待转发".into(),
        description: "您负责转发".into(),
        words: "转发后请点已转发".into(),
        lines: vec![("期限".into(), "2026年3月5日".into())],
        target: CardTarget::MiniProgram { app_id: "wx1".into(), page: "pages/posts/detail".into() },
        task: Some("post:7/中@a".into()),
        buttons: vec![CardButton { text: "已转发".into(), key: "posted".into() }],
    };
    assert!(tell(&replicas.first, "cadre-1", &AppMessage::Card(card)).await[0].is_taken());
    let arrived = replicas.platforms.delivered_to_member("cadre-1");
    let Content::Card { task, buttons, opens, .. } = &arrived[0].content else { panic!("{arrived:?}") };
    assert_eq!((task.as_deref(), opens.as_str()), (Some("post7@a"), "wx1:pages/posts/detail"));
    assert_eq!((buttons[0].text.as_str(), buttons[0].key.as_str()), ("已转发", "posted"));
}

#[tokio::test]
async fn whom_the_corporation_does_not_know_is_not_told_and_may_be_told_elsewhere() {
    let replicas = Replicas::on(Shared::Memory).await;
    let outcome = tell(&replicas.first, "Nobody", &text("一")).await.remove(0);
    assert!(matches!(outcome, Outcome::NoConsent(_)), "{outcome:?}");
    // One of two unknown is a success to the platform.
    let outcome = tell(&replicas.first, "cadre-1|nobody", &text("二")).await.remove(0);
    assert!(matches!(outcome, Outcome::NoConsent(_)), "{outcome:?}");
}

#[tokio::test]
async fn the_very_same_message_again_is_not_delivered_twice() {
    let replicas = Replicas::on(Shared::Memory).await;
    replicas.platforms.inject(Fault::new(Platform::WeCom, FaultKind::Cut).at(format!("/{SEND}")).times(1));
    let outcome = tell(&replicas.first, "cadre-1", &text("一")).await.remove(0);
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert!(tell(&replicas.second, "cadre-1", &text("一")).await[0].is_taken());
    assert_eq!(replicas.platforms.delivered_to_member("cadre-1").len(), 1);
    replicas.clock.advance(TimeDelta::hours(4));
    assert!(tell(&replicas.second, "cadre-1", &text("一")).await[0].is_taken());
    assert_eq!(replicas.platforms.delivered_to_member("cadre-1").len(), 2, "the guard has run out");
}

#[tokio::test]
async fn a_picture_is_uploaded_and_sent_and_what_cannot_be_taken_is_not_asked_for() {
    let replicas = Replicas::on(Shared::Memory).await;
    let app = replicas.first.wecom_app.as_ref().unwrap();
    let media = |kind, name: &str, bytes: Vec<u8>| Media { kind, name: name.into(), bytes };
    let png = [b"\x89PNG".to_vec(), vec![0; 100]].concat();
    let id = app.upload(&media(MediaKind::Image, "小程序码.png", png)).await.unwrap();
    assert!(tell(&replicas.first, "cadre-1", &AppMessage::Image(id)).await[0].is_taken());
    let id = app.upload(&media(MediaKind::File, "通报.pdf", vec![b'%'; 6])).await.unwrap();
    assert!(tell(&replicas.first, "cadre-1", &AppMessage::File(id)).await[0].is_taken());
    let arrived = replicas.platforms.delivered_to_member("cadre-1");
    assert!(matches!(&arrived[0].content, Content::File { name, .. } if name == "小程序码.png"), "{arrived:?}");
    // Three days later it is gone.
    let id = app.upload(&media(MediaKind::File, "通报.pdf", vec![b'%'; 6])).await.unwrap();
    replicas.clock.advance(TimeDelta::days(3));
    let late = tell(&replicas.first, "cadre-1", &AppMessage::File(id)).await.remove(0);
    assert!(matches!(&late, Outcome::Final(reason) if reason.contains("过期")), "{late:?}");
    let before = replicas.platforms.calls().len();
    for (kind, bytes) in [(MediaKind::Image, 5), (MediaKind::Image, 5 * 1024 * 1024 + 1), (MediaKind::File, 0)] {
        assert!(matches!(app.upload(&media(kind, "x", vec![0; bytes])).await, Err(Outcome::Final(_))));
    }
    assert_eq!(replicas.platforms.calls().len(), before);
}

#[tokio::test]
async fn what_became_of_a_task_into_a_group_of_customers_is_asked() {
    let replicas = Replicas::on(Shared::Memory).await;
    replicas.platforms.add_group(Group::new("wrEast", "东河村客户群").of_customers("cadre-1"));
    let app = replicas.first.wecom_app.as_ref().unwrap();
    let made = async |words: &str| match app.customer_group_task("cadre-1", "wrEast", words).await {
        Outcome::Taken(Some(task)) => task,
        other => panic!("{other:?}"),
    };
    let first = made("第一条").await;
    let standing = async |task: &str| app.group_task_standing(task, "cadre-1").await;
    assert_eq!(standing(&first).await, Standing::Dispatching);
    replicas.clock.advance(TimeDelta::minutes(2));
    assert_eq!(standing(&first).await, Standing::Untapped);
    assert_eq!(standing("msg-of-nobody").await, Standing::Unanswered);
    assert!(app.stop_group_task(&first).await.is_taken());

    // As many as the month has days get there.
    let mut last = String::new();
    for number in 0..32 {
        last = made(&format!("第{number}条")).await;
    }
    assert_eq!(replicas.platforms.phone("phone-1").confirm_group_messages(), 32);
    replicas.clock.advance(TimeDelta::minutes(2));
    let full = standing(&last).await;
    assert!(matches!(&full, Standing::NotPosted(reason) if reason.contains("已满")), "{full:?}");
}
