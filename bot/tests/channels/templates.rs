//! Subscribe messages by templates whose keys are another account's: numbers, types and roles as the library has them.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use qingfeng_bot::{
    channels::{Card, CardTemplates, Role, TemplateKeys, TemplateUse},
    delivery::Outcome,
};
use qingfeng_core::outbox::consents::Validity;
use qingfeng_sandbox::{Fault, FaultKind, Platform, Template};
use rstest::rstest;

use crate::replicas::{Replicas, Shared};

const LONG_TITLE: &str = "云溪镇东河村三组村口至小学路段路灯损坏及夜间照明不足问题";

fn keys(template: TemplateUse, id: &str, roles: &[(Role, &str)], always: &[(&str, &str)]) -> TemplateKeys {
    let roles = roles.iter().map(|(role, key)| (*role, (*key).to_owned()));
    let always: BTreeMap<_, _> = always.iter().map(|(key, words)| ((*key).to_owned(), (*words).to_owned())).collect();
    TemplateKeys::new(template, id, roles, &always).unwrap()
}

/// A reminder's keys, and the usual ones of news.
fn templates(roles: &[(Role, &str)], always: &[(&str, &str)]) -> CardTemplates {
    CardTemplates {
        reminder: keys(TemplateUse::Reminder, "T-REMIND", roles, always),
        progress: TemplateKeys::progress("T-PROGRESS"),
    }
}

fn reminder(matter: &str, hint: &str) -> Card {
    Card {
        template: TemplateUse::Reminder,
        matter: matter.into(),
        due_on: NaiveDate::from_ymd_opt(2026, 3, 5),
        hint: hint.into(),
        reason: "您负责办这件事".into(),
        page: "pages/desk/index".into(),
    }
}

pub fn usual_reminder() -> Card {
    reminder("村口路灯更换", "还有3天到期，请抓紧办理")
}

fn nine() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap().and_hms_opt(9, 0, 0).unwrap()
}

/// The usual reminder's.
pub fn usual_template() -> Template {
    Template::new("T-REMIND", "待办提醒")
        .with_field("thing2", "事项")
        .with_field("date5", "期限")
        .with_field("thing7", "提示")
        .with_field("thing9", "原因")
}

pub fn usual_progress() -> Template {
    Template::new("T-PROGRESS", "进展通知")
        .with_field("thing4", "事项")
        .with_field("thing6", "进展")
        .with_field("thing8", "原因")
}

#[tokio::test]
async fn a_card_arrives_by_a_template_of_any_numbers_and_types() {
    let roles = [
        (Role::Matter, "thing11"),
        (Role::Due, "time5"),
        (Role::Hint, "thing7"),
        (Role::Reason, "thing9"),
        (Role::Status, "phrase3"),
        (Role::Sent, "date8"),
    ];
    let always = [("enum13", "待办"), ("name12", "云溪镇人民政府"), ("character_string2", "QF-1")];
    let replicas = Replicas::with_templates(Shared::Memory, templates(&roles, &always), Validity::Once).await;
    let template = Template::new("T-REMIND", "待办提醒")
        .with_field("thing11", "标题")
        .with_field("phrase3", "当前状态")
        .with_field("time5", "截止时间")
        .with_field("thing7", "温馨提示")
        .with_field("date8", "提醒日期")
        .with_field("thing9", "备注")
        .with_field("name12", "发起单位")
        .with_field("character_string2", "编号")
        .with_choice("enum13", "类别", &["待办", "已办"]);
    replicas.platforms.add_template(template).unwrap();
    replicas.platforms.add_template(usual_progress()).unwrap();
    replicas.platforms.accept_subscription("phone-1", "T-REMIND", 1);
    let messages = &replicas.first.subscribe_messages;
    assert_eq!(messages.misfits().await, Ok(Vec::new()));
    assert!(messages.send("phone-1", &usual_reminder()).await.unwrap().is_taken());
    let arrived = replicas.platforms.phone("phone-1").subscribe_messages()[0].content.text();
    assert_eq!(
        arrived,
        "标题：村口路灯更换\n当前状态：待办理\n截止时间：2026年3月5日 23:59\n温馨提示：还有3天到期，请抓紧办理\n\
         提醒日期：2026年3月2日\n备注：您负责办这件事\n发起单位：云溪镇人民政府\n编号：QF-1\n类别：待办"
    );
}

