use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ReportRefusal;

/// Where a report stands. The reporter sees it with the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = SealedReportState)]
pub enum State {
    Received,
    /// 受理: the office works on it.
    WithinRemit,
    /// 不属于受理范围: the sealed answer says where to go; nothing is passed on without the reporter.
    NotWithinRemit,
    /// 重复件: the sealed answer says of what.
    Duplicate,
}

/// What the office makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SealedReportDecision)]
pub enum Decision {
    WithinRemit,
    NotWithinRemit,
    Duplicate,
}

impl State {
    /// What a decision makes of a report.
    ///
    /// | from \ to | within remit | not within remit | duplicate |
    /// |---|---|---|---|
    /// | received | ✓ | ✓ | ✓ |
    /// | not within remit, duplicate | ✓ (new facts) | – | – |
    /// | within remit | – | – | – |
    ///
    /// What was taken on is never put away again by a tap: it ends as a clue ends.
    ///
    /// # Errors
    /// When the table has no such way.
    pub fn decide(self, decision: Decision) -> Result<Self, ReportRefusal> {
        match (self, decision) {
            (Self::Received | Self::NotWithinRemit | Self::Duplicate, Decision::WithinRemit) => Ok(Self::WithinRemit),
            (Self::Received, Decision::NotWithinRemit) => Ok(Self::NotWithinRemit),
            (Self::Received, Decision::Duplicate) => Ok(Self::Duplicate),
            _ => Err(ReportRefusal::Decided),
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn what_was_taken_on_stays_taken_on_and_what_was_put_away_can_be_taken_on() {
        let ways: Vec<_> = State::iter()
            .flat_map(|from| Decision::iter().map(move |decision| (from, from.decide(decision))))
            .filter_map(|(from, to)| to.ok().map(|to| (from, to)))
            .collect();
        assert_eq!(
            ways,
            [
                (State::Received, State::WithinRemit),
                (State::Received, State::NotWithinRemit),
                (State::Received, State::Duplicate),
                (State::NotWithinRemit, State::WithinRemit),
                (State::Duplicate, State::WithinRemit),
            ]
        );
    }
}
