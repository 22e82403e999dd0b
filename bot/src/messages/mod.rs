//! Putting notices into words: short Chinese, addressed, with the deadline and what to do. The words of each kind are a text
//! with gaps (`templates/`), which a township may replace by its own.

mod catalogue;
mod check;
mod facts;
mod length;
mod preview;
mod proposing;
mod scan;
mod template;
#[cfg(test)]
mod tests;
mod wordings;

use chrono::NaiveDate;
use qingfeng_core::{
    outbox::{RecipientKind, entity::Model as Message},
    subject::SubjectKind,
};
use serde_json::{Value, json};

use crate::channels::{Card, LONGEST_THING, TemplateUse};

pub use catalogue::{Kind, kind, kinds};
pub use check::{check, findings};
pub use facts::Fact;
pub(crate) use length::{shorten, units, within_bytes};
pub use preview::{Measured, Platform, Preview, View, preview, sample_facts};
pub use proposing::{checked, field, propose};
pub use template::TemplateFault;
pub(crate) use wordings::Wordings;

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

/// Why a person gets a message of this kind, as the card says; groups are not told.
#[must_use]
pub fn why(recipient: RecipientKind, kind: &str) -> Option<&'static str> {
    (recipient != RecipientKind::Group).then(|| catalogue::kind_of(recipient, kind).reason())
}

/// What a post of this kind tells a group, in Chinese.
#[must_use]
pub fn what_is_posted(kind: &str) -> &'static str {
    catalogue::kind_of(RecipientKind::Group, kind).meaning()
}

/// Why somebody gets another's message.
pub(crate) fn standing_in(name: &str) -> String {
    length::around("您代理", name, "的工作", LONGEST_THING)
}

/// A post for a village group, in the platform's markdown. Facts in it are public already; nobody is named.
pub(crate) fn post(message: &Message, wordings: &Wordings) -> String {
    let kind = catalogue::kind_of(RecipientKind::Group, &message.kind);
    wordings.words(kind, message.township_id, &message.facts)
}

/// One card for one person: what it is about, by when, what to do. Several messages become one card.
pub(crate) fn card(recipient: RecipientKind, messages: &[Message], wordings: &Wordings) -> Card {
    if let [message] = messages {
        return single(recipient, message, wordings);
    }
    let due_on = messages.iter().filter_map(|message| date(&message.facts, "due_on")).min();
    let is_late = |message: &&Message| {
        message.kind.starts_with("deadline_")
            && date(&message.facts, "due_on").is_some_and(|due_on| due_on < wordings.today)
    };
    let overdue = messages.iter().filter(is_late).count();
    let sealed = messages.iter().filter(|message| message.kind.starts_with("sealed_survey_")).count();
    let kind = catalogue::kind_of(recipient, "several");
    let facts = json!({"count": messages.len(), "overdue": overdue, "sealed": sealed});
    Card {
        // A resident has no deadlines to keep.
        template: if due_on.is_some() && recipient == RecipientKind::Staff {
            TemplateUse::Reminder
        } else {
            TemplateUse::Progress
        },
        matter: format!("共{}件事项", messages.len()),
        due_on,
        hint: wordings.words(kind, None, &facts),
        reason: kind.reason().to_owned(),
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

fn single(recipient: RecipientKind, message: &Message, wordings: &Wordings) -> Card {
    let kind = catalogue::kind_of(recipient, &message.kind);
    let page = match (recipient, message.subject_kind) {
        (RecipientKind::Resident, SubjectKind::Rectification) => {
            format!("pages/rectifications/detail?id={}", message.subject_id)
        }
        (RecipientKind::Resident, _) if message.kind.starts_with("sealed_survey_") => SEALED_SURVEYS.into(),
        (RecipientKind::Resident, _) => format!("pages/complaints/detail?id={}", message.subject_id),
        (_, SubjectKind::Campaign) => "pages/desk/index".into(),
        // What it asks for is done in WeCom, not here.
        (_, SubjectKind::Group) if message.kind == "group_task_waiting" => "pages/desk/index".into(),
        (_, SubjectKind::Group) if matches!(message.kind.as_str(), "post_to_review" | "review_waiting") => {
            "pages/posts/review".into()
        }
        (_, SubjectKind::Group) => "pages/posts/index".into(),
        (_, SubjectKind::MessageTemplate) => "pages/wordings/list".into(),
        (_, _) => format!("pages/desk/index?subject={}", message.subject_id),
    };
    worded_card(kind, &message.facts, wordings.words(kind, message.township_id, &message.facts), page)
}

/// A card about one thing with this hint.
fn worded_card(kind: &Kind, facts: &Value, hint: String, page: String) -> Card {
    let due_on = date(facts, "due_on");
    let reminder = due_on.is_some() && kind.name.starts_with("deadline");
    Card {
        template: if reminder { TemplateUse::Reminder } else { TemplateUse::Progress },
        matter: text(facts, "title").to_owned(),
        due_on,
        hint,
        reason: kind.reason().to_owned(),
        page,
    }
}
