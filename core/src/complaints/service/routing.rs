use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, sea_query::OnConflict};
use serde_json::json;

use super::steps::{Entry, Held, advance, clocks, context, hold, note, reason, tell_handler, tell_reporters, write};
use crate::{
    audit::AuditEntry,
    calendar::Calendar,
    complaints::{
        Act, Category, ComplaintKind, ComplaintRefusal,
        entity::{complaints, entries, joint_units},
    },
    deadlines::{self, DeadlineStatus, NewDeadline, entity::deadlines as deadline_rows},
    ids::{ComplaintId, CountyId, EntryId, OrganizationId, StaffId},
    people::{
        Role,
        authorization::Action,
        entity::{organizations, posts},
    },
    refusal::Fault,
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// The office sets type and category: they fix the route and the clock.
///
/// # Errors
/// When the actor may not or the state does not allow it.
pub async fn classify(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    kind: ComplaintKind,
    category: Category,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::ClassifyComplaint, id).await?;
                let context = context(unit, &held.complaint).await?;
                let before = (held.complaint.kind, held.complaint.category);
                held.complaint.kind = Some(kind);
                held.complaint.category = category;
                advance(unit, &mut held.complaint, Act::Classify, &context).await?;
                note(unit, &actor, &held.complaint, Entry::internal("classified", category.label()));
                let audit = AuditEntry::new("complaint_classified", id).changing(&before, &(Some(kind), category));
                Ok(Done::new((), audit))
            })
        })
        .await
}

/// Where a complaint is sent.
#[derive(Clone, Debug)]
pub struct Destination {
    pub unit: OrganizationId,
    /// The person; the unit's responsible person when none is named.
    pub handler: Option<StaffId>,
    /// Units that help the lead unit.
    pub joint_units: Vec<OrganizationId>,
    /// What the office asks for; the resident does not see it.
    pub instruction: String,
}

/// The office gives it to a unit and a person by name.
///
/// # Errors
/// When the unit or the person is what the complaint is about (1.8), or does not exist in the township.
pub async fn dispatch(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    to: Destination,
) -> Result<Outcome<()>, Fault> {
    send(store, command, county, id, to, Act::Dispatch).await
}

/// The office rules that another unit handles it.
///
/// # Errors
/// As [`dispatch`].
pub async fn transfer(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    to: Destination,
) -> Result<Outcome<()>, Fault> {
    send(store, command, county, id, to, Act::Transfer).await
}

async fn send(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    to: Destination,
    act: Act,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let action = if act == Act::Dispatch { Action::DispatchComplaint } else { Action::TransferComplaint };
                let mut held = hold(unit, &actor, action, id).await?;
                let handler = check_destination(unit, &held, &to).await?;
                let context = context(unit, &held.complaint).await?;
                let before = (held.complaint.lead_unit_id, held.complaint.handler_id);
                held.complaint.lead_unit_id = Some(to.unit);
                held.complaint.handler_id = Some(handler);
                held.complaint.first_unit_id.get_or_insert(to.unit);
                advance(unit, &mut held.complaint, act, &context).await?;
                set_joint_units(unit, &held.complaint, &to.joint_units).await?;
                deadlines::reassign(unit, id.into(), Some(to.unit), Some(handler)).await?;
                let name = organizations::Entity::find_by_id(to.unit)
                    .one(unit.connection())
                    .await?
                    .map_or_else(String::new, |place| place.name);
                note(unit, &actor, &held.complaint, Entry::shown("dispatched", &format!("已交{name}办理")));
                if !to.instruction.trim().is_empty() {
                    let instruction = reason("/instruction", &to.instruction)?;
                    note(unit, &actor, &held.complaint, Entry::internal("instruction", &instruction));
                }
                let facts = json!({
                    "number": held.complaint.number, "title": held.complaint.title, "unit": name,
                });
                let step = format!("{}:{}", held.complaint.returns, to.unit);
                let notices = tell_reporters(&held, "complaint_dispatched", &facts)
                    .into_iter()
                    .chain(tell_handler(&held.complaint, "complaint_assigned", facts.clone()))
                    .map(|notice| notice.step(step.clone()))
                    .collect::<Vec<_>>();
                let after = (held.complaint.lead_unit_id, held.complaint.handler_id);
                Ok(Done::new((), AuditEntry::new("complaint_dispatched", id).changing(&before, &after))
                    .telling(notices))
            })
        })
        .await
}

