//! Messages of an application at WeCom.

use chrono::TimeDelta;
use qingfeng_sandbox::{Content, Phone};
use rstest::rstest;
use serde_json::{Value, json};

use crate::platform::{Platform, code};

async fn platform() -> Platform {
    Platform::with(|settings| {
        // Nobody listens there; but cards with buttons are taken.
        settings.wecom.callback_url = Some("http://127.0.0.1:9/wecom".into());
        settings.phones = vec![Phone::new("o-1", "甲").at_wecom("ZhangSan"), Phone::new("o-2", "乙").at_wecom("lisi")];
    })
    .await
}

impl Platform {
    pub async fn wecom_token(&self) -> String {
        let path = "/wecom/cgi-bin/gettoken?corpid=wwsandbox0000000001&corpsecret=sandbox-wecom-secret";
        let answer = self.get(path).await;
        assert_eq!(code(&answer), 0, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn tell(&self, token: &str, message: &Value) -> Value {
        self.post(&format!("/wecom/cgi-bin/message/send?access_token={token}"), message).await
    }
}

fn text(to: &str, words: &str) -> Value {
    json!({"touser": to, "agentid": 1_000_002, "msgtype": "text", "text": {"content": words}})
}

fn card(change: impl FnOnce(&mut Value)) -> Value {
    let mut card = json!({
        "card_type": "text_notice", "main_title": {"title": "题"},
        "card_action": {"type": 1, "url": "https://example.org"},
    });
    change(&mut card);
    json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "template_card", "template_card": card})
}

#[tokio::test]
async fn tokens_repeat_while_they_are_good_and_wrong_ones_are_refused() {
    let platform = platform().await;
    let token = platform.wecom_token().await;
    assert_eq!(platform.wecom_token().await, token);
    let wrong = async |query: &str| code(&platform.get(&format!("/wecom/cgi-bin/gettoken?{query}")).await);
    assert_eq!(wrong("corpid=ww0&corpsecret=sandbox-wecom-secret").await, 40013);
    assert_eq!(wrong("corpid=wwsandbox0000000001&corpsecret=x").await, 40001);
    assert_eq!(wrong("corpid=wwsandbox0000000001").await, 41004);
    assert_eq!(code(&platform.tell("", &text("lisi", "甲")).await), 41001);
    assert_eq!(code(&platform.tell("other", &text("lisi", "甲")).await), 40014);
    platform.pass(TimeDelta::hours(2));
    assert_eq!(code(&platform.tell(&token, &text("lisi", "甲")).await), 42001);
    assert_ne!(platform.wecom_token().await, token);
}

#[tokio::test]
async fn a_partial_failure_is_a_success_with_the_unknown_in_lower_case() {
    let platform = platform().await;
    let token = platform.wecom_token().await;
    let answer = platform.tell(&token, &text("zhangsan|NoBody", "甲")).await;
    assert_eq!((code(&answer), answer["invaliduser"].as_str()), (0, Some("nobody")), "{answer}");
    assert_eq!(code(&platform.tell(&token, &text("NoBody", "甲")).await), 81013);
    assert_eq!(platform.sandbox.delivered_to_member("ZhangSan").len(), 1);
    let page = platform.client.get(platform.url("/sandbox/phones/o-1")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("企业微信") && page.contains("甲"));
}

#[tokio::test]
async fn a_long_text_is_cut_in_silence_and_a_member_hears_thirty_a_minute() {
    let platform = platform().await;
    let token = platform.wecom_token().await;
    assert_eq!(code(&platform.tell(&token, &text("lisi", &"渠".repeat(683))).await), 0);
    let arrived = platform.sandbox.delivered_to_member("lisi");
    assert_eq!(arrived[0].content, Content::AppMessage { text: "渠".repeat(682) });
    for number in 0..35 {
        assert_eq!(code(&platform.tell(&token, &text("lisi", &format!("第{number}条"))).await), 0);
    }
    assert_eq!(platform.sandbox.delivered_to_member("lisi").len(), 30, "what is too much is dropped without a word");
}

