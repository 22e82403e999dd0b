//! What sounds like a report against a cadre. Some words say it whoever is meant: nothing of that is kept, and the sealed way is
//! shown. Others are a report only of somebody in office, and sometimes not even then: whether it is one, whoever writes is
//! asked before anything else.

use super::grading::names_somebody_in_office;

/// Words of a report against a person, from the kinds of violations that discipline organs take. Too many are caught rather
/// than too few: the answer only shows the safe way.
const REPORT_WORDS: [&str; 60] = [
    "检举",
    "控告",
    "违纪",
    "贪污",
    "贪了",
    "受贿",
    "行贿",
    "贿赂",
    "收礼",
    "收受",
    "收好处",
    "拿好处",
    "塞钱",
    "吃拿卡要",
    "雁过拔毛",
    "回扣",
    "好处费",
    "私吞",
    "私分",
    "占为己有",
    "据为己有",
    "中饱私囊",
    "损公肥私",
    "假公济私",
    "以权谋私",
    "以权压人",
    "权钱交易",
    "克扣",
    "虚报",
    "骗补",
    "骗低保",
    "骗取低保",
    "骗取补",
    "假账",
    "小金库",
    "吃空饷",
    "公款",
    "公车私用",
    "吃请",
    "优亲厚友",
    "关系户",
    "关系保",
    "人情保",
    "走后门",
    "暗箱操作",
    "围标",
    "串标",
    "徇私",
    "滥用职权",
    "腐败",
    "打击报复",
    "包庇",
    "保护伞",
    "黑恶",
    "村霸",
    "拉票",
    "贿选",
    "买官",
    "卖官",
    "包养",
];
/// A report where somebody in office is named; said of a neighbour, a shop or an upper field it may be a matter like any other.
const MAYBE_REPORT_WORDS: [&str; 12] =
    ["举报", "告状", "收钱", "红包", "侵占", "截留", "挪用", "套取", "冒领", "欺压", "索要", "送礼"];
/// How people say that it is none.
const DENIALS: [&str; 3] = ["不是举报", "不是检举", "不是控告"];
/// What somebody in office should not do, and what may as well be told of a neighbour, or turn out to be a matter of its own.
const DOUBTFUL_ACTS: [&str; 71] = [
    "乱收费",
    "多收",
    "多要",
    "要我给",
    "送钱",
    "送了",
    "腰包",
    "要钱",
    "拿钱",
    "收了",
    "拿了",
    "给了钱",
    "给钱才",
    "不给钱",
    "请吃饭",
    "请他吃饭",
    "吃喝",
    "宴请",
    "喝酒",
    "烟酒",
    "送烟",
    "送酒",
    "买烟",
    "好处",
    "吞了",
    "霸占",
    "强占",
    "占了",
    "占着",
    "倒卖",
    "卖了",
    "骗",
    "造假",
    "假签",
    "代签",
    "冒名",
    "签字领",
    "账目不清",
    "账不清",
    "对不上账",
    "钱去哪",
    "钱哪去",
    "去向",
    "赌",
    "打牌",
    "麻将",
    "嫖",
    "情人",
    "作风",
    "乱搞",
    "威胁",
    "恐吓",
    "吓唬",
    "打人",
    "打伤",
    "打我",
    "动手",
    "骂人",
    "骂我",
    "报复",
    "穿小鞋",
    "欺负",
    "强拆",
    "强行",
    "逼",
    "刁难",
    "撑腰",
    "偏心",
    "熟人",
    "自己人",
    "自家人",
];
const RELATIVES: [&str; 13] =
    ["亲戚", "亲属", "亲友", "小舅子", "侄", "外甥", "儿子", "女儿", "女婿", "媳妇", "老婆", "弟弟", "哥哥"];
/// What relatives of somebody in office get should be looked at.
const BENEFITS: [&str; 22] = [
    "低保",
    "五保",
    "补助",
    "补贴",
    "补偿",
    "救济",
    "救助",
    "慰问",
    "贫困户",
    "指标",
    "名额",
    "公益岗",
    "公岗",
    "工程",
    "项目",
    "承包",
    "合同",
    "危房",
    "宅基地",
    "安置",
    "征地",
    "鱼塘",
];

/// How money changes hands.
const HANDED_OVER: [&str; 6] = ["收", "送", "给", "要", "塞", "拿"];
/// What stands between is paid by rule, or not handed over at all.
const NOT_HANDED_OVER: &str = "交缴到等补";
/// A sum stands no further from that.
const NEAR: usize = 4;
const DIGITS: &str = "0123456789一二两三四五六七八九十几";
const NUMERALS: &str = "0123456789一二两三四五六七八九十几百千万半.";
/// After a large number, of what it is no sum.
const MEASURES: &str = "米里公斤吨亩平方人户天年次棵个只度字";

