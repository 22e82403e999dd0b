//! Template messages and every kind of customer-service message.

use chrono::TimeDelta;
use qingfeng_sandbox::{AccountMessage, Content, PushOutcome};
use reqwest::multipart::{Form, Part};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    account_server::AccountServer,
    platform::{Platform, code},
};

const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 7];

async fn connected(server: &AccountServer) -> Platform {
    Platform::with(|settings| {
        settings.account.callback_url = Some(server.url.clone());
        settings.account.pages = vec!["pages/items/detail".into()];
    })
    .await
}

fn progress(change: impl FnOnce(&mut Value)) -> Value {
    let mut message = json!({
        "touser": "o-villager", "template_id": "T-REMIND",
        "data": {"thing1": {"value": "水渠修复"}, "date2": {"value": "2026-11-30", "color": "#173177"}},
    });
    change(&mut message);
    message
}

impl Platform {
    async fn account_call(&self, path: &str, body: &Value) -> Value {
        let token = self.token().await;
        self.post(&format!("/wechat/cgi-bin/{path}?access_token={token}"), body).await
    }

    async fn say_to_villager(&self, mut message: Value) -> Value {
        message["touser"] = "o-villager".into();
        self.account_call("message/custom/send", &message).await
    }

    async fn account_upload(&self, kind: &str, bytes: &'static [u8]) -> Value {
        let token = self.token().await;
        let form = Form::new().part("media", Part::bytes(bytes).file_name("1.jpg"));
        let url = self.url(&format!("/wechat/cgi-bin/media/upload?access_token={token}&type={kind}"));
        self.client.post(url).multipart(form).send().await.unwrap().json().await.unwrap()
    }
}

#[rstest]
#[case(progress(|_| ()), 0)]
#[case(progress(|message| message["data"]["date2"]["value"] = "明天".into()), 47003)]
#[case(progress(|message| message["data"]["thing1"]["value"] = "字".repeat(21).into()), 47003)]
#[case(progress(|message| message["data"]["thing1"]["value"] = "".into()), 47003)]
#[case(progress(|message| message["data"]["thing9"] = json!({"value": "多"})), 47003)]
#[case(progress(|message| message["template_id"] = "T-NONE".into()), 40037)]
#[case(progress(|message| message["touser"] = "o-nobody".into()), 40003)]
#[case(progress(|message| message["miniprogram"] = json!({"appid": "wxsandbox0000000001", "pagepath": "pages/items/detail?id=7"})), 0)]
#[case(progress(|message| message["miniprogram"] = json!({"appid": "wxsandbox0000000001", "pagepath": "pages/gone"})), 40165)]
#[case(progress(|message| message["miniprogram"] = json!({"appid": "wxother", "pagepath": "pages/items/detail"})), 40013)]
#[case(progress(|message| message["colour"] = "red".into()), 47001)]
#[tokio::test]
async fn a_template_message_is_checked_like_a_subscribe_message(#[case] message: Value, #[case] expected: i64) {
    let platform = connected(&AccountServer::start(vec![])).await;
    let answer = platform.account_call("message/template/send", &message).await;
    assert_eq!(code(&answer), expected, "{answer}");
    assert_eq!(platform.sandbox.phone("o-villager").subscribe_messages().len(), usize::from(expected == 0));
}

