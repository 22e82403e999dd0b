//! The smart robot: what its server is told, and which answers the platform takes.

use qingfeng_sandbox::{Phone, PushOutcome, PushResult, RobotMessage};
use serde_json::json;

use crate::{
    account_server::{AccountServer, Reply},
    platform::Platform,
};

async fn connected(replies: Vec<Reply>) -> (Platform, AccountServer) {
    let server = AccountServer::start(replies);
    let platform = Platform::with(|settings| settings.wecom.robot_callback_url = Some(server.url.clone())).await;
    platform.sandbox.add_phone(Phone::new("o-secretary", "支书").at_wecom("zhi-shu"));
    (platform, server)
}

#[tokio::test]
async fn what_is_told_to_it_is_sealed_and_delivered_three_times() {
    let refusals = vec![Reply::Status(500), Reply::Status(403), Reply::Status(500)];
    let (platform, server) = connected(refusals).await;
    let phone = platform.sandbox.phone("o-secretary");
    let message = RobotMessage::Text { text: "待办".into() };
    assert_eq!(phone.tell_robot(None, &message).await, PushOutcome::Failed);
    let received = server.received();
    assert_eq!(received.len(), 3);
    for body in &received {
        assert!(body.starts_with("{\"encrypt\":\"") && !body.contains("待办") && !body.contains("zhi-shu"), "{body}");
    }
    assert_ne!(received[0], received[1], "sealed anew each time");
    assert_eq!(phone.tell_robot(None, &message).await, PushOutcome::Handled);
    let nobody = platform.sandbox.phone("o-villager");
    assert_eq!(nobody.tell_robot(None, &message).await, PushOutcome::NotConfigured, "no member of the corporation");
}

#[tokio::test]
async fn an_answer_that_is_not_sealed_or_not_the_robots_is_malformed() {
    let plain = json!({"msgtype": "stream", "stream": {"id": "1", "finish": true, "content": "好"}}).to_string();
    let unsigned = json!({"encrypt": "AAAA", "msgsignature": "0", "timestamp": 1, "nonce": "1"}).to_string();
    let capital = json!({"Encrypt": "AAAA", "MsgSignature": "0", "TimeStamp": 1, "Nonce": "1"}).to_string();
    let wrong = [plain, unsigned, capital, "<xml></xml>".into()];
    let (platform, _server) = connected(wrong.iter().cloned().map(Reply::Body).collect()).await;
    let phone = platform.sandbox.phone("o-secretary");
    for body in &wrong {
        assert_eq!(phone.tell_robot(Some("robot-donghe"), &RobotMessage::Image).await, PushOutcome::Failed, "{body}");
        assert_eq!(platform.sandbox.pushes().last().unwrap().result, PushResult::Malformed, "{body}");
    }
    assert!(platform.sandbox.delivered_to_group("robot-donghe").is_empty());
}

#[tokio::test]
async fn it_is_told_by_the_interface_for_set_up() {
    let (platform, server) = connected(Vec::new()).await;
    let told = async |openid: &str, body: serde_json::Value| {
        let address = platform.url(&format!("/sandbox/api/phones/{openid}/robot-messages"));
        platform.client.post(address).json(&body).send().await.unwrap()
    };
    let answer = told("o-secretary", json!({"message": {"kind": "text", "text": "帮助"}})).await;
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap(), json!({"outcome": "handled"}));
    assert_eq!(told("o-secretary", json!({"group": "nowhere", "message": {"kind": "image"}})).await.status(), 404);
    assert_eq!(told("o-nobody", json!({"message": {"kind": "image"}})).await.status(), 404);
    assert_eq!(told("o-secretary", json!({"message": {"kind": "dance"}})).await.status(), 400);
    assert_eq!(server.received().len(), 1);
}
