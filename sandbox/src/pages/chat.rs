//! The chat with the official account on a person's phone: what was said, and what can be sent.

use actix_multipart::Multipart;
use actix_web::{HttpResponse, web};
use futures::TryStreamExt as _;
use serde::Deserialize;

use super::{
    layout::{chat_lines, escape, initial, not_found, refused, see},
    markdown,
    phone::MESSAGES_SHOWN,
};
use crate::{
    Sandbox,
    journal::{Content, Delivery, Recipient},
    phones::Phone,
    state::State,
    wechat::{AccountMessage, LINK_HOST, Which},
};

/// The largest file that a phone sends.
const FILE_BYTES: usize = 10 * 1024 * 1024;

pub(super) fn pane(state: &State, phone: &Phone, address: &str) -> String {
    let menu: String = state
        .menu
        .clicks()
        .map(|button| {
            format!(
                "<button class=\"plain\" name=\"key\" value=\"{}\">{}</button>",
                escape(&button.key),
                escape(&button.name)
            )
        })
        .collect();
    format!(
        "<section class=\"pane\"><h2>{}</h2>\
         <div class=\"chat\" data-live data-end id=\"live-chat\" role=\"log\" tabindex=\"0\" aria-label=\"与公众号的对话\">{}</div>\
         <form class=\"say\" method=\"post\" action=\"{address}/messages\">\
         <input name=\"text\" required maxlength=\"600\" autocomplete=\"off\" aria-label=\"发消息\" placeholder=\"发消息\">\
         <button class=\"primary\">发送</button></form>\
         <div class=\"more\"><form method=\"post\" action=\"{address}/files\" enctype=\"multipart/form-data\">\
         <input type=\"file\" name=\"file\" required accept=\"image/*,.amr\" aria-label=\"照片或语音（AMR）\">\
         <button class=\"plain\">发照片或语音</button></form>\
         <form method=\"post\" action=\"{address}/locations\">\
         <input name=\"label\" maxlength=\"100\" aria-label=\"位置\" placeholder=\"位置\" autocomplete=\"off\">\
         <button class=\"plain\">发位置</button></form>\
         <form method=\"post\" action=\"{address}/menu\" data-live id=\"live-menu\">{menu}</form></div></section>",
        escape(&state.account_of(Which::OfficialAccount).name),
        lines(state, phone, address),
    )
}

fn lines(state: &State, phone: &Phone, address: &str) -> String {
    let incoming = Recipient::Phone(phone.openid.clone());
    let outgoing = [Recipient::Account(phone.openid.clone()), Recipient::MiniProgram(phone.openid.clone())];
    let shown: Vec<&Delivery> = state
        .journal
        .deliveries
        .iter()
        .rev()
        .filter(|delivery| delivery.to == incoming || outgoing.contains(&delivery.to))
        .filter(|delivery| !matches!(delivery.content, Content::SubscribeMessage { .. }))
        .take(MESSAGES_SHOWN)
        .collect();
    if shown.is_empty() {
        return "<p class=\"empty\">给公众号发一条消息试试</p>".into();
    }
    chat_lines(shown.into_iter().rev(), |delivery| message(delivery, phone, address))
}

fn message(delivery: &Delivery, phone: &Phone, address: &str) -> String {
    // A link into the mini-program opens it as this person.
    let links = format!("href=\"{address}/links/");
    let bubble = |text: &str| {
        let text = markdown::plain(text).replace(&format!("href=\"{LINK_HOST}"), &links);
        format!("<div class=\"bubble\">{text}</div>")
    };
    let (mine, said) = match &delivery.content {
        Content::FromPhone { text } => (true, bubble(text)),
        Content::PictureFromPhone { .. } => (
            true,
            format!("<img class=\"picture\" src=\"{address}/pictures/{}\" alt=\"发给公众号的图片\">", delivery.id),
        ),
        Content::VoiceFromPhone { bytes } => (true, bubble(&format!("语音，{bytes} 字节"))),
        Content::LocationFromPhone { label } => (true, bubble(&format!("位置：{label}"))),
        Content::MenuFromPhone { name } => (true, bubble(&format!("菜单：{name}"))),
        Content::PassiveReply { text } | Content::CustomerMessage { text } => (false, bubble(text)),
        Content::ServiceUnavailable => {
            return "<p class=\"time\">该公众号提供的服务出现故障，请稍后再试</p>".into();
        }
        _ => return super::customer::message(delivery, &phone.openid),
    };
    let (side, avatar) = if mine {
        ("mine", format!("person\">{}", initial(&phone.label)))
    } else {
        ("theirs", "robot\">清".to_owned())
    };
    format!(
        "<article class=\"message {side}\"><span aria-hidden=\"true\" class=\"avatar {avatar}</span>{said}</article>"
    )
}

#[derive(Deserialize)]
pub(super) struct Said {
    text: String,
}

pub(super) async fn say(openid: web::Path<String>, form: web::Form<Said>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let text = form.text.trim().to_owned();
    send(&openid, AccountMessage::Text { text }, &sandbox)
}

pub(super) async fn send_file(
    openid: web::Path<String>,
    mut form: Multipart,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    let mut bytes = Vec::new();
    while let Ok(Some(mut field)) = form.try_next().await {
        while let Ok(Some(chunk)) = field.try_next().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > FILE_BYTES {
                return refused("文件最大 10 MB", &format!("/sandbox/phones/{openid}"));
            }
        }
    }
    let message =
        if bytes.starts_with(b"#!AMR") { AccountMessage::voice(&bytes, None) } else { AccountMessage::image(&bytes) };
    send(&openid, message, &sandbox)
}

#[derive(Deserialize)]
pub(super) struct Place {
    label: String,
}

pub(super) async fn send_location(
    openid: web::Path<String>,
    form: web::Form<Place>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    // Somewhere in the hills; nobody asks where exactly.
    let message = AccountMessage::Location { latitude: 27.5, longitude: 110.4, label: form.label.trim().to_owned() };
    send(&openid, message, &sandbox)
}

#[derive(Deserialize)]
pub(super) struct MenuTap {
    key: String,
}

pub(super) async fn tap_menu(
    openid: web::Path<String>,
    form: web::Form<MenuTap>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    send(&openid, AccountMessage::Menu { key: form.into_inner().key }, &sandbox)
}

/// The person's phone does not wait for the account's server; the page shows the reply when it comes.
fn send(openid: &str, message: AccountMessage, sandbox: &Sandbox) -> HttpResponse {
    if !sandbox.state().phones.contains_key(openid) {
        return not_found("没有这部手机");
    }
    let address = format!("/sandbox/phones/{openid}");
    let phone = sandbox.phone(openid);
    match phone.prepare(message) {
        Ok(passive) => {
            tokio::spawn(async move { phone.push(passive).await });
            see(&address)
        }
        Err(sentence) => refused(sentence, &address),
    }
}

pub(super) async fn picture(path: web::Path<(String, u64)>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let (openid, id) = path.into_inner();
    let sender = Recipient::Account(openid);
    let state = sandbox.state();
    let delivery = state.journal.deliveries.iter().find(|delivery| delivery.id == id && delivery.to == sender);
    match delivery.map(|delivery| &delivery.content) {
        Some(Content::PictureFromPhone { picture }) => {
            HttpResponse::Ok().content_type(picture.media_type).body(web::Bytes::copy_from_slice(&picture.bytes))
        }
        _ => HttpResponse::NotFound().finish(),
    }
}
