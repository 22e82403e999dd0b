//! What words mean in the chat: the same one answers one question with yes, another with no, and a third not at all.

use qingfeng_core::storage::Engine;
use qingfeng_sandbox::AccountMessage;
use rstest::rstest;
use serde_json::json;

use crate::support::{Cast, Chat, TestServer, is_stored};

const LAMP: &str = "村口的路灯坏了三个月，晚上看不见路。";

#[actix_web::test]
async fn no_word_of_refusal_files_a_complaint_or_drops_what_was_written() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("反映").await;
    chat.say(LAMP).await;
    chat.send(AccountMessage::image(&[0xff, 0xd8, 0xff, 0])).await;
    assert!(chat.say("不用了").await.contains("1 提交"), "nothing more is to be added");
    for refusal in ["不用了", "不要", "不", "没了", "不用"] {
        let asked = chat.say(refusal).await;
        assert!(asked.contains("没有这个选项") && asked.contains("1 提交"), "{refusal}: {asked}");
    }
    assert_eq!(chat.filed().await, 0);
    for refusal in ["没有了", "不用了", "不用", "不要", "不改了"] {
        chat.say("改").await;
        assert!(chat.say("好的").await.contains("改哪里"));
        let look = chat.say(refusal).await;
        assert!(look.contains(LAMP) && look.contains("照片1张"), "{refusal}: {look}");
    }
    assert!(chat.say("可以").await.contains("已登记"));
}

#[rstest]
#[case("不用了")]
#[case("没有")]
#[case("不要")]
#[actix_web::test]
async fn an_offer_that_is_refused_in_words_keeps_nothing(#[case] refusal: &str) {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    assert!(chat.say(LAMP).await.contains("1 反映"));
    let refused = chat.say(refusal).await;
    assert!(refused.contains("没有保存") && chat.draft().await.is_none(), "{refused}");
}

#[actix_web::test]
async fn the_public_page_is_shown_in_the_middle_of_a_draft_and_is_no_part_of_it() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let begun = chat.say("反映").await;
    assert!(begun.contains("运行本号的单位也看得到") && begun.contains("我要反映"), "{begun}");
    let shown = chat.say("公示").await;
    assert!(shown.contains("pages/board") && shown.contains("还没提交"), "{shown}");
    chat.say(LAMP).await;
    assert!(chat.say("公示栏").await.contains("pages/board"));
    assert!(chat.say("待办").await.contains("还没提交"));
    let look = chat.say("1").await;
    assert!(look.contains(LAMP) && !look.contains("公示") && !look.contains("待办"), "{look}");
}

async fn ask_about_water(cast: &Cast<'_>) {
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-03-09", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]},
        {"text": "水怎么样？", "choices": ["清", "浑", "早上浑，下午清"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
}

#[actix_web::test]
async fn an_option_that_is_written_out_answers_a_survey_and_other_words_do_not_end_it() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    ask_about_water(&cast).await;
    let chat = Chat::of(&server, &cast).await;
    assert!(chat.say("问卷").await.contains("第1题"));
    for beside in [LAMP, "10", "好的", "不知道"] {
        let again = chat.say(beside).await;
        assert!(again.contains("请回数字") && again.contains("第1题"), "{beside}: {again}");
        assert!(chat.draft().await.is_none(), "{beside}");
    }
    assert!(chat.say("没有。").await.contains("第2题"));
    assert!(chat.say("早上浑，下午清").await.contains("谢谢"));
    // The second option of the first question, the third one of the second.
    let chosen = "SELECT SUM(answers) AS counted FROM survey_tallies WHERE choice = question + 1";
    assert_eq!(chat.count(chosen).await, 2);
    assert_eq!(chat.filed().await, 0);
    assert!(!is_stored(&server, "路灯").await);
}

#[actix_web::test]
async fn a_report_in_the_middle_of_a_survey_is_led_to_the_sealed_way() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    ask_about_water(&cast).await;
    let chat = Chat::of(&server, &cast).await;
    chat.say("问卷").await;
    let led = chat.say("紫云坳的支书收了红包").await;
    assert!(led.contains("12388") && !led.contains("第1题"), "{led}");
    // What may be one is asked about; then the survey goes on where it was.
    assert!(chat.say("紫云坳有人收钱").await.contains("是检举干部违纪违法吗"));
    assert!(chat.say("1").await.contains("12388") && chat.draft().await.is_none());
    assert!(chat.say("2").await.contains("第2题"));
    assert!(!is_stored(&server, "紫云").await);
}
