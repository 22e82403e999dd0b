/// What somebody wants who wrote to the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    OptOut,
    OptIn,
    /// How his own complaints stand.
    MyComplaints,
    /// What waits for a member of staff.
    Tasks,
    /// How one of them stands, by its number.
    Complaint(String),
    Survey,
    Cancel,
    /// A number, from 1: an answer when a question is open.
    Choice(usize),
    /// It sounds like a report against a cadre.
    Report,
    Other,
}

/// Words of a report against a person. Too many are caught rather than too few: the answer only shows the safe way.
const REPORT_WORDS: [&str; 22] = [
    "举报",
    "检举",
    "控告",
    "告状",
    "贪污",
    "贪了",
    "受贿",
    "行贿",
    "送礼",
    "收礼",
    "收钱",
    "索要",
    "吃拿卡要",
    "回扣",
    "挪用",
    "侵占",
    "克扣",
    "优亲厚友",
    "徇私",
    "滥用职权",
    "欺压",
    "包庇",
];

impl Wish {
    pub(super) fn of(text: &str) -> Self {
        let plain: String = text.trim().chars().map(half_width).filter(|letter| !letter.is_whitespace()).collect();
        let plain = plain.to_lowercase();
        match plain.trim_end_matches(['。', '!', '.', '?', '~']) {
            "帮助" | "help" | "菜单" | "你好" | "您好" | "在吗" | "" => return Self::Help,
            "退订" | "停止" | "stop" | "td" | "不要再发" => return Self::OptOut,
            "订阅" | "开始" | "start" | "恢复" => return Self::OptIn,
            "进度" | "我的" | "我的诉求" | "查" | "查询" => return Self::MyComplaints,
            "待办" | "任务" | "我的待办" => return Self::Tasks,
            "问卷" | "答题" | "调查" | "测评" | "背靠背" | "背靠背测评" | "评议" => {
                return Self::Survey;
            }
            "取消" | "算了" | "退出" | "cancel" => return Self::Cancel,
            _ => {}
        }
        if let Ok(number @ 1..=9) = plain.parse() {
            return Self::Choice(number);
        }
        if let Some(number) = complaint_number(&plain) {
            return Self::Complaint(number);
        }
        if REPORT_WORDS.iter().any(|word| plain.contains(word)) {
            return Self::Report;
        }
        Self::Other
    }
}

/// Digits, letters and punctuation as a phone's Chinese keyboard may write them.
pub(super) fn half_width(letter: char) -> char {
    match letter {
        '！'..='～' => char::from_u32(letter as u32 - 0xfee0).unwrap_or(letter),
        other => other,
    }
}

/// A complaint's number somewhere in the text, as in 查SQ26-4F7K2M.
fn complaint_number(plain: &str) -> Option<String> {
    let start = plain.find("sq")?;
    let number: String =
        plain[start..].chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    (number.len() >= 8).then(|| number.to_uppercase())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(" 帮助 ", Wish::Help)]
    #[case("ＳＴＯＰ", Wish::OptOut)]
    #[case("退订！", Wish::OptOut)]
    #[case("２", Wish::Choice(2))]
    #[case("查 sq26-4f7k2m 到哪了", Wish::Complaint("SQ26-4F7K2M".into()))]
    #[case("sq", Wish::Other)]
    #[case("进度？", Wish::MyComplaints)]
    #[case("测评", Wish::Survey)]
    #[case("我要举报有人收钱", Wish::Report)]
    #[case("村口路灯坏了", Wish::Other)]
    #[case("10", Wish::Other)]
    fn people_are_understood(#[case] text: &str, #[case] expected: Wish) {
        assert_eq!(Wish::of(text), expected);
    }
}
