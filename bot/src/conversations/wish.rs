use super::suspicion::{is_report, may_be_a_report};

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
    /// How a rectification item stands, by its number.
    Item(String),
    /// How a complaint stands, by the code on its paper receipt.
    Receipt(String),
    /// To bring something up.
    File,
    /// The public page.
    Board,
    Survey,
    Cancel,
    /// A number, from 1: an answer when a question is open.
    Choice(usize),
    /// Thanks and the like: nothing is wanted.
    Courtesy,
    /// It sounds like a report against a cadre.
    Report,
    Other,
}

impl Wish {
    pub(super) fn of(text: &str) -> Self {
        let plain = plain(text);
        match plain.as_str() {
            "帮助" | "help" | "菜单" | "你好" | "您好" | "在吗" | "" => return Self::Help,
            "退订" | "停止" | "stop" | "td" | "不要再发" => return Self::OptOut,
            "订阅" | "开始" | "start" | "恢复" => return Self::OptIn,
            "进度" | "我的" | "我的诉求" | "查" | "查询" | "查进度" => return Self::MyComplaints,
            "待办" | "任务" | "我的待办" => return Self::Tasks,
            "问卷" | "答题" | "调查" | "测评" | "背靠背" | "背靠背测评" | "评议" => {
                return Self::Survey;
            }
            "取消" | "算了" | "退出" | "不写了" | "cancel" => return Self::Cancel,
            "反映" | "我要反映" | "反映问题" | "我要反映问题" | "诉求" | "提诉求" | "投诉" | "我要投诉" =>
            {
                return Self::File;
            }
            "公示" | "公示栏" | "公开栏" | "看板" => return Self::Board,
            // Nothing is told yet: the way is asked for.
            "举报" | "我要举报" | "告状" | "我要告状" => return Self::Report,
            "谢谢" | "谢谢您" | "好的" | "好的谢谢" | "收到" | "知道了" | "嗯" | "嗯嗯" | "哦" | "ok" =>
            {
                return Self::Courtesy;
            }
            _ => {}
        }
        if let Some(number) = number(&plain) {
            return Self::Choice(number);
        }
        if is_report(text, &[]) {
            return Self::Report;
        }
        if let Some(number) = item_number("sq", &plain) {
            return Self::Complaint(number);
        }
        if let Some(number) = item_number("zg", &plain) {
            return Self::Item(number);
        }
        if is_receipt_code(&plain) {
            return Self::Receipt(plain);
        }
        Self::Other
    }
}

impl Wish {
    /// The same of a member of staff, who is not asked back: what may be a report is taken for one.
    pub(super) fn of_staff(text: &str) -> Self {
        match Self::of(text) {
            Self::Other | Self::Complaint(_) | Self::Item(_) if may_be_a_report(text) => Self::Report,
            wish => wish,
        }
    }

    /// What a button of the menu under the chat means.
    pub(super) fn of_button(key: &str) -> Self {
        match key {
            "file" => Self::File,
            "progress" => Self::MyComplaints,
            "survey" => Self::Survey,
            "board" => Self::Board,
            _ => Self::Help,
        }
    }
}

/// Without blanks, punctuation at the end and difference of width and case.
pub(super) fn plain(text: &str) -> String {
    let plain: String = text.trim().chars().map(half_width).filter(|letter| !letter.is_whitespace()).collect();
    plain.to_lowercase().trim_end_matches(['。', '!', '.', '?', '~', ',', '、']).to_owned()
}

/// One to nine, as people write a choice: 2, 二, ②, 选2, 2号.
fn number(plain: &str) -> Option<usize> {
    let bare = plain.trim_start_matches("选").trim_start_matches('第');
    let bare = bare.trim_end_matches(['个', '项', '号']);
    let mut letters = bare.chars();
    let (letter, None) = (letters.next()?, letters.next()) else { return None };
    let words = ["123456789", "一二三四五六七八九", "①②③④⑤⑥⑦⑧⑨"];
    words.into_iter().find_map(|digits| digits.chars().position(|digit| digit == letter)).map(|place| place + 1)
}

/// Digits, letters and punctuation as a phone's Chinese keyboard may write them.
pub(super) fn half_width(letter: char) -> char {
    match letter {
        '！'..='～' => char::from_u32(letter as u32 - 0xfee0).unwrap_or(letter),
        other => other,
    }
}

/// A number somewhere in the text, as in 查SQ26-4F7K2M.
fn item_number(prefix: &str, plain: &str) -> Option<String> {
    let start = plain.find(prefix)?;
    let number: String =
        plain[start..].chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    (number.len() >= 8).then(|| number.to_uppercase())
}

/// Three groups of four and one more letter, with or without dashes.
fn is_receipt_code(plain: &str) -> bool {
    let letters = plain.chars().filter(|letter| *letter != '-');
    letters.clone().count() == 13 && letters.clone().all(|letter| letter.is_ascii_alphanumeric())
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
    #[case("我要举报有人收钱", Wish::Other)]
    #[case("我要举报！", Wish::Report)]
    #[case("不是检举", Wish::Other)]
    #[case("村口路灯坏了", Wish::Other)]
    #[case("10", Wish::Other)]
    #[case("二", Wish::Choice(2))]
    #[case("②", Wish::Choice(2))]
    #[case("选 3。", Wish::Choice(3))]
    #[case("第一个", Wish::Choice(1))]
    #[case("三组路灯坏了", Wish::Other)]
    #[case("反映", Wish::File)]
    #[case("我要反映！", Wish::File)]
    #[case("我要反映村口路灯坏了", Wish::Other)]
    #[case("ZG26-4F7K2M9A", Wish::Item("ZG26-4F7K2M9A".into()))]
    #[case("4f7k-2m9a-4f7k-2", Wish::Receipt("4f7k-2m9a-4f7k-2".into()))]
    #[case("13800001111", Wish::Other)]
    #[case("谢谢！", Wish::Courtesy)]
    #[case("听说书记收了钱才给办", Wish::Report)]
    #[case("书记贪了修路的钱", Wish::Report)]
    #[case("公示", Wish::Board)]
    #[case("算了", Wish::Cancel)]
    fn people_are_understood(#[case] text: &str, #[case] expected: Wish) {
        assert_eq!(Wish::of(text), expected);
    }

    #[rstest]
    #[case("我要举报有人收钱", Wish::Report)]
    #[case("SQ26-4F7K2M 收了红包", Wish::Report)]
    #[case("查 SQ26-4F7K2M", Wish::Complaint("SQ26-4F7K2M".into()))]
    #[case("归供电所管", Wish::Other)]
    #[case("2", Wish::Choice(2))]
    fn what_a_member_of_staff_writes_is_a_report_where_it_may_be_one(#[case] text: &str, #[case] expected: Wish) {
        assert_eq!(Wish::of_staff(text), expected);
    }
}
