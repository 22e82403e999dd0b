//! What waits for a member of staff: lists over the one ledger of deadlines.

use chrono::NaiveDate;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, Query},
};

use super::{
    DeadlineStatus, ExtensionStatus,
    entity::{deadlines, extensions},
};
use crate::{
    ids::DeadlineId,
    people::{authorization::StaffReach, concerns},
    refusal::Fault,
    storage::Store,
    subject::SubjectKind,
};

/// Most rows of a page.
pub const PAGE: u64 = 50;

/// Dates that are not known yet come last.
const FAR_FUTURE: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a date");

/// Open deadlines within reach, the most urgent first; `after` is the last of the page before.
///
/// # Errors
/// When the database does not answer.
pub async fn due(
    store: &Store,
    reach: &StaffReach,
    after: Option<(Option<NaiveDate>, DeadlineId)>,
) -> Result<Vec<deadlines::Model>, Fault> {
    use deadlines::Column as C;
    let mut query = open_within(reach);
    if let Some((due_on, id)) = after {
        query = query.filter(match due_on {
            Some(due_on) => Condition::any()
                .add(C::DueOn.gt(due_on))
                .add(C::DueOn.is_null())
                .add(Condition::all().add(C::DueOn.eq(due_on)).add(C::Id.gt(id))),
            None => Condition::all().add(C::DueOn.is_null()).add(C::Id.gt(id)),
        });
    }
    let mut rows = query
        .order_by_with_nulls(C::DueOn, sea_orm::Order::Asc, sea_orm::sea_query::NullOrdering::Last)
        .order_by_asc(C::Id)
        .limit(PAGE)
        .all(store.reader())
        .await?;
    rows.sort_by_key(|row| (row.due_on.unwrap_or(FAR_FUTURE), row.id));
    Ok(rows)
}

fn open_within(reach: &StaffReach) -> Select<deadlines::Entity> {
    use deadlines::Column as C;
    let mut within = Condition::any();
    if reach.whole_county {
        within = within.add(C::CountyId.eq(reach.county));
    }
    if !reach.townships.is_empty() {
        within = within.add(C::TownshipId.is_in(reach.townships.iter().copied()));
    }
    if !reach.units.is_empty() {
        within = within.add(C::ResponsibleUnitId.is_in(reach.units.iter().copied()));
    }
    if let Some(handler) = reach.handler {
        within = within.add(C::ResponsibleStaffId.eq(handler));
    }
    let subject = Expr::col((deadlines::Entity, C::SubjectId));
    deadlines::Entity::find()
        .filter(C::Status.eq(DeadlineStatus::Open))
        .filter(within)
        .filter(concerns::not_concerning(reach, subject))
}

/// How much waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Due from a day to another, both included.
    pub due: u64,
    /// Due before.
    pub overdue: u64,
    /// Being done again because residents were dissatisfied with the round before.
    pub done_again: u64,
}

/// How much waits within reach.
///
/// # Errors
/// When the database does not answer.
pub async fn counts(store: &Store, reach: &StaffReach, from: NaiveDate, until: NaiveDate) -> Result<Counts, Fault> {
    use deadlines::Column as C;
    let open = || open_within(reach);
    let reader = store.reader();
    Ok(Counts {
        due: open().filter(C::DueOn.between(from, until)).count(reader).await?,
        overdue: open().filter(C::DueOn.lt(from)).count(reader).await?,
        // Only a bad verdict opens another round.
        done_again: open()
            .filter(C::SubjectKind.is_in([SubjectKind::Complaint, SubjectKind::Rectification]))
            .filter(C::Round.gt(1))
            .count(reader)
            .await?,
    })
}

/// Requests for more time within reach that wait for a decision, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn pending_extensions(store: &Store, reach: &StaffReach) -> Result<Vec<extensions::Model>, Fault> {
    let within_reach = Query::select()
        .column(deadlines::Column::Id)
        .from(deadlines::Entity)
        .and_where(deadlines::Column::TownshipId.is_in(reach.townships.iter().copied()))
        .take();
    let subject = Expr::col((extensions::Entity, extensions::Column::SubjectId));
    Ok(extensions::Entity::find()
        .filter(extensions::Column::Status.eq(ExtensionStatus::Requested))
        .filter(extensions::Column::DeadlineId.in_subquery(within_reach))
        .filter(concerns::not_concerning(reach, subject))
        .order_by_asc(extensions::Column::Id)
        .limit(PAGE)
        .all(store.reader())
        .await?)
}
