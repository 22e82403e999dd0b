//! Words that grade a person in office, told from words about a thing that happens to stand beside an office: 王书记优秀 is a
//! rating, 书记说修路，路还是很差 is a complaint. A rating is dropped, because the platform reads the chat; a complaint that was
//! dropped would be one that nobody hears. What grades must stand near whom it grades, and nothing that can be bad by itself
//! may stand between.

use std::ops::Range;

/// How somebody in office is addressed after the surname.
pub(super) const OFFICES: [&str; 12] =
    ["书记", "主任", "村长", "镇长", "乡长", "委员", "支书", "会计", "组长", "所长", "站长", "部长"];
/// Who else is meant as somebody in office.
const OTHERS_IN_OFFICE: [&str; 5] = ["干部", "同志", "领导", "队长", "当官的"];
/// Of whom a report may be, too. A grade of them is left to stand: a school or a police station is complained about.
const ALSO_IN_OFFICE: [&str; 17] = [
    "局长", "县长", "区长", "市长", "科长", "股长", "处长", "院长", "校长", "主席", "文书", "出纳", "村委", "民警",
    "辅警", "警察", "城管",
];
/// Grades that are hardly said of anything else than a person or a service.
const GRADES: [&str; 17] = [
    "优秀", "称职", "合格", "满意", "较好", "很好", "最好", "很差", "最差", "较差", "太差", "差评", "好评", "打分",
    "不错", "胜任", "给分",
];
/// Words of everyday that grade in a text which is hardly more than a name and a level.
const LOOSE_GRADES: [&str; 4] = ["一般", "不行", "好", "差"];
/// In these a grade is none.
const HARMLESS: [&str; 36] = [
    "您好",
    "你好",
    "早上好",
    "上午好",
    "下午好",
    "晚上好",
    "过年好",
    "新年好",
    "大家好",
    "好久",
    "好几",
    "好多",
    "好像",
    "好了",
    "修好",
    "弄好",
    "办好",
    "搞好",
    "说好",
    "讲好",
    "装好",
    "接好",
    "铺好",
    "刚好",
    "正好",
    "只好",
    "差点",
    "差不多",
    "出差",
    "最好来",
    "最好能",
    "最好去",
    "最好把",
    "最好让",
    "最好派",
    "满意度",
];
/// What a complaint is about: where one of these stands between, it is what the grade is said of.
const THINGS: [&str; 38] = [
    "水", "路", "灯", "电", "桥", "沟", "渠", "井", "厕", "垃圾", "网", "信号", "房", "屋", "墙", "车", "田", "土地",
    "塘", "坝", "药", "种子", "补贴", "补助", "补偿", "低保", "款", "钱", "手续", "材料", "学校", "环境", "质量",
    "工程", "噪音", "臭", "卫生", "厂",
];
/// What grades a person and has a thing's name in it.
const PERSONAL: [(&str, &str); 3] = [("水平", "能力"), ("思路", "想法"), ("网格", "片区")];
/// What follows is what the person said.
const SAID: [&str; 5] = ["说", "讲", "答应", "告诉", "承诺"];
/// The office says only where something is.
const PLACES: [&str; 8] = ["家", "门", "屋", "旁", "院", "那边", "这边", "附近"];
/// The person was asked for something: what follows is how that went.
const ASKED: [&str; 9] = ["找", "问", "联系", "喊", "求", "打电话给", "告诉", "跟", "和"];
/// So it is told, and not graded.
const TOLD: [&str; 9] = ["次", "天", "月", "年", "来", "去", "修", "家", "门"];
/// Where a clause ends.
const MARKS: &str = "，,。.！!？?；;、…\n";
/// Of what points are made.
const POINTS: &str = "零一二三四五六七八九十百半几两点.0123456789个了满高低他她";
/// What stands between the options of a list of answers.
const AMONG_OPTIONS: &str = "第一二三四五六七八九十0123456789题项个号选不很太都得的了：:";
const OPTION_WORDS: [&str; 5] = ["其他", "其它", "全部", "全选", "都选"];
/// A text up to here is hardly more than a name and a level.
const SHORT: usize = 15;
/// In a longer text a grade stands no further from whom it grades.
const NEAR: usize = 8;
/// Longer texts are hardly a list of answers.
const LONGEST_ANSWERS: usize = 24;
/// Beside the options of a list of answers there is no more than this.
const BESIDE_OPTIONS: usize = 4;

/// Whether it speaks of somebody in office, by the office or by one of these names. A villagers' committee (村民委员会) is nobody.
pub(super) fn names_somebody_in_office(text: &str, in_office: &[String]) -> bool {
    let text = cleaned(text);
    // One letter is no name.
    let is_named = |name: &String| name.chars().count() > 1 && text.contains(name.as_str());
    has(&text, &OFFICES)
        || has(&text, &OTHERS_IN_OFFICE)
        || has(&text, &ALSO_IN_OFFICE)
        || in_office.iter().any(is_named)
}

