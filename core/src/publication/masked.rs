use std::{collections::BTreeMap, marker::PhantomData};

use serde::{Serialize, Serializer};

/// A person's name, to be masked.
#[derive(Clone, Copy, Debug)]
pub enum Name {}

/// What may be shown in public of a value of this kind. There is no way to make one but by masking, and nothing but the
/// masked text comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked<Kind> {
    shown: String,
    kind: PhantomData<Kind>,
}

/// Surnames of two characters.
const DOUBLE_SURNAMES: [&str; 12] =
    ["欧阳", "司马", "诸葛", "上官", "皇甫", "尉迟", "公孙", "慕容", "令狐", "宇文", "司徒", "夏侯"];

impl Masked<Name> {
    /// Keeps the surname; 某 stands for each character of the given name, at most two.
    #[must_use]
    pub fn name(full: &str) -> Self {
        let letters: Vec<char> = full.trim().chars().filter(|letter| !letter.is_whitespace()).collect();
        let surname_length =
            if letters.len() > 2 && DOUBLE_SURNAMES.iter().any(|known| full.trim().starts_with(known)) { 2 } else { 1 };
        let given = letters.len().saturating_sub(surname_length).clamp(1, 2);
        let shown = letters.iter().take(surname_length).collect::<String>() + &"某".repeat(given);
        Self { shown, kind: PhantomData }
    }

    /// The names of one list. People who would look alike are told apart by 甲, 乙, 丙 … in the order of their keys, however
    /// the list is sorted.
    pub fn names<'a, Person: Ord>(people: impl IntoIterator<Item = (Person, &'a str)>) -> BTreeMap<Person, Self> {
        let mut masked: BTreeMap<_, _> = people.into_iter().map(|(person, full)| (person, Self::name(full))).collect();
        let mut alike: BTreeMap<String, Vec<&mut Self>> = BTreeMap::new();
        for name in masked.values_mut() {
            alike.entry(name.shown.clone()).or_default().push(name);
        }
        for names in alike.into_values().filter(|names| names.len() > 1) {
            for (place, name) in names.into_iter().enumerate() {
                name.shown += &STEMS.get(place).map_or_else(|| (place + 1).to_string(), ToString::to_string);
            }
        }
        masked
    }
}

/// The heavenly stems, by which nameless persons are counted.
const STEMS: [char; 10] = ['甲', '乙', '丙', '丁', '戊', '己', '庚', '辛', '壬', '癸'];

impl<Kind> Masked<Kind> {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }
}

impl<Kind> Serialize for Masked<Kind> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("张伟", "张某")]
    #[case("王小明", "王某某")]
    #[case("欧阳小明", "欧阳某某")]
    #[case("买买提江", "买某某")]
    #[case("李", "李某")]
    #[case("", "某")]
    fn a_masked_name_keeps_the_surname_only(#[case] full: &str, #[case] shown: &str) {
        assert_eq!(Masked::name(full).as_str(), shown);
    }

    fn shown(people: &[(u32, String)]) -> BTreeMap<u32, String> {
        let masked = Masked::names(people.iter().map(|(person, name)| (*person, name.as_str())));
        masked.into_iter().map(|(person, name)| (person, name.shown)).collect()
    }

    #[test]
    fn people_of_the_same_surname_are_told_apart_within_a_list() {
        let people = [(7, "王强"), (3, "王伟"), (5, "李强"), (9, "王小明")].map(|(key, name)| (key, name.to_owned()));
        let expected = [(3, "王某甲"), (5, "李某"), (7, "王某乙"), (9, "王某某")];
        assert_eq!(shown(&people), expected.map(|(key, name)| (key, name.to_owned())).into());
    }

    proptest! {
        #[test]
        fn no_two_in_a_list_look_alike_and_nothing_of_a_given_name_survives(
            people in proptest::collection::btree_map(any::<u32>(), "[王李][明华]{1,2}", 0..40),
        ) {
            let people: Vec<_> = people.into_iter().collect();
            let masked = shown(&people);
            let different: std::collections::BTreeSet<_> = masked.values().collect();
            prop_assert_eq!(different.len(), people.len());
            for (person, full) in &people {
                let alone = Masked::name(full).shown;
                let addition = masked[person].strip_prefix(&alone).expect("the mask stays");
                prop_assert!(addition.chars().all(|letter| STEMS.contains(&letter) || letter.is_ascii_digit()));
                let has_double = people.iter().any(|(other, name)| other != person && Masked::name(name).shown == alone);
                prop_assert_eq!(addition.is_empty(), !has_double);
            }
            let turned: Vec<_> = people.iter().rev().cloned().collect();
            prop_assert_eq!(shown(&turned), masked);
        }

        #[test]
        fn nothing_of_a_given_name_survives(surname in "[赵钱孙李周吴郑王]", given in "[明华强芳丽军敏静]{1,3}") {
            let shown = serde_json::to_string(&Masked::name(&format!("{surname}{given}"))).unwrap();
            prop_assert!(!given.chars().any(|letter| shown.contains(letter)));
        }
    }
}
