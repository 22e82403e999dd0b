//! Filing a complaint in the chat of the official account.

use std::time::Duration;

use chrono::TimeDelta;
use qingfeng_core::storage::Engine;
use qingfeng_sandbox::{AccountMessage, PushOutcome};
use redis::AsyncCommands as _;
use rstest::rstest;
use serde_json::json;

use crate::{
    engines::CacheEngine,
    support::{Cast, Chat, TestServer, is_stored, number_in, push, server_with},
};

const LAMP: &str = "村口的路灯坏了三个月，晚上看不见路。";

#[rstest]
#[actix_web::test]
async fn a_resident_files_in_the_chat_and_asks_how_it_stands(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(CacheEngine::Memory, CacheEngine::Redis)] cache: CacheEngine,
) {
    let server = server_with(engine, cache).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;

    let begun = chat.say("我要反映").await;
    assert!(begun.contains("谁看得到") && begun.contains("什么事、在哪里"), "{begun}");
    assert!(chat.say(LAMP).await.contains("照片"));
    assert!(chat.say("靠近小学那一盏").await.contains("补充的记下了"));
    let label =
        AccountMessage::Location {
            latitude: 27.512_345, longitude: 110.412_345, label: "东河村三组水塔".into()
        };
    assert!(chat.send(label).await.contains("只记地名：东河村三组水塔"));
    let look = chat.say("发完了").await;
    assert!(look.contains(LAMP) && look.contains("靠近小学") && look.contains("东河村三组水塔"), "{look}");
    assert!(!chat.draft().await.unwrap().windows(6).any(|part| part == "路灯".as_bytes()), "sealed");
    let filed = chat.say("提交").await;
    let number = number_in(&filed);
    assert!(filed.contains("已登记") && chat.draft().await.is_none(), "{filed}");

    let list = cast.office.get("/api/complaints").await.ok();
    let complaint =
        cast.office.get(&format!("/api/complaints/{}", list["items"][0]["id"].as_str().unwrap())).await.ok();
    assert_eq!(complaint["number"], number);
    assert_eq!(complaint["body"], format!("{LAMP}\n靠近小学那一盏"));
    assert_eq!((&complaint["place"], &complaint["channel"]), (&json!("东河村三组水塔"), &json!("official_account")));
    assert_eq!(complaint["village_name"], "东河村");
    assert!(!is_stored(&server, "27.51").await && !is_stored(&server, "110.41").await, "no coordinates");

    assert!(chat.say(&number).await.contains("已登记，等待分类"));
    assert!(chat.say("进度").await.contains(&number));
    let stranger = Chat::of(&server, &cast).await;
    assert!(stranger.say(&number).await.contains("您名下没有这个编号"));
    assert_eq!(stranger.say("SQ26-NOTTHERE").await, stranger.say(&number).await);
}

#[actix_web::test]
async fn a_text_without_a_known_wish_is_offered_to_be_filed() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    assert!(chat.say(LAMP).await.contains("1 反映"));
    let refused = chat.say("不是").await;
    assert!(refused.contains("没有保存") && chat.draft().await.is_none(), "{refused}");

    chat.say(LAMP).await;
    assert!(chat.say("随便写的").await.contains("请先回数字"));
    let taken = chat.say("是的").await;
    assert!(
        taken.contains("谁看得到") && taken.contains("发完了回 1"),
        "who sees it is said before more is asked: {taken}"
    );
    chat.say("1").await;
    assert!(chat.say("1").await.contains("已登记"));
    assert_eq!(chat.filed().await, 1);
    for small_talk in ["谢谢", "嗯", "哦哦"] {
        assert!(chat.say(small_talk).await.contains("“反映”"), "never a dead end");
        assert!(chat.draft().await.is_none());
    }
}

