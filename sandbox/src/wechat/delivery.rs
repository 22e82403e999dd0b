//! How a push gets to the account's server: signed, encrypted anew each time, delivered again without an answer, and
//! what a trial puts in its way.

use std::pin::pin;

use serde_json::{Value, json};

use super::{
    push::{PushManner, PushOutcome, Target},
    xml::{element, fields, text_reply},
};
use crate::{
    Sandbox, crypt,
    journal::{Platform, Push, PushResult},
    push_faults::{PushFaultKind, Tampering},
};

/// A server's answer longer than this is malformed.
const ANSWER_BYTES: usize = 64 * 1024;

pub(super) async fn push_to(
    sandbox: &Sandbox,
    target: Option<Target>,
    person: &str,
    subject: &str,
    body: &str,
) -> PushOutcome {
    let Some(target) = target else { return PushOutcome::NotConfigured };
    let meet = |of_kind| sandbox.state().push_faults.meet(target.platform(), subject, of_kind);
    {
        let mut another = pin!(sandbox.arrivals().notified());
        another.as_mut().enable();
        if meet(|kind| kind == PushFaultKind::Held).is_some() {
            another.await;
        }
    }
    let mut outcome = PushOutcome::Failed;
    let mut number = 0;
    for _ in 0..sandbox.push_deliveries() {
        number += 1;
        let tampering = match meet(|kind| matches!(kind, PushFaultKind::Tampered { .. })) {
            Some(PushFaultKind::Tampered { part }) => Some(part),
            _ => None,
        };
        let (result, settled) = deliver(sandbox, &target, person, body, tampering).await;
        note(sandbox, person, subject, number, result);
        if let Some(settled) = settled {
            outcome = settled;
            break;
        }
    }
    while outcome != PushOutcome::Failed && meet(|kind| kind == PushFaultKind::Duplicate).is_some() {
        number += 1;
        let (result, _) = deliver(sandbox, &target, person, body, None).await;
        note(sandbox, person, subject, number, result);
    }
    sandbox.arrivals().notify_waiters();
    outcome
}

fn note(sandbox: &Sandbox, person: &str, subject: &str, delivery: u32, result: PushResult) {
    let at = sandbox.now();
    let (openid, subject) = (person.to_owned(), subject.to_owned());
    sandbox.state().journal.push(Push { at, openid, subject, delivery, result });
}

impl Target {
    fn platform(&self) -> Platform {
        match self.manner {
            PushManner::Account | PushManner::Compatible => Platform::WeChat,
            PushManner::Corporation { .. } | PushManner::SmartRobot => Platform::WeCom,
        }
    }
}

/// What is sent: query and body.
type Request = (Vec<(&'static str, String)>, String);

fn request(target: &Target, person: &str, body: &str, timestamp: String, tampering: Option<Tampering>) -> Request {
    let nonce = u32::from_be_bytes(rand::random()).to_string();
    let at_wecom = matches!(target.manner, PushManner::Corporation { .. });
    let spoiled = |signature: String, spoil: bool| if spoil { signature.chars().rev().collect() } else { signature };
    let forged = tampering == Some(Tampering::Signature);
    let mut query = Vec::new();
    if !at_wecom {
        let plain = crypt::signature(vec![&target.token, &timestamp, &nonce]);
        query.push(("signature", spoiled(plain, forged && target.key.is_none())));
        query.push(("openid", person.to_owned()));
    }
    let mut sent = body.to_owned();
    if let Some(key) = target.key.as_ref().filter(|_| tampering != Some(Tampering::Plain)) {
        let flaw = tampering.and_then(Tampering::flaw);
        let mut encrypted = crypt::seal_with(key, &target.receiver, body, flaw);
        let signature = crypt::signature(vec![&target.token, &timestamp, &nonce, &encrypted]);
        if tampering == Some(Tampering::Ciphertext) {
            let other = if encrypted.starts_with('A') { "B" } else { "A" };
            encrypted.replace_range(..1, other);
        }
        if !at_wecom {
            query.push(("encrypt_type", "aes".to_owned()));
        }
        query.push(("msg_signature", spoiled(signature, forged)));
        sent = envelope(target, body, &encrypted);
    }
    query.extend([("timestamp", timestamp), ("nonce", nonce)]);
    (query, sent)
}

fn envelope(target: &Target, body: &str, encrypted: &str) -> String {
    let message = (target.manner == PushManner::Compatible).then_some(body);
    if body.starts_with('{') {
        let clear = message.and_then(|body| serde_json::from_str(body).ok());
        let mut envelope: Value = clear.unwrap_or_else(|| json!({"ToUserName": target.own_name}));
        envelope["Encrypt"] = encrypted.into();
        return envelope.to_string();
    }
    let agent = match target.manner {
        PushManner::Corporation { agent } => format!("<AgentID>{agent}</AgentID>"),
        PushManner::Account | PushManner::Compatible | PushManner::SmartRobot => String::new(),
    };
    let clear = message.and_then(|body| body.strip_prefix("<xml>")?.strip_suffix("</xml>"));
    let clear = clear.map_or_else(|| element("ToUserName", &target.own_name), str::to_owned);
    format!("<xml>{clear}{agent}{}</xml>", element("Encrypt", encrypted))
}

/// One delivery. Only the status 200 settles it; without an outcome the platform delivers again.
async fn deliver(
    sandbox: &Sandbox,
    target: &Target,
    person: &str,
    body: &str,
    tampering: Option<Tampering>,
) -> (PushResult, Option<PushOutcome>) {
    let (query, sent) = request(target, person, body, sandbox.now().timestamp().to_string(), tampering);
    let answer = sandbox
        .client()
        .post(&target.address)
        .query(&query)
        .header("content-type", if body.starts_with('{') { "application/json" } else { "text/xml" })
        .body(sent)
        .timeout(sandbox.push_patience())
        .send()
        .await;
    let response = match answer {
        Ok(response) if response.status() == reqwest::StatusCode::OK => response,
        Ok(response) => return (PushResult::Status(response.status().as_u16()), None),
        Err(_) => return (PushResult::NoAnswer, None),
    };
    let Ok(answer) = response.bytes().await else { return (PushResult::NoAnswer, None) };
    let text = std::str::from_utf8(&answer).unwrap_or("\u{fffd}").trim();
    if text.is_empty() || text == "success" {
        return (PushResult::Handled, Some(PushOutcome::Handled));
    }
    let opened = match &target.key {
        Some(key) => opened(text, target, key).or_else(|| {
            // Who changes from plain to encrypted may still answer in the clear.
            (target.manner == PushManner::Compatible).then(|| text.to_owned())
        }),
        None => Some(text.to_owned()),
    };
    let reply = opened
        .filter(|_| target.takes_replies && answer.len() <= ANSWER_BYTES)
        .and_then(|text| text_reply(&text, person, &target.own_name));
    match reply {
        Some(reply) => (PushResult::Replied, Some(PushOutcome::Replied(reply))),
        None => (PushResult::Malformed, Some(PushOutcome::Failed)),
    }
}

/// What stands in an encrypted answer; a plain one is malformed.
fn opened(text: &str, target: &Target, key: &str) -> Option<String> {
    let fields = fields(text)?;
    let field = |name: &str| fields.get(name).map(|text| text.trim());
    let (encrypted, timestamp, nonce) = (field("Encrypt")?, field("TimeStamp")?, field("Nonce")?);
    let signature = crypt::signature(vec![&target.token, timestamp, nonce, encrypted]);
    (field("MsgSignature")? == signature).then(|| crypt::open(key, &target.receiver, encrypted))?
}
