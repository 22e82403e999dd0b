//! What the values of a subscribe message may look like, by the kind in their key.

use chrono::{NaiveDate, NaiveTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
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
    Enum,
}

impl ValueKind {
    /// `thing1` is a thing; a key without a known kind or without a number is none.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let kind = key.trim_end_matches(|character: char| character.is_ascii_digit());
        if kind.len() == key.len() {
            return None;
        }
        Some(match kind {
            "thing" => Self::Thing,
            "character_string" => Self::CharacterString,
            "number" => Self::Number,
            "letter" => Self::Letter,
            "symbol" => Self::Symbol,
            "phrase" => Self::Phrase,
            "name" => Self::Name,
            "time" => Self::Time,
            "date" => Self::Date,
            "amount" => Self::Amount,
            "phone_number" => Self::PhoneNumber,
            "car_number" => Self::CarNumber,
            "enum" => Self::Enum,
            _ => return None,
        })
    }

    /// Whether the platform takes the value. `listed` are the values of an enum field.
    pub(super) fn accepts(self, value: &str, listed: &[String]) -> bool {
        // How the platform counts emoji is not documented: UTF-16 units are the cautious reading.
        let length = value.encode_utf16().count();
        let within = |limit: usize| length <= limit;
        match self {
            Self::Thing => within(20) && !value.chars().any(char::is_control),
            Self::CharacterString => within(32) && value.chars().all(|character| character.is_ascii_graphic()),
            Self::Number => within(32) && is_decimal(value),
            Self::Letter => within(32) && value.chars().all(|character| character.is_ascii_alphabetic()),
            Self::Symbol => {
                within(5) && !value.chars().any(|character| character.is_alphanumeric() || character.is_whitespace())
            }
            Self::Phrase => within(5) && value.chars().all(is_chinese),
            Self::Name => {
                let limit = if value.chars().any(is_chinese) { 10 } else { 20 };
                within(limit) && !value.chars().any(|character| character.is_ascii_digit() || character.is_control())
            }
            Self::Time => is_range(value, is_time_with_optional_date),
            Self::Date => is_range(value, is_date_with_optional_time),
            Self::Amount => is_amount(value),
            Self::PhoneNumber => {
                within(17) && value.chars().all(|character| character.is_ascii_digit() || "+-() ".contains(character))
            }
            Self::CarNumber => is_car_number(value),
            Self::Enum => listed.iter().any(|choice| choice == value),
        }
    }
}

fn is_chinese(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2ebef}')
}

