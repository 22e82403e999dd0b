use chrono::TimeDelta;
use qingfeng_bot::{
    channels::{CardTarget, Post, TemplateCard},
    delivery::Outcome,
};
use qingfeng_core::groups::{GroupKind, RobotKey};
use qingfeng_sandbox::{Content, Fault, FaultKind, Platform};
use rstest::rstest;

use crate::replicas::{Replicas, SIGNING_SECRET, Shared};

const KINDS: [GroupKind; 3] = [GroupKind::WecomRobot, GroupKind::DingtalkRobot, GroupKind::FeishuRobot];

impl Replicas {
    fn key(&self, kind: GroupKind) -> RobotKey {
        match kind {
            GroupKind::WecomRobot => RobotKey::new(&self.wecom),
            GroupKind::DingtalkRobot => RobotKey::new(&self.dingtalk).signed_with(SIGNING_SECRET),
            _ => RobotKey::new(&self.feishu).signed_with(SIGNING_SECRET),
        }
    }

    async fn post(&self, kind: GroupKind, post: &Post) -> Outcome {
        self.first.robots.post(kind, &self.key(kind), post).await
    }

    fn arrived(&self, kind: GroupKind) -> Vec<Content> {
        let delivered = self.platforms.delivered_to_group(&self.key(kind).token);
        delivered.into_iter().map(|delivery| delivery.content).collect()
    }
}

fn markdown(text: impl Into<String>) -> Post {
    Post::Markdown(text.into())
}

fn card() -> TemplateCard {
    TemplateCard {
        source: "清风".into(),
        title: "东河村路灯整改进展和下一步打算，请大家看一看再提意见".into(),
        description: "为什么收到".into(),
        words: "路灯已更换三盏".into(),
        lines: (0..8).map(|line| (format!("第{line}项进展情况"), "长".repeat(40))).collect(),
        target: CardTarget::Address("https://qingfeng.example/app/".into()),
        task: None,
        buttons: Vec::new(),
    }
}

fn png(length: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(length, 7);
    bytes
}

#[tokio::test]
async fn a_progress_post_arrives_in_a_group_of_each_kind() {
    let replicas = Replicas::on(Shared::Memory).await;
    let text =
        "**整改公示** 东河村\n> 路灯<font color=\"warning\">已超期</font>\n[查看](https://qingfeng.example/b?id=7)";
    for kind in KINDS {
        assert_eq!(replicas.post(kind, &markdown(text)).await, Outcome::Taken(None), "{kind:?}");
    }
    let shown = |kind| replicas.arrived(kind)[0].text();
    assert_eq!(shown(GroupKind::WecomRobot), text);
    assert_eq!(
        shown(GroupKind::DingtalkRobot),
        "**整改公示** 东河村\n\n> 路灯已超期\n\n[查看](https://qingfeng.example/b?id=7)"
    );
    assert_eq!(
        shown(GroupKind::FeishuRobot),
        "**整改公示 东河村**\n路灯已超期\n[查看](https://qingfeng.example/b?id=7)"
    );
    assert!(!replicas.post(GroupKind::OrdinaryChat, &markdown(text)).await.is_taken());
}

#[tokio::test]
async fn wecoms_robot_posts_every_kind() {
    let replicas = Replicas::on(Shared::Memory).await;
    let posts = [
        Post::Text { content: "今日通报".into(), mentioned: vec!["@all".into()] },
        markdown("**通报**"),
        Post::RichMarkdown("| 村 | 件 |\n|---|---|\n| 东河村 | 3 |".into()),
        Post::Image { bytes: png(2 * 1024 * 1024) },
        Post::File { name: "整改台账.xlsx".into(), bytes: b"PK\x03\x04 a ledger".to_vec() },
        Post::Card(card()),
    ];
    for post in &posts {
        assert_eq!(replicas.post(GroupKind::WecomRobot, post).await, Outcome::Taken(None));
    }
    let arrived = replicas.arrived(GroupKind::WecomRobot);
    let kinds: Vec<_> = arrived.iter().map(Content::kind).collect();
    assert_eq!(kinds, ["text", "markdown", "markdown", "image", "file", "card"]);
    assert_eq!(arrived[4].text(), "整改台账.xlsx");
    let Content::Card { title, lines, .. } = &arrived[5] else { panic!("{:?}", arrived[5]) };
    assert_eq!((title.chars().count(), lines.len()), (26, 6), "{title}");
    assert!(lines.iter().all(|line| line.label.chars().count() == 5 && line.value.chars().count() == 26));
}

