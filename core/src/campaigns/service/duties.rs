use chrono::{Days, NaiveDate};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::owners::{Establishment, Owner};
use crate::{
    audit::AuditEntry,
    calendar::Calendar,
    campaigns::{
        DutyState, HandedIn, Plan, completion,
        entity::{campaigns, duties},
        plan::{Duty, Rhythm},
        queries::subject_of,
        refusals::DutyRefusal,
        rhythm::Due,
    },
    deadlines::{self, DeadlineStatus, NewDeadline, entity::deadlines as deadline_rows},
    evidence::{self, Purpose},
    ids::{CampaignId, CountyId, DutyId},
    people::{
        Actor,
        authorization::{Action, may},
    },
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::SubjectRef,
};

/// Duties are opened this many days before they are due: longer than any reminder runs ahead, short enough that a
/// change of post or plan touches few.
pub const OPENED_AHEAD: Days = Days::new(45);

/// Opens what comes near, for all campaigns of the county. To be run every day; running it again, or on several
/// machines, opens nothing twice, and days on which it did not run are made up for.
///
/// # Errors
/// When the database does not answer.
pub async fn open_coming_duties(store: &Store, calendar: &Calendar, county: CountyId) -> Result<u32, Fault> {
    let calendar = calendar.clone();
    let command = Command::by(&Actor::System { county });
    let outcome = store
        .command(county, &command, move |unit| {
            Box::pin(async move {
                let running = campaigns::Entity::find()
                    .filter(campaigns::Column::CountyId.eq(county))
                    .filter(campaigns::Column::EndsOn.gte(unit.today()))
                    .lock_exclusive()
                    .all(unit.connection())
                    .await?;
                let (mut opened, mut audit) = (0, Vec::new());
                for campaign in running {
                    let plan: Plan = serde_json::from_value(campaign.plan.clone()).map_err(Fault::unavailable)?;
                    let establishment =
                        Establishment::read(unit.connection(), county, campaign.township_id, unit.today()).await?;
                    let first = campaign.duties_opened_until + Days::new(1);
                    opened += open_until(unit, &calendar, &campaign, &plan, &establishment, first).await?;
                    audit.extend(hand_over(unit, &campaign, &plan, &establishment).await?);
                }
                Ok(Done { value: opened, audit, notices: Vec::new() })
            })
        })
        .await?;
    Ok(outcome.value)
}

/// Gives what is still to come to whoever holds the office now. What is late stays with the person who let it get late
/// (追溯); what nobody answered for yet gets its person.
async fn hand_over(
    unit: &UnitOfWork,
    campaign: &campaigns::Model,
    plan: &Plan,
    establishment: &Establishment,
) -> Result<Vec<AuditEntry>, Fault> {
    let late = deadline_rows::Entity::find()
        .select_only()
        .column(deadline_rows::Column::SubjectId)
        .filter(deadline_rows::Column::TownshipId.eq(campaign.township_id))
        .filter(deadline_rows::Column::Status.eq(DeadlineStatus::Open))
        .filter(deadline_rows::Column::DueOn.lt(unit.today()))
        .into_query();
    let coming = duties::Entity::find()
        .filter(duties::Column::CampaignId.eq(campaign.id))
        .filter(duties::Column::State.eq(DutyState::Open))
        .filter(duties::Column::HandedOverTo.is_null())
        .filter(Condition::any().add(duties::Column::StaffId.is_null()).add(duties::Column::Id.not_in_subquery(late)))
        .all(unit.connection())
        .await?;
    let owed = plan.owed();
    let mut audit = Vec::new();
    for duty in coming {
        let office = owed.iter().find(|known| known.key == duty.duty_key).and_then(|known| plan.office(&known.owner));
        let Some(owner) = office
            .and_then(|office| establishment.owners(office).into_iter().find(|owner| owner.unit == duty.unit_id))
            .filter(|owner| owner.staff.is_some() && owner.staff != duty.staff_id)
        else {
            continue;
        };
        duties::Entity::update_many()
            .col_expr(duties::Column::StaffId, Expr::value(owner.staff))
            .filter(duties::Column::Id.eq(duty.id))
            .exec(unit.connection())
            .await?;
        deadlines::reassign(unit, duty.id.into(), Some(owner.unit), owner.staff).await?;
        audit.push(AuditEntry::new("duty_handed_over", duty.id).changing(&duty.staff_id, &owner.staff));
    }
    Ok(audit)
}

