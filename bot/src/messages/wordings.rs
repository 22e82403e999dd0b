//! The words in force: a township's own where it has some, the usual ones everywhere else — and whenever its own do not hold
//! what comes. No message is lost over its wording.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::NaiveDate;
use qingfeng_core::{
    clock::shanghai_date,
    ids::{MessageTemplateId, OrganizationId},
    outbox::templates,
    refusal::Fault,
};
use serde_json::Value;

use super::{
    catalogue::Kind,
    facts::{self, Occasion},
    length::units,
    template::{Surface, TemplateFault, render},
};
use crate::{
    Bot,
    channels::{LONGEST_MARKDOWN, LONGEST_THING},
};

/// A township's own wording of a kind.
#[derive(Clone, Debug)]
struct Own {
    id: MessageTemplateId,
    text: String,
}

/// What messages are worded with, at one moment.
#[derive(Debug)]
pub(crate) struct Wordings {
    public_url: String,
    pub(super) today: NaiveDate,
    own: HashMap<(OrganizationId, String), Own>,
    /// What did not hold, and why: told to staff afterwards.
    failures: Mutex<HashMap<MessageTemplateId, String>>,
}

impl Wordings {
    /// The usual ones alone.
    pub(crate) fn usual(public_url: &str, today: NaiveDate) -> Self {
        Self { public_url: public_url.to_owned(), today, own: HashMap::new(), failures: Mutex::default() }
    }

    /// A township's own beside them.
    #[cfg(test)]
    pub(super) fn with_own(mut self, township: OrganizationId, kind: &str, text: &str) -> Self {
        let own = Own { id: MessageTemplateId(uuid::Uuid::nil()), text: text.to_owned() };
        self.own.insert((township, kind.to_owned()), own);
        self
    }

    /// What did not hold until now.
    #[cfg(test)]
    pub(super) fn failures(&self) -> Vec<String> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.values().cloned().collect()
    }

    /// Those of all townships.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn in_force(bot: &Bot) -> Result<Self, Fault> {
        let today = shanghai_date(bot.store.clock().now());
        let mut wordings = Self::usual(&bot.settings.public_url, today);
        for row in templates::in_force(bot.store.reader()).await? {
            if let Some(text) = row.text {
                wordings.own.insert((row.township_id, row.kind), Own { id: row.id, text });
            }
        }
        Ok(wordings)
    }

    /// A message in words.
    pub(super) fn words(&self, kind: &Kind, township: Option<OrganizationId>, facts: &Value) -> String {
        let own = township.and_then(|township| self.own.get(&(township, kind.key())));
        if let Some(own) = own.filter(|_| kind.fixed().is_none()) {
            match worded(kind, &own.text, facts, self.occasion()) {
                Ok(words) => return words,
                Err(fault) => {
                    let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
                    failures.insert(own.id, fault.sentence);
                }
            }
        }
        filled(kind, kind.text(), facts, self.occasion()).unwrap_or_else(|fault| {
            tracing::error!(kind = kind.key(), ?fault, "a usual wording cannot be used");
            kind.meaning().to_owned()
        })
    }

    fn occasion(&self) -> Occasion<'_> {
        Occasion { public_url: &self.public_url, today: self.today }
    }

    /// Writes down which townships' wordings did not hold, where their staff see it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn tell_failures(&self, bot: &Bot) -> Result<(), Fault> {
        let failures = std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        for (id, reason) in failures {
            templates::note_failure(&bot.store, id, reason).await?;
        }
        Ok(())
    }
}

fn filled(kind: &Kind, text: &str, facts: &Value, occasion: Occasion<'_>) -> Result<String, TemplateFault> {
    let surface = if kind.is_post() { Surface::Post } else { Surface::Card };
    let values = facts::values(kind.facts(), facts, occasion, surface);
    render(text, &values, surface, occasion.today)
}

/// A text filled with these facts, if it fits where it is shown.
pub(super) fn worded(kind: &Kind, text: &str, facts: &Value, occasion: Occasion<'_>) -> Result<String, TemplateFault> {
    let words = filled(kind, text, facts, occasion)?;
    let too_long = |used: usize, most: usize, unit: &str| {
        Err(TemplateFault::of_the_whole(format!("太长了：有{used}{unit}，最多{most}{unit}。")))
    };
    match (kind.is_post(), units(&words)) {
        (_, 0) => Err(TemplateFault::of_the_whole("这条消息按这个用语是空的。")),
        (true, _) if words.len() > LONGEST_MARKDOWN => too_long(words.len(), LONGEST_MARKDOWN, "字节"),
        (false, used) if used > LONGEST_THING => too_long(used, LONGEST_THING, "个字"),
        _ => Ok(words),
    }
}