#[rstest]
#[case(json!({"touser": "lisi", "msgtype": "text", "text": {"content": "甲"}}), 41011)]
#[case(json!({"touser": "lisi", "agentid": 1, "msgtype": "text", "text": {"content": "甲"}}), 40056)]
#[case(json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "poem"}), 40008)]
#[case(json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "text", "text": {"content": ""}}), 44004)]
#[case(json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "text", "text": {"content": "甲"}, "x": 1}), 40058)]
#[case(json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "markdown", "markdown": {"content": "渠".repeat(683)}}), 45002)]
#[case(card(|_| ()), 0)]
#[case(card(|card| card["card_action"] = Value::Null), 40058)]
#[case(card(|card| card["main_title"] = json!({"desc": "只有说明"})), 40058)]
#[case(card(|card| card["horizontal_content_list"] = vec![json!({"keyname": "项"}); 7].into()), 40058)]
#[case(card(|card| card["card_type"] = "button_interaction".into()), 40058)]
#[case(card(|card| { card["card_type"] = "button_interaction".into(); card["task_id"] = "t-1@x".into(); card["button_list"] = json!([{"text": "好", "key": "k"}]); }), 0)]
#[case(card(|card| { card["card_type"] = "button_interaction".into(); card["task_id"] = "任务".into(); card["button_list"] = json!([{"text": "好", "key": "k"}]); }), 40058)]
#[case(card(|card| card["quote_area"] = json!({"type": 1, "url": "https://x", "title": "原话", "quote_text": "路灯不亮"})), 0)]
#[case(card(|card| card["quote_area"] = json!({"type": 1})), 40058)]
#[case(card(|card| card["horizontal_content_list"] = json!([{"keyname": "联系人", "type": 3, "userid": "lisi", "value": "点我"}])), 0)]
#[case(card(|card| card["horizontal_content_list"] = json!([{"keyname": "附件", "type": 2}])), 40058)]
#[case(card(|card| card["vertical_content_list"] = vec![json!({"title": "项"}); 5].into()), 40058)]
#[case(card(|card| card["action_menu"] = json!({"desc": "更多", "action_list": [{"text": "不再提醒", "key": "quiet"}]})), 40058)]
#[case(card(|card| { card["action_menu"] = json!({"desc": "更多", "action_list": [{"text": "不再提醒", "key": "quiet"}]}); card["task_id"] = "t-2".into(); }), 0)]
#[case(card(|card| { card["card_type"] = "news_notice".into(); card["card_image"] = json!({"url": "https://x/1.png", "aspect_ratio": 2.25}); card["image_text_area"] = json!({"title": "图", "image_url": "https://x/2.png"}); }), 0)]
#[case(card(|card| { card["card_type"] = "news_notice".into(); card["card_image"] = json!({"url": "https://x/1.png", "aspect_ratio": 2.3}); }), 40058)]
#[case(card(|card| { card["card_type"] = "vote_interaction".into(); card["task_id"] = "t-3".into(); card["checkbox"] = json!({"question_key": "q", "mode": 0, "option_list": [{"id": "1", "text": "满意"}]}); card["submit_button"] = json!({"text": "提交", "key": "send"}); }), 0)]
#[case(card(|card| { card["card_type"] = "vote_interaction".into(); card["task_id"] = "t-3".into(); card["checkbox"] = json!({"question_key": "q", "option_list": []}); card["submit_button"] = json!({"text": "提交", "key": "send"}); }), 40058)]
#[case(card(|card| { card["card_type"] = "multiple_interaction".into(); card["task_id"] = "t-4".into(); card["select_list"] = json!([{"question_key": "q", "title": "办结了吗", "option_list": [{"id": "1", "text": "是"}]}]); card["submit_button"] = json!({"text": "提交", "key": "send"}); }), 0)]
#[case(card(|card| { card["card_type"] = "multiple_interaction".into(); card["task_id"] = "t-4".into(); card["select_list"] = json!([{"question_key": "q", "title": "办结了吗", "option_list": [{"id": "1", "text": "是"}]}]); }), 40058)]
#[case(card(|card| card["sparkle"] = true.into()), 40058)]
#[tokio::test]
async fn messages_are_checked(#[case] message: Value, #[case] expected: i64) {
    let platform = platform().await;
    let token = platform.wecom_token().await;
    let answer = platform.tell(&token, &message).await;
    assert_eq!(code(&answer), expected, "{answer}");
    assert_eq!(platform.sandbox.deliveries().len(), usize::from(expected == 0));
}

