use std::time::Duration;

use chrono::TimeDelta;
use qingfeng_sandbox::{Content, PushOutcome, PushResult};
use serde_json::{Value, json};

use crate::{
    account_server::{AccountServer, Reply},
    platform::{Platform, code, reminder},
};

async fn connected(server: &AccountServer) -> Platform {
    Platform::with(|settings| {
        settings.account.callback_url = Some(server.url.clone());
        settings.push_patience = Duration::from_millis(150);
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
    let server = AccountServer::start(vec![Reply::Late(Duration::from_secs(1)), Reply::Status(500)]);
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
