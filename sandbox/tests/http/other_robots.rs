//! The group robots of DingTalk and Feishu: signatures, clocks, sizes, rates.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use hmac::{Hmac, Mac};
use qingfeng_sandbox::{Group, GroupKind};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::platform::Platform;

const SECRET: &str = "SEC000";
/// The platform's clock in these tests.
const NOW: i64 = 1_795_485_600;

async fn platform() -> Platform {
    Platform::with(|settings| {
        settings.groups = vec![
            Group::new("ding", "钉钉群").of_kind(GroupKind::Dingtalk).signed_with(SECRET),
            Group::new("ding-word", "钉钉群").of_kind(GroupKind::Dingtalk).with_keyword("清风"),
            Group::new("fei", "飞书群").of_kind(GroupKind::Feishu).signed_with(SECRET),
            Group::new("fei-word", "飞书群").of_kind(GroupKind::Feishu).with_keyword("清风"),
        ];
    })
    .await
}

fn mac(key: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

impl Platform {
    async fn ding(&self, token: &str, at: i64, sign: &str, body: &Value) -> Value {
        let url = self.url("/dingtalk/robot/send");
        let query = [("access_token", token), ("timestamp", &at.to_string()), ("sign", sign)];
        self.client.post(url).query(&query).json(body).send().await.unwrap().json().await.unwrap()
    }

    async fn fei(&self, token: &str, body: &Value) -> Value {
        self.post(&format!("/feishu/open-apis/bot/v2/hook/{token}"), body).await
    }
}

fn ding_text(text: &str) -> Value {
    json!({"msgtype": "text", "text": {"content": text}})
}

fn fei_text(text: &str) -> Value {
    json!({"msg_type": "text", "content": {"text": text}})
}

#[rstest]
#[case::good(NOW * 1000, SECRET, 0)]
#[case::an_hour_off(NOW * 1000 + 3_600_000, SECRET, 0)]
#[case::more_than_an_hour_off(NOW * 1000 + 3_600_001, SECRET, 310_000)]
#[case::seconds(NOW, SECRET, 310_000)]
#[case::other_secret(NOW * 1000, "SEC111", 310_000)]
#[tokio::test]
async fn dingtalk_checks_signature_and_clock(#[case] at: i64, #[case] secret: &str, #[case] expected: i64) {
    let platform = platform().await;
    let sign = mac(secret, &format!("{at}\n{secret}"));
    let answer = platform.ding("ding", at, &sign, &ding_text("甲")).await;
    assert_eq!(answer["errcode"], expected, "{answer}");
    assert_eq!(platform.sandbox.deliveries().len(), usize::from(expected == 0));
}

#[rstest]
#[case(ding_text("没有那个词"), 310_000)]
#[case(json!({"msgtype": "text", "text": {"content": "清风", "colour": "red"}}), 40035)]
#[case(json!({"msgtype": "text", "text": {"content": "清风"}, "extra": 1}), 40035)]
#[case(json!({"msgtype": "poem", "poem": {}}), 400_105)]
#[case(json!({"msgtype": "markdown", "markdown": {"title": "", "text": "清风"}}), 40035)]
#[case(json!({"msgtype": "markdown", "markdown": {"title": "题", "text": "清风"}}), 0)]
#[case(json!({"msgtype": "actionCard", "actionCard": {"title": "题", "text": "清风", "singleTitle": "看", "singleURL": "https://x"}}), 0)]
#[case(json!({"msgtype": "actionCard", "actionCard": {"title": "题", "text": "清风", "btnOrientation": "1", "btns": [{"title": "看", "actionURL": "https://x"}, {"title": "评", "actionURL": "https://y"}]}}), 0)]
#[case(json!({"msgtype": "actionCard", "actionCard": {"title": "题", "text": "清风", "btns": [{"title": "看", "actionURL": "javascript:1"}]}}), 40035)]
#[case(json!({"msgtype": "actionCard", "actionCard": {"title": "题", "text": "清风", "singleTitle": "看", "singleURL": "https://x", "btns": [{"title": "看", "actionURL": "https://x"}]}}), 40035)]
#[case(json!({"msgtype": "actionCard", "actionCard": {"title": "题", "text": "清风", "btns": [{"title": "看", "actionURL": "https://x", "style": 1}]}}), 40035)]
#[case(json!({"msgtype": "feedCard", "feedCard": {"links": [{"title": "清风一", "messageURL": "https://x", "picURL": "https://x/1.png"}]}}), 0)]
#[case(json!({"msgtype": "feedCard", "feedCard": {"links": [{"title": "清风一", "messageURL": "https://x"}]}}), 40035)]
#[case(json!({"msgtype": "feedCard", "feedCard": {"links": []}}), 40035)]
#[case(json!({"msgtype": "text", "text": {"content": "清风"}, "feedCard": {"links": []}}), 40035)]
#[tokio::test]
async fn dingtalk_is_strict(#[case] body: Value, #[case] expected: i64) {
    let platform = platform().await;
    let answer = platform.ding("ding-word", 0, "", &body).await;
    assert_eq!(answer["errcode"], expected, "{answer}");
}

#[tokio::test]
async fn dingtalk_counts_bytes_of_the_body_and_silences_who_is_too_fast() {
    let platform = platform().await;
    let body = |words: usize| ding_text(&format!("清风{}", "a".repeat(words)));
    let around = body(0).to_string().len();
    assert_eq!(platform.ding("ding-word", 0, "", &body(20_000 - around)).await["errcode"], 0);
    assert_eq!(platform.ding("ding-word", 0, "", &body(20_001 - around)).await["errcode"], 40035);
    for _ in 1..20 {
        assert_eq!(platform.ding("ding-word", 0, "", &body(0)).await["errcode"], 0);
    }
    let silenced = platform.ding("ding-word", 0, "", &body(0)).await;
    assert!(silenced.get("errcode").is_none() && silenced["status"] == 1111, "{silenced}");
    platform.pass(TimeDelta::minutes(9));
    assert!(platform.ding("ding-word", 0, "", &body(0)).await.get("errcode").is_none());
    platform.pass(TimeDelta::minutes(1));
    assert_eq!(platform.ding("ding-word", 0, "", &body(0)).await["errcode"], 0);
    assert_eq!(platform.ding("gone", 0, "", &body(0)).await["errcode"], 300_005);
}

#[rstest]
#[case::good(NOW, SECRET, 0)]
#[case::an_hour_off(NOW - 3600, SECRET, 0)]
#[case::more_than_an_hour_off(NOW - 3601, SECRET, 19021)]
#[case::milliseconds(NOW * 1000, SECRET, 19021)]
#[case::other_secret(NOW, "SEC111", 19021)]
#[tokio::test]
async fn feishu_checks_signature_and_clock(#[case] at: i64, #[case] secret: &str, #[case] expected: i64) {
    let platform = platform().await;
    let mut body = fei_text("甲");
    body["timestamp"] = at.to_string().into();
    body["sign"] = mac(&format!("{at}\n{secret}"), "").into();
    let answer = platform.fei("fei", &body).await;
    assert_eq!(answer["code"], expected, "{answer}");
    assert_eq!(platform.fei("fei", &fei_text("没有签名")).await["code"], 19021);
    assert_eq!(platform.sandbox.deliveries().len(), usize::from(expected == 0));
}

fn card(button: Value) -> Value {
    json!({
        "header": {"title": {"tag": "plain_text", "content": "清风通报"}, "template": "blue"},
        "elements": [
            {"tag": "div", "text": {"tag": "lark_md", "content": "**水渠**已修好"}, "fields": [{"is_short": true, "text": {"tag": "plain_text", "content": "3 组"}}]},
            {"tag": "hr"}, {"tag": "action", "actions": [button]},
        ],
    })
}

#[tokio::test]
async fn feishus_pictures_are_named_by_keys_of_uploaded_ones() {
    let platform = Platform::with(|settings| {
        settings.groups = vec![Group::new("free", "飞书群").of_kind(GroupKind::Feishu)];
    })
    .await;
    let image = |key: &str| json!({"msg_type": "image", "content": {"image_key": key}});
    let shared = |key: &str| json!({"msg_type": "share_chat", "content": {"share_chat_id": key}});
    assert_eq!(platform.fei("free", &image("img_ecffc3b9")).await["code"], 0);
    assert_eq!(platform.fei("free", &image("https://x/1.png")).await["code"], 9499);
    assert_eq!(platform.fei("free", &shared("oc_f5b1")).await["code"], 0);
    assert_eq!(platform.fei("free", &shared("f5b1")).await["code"], 9499);
    let address = platform.url("/sandbox/groups/free");
    let page = platform.client.get(address).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("[图片]") && page.contains("img_ecffc3b9") && page.contains("[群名片]"), "{page}");
}

