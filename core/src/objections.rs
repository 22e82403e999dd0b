//! Somebody said of an item that it is not his (不是我的). The office decides: it goes to somebody else, or stays; until then the
//! date runs on. Where the office has nobody but the one who said it, those above decide. Complaints have a way of their own:
//! they go back to the office and are dispatched again.

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use crate::{
    acknowledgements::subject_of,
    audit::AuditEntry,
    campaigns::entity::duties,
    clock::shanghai_date,
    deadlines::{self, DeadlineStatus, entity::deadlines as rows},
    ids::{CountyId, DeadlineId, DutyId, OrganizationId, RectificationId, StaffId},
    outbox::{Notice, Recipient},
    people::{
        self, Actor, HeldPost, Role, Staff,
        authorization::{Action, Subject, is_recused, may},
    },
    rectification::entity::rectifications,
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::{SubjectKind, SubjectRef},
};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// Who can be given an item.
const BEARERS: [Role; 6] = [
    Role::VillageSecretary,
    Role::VillageStaff,
    Role::DepartmentHandler,
    Role::TownshipOffice,
    Role::TownshipLeader,
    Role::DisciplinaryOfficer,
];

/// What the office decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectionDecision {
    /// Who has it from now on; none: whoever has it keeps it.
    pub to: Option<StaffId>,
    pub reason: String,
}

/// Who decides about what somebody objected to: the others of the office, or else the leaders, or else the county. Nobody decides
/// about his own objection, nor about what concerns him.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn deciders(
    connection: &impl ConnectionTrait,
    deadline: &rows::Model,
    subject: &Subject,
    objector: Option<StaffId>,
    today: NaiveDate,
) -> Result<Vec<StaffId>, Fault> {
    let Some(township) = deadline.township_id else { return Ok(Vec::new()) };
    let county = OrganizationId(deadline.county_id.0);
    for (organization, role) in
        [(township, Role::TownshipOffice), (township, Role::TownshipLeader), (county, Role::CountyInspector)]
    {
        let mut able = Vec::new();
        for id in people::holders(connection, organization, &[role], today).await? {
            let Some(person) = people::staff_in(connection, id, today).await? else { continue };
            if Some(id) != objector && !is_recused(&person, subject) {
                able.push(id);
            }
        }
        if !able.is_empty() {
            return Ok(able);
        }
    }
    Ok(Vec::new())
}

/// Whether it is this person's turn.
fn decides(person: &Staff, deadline: &rows::Model, deciders: &[StaffId]) -> bool {
    let in_office = |post: &HeldPost| post.role == Role::TownshipOffice && post.township == deadline.township_id;
    person.posts.iter().any(in_office) || deciders.contains(&person.id)
}

/// Whether somebody may decide about the objection to this date.
///
/// # Errors
/// When the database does not answer.
pub async fn may_decide(store: &Store, actor: &Actor, deadline: &rows::Model) -> Result<bool, Fault> {
    let (Some(person), Some(objector)) = (actor.staff(), deadline.disputed_by) else { return Ok(false) };
    if person.id == objector {
        return Ok(false);
    }
    let (_, subject) = match subject_of(store.reader(), deadline).await {
        Ok(found) => found,
        Err(Fault::Refused(_)) => return Ok(false),
        Err(fault) => return Err(fault),
    };
    if may(actor, Action::DecideObjection, &subject).is_err() {
        return Ok(false);
    }
    let today = shanghai_date(store.clock().now());
    Ok(decides(person, deadline, &deciders(store.reader(), deadline, &subject, Some(objector), today).await?))
}

/// Decides about an objection. The person who gets the item and the one who objected are told.
///
/// # Errors
/// `not_found`; `forbidden` also to those above while the office has somebody; `no_objection` when nobody objected or it was decided; `own_objection` to whoever objected; a person
/// who does not work in the township, whom it is about, or whose posts cannot do the work; a reason that is missing.
pub async fn decide(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: DeadlineId,
    decision: ObjectionDecision,
) -> Result<Outcome<()>, Fault> {
    let reason = decision.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let sentence = format!("请写明理由，最多{LONGEST_REASON}个字。");
        return Err(Refusal::invalid(vec![FieldFault::new("/reason", sentence)]).into());
    }
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let deadline = unit.locked::<rows::Entity>(id).await?;
                let (work, subject) = subject_of(unit.connection(), &deadline).await?;
                may(&actor, Action::DecideObjection, &subject)?;
                let Some(objector) = deadline.disputed_by.filter(|_| deadline.status == DeadlineStatus::Open) else {
                    let sentence = "没有人提出异议，或者已经处理过了。";
                    return Err(Refusal::new(RefusalKind::Conflict, "no_objection", sentence).into());
                };
                if actor.staff().is_some_and(|staff| staff.id == objector) {
                    let sentence = "这是您自己提出的异议，要由别人处理。";
                    return Err(Refusal::new(RefusalKind::Conflict, "own_objection", sentence).into());
                }
                if let Some(person) = actor.staff() {
                    let deciders =
                        deciders(unit.connection(), &deadline, &subject, Some(objector), unit.today()).await?;
                    if !decides(person, &deadline, &deciders) {
                        return Err(Refusal::forbidden().into());
                    }
                }
                let about = SubjectRef { kind: deadline.subject_kind, id: deadline.subject_id };
                let mut notices = Vec::new();
                if let Some(to) = decision.to {
                    let person = people::staff_in(unit.connection(), to, unit.today()).await?;
                    let Some(person) = person.filter(|person| !posts_here(person, &deadline).is_empty()) else {
                        return Err(refused("请选一位在本镇任职的干部。"));
                    };
                    if to == objector || is_recused(&person, &subject) {
                        return Err(refused("这件事不能交给这位干部，请另选一位。"));
                    }
                    let Some(organization) = bearing_unit(&person, &deadline, work, &subject) else {
                        return Err(refused("这位干部的岗位不能办理这类事项，请选村里或承办部门的干部。"));
                    };
                    hand_over(unit, &deadline, organization, to).await?;
                    notices.push(told(unit, &deadline, to, "item_handed_over", &reason));
                } else {
                    clear(unit, &deadline).await?;
                }
                let kind = if decision.to.is_some() { "objection_upheld" } else { "objection_rejected" };
                notices.push(told(unit, &deadline, objector, kind, &reason));
                let mut entry = AuditEntry::new(kind, about).changing(&deadline.responsible_staff_id, &decision.to);
                entry.permission = Some(Action::DecideObjection);
                Ok(Done::new((), entry).telling(notices))
            })
        })
        .await
}

