//! Surveys of a village about a thing. Residents answer in the chat with the account.

use actix_web::{HttpResponse, get, post, web};
use chrono::NaiveDate;
use qingfeng_core::{
    ids::{OrganizationId, SurveyId},
    refusal::Refusal,
    surveys::{self, Listed, NewSurvey, PAGE, Question, Results, SurveyState},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(invite).service(close).service(results);
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveyDraft {
    village_id: OrganizationId,
    /// The thing it asks about, as in `通组路修好了吗`.
    title: String,
    /// One to three.
    questions: Vec<Question>,
    /// The last day for answers, 3 to 30 days from today.
    closes_on: NaiveDate,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OpenedSurvey {
    id: SurveyId,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SurveyClosing)]
struct Closing {}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SurveysQuery {
    /// The last one of the page before.
    before: Option<SurveyId>,
}

/// A survey of a village. How many have answered is told after the close, with the result.
#[derive(Debug, Serialize, ToSchema)]
pub struct SurveyLine {
    id: SurveyId,
    village_id: OrganizationId,
    village: String,
    title: String,
    questions: Vec<Question>,
    state: SurveyState,
    /// The last day for answers.
    closes_on: NaiveDate,
}

impl From<Listed> for SurveyLine {
    fn from(Listed { survey, questions, village }: Listed) -> Self {
        Self {
            id: survey.id,
            village_id: survey.village_id,
            village,
            title: survey.title,
            questions,
            state: survey.state,
            closes_on: survey.closes_on,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Surveys {
    items: Vec<SurveyLine>,
    next: Option<SurveyId>,
}

/// The surveys of my township, latest first.
#[utoipa::path(tag = "surveys", security(("access_token" = [])), params(SurveysQuery), responses(
    (status = 200, body = Surveys),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/surveys")]
async fn list(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<SurveysQuery>,
) -> Answer<web::Json<Surveys>> {
    let rows = surveys::list(&application.store, &person.actor, query.before).await?;
    let next = if rows.len() as u64 == PAGE { rows.last().map(|row| row.survey.id) } else { None };
    Ok(web::Json(Surveys { items: rows.into_iter().map(SurveyLine::from).collect(), next }))
}

/// Open a survey and invite the village's groups. It asks about a thing, never about a person.
#[utoipa::path(tag = "surveys", security(("access_token" = [])), request_body = SurveyDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = OpenedSurvey),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/surveys")]
async fn invite(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<SurveyDraft>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "open_survey")?;
    let county = person.actor.county().ok_or_else(Refusal::forbidden)?;
    let SurveyDraft { village_id, title, questions, closes_on } = input.value;
    let new = NewSurvey { village: village_id, title, questions, closes_on };
    let opened = surveys::invite(&application.store, &command, county, new).await?;
    Ok(HttpResponse::Created().json(OpenedSurvey { id: opened.value }))
}

/// End a survey whose days are over; the groups get the result.
#[utoipa::path(tag = "surveys", security(("access_token" = [])), request_body = Closing,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`survey_still_open`, `survey_closed`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/surveys/{id}/closing")]
async fn close(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<SurveyId>,
    input: Input<Closing>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("close_survey:{path}"))?;
    let county = person.actor.county().ok_or_else(Refusal::forbidden)?;
    surveys::close(&application.store, &command, county, *path).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The result of a closed survey, for everybody; of fewer than ten people none is shown.
#[utoipa::path(tag = "surveys", responses(
    (status = 200, body = Results),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`survey_still_open`, `too_few_answers`"),
))]
#[get("/surveys/{id}/results")]
async fn results(application: web::Data<Application>, path: web::Path<SurveyId>) -> Answer<web::Json<Results>> {
    Ok(web::Json(surveys::results(&application.store, *path).await?))
}
