//! How many take part, as far as it may be told: a number, never who, and none where there are few.

use qingfeng_ballots::close::Close;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    BoxState, FEWEST_BALLOTS,
    entity::{ballot_boxes, box_files, issuance},
};
use crate::{refusal::Fault, storage::Store};

/// How many have a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SealedSurveyTurnout)]
pub struct Turnout {
    /// Nothing where it would tell of few, or is forgotten.
    pub issued: Option<u64>,
    /// Why there is no number, in a sentence.
    pub note: Option<&'static str>,
}

/// What may be told of so many credentials and, once the box is counted, so many ballots.
fn told(state: BoxState, issued: u64, ballots: Option<u64>) -> Turnout {
    let fewest = u64::from(FEWEST_BALLOTS);
    let hidden = |note| Turnout { issued: None, note: Some(note) };
    match state {
        BoxState::Draft | BoxState::Signed => Turnout { issued: Some(0), note: None },
        BoxState::Wiped | BoxState::Cancelled => hidden("领票记录已经销毁，不再有人数。"),
        _ if state == BoxState::TooFew || issued < fewest || ballots.is_some_and(|ballots| ballots < fewest) => {
            hidden("不足10人，为保护大家不显示人数。")
        }
        _ => Turnout { issued: Some(issued), note: None },
    }
}

/// How many have a credential of this box.
///
/// # Errors
/// When the database does not answer.
pub async fn turnout(store: &Store, row: &ballot_boxes::Model) -> Result<Turnout, Fault> {
    let issued = issuance::Entity::find().filter(issuance::Column::Sid.eq(row.sid)).count(store.reader()).await?;
    let mut ballots = None;
    if row.state == BoxState::Published {
        let close = box_files::Entity::find_by_id((row.sid, "close.json".to_owned())).one(store.reader()).await?;
        let close: Option<Close> =
            close.map(|close| serde_json::from_slice(&close.content)).transpose().map_err(Fault::unavailable)?;
        ballots = close.map(|close| close.ballots);
    }
    Ok(told(row.state, issued, ballots))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_given_out_yet(BoxState::Signed, 0, None, Some(0))]
    #[case::few_so_far(BoxState::Issuing, 9, None, None)]
    #[case::many(BoxState::Issuing, 10, None, Some(10))]
    #[case::many_credentials_and_few_ballots(BoxState::Published, 12, Some(9), None)]
    #[case::never_opened(BoxState::TooFew, 12, None, None)]
    #[case::published(BoxState::Published, 12, Some(11), Some(12))]
    #[case::forgotten(BoxState::Wiped, 0, None, None)]
    fn numbers_are_told_of_ten_and_more(
        #[case] state: BoxState,
        #[case] issued: u64,
        #[case] ballots: Option<u64>,
        #[case] expected: Option<u64>,
    ) {
        let told = told(state, issued, ballots);
        assert_eq!((told.issued, told.note.is_none()), (expected, expected.is_some()));
    }
}
