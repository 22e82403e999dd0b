//! The cache keeps of people what it must for a while: its keys name nobody, and its values repeat nothing.

use chrono::TimeDelta;
use qingfeng_core::storage::Engine;
use serde_json::json;
use uuid::Uuid;

use crate::{
    card_answers,
    engines::CacheEngine,
    support::{Cast, Chat, TestServer, everything_cached, is_stored, server_with},
};

/// Fails when one of the texts stands in a key or a value, in whichever spelling.
async fn assert_nothing_tells(server: &TestServer, texts: &[&str]) {
    for (key, value) in everything_cached(server).await {
        for text in texts {
            let spellings = [text.as_bytes().to_vec(), hex::encode(text).into_bytes()];
            let tells = |bytes: &[u8]| {
                spellings.iter().any(|spelling| bytes.windows(spelling.len()).any(|part| part == spelling.as_slice()))
            };
            assert!(!tells(key.as_bytes()) && !tells(&value), "{key} tells {text}");
        }
    }
}

#[actix_web::test]
async fn who_writes_in_the_chat_is_in_no_key_and_what_is_written_in_no_value() {
    let server = server_with(Engine::Sqlite, CacheEngine::Redis).await;
    let cast = Cast::of(&server).await;
    let sealer = &server.application.sealer;
    let survey = json!({"village_id": cast.village.id, "title": "通组路修好了吗", "closes_on": "2026-03-09", "questions": [
        {"text": "路面平不平？", "choices": ["平", "不平"]}, {"text": "雨天能走吗？", "choices": ["能", "不能"]}]});
    cast.office.post("/api/surveys", survey).await.ok();
    let slip = json!({"village_id": cast.village.id, "channel": "visit", "complaint": {"body": "低保材料交了没回音"}});
    let receipt = cast.office.post("/api/complaints/on-behalf", slip).await.ok();
    let code = receipt["receipt_code"].as_str().unwrap();

    // One breaks off after the first of two questions.
    let surveyed = Chat::of(&server, &cast).await;
    surveyed.say("问卷").await;
    assert!(surveyed.say("2").await.contains("第2题"));
    // One is in the middle of a complaint.
    let writing = Chat::of(&server, &cast).await;
    writing.say("反映").await;
    writing.say("紫云坳的水塔漏水").await;
    // One has not said yet whether it is a report.
    let doubting = Chat::of(&server, &cast).await;
    doubting.say("紫云坳的主任占了我家的菜地").await;
    // One has filed.
    let filing = Chat::of(&server, &cast).await;
    filing.write("青石渠堵了两个月").await;
    assert!(filing.say("1").await.contains("已登记"));
    // One looked up a paper receipt in the chat, another on the page.
    let looking = Chat::of(&server, &cast).await;
    assert!(looking.say(code).await.contains("等待分类"));
    server.visitor().post("/api/receipts/lookup", json!({"receipt_code": code})).await.ok();

    let chats = [&surveyed, &writing, &doubting, &filing, &looking];
    let residents: Vec<String> = chats.iter().map(|chat| chat.resident.to_string()).collect();
    let open_ids: Vec<String> = chats.iter().map(|chat| chat.open_id()).collect();
    let mut telling: Vec<&str> = vec!["紫云坳", "菜地", "青石渠", "choices", code];
    telling.extend(residents.iter().map(String::as_str));
    telling.extend(open_ids.iter().map(String::as_str));
    telling.extend(chats.iter().map(|chat| chat.phone.as_str()));
    assert_nothing_tells(&server, &telling).await;
    for text in ["紫云坳", "菜地"] {
        assert!(!is_stored(&server, text).await, "{text}");
    }

    // All of it is there, for whoever has the key.
    let keys: Vec<String> = everything_cached(&server).await.into_iter().map(|(key, _)| key).collect();
    assert!(!keys.iter().any(|key| key.contains("127.0.0.1")), "where somebody came from");
    let is_kept = |key: String| keys.iter().any(|kept| kept.contains(&key));
    assert!(is_kept(sealer.pseudonym("survey", &surveyed.resident.to_string())));
    assert!(is_kept(writing.draft_key()) && is_kept(doubting.draft_key()));
    assert!(is_kept(sealer.pseudonym("filed", &filing.resident.to_string())));
    assert!(is_kept(sealer.pseudonym("receipt_in_chat", &looking.open_id())));
    assert!(is_kept(sealer.pseudonym("receipt", "127.0.0.1")));
}

#[actix_web::test]
async fn which_card_a_member_of_staff_is_asked_about_is_in_no_value() {
    let server = TestServer::start_with(Engine::Sqlite, |config| {
        let url = std::env::var("QINGFENG_TEST_REDIS").unwrap_or("redis://127.0.0.1:6379".into());
        config.cache.redis_url = Some(format!("{url}/12"));
        // Tokens are shared in the cache: a corporation that nobody else has.
        config.wecom.corp_id = format!("ww{}", Uuid::now_v7().simple());
    })
    .await;
    let chat = card_answers::Chat::with_secretary(&server).await;
    let mut cards = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let path = chat.cast.dispatched().await;
        ids.push(path.rsplit('/').next().unwrap().to_owned());
        cards.push(chat.latest_card().await.0);
        server.clock.advance(TimeDelta::minutes(1));
    }
    for card in &cards {
        chat.tap(card, "not_mine").await;
    }
    // Words of which it is not known yet to which card they belong.
    assert!(chat.say("青石渠归水利站管").await.contains("哪一件"));
    let mut telling: Vec<&str> = vec!["青石渠", "not_mine", "NotMine", ":secretary"];
    telling.extend(ids.iter().map(String::as_str));
    assert_nothing_tells(&server, &telling).await;

    let sealer = &server.application.sealer;
    for purpose in ["wecom_questions", "wecom_answer"] {
        let key = sealer.pseudonym(purpose, "secretary");
        assert!(server.application.cache.get(&key).await.unwrap().is_some(), "{purpose}");
    }
    chat.running.stop().await;
}
