use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use md5::{Digest, Md5};
use qingfeng_sandbox::Content;
use reqwest::multipart::{Form, Part};
use rstest::rstest;
use serde_json::{Value, json};

use crate::platform::{Platform, code};

fn text(content: &str) -> Value {
    json!({"msgtype": "text", "text": {"content": content}})
}

fn markdown(content: &str) -> Value {
    json!({"msgtype": "markdown", "markdown": {"content": content}})
}

fn image(bytes: &[u8]) -> Value {
    json!({"msgtype": "image", "image": {"base64": STANDARD.encode(bytes), "md5": hex::encode(Md5::digest(bytes))}})
}

fn png(length: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(length, 7);
    bytes
}

#[tokio::test]
async fn a_text_arrives_in_its_group_only() {
    let platform = Platform::start().await;
    let message = json!({"msgtype": "text", "text": {"content": "今日通报", "mentioned_list": ["@all"]}});
    let answer = platform.send_to_group("robot-donghe", &message).await;
    assert_eq!(answer, json!({"errcode": 0, "errmsg": "ok"}));
    let delivered = platform.sandbox.delivered_to_group("robot-donghe");
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].content, Content::Text { text: "今日通报".into(), mentioned: vec!["@all".into()] });
    assert!(platform.sandbox.delivered_to_group("robot-xihe").is_empty());
}

#[tokio::test]
async fn an_unknown_key_is_refused_with_wecoms_tail() {
    let platform = Platform::start().await;
    for key in ["robot-gone", ""] {
        let answer = platform.send_to_group(key, &text("甲")).await;
        assert_eq!(code(&answer), 93000);
        assert!(answer["errmsg"].as_str().unwrap().contains("more info at https://open.work.weixin.qq.com"));
    }
    platform.sandbox.remove_robot("robot-donghe");
    assert_eq!(code(&platform.send_to_group("robot-donghe", &text("甲")).await), 93000);
}

/// 682 Chinese characters are 2046 bytes, 1365 are 4095.
#[tokio::test]
async fn lengths_count_bytes_not_characters() {
    let platform = Platform::start().await;
    for (message, expected) in [
        (text(&format!("{}ab", "渠".repeat(682))), 0),
        (text(&"渠".repeat(683)), 40058),
        (markdown(&format!("{}a", "渠".repeat(1365))), 0),
        (markdown(&"渠".repeat(1366)), 40058),
    ] {
        let answer = platform.send_to_group("robot-donghe", &message).await;
        assert_eq!(code(&answer), expected, "{answer}");
    }
    let answer = platform.send_to_group("robot-donghe", &markdown(&"渠".repeat(1366))).await;
    assert!(answer["errmsg"].as_str().unwrap().contains("markdown.content exceed max length 4096"), "{answer}");
    assert_eq!(platform.sandbox.delivered_to_group("robot-donghe").len(), 2, "too long is refused, not cut");
}

#[rstest]
#[case::empty_text(text(""), 44004)]
#[case::no_text(json!({"msgtype": "text"}), 44004)]
#[case::empty_markdown(markdown(""), 44004)]
#[case::unknown_type(json!({"msgtype": "poem", "poem": {}}), 40008)]
#[case::no_type(json!({"text": {"content": "甲"}}), 40008)]
#[case::unknown_field(json!({"msgtype": "text", "text": {"content": "甲", "colour": "red"}}), 40058)]
#[case::unknown_top_field(json!({"msgtype": "text", "text": {"content": "甲"}, "safe": 1}), 40058)]
#[case::wrong_type(json!({"msgtype": "text", "text": {"content": 5}}), 40058)]
#[case::no_articles(json!({"msgtype": "news", "news": {"articles": []}}), 45008)]
#[case::article_address(json!({"msgtype": "news", "news": {"articles": [{"title": "甲", "url": "javascript:alert(1)"}]}}), 40058)]
#[case::article_title(json!({"msgtype": "news", "news": {"articles": [{"title": "甲".repeat(43), "url": "https://example.org"}]}}), 40058)]
#[case::foreign_file(json!({"msgtype": "file", "file": {"media_id": "3abc"}}), 40007)]
#[tokio::test]
async fn a_wrong_message_is_refused(#[case] message: Value, #[case] expected: i64) {
    let platform = Platform::start().await;
    let answer = platform.send_to_group("robot-donghe", &message).await;
    assert_eq!(code(&answer), expected, "{answer}");
    assert!(platform.sandbox.deliveries().is_empty());
}

#[tokio::test]
async fn broken_json_is_refused() {
    let platform = Platform::start().await;
    let answer = platform.post_bytes("/wecom/cgi-bin/webhook/send?key=robot-donghe", "{\"msgtype\"").await;
    assert_eq!(code(&answer), 40035);
}

