//! What waits in public (挂账): the reason and the day of review are for everybody to see, the complaint's words are not.

use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    clock::shanghai_date,
    complaints::{
        Category, PARKING_REVIEW, State,
        entity::{complaints, entries},
        queries::PAGE,
    },
    deadlines::{DeadlineStatus, entity::deadlines},
    people::entity::organizations,
    refusal::Fault,
};

/// A complaint that waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedMatter {
    number: String,
    category: Category,
    /// In the words of the leader who parked it.
    reason: String,
    parked_on: NaiveDate,
    review_on: Option<NaiveDate>,
    /// It was answered, and somebody is dissatisfied with the answer. Never counted as closed or satisfied.
    somebody_dissatisfied: bool,
}

/// The parked complaints of a village, the longest waiting first.
///
/// # Errors
/// When the database does not answer.
pub async fn parked_matters(
    connection: &impl ConnectionTrait,
    village: &organizations::Model,
) -> Result<Vec<ParkedMatter>, Fault> {
    let rows = complaints::Entity::find()
        .filter(complaints::Column::TownshipId.eq(village.parent_id))
        .filter(complaints::Column::VillageId.eq(village.id))
        .filter(complaints::in_phase_of(State::Parked))
        .filter(complaints::Column::State.is_in([State::Parked, State::ParkedUnsatisfied]))
        .order_by_asc(complaints::Column::Id)
        .limit(PAGE)
        .all(connection)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let orders = entries::Entity::find()
        .filter(entries::Column::ComplaintId.is_in(rows.iter().map(|row| row.id)))
        .filter(entries::Column::Kind.eq("parked"))
        .order_by_asc(entries::Column::Id)
        .all(connection)
        .await?;
    // The last order is the one in force.
    let orders: HashMap<_, _> = orders.into_iter().map(|entry| (entry.complaint_id, entry)).collect();
    let reviews: HashMap<Uuid, _> = deadlines::Entity::find()
        .filter(deadlines::Column::SubjectId.is_in(rows.iter().map(|row| row.id.0)))
        .filter(deadlines::Column::Kind.eq(PARKING_REVIEW))
        .filter(deadlines::Column::Status.eq(DeadlineStatus::Open))
        .all(connection)
        .await?
        .into_iter()
        .map(|deadline| (deadline.subject_id, deadline.due_on))
        .collect();
    Ok(rows
        .into_iter()
        .map(|row| {
            let order = orders.get(&row.id);
            let reason = order.and_then(|order| order.details.as_ref()?.get("reason")?.as_str());
            ParkedMatter {
                reason: reason.unwrap_or_default().to_owned(),
                parked_on: shanghai_date(order.map_or(row.changed_at, |order| order.at)),
                review_on: reviews.get(&row.id.0).copied().flatten(),
                somebody_dissatisfied: row.state == State::ParkedUnsatisfied,
                number: row.number,
                category: row.category,
            }
        })
        .collect())
}
