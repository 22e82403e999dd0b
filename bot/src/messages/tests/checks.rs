//! What a township's own words have to be: at the limit they pass, one more is refused, and what passed holds every message.

use proptest::prelude::*;
use qingfeng_core::{ids::OrganizationId, outbox::RecipientKind, publication::FindingKind, subject::SubjectKind};
use rstest::rstest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{message, today, usual};
use crate::{
    channels::{LONGEST_GROUP_TEXT, LONGEST_MARKDOWN, LONGEST_THING, plain_words},
    messages::{
        Kind, card, check, checked, facts::Occasion, findings, kind, kinds, length::units, post, wordings::worded,
    },
};

fn of(key: &str) -> &'static Kind {
    kind(key).unwrap()
}

fn faults(key: &str, text: &str) -> Vec<(usize, usize, String)> {
    let faults = check(of(key), text, today()).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.line, fault.column, fault.sentence)).collect()
}

const PROGRESS: &str = "{{ 村 }}\n{{ 标题 }}\n{{ 进展 }}\n[看]({{ 链接 }})";

#[test]
fn the_usual_words_pass_their_own_check() {
    for kind in kinds().iter().filter(|kind| kind.fixed().is_none()) {
        assert_eq!(check(kind, kind.text(), today()), Ok(()), "{}", kind.key());
        assert_eq!(findings(kind, kind.text(), today()), [], "{}", kind.key());
    }
}

#[rstest]
#[case("", 1, 1, "请写上内容")]
#[case("办结{{ 事项 ", 1, 3, "}}")]
#[case("办结\n{{ 承诺 }}", 2, 4, "没有“承诺”")]
#[case("办结{{ 事项|upper }}", 1, 9, "只能写")]
#[case("办结{{ 事项.标题 }}", 1, 9, "没有“标题”")]
#[case("办结{{ range(9) }}", 1, 6, "没有“range”")]
#[case("办结{{ (1) }}", 1, 6, "括号")]
#[case("办结{% include 事项 %}", 1, 6, "只能写")]
#[case("办结{% set 事 = 1 %}", 1, 12, "“=”")]
#[case("办结{{ '长' }}", 1, 6, "不能用")]
#[case("办结{{ 1 * 9999999999 }}", 1, 8, "不能用")]
#[case("办结{# 备注 #}", 1, 3, "注释")]
#[case("办结{% if 事项 %}好", 1, 1, "成对")]
#[case("办结{% endif %}", 1, 1, "成对")]
#[case("办结{{ 事项|缩短 }}", 1, 1, "缩短(12)")]
#[case("办结，详见 t.cn/abc", 1, 8, "网址")]
#[case("办结 https://example.org", 1, 9, "网址")]
#[case("办结\u{202e}", 1, 3, "看不见")]
#[case("谢谢您", 1, 1, "办结")]
#[case("{% if 事项 %}办结{% endif %}", 1, 1, "空的")]
#[case("办结\n好", 1, 1, "一行")]
fn what_is_wrong_with_a_card_is_told_with_its_place(
    #[case] text: &str,
    #[case] line: usize,
    #[case] column: usize,
    #[case] part: &str,
) {
    let faults = faults("resident.complaint_closed", text);
    let told = faults.iter().any(|(at, place, sentence)| (*at, *place) == (line, column) && sentence.contains(part));
    assert!(told, "{text:?} {faults:?}");
}

