//! What WeCom drops, refuses, bans and takes back, and the chats that an application makes itself.

use chrono::TimeDelta;
use qingfeng_sandbox::{Content, Phone};
use reqwest::multipart::{Form, Part};
use rstest::rstest;
use serde_json::{Value, json};

use crate::platform::{Platform, code};

async fn platform() -> Platform {
    Platform::with(|settings| {
        settings.phones = vec![
            Phone::new("o-1", "甲").at_wecom("zhangsan"),
            Phone::new("o-2", "乙").at_wecom("lisi"),
            Phone::new("o-3", "村民"),
        ];
    })
    .await
}

fn text(to: &str, words: &str) -> Value {
    json!({"touser": to, "agentid": 1_000_002, "msgtype": "text", "text": {"content": words}})
}

impl Platform {
    async fn at_corporation(&self, path: &str, body: &Value) -> Value {
        let token = self.wecom_token().await;
        self.post(&format!("/wecom/cgi-bin/{path}?access_token={token}"), body).await
    }

    async fn upload(&self, kind: &str, bytes: Vec<u8>) -> Value {
        let token = self.wecom_token().await;
        let form = Form::new().part("media", Part::bytes(bytes).file_name("文件"));
        let url = self.url(&format!("/wecom/cgi-bin/media/upload?access_token={token}&type={kind}"));
        self.client.post(url).multipart(form).send().await.unwrap().json().await.unwrap()
    }
}

#[tokio::test]
async fn a_member_hears_a_thousand_an_hour_and_the_rest_is_dropped_in_silence() {
    let platform = platform().await;
    let mut limits = platform.sandbox.limits();
    limits.to_a_member_an_hour = 40;
    platform.sandbox.set_limits(limits);
    for number in 0..50 {
        assert_eq!(code(&platform.at_corporation("message/send", &text("lisi", &format!("第{number}条"))).await), 0);
        platform.pass(TimeDelta::seconds(30));
    }
    assert_eq!(platform.sandbox.delivered_to_member("lisi").len(), 40);
    platform.pass(TimeDelta::hours(1));
    assert_eq!(code(&platform.at_corporation("message/send", &text("lisi", "又一条")).await), 0);
    assert_eq!(platform.sandbox.delivered_to_member("lisi").len(), 41);
}

#[tokio::test]
async fn an_application_reaches_two_hundred_people_a_day_for_each_account() {
    let platform = platform().await;
    let limits = json!({"accounts": 1, "to_a_member_a_minute": 1000});
    let put = platform.client.put(platform.url("/sandbox/limits")).json(&limits).send().await.unwrap();
    assert_eq!(put.status(), 204);
    for number in 0..100 {
        let message = text("lisi|zhangsan", &format!("第{number}条"));
        assert_eq!(code(&platform.at_corporation("message/send", &message).await), 0);
    }
    assert_eq!(code(&platform.at_corporation("message/send", &text("lisi", "多一条")).await), 45009);
    platform.pass(TimeDelta::hours(14));
    assert_eq!(
        code(&platform.at_corporation("message/send", &text("lisi", "第二天")).await),
        0,
        "a new day in Beijing"
    );
    let wrong = platform.client.put(platform.url("/sandbox/limits")).json(&json!({"sky": 1})).send().await.unwrap();
    assert_eq!(wrong.status(), 400);
}

#[tokio::test]
async fn a_refused_message_may_come_again_the_very_same() {
    let platform = platform().await;
    let mut limits = platform.sandbox.limits();
    limits.accounts = 0;
    platform.sandbox.set_limits(limits.clone());
    let guarded = |mut message: Value| {
        message["enable_duplicate_check"] = 1.into();
        message
    };
    let card = guarded(json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "template_card", "template_card": {
        "card_type": "text_notice", "task_id": "task-1", "main_title": {"title": "题"},
        "card_action": {"type": 1, "url": "https://example.org"},
    }}));
    let messages = [guarded(text("lisi", "甲")), card];
    for message in &messages {
        assert_eq!(code(&platform.at_corporation("message/send", message).await), 45009);
    }
    limits.accounts = 1;
    platform.sandbox.set_limits(limits);
    for message in &messages {
        assert_eq!(code(&platform.at_corporation("message/send", message).await), 0);
    }
    assert_eq!(platform.sandbox.delivered_to_member("lisi").len(), 2, "the refusal used neither words nor task up");
    let mut other = messages[1].clone();
    other["template_card"]["main_title"]["title"] = "另一题".into();
    assert_eq!(code(&platform.at_corporation("message/send", &other).await), 42014, "now the task is used up");
}

