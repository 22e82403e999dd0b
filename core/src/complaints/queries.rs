//! Reading complaints: one with all that belongs to it, and the lists that people work from.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, Query},
};

use super::{
    State,
    entity::{complaints, entries, joint_units, ratings, reporters},
};
use crate::{
    ids::{ComplaintId, OrganizationId, ResidentId},
    people::{
        Actor,
        authorization::{Action, Reach, Subject, may, reach},
        concerns,
    },
    refusal::{Fault, Refusal},
    storage::Store,
    subject::SubjectRef,
};

/// Most rows of a page.
pub const PAGE: u64 = 30;

/// What decides who may do what with the complaint.
///
/// # Errors
/// When the database does not answer.
pub async fn subject_of(connection: &impl ConnectionTrait, complaint: &complaints::Model) -> Result<Subject, Fault> {
    let brought_up =
        reporters::Entity::find().filter(reporters::Column::ComplaintId.eq(complaint.id)).all(connection).await?;
    let joint_units =
        joint_units::Entity::find().filter(joint_units::Column::ComplaintId.eq(complaint.id)).all(connection).await?;
    let about = concerns::of(connection, SubjectRef::from(complaint.id)).await?;
    Ok(Subject {
        county: Some(complaint.county_id),
        township: Some(complaint.township_id),
        village: Some(complaint.village_id),
        lead_unit: complaint.lead_unit_id,
        joint_units: joint_units.into_iter().map(|row| row.unit_id).collect(),
        handler: complaint.handler_id,
        complaint: Some(complaint.id),
        reporters: brought_up.into_iter().filter_map(|row| row.resident_id).collect(),
        affected: Vec::new(),
        concerns_organizations: about.organizations,
        concerns_staff: about.staff,
    })
}

/// A complaint with all that belongs to it.
#[derive(Debug)]
pub struct Detail {
    pub complaint: complaints::Model,
    pub subject: Subject,
    pub entries: Vec<entries::Model>,
    pub ratings: Vec<ratings::Model>,
    pub reporters: Vec<reporters::Model>,
}

/// One complaint, if the actor may see it. A reporter of a merged complaint sees the one it was merged into.
///
/// # Errors
/// `not_found` for those who may not see it.
pub async fn detail(store: &Store, actor: &Actor, id: ComplaintId) -> Result<Detail, Fault> {
    let connection = store.reader();
    let complaint = complaints::Entity::find_by_id(id).one(connection).await?.ok_or_else(Refusal::not_found)?;
    let subject = subject_of(connection, &complaint).await?;
    may(actor, Action::ViewComplaint, &subject)?;
    let mut timeline = entries::Entity::find().filter(entries::Column::ComplaintId.eq(id));
    if !matches!(actor, Actor::Staff(_)) {
        timeline = timeline.filter(entries::Column::VisibleToReporter.eq(true));
    }
    let entries = timeline.order_by_asc(entries::Column::Id).all(connection).await?;
    let ratings = ratings::Entity::find()
        .filter(ratings::Column::ComplaintId.eq(id))
        .order_by_asc(ratings::Column::Round)
        .all(connection)
        .await?;
    let reporters = reporters::Entity::find().filter(reporters::Column::ComplaintId.eq(id)).all(connection).await?;
    Ok(Detail { complaint, subject, entries, ratings, reporters })
}

/// What a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub state: Option<State>,
    pub village: Option<OrganizationId>,
    /// Show those before (older than) this one.
    pub before: Option<ComplaintId>,
}

/// The complaints that the actor may see, newest first: a resident's own, a unit's, a township's.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store, actor: &Actor, filter: Filter) -> Result<Vec<complaints::Model>, Fault> {
    let Some(query) = visible_to(actor) else { return Ok(Vec::new()) };
    Ok(page(query, filter).all(store.reader()).await?)
}

fn page(mut query: Select<complaints::Entity>, filter: Filter) -> Select<complaints::Entity> {
    if let Some(state) = filter.state {
        query = query.filter(complaints::Column::State.eq(state));
    }
    if let Some(village) = filter.village {
        query = query.filter(complaints::Column::VillageId.eq(village));
    }
    if let Some(before) = filter.before {
        query = query.filter(complaints::Column::Id.lt(before));
    }
    query.order_by_desc(complaints::Column::Id).limit(PAGE)
}

fn visible_to(actor: &Actor) -> Option<Select<complaints::Entity>> {
    let query = complaints::Entity::find();
    match reach(actor, Action::ViewComplaint) {
        Reach::Nothing => None,
        Reach::Resident(resident) => Some(query.filter(complaints::Column::Id.in_subquery(filed_by(resident)))),
        Reach::Staff(reach) => {
            let mut within = Condition::any();
            if reach.whole_county {
                within = within.add(complaints::Column::CountyId.eq(reach.county));
            }
            if !reach.townships.is_empty() {
                within = within.add(complaints::Column::TownshipId.is_in(reach.townships.clone()));
            }
            if !reach.units.is_empty() {
                within = within
                    .add(complaints::Column::LeadUnitId.is_in(reach.units.clone()))
                    .add(complaints::Column::Id.in_subquery(joined_by(&reach.units)))
                    .add(
                        complaints::Column::LeadUnitId
                            .is_null()
                            .and(complaints::Column::VillageId.is_in(reach.units.clone())),
                    );
            }
            if let Some(handler) = reach.handler {
                within = within.add(complaints::Column::HandlerId.eq(handler));
            }
            let id = Expr::col((complaints::Entity, complaints::Column::Id));
            Some(query.filter(within).filter(concerns::not_concerning(&reach, id)))
        }
    }
}

fn filed_by(resident: ResidentId) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(reporters::Column::ComplaintId)
        .from(reporters::Entity)
        .and_where(reporters::Column::ResidentId.eq(resident))
        .take()
}

fn joined_by(units: &[OrganizationId]) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(joint_units::Column::ComplaintId)
        .from(joint_units::Entity)
        .and_where(joint_units::Column::UnitId.is_in(units.iter().copied()))
        .take()
}