#[rstest]
#[tokio::test]
async fn a_post_in_several_parts_comes_to_its_turn_and_takes_no_room_before(
    #[values(Shared::Memory, Shared::Redis)] shared: Shared,
) {
    let replicas = Replicas::on(shared).await;
    let short = markdown("修路");
    for _ in 0..17 {
        assert!(replicas.post(GroupKind::WecomRobot, &short).await.is_taken());
    }
    let long = markdown("渠".repeat(4000));
    let mut waited = 0;
    // Tried again at every turn of the bot, not when it was told to come again.
    while !replicas.post(GroupKind::WecomRobot, &long).await.is_taken() {
        replicas.clock.advance(TimeDelta::seconds(2));
        waited += 2;
        assert!(waited <= 62, "it starves");
        if waited == 4 {
            // Meanwhile there is still room for one.
            assert!(replicas.post(GroupKind::WecomRobot, &short).await.is_taken());
        }
    }
    assert_eq!(replicas.arrived(GroupKind::WecomRobot).len(), 17 + 1 + 3);
}

#[tokio::test]
async fn what_a_robot_cannot_take_is_refused_without_asking_it() {
    let replicas = Replicas::on(Shared::Memory).await;
    let blank = Post::Text { content: " \n".repeat(1100), mentioned: vec!["@all".into()] };
    for (kind, post) in [
        (GroupKind::WecomRobot, blank),
        (GroupKind::WecomRobot, Post::Image { bytes: png(2 * 1024 * 1024 + 1) }),
        (GroupKind::WecomRobot, Post::File { name: "空.txt".into(), bytes: b"12345".to_vec() }),
        (GroupKind::DingtalkRobot, Post::Image { bytes: png(64) }),
        (GroupKind::FeishuRobot, Post::File { name: "台账.xlsx".into(), bytes: png(64) }),
    ] {
        let outcome = replicas.post(kind, &post).await;
        assert!(matches!(outcome, Outcome::Final(_)), "{kind:?} {outcome:?}");
    }
    assert!(replicas.platforms.calls().is_empty());
}

/// 4096 bytes are 1365 Chinese characters and one letter; 2048 are 682 and two.
#[rstest]
#[case(markdown(format!("{}a", "渠".repeat(1365))), 1)]
#[case(markdown(format!("{}ab", "渠".repeat(1365))), 2)]
#[case(Post::Text { content: format!("{}ab", "渠".repeat(682)), mentioned: Vec::new() }, 1)]
#[case(Post::Text { content: format!("{}abc", "渠".repeat(682)), mentioned: Vec::new() }, 2)]
#[case(markdown("😀".repeat(1024)), 1)]
#[case(markdown("😀".repeat(1025)), 2)]
#[tokio::test]
async fn a_text_of_the_limit_is_one_message_and_a_byte_more_is_two(#[case] post: Post, #[case] messages: usize) {
    let replicas = Replicas::on(Shared::Memory).await;
    assert_eq!(replicas.post(GroupKind::WecomRobot, &post).await, Outcome::Taken(None));
    let arrived = replicas.arrived(GroupKind::WecomRobot);
    assert_eq!(arrived.len(), messages);
    let (Post::Markdown(text) | Post::Text { content: text, .. }) = &post else { unreachable!() };
    let together: String = arrived
        .iter()
        .map(|part| part.text())
        .map(|part| if messages == 1 { part } else { part.split_once('\n').unwrap().1.to_owned() })
        .collect();
    assert_eq!(together, *text);
}

