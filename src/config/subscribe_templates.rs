//! The templates of subscribe messages: the account's own ids, and which of a template's keys carries what.
//!
//! ```toml
//! [wechat.reminder_template]
//! id = "…"
//! matter = "thing2"
//! due = "time5"
//! hint = "thing7"
//!
//! [wechat.reminder_template.always]
//! name3 = "云溪镇人民政府"
//! ```
//!
//! Once one key is written, those that are written are all: nothing of the shipped ones is mixed in. What could never be sent is
//! refused here, in a sentence; whether the account has such a template, the platform is asked later.

use std::collections::BTreeMap;

use qingfeng_bot::channels::{Role, TemplateKeys, TemplateMistake, TemplateUse};
use serde::{Deserialize, Serialize};

/// As it stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    matter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
    /// Keys with the same words on every card.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    always: BTreeMap<String, String>,
}

impl Written {
    fn of(keys: &TemplateKeys) -> Self {
        let mut written = Self { id: keys.id().to_owned(), ..Self::default() };
        if has_shipped_keys(keys) {
            return written;
        }
        for (role, key) in keys.roles() {
            *written.key_of(role) = Some(key.to_owned());
        }
        written.always = keys.always().map(|(key, words)| (key.to_owned(), words.to_owned())).collect();
        written
    }

    fn key_of(&mut self, role: Role) -> &mut Option<String> {
        match role {
            Role::Matter => &mut self.matter,
            Role::Due => &mut self.due,
            Role::Hint => &mut self.hint,
            Role::Progress => &mut self.progress,
            Role::Reason => &mut self.reason,
            Role::Status => &mut self.status,
            Role::Sent => &mut self.sent,
        }
    }

    fn keys(mut self, template: TemplateUse) -> Result<TemplateKeys, TemplateMistake> {
        let mut roles = Vec::new();
        for role in Role::ALL {
            if let Some(key) = self.key_of(role).take() {
                roles.push((role, key));
            }
        }
        if roles.is_empty() && self.always.is_empty() {
            roles = shipped_keys(template);
        }
        TemplateKeys::new(template, self.id, roles, &self.always)
    }
}

/// The keys of the simulator's templates (`demo::simulator`): of several types and out of order, as real ones are.
fn shipped_keys(template: TemplateUse) -> Vec<(Role, String)> {
    let keys: &[(Role, &str)] = match template {
        TemplateUse::Reminder => &[
            (Role::Matter, "thing2"),
            (Role::Due, "time5"),
            (Role::Hint, "thing7"),
            (Role::Reason, "thing9"),
            (Role::Status, "phrase3"),
        ],
        TemplateUse::Progress => &[(Role::Matter, "thing4"), (Role::Progress, "thing1"), (Role::Reason, "thing8")],
    };
    keys.iter().map(|(role, key)| (*role, (*key).to_owned())).collect()
}

fn has_shipped_keys(keys: &TemplateKeys) -> bool {
    let roles: Vec<(Role, String)> = keys.roles().map(|(role, key)| (role, key.to_owned())).collect();
    roles == shipped_keys(keys.template()) && keys.always().next().is_none()
}

/// The simulator's template under its id.
pub(super) fn shipped(template: TemplateUse) -> TemplateKeys {
    let id = match template {
        TemplateUse::Reminder => "TEMPLATE-REMINDER",
        TemplateUse::Progress => "TEMPLATE-PROGRESS",
    };
    TemplateKeys::new(template, id, shipped_keys(template), &BTreeMap::new())
        .expect("the shipped keys hold their roles")
}

/// `wechat.reminder_template`.
pub(super) mod reminder {
    use super::{TemplateKeys, TemplateUse, Written};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(in crate::config) fn serialize<S: Serializer>(keys: &TemplateKeys, to: S) -> Result<S::Ok, S::Error> {
        Written::of(keys).serialize(to)
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TemplateKeys, D::Error> {
        Written::deserialize(from)?.keys(TemplateUse::Reminder).map_err(D::Error::custom)
    }
}

/// `wechat.progress_template`.
pub(super) mod progress {
    pub(in crate::config) use super::reminder::serialize;
    use super::{TemplateKeys, TemplateUse, Written};
    use serde::{Deserialize, Deserializer, de::Error};

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TemplateKeys, D::Error> {
        Written::deserialize(from)?.keys(TemplateUse::Progress).map_err(D::Error::custom)
    }
}

/// `official_account.reminder_template`, which may be missing.
pub(super) mod optional_reminder {
    use super::{TemplateKeys, TemplateUse, Written};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "the field is handed over as it is")]
    pub(in crate::config) fn serialize<S: Serializer>(keys: &Option<TemplateKeys>, to: S) -> Result<S::Ok, S::Error> {
        keys.as_ref().map(Written::of).serialize(to)
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TemplateKeys>, D::Error> {
        let written = Option::<Written>::deserialize(from)?;
        written.map(|written| written.keys(TemplateUse::Reminder)).transpose().map_err(D::Error::custom)
    }
}

