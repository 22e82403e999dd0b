use chrono::TimeDelta;
use qingfeng_core::{outbox, people::Role, sealed_surveys::BoxState, storage::Engine};
use qingfeng_sandbox::{Group, PushOutcome, Sandbox};
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::json;

use crate::support::{Cast, Evaluatee, TestBox, TestServer, bot, is_stored, platform};

async fn said(platform: &Sandbox, open_id: &str, text: &str) -> String {
    match platform.phone(open_id).say(text).await {
        PushOutcome::Replied(answer) => answer,
        other => panic!("{text}: {other:?}"),
    }
}

#[rstest]
#[actix_web::test]
async fn a_resident_asks_how_things_stand_and_stops_messages(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let id = cast.township.add_resident(cast.village, Some("phone-1"), None).await;
    let store = &server.application.store;

    assert!(said(&platform, "stranger", "进度").await.contains("还不知道您是哪个村的"));
    assert!(said(&platform, "phone-1", "帮助").await.contains("“进度”"));
    assert!(said(&platform, "phone-1", "进度").await.contains("还没有反映过问题"));
    assert!(said(&platform, "phone-1", "路灯坏了").await.contains("要作为诉求反映吗"));
    assert!(said(&platform, "phone-1", "2").await.contains("没有保存"));

    let others = cast.filed().await;
    let number = cast.resident.get(&others).await.ok()["number"].as_str().unwrap().to_owned();
    assert!(said(&platform, "phone-1", &number).await.contains("您名下没有这个编号"));

    assert!(said(&platform, "phone-1", "退订").await.contains("已退订"));
    assert!(outbox::opt_outs::has_opted_out(store, id).await.unwrap());
    assert!(said(&platform, "phone-1", "订阅").await.contains("已恢复"));
    assert!(!outbox::opt_outs::has_opted_out(store, id).await.unwrap());
}

#[actix_web::test]
async fn what_sounds_like_a_report_is_led_to_the_sealed_way_and_kept_nowhere() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    cast.township.add_resident(cast.village, Some("phone-1"), None).await;
    let answer = said(&platform, "phone-1", "我要举报支书收了四千块").await;
    assert!(answer.contains("12388") && answer.contains("没有保存"), "{answer}");
    assert!(!is_stored(&server, "四千块").await);
    // The look into the tables would find it.
    assert!(is_stored(&server, "phone-1").await && !is_stored(&server, "phone-2").await);
}

#[actix_web::test]
async fn only_the_platform_is_listened_to() {
    let server = TestServer::start(Engine::Sqlite).await;
    let client = reqwest::Client::new();
    let address = format!("{}/callbacks/wechat", server.address);
    let forged = [("signature", "0000000000000000000000000000000000000000"), ("timestamp", "1"), ("nonce", "2")];
    let push = client.post(&address).query(&forged).body("<xml></xml>").send().await.unwrap();
    assert_eq!(push.status(), 403);
    let asked = client.get(&address).query(&forged).query(&[("echostr", "secret")]).send().await.unwrap();
    assert_eq!(asked.status(), 403);
    assert_eq!(asked.text().await.unwrap(), "");
}

#[rstest]
#[actix_web::test]
async fn a_village_answers_a_survey_in_chat_and_sees_the_result_after_the_close(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    platform.add_group(Group::new("group-key", "东河村村民群"));
    cast.township.chat_group(cast.village, "东河村村民群", "group-key").await;

    let draft = |question: &str| {
        json!({"village_id": cast.village.id, "title": "通组路修好了吗", "closes_on": "2026-03-09", "questions": [
            {"text": question, "choices": ["平", "不平"]}, {"text": "雨天能走吗？", "choices": ["能", "不能", "没走过"]}]})
    };
    cast.office.post("/api/surveys", draft("王书记修得好不好？")).await.problem(422, "invalid_input");
    cast.secretary.post("/api/surveys", draft("路面平不平？")).await.problem(403, "forbidden");
    let survey = cast.office.post("/api/surveys", draft("路面平不平？")).await.ok()["id"].clone();
    let path = format!("/api/surveys/{}", survey.as_str().unwrap());

    for number in 0..11 {
        let open_id = format!("phone-{number}");
        cast.township.add_resident(cast.village, Some(&open_id), None).await;
        let begun = said(&platform, &open_id, "问卷").await;
        assert!(begun.contains("不记谁选的") && begun.contains("第1题（共2题）路面平不平？\n1 平\n2 不平"), "{begun}");
        assert!(said(&platform, &open_id, "7").await.contains("没有这个选项"));
        assert!(said(&platform, &open_id, if number < 4 { "1" } else { "２" }).await.contains("第2题"));
        assert!(said(&platform, &open_id, "3").await.contains("谢谢"));
        assert!(said(&platform, &open_id, "问卷").await.contains("没有您可以答的问卷"));
    }
    let elsewhere = cast.township.village("西坡村").await;
    cast.township.add_resident(elsewhere, Some("neighbour"), None).await;
    assert!(said(&platform, "neighbour", "问卷").await.contains("没有您可以答的问卷"));

    server.visitor().get(&format!("{path}/results")).await.problem(409, "survey_still_open");
    cast.office.post(&format!("{path}/closing"), json!({})).await.problem(409, "survey_still_open");
    server.clock.advance(TimeDelta::days(8));
    cast.office.post(&format!("{path}/closing"), json!({})).await.ok();
    let results = server.visitor().get(&format!("{path}/results")).await.ok();
    assert_eq!(results["people"], 11);
    assert_eq!(results["questions"][0]["choices"][0], json!({"label": "平", "answers": 4}));

    bot(&server, &running).tick().await.unwrap();
    let posts: Vec<_> = platform.delivered_to_group("group-key").iter().map(|post| post.content.text()).collect();
    let about: Vec<_> = posts.iter().filter(|post| post.contains("问卷")).collect();
    assert_eq!(about.len(), 2, "{posts:?}");
    assert!(about[0].contains("只记每个选项几个人选"), "{posts:?}");
    assert!(about[1].contains("平4人，不平7人"), "{posts:?}");
    let messages = outbox::entity::Entity::find().all(server.application.store.reader()).await.unwrap();
    assert!(messages.iter().all(|message| message.parked_reason.is_none()), "{messages:?}");
    running.stop().await;
}

