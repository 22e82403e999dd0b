//! Mini-program and official account are two accounts: whose chat it is, which address takes whose pushes, and who is given
//! what was sent to whom.

use chrono::TimeDelta;
use qingfeng_core::{clock::Clock as _, ids::ResidentId, people::Role, storage::Engine};
use qingfeng_sandbox::{
    AccountMessage, Content, Phone, Platform, PushFault, PushFaultKind, PushOutcome, PushResult, RunningSandbox,
    Sandbox,
};
use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::support::{Cast, Person, TestServer, bot, platform, push_at, push_to_mini_program};

const PHONE: &str = "phone-1";
const LINKS: &str = "/api/me/account-links";

/// A server that finds the platform at an address of its own, and the platform there.
async fn with_platform(engine: Engine) -> (TestServer, Sandbox, RunningSandbox) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let base = format!("http://{address}/wechat");
    let server = TestServer::start_with(engine, |config| config.wechat.api_base = base).await;
    let platform = platform(&server);
    let running = platform.start(address.as_str()).unwrap();
    (server, platform, running)
}

/// A resident with a phone whom the official account does not know.
async fn unbound(cast: &Cast<'_>, phone: &str) -> (Person, ResidentId) {
    let id = cast.township.add_resident_without_chat(cast.village, Some(phone), None).await;
    (cast.township.signed_in_as(id).await, id)
}

async fn said(platform: &Sandbox, text: &str) -> String {
    match platform.phone(PHONE).say(text).await {
        PushOutcome::Replied(answer) => answer,
        other => panic!("{text}: {other:?}"),
    }
}

/// The first link in an answer.
fn link_in(answer: &str) -> &str {
    let start = answer.find("http").unwrap_or_else(|| panic!("{answer}"));
    answer[start..].lines().next().unwrap()
}

/// The code of the link in an answer, whether it opens the mini-program or a browser.
fn code_in(platform: &Sandbox, answer: &str) -> Value {
    let link = link_in(answer);
    let page = platform.page_of_link(link).unwrap_or_else(|| link.to_owned());
    let (_, code) = page.split_once("pages/account-links/index?code=").unwrap_or_else(|| panic!("{answer}"));
    json!({"code": code})
}

async fn chats(person: &Person) -> Vec<Value> {
    person.get(LINKS).await.ok()["items"].as_array().unwrap().clone()
}

/// What the customer service told the phone.
fn told(platform: &Sandbox) -> Vec<String> {
    let messages = platform.phone(PHONE).messages().into_iter();
    let words = |content: Content| match content {
        Content::CustomerMessage { text } => Some(text),
        _ => None,
    };
    messages.filter_map(|message| words(message.content)).collect()
}

#[rstest]
#[actix_web::test]
async fn whoever_writes_unbound_gets_a_link_binds_with_it_and_is_known_from_then_on(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let (person, _) = unbound(&cast, PHONE).await;
    let answer = said(&platform, "进度").await;
    assert!(
        answer.contains("还不知道您是哪个村的") && answer.contains("没有保存") && answer.contains("半小时"),
        "{answer}"
    );
    assert!(chats(&person).await.is_empty());

    person.post(LINKS, code_in(&platform, &answer)).await.ok();
    assert!(said(&platform, "进度").await.contains("还没有反映过问题"));
    let bound = chats(&person).await;
    assert_eq!(bound.len(), 1);
    // The other account knows the person by the sign-in; it has not become another.
    assert_ne!(platform.phone(PHONE).official_openid(), PHONE);

    let removal = format!("{LINKS}/{}/removal", bound[0]["id"].as_str().unwrap());
    cast.resident.post(&removal, json!({})).await.problem(404, "not_found");
    person.post(&removal, json!({})).await.ok();
    assert!(chats(&person).await.is_empty());
    let answer = said(&platform, "进度").await;
    assert!(answer.contains("还不知道您是哪个村的"), "{answer}");
    // Who gave it up may take it again.
    person.post(LINKS, code_in(&platform, &answer)).await.ok();
    assert!(said(&platform, "进度").await.contains("还没有反映过问题"));
}

