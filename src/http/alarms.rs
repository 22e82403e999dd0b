//! What keeps messages from leaving, for whoever runs the platform.

use actix_web::{get, post, web};
use qingfeng_bot::{
    alarms::{self, Alarm},
    callbacks,
};
use qingfeng_core::{ids::EntryId, outbox::template_stops};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{
    act::act,
    authentication::SignedIn,
    complaints::Nothing,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(resume_template).service(retry_event);
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Alarms {
    items: Vec<Alarm>,
}

/// What does not work, each until it works again.
#[utoipa::path(tag = "alarms", security(("access_token" = [])), responses(
    (status = 200, body = Alarms),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
#[get("/alarms")]
async fn list(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<Alarms>> {
    Ok(web::Json(Alarms { items: alarms::open(&application.store, &person.actor).await? }))
}

act!(
    /// Let a template be used again; what waited for it is sent.
    resume_template, "alarms", EntryId, "/alarms/templates/{id}/resumption", Nothing, "resume_template",
    |application, command, county, id, _value| template_stops::resume(&application.store, &command, county, id)
);

act!(
    /// Try an event again that was given up.
    retry_event, "alarms", Uuid, "/alarms/events/{id}/retrial", Nothing, "retry_event",
    |application, command, county, id, _value| callbacks::try_again(&application.store, &command, county, id)
);
