//! Files that a robot uploads before it sends them.

use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::Content,
    state::State,
};

/// More than five bytes …
const LEAST_BYTES: usize = 6;
/// … and at most 20 MB for a file, 2 MB for a voice message.
const FILE_BYTES: usize = 20 * 1024 * 1024;
const VOICE_BYTES: usize = 2 * 1024 * 1024;
/// How long a file may be sent.
const LIFETIME: TimeDelta = TimeDelta::days(3);

/// An uploaded file. Only its description is kept: nobody can open it here.
pub(crate) struct Media {
    robot: String,
    /// `image`, `voice`, `video` or `file`.
    kind: &'static str,
    pub(crate) name: String,
    pub(crate) bytes: usize,
    uploaded_at: DateTime<Utc>,
}

impl Media {
    /// Of an application: whatever the corporation sends may use it.
    pub(super) fn of_the_application(
        kind: &'static str,
        name: String,
        bytes: usize,
        uploaded_at: DateTime<Utc>,
    ) -> Self {
        Self { robot: String::new(), kind, name, bytes, uploaded_at }
    }

    /// Only the robot that uploaded it may send it, for three days.
    fn may_be_sent(&self, robot: &str, now: DateTime<Utc>) -> bool {
        self.robot == robot && now - self.uploaded_at < LIFETIME
    }
}

/// What stands in the chat for an uploaded file of this kind; `robot` is empty for the application.
pub(super) fn uploaded(
    state: &State,
    media_id: &str,
    robot: &str,
    kind: &str,
    now: DateTime<Utc>,
) -> Result<Content, Refused> {
    let usable = |media: &&Arc<Media>| media.kind == kind && media.may_be_sent(robot, now);
    let Some(media) = state.media.get(media_id).filter(usable) else {
        return refused(40007, "invalid media_id");
    };
    Ok(match media.kind {
        "voice" => Content::Attachment { what: "语音", name: media.name.clone() },
        "video" => Content::Attachment { what: "视频", name: media.name.clone() },
        _ => Content::File { name: media.name.clone(), bytes: media.bytes },
    })
}

pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

pub(super) async fn upload(request: HttpRequest, form: Multipart, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let result = match read(form).await {
        Ok(upload) => store(&sandbox, &parameters, upload),
        Err(refused) => Err(refused),
    };
    answer(&Manner::WeCom, result)
}

/// The part named `media`. The platform looks at it before it looks at the key.
pub(crate) async fn read(mut form: Multipart) -> Result<Upload, Refused> {
    let empty = || refused(44001, "empty media data");
    while let Ok(Some(mut field)) = form.try_next().await {
        if field.name() != Some("media") {
            continue;
        }
        let name = field.content_disposition().and_then(|header| header.get_filename()).unwrap_or_default().to_owned();
        let mut bytes = Vec::new();
        while let Ok(Some(chunk)) = field.try_next().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > FILE_BYTES {
                return refused(45001, "media size out of limit");
            }
        }
        return if bytes.is_empty() || name.is_empty() { empty() } else { Ok(Upload { name, bytes }) };
    }
    empty()
}

fn store(sandbox: &Sandbox, parameters: &Parameters, upload: Upload) -> Result<Value, Refused> {
    let kind = parameters.get("type");
    let (kind, limit) = match kind {
        "file" => ("file", FILE_BYTES),
        "voice" => ("voice", VOICE_BYTES),
        _ => return refused(40004, "invalid media type"),
    };
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    let key = parameters.get("key");
    if !state.groups.contains_key(key) {
        return refused(93000, "invalid webhook url");
    }
    if upload.bytes.len() < LEAST_BYTES || upload.bytes.len() > limit {
        return refused(45001, "media size out of limit");
    }
    if kind == "voice" && !upload.bytes.starts_with(b"#!AMR") {
        return refused(40004, "invalid media type");
    }
    let media_id = format!("3{}", hex::encode(rand::random::<[u8; 24]>()));
    let media = Media { robot: key.to_owned(), kind, name: upload.name, bytes: upload.bytes.len(), uploaded_at: now };
    state.media.retain(|_, media| now - media.uploaded_at < LIFETIME);
    state.media.insert(media_id.clone(), Arc::new(media));
    Ok(json!({
        "errcode": 0, "errmsg": "ok", "type": kind, "media_id": media_id, "created_at": now.timestamp().to_string()
    }))
}