#[tokio::test]
async fn the_accounts_templates_are_listed_with_their_keys() {
    let platform = Platform::start().await;
    let token = platform.token().await;
    let list = async |token: &str| {
        platform.get(&format!("/wechat/cgi-bin/template/get_all_private_template?access_token={token}")).await
    };
    let listed = list(&token).await;
    let templates = listed["template_list"].as_array().unwrap();
    let ids: Vec<_> = templates.iter().map(|template| template["template_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["T-LEVEL", "T-REMIND"]);
    assert_eq!(templates[1]["title"], "办理期限提醒");
    assert_eq!(templates[1]["content"], "事项:{{thing1.DATA}}\n截止日期:{{date2.DATA}}\n");
    for field in ["primary_industry", "deputy_industry", "example"] {
        assert!(templates[1][field].is_string(), "{field}");
    }
    assert_eq!(code(&list("").await), 41001);
}

#[tokio::test]
async fn a_repeated_name_is_one_message_for_ten_minutes_and_the_day_has_an_end() {
    let server = AccountServer::start(vec![]);
    let platform = connected(&server).await;
    let mut limits = platform.sandbox.limits();
    limits.template_messages_a_day = 2;
    platform.sandbox.set_limits(limits);
    let named = progress(|message| message["client_msg_id"] = "message-7".into());
    let send = async || platform.account_call("message/template/send", &named).await;
    let (first, again) = (send().await, send().await);
    assert_eq!((code(&first), &first["msgid"]), (0, &again["msgid"]));
    assert_eq!(server.wait_for(1).await.len(), 1, "told once");
    platform.pass(TimeDelta::minutes(10));
    assert_ne!(send().await["msgid"], first["msgid"]);
    assert_eq!(platform.sandbox.phone("o-villager").subscribe_messages().len(), 2);
    platform.pass(TimeDelta::minutes(10));
    assert_eq!(code(&send().await), 45009);
}

#[tokio::test]
async fn what_became_of_a_template_message_is_pushed() {
    let server = AccountServer::start(vec![]);
    let platform = connected(&server).await;
    let sent = platform.account_call("message/template/send", &progress(|_| ())).await;
    let event = server.wait_for(1).await.remove(0);
    assert!(event.contains("<Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event>"), "{event}");
    assert!(event.contains(&format!("<MsgID>{}</MsgID>", sent["msgid"])));
    assert!(event.contains("<Status><![CDATA[success]]></Status>"));
    let phone = platform.sandbox.phone("o-villager");
    phone.block_template_messages();
    assert_eq!(code(&platform.account_call("message/template/send", &progress(|_| ())).await), 0);
    assert!(server.wait_for(2).await[1].contains("<Status><![CDATA[failed:user block]]></Status>"));
    assert_eq!(phone.subscribe_messages().len(), 1, "it did not arrive");
    phone.unfollow();
    assert_eq!(code(&platform.account_call("message/template/send", &progress(|_| ())).await), 43004);
}

#[tokio::test]
async fn what_a_person_does_allows_so_many_messages_for_so_long() {
    let server = AccountServer::start(vec![]);
    let platform = connected(&server).await;
    let phone = platform.sandbox.phone("o-villager");
    let say = async |count: usize| {
        let mut codes = Vec::new();
        for _ in 0..count {
            codes.push(code(&platform.say_to_villager(json!({"msgtype": "text", "text": {"content": "您好"}})).await));
        }
        codes
    };
    assert_eq!(say(1).await, [45015]);
    assert_eq!(phone.enter_chat("complaint-7").await, PushOutcome::Handled);
    assert!(server.received()[0].contains("<SessionFrom><![CDATA[complaint-7]]></SessionFrom>"));
    assert_eq!(say(3).await, [0, 0, 45047]);
    platform.pass(TimeDelta::seconds(61));
    assert_eq!(say(1).await, [45015]);
    assert_eq!(phone.follow().await, PushOutcome::Handled);
    assert!(server.received()[1].contains("<Event><![CDATA[subscribe]]></Event>"));
    assert_eq!(say(4).await, [0, 0, 0, 45047]);
    let menu = json!({"button": [{"type": "click", "name": "反映问题", "key": "file"}]});
    assert_eq!(code(&platform.account_call("menu/create", &menu).await), 0);
    platform.pass(TimeDelta::seconds(61));
    phone.send(AccountMessage::Menu { key: "file".into() }).await.unwrap();
    assert_eq!(say(4).await, [0, 0, 0, 45047]);
    phone.enter_chat("").await;
    phone.say("在吗").await;
    assert_eq!(say(8).await, [0, 0, 0, 0, 0, 0, 0, 45047], "the shorter one is used first");
    platform.pass(TimeDelta::seconds(61));
    phone.say("还在吗").await;
    platform.pass(TimeDelta::hours(48));
    assert_eq!(say(1).await, [0]);
    platform.pass(TimeDelta::seconds(1));
    assert_eq!(say(1).await, [45015]);
}

#[rstest]
#[case(json!({"msgtype": "link", "link": {"title": "进度", "description": "水渠", "url": "https://example.org/1", "thumb_url": ""}}), 0)]
#[case(json!({"msgtype": "link", "link": {"title": "进度", "description": "水渠", "url": "javascript:1"}}), 47003)]
#[case(json!({"msgtype": "news", "news": {"articles": [{"title": "进度", "url": "https://example.org/1"}]}}), 0)]
#[case(json!({"msgtype": "news", "news": {"articles": [{"title": "一", "url": "https://x"}, {"title": "二", "url": "https://x"}]}}), 45008)]
#[case(json!({"msgtype": "image", "image": {"media_id": "nothing"}}), 40007)]
#[case(json!({"msgtype": "image"}), 44004)]
#[case(json!({"msgtype": "miniprogrampage", "miniprogrampage": {"title": "看", "appid": "wxsandbox0000000001", "pagepath": "pages/items/detail", "thumb_media_id": "nothing"}}), 40007)]
#[case(json!({"msgtype": "msgmenu", "msgmenu": {"head_content": "修好了吗？", "list": []}}), 47003)]
#[case(json!({"msgtype": "msgmenu", "msgmenu": {"head_content": "修好了吗？", "list": [{"id": "1", "content": "好了", "colour": 1}]}}), 47003)]
#[case(json!({"msgtype": "text", "text": {"content": "甲"}, "customservice": {"kf_account": "a@b"}, "aimsgcontext": {"is_ai_msg": 1}}), 0)]
#[tokio::test]
async fn every_kind_of_answer_is_checked_and_shown(#[case] message: Value, #[case] expected: i64) {
    let platform = connected(&AccountServer::start(vec![])).await;
    platform.sandbox.phone("o-villager").say("在吗").await;
    let answer = platform.say_to_villager(message).await;
    assert_eq!(code(&answer), expected, "{answer}");
    let page = platform.client.get(platform.url("/sandbox/phones/o-villager")).send().await.unwrap();
    assert_eq!(page.text().await.unwrap().contains("message theirs"), expected == 0);
}

#[tokio::test]
async fn pictures_and_pages_of_the_mini_program_need_an_uploaded_picture() {
    let platform = connected(&AccountServer::start(vec![])).await;
    let phone = platform.sandbox.phone("o-villager");
    phone.say("在吗").await;
    assert_eq!(code(&platform.account_upload("image", b"%PDF-1.7").await), 40005);
    assert_eq!(code(&platform.account_upload("poem", JPEG).await), 40004);
    let picture = platform.account_upload("image", JPEG).await["media_id"].clone();
    let thumb = platform.account_upload("thumb", JPEG).await["thumb_media_id"].clone();
    let image = json!({"msgtype": "image", "image": {"media_id": picture}});
    assert_eq!(code(&platform.say_to_villager(image.clone()).await), 0);
    let card = |page: &str| json!({"msgtype": "miniprogrampage", "miniprogrampage": {"title": "看进度", "appid": "wxsandbox0000000001", "pagepath": page, "thumb_media_id": thumb}});
    assert_eq!(code(&platform.say_to_villager(card("pages/items/detail?id=7")).await), 0);
    assert_eq!(code(&platform.say_to_villager(card("pages/gone")).await), 47003);
    let get = async |path: &str| platform.client.get(platform.url(path)).send().await.unwrap().bytes().await.unwrap();
    let id = phone.messages()[0].id;
    assert_eq!(get(&format!("/sandbox/phones/o-villager/uploads/{id}")).await, JPEG);
    let page = String::from_utf8(get("/sandbox/phones/o-villager").await.to_vec()).unwrap();
    assert!(page.contains("看进度") && page.contains(&format!("uploads/{id}")), "{page}");
    platform.pass(TimeDelta::days(3));
    phone.say("在吗").await;
    assert_eq!(code(&platform.say_to_villager(image).await), 40007, "kept for three days");
}

#[tokio::test]
async fn a_tap_on_a_choice_comes_back_as_words_with_its_id() {
    let server = AccountServer::start(vec![]);
    let platform = connected(&server).await;
    let phone = platform.sandbox.phone("o-villager");
    phone.say("在吗").await;
    let menu = json!({"msgtype": "msgmenu", "msgmenu": {
        "head_content": "水渠修好了吗？", "list": [{"id": "101", "content": "修好了"}, {"id": "102", "content": "<没有>"}], "tail_content": "谢谢",
    }});
    assert_eq!(code(&platform.say_to_villager(menu).await), 0);
    let page =
        platform.client.get(platform.url("/sandbox/phones/o-villager")).send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("水渠修好了吗？") && page.contains("&lt;没有&gt;") && page.contains("value=\"101\""),
        "{page}"
    );

    assert_eq!(phone.choose_in_chat("103").await, PushOutcome::Impossible);
    assert_eq!(phone.choose_in_chat("101").await, PushOutcome::Handled);
    let tapped = &server.received()[1];
    assert!(tapped.contains("<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[修好了]]></Content>"), "{tapped}");
    assert!(tapped.contains("<bizmsgmenuid><![CDATA[101]]></bizmsgmenuid>") && tapped.contains("<MsgId>"));

    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let choose = async |id: &str| {
        let address = platform.url("/sandbox/phones/o-villager/choices");
        client.post(address).form(&[("id", id)]).send().await.unwrap().status().as_u16()
    };
    assert_eq!((choose("102").await, choose("103").await), (303, 422));
    assert!(server.wait_for(3).await[2].contains("<bizmsgmenuid><![CDATA[102]]></bizmsgmenuid>"));
    assert!(!phone.messages().iter().any(|message| matches!(message.content, Content::ServiceUnavailable)));
}
