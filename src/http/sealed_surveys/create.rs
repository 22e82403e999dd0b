use actix_web::{HttpResponse, post, web};
use chrono::NaiveDate;
use qingfeng_core::{
    ids::{CampaignId, OrganizationId, SealedSurveyId, StaffId},
    people::{Actor, Role, RosterGroup},
    refusal::{Fault, Refusal, RefusalKind},
    sealed_surveys::{
        planning::{NotHeld, Topic},
        queries, questionnaires,
        service::{self, NewSealedSurvey},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Application,
    http::{
        authentication::SignedIn,
        input::Input,
        problem::{Answer, Problem},
    },
};

/// An anonymous survey to be planned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedSurveyDraft {
    /// The office's own when it is missing.
    #[serde(default)]
    township_id: Option<OrganizationId>,
    /// Key of the questionnaire: it says whom the result is for.
    kind: String,
    title: String,
    /// Who or what is evaluated.
    topics: Vec<SealedTopic>,
    /// Each class of electors has boxes of its own.
    classes: Vec<RosterGroup>,
    /// Lowest level of assurance by which an answer may be given, 1 to 4; 2 where persons are rated.
    min_level: u8,
    issue_from: NaiveDate,
    issue_until: NaiveDate,
    cast_until: NaiveDate,
    /// Paper slips for each box.
    #[serde(default)]
    paper: u32,
    /// The campaign whose plan asks for it, and
    #[serde(default)]
    campaign_id: Option<CampaignId>,
    /// the key of the evaluation there: groups, weights, levels and ranking are the plan's.
    #[serde(default)]
    evaluation: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedTopic {
    /// As it is shown.
    #[serde(default)]
    evaluatee: Option<String>,
    /// The person who is rated: kept out of everything about it, the roll included. Asked for where persons are rated.
    #[serde(default)]
    staff_id: Option<StaffId>,
    /// The unit that is rated: its people are kept out likewise. Asked for where departments are rated.
    #[serde(default)]
    organization_id: Option<OrganizationId>,
    /// Only this village's residents are asked.
    #[serde(default)]
    village_id: Option<OrganizationId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PlannedSealedSurvey {
    id: SealedSurveyId,
    /// Groups that are too small to be asked without being recognized.
    not_held: Vec<NotHeld>,
}

/// Plan an anonymous survey. Nothing binds yet and nobody is told.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), request_body = SealedSurveyDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = PlannedSealedSurvey),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`no_cosigner`, `nobody_to_ask`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`unknown_questionnaire`, `level_too_low_for_persons`"),
    ))]
#[post("/sealed-surveys")]
pub(super) async fn create(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<SealedSurveyDraft>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "plan_sealed_survey")?;
    let county = person.actor.county().ok_or_else(Refusal::forbidden)?;
    let draft = input.value;
    let township = draft.township_id.or_else(|| own_township(&person.actor)).ok_or_else(Refusal::forbidden)?;
    let unknown = || Refusal::new(RefusalKind::BadInput, "unknown_questionnaire", "没有这份问卷。");
    let questionnaire = questionnaires::find(&draft.kind).cloned().ok_or_else(unknown)?;
    let asked_for_by = match (draft.campaign_id, draft.evaluation) {
        (Some(campaign), Some(evaluation)) => Some((campaign, evaluation)),
        (None, None) => None,
        _ => {
            let sentence = "请同时选专项行动和方案里的测评。";
            return Err(Refusal::invalid(Vec::new()).with_field("/evaluation", sentence).into());
        }
    };
    let topics = draft.topics.into_iter().map(|topic| Topic {
        evaluatee: topic.evaluatee,
        staff: topic.staff_id,
        organization: topic.organization_id,
        village: topic.village_id,
    });
    let new = NewSealedSurvey {
        township,
        title: draft.title,
        questionnaire,
        min_level: draft.min_level,
        topics: topics.collect(),
        classes: draft.classes,
        issue_from: draft.issue_from,
        issue_until: draft.issue_until,
        cast_until: draft.cast_until,
        paper: draft.paper,
        single_operator: application.quorum.single_operator,
        asked_for_by,
    };
    let id = service::create(&application.store, &command, county, new).await?.value;
    let planned = queries::survey_with_boxes(&application.store, id).await?;
    let not_held = serde_json::from_value(planned.survey.not_held).map_err(Fault::unavailable)?;
    Ok(HttpResponse::Created().json(PlannedSealedSurvey { id, not_held }))
}

fn own_township(actor: &Actor) -> Option<OrganizationId> {
    actor.staff()?.posts.iter().find(|post| post.role == Role::TownshipOffice)?.township
}