/// Recusal by rule: neither the unit it is about, nor the person, nor one who declared an interest.
async fn check_destination(unit: &UnitOfWork, held: &Held, to: &Destination) -> Result<StaffId, Fault> {
    let township = held.complaint.township_id;
    for place in to.joint_units.iter().chain([&to.unit]) {
        let known = organizations::Entity::find_by_id(*place).one(unit.connection()).await?;
        if !known.is_some_and(|known| known.id == township || known.parent_id == Some(township)) {
            return Err(Fault::refused(ComplaintRefusal::UnknownUnit));
        }
        if held.subject.concerns_organizations.contains(place) {
            return Err(Fault::refused(ComplaintRefusal::Recused));
        }
    }
    let today = unit.today();
    let in_post = posts::Entity::find()
        .filter(posts::Column::OrganizationId.eq(to.unit))
        .filter(posts::Column::Role.is_in([
            Role::VillageSecretary,
            Role::VillageStaff,
            Role::DepartmentHandler,
            Role::TownshipOffice,
        ]))
        .filter(posts::Column::FromDate.lte(today))
        .filter(Condition::any().add(posts::Column::ToDate.is_null()).add(posts::Column::ToDate.gte(today)))
        .order_by_asc(posts::Column::Id)
        .all(unit.connection())
        .await?;
    let mut candidates: Vec<_> = in_post.iter().collect();
    // Named, or else whoever answers for the unit.
    candidates.sort_by_key(|post| u8::from(post.role == Role::VillageStaff));
    if let Some(named) = to.handler {
        candidates.retain(|post| post.staff_id == named);
        if candidates.is_empty() {
            return Err(Fault::refused(ComplaintRefusal::UnknownHandler));
        }
    }
    if candidates.is_empty() {
        return Err(Fault::refused(ComplaintRefusal::UnknownHandler));
    }
    // Who wrote it down for somebody has seen the receipt code, and so could rate his own work.
    let registrar = entries::Entity::find()
        .filter(entries::Column::ComplaintId.eq(held.complaint.id))
        .filter(entries::Column::Kind.eq("registered"))
        .one(unit.connection())
        .await?
        .and_then(|entry| entry.staff_id);
    candidates.retain(|post| Some(post.staff_id) != registrar);
    for candidate in candidates {
        let person = crate::people::staff_in(unit.connection(), candidate.staff_id, today).await?;
        if person.is_some_and(|person| !crate::people::authorization::is_recused(&person, &held.subject)) {
            return Ok(candidate.staff_id);
        }
    }
    Err(Fault::refused(ComplaintRefusal::Recused))
}

async fn set_joint_units(
    unit: &UnitOfWork,
    complaint: &complaints::Model,
    units: &[OrganizationId],
) -> Result<(), Fault> {
    joint_units::Entity::delete_many()
        .filter(joint_units::Column::ComplaintId.eq(complaint.id))
        .exec(unit.connection())
        .await?;
    let rows: Vec<_> = units
        .iter()
        .filter(|joined| Some(**joined) != complaint.lead_unit_id)
        .map(|joined| joint_units::ActiveModel {
            id: Set(EntryId::new(unit.randomness(), unit.now())),
            county_id: Set(complaint.county_id),
            complaint_id: Set(complaint.id),
            unit_id: Set(*joined),
        })
        .collect();
    if !rows.is_empty() {
        joint_units::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([joint_units::Column::ComplaintId, joint_units::Column::UnitId])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(unit.connection())
            .await?;
    }
    Ok(())
}

