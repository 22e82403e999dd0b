//! Messages of a corporation's application to its members.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::app_content::{Message, content};
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::{Content, Platform, Recipient},
    robot_use::RobotUse,
    state::State,
};

const RECIPIENTS: usize = 1000;
const UNITS: usize = 100;
/// Longest span of the duplicate check, in seconds, and the usual one.
const LONGEST_CHECK: i64 = 14_400;
const USUAL_CHECK: i64 = 1800;
/// Person-messages a day for each account of the corporation.
const A_DAY_PER_ACCOUNT: u64 = 200;

/// What the platform knows of the application.
#[derive(Default)]
pub(crate) struct AppUse {
    pub(super) token: Option<(String, DateTime<Utc>)>,
    pub(super) former: Vec<String>,
    /// Until when the very same message is not delivered again.
    known: HashMap<String, DateTime<Utc>>,
    /// By member.
    members: HashMap<String, RobotUse>,
    /// Ids of tasks that cards had, and what each card asks.
    tasks: HashMap<String, Vec<(String, Vec<String>)>>,
    /// When a message was sent and what was delivered of it, by its id.
    pub(super) sent: HashMap<String, (DateTime<Utc>, Vec<u64>)>,
    pub(crate) token_calls: u32,
    pub(super) wrong_secrets: RobotUse,
    pub(super) banned_until: Option<DateTime<Utc>>,
    last_message: u64,
}

impl AppUse {
    /// Kills the token now.
    pub(crate) fn revoke(&mut self) {
        self.former.extend(self.token.take().map(|(token, _)| token));
    }

    /// What the card of this task asks.
    pub(crate) fn questions(&self, task: &str) -> &[(String, Vec<String>)] {
        self.tasks.get(task).map_or(&[], Vec::as_slice)
    }

    /// An address that tried too many wrong secrets is not talked to.
    pub(super) fn check_address(&self, now: DateTime<Utc>) -> Result<(), Refused> {
        match self.banned_until {
            Some(end) if now < end => refused(60020, "not allow to access from your ip"),
            _ => Ok(()),
        }
    }

    pub(super) fn check(&self, token: &str, now: DateTime<Utc>) -> Result<(), Refused> {
        self.check_address(now)?;
        match &self.token {
            _ if token.is_empty() => refused(41001, "access_token missing"),
            Some((current, end)) if current == token && now < *end => Ok(()),
            Some((current, _)) if current == token => refused(42001, "access_token expired"),
            _ if self.former.iter().any(|former| former == token) => refused(42001, "access_token expired"),
            _ => refused(40014, "invalid access_token"),
        }
    }
}

pub(super) async fn send(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    answer(&Manner::WeCom, deliver(&mut sandbox.state(), parameters.get("access_token"), &body, now))
}

fn deliver(state: &mut State, token: &str, body: &[u8], now: DateTime<Utc>) -> Result<Value, Refused> {
    state.wecom_app.check(token, now)?;
    let message = Message::parse(body)?;
    match message.agentid {
        None => return refused(41011, "agentid missing"),
        Some(agent) if agent != state.wecom_account.agent_id => return refused(40056, "invalid agentid"),
        Some(_) => {}
    }
    let content = content(state, &message, now)?;
    if let Content::Card { buttons, .. } = &content
        && !buttons.is_empty()
        && state.wecom_account.callback_url.is_none()
    {
        return refused(40058, "template_card needs a callback url. invalid Request Parameter");
    }
    let to = Addressed::of(state, &message)?;
    let id = format!("MSG{}", state.wecom_app.last_message + 1);
    let answer = json!({
        "errcode": 0, "errmsg": "ok", "invaliduser": to.unknown.join("|"), "invalidparty": message.toparty,
        "invalidtag": message.totag, "unlicenseduser": "", "msgid": id,
    });
    let known_until = known_until(&message, now)?;
    state.wecom_app.known.retain(|_, until| now < *until);
    let words = String::from_utf8_lossy(body).into_owned();
    if known_until.is_some() && state.wecom_app.known.contains_key(&words) {
        // Taken, and not delivered again.
        return Ok(answer);
    }
    let task = match &content {
        Content::Card { task, .. } => task.clone(),
        _ => None,
    };
    if task.as_ref().is_some_and(|task| state.wecom_app.tasks.contains_key(task)) {
        return refused(42014, "invalid taskid: it was used before");
    }
    let a_day = state.limits.accounts.saturating_mul(A_DAY_PER_ACCOUNT);
    let people = u64::try_from(to.known.len()).unwrap_or(u64::MAX);
    if !state.usage.spend_today("app messages", now, a_day, people) {
        return refused(45009, "api freq out of limit");
    }
    // What was refused may come again, the very same.
    if let Some(until) = known_until {
        state.wecom_app.known.insert(words, until);
    }
    if let Some(task) = task {
        state.wecom_app.tasks.insert(task, message.questions());
    }
    state.wecom_app.last_message += 1;
    let mut delivered = Vec::new();
    for user in to.known {
        let (minute, hour) = (state.limits.to_a_member_a_minute, state.limits.to_a_member_an_hour);
        let heard = state.wecom_app.members.entry(user.clone()).or_default();
        if !heard.is_full(now, minute, TimeDelta::minutes(1)) && heard.spend(now, hour, TimeDelta::hours(1)) {
            let to = Recipient::WeComUser(user);
            delivered.push(state.journal.deliver(now, Platform::WeCom, to, content.clone()));
        }
    }
    state.wecom_app.sent.insert(id, (now, delivered));
    Ok(answer)
}

/// To whom a message goes. There are no departments and labels here: all of them are invalid.
struct Addressed {
    known: Vec<String>,
    unknown: Vec<String>,
}

impl Addressed {
    fn of(state: &State, message: &Message) -> Result<Self, Refused> {
        let named = |list: &str| list.split('|').filter(|name| !name.is_empty()).count();
        for (field, list, most) in [
            ("touser", &message.touser, RECIPIENTS),
            ("toparty", &message.toparty, UNITS),
            ("totag", &message.totag, UNITS),
        ] {
            if named(list) > most {
                return refused(40058, format!("{field} exceed max length {most}. invalid Request Parameter"));
            }
        }
        let (known, unknown): (Vec<_>, Vec<_>) = if message.touser == "@all" {
            (state.phones.values().filter_map(|phone| phone.wecom_user_id.clone()).collect(), Vec::new())
        } else {
            let users = message.touser.split('|').filter(|user| !user.is_empty()).map(str::to_lowercase);
            users.partition(|user| state.is_member(user))
        };
        if known.is_empty() {
            return refused(81013, "user & party & tag all invalid");
        }
        Ok(Self { known, unknown })
    }
}

/// Until when the very same message is not to be delivered again; none when it does not ask for that.
fn known_until(message: &Message, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Refused> {
    if message.enable_duplicate_check != 1 {
        return Ok(None);
    }
    let span = message.duplicate_check_interval.unwrap_or(USUAL_CHECK);
    if !(1..=LONGEST_CHECK).contains(&span) {
        return refused(40058, "duplicate_check_interval invalid. invalid Request Parameter");
    }
    Ok(Some(now + TimeDelta::seconds(span)))
}