#[actix_web::test]
async fn the_result_of_few_is_shown_to_nobody() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let draft = json!({"village_id": cast.village.id, "title": "自来水", "closes_on": "2026-03-09", "questions": [
        {"text": "中午有水吗？", "choices": ["有", "没有"]}]});
    let survey = cast.office.post("/api/surveys", draft).await.ok()["id"].clone();
    let path = format!("/api/surveys/{}", survey.as_str().unwrap());
    for number in 0..9 {
        let open_id = format!("phone-{number}");
        cast.township.add_resident(cast.village, Some(&open_id), None).await;
        said(&platform, &open_id, "问卷").await;
        assert!(said(&platform, &open_id, "2").await.contains("谢谢"));
    }
    server.clock.advance(TimeDelta::days(8));
    cast.office.post(&format!("{path}/closing"), json!({})).await.ok();
    cast.office.get(&format!("{path}/results")).await.problem(409, "too_few_answers");
}

#[rstest]
#[actix_web::test]
async fn a_rating_of_a_person_in_the_chat_is_neither_kept_nor_repeated(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let id = cast.township.add_resident(cast.village, Some("phone-1"), None).await;
    let (_, rated) = cast.township.staff_of(cast.township.id, Role::TownshipLeader).await;
    let a_box = TestBox::of(cast.village, "东河村", &[]).in_state(BoxState::Issuing);
    let a_box = a_box.about("副镇长", Evaluatee::Staff(rated));
    let (_, sids) = cast.township.sealed_survey("cadre_evaluation", vec![a_box]).await;

    // Also before anything is open, and from whoever writes.
    let written = ["王书记优秀得很", "给东河村主任打零点七三分", "李会计差"];
    for text in written {
        for open_id in ["phone-1", "stranger"] {
            let answer = said(&platform, open_id, text).await;
            assert!(answer.contains("聊天里不收") && answer.contains("/pages/sealed-surveys/list"), "{text}: {answer}");
            assert!(!answer.contains("优秀") && !answer.contains("零点七三"), "{answer}");
        }
    }
    // By the name of somebody in office in the village.
    assert!(said(&platform, "phone-1", "测试干部很不错").await.contains("聊天里不收"));

    // Options alone mean nothing while nothing is open, and are dropped as soon as something is.
    assert!(said(&platform, "phone-1", "ACBD").await.contains("没看懂"));
    cast.township.enrol(sids[0], id).await;
    for text in ["ACBD", "1", "３ ２ １", "全部称职", "我投的是第三个", "测 试 干 部挺能干的", "老测这人不咋地"]
    {
        let answer = said(&platform, "phone-1", text).await;
        assert!(answer.contains("聊天里不收") && !answer.contains("称职"), "{text}: {answer}");
    }
    let led = said(&platform, "phone-1", "测评").await;
    assert!(led.contains("只在小程序") && !led.contains("第1题"), "{led}");

    // A survey about a thing is still answered here, with the level said before the first question.
    let draft = json!({"village_id": cast.village.id, "title": "通组路修好了吗", "closes_on": "2026-03-09",
        "questions": [{"text": "路面平不平？", "choices": ["平", "不平"]}]});
    cast.office.post("/api/surveys", draft).await.ok();
    let begun = said(&platform, "phone-1", "问卷").await;
    let (level, question) = (begun.find("0级").unwrap(), begun.find("第1题").unwrap());
    assert!(level < question && begun.contains("只在小程序"), "{begun}");
    assert!(said(&platform, "phone-1", "1").await.contains("谢谢"));

    for part in ["优秀得很", "零点七三", "李会计", "ACBD", "３ ２ １", "全部称职", "很不错", "第三个", "不咋地"]
    {
        assert!(!is_stored(&server, part).await, "{part} is kept");
    }
    assert!(is_stored(&server, "通组路修好了吗").await);
}
