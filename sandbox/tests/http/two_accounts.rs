//! The mini-program and the official account have nothing in common but their owner.

use qingfeng_sandbox::{Account, AccountMessage, Content, PushOutcome};
use serde_json::{Value, json};

use crate::{
    account_server::{AccountServer, Reply},
    platform::{Platform, code},
};

const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 7];

/// Both accounts, each with a server of its own.
async fn both(mini_program: &AccountServer, official: &AccountServer) -> Platform {
    Platform::with(|settings| {
        settings.account.callback_url = Some(mini_program.url.clone());
        let mut account = Account::official();
        account.callback_url = Some(official.url.clone());
        account.callback_token = settings.account.callback_token.clone();
        settings.official_account = Some(account);
    })
    .await
}

impl Platform {
    async fn official_token(&self) -> String {
        let account = Account::official();
        let request = json!({"grant_type": "client_credential", "appid": account.app_id, "secret": account.app_secret});
        let answer = self.post("/wechat/cgi-bin/stable_token", &request).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    async fn tell_by(&self, token: &str, openid: &str) -> i64 {
        let message = json!({"touser": openid, "msgtype": "text", "text": {"content": "您好"}});
        code(&self.post(&format!("/wechat/cgi-bin/message/custom/send?access_token={token}"), &message).await)
    }
}

#[tokio::test]
async fn a_person_has_another_name_at_each_and_neither_reaches_the_others() {
    let (mini_program, official) = (AccountServer::start(vec![]), AccountServer::start(vec![]));
    let platform = both(&mini_program, &official).await;
    let phone = platform.sandbox.phone("o-villager");
    let known = phone.official_openid();
    assert!(known != "o-villager" && known.len() == 28, "{known}");
    phone.say("在吗").await;
    phone.say_in_mini_program("在吗").await;
    let (own, other) = (platform.token().await, platform.official_token().await);
    assert_eq!(platform.tell_by(&own, &known).await, 40003);
    assert_eq!(platform.tell_by(&other, "o-villager").await, 40003);
    assert_eq!(platform.tell_by(&own, "o-villager").await, 0);
    assert_eq!(platform.tell_by(&other, &known).await, 0);

    let call = async |path: &str, token: &str, body: &Value| {
        code(&platform.post(&format!("/wechat/{path}?access_token={token}"), body).await)
    };
    let menu = json!({"button": [{"type": "click", "name": "帮助", "key": "help"}]});
    assert_eq!(call("cgi-bin/menu/create", &own, &menu).await, 48001);
    assert_eq!(call("cgi-bin/menu/create", &other, &menu).await, 0);
    let template = json!({"touser": known, "template_id": "T-REMIND", "data": {}});
    assert_eq!(call("cgi-bin/message/template/send", &own, &template).await, 48001);
    assert_eq!(call("cgi-bin/message/subscribe/send", &other, &json!({})).await, 48001);
    let templates = async |token: &str| {
        platform.get(&format!("/wechat/cgi-bin/template/get_all_private_template?access_token={token}")).await
    };
    assert_eq!(code(&templates(&own).await), 48001);
    assert_eq!(templates(&other).await["template_list"].as_array().unwrap().len(), 2);
    let login = platform.sandbox.login_code("o-villager");
    let account = Account::official();
    let exchange = format!(
        "/wechat/sns/jscode2session?appid={}&secret={}&js_code={login}&grant_type=authorization_code",
        account.app_id, account.app_secret
    );
    assert_eq!(code(&platform.get(&exchange).await), 40013);
}

#[tokio::test]
async fn each_is_pushed_to_its_own_address_and_only_the_official_account_answers_there() {
    let reply = || vec![Reply::Text("您好".into())];
    let (mini_program, official) = (AccountServer::start(reply()), AccountServer::start(reply()));
    let platform = both(&mini_program, &official).await;
    let phone = platform.sandbox.phone("o-villager");
    assert_eq!(phone.say("在吗").await, PushOutcome::Replied("您好".into()));
    assert!(official.received()[0].contains(&phone.official_openid()) && mini_program.received().is_empty());
    assert!(official.received()[0].contains("gh_sandbox000002"));
    assert_eq!(phone.say_in_mini_program("在吗").await, PushOutcome::Failed, "it takes no answer there");
    assert!(mini_program.received()[0].contains("<FromUserName><![CDATA[o-villager]]></FromUserName>"));
    assert_eq!((official.received().len(), mini_program.received().len()), (1, 1));
    assert_eq!(phone.accept("T-REMIND").await, PushOutcome::Handled);
    assert_eq!(phone.enter_chat("").await, PushOutcome::Handled);
    assert_eq!((official.received().len(), mini_program.received().len()), (1, 3));
    assert_eq!(phone.follow().await, PushOutcome::Handled);
    assert_eq!(official.received().len(), 2);
}

#[tokio::test]
async fn what_was_sent_to_one_the_other_is_not_given() {
    let (mini_program, official) = (AccountServer::start(vec![]), AccountServer::start(vec![]));
    let platform = both(&mini_program, &official).await;
    let phone = platform.sandbox.phone("o-villager");
    assert!(phone.send_in_mini_program(AccountMessage::voice(b"#!AMR\n", None)).await.is_err());
    phone.send_in_mini_program(AccountMessage::image(JPEG)).await.unwrap();
    phone.send(AccountMessage::image(JPEG)).await.unwrap();
    let media = |server: &AccountServer| {
        let pushed = server.received().remove(0);
        let (_, id) = pushed.split_once("<MediaId><![CDATA[").unwrap();
        id.split_once("]]>").unwrap().0.to_owned()
    };
    let (own, other) = (platform.token().await, platform.official_token().await);
    let get = async |token: &str, media: &str| {
        let address = platform.url(&format!("/wechat/cgi-bin/media/get?access_token={token}&media_id={media}"));
        platform.client.get(address).send().await.unwrap().bytes().await.unwrap()
    };
    for (server, token, stranger) in [(&mini_program, &own, &other), (&official, &other, &own)] {
        let id = media(server);
        assert_eq!(get(token, &id).await, JPEG);
        let refused: Value = serde_json::from_slice(&get(stranger, &id).await).unwrap();
        assert_eq!(refused["errcode"], 40007);
    }
}

#[tokio::test]
async fn a_union_id_is_told_only_where_both_are_bound_to_one_another() {
    let (mini_program, official) = (AccountServer::start(vec![]), AccountServer::start(vec![]));
    let platform = both(&mini_program, &official).await;
    let phone = platform.sandbox.phone("o-villager");
    let (own, other) = (platform.token().await, platform.official_token().await);
    let info = async |token: &str, openid: &str| {
        platform.get(&format!("/wechat/cgi-bin/user/info?access_token={token}&openid={openid}&lang=zh_CN")).await
    };
    let known = phone.official_openid();
    let told = info(&other, &known).await;
    assert_eq!((&told["subscribe"], told.get("unionid")), (&json!(1), None));
    assert_eq!(code(&info(&own, &known).await), 48001);
    assert_eq!(code(&info(&other, "o-villager").await), 40003);
    assert!(platform.exchange(&phone.login_code()).await.get("unionid").is_none());

    platform.sandbox.bind_to_open_platform();
    let told = info(&other, &known).await["unionid"].clone();
    assert!(told.is_string());
    assert_eq!(platform.exchange(&phone.login_code()).await["unionid"], told);
    phone.unfollow();
    let gone = info(&other, &known).await;
    assert_eq!((&gone["subscribe"], gone.get("unionid")), (&json!(0), None));
}

#[tokio::test]
async fn a_card_with_buttons_needs_an_address_that_is_told_of_taps() {
    let platform = Platform::with(|settings| {
        settings.phones = vec![qingfeng_sandbox::Phone::new("o-1", "甲").at_wecom("lisi")];
    })
    .await;
    let token = platform.wecom_token().await;
    let card = |kind: &str| {
        let mut card = json!({
            "card_type": kind, "main_title": {"title": "题"},
            "card_action": {"type": 1, "url": "https://example.org"},
        });
        if kind == "button_interaction" {
            card["task_id"] = "t-1".into();
            card["button_list"] = json!([{"text": "好", "key": "yes"}]);
        }
        json!({"touser": "lisi", "agentid": 1_000_002, "msgtype": "template_card", "template_card": card})
    };
    assert_eq!(platform.tell(&token, &card("button_interaction")).await["errcode"], 40058);
    assert_eq!(platform.tell(&token, &card("text_notice")).await["errcode"], 0);
    let mut corporation = platform.sandbox.wecom_account();
    corporation.callback_url = Some("http://127.0.0.1:9/wecom".into());
    platform.sandbox.set_wecom_account(corporation);
    assert_eq!(platform.tell(&token, &card("button_interaction")).await["errcode"], 0);
    let arrived = platform.sandbox.delivered_to_member("lisi");
    assert!(matches!(&arrived[1].content, Content::Card { buttons, .. } if buttons.len() == 1), "{arrived:?}");
}

#[tokio::test]
async fn the_menu_at_wecom_is_pushed_as_a_click_and_opening_the_chat_is_told() {
    let server = AccountServer::encrypted(
        "sandbox-wecom-token",
        "SandboxSandboxSandboxSandboxSandboxSandboxS",
        "wwsandbox0000000001",
        vec![],
    );
    let platform = Platform::with(|settings| {
        settings.wecom.callback_url = Some(server.url.clone());
        settings.phones = vec![qingfeng_sandbox::Phone::new("o-1", "甲").at_wecom("lisi")];
    })
    .await;
    let token = platform.wecom_token().await;
    let menu = json!({"button": [{"type": "click", "name": "待办", "key": "tasks"}]});
    let put = async |query: &str| {
        code(&platform.post(&format!("/wecom/cgi-bin/menu/create?access_token={token}{query}"), &menu).await)
    };
    assert_eq!(put("").await, 41011);
    assert_eq!(put("&agentid=7").await, 40056);
    let phone = platform.sandbox.phone("o-1");
    assert_eq!(phone.tap_wecom_menu("tasks").await, PushOutcome::Impossible);
    assert_eq!(put("&agentid=1000002").await, 0);
    assert_eq!(phone.tap_wecom_menu("tasks").await, PushOutcome::Handled);
    assert_eq!(phone.enter_wecom().await, PushOutcome::Handled);
    let received = server.received();
    assert!(received[0].contains("<Event><![CDATA[click]]></Event>"), "{received:?}");
    assert!(received[0].contains("<EventKey><![CDATA[tasks]]></EventKey>"));
    assert!(received[1].contains("<Event><![CDATA[enter_agent]]></Event>"));
}
