//! Which key of a template carries what, and a card's words laid out by that.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Value, json};

use super::kind::{KeyKind, LONGEST_THING, Said};
use crate::{
    channels::subscribe_message::Card,
    messages::{shorten, units},
};

/// Less of a title says no more which thing is meant.
const SHORTEST_MATTER: usize = 6;

/// Which template a card uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateUse {
    /// Something is due: has a date.
    Reminder,
    /// Something happened.
    Progress,
}

impl TemplateUse {
    /// As sentences call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Reminder => "提醒模板",
            Self::Progress => "进展模板",
        }
    }
}

/// What a line of a card tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Matter,
    /// Reminders only: news has no date that it is due on.
    Due,
    /// Reminders only: what to do.
    Hint,
    /// News only: what happened.
    Progress,
    /// Why this person gets it.
    Reason,
    /// How it stands, in a few characters.
    Status,
    /// When the card leaves.
    Sent,
}

impl Role {
    pub const ALL: [Self; 7] =
        [Self::Matter, Self::Due, Self::Hint, Self::Progress, Self::Reason, Self::Status, Self::Sent];

    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Matter => "事项",
            Self::Due => "期限",
            Self::Hint => "提示",
            Self::Progress => "进展",
            Self::Reason => "原因",
            Self::Status => "状态",
            Self::Sent => "时间",
        }
    }

    /// As the configuration calls it.
    #[must_use]
    pub fn setting(self) -> &'static str {
        match self {
            Self::Matter => "matter",
            Self::Due => "due",
            Self::Hint => "hint",
            Self::Progress => "progress",
            Self::Reason => "reason",
            Self::Status => "status",
            Self::Sent => "sent",
        }
    }

    fn belongs_to(self, template: TemplateUse) -> bool {
        match self {
            Self::Due | Self::Hint => template == TemplateUse::Reminder,
            Self::Progress => template == TemplateUse::Progress,
            Self::Matter | Self::Reason | Self::Status | Self::Sent => true,
        }
    }

    /// The types that can hold whatever it may have to tell.
    fn kinds(self) -> &'static [KeyKind] {
        match self {
            Self::Matter | Self::Hint | Self::Progress | Self::Reason => &[KeyKind::Thing],
            Self::Due | Self::Sent => &[KeyKind::Date, KeyKind::Time, KeyKind::Thing, KeyKind::CharacterString],
            Self::Status => &[KeyKind::Phrase, KeyKind::Thing],
        }
    }
}

/// Why keys make no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateMistake {
    #[error("{}没有写编号（id）", .template.label())]
    NoId { template: TemplateUse },
    #[error("{}的 {setting} = \"{key}\" 不是平台的关键词：要写类型加数字，如 thing2", .template.label())]
    NotAKey { template: TemplateUse, setting: String, key: String },
    #[error("{}里没有“{}”（{}）这一项，请删去", .template.label(), .role.label(), .role.setting())]
    NotOfThisTemplate { template: TemplateUse, role: Role },
    #[error(
        "{}的“{}”（{}）不能放进 {key}，只能放进这些类型：{}",
        .template.label(), .role.label(), .role.setting(), names(.role.kinds())
    )]
    CannotHold { template: TemplateUse, role: Role, key: String },
    #[error("{}的 {key} 用了两次", .template.label())]
    Twice { template: TemplateUse, key: String },
    #[error("{}的固定内容 {key} = \"{words}\" 不合这个类型的要求", .template.label())]
    WordsDoNotFit { template: TemplateUse, key: String, words: String },
    #[error("{}要有一个 thing 类型的关键词放“事项”（matter）或“{}”（{}）", .template.label(), .role.label(), .role.setting())]
    NothingToRead { template: TemplateUse, role: Role },
}

fn names(kinds: &[KeyKind]) -> String {
    kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join("、")
}

/// The line that says what to do or what happened.
fn chief_role(template: TemplateUse) -> Role {
    match template {
        TemplateUse::Reminder => Role::Hint,
        TemplateUse::Progress => Role::Progress,
    }
}

