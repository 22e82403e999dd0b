//! Photos and voice notes of the chat: written down with the complaint, fetched afterwards, once.

use std::io::Cursor;

use chrono::TimeDelta;
use qingfeng_core::storage::Engine;
use qingfeng_sandbox::{AccountMessage, Fault, FaultKind, Platform};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    engines::CacheEngine,
    support::{Cast, Chat, Person, TestServer, bot, path, server_with},
};

const LAMP: &str = "村口的路灯坏了三个月。";

/// A photo that tells where it was taken.
fn photo(shade: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let image = image::RgbImage::from_pixel(64, 48, image::Rgb([shade, 30, 30]));
    image.write_to(&mut Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).unwrap();
    let block = [b"\xff\xe1\x00\x10Exif\0\0".as_slice(), b"GPSXGPSX"].concat();
    [&jpeg[..2], &block, &jpeg[2..]].concat()
}

/// Speech of so many seconds.
fn voice(seconds: usize) -> Vec<u8> {
    let frame = [&[0x3c_u8][..], &[7; 31]].concat();
    [b"#!AMR\n".to_vec(), frame.repeat(50 * seconds)].concat()
}

/// The only complaint, as the person sees it.
async fn complaint(person: &Person) -> Value {
    let list = person.get("/api/complaints").await.ok();
    person.get(&format!("/api/complaints/{}", list["items"][0]["id"].as_str().unwrap())).await.ok()
}

const WAITING: &str = "SELECT COUNT(*) AS counted FROM awaited_media";
const TOLD: &str = "SELECT COUNT(*) AS counted FROM outbox_messages WHERE kind = 'media_missing'";

#[rstest]
#[actix_web::test]
async fn photos_and_voice_are_fetched_after_the_complaint_is_filed(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(CacheEngine::Memory, CacheEngine::Redis)] cache: CacheEngine,
) {
    let server = server_with(engine, cache).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let running = chat.platform.start("127.0.0.1:0").unwrap();
    chat.say("反映").await;
    chat.say(LAMP).await;
    for shade in [1, 2] {
        assert!(chat.send(AccountMessage::image(&photo(shade))).await.contains(&format!("收到第{shade}张照片")));
    }
    assert!(chat.send(AccountMessage::voice(&voice(12), None)).await.contains("收到语音"));
    assert!(chat.say("1").await.contains("照片2张，语音1段"));
    assert!(chat.platform.calls().is_empty(), "nothing is fetched while the platform waits");
    assert_eq!(chat.count(WAITING).await, 0, "nothing is written before it is filed");
    assert!(chat.say("1").await.contains("正在转存"));
    assert_eq!(chat.count(WAITING).await, 3);

    // Two bots at the same time fetch each once.
    let (one, other) = (bot(&server, &running), bot(&server, &running));
    let (one, other) = futures::future::join(one.tick(), other.tick()).await;
    one.unwrap();
    other.unwrap();
    assert_eq!((chat.count(WAITING).await, chat.count(TOLD).await), (0, 0));
    let own = cast.township.signed_in_as(chat.resident).await;
    let seen = complaint(&own).await;
    assert_eq!((seen["photos"].as_array().unwrap().len(), seen["recordings"].as_array().unwrap().len()), (2, 1));
    assert_eq!(seen["recordings"][0]["seconds"], 12);
    for shown in seen["photos"].as_array().unwrap() {
        let address = format!("/api/files/{}/view", shown["file_id"].as_str().unwrap());
        assert!(!own.get(&address).await.ok_text().contains("GPSX"), "the place is gone");
        cast.resident.get(&address).await.problem(404, "not_found");
    }
    let address = format!("/api/recordings/{}", seen["recordings"][0]["id"].as_str().unwrap());
    assert!(own.get(&address).await.ok_text().starts_with("#!AMR"));
    cast.office.get(&address).await.ok_text();
    // Whoever may not see the complaint may not hear it; nobody learns that it is there.
    cast.resident.get(&address).await.problem(404, "not_found");
    server.visitor().get(&address).await.problem(401, "sign_in_needed");
    cast.office.get("/api/recordings/01890000-0000-7000-8000-000000000000").await.problem(404, "not_found");
    running.stop().await;
}

