//! What the account's server has to stand: compatible mode, repeats, disorder, forgeries, its own slowness.

use std::time::Duration;

use qingfeng_sandbox::{
    Content, EventFormat, Phone, Platform as Which, PushFault, PushFaultKind, PushOutcome, PushResult, Tampering,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    account_server::{AccountServer, Reply, TOKEN},
    platform::Platform,
};

const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const WECOM_KEY: &str = "SandboxSandboxSandboxSandboxSandboxSandboxS";

async fn encrypting(server: &AccountServer) -> Platform {
    Platform::with(|settings| {
        settings.account.callback_url = Some(server.url.clone());
        settings.account.callback_key = Some(KEY.into());
    })
    .await
}

fn account(replies: Vec<Reply>) -> AccountServer {
    AccountServer::encrypted(TOKEN, KEY, "wxsandbox0000000001", replies)
}

async fn at_wecom(server: &AccountServer) -> Platform {
    Platform::with(|settings| {
        settings.wecom.callback_url = Some(server.url.clone());
        settings.phones = vec![Phone::new("o-1", "甲").at_wecom("lisi")];
        settings.push_patience = Duration::from_secs(4);
        settings.verification_patience = Duration::from_secs(4);
    })
    .await
}

#[tokio::test]
async fn every_delivery_is_encrypted_anew_until_the_answer_is_200() {
    let server = account(vec![Reply::Status(201), Reply::Status(204)]);
    let platform = encrypting(&server).await;
    assert_eq!(platform.sandbox.phone("o-villager").say("你好").await, PushOutcome::Handled);
    let received = server.received();
    assert_eq!(received.len(), 3, "no other success than 200 ends it");
    assert!(received.iter().all(|message| *message == received[0] && message.contains("<MsgId>")));
    let raw = server.raw();
    assert!(raw[0].body != raw[1].body && raw[1].body != raw[2].body, "never the same ciphertext");
    assert_ne!(raw[0].query["nonce"], raw[1].query["nonce"]);
    assert!(["signature", "openid", "encrypt_type"].iter().all(|field| raw[0].query.contains_key(*field)));
}

#[rstest]
#[case(1)]
#[case(4)]
#[tokio::test]
async fn a_push_is_given_up_after_the_configured_number_of_deliveries(#[case] deliveries: u32) {
    let server = AccountServer::start(vec![Reply::Status(500); 5]);
    let platform = Platform::with(|settings| {
        settings.account.callback_url = Some(server.url.clone());
        settings.push_deliveries = deliveries;
    })
    .await;
    assert_eq!(platform.sandbox.phone("o-villager").say("你好").await, PushOutcome::Failed);
    let numbers: Vec<u32> = platform.sandbox.pushes().iter().map(|push| push.delivery).collect();
    assert_eq!(numbers, (1..=deliveries).collect::<Vec<_>>());
}

#[rstest]
#[case::xml(EventFormat::Xml)]
#[case::json(EventFormat::Json)]
#[tokio::test]
async fn in_compatible_mode_the_message_stands_in_the_clear_beside_the_encrypted_one(#[case] format: EventFormat) {
    let server = account(vec![]);
    let platform = encrypting(&server).await;
    let mut settings = platform.sandbox.account();
    settings.compatible = true;
    settings.event_format = format;
    platform.sandbox.set_account(settings);
    assert_eq!(platform.sandbox.phone("o-villager").accept("T-REMIND").await, PushOutcome::Handled);
    let raw = server.raw().remove(0);
    assert!(raw.body.contains("subscribe_msg_popup_event") && raw.body.contains("Encrypt"), "{}", raw.body);
    assert!(raw.body.contains("o-villager") && raw.query.contains_key("msg_signature"));
    assert!(server.received()[0].contains("subscribe_msg_popup_event"));
}

