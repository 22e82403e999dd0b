use chrono::TimeDelta;
use qingfeng_bot::{
    channels::{Channels, ContentVerdict, WeChatAccount},
    delivery::Outcome,
};
use qingfeng_core::clock::Clock as _;
use qingfeng_sandbox::{Content, Fault, FaultKind, Platform};
use rstest::rstest;

use crate::replicas::{Replicas, Shared};

/// The account in whose chat people write.
fn official(channels: &Channels) -> &WeChatAccount {
    channels.accounts.official.as_ref().unwrap()
}

fn is_final<T: std::fmt::Debug>(result: Result<T, Outcome>, code: &str) -> bool {
    matches!(&result, Err(Outcome::Final(reason)) if reason.contains(code))
}

#[tokio::test]
async fn a_phone_number_is_told_once_per_tap() {
    let replicas = Replicas::on(Shared::Memory).await;
    let phone = replicas.platforms.phone("phone-1");
    let code = phone.number_code("13800000000");
    let account = &replicas.first.accounts.mini_program;
    assert_eq!(account.phone_number(&code).await, Ok("13800000000".into()));
    assert!(is_final(account.phone_number(&code).await, "40029"));
    let late = phone.number_code("13800000000");
    replicas.clock.advance(TimeDelta::minutes(6));
    assert!(is_final(account.phone_number(&late).await, "40029"));
}

#[tokio::test]
async fn links_and_codes_open_the_mini_program() {
    let replicas = Replicas::on(Shared::Memory).await;
    let (account, now) = (&replicas.first.accounts.mini_program, replicas.clock.now());
    let month = now + TimeDelta::days(30);
    let link = account.url_link("pages/board/village", "id=7", month).await.unwrap();
    assert!(link.starts_with("https://wxaurl.cn/"), "{link}");
    let scheme = account.scheme("pages/board/village", "id=7", month).await.unwrap();
    assert!(scheme.starts_with("weixin://"), "{scheme}");
    assert!(is_final(account.url_link("pages/board/village", "id=7", month + TimeDelta::seconds(1)).await, "85401"));
    assert!(is_final(account.url_link("pages/board/village", "村=东河", month).await, "40212"));
    assert!(is_final(account.url_link("pages/board/village?id=7", "", month).await, "40165"));

    let code = account.code_image(&"a".repeat(32), "pages/board/village").await.unwrap();
    assert!(code.starts_with(b"\x89PNG"));
    assert!(is_final(account.code_image("a", "/pages/board/village").await, "41030"));
    let before = replicas.platforms.calls().len();
    for scene in ["", &"a".repeat(33), "村", "100%"] {
        assert!(is_final(account.code_image(scene, "pages/board/village").await, "小程序码"));
    }
    assert_eq!(replicas.platforms.calls().len(), before, "what cannot be taken is not asked for");
}

#[tokio::test]
async fn a_code_that_comes_with_a_stale_token_comes_with_the_next() {
    let replicas = Replicas::on(Shared::Memory).await;
    let account = &replicas.first.accounts.mini_program;
    account.code_image("a", "pages/board/village").await.unwrap();
    replicas.platforms.revoke_tokens();
    assert!(account.code_image("b", "pages/board/village").await.unwrap().starts_with(b"\x89PNG"));
    // The platform refuses a token that it gives again: once it is made to give another.
    replicas
        .platforms
        .inject(Fault::new(Platform::WeChat, FaultKind::Refuse { code: 40001 }).at("/wxa/getwxacodeunlimit").times(1));
    let before = replicas.platforms.calls().len();
    assert!(account.code_image("c", "pages/board/village").await.is_ok());
    let asked = replicas.platforms.calls().split_off(before);
    assert_eq!(asked.iter().filter(|call| call.endpoint.ends_with("stable_token")).count(), 2, "{asked:?}");
}

#[rstest]
// The day's number of forced refreshes, and the half minute between two.
#[case(45009)]
#[case(45011)]
#[tokio::test]
async fn a_refused_replacement_of_a_token_closes_nothing_for_anybody(#[case] code: i64) {
    let replicas = Replicas::on(Shared::Memory).await;
    let picture =
        async |channels: &Channels| channels.accounts.mini_program.code_image("a", "pages/board/village").await;
    picture(&replicas.first).await.unwrap();
    let refusal = |code: i64, at: &str| Fault::new(Platform::WeChat, FaultKind::Refuse { code }).at(at).times(1);
    replicas.platforms.inject(refusal(40001, "/wxa/getwxacodeunlimit"));
    // It gives the same token again, and does not replace it.
    let same = Fault::new(Platform::WeChat, FaultKind::Delay { milliseconds: 0 }).at("/cgi-bin/stable_token").times(1);
    replicas.platforms.inject(same);
    replicas.platforms.inject(refusal(code, "/cgi-bin/stable_token"));
    let refused = picture(&replicas.first).await.unwrap_err();
    assert!(matches!(&refused, Outcome::Later { reason, .. } if reason.contains(&code.to_string())), "{refused:?}");
    for channels in [&replicas.first, &replicas.second] {
        picture(channels).await.unwrap();
    }
}

