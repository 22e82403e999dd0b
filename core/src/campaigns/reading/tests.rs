use rstest::rstest;

use super::*;
use crate::{calendar::Calendar, campaigns::SHIPPED_PLANS};

/// A small plan that is right; tests break one line of it.
const RIGHT: &str = include_str!("right.toml");

#[test]
fn the_shipped_plans_are_right() {
    for shipped in SHIPPED_PLANS {
        let plan = read(shipped.text).unwrap_or_else(|faults| panic!("{}: {faults:#?}", shipped.file));
        assert!(plan.duties.len() >= 15, "{}", shipped.file);
        assert_eq!(schema_line(shipped.text), "#:schema ./plan.schema.json", "{}", shipped.file);
    }
}

fn schema_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[test]
fn a_plan_survives_being_kept_as_json() {
    for shipped in SHIPPED_PLANS {
        let plan = read(shipped.text).unwrap();
        let kept = serde_json::to_value(&plan).unwrap();
        assert_eq!(serde_json::from_value::<Plan>(kept).unwrap(), plan, "{}", shipped.file);
    }
}

#[test]
fn the_shipped_plans_run_as_often_in_a_year_as_they_ask_for() {
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    let (calendar, first, last) = (Calendar::shipped(), day("2026-01-01"), day("2026-12-31"));
    let times = SHIPPED_PLANS.map(|shipped| {
        let plan = read(shipped.text).unwrap().moved_to_year(2026);
        let preview = plan.preview(&calendar, first, last, &[]);
        assert_eq!(preview.unknown_from, None, "{}", shipped.file);
        assert!(plan.preview(&calendar, last, first, &[]).times.is_empty(), "{}", shipped.file);
        preview.times.len()
    });
    // Half-monthly; monthly from February to November; half-monthly; monthly from May; weekly but for the week of the Spring
    // Festival, and monthly.
    assert_eq!(times, [24, 10, 24, 8, 51 + 12]);
    let two_years = read(SHIPPED_PLANS[2].text).unwrap().moved_to_year(2026);
    assert_eq!(two_years.preview(&calendar, first, day("2027-12-31"), &[]).unknown_from, Some(2027));
}

#[test]
fn the_schema_for_editors_is_the_one_in_force() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../plans/plan.schema.json");
    let kept = std::fs::read_to_string(&file).unwrap();
    let current = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    assert!(kept == current, "run: qingfeng plan schema > plans/plan.schema.json");
}

#[test]
fn moving_a_plan_to_another_year_moves_every_date() {
    let dates = |plan: &Plan| {
        let text = serde_json::to_string(plan).unwrap();
        let quoted = text.split('"').map(str::to_owned);
        quoted.filter_map(|word| word.parse::<chrono::NaiveDate>().ok()).collect::<Vec<_>>()
    };
    for shipped in SHIPPED_PLANS {
        let plan = read(shipped.text).unwrap();
        let moved = plan.clone().moved_to_year(2026);
        let years = 2026 - chrono::Datelike::year(&plan.starts_on);
        let expected: Vec<_> = dates(&plan)
            .into_iter()
            .map(|date| date + chrono::Months::new(u32::try_from(years).unwrap() * 12))
            .collect();
        assert_eq!(dates(&moved), expected, "{}", shipped.file);
        assert!(expected.len() > 5);
    }
}

