//! What the platforms push to the account's server: messages of a person and events, as XML; events also as JSON, as
//! mini-programs may choose; plain, or encrypted where a key is set.

use serde_json::{Value, json};

use super::{Occasion, Which, delivery::push_to, grant, xml::element};
use crate::{
    Sandbox, crypt,
    journal::{Content, Platform, Recipient},
    settings::{Account, EventFormat, WeComAccount},
    state::State,
};

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// The account has no callback address.
    NotConfigured,
    /// Taken without a reply.
    Handled,
    /// Taken with a reply in the chat.
    Replied(String),
    /// There is nothing on the phone that could be tapped like that; nothing was pushed.
    Impossible,
    /// Every delivery failed or was answered with something malformed.
    Failed,
}

/// An event that follows from what a person or the platform does.
pub(crate) enum Event {
    /// Template and whether it was accepted, of everything the pop-up asked for.
    Popup {
        choices: Vec<(String, bool)>,
    },
    Changed {
        template_id: String,
    },
    /// What became of a message that was taken; code 0 = it arrived.
    Sent {
        template_id: String,
        message_id: u64,
        code: i64,
    },
}

type Fields = Vec<(&'static str, String)>;

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::Popup { .. } => "subscribe_msg_popup_event",
            Self::Changed { .. } => "subscribe_msg_change_event",
            Self::Sent { .. } => "subscribe_msg_sent_event",
        }
    }

    /// The element around the list in XML.
    fn wrapper(&self) -> &'static str {
        match self {
            Self::Popup { .. } => "SubscribeMsgPopupEvent",
            Self::Changed { .. } => "SubscribeMsgChangeEvent",
            Self::Sent { .. } => "SubscribeMsgSentEvent",
        }
    }

    fn items(&self) -> Vec<Fields> {
        let status = |accepted: bool| if accepted { "accept" } else { "reject" };
        match self {
            Self::Popup { choices } => choices
                .iter()
                .map(|(template_id, accepted)| {
                    vec![
                        ("TemplateId", template_id.clone()),
                        ("SubscribeStatusString", status(*accepted).into()),
                        ("PopupScene", "0".into()),
                    ]
                })
                .collect(),
            Self::Changed { template_id } => {
                vec![vec![("TemplateId", template_id.clone()), ("SubscribeStatusString", status(false).into())]]
            }
            Self::Sent { template_id, message_id, code } => vec![vec![
                ("TemplateId", template_id.clone()),
                ("MsgID", message_id.to_string()),
                ("ErrorCode", code.to_string()),
                ("ErrorStatus", if *code == 0 { "success" } else { "failed" }.into()),
            ]],
        }
    }

    fn xml(&self) -> String {
        let item = |fields: Fields| {
            let fields: String = fields.iter().map(|(name, value)| element(name, value)).collect();
            format!("<List>{fields}</List>")
        };
        let list: String = self.items().into_iter().map(item).collect();
        format!("<{0}>{list}</{0}>", self.wrapper())
    }

    /// One entry stands alone, several in an array, as on the real platform.
    fn json(&self) -> Value {
        let item = |fields: Fields| -> Value { fields.into_iter().collect() };
        let mut items: Vec<Value> = self.items().into_iter().map(item).collect();
        if items.len() == 1 { items.remove(0) } else { Value::Array(items) }
    }
}

/// Something a person does in the chat that the account's server may answer at once.
pub(crate) struct Passive {
    /// `text`, `image`, …, or the name of an event.
    pub(crate) subject: &'static str,
    /// How it stands in the chat.
    pub(crate) shown: Content,
    /// What the push says beside whom it is from; the number of the message is added, which events have none of.
    pub(crate) parts: String,
}

/// The person writes to one of the accounts.
pub(crate) async fn push_text(sandbox: &Sandbox, which: Which, phone: &str, text: &str) -> PushOutcome {
    push_choice(sandbox, which, phone, text, None).await
}

/// The same; `choice` is the id of the menu's line that the person tapped instead of typing.
pub(crate) async fn push_choice(
    sandbox: &Sandbox,
    which: Which,
    phone: &str,
    text: &str,
    choice: Option<&str>,
) -> PushOutcome {
    let choice = choice.map_or_else(String::new, |id| element("bizmsgmenuid", id));
    let parts = format!("{}{}{choice}", element("MsgType", "text"), element("Content", text));
    let shown = Content::FromPhone { text: text.to_owned() };
    push_message(sandbox, which, phone, Passive { subject: "text", shown, parts }).await
}