#[rstest]
#[case(Tampering::Signature)]
#[case(Tampering::Ciphertext)]
#[case(Tampering::Receiver)]
#[case(Tampering::Length)]
#[case(Tampering::Padding)]
#[case(Tampering::Plain)]
#[tokio::test]
async fn a_delivery_that_was_tampered_with_is_refused_and_the_next_one_is_honest(#[case] part: Tampering) {
    let server = account(vec![]);
    let platform = encrypting(&server).await;
    platform.sandbox.trouble_pushes(PushFault::new(Which::WeChat, PushFaultKind::Tampered { part }).of("text"));
    assert_eq!(platform.sandbox.phone("o-villager").accept("T-REMIND").await, PushOutcome::Handled);
    assert_eq!(server.raw().len(), 1, "the event is no text");
    assert_eq!(platform.sandbox.phone("o-villager").say("你好").await, PushOutcome::Handled);
    assert_eq!((server.raw().len(), server.received().len()), (3, 2));
    let results: Vec<PushResult> = platform.sandbox.pushes().into_iter().map(|push| push.result).collect();
    assert_eq!(results, [PushResult::Handled, PushResult::Status(403), PushResult::Handled]);
}

#[tokio::test]
async fn what_was_taken_is_delivered_once_more_and_what_is_held_comes_after_the_next() {
    let server = account(vec![]);
    let platform = encrypting(&server).await;
    let post = async |fault: &Value| {
        let answer = platform.client.post(platform.url("/sandbox/push-faults")).json(fault).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(post(&json!({"platform": "wechat", "kind": "duplicate"})).await, 201);
    assert_eq!(platform.sandbox.phone("o-villager").say("一").await, PushOutcome::Handled);
    let received = server.received();
    assert_eq!((received.len(), &received[0]), (2, &received[1]));

    assert_eq!(post(&json!({"platform": "wechat", "kind": "held"})).await, 201);
    let phone = platform.sandbox.phone("o-villager");
    let outcomes = tokio::join!(phone.say("先说"), phone.say("后说"));
    assert_eq!(outcomes, (PushOutcome::Handled, PushOutcome::Handled));
    let received = server.received();
    assert!(received[2].contains("后说") && received[3].contains("先说"), "{received:?}");

    assert_eq!(post(&json!({"platform": "feishu", "kind": "held"})).await, 422);
    assert_eq!(post(&json!({"platform": "wechat", "kind": "eaten"})).await, 400);
    assert_eq!(post(&json!({"platform": "wecom", "kind": "tampered", "part": "padding", "times": 2})).await, 201);
    let listed: Value = platform.get("/sandbox/push-faults").await;
    assert_eq!(listed[0]["part"], "padding");
    platform.client.delete(platform.url("/sandbox/push-faults")).send().await.unwrap();
    assert_eq!(platform.get("/sandbox/push-faults").await, json!([]));
}

#[tokio::test]
async fn wecoms_pushes_carry_its_own_fields_and_come_again_without_an_answer_in_time() {
    let server = AccountServer::encrypted(
        "sandbox-wecom-token",
        WECOM_KEY,
        "wwsandbox0000000001",
        vec![Reply::Late(Duration::from_secs(30))],
    );
    let platform = at_wecom(&server).await;
    assert_eq!(platform.sandbox.phone("o-1").say_at_wecom("在吗").await, PushOutcome::Handled);
    let raw = server.raw();
    assert_eq!(raw.len(), 2);
    let mut fields: Vec<&str> = raw[0].query.keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["msg_signature", "nonce", "timestamp"]);
    assert!(raw[0].body.contains("<AgentID>1000002</AgentID>") && raw[0].body.contains("wwsandbox0000000001"));
    assert!(server.received()[0].contains("<Content><![CDATA[在吗]]></Content>"));
}

#[rstest]
#[case(Duration::ZERO, true)]
#[case(Duration::from_secs(30), false)]
#[tokio::test]
async fn wecoms_question_is_answered_at_once_or_not_at_all(#[case] after: Duration, #[case] verified: bool) {
    let server = AccountServer::slow_to_verify("sandbox-wecom-token", WECOM_KEY, "wwsandbox0000000001", after);
    let platform = at_wecom(&server).await;
    assert_eq!(platform.sandbox.verify_wecom_callback().await, verified);
}