/// Wherever the limit falls in what stands at the end of the first 4096 bytes.
#[rstest]
#[case("[查看公示](https://qingfeng.example/app/#/pages/board/village?id=7)")]
#[case("<font color=\"warning\">已超期三天</font>")]
#[case("**要紧的事**")]
#[case("😀😀😀")]
#[tokio::test]
async fn a_longer_text_comes_in_numbered_parts_and_nothing_in_it_is_broken(#[case] passage: &str) {
    let replicas = Replicas::on(Shared::Memory).await;
    for before in [4060, 4072, 4076, 4079, 4080, 4081] {
        let text = format!("{}{}{passage}{}", "渠".repeat(before / 3), "a".repeat(before % 3), "水".repeat(30));
        assert_eq!(replicas.post(GroupKind::WecomRobot, &markdown(&text)).await, Outcome::Taken(None));
        let arrived: Vec<_> = replicas.arrived(GroupKind::WecomRobot).iter().rev().take(2).map(Content::text).collect();
        let [second, first] = &arrived[..] else { panic!("{arrived:?}") };
        let (first, second) = (first.strip_prefix("(1/2)\n").unwrap(), second.strip_prefix("(2/2)\n").unwrap());
        assert_eq!(format!("{first}{second}"), text);
        let is_whole = first.contains(passage) || second.contains(passage);
        assert!(is_whole || passage.starts_with('😀'), "{before} {first} {second}");
    }
}

#[rstest]
#[case(GroupKind::DingtalkRobot, 20_000)]
#[case(GroupKind::FeishuRobot, 20 * 1024)]
#[tokio::test]
async fn long_texts_fit_the_body_of_the_other_platforms(#[case] kind: GroupKind, #[case] longest: usize) {
    let replicas = Replicas::on(Shared::Memory).await;
    let text = format!("**通报**\n{}", "第一行\"引\"，[查看](https://qingfeng.example/b)。\n".repeat(longest / 60));
    assert_eq!(replicas.post(kind, &markdown(&text)).await, Outcome::Taken(None));
    let arrived = replicas.arrived(kind);
    assert!(arrived.len() > 1);
    let links: usize = arrived.iter().map(|part| part.text().matches("(https://qingfeng.example/b)").count()).sum();
    assert_eq!(links, longest / 60, "nothing is lost and no link is cut");
}

