use actix_web::{HttpRequest, HttpResponse, get, web};
use qingfeng_core::{
    ids::SealedSurveyId,
    people::authorization::{Action, may},
    refusal::Refusal,
    sealed_surveys::{
        BallotBoxId, SealedSurveyRefusal,
        queries::{FILES, Reader, file},
        service::{find_box, subject_of},
    },
};

use crate::{
    Application,
    http::{
        authentication::SignedIn,
        ballot_box::whole_file,
        problem::{Answer, Problem},
    },
};

/// One file of a published box, rows included where there are any: for office, discipline and inspectors.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])),
    params(("id" = SealedSurveyId, Path), ("sid" = String, Path), ("file" = String, Path, description = "as in docs/survey-bundle.md")),
    responses(
        (status = 200, description = "the file", content_type = "application/octet-stream"),
        (status = 304),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`not_published`"),
    ))]
#[get("/sealed-surveys/{id}/boxes/{sid}/bundle/{file}")]
pub(super) async fn bundle_file(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<(SealedSurveyId, BallotBoxId, String)>,
    request: HttpRequest,
) -> Answer<HttpResponse> {
    let (survey, sid, name) = path.into_inner();
    let row = find_box(&application.store, sid).await?;
    if row.survey_id != survey {
        return Err(Refusal::not_found().into());
    }
    may(&person.actor, Action::ViewSealedBundle, &subject_of(&row))?;
    if !row.state.is_published() {
        return Err(Refusal::from(SealedSurveyRefusal::NotPublished).into());
    }
    if !FILES.contains(&name.as_str()) {
        return Err(Refusal::not_found().into());
    }
    let content = file(&application.store, &row, &name, Reader::Committee).await?.ok_or_else(Refusal::not_found)?;
    Ok(whole_file(&request, "application/octet-stream", content))
}
