//! What the value of a template's line may look like: the type in its key says it. The limits are those of the platform's
//! page on subscribe messages (订阅消息参数值内容限制说明); what breaks one is refused with 47003, the whole card.

use chrono::NaiveDateTime;

use crate::messages::{shorten, units};

/// A `thing` holds at most 20 characters.
pub const LONGEST_THING: usize = 20;
/// Of a `character_string`, a `number` and a `letter`.
const LONGEST_STRING: usize = 32;
/// Of a `phrase` and a `symbol`.
const LONGEST_PHRASE: usize = 5;
/// A `name` with Chinese characters in it, and one without.
const LONGEST_CHINESE_NAME: usize = 10;
const LONGEST_NAME: usize = 20;
const LONGEST_PHONE_NUMBER: usize = 17;
const LONGEST_CAR_NUMBER: usize = 8;
const DIGITS_OF_AN_AMOUNT: usize = 10;
/// The platform names no limit for dates, times and listed values; none of ours is longer.
const LONGEST_OF_THE_REST: usize = 20;

/// Stands where there are no words: the platform refuses an empty line, and a tap shows the rest.
const NOTHING_TO_SAY: &str = "点开查看";

/// The type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Thing,
    CharacterString,
    Number,
    Letter,
    Symbol,
    Phrase,
    Name,
    Time,
    Date,
    Amount,
    PhoneNumber,
    CarNumber,
    /// One of the values that the platform lists for the template.
    Enum,
    Const,
}

/// What a line is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Words(String),
    /// Beijing time.
    Moment(NaiveDateTime),
}

impl KeyKind {
    pub const ALL: [Self; 14] = [
        Self::Thing,
        Self::CharacterString,
        Self::Number,
        Self::Letter,
        Self::Symbol,
        Self::Phrase,
        Self::Name,
        Self::Time,
        Self::Date,
        Self::Amount,
        Self::PhoneNumber,
        Self::CarNumber,
        Self::Enum,
        Self::Const,
    ];

    /// `thing1` is a thing; a key without a known type or without a number is none.
    #[must_use]
    pub fn of(key: &str) -> Option<Self> {
        let name = key.trim_end_matches(|letter: char| letter.is_ascii_digit());
        Self::ALL.into_iter().find(|kind| kind.name() == name && name.len() < key.len())
    }

