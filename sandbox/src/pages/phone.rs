//! A person's phone: service notices, the chat with the official account, the button that opens the app.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    chat,
    layout::{chat_lines, escape, not_found, page, refused, see},
    markdown,
};
use crate::{
    Sandbox,
    journal::{Content, Delivery, Line, Recipient},
    phones::Phone,
    state::State,
};

/// Older messages are in the journal.
pub(super) const MESSAGES_SHOWN: usize = 200;

pub(super) async fn show(openid: web::Path<String>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let state = sandbox.state();
    let Some(phone) = state.phones.get(openid.as_str()) else {
        return not_found("没有这部手机");
    };
    let address = format!("/sandbox/phones/{}", escape(&phone.openid));
    let body = format!(
        "<header class=\"bar\"><a class=\"back\" href=\"/sandbox/\" aria-label=\"回到总览\">‹</a><h1>{}</h1><small>{}</small>\
         <form method=\"post\" action=\"{address}/open\" target=\"_blank\"><button class=\"primary\">打开小程序</button></form></header>\
         <main class=\"phone\"><section class=\"pane\"><h2>服务通知</h2>\
         <div class=\"notices\" data-live data-end id=\"live-notices\" role=\"log\" tabindex=\"0\" aria-label=\"服务通知\">{}</div>\
         {}<h2>订阅消息</h2><ul class=\"templates\" data-live id=\"live-templates\">{}</ul></section>\
         {}</main>",
        escape(&phone.label),
        escape(phone.persona.as_deref().unwrap_or_default()),
        notices(&state, phone, &address),
        wecom(&state, phone),
        templates(&state, phone, &address),
        chat::pane(&state, phone, &address),
    );
    page(&phone.label, &body)
}

/// What came through WeCom, for a member of the corporation.
fn wecom(state: &State, phone: &Phone) -> String {
    let Some(user) = &phone.wecom_user_id else { return String::new() };
    let recipient = Recipient::WeComUser(user.clone());
    let address = format!("/sandbox/phones/{}", escape(&phone.openid));
    let shown: Vec<&Delivery> = state
        .journal
        .deliveries
        .iter()
        .rev()
        .filter(|delivery| delivery.to == recipient)
        .take(MESSAGES_SHOWN)
        .collect();
    let message = |delivery: &Delivery| match &delivery.content {
        _ if delivery.recalled_at.is_some() => "<p class=\"time\">消息已撤回</p>".to_owned(),
        Content::Markdown { text } => format!("<article class=\"card notice\">{}</article>", markdown::render(text)),
        Content::AppMessage { text } => format!("<article class=\"card notice\">{}</article>", markdown::plain(text)),
        Content::Card { .. } => super::group::card(&delivery.content, &buttons(&delivery.content, &address)),
        _ => super::group::shown("", delivery).unwrap_or_default(),
    };
    let messages = if shown.is_empty() {
        "<p class=\"empty\">还没有企业微信消息</p>".to_owned()
    } else {
        chat_lines(shown.into_iter().rev(), message)
    };
    let waiting = super::group_tasks::waiting(state, user, &address);
    format!(
        "<h2>企业微信</h2>{waiting}<div class=\"notices\" data-live data-end id=\"live-wecom\" role=\"log\" tabindex=\"0\" \
         aria-label=\"企业微信消息\">{messages}</div>"
    )
}

/// The buttons of a card; a tap is pushed to the application.
fn buttons(content: &Content, address: &str) -> String {
    let Content::Card { buttons, task: Some(task), .. } = content else { return String::new() };
    buttons
        .iter()
        .map(|button| {
            if button.key.is_empty() {
                return format!("<button disabled>{}</button>", escape(&button.text));
            }
            format!(
                "<form method=\"post\" action=\"{address}/cards\"><input type=\"hidden\" name=\"task\" value=\"{}\">\
                 <button class=\"primary\" name=\"key\" value=\"{}\">{}</button></form>",
                escape(task),
                escape(&button.key),
                escape(&button.text)
            )
        })
        .collect()
}

#[derive(Deserialize)]
pub(super) struct Tapped {
    task: String,
    key: String,
}

pub(super) async fn tap(
    openid: web::Path<String>,
    form: web::Form<Tapped>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    if !sandbox.state().phones.contains_key(openid.as_str()) {
        return not_found("没有这部手机");
    }
    let Tapped { task, key } = form.into_inner();
    let offered = {
        let state = sandbox.state();
        state.has_button(&openid, &task, &key) && state.may_answer(&task, &[])
    };
    if !offered {
        return refused("手机上没有这张卡片或这个按钮", &format!("/sandbox/phones/{openid}"));
    }
    let phone = sandbox.phone(&openid);
    tokio::spawn(async move { phone.tap(&task, &key).await });
    see(&format!("/sandbox/phones/{openid}"))
}