/// Whether it grades somebody in office, by the words alone.
pub(super) fn is_about_an_office_holder(text: &str) -> bool {
    let offices: Vec<&str> = OFFICES.into_iter().chain(OTHERS_IN_OFFICE).collect();
    grades(text, &offices)
}

/// Whether it grades one of these persons.
pub(super) fn is_about_one_of(text: &str, names: &[String]) -> bool {
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| name.chars().count() > 1).collect();
    grades(text, &names)
}

/// Whether it is hardly anything but options: `1`, `abca`, `1 3 2 2`, 第一题优秀, 全选称职.
pub(super) fn is_choice(text: &str) -> bool {
    let plain: String = text.chars().map(super::wish::half_width).collect::<String>().to_lowercase();
    if plain.chars().count() > LONGEST_ANSWERS {
        return false;
    }
    let is_option = |letter: char| {
        letter.is_ascii_digit()
            || ('a'..='h').contains(&letter)
            || letter.is_whitespace()
            || ",.;:-、。，；：".contains(letter)
    };
    let has_option = plain.chars().any(|letter| letter.is_ascii_alphanumeric());
    (has_option && plain.chars().all(is_option)) || is_hardly_but_grades(&cleaned(&plain))
}

fn is_hardly_but_grades(text: &str) -> bool {
    let without = |text: &str, words: &[&str]| words.iter().fold(text.to_owned(), |left, word| left.replace(word, ""));
    let ungraded = without(&without(text, &GRADES), &LOOSE_GRADES);
    if ungraded == text || has(&ungraded, &THINGS) {
        return false;
    }
    let left = without(&ungraded, &OPTION_WORDS);
    let beside = left.chars().filter(|letter| !AMONG_OPTIONS.contains(*letter) && !is_mark(*letter));
    beside.count() <= BESIDE_OPTIONS
}

/// Whether one of these is graded.
fn grades(text: &str, whom: &[&str]) -> bool {
    let text = cleaned(text);
    let mut persons = found(&text, whom).peekable();
    if persons.peek().is_none() {
        return false;
    }
    let is_short = text.chars().count() <= SHORT;
    gives_points(&text) || persons.any(|person| is_graded(&text, &person, is_short))
}

fn is_graded(text: &str, person: &Range<usize>, is_short: bool) -> bool {
    if PLACES.iter().any(|place| text[person.end..].starts_with(place)) {
        return false;
    }
    let loose = found(text, &LOOSE_GRADES).filter(|grade| is_short && is_said_loosely(text, person, grade));
    let firm = found(text, &GRADES).filter(|grade| {
        let comes_first = grade.end <= person.start;
        !(comes_first && has(&text[grade.end..person.start], &ASKED))
    });
    loose.chain(firm).any(|grade| is_said_of(text, person, &grade, is_short))
}

/// Whether this grade is said of this person and of no thing.
fn is_said_of(text: &str, person: &Range<usize>, grade: &Range<usize>, is_short: bool) -> bool {
    let (between, graded) = if grade.start >= person.end {
        let between = &text[person.end..grade.start];
        (between, between)
    } else if grade.end <= person.start {
        (&text[grade.end..person.start], clause_before(text, grade.start))
    } else {
        return false;
    };
    let is_near = !between.contains(is_mark) && between.chars().count() <= NEAR;
    (is_short || is_near) && !has(graded, &THINGS) && !has(between, &SAID)
}

/// Whether an everyday word can be a grade: after the person, who was not asked for something, and nothing is told between.
fn is_said_loosely(text: &str, person: &Range<usize>, grade: &Range<usize>) -> bool {
    grade.start >= person.end
        && !has(clause_before(text, person.start), &ASKED)
        && !has(&text[person.end..grade.start], &TOLD)
}

/// 打满分, 打零点七三分; not 打电话说十分钟到.
fn gives_points(text: &str) -> bool {
    text.match_indices('打').any(|(at, verb)| {
        let Some((points, after)) = text[at + verb.len()..].split_once('分') else { return false };
        points.chars().count() < NEAR
            && points.chars().all(|letter| POINTS.contains(letter))
            && !after.starts_with(['钟', '钱', '文'])
    })
}

/// Without blanks and what only looks like an office, a thing or a grade; everything else stays as far apart as it was.
fn cleaned(text: &str) -> String {
    let plain: String = text.chars().filter(|letter| *letter == '\n' || !letter.is_whitespace()).collect();
    let plain = plain.replace("委员会", "");
    let plain = PERSONAL.iter().fold(plain, |plain, (word, meaning)| plain.replace(word, meaning));
    HARMLESS.iter().fold(plain, |plain, word| plain.replace(word, &"〇".repeat(word.chars().count())))
}

