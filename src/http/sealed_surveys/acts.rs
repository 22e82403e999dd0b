use std::collections::BTreeMap;

use actix_web::{HttpResponse, post, web};
use qingfeng_core::{
    ids::{ResidentId, SealedSurveyId},
    people::entity::residents,
    refusal::{Fault, Refusal},
    sealed_surveys::{
        BallotBoxId, BoxState, Trouble, queries,
        service::{self},
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    Application,
    http::{
        act::act,
        authentication::SignedIn,
        input::Input,
        problem::{Answer, Problem},
    },
    sealed_surveys::{advance, prepare as prepare_boxes},
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(prepare).service(open).service(cancel);
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SealedSurveyPreparation)]
pub(super) struct Preparation {}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SealedSurveyOpening)]
struct Opening {}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SealedSurveyCancellation)]
struct Cancellation {
    /// Told to the groups.
    reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PreparedSealedSurvey {
    boxes: Vec<PreparedBallotBox>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PreparedBallotBox {
    #[schema(value_type = String)]
    sid: BallotBoxId,
    state: BoxState,
    trouble: Option<Trouble>,
    /// Residents who are not on the co-signer's roll, or whose card is not printed yet: everybody on the roll needs one first.
    without_card: Vec<DifferingResident>,
    /// Residents whom the co-signer's roll names otherwise than ours does.
    differing: Vec<DifferingResident>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DifferingResident {
    resident_id: ResidentId,
    /// None where our roster does not know the person.
    name: Option<String>,
}

/// Prepare all boxes: roll, keys, the co-signer's half, the quorum's signatures. May be repeated; what could not be done is
/// tried again every minute.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), request_body = Preparation,
    responses(
        (status = 200, body = PreparedSealedSurvey),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`roll_too_small`, `too_late`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/sealed-surveys/{id}/preparation")]
pub(super) async fn prepare(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<SealedSurveyId>,
    input: Input<Preparation>,
) -> Answer<HttpResponse> {
    let Preparation {} = input.value;
    let survey = queries::survey_with_boxes(&application.store, *path).await?;
    let prepared = prepare_boxes(&application, &person.actor, &survey).await?;
    let named =
        prepared.iter().flat_map(|row| row.mismatch.without_card.iter().chain(&row.mismatch.differing).copied());
    let names: BTreeMap<_, _> = residents::Entity::find()
        .filter(residents::Column::Id.is_in(named.take(500)))
        .filter(residents::Column::CountyId.eq(survey.survey.county_id))
        .all(application.store.reader())
        .await
        .map_err(Fault::from)?
        .into_iter()
        .map(|resident| (resident.id, resident.name))
        .collect();
    let with_names = |residents: Vec<ResidentId>| {
        let named = |resident_id| DifferingResident { resident_id, name: names.get(&resident_id).cloned() };
        residents.into_iter().map(named).collect()
    };
    let boxes = prepared.into_iter().map(|row| PreparedBallotBox {
        sid: row.sid,
        state: row.state,
        trouble: row.trouble,
        without_card: with_names(row.mismatch.without_card),
        differing: with_names(row.mismatch.differing),
    });
    Ok(HttpResponse::Ok().json(PreparedSealedSurvey { boxes: boxes.collect() }))
}

act! {
    /// Open all boxes: the groups get the poster codes, everybody on the rolls a card.
    open, "sealed surveys", SealedSurveyId, "/sealed-surveys/{id}/opening", Opening, "open_sealed_survey",
    |application, command, county, id, value| {
        let Opening {} = value;
        service::open(&application.store, &command, county, id, application.surveys_link())
    }
}

/// Cancel a survey whose boxes are still open: keys and envelopes are destroyed, nothing is opened.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), request_body = Cancellation,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`sealed_survey_state`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/sealed-surveys/{id}/cancellation")]
pub(super) async fn cancel(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<SealedSurveyId>,
    input: Input<Cancellation>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("cancel_sealed_survey:{path}"))?;
    let county = person.actor.county().ok_or_else(Refusal::forbidden)?;
    service::cancel(&application.store, &command, county, *path, input.value.reason).await?;
    // The others are told now if they answer, and otherwise within minutes.
    for (row, _) in queries::survey_with_boxes(&application.store, *path).await?.boxes {
        advance(&application, row.sid).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}
