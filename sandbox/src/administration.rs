//! Setting up the simulator and reading what arrived, as JSON.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Sandbox,
    answer::Parameters,
    faults::Fault,
    groups::Group,
    journal::{Delivery, Recipient},
    phones::Phone,
    settings::Account,
    wechat::{AccountMessage, PushOutcome, Template},
    wecom::RobotMessage,
};

/// A picture of 10 MB is 13.4 MB in base64.
const MESSAGE_BYTES: usize = 14 * 1024 * 1024;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::JsonConfig::default().limit(MESSAGE_BYTES).error_handler(|error, _| {
            let body = json!({"error": error.to_string()});
            actix_web::error::InternalError::from_response(error, HttpResponse::BadRequest().json(body)).into()
        }))
        .route("/settings", web::get().to(settings))
        .route("/settings", web::put().to(change_settings))
        .route("/api/phones", web::get().to(phones))
        .route("/api/phones", web::post().to(add_phone))
        .route("/api/phones/{openid}/login-codes", web::post().to(issue_login_code))
        .route("/api/phones/{openid}/messages", web::post().to(say))
        .route("/api/phones/{openid}/mini-program-messages", web::post().to(say_in_mini_program))
        .route("/api/phones/{openid}/robot-messages", web::post().to(tell_robot))
        .route("/api/groups", web::get().to(groups))
        .route("/api/groups", web::post().to(add_group))
        .route("/api/groups/{key}", web::delete().to(remove_robot))
        .route("/api/templates", web::get().to(templates))
        .route("/api/templates", web::post().to(add_template))
        .route("/faults", web::get().to(faults))
        .route("/faults", web::post().to(add_fault))
        .route("/faults", web::delete().to(clear_faults))
        .route("/faults/{id}", web::delete().to(end_fault))
        .route("/tokens/revoke", web::post().to(revoke_tokens))
        .route("/journal", web::get().to(journal))
        .route("/journal/calls", web::get().to(calls))
        .route("/journal/pushes", web::get().to(pushes));
}

async fn settings(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.account())
}

async fn change_settings(account: web::Json<Account>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.set_account(account.into_inner());
    HttpResponse::NoContent().finish()
}

async fn phones(sandbox: web::Data<Sandbox>) -> HttpResponse {
    let phones: Vec<Phone> = sandbox.state().phones.values().cloned().collect();
    HttpResponse::Ok().json(phones)
}

async fn add_phone(phone: web::Json<Phone>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let phone = phone.into_inner();
    if !is_address(&phone.openid) {
        return refuse("openid 只能由 1 至 64 个字母、数字、下划线和连字符组成");
    }
    sandbox.add_phone(phone.clone());
    HttpResponse::Created().json(phone)
}

async fn issue_login_code(openid: web::Path<String>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    if !sandbox.state().phones.contains_key(openid.as_str()) {
        return HttpResponse::NotFound().json(json!({"error": "没有这部手机"}));
    }
    HttpResponse::Created().json(json!({"code": sandbox.login_code(&openid)}))
}

/// What the person sends to the official account: text, image, voice, location, or a tap on the menu.
async fn say(
    openid: web::Path<String>,
    message: web::Json<AccountMessage>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    if !sandbox.state().phones.contains_key(openid.as_str()) {
        return HttpResponse::NotFound().json(json!({"error": "没有这部手机"}));
    }
    match sandbox.phone(&openid).send(message.into_inner()).await {
        Ok(outcome) => came_of(outcome),
        Err(sentence) => refuse(sentence),
    }
}

/// What the person sends to the mini-program's customer service: text or image.
async fn say_in_mini_program(
    openid: web::Path<String>,
    message: web::Json<AccountMessage>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    if !sandbox.state().phones.contains_key(openid.as_str()) {
        return HttpResponse::NotFound().json(json!({"error": "没有这部手机"}));
    }
    match sandbox.phone(&openid).send_in_mini_program(message.into_inner()).await {
        Ok(outcome) => came_of(outcome),
        Err(sentence) => refuse(sentence),
    }
}

