use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect,
    sea_query::{Alias, Expr, Func},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    complaints::{
        SatisfactionLevel, State,
        entity::{complaints, ratings},
    },
    ids::OrganizationId,
    refusal::Fault,
};

/// A village's complaints of a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MonthlyFigures {
    /// Filed; those merged into others are counted apart.
    pub received: i64,
    pub duplicates: i64,
    pub answered: i64,
    pub closed: i64,
    /// Closed without a rating, after a call-back: never counted as satisfied.
    pub closed_in_silence: i64,
    pub satisfied: i64,
    pub dissatisfied: i64,
}

/// The three rates (三率), in whole per cent; none where there is nothing to divide by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rates {
    /// Answered of received.
    pub response: Option<i64>,
    /// Closed of received.
    pub resolution: Option<i64>,
    /// Satisfied of rated.
    pub satisfaction: Option<i64>,
    /// Satisfied of received: who did not rate counts as not satisfied.
    pub satisfaction_net: Option<i64>,
}

impl MonthlyFigures {
    #[must_use]
    pub fn rates(&self) -> Rates {
        let share = |part: i64, whole: i64| (whole > 0).then(|| part * 100 / whole);
        Rates {
            response: share(self.answered, self.received),
            resolution: share(self.closed, self.received),
            satisfaction: share(self.satisfied, self.satisfied + self.dissatisfied),
            satisfaction_net: share(self.satisfied, self.received.max(self.satisfied + self.dissatisfied)),
        }
    }
}

#[derive(FromQueryResult)]
struct StateCount {
    state: State,
    silent: bool,
    answered: bool,
    count: i64,
}

#[derive(FromQueryResult)]
struct LevelCount {
    level: SatisfactionLevel,
    count: i64,
}

/// Counts the complaints a village filed in the span, in two statements.
///
/// # Errors
/// When the database does not answer.
pub async fn monthly_figures(
    connection: &impl ConnectionTrait,
    village: OrganizationId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<MonthlyFigures, Fault> {
    let mut figures = MonthlyFigures::default();
    let count = || Expr::from(Func::count(Expr::val(1)));
    let states = complaints::Entity::find()
        .select_only()
        .column(complaints::Column::State)
        .column_as(complaints::Column::ClosedInSilence, "silent")
        .column_as(complaints::Column::AnsweredAt.is_not_null(), "answered")
        .column_as(count(), "count")
        .filter(complaints::Column::VillageId.eq(village))
        .filter(complaints::Column::RegisteredAt.gte(from))
        .filter(complaints::Column::RegisteredAt.lt(to))
        .group_by(complaints::Column::State)
        .group_by(complaints::Column::ClosedInSilence)
        .group_by(Expr::col(Alias::new("answered")))
        .into_model::<StateCount>()
        .all(connection)
        .await?;
    for row in states {
        match row.state {
            State::Merged => {
                figures.duplicates += row.count;
                continue;
            }
            State::Withdrawn => continue,
            State::Closed => {
                figures.closed += row.count;
                figures.closed_in_silence += if row.silent { row.count } else { 0 };
            }
            _ => {}
        }
        figures.received += row.count;
        figures.answered += if row.answered { row.count } else { 0 };
    }
    let levels = ratings::Entity::find()
        .select_only()
        .column(ratings::Column::Level)
        .column_as(count(), "count")
        .join(
            JoinType::InnerJoin,
            ratings::Entity::belongs_to(complaints::Entity)
                .from(ratings::Column::ComplaintId)
                .to(complaints::Column::Id)
                .into(),
        )
        .filter(complaints::Column::VillageId.eq(village))
        .filter(ratings::Column::At.gte(from))
        .filter(ratings::Column::At.lt(to))
        .group_by(ratings::Column::Level)
        .into_model::<LevelCount>()
        .all(connection)
        .await?;
    for row in levels {
        if row.level.is_bad() {
            figures.dissatisfied += row.count;
        } else {
            figures.satisfied += row.count;
        }
    }
    Ok(figures)
}
