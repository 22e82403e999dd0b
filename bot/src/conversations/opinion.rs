//! What looks like a rating of a person, or like an answer to an anonymous survey, is dropped: the platform reads the chat,
//! and so can whoever runs the account. While a survey is open rather too much than too little, for the answer only shows the
//! safe way; otherwise a complaint must find its way although it mentions somebody (`grading`).

use qingfeng_core::{
    people::{
        Resident,
        entity::{posts, staff},
    },
    refusal::Fault,
    sealed_surveys::{
        BoxState,
        entity::{ballot_boxes, roll},
    },
    storage::Store,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

pub(super) use super::grading::{is_about_an_office_holder, is_about_one_of, is_choice};
use super::{Wish, grading::OFFICES};

/// Words of choosing.
const CHOICES: [&str; 9] = ["选", "投", "支持", "反对", "赞成", "弃权", "同意", "👎", "👍"];

/// Whether it speaks of one of those who are rated just now, by name or as people do: 孙 田 文, 老孙, 孙书记.
pub(super) fn mentions_one_of(text: &str, rated: &[String]) -> bool {
    let plain: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let is_meant = |name: &String| {
        let Some(surname) = name.chars().next() else { return false };
        name.chars().count() > 1
            && (plain.contains(name.as_str())
                || plain.contains(&format!("老{surname}"))
                || plain.contains(&format!("小{surname}"))
                || OFFICES.iter().any(|office| plain.contains(&format!("{surname}{office}"))))
    };
    rated.iter().any(is_meant)
}

/// Whether it tells a choice in words, while something is open: 我投的是第三个, 选项三, 支持.
pub(super) fn tells_a_choice(text: &str) -> bool {
    let plain: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let plain = plain.replace("投诉", "").replace("投递", "");
    let counts = plain.split_once('第').is_some_and(|(_, rest)| {
        let mut rest = rest.chars();
        rest.next().is_some_and(|digit| digit.is_ascii_digit() || "一二三四五六七八".contains(digit))
            && rest.next().is_some_and(|unit| "个项号题".contains(unit))
    });
    counts || CHOICES.iter().any(|word| plain.contains(word))
}

/// What a resident's words are read against.
pub(super) struct Known {
    pub(super) boxes: OpenBoxes,
    /// Who holds an office in the resident's village or township, by name.
    pub(super) in_office: Vec<String>,
}

/// What is known around the resident.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn known(store: &Store, resident: &Resident) -> Result<Known, Fault> {
    Ok(Known { boxes: open_boxes(store, resident).await?, in_office: office_holders(store, resident).await? })
}

/// An anonymous survey that is open for the resident.
pub(super) struct OpenBoxes {
    /// Titles of the boxes on whose rolls she stands, whether she has taken part or not.
    pub titles: Vec<String>,
    /// Those who are evaluated in them, as shown.
    pub evaluated: Vec<String>,
    /// The names of the persons among them.
    pub persons: Vec<String>,
}

/// The open boxes on whose rolls the resident stands.
async fn open_boxes(store: &Store, resident: &Resident) -> Result<OpenBoxes, Fault> {
    let own = roll::Entity::find()
        .select_only()
        .column(roll::Column::Sid)
        .filter(roll::Column::ResidentId.eq(resident.id))
        .into_query();
    let open = ballot_boxes::Entity::find()
        .filter(ballot_boxes::Column::Sid.in_subquery(own))
        .filter(ballot_boxes::Column::State.is_in([BoxState::Issuing, BoxState::Casting]))
        .all(store.reader())
        .await?;
    let mut titles: Vec<_> = open.iter().map(|one| one.title.clone()).collect();
    titles.sort_unstable();
    titles.dedup();
    let rated = open.iter().filter_map(|one| one.evaluatee_staff_id);
    let persons = staff::Entity::find().filter(staff::Column::Id.is_in(rated)).all(store.reader()).await?;
    Ok(OpenBoxes {
        titles,
        evaluated: open.into_iter().filter_map(|one| one.evaluatee).collect(),
        persons: persons.into_iter().map(|one| one.name).collect(),
    })
}

/// Who holds an office in the resident's village or township.
async fn office_holders(store: &Store, resident: &Resident) -> Result<Vec<String>, Fault> {
    let held = posts::Entity::find()
        .select_only()
        .column(posts::Column::StaffId)
        .filter(posts::Column::OrganizationId.is_in([resident.village, resident.township]))
        .into_query();
    let holders = staff::Entity::find().filter(staff::Column::Id.in_subquery(held)).all(store.reader()).await?;
    Ok(holders.into_iter().map(|one| one.name).collect())
}

/// Whether a text belongs into an anonymous survey, or rates somebody: nothing of it is taken. A number that answers a
/// question of ours does neither.
pub(super) fn belongs_elsewhere(known: &Known, wish: &Wish, text: &str, expects_a_number: bool) -> bool {
    if expects_a_number && matches!(wish, Wish::Choice(_)) {
        return false;
    }
    let boxes = &known.boxes;
    if !boxes.titles.is_empty()
        && matches!(wish, Wish::Choice(_) | Wish::Other)
        && (is_choice(text) || tells_a_choice(text) || mentions_one_of(text, &boxes.persons))
    {
        return true;
    }
    *wish == Wish::Other && (is_about_one_of(text, &known.in_office) || is_about_one_of(text, &boxes.evaluated))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("孙田文挺能干的", true)]
    #[case("孙 田 文 优 秀", true)]
    #[case("我给孙田文60", true)]
    #[case("老孙这人不咋地", true)]
    #[case("孙书记来过没有", true)]
    #[case("孙家门口的路灯坏了", false)]
    #[case("村口的路灯坏了", false)]
    fn whoever_is_rated_is_known_as_people_speak(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(mentions_one_of(text, &["孙田文".to_owned()]), expected);
    }

    #[rstest]
    #[case("我投的是第三个", true)]
    #[case("甲测评我选的全是二", true)]
    #[case("选项三", true)]
    #[case("不支持", true)]
    #[case("第2项", true)]
    #[case("我要投诉噪音", false)]
    #[case("村口路灯坏了", false)]
    #[case("第一天就停水", false)]
    fn a_choice_is_known_in_words(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(tells_a_choice(text), expected);
    }
}
