//! The smart robot of WeCom: staff alone with it, and groups in which everybody reads along.

use qingfeng_core::storage::Engine;
use qingfeng_sandbox::{Group, Phone, PushOutcome, PushResult, RobotMessage, Sandbox};
use rstest::rstest;
use serde_json::json;

use crate::{
    engines::CacheEngine,
    support::{Cast, Scene, TestServer, is_stored, platform, server_with},
};

const GROUP: &str = "group-of-staff";

fn with_robot(server: &TestServer) -> Sandbox {
    let platform = platform(server);
    let mut account = platform.wecom_account();
    account.robot_callback_url = Some(format!("{}/callbacks/wecom-robot", server.address));
    platform.set_wecom_account(account);
    platform.add_group(Group::new(GROUP, "镇村干部群"));
    platform.add_phone(Phone::new("phone-secretary", "支书").at_wecom("zhi-shu"));
    platform
}

async fn told(platform: &Sandbox, group: Option<&str>, message: RobotMessage) -> String {
    match platform.phone("phone-secretary").tell_robot(group, &message).await {
        PushOutcome::Replied(answer) => answer,
        other => panic!("{message:?}: {other:?}"),
    }
}

fn text(text: &str) -> RobotMessage {
    RobotMessage::Text { text: text.into() }
}

#[actix_web::test]
async fn the_address_is_verified_with_the_robots_own_key() {
    let server = server_with(Engine::Sqlite, CacheEngine::Memory).await;
    let platform = with_robot(&server);
    assert!(platform.verify_robot_callback().await);
    let right = platform.wecom_account();
    for spoil in [
        |account: &mut qingfeng_sandbox::WeComAccount| account.robot_token = "another".into(),
        |account: &mut qingfeng_sandbox::WeComAccount| account.robot_key = account.callback_key.clone(),
    ] {
        let mut account = right.clone();
        spoil(&mut account);
        platform.set_wecom_account(account);
        assert!(!platform.verify_robot_callback().await);
        let outcome = platform.phone("phone-secretary").tell_robot(None, &text("帮助")).await;
        assert_eq!(outcome, PushOutcome::Failed);
        assert_eq!(platform.pushes().last().unwrap().result, PushResult::Status(403));
    }
}

#[actix_web::test]
async fn without_a_key_there_is_no_robot() {
    let server = TestServer::start(Engine::Sqlite).await;
    let platform = with_robot(&server);
    assert!(!platform.verify_robot_callback().await);
    let outcome = platform.phone("phone-secretary").tell_robot(None, &text("帮助")).await;
    assert_eq!(outcome, PushOutcome::Failed);
    assert_eq!(platform.pushes().last().unwrap().result, PushResult::Status(403));
}

#[rstest]
#[actix_web::test]
async fn alone_with_a_member_of_staff_it_says_what_the_application_says(
    #[values(CacheEngine::Memory, CacheEngine::Redis)] cache: CacheEngine,
) {
    let server = server_with(Engine::Sqlite, cache).await;
    let cast = Cast::of(&server).await;
    let platform = with_robot(&server);
    assert!(told(&platform, None, text("待办")).await.contains("还不知道您是谁"));
    cast.township.at_wecom(cast.secretary_id, "zhi-shu").await;
    let complaint = cast.dispatched().await;
    let number = cast.view(&complaint).await["number"].as_str().unwrap().to_owned();
    assert!(told(&platform, None, text("待办")).await.contains("还有"));
    assert!(told(&platform, None, text(&number)).await.contains("等待承办单位受理"));
    assert!(told(&platform, None, RobotMessage::Voice { text: "待办".into() }).await.contains("还有"));
    assert!(told(&platform, None, RobotMessage::Mixed { text: "帮助".into() }).await.contains("可以发"));
    assert!(told(&platform, None, RobotMessage::Enter).await.contains("可以发"));
    assert!(told(&platform, None, RobotMessage::Image).await.contains("我只看得懂文字"));
    let survey = told(&platform, None, text("测评")).await;
    assert!(survey.contains("不在企业微信里答") && survey.contains("账号"), "why: {survey}");
}

