use actix_web::{get, web};
use chrono::NaiveDate;
use qingfeng_ballots::manifest::Manifest;
use qingfeng_core::{
    ids::SealedSurveyId,
    people::{
        Actor, RosterGroup,
        authorization::{Action, Subject, is_recused, may},
    },
    refusal::{Fault, Refusal},
    sealed_surveys::{
        BallotBoxId, BoxState, Purpose, Trouble,
        entity::{ballot_boxes, sealed_surveys},
        planning::NotHeld,
        queries::{self, Listed, Mine},
        results::entity::sheets,
        service::{class_label, find_box, may_be_opened, may_be_prepared, subject_of},
        turnout::{self, Turnout},
    },
};
use sea_orm::EntityTrait;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Application,
    http::{
        authentication::SignedIn,
        problem::{Answer, Problem},
    },
};

#[derive(Debug, Serialize, ToSchema)]
pub struct SealedSurveys {
    items: Vec<SealedSurveyItem>,
}

/// A survey with the boxes that the reader may know of.
#[derive(Debug, Serialize, ToSchema)]
pub struct SealedSurveyItem {
    id: SealedSurveyId,
    title: String,
    kind: String,
    purpose: Purpose,
    min_level: i32,
    /// Township and co-signer are one operator: level 1 at best.
    single_operator: bool,
    paper: i32,
    issue_from: NaiveDate,
    issue_until: NaiveDate,
    cast_until: NaiveDate,
    boxes: Vec<BallotBoxItem>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BallotBoxItem {
    #[schema(value_type = String)]
    sid: BallotBoxId,
    title: String,
    unit_name: String,
    class: RosterGroup,
    class_label: &'static str,
    evaluatee: Option<String>,
    state: BoxState,
    /// How the resident stands to it; none for staff.
    my_state: Option<MyBallot>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MyBallot {
    Open,
    Issued,
    Paper,
}

impl From<Listed> for SealedSurveyItem {
    fn from(Listed { survey, boxes }: Listed) -> Self {
        Self {
            id: survey.id,
            title: survey.title,
            kind: survey.kind,
            purpose: survey.purpose,
            min_level: survey.min_level,
            single_operator: boxes.iter().any(|(row, _)| row.single_operator),
            paper: survey.paper,
            issue_from: survey.issue_from,
            issue_until: survey.issue_until,
            cast_until: survey.cast_until,
            boxes: boxes.into_iter().map(|(row, mine)| item(row, mine)).collect(),
        }
    }
}

fn item(row: ballot_boxes::Model, mine: Option<Mine>) -> BallotBoxItem {
    BallotBoxItem {
        sid: row.sid,
        title: row.title,
        unit_name: row.unit_name,
        class: row.class,
        class_label: class_label(row.class),
        evaluatee: row.evaluatee,
        state: row.state,
        my_state: mine.map(|mine| match mine {
            Mine::Open => MyBallot::Open,
            Mine::Issued => MyBallot::Issued,
            Mine::Paper => MyBallot::Paper,
        }),
    }
}

/// Anonymous surveys: a resident's own, from the opening on; or those within a member of staff's reach.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), responses(
    (status = 200, body = SealedSurveys),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
#[get("/sealed-surveys")]
pub(super) async fn surveys(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<SealedSurveys>> {
    let store = &application.store;
    let listed = match &person.actor {
        Actor::Resident(resident) => queries::of_resident(store, resident.id).await?,
        actor => queries::of_staff(store, actor).await?,
    };
    Ok(web::Json(SealedSurveys { items: listed.into_iter().map(SealedSurveyItem::from).collect() }))
}

/// A survey as its office sees it. Never who has taken part.
#[derive(Debug, Serialize, ToSchema)]
pub struct SealedSurveyView {
    id: SealedSurveyId,
    title: String,
    kind: String,
    purpose: Purpose,
    min_level: i32,
    single_operator: bool,
    paper: i32,
    issue_from: NaiveDate,
    issue_until: NaiveDate,
    cast_until: NaiveDate,
    boxes: Vec<BallotBoxView>,
    /// Groups that are too small to be asked without being recognized.
    not_held: Vec<NotHeld>,
    /// What the reader may do now.
    actions: Vec<SealedSurveyAct>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SealedSurveyAct {
    Prepare,
    Open,
    Cancel,
    /// Let those who were evaluated see their own result.
    Release,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BallotBoxView {
    #[schema(value_type = String)]
    sid: BallotBoxId,
    title: String,
    unit_name: String,
    class: RosterGroup,
    class_label: &'static str,
    evaluatee: Option<String>,
    state: BoxState,
    /// Residents on the roll.
    eligible: i32,
    /// Credentials given out; nothing where it would tell of few, or is forgotten.
    issued: Option<u64>,
    /// Why there is no number, in a sentence.
    issued_note: Option<&'static str>,
    trouble: Option<Trouble>,
    /// 票箱指纹 of the newest checkpoint.
    fingerprint: Option<String>,
    /// For the poster in the village.
    poster_code: Option<String>,
    slip_account: Option<SlipAccountView>,
}

#[derive(Debug, Serialize, serde::Deserialize, ToSchema)]
pub struct SlipAccountView {
    printed: u32,
    drawn: u32,
    returned: u32,
    spoiled: u32,
    /// Neither drawn nor left in the bag.
    #[serde(default)]
    lost: u32,
    /// More came back, were used or were drawn than there may be: the whole batch counts for nothing.
    batch_void: bool,
}

/// An anonymous survey in detail, for the office, discipline and inspectors.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), responses(
    (status = 200, body = SealedSurveyView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/sealed-surveys/{id}")]
pub(super) async fn view(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<SealedSurveyId>,
) -> Answer<web::Json<SealedSurveyView>> {
    let store = &application.store;
    let Listed { survey, boxes } = queries::survey_with_boxes(store, *path).await?;
    let seen = |row: &ballot_boxes::Model| may(&person.actor, Action::ViewSealedSurvey, &subject_of(row));
    let first = boxes.first().map(|(row, _)| seen(row));
    let all: Vec<_> = boxes.into_iter().map(|(row, _)| row).collect();
    // What is done is done to every box, also to one that this reader is not told of.
    let manages = all.iter().all(|row| may(&person.actor, Action::ManageSealedSurvey, &subject_of(row)).is_ok());
    let mut actions = if manages { actions(&application, &survey, &all).await? } else { Vec::new() };
    let shown: Vec<_> = all.into_iter().filter(|row| seen(row).is_ok()).collect();
    if shown.is_empty() {
        first.unwrap_or_else(|| Err(Refusal::not_found()))?;
    }
    if manages && may_be_released(&application, survey.id).await? {
        actions.push(SealedSurveyAct::Release);
    }
    let single_operator = shown.iter().any(|row| row.single_operator);
    let mut views = Vec::new();
    for row in shown {
        views.push(box_view(&application, row).await?);
    }
    Ok(web::Json(SealedSurveyView {
        id: survey.id,
        title: survey.title,
        kind: survey.kind,
        purpose: survey.purpose,
        min_level: survey.min_level,
        single_operator,
        paper: survey.paper,
        issue_from: survey.issue_from,
        issue_until: survey.issue_until,
        cast_until: survey.cast_until,
        boxes: views,
        not_held: not_held(&person.actor, survey.not_held)?,
        actions,
    }))
}

/// Groups that were not asked, but for those about the reader or a unit of the reader's.
fn not_held(actor: &Actor, kept: serde_json::Value) -> Result<Vec<NotHeld>, Fault> {
    let mut not_held: Vec<NotHeld> = serde_json::from_value(kept).map_err(Fault::unavailable)?;
    not_held.retain(|group| {
        let subject = Subject {
            concerns_staff: group.staff.into_iter().collect(),
            concerns_organizations: group.organization.into_iter().collect(),
            ..Subject::default()
        };
        actor.staff().is_none_or(|staff| !is_recused(staff, &subject))
    });
    Ok(not_held)
}

/// What would succeed now.
async fn actions(
    application: &Application,
    survey: &sealed_surveys::Model,
    boxes: &[ballot_boxes::Model],
) -> Result<Vec<SealedSurveyAct>, Fault> {
    let store = &application.store;
    let mut actions = Vec::new();
    if boxes.iter().any(|row| row.state == BoxState::Draft) && may_be_prepared(store, survey) {
        actions.push(SealedSurveyAct::Prepare);
    }
    if may_be_opened(store, survey, boxes).await? {
        actions.push(SealedSurveyAct::Open);
    }
    if boxes.iter().all(|row| row.state == BoxState::Draft || row.state == BoxState::Signed || row.state.is_open()) {
        actions.push(SealedSurveyAct::Cancel);
    }
    Ok(actions)
}

/// Whether there is a result for the committee alone that those evaluated have not seen yet.
async fn may_be_released(application: &Application, survey: SealedSurveyId) -> Result<bool, Fault> {
    let sheet = sheets::Entity::find_by_id(survey).one(application.store.reader()).await?;
    Ok(sheet.is_some_and(|sheet| !sheet.purpose.is_public() && sheet.released_at.is_none()))
}

async fn box_view(application: &Application, row: ballot_boxes::Model) -> Result<BallotBoxView, Fault> {
    let checkpoint = queries::latest_checkpoint(&application.store, row.sid).await?;
    let turnout = turnout::turnout(&application.store, &row).await?;
    let manifest: Option<Manifest> =
        row.manifest.as_deref().map(serde_json::from_str).transpose().map_err(Fault::unavailable)?;
    Ok(BallotBoxView {
        issued: turnout.issued,
        issued_note: turnout.note,
        fingerprint: checkpoint.map(|checkpoint| checkpoint.fingerprint().to_string()),
        poster_code: manifest.map(|manifest| manifest.poster_code()),
        slip_account: row.slip_account.map(serde_json::from_value).transpose().map_err(Fault::unavailable)?,
        sid: row.sid,
        title: row.title,
        unit_name: row.unit_name,
        class: row.class,
        class_label: class_label(row.class),
        evaluatee: row.evaluatee,
        state: row.state,
        eligible: row.eligible,
        trouble: row.trouble,
    })
}

/// How many have a credential.
#[derive(Debug, Serialize, ToSchema)]
pub struct BallotBoxTurnout {
    eligible: i32,
    #[serde(flatten)]
    turnout: Turnout,
}

/// How many have got a credential: numbers, never who, and none of few. Who is rated does not see it.
#[utoipa::path(tag = "sealed surveys", security(("access_token" = [])), params(("sid" = String, Path)), responses(
    (status = 200, body = BallotBoxTurnout),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/sealed-surveys/boxes/{sid}/turnout")]
pub(super) async fn box_turnout(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<BallotBoxId>,
) -> Answer<web::Json<BallotBoxTurnout>> {
    let row = find_box(&application.store, *path).await?;
    may(&person.actor, Action::ViewSealedSurvey, &subject_of(&row))?;
    let turnout = turnout::turnout(&application.store, &row).await?;
    Ok(web::Json(BallotBoxTurnout { eligible: row.eligible, turnout }))
}
