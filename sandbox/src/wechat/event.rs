//! Events that carry fields of their own beside the common ones.

use serde_json::{Value, json};

use super::{
    Which, element,
    push::{PushOutcome, envelope, push},
};
use crate::{Sandbox, settings::EventFormat};

/// Pushes an event with the fields of this object, in the account's format; the openid is this account's.
pub(crate) async fn push_object(
    sandbox: &Sandbox,
    which: Which,
    openid: &str,
    name: &str,
    fields: &Value,
) -> PushOutcome {
    let account = sandbox.state().account_of(which).clone();
    let at = sandbox.now().timestamp();
    let body = match account.event_format {
        EventFormat::Xml => {
            let parts = format!("{}{}{}", element("MsgType", "event"), element("Event", name), xml(fields));
            envelope(&account, openid, at, &parts)
        }
        EventFormat::Json => {
            let mut event = json!({
                "ToUserName": account.original_id, "FromUserName": openid, "CreateTime": at,
                "MsgType": "event", "Event": name,
            });
            for (field, value) in fields.as_object().into_iter().flatten() {
                event[field] = value.clone();
            }
            event.to_string()
        }
    };
    push(sandbox, which, openid, name, &body).await
}

/// The fields as elements; one of several values comes once for each.
fn xml(fields: &Value) -> String {
    let one = |name: &str, value: &Value| match value {
        Value::String(text) => element(name, text),
        Value::Object(_) => format!("<{name}>{}</{name}>", xml(value)),
        _ => format!("<{name}>{value}</{name}>"),
    };
    let field = |(name, value): (&String, &Value)| match value {
        Value::Array(values) => values.iter().map(|value| one(name, value)).collect(),
        value => one(name, value),
    };
    fields.as_object().into_iter().flatten().map(field).collect::<String>()
}