fn notices(state: &State, phone: &Phone, address: &str) -> String {
    let recipient = Recipient::Phone(phone.openid.clone());
    let shown: Vec<&Delivery> = state
        .journal
        .deliveries
        .iter()
        .rev()
        .filter(|delivery| delivery.to == recipient && matches!(delivery.content, Content::SubscribeMessage { .. }))
        .take(MESSAGES_SHOWN)
        .collect();
    if shown.is_empty() {
        return "<p class=\"empty\">还没有服务通知</p>".into();
    }
    chat_lines(shown.into_iter().rev(), |delivery| notice(delivery, address))
}

fn notice(delivery: &Delivery, address: &str) -> String {
    let Content::SubscribeMessage { title, page, lines, .. } = &delivery.content else { return String::new() };
    let line = |line: &Line| format!("<dt>{}</dt><dd>{}</dd>", escape(&line.label), escape(&line.value));
    let lines: String = lines.iter().map(line).collect();
    let open = page.as_deref().map_or_else(String::new, |page| {
        format!(
            "<form method=\"post\" action=\"{address}/open\" target=\"_blank\"><input type=\"hidden\" name=\"page\" value=\"{}\">\
             <button class=\"link\">进入小程序查看 ›</button></form>",
            escape(page)
        )
    });
    format!("<article class=\"card notice\"><strong>{}</strong><dl>{lines}</dl>{open}</article>", escape(title))
}

fn templates(state: &State, phone: &Phone, address: &str) -> String {
    let items: String = state
        .templates
        .values()
        .map(|template| {
            let left = state.accepts.get(&(phone.openid.clone(), template.id.clone())).copied().unwrap_or_default();
            let button = |choice: &str, text: &str, class: &str| {
                format!("<button class=\"{class}\" name=\"choice\" value=\"{choice}\">{text}</button>")
            };
            format!(
                "<li><form method=\"post\" action=\"{address}/subscriptions\">\
                 <input type=\"hidden\" name=\"template\" value=\"{}\"><span><strong>{}</strong><small>还可接收 {left} 次</small></span>\
                 <span class=\"buttons\">{}{}{}</span></form></li>",
                escape(&template.id),
                escape(&template.title),
                button("accept", "接受", "primary"),
                button("reject", "拒绝", "plain"),
                button("switch_off", "关闭", "plain"),
            )
        })
        .collect();
    if items.is_empty() { "<li class=\"empty\">还没有模板</li>".into() } else { items }
}

#[derive(Deserialize)]
pub(super) struct Opened {
    #[serde(default)]
    page: String,
}

pub(super) async fn open_app(
    openid: web::Path<String>,
    form: web::Form<Opened>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    open_at(&openid, &form.page, &sandbox)
}

/// Follows a link into the mini-program that stood in a chat.
pub(super) async fn follow(path: web::Path<(String, String)>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let (openid, name) = path.into_inner();
    let now = sandbox.now();
    let page = sandbox.state().links.page(&name, now);
    match page {
        Some(page) => open_at(&openid, &page, &sandbox),
        None => not_found("链接已过期"),
    }
}

/// Opens the app as the person: a login code stands in the address.
fn open_at(openid: &str, page: &str, sandbox: &Sandbox) -> HttpResponse {
    if !sandbox.state().phones.contains_key(openid) {
        return not_found("没有这部手机");
    }
    let Ok(mut url) = url::Url::parse(&sandbox.account().app_url) else {
        return refused("设置里的小程序地址不完整", &format!("/sandbox/phones/{openid}"));
    };
    url.query_pairs_mut().append_pair("code", &sandbox.login_code(openid));
    if !page.is_empty() {
        url.set_fragment(Some(&format!("/{page}")));
    }
    see(url.as_str())
}

#[derive(Deserialize)]
pub(super) struct Choice {
    template: String,
    choice: ChoiceKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChoiceKind {
    Accept,
    Reject,
    SwitchOff,
}

pub(super) async fn choose(
    openid: web::Path<String>,
    form: web::Form<Choice>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    let Choice { template, choice } = form.into_inner();
    {
        let state = sandbox.state();
        if !state.phones.contains_key(openid.as_str()) {
            return not_found("没有这部手机");
        }
        if !state.templates.contains_key(&template) {
            return not_found("没有这个模板");
        }
    }
    let phone = sandbox.phone(&openid);
    tokio::spawn(async move {
        match choice {
            ChoiceKind::Accept => phone.accept(&template).await,
            ChoiceKind::Reject => phone.reject(&template).await,
            ChoiceKind::SwitchOff => phone.switch_off(&template).await,
        }
    });
    see(&format!("/sandbox/phones/{openid}"))
}