#[rstest]
#[case("{{ 村 }}{{ 标题 }}{{ 进展 }}", "要写上“链接”")]
#[case("{{ 村 }}{{ 标题 }}[看]({{ 链接 }})", "要写上“进展”")]
#[case("{{ 村 }}{{ 标题 }}{{ 进展 }}{{ 链接 }}", "都要有链接")]
#[case("{% if 报告整改完 %}[看]({{ 链接 }}){% endif %}{{ 村 }}{{ 标题 }}{{ 进展 }}", "都要有链接")]
#[case("{{ 村 }}{{ 标题 }}{{ 进展 }}[看](javascript){{ 链接 }}", "网址只能写")]
#[case("**{{ 村 }}\n{{ 标题 }}{{ 进展 }}[看]({{ 链接 }})", "不成对")]
#[case("<font color=\"info\">{{ 村 }}{{ 标题 }}{{ 进展 }}[看]({{ 链接 }})", "不成对")]
#[case("<b>{{ 村 }}</b>{{ 标题 }}{{ 进展 }}[看]({{ 链接 }})", "尖括号")]
#[case("{{ 村 }}{{ 标题 }}{{ 进展 }}{{ 已完成 }}[看]({{ 链接 }})", "列表")]
#[case(
    "{{ 村 }}{{ 标题 }}{{ 进展 }}[看]({{ 链接 }}){% for 甲 in 已完成 %}{% for 乙 in 已完成 %}{% for 丙 in 已完成 %}{{ 甲 }}{{ 乙 }}{{ 丙 }}{% endfor %}{% endfor %}{% endfor %}",
    "字节"
)]
fn what_is_wrong_with_a_post_is_told(#[case] text: &str, #[case] part: &str) {
    let faults = faults("group.rectification_progress", text);
    assert!(faults.iter().any(|(_, _, sentence)| sentence.contains(part)), "{text} {faults:?}");
}

#[test]
fn a_card_of_twenty_characters_passes_and_of_twenty_one_does_not() {
    // An emoji counts as two.
    for (most, more) in [("长".repeat(18), "长"), ("😀".repeat(9), "a"), ("😀".repeat(8) + "长", "😀")] {
        let text = format!("办结{most}");
        assert!(units(&text) <= LONGEST_THING);
        assert_eq!(faults("resident.complaint_closed", &text), [], "{text}");
        let faults = faults("resident.complaint_closed", &(text + more));
        assert!(faults[0].2.contains("最多20个字"), "{faults:?}");
    }
    // A name needs room for four.
    assert_eq!(faults("resident.complaint_dispatched", &format!("{}{{{{ 单位 }}}}", "长".repeat(16))), []);
    let faults = faults("resident.complaint_dispatched", &format!("{}{{{{ 单位 }}}}", "长".repeat(17)));
    assert!(faults[0].2.contains("21个字"), "{faults:?}");
}

/// A post of so many bytes at its longest, of which `bold` pairs of marks are no words.
fn long_post(bold: usize, bytes: usize) -> String {
    let start = format!("{}{PROGRESS}", "**粗**".repeat(bold));
    let longest = json!({
        "village": "长".repeat(99), "title": "长".repeat(99), "text": "长".repeat(200), "village_id": Uuid::nil(),
    });
    let occasion = Occasion { public_url: "https://a-rather-long-name-of-a-county.gov.example", today: today() };
    let words = worded(of("group.rectification_progress"), &start, &longest, occasion).unwrap();
    let rest = bytes - words.len();
    // Chinese, with an emoji, and letters for what is left over.
    let letters = (rest - 4) % 3;
    format!("{start}😀{}{}", "长".repeat((rest - 4 - letters) / 3), "a".repeat(letters))
}

#[test]
fn a_post_of_just_the_limit_passes_and_a_byte_more_does_not() {
    let post = long_post(60, LONGEST_MARKDOWN);
    assert_eq!(faults("group.rectification_progress", &post), []);
    let more = faults("group.rectification_progress", &format!("{post}a"));
    assert!(more[0].2.contains("有4097字节，群机器人一条最多4096字节"), "{more:?}");

    // Without markup the words alone are the limit: of a link, the marks are one byte longer than the colon.
    let post = long_post(0, LONGEST_GROUP_TEXT + 1);
    assert_eq!(faults("group.rectification_progress", &post), []);
    let more = faults("group.rectification_progress", &format!("{post}a"));
    assert!(more[0].2.contains("有4001字节，客户群一条最多4000字节"), "{more:?}");
}

#[test]
fn people_and_their_numbers_are_not_in_the_words_themselves() {
    let names = ["王小明".to_owned()];
    let told = |text: &str| checked(of("resident.complaint_closed"), text, &names, today()).unwrap_err().fields;
    for (text, words) in [("办结，找王小明", "王小明"), ("办结，打13800000000", "1380…")] {
        let fields = told(text);
        assert_eq!((fields.len(), &fields[0].words[0][..]), (1, words), "{fields:?}");
        assert_eq!(fields[0].pointer, "/text");
    }
    // Others are for the second person to judge.
    let found = findings(of("resident.complaint_closed"), "办结，举报人请看", today());
    let kinds: Vec<_> = found.into_iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::Reporter, FindingKind::Reporter]);
    assert_eq!(checked(of("resident.complaint_closed"), " 已办结\r\n", &names, today()).unwrap(), "已办结");
}

