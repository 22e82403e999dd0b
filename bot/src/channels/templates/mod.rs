//! The templates of subscribe messages. Each account picks its own from WeChat's library, and with them the keys of their
//! lines (`thing2`, `time5` …): which key carries what is configuration, and the platform is asked whether it fits.

mod fitting;
mod keys;
mod kind;
mod listed;

use qingfeng_core::outbox::consents::Validity;

pub use keys::{Role, TemplateKeys, TemplateLine, TemplateMistake, TemplateUse};
pub(crate) use kind::LONGEST_THING;
pub use listed::{ListedKey, ListedTemplate};

/// The two templates that cards use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardTemplates {
    pub reminder: TemplateKeys,
    pub progress: TemplateKeys,
}

impl CardTemplates {
    /// Templates of these ids with the usual keys.
    #[must_use]
    pub fn usual(reminder_id: &str, progress_id: &str) -> Self {
        Self { reminder: TemplateKeys::reminder(reminder_id), progress: TemplateKeys::progress(progress_id) }
    }

    #[must_use]
    pub fn of(&self, template: TemplateUse) -> &TemplateKeys {
        match template {
            TemplateUse::Reminder => &self.reminder,
            TemplateUse::Progress => &self.progress,
        }
    }

    /// What of these does not fit the account's templates: a Chinese sentence for each thing that the platform would refuse. `consents` is
    /// how accepts of the mini-program's are counted; none for the official account's, which need none.
    #[must_use]
    pub fn misfits(&self, consents: Option<Validity>, listed: &[ListedTemplate]) -> Vec<String> {
        [&self.reminder, &self.progress].into_iter().flat_map(|keys| fitting::misfits(keys, consents, listed)).collect()
    }

    /// Those by which every card would be refused, because the account's have other keys.
    pub(crate) fn unfit(&self, listed: &[ListedTemplate]) -> Vec<String> {
        let unfit = [&self.reminder, &self.progress].into_iter().filter(|keys| fitting::is_unfit(keys, listed));
        unfit.map(|keys| keys.id().to_owned()).collect()
    }
}