#[actix_web::test]
async fn what_is_not_understood_is_answered_with_what_can_be_done_at_every_step() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    for nothing in ["1", "好的", "路"] {
        assert!(chat.say(nothing).await.contains("太短了"), "{nothing}");
    }
    assert!(chat.say("帮助").await.contains("您正在写一件诉求"));
    assert!(chat.say("问卷").await.contains("先写完或发“取消”"));
    assert!(chat.say("反映").await.contains("还没提交"));
    let rating = chat.say("王书记优秀得很").await;
    assert!(rating.contains("聊天里不收") && rating.contains("接着写") && !rating.contains("优秀"), "{rating}");
    chat.say(LAMP).await;
    assert!(chat.say("7").await.contains("没有这个选项"));
    chat.say("没有了").await;
    assert!(chat.say("随便").await.contains("1 提交"));
    assert!(chat.say("9").await.contains("没有这个选项"));

    assert!(chat.say("改").await.contains("3 写地点"));
    assert!(chat.say("8").await.contains("没有这个选项"));
    chat.say("3").await;
    assert!(chat.say(&"塔".repeat(101)).await.contains("最多100个字"));
    assert!(chat.say("三组水塔旁").await.contains("在哪里：三组水塔旁"));
    chat.say("2").await;
    chat.say("1").await;
    chat.say("自来水中午总停").await;
    let look = chat.say("1").await;
    assert!(look.contains("自来水中午总停") && !look.contains("路灯") && !look.contains("优秀"), "{look}");
    chat.say("2").await;
    assert!(chat.say("4").await.contains("1 提交"));

    // Stopping messages works in the middle, and leaves the draft.
    let stopped = chat.say("退订").await;
    assert!(stopped.contains("已退订") && stopped.contains("还没提交"), "{stopped}");
    assert!(chat.say("进度").await.contains("还没有反映过问题"));
    assert!(chat.say("取消").await.contains("都删掉了"));
    assert!(chat.draft().await.is_none());
    assert_eq!(chat.filed().await, 0);
    // The number that would have filed it means nothing any more.
    assert!(!chat.say("1").await.contains("已登记"));
    assert_eq!(chat.filed().await, 0);
}

#[actix_web::test]
async fn a_text_as_long_as_the_platform_lets_through_is_taken_whole_and_more_is_refused() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    let long = "长".repeat(680);
    chat.say(&long).await;
    chat.say(&long).await;
    assert!(chat.say(&long).await.contains("最多2000个字"));
    let look = chat.say("1").await;
    assert!(look.contains('…') && look.len() <= 2048);
    chat.say("1").await;
    assert!(is_stored(&server, &long).await);
}

#[rstest]
#[actix_web::test]
async fn a_draft_that_lapsed_is_said_to_be_gone_before_anything_is_misunderstood(
    #[values(CacheEngine::Memory, CacheEngine::Redis)] cache: CacheEngine,
    #[values("1", "自来水也停了两天", "取消")] next: &str,
) {
    let server = server_with(Engine::Sqlite, cache).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    // A survey that waits for numbers, too.
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-03-09", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
    chat.write(LAMP).await;
    server.clock.advance(TimeDelta::minutes(31));
    if cache == CacheEngine::Redis {
        // Redis counts real time.
        server.application.cache.remove(&chat.draft_key()).await.unwrap();
    }
    let said = chat.say(next).await;
    assert!(said.contains("过了半小时") && said.contains("没有登记"), "{said}");
    assert!(!said.contains("第1题"), "{said}");
    assert_eq!(next == "自来水也停了两天", said.contains("要作为诉求反映吗"), "{said}");
    assert_eq!(chat.filed().await, 0);
    assert!(!chat.say("帮助").await.contains("过了半小时"), "said once");
}