#[rstest]
#[case::empty("")]
#[case::of_blanks(" \n\t\u{2028} ")]
#[case::of_lines("一行\r\n又一行\n再一行")]
#[case::at_the_limit(&"渠".repeat(20))]
#[case::over_the_limit(&"渠".repeat(21))]
#[case::of_emoji(&"😀".repeat(11))]
#[case::with_one_across_the_limit(&format!("{}😀渠", "渠".repeat(18)))]
#[case::with_control_characters("路灯\u{0}\u{7}\u{1b}[31m坏了\u{7f}")]
#[case::of_signs("<b>\"路灯\"</b> & {{thing1.DATA}}")]
#[tokio::test]
async fn whatever_the_words_are_the_platform_takes_the_card(#[case] words: &str) {
    // One line for both, then a line each.
    let one = keys(TemplateUse::Reminder, "T-REMIND", &[(Role::Matter, "thing1"), (Role::Due, "date2")], &[]);
    let each = keys(TemplateUse::Progress, "T-PROGRESS", &[(Role::Matter, "thing3"), (Role::Progress, "thing1")], &[]);
    let own = CardTemplates { reminder: one, progress: each };
    let replicas = Replicas::with_templates(Shared::Memory, own, Validity::Once).await;
    let one = Template::new("T-REMIND", "待办提醒").with_field("thing1", "事项").with_field("date2", "期限");
    let each = Template::new("T-PROGRESS", "进展通知").with_field("thing3", "事项").with_field("thing1", "进展");
    for template in [one, each] {
        replicas.platforms.accept_subscription("phone-1", &template.id, 1);
        replicas.platforms.add_template(template).unwrap();
    }
    for template in [TemplateUse::Reminder, TemplateUse::Progress] {
        let card = Card { template, ..reminder(words, words) };
        let outcome = replicas.first.subscribe_messages.send("phone-1", &card).await;
        assert!(outcome.unwrap().is_taken(), "{template:?}");
    }
}

#[rstest]
#[case::all(
    &[(Role::Matter, "thing1"), (Role::Due, "date2"), (Role::Hint, "thing3"), (Role::Reason, "thing4")],
    usual_reminder(),
    &["thing1 村口路灯更换", "date2 2026年3月5日", "thing3 还有3天到期，请抓紧办理", "thing4 您负责办这件事"]
)]
#[case::without_a_date_it_stands_behind_the_hint(
    &[(Role::Matter, "thing1"), (Role::Hint, "thing2")],
    usual_reminder(),
    &["thing1 村口路灯更换", "thing2 还有3天到期，请抓紧办理，期限3月5日"]
)]
#[case::unless_it_does_not_fit(
    &[(Role::Matter, "thing1"), (Role::Hint, "thing2"), (Role::Reason, "thing3")],
    reminder("村口路灯更换", "放假安排公布，期限改为3月20日"),
    &["thing1 村口路灯更换", "thing2 放假安排公布，期限改为3月20日", "thing3 您负责办这件事"]
)]
#[case::without_a_reason_it_stands_behind_the_hint(
    &[(Role::Matter, "thing1"), (Role::Due, "date2"), (Role::Hint, "thing3")],
    reminder("村口路灯更换", "今天到期，请今天办结"),
    &["thing1 村口路灯更换", "date2 2026年3月5日", "thing3 今天到期，请今天办结，您负责办这件事"]
)]
#[case::one_line_for_matter_and_hint(
    &[(Role::Matter, "thing1"), (Role::Due, "character_string2")],
    usual_reminder(),
    &["thing1 村口路灯更换：还有3天到期，请抓紧办理", "character_string2 2026-03-05"]
)]
#[case::in_it_a_long_title_gives_way(
    &[(Role::Hint, "thing1"), (Role::Due, "date2")],
    reminder(LONG_TITLE, "还有3天到期，请抓紧办理"),
    &["thing1 云溪镇东河村…：还有3天到期，请抓紧办理", "date2 2026年3月5日"]
)]
#[case::but_not_so_far_that_nobody_knows_it(
    &[(Role::Matter, "thing1"), (Role::Due, "date2")],
    reminder(LONG_TITLE, "放假安排公布，期限改为3月20日"),
    &["thing1 云溪镇东河村三组村口至小学路段路灯损坏…", "date2 2026年3月5日"]
)]
#[case::a_card_without_a_title_has_no_empty_line(
    &[(Role::Matter, "thing1"), (Role::Hint, "thing2"), (Role::Due, "date3"), (Role::Reason, "thing4")],
    reminder("\n", "今天到期，请今天办结"),
    &["thing1 点开查看", "thing2 今天到期，请今天办结", "date3 2026年3月5日", "thing4 您负责办这件事"]
)]
fn what_has_no_key_of_its_own_is_merged_or_left_out_in_order(
    #[case] roles: &[(Role, &str)],
    #[case] card: Card,
    #[case] expected: &[&str],
) {
    let lines = keys(TemplateUse::Reminder, "T-REMIND", roles, &[]).lines(&card, nine());
    let lines: Vec<_> = lines.into_iter().map(|line| format!("{} {}", line.key, line.text)).collect();
    assert_eq!(lines, expected);
}