/// The person sends something to one of the accounts, or taps its menu.
pub(crate) async fn push_message(sandbox: &Sandbox, which: Which, phone: &str, message: Passive) -> PushOutcome {
    let now = sandbox.now();
    let (message_id, openid, account) = {
        let state = &mut *sandbox.state();
        let to = match which {
            Which::MiniProgram => Recipient::MiniProgram(phone.to_owned()),
            Which::OfficialAccount => Recipient::Account(phone.to_owned()),
        };
        state.journal.deliver(now, Platform::WeChat, to, message.shown);
        let occasion = if message.subject == "CLICK" { Occasion::TappedMenu } else { Occasion::Wrote };
        let openid = state.openid_at(which, phone);
        grant(state, &openid, occasion, now);
        state.last_message_id += 1;
        // As long as the real ones, beyond what a double can hold exactly.
        (24_000_000_000_000_000 + state.last_message_id, openid, state.account_of(which).clone())
    };
    let mut parts = message.parts;
    if message.subject != "CLICK" {
        parts += &format!("<MsgId>{message_id}</MsgId>");
    }
    let body = envelope(&account, &openid, now.timestamp(), &parts);
    let outcome = push(sandbox, which, &openid, message.subject, &body).await;
    let content = match &outcome {
        PushOutcome::Replied(text) => Content::PassiveReply { text: text.clone() },
        PushOutcome::Failed => Content::ServiceUnavailable,
        PushOutcome::NotConfigured | PushOutcome::Handled | PushOutcome::Impossible => return outcome,
    };
    let now = sandbox.now();
    sandbox.state().journal.deliver(now, Platform::WeChat, Recipient::Phone(phone.to_owned()), content);
    outcome
}

/// An event; a reply to one is not shown by this simulator.
pub(crate) async fn push_event(sandbox: &Sandbox, openid: &str, event: &Event) -> PushOutcome {
    let account = sandbox.state().account.clone();
    let body = match account.event_format {
        EventFormat::Xml => {
            let parts = format!("{}{}{}", element("MsgType", "event"), element("Event", event.name()), event.xml());
            envelope(&account, openid, sandbox.now().timestamp(), &parts)
        }
        EventFormat::Json => json!({
            "ToUserName": account.original_id,
            "FromUserName": openid,
            "CreateTime": sandbox.now().timestamp(),
            "MsgType": "event",
            "Event": event.name(),
            "List": event.json(),
        })
        .to_string(),
    };
    push(sandbox, Which::MiniProgram, openid, event.name(), &body).await
}

pub(super) fn envelope(account: &Account, openid: &str, at: i64, parts: &str) -> String {
    format!(
        "<xml>{}{}<CreateTime>{at}</CreateTime>{parts}</xml>",
        element("ToUserName", &account.original_id),
        element("FromUserName", openid),
    )
}

/// The server that is pushed to, and what was agreed with it.
pub(crate) struct Target {
    pub(crate) address: String,
    pub(crate) token: String,
    pub(crate) key: Option<String>,
    /// Whom an encrypted message is for: the account's or the corporation's id; nobody by name for the smart robot.
    pub(crate) receiver: String,
    /// The account's name in messages.
    pub(crate) own_name: String,
    pub(crate) manner: PushManner,
    /// Whether a push may be answered with a message: a mini-program's customer service is answered by a call only.
    pub(crate) takes_replies: bool,
}

/// How the platform puts a push into a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushManner {
    /// Plain or encrypted.
    Account,
    /// The message in the clear and encrypted beside it, while an account changes from one to the other.
    Compatible,
    /// At WeCom, where the address tells the application.
    Corporation { agent: i64 },
    /// In JSON, and answered in the answer.
    SmartRobot,
}

impl Target {
    fn account(state: &State, which: Which) -> Option<Self> {
        let account = state.account_of(which);
        Some(Self {
            address: account.callback_url.clone()?,
            token: account.callback_token.clone(),
            key: account.callback_key.clone(),
            receiver: account.app_id.clone(),
            own_name: account.original_id.clone(),
            manner: if account.compatible { PushManner::Compatible } else { PushManner::Account },
            takes_replies: which == Which::OfficialAccount || state.official_account.is_none(),
        })
    }

