//! Every kind of message with its usual wording, from the files in `templates/`: what it means, which facts it has, and what
//! its text has to say whoever words it.

use std::{collections::BTreeMap, sync::LazyLock};

use qingfeng_core::outbox::RecipientKind;
use serde::Deserialize;

use super::facts::{self, Fact};

/// One kind of message to one sort of recipient.
#[derive(Debug)]
pub struct Kind {
    pub recipient: RecipientKind,
    /// As the outbox calls it, e.g. `deadline_ahead`.
    pub name: String,
    wording: Wording,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wording {
    meaning: String,
    facts: Vec<String>,
    #[serde(default)]
    must_tell: Vec<String>,
    must_say: Option<String>,
    fixed: Option<String>,
    text: String,
    reason: Option<String>,
}

impl Kind {
    /// Unique among all kinds, e.g. `staff.deadline_ahead`: the same news may go to a group and to people.
    #[must_use]
    pub fn key(&self) -> String {
        key(self.recipient, &self.name)
    }

    /// What happened, in Chinese.
    #[must_use]
    pub fn meaning(&self) -> &str {
        &self.wording.meaning
    }

    /// The usual wording.
    #[must_use]
    pub fn text(&self) -> &str {
        self.wording.text.trim()
    }

    /// Why a person gets it; none for posts. Follows from the rule that sends it: no township words it otherwise.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.wording.reason.as_deref().unwrap_or_default()
    }

    /// Why no township may word it otherwise; none where it may.
    #[must_use]
    pub fn fixed(&self) -> Option<&str> {
        self.wording.fixed.as_deref()
    }

    /// What a text of this kind can tell.
    pub fn facts(&self) -> impl Iterator<Item = &'static Fact> {
        self.wording.facts.iter().filter_map(|name| facts::named(name))
    }

    /// Names of the facts that no text may leave out.
    #[must_use]
    pub fn must_tell(&self) -> &[String] {
        &self.wording.must_tell
    }

    /// The words that no text may leave out: how to act, or what happened.
    #[must_use]
    pub fn must_say(&self) -> Option<&str> {
        self.wording.must_say.as_deref()
    }

    #[must_use]
    pub fn is_post(&self) -> bool {
        self.recipient == RecipientKind::Group
    }
}

fn key(recipient: RecipientKind, name: &str) -> String {
    let to = match recipient {
        RecipientKind::Staff => "staff",
        RecipientKind::Resident => "resident",
        RecipientKind::Group => "group",
    };
    format!("{to}.{name}")
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let files = [
        (RecipientKind::Staff, include_str!("templates/staff.toml")),
        (RecipientKind::Resident, include_str!("templates/residents.toml")),
        (RecipientKind::Group, include_str!("templates/groups.toml")),
    ];
    let kinds = |(recipient, file): (RecipientKind, &str)| {
        let wordings: BTreeMap<String, Wording> = toml::from_str(file).expect("the usual wordings are tested");
        wordings.into_iter().map(move |(name, wording)| Kind { recipient, name, wording })
    };
    files.into_iter().flat_map(kinds).collect()
});

/// All kinds.
#[must_use]
pub fn kinds() -> &'static [Kind] {
    &KINDS
}

/// The kind of this key, e.g. `staff.deadline_ahead`.
#[must_use]
pub fn kind(key: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.key() == key)
}

/// The kind of a message; what has no wording of its own is told in a few general words.
pub(super) fn kind_of(recipient: RecipientKind, name: &str) -> &'static Kind {
    let named = |name: &str| KINDS.iter().find(|kind| kind.recipient == recipient && kind.name == name);
    named(name).or_else(|| named("other")).expect("every recipient has general words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wording_names_facts_that_there_are() {
        for kind in kinds() {
            let known: Vec<_> = kind.facts().map(|fact| fact.name).collect();
            assert_eq!(known, kind.wording.facts, "{}", kind.key());
            for name in kind.must_tell() {
                assert!(known.contains(&name.as_str()), "{} {name}", kind.key());
            }
            assert_eq!(kind.is_post(), kind.wording.reason.is_none(), "{}", kind.key());
        }
    }
}