#[rstest]
#[case::by_a_choice("evil{% if 村 %}.com/x{% endif %}")]
#[case::by_a_choice_the_other_way("evil{% if 村 %}{% else %}.com/x{% endif %}")]
#[case::by_a_fact_that_can_be_empty("evil.{{ 标题 }}com/x")]
#[case::by_a_choice_that_is_not_taken_at_the_edges("evil{% if 标题 != 标题 %}.com{% endif %}/x")]
#[case::its_scheme("http{% if 村 %}s:{% endif %}//x")]
fn an_address_in_pieces_is_an_address(#[case] words: &str) {
    let faults = faults("group.rectification_progress", &format!("{PROGRESS}\n{words}"));
    assert!(faults.iter().any(|(_, _, sentence)| sentence.contains("不能自己写网址")), "{words} {faults:?}");
}

#[rstest]
#[case::number("138{% if 村 %}0013{% endif %}8000", "1380…")]
#[case::number_around_a_fact("138{{ 标题 }}00138000", "1380…")]
#[case::name("王{% if 村 %}小明{% endif %}", "王小明")]
#[case::name_the_other_way("王{% if not 村 %}小明{% endif %}", "王小明")]
fn people_and_their_numbers_in_pieces_are_told(#[case] words: &str, #[case] told: &str) {
    let kind = of("group.rectification_progress");
    let refused = checked(kind, &format!("{PROGRESS}\n{words}"), &["王小明".to_owned()], today()).unwrap_err();
    assert!(refused.fields.iter().any(|field| field.words == [told]), "{words} {refused:?}");
}

#[test]
fn what_the_second_person_should_look_at_is_found_in_pieces_and_facts_are_no_finding() {
    let kind = of("group.rectification_progress");
    let found = findings(kind, &format!("{PROGRESS}\n{}", "举{% if 村 %}报{% endif %}"), today());
    assert_eq!(found.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [FindingKind::Reporter]);
    let figures = "{{ 收到 }}/{{ 办结 }}/{{ 满意 }}/{{ 不满意 }}";
    assert_eq!(findings(of("group.monthly_progress"), figures, today()), []);
}

fn township() -> OrganizationId {
    OrganizationId(Uuid::from_u128(7))
}

fn of_township(recipient: RecipientKind, kind: &str, facts: Value) -> qingfeng_core::outbox::entity::Model {
    let message = message(recipient, kind, SubjectKind::Rectification, facts);
    qingfeng_core::outbox::entity::Model { township_id: Some(township()), ..message }
}

#[test]
fn a_townships_words_are_used_for_its_own_messages_only() {
    let words = usual().with_own(township(), "staff.complaint_rated", "评价来了：{{ 事项 }}");
    let own =
        of_township(RecipientKind::Staff, "complaint_rated", json!({"title": "村口路灯更换等三件事情的办理情况"}));
    assert_eq!(
        card(RecipientKind::Staff, std::slice::from_ref(&own), &words).hint,
        "评价来了：村口路灯更换等三件事情的办理…"
    );
    let other = qingfeng_core::outbox::entity::Model { township_id: Some(OrganizationId(Uuid::nil())), ..own.clone() };
    assert_eq!(card(RecipientKind::Staff, &[other], &words).hint, "群众已评价，请查看");
    let none = qingfeng_core::outbox::entity::Model { township_id: None, ..own };
    assert_eq!(card(RecipientKind::Staff, &[none], &words).hint, "群众已评价，请查看");
}

