//! What people do to a complaint, one address per act.

use actix_web::{HttpResponse, post, web};
use chrono::NaiveDate;
use qingfeng_core::{
    complaints::{
        CallBackResult, Category, ComplaintKind, Opinion, SatisfactionLevel,
        service::{self, CallBack, Destination, NewAnswer, NewRating, Parking, Rater},
    },
    ids::{ComplaintId, CountyId, FileId, OrganizationId, ResidentId, StaffId},
    people::{Actor, PersonKind},
    refusal::Refusal,
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    Application,
    http::{
        act::act,
        authentication::{Claimed, look_up},
        input::{Input, resident_sender, sender},
        problem::{Answer, Problem},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(rate)
        .service(withdraw)
        .service(classify)
        .service(refuse)
        .service(dispatch)
        .service(transfer)
        .service(accept)
        .service(return_back)
        .service(answer)
        .service(call_back)
        .service(close)
        .service(merge)
        .service(park)
        .service(resume);
}

/// The county whose data the actor may touch.
pub(in crate::http) fn county(actor: &Actor) -> Result<CountyId, Refusal> {
    actor.county().ok_or_else(Refusal::forbidden)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    level: SatisfactionLevel,
    #[serde(default)]
    comment: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    kind: ComplaintKind,
    category: Category,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// At most 500 characters.
    reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    unit_id: OrganizationId,
    /// The person; the unit's responsible person when none is named.
    #[serde(default)]
    handler_id: Option<StaffId>,
    #[serde(default)]
    joint_unit_ids: Vec<OrganizationId>,
    /// What the office asks for; the resident does not see it.
    #[serde(default)]
    instruction: String,
}

impl From<Dispatch> for Destination {
    fn from(input: Dispatch) -> Self {
        Self {
            unit: input.unit_id,
            handler: input.handler_id,
            joint_units: input.joint_unit_ids,
            instruction: input.instruction,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenAnswer {
    opinion: Opinion,
    /// What was found and done.
    facts: String,
    /// The rule it rests on.
    basis: String,
    #[serde(default)]
    photos: Vec<FileId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallBackReport {
    result: CallBackResult,
    notes: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParkingOrder {
    /// At most 500 characters; the resident reads it.
    reason: String,
    /// When the office looks at it again: within 180 days.
    review_on: NaiveDate,
    /// Words that are on the village's roster and name nobody here: the reason stands on the board.
    #[serde(default)]
    no_names: Vec<String>,
}

impl From<ParkingOrder> for Parking {
    fn from(order: ParkingOrder) -> Self {
        Self { reason: order.reason, review_on: order.review_on, no_names: order.no_names }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The earlier complaint about the same matter.
    into: ComplaintId,
}

/// Rate the answer; once a round. The two lowest levels reopen the complaint.
#[utoipa::path(tag = "complaints", security(("access_token" = [])), request_body = Rating,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`own_work`"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`already_rated`, `wrong_state`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/complaints/{id}/ratings")]
async fn rate(
    application: web::Data<Application>,
    claim: Claimed,
    path: web::Path<ComplaintId>,
    input: Input<Rating>,
) -> Answer<HttpResponse> {
    let Claimed(person) = claim;
    let operation = format!("rate_complaint:{path}");
    let calendar = application.calendar.of(person.county).await?;
    let rating = NewRating { level: input.value.level, comment: input.value.comment.clone() };
    match person.kind {
        PersonKind::Resident => {
            let id = ResidentId(person.id);
            let key = input.key(&resident_sender(id), &operation)?;
            service::rate(&application.store, &calendar, Rater::Resident(id), key, *path, rating).await?;
        }
        PersonKind::Staff => {
            let actor = look_up(&application, person).await?;
            let key = input.key(&sender(&actor), &operation)?;
            service::rate(&application.store, &calendar, Rater::Other(&actor), key, *path, rating).await?;
        }
    }
    Ok(HttpResponse::NoContent().finish())
}

act!(
    /// Take the complaint back, as long as nobody works on it.
    withdraw, "complaints", ComplaintId, "/complaints/{id}/withdrawal", Nothing, "withdraw_complaint",
    |application, command, county, id, _value| service::withdraw(&application.store, &command, county, id)
);
act!(
    /// Set type and category; they fix the route and the clock.
    classify, "complaints", ComplaintId, "/complaints/{id}/classification", Classification, "classify_complaint",
    |application, command, county, id, value|
        service::classify(&application.store, &command, county, id, value.kind, value.category)
);
act!(
    /// Not for this office: say why and where to go instead.
    refuse, "complaints", ComplaintId, "/complaints/{id}/refusal", Reason, "refuse_complaint",
    |application, command, county, id, value|
        service::refuse_acceptance(&application.store, &command, county, id, &value.reason)
);
act!(
    /// Give it to a unit and a person; never to whom it is about.
    dispatch, "complaints", ComplaintId, "/complaints/{id}/dispatch", Dispatch, "dispatch_complaint",
    |application, command, county, id, value|
        service::dispatch(&application.store, &command, county, id, value.into())
);
act!(
    /// Rule that another unit handles it.
    transfer, "complaints", ComplaintId, "/complaints/{id}/transfer", Dispatch, "transfer_complaint",
    |application, command, county, id, value|
        service::transfer(&application.store, &command, county, id, value.into())
);
act!(
    /// Take it on; the clock for the answer starts.
    accept, "complaints", ComplaintId, "/complaints/{id}/acceptance", Nothing, "accept_complaint",
    |application, command, county, id, _value| async {
        let calendar = application.calendar.of(county).await?;
        service::accept(&application.store, &calendar, &command, county, id).await
    }
);
act!(
    /// Give it back to the office, once.
    return_back, "complaints", ComplaintId, "/complaints/{id}/return", Reason, "return_complaint",
    |application, command, county, id, value|
        service::return_back(&application.store, &command, county, id, &value.reason)
);
act!(
    /// Answer it: what was found, the opinion and its basis.
    answer, "complaints", ComplaintId, "/complaints/{id}/answer", WrittenAnswer, "answer_complaint",
    |application, command, county, id, value| service::answer(
        &application.store, &command, county, id,
        NewAnswer { opinion: value.opinion, facts: value.facts, basis: value.basis, photos: value.photos },
    )
);
act!(
    /// Record a call-back; not by who handled it.
    call_back, "complaints", ComplaintId, "/complaints/{id}/call-backs", CallBackReport, "call_back",
    |application, command, county, id, value| async {
        let calendar = application.calendar.of(county).await?;
        let made = CallBack { result: value.result, notes: value.notes };
        service::call_back(&application.store, &calendar, &command, county, id, made).await
    }
);
act!(
    /// Close it, if the residents' verdict allows it.
    close, "complaints", ComplaintId, "/complaints/{id}/closure", Nothing, "close_complaint",
    |application, command, county, id, _value| service::close(&application.store, &command, county, id)
);
act!(
    /// Join it to an earlier complaint about the same matter.
    merge, "complaints", ComplaintId, "/complaints/{id}/merge", Merge, "merge_complaint",
    |application, command, county, id, value|
        service::merge(&application.store, &command, county, id, value.into)
);
act!(
    /// Park what cannot be solved now, or what somebody stays dissatisfied with in silence: the reason is public.
    park, "complaints", ComplaintId, "/complaints/{id}/parking", ParkingOrder, "park_complaint",
    |application, command, county, id, value|
        service::park(&application.store, &command, county, id, &value.into())
);
act!(
    /// Go on with a parked complaint.
    resume, "complaints", ComplaintId, "/complaints/{id}/resumption", Nothing, "resume_complaint",
    |application, command, county, id, _value| async {
        let calendar = application.calendar.of(county).await?;
        service::resume(&application.store, &calendar, &command, county, id).await
    }
);
