//! A chat group as its members see it.

use actix_web::{HttpResponse, web};

use super::{
    layout::{chat_lines, escape, not_found, page},
    markdown,
};
use crate::{
    Sandbox,
    journal::{Article, Content, Delivery, Recipient},
};

/// Older messages are in the journal.
const MESSAGES_SHOWN: usize = 200;

pub(super) async fn show(key: web::Path<String>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let Some(group) = sandbox.state().groups.get(key.as_str()).cloned() else {
        return not_found("没有这个群聊");
    };
    let delivered = sandbox.delivered_to_group(&key);
    let shown = &delivered[delivered.len().saturating_sub(MESSAGES_SHOWN)..];
    let messages = chat_lines(shown.iter(), |delivery| message(&group.key, delivery));
    let messages =
        if messages.is_empty() { "<p class=\"empty\">群里还没有消息</p>".to_owned() } else { messages };
    let body = format!(
        "<header class=\"bar\"><a class=\"back\" href=\"/sandbox/\" aria-label=\"回到总览\">‹</a><h1>{}</h1><small>{}</small></header>\
         <main class=\"group\"><div class=\"chat tall\" data-live data-end id=\"live-chat\" role=\"log\" tabindex=\"0\" \
         aria-label=\"群消息\">{messages}</div></main>",
        escape(&group.name),
        group.kind.label(),
    );
    page(&group.name, &body)
}

fn message(key: &str, delivery: &Delivery) -> String {
    shown(key, delivery).map_or_else(String::new, |content| {
        format!(
            "<article class=\"message\"><span class=\"avatar robot\" aria-hidden=\"true\">清</span>\
             <div class=\"said\"><span class=\"name\">群机器人</span>{content}</div></article>"
        )
    })
}

/// What was said, without who said it; none for what is said elsewhere.
pub(super) fn shown(key: &str, delivery: &Delivery) -> Option<String> {
    Some(match &delivery.content {
        Content::Text { text, mentioned } => {
            let mentions: String = mentioned
                .iter()
                .map(|who| {
                    let who = if who == "@all" { "所有人" } else { who };
                    format!(" <span class=\"mention\">@{}</span>", escape(who))
                })
                .collect();
            format!("<div class=\"bubble\">{}{mentions}</div>", markdown::plain(text))
        }
        Content::Markdown { text } => format!("<div class=\"bubble markdown\">{}</div>", markdown::render(text)),
        Content::Image { .. } => format!(
            "<img class=\"picture\" src=\"/sandbox/groups/{}/images/{}\" alt=\"群里的图片\">",
            escape(key),
            delivery.id
        ),
        Content::News { articles } => articles.iter().map(article).collect(),
        Content::File { name, bytes } => {
            format!("<div class=\"bubble file\"><strong>{}</strong><small>{bytes} 字节</small></div>", escape(name))
        }
        Content::Attachment { what, name } => attachment(what, name),
        Content::Card { .. } => card(&delivery.content, ""),
        Content::AppMessage { .. }
        | Content::SubscribeMessage { .. }
        | Content::CustomerMessage { .. }
        | Content::PassiveReply { .. }
        | Content::FromPhone { .. }
        | Content::PictureFromPhone { .. }
        | Content::VoiceFromPhone { .. }
        | Content::LocationFromPhone { .. }
        | Content::MenuFromPhone { .. }
        | Content::ServiceUnavailable => return None,
    })
}

pub(super) fn attachment(what: &str, name: &str) -> String {
    format!("<div class=\"bubble file\"><strong>[{}]</strong><small>{}</small></div>", escape(what), escape(name))
}

/// A card as it looks in a group and on a phone; `below` is what can be tapped there.
pub(super) fn card(content: &Content, below: &str) -> String {
    let Content::Card { title, words, lines, opens, .. } = content else { return String::new() };
    let line =
        |line: &crate::journal::Line| format!("<dt>{}</dt><dd>{}</dd>", escape(&line.label), escape(&line.value));
    let lines: String = lines.iter().map(line).collect();
    let lines = if lines.is_empty() { lines } else { format!("<dl>{lines}</dl>") };
    let opens = if opens.starts_with("http") {
        format!("<a class=\"link\" href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">查看 ›</a>", escape(opens))
    } else {
        String::new()
    };
    let below = if below.is_empty() { String::new() } else { format!("<div class=\"buttons\">{below}</div>") };
    format!(
        "<article class=\"card notice\"><strong>{}</strong><div class=\"markdown\">{}</div>{lines}{opens}{below}</article>",
        escape(title),
        markdown::render(words)
    )
}

fn article(article: &Article) -> String {
    let description = if article.description.is_empty() {
        String::new()
    } else {
        format!("<span>{}</span>", escape(&article.description))
    };
    let picture = if article.picurl.is_empty() {
        String::new()
    } else {
        format!("<img src=\"{}\" alt=\"\">", escape(&article.picurl))
    };
    format!(
        "<a class=\"card news\" href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\"><strong>{}</strong>\
         {description}{picture}</a>",
        escape(&article.url),
        escape(&article.title),
    )
}

pub(super) async fn image(path: web::Path<(String, u64)>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let (key, id) = path.into_inner();
    let recipient = Recipient::Group(key);
    let state = sandbox.state();
    let delivery = state.journal.deliveries.iter().find(|delivery| delivery.id == id && delivery.to == recipient);
    match delivery.map(|delivery| &delivery.content) {
        Some(Content::Image { picture }) => {
            HttpResponse::Ok().content_type(picture.media_type).body(web::Bytes::copy_from_slice(&picture.bytes))
        }
        _ => HttpResponse::NotFound().finish(),
    }
}
