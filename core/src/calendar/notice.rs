use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The State Council's notice for a year, in the shape in which it is passed around as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearNotice {
    pub year: i32,
    /// Where it was published.
    #[serde(default)]
    pub papers: Vec<String>,
    pub days: Vec<NoticeDay>,
    /// Holidays of an autonomous area (全国年节及纪念日放假办法 art. 4), on top of the State Council's notice. They do not make
    /// the year known: that takes the State Council.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeDay {
    pub name: String,
    pub date: NaiveDate,
    pub is_off_day: bool,
}

/// What is wrong with a notice's data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeFault {
    #[error("第{line}行第{column}列：{message}")]
    Malformed { line: usize, column: usize, message: String },
    #[error("{0}年的文件里没有任何日期：通知可能尚未发布，不能当作“只有周末休息”")]
    Empty(i32),
    #[error("{date} 出现了两次，休息与上班互相矛盾")]
    Contradiction { date: NaiveDate },
    #[error("{date} 不属于{year}年的通知")]
    OtherYear { date: NaiveDate, year: i32 },
}

impl YearNotice {
    /// Reads the JSON shape `{year, papers, days: [{name, date, isOffDay}]}`.
    ///
    /// # Errors
    /// When it is malformed, empty or contradicts itself.
    pub fn parse(text: &str) -> Result<Self, NoticeFault> {
        use chrono::Datelike;
        let notice: Self = serde_json::from_str(text).map_err(|error| NoticeFault::Malformed {
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        })?;
        if notice.days.is_empty() {
            return Err(NoticeFault::Empty(notice.year));
        }
        let mut seen = std::collections::BTreeMap::new();
        for day in &notice.days {
            // A notice may move days of the December before, never others.
            let belongs =
                day.date.year() == notice.year || (day.date.year() == notice.year - 1 && day.date.month() == 12);
            if !belongs {
                return Err(NoticeFault::OtherYear { date: day.date, year: notice.year });
            }
            if seen.insert(day.date, day.is_off_day).is_some_and(|known| known != day.is_off_day) {
                return Err(NoticeFault::Contradiction { date: day.date });
            }
        }
        Ok(notice)
    }
}