fn is_decimal(value: &str) -> bool {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

fn is_amount(value: &str) -> bool {
    let number = value.strip_prefix(['¥', '￥', '$', '€', '£']).unwrap_or(value);
    let number = number.strip_suffix('元').unwrap_or(number);
    is_decimal(number) && number.bytes().filter(u8::is_ascii_digit).count() <= 10
}

fn is_car_number(value: &str) -> bool {
    let characters: Vec<char> = value.chars().collect();
    let last = characters.len().saturating_sub(1);
    characters.len() <= 8
        && characters.iter().enumerate().all(|(position, character)| {
            character.is_ascii_alphanumeric() || ((position == 0 || position == last) && is_chinese(*character))
        })
}

fn is_range(value: &str, single: fn(&str) -> bool) -> bool {
    match value.split_once('~') {
        None => single(value),
        Some((from, to)) => single(from.trim()) && (single(to.trim()) || is_time(to.trim())),
    }
}

fn is_time(value: &str) -> bool {
    let shape = value.split(':').all(|part| part.len() == 2);
    shape && ["%H:%M", "%H:%M:%S"].iter().any(|format| NaiveTime::parse_from_str(value, format).is_ok())
}

fn is_time_with_optional_date(value: &str) -> bool {
    is_time(value) || value.rsplit_once(' ').is_some_and(|(date, time)| is_date(date.trim_end()) && is_time(time))
}

fn is_date_with_optional_time(value: &str) -> bool {
    is_date(value) || value.rsplit_once(' ').is_some_and(|(date, time)| is_date(date.trim_end()) && is_time(time))
}

fn is_date(value: &str) -> bool {
    let parts: Vec<&str> = if let Some(rest) = value.strip_suffix('日') {
        let Some((front, day)) = rest.split_once('月') else { return false };
        match front.split_once('年') {
            Some((year, month)) => vec![year, month, day],
            None => vec![front, day],
        }
    } else if let Some(rest) = value.strip_suffix('月') {
        rest.split('年').collect()
    } else {
        let Some(separator) = ['-', '/', '.'].into_iter().find(|separator| value.contains(*separator)) else {
            return false;
        };
        value.split(separator).collect()
    };
    let Some(numbers) = parts.iter().map(|part| number(part)).collect::<Option<Vec<i32>>>() else { return false };
    let is_year = |part: &str| part.len() == 4;
    let exists = |year: i32, month: i32, day: i32| {
        let (Ok(month), Ok(day)) = (u32::try_from(month), u32::try_from(day)) else { return false };
        NaiveDate::from_ymd_opt(year, month, day).is_some()
    };
    match (parts.as_slice(), numbers.as_slice()) {
        ([year, ..], &[y, m, d]) => is_year(year) && exists(y, m, d),
        ([first, _], &[y, m]) if is_year(first) => exists(y, m, 1),
        // A day without its year: the 29th of February exists in some years.
        (_, &[m, d]) => exists(2024, m, d),
        _ => false,
    }
}

fn number(part: &str) -> Option<i32> {
    (!part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| part.parse().ok())?
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("thing1", "东河村三组水渠修复整改事项到期提醒一二三", true)]
    #[case("thing1", "东河村三组水渠修复整改事项到期提醒一二三四", false)]
    #[case("thing1", "两行\n文字", false)]
    #[case("thing1", "😀😀😀😀😀😀😀😀😀😀😀", false)]
    #[case("character_string2", "QF-2026-000123", true)]
    #[case("character_string2", "编号123", false)]
    #[case("number3", "12.5", true)]
    #[case("number3", "12.", false)]
    #[case("number3", "一", false)]
    #[case("letter1", "abcDEF", true)]
    #[case("letter1", "abc1", false)]
    #[case("symbol1", "!?", true)]
    #[case("symbol1", "!a", false)]
    #[case("phrase4", "待整改", true)]
    #[case("phrase4", "待整改事项中", false)]
    #[case("phrase4", "待A", false)]
    #[case("name1", "张某某", true)]
    #[case("name1", "一二三四五六七八九十一", false)]
    #[case("name1", "abcdefghijklmnopqrst", true)]
    #[case("time5", "18:00", true)]
    #[case("time5", "2026年11月30日 18:00", true)]
    #[case("time5", "18:00~19:30", true)]
    #[case("time5", "25:00", false)]
    #[case("time5", "2026-11-30", false)]
    #[case("date6", "2026-11-30", true)]
    #[case("date6", "2026年11月30日", true)]
    #[case("date6", "2026年11月", true)]
    #[case("date6", "11月30日", true)]
    #[case("date6", "2026-11-30 18:00", true)]
    #[case("date6", "2026-11-01~2026-11-30", true)]
    #[case("date6", "2026-11-31", false)]
    #[case("date6", "2026-11-3…", false)]
    #[case("date6", "明天", false)]
    #[case("amount7", "¥120.50", true)]
    #[case("amount7", "120元", true)]
    #[case("amount7", "12345678901", false)]
    #[case("phone_number8", "+86-13800000000", true)]
    #[case("phone_number8", "电话", false)]
    #[case("car_number9", "粤A12345", true)]
    #[case("car_number9", "粤A1234567", false)]
    #[case("enum10", "满意", true)]
    #[case("enum10", "一般", false)]
    fn a_value_is_taken_or_refused_by_its_kind(#[case] key: &str, #[case] value: &str, #[case] taken: bool) {
        let kind = ValueKind::of_key(key).expect("a known kind");
        assert_eq!(kind.accepts(value, &["满意".to_owned(), "不满意".to_owned()]), taken);
    }

    #[rstest]
    #[case("thing")]
    #[case("1")]
    #[case("text1")]
    fn a_key_needs_a_kind_and_a_number(#[case] key: &str) {
        assert_eq!(ValueKind::of_key(key), None);
    }
}
