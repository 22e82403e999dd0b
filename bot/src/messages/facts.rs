//! What texts can tell: each fact by its Chinese name, where it stands in a message, and how much room it may take.

mod possible;

use chrono::NaiveDate;
use minijinja::Value;
use serde_json::Value as Json;

pub(super) use possible::{blanked, edges, sample};

use super::{date, number, shorten, template::Surface, text};

/// Longest text of its kind in a post, in UTF-16 units.
const NAME: usize = 24;
const TITLE: usize = 60;
const PARAGRAPH: usize = 120;
/// A figure of a result.
const FIGURE: usize = 8;

/// Items that the monthly post names; the rest is on the board.
const ITEMS: usize = 5;
const MEASURES: usize = 3;
/// As many as a survey has.
const QUESTIONS: usize = 3;
const CHOICES: usize = 6;
/// Rows of a result that a post names; the rest is on the page.
const ROWS: usize = 5;
/// Ballot boxes that a post names: as many as the platform puts into one. Whoever keeps the post keeps each fingerprint.
const BOXES: usize = 20;
/// Beside a result: what was in the boxes was told when they were shut.
const BOXES_OF_A_RESULT: usize = 10;

/// Something that a text can tell.
#[derive(Debug)]
pub struct Fact {
    /// As templates call it.
    pub name: &'static str,
    pub meaning: &'static str,
    form: Form,
    /// What stands for it in a preview.
    sample: &'static str,
}

/// Where it stands in a message's facts, and what it is there.
#[derive(Debug)]
enum Form {
    Text {
        from: &'static str,
        longest: usize,
    },
    Date {
        from: &'static str,
    },
    /// Days until a date, none after it.
    DaysLeft {
        until: &'static str,
    },
    /// Days after a date, none before it.
    DaysOver {
        since: &'static str,
    },
    Number {
        from: &'static str,
    },
    Flag {
        from: &'static str,
    },
    /// Whether a word is this one.
    Is {
        from: &'static str,
        word: &'static str,
    },
    /// Whether it is told at all.
    IsTold {
        from: &'static str,
    },
    Texts {
        from: &'static str,
        most: usize,
        longest: usize,
    },
    List {
        from: &'static str,
        most: usize,
        of: &'static [Fact],
    },
    /// How many of a list are not named.
    More {
        from: &'static str,
        named: usize,
    },
    /// The village's page of the board.
    BoardLink,
    /// The anonymous surveys' page, or the one that the message names.
    SurveysLink,
}

impl Form {
    fn from(&self) -> Option<&'static str> {
        match self {
            Self::Text { from, .. }
            | Self::Date { from }
            | Self::DaysLeft { until: from }
            | Self::DaysOver { since: from }
            | Self::Number { from }
            | Self::Flag { from }
            | Self::Is { from, .. }
            | Self::IsTold { from }
            | Self::Texts { from, .. }
            | Self::List { from, .. }
            | Self::More { from, .. } => Some(from),
            Self::BoardLink | Self::SurveysLink => None,
        }
    }
}

const fn fact(name: &'static str, meaning: &'static str, form: Form, sample: &'static str) -> Fact {
    Fact { name, meaning, form, sample }
}

const fn words(name: &'static str, from: &'static str, longest: usize, sample: &'static str) -> Fact {
    fact(name, name, Form::Text { from, longest }, sample)
}

const fn figure(name: &'static str, from: &'static str, sample: &'static str) -> Fact {
    fact(name, name, Form::Number { from }, sample)
}