#[rstest]
#[actix_web::test]
async fn a_push_that_is_delivered_again_or_repeated_after_a_crash_files_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(CacheEngine::Memory, CacheEngine::Redis)] cache: CacheEngine,
) {
    let server = server_with(engine, cache).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let look = chat.write(LAMP).await;
    assert!(look.contains("1 提交"));
    let draft = chat.draft().await.unwrap();

    // The answer came too late: the platform delivers the very same push three times.
    let push = Push::text(&chat, "1");
    let answers = [push.deliver(&server).await, push.deliver(&server).await, push.deliver(&server).await];
    let number = number_in(&answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(chat.filed().await, 1);

    // The process died after filing and before the draft was gone: whatever the resident does next, it is filed once.
    let key = chat.draft_key();
    server.application.cache.set(&key, &draft, Duration::from_secs(600)).await.unwrap();
    assert_eq!(number_in(&chat.say("1").await), number);
    assert_eq!(chat.filed().await, 1);
    // And when she changed it meanwhile, she is told.
    server.application.cache.set(&key, &draft, Duration::from_secs(600)).await.unwrap();
    for text in ["2", "3", "三组"] {
        chat.say(text).await;
    }
    assert!(chat.say("1").await.contains("已经登记过了"));
    assert_eq!(chat.filed().await, 1);
}

#[actix_web::test]
async fn a_push_over_which_a_server_died_is_worked_on_by_the_next_delivery() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.write(LAMP).await;
    let push = Push::text(&chat, "1");
    // What a server leaves that died at work on it.
    let key = server.application.sealer.pseudonym("push", &push.digest());
    server.application.cache.set(&key, b"success", Duration::from_secs(8)).await.unwrap();
    assert_eq!(push.deliver(&server).await, "success", "another one may still be at work");
    server.clock.advance(TimeDelta::seconds(9));
    assert!(push.deliver(&server).await.contains("已登记"));
    assert_eq!(chat.filed().await, 1);
}

#[rstest]
#[actix_web::test]
async fn a_report_in_the_middle_drops_the_draft_and_leaves_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(CacheEngine::Memory, CacheEngine::Redis)] cache: CacheEngine,
    #[values("offer", "what", "more", "look", "change", "place", "voice")] at: &str,
) {
    let server = server_with(engine, cache).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let before: &[&str] = match at {
        "offer" => &["修路的石子堆在紫藤坡"],
        "what" => &["反映"],
        "more" | "voice" => &["反映", "修路的石子堆在紫藤坡"],
        "look" => &["反映", "修路的石子堆在紫藤坡", "1"],
        "change" => &["反映", "修路的石子堆在紫藤坡", "1", "2"],
        _ => &["反映", "修路的石子堆在紫藤坡", "1", "2", "3"],
    };
    for text in before {
        chat.say(text).await;
    }
    let report = "听说紫藤坡的石子是支书收了钱才批的";
    let said = match at {
        "voice" => chat.send(AccountMessage::voice(b"#!AMR\n\x7c", Some(report))).await,
        _ => chat.say(report).await,
    };
    assert!(said.contains("12388.gov.cn") && said.contains("没有保存") && !said.contains("紫藤"), "{said}");
    assert!(chat.draft().await.is_none());
    assert!(!chat.say("1").await.contains("已登记"));
    assert_eq!(chat.filed().await, 0);

    assert!(!is_stored(&server, "紫藤").await && !is_stored(&server, "石子").await);
    // What the last answers were is sealed; opened, it holds none of it either.
    let sealer = &server.application.sealer;
    let said = server.application.cache.get(&sealer.pseudonym("said", &chat.open_id())).await.unwrap().unwrap();
    let open = sealer.open("chat answer", &said).unwrap();
    assert!(!String::from_utf8(open).unwrap().contains("紫藤"));
    if cache == CacheEngine::Redis {
        let url = server.application.config.cache.redis_url.clone().unwrap();
        let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
        let all: Vec<String> = redis.keys("*").await.unwrap();
        let own = |purpose: &str| all.contains(&sealer.pseudonym(purpose, &chat.open_id()));
        assert!(own("said"), "the look would find something");
        assert!(!own("filing") && !own("filing_begun"), "not even that there was a draft");
        assert!(
            !all.iter().any(|key| key.contains(&chat.phone) || key.contains(&chat.open_id())),
            "no key names anybody"
        );
        for key in &all {
            let value: Vec<u8> = redis.get(key).await.unwrap_or_default();
            assert!(!value.windows(6).any(|part| part == "紫藤".as_bytes()), "{key}");
        }
    }
}

