//! What the platforms would get, without asking them: made by the same code that sends.

use chrono::{NaiveDate, NaiveTime};
use qingfeng_core::groups::{GroupKind, RobotKey};
use serde_json::Value;

use super::{
    dingtalk_robot, feishu_robot,
    post::Post,
    subscribe_message::Card,
    template_card::{DESCRIPTION, LINE_VALUE, TITLE, TemplateCard, WORDS},
    templates::{CardTemplates, TemplateLine},
    wecom_robot,
};

/// How a platform measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// UTF-16 units.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

/// One field or message as it is shown, how long it is and may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) used: usize,
    pub(crate) limit: usize,
    pub(crate) measure: Measure,
}

fn characters(name: &str, value: &Value, limit: usize) -> Shown {
    let text = value.as_str().unwrap_or_default().to_owned();
    Shown { name: name.to_owned(), used: text.encode_utf16().count(), text, limit, measure: Measure::Characters }
}

/// A subscribe message, line by line as the configured template has them.
pub(crate) fn card_fields(card: &Card, templates: &CardTemplates, today: NaiveDate) -> Vec<Shown> {
    let shown = |line: TemplateLine| Shown {
        name: line.label,
        used: line.text.encode_utf16().count(),
        text: line.text,
        limit: line.limit,
        measure: Measure::Characters,
    };
    // When offices open.
    let at = today.and_time(NaiveTime::from_hms_opt(9, 0, 0).expect("an hour of the day"));
    templates.of(card.template).lines(card, at).into_iter().map(shown).collect()
}

/// A card in WeCom.
pub(crate) fn wecom_fields(card: &TemplateCard) -> Vec<Shown> {
    let value = card.value();
    let mut shown = vec![
        characters("标题", &value["main_title"]["title"], TITLE),
        characters("原因", &value["main_title"]["desc"], DESCRIPTION),
        characters("提示", &value["sub_title_text"], WORDS),
    ];
    for line in value["horizontal_content_list"].as_array().into_iter().flatten() {
        shown.push(characters(line["keyname"].as_str().unwrap_or_default(), &line["value"], LINE_VALUE));
    }
    shown
}

/// The messages that a robot would post, one after the other.
pub(crate) fn robot_posts(kind: GroupKind, markdown: &str) -> Vec<Shown> {
    let post = Post::Markdown(markdown.to_owned());
    let key = RobotKey::new("preview");
    let (bodies, limit) = match kind {
        GroupKind::WecomRobot => (wecom_robot::bodies(&post), wecom_robot::LONGEST_MARKDOWN),
        GroupKind::DingtalkRobot => (dingtalk_robot::bodies(&key, &post), dingtalk_robot::LONGEST_BODY),
        GroupKind::FeishuRobot => (feishu_robot::bodies(&key, &post), feishu_robot::LONGEST_BODY),
        GroupKind::WecomCustomerGroup | GroupKind::OrdinaryChat => return Vec::new(),
    };
    let bodies = bodies.unwrap_or_default();
    let count = bodies.len();
    let shown = |(number, body): (usize, Value)| {
        let text = match kind {
            GroupKind::WecomRobot => body["markdown"]["content"].as_str().unwrap_or_default().to_owned(),
            GroupKind::DingtalkRobot => body["markdown"]["text"].as_str().unwrap_or_default().replace("\n\n", "\n"),
            _ => rich_text(&body["content"]["post"]["zh_cn"]),
        };
        // WeCom measures the text, the others the whole request.
        let used = if kind == GroupKind::WecomRobot { text.len() } else { body.to_string().len() };
        let name = if count == 1 { "内容".to_owned() } else { format!("第{}条", number + 1) };
        Shown { name, text, used, limit, measure: Measure::Bytes }
    };
    bodies.into_iter().enumerate().map(shown).collect()
}

/// Feishu's rich post in words.
fn rich_text(post: &Value) -> String {
    let span = |span: &Value| {
        let words = span["text"].as_str().unwrap_or_default();
        match span["href"].as_str() {
            Some(address) => format!("[{words}]({address})"),
            None => words.to_owned(),
        }
    };
    let lines = post["content"].as_array().into_iter().flatten();
    let lines = lines.map(|line| line.as_array().into_iter().flatten().map(span).collect::<String>());
    let title = post["title"].as_str().unwrap_or_default().to_owned();
    std::iter::once(title).chain(lines).collect::<Vec<_>>().join("\n")
}
