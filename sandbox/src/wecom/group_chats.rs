//! Which customer groups there are, and who is in them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::customer_groups::call;
use crate::{
    Sandbox,
    answer::refused,
    groups::{Group, GroupKind},
};

const OWNERS: usize = 100;
const PAGE: usize = 1000;
/// Who sees more people than this has to say whose groups are meant.
const VISIBLE: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    #[serde(default)]
    status_filter: u8,
    owner_filter: Option<OwnerFilter>,
    #[serde(default)]
    cursor: String,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnerFilter {
    userid_list: Vec<String>,
}

pub(super) async fn list(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    call(&request, &body, &sandbox, &["group_chat_list"], |state, query: ListQuery, _| {
        let Some(limit) = query.limit.filter(|limit| (1..=PAGE).contains(limit)) else {
            return refused(40058, "limit invalid. invalid Request Parameter");
        };
        if query.status_filter > 3 {
            return refused(40058, "status_filter invalid. invalid Request Parameter");
        }
        let owners = query.owner_filter.map(|filter| filter.userid_list);
        if owners.as_ref().is_some_and(|owners| owners.is_empty() || owners.len() > OWNERS) {
            return refused(40058, "owner_filter.userid_list invalid. invalid Request Parameter");
        }
        if owners.is_none() && state.phones.values().filter(|phone| phone.wecom_user_id.is_some()).count() > VISIBLE {
            return refused(81017, "too many visible userid, owner_filter is required");
        }
        // Every group here is followed as it should be: status 0.
        let meant = |group: &&Group| {
            group.kind == GroupKind::Customer
                && query.status_filter == 0
                && group.key > query.cursor
                && owners.as_ref().is_none_or(|owners| {
                    owners.iter().any(|owner| group.owner.as_deref() == Some(owner.to_lowercase().as_str()))
                })
        };
        let mut found: Vec<&str> = state.groups.values().filter(meant).map(|group| group.key.as_str()).collect();
        let more = found.len() > limit;
        found.truncate(limit);
        let cursor = if more { found.last().copied().unwrap_or_default() } else { "" };
        let list: Vec<Value> = found.iter().map(|chat| json!({"chat_id": chat, "status": 0})).collect();
        Ok(json!({"errcode": 0, "errmsg": "ok", "group_chat_list": list, "next_cursor": cursor}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GetQuery {
    chat_id: String,
    #[serde(default)]
    need_name: u8,
}

pub(super) async fn get(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    call(&request, &body, &sandbox, &[], |state, query: GetQuery, now| {
        let Some(group) = state.groups.get(&query.chat_id).filter(|group| group.kind == GroupKind::Customer) else {
            return refused(40050, "chatid not found");
        };
        let owner = group.owner.clone().unwrap_or_default();
        let member = |user: &String| {
            let mut member = json!({"userid": user, "type": 1, "join_time": now.timestamp(), "join_scene": 1});
            if query.need_name == 1 {
                let label = state.phones.values().find(|phone| phone.wecom_user_id.as_ref() == Some(user));
                member["name"] = label.map_or(json!(""), |phone| json!(phone.label));
            }
            member
        };
        let everybody = group.owner.iter().chain(group.members.iter().filter(|user| **user != owner));
        Ok(json!({"errcode": 0, "errmsg": "ok", "group_chat": {
            "chat_id": group.key, "name": group.name, "owner": owner, "create_time": now.timestamp(), "notice": "",
            "member_list": everybody.map(member).collect::<Vec<Value>>(), "admin_list": [],
        }}))
    })
}
