//! Who has not said yet whether the answer is good. Silence is not consent (1.10): the reporter is asked again, and at
//! last the office calls.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait as _, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait as _, sea_query::Expr,
};

use super::{
    State,
    entity::{complaints, ratings, reporters},
};
use crate::{
    ids::{ComplaintId, CountyId, EntryId, OrganizationId, ResidentId, StaffId},
    refusal::Fault,
};

/// Most rows of a page.
const PAGE: u64 = 500;

/// A reporter of an answered complaint who has not rated the round.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Silent {
    pub complaint_id: ComplaintId,
    pub reporter_id: EntryId,
    /// None for holders of a paper receipt.
    pub resident_id: Option<ResidentId>,
    pub township_id: OrganizationId,
    pub title: String,
    pub round: i32,
    pub handler_id: Option<StaffId>,
    pub answered_at: DateTime<Utc>,
}

/// The silent of a county whose answer came in this time, a page after the last one of the page before.
///
/// # Errors
/// When the database does not answer.
pub async fn silent_reporters(
    connection: &impl ConnectionTrait,
    county: CountyId,
    answered: std::ops::Range<DateTime<Utc>>,
    after: Option<&Silent>,
) -> Result<Vec<Silent>, Fault> {
    use complaints::Column as C;
    let reporter = |column: reporters::Column| Expr::col((reporters::Entity, column));
    let rating = |column: ratings::Column| Expr::col((ratings::Entity, column));
    let rated = ratings::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(rating(ratings::Column::ComplaintId).equals((complaints::Entity, C::Id)))
        .filter(rating(ratings::Column::Round).equals((complaints::Entity, C::Round)))
        .filter(rating(ratings::Column::ReporterId).equals((reporters::Entity, reporters::Column::Id)))
        .into_query();
    let brought_up =
        complaints::Entity::belongs_to(reporters::Entity).from(C::Id).to(reporters::Column::ComplaintId).into();
    let mut query = complaints::Entity::find()
        .select_only()
        .columns([C::TownshipId, C::Title, C::Round, C::HandlerId, C::AnsweredAt])
        .column_as(C::Id, "complaint_id")
        .expr_as(reporter(reporters::Column::Id), "reporter_id")
        .expr_as(reporter(reporters::Column::ResidentId), "resident_id")
        .join(JoinType::InnerJoin, brought_up)
        .filter(C::CountyId.eq(county))
        .filter(C::State.is_in([State::Answered, State::Rated]))
        .filter(C::AnsweredAt.gte(answered.start))
        .filter(C::AnsweredAt.lt(answered.end))
        .filter(Expr::exists(rated).not());
    if let Some(last) = after {
        query = query.filter(Condition::any().add(C::Id.gt(last.complaint_id)).add(
            Condition::all().add(C::Id.eq(last.complaint_id)).add(reporter(reporters::Column::Id).gt(last.reporter_id)),
        ));
    }
    Ok(query
        .order_by_asc(C::Id)
        .order_by_asc(reporter(reporters::Column::Id))
        .limit(PAGE)
        .into_model()
        .all(connection)
        .await?)
}
