//! Putting notices into words: short Chinese, addressed, with the deadline and what to do.

use chrono::NaiveDate;
use qingfeng_core::outbox::{RecipientKind, entity::Model as Message};
use serde_json::Value;

use crate::channels::{Card, TemplateUse};

fn text<'a>(facts: &'a Value, name: &str) -> &'a str {
    facts.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(facts: &Value, name: &str) -> i64 {
    facts.get(name).and_then(Value::as_i64).unwrap_or_default()
}

fn date(facts: &Value, name: &str) -> Option<NaiveDate> {
    text(facts, name).parse().ok()
}

fn day(date: NaiveDate) -> String {
    date.format("%-m月%-d日").to_string()
}

/// One card for one person: what it is about, by when, what to do. Several messages become one card.
pub(crate) fn card(recipient: RecipientKind, messages: &[Message], today: NaiveDate) -> Card {
    if let [message] = messages {
        return single(recipient, message, today);
    }
    let due_on = messages.iter().filter_map(|message| date(&message.facts, "due_on")).min();
    let is_late = |message: &&Message| {
        message.kind.starts_with("deadline_") && date(&message.facts, "due_on").is_some_and(|due_on| due_on < today)
    };
    let overdue = messages.iter().filter(is_late).count();
    let hint = match (recipient, overdue) {
        (RecipientKind::Resident, _) => "您反映的事有新进展，请查看".to_owned(),
        (_, 0) => "有待办事项，请打开逐件处理".to_owned(),
        (_, overdue) => format!("其中{overdue}件已超期，请尽快办理"),
    };
    Card {
        template: if due_on.is_some() { TemplateUse::Reminder } else { TemplateUse::Progress },
        matter: format!("共{}件事项", messages.len()),
        due_on,
        hint,
        page: match recipient {
            RecipientKind::Resident => "pages/complaints/list".into(),
            _ => "pages/desk/index".into(),
        },
    }
}

fn single(recipient: RecipientKind, message: &Message, today: NaiveDate) -> Card {
    let facts = &message.facts;
    let due_on = date(facts, "due_on");
    let hint = hint(message, today);
    let page = match recipient {
        RecipientKind::Resident => format!("pages/complaints/detail?id={}", message.subject_id),
        _ => format!("pages/desk/index?subject={}", message.subject_id),
    };
    let reminder = due_on.is_some() && message.kind.starts_with("deadline");
    Card {
        template: if reminder { TemplateUse::Reminder } else { TemplateUse::Progress },
        matter: text(facts, "title").to_owned(),
        due_on,
        hint,
        page,
    }
}

fn hint(message: &Message, today: NaiveDate) -> String {
    let facts = &message.facts;
    // Counted when it is sent: a message that waited out an outage would be wrong by days.
    let left = date(facts, "due_on").map_or(0, |due_on| (due_on - today).num_days());
    let due_on = date(facts, "due_on").map(day).unwrap_or_default();
    match message.kind.as_str() {
        "deadline_ahead" | "deadline_today" | "deadline_overdue" => match left {
            1.. => format!("还有{left}天到期，请抓紧办理"),
            0 => "今天到期，请今天办结".into(),
            _ => format!("已超期{}天，请立即办理", -left),
        },
        "deadline_escalated" if !text(facts, "rung").is_empty() => {
            format!("超期{}天，进入{}环节", -left, text(facts, "rung"))
        }
        "deadline_escalated" => format!("下级超期{}天，请督办", -left),
        "deadline_moved_by_calendar" => format!("放假安排公布，期限改为{due_on}"),
        "complaint_assigned" => "新交办诉求，请及时受理".into(),
        "complaint_rated" => "群众已评价，请查看".into(),
        "complaint_rated_bad" => "群众不满意，将回访并重办".into(),
        "complaint_dispatched" => format!("已交{}办理", text(facts, "unit")),
        "complaint_accepted" => "已受理，正在办理".into(),
        "complaint_answered" => "已有答复，满不满意请您评价".into(),
        "complaint_not_accepted" => "不属受理范围，请看说明".into(),
        "complaint_merged" => "与他人反映的合并办理".into(),
        "complaint_parked" => "暂时办不了，请看原因".into(),
        "complaint_extended" => format!("办理期限延至{due_on}"),
        "complaint_closed" => "已办结，谢谢您的监督".into(),
        "extension_decided" if facts.get("approved") == Some(&Value::Bool(true)) => format!("延期已批准，至{due_on}"),
        "extension_decided" => "延期未获批准，请按期办".into(),
        "evaluation_opened" => "整改好不好，请您来评".into(),
        "rectification_assigned" => "新整改事项，请公开承诺".into(),
        "close_out_refused" => "群众不满意，不能销号".into(),
        "rectification_closed" => "整改事项已销号".into(),
        _ => "有新进展，请查看".into(),
    }
}