    /// As the platform writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Thing => "thing",
            Self::CharacterString => "character_string",
            Self::Number => "number",
            Self::Letter => "letter",
            Self::Symbol => "symbol",
            Self::Phrase => "phrase",
            Self::Name => "name",
            Self::Time => "time",
            Self::Date => "date",
            Self::Amount => "amount",
            Self::PhoneNumber => "phone_number",
            Self::CarNumber => "car_number",
            Self::Enum => "enum",
            Self::Const => "const",
        }
    }

    /// Longest value, in UTF-16 units.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::Thing => LONGEST_THING,
            Self::CharacterString | Self::Number | Self::Letter => LONGEST_STRING,
            Self::Symbol | Self::Phrase => LONGEST_PHRASE,
            // The currency sign, the point and 元 stand around the digits.
            Self::Amount => DIGITS_OF_AN_AMOUNT + 3,
            Self::PhoneNumber => LONGEST_PHONE_NUMBER,
            Self::CarNumber => LONGEST_CAR_NUMBER,
            Self::Name => LONGEST_NAME,
            Self::Time | Self::Date | Self::Enum | Self::Const => LONGEST_OF_THE_REST,
        }
    }

    /// What is said as the platform takes it in a line of this type; none where it cannot be said so. Only a `thing` is
    /// shortened: a number, a name or a phrase that ends in dots would be another one.
    #[must_use]
    pub fn shape(self, said: &Said) -> Option<String> {
        match said {
            Said::Words(words) => self.shape_words(words),
            Said::Moment(at) => self.shape_moment(*at),
        }
    }

    fn shape_words(self, words: &str) -> Option<String> {
        let one_line = one_line(words);
        match self {
            Self::Thing if one_line.is_empty() => Some(NOTHING_TO_SAY.to_owned()),
            Self::Thing => Some(shorten(&one_line, LONGEST_THING)),
            _ => self.takes(&one_line).then_some(one_line),
        }
    }

    fn shape_moment(self, at: NaiveDateTime) -> Option<String> {
        match self {
            Self::Thing | Self::Date => Some(at.format("%Y年%-m月%-d日").to_string()),
            Self::Time => Some(at.format("%Y年%-m月%-d日 %H:%M").to_string()),
            Self::CharacterString => Some(at.format("%Y-%m-%d").to_string()),
            _ => None,
        }
    }

    /// Whether the platform takes these words as they are. Which values an `enum` has, only the platform knows.
    #[must_use]
    pub fn takes(self, words: &str) -> bool {
        if words.is_empty() || words.chars().any(breaks_the_line) {
            return false;
        }
        let within = |limit: usize| units(words) <= limit;
        match self {
            Self::Thing | Self::Enum | Self::Const => within(self.limit()),
            Self::CharacterString => within(LONGEST_STRING) && words.chars().all(|letter| letter.is_ascii_graphic()),
            Self::Number => within(LONGEST_STRING) && is_decimal(words),
            Self::Letter => within(LONGEST_STRING) && words.chars().all(|letter| letter.is_ascii_alphabetic()),
            Self::Symbol => {
                within(LONGEST_PHRASE) && !words.chars().any(|sign| sign.is_alphanumeric() || sign.is_whitespace())
            }
            Self::Phrase => within(LONGEST_PHRASE) && words.chars().all(is_chinese),
            Self::Name => {
                let limit = if words.chars().any(is_chinese) { LONGEST_CHINESE_NAME } else { LONGEST_NAME };
                within(limit) && !words.chars().any(|letter| letter.is_ascii_digit())
            }
            Self::Amount => is_amount(words),
            Self::PhoneNumber => {
                within(LONGEST_PHONE_NUMBER)
                    && words.chars().all(|sign| sign.is_ascii_digit() || "+-() ".contains(sign))
            }
            Self::CarNumber => is_car_number(words),
            // A day is told as a moment, never in words.
            Self::Time | Self::Date => false,
        }
    }
}

/// Line ends and other control characters are refused; blanks stand for them.
fn one_line(words: &str) -> String {
    let blanks = words.chars().map(|letter| if breaks_the_line(letter) { ' ' } else { letter });
    blanks.collect::<String>().trim().to_owned()
}