/// The units of a person's posts in the township of a date that can be given an item.
fn posts_here(person: &Staff, deadline: &rows::Model) -> Vec<OrganizationId> {
    let posts = person.posts.iter();
    let here = posts.filter(|post| post.township == deadline.township_id && BEARERS.contains(&post.role));
    here.map(|post| post.organization).collect()
}

/// The unit in which a person could do the work once it is his; none where nothing lets him, so that it would lie with somebody
/// who can never finish it.
fn bearing_unit(person: &Staff, deadline: &rows::Model, work: Action, subject: &Subject) -> Option<OrganizationId> {
    let bearer = Actor::Staff(person.clone());
    posts_here(person, deadline).into_iter().find(|organization| {
        let mut given = Subject { handler: Some(person.id), ..subject.clone() };
        // The unit that owes a duty stays.
        if deadline.subject_kind == SubjectKind::Rectification {
            given.lead_unit = Some(*organization);
        }
        may(&bearer, work, &given).is_ok()
    })
}

fn refused(sentence: &str) -> Fault {
    Refusal::invalid(vec![FieldFault::new("/staff_id", sentence)]).into()
}

/// The item itself and its open dates go to another person; with the dates the objection is over.
async fn hand_over(
    unit: &UnitOfWork,
    deadline: &rows::Model,
    organization: OrganizationId,
    to: StaffId,
) -> Result<(), Fault> {
    let about = SubjectRef { kind: deadline.subject_kind, id: deadline.subject_id };
    match deadline.subject_kind {
        SubjectKind::Rectification => {
            rectifications::Entity::update_many()
                .col_expr(rectifications::Column::ResponsibleStaffId, Expr::value(to))
                .col_expr(rectifications::Column::LeadUnitId, Expr::value(organization))
                .col_expr(rectifications::Column::ChangedAt, Expr::value(unit.now()))
                .filter(rectifications::Column::Id.eq(RectificationId(about.id)))
                .exec(unit.connection())
                .await?;
        }
        // The unit that owes it by the plan stays: there is one of each duty in each unit.
        _ => {
            duties::Entity::update_many()
                .col_expr(duties::Column::StaffId, Expr::value(to))
                .col_expr(duties::Column::HandedOverTo, Expr::value(to))
                .filter(duties::Column::Id.eq(DutyId(about.id)))
                .exec(unit.connection())
                .await?;
        }
    }
    deadlines::reassign(unit, about, Some(organization), Some(to)).await
}

async fn clear(unit: &UnitOfWork, deadline: &rows::Model) -> Result<(), Fault> {
    rows::Entity::update_many()
        .col_expr(rows::Column::DisputedOn, Expr::value(Option::<chrono::NaiveDate>::None))
        .col_expr(rows::Column::DisputedBy, Expr::value(Option::<uuid::Uuid>::None))
        .col_expr(rows::Column::DisputeReason, Expr::value(Option::<String>::None))
        .filter(rows::Column::Id.eq(deadline.id))
        .exec(unit.connection())
        .await?;
    Ok(())
}

fn told(unit: &UnitOfWork, deadline: &rows::Model, to: StaffId, kind: &'static str, reason: &str) -> Notice {
    let about = SubjectRef { kind: deadline.subject_kind, id: deadline.subject_id };
    let facts = json!({"title": deadline.subject_title, "due_on": deadline.due_on, "reason": reason});
    let mut notice = Notice::new(Recipient::Staff(to), kind, about)
        .step(format!("{}:{}", deadline.kind, unit.now().timestamp_millis()))
        .round(deadline.round)
        .facts(facts);
    notice.township = deadline.township_id;
    notice
}
