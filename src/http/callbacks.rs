//! Where the platforms push what people write. The talking itself is the bot's.

use actix_web::{HttpResponse, web};
use qingfeng_bot::conversations::{Conversations, LONGEST_PUSH, PushFault, Signature};
use serde::Deserialize;

use super::problem::Answer;
use crate::Application;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/callbacks/wechat")
            .app_data(web::PayloadConfig::new(LONGEST_PUSH))
            .route(web::get().to(verify))
            .route(web::post().to(push)),
    );
}

#[derive(Deserialize)]
struct Verification {
    #[serde(flatten)]
    signature: Signature,
    echostr: String,
}

fn conversations(application: &Application) -> Conversations {
    let (token, public_url) = (&application.config.wechat.callback_token, &application.config.http.public_url);
    Conversations::new(application.store.clone(), application.cache.clone(), token.clone(), public_url.clone())
}

async fn verify(application: web::Data<Application>, query: web::Query<Verification>) -> Answer<HttpResponse> {
    let Verification { signature, echostr } = query.into_inner();
    answered(conversations(&application).verify(&signature, echostr), "text/plain; charset=utf-8")
}

async fn push(
    application: web::Data<Application>,
    signature: web::Query<Signature>,
    body: web::Bytes,
) -> Answer<HttpResponse> {
    answered(conversations(&application).handle(&signature, &body).await, "text/xml; charset=utf-8")
}

/// The platform reads the status and the body only; what was wrong is nobody's business.
fn answered(result: Result<String, PushFault>, media_type: &str) -> Answer<HttpResponse> {
    match result {
        Ok(body) => Ok(HttpResponse::Ok().content_type(media_type).body(body)),
        Err(PushFault::Forged) => Ok(HttpResponse::Forbidden().finish()),
        Err(PushFault::Unreadable) => Ok(HttpResponse::BadRequest().finish()),
        Err(PushFault::Unavailable(fault)) => Err(fault.into()),
    }
}