/// `official_account.progress_template`.
pub(super) mod optional_progress {
    pub(in crate::config) use super::optional_reminder::serialize;
    use super::{TemplateKeys, TemplateUse, Written};
    use serde::{Deserialize, Deserializer, de::Error};

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TemplateKeys>, D::Error> {
        let written = Option::<Written>::deserialize(from)?;
        written.map(|written| written.keys(TemplateUse::Progress)).transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::Config;

    fn loaded(toml: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("qingfeng.toml");
        std::fs::write(&file, toml).unwrap();
        Config::load(Some(&file)).map_err(|error| format!("{error:#}"))
    }

    fn keys(config: &Config) -> Vec<String> {
        let reminder = &config.wechat.reminder_template;
        let roles = reminder.roles().map(|(role, key)| format!("{}={key}", role.setting()));
        roles.chain(reminder.always().map(|(key, words)| format!("{key}={words}"))).collect()
    }

    #[test]
    fn nothing_configured_means_the_simulators_templates() {
        let config = loaded("").unwrap();
        assert_eq!(config.wechat.reminder_template.id(), "TEMPLATE-REMINDER");
        assert_eq!(keys(&config), ["matter=thing2", "due=time5", "hint=thing7", "reason=thing9", "status=phrase3"]);
    }

    #[test]
    fn an_official_account_without_templates_sends_no_cards_and_with_them_says_so_again() {
        let account = "[official_account]\napp_id = \"wx2\"\n";
        let config = loaded(account).unwrap();
        assert!(config.platforms().official_account.unwrap().templates.is_none());
        let reminder = "[official_account.reminder_template]\nid = \"T-1\"\nmatter = \"thing11\"\n";
        let one = loaded(&format!("{account}{reminder}")).unwrap();
        assert!(one.platforms().official_account.unwrap().templates.is_none());
        let progress = "[official_account.progress_template]\nid = \"T-2\"\n";
        let both = loaded(&format!("{account}{reminder}{progress}")).unwrap();
        let printed = loaded(&both.printable().unwrap()).unwrap();
        let templates = printed.platforms().official_account.unwrap().templates.unwrap();
        assert_eq!((templates.reminder.id(), templates.progress.id()), ("T-1", "T-2"));
        let wrong = loaded(&format!("{account}[official_account.reminder_template]\nid = \"\"\n")).unwrap_err();
        assert!(wrong.contains("没有写编号"), "{wrong}");
    }

    #[test]
    fn an_id_alone_changes_no_keys() {
        let config = loaded("[wechat.reminder_template]\nid = \"T-1\"\n").unwrap();
        assert_eq!((config.wechat.reminder_template.id(), keys(&config).len()), ("T-1", 5));
    }

    #[test]
    fn the_keys_that_are_written_are_all() {
        let own = "[wechat.reminder_template]\nid = \"T-1\"\nmatter = \"thing11\"\ndue = \"date4\"\n\
                   [wechat.reminder_template.always]\nname3 = \"云溪镇\"\n";
        let config = loaded(own).unwrap();
        assert_eq!(keys(&config), ["matter=thing11", "due=date4", "name3=云溪镇"]);
        // What is printed is what can be read again.
        let printed = config.printable().unwrap();
        assert_eq!(keys(&loaded(&printed).unwrap()), keys(&config));
    }

    #[rstest]
    #[case::unknown_key("matter = \"text1\"", "matter = \"text1\" 不是平台的关键词")]
    #[case::no_number("matter = \"thing\"", "要写类型加数字")]
    #[case::chinese_into_ascii("hint = \"character_string2\"", "“提示”（hint）不能放进 character_string2")]
    #[case::a_sentence_into_a_phrase("hint = \"phrase2\"", "“提示”（hint）不能放进 phrase2")]
    #[case::a_date_into_a_number("matter = \"thing1\"\ndue = \"number2\"", "“期限”（due）不能放进 number2")]
    #[case::words_of_ours_into_listed_values("status = \"enum1\"", "“状态”（status）不能放进 enum1")]
    #[case::twice("matter = \"thing1\"\nhint = \"thing1\"", "thing1 用了两次")]
    #[case::the_other_templates("matter = \"thing1\"\nprogress = \"thing2\"", "里没有“进展”（progress）这一项")]
    #[case::nothing_to_read("due = \"date1\"", "要有一个 thing 类型的关键词放“事项”（matter）或“提示”（hint）")]
    #[case::no_id("id = \"\"", "没有写编号")]
    #[case::unfit_words("matter = \"thing1\"\nalways = { phrase2 = \"待办3件\" }", "phrase2 = \"待办3件\" 不合")]
    #[case::no_such_role("reminder = \"thing1\"", "reminder")]
    fn what_could_never_be_sent_is_refused_in_a_sentence(#[case] written: &str, #[case] told: &str) {
        let error = loaded(&format!("[wechat.reminder_template]\n{written}\n")).unwrap_err();
        assert!(error.contains(told), "{error}");
    }

    #[test]
    fn news_has_no_date_that_it_is_due_on() {
        let error = loaded("[wechat.progress_template]\nmatter = \"thing1\"\ndue = \"date2\"\n").unwrap_err();
        assert!(error.contains("进展模板里没有“期限”（due）这一项"), "{error}");
    }
}