#[actix_web::test]
async fn in_a_group_it_tells_nothing_that_is_anybodys_own() {
    let server = server_with(Engine::Sqlite, CacheEngine::Memory).await;
    let cast = Cast::of(&server).await;
    let platform = with_robot(&server);
    cast.township.at_wecom(cast.secretary_id, "zhi-shu").await;
    let complaint = cast.dispatched().await;
    let number = cast.view(&complaint).await["number"].as_str().unwrap().to_owned();
    for own in ["待办", "进度", number.as_str(), "4f7k-2m9a-4f7k-2"] {
        let said = told(&platform, Some(GROUP), text(own)).await;
        assert!(said.contains("不在群里说") && !said.contains("路灯"), "{own}: {said}");
    }
    assert!(told(&platform, Some(GROUP), text("我要反映")).await.contains("不要在群里说"));
    assert!(told(&platform, Some(GROUP), text("帮助")).await.contains("“公示”"));
    assert!(told(&platform, Some(GROUP), text("公示")).await.contains("pages/board"));
    assert!(told(&platform, Some(GROUP), text("2")).await.contains("不在企业微信里答"));
    assert!(told(&platform, Some(GROUP), RobotMessage::Mixed { text: "看这里".into() }).await.contains("“公示”"));

    for report in ["举报紫藤坡的支书收钱", "王书记优秀得很"] {
        let said = told(&platform, Some(GROUP), text(report)).await;
        assert!(said.contains("没有保存") && !said.contains("紫藤") && !said.contains("优秀"), "{said}");
    }
    assert!(!is_stored(&server, "紫藤").await && !is_stored(&server, "优秀得很").await);
    // The name of whoever asked is kept by those whom it belongs to alone.
    let said = server.application.sealer.pseudonym("said", "zhi-shu");
    assert!(server.application.cache.get(&said).await.unwrap().is_none());
}

#[actix_web::test]
async fn how_a_public_item_stands_may_be_asked_in_a_group() {
    let server = server_with(Engine::Sqlite, CacheEngine::Memory).await;
    let scene = Scene::of(&server, 3).await;
    let platform = with_robot(&server);
    scene.cast.township.at_wecom(scene.cast.secretary_id, "zhi-shu").await;
    let item = scene.created().await;
    let number = scene.cast.view(&item).await["number"].as_str().unwrap().to_owned();
    let before = told(&platform, Some(GROUP), text(&number)).await;
    assert!(before.contains("公示里没有这个编号"), "nobody has promised it in public yet: {before}");
    let promise = json!({"commitment": "四月十日前修好，修不好我负责"});
    scene.secretary(&item, "publication", promise).await.ok();
    let said = told(&platform, Some(GROUP), text(&format!("查一下{number}"))).await;
    assert!(said.contains("推进中") && said.contains("期限"), "{said}");
}

#[actix_web::test]
async fn the_same_message_delivered_again_is_dropped() {
    let server = server_with(Engine::Sqlite, CacheEngine::Memory).await;
    let platform = with_robot(&server);
    let address = format!("{}/callbacks/wecom-robot", server.address);
    let config = &server.application.config.wecom;
    let cipher = qingfeng_bot::callbacks::PushCipher::new(&config.robot_keys[0], "").unwrap();
    let frame = json!({"msgid": "m1", "aibotid": "b1", "chattype": "single", "from": {"userid": "zhi-shu"},
        "msgtype": "text", "text": {"content": "帮助"}});
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answers = Vec::new();
    for (salt, nonce) in [(1, "n1"), (2, "n2")] {
        // Sealed anew each time, as the platform does.
        let encrypted = cipher.seal(&frame.to_string(), [salt; 16]);
        let mut parts = [config.robot_token.as_str(), "1772413200", nonce, encrypted.as_str()];
        parts.sort_unstable();
        let signature = sha1_smol::Sha1::from(parts.concat()).digest().to_string();
        let query = [("msg_signature", signature.as_str()), ("timestamp", "1772413200"), ("nonce", nonce)];
        let answer = client.post(&address).query(&query).json(&json!({"encrypt": encrypted})).send().await.unwrap();
        answers.push(answer.text().await.unwrap());
    }
    assert!(answers[0].contains("msgsignature") && answers[1] == "success", "{answers:?}");
    // Without the envelope nobody is listened to.
    let plain = client.post(&address).query(&[("timestamp", "1"), ("nonce", "2")]).json(&frame).send().await.unwrap();
    assert_eq!(plain.status(), 400);
    drop(platform);
}
