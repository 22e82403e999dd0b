//! What people send to the official account beside text, and how the account's server gets at it.

use std::{collections::HashMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_DISPOSITION, ContentDisposition, DispositionParam, DispositionType},
    web,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{Passive, Which, element};
use crate::{
    Sandbox,
    answer::{Decision, Manner, Parameters, Refused, answer, refused},
    journal::{Content, Picture},
    state::State,
};

/// How long the platform holds what was sent.
const LIFETIME: TimeDelta = TimeDelta::days(3);
/// The phone sends no larger picture, and no longer voice note: a minute.
const PICTURE_BYTES: usize = 10 * 1024 * 1024;
const VOICE_BYTES: usize = 2 * 1024 * 1024;
/// Longest text of a message.
const TEXT_BYTES: usize = 2048;

/// What the platform holds for the account.
#[derive(Default)]
pub(crate) struct AccountMedia(HashMap<String, Held>);

#[derive(Clone)]
struct Held {
    /// To whom it was sent: the other account is not given it.
    account: Which,
    bytes: Arc<[u8]>,
    media_type: &'static str,
    received_at: DateTime<Utc>,
}

impl AccountMedia {
    fn hold(&mut self, account: Which, bytes: Arc<[u8]>, media_type: &'static str, now: DateTime<Utc>) -> String {
        self.0.retain(|_, held| now - held.received_at < LIFETIME);
        let id = format!("{}_{}", hex::encode(rand::random::<[u8; 16]>()), hex::encode(rand::random::<[u8; 16]>()));
        self.0.insert(id.clone(), Held { account, bytes, media_type, received_at: now });
        id
    }
}

/// What a person does in the chat with the official account.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AccountMessage {
    Text {
        text: String,
    },
    Image {
        /// Of the file, JPEG, PNG or GIF.
        base64: String,
    },
    Voice {
        /// Of the file, AMR.
        base64: String,
        /// What the platform understood, where the account has that switched on.
        #[serde(default)]
        recognition: Option<String>,
    },
    Location {
        latitude: f64,
        longitude: f64,
        /// What the map calls the place; may be empty.
        label: String,
    },
    Menu {
        /// The button's key.
        key: String,
    },
}

impl AccountMessage {
    /// A picture to be sent.
    #[must_use]
    pub fn image(bytes: &[u8]) -> Self {
        Self::Image { base64: STANDARD.encode(bytes) }
    }

    /// A voice note to be sent.
    #[must_use]
    pub fn voice(bytes: &[u8], recognition: Option<&str>) -> Self {
        Self::Voice { base64: STANDARD.encode(bytes), recognition: recognition.map(str::to_owned) }
    }

    /// What is pushed for it; what was sent is held from now on.
    pub(crate) fn of_phone(self, sandbox: &Sandbox, which: Which) -> Result<Passive, &'static str> {
        let now = sandbox.now();
        let state = &mut *sandbox.state();
        if which == Which::MiniProgram && !matches!(self, Self::Text { .. } | Self::Image { .. }) {
            return Err("小程序客服里只能发文字和图片");
        }
        match self {
            Self::Text { text } if text.trim().is_empty() || text.len() > TEXT_BYTES => {
                Err("消息要有 1 至 2048 个字节")
            }
            Self::Text { text } => Ok(Passive {
                subject: "text",
                parts: element("MsgType", "text") + &element("Content", &text),
                shown: Content::FromPhone { text },
            }),
            Self::Image { base64 } => image(state, which, &decoded(&base64)?, now),
            Self::Voice { base64, recognition } => voice(state, which, &decoded(&base64)?, recognition, now),
            Self::Location { latitude, longitude, label } => {
                if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
                    return Err("没有这样的经纬度");
                }
                let parts = format!(
                    "{}<Location_X>{latitude:.6}</Location_X><Location_Y>{longitude:.6}</Location_Y><Scale>16</Scale>{}",
                    element("MsgType", "location"),
                    element("Label", &label)
                );
                Ok(Passive { subject: "location", parts, shown: Content::LocationFromPhone { label } })
            }
            Self::Menu { key } => {
                let name = state.menu.button(&key).ok_or("菜单里没有这一项")?.name.clone();
                let parts = element("MsgType", "event") + &element("Event", "CLICK") + &element("EventKey", &key);
                Ok(Passive { subject: "CLICK", parts, shown: Content::MenuFromPhone { name } })
            }
        }
    }
}

fn decoded(base64: &str) -> Result<Vec<u8>, &'static str> {
    STANDARD.decode(base64).map_err(|_| "base64 读不出来")
}

fn image(state: &mut State, which: Which, bytes: &[u8], now: DateTime<Utc>) -> Result<Passive, &'static str> {
    let media_type = match bytes {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        _ => return Err("只能发 JPG、PNG、GIF 图片"),
    };
    if bytes.len() > PICTURE_BYTES {
        return Err("图片最大 10 MB");
    }
    let bytes: Arc<[u8]> = bytes.into();
    let media_id = state.account_media.hold(which, Arc::clone(&bytes), media_type, now);
    let address = format!("http://mmbiz.qpic.cn/mmbiz_jpg/{}/0", hex::encode(rand::random::<[u8; 16]>()));
    let parts = element("MsgType", "image") + &element("PicUrl", &address) + &element("MediaId", &media_id);
    Ok(Passive { subject: "image", parts, shown: Content::PictureFromPhone { picture: Picture { bytes, media_type } } })
}

fn voice(
    state: &mut State,
    which: Which,
    bytes: &[u8],
    recognition: Option<String>,
    now: DateTime<Utc>,
) -> Result<Passive, &'static str> {
    if !bytes.starts_with(b"#!AMR\n") {
        return Err("语音只能是 AMR");
    }
    if bytes.len() > VOICE_BYTES {
        return Err("语音最长一分钟");
    }
    let media_id = state.account_media.hold(which, bytes.into(), "audio/amr", now);
    let mut parts = element("MsgType", "voice") + &element("MediaId", &media_id) + &element("Format", "amr");
    if let Some(recognition) = recognition {
        parts += &element("Recognition", &recognition);
    }
    Ok(Passive { subject: "voice", parts, shown: Content::VoiceFromPhone { bytes: bytes.len() } })
}

/// The bytes, or JSON when there are none.
pub(super) async fn get(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let held = find(&sandbox.state(), &parameters, sandbox.now());
    match held {
        Ok(held) => {
            let name =
                format!("{}.{}", parameters.get("media_id"), held.media_type.rsplit('/').next().unwrap_or("bin"));
            let disposition = ContentDisposition {
                disposition: DispositionType::Attachment,
                parameters: vec![DispositionParam::Filename(name)],
            };
            let mut response = HttpResponse::Ok()
                .content_type(held.media_type)
                .insert_header((CONTENT_DISPOSITION, disposition))
                .body(held.bytes.to_vec());
            response.extensions_mut().insert(Decision(0));
            response
        }
        Err(refused) => answer(&Manner::Plain, Err(refused)),
    }
}

fn find(state: &State, parameters: &Parameters, now: DateTime<Utc>) -> Result<Held, Refused> {
    let caller = state.caller(parameters.get("access_token"), now)?;
    let id = parameters.get("media_id");
    if id.is_empty() {
        return refused(41006, "media_id missing");
    }
    match state.account_media.0.get(id) {
        Some(held) if now - held.received_at < LIFETIME && state.is_given(caller, held.account) => Ok(held.clone()),
        _ => refused(40007, "invalid media_id"),
    }
}
