use std::time::Duration;

use chrono::TimeDelta;
use qingfeng_sandbox::{AccountMessage, Content, PushOutcome, PushResult};
use serde_json::{Value, json};

use crate::{
    account_server::{AccountServer, Reply},
    platform::{Platform, code, reminder},
};

async fn connected(server: &AccountServer) -> Platform {
    Platform::with(|settings| {
        settings.account.callback_url = Some(server.url.clone());
        settings.push_patience = Duration::from_secs(2);
    })
    .await
}

impl Platform {
    async fn answer(&self, token: &str, text: &str) -> Value {
        let message = json!({"touser": "o-villager", "msgtype": "text", "text": {"content": text}});
        self.post(&format!("/wechat/cgi-bin/message/custom/send?access_token={token}"), &message).await
    }
}

#[tokio::test]
async fn a_persons_text_is_pushed_signed_and_the_passive_reply_shows_on_the_phone() {
    let server = AccountServer::start(vec![Reply::Text("请回复 1 至 5 分".into())]);
    let platform = connected(&server).await;
    let phone = platform.sandbox.phone("o-villager");
    assert_eq!(phone.say("路修好了 ]]> <满意>").await, PushOutcome::Replied("请回复 1 至 5 分".into()));

    let received = server.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].contains("<FromUserName><![CDATA[o-villager]]></FromUserName>"), "{}", received[0]);
    assert!(received[0].contains("<ToUserName><![CDATA[gh_sandbox000001]]></ToUserName>"));
    assert!(received[0].contains("<Content><![CDATA[路修好了 ]]]]><![CDATA[> <满意>]]></Content>"));
    assert!(received[0].contains("<MsgId>24000000000000001</MsgId>"));
    let messages = phone.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].content, Content::PassiveReply { text: "请回复 1 至 5 分".into() });
}

#[tokio::test]
async fn without_an_answer_in_time_the_same_message_is_delivered_again() {
    let server = AccountServer::start(vec![Reply::Late(Duration::from_secs(30)), Reply::Status(500)]);
    let platform = connected(&server).await;
    let outcome = platform.sandbox.phone("o-villager").say("你好").await;
    assert_eq!(outcome, PushOutcome::Handled);
    let received = server.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|message| *message == received[0]), "the message id stays the same");
    let results: Vec<PushResult> = platform.sandbox.pushes().into_iter().map(|push| push.result).collect();
    assert_eq!(results, [PushResult::NoAnswer, PushResult::Status(500), PushResult::Handled]);
}

#[tokio::test]
async fn a_server_that_never_answers_or_answers_nonsense_shows_the_service_notice() {
    let server = AccountServer::start(vec![
        Reply::Status(500),
        Reply::Status(500),
        Reply::Status(500),
        Reply::Body("<xml><MsgType>text</MsgType></xml>".into()),
    ]);
    let platform = connected(&server).await;
    let phone = platform.sandbox.phone("o-villager");
    assert_eq!(phone.say("一").await, PushOutcome::Failed);
    assert_eq!(server.received().len(), 3, "three deliveries and no more");
    assert_eq!(phone.say("二").await, PushOutcome::Failed);
    assert_eq!(server.received().len(), 4, "an answer ends it, also a malformed one");
    let contents: Vec<Content> = phone.messages().into_iter().map(|message| message.content).collect();
    assert_eq!(contents, [Content::ServiceUnavailable, Content::ServiceUnavailable]);
}

#[tokio::test]
async fn the_account_may_answer_five_times_within_48_hours_of_a_message() {
    let platform = Platform::start().await;
    let token = platform.token().await;
    assert_eq!(code(&platform.answer(&token, "您好").await), 45015, "nobody wrote");
    let phone = platform.sandbox.phone("o-villager");
    assert_eq!(phone.say("在吗").await, PushOutcome::NotConfigured);
    for number in 1..=5 {
        assert_eq!(code(&platform.answer(&token, &format!("第 {number} 条")).await), 0);
    }
    assert_eq!(code(&platform.answer(&token, "第 6 条").await), 45047);
    phone.say("还在吗").await;
    platform.pass(TimeDelta::hours(48));
    let token = platform.token().await;
    assert_eq!(code(&platform.answer(&token, "在").await), 0);
    platform.pass(TimeDelta::seconds(1));
    assert_eq!(code(&platform.answer(&token, "太晚了").await), 45015);
    assert_eq!(phone.messages().len(), 6);
}

