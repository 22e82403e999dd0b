//! The chats with the official account that are mine: bound by a link that the chat itself gave, and given up again.

use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use qingfeng_core::{
    ids::EntryId,
    people::account_links,
    refusal::{FieldFault, Refusal},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    act::act,
    authentication::SignedIn,
    complaints::Nothing,
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

/// Longer than any code.
const LONGEST_CODE: usize = 64;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(linked_chats).service(link).service(unlink);
}

/// A chat with the official account that I have made my own.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkedChat {
    id: EntryId,
    linked_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LinkedChats {
    /// Whether this installation has an official account at all.
    has_official_account: bool,
    items: Vec<LinkedChat>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatLink {
    /// From the link that stood in the chat.
    code: String,
}

/// The chats with the official account that are mine, latest first.
#[utoipa::path(tag = "me", security(("access_token" = [])), responses(
    (status = 200, body = LinkedChats),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
#[get("/me/account-links")]
async fn linked_chats(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<LinkedChats>> {
    let Some(account) = &application.config.official_account else {
        return Ok(web::Json(LinkedChats { has_official_account: false, items: Vec::new() }));
    };
    let links = account_links::of_person(&application.store, &person.actor, &account.app_id).await?;
    let items = links.into_iter().map(|known| LinkedChat { id: known.id, linked_at: known.created_at }).collect();
    Ok(web::Json(LinkedChats { has_official_account: true, items }))
}

/// Make the chat in which this code was given my own. A code is good once, for half an hour.
#[utoipa::path(tag = "me", security(("access_token" = [])), request_body = ChatLink, responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`account_link_code_invalid`, `account_link_taken`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/me/account-links")]
async fn link(application: web::Data<Application>, person: SignedIn, input: Input<ChatLink>) -> Answer<HttpResponse> {
    let code = input.value.code;
    if code.is_empty() || code.len() > LONGEST_CODE {
        return Err(Refusal::invalid(vec![FieldFault::new("/code", "请用聊天里的绑定链接打开。")]).into());
    }
    let (cache, sealer) = (&*application.cache, &application.sealer);
    account_links::link(&application.store, cache, sealer, &person.actor, &code).await?;
    Ok(HttpResponse::NoContent().finish())
}

act!(
    /// Give up a chat that I have made my own.
    unlink, "me", EntryId, "/me/account-links/{id}/removal", Nothing, "unlink_account",
    |application, command, county, id, _value| account_links::unlink(&application.store, &command, county, id)
);
