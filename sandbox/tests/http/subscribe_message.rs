use std::time::Duration;

use qingfeng_sandbox::{Content, Template};
use rstest::rstest;
use serde_json::{Value, json};

use crate::platform::{Platform, code, reminder};

#[tokio::test]
async fn a_message_arrives_as_a_card_and_uses_one_accept_up() {
    let platform = Platform::start().await;
    platform.sandbox.accept_subscription("o-villager", "T-REMIND", 2);
    let token = platform.token().await;
    let answer = platform.send_subscribe(&token, &reminder()).await;
    assert_eq!((answer["errcode"].as_i64(), answer["errmsg"].as_str()), (Some(0), Some("ok")));
    assert!(answer["msgid"].is_u64());
    assert_eq!(platform.sandbox.accepts_left("o-villager", "T-REMIND"), 1);

    let messages = platform.sandbox.phone("o-villager").messages();
    assert_eq!(messages.len(), 1);
    let Content::SubscribeMessage { title, page, lines, .. } = &messages[0].content else { panic!("{messages:?}") };
    assert_eq!(title, "办理期限提醒");
    assert_eq!(page.as_deref(), Some("pages/items/detail?id=7"));
    assert_eq!((lines[0].label.as_str(), lines[0].value.as_str()), ("事项", "东河村三组水渠修复"));
    assert_eq!(lines[1].value, "2026-11-30 18:00");
}

#[tokio::test]
async fn without_an_accept_nothing_is_sent() {
    let platform = Platform::start().await;
    let token = platform.token().await;
    assert_eq!(code(&platform.send_subscribe(&token, &reminder()).await), 43101);
    platform.sandbox.accept_subscription("o-villager", "T-REMIND", 1);
    platform.sandbox.accept_subscription("o-villager", "T-LEVEL", 5);
    assert_eq!(code(&platform.send_subscribe(&token, &reminder()).await), 0);
    assert_eq!(code(&platform.send_subscribe(&token, &reminder()).await), 43101);
    assert_eq!(platform.sandbox.phone("o-villager").messages().len(), 1);
}

#[tokio::test]
async fn a_long_term_template_needs_one_accept_for_ever() {
    let platform = Platform::start().await;
    let mut template = Template::new("T-LONG", "政务办理进度").with_field("thing1", "事项");
    template.long_term = true;
    platform.sandbox.add_template(template).unwrap();
    let token = platform.token().await;
    let message = json!({"touser": "o-villager", "template_id": "T-LONG", "data": {"thing1": {"value": "办结"}}});
    assert_eq!(code(&platform.send_subscribe(&token, &message).await), 43101);
    platform.sandbox.accept_subscription("o-villager", "T-LONG", 1);
    assert_eq!(code(&platform.send_subscribe(&token, &message).await), 0);
    assert_eq!(code(&platform.send_subscribe(&token, &message).await), 0);
    let occurrences: Vec<u32> =
        platform.sandbox.phone("o-villager").messages().iter().map(|message| message.occurrence).collect();
    assert_eq!(occurrences, [1, 2], "the journal tells that the same content arrived twice");
}

#[rstest]
#[case::too_long("/data/thing1/value", json!("东".repeat(21)), 47003, "data.thing1.value")]
#[case::newline("/data/thing1/value", json!("一\n二"), 47003, "data.thing1.value")]
#[case::empty("/data/thing1/value", json!(""), 47003, "data.thing1.value is empty")]
#[case::not_a_date("/data/date2/value", json!("2026-02-30"), 47003, "data.date2.value")]
#[case::number("/data/date2/value", json!(20_261_130), 47003, "expected a string")]
#[case::state("/miniprogram_state", json!("release"), 47003, "miniprogram_state")]
#[case::language("/lang", json!("zh"), 47003, "lang")]
#[case::person("/touser", json!("o-stranger"), 40003, "invalid openid")]
#[case::template("/template_id", json!("T-NONE"), 40037, "invalid template_id")]
#[case::page("/page", json!("https://example.org/"), 41030, "invalid page")]
#[tokio::test]
async fn a_wrong_value_is_refused_and_named(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] expected: i64,
    #[case] named: &str,
) {
    let platform = Platform::start().await;
    platform.sandbox.accept_subscription("o-villager", "T-REMIND", 1);
    let token = platform.token().await;
    let mut message = reminder();
    *message.pointer_mut(pointer).unwrap() = value;
    let answer = platform.send_subscribe(&token, &message).await;
    assert_eq!(code(&answer), expected, "{answer}");
    assert!(answer["errmsg"].as_str().unwrap().contains(named), "{answer}");
    assert!(answer["errmsg"].as_str().unwrap().contains(" rid: "), "{answer}");
    assert!(platform.sandbox.deliveries().is_empty());
    assert_eq!(platform.sandbox.accepts_left("o-villager", "T-REMIND"), 1);
}

