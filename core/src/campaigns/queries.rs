//! Reading campaigns and duties.

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::{
    DutyState, Plan,
    entity::{campaigns, duties},
    plan::{ComplaintClocks, Reminders},
};
use crate::{
    deadlines::entity::deadlines,
    ids::{CampaignId, DutyId, OrganizationId},
    people::{
        Actor, OrganizationKind,
        authorization::{Action, Reach, Subject, may, reach},
        entity::organizations,
    },
    refusal::{Fault, Refusal},
    storage::Store,
};

/// Most rows of a page.
pub const PAGE: u64 = 50;

/// A campaign with its plan.
#[derive(Clone, Debug)]
pub struct Campaign {
    pub row: campaigns::Model,
    pub plan: Plan,
}

impl TryFrom<campaigns::Model> for Campaign {
    type Error = Fault;

    fn try_from(row: campaigns::Model) -> Result<Self, Fault> {
        let plan = serde_json::from_value(row.plan.clone()).map_err(Fault::unavailable)?;
        Ok(Self { row, plan })
    }
}

/// The campaign of a township that runs on this day: of several the one that began last.
///
/// # Errors
/// When the database does not answer.
pub async fn in_force(
    connection: &impl ConnectionTrait,
    township: OrganizationId,
    on: NaiveDate,
) -> Result<Option<Campaign>, Fault> {
    running(township, on).one(connection).await?.map(Campaign::try_from).transpose()
}

/// The campaign, if it is one of this township.
///
/// # Errors
/// When the database does not answer.
pub async fn of_township(
    connection: &impl ConnectionTrait,
    township: OrganizationId,
    id: CampaignId,
) -> Result<Option<Campaign>, Fault> {
    let row = campaigns::Entity::find_by_id(id).one(connection).await?;
    row.filter(|row| row.township_id == township).map(Campaign::try_from).transpose()
}

/// The limits of complaints in a township on this day: the running campaign's, or the law's.
///
/// # Errors
/// When the database does not answer.
pub async fn complaint_clocks(
    connection: &impl ConnectionTrait,
    township: OrganizationId,
    on: NaiveDate,
) -> Result<ComplaintClocks, Fault> {
    let clocks: Option<sea_orm::JsonValue> = running(township, on)
        .select_only()
        .column(campaigns::Column::ComplaintClocks)
        .into_tuple()
        .one(connection)
        .await?;
    clocks
        .map_or_else(|| Ok(ComplaintClocks::default()), |kept| serde_json::from_value(kept).map_err(Fault::unavailable))
}

/// How a township's running campaign reminds; none while none runs.
///
/// # Errors
/// When the database does not answer.
pub async fn reminders(
    connection: &impl ConnectionTrait,
    township: OrganizationId,
    on: NaiveDate,
) -> Result<Option<Reminders>, Fault> {
    let plan: Option<sea_orm::JsonValue> =
        running(township, on).select_only().column(campaigns::Column::Plan).into_tuple().one(connection).await?;
    let Some(mut plan) = plan else { return Ok(None) };
    serde_json::from_value(plan["reminders"].take()).map(Some).map_err(Fault::unavailable)
}

fn running(township: OrganizationId, on: NaiveDate) -> Select<campaigns::Entity> {
    campaigns::Entity::find()
        .filter(campaigns::Column::TownshipId.eq(township))
        .filter(campaigns::Column::StartsOn.lte(on))
        .filter(campaigns::Column::EndsOn.gte(on))
        .order_by_desc(campaigns::Column::StartsOn)
        .order_by_desc(campaigns::Column::Id)
        .limit(1)
}

/// The campaigns that the actor may see, latest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store, actor: &Actor) -> Result<Vec<campaigns::Model>, Fault> {
    let Reach::Staff(reach) = reach(actor, Action::ViewCampaign) else { return Ok(Vec::new()) };
    let mut within = Condition::any();
    if reach.whole_county {
        within = within.add(campaigns::Column::CountyId.eq(reach.county));
    }
    // Whoever works in a township's unit sees the township's campaigns.
    let townships = actor.staff().into_iter().flat_map(|staff| &staff.posts).filter_map(|post| post.township);
    within = within.add(campaigns::Column::TownshipId.is_in(townships));
    let query = campaigns::Entity::find().filter(within);
    Ok(query.order_by_desc(campaigns::Column::StartsOn).limit(PAGE).all(store.reader()).await?)
}