/// A template as the configuration describes it: its id, and what each of its keys carries.
///
/// A role may be missing. Then
/// - matter and hint (or progress) share the one line that there is, `事项：提示`: first the title gives way, and where less
///   than six characters of it would be left, the hint is left out;
/// - the date goes behind the hint (`，期限3月5日`) if it still fits there whole, else it is left out: the hint of a
///   reminder counts the days;
/// - then the reason goes behind that if it fits whole, else it is left out;
/// - status and time of sending are told only where a key asks for them.
///
/// A key may carry words that are always the same: a template's keys must all be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateKeys {
    template: TemplateUse,
    id: String,
    keys: Vec<Key>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    name: String,
    kind: KeyKind,
    carries: Carries,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Carries {
    Role(Role),
    Always(String),
}

/// One line of a card as the platform gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateLine {
    pub key: String,
    /// What stands there; the key itself where it is always the same.
    pub label: String,
    pub text: String,
    /// In UTF-16 units.
    pub limit: usize,
}

impl TemplateKeys {
    /// # Errors
    /// When the platform would refuse every card with these keys, whatever the template.
    pub fn new(
        template: TemplateUse,
        id: impl Into<String>,
        roles: impl IntoIterator<Item = (Role, String)>,
        always: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateMistake> {
        let id = id.into();
        if id.trim().is_empty() {
            return Err(TemplateMistake::NoId { template });
        }
        let mut keys: Vec<Key> = Vec::new();
        for (role, name) in roles {
            if !role.belongs_to(template) {
                return Err(TemplateMistake::NotOfThisTemplate { template, role });
            }
            let kind = known(template, role.setting(), &name)?;
            if !role.kinds().contains(&kind) {
                return Err(TemplateMistake::CannotHold { template, role, key: name });
            }
            keys.push(Key { name, kind, carries: Carries::Role(role) });
        }
        for (name, words) in always {
            let kind = known(template, "always", name)?;
            if !kind.takes(words) {
                return Err(TemplateMistake::WordsDoNotFit { template, key: name.clone(), words: words.clone() });
            }
            keys.push(Key { name: name.clone(), kind, carries: Carries::Always(words.clone()) });
        }
        for (position, key) in keys.iter().enumerate() {
            if keys[..position].iter().any(|earlier| earlier.name == key.name) {
                return Err(TemplateMistake::Twice { template, key: key.name.clone() });
            }
        }
        let keys = Self { template, id, keys };
        if !keys.tells(Role::Matter) && !keys.tells(chief_role(template)) {
            return Err(TemplateMistake::NothingToRead { template, role: chief_role(template) });
        }
        Ok(keys)
    }

    /// A reminder with a key for each of 事项, 期限, 提示 and 原因.
    #[must_use]
    pub fn reminder(id: &str) -> Self {
        let roles = [(Role::Matter, "thing2"), (Role::Due, "date5"), (Role::Hint, "thing7"), (Role::Reason, "thing9")];
        Self::usual(TemplateUse::Reminder, id, &roles)
    }

    /// News with a key for each of 事项, 进展 and 原因.
    #[must_use]
    pub fn progress(id: &str) -> Self {
        let roles = [(Role::Matter, "thing4"), (Role::Progress, "thing6"), (Role::Reason, "thing8")];
        Self::usual(TemplateUse::Progress, id, &roles)
    }

    fn usual(template: TemplateUse, id: &str, roles: &[(Role, &str)]) -> Self {
        let key = |(role, name): &(Role, &str)| {
            let kind = KeyKind::of(name).expect("the usual keys have known types");
            Key { name: (*name).to_owned(), kind, carries: Carries::Role(*role) }
        };
        Self { template, id: id.to_owned(), keys: roles.iter().map(key).collect() }
    }

    #[must_use]
    pub fn template(&self) -> TemplateUse {
        self.template
    }

    /// The platform's name of the template.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The keys that carry a role.
    pub fn roles(&self) -> impl Iterator<Item = (Role, &str)> {
        self.keys.iter().filter_map(|key| match &key.carries {
            Carries::Role(role) => Some((*role, key.name.as_str())),
            Carries::Always(_) => None,
        })
    }

    /// The keys that always carry the same words.
    pub fn always(&self) -> impl Iterator<Item = (&str, &str)> {
        self.keys.iter().filter_map(|key| match &key.carries {
            Carries::Always(words) => Some((key.name.as_str(), words.as_str())),
            Carries::Role(_) => None,
        })
    }

    /// The card line by line; it leaves at `at`, Beijing time.
    #[must_use]
    pub fn lines(&self, card: &Card, at: NaiveDateTime) -> Vec<TemplateLine> {
        let line = |key: &Key| {
            let (label, text) = match &key.carries {
                Carries::Always(words) => (key.name.clone(), words.clone()),
                Carries::Role(role) => {
                    let text = key.kind.shape(&self.said(*role, card, at));
                    (role.label().to_owned(), text.expect("a role stands only in types that can hold it"))
                }
            };
            TemplateLine { key: key.name.clone(), label, text, limit: key.kind.limit() }
        };
        self.keys.iter().map(line).collect()
    }

    /// The card as the platform wants it: `{"thing2": {"value": "…"}, …}`.
    pub(crate) fn data(&self, card: &Card, at: NaiveDateTime) -> Value {
        let entry = |line: TemplateLine| (line.key, json!({"value": line.text}));
        Value::Object(self.lines(card, at).into_iter().map(entry).collect())
    }

    fn tells(&self, role: Role) -> bool {
        self.roles().any(|(told, _)| told == role)
    }

    fn said(&self, role: Role, card: &Card, at: NaiveDateTime) -> Said {
        let gathers = if self.tells(chief_role(self.template)) { chief_role(self.template) } else { Role::Matter };
        match role {
            _ if role == gathers => Said::Words(self.gathered(card)),
            Role::Matter => Said::Words(card.matter.clone()),
            Role::Hint | Role::Progress => Said::Words(card.hint.clone()),
            Role::Due => Said::Moment(end_of(card.due_on.unwrap_or(at.date()))),
            Role::Reason => Said::Words(card.reason.clone()),
            Role::Status => Said::Words(self.status(card, at.date()).to_owned()),
            Role::Sent => Said::Moment(at),
        }
    }

    /// The words of the line that also takes what has no key of its own.
    fn gathered(&self, card: &Card) -> String {
        let both_told = self.tells(Role::Matter) && self.tells(chief_role(self.template));
        let mut words = if both_told { card.hint.clone() } else { together(&card.matter, &card.hint) };
        if self.template == TemplateUse::Reminder
            && !self.tells(Role::Due)
            && let Some(due_on) = card.due_on
        {
            words = with(words, &due_on.format("期限%-m月%-d日").to_string());
        }
        if !self.tells(Role::Reason) {
            words = with(words, &card.reason);
        }
        words
    }

    fn status(&self, card: &Card, today: NaiveDate) -> &'static str {
        match card.due_on {
            Some(due_on) if self.template == TemplateUse::Reminder && due_on < today => "已超期",
            Some(due_on) if self.template == TemplateUse::Reminder && due_on == today => "今天到期",
            Some(_) if self.template == TemplateUse::Reminder => "待办理",
            _ => "有新进展",
        }
    }
}

fn known(template: TemplateUse, setting: &str, key: &str) -> Result<KeyKind, TemplateMistake> {
    let mistake = || TemplateMistake::NotAKey { template, setting: setting.to_owned(), key: key.to_owned() };
    KeyKind::of(key).ok_or_else(mistake)
}

/// What is due on a day may be done until it ends.
fn end_of(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::from_hms_opt(23, 59, 0).expect("a minute of the day"))
}

/// Two texts in one line.
fn together(matter: &str, hint: &str) -> String {
    let (matter, hint) = (matter.trim(), hint.trim());
    if matter.is_empty() || hint.is_empty() {
        return format!("{matter}{hint}");
    }
    match LONGEST_THING.checked_sub(units(hint) + 1) {
        Some(room) if room >= SHORTEST_MATTER || units(matter) <= room => format!("{}：{hint}", shorten(matter, room)),
        _ => matter.to_owned(),
    }
}

/// More, if it fits whole.
fn with(words: String, more: &str) -> String {
    let both = if words.is_empty() { more.to_owned() } else { format!("{words}，{more}") };
    if units(&both) <= LONGEST_THING && !more.is_empty() { both } else { words }
}
