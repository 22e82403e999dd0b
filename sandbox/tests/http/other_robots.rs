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

#[rstest]
#[case(fei_text("没有那个词"), 19024)]
#[case(json!({"msg_type": "text", "content": {"text": "清风", "colour": "red"}}), 9499)]
#[case(json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "清风", "content": [[]]}}}}), 9499)]
#[case(json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "清风", "content": [[{"tag": "a", "text": "x", "href": "javascript:1"}]]}}}}), 9499)]
#[case(json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "清风", "content": [[{"tag": "text", "text": "x"}]]}}}}), 0)]
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
