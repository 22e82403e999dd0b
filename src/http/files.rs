//! Photos: taken in as phones send them, given out in three sizes. Voice notes of the chat, as they came.

use actix_multipart::Multipart;
use actix_web::{HttpRequest, HttpResponse, get, http::header, post, web};
use futures::TryStreamExt as _;
use qingfeng_core::{
    campaigns,
    complaints::{entity::complaints, queries},
    evidence::{self, Limits, PhotoRefusal, Uploaded},
    ids::{ComplaintId, DutyId, FileId},
    people::{
        Actor,
        authorization::{Action, Subject, may},
    },
    refusal::{Fault, Refusal, RefusalKind},
    subject::SubjectKind,
};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::{Anyone, SignedIn},
    problem::{Answer, HttpFault, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(upload).service(show).service(recording);
}

/// A photo that was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct UploadedFile {
    id: FileId,
    /// Of the largest size, in pixels.
    width: i32,
    height: i32,
}

/// The form: one part named `photo`.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form for the document")]
pub struct PhotoForm {
    #[schema(value_type = String, format = Binary)]
    photo: Vec<u8>,
}

/// Take a photo in: JPEG, PNG or WebP, at most 15 MB and 50 megapixels. Place and device are removed.
#[utoipa::path(tag = "files", security(("access_token" = [])),
    request_body(content = PhotoForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = UploadedFile),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "`image_too_large`, `image_too_many_pixels`"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "`image_type_unsupported`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`image_broken`, `photo_missing`"),
        (status = 507, body = Problem, content_type = "application/problem+json", description = "`storage_full`"),
    ))]
#[post("/files")]
async fn upload(
    application: web::Data<Application>,
    person: SignedIn,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer<HttpResponse> {
    let bytes = photo_of(Multipart::new(request.headers(), payload)).await?;
    let Uploaded { id, width, height } =
        evidence::upload(&application.store, &application.darkroom, &person.actor, bytes).await?;
    Ok(HttpResponse::Created().json(UploadedFile { id, width, height }))
}

async fn photo_of(mut form: Multipart) -> Result<Vec<u8>, HttpFault> {
    let missing = || Refusal::new(RefusalKind::BadInput, "photo_missing", "没有收到照片，请重新选择。");
    let unreadable = |_| Refusal::new(RefusalKind::BadInput, "body_unreadable", "照片没有传完整，请重新上传。");
    while let Some(mut field) = form.try_next().await.map_err(unreadable)? {
        if field.name() != Some("photo") {
            continue;
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = field.try_next().await.map_err(unreadable)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > Limits::default().bytes {
                return Err(Fault::refused(PhotoRefusal::TooManyBytes).into());
            }
        }
        return if bytes.is_empty() { Err(missing().into()) } else { Ok(bytes) };
    }
    Err(missing().into())
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Size {
    List,
    View,
    Print,
}

/// A photo in one of its sizes.
#[utoipa::path(tag = "files", security((), ("access_token" = [])),
    params(("id" = FileId, Path), ("size" = String, Path, description = "`list`, `view` or `print`")),
    responses(
        (status = 200, content_type = "image/jpeg"),
        (status = 304),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ))]
#[get("/files/{id}/{size}")]
async fn show(
    application: web::Data<Application>,
    person: Anyone,
    path: web::Path<(FileId, Size)>,
    request: HttpRequest,
) -> Answer<HttpResponse> {
    let (id, size) = *path;
    let (file, attached) = evidence::read(&application.store, id).await?;
    let is_public = match &attached {
        Some(attachment) if attachment.purpose.is_public() => true,
        Some(attachment) => {
            may_see(&application, &person.0, attachment).await?;
            false
        }
        None => {
            let viewer = match &person.0 {
                Actor::Resident(resident) => Some(resident.id.0),
                Actor::Staff(staff) => Some(staff.id.0),
                _ => None,
            };
            if file.uploader_id.is_none() || file.uploader_id != viewer {
                return Err(Refusal::not_found().into());
            }
            false
        }
    };
    let digest = match size {
        Size::List => &file.list_digest,
        Size::View => &file.view_digest,
        Size::Print => &file.print_digest,
    };
    let etag = format!("\"{digest}\"");
    let keep = if is_public { "public, max-age=31536000, immutable" } else { "private, no-cache" };
    if request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish());
    }
    let bytes = application.darkroom.files().get(digest).await?.ok_or_else(|| Fault::unavailable("a file is gone"))?;
    Ok(HttpResponse::Ok()
        .content_type("image/jpeg")
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, keep))
        .body(bytes))
}

/// A voice note, as it was spoken (AMR): for the resident who sent it, and for staff who may see its complaint.
#[utoipa::path(tag = "files", security(("access_token" = [])), params(("id" = FileId, Path)), responses(
    (status = 200, content_type = "audio/amr"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/recordings/{id}")]
async fn recording(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<FileId>,
) -> Answer<HttpResponse> {
    let recording = evidence::recording(&application.store, *id).await?;
    let connection = application.store.reader();
    let subject = recording.subject(&subject_of(connection, recording.complaint_id).await?);
    may(&person.actor, Action::ViewComplaint, &subject)?;
    let bytes = application.darkroom.files().get(&recording.digest).await?;
    let bytes = bytes.ok_or_else(|| Fault::unavailable("a file is gone"))?;
    Ok(HttpResponse::Ok()
        .content_type("audio/amr")
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .body(bytes))
}

async fn may_see_complaint(connection: &impl ConnectionTrait, actor: &Actor, id: ComplaintId) -> Result<(), Fault> {
    let subject = subject_of(connection, id).await?;
    Ok(may(actor, Action::ViewComplaint, &subject)?)
}

async fn subject_of(connection: &impl ConnectionTrait, id: ComplaintId) -> Result<Subject, Fault> {
    let complaint = complaints::Entity::find_by_id(id).one(connection).await?.ok_or_else(Refusal::not_found)?;
    queries::subject_of(connection, &complaint).await
}

async fn may_see(
    application: &Application,
    actor: &Actor,
    attachment: &evidence::entity::attachments::Model,
) -> Result<(), Fault> {
    let connection = application.store.reader();
    match attachment.subject_kind {
        SubjectKind::Complaint => may_see_complaint(connection, actor, ComplaintId(attachment.subject_id)).await,
        SubjectKind::Duty => {
            // That there is such a photo is nobody else's business either.
            match campaigns::queries::duty(&application.store, actor, DutyId(attachment.subject_id)).await {
                Err(Fault::Refused(_)) => Err(Refusal::not_found().into()),
                seen => seen.map(|_| ()),
            }
        }
        _ => Err(Refusal::not_found().into()),
    }
}
