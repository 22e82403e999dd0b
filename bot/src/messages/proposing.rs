//! A township's proposal for other words, read by the rules before anybody else reads it.

use chrono::NaiveDate;
use qingfeng_core::{
    clock::shanghai_date,
    ids::{CountyId, MessageTemplateId, OrganizationId},
    outbox::templates::{self, Proposal},
    people::authorization::Action,
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Command, Outcome, Store},
};

use super::{
    catalogue::Kind,
    check::{check, private_words},
    template::TemplateFault,
};

/// The words as they are kept, if they hold every message of the kind and name nobody.
///
/// # Errors
/// `invalid_input` with each place that is wrong.
pub fn checked(kind: &Kind, text: &str, names: &[String], today: NaiveDate) -> Result<String, Refusal> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    let mut fields = match check(kind, &text, today) {
        Ok(()) => Vec::new(),
        Err(faults) => faults.into_iter().map(field).collect(),
    };
    fields.extend(private_words(kind, &text, names, today).into_iter().map(|finding| {
        let sentence = format!("“{}”{}，每条消息里都会有，请删去。", finding.words, finding.kind.sentence());
        FieldFault { words: vec![finding.words], ..FieldFault::new("/text", sentence) }
    }));
    if fields.is_empty() { Ok(text) } else { Err(Refusal::invalid(fields)) }
}

/// A fault as a form shows it.
#[must_use]
pub fn field(fault: TemplateFault) -> FieldFault {
    let TemplateFault { line, column, sentence } = fault;
    FieldFault::new("/text", format!("第{line}行第{column}个字：{sentence}"))
}

/// Proposes words of a township's own for a kind of message; none = the usual ones again. A second person releases them.
///
/// # Errors
/// Where the actor may not; `template_fixed` for a kind whose words follow from something else; what is wrong with the words.
pub async fn propose(
    store: &Store,
    command: &Command,
    county: CountyId,
    township: OrganizationId,
    kind: &Kind,
    text: Option<&str>,
) -> Result<Outcome<MessageTemplateId>, Fault> {
    // Who may not, does not learn from the findings who lives there.
    templates::township(store.reader(), &command.actor, Action::ProposeMessageTemplate, township).await?;
    if let Some(why) = kind.fixed() {
        let sentence = format!("这种消息的用语不能改：{why}。");
        return Err(Refusal::new(RefusalKind::Conflict, "template_fixed", sentence).into());
    }
    let text = match text {
        None => None,
        Some(text) => {
            let names = templates::names(store.reader(), county, township).await?;
            let text = checked(kind, text, &names, shanghai_date(store.clock().now()))?;
            (text != kind.text()).then_some(text)
        }
    };
    let proposal = Proposal { township, kind: kind.key(), meaning: kind.meaning().to_owned(), text };
    templates::propose(store, command, county, proposal).await
}
