//! Staff sign in through WeCom.

use actix_web::{post, web};
use qingfeng_core::people::sign_in;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    complaints::Nothing,
    input::Input,
    problem::{Answer, Problem},
    sign_in::{Tokens, begin},
};
use crate::{Application, wecom_binding};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(depart).service(arrive);
}

/// Where the browser goes, and what it has to show when it comes back.
#[derive(Debug, Serialize, ToSchema)]
pub struct WeComDeparture {
    address: String,
    /// To be kept by this browser.
    proof: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WeComArrival {
    /// Both from the address with which the platform sent the browser back.
    code: String,
    state: String,
    proof: String,
}

/// Either tokens, or — for a member of the corporation whose account is not known yet — a ticket for binding it with the
/// next sign-in by password.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum WeComAnswer {
    SignedIn(Tokens),
    BindingNeeded {
        /// Good for ten minutes, together with the proof of this arrival.
        ticket: String,
        /// What WeCom calls the member who would be bound.
        member: String,
    },
}

/// Begin to sign in through WeCom.
#[utoipa::path(tag = "sign-in", request_body = Nothing, responses(
    (status = 200, body = WeComDeparture),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`wecom_not_used`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sign-in/wecom/departure")]
async fn depart(application: web::Data<Application>, _input: Input<Nothing>) -> Answer<web::Json<WeComDeparture>> {
    let store = &application.store;
    let departure = application.wecom_login.begin(&*application.cache, store.randomness()).await?;
    Ok(web::Json(WeComDeparture { address: departure.address, proof: departure.proof }))
}

/// Come back from WeCom.
#[utoipa::path(tag = "sign-in", request_body = WeComArrival, responses(
    (status = 200, body = WeComAnswer),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`login_expired`, `code_invalid`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`not_staff`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`wecom_not_used`"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sign-in/wecom")]
async fn arrive(application: web::Data<Application>, input: Input<WeComArrival>) -> Answer<web::Json<WeComAnswer>> {
    let WeComArrival { code, state, proof } = &input.value;
    let user_id = application.wecom_login.arrive(&*application.cache, code, state, proof).await?;
    if let Some(person) = sign_in::staff_at_wecom(&application.store, &user_id).await? {
        return Ok(web::Json(WeComAnswer::SignedIn(begin(&application, person).await?)));
    }
    let (cache, randomness) = (&*application.cache, application.store.randomness());
    let ticket = wecom_binding::issue(cache, &application.sealer, randomness, &user_id, proof).await?;
    Ok(web::Json(WeComAnswer::BindingNeeded { ticket, member: user_id }))
}