/// One campaign, if the actor may see it.
///
/// # Errors
/// `not_found` for those who may not.
pub async fn detail(store: &Store, actor: &Actor, id: CampaignId) -> Result<Campaign, Fault> {
    let seen = list(store, actor).await?.into_iter().find(|row| row.id == id);
    seen.ok_or_else(Refusal::not_found)?.try_into()
}

/// What decides who may do what with a duty.
///
/// # Errors
/// When the database does not answer.
pub async fn subject_of(connection: &impl ConnectionTrait, duty: &duties::Model) -> Result<Subject, Fault> {
    let place = organizations::Entity::find_by_id(duty.unit_id).one(connection).await?;
    let village = place.filter(|place| place.kind == OrganizationKind::Village).map(|place| place.id);
    Ok(Subject {
        county: Some(duty.county_id),
        township: Some(duty.township_id),
        village,
        lead_unit: Some(duty.unit_id),
        handler: duty.staff_id,
        ..Subject::default()
    })
}

/// A duty with its date.
#[derive(Clone, Debug)]
pub struct DutyWithDeadline {
    pub duty: duties::Model,
    pub deadline: Option<deadlines::Model>,
}

/// What a list of duties shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub state: Option<DutyState>,
    pub unit: Option<OrganizationId>,
    /// Show those after this one.
    pub after: Option<DutyId>,
}

/// The duties that the actor may see, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn duties(store: &Store, actor: &Actor, filter: Filter) -> Result<Vec<DutyWithDeadline>, Fault> {
    let Reach::Staff(reach) = reach(actor, Action::ViewCampaign) else { return Ok(Vec::new()) };
    let mut within = Condition::any();
    if reach.whole_county {
        within = within.add(duties::Column::CountyId.eq(reach.county));
    }
    if !reach.townships.is_empty() {
        within = within.add(duties::Column::TownshipId.is_in(reach.townships));
    }
    if !reach.units.is_empty() {
        within = within.add(duties::Column::UnitId.is_in(reach.units));
    }
    if let Some(handler) = reach.handler {
        within = within.add(duties::Column::StaffId.eq(handler));
    }
    let mut query = duties::Entity::find().filter(within);
    if let Some(state) = filter.state {
        query = query.filter(duties::Column::State.eq(state));
    }
    if let Some(unit) = filter.unit {
        query = query.filter(duties::Column::UnitId.eq(unit));
    }
    if let Some(after) = filter.after {
        query = query.filter(duties::Column::Id.gt(after));
    }
    let page = query.order_by_asc(duties::Column::Id).limit(PAGE).all(store.reader()).await?;
    with_deadlines(store.reader(), page).await
}

/// One duty, if the actor may see it.
///
/// # Errors
/// `not_found` for those who may not.
pub async fn duty(store: &Store, actor: &Actor, id: DutyId) -> Result<DutyWithDeadline, Fault> {
    let row = duties::Entity::find_by_id(id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    may(actor, Action::ViewCampaign, &subject_of(store.reader(), &row).await?)?;
    let found = with_deadlines(store.reader(), vec![row]).await?.pop();
    Ok(found.ok_or_else(Refusal::not_found)?)
}

/// The plan's duty that this is an occurrence of; none when the plan dropped it.
///
/// # Errors
/// When the database does not answer.
pub async fn asked_for(
    connection: &impl ConnectionTrait,
    duty: &duties::Model,
) -> Result<Option<super::plan::Duty>, Fault> {
    let campaign = of_township(connection, duty.township_id, duty.campaign_id).await?;
    Ok(campaign.and_then(|campaign| campaign.plan.owed_as(&duty.duty_key)))
}

async fn with_deadlines(
    connection: &impl ConnectionTrait,
    page: Vec<duties::Model>,
) -> Result<Vec<DutyWithDeadline>, Fault> {
    let dates = deadlines::Entity::find()
        .filter(deadlines::Column::SubjectId.is_in(page.iter().map(|duty| duty.id.0)))
        .all(connection)
        .await?;
    let paired = page.into_iter().map(|duty| {
        let deadline = dates.iter().find(|deadline| deadline.subject_id == duty.id.0).cloned();
        DutyWithDeadline { duty, deadline }
    });
    Ok(paired.collect())
}