#[tokio::test]
async fn the_duplicate_check_compares_the_whole_message_for_its_span() {
    let platform = platform().await;
    let token = platform.wecom_token().await;
    let mut message = text("lisi", "甲");
    message["enable_duplicate_check"] = 1.into();
    message["duplicate_check_interval"] = 60.into();
    for _ in 0..2 {
        assert_eq!(code(&platform.tell(&token, &message).await), 0);
    }
    assert_eq!(platform.sandbox.delivered_to_member("lisi").len(), 1);
    assert_eq!(code(&platform.tell(&token, &text("lisi", "甲")).await), 0, "without the check it is delivered");
    platform.pass(TimeDelta::seconds(60));
    assert_eq!(code(&platform.tell(&token, &message).await), 0);
    assert_eq!(platform.sandbox.delivered_to_member("lisi").len(), 3);
    message["duplicate_check_interval"] = 14_401.into();
    assert_eq!(code(&platform.tell(&token, &message).await), 40058);
}

#[tokio::test]
async fn a_taps_code_changes_its_card_once_and_for_72_hours() {
    let platform = platform().await;
    let token = platform.wecom_token().await;
    let with_buttons = card(|card| {
        card["card_type"] = "button_interaction".into();
        card["task_id"] = "task-1".into();
        card["button_list"] = json!([{"text": "知道了", "key": "known"}, {"text": "不是我的", "key": "not_mine"}]);
    });
    assert_eq!(code(&platform.tell(&token, &with_buttons).await), 0);
    let tap = || platform.sandbox.phone("o-2").response_code("task-1");
    let update = |code: &str| json!({"userids": ["lisi"], "agentid": 1_000_002, "response_code": code, "button": {"replace_name": "已知道"}});
    let change = async |body: &Value| {
        let path = format!("/wecom/cgi-bin/message/update_template_card?access_token={token}");
        platform.post(&path, body).await
    };
    let shown = || {
        let Content::Card { buttons, .. } = platform.sandbox.delivered_to_member("lisi")[0].content.clone() else {
            panic!()
        };
        buttons.into_iter().map(|button| button.text).collect::<Vec<_>>()
    };
    let first = tap();
    assert_eq!(code(&change(&update("guess")).await), 40058);
    for (field, value, refusal) in [
        ("userids", json!("lisi"), 40058),
        ("userids", json!([]), 40058),
        ("agentid", json!(1), 40056),
        ("agentid", Value::Null, 41011),
        ("button", json!({"replace_name": ""}), 40058),
        ("buttons", json!({}), 40058),
    ] {
        let mut wrong = update(&first);
        wrong[field] = value;
        assert_eq!(code(&change(&wrong).await), refusal, "{field}");
    }
    assert_eq!(shown(), ["知道了", "不是我的"]);
    assert_eq!(code(&change(&update(&first)).await), 0, "what was refused did not use it up");
    assert_eq!(shown(), ["已知道"]);
    assert_eq!(code(&change(&update(&first)).await), 40058, "once");
    let second = tap();
    platform.pass(TimeDelta::hours(72));
    let fresh = platform.wecom_token().await;
    let path = format!("/wecom/cgi-bin/message/update_template_card?access_token={fresh}");
    assert_eq!(code(&platform.post(&path, &update(&second)).await), 40058, "too late");
}