/// Opens the duties of one campaign that fall due from `first` to the end of the stretch ahead.
pub(super) async fn open_until(
    unit: &UnitOfWork,
    calendar: &Calendar,
    campaign: &campaigns::Model,
    plan: &Plan,
    establishment: &Establishment,
    first: NaiveDate,
) -> Result<u32, Fault> {
    let last = (unit.today() + OPENED_AHEAD).min(plan.ends_on);
    let mut opened = 0;
    for duty in &plan.owed() {
        let Some(office) = plan.office(&duty.owner) else { continue };
        let from = duty.from.map_or(first, |from| from.max(first));
        let until = duty.until.map_or(last, |until| until.min(last));
        let dues = duty.rhythm.due_between(from, until);
        if dues.is_empty() {
            continue;
        }
        for owner in establishment.owners(office) {
            for due in &dues {
                opened += u32::from(open_one(unit, calendar, campaign, duty, due, &owner).await?);
            }
        }
    }
    if first <= last {
        campaigns::Entity::update_many()
            .col_expr(campaigns::Column::DutiesOpenedUntil, Expr::value(last))
            .filter(campaigns::Column::Id.eq(campaign.id))
            .exec(unit.connection())
            .await?;
    }
    Ok(opened)
}

async fn open_one(
    unit: &UnitOfWork,
    calendar: &Calendar,
    campaign: &campaigns::Model,
    duty: &Duty,
    due: &Due,
    owner: &Owner,
) -> Result<bool, Fault> {
    let title = if due.label.is_empty() { duty.label.clone() } else { format!("{}（{}）", duty.label, due.label) };
    let Some(id) = insert(unit, campaign, duty, &due.period, &title, owner, due.opens_on).await? else {
        return Ok(false);
    };
    let worked_out = calendar.day(due.rule);
    let limit = serde_json::to_value(due.rule).map_err(Fault::unavailable)?;
    open_deadline(unit, campaign, id, title, owner, due.opens_on, limit, worked_out).await?;
    Ok(true)
}

/// Writes the occurrence; none when it is there already.
async fn insert(
    unit: &UnitOfWork,
    campaign: &campaigns::Model,
    duty: &Duty,
    period: &str,
    title: &str,
    owner: &Owner,
    opens_on: NaiveDate,
) -> Result<Option<DutyId>, Fault> {
    let id = DutyId::new(unit.randomness(), unit.now());
    let row = duties::ActiveModel {
        id: Set(id),
        county_id: Set(campaign.county_id),
        township_id: Set(campaign.township_id),
        campaign_id: Set(campaign.id),
        duty_key: Set(duty.key.clone()),
        period: Set(period.to_owned()),
        title: Set(title.to_owned()),
        unit_id: Set(owner.unit),
        staff_id: Set(owner.staff),
        handed_over_to: Set(None),
        opens_on: Set(opens_on),
        state: Set(DutyState::Open),
        completed_by: Set(None),
        completed_in_post: Set(None),
        completed_at: Set(None),
        evidence: Set(None),
        created_at: Set(unit.now()),
    };
    let once = OnConflict::columns([
        duties::Column::CampaignId,
        duties::Column::DutyKey,
        duties::Column::Period,
        duties::Column::UnitId,
    ])
    .do_nothing()
    .to_owned();
    let written =
        duties::Entity::insert_many([row]).on_conflict(once).exec_without_returning(unit.connection()).await?;
    Ok((written > 0).then_some(id))
}

#[expect(clippy::too_many_arguments, reason = "a deadline has that many columns")]
async fn open_deadline(
    unit: &UnitOfWork,
    campaign: &campaigns::Model,
    id: DutyId,
    title: String,
    owner: &Owner,
    start_on: NaiveDate,
    limit: serde_json::Value,
    worked_out: crate::calendar::WorkedOut,
) -> Result<(), Fault> {
    let new = NewDeadline {
        county: campaign.county_id,
        township: Some(campaign.township_id),
        subject: id.into(),
        title,
        kind: "duty",
        round: 0,
        start_on,
        limit,
        due_on: worked_out.due_on,
        explanation: worked_out.explanation,
        responsible_staff: owner.staff,
        responsible_unit: Some(owner.unit),
    };
    deadlines::open(unit, new).await?;
    Ok(())
}