#[actix_web::test]
async fn strangers_are_led_to_sign_in_and_nothing_of_theirs_is_kept() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let mut chat = Chat::of(&server, &cast).await;
    chat.phone = "stranger".into();
    for text in ["反映", LAMP, "1"] {
        let said = chat.say(text).await;
        assert!(said.contains("还不知道您是哪个村的") && said.contains("pages/account-links/index?code="), "{said}");
    }
    assert!(chat.send(AccountMessage::image(&[0xff, 0xd8, 0xff, 0])).await.contains("没有保存"));
    assert!(chat.draft().await.is_none());
    assert!(!is_stored(&server, "路灯").await);
    // The public page is for everybody.
    assert!(chat.say("公示").await.contains("pages/board"));
}

#[actix_web::test]
async fn who_wants_no_messages_files_all_the_same_and_is_told_so() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("退订").await;
    chat.write(LAMP).await;
    let filed = chat.say("1").await;
    assert!(filed.contains("已登记") && filed.contains("您退订了通知"), "{filed}");
}

#[rstest]
#[case::a_rating(&["我们村李书记", "很差，什么都不管"], "聊天里不收")]
#[case::a_report(&["听说书记批条子都要先收", "钱再办事"], "12388.gov.cn")]
#[case::a_rating_with_the_place(&["我们村李书记", "1", "2", "3", "很差，什么都不管"], "聊天里不收")]
#[actix_web::test]
async fn what_is_told_bit_by_bit_is_read_together_and_led_to_the_sealed_way(#[case] told: &[&str], #[case] way: &str) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    let mut said = String::new();
    for text in told {
        assert!(!said.contains(way), "not before it is told: {said}");
        said = chat.say(text).await;
    }
    assert!(said.contains(way) && said.contains("写到一半的诉求也删掉了"), "{said}");
    assert!(!told.iter().any(|text| text.chars().count() > 1 && said.contains(text)), "{said}");
    assert!(chat.draft().await.is_none());
    assert!(!chat.say("1").await.contains("已登记"));
    assert_eq!(chat.filed().await, 0);
    assert!(!is_stored(&server, told[0]).await);
}

#[actix_web::test]
async fn a_complaint_told_bit_by_bit_that_rates_nobody_is_filed() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    for text in ["反映", "书记说路灯修过了", "到现在还是黑的，晚上没法走路", "1"] {
        chat.say(text).await;
    }
    assert!(chat.say("1").await.contains("已登记"));
}

#[actix_web::test]
async fn a_repetition_does_not_count_as_another_complaint_of_the_day() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.write(LAMP).await;
    let draft = chat.draft().await.unwrap();
    let key = chat.draft_key();
    for _ in 0..31 {
        server.application.cache.set(&key, &draft, Duration::from_secs(600)).await.unwrap();
        assert!(chat.say("1").await.contains("已登记"));
    }
    chat.write("又一根电线杆歪了").await;
    assert!(chat.say("1").await.contains("已登记"));
    assert_eq!(chat.filed().await, 2);
}

#[actix_web::test]
async fn thirty_complaints_a_day_are_enough() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    for number in 0..30 {
        chat.write(&format!("第{}根电线杆歪了", number + 1)).await;
        assert!(chat.say("1").await.contains("已登记"), "{number}");
    }
    chat.write("又一根电线杆歪了").await;
    assert!(chat.say("1").await.contains("明天再提交"));
    assert_eq!(chat.filed().await, 30);
    let neighbour = Chat::of(&server, &cast).await;
    neighbour.write(LAMP).await;
    assert!(neighbour.say("1").await.contains("已登记"), "each for himself");
    server.clock.advance(TimeDelta::hours(25));
    chat.write("又一根电线杆歪了").await;
    assert!(chat.say("1").await.contains("已登记"));
}

