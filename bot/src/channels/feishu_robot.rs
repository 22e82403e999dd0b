//! Feishu's group robot.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use qingfeng_core::groups::{GroupKind, RobotKey};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    codes::{Place, meaning},
    exchange,
    pace::HUNDRED_A_MINUTE,
    parts::{json_bytes, parts},
    post::{Post, Span, heading, spans},
    robots::Workshop,
    template_card::CardTarget,
};
use crate::{delivery::Outcome, messages::shorten};

/// Longest body, in bytes.
pub(super) const LONGEST_BODY: usize = 20 * 1024;
/// Of a text body, what is not the text.
const AROUND: usize = 600;
/// Every line and link of a rich post is wrapped in names and brackets: the words get as large a share of the body as
/// leaves room for them.
const SHARES: [usize; 4] = [2, 3, 4, 8];
const TITLE: usize = 60;

/// Posts; a text longer than the platform takes goes out in numbered parts.
pub(super) async fn post(workshop: &Workshop, key: &RobotKey, post: &Post) -> Outcome {
    let bodies = match bodies(key, post) {
        Ok(bodies) => bodies,
        Err(reason) => return Outcome::Final(reason.into()),
    };
    if let Err(outcome) = workshop.pace.admit(&key.token, HUNDRED_A_MINUTE, bodies.len()).await {
        return outcome;
    }
    workshop.one_after_the_other(GroupKind::FeishuRobot, key, bodies).await
}

pub(super) fn bodies(key: &RobotKey, post: &Post) -> Result<Vec<Value>, &'static str> {
    let marked = |text: &str| match &key.keyword {
        Some(keyword) if !text.contains(keyword.as_str()) => format!("{text}\n{keyword}"),
        _ => text.to_owned(),
    };
    Ok(match post {
        Post::Text { content, mentioned } => {
            let everybody = mentioned.iter().any(|who| who == "@all");
            let people = if everybody { "<at user_id=\"all\">所有人</at> " } else { "" };
            parts(content, LONGEST_BODY - 2 * AROUND, json_bytes)
                .iter()
                .map(|part| json!({"msg_type": "text", "content": {"text": format!("{people}{}", marked(part))}}))
                .collect()
        }
        Post::Markdown(text) | Post::RichMarkdown(text) => {
            let rest = below_heading(text);
            let written = |share: usize| -> Vec<Value> {
                let parts = parts(rest, LONGEST_BODY / share, json_bytes);
                parts.iter().map(|part| rich(&heading(text), &marked(part))).collect()
            };
            let fits = |bodies: &Vec<Value>| bodies.iter().all(|body| body_length(body) <= LONGEST_BODY);
            SHARES.into_iter().map(written).find(fits).ok_or("内容超过飞书的长度限制")?
        }
        Post::Card(card) => {
            let CardTarget::Address(address) = &card.target else { return Err("飞书群打不开小程序") };
            let lines: String = card.lines.iter().map(|(name, value)| format!("{name}：{value}\n")).collect();
            vec![rich(&card.title, &marked(&format!("{}\n{lines}[查看]({address})", card.words)))]
        }
        Post::Image { .. } | Post::File { .. } => return Err("飞书机器人不能直接发图片和文件，请发链接"),
    })
}

/// What stands below the title: all but the first line. A title is short and has no links; what would be lost of the first line
/// stays, and so does one that has nothing below it.
fn below_heading(text: &str) -> &str {
    let Some((first, rest)) = text.split_once('\n') else { return text };
    let is_whole = shorten(&heading(text), TITLE) == heading(text).trim();
    let has_link = spans(first).iter().any(|span| matches!(span, Span::Link { .. }));
    if is_whole && !has_link && !rest.trim().is_empty() { rest } else { text }
}

/// With the signature that is still to come.
fn body_length(body: &Value) -> usize {
    body.to_string().len() + AROUND
}

