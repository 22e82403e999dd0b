//! Earlier complaints that may be about the same matter (1.4): suggested to the office, which decides.

use chrono::TimeDelta;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::{State, entity::complaints, queries::subject_of};
use crate::{
    ids::ComplaintId,
    people::{
        Actor,
        authorization::{Action, Reach, may, reach},
        concerns,
    },
    refusal::{Fault, Refusal},
    storage::Store,
};

/// Older matters are not the same lamp any more, in days.
const LOOKED_BACK_DAYS: i64 = 180;
/// Most complaints that are compared.
const COMPARED: u64 = 500;
/// Most suggestions.
const SHOWN: usize = 5;
/// From here on a complaint is suggested, in per cent.
const ALIKE: u32 = 40;

/// An earlier complaint and how much it is alike, in per cent.
#[derive(Clone, Debug)]
pub struct Similar {
    pub complaint: complaints::Model,
    pub likeness: u32,
}

/// How alike two complaints are, in per cent: what they say, by pairs of characters; the same village and the same category
/// count for something.
#[must_use]
pub fn likeness(one: &complaints::Model, other: &complaints::Model) -> u32 {
    let says = |complaint: &complaints::Model| format!("{}{}{}", complaint.title, complaint.body, complaint.place);
    let text = shared_pairs(&says(one), &says(other));
    // Neither place nor category alone makes two matters one.
    let nearness =
        1.0 + 0.15 * f64::from(one.village_id == other.village_id) + 0.15 * f64::from(one.category == other.category);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 130")]
    let percent = (text * nearness * 100.0).round() as u32;
    percent.min(100)
}

/// Sørensen–Dice coefficient of pairs of neighbouring characters, 0 to 1. (The one in `strsim` divides by bytes: three times
/// too little for Chinese.)
fn shared_pairs(one: &str, other: &str) -> f64 {
    let pairs = |text: &str| {
        let letters: Vec<char> = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
        let mut pairs: Vec<_> = letters.windows(2).map(|pair| (pair[0], pair[1])).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    };
    let (one, other) = (pairs(one), pairs(other));
    let shared = one.iter().filter(|pair| other.binary_search(pair).is_ok()).count();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pairs at most")]
    let share = 2.0 * shared as f64 / (one.len() + other.len()).max(1) as f64;
    share
}

/// The earlier open complaints of the township that are most alike, for whoever may merge them.
///
/// # Errors
/// `not_found` and `forbidden` as for merging.
pub async fn similar(store: &Store, actor: &Actor, id: ComplaintId) -> Result<Vec<Similar>, Fault> {
    let connection = store.reader();
    let complaint = complaints::Entity::find_by_id(id).one(connection).await?.ok_or_else(Refusal::not_found)?;
    may(actor, Action::MergeComplaints, &subject_of(connection, &complaint).await?)?;
    let Reach::Staff(reach) = reach(actor, Action::MergeComplaints) else { return Ok(Vec::new()) };
    let column = complaints::Column::Id;
    let earlier = complaints::Entity::find()
        .filter(complaints::Column::TownshipId.eq(complaint.township_id))
        .filter(column.lt(id))
        .filter(complaints::in_phase_of(State::Working))
        .filter(complaints::Column::RegisteredAt.gt(complaint.registered_at - TimeDelta::days(LOOKED_BACK_DAYS)))
        .filter(concerns::not_concerning(&reach, Expr::col((complaints::Entity, column))))
        .order_by_desc(column)
        .limit(COMPARED)
        .all(connection)
        .await?;
    let mut alike: Vec<_> = earlier
        .into_iter()
        .map(|other| Similar { likeness: likeness(&complaint, &other), complaint: other })
        .filter(|other| other.likeness >= ALIKE)
        .collect();
    alike.sort_by_key(|other| std::cmp::Reverse((other.likeness, other.complaint.id)));
    alike.truncate(SHOWN);
    Ok(alike)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::shared_pairs;

    #[rstest]
    #[case("村口的路灯坏了没人修", "村口的路灯坏了没人修", 1.0, 1.0)]
    #[case("村口的路灯坏了三个月没人修", "村口路灯坏了好久一直没人修", 0.45, 0.8)]
    #[case("村口的路灯坏了三个月没人修", "自来水中午没有水", 0.0, 0.1)]
    #[case("", "自来水", 0.0, 0.0)]
    #[case("灯", "灯", 0.0, 0.0)]
    fn what_sounds_alike_shares_pairs_of_characters(
        #[case] one: &str,
        #[case] other: &str,
        #[case] least: f64,
        #[case] most: f64,
    ) {
        let share = shared_pairs(one, other);
        assert!((least..=most).contains(&share), "{share}");
    }
}
