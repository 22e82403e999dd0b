//! A complaint that mentions somebody in office, what may be a report of him, and what is an opinion of him.

use qingfeng_core::storage::Engine;
use qingfeng_sandbox::AccountMessage;
use rstest::rstest;

use crate::{
    engines::CacheEngine,
    support::{Cast, Chat, TestServer, is_stored, server_with},
};

const DOUBTFUL: &str = "紫云坳的主任占了我家的菜地";

#[rstest]
#[actix_web::test]
async fn whether_it_is_a_report_is_asked_first_and_a_report_leaves_nothing(
    #[values(CacheEngine::Memory, CacheEngine::Redis)] cache: CacheEngine,
) {
    let server = server_with(Engine::Sqlite, cache).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let asked = chat.say(DOUBTFUL).await;
    assert!(asked.contains("是检举干部违纪违法吗") && !asked.contains("紫云"), "{asked}");
    let kept = chat.draft().await.unwrap();
    assert!(!kept.windows(6).any(|part| part == "紫云".as_bytes()), "sealed");
    for no_answer in ["好的", "请看看", "3"] {
        assert!(chat.say(no_answer).await.contains("请先回数字"), "{no_answer}");
    }
    let led = chat.say("1").await;
    assert!(led.contains("12388") && led.contains("没有保存") && !led.contains("紫云"), "{led}");
    assert!(chat.draft().await.is_none());
    assert!(!chat.say("1").await.contains("已登记"));
    assert_eq!(chat.filed().await, 0);
    assert!(!is_stored(&server, "紫云").await && !is_stored(&server, "菜地").await);
}

#[rstest]
#[case("2")]
#[case("不是")]
#[actix_web::test]
async fn what_is_no_report_is_filed_and_not_asked_about_again(#[case] no: &str) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say(DOUBTFUL).await;
    let taken = chat.say(no).await;
    assert!(taken.contains("谁看得到") && taken.contains("发完了回 1"), "{taken}");
    assert!(chat.say("主任说是去年量地量错了").await.contains("补充的记下了"));
    let look = chat.say("1").await;
    assert!(look.contains(DOUBTFUL) && look.contains("1 提交"), "{look}");
    assert!(chat.say("1").await.contains("已登记"));
    assert_eq!(chat.filed().await, 1);
}

#[rstest]
#[case::words(&["反映", "三组的鱼塘换了人管", "听说书记的侄子承包了"], "是检举干部违纪违法吗")]
#[case::place(&["反映", "门口的菜地被强占了", "1", "2", "3", "王主任家旁边"], "是检举干部违纪违法吗")]
#[actix_web::test]
async fn it_is_asked_as_soon_as_what_was_told_sounds_so_together(#[case] told: &[&str], #[case] expected: &str) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let mut said = String::new();
    for text in told {
        assert!(!said.contains(expected), "not before it is told: {said}");
        said = chat.say(text).await;
    }
    assert!(said.contains(expected) && !said.contains("记下了"), "{said}");
    let led = chat.say("是").await;
    assert!(led.contains("12388") && led.contains("写到一半的诉求也删掉了"), "{led}");
    assert_eq!(chat.filed().await, 0);
    assert!(!is_stored(&server, told[1]).await);
}

#[rstest]
#[actix_web::test]
async fn a_report_that_names_somebody_in_office_instead_of_the_office_is_known(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    cast.township.named(cast.secretary_id, "周大川").await;
    let chat = Chat::of(&server, &cast).await;
    assert!(chat.say("周大川收了我两千块才给盖章").await.contains("是检举干部违纪违法吗"));
    assert!(chat.say("1").await.contains("12388") && chat.draft().await.is_none());
    let led = chat.say("周大川侵占了集体的鱼塘").await;
    assert!(led.contains("12388") && chat.draft().await.is_none(), "{led}");
    assert!(chat.say("周大川家门口的路灯坏了").await.contains("要作为诉求反映吗"));
    assert!(!is_stored(&server, "两千块").await && !is_stored(&server, "鱼塘").await);
}

#[rstest]
#[case("上游把水截留了，下游田里没水")]
#[case("邻居侵占了我家的耕地")]
#[case("我要举报工厂半夜偷排污水")]
#[case("快递点取件要收钱")]
#[case("医保被人冒领了")]
#[actix_web::test]
async fn the_words_of_a_report_of_nobody_in_office_are_filed_once_it_is_said_to_be_none(#[case] text: &str) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    chat.say("村里有一件事").await;
    chat.send(AccountMessage::image(&[0xff, 0xd8, 0xff, 0])).await;
    let asked = chat.say(text).await;
    assert!(asked.contains("是检举干部违纪违法吗") && !asked.contains(text), "{asked}");
    assert!(chat.say("不是举报").await.contains("发完了回 1"));
    // Whom it was told to is no reason to drop it.
    assert!(chat.say("跟村主任说过，没人管").await.contains("补充的记下了"));
    assert!(chat.say("1").await.contains("照片1张"), "nothing of the draft is gone");
    assert!(chat.say("1").await.contains("已登记"));
    assert_eq!(chat.filed().await, 1);
    assert!(is_stored(&server, text).await);
}

