//! A post is read before it goes into a group (11.2): what leads to a person, to a house, to a handful of people or to who
//! reported it. What is found is shown to the person who lets the post go; nothing is changed by itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{private_details, resident_names::names_said};

/// Why a place in a text may not belong into a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A phone's, an identity card's or an account's number.
    PrivateNumber,
    /// The name of somebody on the village's roster.
    ResidentName,
    /// House, door or flat.
    Address,
    /// It fits hardly anybody: one household, the only one, a bedridden old man.
    FewPeople,
    /// Health, disability, minors, poverty relief.
    Sensitive,
    /// Who reported, complained, or was told of in confidence.
    Reporter,
    /// The platform's check of texts says that it may not be published.
    PlatformRefuses,
    /// The platform's check wants a person to look at it.
    PlatformDoubts,
    /// The platform could not check it.
    PlatformUnchecked,
}

impl FindingKind {
    /// In the words of the page where somebody decides.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::PrivateNumber => "像是电话、证件或账号",
            Self::ResidentName => "像是村民的姓名",
            Self::Address => "像是门牌或住址",
            Self::FewPeople => "只对得上一两户人，村里一看就知道是谁",
            Self::Sensitive => "涉及健康、残疾、未成年人或救助",
            Self::Reporter => "说到了反映人或举报人",
            Self::PlatformRefuses => "微信内容检测不通过，不能发布",
            Self::PlatformDoubts => "微信内容检测建议人工复核",
            Self::PlatformUnchecked => "微信没有检测这段文字，请仔细看",
        }
    }

    /// Nobody can let it go like this.
    #[must_use]
    pub fn forbids(self) -> bool {
        matches!(self, Self::PrivateNumber | Self::PlatformRefuses)
    }

    /// Nothing was found: it is only that nobody but the rules has looked. What somebody wrote is held for a person to look at,
    /// because the platform checks no text of who was not in the mini-program lately.
    #[must_use]
    pub fn is_only_unchecked(self) -> bool {
        self == Self::PlatformUnchecked
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    pub kind: FindingKind,
    /// The place in the text; empty when it is the text as a whole.
    pub words: String,
}

impl Finding {
    pub fn of_the_whole(kind: FindingKind) -> Self {
        Self { kind, words: String::new() }
    }
}

const FEW_PEOPLE: [&str; 10] = ["一户", "1户", "两户", "2户", "唯一", "独居", "孤寡", "某户", "这家人", "这户人"];
const SENSITIVE: [&str; 16] = [
    "残疾",
    "患病",
    "生病",
    "住院",
    "癌",
    "精神病",
    "未成年",
    "小孩",
    "留守儿童",
    "低保",
    "五保",
    "贫困户",
    "救助金",
    "离婚",
    "怀孕",
    "前科",
];
const REPORTERS: [&str; 10] =
    ["举报人", "反映人", "投诉人", "信访人", "上访", "来信人", "举报", "告状", "谁告的", "检举"];
/// What stands after the number of a house.
const HOUSE_MARKS: [&str; 8] = ["号院", "号楼", "号房", "号门", "单元", "栋", "门牌", "号家"];

/// What in a text may not belong into a group of this village. Names of one character are none.
#[must_use]
pub fn lint<'a>(text: &str, residents: impl IntoIterator<Item = &'a str>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |kind, words: String| {
        let finding = Finding { kind, words };
        if !found.contains(&finding) {
            found.push(finding);
        }
    };
    for detail in private_details(text) {
        add(FindingKind::PrivateNumber, detail.shown());
    }
    for name in names_said(text, residents) {
        add(FindingKind::ResidentName, name);
    }
    for place in houses(text) {
        add(FindingKind::Address, place);
    }
    for (kind, words) in [
        (FindingKind::FewPeople, FEW_PEOPLE.as_slice()),
        (FindingKind::Sensitive, SENSITIVE.as_slice()),
        (FindingKind::Reporter, REPORTERS.as_slice()),
    ] {
        for word in words.iter().filter(|word| stands_alone(text, word)) {
            add(kind, (*word).to_owned());
        }
    }
    found
}

/// `21户` does not say `1户`, and 十一户 not 一户.
fn stands_alone(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let counts = |letter: char| letter.is_ascii_digit() || "一二三四五六七八九十百千〇零两".contains(letter);
        let begins_with_number = word.starts_with(counts);
        !(begins_with_number && text[..start].ends_with(counts))
    })
}

/// Numbers of houses, with what makes them one. A place is told once, however many marks it has.
fn houses(text: &str) -> Vec<String> {
    let is_number = |letter: char| letter.is_ascii_digit() || "一二三四五六七八九十百".contains(letter);
    let mut found: Vec<(usize, String)> = Vec::new();
    // 三组12号: a house; 3月12号: a day; 12号公告: a document.
    for (end, _) in text.match_indices('号') {
        let start = text[..end].trim_end_matches(is_number).len();
        let before = text[..start].chars().next_back().filter(|letter| "组社队街巷路湾".contains(*letter));
        if let (true, Some(before)) = (start < end, before) {
            found.push((start, format!("{before}{}号", &text[start..end])));
        }
    }
    for mark in HOUSE_MARKS {
        for (end, _) in text.match_indices(mark) {
            let start = text[..end].trim_end_matches(is_number).len();
            if start < end && found.iter().all(|(known, _)| *known != start) {
                found.push((start, format!("{}{mark}", &text[start..end])));
            }
        }
    }
    found.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn kinds(text: &str) -> Vec<FindingKind> {
        lint(text, ["王小明", "李"]).into_iter().map(|finding| finding.kind).collect()
    }

    #[rstest]
    #[case("王小明家门口的路灯修好了", &[FindingKind::ResidentName])]
    #[case("联系人13800000000", &[FindingKind::PrivateNumber])]
    #[case("三组12号门前的水沟已清", &[FindingKind::Address])]
    #[case("4号院的化粪池已清", &[FindingKind::Address])]
    #[case("二组有一户独居老人", &[FindingKind::FewPeople])]
    #[case("为残疾老人装了扶手", &[FindingKind::Sensitive])]
    #[case("举报人反映的问题属实", &[FindingKind::Reporter])]
    #[case("李子树已修剪，三盏路灯都换了", &[])]
    #[case("惠及二十一户、31户，共120人", &[])]
    #[case("3月12号前完成，依据镇政府12号文件", &[])]
    #[case("值班电话0371-68880000", &[])]
    fn what_may_not_belong_into_a_group_is_found(#[case] text: &str, #[case] expected: &[FindingKind]) {
        let mut found = kinds(text);
        found.dedup();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn one_place_is_told_once_with_its_words() {
        let found = lint("一组3号、一组3号，王小明，王小明", ["王小明"]);
        let words: Vec<_> = found.iter().map(|finding| finding.words.as_str()).collect();
        assert_eq!(words, ["王小明", "组3号"]);
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "\\PC{0,200}") {
            let _ = lint(&text, ["王小明"]);
        }
    }
}
