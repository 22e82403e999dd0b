//! All groups and phones on one page, and what the platforms are doing.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::layout::{clock_time, escape, initial, page, refused, see};
use crate::{
    Sandbox,
    journal::{Delivery, Recipient},
    phones::Phone,
    state::State,
};

const CALLS_SHOWN: usize = 12;

pub(super) async fn show(sandbox: web::Data<Sandbox>) -> HttpResponse {
    let state = sandbox.state();
    let body = format!(
        "<header class=\"bar\"><h1>平台模拟器</h1></header><main class=\"overview\">\
         <p class=\"lead\">这里代替微信和企业微信：点开一个群聊或一部手机，看看收到了什么。人和消息都是虚构的。</p>\
         <div data-live id=\"live-overview\">{}<div class=\"columns\">\
         <section><h2>群聊</h2><ul class=\"list\">{}</ul></section>\
         <section><h2>手机</h2><ul class=\"list\">{}</ul></section></div>{}</div>\
         <section><h2>添一部手机</h2><form class=\"inline\" method=\"post\" action=\"/sandbox/phones\">\
         <label>名称 <input name=\"label\" required maxlength=\"20\"></label>\
         <label>身份 <input name=\"persona\" maxlength=\"40\" placeholder=\"村民 东河村 3 组\"></label>\
         <button class=\"primary\">添加</button></form></section></main>",
        faults(&state),
        groups(&state),
        phones(&state),
        calls(&state),
    );
    page("总览", &body)
}

#[derive(Deserialize)]
pub(super) struct NewPhone {
    label: String,
    #[serde(default)]
    persona: String,
}

pub(super) async fn add_phone(form: web::Form<NewPhone>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let (label, persona) = (form.label.trim(), form.persona.trim());
    if label.is_empty() || label.chars().count() > 20 || persona.chars().count() > 40 {
        return refused("名称要有 1 至 20 个字，身份最多 40 个字", "/sandbox/");
    }
    // As long as the real ones.
    let openid = format!("o{}", &hex::encode(rand::random::<[u8; 14]>())[..27]);
    let mut phone = Phone::new(openid.clone(), label);
    phone.persona = Some(persona.to_owned()).filter(|persona| !persona.is_empty());
    sandbox.add_phone(phone);
    see(&format!("/sandbox/phones/{openid}"))
}

fn faults(state: &State) -> String {
    let faults = state.faults.list();
    if faults.is_empty() {
        return String::new();
    }
    let items: String = faults
        .iter()
        .map(|fault| format!("<li><code>{}</code></li>", escape(&serde_json::json!(fault).to_string())))
        .collect();
    format!("<section class=\"warning-box\"><h2>正在模拟的故障</h2><ul>{items}</ul></section>")
}

fn groups(state: &State) -> String {
    let items: String = state
        .groups
        .values()
        .map(|group| {
            let latest = latest(state, &Recipient::Group(group.key.clone()));
            entry(&format!("/sandbox/groups/{}", group.key), "group", &group.name, group.kind.label(), latest)
        })
        .collect();
    if items.is_empty() { "<li class=\"empty\">还没有群聊</li>".into() } else { items }
}

fn phones(state: &State) -> String {
    let items: String = state
        .phones
        .values()
        .map(|phone| {
            let latest =
                [Some(Recipient::Phone(phone.openid.clone())), phone.wecom_user_id.clone().map(Recipient::WeComUser)]
                    .into_iter()
                    .flatten()
                    .filter_map(|recipient| latest(state, &recipient))
                    .max_by_key(|delivery| delivery.id);
            let persona = phone.persona.as_deref().unwrap_or_default();
            entry(&format!("/sandbox/phones/{}", phone.openid), "person", &phone.label, persona, latest)
        })
        .collect();
    if items.is_empty() { "<li class=\"empty\">还没有手机</li>".into() } else { items }
}

fn latest<'a>(state: &'a State, recipient: &Recipient) -> Option<&'a Delivery> {
    state.journal.deliveries.iter().rev().find(|delivery| delivery.to == *recipient)
}

fn entry(address: &str, kind: &str, name: &str, persona: &str, latest: Option<&Delivery>) -> String {
    let (preview, time) = latest.map_or_else(
        || ("没有消息".to_owned(), String::new()),
        |delivery| (preview(delivery), clock_time(delivery.at)),
    );
    format!(
        "<li><a href=\"{}\"><span class=\"avatar {kind}\" aria-hidden=\"true\">{}</span>\
         <span class=\"who\"><strong>{}</strong> <small>{}</small><span class=\"preview\">{}</span></span>\
         <time>{time}</time></a></li>",
        escape(address),
        initial(name),
        escape(name),
        escape(persona),
        escape(&preview),
    )
}

fn preview(delivery: &Delivery) -> String {
    let text = delivery.content.text();
    match delivery.content.kind() {
        "image" => "[图片]".to_owned(),
        "file" => format!("[文件] {text}"),
        "card" => format!("[卡片] {}", text.replace('\n', "，")),
        "subscribe_message" => format!("[服务通知] {}", text.replace('\n', "，")),
        "service_unavailable" => "该公众号提供的服务出现故障".to_owned(),
        _ => text.chars().take(60).collect(),
    }
}

fn calls(state: &State) -> String {
    let rows: String = state
        .journal
        .calls
        .iter()
        .rev()
        .take(CALLS_SHOWN)
        .map(|call| {
            format!(
                "<tr><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                clock_time(call.at),
                escape(&call.endpoint),
                call.code,
                call.fault.unwrap_or_default()
            )
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<section><h2>最近的接口调用</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"接口调用\"><table>\
         <thead><tr><th>时间</th><th>接口</th><th>代码</th><th>故障</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )
}
