//! The session between a mini-program and a person: the key that signs and encrypts what the phone hands over.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use aes::cipher::{BlockEncryptMut as _, KeyIvInit as _, block_padding::Pkcs7};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::mini_program::call;
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    state::State,
};

/// How long the platform knows what it encrypted.
const REMEMBERED: TimeDelta = TimeDelta::days(3);

/// The newest key of each person, and what was encrypted lately.
#[derive(Default)]
pub(crate) struct Sessions {
    keys: HashMap<String, String>,
    encrypted: HashMap<String, DateTime<Utc>>,
}

/// What the phone hands to the mini-program in the older way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedData {
    pub encrypted_data: String,
    pub iv: String,
}

impl Sessions {
    /// A new key; the former one is worth nothing any more.
    pub(super) fn begin(&mut self, openid: &str) -> String {
        let key = STANDARD.encode(rand::random::<[u8; 16]>());
        self.keys.insert(openid.to_owned(), key.clone());
        key
    }

    pub(crate) fn end(&mut self, openid: &str) {
        self.keys.remove(openid);
    }

    /// Encrypted with the newest key; none without a session.
    pub(crate) fn encrypt(&mut self, openid: &str, message: &Value, now: DateTime<Utc>) -> Option<EncryptedData> {
        let key: [u8; 16] = STANDARD.decode(self.keys.get(openid)?).ok()?.try_into().ok()?;
        let iv: [u8; 16] = rand::random();
        let cipher = cbc::Encryptor::<aes::Aes128>::new(&key.into(), &iv.into());
        let encrypted_data = STANDARD.encode(cipher.encrypt_padded_vec_mut::<Pkcs7>(message.to_string().as_bytes()));
        self.encrypted.insert(hex::encode(Sha256::digest(encrypted_data.as_bytes())), now);
        Some(EncryptedData { encrypted_data, iv: STANDARD.encode(iv) })
    }

    /// The platform's key is the text of the session key, not the bytes that it stands for.
    /// `without` is the code for who has no session.
    fn check(&self, parameters: &Parameters, without: i64) -> Result<String, Refused> {
        let openid = parameters.get("openid");
        if openid.is_empty() || parameters.get("signature").is_empty() {
            return refused(40097, "invalid args");
        }
        if parameters.get("sig_method") != "hmac_sha256" {
            return refused(87008, "invalid sig_method");
        }
        let Some(key) = self.keys.get(openid) else { return refused(without, "no session, or it is expired") };
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
        if hex::encode(mac.finalize().into_bytes()) != parameters.get("signature") {
            return refused(87009, "invalid signature");
        }
        Ok(openid.to_owned())
    }
}

fn checked(
    request: &HttpRequest,
    sandbox: &Sandbox,
    without: i64,
    work: impl FnOnce(&mut State, String) -> Value,
) -> HttpResponse {
    let parameters = Parameters::of(request);
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    let result = state
        .only_mini_program(parameters.get("access_token"), now)
        .and_then(|()| state.sessions.check(&parameters, without));
    answer(&Manner::CgiBin, result.map(|openid| work(state, openid)))
}

pub(super) async fn check(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    // Without a session no signature can be right.
    checked(&request, &sandbox, 87009, |_, _| json!({"errcode": 0, "errmsg": "ok"}))
}

pub(super) async fn reset(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    checked(&request, &sandbox, 87007, |state, openid| {
        let key = state.sessions.begin(&openid);
        json!({"errcode": 0, "errmsg": "ok", "openid": openid, "session_key": key})
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageHash {
    #[serde(default)]
    encrypted_msg_hash: String,
}

/// The answer's field is really spelled like that.
pub(super) async fn check_encrypted(
    request: HttpRequest,
    body: web::Bytes,
    sandbox: web::Data<Sandbox>,
) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |state, MessageHash { encrypted_msg_hash: hash }, now| {
        if hash.is_empty() {
            return refused(44002, "empty post data");
        }
        if hash.len() != 64 || !hash.bytes().all(|letter| letter.is_ascii_hexdigit()) {
            return refused(40097, "invalid args");
        }
        match state.sessions.encrypted.get(&hash.to_lowercase()).filter(|at| now - **at < REMEMBERED) {
            Some(at) => Ok(json!({"errcode": 0, "errmsg": "ok", "vaild": true, "create_time": at.timestamp()})),
            None => refused(1, "encrypted message not found"),
        }
    });
    answer(&Manner::CgiBin, result)
}