/// One line is replaced; the fault stands in that line, names the field, and says this.
#[rstest]
#[case::syntax("key = \"probe-2026\"", "key = \"probe-2026", "", "不是正确的 TOML")]
#[case::misspelt_key("ends_on = 2026-12-31", "end_on = 2026-12-31", "end_on", "是不是 ends_on？")]
#[case::unknown_key("name = \"试行\"", "name = \"试行\"\nbudget = 3", "budget", "不认识的项目 budget")]
#[case::wrong_type("name = \"试行\"", "name = 7", "name", "这里要填文字（加引号），现在是整数")]
#[case::empty_text("name = \"试行\"", "name = \" \"", "name", "不能为空")]
#[case::quoted_date("starts_on = 2026-01-01", "starts_on = \"2026-01-01\"", "starts_on", "这里要填日期")]
#[case::instant("starts_on = 2026-01-01", "starts_on = 2026-01-01T08:00:00", "starts_on", "现在是带时刻的时间")]
#[case::no_such_day("starts_on = 2026-01-01", "starts_on = 2026-02-30", "", "不是正确的 TOML")]
#[case::bad_plan_key("key = \"probe-2026\"", "key = \"Probe 2026\"", "key", "方案标识只能用")]
#[case::bad_key("key = \"office\"", "key = \"办公室\"", "offices[0].key", "标识只能用小写英文字母")]
#[case::unknown_word("level = \"township\"", "level = \"towship\"", "level", "是不是 township？")]
#[case::unknown_role("role = \"township_office\"", "role = \"boss\"", "offices[0].role", "不在可选范围内")]
#[case::role_elsewhere(
    "role = \"village_secretary\"",
    "role = \"county_inspector\"",
    "offices[1].role",
    "不在所写的这一级任职"
)]
#[case::unknown_owner("owner = \"secretary\"", "owner = \"secretery\"", "duties[0].owner", "是不是 secretary？")]
#[case::unknown_leader("heads = [\"office\"]", "heads = [\"mayor\"]", "leading_group.heads[0]", "offices 里没有 mayor")]
#[case::nobody_leads("heads = [\"office\"]", "heads = []", "leading_group.heads", "至少要有1项")]
#[case::campaign_ends_first("ends_on = 2026-12-31", "ends_on = 2025-12-31", "ends_on", "结束日期早于开始日期")]
#[case::phase_outside("starts_on = 2026-01-05", "starts_on = 2025-12-05", "phases[0].starts_on", "不在专项行动期间内")]
#[case::phases_overlap("starts_on = 2026-04-01", "starts_on = 2026-03-01", "phases[1].starts_on", "与上一阶段重叠")]
#[case::deliverable_late(
    "due_on = 2026-03-20",
    "due_on = 2026-05-20",
    "phases[0].deliverables[0].due_on",
    "不在本阶段内"
)]
#[case::repeated_category(
    "key = \"lordly\"",
    "key = \"all_talk\"",
    "taxonomies[1].categories[0].key",
    "标识 all_talk 重复"
)]
#[case::no_rhythm(
    "rhythm = { every = \"month\", on = { day = 25 } }",
    "rhythm = { on = { day = 25 } }",
    "duties[0].rhythm.every",
    "缺少必填项 every"
)]
#[case::unknown_rhythm(
    "rhythm = { every = \"month\", on = { day = 25 } }",
    "rhythm = { every = \"mounth\" }",
    "duties[0].rhythm.every",
    "是不是 month？"
)]
#[case::day_missing(
    "rhythm = { every = \"month\", on = { day = 25 } }",
    "rhythm = { every = \"month\", on = {} }",
    "duties[0].rhythm.on",
    "要写 day（几号）或 working_day"
)]
#[case::day_32(
    "rhythm = { every = \"month\", on = { day = 25 } }",
    "rhythm = { every = \"month\", on = { day = 32 } }",
    "duties[0].rhythm.on.day",
    "应在1到31之间"
)]
#[case::both_days(
    "rhythm = { every = \"month\", on = { day = 25 } }",
    "rhythm = { every = \"month\", on = { day = 25, working_day = 3 } }",
    "duties[0].rhythm.on.working_day",
    "只能写一个"
)]
#[case::bad_cron(
    "expression = \"0 9 * * MON\"",
    "expression = \"0 9 * * 1\"",
    "duties[1].rhythm.expression",
    "星期请用英文缩写"
)]
#[case::short_cron(
    "expression = \"0 9 * * MON\"",
    "expression = \"0 9 MON\"",
    "duties[1].rhythm.expression",
    "要有五段"
)]
#[case::questionnaire(
    "electorates = [{ group",
    "questionnaire = \"guess\"\nelectorates = [{ group",
    "evaluations[0].questionnaire",
    "没有名为“guess”的测评问卷"
)]
#[case::weights("weight = 0.4", "weight = 0.3", "evaluations[0].electorates", "权重之和应为1，现在是0.9")]
#[case::weight_above_one("weight = 0.4", "weight = 1.4", "evaluations[0].electorates[1].weight", "应在0到1之间")]
#[case::sample_rate("sample_rate = 0.2", "sample_rate = 20", "acceptance[1].sample_rate", "应在0到1之间")]
#[case::no_sample("sample_rate = 0.2", "sample_rate = 0.0", "acceptance[1].sample_rate", "等于不验收")]
#[case::not_a_number("sample_rate = 0.2", "sample_rate = nan", "acceptance[1].sample_rate", "应在0到1之间")]
#[case::chain_downwards("level = \"county\"", "level = \"village\"", "acceptance[1].level", "逐级向上")]
#[case::low_threshold("satisfied_share = 0.8", "satisfied_share = 0.5", "satisfaction.satisfied_share", "必须过半")]
#[case::nobody_asked("minimum_answers = 5", "minimum_answers = 0", "satisfaction.minimum_answers", "不能小于1")]
#[case::ladder_days("overdue_days = 7", "overdue_days = 3", "escalation[1].overdue_days", "逐级增加")]
#[case::ladder_steps("step = \"urging\"", "step = \"reminder\"", "escalation[1].step", "不能在“提醒”之后")]
#[case::unknown_document("document = \"letter\"", "document = \"leter\"", "escalation[1].document", "是不是 letter？")]
#[case::lax_clock(
    "acceptance = { days = 15, unit = \"calendar_days\" }",
    "acceptance = { days = 16, unit = \"calendar_days\" }",
    "complaints.acceptance.days",
    "不能比《信访工作条例》的15日更长"
)]
#[case::lax_working_days(
    "acceptance = { days = 15, unit = \"calendar_days\" }",
    "acceptance = { days = 15, unit = \"working_days\" }",
    "complaints.acceptance.days",
    "不能比《信访工作条例》的15日更长"
)]
#[case::long_extension(
    "extension = { most = 1, longest_days = 30 }",
    "extension = { most = 2, longest_days = 30 }",
    "complaints.extension.most",
    "只能延期一次"
)]
#[case::reminder_order("days_before = [7, 3, 1]", "days_before = [3, 7]", "reminders.days_before[1]", "由远到近")]
#[case::no_post_day("monthly_post_day = 25", "monthly_post_day = 31", "publication.monthly_post_day", "应在1到28之间")]
#[case::few_cards(
    "days_before = [7, 3, 1]",
    "days_before = [7, 3, 1]\ncards_per_day = 2",
    "reminders.cards_per_day",
    "应在3到20之间"
)]
#[case::many_cards(
    "days_before = [7, 3, 1]",
    "days_before = [7, 3, 1]\ncards_per_day = 21",
    "reminders.cards_per_day",
    "应在3到20之间"
)]
#[case::unknown_run("runs = \"reminders\"", "runs = \"reminder\"", "schedule[2].runs", "是不是 reminders？")]
#[case::same_entry("key = \"half_month\"", "key = \"week_begins\"", "schedule[1].key", "标识 week_begins 重复")]
#[case::no_time(
    "[[schedule]]\nkey = \"week_begins\"\nruns = \"summary\"\nnth_working_day_of_week = 1\nat = \"08:30\"",
    "[[schedule]]\nkey = \"week_begins\"\nruns = \"summary\"\nnth_working_day_of_week = 1\n",
    "schedule[0]",
    "要写几点办"
)]
#[case::odd_time("at = \"08:30\"", "at = \"8点半\"", "schedule[0].at", "时刻要写成 08:30 这样")]
#[case::no_such_time("at = \"08:30\"", "at = \"08:60\"", "schedule[0].at", "时刻要写成 08:30 这样")]
#[case::early("at = \"08:30\"", "at = \"07:59\"", "schedule[0].at", "不打扰人")]
#[case::late("at = \"08:30\"", "at = \"21:00\"", "schedule[0].at", "不打扰人")]
#[case::no_rule(
    "[[schedule]]\nkey = \"week_begins\"\nruns = \"summary\"\nnth_working_day_of_week = 1\n",
    "[[schedule]]\nkey = \"week_begins\"\nruns = \"summary\"\n",
    "schedule[0]",
    "要写什么时候办"
)]
#[case::day_zero(
    "nth_working_day_of_week = 1",
    "nth_working_day_of_week = 0",
    "schedule[0].nth_working_day_of_week",
    "没有第0个工作日"
)]
#[case::eighth_day(
    "nth_working_day_of_week = 1",
    "nth_working_day_of_week = -8",
    "schedule[0].nth_working_day_of_week",
    "应在-7到7之间"
)]
#[case::two_rules(
    "nth_working_day_of_week = 1",
    "nth_working_day_of_week = 1\nworking_days = true",
    "schedule[0].nth_working_day_of_week",
    "只能写一种"
)]
#[case::rule_and_cron(
    "nth_working_day_of_week = 1",
    "nth_working_day_of_week = 1\ncron = \"15 8 * * *\"",
    "schedule[0].nth_working_day_of_week",
    "只能写一种"
)]
#[case::nothing_moves(
    "nth_working_day_of_week = 1",
    "nth_working_day_of_week = 1\non_rest_day = \"before\"",
    "schedule[0].on_rest_day",
    "只有写了 day_of_month 才有意义"
)]
#[case::cron_with_time(
    "cron = \"15 8 * * *\"",
    "cron = \"15 8 * * *\"\nat = \"08:15\"",
    "schedule[2].at",
    "不用再写 at"
)]
#[case::six_fields("cron = \"15 8 * * *\"", "cron = \"0 15 8 * * *\"", "schedule[2].cron", "要有五段")]
#[case::every_minute("cron = \"15 8 * * *\"", "cron = \"* 8 * * *\"", "schedule[2].cron", "最多每小时一次")]
#[case::half_hourly("cron = \"15 8 * * *\"", "cron = \"0,30 8 * * *\"", "schedule[2].cron", "最多每小时一次")]
#[case::by_night("cron = \"15 8 * * *\"", "cron = \"15 6-9 * * *\"", "schedule[2].cron", "不打扰人")]
#[case::never("cron = \"15 8 * * *\"", "cron = \"15 8 30 FEB *\"", "schedule[2].cron", "一次也不会到")]
#[case::weekly_posts("runs = \"summary\"", "runs = \"monthly_posts\"", "schedule[0].runs", "月度公示每月一次")]
#[case::posts_in_the_month_before(
    "runs = \"summary\"\nday_of_month = 15\non_rest_day = \"before\"",
    "runs = \"monthly_posts\"\nday_of_month = 10\non_rest_day = \"before\"",
    "schedule[1].day_of_month",
    "可能提前到上个月"
)]
#[case::posts_in_the_month_after(
    "runs = \"summary\"\nday_of_month = 15\non_rest_day = \"before\"",
    "runs = \"monthly_posts\"\nday_of_month = 20\non_rest_day = \"after\"",
    "schedule[1].day_of_month",
    "可能延到下个月"
)]
#[case::posts_in_the_month_after_by_default(
    "runs = \"summary\"\nday_of_month = 15\non_rest_day = \"before\"",
    "runs = \"monthly_posts\"\nday_of_month = 31",
    "schedule[1].day_of_month",
    "可能延到下个月"
)]
#[case::posts_twice("runs = \"summary\"", "runs = \"monthly_posts\"", "schedule[0].runs", "只能写一处")]
fn a_broken_line_is_named(#[case] line: &str, #[case] broken: &str, #[case] field: &str, #[case] sentence: &str) {
    let at = RIGHT.find(line).unwrap_or_else(|| panic!("no line {line}"));
    let text = RIGHT.replacen(line, broken, 1);
    let faults = read(&text).expect_err("it is broken");
    let named = faults
        .iter()
        .find(|fault| fault.field == field && fault.sentence.contains(sentence))
        .unwrap_or_else(|| panic!("{faults:#?}"));
    let first = RIGHT[..at].matches('\n').count() + 1;
    let last = first + broken.matches('\n').count();
    assert!((first..=last).contains(&named.line), "{named} is not in lines {first} to {last}");
}