#[rstest]
#[case("评价来了{{ 没有 }}")]
#[case("{% if 事项 %}")]
#[case("长长长长长长长长长长长长长长长长长长长长长")]
#[case("{% if not 事项 %}好{% endif %}")]
fn words_that_do_not_hold_a_message_give_way_to_the_usual_ones(#[case] text: &str) {
    let words = usual().with_own(township(), "staff.complaint_rated", text);
    let message = of_township(RecipientKind::Staff, "complaint_rated", json!({"title": "村口路灯更换"}));
    assert_eq!(card(RecipientKind::Staff, &[message], &words).hint, "群众已评价，请查看");
    assert_eq!(words.failures().len(), 1);
}

#[test]
fn kinds_that_follow_from_something_else_are_never_worded_otherwise() {
    let words = usual().with_own(township(), "group.post_corrected", "没事");
    let facts = json!({"village": "东河村", "title": "路灯", "posted_on": "2026-03-01", "reason": "三盏"});
    let post = post(&of_township(RecipientKind::Group, "post_corrected", facts), &words);
    assert!(post.contains("不要再转发"), "{post}");
}

#[test]
fn facts_never_become_markup() {
    let facts = json!({
        "village": "**东河**", "title": "[点我](https://example.org)", "text": "<font color=\"info\">好\n> 引", "village_id": "x",
    });
    let words =
        usual().with_own(township(), "group.rectification_progress", &format!("{PROGRESS}{{{{ 标题|缩短(9) }}}}"));
    let post = post(&of_township(RecipientKind::Group, "rectification_progress", facts), &words);
    assert_eq!(words.failures(), [] as [String; 0]);
    assert!(!post.contains("**") && !post.contains("](https://example") && !post.contains("<font"), "{post}");
    assert_eq!(post.lines().count(), 4, "{post}");
}

/// Pieces of templates, right and wrong.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "{{ 村 }}",
        "{{ 标题 }}",
        "{{ 进展 }}",
        "{{ 标题|缩短(3) }}",
        "[看]({{ 链接 }})",
        "{% if 报告整改完 %}",
        "{% else %}",
        "{% endif %}",
        "{% for 措施 in 已完成 %}",
        "{{ 措施 }}",
        "{% endfor %}",
        "\n",
        "**",
        "长",
        "😀",
        "> ",
        "<font color=\"info\">",
        "</font>",
        "{{ 村|日期 }}",
        "{{",
        "%}",
        "{% if 标题 and not 进展 %}",
    ];
    prop_oneof![10 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn progress() -> impl Strategy<Value = Value> {
    let text = || prop_oneof!["\\PC{0,200}", "[一-龥]{0,300}", "(😀|\\*|\\]|\\n){0,150}"];
    (text(), text(), text(), prop::collection::vec(text(), 0..6), any::<bool>()).prop_map(
        |(village, title, text, finished, done)| {
            json!({
                "village": village, "title": title, "text": text, "finished": finished, "reported_done": done,
                "village_id": Uuid::nil(),
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_can_be_checked(text in "\\PC{0,120}", key in prop::sample::select(kinds().iter().map(Kind::key).collect::<Vec<_>>())) {
        let _ = check(of(&key), &text, today());
        let _ = findings(of(&key), &text, today());
    }

    #[test]
    fn what_passed_holds_every_message(pieces in prop::collection::vec(piece(), 0..12), facts in progress()) {
        let text = pieces.concat() + PROGRESS;
        let kind = of("group.rectification_progress");
        let occasion = Occasion { public_url: "https://qingfeng.example", today: today() };
        let worded = worded(kind, &text, &facts, occasion);
        if check(kind, &text, today()).is_ok() {
            let words = worded.expect("what was checked can be used");
            prop_assert!(words.len() <= LONGEST_MARKDOWN && plain_words(&words).len() <= LONGEST_GROUP_TEXT);
            prop_assert!(words.contains("](https://qingfeng.example/app/"));
        }
    }

    #[test]
    fn whatever_the_names_a_card_keeps_its_words(unit in "\\PC{0,60}|(😀){0,40}") {
        let facts = json!({"title": "路灯", "unit": unit});
        let message = message(RecipientKind::Resident, "complaint_dispatched", SubjectKind::Complaint, facts);
        let hint = card(RecipientKind::Resident, &[message], &usual()).hint;
        prop_assert!(units(&hint) <= LONGEST_THING && hint.starts_with("已交") && hint.ends_with("办理"), "{}", hint);
    }
}