/// A post for a village group, in the platform's markdown. Facts in it are public already; nobody is named.
pub(crate) fn post(message: &Message, group: &str, public_url: &str) -> String {
    let facts = &message.facts;
    match message.kind.as_str() {
        "monthly_progress" => monthly_progress(facts, group, public_url),
        "rectification_published" => format!(
            "**整改公示** {}\n> {}\n整改目标：{}\n公开承诺：{}\n完成时限：**{}**\n[查看进展]({public_url}/app/#/pages/board/village?id={})",
            plain(text(facts, "village")),
            plain(text(facts, "title")),
            plain(text(facts, "goal")),
            plain(text(facts, "commitment")),
            date(facts, "due_on").map(day).unwrap_or_else(|| "待定".into()),
            text(facts, "village_id"),
        ),
        "survey_invitation" => survey_invitation(facts),
        "survey_result" => survey_result(facts),
        _ => format!("**{}**\n{}", plain(text(facts, "title")), plain(text(facts, "text"))),
    }
}

fn monthly_progress(facts: &Value, group: &str, public_url: &str) -> String {
    let mut lines = vec![
        format!("**{}{}整改进展**", plain(text(facts, "village")), text(facts, "month_label")),
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
        lines.push(format!("> {}{due}{late}", plain(text(item, "title"))));
    }
    if items.len() > 5 {
        lines.push(format!("> 另有{}件，见公示", items.len() - 5));
    }
    lines.push(format!(
        "整改好不好，群众说了算。[查看公示]({public_url}/app/#/pages/board/village?id={})",
        text(facts, "village_id")
    ));
    let _ = group;
    lines.join("\n")
}

fn survey_invitation(facts: &Value) -> String {
    format!(
        "**村民问卷：{}**\n{}的乡亲：{}道题，一分钟，{}前给服务号发“问卷”就能答，可以不答。\n> 只记每个选项几个人选，不记谁选的；\
         记谁答过，防止重复。满{}人才公布结果。\n> 微信平台和拿到您手机的人看得到聊天，答完可以删掉。\n不要在群里说自己的答案。",
        plain(text(facts, "title")),
        plain(text(facts, "village")),
        number(facts, "questions"),
        date(facts, "closes_on").map(day).unwrap_or_default(),
        number(facts, "fewest"),
    )
}

fn survey_result(facts: &Value) -> String {
    let title = plain(text(facts, "title"));
    let Some(questions) = facts.get("questions").and_then(Value::as_array) else {
        return format!("**问卷结束：{title}**\n答的人较少，为保护大家不公布数字。谢谢参加。");
    };
    let mut lines = vec![format!("**问卷结果：{title}**"), format!("{}人参加，谢谢大家。", number(facts, "people"))];
    for question in questions {
        let choices = question.get("choices").and_then(Value::as_array).into_iter().flatten();
        let counts: Vec<_> =
            choices.map(|choice| format!("{}{}人", plain(text(choice, "label")), number(choice, "answers"))).collect();
        lines.push(format!("> {}：{}", plain(text(question, "text")), counts.join("，")));
    }
    lines.join("\n")
}

/// Text that people wrote must not become markup.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if "*[]()<>`#_\\\n\r".contains(letter) { ' ' } else { letter }).collect()
}
