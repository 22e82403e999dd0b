//! Answers to a date: I know; not mine.

use actix_web::post;
use qingfeng_core::{acknowledgements, ids::DeadlineId};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{act::act, complaints::Nothing, problem::Problem};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(acknowledge).service(dispute);
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// Why it is not mine.
    reason: String,
}

act!(
    /// Say that I know of the date: nothing reminds me ahead of it any more.
    acknowledge, "deadlines", DeadlineId, "/deadlines/{id}/acknowledgement", Nothing, "acknowledge_deadline",
    |application, command, county, id, _value| acknowledgements::known(&application.store, &command, county, id)
);

act!(
    /// Say that it is not mine: a complaint goes back to the office, of anything else the office is told.
    dispute, "deadlines", DeadlineId, "/deadlines/{id}/objection", Objection, "dispute_deadline",
    |application, command, county, id, value|
        acknowledgements::not_mine(&application.store, &command, county, id, &value.reason)
);
