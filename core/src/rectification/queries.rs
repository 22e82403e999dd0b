use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};

use super::{
    Tally,
    entity::{affected, entries, joint_units, measures, problems as problem_links, rectifications, tallies},
};
use crate::{
    complaints::queries::PAGE,
    ids::{OrganizationId, RectificationId},
    people::{
        Actor,
        authorization::{Action, Reach, Subject, may, reach},
        concerns,
    },
    problems::entity::problems,
    refusal::{Fault, Refusal},
    storage::Store,
    subject::SubjectRef,
};

/// What decides who may do what with the item. It concerns whom its problems concern.
///
/// # Errors
/// When the database does not answer.
pub async fn subject_of(connection: &impl ConnectionTrait, item: &rectifications::Model) -> Result<Subject, Fault> {
    let joint_units =
        joint_units::Entity::find().filter(joint_units::Column::RectificationId.eq(item.id)).all(connection).await?;
    let affected =
        affected::Entity::find().filter(affected::Column::RectificationId.eq(item.id)).all(connection).await?;
    let about = concerns::of(connection, SubjectRef::from(item.id)).await?;
    Ok(Subject {
        county: Some(item.county_id),
        township: Some(item.township_id),
        village: Some(item.village_id),
        lead_unit: Some(item.lead_unit_id),
        joint_units: joint_units.into_iter().map(|row| row.unit_id).collect(),
        handler: Some(item.responsible_staff_id),
        complaint: None,
        reporters: Vec::new(),
        affected: affected.into_iter().map(|row| row.resident_id).collect(),
        concerns_organizations: about.organizations,
        concerns_staff: about.staff,
    })
}

/// An item with all that belongs to it.
#[derive(Debug)]
pub struct Detail {
    pub item: rectifications::Model,
    pub subject: Subject,
    pub measures: Vec<measures::Model>,
    pub entries: Vec<entries::Model>,
    pub problems: Vec<problems::Model>,
}

/// One item, if the actor may see it.
///
/// # Errors
/// `not_found` for those who may not.
pub async fn detail(store: &Store, actor: &Actor, id: RectificationId) -> Result<Detail, Fault> {
    let connection = store.reader();
    let item = rectifications::Entity::find_by_id(id).one(connection).await?.ok_or_else(Refusal::not_found)?;
    let subject = subject_of(connection, &item).await?;
    may(actor, Action::ViewRectification, &subject)?;
    let mut timeline = entries::Entity::find().filter(entries::Column::RectificationId.eq(id));
    if !matches!(actor, Actor::Staff(_)) {
        timeline = timeline.filter(entries::Column::IsPublic.eq(true));
    }
    let linked = Query::select()
        .column(problem_links::Column::ProblemId)
        .from(problem_links::Entity)
        .and_where(problem_links::Column::RectificationId.eq(id))
        .take();
    Ok(Detail {
        measures: measures::Entity::find()
            .filter(measures::Column::RectificationId.eq(id))
            .order_by_asc(measures::Column::Position)
            .all(connection)
            .await?,
        entries: timeline.order_by_asc(entries::Column::Id).all(connection).await?,
        problems: problems::Entity::find().filter(problems::Column::Id.in_subquery(linked)).all(connection).await?,
        item,
        subject,
    })
}

/// How the affected residents answered in a round.
///
/// # Errors
/// When the database does not answer.
pub async fn tally(connection: &impl ConnectionTrait, id: RectificationId, round: i32) -> Result<Tally, Fault> {
    let eligible = affected::Entity::find().filter(affected::Column::RectificationId.eq(id)).count(connection).await?;
    let rows = tallies::Entity::find()
        .filter(tallies::Column::RectificationId.eq(id))
        .filter(tallies::Column::Round.eq(round))
        .all(connection)
        .await?;
    let answers: BTreeMap<_, _> =
        rows.into_iter().map(|row| (row.level, u32::try_from(row.answers).unwrap_or(0))).collect();
    Ok(Tally { eligible: u32::try_from(eligible).unwrap_or(u32::MAX), answers })
}

/// The items the actor may see, newest first; for residents those they may judge.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    store: &Store,
    actor: &Actor,
    village: Option<OrganizationId>,
    before: Option<RectificationId>,
) -> Result<Vec<rectifications::Model>, Fault> {
    use rectifications::Column as C;
    let mut query = rectifications::Entity::find();
    query = match reach(actor, Action::ViewRectification) {
        Reach::Nothing => return Ok(Vec::new()),
        Reach::Resident(resident) => {
            let mine = Query::select()
                .column(affected::Column::RectificationId)
                .from(affected::Entity)
                .and_where(affected::Column::ResidentId.eq(resident))
                .take();
            query.filter(C::Id.in_subquery(mine))
        }
        Reach::Staff(reach) => {
            let joined = Query::select()
                .column(joint_units::Column::RectificationId)
                .from(joint_units::Entity)
                .and_where(joint_units::Column::UnitId.is_in(reach.units.iter().copied()))
                .take();
            let mut within = Condition::any()
                .add(C::TownshipId.is_in(reach.townships.clone()))
                .add(C::LeadUnitId.is_in(reach.units.clone()));
            if !reach.units.is_empty() {
                within = within.add(C::Id.in_subquery(joined));
            }
            if reach.whole_county {
                within = within.add(C::CountyId.eq(reach.county));
            }
            if let Some(handler) = reach.handler {
                within = within.add(C::ResponsibleStaffId.eq(handler));
            }
            let id = Expr::col((rectifications::Entity, C::Id));
            query.filter(within).filter(concerns::not_concerning(&reach, id))
        }
    };
    if let Some(village) = village {
        query = query.filter(C::VillageId.eq(village));
    }
    if let Some(before) = before {
        query = query.filter(C::Id.lt(before));
    }
    Ok(query.order_by_desc(C::Id).limit(PAGE).all(store.reader()).await?)
}