    pub(crate) fn robot(account: &WeComAccount) -> Option<Self> {
        Some(Self {
            address: account.robot_callback_url.clone()?,
            token: account.robot_token.clone(),
            key: Some(account.robot_key.clone()),
            receiver: String::new(),
            own_name: String::new(),
            manner: PushManner::SmartRobot,
            takes_replies: true,
        })
    }

    fn corporation(account: &WeComAccount) -> Option<Self> {
        Some(Self {
            address: account.callback_url.clone()?,
            token: account.callback_token.clone(),
            key: Some(account.callback_key.clone()),
            receiver: account.corp_id.clone(),
            own_name: account.corp_id.clone(),
            manner: PushManner::Corporation { agent: account.agent_id },
            takes_replies: true,
        })
    }
}

pub(super) async fn push(sandbox: &Sandbox, which: Which, openid: &str, subject: &str, body: &str) -> PushOutcome {
    let target = Target::account(&sandbox.state(), which);
    push_to(sandbox, target, openid, subject, body).await
}

/// A member of the corporation taps a button of a card, or writes to the application.
pub(crate) async fn push_at_wecom(sandbox: &Sandbox, user_id: &str, subject: &str, parts: &str) -> PushOutcome {
    let (target, corp_id, agent) = {
        let account = &sandbox.state().wecom_account;
        (Target::corporation(account), account.corp_id.clone(), account.agent_id)
    };
    let body = format!(
        "<xml>{}{}<CreateTime>{}</CreateTime>{parts}<AgentID>{agent}</AgentID></xml>",
        element("ToUserName", &corp_id),
        element("FromUserName", user_id),
        sandbox.now().timestamp(),
    );
    push_to(sandbox, target, user_id, subject, &body).await
}

/// Whose address is entered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callback {
    Account,
    OfficialAccount,
    Corporation,
    Robot,
}

/// What the platform's console does when an address is entered: asks the server, and compares.
pub(crate) async fn verify_callback(sandbox: &Sandbox, callback: Callback) -> bool {
    let target = {
        let state = sandbox.state();
        match callback {
            Callback::Account => Target::account(&state, Which::MiniProgram),
            Callback::OfficialAccount => Target::account(&state, Which::OfficialAccount),
            Callback::Corporation => Target::corporation(&state.wecom_account),
            Callback::Robot => Target::robot(&state.wecom_account),
        }
    };
    let Some(target) = target else { return false };
    let timestamp = sandbox.now().timestamp().to_string();
    let (nonce, echo) = (rand::random::<u32>().to_string(), rand::random::<u64>().to_string());
    // Only WeCom's question is encrypted.
    let (name, signature, sent) =
        match target.key.as_ref().filter(|_| matches!(callback, Callback::Corporation | Callback::Robot)) {
            Some(key) => {
                let encrypted = crypt::seal(key, &target.receiver, &echo);
                let signature = crypt::signature(vec![&target.token, &timestamp, &nonce, &encrypted]);
                ("msg_signature", signature, encrypted)
            }
            None => ("signature", crypt::signature(vec![&target.token, &timestamp, &nonce]), echo.clone()),
        };
    let query = [(name, &signature), ("timestamp", &timestamp), ("nonce", &nonce), ("echostr", &sent)];
    let answer = sandbox
        .client()
        .get(&target.address)
        .query(&query)
        .timeout(sandbox.verification_patience(&target))
        .send()
        .await;
    match answer {
        Ok(answer) if answer.status() != reqwest::StatusCode::OK => false,
        Ok(answer) => answer.text().await.is_ok_and(|answer| answer == echo),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_platforms() {
        assert_eq!(crypt::signature(vec!["token", "1700000000", "12345"]), {
            sha1_smol::Sha1::from("123451700000000token").digest().to_string()
        });
    }

    #[test]
    fn what_is_sealed_opens_for_its_receiver_only() {
        let key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
        let sealed = crypt::seal(key, "wx1", "<xml>甲</xml>");
        assert_eq!(crypt::open(key, "wx1", &sealed).as_deref(), Some("<xml>甲</xml>"));
        assert_eq!(crypt::open(key, "wx2", &sealed), None);
    }
}