fn breaks_the_line(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

fn is_chinese(letter: char) -> bool {
    matches!(letter, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2ebef}')
}

fn is_decimal(words: &str) -> bool {
    let (whole, fraction) = words.split_once('.').unwrap_or((words, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

fn is_amount(words: &str) -> bool {
    let number = words.strip_prefix(['¥', '￥', '$', '€', '£']).unwrap_or(words);
    let number = number.strip_suffix('元').unwrap_or(number);
    is_decimal(number) && number.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_OF_AN_AMOUNT
}

fn is_car_number(words: &str) -> bool {
    let last = words.chars().count().saturating_sub(1);
    last < LONGEST_CAR_NUMBER
        && words.chars().enumerate().all(|(position, letter)| {
            letter.is_ascii_alphanumeric() || ((position == 0 || position == last) && is_chinese(letter))
        })
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn words(text: &str) -> Said {
        Said::Words(text.to_owned())
    }

    #[rstest]
    #[case("thing12", "村口路灯坏了", Some("村口路灯坏了"))]
    #[case("thing12", "一行\r\n又一行\u{2028}再一行", Some("一行  又一行 再一行"))]
    #[case("thing12", " \n\t ", Some("点开查看"))]
    #[case("thing12", "东河村三组水渠修复整改事项到期提醒一二三", Some("东河村三组水渠修复整改事项到期提醒一二三"))]
    #[case("thing12", "东河村三组水渠修复整改事项到期提醒一二三四", Some("东河村三组水渠修复整改事项到期提醒一二…"))]
    // Two units each: nine and the dots are nineteen.
    #[case("thing12", "😀😀😀😀😀😀😀😀😀😀😀", Some("😀😀😀😀😀😀😀😀😀…"))]
    #[case("phrase4", "今天到期", Some("今天到期"))]
    #[case("phrase4", "一二三四五六", None)]
    #[case("phrase4", "还有3天", None)]
    #[case("phrase4", "待办。", None)]
    #[case("character_string2", "QF-2026-000123", Some("QF-2026-000123"))]
    #[case("character_string2", "编号123", None)]
    #[case("character_string2", "123456789012345678901234567890123", None)]
    #[case("number3", "12.5", Some("12.5"))]
    #[case("number3", "3天", None)]
    #[case("letter3", "abcDEF", Some("abcDEF"))]
    #[case("letter3", "abc1", None)]
    #[case("symbol3", "!?", Some("!?"))]
    #[case("symbol3", "!a", None)]
    #[case("name5", "云溪镇人民政府", Some("云溪镇人民政府"))]
    #[case("name5", "清河县云溪镇人民政府办", None)]
    #[case("name5", "第3组", None)]
    #[case("name5", "Zhang San", Some("Zhang San"))]
    #[case("amount6", "¥120.50", Some("¥120.50"))]
    #[case("amount6", "12345678901", None)]
    #[case("phone_number7", "0539-1234567", Some("0539-1234567"))]
    #[case("phone_number7", "电话", None)]
    #[case("car_number8", "粤A12345", Some("粤A12345"))]
    #[case("car_number8", "粤A1234567", None)]
    #[case("enum9", "满意", Some("满意"))]
    #[case("const9", "整改", Some("整改"))]
    #[case("time1", "18:00", None)]
    #[case("date1", "明天", None)]
    fn words_are_put_into_a_line_or_not_by_its_type(
        #[case] key: &str,
        #[case] text: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(KeyKind::of(key).unwrap().shape(&words(text)).as_deref(), expected);
    }

    #[rstest]
    #[case("date5", Some("2026年3月5日"))]
    #[case("time5", Some("2026年3月5日 23:59"))]
    #[case("thing5", Some("2026年3月5日"))]
    #[case("character_string5", Some("2026-03-05"))]
    #[case("phrase5", None)]
    #[case("number5", None)]
    #[case("enum5", None)]
    fn a_moment_has_the_form_of_the_lines_type(#[case] key: &str, #[case] expected: Option<&str>) {
        let at = NaiveDate::from_ymd_opt(2026, 3, 5).unwrap().and_hms_opt(23, 59, 0).unwrap();
        assert_eq!(KeyKind::of(key).unwrap().shape(&Said::Moment(at)).as_deref(), expected);
    }

    #[rstest]
    #[case("thing")]
    #[case("1")]
    #[case("")]
    #[case("text1")]
    #[case("thing1.DATA")]
    #[case("Thing1")]
    fn a_key_needs_a_known_type_and_a_number(#[case] key: &str) {
        assert_eq!(KeyKind::of(key), None);
    }

    #[test]
    fn every_type_is_known_by_its_name() {
        for kind in KeyKind::ALL {
            assert_eq!(KeyKind::of(&format!("{}42", kind.name())), Some(kind));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_a_line_is_never_empty_too_long_or_cut_inside_a_character(text in "(\\PC|\n|\t|😀|渠){0,60}") {
            for kind in KeyKind::ALL {
                let Some(value) = kind.shape(&words(&text)) else { continue };
                prop_assert!(!value.trim().is_empty(), "{kind:?}");
                prop_assert!(units(&value) <= kind.limit(), "{kind:?} {value}");
                prop_assert!(!value.chars().any(breaks_the_line), "{kind:?} {value:?}");
                prop_assert!(kind.takes(&value), "{kind:?} {value}");
                // What was not said is not told: but for the dots it is what the text begins with.
                let told = value.strip_suffix('…').unwrap_or(&value);
                let told = told.trim_end();
                prop_assert!(one_line(&text).starts_with(told) || value == NOTHING_TO_SAY, "{kind:?} {value}");
            }
        }

        #[test]
        fn a_thing_can_say_everything_and_nothing_else_is_shortened(text in "\\PC{0,60}") {
            prop_assert!(KeyKind::Thing.shape(&words(&text)).is_some());
            for kind in KeyKind::ALL.into_iter().filter(|kind| *kind != KeyKind::Thing) {
                let value = kind.shape(&words(&text));
                prop_assert!(value.is_none_or(|value| value == one_line(&text)), "{kind:?}");
            }
        }
    }
}
