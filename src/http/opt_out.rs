//! Whether a resident wants to be told what becomes of things: the same choice as 退订 and 订阅 in the chats.

use actix_web::{HttpResponse, get, put, web};
use qingfeng_core::{
    outbox::opt_outs,
    people::{
        Actor, Resident,
        authorization::{Action, Subject, may},
    },
    refusal::Refusal,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(opt_out).service(choose);
}

/// Whether I want no messages.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptOut {
    opted_out: bool,
}

/// Only residents choose: staff are told what they have to do.
fn choosing(actor: &Actor) -> Result<&Resident, Refusal> {
    let resident = actor.resident().ok_or_else(Refusal::forbidden)?;
    may(actor, Action::ChooseMessages, &Subject { county: Some(resident.county), ..Subject::default() })?;
    Ok(resident)
}

/// Whether I want no messages. My complaints go on all the same, and can be looked at.
#[utoipa::path(tag = "me", security(("access_token" = [])), responses(
    (status = 200, body = OptOut),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
#[get("/me/opt-out")]
async fn opt_out(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<OptOut>> {
    let resident = choosing(&person.actor)?;
    let opted_out = opt_outs::has_opted_out(&application.store, resident.id).await?;
    Ok(web::Json(OptOut { opted_out }))
}

/// Want no messages from now on, or want them again.
#[utoipa::path(tag = "me", security(("access_token" = [])), request_body = OptOut, responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[put("/me/opt-out")]
async fn choose(application: web::Data<Application>, person: SignedIn, input: Input<OptOut>) -> Answer<HttpResponse> {
    let resident = choosing(&person.actor)?;
    if input.value.opted_out {
        opt_outs::opt_out(&application.store, resident.county, resident.id).await?;
    } else {
        opt_outs::opt_in(&application.store, resident.id).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}