/// Whether it sounds like a report against a cadre, of whom the names of those in office are known. 收了钱 is 收钱, too.
pub(super) fn is_report(text: &str, in_office: &[String]) -> bool {
    let told = read(text);
    says(&told, &REPORT_WORDS) || (says(&told, &MAYBE_REPORT_WORDS) && names_somebody_in_office(&told, in_office))
}

/// Whether it sounds like a report whoever is meant.
pub(super) fn is_plain_report(text: &str) -> bool {
    says(&read(text), &REPORT_WORDS)
}

/// Whether it may be a report, whoever is meant: for people who cannot be asked.
pub(super) fn may_be_a_report(text: &str) -> bool {
    let told = read(text);
    says(&told, &REPORT_WORDS) || says(&told, &MAYBE_REPORT_WORDS)
}

/// Whether it is told with the words of a report of nobody in office, or somebody in office stands beside an act that may be
/// meant as one, and may not.
pub(super) fn is_doubtful(text: &str, in_office: &[String]) -> bool {
    let told = read(text);
    let has = |words: &[&str]| words.iter().any(|word| told.contains(word));
    let is_told_an_act = || tells_an_act(&told) || (has(&RELATIVES) && has(&BENEFITS));
    says(&told, &MAYBE_REPORT_WORDS) || (names_somebody_in_office(&told, in_office) && is_told_an_act())
}

/// Whether these words may turn into a report what was none before.
pub(super) fn adds_doubt(words: &str) -> bool {
    let told = read(words);
    may_be_a_report(words) || tells_an_act(&told) || BENEFITS.iter().any(|word| told.contains(word))
}

fn tells_an_act(told: &str) -> bool {
    DOUBTFUL_ACTS.iter().any(|word| told.contains(word)) || tells_of_a_sum(told)
}

/// As it is looked at.
fn read(text: &str) -> String {
    DENIALS.iter().fold(super::wish::plain(text), |told, denial| told.replace(denial, ""))
}

fn says(told: &str, words: &[&str]) -> bool {
    let bare = told.replace(['了', '过'], "");
    words.iter().any(|word| told.contains(word) || bare.contains(word))
}

/// 收了我两千块, 要五百, 送三万给他: money that changes hands.
fn tells_of_a_sum(told: &str) -> bool {
    let mut handed = HANDED_OVER.iter().flat_map(|verb| told.match_indices(*verb));
    handed.any(|(at, verb)| begins_with_a_sum(&told[at + verb.len()..]))
}

