//! What waits for me: open deadlines, the most urgent first, and requests to decide on.

use actix_web::{get, web};
use chrono::{DateTime, NaiveDate, Utc};
use qingfeng_core::{
    clock::shanghai_date,
    deadlines::desk,
    ids::{DeadlineId, ExtensionId},
    objections,
    people::{
        self,
        authorization::{Action, Reach, reach},
    },
    refusal::Refusal,
    subject::SubjectKind,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{
    authentication::SignedIn,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(due).service(extensions);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeskQuery {
    /// `after_due_on` and `after_id` of the page before.
    after_due_on: Option<NaiveDate>,
    after_id: Option<DeadlineId>,
}

/// Something that is due.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeskLine {
    id: DeadlineId,
    subject_kind: SubjectKind,
    subject_id: Uuid,
    title: String,
    /// What has to be done: `acceptance`, `answer`, `bad_rating`, `rectify`, …
    kind: String,
    due_on: Option<NaiveDate>,
    days_left: Option<i64>,
    explanation: String,
    /// Whether somebody said that he knows of the date.
    acknowledged: bool,
    /// Who said so.
    acknowledged_by: Option<String>,
    /// Whether it is given to me or to my unit: I may answer for it.
    mine: bool,
    /// Somebody said that it is not his, and the office has not decided yet.
    objection: Option<DeskObjection>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DeskObjection {
    on: NaiveDate,
    by: Option<String>,
    reason: String,
    /// Whether I may decide about it.
    may_decide: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Desk {
    items: Vec<DeskLine>,
    next: Option<DeskCursor>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DeskCursor {
    after_due_on: Option<NaiveDate>,
    after_id: DeadlineId,
}

/// What is due for me and my unit, or in my township; the most urgent first.
#[utoipa::path(tag = "desk", security(("access_token" = [])), params(DeskQuery), responses(
    (status = 200, body = Desk),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/desk")]
async fn due(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<DeskQuery>,
) -> Answer<web::Json<Desk>> {
    let Reach::Staff(within) = reach(&person.actor, Action::ViewDesk) else { return Err(Refusal::forbidden().into()) };
    let after = query.after_id.map(|id| (query.after_due_on, id));
    let rows = desk::due(&application.store, &within, after).await?;
    let today = shanghai_date(application.store.clock().now());
    let next = if rows.len() as u64 == desk::PAGE {
        rows.last().map(|row| DeskCursor { after_due_on: row.due_on, after_id: row.id })
    } else {
        None
    };
    let answered = rows.iter().flat_map(|row| [row.acknowledged_by, row.disputed_by]).flatten();
    let names = people::names(application.store.reader(), answered).await?;
    let mut deciding = Vec::new();
    for row in rows.iter().filter(|row| row.disputed_on.is_some()) {
        if objections::may_decide(&application.store, &person.actor, row).await? {
            deciding.push(row.id);
        }
    }
    let me = person.actor.staff().map(|staff| staff.id);
    let my_units: Vec<_> =
        person.actor.staff().into_iter().flat_map(|staff| &staff.posts).map(|post| post.organization).collect();
    let items = rows
        .into_iter()
        .map(|row| DeskLine {
            mine: row.responsible_staff_id.map_or_else(
                || row.responsible_unit_id.is_some_and(|unit| my_units.contains(&unit)),
                |staff| Some(staff) == me,
            ),
            objection: row.disputed_on.map(|on| DeskObjection {
                on,
                by: row.disputed_by.and_then(|staff| names.get(&staff).cloned()),
                reason: row.dispute_reason.unwrap_or_default(),
                may_decide: deciding.contains(&row.id),
            }),
            acknowledged_by: row
                .acknowledged_by
                .filter(|_| row.acknowledged_on.is_some())
                .and_then(|staff| names.get(&staff).cloned()),
            id: row.id,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            title: row.subject_title,
            kind: row.kind,
            days_left: row.due_on.map(|due_on| (due_on - today).num_days()),
            due_on: row.due_on,
            explanation: row.explanation,
            acknowledged: row.acknowledged_on.is_some(),
        })
        .collect();
    Ok(web::Json(Desk { items, next }))
}

/// A request for more time that waits for a decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingExtension {
    id: ExtensionId,
    subject_kind: SubjectKind,
    subject_id: Uuid,
    old_due_on: Option<NaiveDate>,
    new_due_on: NaiveDate,
    reason: String,
    requested_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PendingExtensions {
    items: Vec<PendingExtension>,
}

/// Requests for more time that I may decide on.
#[utoipa::path(tag = "desk", security(("access_token" = [])), responses(
    (status = 200, body = PendingExtensions),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
#[get("/desk/extensions")]
async fn extensions(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<PendingExtensions>> {
    let Reach::Staff(reach) = reach(&person.actor, Action::DecideExtension) else {
        return Err(Refusal::forbidden().into());
    };
    let rows = desk::pending_extensions(&application.store, &reach).await?;
    let items = rows
        .into_iter()
        .map(|row| PendingExtension {
            id: row.id,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            old_due_on: row.old_due_on,
            new_due_on: row.new_due_on,
            reason: row.reason,
            requested_at: row.requested_at,
        })
        .collect();
    Ok(web::Json(PendingExtensions { items }))
}