#[tokio::test]
async fn a_wrong_answer_is_refused_and_costs_nothing() {
    let platform = Platform::start().await;
    let token = platform.token().await;
    platform.sandbox.phone("o-villager").say("在吗").await;
    let path = format!("/wechat/cgi-bin/message/custom/send?access_token={token}");
    for (message, expected) in [
        (json!({"touser": "o-stranger", "msgtype": "text", "text": {"content": "甲"}}), 40003),
        (json!({"touser": "o-villager", "msgtype": "video", "text": {"content": "甲"}}), 40008),
        (json!({"touser": "o-villager", "msgtype": "text", "text": {"content": ""}}), 44004),
        (json!({"touser": "o-villager", "msgtype": "text", "text": {"content": "渠".repeat(683)}}), 45002),
        (json!({"touser": "o-villager", "msgtype": "text", "text": {"content": "甲"}, "safe": 1}), 47003),
        (json!([]), 47001),
    ] {
        assert_eq!(code(&platform.post(&path, &message).await), expected, "{message}");
    }
    assert!(platform.sandbox.phone("o-villager").messages().is_empty());
    assert_eq!(code(&platform.answer("bad", "甲").await), 40014);
    for _ in 0..5 {
        assert_eq!(code(&platform.answer(&token, "甲").await), 0);
    }
}

#[tokio::test]
async fn an_accept_counts_and_is_pushed_as_an_event_and_so_is_the_sending() {
    let server = AccountServer::start(Vec::new());
    let platform = connected(&server).await;
    let phone = platform.sandbox.phone("o-villager");
    assert_eq!(phone.accept("T-REMIND").await, PushOutcome::Handled);
    assert_eq!(platform.sandbox.accepts_left("o-villager", "T-REMIND"), 1);
    let popup = &server.received()[0];
    assert!(popup.contains("<Event><![CDATA[subscribe_msg_popup_event]]></Event>"), "{popup}");
    assert!(popup.contains(
        "<SubscribeMsgPopupEvent><List><TemplateId><![CDATA[T-REMIND]]></TemplateId>\
         <SubscribeStatusString><![CDATA[accept]]></SubscribeStatusString>"
    ));

    let token = platform.token().await;
    let sent = platform.send_subscribe(&token, &reminder()).await;
    let received = server.wait_for(2).await;
    assert_eq!(received.len(), 2);
    assert!(received[1].contains("<Event><![CDATA[subscribe_msg_sent_event]]></Event>"), "{}", received[1]);
    assert!(received[1].contains(&format!("<MsgID><![CDATA[{}]]></MsgID>", sent["msgid"])));

    phone.accept("T-REMIND").await;
    assert_eq!(phone.switch_off("T-REMIND").await, PushOutcome::Handled);
    assert_eq!(platform.sandbox.accepts_left("o-villager", "T-REMIND"), 0);
    let received = server.received();
    assert!(received.last().unwrap().contains("subscribe_msg_change_event"));
    assert_eq!(received.len(), 4);
}

/// A second of silence.
const SILENCE: &[u8] = b"#!AMR\n\x7c\x7c\x7c";

impl Platform {
    /// By the interface for set-up.
    async fn send_from(&self, openid: &str, message: &Value) -> Value {
        let address = self.url(&format!("/sandbox/api/phones/{openid}/messages"));
        self.client.post(address).json(message).send().await.unwrap().json().await.unwrap()
    }

    /// Status, content type and body of what the platform holds under this id.
    async fn media(&self, token: &str, id: &str) -> (u16, String, Vec<u8>) {
        let query = format!("/wechat/cgi-bin/media/get?access_token={token}&media_id={id}");
        let answer = self.client.get(self.url(&query)).send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
    }
}

fn field(push: &str, name: &str) -> String {
    let (_, rest) = push.split_once(&format!("<{name}><![CDATA[")).unwrap_or_else(|| panic!("{name} in {push}"));
    rest.split_once("]]>").unwrap().0.to_owned()
}