/// Whether a sum follows before long. 一块地 is none, nor is 三千米.
fn begins_with_a_sum(text: &str) -> bool {
    let digit = text.char_indices().take(NEAR + 1).find(|(_, letter)| DIGITS.contains(*letter));
    let Some((start, _)) = digit else { return false };
    let (between, rest) = text.split_at(start);
    let end = rest.find(|letter: char| !NUMERALS.contains(letter)).unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    let unit = unit.trim_start_matches(['多', '余']);
    let is_large = number.contains(['百', '千', '万']);
    let is_money = unit.starts_with('元')
        || unit.starts_with("块钱")
        || (unit.starts_with('块') && number.chars().count() > 1)
        || (is_large && !unit.starts_with(|letter: char| MEASURES.contains(letter)));
    is_money && !between.contains(|letter: char| NOT_HANDED_OVER.contains(letter))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::conversations::grading::is_about_an_office_holder;

    /// What becomes of a text, in the order in which it is looked at.
    #[derive(Debug, PartialEq, Eq)]
    enum Heard {
        Report,
        Opinion,
        /// It is asked whether it is a report.
        Doubtful,
        Ordinary,
    }

    fn heard(text: &str) -> Heard {
        let in_office = ["周大川".to_owned(), "王".to_owned()];
        match text {
            text if is_report(text, &in_office) => Heard::Report,
            text if is_about_an_office_holder(text) => Heard::Opinion,
            text if is_doubtful(text, &in_office) => Heard::Doubtful,
            _ => Heard::Ordinary,
        }
    }

    #[rstest]
    #[case("我要举报支书")]
    #[case("听说主任收了钱才给办")]
    #[case("周大川侵占了我家的耕地")]
    #[case("民警收过红包")]
    #[case("镇里的干部把修路的钱截留了")]
    #[case("书记贪了修路的钱")]
    #[case("村主任把低保都给了他亲戚，还收了红包")]
    #[case("支书以权谋私")]
    #[case("会计做假账")]
    #[case("主任虚报了五亩地骗补")]
    #[case("组长把集体的树占为己有")]
    #[case("低保名额都是关系户")]
    #[case("办个证还要走后门")]
    #[case("村里选举有人拉票")]
    #[case("所长是他们的保护伞")]
    #[case("反映了两次就被打击报复")]
    #[case("书记公车私用")]
    #[case("修路的工程围标串标")]
    fn reports_are_led_to_the_sealed_way(#[case] text: &str) {
        assert_eq!(heard(text), Heard::Report, "{text}");
    }

    #[rstest]
    #[case("村主任的亲戚都吃低保")]
    #[case("书记占了我家的宅基地")]
    #[case("主任请人喝酒")]
    #[case("组长打人")]
    #[case("支书威胁我不让我说")]
    #[case("会计乱收费")]
    #[case("干部上班打牌")]
    #[case("书记把鱼塘承包给他小舅子")]
    #[case("村长把集体的林子卖了")]
    #[case("主任办事要钱")]
    #[case("村里修路的钱去哪了，会计说不清")]
    #[case("队长偏心，水先放给自己人")]
    #[case("领导的作风有问题")]
    #[case("会计收了合作医疗的钱，卡上没有")]
    #[case("周大川收了我两千块才给盖章")]
    #[case("周大川要三千才给办")]
    #[case("主任要我给他两千块才给盖章")]
    #[case("主任开口就要一万五")]
    #[case("送钱给书记才能批宅基地")]
    #[case("送了三千块给村主任才批下来")]
    #[case("书记把扶贫款装进自己腰包")]
    #[case("文书签字领了我家的低保")]
    #[case("派出所民警收了我五百块")]
    #[case("局长的儿子包了修路工程")]
    #[case("村委多要了五十块")]
    fn somebody_in_office_beside_a_doubtful_act_is_asked_about(#[case] text: &str) {
        assert_eq!(heard(text), Heard::Doubtful, "{text}");
    }

    #[rstest]
    #[case("上游把水截留了，下游田里没水")]
    #[case("邻居侵占了我家的耕地")]
    #[case("我要举报工厂半夜偷排污水")]
    #[case("幼儿园收钱不给发票")]
    #[case("快递点取件要收钱")]
    #[case("医保被人冒领了")]
    #[case("微信红包领不了")]
    #[case("我要举报有人收钱")]
    #[case("听说收了钱才给办")]
    fn the_words_of_a_report_of_nobody_in_office_are_asked_about(#[case] text: &str) {
        assert_eq!(heard(text), Heard::Doubtful, "{text}");
        assert!(may_be_a_report(text) && !is_plain_report(text), "{text}");
    }

    #[rstest]
    #[case("王书记优秀")]
    #[case("给主任打六十分")]
    #[case("李主任能力太差")]
    #[case("刘站长工作不称职，应该换人")]
    fn opinions_are_told_the_way_of_opinions(#[case] text: &str) {
        assert_eq!(heard(text), Heard::Opinion, "{text}");
    }

    #[rstest]
    #[case("你好")]
    #[case("您好，请问低保怎么申请")]
    #[case("主任在吗")]
    #[case("谢谢主任")]
    #[case("书记辛苦了")]
    #[case("组长您好，我家水表坏了")]
    #[case("村口路灯坏了")]
    #[case("三组停水三天了")]
    #[case("垃圾车一个星期没来了")]
    #[case("邻居家的狗半夜叫")]
    #[case("邻居占了过道堆柴")]
    #[case("种粮补贴少了二百，会计说下个月补")]
    #[case("危房改造补助什么时候发，主任说等通知")]
    #[case("我给主任打了电话，没人接，水管还在漏")]
    #[case("书记说占道的石子会清，半个月了还堆着")]
    #[case("找了书记几次都不行")]
    #[case("村主任说过年后修路，现在路还是很差")]
    #[case("三组组长家旁边的水管一般晚上没水")]
    #[case("老组长去世了，新组长什么时候选")]
    #[case("三组组长儿子家门口的路灯不亮")]
    #[case("供水公司收了我两百块水费")]
    #[case("周大川家门口的路灯坏了")]
    #[case("王家湾的养猪场臭")]
    #[case("会计说合作医疗每人要交四百块")]
    #[case("书记说修路要两万斤水泥，还没运来")]
    #[case("组长说给三组一块晒坝，到现在没有")]
    #[case("主任说还要三天才来水")]
    #[case("不是举报，是路灯坏了")]
    fn complaints_and_greetings_are_neither(#[case] text: &str) {
        assert_eq!(heard(text), Heard::Ordinary, "{text}");
    }
}