#[tokio::test]
async fn twenty_messages_in_any_minute_and_no_more() {
    let platform = Platform::start().await;
    for number in 0..20 {
        assert_eq!(code(&platform.send_to_group("robot-donghe", &text(&format!("第 {number} 条"))).await), 0);
        platform.pass(TimeDelta::seconds(2));
    }
    assert_eq!(code(&platform.send_to_group("robot-donghe", &text("第 20 条")).await), 45009);
    assert_eq!(
        code(&platform.send_to_group("robot-xihe", &text("另一个群")).await),
        0,
        "each robot has its own minute"
    );
    platform.pass(TimeDelta::seconds(19));
    assert_eq!(code(&platform.send_to_group("robot-donghe", &text("第 20 条")).await), 45009);
    platform.pass(TimeDelta::seconds(1));
    assert_eq!(code(&platform.send_to_group("robot-donghe", &text("第 20 条")).await), 0, "the first is a minute old");
    assert_eq!(code(&platform.send_to_group("robot-donghe", &text("第 21 条")).await), 45009, "the second is not");
    assert_eq!(platform.sandbox.delivered_to_group("robot-donghe").len(), 21);
}

#[tokio::test]
async fn an_image_is_checked_for_kind_size_and_digest() {
    let platform = Platform::start().await;
    let send = async |message: Value| code(&platform.send_to_group("robot-donghe", &message).await);
    assert_eq!(send(image(&png(2 * 1024 * 1024))).await, 0);
    assert_eq!(send(image(&png(2 * 1024 * 1024 + 1))).await, 40009);
    assert_eq!(send(image(b"GIF89a")).await, 40009);
    let mut wrong_digest = image(&png(64));
    wrong_digest["image"]["md5"] = json!("00000000000000000000000000000000");
    assert_eq!(send(wrong_digest).await, 301019);
    let mut wrapped = image(&png(64));
    let (front, rest) = wrapped["image"]["base64"].as_str().unwrap().split_at(40);
    wrapped["image"]["base64"] = json!(format!("{front}\n{rest}"));
    assert_eq!(send(wrapped).await, 40009);
    assert_eq!(platform.sandbox.delivered_to_group("robot-donghe").len(), 1);
}

#[tokio::test]
async fn a_file_is_uploaded_and_sent_by_the_same_robot() {
    let platform = Platform::start().await;
    let upload = async |key: &str, kind: &str, bytes: Vec<u8>| {
        let form = Form::new().part("media", Part::bytes(bytes).file_name("整改台账.xlsx"));
        let url = platform.url(&format!("/wecom/cgi-bin/webhook/upload_media?key={key}&type={kind}"));
        platform.client.post(url).multipart(form).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let answer = upload("robot-donghe", "file", b"PK\x03\x04 a ledger".to_vec()).await;
    assert_eq!((code(&answer), answer["type"].as_str()), (0, Some("file")));
    assert!(answer["created_at"].is_string());
    let message = json!({"msgtype": "file", "file": {"media_id": answer["media_id"]}});
    assert_eq!(code(&platform.send_to_group("robot-xihe", &message).await), 40007);
    assert_eq!(code(&platform.send_to_group("robot-donghe", &message).await), 0);
    assert_eq!(platform.sandbox.delivered_to_group("robot-donghe")[0].content.text(), "整改台账.xlsx");
    platform.pass(TimeDelta::days(3));
    assert_eq!(code(&platform.send_to_group("robot-donghe", &message).await), 40007, "kept for three days");

    assert_eq!(code(&upload("robot-gone", "file", Vec::new()).await), 44001, "looked at before the key");
    assert_eq!(code(&upload("robot-gone", "file", b"123456".to_vec()).await), 93000);
    assert_eq!(code(&upload("robot-donghe", "file", b"12345".to_vec()).await), 45001);
    assert_eq!(code(&upload("robot-donghe", "picture", b"123456".to_vec()).await), 40004);
    assert_eq!(code(&upload("robot-donghe", "voice", b"not AMR".to_vec()).await), 40004);

    let voice = upload("robot-donghe", "voice", b"#!AMR\n\x7c\x7c".to_vec()).await;
    let message = |kind: &str| json!({"msgtype": kind, kind: {"media_id": voice["media_id"]}});
    assert_eq!(code(&platform.send_to_group("robot-donghe", &message("file")).await), 40007, "it is no file");
    assert_eq!(code(&platform.send_to_group("robot-donghe", &message("voice")).await), 0);
    let page = platform.client.get(platform.url("/sandbox/groups/robot-donghe")).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("[语音]"));
}
