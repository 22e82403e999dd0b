//! The page that signs a member of the corporation in and sends the browser back with a code. In WeCom nobody is asked who he
//! is; here one chooses.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::layout::{escape, not_found, page, refused, see};
use crate::{Sandbox, phones::Phone};

/// What the platform says where the redirect's domain is not the application's.
const UNTRUSTED: &str = "50001：redirect_uri 不在应用的可信域名下";
const LONGEST_STATE: usize = 128;

/// What the product's server puts into the address.
#[derive(Deserialize)]
pub(super) struct Departure {
    appid: String,
    redirect_uri: String,
    response_type: String,
    scope: String,
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
pub(super) struct Agreed {
    openid: String,
    redirect_uri: String,
    state: String,
}

pub(super) async fn ask(query: web::Query<Departure>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let asked = query.into_inner();
    if !is_trusted(&sandbox, &asked.redirect_uri) {
        return refused(UNTRUSTED, "/sandbox/");
    }
    let fits = asked.appid == sandbox.wecom_account().corp_id
        && asked.response_type == "code"
        && asked.scope == "snsapi_base"
        && is_state(&asked.state);
    if !fits {
        return refused("参数错误：企业、授权方式或 state 不对（state 只能是 128 字节以内的字母和数字）", "/sandbox/");
    }
    let state = sandbox.state();
    let member = |phone: &Phone| {
        phone.wecom_user_id.as_ref().map(|user| {
            format!(
                "<li><form method=\"post\" action=\"/sandbox/wecom-logins\">\
                 <input type=\"hidden\" name=\"redirect_uri\" value=\"{}\"><input type=\"hidden\" name=\"state\" value=\"{}\">\
                 <button class=\"plain\" name=\"openid\" value=\"{}\">{} {}</button></form></li>",
                escape(&asked.redirect_uri),
                escape(&asked.state),
                escape(&phone.openid),
                escape(&phone.label),
                escape(user)
            )
        })
    };
    let members: String = state.phones.values().filter_map(member).collect();
    page("企业微信登录", &format!("<main class=\"sheet\"><h1>企业微信登录：您是哪一位？</h1><ul>{members}</ul></main>"))
}

pub(super) async fn agree(form: web::Form<Agreed>, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let agreed = form.into_inner();
    if !is_trusted(&sandbox, &agreed.redirect_uri) {
        return refused(UNTRUSTED, "/sandbox/");
    }
    if !is_state(&agreed.state) || !sandbox.state().phones.contains_key(&agreed.openid) {
        return not_found("没有这部手机");
    }
    let Ok(mut address) = url::Url::parse(&agreed.redirect_uri) else { return not_found("没有这个地址") };
    let code = sandbox.phone(&agreed.openid).wecom_login_code();
    address.query_pairs_mut().append_pair("code", &code).append_pair("state", &agreed.state);
    see(address.as_str())
}

/// Bytes of letters and digits, or none at all: it may be left out.
fn is_state(state: &str) -> bool {
    state.len() <= LONGEST_STATE && state.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The platform sends nobody anywhere but to the application's own domain.
fn is_trusted(sandbox: &Sandbox, address: &str) -> bool {
    let origin = |address: &str| url::Url::parse(address).map(|address| address.origin()).ok();
    origin(address).is_some_and(|asked| asked.is_tuple() && origin(&sandbox.account().app_url) == Some(asked))
}
