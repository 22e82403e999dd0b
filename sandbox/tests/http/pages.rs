use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use qingfeng_sandbox::{Group, Phone, PushOutcome};
use serde_json::{Value, json};

use crate::{
    account_server::{AccountServer, Reply},
    platform::{Platform, code, reminder},
};

const ATTACK: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'";

impl Platform {
    async fn page(&self, path: &str) -> String {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        response.text().await.unwrap()
    }

    /// Sends a form as a browser does, without following the redirect.
    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        client.post(self.url(path)).form(fields).send().await.unwrap()
    }
}

#[tokio::test]
async fn the_overview_lists_every_group_and_every_phone() {
    let platform = Platform::start().await;
    platform.send_to_group("robot-donghe", &json!({"msgtype": "text", "text": {"content": "今日通报"}})).await;
    let page = platform.page("/sandbox/").await;
    for expected in
        ["东河村村务群", "西河村村务群", "手机甲", "村民 东河村 3 组", "今日通报", "/sandbox/groups/robot-donghe"]
    {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[tokio::test]
async fn whatever_was_sent_a_page_shows_it_and_runs_nothing() {
    let platform = Platform::start().await;
    platform.sandbox.add_phone(Phone::new("o-attack", ATTACK).with_persona(ATTACK));
    platform.sandbox.add_group(Group::new("robot-attack", ATTACK));
    platform.sandbox.phone("o-attack").say(ATTACK).await;
    platform.sandbox.accept_subscription("o-villager", "T-REMIND", 1);
    let token = platform.token().await;
    let mut message = reminder();
    message["data"]["thing1"]["value"] = json!("<b onclick=x>\"'</b>");
    message["page"] = json!("pages/\"><script>alert(3)</script>");
    assert_eq!(code(&platform.send_subscribe(&token, &message).await), 0);
    for message in [
        json!({"msgtype": "text", "text": {"content": ATTACK, "mentioned_list": [ATTACK]}}),
        json!({"msgtype": "markdown", "markdown": {"content": format!("# {ATTACK}\n> {ATTACK}\n[{ATTACK}](https://e.org/\"onclick=\"x)")}}),
        json!({"msgtype": "news", "news": {"articles": [
            {"title": "<script>x</script>", "description": ATTACK, "url": "https://e.org/\"><script>", "picurl": "https://e.org/\"onerror=\"x"}
        ]}}),
    ] {
        assert_eq!(code(&platform.send_to_group("robot-attack", &message).await), 0, "{message}");
    }
    for path in ["/sandbox/", "/sandbox/groups/robot-attack", "/sandbox/phones/o-attack", "/sandbox/phones/o-villager"]
    {
        let page = platform.page(path).await;
        assert!(page.contains("&lt;"), "{path} shows what was sent");
        assert_eq!(page.matches("<script").count(), 1, "only the simulator's own script in {path}: {page}");
        for forbidden in ["<img src=x", "<b onclick", "\"onclick=\"", "\"onerror=\""] {
            assert!(!page.contains(forbidden), "{forbidden} in {path}: {page}");
        }
    }
}

#[tokio::test]
async fn a_page_may_run_the_simulators_own_script_only() {
    let platform = Platform::start().await;
    let response = platform.client.get(platform.url("/sandbox/")).send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let script = platform.client.get(platform.url("/sandbox/assets/live.js")).send().await.unwrap();
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(script.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn a_group_shows_markdown_and_images() {
    let platform = Platform::start().await;
    let markdown = "## 十一月进度\n> 已办结 **3** 项\n<font color=\"warning\">逾期 1 项</font>";
    platform.send_to_group("robot-donghe", &json!({"msgtype": "markdown", "markdown": {"content": markdown}})).await;
    let bytes = b"\x89PNG\r\n\x1a\n picture";
    let digest = hex::encode(Md5::digest(bytes));
    let image = json!({"msgtype": "image", "image": {"base64": STANDARD.encode(bytes), "md5": digest}});
    assert_eq!(code(&platform.send_to_group("robot-donghe", &image).await), 0);
    let page = platform.page("/sandbox/groups/robot-donghe").await;
    assert!(page.contains("<p class=\"heading h2\">十一月进度</p>"), "{page}");
    assert!(page.contains("<strong>3</strong>") && page.contains("<span class=\"warning\">逾期 1 项</span>"));
    let id = platform.sandbox.delivered_to_group("robot-donghe")[1].id;
    let path = format!("/sandbox/groups/robot-donghe/images/{id}");
    assert!(page.contains(&path));
    let shown = platform.client.get(platform.url(&path)).send().await.unwrap();
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert_eq!(shown.bytes().await.unwrap().as_ref(), bytes);
    let elsewhere = platform.url(&format!("/sandbox/groups/robot-xihe/images/{id}"));
    assert_eq!(platform.client.get(elsewhere).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_phone_shows_cards_and_the_chat_and_sends_what_is_typed() {
    let server = AccountServer::start(vec![Reply::Body(String::new()), Reply::Text("收到，谢谢".into())]);
    let platform = Platform::with(|settings| settings.account.callback_url = Some(server.url.clone())).await;
    platform.sandbox.accept_subscription("o-villager", "T-REMIND", 2);
    let token = platform.token().await;
    platform.send_subscribe(&token, &reminder()).await;
    assert_eq!(server.wait_for(1).await.len(), 1, "the event of the sending");
    let sent = platform.form("/sandbox/phones/o-villager/messages", &[("text", "路修好了")]).await;
    assert_eq!(
        (sent.status().as_u16(), sent.headers()["location"].to_str().unwrap()),
        (303, "/sandbox/phones/o-villager")
    );
    let mut page = String::new();
    for _ in 0..200 {
        page = platform.page("/sandbox/phones/o-villager").await;
        if page.contains("收到，谢谢") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for expected in ["<dd>东河村三组水渠修复</dd>", "路修好了", "收到，谢谢", "进入小程序查看", "还可接收 1 次"]
    {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    assert_eq!(platform.form("/sandbox/phones/o-villager/messages", &[("text", "  ")]).await.status(), 422);
}

#[tokio::test]
async fn the_button_opens_the_app_with_a_code_of_this_person() {
    let platform = Platform::with(|settings| settings.account.app_url = "http://127.0.0.1:8080/app/".to_owned()).await;
    let page = "pages/items/detail?id=7";
    let opened = platform.form("/sandbox/phones/o-villager/open", &[("page", page)]).await;
    assert_eq!(opened.status(), 303);
    let address = url::Url::parse(opened.headers()["location"].to_str().unwrap()).unwrap();
    assert_eq!((address.path(), address.fragment()), ("/app/", Some("/pages/items/detail?id=7")));
    let (name, login_code) = address.query_pairs().next().unwrap();
    assert_eq!(name, "code");
    let session = platform
        .get(&format!(
            "/wechat/sns/jscode2session?appid=wxsandbox0000000001&secret=sandbox-app-secret&js_code={login_code}&grant_type=authorization_code"
        ))
        .await;
    assert_eq!(session["openid"], "o-villager");
}

#[tokio::test]
async fn a_link_into_the_mini_program_opens_it_as_whose_phone_it_is_until_it_ends() {
    let platform = Platform::start().await;
    let token = platform.token().await;
    let link = json!({"path": "pages/items/detail", "query": "id=7", "expire_type": 1, "expire_interval": 1});
    let link = platform.post(&format!("/wechat/wxa/generate_urllink?access_token={token}"), &link).await;
    let link = link["url_link"].as_str().unwrap();
    assert_eq!(platform.sandbox.page_of_link(link).as_deref(), Some("pages/items/detail?id=7"));
    assert_eq!(platform.sandbox.page_of_link("https://example.org/"), None);
    let name = link.rsplit('/').next().unwrap();
    platform.sandbox.phone("o-villager").say(&format!("看{link}")).await;
    let address = format!("/sandbox/phones/o-villager/links/{name}");
    let page = platform.page("/sandbox/phones/o-villager").await;
    assert!(page.contains(&format!("href=\"{address}\"")), "{page}");

    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let opened = client.get(platform.url(&address)).send().await.unwrap();
    let opened = url::Url::parse(opened.headers()["location"].to_str().unwrap()).unwrap();
    assert_eq!((opened.path(), opened.fragment()), ("/app/", Some("/pages/items/detail?id=7")));
    assert_eq!(opened.query_pairs().next().unwrap().0, "code");
    platform.pass(chrono::TimeDelta::hours(25));
    assert_eq!(client.get(platform.url(&address)).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_member_signs_in_at_the_corporations_page_and_is_sent_home_only() {
    let platform = Platform::start().await;
    platform.sandbox.add_phone(Phone::new("o-clerk", "办事员").at_wecom("clerk"));
    let asked = |corporation: &str, home: &str| {
        let home: String = url::form_urlencoded::byte_serialize(home.as_bytes()).collect();
        format!(
            "/connect/oauth2/authorize?appid={corporation}&redirect_uri={home}&response_type=code&scope=snsapi_base&state=s1"
        )
    };
    let corporation = platform.sandbox.wecom_account().corp_id;
    let home = "http://127.0.0.1:8080/app/";
    let page = platform.page(&asked(&corporation, home)).await;
    assert!(page.contains("办事员 clerk") && !page.contains("手机甲"), "{page}");
    let cases = [(corporation.as_str(), "https://example.org/app/", "50001"), ("ww-other", home, "参数错误")];
    for (corporation, home, sentence) in cases {
        let refused = platform.client.get(platform.url(&asked(corporation, home))).send().await.unwrap();
        assert_eq!(refused.status(), 422);
        let page = refused.text().await.unwrap();
        assert!(page.contains(sentence), "{page}");
    }
    let agreed = |home| [("openid", "o-clerk"), ("redirect_uri", home), ("state", "s1")];
    let back = platform.form("/sandbox/wecom-logins", &agreed(home)).await;
    let back = url::Url::parse(back.headers()["location"].to_str().unwrap()).unwrap();
    let pairs: Vec<(String, String)> = back.query_pairs().into_owned().collect();
    assert!(back.as_str().starts_with(home) && pairs[0].0 == "code" && pairs[1] == ("state".into(), "s1".into()));
    let elsewhere = platform.form("/sandbox/wecom-logins", &agreed("https://example.org/app/")).await;
    assert_eq!(elsewhere.status(), 422);
    let nobody = [("openid", "o-nobody"), ("redirect_uri", home), ("state", "s1")];
    assert_eq!(platform.form("/sandbox/wecom-logins", &nobody).await.status(), 404);
}

#[tokio::test]
async fn a_state_is_at_most_128_letters_and_digits() {
    let platform = Platform::start().await;
    platform.sandbox.add_phone(Phone::new("o-clerk", "办事员").at_wecom("clerk"));
    let corporation = platform.sandbox.wecom_account().corp_id;
    let home = "http://127.0.0.1:8080/app/";
    let cases = [("a".repeat(128), 200), ("a".repeat(129), 422), ("a-b".into(), 422), ("清风".into(), 422)];
    for (state, status) in cases {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("appid", &corporation)
            .append_pair("redirect_uri", home)
            .append_pair("response_type", "code")
            .append_pair("scope", "snsapi_base")
            .append_pair("state", &state)
            .finish();
        let address = platform.url(&format!("/connect/oauth2/authorize?{query}"));
        assert_eq!(platform.client.get(address).send().await.unwrap().status(), status, "{state}");
    }
    let forged = [("openid", "o-clerk"), ("redirect_uri", home), ("state", "a b")];
    assert_eq!(platform.form("/sandbox/wecom-logins", &forged).await.status(), 404);
}

#[tokio::test]
async fn the_accept_button_adds_an_accept_and_pushes_the_event() {
    let server = AccountServer::start(Vec::new());
    let platform = Platform::with(|settings| settings.account.callback_url = Some(server.url.clone())).await;
    let choose = async |template: &str, choice: &str| {
        let fields = [("template", template), ("choice", choice)];
        platform.form("/sandbox/phones/o-villager/subscriptions", &fields).await.status().as_u16()
    };
    assert_eq!(choose("T-REMIND", "accept").await, 303);
    assert!(server.wait_for(1).await[0].contains("subscribe_msg_popup_event"));
    assert_eq!(platform.sandbox.accepts_left("o-villager", "T-REMIND"), 1);
    assert_eq!(choose("T-NONE", "accept").await, 404);
    assert_eq!(choose("T-REMIND", "perhaps").await, 400);
}

#[tokio::test]
async fn a_phone_can_be_added_on_the_overview() {
    let platform = Platform::start().await;
    let added = platform.form("/sandbox/phones", &[("label", "手机丙"), ("persona", "村民 西河村 1 组")]).await;
    assert_eq!(added.status(), 303);
    let page = platform.page(added.headers()["location"].to_str().unwrap()).await;
    assert!(page.contains("手机丙") && page.contains("村民 西河村 1 组"));
    assert_eq!(platform.form("/sandbox/phones", &[("label", " ")]).await.status(), 422);
}

#[tokio::test]
async fn another_website_cannot_write() {
    let platform = Platform::start().await;
    for site in ["cross-site", "same-site"] {
        let request = platform.client.post(platform.url("/sandbox/phones/o-villager/messages"));
        let refused = request.header("sec-fetch-site", site).form(&[("text", "假冒")]).send().await.unwrap();
        assert_eq!(refused.status(), 403);
    }
    assert!(platform.sandbox.deliveries().is_empty());
}

#[tokio::test]
async fn unknown_phones_and_groups_are_not_found() {
    let platform = Platform::start().await;
    for path in ["/sandbox/phones/o-stranger", "/sandbox/groups/robot-gone"] {
        assert_eq!(platform.client.get(platform.url(path)).send().await.unwrap().status(), 404);
    }
}

#[tokio::test]
async fn phones_groups_templates_and_settings_are_set_up_through_http() {
    let platform = Platform::start().await;
    let create = async |path: &str, body: Value| {
        platform.client.post(platform.url(path)).json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(create("/sandbox/api/phones", json!({"openid": "o-new", "label": "手机丁"})).await, 201);
    assert_eq!(create("/sandbox/api/phones", json!({"openid": "../x", "label": "手机丁"})).await, 422);
    assert_eq!(create("/sandbox/api/phones", json!({"label": "手机丁"})).await, 400);
    assert_eq!(create("/sandbox/api/groups", json!({"key": "robot-new", "name": "南河村村务群"})).await, 201);
    let template = |key: &str| json!({"id": "T-NEW", "title": "新模板", "fields": [{"key": key, "label": "事项"}]});
    assert_eq!(create("/sandbox/api/templates", template("thing1")).await, 201);
    assert_eq!(create("/sandbox/api/templates", template("text1")).await, 422);
    assert_eq!(
        code(&platform.send_to_group("robot-new", &json!({"msgtype": "text", "text": {"content": "甲"}})).await),
        0
    );

    let login = platform.client.post(platform.url("/sandbox/api/phones/o-new/login-codes")).send().await.unwrap();
    assert_eq!(login.status(), 201);
    assert!(login.json::<Value>().await.unwrap()["code"].is_string());

    let mut settings = platform.get("/sandbox/settings").await;
    settings["app_secret"] = json!("another-secret");
    let changed = platform.client.put(platform.url("/sandbox/settings")).json(&settings).send().await.unwrap();
    assert_eq!(changed.status(), 204);
    let request = crate::platform::token_request();
    assert_eq!(code(&platform.post("/wechat/cgi-bin/stable_token", &request).await), 40125);
    assert_eq!(platform.sandbox.phone("o-new").say("甲").await, PushOutcome::NotConfigured);
}

#[tokio::test]
async fn a_phone_sends_pictures_voice_places_and_taps_the_menu() {
    let server = AccountServer::start(Vec::new());
    let platform = Platform::with(|settings| settings.account.callback_url = Some(server.url.clone())).await;
    let token = platform.token().await;
    let menu = json!({"button": [{"type": "click", "name": "反映问题", "key": "file"}]});
    platform.post(&format!("/wechat/cgi-bin/menu/create?access_token={token}"), &menu).await;
    let files = async |bytes: &'static [u8]| {
        let boundary = "a-line-that-stands-nowhere-else";
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n");
        let body = [head.as_bytes(), bytes, format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
        let request = platform.client.post(platform.url("/sandbox/phones/o-villager/files")).body(body);
        request.header("content-type", format!("multipart/form-data; boundary={boundary}")).send().await.unwrap()
    };
    assert_eq!(files(b"%PDF-1.7").await.status(), 422);
    files(&[0xff, 0xd8, 0xff, 0xe0]).await;
    server.wait_for(1).await;
    files(b"#!AMR\n\x7c").await;
    server.wait_for(2).await;
    platform.form("/sandbox/phones/o-villager/locations", &[("label", "东河村三组")]).await;
    server.wait_for(3).await;
    platform.form("/sandbox/phones/o-villager/menu", &[("key", "file")]).await;
    assert_eq!(platform.form("/sandbox/phones/o-villager/menu", &[("key", "dance")]).await.status(), 422);
    let pushed = server.wait_for(4).await;
    for (push, kind) in pushed.iter().zip(["image", "voice", "location", "event"]) {
        assert!(push.contains(&format!("<MsgType><![CDATA[{kind}]]></MsgType>")), "{push}");
    }
    let page = platform.page("/sandbox/phones/o-villager").await;
    for shown in ["语音，7 字节", "位置：东河村三组", "菜单：反映问题", "/sandbox/phones/o-villager/pictures/"]
    {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    let (_, picture) = page.split_once("/sandbox/phones/o-villager/pictures/").unwrap();
    let id = picture.split('"').next().unwrap();
    let address = |phone: &str| platform.url(&format!("/sandbox/phones/{phone}/pictures/{id}"));
    let shown = platform.client.get(address("o-villager")).send().await.unwrap();
    assert_eq!(shown.headers()["content-type"], "image/jpeg");
    assert_eq!(platform.client.get(address("o-other")).send().await.unwrap().status(), 404);
}
