use std::marker::PhantomData;

use serde::{Serialize, Serializer};

/// A person's name, to be masked.
#[derive(Debug)]
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
}

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

    proptest! {
        #[test]
        fn nothing_of_a_given_name_survives(surname in "[赵钱孙李周吴郑王]", given in "[明华强芳丽军敏静]{1,3}") {
            let shown = serde_json::to_string(&Masked::name(&format!("{surname}{given}"))).unwrap();
            prop_assert!(!given.chars().any(|letter| shown.contains(letter)));
        }
    }
}