#[tokio::test]
async fn a_page_in_the_place_of_a_picture_is_none() {
    let replicas = Replicas::on(Shared::Memory).await;
    let account = &replicas.first.accounts.mini_program;
    replicas.platforms.inject(Fault::new(Platform::WeChat, FaultKind::Portal).at("/wxa/getwxacodeunlimit").times(1));
    let page = account.code_image("a", "pages/board/village").await.unwrap_err();
    assert!(matches!(page, Outcome::Later { .. }), "{page:?}");
    assert!(account.code_image("a", "pages/board/village").await.is_ok());
}

#[rstest]
#[case("路灯已经修好", ContentVerdict::Pass)]
#[case("里面有可疑词", ContentVerdict::Review)]
#[case("里面有违禁词", ContentVerdict::Risky)]
#[tokio::test]
async fn what_staff_publish_is_judged_in_parts_of_2500_characters(#[case] text: &str, #[case] verdict: ContentVerdict) {
    let replicas = Replicas::on(Shared::Memory).await;
    let account = &replicas.first.accounts.mini_program;
    let unused = account.check_staff_text("phone-1", text).await;
    assert!(matches!(&unused, Err(Outcome::NoConsent(reason)) if reason.contains("61010")), "{unused:?}");
    let _ = replicas.platforms.login_code("phone-1");
    assert_eq!(account.check_staff_text("phone-1", text).await, Ok(verdict));
    let before = replicas.platforms.calls().len();
    assert_eq!(account.check_staff_text("phone-1", &format!("{}{text}", "长".repeat(2500))).await, Ok(verdict));
    assert_eq!(replicas.platforms.calls().len() - before, 2);
}

#[tokio::test]
async fn the_account_answers_who_wrote_to_it_five_times() {
    let replicas = Replicas::on(Shared::Memory).await;
    let account = official(&replicas.first);
    let person = replicas.platforms.phone("phone-1").official_openid();
    let unasked = account.reply(&person, "您好").await;
    assert!(matches!(&unasked, Outcome::NoConsent(reason) if reason.contains("45015")), "{unasked:?}");
    let _ = replicas.platforms.phone("phone-1").say("在吗").await;
    // 2048 bytes are one message, one more are two.
    assert!(account.reply(&person, &format!("{}ab", "渠".repeat(682))).await.is_taken());
    assert!(account.reply(&person, &format!("{}abc", "渠".repeat(682))).await.is_taken());
    let messages = replicas.platforms.phone("phone-1").messages();
    assert_eq!(messages.iter().filter(|message| matches!(message.content, Content::CustomerMessage { .. })).count(), 3);
    assert!(account.reply(&person, "四").await.is_taken() && account.reply(&person, "五").await.is_taken());
    let sixth = account.reply(&person, "六").await;
    assert!(matches!(&sixth, Outcome::NoConsent(reason) if reason.contains("45047")), "{sixth:?}");
}

#[tokio::test]
async fn neither_account_reaches_the_others_people_or_interfaces() {
    let replicas = Replicas::on(Shared::Memory).await;
    let (mini_program, official) = (&replicas.first.accounts.mini_program, official(&replicas.first));
    let phone = replicas.platforms.phone("phone-1");
    let _ = phone.say("在吗").await;
    let _ = phone.say_in_mini_program("在吗").await;
    let (at_official, at_mini_program) = (phone.official_openid(), phone.openid().to_owned());
    assert_ne!(at_official, at_mini_program);
    for (account, stranger) in [(mini_program, &at_official), (official, &at_mini_program)] {
        let refused = account.reply(stranger, "您好").await;
        assert!(!refused.is_taken(), "{refused:?}");
    }
    assert!(official.reply(&at_official, "您好").await.is_taken());
    assert!(mini_program.reply(&at_mini_program, "您好").await.is_taken());
    let menu = serde_json::json!({"button": [{"type": "click", "name": "帮助", "key": "help"}]});
    assert!(mini_program.create_menu(&menu).await.is_err(), "mini-programs have no menu");
    assert_eq!(official.create_menu(&menu).await, Ok(()));
    assert!(official.url_link("pages/board/village", "id=7", replicas.clock.now()).await.is_err());
    // Each account's token is its own, and both are kept.
    let tokens = replicas.platforms.calls().into_iter().filter(|call| call.endpoint.ends_with("stable_token"));
    assert_eq!(tokens.count(), 2);

    assert_eq!(official.follower(&at_official).await.unwrap().union_id, None);
    replicas.platforms.bind_to_open_platform();
    assert!(official.follower(&at_official).await.unwrap().union_id.is_some());
    assert!(official.follower(&at_mini_program).await.is_err());
}