#[tokio::test]
async fn pictures_and_voice_are_held_for_three_days_and_fetched_with_the_token() {
    let server = AccountServer::start(vec![]);
    let platform = connected(&server).await;
    let token = platform.token().await;
    let phone = platform.sandbox.phone("o-villager");
    let picture = [0xff, 0xd8, 0xff, 0xe0, 7];
    phone.send(AccountMessage::image(&picture)).await.unwrap();
    phone.send(AccountMessage::voice(SILENCE, Some("路灯坏了"))).await.unwrap();
    let received = server.received();
    assert!(received[0].contains("<MsgType><![CDATA[image]]>") && received[0].contains("<PicUrl>"), "{}", received[0]);
    assert_eq!((field(&received[1], "Format"), field(&received[1], "Recognition")), ("amr".into(), "路灯坏了".into()));
    let (first, second) = (field(&received[0], "MediaId"), field(&received[1], "MediaId"));
    assert_eq!(platform.media(&token, &first).await, (200, "image/jpeg".into(), picture.to_vec()));
    assert_eq!(platform.media(&token, &second).await, (200, "audio/amr".into(), SILENCE.to_vec()));

    let refused = async |token: &str, id: &str| {
        let (status, _, body) = platform.media(token, id).await;
        assert_eq!(status, 200, "failures are told in the body");
        code(&serde_json::from_slice(&body).unwrap())
    };
    assert_eq!(refused(&token, "").await, 41006);
    assert_eq!(refused(&token, "nothing").await, 40007);
    assert_eq!(refused("", &first).await, 41001);
    platform.pass(TimeDelta::days(3));
    let token = platform.token().await;
    assert_eq!(refused(&token, &first).await, 40007, "held no longer");
}

#[tokio::test]
async fn a_phone_sends_only_what_phones_send() {
    let server = AccountServer::start(vec![]);
    let platform = connected(&server).await;
    let phone = platform.sandbox.phone("o-villager");
    assert!(phone.send(AccountMessage::image(b"%PDF-1.7")).await.is_err());
    assert!(phone.send(AccountMessage::voice(b"RIFF", None)).await.is_err());
    let nowhere = AccountMessage::Location { latitude: 91.0, longitude: 0.0, label: "极点".into() };
    assert!(phone.send(nowhere).await.is_err());
    assert!(phone.send(AccountMessage::Menu { key: "file".into() }).await.is_err(), "there is no menu");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn places_and_the_menu_are_pushed_and_sent_by_the_interface_for_set_up() {
    let server = AccountServer::start(vec![Reply::Text("收到".into())]);
    let platform = connected(&server).await;
    let _ = platform.sandbox.phone("o-villager");
    let place = json!({"kind": "location", "latitude": 27.5, "longitude": 110.4, "label": "东河村三组"});
    let said = platform.send_from("o-villager", &place).await;
    assert_eq!(said, json!({"outcome": "replied", "text": "收到"}));
    let push = server.received().remove(0);
    assert!(push.contains("<Location_X>27.500000</Location_X>") && field(&push, "Label") == "东河村三组", "{push}");

    let token = platform.token().await;
    let path = format!("/wechat/cgi-bin/menu/create?access_token={token}");
    let button = |name: &str, key: &str| json!({"type": "click", "name": name, "key": key});
    let menu = |buttons: &[Value]| json!({"button": buttons});
    for (wrong, expected) in [
        (menu(&[]), 40016),
        (menu(&[button("一", "1"), button("二", "2"), button("三", "3"), button("四", "4")]), 40016),
        (menu(&[button("六个汉字太长了", "1")]), 40018),
        (menu(&[button("一", &"k".repeat(129))]), 40019),
        (menu(&[json!({"type": "dance", "name": "一", "key": "1"})]), 40017),
        (json!({"buttons": []}), 47001),
    ] {
        assert_eq!(code(&platform.post(&path, &wrong).await), expected, "{wrong}");
    }
    assert_eq!(code(&platform.post(&path, &menu(&[button("反映问题", "file")])).await), 0);
    platform.send_from("o-villager", &json!({"kind": "menu", "key": "file"})).await;
    let push = server.received().pop().unwrap();
    assert!(
        field(&push, "Event") == "CLICK" && field(&push, "EventKey") == "file" && !push.contains("MsgId"),
        "{push}"
    );
}