/// A rich post: lines of words and links.
fn rich(title: &str, markdown: &str) -> Value {
    let span = |span: Span| match span {
        Span::Words(text) => json!({"tag": "text", "text": text}),
        Span::Link { words, address } => json!({"tag": "a", "text": words, "href": address}),
    };
    let lines: Vec<Vec<Value>> = markdown
        .lines()
        .map(|line| spans(line).into_iter().map(span).collect::<Vec<_>>())
        .filter(|line| !line.is_empty())
        .collect();
    json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": shorten(title, TITLE), "content": lines}}}})
}

pub(super) async fn send(workshop: &Workshop, key: &RobotKey, mut body: Value) -> Outcome {
    if let Some(secret) = &key.signing_secret {
        let at = workshop.now().timestamp();
        body["timestamp"] = at.to_string().into();
        body["sign"] = signature(secret, at).into();
    }
    let request = workshop.client.post(format!("{}/open-apis/bot/v2/hook/{}", workshop.base, key.token)).json(&body);
    match workshop.ask(request).await {
        Ok(answer) => match exchange::code(&answer, "code").or_else(|| exchange::code(&answer, "StatusCode")) {
            Some(code) => workshop.settled(key, meaning(Place::FeishuRobot, code)).await,
            None => Outcome::Unknown("飞书的回应看不懂，不知道是否已发出".into()),
        },
        Err(outcome) => outcome,
    }
}

/// The time and the secret are the key; the message is empty.
fn signature(secret: &str, at_seconds: i64) -> String {
    let key = format!("{at_seconds}\n{secret}");
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Title and words of each part, links with their addresses.
    fn written(text: &str) -> Vec<(String, String)> {
        let bodies = bodies(&RobotKey::new("key"), &Post::Markdown(text.to_owned())).unwrap();
        let words = |span: &Value| format!("{}{}", span["text"].as_str().unwrap(), span["href"].as_str().unwrap_or(""));
        bodies
            .iter()
            .map(|body| {
                let post = &body["content"]["post"]["zh_cn"];
                let lines = post["content"].as_array().unwrap().iter();
                let lines = lines.map(|line| line.as_array().unwrap().iter().map(words).collect::<String>());
                (post["title"].as_str().unwrap().to_owned(), lines.collect::<Vec<_>>().join("\n"))
            })
            .collect()
    }

    #[test]
    fn a_short_first_line_is_the_title_and_stands_once() {
        let only = |title: &str, words: &str| vec![(title.to_owned(), words.to_owned())];
        assert_eq!(written("**东河村公示**\n路灯修好了"), only("东河村公示", "路灯修好了"));
        assert_eq!(written("路灯修好了"), only("路灯修好了", "路灯修好了"));
    }

    #[test]
    fn nothing_of_a_long_first_line_is_lost() {
        let long = "东河村三组水塔到小学的路灯".repeat(8);
        let parts = written(&format!("{long}\n月底前修好"));
        let [(title, words)] = parts.as_slice() else { panic!("{parts:?}") };
        assert!(title.ends_with('…') && title.chars().count() <= TITLE, "{title}");
        assert_eq!(*words, format!("{long}\n月底前修好"));
        // With nothing below it.
        assert_eq!(written(&format!("{long}\n"))[0].1, long);
    }

    #[test]
    fn a_link_in_the_first_line_can_be_tapped() {
        let parts = written("请看[公示栏](https://qf.example/b)\n路灯修好了");
        let words = "请看公示栏https://qf.example/b\n路灯修好了";
        assert_eq!(parts, vec![("请看公示栏".to_owned(), words.to_owned())]);
    }

    #[test]
    fn every_part_of_a_long_post_has_words_and_all_of_them_are_there() {
        let line = "东河村三组水塔到小学的路灯月底前修好。".repeat(400);
        let parts = written(&format!("{line}\n{line}"));
        assert!(parts.len() > 1 && parts.iter().all(|(_, words)| words.chars().count() > 20), "{}", parts.len());
        let counted: usize = parts.iter().map(|(_, words)| words.matches('塔').count()).sum();
        assert_eq!(counted, 800);
    }
}