/// The unit takes it on; the clock for the answer starts (XF art. 34: from acceptance). In a later round the clock of
/// the bad rating goes on.
///
/// # Errors
/// When the actor may not or the state does not allow it.
pub async fn accept(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
) -> Result<Outcome<()>, Fault> {
    let (actor, calendar) = (command.actor.clone(), calendar.clone());
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::HandleComplaint, id).await?;
                let context = context(unit, &held.complaint).await?;
                advance(unit, &mut held.complaint, Act::Accept, &context).await?;
                let complaint = &held.complaint;
                note(unit, &actor, complaint, Entry::shown("accepted", "已受理，正在办理"));
                deadlines::end(unit, id.into(), Some("acceptance"), DeadlineStatus::Met).await?;
                if complaint.round == 1 && !has_answer_deadline(unit, complaint).await? {
                    open_answer(unit, &calendar, complaint).await?;
                }
                let facts = json!({"number": complaint.number, "title": complaint.title});
                let notices = tell_reporters(&held, "complaint_accepted", &facts);
                Ok(Done::new((), AuditEntry::new("complaint_accepted", id)).telling(notices))
            })
        })
        .await
}

async fn has_answer_deadline(unit: &UnitOfWork, complaint: &complaints::Model) -> Result<bool, Fault> {
    let known = deadline_rows::Entity::find()
        .filter(deadline_rows::Column::SubjectId.eq(complaint.id))
        .filter(deadline_rows::Column::Kind.eq("answer"))
        .filter(deadline_rows::Column::Round.eq(complaint.round))
        .one(unit.connection())
        .await?;
    Ok(known.is_some())
}

async fn open_answer(unit: &UnitOfWork, calendar: &Calendar, complaint: &complaints::Model) -> Result<(), Fault> {
    let limit = clocks(unit, complaint).await?.rules().answer(complaint.kind.unwrap_or(ComplaintKind::Grievance));
    let worked_out = calendar.due_date(unit.today(), limit);
    deadlines::open(
        unit,
        NewDeadline {
            county: complaint.county_id,
            township: Some(complaint.township_id),
            subject: complaint.id.into(),
            title: complaint.title.clone(),
            kind: "answer",
            round: complaint.round,
            start_on: unit.today(),
            limit: json!(limit),
            due_on: worked_out.due_on,
            explanation: worked_out.explanation,
            responsible_staff: complaint.handler_id,
            responsible_unit: complaint.lead_unit_id,
        },
    )
    .await?;
    Ok(())
}

/// The unit says that it is not its business: back to the office, once.
///
/// # Errors
/// When it was returned before; the office's ruling is final then.
pub async fn return_back(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    why: &str,
) -> Result<Outcome<()>, Fault> {
    let (actor, why) = (command.actor.clone(), reason("/reason", why)?);
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::HandleComplaint, id).await?;
                let context = context(unit, &held.complaint).await?;
                advance(unit, &mut held.complaint, Act::Return, &context).await?;
                held.complaint.returns += 1;
                held.complaint.lead_unit_id = None;
                held.complaint.handler_id = None;
                write(unit, &held.complaint);
                note(unit, &actor, &held.complaint, Entry::internal("returned", &why));
                deadlines::reassign(unit, id.into(), Some(held.complaint.township_id), None).await?;
                Ok(Done::new((), AuditEntry::new("complaint_returned", id)))
            })
        })
        .await
}

/// Not for this office: the resident is told where to go instead.
///
/// # Errors
/// When the actor may not or somebody works on it already.
pub async fn refuse_acceptance(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    why_and_where_to: &str,
) -> Result<Outcome<()>, Fault> {
    let (actor, why) = (command.actor.clone(), reason("/reason", why_and_where_to)?);
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::ClassifyComplaint, id).await?;
                let context = context(unit, &held.complaint).await?;
                advance(unit, &mut held.complaint, Act::RefuseAcceptance, &context).await?;
                note(unit, &actor, &held.complaint, Entry::shown("not_accepted", &why));
                deadlines::end(unit, id.into(), None, DeadlineStatus::Met).await?;
                let facts = json!({"number": held.complaint.number, "title": held.complaint.title, "reason": why});
                let notices = tell_reporters(&held, "complaint_not_accepted", &facts);
                Ok(Done::new((), AuditEntry::new("complaint_not_accepted", id)).telling(notices))
            })
        })
        .await
}
