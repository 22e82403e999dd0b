//! A card that was tapped is changed: with the code that came with the tap, once, within 72 hours.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::{Button, Content, Recipient},
    state::State,
};

const LIFETIME: TimeDelta = TimeDelta::hours(72);
const RECIPIENTS: usize = 1000;
const UNITS: usize = 100;

/// Codes that came with taps and have not been used.
#[derive(Default)]
pub(crate) struct ResponseCodes(HashMap<String, (String, DateTime<Utc>)>);

impl ResponseCodes {
    /// A code for a tap on a card of this task.
    pub(crate) fn issue(&mut self, task: &str, now: DateTime<Utc>) -> String {
        let code = hex::encode(rand::random::<[u8; 16]>());
        self.0.insert(code.clone(), (task.to_owned(), now + LIFETIME));
        code
    }

    /// The task of a code that is still good; it is used up.
    fn spend(&mut self, code: &str, now: DateTime<Utc>) -> Option<String> {
        self.0.remove(code).filter(|(_, end)| now < *end).map(|(task, _)| task)
    }
}

/// Recipients are lists here, unlike in a message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    #[serde(default)]
    userids: Vec<String>,
    #[serde(default)]
    partyids: Vec<i64>,
    #[serde(default)]
    tagids: Vec<i64>,
    #[serde(default)]
    atall: u8,
    agentid: Option<i64>,
    response_code: String,
    /// The buttons become this one, which does nothing.
    button: ReplacedButton,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplacedButton {
    replace_name: String,
}

pub(super) async fn update(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    answer(&Manner::WeCom, change(&mut sandbox.state(), parameters.get("access_token"), &body, now))
}

fn change(state: &mut State, token: &str, body: &[u8], now: DateTime<Utc>) -> Result<Value, Refused> {
    state.wecom_app.check(token, now)?;
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return refused(40035, "invalid json format");
    };
    let update: Update =
        serde_json::from_value(value).or_else(|error| refused(40058, format!("{error}. invalid Request Parameter")))?;
    match update.agentid {
        None => return refused(41011, "agentid missing"),
        Some(agent) if agent != state.wecom_account.agent_id => return refused(40056, "invalid agentid"),
        Some(_) => {}
    }
    if update.userids.len() > RECIPIENTS || update.partyids.len() > UNITS || update.tagids.len() > UNITS {
        return refused(40058, "userids exceed max length. invalid Request Parameter");
    }
    if update.atall > 1 || (update.atall == 0 && update.userids.is_empty()) {
        return refused(40058, "userids invalid. invalid Request Parameter");
    }
    if update.button.replace_name.is_empty() {
        return refused(40058, "button.replace_name invalid. invalid Request Parameter");
    }
    let Some(task) = state.response_codes.spend(&update.response_code, now) else {
        return refused(40058, "response_code invalid. invalid Request Parameter");
    };
    let (known, unknown): (Vec<_>, Vec<_>) = update
        .userids
        .iter()
        .map(|user| user.to_lowercase())
        .partition(|user| state.phones.values().any(|phone| phone.wecom_user_id.as_deref() == Some(user)));
    for delivery in &mut state.journal.deliveries {
        let Recipient::WeComUser(user) = &delivery.to else { continue };
        if let Content::Card { task: Some(its), buttons, .. } = &mut delivery.content
            && *its == task
            && (update.atall == 1 || known.contains(user))
        {
            *buttons = vec![Button { text: update.button.replace_name.clone(), key: String::new() }];
        }
    }
    Ok(json!({"errcode": 0, "errmsg": "ok", "invaliduser": unknown}))
}