#[tokio::test]
async fn cards_with_several_buttons_and_lists_of_articles_show_in_the_group() {
    let platform = platform().await;
    let buttons = json!({"msgtype": "actionCard", "actionCard": {"title": "整改进度", "text": "清风", "btns": [
        {"title": "看公示", "actionURL": "https://example.org/1"}, {"title": "去评价", "actionURL": "https://example.org/2"},
    ]}});
    let feed = json!({"msgtype": "feedCard", "feedCard": {"links": [
        {"title": "清风第一条", "messageURL": "https://example.org/3", "picURL": "https://example.org/3.png"},
        {"title": "第二条", "messageURL": "https://example.org/4", "picURL": "https://example.org/4.png"},
    ]}});
    for body in [buttons, feed] {
        assert_eq!(platform.ding("ding-word", 0, "", &body).await["errcode"], 0);
    }
    let button =
        json!({"tag": "button", "text": {"tag": "plain_text", "content": "看看"}, "url": "https://example.org/5"});
    assert_eq!(platform.fei("fei-word", &json!({"msg_type": "interactive", "card": card(button)})).await["code"], 0);
    let page = async |key: &str| {
        let address = platform.url(&format!("/sandbox/groups/{key}"));
        platform.client.get(address).send().await.unwrap().text().await.unwrap()
    };
    let ding = page("ding-word").await;
    for expected in
        ["整改进度", "https://example.org/1", "去评价", "https://example.org/2", "第二条", "https://example.org/4.png"]
    {
        assert!(ding.contains(expected), "{expected} in {ding}");
    }
    let fei = page("fei-word").await;
    for expected in ["清风通报", "<strong>水渠</strong>", "3 组", "https://example.org/5"] {
        assert!(fei.contains(expected), "{expected} in {fei}");
    }
}

