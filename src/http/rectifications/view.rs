use actix_web::{get, web};
use chrono::{DateTime, NaiveDate, Utc};
use qingfeng_core::{
    clock::shanghai_date,
    complaints::queries::PAGE,
    deadlines::entity::deadlines,
    evidence,
    ids::{EntryId, OrganizationId, ProblemId, RectificationId},
    people::{
        Actor,
        authorization::{Action, Subject, may},
        entity::organizations,
    },
    rectification::{
        Pace, State,
        entity::{participation, rectifications},
        queries,
    },
    refusal::Fault,
    storage::Store,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    Application,
    http::{
        authentication::SignedIn,
        complaints::{DeadlineView, Photo},
        problem::{Answer, Problem},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(show);
}

/// A line of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RectificationLine {
    id: RectificationId,
    number: String,
    title: String,
    state: State,
    round: i32,
    pace: Pace,
    village_id: OrganizationId,
    lead_unit_id: OrganizationId,
    evaluation_closes_on: Option<NaiveDate>,
    changed_at: DateTime<Utc>,
}

impl From<rectifications::Model> for RectificationLine {
    fn from(row: rectifications::Model) -> Self {
        Self {
            id: row.id,
            number: row.number,
            title: row.title,
            state: row.state,
            round: row.round,
            pace: row.pace,
            village_id: row.village_id,
            lead_unit_id: row.lead_unit_id,
            evaluation_closes_on: row.evaluation_closes_on,
            changed_at: row.changed_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RectificationPage {
    items: Vec<RectificationLine>,
    next: Option<RectificationId>,
}

/// An item with its history.
#[derive(Debug, Serialize, ToSchema)]
pub struct RectificationView {
    #[serde(flatten)]
    line: RectificationLine,
    goal: String,
    commitment: String,
    village_name: String,
    lead_unit_name: String,
    township_passed: bool,
    measures: Vec<MeasureView>,
    problems: Vec<LinkedProblem>,
    timeline: Vec<RectificationEntry>,
    deadlines: Vec<DeadlineView>,
    photos: Vec<Photo>,
    /// How many may judge, and how many have: a number, never who. None while that would tell too much.
    affected: usize,
    /// Whether the viewer has judged this round; for those who may.
    i_have_evaluated: Option<bool>,
    /// What the viewer may do now.
    actions: Vec<&'static str>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MeasureView {
    id: EntryId,
    text: String,
    done_on: Option<NaiveDate>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LinkedProblem {
    id: ProblemId,
    number: String,
    title: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RectificationEntry {
    id: EntryId,
    round: i32,
    /// `committed`, `progress`, `reported_done`, `verdict`, `closed`, …
    kind: String,
    text: String,
    at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    village_id: Option<OrganizationId>,
    /// The `next` of the page before.
    before: Option<RectificationId>,
}

/// The items I may see, newest first; for residents those they may judge.
#[utoipa::path(tag = "rectifications", security(("access_token" = [])), params(ListQuery), responses(
    (status = 200, body = RectificationPage),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/rectifications")]
async fn list(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<ListQuery>,
) -> Answer<web::Json<RectificationPage>> {
    let rows = queries::list(&application.store, &person.actor, query.village_id, query.before).await?;
    let next = if rows.len() as u64 == PAGE { rows.last().map(|row| row.id) } else { None };
    Ok(web::Json(RectificationPage { items: rows.into_iter().map(RectificationLine::from).collect(), next }))
}

/// An item with its history.
#[utoipa::path(tag = "rectifications", security(("access_token" = [])), responses(
    (status = 200, body = RectificationView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/rectifications/{id}")]
async fn show(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<RectificationId>,
) -> Answer<web::Json<RectificationView>> {
    let store = &application.store;
    let queries::Detail { item, subject, measures, entries, problems } =
        queries::detail(store, &person.actor, *id).await?;
    let rows = deadlines::Entity::find()
        .filter(deadlines::Column::SubjectId.eq(id.0))
        .order_by_asc(deadlines::Column::Id)
        .all(store.reader())
        .await?;
    let places = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in([item.village_id, item.lead_unit_id]))
        .all(store.reader())
        .await?;
    let name = |id| places.iter().find(|place| place.id == id).map(|place| place.name.clone()).unwrap_or_default();
    let photos = evidence::attached_to(store.reader(), [id.0]).await?;
    let today = shanghai_date(store.clock().now());
    let i_have_evaluated = evaluated(store, &person.actor, &item, &subject).await?;
    Ok(web::Json(RectificationView {
        village_name: name(item.village_id),
        lead_unit_name: name(item.lead_unit_id),
        goal: item.goal.clone(),
        commitment: item.commitment.clone(),
        township_passed: item.township_passed,
        measures: measures
            .into_iter()
            .map(|row| MeasureView { id: row.id, text: row.text, done_on: row.done_on })
            .collect(),
        // Residents judge the work; the words of those who complained stay with those who work on them.
        problems: if person.actor.staff().is_some() {
            problems.into_iter().map(|row| LinkedProblem { id: row.id, number: row.number, title: row.title }).collect()
        } else {
            Vec::new()
        },
        timeline: entries
            .into_iter()
            .map(|row| RectificationEntry { id: row.id, round: row.round, kind: row.kind, text: row.text, at: row.at })
            .collect(),
        deadlines: rows.into_iter().map(|row| DeadlineView::new(row, today)).collect(),
        photos: photos.into_iter().map(|row| Photo { file_id: row.file_id, purpose: row.purpose }).collect(),
        affected: subject.affected.len(),
        actions: actions(&person.actor, &item, &subject, i_have_evaluated == Some(false), today),
        i_have_evaluated,
        line: item.into(),
    }))
}

async fn evaluated(
    store: &Store,
    actor: &Actor,
    item: &rectifications::Model,
    subject: &Subject,
) -> Result<Option<bool>, Fault> {
    let Some(resident) = actor.resident().filter(|resident| subject.affected.contains(&resident.id)) else {
        return Ok(None);
    };
    let took_part = participation::Entity::find_by_id((item.id, item.round, resident.id)).one(store.reader()).await?;
    Ok(Some(took_part.is_some()))
}

/// What the viewer may do in this state, so that screens offer nothing that would be refused.
fn actions(
    actor: &Actor,
    item: &rectifications::Model,
    subject: &Subject,
    may_still_evaluate: bool,
    today: NaiveDate,
) -> Vec<&'static str> {
    use State as S;
    let state = item.state;
    let working = matches!(state, S::InProgress | S::Returned);
    let voting = state == S::Evaluating && item.evaluation_closes_on.is_some_and(|last| today <= last);
    let offers: [(&str, Action, bool); 10] = [
        ("publish", Action::WorkOnRectification, state == S::NotStarted),
        ("progress", Action::WorkOnRectification, working),
        ("report_done", Action::WorkOnRectification, working),
        ("request_extension", Action::WorkOnRectification, working),
        ("open_evaluation", Action::OpenResidentsEvaluation, state == S::ReportedDone),
        ("read_verdict", Action::OpenResidentsEvaluation, state == S::Evaluating),
        ("evaluate", Action::EvaluateRectification, voting && may_still_evaluate),
        ("township_evaluation", Action::RecordTownshipEvaluation, matches!(state, S::ReportedDone | S::Evaluated)),
        // Offered while the residents are dissatisfied, too: the refusal shows the rule.
        ("close_out", Action::CloseOutRectification, matches!(state, S::Evaluated | S::Returned)),
        ("relapse", Action::SuperviseRectification, state == S::Closed),
    ];
    offers
        .into_iter()
        .filter(|(_, action, fits)| *fits && may(actor, *action, subject).is_ok())
        .map(|(name, ..)| name)
        .collect()
}
