//! Who lives in the village is not named in what everybody reads. Names can be ordinary words, too (平安, 高山): whoever
//! writes may say that a word names nobody here, and that is recorded.

use std::collections::HashSet;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use unicode_normalization::UnicodeNormalization as _;

use super::public_text::is_invisible;
use crate::{
    audit::{AuditEntry, digest_of},
    ids::OrganizationId,
    people::entity::residents,
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    subject::SubjectRef,
};

/// A text as it is compared: nothing that only separates or cannot be seen, one form of each letter.
fn plain(text: &str) -> String {
    let is_between = |letter: char| letter.is_whitespace() || matches!(letter, '·' | '•' | '・' | '-' | '_');
    text.chars().filter(|letter| !is_invisible(*letter)).nfkc().filter(|letter| !is_between(*letter)).collect()
}

/// The names that a text says, each once, as they come. Of a name within a longer name only the longer one is said.
#[must_use]
pub fn names_said<'a>(text: &str, roster: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names: HashSet<Vec<char>> =
        roster.into_iter().map(|name| plain(name).chars().collect::<Vec<_>>()).filter(|name| name.len() > 1).collect();
    let longest = names.iter().map(Vec::len).max().unwrap_or(0);
    let letters: Vec<char> = plain(text).chars().collect();
    let mut said: Vec<String> = Vec::new();
    let mut last_end = 0;
    for start in 0..letters.len() {
        let furthest = letters.len().min(start + longest);
        let Some(end) = (start + 2..=furthest).rev().find(|end| names.contains(&letters[start..*end])) else {
            continue;
        };
        if end <= last_end {
            continue;
        }
        last_end = end;
        let name = letters[start..end].iter().collect();
        if !said.contains(&name) {
            said.push(name);
        }
    }
    said
}

/// Words on the roster that a writer says name nobody here.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use = "it belongs into the audit record"]
pub struct NoNames(Vec<String>);

impl NoNames {
    /// The record that it was said; the words themselves are not in it.
    pub fn recorded(&self, subject: impl Into<SubjectRef>) -> Option<AuditEntry> {
        if self.0.is_empty() {
            return None;
        }
        let mut entry = AuditEntry::new("words_confirmed_no_names", subject);
        entry.after = Some(digest_of(&self.0));
        Some(entry)
    }
}

/// Whether texts may be published: they name nobody on the roster, but for words that the writer says are no names.
///
/// # Errors
/// `resident_named`, with the words for each field.
pub fn check_names(texts: &[(String, &str)], roster: &[String], no_names: &[String]) -> Result<NoNames, Refusal> {
    let no_names: Vec<String> = no_names.iter().map(|word| plain(word)).collect();
    let (mut confirmed, mut named, mut fields) = (Vec::new(), Vec::new(), Vec::new());
    for (pointer, text) in texts {
        let (ordinary, names): (Vec<_>, Vec<_>) =
            names_said(text, roster.iter().map(String::as_str)).into_iter().partition(|word| no_names.contains(word));
        confirmed.extend(ordinary);
        if !names.is_empty() {
            let sentence = format!("里面有本村居民的姓名：{}。", names.join("、"));
            fields.push(FieldFault { words: names.clone(), ..FieldFault::new(pointer, sentence) });
            named.extend(names);
        }
    }
    if fields.is_empty() {
        confirmed.sort_unstable();
        confirmed.dedup();
        return Ok(NoNames(confirmed));
    }
    let sentence =
        "这段文字会公示，里面有本村居民的姓名。请删去或只写姓（如“王某”）；如果这里不是指人，请确认后再提交。";
    Err(Refusal { fields, ..Refusal::new(RefusalKind::BadInput, "resident_named", sentence) })
}

/// [`check_names`] against the roster of the village, including those who have left it.
///
/// # Errors
/// As there; a fault of the database.
pub async fn check_residents(
    connection: &impl ConnectionTrait,
    village: OrganizationId,
    texts: &[(String, &str)],
    no_names: &[String],
) -> Result<NoNames, Fault> {
    let roster: Vec<String> = residents::Entity::find()
        .select_only()
        .column(residents::Column::Name)
        .filter(residents::Column::VillageId.eq(village))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(check_names(texts, &roster, no_names)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const ROSTER: [&str; 5] = ["张伟", "张伟明", "欧阳平安", "平安", "李"];

    #[rstest]
    #[case("已为张伟家接通自来水", &["张伟"])]
    #[case("张 伟、张·伟、张\u{200b}伟", &["张伟"])]
    #[case("张伟明家门前已硬化", &["张伟明"])]
    #[case("张伟和张伟明都已回访", &["张伟", "张伟明"])]
    #[case("欧阳平安家", &["欧阳平安"])]
    #[case("平安建设宣传栏", &["平安"])]
    #[case("张某、李某两户，小李家", &[])]
    #[case("", &[])]
    fn names_are_found_however_they_are_spaced(#[case] text: &str, #[case] said: &[&str]) {
        assert_eq!(names_said(text, ROSTER), said);
    }

    fn roster() -> Vec<String> {
        ROSTER.map(str::to_owned).into()
    }

    #[test]
    fn a_refusal_says_which_words_in_which_field() {
        let texts =
            [("/title".to_owned(), "平安路"), ("/goal".to_owned(), "路灯"), ("/measures/0".to_owned(), "请张伟、平安")];
        let refusal = check_names(&texts, &roster(), &[]).unwrap_err();
        assert_eq!(refusal.code, "resident_named");
        let fields: Vec<_> = refusal.fields.iter().map(|field| (&*field.pointer, field.words.join(" "))).collect();
        assert_eq!(fields, [("/title", "平安".to_owned()), ("/measures/0", "张伟 平安".to_owned())]);
    }

    #[test]
    fn a_word_that_is_said_to_be_no_name_passes_and_is_recorded_and_no_other_word_with_it() {
        let complaint = SubjectRef { kind: crate::subject::SubjectKind::Complaint, id: uuid::Uuid::nil() };
        let text = |text| [("/text".to_owned(), text)];
        let no_names = ["平 安".to_owned(), "高山".to_owned()];
        let passed = check_names(&text("平安路"), &roster(), &no_names).unwrap();
        assert_eq!(passed, NoNames(vec!["平安".into()]));
        assert!(passed.recorded(complaint).is_some());
        assert!(check_names(&text("平安路张伟家"), &roster(), &no_names).is_err());
        // A word within a name is not the name.
        assert!(check_names(&text("欧阳平安家"), &roster(), &no_names).is_err());
        // Nothing was confirmed where nothing had to be.
        assert_eq!(check_names(&text("路灯"), &roster(), &no_names).unwrap().recorded(complaint), None);
    }

    proptest! {
        #[test]
        fn no_name_on_the_roster_gets_through(
            before in "[一-龥]{0,6}", name in "[赵钱孙李][一-龥]{1,2}", after in "[一-龥]{0,6}", others in proptest::collection::vec("[一-龥]{2,3}", 0..5),
        ) {
            let text = format!("{before}{name}{after}");
            let mut roster = others;
            roster.push(name);
            prop_assert!(check_names(&[("/text".to_owned(), &text)], &roster, &[]).is_err());
        }
    }
}