#[rstest]
#[case::gone_at_the_platform("gone")]
#[case::no_photo("no photo")]
#[case::held_for_three_days_only("late")]
#[actix_web::test]
async fn what_cannot_be_had_is_told_and_nothing_else_is_lost(#[case] why: &str) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let running = chat.platform.start("127.0.0.1:0").unwrap();
    chat.say("反映").await;
    chat.say(LAMP).await;
    let sent = if why == "no photo" { b"GIF89a no photo".to_vec() } else { photo(1) };
    chat.send(AccountMessage::image(&sent)).await;
    chat.say("1").await;
    chat.say("1").await;
    match why {
        "gone" => chat.platform.forget_media(),
        "late" => server.clock.advance(TimeDelta::days(3)),
        _ => {}
    }
    let bot = bot(&server, &running);
    bot.tick().await.unwrap();
    if why == "no photo" {
        // What arrived may be a platform's trouble: it is fetched again for two hours.
        for minutes in [1, 2, 4, 8, 16, 32, 64] {
            assert_eq!((chat.count(WAITING).await, chat.count(TOLD).await), (1, 0));
            server.clock.advance(TimeDelta::minutes(minutes));
            bot.tick().await.unwrap();
        }
    }
    server.clock.advance(TimeDelta::minutes(5));
    bot.tick().await.unwrap();
    assert_eq!((chat.count(WAITING).await, chat.count(TOLD).await), (0, 1), "told once");
    let own = cast.township.signed_in_as(chat.resident).await;
    let seen = complaint(&own).await;
    assert_eq!((&seen["photos"], &seen["body"]), (&json!([]), &json!(LAMP)));

    // Sent again, it goes where it belongs.
    let number = seen["number"].as_str().unwrap();
    assert!(chat.send(AccountMessage::image(&photo(7))).await.contains(&format!("3 补到{number}“村口的路灯坏了")));
    assert!(chat.say("3").await.contains(&format!("补到{number}了")));
    bot.tick().await.unwrap();
    assert_eq!(complaint(&own).await["photos"].as_array().unwrap().len(), 1);
    assert_eq!(chat.filed().await, 1);
    running.stop().await;
}

#[rstest]
// What only an operator can mend, and what nobody knows.
#[case(48001)]
#[case(49_999)]
#[actix_web::test]
async fn a_refusal_that_can_be_mended_loses_no_photo_as_long_as_the_platform_holds_it(#[case] code: i64) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let running = chat.platform.start("127.0.0.1:0").unwrap();
    chat.send(AccountMessage::image(&photo(1))).await;
    for text in ["1", LAMP, "1", "1"] {
        chat.say(text).await;
    }
    let bot = bot(&server, &running);
    let fault = Fault::new(Platform::WeChat, FaultKind::Refuse { code }).at("/cgi-bin/media/get");
    let fault = chat.platform.inject(fault);
    for hours in [0, 5, 5, 40] {
        server.clock.advance(TimeDelta::hours(hours));
        bot.tick().await.unwrap();
        assert_eq!((chat.count(WAITING).await, chat.count(TOLD).await), (1, 0), "after {hours} more hours");
    }
    chat.platform.end_fault(fault);
    server.clock.advance(TimeDelta::hours(2));
    bot.tick().await.unwrap();
    assert_eq!((chat.count(WAITING).await, chat.count(TOLD).await), (0, 0));
    let own = cast.township.signed_in_as(chat.resident).await;
    assert_eq!(complaint(&own).await["photos"].as_array().unwrap().len(), 1);
    running.stop().await;
}

#[actix_web::test]
async fn an_outage_of_the_platform_is_waited_out() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let running = chat.platform.start("127.0.0.1:0").unwrap();
    chat.send(AccountMessage::image(&photo(1))).await;
    for text in ["1", LAMP, "1", "1"] {
        chat.say(text).await;
    }
    let bot = bot(&server, &running);
    for kind in [FaultKind::BadGateway, FaultKind::Truncated, FaultKind::Busy, FaultKind::Portal] {
        let fault = Fault::new(Platform::WeChat, kind).at("/cgi-bin/media/get");
        chat.platform.inject(fault);
        bot.tick().await.unwrap();
        chat.platform.clear_faults();
        assert_eq!((chat.count(WAITING).await, chat.count(TOLD).await), (1, 0));
        bot.tick().await.unwrap();
        assert_eq!(chat.count(WAITING).await, 1, "not again at once");
        server.clock.advance(TimeDelta::hours(2));
    }
    // The token died meanwhile, too.
    chat.platform.revoke_tokens();
    bot.tick().await.unwrap();
    assert_eq!((chat.count(WAITING).await, chat.count(TOLD).await), (0, 0));
    running.stop().await;
}