#[actix_web::test]
async fn a_code_is_good_once_for_half_an_hour_and_for_who_is_signed_in() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let (person, _) = unbound(&cast, PHONE).await;
    let code = code_in(&platform, &said(&platform, "进度").await);
    server.visitor().post(LINKS, code.clone()).await.problem(401, "sign_in_needed");
    person.post(LINKS, code.clone()).await.ok();
    for late in [&person, &cast.resident] {
        late.post(LINKS, code.clone()).await.problem(409, "account_link_code_invalid");
    }
    person.post(LINKS, json!({"code": "invented"})).await.problem(409, "account_link_code_invalid");
    person.post(LINKS, json!({"code": "长".repeat(40)})).await.problem(422, "invalid_input");

    let PushOutcome::Replied(answer) = platform.phone("phone-2").say("进度").await else { panic!("no answer") };
    server.clock.advance(TimeDelta::minutes(31));
    person.post(LINKS, code_in(&platform, &answer)).await.problem(409, "account_link_code_invalid");
}

#[actix_web::test]
async fn a_chat_that_is_somebodys_does_not_become_anothers() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let (person, _) = unbound(&cast, PHONE).await;
    let (first, second) = (said(&platform, "进度").await, said(&platform, "进度").await);
    person.post(LINKS, code_in(&platform, &first)).await.ok();
    cast.resident.post(LINKS, code_in(&platform, &second)).await.problem(409, "account_link_taken");
    assert!(chats(&cast.resident).await.is_empty());
    assert!(said(&platform, "进度").await.contains("还没有反映过问题"));
}

#[actix_web::test]
async fn staff_who_write_are_led_to_their_desk() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let clerk = cast.township.staff(Role::TownshipOffice).await;
    clerk.post(LINKS, code_in(&platform, &said(&platform, "待办").await)).await.ok();
    assert!(said(&platform, "进度").await.contains("工作人员的微信"));
    assert_eq!(chats(&clerk).await.len(), 1);
}

#[actix_web::test]
async fn a_secretary_who_is_a_resident_too_makes_the_chat_the_residents_own() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    cast.secretary.post(LINKS, code_in(&platform, &said(&platform, "进度").await)).await.ok();
    let answer = said(&platform, "进度").await;
    assert!(answer.contains("工作人员的微信") && answer.contains("您也是村民的"), "{answer}");
    let (village, secretary) = (cast.village, Some(cast.secretary_id));
    let herself = cast.township.add_resident_without_chat(village, None, secretary).await;
    let herself = cast.township.signed_in_as(herself).await;
    herself.post(LINKS, code_in(&platform, &answer)).await.ok();
    assert!(said(&platform, "进度").await.contains("还没有反映过问题"));
    assert_eq!((chats(&herself).await.len(), chats(&cast.secretary).await.len()), (1, 1));
}

