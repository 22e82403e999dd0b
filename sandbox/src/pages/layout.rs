//! The frame of a page, and how text gets into it.

use actix_web::{HttpResponse, http::StatusCode};
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

use crate::journal::Delivery;

/// Text as HTML text or as the value of a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Beijing time to the minute.
pub(super) fn clock_time(at: DateTime<Utc>) -> String {
    let beijing = FixedOffset::east_opt(8 * 3600).expect("eight hours are less than a day");
    at.with_timezone(&beijing).format("%-m月%-d日 %H:%M").to_string()
}

/// A new time line in a chat after this much silence, as in the real chats.
const SILENCE: TimeDelta = TimeDelta::minutes(5);

/// The time above a message, unless it follows the one before closely.
fn time_line(before: Option<DateTime<Utc>>, at: DateTime<Utc>) -> String {
    if before.is_some_and(|before| at - before < SILENCE) {
        return String::new();
    }
    format!("<p class=\"time\"><time>{}</time></p>", clock_time(at))
}

/// The messages one below the other, with the time where there was silence.
pub(super) fn chat_lines<'a>(
    deliveries: impl Iterator<Item = &'a Delivery>,
    render: impl Fn(&Delivery) -> String,
) -> String {
    let mut html = String::new();
    let mut before = None;
    for delivery in deliveries {
        html.push_str(&time_line(before, delivery.at));
        html.push_str(&render(delivery));
        before = Some(delivery.at);
    }
    html
}

/// The first character of a name, for a round picture of it.
pub(super) fn initial(name: &str) -> String {
    escape(&name.chars().next().map(String::from).unwrap_or_default())
}

/// A page; `body` is HTML, `title` is text.
pub(super) fn page(title: &str, body: &str) -> HttpResponse {
    frame(StatusCode::OK, title, body)
}

pub(super) fn not_found(what: &str) -> HttpResponse {
    let body =
        format!("<main class=\"sheet\"><h1>{}</h1><p><a href=\"/sandbox/\">回到总览</a></p></main>", escape(what));
    frame(StatusCode::NOT_FOUND, what, &body)
}

pub(super) fn refused(sentence: &str, back: &str) -> HttpResponse {
    let body = format!(
        "<main class=\"sheet\"><h1>{}</h1><p><a href=\"{}\">返回</a></p></main>",
        escape(sentence),
        escape(back)
    );
    frame(StatusCode::UNPROCESSABLE_ENTITY, sentence, &body)
}

fn frame(status: StatusCode, title: &str, body: &str) -> HttpResponse {
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{} · 平台模拟器</title><link rel=\"icon\" href=\"data:,\">\
         <link rel=\"stylesheet\" href=\"/sandbox/assets/style.css\">\
         <script src=\"/sandbox/assets/live.js\" defer></script></head><body>{body}</body></html>",
        escape(title)
    ))
}

/// After a form: the browser loads the page anew and a reload does not send the form again.
pub(super) fn see(address: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("location", address)).finish()
}