const ITEM: &[Fact] = &[
    words("标题", "title", TITLE, "村口路灯更换"),
    fact("期限", "哪天前完成", Form::Date { from: "due_on" }, ""),
    figure("超期天数", "days_overdue", "0"),
];
const CHOICE: &[Fact] = &[words("名称", "label", NAME, "好"), figure("人数", "answers", "12")];
const QUESTION: &[Fact] = &[
    words("题目", "text", TITLE, "村里的路灯修得怎么样？"),
    fact("选项", "每个选项和人数", Form::List { from: "choices", most: CHOICES, of: CHOICE }, ""),
];
const BALLOT_BOX: &[Fact] = &[
    words("名称", "title", NAME, "东河村·村民票"),
    words("核对码", "poster_code", NAME, "K7Q2-M4XD"),
    words("指纹", "fingerprint", NAME, "K7Q2-M4XD-9TWZ/42"),
];
const RATE: &[Fact] = &[words("名称", "label", NAME, "满意率"), words("百分比", "per_cent", FIGURE, "91.30")];
const ROW: &[Fact] = &[
    words("名称", "label", NAME, "东河村"),
    words("得分", "score", FIGURE, "86.25"),
    fact("各率", "满意率等", Form::List { from: "rates", most: 2, of: RATE }, ""),
];