#[rstest]
#[case(11, "before")]
#[case(31, "before")]
#[case(1, "after")]
#[case(19, "after")]
#[case(1, "same")]
#[case(31, "same")]
fn posts_on_a_day_that_stays_in_its_month_are_right(#[case] day: u32, #[case] on_rest_day: &str) {
    let text = RIGHT.replacen(
        "runs = \"summary\"\nday_of_month = 15\non_rest_day = \"before\"",
        &format!("runs = \"monthly_posts\"\nday_of_month = {day}\non_rest_day = \"{on_rest_day}\""),
        1,
    );
    let faults = read(&text).expect_err("the day is written twice");
    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["schedule[1].runs"], "{faults:#?}");
}

#[test]
fn the_small_plan_is_right() {
    assert_eq!(read(RIGHT).map(|plan| plan.key), Ok("probe-2026".to_owned()));
}

#[test]
fn all_faults_are_named_at_once_in_the_order_of_the_file() {
    let text = RIGHT
        .replacen("name = \"试行\"", "name = 7", 1)
        .replacen("owner = \"secretary\"", "ower = \"secretary\"", 1)
        .replacen("sample_rate = 0.2", "sample_rate = 20", 1);
    let faults: Vec<String> = read(&text).unwrap_err().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(faults.join("\n"), @r"
    第2行第8列 name：这里要填文字（加引号），现在是整数
    第60行第1列 duties[0].owner：缺少必填项 owner
    第63行第1列 duties[0].ower：不认识的项目 ower，是不是 owner？
    第85行第15列 acceptance[1].sample_rate：应在0到1之间
    ");
}

#[test]
fn faults_of_meaning_are_named_at_once_too() {
    let text = RIGHT
        .replacen("owner = \"secretary\"", "owner = \"nobody\"", 1)
        .replacen("overdue_days = 7", "overdue_days = 2", 1)
        .replacen("weight = 0.4", "weight = 0.1", 1);
    let faults: Vec<String> = read(&text).unwrap_err().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(faults.join("\n"), @r"
    第63行第9列 duties[0].owner：offices 里没有 nobody
    第99行第15列 evaluations[0].electorates：权重之和应为1，现在是0.7
    第115行第16列 escalation[1].overdue_days：超期天数要逐级增加（上一级是3天）
    ");
}

#[test]
fn columns_count_characters_not_bytes() {
    let text = RIGHT.replacen("name = \"试行\"", "name = \"试行\" 多余", 1);
    let faults = read(&text).unwrap_err();
    let line = RIGHT.lines().position(|line| line.starts_with("name = ")).unwrap() + 1;
    assert_eq!((faults[0].line, faults[0].column), (line, 13), "{faults:#?}");
}

#[test]
fn nothing_at_all_is_refused_without_a_panic() {
    for text in ["", "\u{feff}", "[", "= = =", "a = [1, [2, {b = 3}]]", "\"\" = 1\n'' = 2"] {
        assert!(!read(text).unwrap_err().is_empty(), "{text:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_damage_is_refused_or_read_but_never_a_panic(at in 0_usize..4000, cut in 0_usize..40, put in "[ -~\\n\u{4e00}]{0,4}") {
        let from = (0..=at.min(RIGHT.len())).rev().find(|index| RIGHT.is_char_boundary(*index)).unwrap();
        let to = (from + cut..=RIGHT.len()).find(|index| RIGHT.is_char_boundary(*index)).unwrap_or(RIGHT.len());
        let text = format!("{}{put}{}", &RIGHT[..from], &RIGHT[to.max(from)..]);
        if let Err(faults) = read(&text) {
            let lines = text.matches('\n').count() + 1;
            proptest::prop_assert!(faults.iter().all(|fault| fault.line <= lines && fault.column >= 1));
        }
    }
}
