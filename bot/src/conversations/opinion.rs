//! What looks like a rating of a person, or like an answer to an anonymous survey, is dropped: the platform reads the chat,
//! and so can whoever runs the account. Rather too much than too little, for the answer only shows the safe way.

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
    surveys,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::Wish;

/// Words with which a person is graded.
const LEVELS: [&str; 19] = [
    "优秀", "称职", "合格", "满意", "较好", "很好", "最好", "一般", "很差", "最差", "较差", "太差", "差评", "好评",
    "打分", "不行", "不错", "胜任", "给分",
];
/// How somebody in office is addressed after the surname.
const OFFICES: [&str; 12] =
    ["书记", "主任", "村长", "镇长", "乡长", "委员", "支书", "会计", "组长", "所长", "站长", "部长"];
/// Words of choosing.
const CHOICES: [&str; 9] = ["选", "投", "支持", "反对", "赞成", "弃权", "同意", "👎", "👍"];
/// Single letters of a level; in longer texts they mean anything.
const SHORT_LEVELS: [char; 2] = ['好', '差'];
/// A text up to here is hardly more than a name and a level.
const SHORT: usize = 15;
/// Names of more are hardly a list of answers.
const LONGEST_ANSWERS: usize = 24;

/// Whether it grades somebody in office, by the words alone.
pub(super) fn is_about_an_office_holder(text: &str) -> bool {
    surveys::names_an_office_holder(text) && has_level(text)
}

/// Whether it grades one of these persons.
pub(super) fn is_about_one_of(text: &str, names: &[String]) -> bool {
    has_level(text) && names.iter().any(|name| name.chars().count() > 1 && text.contains(name.as_str()))
}

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

/// Whether it is hardly anything but options: `1`, `abca`, `1 3 2 2`, 第一题优秀, 全选称职.
pub(super) fn is_choice(text: &str) -> bool {
    let plain: String = text.chars().map(super::wish::half_width).collect::<String>().to_lowercase();
    let length = plain.chars().count();
    let is_option = |letter: char| {
        letter.is_ascii_digit()
            || ('a'..='h').contains(&letter)
            || letter.is_whitespace()
            || ",.;:-、。，；：".contains(letter)
    };
    let has_option = plain.chars().any(|letter| letter.is_ascii_alphanumeric());
    length <= LONGEST_ANSWERS && ((has_option && plain.chars().all(is_option)) || has_level(text))
}

fn has_level(text: &str) -> bool {
    let text = text.replace("您好", "").replace("你好", "");
    let gives_points = text.split_once('打').is_some_and(|(_, rest)| rest.contains('分'));
    gives_points
        || LEVELS.iter().any(|level| text.contains(level))
        || (text.chars().count() <= SHORT && SHORT_LEVELS.iter().any(|level| text.contains(*level)))
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
pub(super) async fn open_boxes(store: &Store, resident: &Resident) -> Result<OpenBoxes, Fault> {
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
pub(super) async fn office_holders(store: &Store, resident: &Resident) -> Result<Vec<String>, Fault> {
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
pub(super) async fn belongs_elsewhere(
    store: &Store,
    resident: &Resident,
    boxes: &OpenBoxes,
    wish: &Wish,
    text: &str,
    expects_a_number: bool,
) -> Result<bool, Fault> {
    if expects_a_number && matches!(wish, Wish::Choice(_)) {
        return Ok(false);
    }
    if !boxes.titles.is_empty()
        && matches!(wish, Wish::Choice(_) | Wish::Other)
        && (is_choice(text) || tells_a_choice(text) || mentions_one_of(text, &boxes.persons))
    {
        return Ok(true);
    }
    if *wish != Wish::Other {
        return Ok(false);
    }
    let mut names = office_holders(store, resident).await?;
    names.extend(boxes.evaluated.iter().cloned());
    Ok(is_about_one_of(text, &names))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("王书记优秀", true)]
    #[case("给村主任打分：称职", true)]
    #[case("会计差", true)]
    #[case("给主任打六十分", true)]
    #[case("我对李主任工作很不满意，他办事拖拉，还总找不到人", true)]
    #[case("书记您好", false)]
    #[case("书记说修好了路灯，到现在还是黑的，晚上没法走路", false)]
    #[case("路灯修得不好", false)]
    #[case("进度", false)]
    fn words_that_grade_somebody_in_office(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_about_an_office_holder(text), expected);
    }

    #[rstest]
    #[case("1", true)]
    #[case("１ ３ ２ ２", true)]
    #[case("ABCA", true)]
    #[case("1a 2b 3c", true)]
    #[case("全选优秀", true)]
    #[case("第一题不称职，其他满意", true)]
    #[case("退订", false)]
    #[case("村口路灯坏了", false)]
    #[case("。。。", false)]
    #[case("2026年3月10日到14日停水4天", false)]
    fn what_is_hardly_anything_but_options(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_choice(text), expected);
    }

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

    #[test]
    fn a_cadre_is_known_by_name() {
        let names = ["周大川".to_owned(), "李".to_owned()];
        assert!(is_about_one_of("周大川不错", &names));
        assert!(!is_about_one_of("周大川家门口的路灯坏了", &names));
        // One letter is no name.
        assert!(!is_about_one_of("李子卖得很好", &names));
    }
}