static FACTS: &[Fact] = &[
    fact("事项", "这件事的名称", Form::Text { from: "title", longest: TITLE }, "村口路灯更换"),
    fact("群", "群的名称", Form::Text { from: "title", longest: TITLE }, "东河村村民群"),
    fact("用语", "哪一种通知", Form::Text { from: "title", longest: TITLE }, "期限快到了，提醒承办人"),
    fact("标题", "这件事的名称", Form::Text { from: "title", longest: TITLE }, "村口路灯更换"),
    fact("期限", "到期的日子", Form::Date { from: "due_on" }, ""),
    fact("剩余天数", "离期限还有几天，过了期限是0", Form::DaysLeft { until: "due_on" }, ""),
    fact("超期天数", "超过期限几天，没有超期是0", Form::DaysOver { since: "due_on" }, ""),
    fact("单位", "承办单位", Form::Text { from: "unit", longest: TITLE }, "东河村"),
    fact("环节", "超期后进入的督办环节，不一定有", Form::Text { from: "rung", longest: TITLE }, "督办函"),
    fact("复核日期", "挂起的事哪天再看，不一定有", Form::Date { from: "review_on" }, ""),
    fact("批准", "延期批了没有", Form::Flag { from: "approved" }, "true"),
    fact("要延期", "是不是申请延期", Form::Is { from: "wanted", word: "more_time" }, "more_time"),
    fact("语音", "是语音还是照片", Form::Is { from: "media", word: "voice" }, "photo"),
    fact("件数", "合在一起的件数", Form::Number { from: "count" }, "3"),
    fact("到期件数", "这一段时间到期的件数", Form::Number { from: "due" }, "12"),
    fact("返工件数", "群众不满意、正在重办的件数", Form::Number { from: "done_again" }, "2"),
    fact("超期件数", "其中超期的件数", Form::Number { from: "overdue" }, "1"),
    fact("测评件数", "其中背靠背测评的件数", Form::Number { from: "sealed" }, "0"),
    fact("村", "村名", Form::Text { from: "village", longest: NAME }, "东河村"),
    fact("链接", "公示页的网址", Form::BoardLink, ""),
    fact("月份", "说的是哪个月", Form::Text { from: "month_label", longest: NAME }, "2026年2月"),
    fact("收到", "上月收到的诉求件数", Form::Number { from: "received" }, "5"),
    fact("办结", "上月办结的件数", Form::Number { from: "closed" }, "3"),
    fact("满意", "评价满意的件数", Form::Number { from: "satisfied" }, "2"),
    fact("不满意", "评价不满意的件数", Form::Number { from: "dissatisfied" }, "1"),
    fact("正在整改", "正在整改的事项，最多5件", Form::List { from: "items", most: ITEMS, of: ITEM }, ""),
    fact("另有件数", "没有列出的整改事项件数", Form::More { from: "items", named: ITEMS }, ""),
    fact("目标", "整改目标", Form::Text { from: "goal", longest: PARAGRAPH }, "全村路灯都亮"),
    fact("承诺", "公开承诺", Form::Text { from: "commitment", longest: PARAGRAPH }, "每周公布一次进度"),
    fact(
        "已完成",
        "刚完成的措施，最多3条",
        Form::Texts { from: "finished", most: MEASURES, longest: TITLE },
        "换三盏路灯",
    ),
    fact("进展", "这次的进展", Form::Text { from: "text", longest: PARAGRAPH }, "三盏路灯都换好了"),
    fact("报告整改完", "承办单位说整改完了没有", Form::Flag { from: "reported_done" }, "true"),
    fact("发出日期", "错的那条是哪天发的", Form::Date { from: "posted_on" }, ""),
    fact("理由", "为什么", Form::Text { from: "reason", longest: PARAGRAPH }, "完成时限写错了"),
    fact("题数", "几道题", Form::Number { from: "questions" }, "3"),
    fact("截止日期", "哪天截止", Form::Date { from: "closes_on" }, ""),
    fact("最少人数", "满多少人才公布", Form::Number { from: "fewest" }, "10"),
    fact("人数", "参加的人数", Form::Number { from: "people" }, "18"),
    fact("各题", "每题的结果", Form::List { from: "questions", most: QUESTIONS, of: QUESTION }, ""),
    fact("只有纸票", "是不是只用纸票", Form::Flag { from: "on_paper_alone" }, "false"),
    fact("一家运行", "两把钥匙是不是在一家手里", Form::Flag { from: "single_operator" }, "false"),
    fact("纸票数", "印了几张纸票", Form::Number { from: "paper" }, "40"),
    fact("核对码", "只有一个票箱时的核对码", Form::Text { from: "poster_code", longest: PARAGRAPH }, "K7Q2-M4XD"),
    fact(
        "指纹",
        "只有一个票箱时的指纹",
        Form::Text { from: "fingerprint", longest: PARAGRAPH },
        "票箱指纹 K7Q2-M4XD-9TWZ/42",
    ),
    fact("各票箱", "每个票箱", Form::List { from: "boxes", most: BOXES, of: BALLOT_BOX }, ""),
    fact("另有票箱", "没有列出的票箱数", Form::More { from: "boxes", named: BOXES }, ""),
    fact("结果票箱", "每个票箱", Form::List { from: "boxes", most: BOXES_OF_A_RESULT, of: BALLOT_BOX }, ""),
    fact("另有结果票箱", "没有列出的票箱数", Form::More { from: "boxes", named: BOXES_OF_A_RESULT }, ""),
    fact("组织考核", "结果是不是只报组织", Form::Is { from: "purpose", word: "organizational" }, "satisfaction"),
    fact("各项", "每项的结果", Form::List { from: "rows", most: ROWS, of: ROW }, ""),
    fact("另有项数", "没有列出的项数", Form::More { from: "rows", named: ROWS }, ""),
    fact("公布票数", "公布不公布票数", Form::IsTold { from: "ballots" }, "86"),
    fact("票数", "计入的票数", Form::Number { from: "ballots" }, "86"),
    fact("逐张可核", "谁都能逐张核对", Form::Is { from: "checkable", word: "rows" }, "rows"),
    fact("合计可核", "只公布合计", Form::Is { from: "checkable", word: "totals" }, "rows"),
    fact("本人可核", "只有本人能核对", Form::Is { from: "checkable", word: "own" }, "rows"),
    fact("测评链接", "测评页的网址", Form::SurveysLink, ""),
    fact("正文", "正文", Form::Text { from: "text", longest: PARAGRAPH }, "正文"),
];

/// The fact of this name.
pub(super) fn named(name: &str) -> Option<&'static Fact> {
    FACTS.iter().find(|fact| fact.name == name)
}

