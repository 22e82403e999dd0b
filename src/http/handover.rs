//! From the platform's page to the co-signer's, signed in: a code that is good once and for a minute.

use std::time::Duration;

use actix_web::{post, web};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use qingfeng_core::{
    ids::{CountyId, ResidentId},
    people::{PersonKind, sessions::Person},
    refusal::{Fault, Refusal, RefusalKind},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    input::Input,
    problem::{Answer, Problem},
    sign_in::{Tokens, begin},
};
use crate::Application;

const CODE_LASTS: Duration = Duration::from_secs(60);
/// What it is sealed as that stands behind a code: who goes to the co-signer's page is not written down.
const PURPOSE: &str = "handover";

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(hand_over).service(take_over);
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HandoverCode {
    /// Good once, for a minute.
    code: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoverSignIn {
    code: String,
}

#[derive(Serialize, Deserialize)]
struct Waiting {
    county: CountyId,
    resident: ResidentId,
}

fn key(code: &str) -> String {
    format!("handover:{code}")
}

/// A code with which this resident signs in on the co-signer's page.
#[utoipa::path(tag = "sign-in", security(("access_token" = [])), responses(
    (status = 200, body = HandoverCode),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
#[post("/me/handover")]
async fn hand_over(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<HandoverCode>> {
    let resident = person.actor.resident().ok_or_else(Refusal::forbidden)?;
    let code = URL_SAFE_NO_PAD.encode(application.store.randomness().bytes::<24>());
    let waiting = Waiting { county: resident.county, resident: resident.id };
    let waiting = serde_json::to_vec(&waiting).map_err(Fault::unavailable)?;
    let waiting = application.sealer.seal(PURPOSE, &waiting, application.store.randomness());
    application.cache.set(&key(&code), &waiting, CODE_LASTS).await?;
    Ok(web::Json(HandoverCode { code }))
}

/// Sign in with a code that the platform's page has handed over.
#[utoipa::path(tag = "sign-in", request_body = HandoverSignIn, responses(
    (status = 200, body = Tokens),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`handover_invalid`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sign-in/handover")]
async fn take_over(application: web::Data<Application>, input: Input<HandoverSignIn>) -> Answer<web::Json<Tokens>> {
    let code = &input.value.code;
    let invalid =
        || Refusal::new(RefusalKind::Unauthenticated, "handover_invalid", "链接已失效，请回到原来的页面再点一次。");
    if !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) || code.len() > 64 {
        return Err(invalid().into());
    }
    let waiting = application.cache.get(&key(code)).await?.ok_or_else(invalid)?;
    // Of two who come with the same code, one has it.
    if !application.cache.remove_if(&key(code), &waiting).await? {
        return Err(invalid().into());
    }
    let waiting = application.sealer.open(PURPOSE, &waiting).map_err(|_| invalid())?;
    let Waiting { county, resident } = serde_json::from_slice(&waiting).map_err(Fault::unavailable)?;
    let person = Person { county, kind: PersonKind::Resident, id: resident.0 };
    Ok(web::Json(begin(&application, person).await?))
}
