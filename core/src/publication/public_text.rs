//! What staff write for the board and the village groups stays there for years: it is read before it is published.

use crate::{
    complaints::Body,
    refusal::{FieldFault, Refusal},
};

/// Something in a text that leads to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateDetail {
    /// A mobile phone's number.
    MobileNumber(String),
    /// A citizen's identity number, old form or new (GB 11643).
    IdentityNumber(String),
    /// A bank card's or another account's number.
    AccountNumber(String),
}

impl PrivateDetail {
    fn sentence(&self) -> String {
        let (what, number) = match self {
            Self::MobileNumber(number) => ("手机号", number),
            Self::IdentityNumber(number) => ("身份证号", number),
            Self::AccountNumber(number) => ("卡号或账号", number),
        };
        format!("这段文字会公示，里面有{what}（{}…），请删去后再提交。", number.chars().take(4).collect::<String>())
    }
}

/// A text of staff that everybody will read, without numbers that lead to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicText(String);

impl PublicText {
    /// # Errors
    /// When it is empty, too long, or says a private number.
    pub fn parse(pointer: &str, text: &str) -> Result<Self, Refusal> {
        let text = Body::parse(pointer, text)?.into_string();
        let found = private_details(&text);
        if found.is_empty() {
            return Ok(Self(text));
        }
        Err(Refusal::invalid(found.iter().map(|detail| FieldFault::new(pointer, detail.sentence())).collect()))
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Private numbers in a text, also when they are written with spaces, hyphens or full-width digits.
#[must_use]
pub fn private_details(text: &str) -> Vec<PrivateDetail> {
    runs_of_digits(text).into_iter().filter_map(|run| classify(&run)).collect()
}

fn classify(run: &str) -> Option<PrivateDetail> {
    let number = run.to_owned();
    match run.len() {
        11 if run.starts_with('1') && !run.starts_with("10") && !run.starts_with("11") && !run.starts_with("12") => {
            Some(PrivateDetail::MobileNumber(number))
        }
        // With the country's code before it.
        13 if run.starts_with("861") => Some(PrivateDetail::MobileNumber(number)),
        18 if has_birth_date(&run[6..14]) => Some(PrivateDetail::IdentityNumber(number)),
        15 if has_birth_date(&format!("19{}", &run[6..12])) => Some(PrivateDetail::IdentityNumber(number)),
        16..=19 if !run.ends_with('X') => Some(PrivateDetail::AccountNumber(number)),
        _ => None,
    }
}

fn has_birth_date(digits: &str) -> bool {
    chrono::NaiveDate::parse_from_str(digits, "%Y%m%d").is_ok()
}

/// Digits that belong together; the last may be the X of an identity number.
fn runs_of_digits(text: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let mut run = String::new();
    let mut rest = text.chars().map(half_width).peekable();
    while let Some(letter) = rest.next() {
        let next_is_digit = rest.peek().is_some_and(char::is_ascii_digit);
        match letter {
            '0'..='9' => run.push(letter),
            'x' | 'X' if run.len() == 17 && !next_is_digit => run.push('X'),
            ' ' | '-' | '\u{a0}' if !run.is_empty() && next_is_digit => {}
            _ => runs.extend(Some(std::mem::take(&mut run)).filter(|run| !run.is_empty())),
        }
    }
    runs.extend(Some(run).filter(|run| !run.is_empty()));
    runs
}

fn half_width(letter: char) -> char {
    match letter {
        '０'..='９' => char::from(b'0' + (letter as u32 - '０' as u32) as u8),
        'Ｘ' => 'X',
        '－' | '—' | '–' => '-',
        '\u{3000}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("联系人电话13800000000，晚上也可以打", PrivateDetail::MobileNumber("13800000000".into()))]
    #[case("138 0000 0000", PrivateDetail::MobileNumber("13800000000".into()))]
    #[case("１３８－００００－００００", PrivateDetail::MobileNumber("13800000000".into()))]
    #[case("+86 13800000000", PrivateDetail::MobileNumber("8613800000000".into()))]
    #[case("身份证11010519491231002x。", PrivateDetail::IdentityNumber("11010519491231002X".into()))]
    #[case("110105491231002", PrivateDetail::IdentityNumber("110105491231002".into()))]
    #[case("转账至6222 0000 0000 0000 000", PrivateDetail::AccountNumber("6222000000000000000".into()))]
    fn a_number_that_leads_to_a_person_is_found(#[case] text: &str, #[case] detail: PrivateDetail) {
        assert_eq!(private_details(text), [detail]);
        assert!(PublicText::parse("/text", text).is_err());
    }

    #[rstest]
    #[case("2026-03-10 至 2026-04-10 更换路灯12盏，投入35000元")]
    #[case("值班电话0371-68880000，监督举报12388")]
    #[case("项目编号2026030112345")]
    #[case("三组门前20米，共计3处、15户")]
    fn what_belongs_to_the_work_may_be_said(#[case] text: &str) {
        assert_eq!(private_details(text), []);
        assert!(PublicText::parse("/text", text).is_ok());
    }

    proptest! {
        #[test]
        fn no_mobile_number_gets_through(before in "[一-龥]{0,5}", number in "1[3-9][0-9]{9}", after in "[一-龥]{0,5}") {
            let text = format!("{before}{number}{after}");
            prop_assert!(PublicText::parse("/text", &text).is_err());
        }
    }
}