impl Fact {
    /// The facts of each entry, where it is a list.
    #[must_use]
    pub fn entries(&self) -> &'static [Fact] {
        match self.form {
            Form::List { of, .. } => of,
            _ => &[],
        }
    }

    /// Whether both say the same thing of a message: a deadline is also told in days.
    pub(super) fn tells_the_same(&self, other: &Self) -> bool {
        self.name == other.name || self.form.from().is_some_and(|from| other.form.from() == Some(from))
    }

    pub(super) fn is_link(&self) -> bool {
        matches!(self.form, Form::BoardLink | Form::SurveysLink)
    }
}

/// Where and when a text is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion<'a> {
    pub(super) public_url: &'a str,
    pub(super) today: NaiveDate,
}

/// The facts as a template sees them. Each is there, empty where the message does not tell it.
pub(super) fn values<'f>(
    known: impl Iterator<Item = &'f Fact>,
    facts: &Json,
    occasion: Occasion<'_>,
    surface: Surface,
) -> Value {
    let pairs: Vec<_> = known.map(|fact| (fact.name, value(&fact.form, facts, occasion, surface))).collect();
    Value::from_pairs(pairs)
}

fn value(form: &Form, facts: &Json, occasion: Occasion<'_>, surface: Surface) -> Value {
    let list = |from: &str| facts.get(from).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let words = |text: &str, longest: usize| Value::from(surface.words(text, longest));
    let days_to = |from: &str| date(facts, from).map_or(0, |date| (date - occasion.today).num_days());
    match form {
        Form::Text { from, longest } => words(text(facts, from), *longest),
        Form::Date { from } => Value::from(date(facts, from).map(|date| date.to_string()).unwrap_or_default()),
        // Counted when it is sent: a message that waited out an outage would be wrong by days.
        Form::DaysLeft { until } => Value::from(days_to(until).max(0)),
        Form::DaysOver { since } => Value::from((-days_to(since)).max(0)),
        Form::Number { from } => Value::from(number(facts, from)),
        Form::Flag { from } => Value::from(facts.get(from) == Some(&Json::Bool(true))),
        Form::Is { from, word } => Value::from(text(facts, from) == *word),
        Form::IsTold { from } => Value::from(facts.get(from).is_some_and(|value| !value.is_null())),
        Form::Texts { from, most, longest } => {
            let texts = list(from).iter().filter_map(Json::as_str).take(*most);
            Value::from(texts.map(|text| words(text, *longest)).collect::<Vec<_>>())
        }
        Form::List { from, most, of } => {
            let entries = list(from).iter().take(*most);
            Value::from(entries.map(|entry| values(of.iter(), entry, occasion, surface)).collect::<Vec<_>>())
        }
        Form::More { from, named } => Value::from(list(from).len().saturating_sub(*named)),
        Form::BoardLink => {
            let page = format!("{}/app/#/pages/board/village?id={}", occasion.public_url, text(facts, "village_id"));
            Value::from_safe_string(page)
        }
        Form::SurveysLink => Value::from_safe_string(match text(facts, "link") {
            "" => format!("{}/app/#/pages/sealed-surveys/list", occasion.public_url),
            link => link.to_owned(),
        }),
    }
}

impl Surface {
    /// Text that people wrote, as long as this place bears; in a post without what would be markup there.
    fn words(self, text: &str, longest: usize) -> String {
        match self {
            Self::Card => shorten(text, longest),
            Self::Post => shorten(&without_markup(text), longest),
        }
    }
}

/// Letters that a platform would take for markup become blanks.
pub(super) fn without_markup(text: &str) -> String {
    text.chars().map(|letter| if "*[]()<>`#_\\\n\r".contains(letter) { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_named_once_and_edges_stay_few() {
        for (place, fact) in FACTS.iter().enumerate() {
            assert!(FACTS[..place].iter().all(|other| other.name != fact.name), "{}", fact.name);
        }
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        for kind in super::super::kinds().iter().filter(|kind| kind.fixed().is_none()) {
            let edges = edges(&kind.facts().collect::<Vec<_>>(), today);
            assert!((1..=300).contains(&edges.len()), "{} {}", kind.key(), edges.len());
        }
    }
}