#[tokio::test]
async fn too_many_wrong_secrets_ban_the_address_for_an_hour() {
    let platform = platform().await;
    let token = platform.wecom_token().await;
    let ask = async |secret: &str| {
        let query = format!("/wecom/cgi-bin/gettoken?corpid=wwsandbox0000000001&corpsecret={secret}");
        code(&platform.get(&query).await)
    };
    for _ in 0..20 {
        assert_eq!(ask("wrong").await, 40001);
    }
    assert_eq!(ask("wrong").await, 60020);
    assert_eq!(ask("sandbox-wecom-secret").await, 60020, "also the right one");
    assert_eq!(code(&platform.tell(&token, &text("lisi", "甲")).await), 60020);
    platform.pass(TimeDelta::hours(1));
    assert_eq!(ask("sandbox-wecom-secret").await, 0);
}

#[tokio::test]
async fn a_message_is_taken_back_within_a_day() {
    let platform = platform().await;
    let sent = platform.at_corporation("message/send", &text("lisi|zhangsan", "发错了")).await;
    let late = platform.at_corporation("message/send", &text("lisi", "过期")).await;
    assert_eq!(code(&platform.at_corporation("message/recall", &json!({"msgid": sent["msgid"]})).await), 0);
    assert!(platform.sandbox.delivered_to_member("zhangsan")[0].recalled_at.is_some());
    let page = platform.client.get(platform.url("/sandbox/phones/o-1")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("消息已撤回") && !page.contains("发错了"), "{page}");
    platform.pass(TimeDelta::hours(24) + TimeDelta::seconds(1));
    for wrong in [json!({"msgid": late["msgid"]}), json!({"msgid": "MSG99"}), json!({"msgid": sent["msgid"], "x": 1})] {
        assert_eq!(code(&platform.at_corporation("message/recall", &wrong).await), 40058, "{wrong}");
    }
    assert!(platform.sandbox.delivered_to_member("lisi")[1].recalled_at.is_none());
}

fn png(bytes: usize) -> Vec<u8> {
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    picture.resize(bytes, 7);
    picture
}

#[tokio::test]
async fn the_smaller_of_the_documented_picture_limits_holds_unless_it_is_set() {
    let platform = platform().await;
    assert_eq!(code(&platform.upload("image", png(5 * 1024 * 1024)).await), 0);
    assert_eq!(code(&platform.upload("image", png(5 * 1024 * 1024 + 1)).await), 45001);
    let mut limits = platform.sandbox.limits();
    limits.image_bytes = 10 * 1024 * 1024;
    platform.sandbox.set_limits(limits);
    assert_eq!(code(&platform.upload("image", png(5 * 1024 * 1024 + 1)).await), 0);
    assert_eq!(code(&platform.upload("voice", b"not AMR".to_vec()).await), 40004);
    let voice = platform.upload("voice", b"#!AMR\n\x7c".to_vec()).await;
    let message = |kind: &str| json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": kind, kind: {"media_id": voice["media_id"]}});
    assert_eq!(code(&platform.at_corporation("message/send", &message("file")).await), 40007);
    assert_eq!(code(&platform.at_corporation("message/send", &message("voice")).await), 0);
}

#[rstest]
#[case(json!({"msgtype": "textcard", "textcard": {"title": "题", "description": "说明", "url": "https://x"}}), 0)]
#[case(json!({"msgtype": "textcard", "textcard": {"title": "题", "description": "", "url": "https://x"}}), 40058)]
#[case(json!({"msgtype": "textcard", "textcard": {"title": "题", "description": "说明", "url": "x"}}), 40058)]
#[case(json!({"msgtype": "news", "news": {"articles": [{"title": "题", "url": "https://x"}]}}), 0)]
#[case(json!({"msgtype": "news", "news": {"articles": []}}), 45008)]
#[case(json!({"msgtype": "miniprogram_notice", "miniprogram_notice": {"appid": "wxsandbox0000000001", "title": "整改到期", "content_item": [{"key": "事项", "value": "水渠"}]}}), 0)]
#[case(json!({"msgtype": "miniprogram_notice", "miniprogram_notice": {"appid": "wx2", "title": "整改到期"}}), 40058)]
#[case(json!({"msgtype": "miniprogram_notice", "miniprogram_notice": {"appid": "wxsandbox0000000001", "title": "三个字"}}), 40058)]
#[case(json!({"msgtype": "text", "text": {"content": "甲"}, "toparty": "1"}), 0)]
#[case(json!({"msgtype": "video"}), 44004)]
#[tokio::test]
async fn an_application_says_it_in_many_ways(#[case] mut message: Value, #[case] expected: i64) {
    let platform = platform().await;
    message["touser"] = "lisi".into();
    message["agentid"] = 1_000_002.into();
    let answer = platform.at_corporation("message/send", &message).await;
    assert_eq!(code(&answer), expected, "{answer}");
    let page = platform.client.get(platform.url("/sandbox/phones/o-2")).send().await.unwrap().text().await.unwrap();
    assert_eq!(page.contains("还没有企业微信消息"), expected != 0);
}

