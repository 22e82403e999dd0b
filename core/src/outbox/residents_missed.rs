//! How many messages did not reach residents: they accept none, or have no phone there.
//!
//! A resident who gets a message about a complaint is the one who brought it up, and the message is written in the same instant
//! as the complaint's step. So neither whom, nor about what, nor when exactly is shown; a day with a handful of messages would
//! lead back to the few complaints of that day, and is not shown either.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::{
    MessageState, RecipientKind,
    entity::{Column, Entity},
    undelivered::sees_persons,
};
use crate::{
    clock::{shanghai_date, shanghai_instant},
    people::{
        Actor,
        authorization::{Action, Reach, reach},
        concerns,
    },
    refusal::{Fault, Refusal},
    storage::Store,
};

/// How far back it is counted, in days.
const DAYS: i64 = 30;
/// Days with fewer are left out.
const FEWEST: u32 = 10;

/// A day whose messages missed residents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    pub day: NaiveDate,
    pub messages: u32,
}

/// The last thirty days in the actor's reach, latest first. Who does not work on complaints sees none.
///
/// # Errors
/// `forbidden` for those who see no messages; when the database does not answer.
pub async fn residents_missed(store: &Store, actor: &Actor) -> Result<Vec<Missed>, Fault> {
    let Reach::Staff(reach) = reach(actor, Action::ViewMessages) else { return Err(Refusal::forbidden().into()) };
    if !sees_persons(actor) {
        return Ok(Vec::new());
    }
    let since = shanghai_instant(shanghai_date(store.clock().now()) - TimeDelta::days(DAYS), NaiveTime::MIN);
    let written: Vec<DateTime<Utc>> = Entity::find()
        .select_only()
        .column(Column::CreatedAt)
        .filter(Column::TownshipId.is_in(reach.townships.iter().copied()))
        .filter(Column::State.is_in([MessageState::Parked, MessageState::Unknown]))
        .filter(Column::RecipientKind.eq(RecipientKind::Resident))
        .filter(Column::CreatedAt.gte(since))
        .filter(to_everybody().not())
        .filter(concerns::not_concerning(&reach, Expr::col((Entity, Column::SubjectId))))
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(by_day(written))
}

/// Cards that went to everybody on a roll: hundreds of them reach nobody because nobody has a phone there, and that is nothing
/// for the office to go after.
fn to_everybody() -> Condition {
    Condition::all().add(Column::Kind.like("sealed_survey_%"))
}

fn by_day(written: impl IntoIterator<Item = DateTime<Utc>>) -> Vec<Missed> {
    let mut days: BTreeMap<NaiveDate, u32> = BTreeMap::new();
    for instant in written {
        *days.entry(shanghai_date(instant)).or_default() += 1;
    }
    let shown = days.into_iter().rev().filter(|(_, messages)| *messages >= FEWEST);
    shown.map(|(day, messages)| Missed { day, messages }).collect()
}

#[cfg(test)]
mod tests {
    use super::{DateTime, FEWEST, Utc, by_day};

    #[test]
    fn days_with_a_handful_of_messages_are_not_shown_and_the_day_is_the_one_in_china() {
        let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
        let late = vec![at("2026-03-02T16:30:00Z"); FEWEST as usize];
        let few = vec![at("2026-03-01T02:00:00Z"); FEWEST as usize - 1];
        let early = vec![at("2026-02-27T02:00:00Z"); FEWEST as usize + 1];
        let shown: Vec<_> = by_day([late, few, early].concat())
            .into_iter()
            .map(|missed| (missed.day.to_string(), missed.messages))
            .collect();
        assert_eq!(shown, [("2026-03-03".to_owned(), FEWEST), ("2026-02-27".to_owned(), FEWEST + 1)]);
    }
}
