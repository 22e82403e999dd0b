//! Reading complaints: one with all that belongs to it, and the lists that people work from.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    Select,
    sea_query::{Alias, Expr, Query, UnionType},
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

/// The complaint of this number, if the actor may see it.
///
/// # Errors
/// When the database does not answer.
pub async fn by_number(store: &Store, actor: &Actor, number: &str) -> Result<Option<complaints::Model>, Fault> {
    let connection = store.reader();
    let found = complaints::Entity::find()
        .filter(complaints::Column::CountyId.eq(actor.county()))
        .filter(complaints::Column::Number.eq(number))
        .one(connection)
        .await?;
    let Some(complaint) = found else { return Ok(None) };
    let subject = subject_of(connection, &complaint).await?;
    Ok(may(actor, Action::ViewComplaint, &subject).is_ok().then_some(complaint))
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
    match list_query(actor, filter) {
        Some(query) => Ok(query.all(store.reader()).await?),
        None => Ok(Vec::new()),
    }
}

/// The statement behind [`list`]. Each way in which a complaint can be somebody's has an index of its own that gives the
/// newest first; one condition with OR would have none. So each way gives a page, and the page is made of these.
#[must_use]
pub fn list_query(actor: &Actor, filter: Filter) -> Option<Select<complaints::Entity>> {
    let (ways, concerns) = ways_to(actor)?;
    let mut pages = ways.into_iter().enumerate().map(|(number, way)| {
        let mut page = Query::select()
            .column((complaints::Entity, complaints::Column::Id))
            .from(complaints::Entity)
            .cond_where(way)
            .order_by((complaints::Entity, complaints::Column::Id), Order::Desc)
            .limit(PAGE)
            .take();
        page.cond_where(filter.condition());
        if let Some(concerns) = &concerns {
            page.cond_where(concerns.clone());
        }
        // SQLite takes no limit inside a union but in a subquery of its own.
        Query::select().column(complaints::Column::Id).from_subquery(page, Alias::new(format!("way_{number}"))).take()
    });
    let mut ids = pages.next()?;
    for page in pages {
        ids.union(UnionType::Distinct, page);
    }
    // Cut to a page before rows are read: in a long table each of them is looked up by itself.
    let page = Query::select()
        .column(complaints::Column::Id)
        .from_subquery(ids, Alias::new("ways"))
        .order_by(complaints::Column::Id, Order::Desc)
        .limit(PAGE)
        .take();
    let query = complaints::Entity::find().filter(complaints::Column::Id.in_subquery(page));
    Some(query.order_by_desc(complaints::Column::Id).limit(PAGE))
}

impl Filter {
    fn condition(self) -> Condition {
        let mut condition = Condition::all();
        let column = |column: complaints::Column| Expr::col((complaints::Entity, column));
        if let Some(state) = self.state {
            condition = condition.add(complaints::in_phase_of(state)).add(column(complaints::Column::State).eq(state));
        }
        if let Some(village) = self.village {
            condition = condition.add(column(complaints::Column::VillageId).eq(village));
        }
        if let Some(before) = self.before {
            condition = condition.add(column(complaints::Column::Id).lt(before));
        }
        condition
    }
}

/// The ways in which a complaint can be the actor's to see, each a condition that one index serves; and what leaves out
/// those that concern him.
fn ways_to(actor: &Actor) -> Option<(Vec<Condition>, Option<Condition>)> {
    let column = |column: complaints::Column| Expr::col((complaints::Entity, column));
    let way = |expression: Expr| Condition::all().add(expression);
    match reach(actor, Action::ViewComplaint) {
        Reach::Nothing => None,
        Reach::Resident(resident) => {
            Some((vec![way(column(complaints::Column::Id).in_subquery(filed_by(resident)))], None))
        }
        Reach::Staff(reach) => {
            let mut ways = Vec::new();
            if reach.whole_county {
                ways.push(way(column(complaints::Column::CountyId).eq(reach.county)));
            }
            for township in &reach.townships {
                ways.push(way(column(complaints::Column::TownshipId).eq(*township)));
            }
            for unit in &reach.units {
                ways.push(way(column(complaints::Column::LeadUnitId).eq(*unit)));
                ways.push(
                    way(column(complaints::Column::VillageId).eq(*unit))
                        .add(column(complaints::Column::LeadUnitId).is_null()),
                );
            }
            if !reach.units.is_empty() {
                ways.push(way(column(complaints::Column::Id).in_subquery(joined_by(&reach.units))));
            }
            if let Some(handler) = reach.handler {
                ways.push(way(column(complaints::Column::HandlerId).eq(handler)));
            }
            let id = column(complaints::Column::Id);
            Some((ways, Some(concerns::not_concerning(&reach, id))))
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