#[actix_web::test]
async fn what_was_said_to_be_no_report_is_asked_about_anew_when_more_is_told() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let asked = chat.say("主任的亲戚包了修路工程，路面都是坑").await;
    assert!(asked.contains("是检举干部违纪违法吗"), "{asked}");
    assert!(chat.say("2").await.contains("发完了回 1"));
    let asked = chat.say("书记收了我两千块才给盖章").await;
    assert!(asked.contains("是检举干部违纪违法吗"), "{asked}");
    assert!(chat.say("1").await.contains("12388") && chat.draft().await.is_none());
    assert_eq!(chat.filed().await, 0);
}

#[actix_web::test]
async fn the_words_of_a_report_leave_nothing_once_it_is_said_to_be_one() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("听说紫云坳有人收钱才给办").await;
    let kept = chat.draft().await.unwrap();
    assert!(!kept.windows(6).any(|part| part == "紫云".as_bytes()), "sealed");
    assert!(chat.say("是举报").await.contains("12388") && chat.draft().await.is_none());
    // Said to be none, it is one as soon as somebody in office is named with such words.
    chat.say("紫云坳的桥边有人收钱").await;
    chat.say("2").await;
    let led = chat.say("是主任收钱").await;
    assert!(led.contains("12388") && chat.draft().await.is_none(), "{led}");
    // The word alone asks for the way; who is not known cannot be asked back.
    assert!(chat.say("我要举报").await.contains("12388"));
    let mut stranger = Chat::of(&server, &cast).await;
    stranger.phone = "stranger".into();
    assert!(stranger.say("听说紫云坳有人收钱才给办").await.contains("12388"));
    assert_eq!(chat.filed().await, 0);
    assert!(!is_stored(&server, "紫云").await);
}

#[actix_web::test]
async fn where_a_number_is_asked_for_what_may_be_a_report_is_shown_its_way_and_not_kept() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.write("村口的路灯坏了").await;
    let shown = chat.say("紫云坳有人收钱").await;
    assert!(shown.contains("12388") && shown.contains("没有保存") && shown.contains("1 提交"), "{shown}");
    assert!(chat.say("1").await.contains("已登记"));
    assert!(!is_stored(&server, "紫云").await);
}

fn voice(heard: &str) -> AccountMessage {
    AccountMessage::voice(b"#!AMR\n\x7c", Some(heard))
}

#[actix_web::test]
async fn what_is_heard_in_a_later_voice_note_is_read_with_the_rest() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    chat.say("三组的鱼塘换了人管").await;
    assert!(chat.send(voice("听说是书记的侄子")).await.contains("是检举干部违纪违法吗"));
    assert!(chat.say("1").await.contains("12388"));
    // One note says half of it, the next one the other half.
    chat.say("反映").await;
    chat.say("村口的路坏了").await;
    assert!(chat.send(voice("听说书记批条子都要先收")).await.contains("收到语音"));
    let led = chat.send(voice("钱再办事")).await;
    assert!(led.contains("12388") && led.contains("写到一半的诉求也删掉了"), "{led}");
    assert!(chat.draft().await.is_none());
    assert_eq!(chat.filed().await, 0);
}

#[actix_web::test]
async fn what_is_heard_in_a_later_voice_note_is_neither_shown_nor_filed_in_words() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    chat.say("村口的路灯坏了").await;
    chat.send(voice("晚上看不见紫云桥")).await;
    assert!(!chat.draft().await.unwrap().windows(6).any(|part| part == "紫云".as_bytes()), "sealed");
    let look = chat.say("1").await;
    assert!(look.contains("语音1段") && !look.contains("紫云"), "{look}");
    assert!(chat.say("1").await.contains("已登记"));
    assert!(!is_stored(&server, "紫云").await);
}

#[rstest]
#[case("三组组长家旁边的水管一般晚上没水")]
#[case("村主任说过年后修路，现在路还是很差")]
#[case("找了书记几次都不行")]
#[case("自来水不合格，找了主任没人管")]
#[case("主任家门口那段路很差，下雨全是泥")]
#[case("危房改造补助什么时候发，主任说等通知")]
#[actix_web::test]
async fn a_complaint_that_mentions_an_office_is_filed(#[case] text: &str) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let offered = chat.say(text).await;
    assert!(offered.contains("要作为诉求反映吗"), "{offered}");
    for answer in ["1", "1", "1"] {
        chat.say(answer).await;
    }
    assert_eq!(chat.filed().await, 1);
    assert!(is_stored(&server, text).await);
}

#[actix_web::test]
async fn an_opinion_of_a_person_is_told_the_way_on_for_matters() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let said = chat.say("王书记优秀得很").await;
    assert!(said.contains("背靠背测评") && said.contains("发“反映”") && said.contains("我要反映"), "{said}");
    assert!(chat.draft().await.is_none() && !is_stored(&server, "优秀得很").await);
}
