//! Posts for village groups: short, plain, about one matter, with a link to the whole.

mod sealed;

use qingfeng_core::outbox::entity::Model as Message;
use serde_json::Value;

use super::{date, day, number, shorten, text};

/// Longest text of its kind in a post, in UTF-16 units.
const NAME: usize = 24;
const TITLE: usize = 60;
const PARAGRAPH: usize = 120;

/// A post for a village group, in the platform's markdown. Facts in it are public already; nobody is named.
pub(crate) fn post(message: &Message, public_url: &str) -> String {
    let facts = &message.facts;
    match message.kind.as_str() {
        "monthly_progress" => monthly_progress(facts, public_url),
        "rectification_published" => format!(
            "**整改公示** {}\n> {}\n整改目标：{}\n公开承诺：{}\n完成时限：**{}**\n[查看进展]({public_url}/app/#/pages/board/village?id={})",
            plain(text(facts, "village"), NAME),
            plain(text(facts, "title"), TITLE),
            plain(text(facts, "goal"), PARAGRAPH),
            plain(text(facts, "commitment"), PARAGRAPH),
            date(facts, "due_on").map_or_else(|| "待定".into(), day),
            text(facts, "village_id"),
        ),
        "rectification_progress" => rectification_progress(facts, public_url),
        "post_corrected" => corrected(facts, public_url),
        "survey_invitation" => survey_invitation(facts),
        "survey_result" => survey_result(facts),
        "sealed_survey_opened" => sealed::opened(facts, public_url),
        "sealed_survey_fingerprint" => sealed::fingerprint(facts, public_url),
        "sealed_survey_reminder" => sealed::reminder(facts, public_url),
        "sealed_survey_cancelled" => sealed::cancelled(facts),
        "sealed_survey_published" => sealed::published(facts, public_url),
        _ => format!("**{}**\n{}", plain(text(facts, "title"), TITLE), plain(text(facts, "text"), PARAGRAPH)),
    }
}

fn monthly_progress(facts: &Value, public_url: &str) -> String {
    let mut lines = vec![
        format!("**{}{}整改进展**", plain(text(facts, "village"), NAME), text(facts, "month_label")),
        format!(
            "上月收到诉求{}件，办结{}件，评价满意{}件，不满意{}件（不满意的正在重办）。",
            number(facts, "received"),
            number(facts, "closed"),
            number(facts, "satisfied"),
            number(facts, "dissatisfied"),
        ),
    ];
    let items = facts.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    if !items.is_empty() {
        lines.push("正在整改：".into());
    }
    for item in items.iter().take(5) {
        let due = date(item, "due_on").map_or_else(String::new, |date| format!("，{}前完成", day(date)));
        let late = if number(item, "days_overdue") > 0 {
            format!("，<font color=\"warning\">已超期{}天</font>", number(item, "days_overdue"))
        } else {
            String::new()
        };
        lines.push(format!("> {}{due}{late}", plain(text(item, "title"), TITLE)));
    }
    if items.len() > 5 {
        lines.push(format!("> 另有{}件，见公示", items.len() - 5));
    }
    lines.push(format!(
        "整改好不好，群众说了算。[查看公示]({public_url}/app/#/pages/board/village?id={})",
        text(facts, "village_id")
    ));
    lines.join("\n")
}

fn rectification_progress(facts: &Value, public_url: &str) -> String {
    let mut lines = vec![
        format!("**整改进展** {}", plain(text(facts, "village"), NAME)),
        format!("> {}", plain(text(facts, "title"), TITLE)),
    ];
    let finished = facts.get("finished").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    lines.extend(finished.take(3).map(|measure| format!("已完成：{}", plain(measure, TITLE))));
    lines.push(plain(text(facts, "text"), PARAGRAPH));
    if facts.get("reported_done") == Some(&Value::Bool(true)) {
        lines.push("承办单位报告已整改完，接下来请受影响的群众评价。".into());
    }
    lines.push(format!("[看照片和全部进展]({public_url}/app/#/pages/board/village?id={})", text(facts, "village_id")));
    lines.join("\n")
}

fn corrected(facts: &Value, public_url: &str) -> String {
    format!(
        "**更正** {}\n> {}\n{}发的这条有误：{}\n请以这条为准，之前那条不要再转发。[查看公示]({public_url}/app/#/pages/board/village?id={})",
        plain(text(facts, "village"), NAME),
        plain(text(facts, "title"), TITLE),
        date(facts, "posted_on").map(day).unwrap_or_default(),
        plain(text(facts, "reason"), PARAGRAPH),
        text(facts, "village_id"),
    )
}

fn survey_invitation(facts: &Value) -> String {
    format!(
        "**村民问卷：{}**\n{}的乡亲：{}道题，一分钟，{}前给服务号发“问卷”就能答，可以不答。\n> 只记每个选项几个人选，不记谁选的；\
         记谁答过，防止重复。满{}人才公布结果。\n> 微信平台和拿到您手机的人看得到聊天，答完可以删掉。\n不要在群里说自己的答案。",
        plain(text(facts, "title"), TITLE),
        plain(text(facts, "village"), NAME),
        number(facts, "questions"),
        date(facts, "closes_on").map(day).unwrap_or_default(),
        number(facts, "fewest"),
    )
}

fn survey_result(facts: &Value) -> String {
    let title = plain(text(facts, "title"), TITLE);
    let Some(questions) = facts.get("questions").and_then(Value::as_array) else {
        return format!("**问卷结束：{title}**\n答的人较少，为保护大家不公布数字。谢谢参加。");
    };
    let mut lines = vec![format!("**问卷结果：{title}**"), format!("{}人参加，谢谢大家。", number(facts, "people"))];
    for question in questions {
        let choices = question.get("choices").and_then(Value::as_array).into_iter().flatten();
        let counts: Vec<_> = choices
            .map(|choice| format!("{}{}人", plain(text(choice, "label"), NAME), number(choice, "answers")))
            .collect();
        lines.push(format!("> {}：{}", plain(text(question, "text"), TITLE), counts.join("，")));
    }
    lines.join("\n")
}

/// Text that people wrote must not become markup, and is as long as a chat bears; the rest is on the board.
fn plain(text: &str, most: usize) -> String {
    let plain: String =
        text.chars().map(|letter| if "*[]()<>`#_\\\n\r".contains(letter) { ' ' } else { letter }).collect();
    shorten(&plain, most)
}
