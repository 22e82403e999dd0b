//! Putting notices into words: short Chinese, addressed, with the deadline and what to do.

mod length;
mod posts;
mod reasons;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use qingfeng_core::{
    outbox::{RecipientKind, entity::Model as Message},
    subject::SubjectKind,
};
use serde_json::Value;

use crate::channels::{Card, LONGEST_THING, TemplateUse};

pub(crate) use length::{shorten, within_bytes};
pub(crate) use posts::post;

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

/// Where a phone shows the anonymous surveys. The list, not the survey: the address tells a passer-by nothing.
const SEALED_SURVEYS: &str = "pages/sealed-surveys/list";

/// What cannot wait for the next morning.
pub(crate) fn is_urgent(kind: &str) -> bool {
    matches!(kind, "deadline_today" | "deadline_overdue" | "deadline_escalated" | "answer_wanted")
}

/// Why a person gets a message of this kind, as the card says; groups are not told.
#[must_use]
pub fn why(recipient: RecipientKind, kind: &str) -> Option<&'static str> {
    (recipient != RecipientKind::Group).then(|| reasons::reason(recipient, kind))
}

/// Why somebody gets another's message.
pub(crate) fn standing_in(name: &str) -> String {
    length::around("您代理", name, "的工作", LONGEST_THING)
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
    let sealed = messages.iter().filter(|message| message.kind.starts_with("sealed_survey_")).count();
    let hint = match (recipient, overdue) {
        (RecipientKind::Resident, _) if sealed == messages.len() => "背靠背测评有新消息，请查看".to_owned(),
        (RecipientKind::Resident, _) if sealed > 0 => "有新进展和测评消息，请查看".to_owned(),
        (RecipientKind::Resident, _) => "您反映的事有新进展，请查看".to_owned(),
        (_, 0) => "有待办事项，请打开逐件处理".to_owned(),
        (_, overdue) => format!("其中{overdue}件已超期，请尽快办理"),
    };
    Card {
        // A resident has no deadlines to keep.
        template: if due_on.is_some() && recipient == RecipientKind::Staff {
            TemplateUse::Reminder
        } else {
            TemplateUse::Progress
        },
        matter: format!("共{}件事项", messages.len()),
        due_on,
        hint,
        reason: reasons::reason_for_several(recipient).into(),
        page: match recipient {
            RecipientKind::Resident if sealed == messages.len() => SEALED_SURVEYS.into(),
            RecipientKind::Resident if sealed > 0 => "pages/home/index".into(),
            RecipientKind::Resident => "pages/complaints/list".into(),
            _ if messages.iter().all(|message| message.subject_kind == SubjectKind::Group) => {
                "pages/posts/index".into()
            }
            _ => "pages/desk/index".into(),
        },
    }
}

fn single(recipient: RecipientKind, message: &Message, today: NaiveDate) -> Card {
    let facts = &message.facts;
    let due_on = date(facts, "due_on");
    let hint = hint(message, today);
    let page = match (recipient, message.subject_kind) {
        (RecipientKind::Resident, SubjectKind::Rectification) => {
            format!("pages/rectifications/detail?id={}", message.subject_id)
        }
        (RecipientKind::Resident, _) if message.kind.starts_with("sealed_survey_") => SEALED_SURVEYS.into(),
        (RecipientKind::Resident, _) => format!("pages/complaints/detail?id={}", message.subject_id),
        (_, SubjectKind::Campaign) => "pages/desk/index".into(),
        (_, SubjectKind::Group) if message.kind == "post_to_review" => "pages/posts/review".into(),
        (_, SubjectKind::Group) => "pages/posts/index".into(),
        (_, _) => format!("pages/desk/index?subject={}", message.subject_id),
    };
    let reminder = due_on.is_some() && message.kind.starts_with("deadline");
    Card {
        template: if reminder { TemplateUse::Reminder } else { TemplateUse::Progress },
        matter: text(facts, "title").to_owned(),
        due_on,
        hint,
        reason: reasons::reason(recipient, &message.kind).into(),
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
            length::around(&format!("超期{}天，进入", -left), text(facts, "rung"), "环节", LONGEST_THING)
        }
        "deadline_escalated" => format!("下级超期{}天，请督办", -left),
        "deadline_moved_by_calendar" => format!("放假安排公布，期限改为{due_on}"),
        "complaint_assigned" => "新交办诉求，请及时受理".into(),
        "complaint_rated" => "群众已评价，请查看".into(),
        "complaint_rated_bad" => "群众不满意，将回访并重办".into(),
        "complaint_dispatched" => length::around("已交", text(facts, "unit"), "办理", LONGEST_THING),
        "complaint_accepted" => "已受理，正在办理".into(),
        "complaint_answered" => "已有答复，满不满意请您评价".into(),
        "rating_reminder" => "办得怎么样，请您评一评".into(),
        "post_to_review" => "有公示要您看过才能发到群里".into(),
        "post_rejected" => "公示没有同意发出，请看理由".into(),
        "post_prepared" => "请把公示转发到群里，再点已发".into(),
        "post_waiting" => "公示还没转发到群里，请转发".into(),
        "answer_wanted" if text(facts, "wanted") == "more_time" => "请回复新日期和理由，如3月20日等材料".into(),
        "answer_wanted" => "请直接回复理由，我们转告镇专项行动办".into(),
        "assignment_disputed" => "有人说不归他办，请核实改派".into(),
        "item_handed_over" => "改由您办，原定期限不变".into(),
        "objection_upheld" => "不归您办，已改派他人".into(),
        "objection_rejected" => "仍由您办，请看理由按期办结".into(),
        "summary" => {
            let count = |name| number(facts, name);
            format!("到期{}、超期{}、返工{}件", count("due"), count("overdue"), count("done_again"))
        }
        "call_back_due" => "群众一直没评价，请回访".into(),
        "complaint_not_accepted" => "不属受理范围，请看说明".into(),
        "complaint_merged" => "与他人反映的合并办理".into(),
        "complaint_parked" => match date(facts, "review_on") {
            Some(review_on) => format!("暂时办不了，{}前复核", day(review_on)),
            None => "暂时办不了，请看原因".into(),
        },
        "complaint_extended" => format!("办理期限延至{due_on}"),
        "complaint_closed" => "已办结，谢谢您的监督".into(),
        "extension_decided" if facts.get("approved") == Some(&Value::Bool(true)) => format!("延期已批准，至{due_on}"),
        "extension_decided" => "延期未获批准，请按期办".into(),
        "evaluation_opened" => "整改好不好，请您来评".into(),
        "sealed_survey_opened" => "背靠背测评，可以来参加".into(),
        "sealed_survey_reminder" => "快截止了，如已参加请忽略".into(),
        "sealed_survey_published" => "已结束，可核对自己的票".into(),
        "rectification_assigned" => "新整改事项，请公开承诺".into(),
        "close_out_refused" => "群众不满意，不能销号".into(),
        "rectification_closed" => "整改事项已销号".into(),
        _ => "有新进展，请查看".into(),
    }
}
