//! Messages into customer groups that wait for a member's tap.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::layout::{escape, not_found, refused, see};
use crate::{Sandbox, state::State};

/// The tasks of this member, each with its button.
pub(super) fn waiting(state: &State, user: &str, address: &str) -> String {
    let task = |(id, words): (String, String)| {
        format!(
            "<form class=\"card notice\" method=\"post\" action=\"{address}/group-tasks\"><div class=\"markdown\"><p>发到客户群：{}</p></div>\
             <button class=\"primary\" name=\"task\" value=\"{}\">发送</button></form>",
            escape(&words),
            escape(&id)
        )
    };
    let tasks: String = state.group_tasks.waiting(user).into_iter().map(task).collect();
    format!("<div data-live id=\"live-group-tasks\">{tasks}</div>")
}

#[derive(Deserialize)]
pub(super) struct Confirmed {
    task: String,
}

pub(super) async fn confirm(
    openid: web::Path<String>,
    form: web::Form<Confirmed>,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    let Some(phone) = sandbox.state().phones.get(openid.as_str()).cloned() else {
        return not_found("没有这部手机");
    };
    let address = format!("/sandbox/phones/{openid}");
    let user = phone.wecom_user_id.unwrap_or_default();
    match crate::wecom::confirm(&sandbox, &user, Some(&form.task)) {
        0 => refused("没有等待发送的群发消息", &address),
        _ => see(&address),
    }
}
