use chrono::NaiveDate;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::board::{last_deadlines, overdue};
use crate::{
    ids::CountyId,
    rectification::{State, entity::rectifications},
    refusal::Fault,
};

/// How a rectification item stands, as the public page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicItem {
    pub number: String,
    pub title: String,
    pub state: State,
    pub due_on: Option<NaiveDate>,
    pub days_overdue: i64,
}

/// The published item of this number; none for one that nobody has promised in public yet.
///
/// # Errors
/// When the database does not answer.
pub async fn item_by_number(
    connection: &impl ConnectionTrait,
    county: CountyId,
    number: &str,
    today: NaiveDate,
) -> Result<Option<PublicItem>, Fault> {
    let found = rectifications::Entity::find()
        .filter(rectifications::Column::CountyId.eq(county))
        .filter(rectifications::Column::Number.eq(number))
        .filter(rectifications::Column::State.ne(State::NotStarted))
        .one(connection)
        .await?;
    let Some(item) = found else { return Ok(None) };
    let due_on = last_deadlines(connection, [item.id.0]).await?.get(&item.id.0).and_then(|deadline| deadline.due_on);
    let days_overdue = if item.state == State::Closed { 0 } else { overdue(due_on, today) };
    Ok(Some(PublicItem { number: item.number, title: item.title, state: item.state, due_on, days_overdue }))
}