#[rstest]
#[tokio::test]
async fn two_bots_together_stay_below_twenty_a_minute_per_robot(
    #[values(Shared::Memory, Shared::Redis)] shared: Shared,
    #[values(GroupKind::WecomRobot, GroupKind::DingtalkRobot)] kind: GroupKind,
) {
    let replicas = Replicas::on(shared).await;
    let key = replicas.key(kind);
    let mut taken = Vec::new();
    for second in 0..150 {
        for (bot, channels) in [("first", &replicas.first), ("second", &replicas.second)] {
            let post = markdown(format!("第{second}秒 {bot}"));
            match channels.robots.post(kind, &key, &post).await {
                Outcome::Taken(_) => taken.push(second),
                Outcome::Waits { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        replicas.clock.advance(TimeDelta::seconds(1));
    }
    assert!((0..=90).all(|from| taken.iter().filter(|at| (from..from + 60).contains(*at)).count() <= 18), "{taken:?}");
    assert_eq!(taken.len(), 54, "18 in each of three minutes");
    assert_eq!(replicas.arrived(kind).len(), 54);
    assert!(replicas.platforms.calls().iter().all(|call| call.code == 0), "the platform never had to refuse");
}

#[tokio::test]
async fn feishu_takes_five_a_second() {
    let replicas = Replicas::on(Shared::Memory).await;
    for number in 0..5 {
        assert!(replicas.post(GroupKind::FeishuRobot, &markdown(format!("第{number}条\n内容"))).await.is_taken());
    }
    let next = replicas.post(GroupKind::FeishuRobot, &markdown("第六条\n内容")).await;
    assert!(matches!(next, Outcome::Waits { .. }), "{next:?}");
    replicas.clock.advance(TimeDelta::seconds(1));
    assert!(replicas.post(GroupKind::FeishuRobot, &markdown("第六条\n内容")).await.is_taken());
}

/// Somebody else used the key: the platform refuses, and then nobody of ours asks for a while.
#[rstest]
#[case(GroupKind::WecomRobot, Platform::WeCom, 45009, 1)]
#[case(GroupKind::DingtalkRobot, Platform::DingTalk, 130_101, 10)]
#[case(GroupKind::FeishuRobot, Platform::Feishu, 11232, 1)]
#[tokio::test]
async fn a_robot_that_was_too_fast_rests_in_both_bots(
    #[case] kind: GroupKind,
    #[case] platform: Platform,
    #[case] code: i64,
    #[case] minutes: i64,
) {
    let replicas = Replicas::on(Shared::Memory).await;
    replicas.platforms.inject(Fault::new(platform, FaultKind::Refuse { code }).times(1));
    let post = markdown("通报\n内容");
    for channels in [&replicas.first, &replicas.second] {
        let outcome = channels.robots.post(kind, &replicas.key(kind), &post).await;
        assert!(matches!(outcome, Outcome::Waits { .. }), "{outcome:?}");
    }
    assert_eq!(replicas.platforms.calls().len(), 1, "the second bot did not ask");
    replicas.clock.advance(TimeDelta::minutes(minutes));
    assert!(replicas.post(kind, &post).await.is_taken());
}

#[tokio::test]
async fn a_wrong_signature_key_or_robot_is_final_and_says_why() {
    let replicas = Replicas::on(Shared::Memory).await;
    let post = markdown("通报\n内容");
    for (kind, key, why) in [
        (GroupKind::WecomRobot, RobotKey::new("gone"), "93000"),
        (GroupKind::DingtalkRobot, RobotKey::new("gone"), "300005"),
        (GroupKind::DingtalkRobot, RobotKey::new(&replicas.dingtalk), "310000"),
        (GroupKind::DingtalkRobot, RobotKey::new(&replicas.dingtalk).signed_with("SECother"), "310000"),
        (GroupKind::FeishuRobot, RobotKey::new("gone"), "19001"),
        (GroupKind::FeishuRobot, RobotKey::new(&replicas.feishu), "19021"),
        (GroupKind::FeishuRobot, RobotKey::new(&replicas.feishu).signed_with("SECother"), "19021"),
    ] {
        let outcome = replicas.first.robots.post(kind, &key, &post).await;
        let (Outcome::Final(reason) | Outcome::Dead(reason)) = &outcome else { panic!("{kind:?} {outcome:?}") };
        assert!(reason.contains(why), "{kind:?} {outcome:?}");
    }
    assert!(replicas.platforms.deliveries().is_empty());
}

#[rstest]
#[case(FaultKind::Cut, true, 1)]
#[case(FaultKind::Truncated, true, 1)]
// The gateway's page does not say whether what stands behind it had the post.
#[case(FaultKind::BadGateway, true, 0)]
#[case(FaultKind::Outage, false, 0)]
#[case(FaultKind::Busy, false, 0)]
#[tokio::test]
async fn a_post_whose_end_is_not_known_is_not_posted_again(
    #[case] fault: FaultKind,
    #[case] unknown: bool,
    #[case] arrived: usize,
) {
    for (kind, platform) in KINDS.into_iter().zip([Platform::WeCom, Platform::DingTalk, Platform::Feishu]) {
        let replicas = Replicas::on(Shared::Memory).await;
        replicas.platforms.inject(Fault::new(platform, fault.clone()).times(1));
        let outcome = replicas.post(kind, &markdown("通报\n内容")).await;
        assert_eq!(matches!(outcome, Outcome::Unknown(_)), unknown, "{kind:?} {outcome:?}");
        assert_eq!(replicas.arrived(kind).len(), arrived);
    }
}