#[tokio::test]
async fn an_application_writes_into_the_chats_it_made() {
    let platform = platform().await;
    let create = async |body: Value| platform.at_corporation("appchat/create", &body).await;
    let made =
        create(json!({"name": "整改专班", "owner": "lisi", "userlist": ["lisi", "ZhangSan"], "chatid": "team1"})).await;
    assert_eq!((code(&made), made["chatid"].as_str()), (0, Some("team1")), "{made}");
    for (wrong, expected) in [
        (json!({"userlist": ["lisi"]}), 40058),
        (json!({"userlist": ["lisi", "nobody"]}), 60111),
        (json!({"userlist": ["lisi", "zhangsan"], "owner": "wangwu"}), 40058),
        (json!({"userlist": ["lisi", "zhangsan"], "chatid": "整改"}), 40058),
        (json!({"userlist": ["lisi", "zhangsan"], "chatid": "team1"}), 86001),
        (json!({"userlist": ["lisi", "zhangsan"], "agentid": 1}), 40058),
    ] {
        assert_eq!(code(&create(wrong.clone()).await), expected, "{wrong}");
    }
    let mut limits = platform.sandbox.limits();
    limits.group_chats_a_day = 1;
    platform.sandbox.set_limits(limits);
    assert_eq!(code(&create(json!({"userlist": ["lisi", "zhangsan"]})).await), 45009);

    let send = async |body: Value| code(&platform.at_corporation("appchat/send", &body).await);
    let words =
        json!({"chatid": "team1", "msgtype": "text", "text": {"content": "今日进度", "mentioned_list": ["lisi"]}});
    assert_eq!(send(words.clone()).await, 0);
    let card = json!({"chatid": "team1", "msgtype": "template_card"});
    assert_eq!(send(card).await, 40008, "no cards with buttons");
    let mut wrong = words.clone();
    wrong["agentid"] = 1.into();
    assert_eq!(send(wrong).await, 40058);
    let mut elsewhere = words.clone();
    elsewhere["chatid"] = "robot-donghe".into();
    assert_eq!(send(elsewhere).await, 86001, "another's chat");
    for _ in 1..210 {
        assert_eq!(send(words.clone()).await, 0);
    }
    let heard = platform.sandbox.delivered_to_group("team1");
    assert_eq!(heard.len(), 200, "what is too much in a minute is dropped in silence");
    assert!(matches!(&heard[0].content, Content::Text { mentioned, .. } if mentioned[0] == "lisi"));
    assert_eq!(
        code(&platform.send_to_group("team1", &json!({"msgtype": "text", "text": {"content": "甲"}})).await),
        93000
    );
}

#[tokio::test]
async fn a_mini_program_inside_wecom_learns_the_member_once() {
    let platform = platform().await;
    let token = platform.wecom_token().await;
    let ask = async |code: &str| {
        let query = format!("access_token={token}&js_code={code}&grant_type=authorization_code");
        platform.get(&format!("/wecom/cgi-bin/miniprogram/jscode2session?{query}")).await
    };
    let login = platform.sandbox.phone("o-2").wecom_mini_program_code();
    let member = ask(&login).await;
    assert_eq!((member["userid"].as_str(), member["corpid"].as_str()), (Some("lisi"), Some("wwsandbox0000000001")));
    assert!(member["session_key"].is_string());
    assert_eq!(code(&ask(&login).await), 40029, "once");
    let outsider = platform.sandbox.phone("o-3").wecom_mini_program_code();
    assert_eq!(code(&ask(&outsider).await), 40029);
    let browser = platform.sandbox.phone("o-2").wecom_login_code();
    assert_eq!(code(&ask(&browser).await), 40029, "a code of the browser is another one");
    let addresses = platform.get(&format!("/wecom/cgi-bin/getcallbackip?access_token={token}")).await;
    assert_eq!(addresses["ip_list"], json!(["127.0.0.1"]));
    let refused = platform.get("/wecom/cgi-bin/getcallbackip?access_token=x").await;
    assert_eq!((code(&refused), &refused["ip_list"]), (40014, &json!([])), "an error has the list, too");
}