#[actix_web::test]
async fn the_link_opens_the_mini_program_and_a_browser_only_where_the_platform_gives_none() {
    let (server, platform, running) = with_platform(Engine::Sqlite).await;
    let answer = said(&platform, "进度").await;
    let page = platform.page_of_link(link_in(&answer)).unwrap_or_else(|| panic!("{answer}"));
    assert!(page.starts_with("pages/account-links/index?code="), "{page}");
    server.clock.advance(TimeDelta::minutes(31));
    assert_eq!(platform.page_of_link(link_in(&answer)), None, "the link ends with its code");

    let fault = qingfeng_sandbox::Fault::new(Platform::WeChat, qingfeng_sandbox::FaultKind::Outage);
    platform.inject(fault.at("/wxa/generate_urllink"));
    let answer = said(&platform, "进度").await;
    assert!(link_in(&answer).contains("/app/#/pages/account-links/index?code="), "{answer}");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_union_id_puts_both_accounts_together_until_the_person_gives_the_chat_up(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (server, platform, running) = with_platform(engine).await;
    let cast = Cast::of(&server).await;
    let (person, _) = unbound(&cast, PHONE).await;
    assert!(said(&platform, "进度").await.contains("还不知道您是哪个村的"));
    platform.bind_to_open_platform();
    let code = json!({"code": platform.login_code(PHONE)});
    assert_eq!(server.visitor().post("/api/sign-in/mini-program", code).await.ok()["result"], "signed_in");
    // The platform was asked a moment ago; it is not asked at every word.
    assert!(said(&platform, "进度").await.contains("还不知道您是哪个村的"));
    server.clock.advance(TimeDelta::minutes(2));
    assert!(said(&platform, "进度").await.contains("还没有反映过问题"));
    let asked = || platform.call_counts()["wechat /cgi-bin/user/info"];
    assert_eq!(asked(), 2);

    let bound = chats(&person).await;
    person.post(&format!("{LINKS}/{}/removal", bound[0]["id"].as_str().unwrap()), json!({})).await.ok();
    server.clock.advance(TimeDelta::minutes(2));
    let answer = said(&platform, "进度").await;
    assert!(answer.contains("还不知道您是哪个村的"), "the platform's word does not bind it again: {answer}");
    assert_eq!(asked(), 3);
    person.post(LINKS, code_in(&platform, &answer)).await.ok();
    assert!(said(&platform, "进度").await.contains("还没有反映过问题"));
    running.stop().await;
}

#[actix_web::test]
async fn neither_address_takes_the_other_accounts_pushes() {
    let server = TestServer::start(Engine::Sqlite).await;
    let platform = platform(&server);
    let (mut mini_program, mut official) = (platform.account(), platform.official_account());
    std::mem::swap(&mut mini_program.callback_url, &mut official.callback_url);
    platform.set_account(mini_program);
    platform.set_official_account(official);
    assert_eq!(platform.phone(PHONE).say("帮助").await, PushOutcome::Failed);
    assert_eq!(platform.phone(PHONE).say_in_mini_program("帮助").await, PushOutcome::Failed);
    assert!(platform.pushes().iter().all(|push| push.result == PushResult::Status(403)), "{:?}", platform.pushes());
    assert!(!platform.verify_callback().await && !platform.verify_official_callback().await);
}

#[actix_web::test]
async fn where_there_is_no_official_account_nobody_pushes_for_one() {
    let server = TestServer::start_with(Engine::Sqlite, |config| config.official_account = None).await;
    let platform = platform(&server);
    let mut official = platform.official_account();
    official.callback_url = Some(format!("{}/callbacks/official-account", server.address));
    // Not even with the token that an empty configuration would have.
    for token in [official.callback_token.clone(), String::new()] {
        official.callback_token = token;
        platform.set_official_account(official.clone());
        assert_eq!(platform.phone(PHONE).say("帮助").await, PushOutcome::Failed);
    }
    let cast = Cast::of(&server).await;
    let links = cast.resident.get(LINKS).await.ok();
    assert_eq!(links, json!({"has_official_account": false, "items": []}));
}

#[rstest]
#[actix_web::test]
async fn the_mini_programs_customer_service_is_answered_by_messages_each_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (server, platform, running) = with_platform(engine).await;
    let cast = Cast::of(&server).await;
    unbound(&cast, PHONE).await;
    let phone = platform.phone(PHONE);
    assert_eq!(phone.enter_chat("home").await, PushOutcome::Handled);
    assert!(told(&platform)[0].contains("“进度”"));
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(phone.enter_chat("home").await, PushOutcome::Handled);
    assert_eq!(told(&platform).len(), 1, "greeted once a day");

    // The sign-in knows the phone: nothing has to be bound here.
    platform.trouble_pushes(PushFault::new(Platform::WeChat, PushFaultKind::Duplicate));
    assert_eq!(phone.say_in_mini_program("进度").await, PushOutcome::Handled);
    let words = told(&platform);
    assert!(words.len() == 2 && words[1].contains("还没有反映过问题"), "{words:?}");

    // A platform that takes nothing hears the push again later; nobody is told twice.
    let outage = platform.inject(
        qingfeng_sandbox::Fault::new(Platform::WeChat, qingfeng_sandbox::FaultKind::Outage)
            .at("/cgi-bin/message/custom/send"),
    );
    assert_eq!(phone.say_in_mini_program("帮助").await, PushOutcome::Failed);
    platform.end_fault(outage);
    assert_eq!(phone.say_in_mini_program("帮助").await, PushOutcome::Handled);
    assert_eq!(told(&platform).len(), 3);
    running.stop().await;
}

/// What somebody writes to the mini-program's customer service, as it is pushed.
const HELP: &str = "<xml><ToUserName>gh</ToUserName><FromUserName>phone-1</FromUserName><CreateTime>7</CreateTime>\
                    <MsgType>text</MsgType><Content>帮助</Content><MsgId>24000000000000009</MsgId></xml>";

