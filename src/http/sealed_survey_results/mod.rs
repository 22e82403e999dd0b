//! Results of anonymous surveys: the sheet for whoever may see it, as JSON and as a workbook, and its release.

mod workbook;

use actix_web::{HttpResponse, get, http::header, post, web};
use qingfeng_core::{
    ids::{OrganizationId, SealedSurveyId},
    people::RosterGroup,
    refusal::Refusal,
    sealed_surveys::{
        formulas::{Formula, GroupWeight, Share},
        questionnaires::{Item, Purpose, Questionnaire, shipped},
        results::{self, SheetPage, SheetView},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::{Anyone, SignedIn},
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(questionnaires).service(list).service(sheet).service(export).service(release);
}

#[derive(Debug, Deserialize, IntoParams)]
struct Page {
    township_id: OrganizationId,
    /// The `next` of the page before.
    before: Option<SealedSurveyId>,
}

/// The questionnaires that an anonymous survey can be held with.
#[derive(Debug, Serialize, ToSchema)]
struct Questionnaires {
    items: Vec<QuestionnaireLine>,
}

#[derive(Debug, Serialize, ToSchema)]
struct QuestionnaireLine {
    key: String,
    version: u16,
    title: String,
    introduction: String,
    about: String,
    purpose: Purpose,
    /// Who sees the result, in words.
    words: String,
    /// How a score comes about, in words.
    formula_words: String,
    /// The questionnaire that goes on where this one ends.
    continues_in: Option<String>,
    groups: Vec<QuestionnaireGroup>,
    questions: Vec<QuestionnaireQuestion>,
}

#[derive(Debug, Serialize, ToSchema)]
struct QuestionnaireGroup {
    group: RosterGroup,
    label: String,
    weight: Share,
}

#[derive(Debug, Serialize, ToSchema)]
struct QuestionnaireQuestion {
    key: String,
    text: String,
    options: Vec<String>,
}

impl QuestionnaireLine {
    fn of(one: &Questionnaire) -> Self {
        let group = |weighed: &GroupWeight| QuestionnaireGroup {
            group: weighed.group,
            label: weighed.group.label().into(),
            weight: weighed.weight,
        };
        let question = |item: &Item| QuestionnaireQuestion {
            key: item.key.clone(),
            text: item.text.clone(),
            options: item.scale.labels().iter().map(|label| (*label).to_owned()).collect(),
        };
        Self {
            key: one.key.clone(),
            version: one.version,
            title: one.title.clone(),
            introduction: one.introduction.clone(),
            about: serde_json::to_value(one.about)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default(),
            purpose: one.purpose,
            words: one.purpose.words().into(),
            formula_words: Formula::find(&one.rules.formula)
                .map(|formula| one.rules.words(formula))
                .unwrap_or_default(),
            continues_in: one.continues_in.clone(),
            groups: one.rules.groups.iter().map(group).collect(),
            questions: one.questions.iter().map(question).collect(),
        }
    }
}

/// What can be asked, of whom, and how a result comes of it. Public: nobody has to take our word for the wording.
#[utoipa::path(tag = "sealed surveys", responses((status = 200, body = Questionnaires)))]
#[get("/sealed-surveys/questionnaires")]
async fn questionnaires() -> web::Json<Questionnaires> {
    web::Json(Questionnaires { items: shipped().iter().map(QuestionnaireLine::of).collect() })
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SealedSurveyRelease)]
struct Release {}

/// The results of a township's anonymous surveys that one may see, the newest first. Of organizational evaluations the committee and
/// its supervisors see all, who was evaluated the own after release, everybody else none.
#[utoipa::path(tag = "sealed surveys", security((), ("access_token" = [])), params(Page), responses(
    (status = 200, body = SheetPage),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/sealed-survey-results")]
async fn list(
    application: web::Data<Application>,
    person: Anyone,
    page: web::Query<Page>,
) -> Answer<web::Json<SheetPage>> {
    Ok(web::Json(results::sheets(&application.store, &person.0, page.township_id, page.before).await?))
}

/// The result of an anonymous survey: counts, rates, scores with the formula in words, groups with weights. Made once, when the last
/// box is out, and never changed. Figures that would tell of few are left out.
#[utoipa::path(tag = "sealed surveys", security((), ("access_token" = [])), responses(
    (status = 200, body = SheetView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`results_not_published`"),
))]
#[get("/sealed-surveys/{id}/sheet")]
async fn sheet(
    application: web::Data<Application>,
    person: Anyone,
    path: web::Path<SealedSurveyId>,
) -> Answer<web::Json<SheetView>> {
    Ok(web::Json(results::sheet(&application.store, &person.0, *path).await?))
}

/// The same as a workbook: what is shown, and nothing else.
#[utoipa::path(tag = "sealed surveys", security((), ("access_token" = [])), responses(
    (status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = Vec<u8>),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`results_not_published`"),
))]
#[get("/sealed-surveys/{id}/sheet/export.xlsx")]
async fn export(
    application: web::Data<Application>,
    person: Anyone,
    path: web::Path<SealedSurveyId>,
) -> Answer<HttpResponse> {
    let view = results::sheet(&application.store, &person.0, *path).await?;
    let body = workbook::of(&view)?;
    let name = format!("attachment; filename=\"results-{}.xlsx\"", *path);
    Ok(HttpResponse::Ok()
        .content_type(WORKBOOK)
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(body))
}

/// Let those who were evaluated see their own result; after the committee has studied it, by the office.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), request_body = Release,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`results_already_released`, `results_are_public`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/sealed-surveys/{id}/release")]
async fn release(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<SealedSurveyId>,
    input: Input<Release>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("release_sealed_survey_results:{path}"))?;
    let county = person.actor.county().ok_or_else(Refusal::forbidden)?;
    results::release(&application.store, &command, county, *path).await?;
    Ok(HttpResponse::NoContent().finish())
}
