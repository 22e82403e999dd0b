//! Customer-service messages: the account answers a person who wrote to it, followed it or entered the chat.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::customer_content::Message;
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::{Platform, Recipient},
    state::State,
};

/// What a person did that lets the account speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Occasion {
    Wrote,
    EnteredChat,
    Followed,
    TappedMenu,
}

impl Occasion {
    /// How many messages it allows, and within which time.
    fn allows(self) -> (u8, TimeDelta) {
        match self {
            Self::Wrote => (5, TimeDelta::hours(48)),
            Self::EnteredChat => (2, TimeDelta::minutes(1)),
            Self::Followed | Self::TappedMenu => (3, TimeDelta::minutes(1)),
        }
    }
}

/// How far the account may still speak to a person: until when and how often, by what the person did.
#[derive(Default)]
pub(crate) struct ReplyAllowances(HashMap<(String, Occasion), (DateTime<Utc>, u8)>);

impl ReplyAllowances {
    fn grant(&mut self, openid: &str, occasion: Occasion, now: DateTime<Utc>) {
        let (messages, within) = occasion.allows();
        self.0.insert((openid.to_owned(), occasion), (now + within, messages));
    }

    /// Uses what ends first.
    fn spend(&mut self, openid: &str, now: DateTime<Utc>) -> Result<(), Refused> {
        let mut open: Vec<_> = self
            .0
            .iter_mut()
            .filter(|((person, _), (end, _))| person == openid && now <= *end)
            .map(|entry| entry.1)
            .collect();
        if open.is_empty() {
            return refused(45015, "response out of time limit or subscription is canceled");
        }
        open.sort_by_key(|(end, _)| *end);
        match open.into_iter().find(|(_, left)| *left > 0) {
            Some((_, left)) => {
                *left -= 1;
                Ok(())
            }
            None => refused(45047, "out of response count limit"),
        }
    }
}

/// The person did something that lets the account speak: this allowance starts anew.
pub(crate) fn grant(state: &mut State, openid: &str, occasion: Occasion, now: DateTime<Utc>) {
    state.replies.grant(openid, occasion, now);
}

pub(super) async fn send(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    answer(&Manner::CgiBin, deliver(&mut sandbox.state(), &parameters, &body, now))
}

fn deliver(state: &mut State, parameters: &Parameters, body: &[u8], now: DateTime<Utc>) -> Result<Value, Refused> {
    let which = state.caller(parameters.get("access_token"), now)?;
    if !serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object()) {
        return refused(47001, "data format error");
    }
    let message: Message =
        serde_json::from_slice(body).or_else(|error| refused(47003, format!("argument invalid! {error}")))?;
    let Some(phone) = state.phone_at(which, &message.touser) else {
        return refused(40003, "invalid openid");
    };
    let content = message.content(state, now)?;
    state.replies.spend(&message.touser, now)?;
    state.journal.deliver(now, Platform::WeChat, Recipient::Phone(phone), content);
    Ok(json!({"errcode": 0, "errmsg": "ok"}))
}
