//! Files that the application uploads before it sends them.

use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::robot_upload::{Media, Upload, read};
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
};

const LEAST_BYTES: usize = 6;
const VOICE_BYTES: usize = 2 * 1024 * 1024;
const VIDEO_BYTES: usize = 10 * 1024 * 1024;
const FILE_BYTES: usize = 20 * 1024 * 1024;

pub(super) async fn upload(request: HttpRequest, form: Multipart, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let result = match read(form).await {
        Ok(upload) => store(&sandbox, &parameters, upload),
        Err(refused) => Err(refused),
    };
    answer(&Manner::WeCom, result)
}

fn store(sandbox: &Sandbox, parameters: &Parameters, upload: Upload) -> Result<Value, Refused> {
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    state.wecom_app.check(parameters.get("access_token"), now)?;
    let kind = parameters.get("type");
    let (kind, limit) = match kind {
        "image" => ("image", state.limits.image_bytes),
        "voice" => ("voice", VOICE_BYTES),
        "video" => ("video", VIDEO_BYTES),
        "file" => ("file", FILE_BYTES),
        _ => return refused(40004, "invalid media type"),
    };
    if upload.bytes.len() < LEAST_BYTES || upload.bytes.len() > limit {
        return refused(45001, "media size out of limit");
    }
    let is_picture = upload.bytes.starts_with(&[0xff, 0xd8]) || upload.bytes.starts_with(b"\x89PNG");
    if kind == "image" && !is_picture {
        return refused(40009, "invalid image size");
    }
    if kind == "voice" && !upload.bytes.starts_with(b"#!AMR") {
        return refused(40004, "invalid media type");
    }
    let media_id = format!("3{}", hex::encode(rand::random::<[u8; 24]>()));
    let media = Media::of_the_application(kind, upload.name, upload.bytes.len(), now);
    state.media.insert(media_id.clone(), Arc::new(media));
    Ok(json!({
        "errcode": 0, "errmsg": "ok", "type": kind, "media_id": media_id, "created_at": now.timestamp().to_string()
    }))
}
