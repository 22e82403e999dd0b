//! What staff write for the board and the village groups stays there for years: it is read before it is published.

use unicode_normalization::UnicodeNormalization as _;

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
    /// The beginning of the number: enough to find the place.
    pub(super) fn shown(&self) -> String {
        let (Self::MobileNumber(number) | Self::IdentityNumber(number) | Self::AccountNumber(number)) = self;
        format!("{}…", number.chars().take(4).collect::<String>())
    }

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

/// Private numbers in a text, also when they are written with separators, in full-width, circled or Chinese digits, or with
/// invisible characters in between.
#[must_use]
pub fn private_details(text: &str) -> Vec<PrivateDetail> {
    let plain: String = text.chars().filter(|letter| !is_invisible(*letter)).nfkc().collect();
    let mut found: Vec<_> = runs_of_digits(&plain).iter().filter_map(Run::classify).collect();
    let spoken: String = plain.chars().map(|letter| chinese_digit(letter).unwrap_or(letter)).collect();
    for detail in runs_of_digits(&spoken).iter().filter_map(Run::classify) {
        if !found.contains(&detail) {
            found.push(detail);
        }
    }
    found
}

/// Digits that belong together; the last may be the X of an identity number.
#[derive(Default)]
struct Run {
    digits: String,
    /// Lengths of the groups that separators make of them.
    groups: Vec<usize>,
}

impl Run {
    fn classify(&self) -> Option<PrivateDetail> {
        let number = || self.digits.clone();
        let is_mobile =
            |digits: &str| digits.len() == 11 && digits.starts_with('1') && !digits[1..].starts_with(['0', '1', '2']);
        match self.digits.len() {
            11 if is_mobile(&self.digits) && self.is_spelled_out_or_grouped() => {
                Some(PrivateDetail::MobileNumber(number()))
            }
            // With the country's code before it.
            13 if self.digits.starts_with("86") && is_mobile(&self.digits[2..]) => {
                Some(PrivateDetail::MobileNumber(number()))
            }
            18 if has_birth_date(&self.digits[6..14]) => Some(PrivateDetail::IdentityNumber(number())),
            15 if has_birth_date(&format!("19{}", &self.digits[6..12])) => {
                Some(PrivateDetail::IdentityNumber(number()))
            }
            16..=19 if !self.digits.ends_with('X') && self.is_in_fours() => {
                Some(PrivateDetail::AccountNumber(number()))
            }
            _ => None,
        }
    }

    /// One digit at a time, or in groups as numbers are read out: figures and measures in a row are neither.
    fn is_spelled_out_or_grouped(&self) -> bool {
        self.groups.iter().all(|length| *length == 1) || self.groups.iter().all(|length| *length >= 2)
    }

    /// In one piece, or in fours as on a card; two dates in a row are neither.
    fn is_in_fours(&self) -> bool {
        self.groups.split_last().is_some_and(|(_, before)| before.iter().all(|length| *length == 4))
    }
}

fn has_birth_date(digits: &str) -> bool {
    chrono::NaiveDate::parse_from_str(digits, "%Y%m%d").is_ok()
}

fn runs_of_digits(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut run = Run::default();
    let mut group = 0;
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        let next_is_digit = rest.peek().is_some_and(char::is_ascii_digit);
        match letter {
            '0'..='9' => {
                run.digits.push(letter);
                group += 1;
            }
            'x' | 'X' if run.digits.len() == 17 && !next_is_digit => {
                run.digits.push('X');
                group += 1;
            }
            ' ' | '-' | '－' | '—' | '–' | '‐' | '.' | '·' | '•' | '/' | '_' | '~' if !run.digits.is_empty() =>
            {
                if group > 0 {
                    run.groups.push(std::mem::take(&mut group));
                }
                let goes_on = rest.peek().is_some_and(|next| next.is_ascii_digit() || " -－—–‐.·•/_~".contains(*next));
                if !goes_on {
                    runs.push(std::mem::take(&mut run));
                }
            }
            _ => {
                if group > 0 {
                    run.groups.push(std::mem::take(&mut group));
                }
                runs.push(std::mem::take(&mut run));
            }
        }
    }
    if group > 0 {
        run.groups.push(group);
    }
    runs.push(run);
    runs
}

pub(super) fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

fn chinese_digit(letter: char) -> Option<char> {
    Some(match letter {
        '零' | '〇' | '○' => '0',
        '一' | '幺' | '壹' => '1',
        '二' | '贰' => '2',
        '三' | '叁' => '3',
        '四' | '肆' => '4',
        '五' | '伍' => '5',
        '六' | '陆' => '6',
        '七' | '柒' => '7',
        '八' | '捌' => '8',
        '九' | '玖' => '9',
        _ => return None,
    })
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
    #[case("138.0000.0000", PrivateDetail::MobileNumber("13800000000".into()))]
    #[case("138 - 0000 - 0000", PrivateDetail::MobileNumber("13800000000".into()))]
    #[case("1 3 8 0 0 0 0 0 0 0 0", PrivateDetail::MobileNumber("13800000000".into()))]
    #[case("13800\u{200b}000000", PrivateDetail::MobileNumber("13800000000".into()))]
    #[case("①③⑧00000000", PrivateDetail::MobileNumber("13800000000".into()))]
    #[case("打一三八零零〇〇零零零零找他", PrivateDetail::MobileNumber("13800000000".into()))]
    #[case("幺三八00000000", PrivateDetail::MobileNumber("13800000000".into()))]
    fn a_number_that_leads_to_a_person_is_found(#[case] text: &str, #[case] detail: PrivateDetail) {
        assert_eq!(private_details(text), [detail]);
        assert!(PublicText::parse("/text", text).is_err());
    }

    #[rstest]
    #[case("2026-03-10 至 2026-04-10 更换路灯12盏，投入35000元")]
    #[case("值班电话0371-68880000，监督举报12388")]
    #[case("项目编号2026030112345")]
    #[case("2026.03.10-2026.04.10，2026-03-10 - 2026-04-10")]
    #[case("面积13.5 8.2 6.4 7.15 2亩")]
    #[case("二〇二六年三月十日，一二三组共一百八十户")]
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
