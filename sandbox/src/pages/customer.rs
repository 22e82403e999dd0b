//! What the account's customer service sends beside words: pictures, links, cards, questions with choices.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    group::{card, shown},
    layout::{escape, not_found, refused, see},
};
use crate::{
    Sandbox,
    journal::{Content, Delivery},
};

/// A message of the account that is no text.
pub(super) fn message(delivery: &Delivery, openid: &str) -> String {
    let content = match &delivery.content {
        Content::Image { .. } => format!(
            "<img class=\"picture\" src=\"/sandbox/phones/{}/uploads/{}\" alt=\"公众号发来的图片\">",
            escape(openid),
            delivery.id
        ),
        content @ Content::Card { .. } => card(content, &choices(content, openid)),
        _ => match shown("", delivery) {
            Some(content) => content,
            None => return String::new(),
        },
    };
    format!(
        "<article class=\"message theirs\"><span aria-hidden=\"true\" class=\"avatar robot\">清</span>\
         <div class=\"said\">{content}</div></article>"
    )
}

fn choices(content: &Content, openid: &str) -> String {
    let Content::Card { buttons, .. } = content else { return String::new() };
    let choice = |button: &crate::journal::Button| {
        format!(
            "<form method=\"post\" action=\"/sandbox/phones/{}/choices\">\
             <button class=\"link\" name=\"id\" value=\"{}\">{}</button></form>",
            escape(openid),
            escape(&button.key),
            escape(&button.text)
        )
    };
    buttons.iter().map(choice).collect()
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    id: String,
}

pub(super) async fn choose(
    openid: web::Path<String>,
    form: web::Form<Chosen>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    let address = format!("/sandbox/phones/{openid}");
    if !sandbox.state().phones.contains_key(openid.as_str()) {
        return not_found("没有这部手机");
    }
    if sandbox.state().choice(&openid, &form.id).is_none() {
        return refused("对话里没有这个选项", &address);
    }
    let phone = sandbox.phone(&openid);
    tokio::spawn(async move { phone.choose_in_chat(&form.id).await });
    see(&address)
}

pub(super) async fn picture(path: web::Path<(String, u64)>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let (openid, id) = path.into_inner();
    let to = crate::journal::Recipient::Phone(openid);
    let state = sandbox.state();
    let delivery = state.journal.deliveries.iter().find(|delivery| delivery.id == id && delivery.to == to);
    match delivery.map(|delivery| &delivery.content) {
        Some(Content::Image { picture }) => {
            HttpResponse::Ok().content_type(picture.media_type).body(web::Bytes::copy_from_slice(&picture.bytes))
        }
        _ => HttpResponse::NotFound().finish(),
    }
}
