//! Who sees a result. Satisfaction and statutory reviews are public. An organizational evaluation is for the committee
//! and its supervisors; who was evaluated sees the own row once it is released, and never a peer's — also not as a member
//! of the committee, for recusal comes before every permission.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ResultRefusal,
    entity::{results, sheets},
};
use crate::{
    complaints::queries::PAGE,
    ids::{OrganizationId, SealedSurveyId},
    people::{
        Actor,
        authorization::{Action, Subject, may},
    },
    refusal::{Fault, Refusal},
    sealed_surveys::{
        entity::sealed_surveys,
        questionnaires::Purpose,
        sheet::{Head, Row},
    },
    storage::Store,
};

/// A sheet as one person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SealedSurveySheet)]
pub struct SheetView {
    pub survey_id: SealedSurveyId,
    pub head: Head,
    /// Only the person's own rows.
    pub is_own: bool,
    pub released_at: Option<DateTime<Utc>>,
    pub rows: Vec<Row>,
}

/// A sheet in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SealedSurveySheetLine)]
pub struct SheetLine {
    pub survey_id: SealedSurveyId,
    pub title: String,
    pub purpose: Purpose,
    pub published_at: DateTime<Utc>,
    pub released_at: Option<DateTime<Utc>>,
    pub is_own: bool,
}

/// A page of a township's sheets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SealedSurveySheetPage)]
pub struct SheetPage {
    pub sheets: Vec<SheetLine>,
    /// Where the next page begins; none on the last. A page may show fewer than it read.
    pub next: Option<SealedSurveyId>,
}

/// The sheet of a survey, as far as the actor may see it.
///
/// # Errors
/// Before the last box is out; and as if there were none for whoever may not see it.
pub async fn sheet(store: &Store, actor: &Actor, survey: SealedSurveyId) -> Result<SheetView, Fault> {
    let Some(sheet) = sheets::Entity::find_by_id(survey).one(store.reader()).await? else {
        let planned = sealed_surveys::Entity::find_by_id(survey).one(store.reader()).await?;
        let planned = planned.filter(|planned| actor.county().is_none_or(|county| county == planned.county_id));
        // That a survey is held is told in public; its result is nobody's yet.
        return Err(planned.map_or_else(Refusal::not_found, |_| ResultRefusal::NotPublished.into()).into());
    };
    let all = rows(store.reader(), survey).await?;
    let visible = visible(actor, &sheet, &all)?;
    let is_own = visible == Visible::Own;
    let mut shown = Vec::new();
    for result in &all {
        if !sees(actor, visible, &sheet, result) {
            continue;
        }
        let mut row: Row = serde_json::from_value(result.figures.clone()).map_err(Fault::unavailable)?;
        if is_own {
            // A rank tells of the others.
            row.rank = None;
        }
        shown.push(row);
    }
    Ok(SheetView {
        survey_id: survey,
        head: serde_json::from_value(sheet.head).map_err(Fault::unavailable)?,
        is_own,
        released_at: sheet.released_at.filter(|_| visible != Visible::Public),
        rows: shown,
    })
}

/// The sheets of a township that the actor may see, the newest first, a page at a time.
///
/// # Errors
/// When the database does not answer.
pub async fn sheets(
    store: &Store,
    actor: &Actor,
    township: OrganizationId,
    before: Option<SealedSurveyId>,
) -> Result<SheetPage, Fault> {
    let mut found = sheets::Entity::find().filter(sheets::Column::TownshipId.eq(township));
    if let Some(before) = before {
        found = found.filter(sheets::Column::SurveyId.lt(before));
    }
    let found = found.order_by_desc(sheets::Column::SurveyId).limit(PAGE).all(store.reader()).await?;
    let is_full = u64::try_from(found.len()).is_ok_and(|length| length == PAGE);
    let next = found.last().map(|last| last.survey_id).filter(|_| is_full);
    let mut lines = Vec::new();
    for sheet in found {
        let all = if sheet.purpose.is_public() { Vec::new() } else { rows(store.reader(), sheet.survey_id).await? };
        let Ok(visible) = visible(actor, &sheet, &all) else { continue };
        let head: Head = serde_json::from_value(sheet.head).map_err(Fault::unavailable)?;
        lines.push(SheetLine {
            survey_id: sheet.survey_id,
            title: head.title,
            purpose: sheet.purpose,
            published_at: sheet.published_at,
            released_at: sheet.released_at.filter(|_| visible != Visible::Public),
            is_own: visible == Visible::Own,
        });
    }
    Ok(SheetPage { sheets: lines, next })
}

/// How much of a sheet somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visible {
    Public,
    Committee,
    Own,
}

/// # Errors
/// As if there were none: whoever may not see it does not learn that there is one.
fn visible(actor: &Actor, sheet: &sheets::Model, all: &[results::Model]) -> Result<Visible, Refusal> {
    if sheet.purpose.is_public() {
        return may(actor, Action::ViewPublicResults, &subject(sheet)).map(|()| Visible::Public);
    }
    if all.iter().any(|result| is_evaluated(actor, result)) {
        let is_released = sheet.released_at.is_some();
        let own = all.iter().any(|result| sees(actor, Visible::Own, sheet, result));
        return if is_released && own { Ok(Visible::Own) } else { Err(Refusal::not_found()) };
    }
    may(actor, Action::ViewOrganizationalResults, &subject(sheet))
        .map(|()| Visible::Committee)
        .map_err(|_| Refusal::not_found())
}

fn sees(actor: &Actor, visible: Visible, sheet: &sheets::Model, result: &results::Model) -> bool {
    match visible {
        Visible::Public => true,
        Visible::Committee => {
            let subject = Subject {
                concerns_staff: result.evaluatee_staff_id.into_iter().collect(),
                concerns_organizations: result.evaluatee_organization_id.into_iter().collect(),
                ..subject(sheet)
            };
            may(actor, Action::ViewOrganizationalResults, &subject).is_ok()
        }
        Visible::Own => {
            let subject = Subject {
                handler: result.evaluatee_staff_id,
                // A unit's result is its own people's; a person's is not the unit's.
                lead_unit: result.evaluatee_organization_id.filter(|_| result.evaluatee_staff_id.is_none()),
                ..subject(sheet)
            };
            is_evaluated(actor, result) && may(actor, Action::ViewOwnResult, &subject).is_ok()
        }
    }
}

/// Whether the row is about this person or a unit in which he works.
fn is_evaluated(actor: &Actor, result: &results::Model) -> bool {
    let Some(staff) = actor.staff() else { return false };
    let by_name = result.evaluatee_staff_id == Some(staff.id);
    let by_unit = result.evaluatee_staff_id.is_none()
        && staff.posts.iter().any(|post| Some(post.organization) == result.evaluatee_organization_id);
    by_name || by_unit
}

pub(super) fn subject(sheet: &sheets::Model) -> Subject {
    Subject { county: Some(sheet.county_id), township: Some(sheet.township_id), ..Subject::default() }
}

pub(super) async fn rows(
    connection: &impl ConnectionTrait,
    survey: SealedSurveyId,
) -> Result<Vec<results::Model>, Fault> {
    Ok(results::Entity::find()
        .filter(results::Column::SurveyId.eq(survey))
        .order_by_asc(results::Column::Position)
        .all(connection)
        .await?)
}
