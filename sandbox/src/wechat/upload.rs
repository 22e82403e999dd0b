//! Pictures that the account uploads before it sends them.

use std::{collections::HashMap, sync::Arc};

use actix_multipart::Multipart;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::{Content, Picture},
    wecom::{Upload, read},
};

const IMAGE_BYTES: usize = 10 * 1024 * 1024;
const THUMB_BYTES: usize = 64 * 1024;
const LIFETIME: TimeDelta = TimeDelta::days(3);

/// By media id.
#[derive(Default)]
pub(crate) struct Uploads(HashMap<String, (Picture, DateTime<Utc>)>);

impl Uploads {
    /// An uploaded picture that is not three days old.
    pub(super) fn picture(&self, media_id: &str, now: DateTime<Utc>) -> Result<Content, Refused> {
        match self.0.get(media_id).filter(|(_, at)| now - *at < LIFETIME) {
            Some((picture, _)) => Ok(Content::Image { picture: picture.clone() }),
            None => refused(40007, "invalid media_id"),
        }
    }
}

pub(super) async fn upload(request: HttpRequest, form: Multipart, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let result = match read(form).await {
        Ok(upload) => store(&sandbox, &parameters, &upload),
        Err(refused) => Err(refused),
    };
    answer(&Manner::CgiBin, result)
}

fn store(sandbox: &Sandbox, parameters: &Parameters, upload: &Upload) -> Result<Value, Refused> {
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    state.caller(parameters.get("access_token"), now)?;
    let kind = parameters.get("type");
    let limit = match kind {
        "image" => IMAGE_BYTES,
        "thumb" => THUMB_BYTES,
        _ => return refused(40004, "invalid media type"),
    };
    let media_type = match upload.bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] if kind == "image" => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        _ => return refused(40005, "invalid file type"),
    };
    if upload.bytes.len() > limit {
        return refused(40006, "invalid file size");
    }
    let media_id = hex::encode(rand::random::<[u8; 32]>());
    let picture = Picture { bytes: Arc::from(upload.bytes.as_slice()), media_type };
    state.uploads.0.retain(|_, (_, at)| now - *at < LIFETIME);
    state.uploads.0.insert(media_id.clone(), (picture, now));
    let name = if kind == "thumb" { "thumb_media_id" } else { "media_id" };
    Ok(json!({"type": kind, name: media_id, "created_at": now.timestamp()}))
}