#[rstest]
#[case(4, "已超期")]
#[case(2, "待办理")]
#[case(3, "今天到期")]
fn the_status_of_a_reminder_is_told_by_its_date(#[case] today: u32, #[case] expected: &str) {
    let keys = keys(TemplateUse::Reminder, "T-REMIND", &[(Role::Matter, "thing1"), (Role::Status, "phrase2")], &[]);
    let card = Card { due_on: NaiveDate::from_ymd_opt(2026, 3, 3), ..usual_reminder() };
    let at = NaiveDate::from_ymd_opt(2026, 3, today).unwrap().and_hms_opt(8, 10, 0).unwrap();
    assert_eq!(keys.lines(&card, at)[1].text, expected);
}

#[tokio::test]
async fn keys_of_another_template_are_refused_by_the_platform_and_found_before() {
    let own = templates(
        &[(Role::Matter, "thing1"), (Role::Due, "date2"), (Role::Hint, "thing3"), (Role::Reason, "thing4")],
        &[("enum6", "待办")],
    );
    let replicas = Replicas::with_templates(Shared::Memory, own, Validity::Once).await;
    let mut template = Template::new("T-REMIND", "待办提醒")
        .with_field("thing1", "事项")
        .with_field("time5", "截止时间")
        .with_field("thing3", "提示")
        .with_choice("enum6", "类别", &["会议", "公文"]);
    template.long_term = true;
    replicas.platforms.add_template(template).unwrap();
    replicas.platforms.accept_subscription("phone-1", "T-REMIND", 1);
    let messages = &replicas.first.subscribe_messages;
    let refused = messages.send("phone-1", &usual_reminder()).await;
    assert!(matches!(&refused, Ok(Outcome::Final(reason)) if reason.contains("47003")), "{refused:?}");
    assert_eq!(
        messages.misfits().await.unwrap(),
        [
            "提醒模板《待办提醒》是长期订阅，配置里写的是一次性订阅（long_term_templates）",
            "提醒模板《待办提醒》里没有 date2（期限，due）",
            "提醒模板《待办提醒》里没有 thing4（原因，reason）",
            "提醒模板《待办提醒》的 time5（截止时间）没有配置放什么",
            "提醒模板《待办提醒》的 enum6 只能是：会议、公文；配置里写的是“待办”",
            "进展模板：小程序账号里没有这个编号的模板",
        ]
    );
}

#[rstest]
#[case(false, Validity::Once, 0)]
#[case(true, Validity::LongTerm, 0)]
#[case(false, Validity::LongTerm, 2)]
#[case(true, Validity::Once, 2)]
#[tokio::test]
async fn one_time_and_long_term_templates_are_told_apart(
    #[case] long_term: bool,
    #[case] consents: Validity,
    #[case] misfits: usize,
) {
    let usual = CardTemplates::usual("T-REMIND", "T-PROGRESS");
    let replicas = Replicas::with_templates(Shared::Memory, usual, consents).await;
    let reminder = Template::new("T-REMIND", "待办提醒")
        .with_field("thing2", "事项")
        .with_field("date5", "期限")
        .with_field("thing7", "提示")
        .with_field("thing9", "原因");
    for mut template in [reminder, usual_progress()] {
        template.long_term = long_term;
        replicas.platforms.add_template(template).unwrap();
    }
    assert_eq!(replicas.first.subscribe_messages.misfits().await.unwrap().len(), misfits);
}

#[tokio::test]
async fn a_platform_that_is_away_says_nothing_about_templates() {
    let replicas = Replicas::on(Shared::Memory).await;
    let messages = &replicas.first.subscribe_messages;
    let fault = replicas.platforms.inject(Fault::new(Platform::WeChat, FaultKind::Outage));
    assert!(messages.misfits().await.is_err());
    assert!(replicas.platforms.end_fault(fault));
    assert_eq!(messages.misfits().await.unwrap().len(), 2);
    // The token that the replicas share is replaced like with any other call.
    replicas.platforms.revoke_tokens();
    assert_eq!(messages.misfits().await.unwrap().len(), 2);
}