#[rstest]
#[case(fei_text("没有那个词"), 19024)]
#[case(json!({"msg_type": "text", "content": {"text": "清风", "colour": "red"}}), 9499)]
#[case(json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "清风", "content": [[]]}}}}), 9499)]
#[case(json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "清风", "content": [[{"tag": "a", "text": "x", "href": "javascript:1"}]]}}}}), 9499)]
#[case(json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "清风", "content": [[{"tag": "text", "text": "x"}]]}}}}), 0)]
#[case(json!({"msg_type": "text", "content": {"text": "清风"}, "extra": 1}), 9499)]
#[case(json!({"msg_type": "text", "card": {"text": "清风"}}), 9499)]
#[case(json!({"msg_type": "poem", "content": {"text": "清风"}}), 9499)]
#[case(json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "清风", "content": [[{"tag": "text", "text": "x", "un_escape": true}]]}}}}), 9499)]
#[case(json!({"msg_type": "interactive", "card": card(json!({"tag": "button", "text": {"tag": "plain_text", "content": "看"}, "url": "https://x", "type": "primary"}))}), 0)]
#[case(json!({"msg_type": "interactive", "card": card(json!({"tag": "button", "text": {"tag": "plain_text", "content": "办"}, "value": {"key": "1"}}))}), 9499)]
#[case(json!({"msg_type": "interactive", "content": card(json!({"tag": "button", "text": {"tag": "plain_text", "content": "看"}, "url": "https://x"}))}), 9499)]
#[case(json!({"msg_type": "interactive", "card": {"elements": []}}), 9499)]
#[tokio::test]
async fn feishu_is_strict(#[case] body: Value, #[case] expected: i64) {
    let platform = platform().await;
    let answer = platform.fei("fei-word", &body).await;
    assert_eq!(answer["code"], expected, "{answer}");
}

#[tokio::test]
async fn feishu_counts_bytes_and_five_a_second() {
    let platform = platform().await;
    let body = |words: usize| fei_text(&format!("清风{}", "a".repeat(words)));
    let around = body(0).to_string().len();
    assert_eq!(platform.fei("fei-word", &body(20 * 1024 - around)).await["code"], 0);
    assert_eq!(platform.fei("fei-word", &body(20 * 1024 + 1 - around)).await["code"], 19036);
    for _ in 1..5 {
        assert_eq!(platform.fei("fei-word", &body(0)).await["code"], 0);
    }
    assert_eq!(platform.fei("fei-word", &body(0)).await["code"], 11232);
    platform.pass(TimeDelta::seconds(1));
    assert_eq!(platform.fei("fei-word", &body(0)).await["code"], 0);
    assert_eq!(platform.fei("gone", &body(0)).await["code"], 19001);
    let page =
        platform.client.get(platform.url("/sandbox/groups/fei-word")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("飞书群") && page.contains("清风"));
}