fn card(task: &str, keys: &[&str]) -> Value {
    let buttons: Vec<Value> = keys.iter().map(|key| json!({"text": "好", "key": key, "style": 1})).collect();
    json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "template_card", "template_card": {
        "card_type": "button_interaction", "main_title": {"title": "题"}, "task_id": task, "button_list": buttons,
    }})
}

#[tokio::test]
async fn only_a_button_of_a_card_that_came_can_be_tapped_and_no_task_comes_twice() {
    let server = AccountServer::encrypted("sandbox-wecom-token", WECOM_KEY, "wwsandbox0000000001", vec![]);
    let platform = at_wecom(&server).await;
    platform.sandbox.add_phone(Phone::new("o-2", "乙").at_wecom("wangwu"));
    let token = platform.wecom_token().await;
    assert_eq!(platform.tell(&token, &card("task-1", &["yes", "no"])).await["errcode"], 0);
    assert_eq!(platform.tell(&token, &card("task-1", &["yes"])).await["errcode"], 42014, "a task is used once");
    let (phone, other) = (platform.sandbox.phone("o-1"), platform.sandbox.phone("o-2"));
    assert_eq!(phone.tap("task-1", "yes").await, PushOutcome::Handled);
    assert!(server.received()[0].contains("<EventKey><![CDATA[yes]]></EventKey>"));
    for impossible in
        [phone.tap("task-1", "maybe").await, phone.tap("task-2", "yes").await, other.tap("task-1", "yes").await]
    {
        assert_eq!(impossible, PushOutcome::Impossible);
    }
    assert_eq!(server.received().len(), 1, "nothing was pushed");
    assert_eq!(other.forge_tap("task-1", "yes").await, PushOutcome::Handled);
    assert_eq!(server.received().len(), 2);

    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let tap = async |phone: &str| {
        let form = [("task", "task-1"), ("key", "yes")];
        let address = platform.url(&format!("/sandbox/phones/{phone}/cards"));
        client.post(address).form(&form).send().await.unwrap().status().as_u16()
    };
    assert_eq!((tap("o-1").await, tap("o-2").await), (303, 422));

    let answer = platform
        .tell(&token, &json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "text", "text": {"content": "甲"}}))
        .await;
    assert_eq!(answer["errcode"], 0);
    assert!(matches!(platform.sandbox.delivered_to_member("lisi")[1].content, Content::AppMessage { .. }));
}

#[tokio::test]
async fn a_card_with_questions_is_submitted_with_what_it_offers() {
    let server = AccountServer::encrypted("sandbox-wecom-token", WECOM_KEY, "wwsandbox0000000001", vec![]);
    let platform = at_wecom(&server).await;
    let token = platform.wecom_token().await;
    let vote = json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "template_card", "template_card": {
        "card_type": "vote_interaction", "main_title": {"title": "水渠修好了吗"}, "task_id": "vote-1",
        "checkbox": {"question_key": "repaired", "mode": 1, "option_list": [{"id": "yes", "text": "好了"}, {"id": "no", "text": "没有"}]},
        "submit_button": {"text": "提交", "key": "send"},
    }});
    assert_eq!(platform.tell(&token, &vote).await["errcode"], 0);
    let phone = platform.sandbox.phone("o-1");
    for (question, chosen) in [("repaired", ["maybe"].as_slice()), ("other", &["yes"]), ("repaired", &[])] {
        assert_eq!(phone.submit("vote-1", "send", &[(question, chosen)]).await, PushOutcome::Impossible);
    }
    assert_eq!(phone.tap("vote-1", "send").await, PushOutcome::Impossible, "nothing is chosen");
    assert_eq!(phone.submit("vote-1", "send", &[("repaired", &["yes", "no"])]).await, PushOutcome::Handled);
    let event = server.received().remove(0);
    assert!(event.contains("<QuestionKey><![CDATA[repaired]]></QuestionKey>"), "{event}");
    assert!(event.contains("<OptionId><![CDATA[yes]]></OptionId><OptionId><![CDATA[no]]></OptionId>"));
    assert!(event.contains("<CardType><![CDATA[vote_interaction]]></CardType>"));
}