fn found<'a>(text: &'a str, words: &'a [&'a str]) -> impl Iterator<Item = Range<usize>> + 'a {
    words.iter().flat_map(move |word| text.match_indices(*word).map(|(start, found)| start..start + found.len()))
}

fn clause_before(text: &str, end: usize) -> &str {
    text[..end].rsplit(is_mark).next().unwrap_or_default()
}

fn is_mark(letter: char) -> bool {
    MARKS.contains(letter)
}

fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("王书记优秀")]
    #[case("给村主任打分：称职")]
    #[case("会计差")]
    #[case("给主任打六十分")]
    #[case("给王镇长打满分")]
    #[case("我对李主任工作很不满意，他办事拖拉，还总找不到人")]
    #[case("王 书 记 优 秀 得 很")]
    #[case("不称职的村长")]
    #[case("王书记，好评")]
    #[case("李主任能力太差")]
    #[case("主任水平一般")]
    #[case("书记这人不行")]
    #[case("张支书挺好")]
    #[case("组长差劲")]
    #[case("我觉得陈会计是最好的干部")]
    #[case("我们村主任态度很差，说话很冲")]
    #[case("镇里的领导都很优秀，我们很满意")]
    #[case("刘站长工作不称职，应该换人")]
    #[case("我们村李书记很差，什么都不管")]
    fn a_grade_beside_an_office_is_a_rating(#[case] text: &str) {
        assert!(is_about_an_office_holder(text), "{text}");
    }

    #[rstest]
    #[case("三组组长家旁边的水管一般晚上没水")]
    #[case("组长家的水管一般晚上没水")]
    #[case("村主任说过年后修路，现在路还是很差")]
    #[case("主任说修路，路还是很差")]
    #[case("找了书记几次都不行")]
    #[case("书记几次都不来，一般找不到人")]
    #[case("自来水不合格，找了主任没人管")]
    #[case("问过组长，说水泵坏了，一般要等三天才来水")]
    #[case("书记答应年前装路灯，装的灯质量很差，三天就灭了")]
    #[case("低保补贴发到主任那边说材料不合格，叫我补了三次")]
    #[case("我找了村主任，补贴还是没下来，电话也打不通")]
    #[case("主任家门口那段路很差，下雨全是泥")]
    #[case("组长通知停水两天，水来了水质很差")]
    #[case("给书记打电话说十分钟到，等了一上午，路还堵着")]
    #[case("村会计出差了，合作医疗交费交不了")]
    #[case("组长说好今天来修水管，没来")]
    #[case("书记最好来看看三组的路")]
    #[case("请主任派人来修灯，晚上一般六点就全黑了")]
    #[case("二组组长门口的路灯不行，一闪一闪的")]
    #[case("村民委员会门口的厕所太差了，没人扫")]
    #[case("向支书反映过渠道堵了，挖得不好，田里进不来水")]
    #[case("所长让我补材料，户口的手续一般要跑几趟？")]
    #[case("干部进村说自来水合格，我家的水是黄的")]
    #[case("主任说满意了再签字，路面还没修平")]
    #[case("书记来看过两次，井水不合格的事没有下文")]
    #[case("书记说修好了路灯，到现在还是黑的，晚上没法走路")]
    #[case("书记您好")]
    #[case("好的，主任，我知道了")]
    #[case("路灯修得不好")]
    #[case("进度")]
    fn a_complaint_that_mentions_an_office_is_no_rating(#[case] text: &str) {
        assert!(!is_about_an_office_holder(text), "{text}");
    }

    #[rstest]
    #[case("1", true)]
    #[case("１ ３ ２ ２", true)]
    #[case("ABCA", true)]
    #[case("1a 2b 3c", true)]
    #[case("全选优秀", true)]
    #[case("全部称职", true)]
    #[case("第一题不称职，其他满意", true)]
    #[case("退订", false)]
    #[case("早上好", false)]
    #[case("村口路灯坏了", false)]
    #[case("路灯很差", false)]
    #[case("水管一般晚上没水", false)]
    #[case("找了书记几次都不行", false)]
    #[case("。。。", false)]
    #[case("2026年3月10日到14日停水4天", false)]
    fn what_is_hardly_anything_but_options(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_choice(text), expected);
    }

    #[test]
    fn a_cadre_is_known_by_name() {
        let names = ["周大川".to_owned(), "李".to_owned()];
        assert!(is_about_one_of("周大川不错", &names));
        assert!(!is_about_one_of("周大川家门口的路灯坏了", &names));
        assert!(!is_about_one_of("周大川说修路，路还是很差", &names));
        // One letter is no name.
        assert!(!is_about_one_of("李子卖得很好", &names));
    }
}