#[actix_web::test]
async fn a_paper_receipt_and_a_public_item_are_looked_up_by_their_codes() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let slip = json!({"village_id": cast.village.id, "channel": "visit", "complaint": {"body": "低保材料交了没回音"}});
    let filed = cast.office.post("/api/complaints/on-behalf", slip).await.ok();
    let code = filed["receipt_code"].as_str().unwrap();
    for typed in [code.to_owned(), code.to_lowercase().replace('-', " "), code.replace('-', "")] {
        let said = chat.say(&typed).await;
        assert!(said.contains(filed["number"].as_str().unwrap()) && said.contains("等待分类"), "{typed}: {said}");
    }
    // The number on it is not the holder's without the code.
    assert!(chat.say(filed["number"].as_str().unwrap()).await.contains("您名下没有"));
    let wrong = chat.say("2222-3333-4444-5").await;
    assert!(wrong.contains("没有这个回执码"), "{wrong}");
    for _ in 0..116 {
        chat.say("2222-3333-4444-5").await;
    }
    assert!(chat.say(code).await.contains("查得太多了"));
    let neighbour = Chat::of(&server, &cast).await;
    assert!(neighbour.say(code).await.contains("等待分类"));
    assert!(neighbour.say("ZG26-NOTTHERE").await.contains("公示里没有这个编号"));
}

#[actix_web::test]
async fn the_menu_does_what_the_words_do() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let running = chat.platform.start("127.0.0.1:0").unwrap();
    assert!(chat.platform.phone(&chat.phone).send(AccountMessage::Menu { key: "file".into() }).await.is_err());
    let config = qingfeng::Config {
        wechat: qingfeng::config::WeChat {
            api_base: running.wechat_base(),
            ..server.application.config.wechat.clone()
        },
        wecom: qingfeng::config::WeCom { api_base: running.wecom_base(), ..server.application.config.wecom.clone() },
        ..server.application.config.clone()
    };
    qingfeng::cli::put_menu(&config).await.unwrap();
    let tap = async |key: &str| chat.send(AccountMessage::Menu { key: key.into() }).await;
    assert!(tap("progress").await.contains("还没有反映过问题"));
    server.clock.advance(TimeDelta::seconds(1));
    assert!(tap("file").await.contains("什么事、在哪里"));
    chat.say(LAMP).await;
    server.clock.advance(TimeDelta::seconds(1));
    assert!(tap("progress").await.contains("还没提交"));
    running.stop().await;
}

/// A push as the platform sends it, to be delivered as often as wanted.
struct Push {
    body: String,
}

impl Push {
    fn text(chat: &Chat<'_>, text: &str) -> Self {
        let body = format!(
            "<xml><ToUserName>gh_sandbox000001</ToUserName><FromUserName>{}</FromUserName><CreateTime>1772413200</CreateTime>\
             <MsgType>text</MsgType><Content>{text}</Content><MsgId>24999999999999999</MsgId></xml>",
            chat.open_id()
        );
        Self { body }
    }

    fn digest(&self) -> String {
        qingfeng_bot::conversations::Push::parse(self.body.as_bytes()).unwrap().digest()
    }

    /// One delivery; gives the text of the answer.
    async fn deliver(&self, server: &TestServer) -> String {
        let (status, answer) = push(server, "7", &self.body).await;
        assert_eq!(status, 200);
        match qingfeng_bot::conversations::Push::parse(answer.as_bytes()) {
            Some(reply) => reply.content,
            None => answer,
        }
    }
}

#[actix_web::test]
async fn what_happens_at_the_same_moment_happens_in_turn() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    chat.say(LAMP).await;
    let image = AccountMessage::image(&[0xff, 0xd8, 0xff, 0]);
    let phone = chat.platform.phone(&chat.phone);
    let sent = futures::future::join_all((0..12).map(|_| phone.send(image.clone()))).await;
    let answers: Vec<String> = sent
        .into_iter()
        .map(|outcome| match outcome.unwrap() {
            PushOutcome::Replied(answer) => answer,
            other => panic!("{other:?}"),
        })
        .collect();
    for number in 1..=9 {
        let counted = answers.iter().filter(|answer| answer.contains(&format!("收到第{number}张照片"))).count();
        assert_eq!(counted, 1, "{answers:?}");
    }
    assert_eq!(answers.iter().filter(|answer| answer.contains("照片最多九张")).count(), 3);
    assert!(chat.say("1").await.contains("照片9张"));
}
