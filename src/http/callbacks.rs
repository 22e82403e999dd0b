//! Where the platforms push what people write and what happened. Checking, opening and answering are the bot's.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use qingfeng_bot::{
    callbacks::{Callback, PushAgreement, PushPlatform, PushQuery},
    conversations::{Conversations, LONGEST_PUSH, PushFault},
};

use super::problem::Answer;
use crate::Application;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    // Encrypted, a push is a third longer, and has an envelope.
    let longest = || web::PayloadConfig::new(LONGEST_PUSH * 2);
    let addresses = [
        ("/callbacks/wechat", PushPlatform::MiniProgram),
        ("/callbacks/official-account", PushPlatform::OfficialAccount),
        ("/callbacks/wecom", PushPlatform::WeCom),
        ("/callbacks/wecom-robot", PushPlatform::WeComRobot),
    ];
    for (address, platform) in addresses {
        config.service(
            web::resource(address)
                .app_data(longest())
                .route(web::get().to(move |application, query| verify(application, query, platform)))
                .route(web::post().to(move |application, query, body| push(application, query, body, platform))),
        );
    }
}

/// None where there is no such account: then nobody can push for it.
fn agreement(application: &Application, platform: PushPlatform) -> Option<&PushAgreement> {
    match platform {
        PushPlatform::MiniProgram => Some(&application.wechat_pushes),
        PushPlatform::OfficialAccount => application.official_pushes.as_ref(),
        PushPlatform::WeCom => Some(&application.wecom_pushes),
        PushPlatform::WeComRobot => Some(&application.robot_pushes),
    }
}

fn conversations(application: &Application) -> Conversations {
    Conversations {
        store: application.store.clone(),
        cache: application.cache.clone(),
        sealer: application.sealer.clone(),
        paper_codes: application.paper_codes.clone(),
        accounts: Arc::clone(&application.wechat_accounts),
        public_url: application.config.http.public_url.clone(),
    }
}

async fn verify(
    application: web::Data<Application>,
    query: web::Query<PushQuery>,
    platform: PushPlatform,
) -> Answer<HttpResponse> {
    let Some(agreement) = agreement(&application, platform) else { return answered(Err(PushFault::Forged)) };
    let conversations = conversations(&application);
    let callback =
        Callback { platform, agreement, conversations: &conversations, randomness: application.store.randomness() };
    answered(callback.verify(&query))
}

async fn push(
    application: web::Data<Application>,
    query: web::Query<PushQuery>,
    body: web::Bytes,
    platform: PushPlatform,
) -> Answer<HttpResponse> {
    let Some(agreement) = agreement(&application, platform) else { return answered(Err(PushFault::Forged)) };
    let conversations = conversations(&application);
    let callback =
        Callback { platform, agreement, conversations: &conversations, randomness: application.store.randomness() };
    answered(callback.handle(&query, &body).await)
}

/// The platform reads the status and the body only; what was wrong is nobody's business.
fn answered(result: Result<String, PushFault>) -> Answer<HttpResponse> {
    match result {
        Ok(body) => {
            let media_type = match body.as_bytes().first() {
                Some(b'<') => "text/xml; charset=utf-8",
                Some(b'{') => "application/json; charset=utf-8",
                _ => "text/plain; charset=utf-8",
            };
            Ok(HttpResponse::Ok().content_type(media_type).body(body))
        }
        Err(PushFault::Forged) => Ok(HttpResponse::Forbidden().finish()),
        Err(PushFault::Unreadable) => Ok(HttpResponse::BadRequest().finish()),
        Err(PushFault::Unavailable(fault)) => Err(fault.into()),
    }
}