#[tokio::test]
async fn missing_and_unknown_fields_are_refused() {
    let platform = Platform::start().await;
    platform.sandbox.accept_subscription("o-villager", "T-REMIND", 1);
    let token = platform.token().await;
    let mut missing = reminder();
    missing["data"].as_object_mut().unwrap().remove("date2");
    let mut extra_line = reminder();
    extra_line["data"]["thing9"] = json!({"value": "多余"});
    let mut extra_field = reminder();
    extra_field["color"] = json!("#ff0000");
    for (message, named) in
        [(missing, "data.date2.value is missing"), (extra_line, "data.thing9"), (extra_field, "`color`")]
    {
        let answer = platform.send_subscribe(&token, &message).await;
        assert_eq!(code(&answer), 47003);
        assert!(answer["errmsg"].as_str().unwrap().contains(named), "{answer}");
    }
    let path = format!("/wechat/cgi-bin/message/subscribe/send?access_token={token}");
    assert_eq!(code(&platform.post_bytes(&path, "{\"touser\":").await), 47001);
}

#[tokio::test]
async fn words_that_the_platform_minds_are_refused_and_cost_nothing() {
    let platform = Platform::start().await;
    platform.sandbox.accept_subscription("o-villager", "T-REMIND", 1);
    let token = platform.token().await;
    let mut message = reminder();
    message["data"]["thing1"]["value"] = json!("有违禁词的事项");
    assert_eq!(code(&platform.send_subscribe(&token, &message).await), 45168);
    assert_eq!(platform.sandbox.accepts_left("o-villager", "T-REMIND"), 1);
}

#[tokio::test]
async fn only_listed_values_of_an_enum_are_taken() {
    let platform = Platform::start().await;
    platform.sandbox.accept_subscription("o-villager", "T-LEVEL", 2);
    let token = platform.token().await;
    let message =
        |value: &str| json!({"touser": "o-villager", "template_id": "T-LEVEL", "data": {"enum1": {"value": value}}});
    assert_eq!(code(&platform.send_subscribe(&token, &message("一般")).await), 47003);
    assert_eq!(code(&platform.send_subscribe(&token, &message("满意")).await), 0);
}

#[tokio::test]
async fn a_second_message_to_the_same_person_meanwhile_is_refused() {
    let platform = Platform::with(|settings| settings.subscribe_send_duration = Duration::from_millis(300)).await;
    platform.sandbox.accept_subscription("o-villager", "T-REMIND", 3);
    let token = platform.token().await;
    let message = reminder();
    let (first, second) = tokio::join!(platform.send_subscribe(&token, &message), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        platform.send_subscribe(&token, &message).await
    });
    assert_eq!((code(&first), code(&second)), (0, 43108));
    assert_eq!(code(&platform.send_subscribe(&token, &message).await), 0);
    assert_eq!(platform.sandbox.accepts_left("o-villager", "T-REMIND"), 1);
}

#[tokio::test]
async fn the_template_list_shows_keys_and_listed_values() {
    let platform = Platform::start().await;
    let token = platform.token().await;
    let answer = platform.get(&format!("/wechat/wxaapi/newtmpl/gettemplate?access_token={token}")).await;
    let templates = answer["data"].as_array().unwrap();
    assert_eq!(templates.len(), 2);
    assert_eq!(templates[0]["priTmplId"], "T-LEVEL");
    assert_eq!(templates[0]["keywordEnumValueList"][0]["enumValueList"], json!(["满意", "不满意"]));
    assert_eq!(templates[1]["content"], "事项:{{thing1.DATA}}\n截止日期:{{date2.DATA}}\n");
    assert_eq!(templates[1]["type"], 2);
}