#[actix_web::test]
async fn an_answer_that_is_being_said_is_not_said_to_be_handled() {
    let (server, platform, running) = with_platform(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    unbound(&cast, PHONE).await;
    // Whoever wrote once may be answered five times.
    assert_eq!(platform.phone(PHONE).say_in_mini_program("在吗").await, PushOutcome::Handled);
    let held = qingfeng_sandbox::Fault::new(Platform::WeChat, qingfeng_sandbox::FaultKind::Hold)
        .at("/cgi-bin/message/custom/send");
    let held = platform.inject(held);
    let meanwhile = async {
        for attempt in 0.. {
            if told(&platform).len() == 2 {
                break;
            }
            assert!(attempt < 2000, "the answer is said");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let second = push_to_mini_program(&server, "2", HELP).await;
        platform.end_fault(held);
        second
    };
    let (first, second) = futures::future::join(push_to_mini_program(&server, "1", HELP), meanwhile).await;
    assert!(second.0.is_server_error(), "that can still fail: {second:?}");
    assert_eq!((first.0.as_u16(), first.1.as_str()), (200, "success"));
    assert_eq!(push_to_mini_program(&server, "3", HELP).await, first);
    assert_eq!(told(&platform).len(), 2, "it was said once");
    running.stop().await;
}

#[actix_web::test]
async fn an_answer_for_which_no_access_token_comes_in_time_is_said_at_the_next_delivery() {
    let (server, platform, running) = with_platform(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    unbound(&cast, PHONE).await;
    assert_eq!(platform.phone(PHONE).say_in_mini_program("在吗").await, PushOutcome::Handled);
    // The token is over, and the platform takes longer for a new one than it waits for an answer.
    server.clock.advance(TimeDelta::hours(2));
    let slow = qingfeng_sandbox::FaultKind::Delay { milliseconds: 3700 };
    platform.inject(qingfeng_sandbox::Fault::new(Platform::WeChat, slow).at("/cgi-bin/stable_token").times(1));
    let first = push_to_mini_program(&server, "1", HELP).await;
    assert!(first.0.is_server_error(), "nothing has left: {first:?}");
    assert_eq!(told(&platform).len(), 1);
    let second = push_to_mini_program(&server, "2", HELP).await;
    assert_eq!((second.0.as_u16(), second.1.as_str()), (200, "success"));
    assert_eq!(told(&platform).len(), 2);
    let tokens = platform.calls().into_iter().filter(|call| call.endpoint.ends_with("stable_token"));
    assert_eq!(tokens.count(), 2, "what was begun is not begun again");
    running.stop().await;
}

#[actix_web::test]
async fn a_stranger_in_the_customer_service_is_led_to_the_sign_in() {
    let (_server, platform, running) = with_platform(Engine::Sqlite).await;
    assert_eq!(platform.phone(PHONE).say_in_mini_program("进度").await, PushOutcome::Handled);
    let words = told(&platform);
    assert!(words[0].contains("还不知道您是哪个村的") && words[0].contains("邀请码"), "{words:?}");
    assert_eq!(
        platform.page_of_link(link_in(&words[0])).as_deref(),
        Some("pages/home/index"),
        "nothing has to be linked"
    );
    running.stop().await;
}

#[actix_web::test]
async fn a_photo_is_fetched_from_the_account_that_it_was_sent_to() {
    let (server, platform, running) = with_platform(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let (person, _) = unbound(&cast, PHONE).await;
    let phone = platform.phone(PHONE);
    let mut jpeg = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(64, 48).write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    phone.say_in_mini_program("反映").await;
    phone.say_in_mini_program("村口的路灯坏了三个月。").await;
    assert_eq!(phone.send_in_mini_program(AccountMessage::image(jpeg.get_ref())).await, Ok(PushOutcome::Handled));
    phone.say_in_mini_program("1").await;
    phone.say_in_mini_program("1").await;
    let words = told(&platform);
    assert!(words.last().unwrap().contains("已登记"), "{words:?}");

    bot(&server, &running).tick().await.unwrap();
    let connection = server.application.store.reader();
    let sql = "SELECT COUNT(*) AS counted FROM awaited_media";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let waiting: i64 = connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "counted").unwrap();
    assert_eq!(waiting, 0);
    let list = person.get("/api/complaints").await.ok();
    let complaint = person.get(&format!("/api/complaints/{}", list["items"][0]["id"].as_str().unwrap())).await.ok();
    assert_eq!(complaint["photos"].as_array().unwrap().len(), 1, "{complaint}");
    running.stop().await;
}

#[actix_web::test]
async fn a_push_that_was_caught_cannot_be_played_ten_minutes_later() {
    let server = TestServer::start(Engine::Sqlite).await;
    let body = "<xml><ToUserName>gh</ToUserName><FromUserName>somebody</FromUserName><CreateTime>7</CreateTime>\
                <MsgType>event</MsgType><Event>unsubscribe</Event></xml>";
    let now = server.clock.now().timestamp();
    for (seconds, status) in [(-600, 200), (600, 200), (-601, 403), (601, 403)] {
        let (answered, _) = push_at(&server, now + seconds, "1", body).await;
        assert_eq!(answered.as_u16(), status, "{seconds}");
    }
}

#[actix_web::test]
async fn the_applications_menu_means_what_the_words_do_and_greets_once_a_day() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    platform.add_phone(Phone::new(PHONE, "书记").at_wecom("secretary"));
    cast.township.at_wecom(cast.secretary_id, "secretary").await;
    let running = platform.start("127.0.0.1:0").unwrap();
    let phone = platform.phone(PHONE);
    assert_eq!(phone.tap_wecom_menu("tasks").await, PushOutcome::Impossible, "there is none yet");
    let mut config = server.application.config.clone();
    config.wechat.api_base = running.wechat_base();
    config.wecom.api_base = running.wecom_base();
    qingfeng::cli::put_menu(&config).await.unwrap();

    let said = |outcome: PushOutcome| match outcome {
        PushOutcome::Replied(answer) => answer,
        other => panic!("{other:?}"),
    };
    assert!(said(phone.tap_wecom_menu("tasks").await).contains("没有待办"));
    assert!(said(phone.tap_wecom_menu("board").await).contains("公示"));
    assert!(said(phone.tap_wecom_menu("help").await).contains("可以发"));
    assert!(said(phone.join_wecom().await).contains("“待办”"), "a member of staff is greeted as one");
    assert!(said(phone.enter_wecom().await).contains("可以发"));
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(phone.enter_wecom().await, PushOutcome::Handled);
    server.clock.advance(TimeDelta::hours(24));
    assert!(said(phone.enter_wecom().await).contains("可以发"));
    running.stop().await;
}

#[actix_web::test]
async fn without_a_callback_at_wecom_cards_come_without_buttons() {
    let server = TestServer::start_with(Engine::Sqlite, |config| config.wecom.callback_keys.clear()).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let mut corporation = platform.wecom_account();
    corporation.callback_url = None;
    platform.set_wecom_account(corporation);
    platform.add_phone(Phone::new(PHONE, "书记").at_wecom("secretary"));
    cast.township.at_wecom(cast.secretary_id, "secretary").await;
    let running = platform.start("127.0.0.1:0").unwrap();
    cast.dispatched().await;
    bot(&server, &running).tick().await.unwrap();
    let cards = platform.delivered_to_member("secretary");
    let Content::Card { buttons, .. } = &cards[0].content else { panic!("{cards:?}") };
    assert!(buttons.is_empty(), "{buttons:?}");
    running.stop().await;
}

#[test]
fn no_platform_but_the_simulator_pushes_in_the_clear_or_with_known_secrets() {
    let real = || {
        let mut config = qingfeng::Config::default();
        config.wechat.api_base = "https://api.weixin.qq.com".into();
        config.wechat.app_secret = "our-own".into();
        config.wechat.callback_token = "our-own".into();
        config.wechat.callback_keys = vec!["jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".into()];
        config.wecom.corp_id.clear();
        config
    };
    let refused = |config: &qingfeng::Config| config.check_platform_secrets().unwrap_err().to_string();
    real().check_platform_secrets().unwrap();
    let mut plain = real();
    plain.wechat.callback_keys.clear();
    assert!(refused(&plain).contains("wechat.callback_keys"), "{}", refused(&plain));

    let mut both = real();
    let own = qingfeng::config::OfficialAccount {
        app_id: "wx-official".into(),
        app_secret: "our-own".into(),
        callback_token: "our-own".into(),
        callback_keys: both.wechat.callback_keys.clone(),
        ..qingfeng::config::OfficialAccount::default()
    };
    both.official_account = Some(own.clone());
    both.check_platform_secrets().unwrap();
    type Change = (&'static str, fn(&mut qingfeng::config::OfficialAccount));
    let changes: [Change; 5] = [
        ("official_account.app_id", |own| own.app_id.clear()),
        ("official_account.app_id", |own| own.app_id = qingfeng::Config::default().wechat.app_id),
        ("official_account.app_secret", |own| {
            own.app_secret = qingfeng::config::OfficialAccount::simulated().app_secret;
        }),
        ("official_account.callback_token", |own| {
            own.callback_token = qingfeng::config::OfficialAccount::simulated().callback_token;
        }),
        ("official_account.callback_keys", |own| own.callback_keys.clear()),
    ];
    for (name, change) in changes {
        let mut changed = own.clone();
        change(&mut changed);
        both.official_account = Some(changed);
        assert!(refused(&both).contains(name), "{name}: {}", refused(&both));
    }
}