#[actix_web::test]
async fn whoever_cannot_write_speaks() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let running = chat.platform.start("127.0.0.1:0").unwrap();
    chat.say("反映").await;
    assert!(chat.send(AccountMessage::voice(&voice(3), None)).await.contains("办理的人会听录音"));
    chat.say("1").await;
    chat.say("1").await;
    // Where the platform understands speech, its words are shown before anything is filed.
    let heard = chat.send(AccountMessage::voice(&voice(2), Some("水管裂了"))).await;
    assert!(heard.contains("听到的是：水管裂了"), "{heard}");
    chat.say("1").await;
    chat.say("1").await;
    assert!(chat.say("1").await.contains("已登记"));
    bot(&server, &running).tick().await.unwrap();
    assert_eq!(chat.filed().await, 2);
    assert_eq!(chat.count("SELECT COUNT(*) AS counted FROM recordings").await, 2);
    let own = cast.township.signed_in_as(chat.resident).await;
    let list = own.get("/api/complaints").await.ok();
    let titles: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["水管裂了", "（语音反映，请听录音）"]);
    // A fourth voice note of one complaint is too many, a place without a name is none.
    chat.say("反映").await;
    for _ in 0..3 {
        chat.send(AccountMessage::voice(&voice(1), None)).await;
    }
    assert!(chat.send(AccountMessage::voice(&voice(1), None)).await.contains("最多三段"));
    let nameless = AccountMessage::Location { latitude: 27.5, longitude: 110.4, label: String::new() };
    assert!(chat.send(nameless).await.contains("不记经纬度"));
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_voice_is_heard_by_who_spoke_and_by_who_works_on_it_but_by_no_other_reporter(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let running = chat.platform.start("127.0.0.1:0").unwrap();
    chat.say("反映").await;
    chat.send(AccountMessage::voice(&voice(3), None)).await;
    chat.say("1").await;
    assert!(chat.say("1").await.contains("已登记"));
    bot(&server, &running).tick().await.unwrap();
    let own = cast.township.signed_in_as(chat.resident).await;
    let spoken = complaint(&own).await;
    let first = format!("/api/complaints/{}", spoken["id"].as_str().unwrap());
    let address = format!("/api/recordings/{}", spoken["recordings"][0]["id"].as_str().unwrap());

    // Two others bring up the same, one of them on paper.
    server.clock.advance(TimeDelta::minutes(5));
    let (neighbour, _) = cast.township.resident(cast.village).await;
    let joining = path(&neighbour.post("/api/complaints", json!({"body": "路灯不亮"})).await);
    let slip = json!({"village_id": cast.village.id, "channel": "visit", "complaint": {"body": "路灯不亮"}});
    let on_paper = cast.office.post("/api/complaints/on-behalf", slip).await;
    for joining in [joining, path(&on_paper)] {
        cast.office.post(&format!("{joining}/merge"), json!({"into": spoken["id"]})).await.ok();
    }
    for (person, heard) in [(&own, 1), (&cast.office, 1), (&neighbour, 0)] {
        assert_eq!(person.get(&first).await.ok()["recordings"].as_array().unwrap().len(), heard);
    }
    let receipt = json!({"receipt_code": on_paper.ok()["receipt_code"]});
    let seen = server.visitor().post("/api/receipts/lookup", receipt).await.ok();
    assert_eq!((&seen["number"], &seen["recordings"]), (&spoken["number"], &json!([])));
    neighbour.get(&address).await.problem(404, "not_found");
    own.get(&address).await.ok_text();
    cast.office.get(&address).await.ok_text();
    running.stop().await;
}

#[actix_web::test]
async fn who_spoke_first_and_then_joined_another_complaint_still_hears_himself() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let earlier = cast.filed().await;
    server.clock.advance(TimeDelta::minutes(5));
    let chat = Chat::of(&server, &cast).await;
    let running = chat.platform.start("127.0.0.1:0").unwrap();
    chat.say("反映").await;
    chat.send(AccountMessage::voice(&voice(3), None)).await;
    chat.say("1").await;
    chat.say("1").await;
    bot(&server, &running).tick().await.unwrap();
    let own = cast.township.signed_in_as(chat.resident).await;
    let spoken = complaint(&own).await;
    let into = json!({"into": earlier.rsplit('/').next().unwrap()});
    let joining = format!("/api/complaints/{}", spoken["id"].as_str().unwrap());
    cast.office.post(&format!("{joining}/merge"), into).await.ok();
    let address = format!("/api/recordings/{}", spoken["recordings"][0]["id"].as_str().unwrap());
    own.get(&address).await.ok_text();
    cast.office.get(&address).await.ok_text();
    cast.resident.get(&address).await.problem(404, "not_found");
    running.stop().await;
}

#[actix_web::test]
async fn nothing_that_stands_for_a_recording_is_filed_without_it() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    chat.send(AccountMessage::voice(&voice(3), None)).await;
    chat.say("1").await;
    chat.say("2").await;
    let said = chat.say("2").await;
    assert!(said.contains("都去掉了") && said.contains("请说是什么事"), "{said}");
    assert!(chat.say("1").await.contains("太短了"));
    assert_eq!(chat.filed().await, 0);
    // What was written beside it stays.
    chat.send(AccountMessage::voice(&voice(3), None)).await;
    for text in [LAMP, "1", "2", "2"] {
        chat.say(text).await;
    }
    let look = chat.say("1").await;
    assert!(look.contains(LAMP) && !look.contains("请听录音"), "{look}");
}

#[actix_web::test]
async fn what_still_waits_to_be_fetched_counts_with_what_is_there() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    chat.say(LAMP).await;
    for shade in 1..=9 {
        chat.send(AccountMessage::image(&photo(shade))).await;
    }
    chat.say("1").await;
    assert!(chat.say("1").await.contains("已登记"));
    for shade in 11..=19 {
        chat.send(AccountMessage::image(&photo(shade))).await;
    }
    assert!(chat.say("3").await.contains("补到"));
    chat.send(AccountMessage::voice(&voice(3), None)).await;
    assert!(chat.say("3").await.contains("照片、语音太多了"));
    assert_eq!(chat.count(WAITING).await, 18);
}
