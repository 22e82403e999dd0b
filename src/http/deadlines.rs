//! Answers to a date: I know; not mine, and what the office says to that.

use actix_web::post;
use qingfeng_core::{
    acknowledgements,
    ids::{DeadlineId, StaffId},
    objections::{self, ObjectionDecision},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{act::act, complaints::Nothing, problem::Problem};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(acknowledge).service(dispute).service(decide);
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// Why it is not mine.
    reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectionAnswer {
    /// Who has it from now on, somebody who works in the township; none: whoever has it keeps it.
    #[serde(default)]
    staff_id: Option<StaffId>,
    /// Told to those concerned.
    reason: String,
}

act!(
    /// Say that I know of the date: nothing reminds me ahead of it any more.
    acknowledge, "deadlines", DeadlineId, "/deadlines/{id}/acknowledgement", Nothing, "acknowledge_deadline",
    |application, command, county, id, _value| acknowledgements::known(&application.store, &command, county, id, None)
);

act!(
    /// Say that it is not mine: a complaint goes back to the office, of anything else the office is told.
    dispute, "deadlines", DeadlineId, "/deadlines/{id}/objection", Objection, "dispute_deadline",
    |application, command, county, id, value|
        acknowledgements::not_mine(&application.store, &command, county, id, &value.reason)
);

act!(
    /// Decide about an objection: somebody else gets the item, or whoever has it keeps it.
    decide, "deadlines", DeadlineId, "/deadlines/{id}/objection/decision", ObjectionAnswer, "decide_objection",
    |application, command, county, id, value| {
        let decision = ObjectionDecision { to: value.staff_id, reason: value.reason };
        objections::decide(&application.store, &command, county, id, decision)
    }
);