/// A case came up for which the plan sets a limit (`every = "case"`): opens the duty for it.
///
/// # Errors
/// When the actor may not supervise there, or the plan has no such duty or nobody who owes it.
pub async fn open_case(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    campaign: CampaignId,
    duty_key: &str,
    unit_id: crate::ids::OrganizationId,
    about: &str,
) -> Result<Outcome<DutyId>, Fault> {
    let row = campaigns::Entity::find_by_id(campaign).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    let subject = crate::people::authorization::Subject {
        county: Some(row.county_id),
        township: Some(row.township_id),
        ..Default::default()
    };
    may(&command.actor, Action::LoadCampaign, &subject)?;
    let about = about.trim().to_owned();
    if about.is_empty() || about.chars().count() > 100 {
        return Err(Refusal::invalid(vec![]).with_field("/about", "请写明是哪件事，最多100个字。").into());
    }
    let (calendar, duty_key) = (calendar.clone(), duty_key.to_owned());
    store
        .command(row.county_id, command, move |unit| {
            Box::pin(async move {
                let plan: Plan = serde_json::from_value(row.plan.clone()).map_err(Fault::unavailable)?;
                let case = plan.duty(&duty_key).and_then(|duty| match duty.rhythm {
                    Rhythm::Case { limit } => Some((duty, limit)),
                    _ => None,
                });
                let (duty, limit) = case.ok_or_else(|| Fault::refused(DutyRefusal::NoSuchCaseDuty))?;
                let office = plan.office(&duty.owner).ok_or_else(|| Fault::refused(DutyRefusal::NoSuchCaseDuty))?;
                let establishment =
                    Establishment::read(unit.connection(), row.county_id, row.township_id, unit.today()).await?;
                let owner = establishment
                    .owners(office)
                    .into_iter()
                    .find(|owner| owner.unit == unit_id)
                    .ok_or_else(|| Fault::refused(DutyRefusal::NotOwedThere))?;
                let title = format!("{}：{about}", duty.label);
                // Each case is one of its own.
                let period = DutyId::new(unit.randomness(), unit.now()).to_string();
                let id = insert(unit, &row, duty, &period, &title, &owner, unit.today())
                    .await?
                    .ok_or_else(|| Fault::unavailable("two cases got the same random number"))?;
                let worked_out = calendar.due_date(unit.today(), limit);
                open_deadline(unit, &row, id, title, &owner, unit.today(), json!(limit), worked_out).await?;
                Ok(Done::new(id, AuditEntry::new("duty_case_opened", id)))
            })
        })
        .await
}

/// The owner hands in what the plan asks for; the duty is done.
///
/// # Errors
/// When it is somebody else's duty, not open, or something is missing.
pub async fn complete_duty(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: DutyId,
    handed_in: HandedIn,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let duty = unit.locked::<duties::Entity>(id).await?;
                let subject = subject_of(unit.connection(), &duty).await?;
                may(&actor, Action::CompleteDuty, &subject)?;
                if duty.state != DutyState::Open {
                    return Err(Fault::refused(DutyRefusal::NotOpen(duty.state)));
                }
                let campaign = campaigns::Entity::find_by_id(duty.campaign_id)
                    .one(unit.connection())
                    .await?
                    .ok_or_else(Refusal::not_found)?;
                let plan: Plan = serde_json::from_value(campaign.plan).map_err(Fault::unavailable)?;
                let asked_for = plan.owed_as(&duty.duty_key).map(|duty| duty.evidence).unwrap_or_default();
                completion::check(&asked_for, &handed_in)?;
                let photos: Vec<_> = handed_in.items.iter().flat_map(|item| item.files.iter().copied()).collect();
                evidence::attach(unit, &actor, county, id.into(), Purpose::Evidence, &photos).await?;
                let by = actor.staff();
                duties::Entity::update_many()
                    .col_expr(duties::Column::State, Expr::value(DutyState::Done))
                    .col_expr(duties::Column::CompletedBy, Expr::value(by.map(|staff| staff.id)))
                    .col_expr(
                        duties::Column::CompletedInPost,
                        Expr::value(by.and_then(|staff| staff.posts.first()).map(|post| post.id)),
                    )
                    .col_expr(duties::Column::CompletedAt, Expr::value(Some(unit.now())))
                    .col_expr(duties::Column::Evidence, Expr::value(Some(json!(handed_in))))
                    .filter(duties::Column::Id.eq(id))
                    .exec(unit.connection())
                    .await?;
                deadlines::end(unit, id.into(), Some("duty"), DeadlineStatus::Met).await?;
                let mut entry = AuditEntry::new("duty_completed", id);
                entry.permission = Some(Action::CompleteDuty);
                Ok(Done::new((), entry.changing(&duty.state, &handed_in)))
            })
        })
        .await
}

/// Cancels what is open of duties that the plan no longer has.
pub(super) async fn cancel_dropped(unit: &UnitOfWork, campaign: CampaignId, plan: &Plan) -> Result<(), Fault> {
    let kept: Vec<String> = plan.owed().into_iter().map(|duty| duty.key).collect();
    let dropped = duties::Entity::find()
        .filter(duties::Column::CampaignId.eq(campaign))
        .filter(duties::Column::State.eq(DutyState::Open))
        .filter(duties::Column::DutyKey.is_not_in(kept))
        .all(unit.connection())
        .await?;
    for duty in dropped {
        duties::Entity::update_many()
            .col_expr(duties::Column::State, Expr::value(DutyState::Cancelled))
            .filter(duties::Column::Id.eq(duty.id))
            .exec(unit.connection())
            .await?;
        deadlines::end(unit, SubjectRef::from(duty.id), None, DeadlineStatus::Cancelled).await?;
    }
    Ok(())
}