fn came_of(outcome: PushOutcome) -> HttpResponse {
    HttpResponse::Ok().json(match outcome {
        PushOutcome::NotConfigured => json!({"outcome": "not_configured"}),
        PushOutcome::Handled => json!({"outcome": "handled"}),
        PushOutcome::Replied(text) => json!({"outcome": "replied", "text": text}),
        PushOutcome::Failed => json!({"outcome": "failed"}),
        PushOutcome::Impossible => json!({"outcome": "impossible"}),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldRobot {
    /// The group's key; none = alone with the robot.
    #[serde(default)]
    group: Option<String>,
    message: RobotMessage,
}

/// What a member of the corporation tells the smart robot.
async fn tell_robot(
    openid: web::Path<String>,
    told: web::Json<ToldRobot>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    let known = {
        let state = sandbox.state();
        state.phones.contains_key(openid.as_str())
            && told.group.as_ref().is_none_or(|group| state.groups.contains_key(group))
    };
    if !known {
        return HttpResponse::NotFound().json(json!({"error": "没有这部手机或这个群"}));
    }
    came_of(sandbox.phone(&openid).tell_robot(told.group.as_deref(), &told.message).await)
}

async fn groups(sandbox: web::Data<Sandbox>) -> HttpResponse {
    let groups: Vec<Group> = sandbox.state().groups.values().cloned().collect();
    HttpResponse::Ok().json(groups)
}

async fn add_group(group: web::Json<Group>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let group = group.into_inner();
    if !is_address(&group.key) {
        return refuse("key 只能由 1 至 64 个字母、数字、下划线和连字符组成");
    }
    sandbox.add_group(group.clone());
    HttpResponse::Created().json(group)
}

async fn remove_robot(key: web::Path<String>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.remove_robot(&key);
    HttpResponse::NoContent().finish()
}

async fn templates(sandbox: web::Data<Sandbox>) -> HttpResponse {
    let templates: Vec<Template> = sandbox.state().templates.values().cloned().collect();
    HttpResponse::Ok().json(templates)
}

async fn add_template(template: web::Json<Template>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let template = template.into_inner();
    match sandbox.add_template(template.clone()) {
        Ok(()) => HttpResponse::Created().json(template),
        Err(sentence) => refuse(&sentence),
    }
}

async fn faults(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.faults())
}

async fn add_fault(fault: web::Json<Fault>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    match fault.check() {
        Ok(()) => HttpResponse::Created().json(json!({"id": sandbox.inject(fault.into_inner())})),
        Err(sentence) => refuse(sentence),
    }
}

async fn clear_faults(sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.clear_faults();
    HttpResponse::NoContent().finish()
}

async fn end_fault(id: web::Path<u64>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    if sandbox.end_fault(*id) {
        HttpResponse::NoContent().finish()
    } else {
        HttpResponse::NotFound().json(json!({"error": "没有这个故障"}))
    }
}

async fn revoke_tokens(sandbox: web::Data<Sandbox>) -> HttpResponse {
    sandbox.revoke_tokens();
    HttpResponse::NoContent().finish()
}

/// `?platform=wechat|wecom|dingtalk|feishu&kind=…&to=OPENID|KEY&since=RFC 3339&text=…`
async fn journal(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let since = match parameters.get("since") {
        "" => DateTime::<Utc>::MIN_UTC,
        text => match DateTime::parse_from_rfc3339(text) {
            Ok(instant) => instant.to_utc(),
            Err(_) => return refuse("since 必须是 RFC 3339 时间"),
        },
    };
    let meets = |parameter: &str, value: &str| {
        let wanted = parameters.get(parameter);
        wanted.is_empty() || wanted == value
    };
    let platform = |delivery: &Delivery| json!(delivery.platform).as_str().unwrap_or_default().to_owned();
    let entries: Vec<Delivery> = sandbox
        .deliveries()
        .into_iter()
        .filter(|delivery| {
            let (Recipient::Phone(to)
            | Recipient::WeComUser(to)
            | Recipient::Group(to)
            | Recipient::Account(to)
            | Recipient::MiniProgram(to)) = &delivery.to;
            delivery.at >= since
                && meets("platform", &platform(delivery))
                && meets("kind", delivery.content.kind())
                && meets("to", to)
                && delivery.content.text().contains(parameters.get("text"))
        })
        .collect();
    HttpResponse::Ok().json(json!({"total": entries.len(), "entries": entries}))
}

async fn calls(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.calls())
}

async fn pushes(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.pushes())
}

fn refuse(sentence: &str) -> HttpResponse {
    HttpResponse::UnprocessableEntity().json(json!({"error": sentence}))
}

/// Openids and robot keys stand in addresses.
fn is_address(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
