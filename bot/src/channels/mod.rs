//! The platforms: each in a file of its own, all refusals of theirs in one table.

mod access_token;
mod account;
mod accounts;
mod breaker;
mod codes;
mod customer_group;
mod dingtalk_robot;
mod exchange;
mod feishu_robot;
mod pace;
mod parts;
mod post;
mod preview;
mod robots;
mod subscribe_message;
mod template_card;
mod template_message;
mod templates;
mod trouble;
mod watch;
mod wecom_app;
mod wecom_robot;

use std::{sync::Arc, time::Duration};

use qingfeng_core::{cache::Cache, clock::Clock, outbox::consents::Validity, refusal::Fault};

pub use account::{ContentVerdict, Follower, MediaFault, WeChatAccount};
pub use accounts::WeChatAccounts;
pub(crate) use customer_group::LONGEST_GROUP_TEXT;
pub use post::Post;
pub(crate) use post::{first_link, plain_words, words_alone};
pub(crate) use preview::{Measure, Shown, card_fields, robot_posts, wecom_fields};
pub use robots::Robots;
pub use subscribe_message::{Card, SubscribeMessages};
pub use template_card::{CardButton, CardTarget, TemplateCard};
pub(crate) use template_message::GUARDED_FOR as TEMPLATE_MESSAGE_GUARDED_FOR;
pub use template_message::TemplateMessages;
pub(crate) use templates::LONGEST_THING;
pub use templates::{
    CardTemplates, ListedKey, ListedTemplate, Role, TemplateKeys, TemplateLine, TemplateMistake, TemplateUse,
};
pub use trouble::TemplateTrouble;
pub use watch::Watch;
pub(crate) use wecom_app::GUARDED_FOR;
pub use wecom_app::{AppMessage, Media, MediaKind, MemberFault, WeComApp, WeComAppSettings};
pub(crate) use wecom_robot::LONGEST_MARKDOWN;

/// Addresses and credentials of the platforms.
#[derive(Clone, Debug)]
pub struct PlatformSettings {
    pub wechat_api_base: String,
    pub wecom_api_base: String,
    pub dingtalk_api_base: String,
    pub feishu_api_base: String,
    /// The application through which staff are told; none where the township does not use WeCom.
    pub wecom_app: Option<WeComAppSettings>,
    /// The mini-program.
    pub app_id: String,
    pub app_secret: String,
    /// The official account, which to the platform is another account; none where there is none.
    pub official_account: Option<OfficialAccountSettings>,
    /// The templates of subscribe messages, and what their keys carry.
    pub templates: CardTemplates,
    /// How long the accepts of subscribe messages last.
    pub consents: Validity,
}

/// The official account.
#[derive(Clone)]
pub struct OfficialAccountSettings {
    pub app_id: String,
    pub app_secret: String,
    /// The templates of its cards; none = it sends no cards.
    pub templates: Option<CardTemplates>,
}

impl std::fmt::Debug for OfficialAccountSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "OfficialAccountSettings {}", self.app_id)
    }
}

/// A platform that has not answered by then may have taken the message.
const PATIENCE: Duration = Duration::from_secs(10);
/// Shorter than the patience: a platform that cannot even be reached has taken nothing, and that has to be told apart.
const PATIENCE_TO_CONNECT: Duration = Duration::from_secs(4);

/// 20 MB over a township's line. Shorter than a bot keeps a message for itself.
const PATIENCE_FOR_UPLOADS: Duration = Duration::from_secs(120);

/// Everything that the bot sends with.
pub struct Channels {
    pub subscribe_messages: SubscribeMessages,
    /// None where there is no official account, or it has no templates.
    pub template_messages: Option<TemplateMessages>,
    pub accounts: WeChatAccounts,
    pub robots: Robots,
    /// None where the township does not use WeCom.
    pub wecom_app: Option<WeComApp>,
}

impl Channels {
    /// `holder` names this bot among its replicas.
    ///
    /// # Errors
    /// When a platform's address is neither https nor on this machine.
    pub fn new(
        cache: &Arc<dyn Cache>,
        clock: &Arc<dyn Clock>,
        watch: &Watch,
        holder: &str,
        settings: &PlatformSettings,
    ) -> Result<Self, Fault> {
        let accounts = WeChatAccounts::new(cache, clock, watch, holder, settings)?;
        let client = client()?;
        let tokens = accounts.mini_program.tokens();
        let official = accounts.official.as_ref().zip(settings.official_account.as_ref());
        let template_messages = official.and_then(|(account, own)| {
            TemplateMessages::new(client.clone(), Arc::clone(clock), account.tokens(), settings, own)
        });
        Ok(Self {
            accounts,
            template_messages,
            subscribe_messages: SubscribeMessages::new(client.clone(), Arc::clone(clock), tokens, settings),
            robots: Robots::new(&client, cache, clock, settings)?,
            wecom_app: WeComApp::new(client, Arc::clone(cache), Arc::clone(clock), watch, holder, settings)?,
        })
    }
}

fn client() -> Result<reqwest::Client, Fault> {
    reqwest::Client::builder()
        .timeout(PATIENCE)
        .connect_timeout(PATIENCE_TO_CONNECT)
        // A redirect would carry the secrets of the address to another host.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .build()
        .map_err(Fault::unavailable)
}

/// Secrets travel in addresses: never in the clear, except to this machine.
fn check_base(name: &str, address: &str) -> Result<(), Fault> {
    let parsed = reqwest::Url::parse(address).map_err(|_| Fault::unavailable(format!("{name} is no address")))?;
    let fits = match (parsed.scheme(), parsed.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => ["127.0.0.1", "localhost", "[::1]"].contains(&host),
        _ => false,
    };
    if fits { Ok(()) } else { Err(Fault::unavailable(format!("{name} must begin with https://"))) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::check_base;

    #[rstest]
    #[case("https://api.weixin.qq.com", true)]
    #[case("http://127.0.0.1:8090/wechat", true)]
    #[case("http://[::1]:8090", true)]
    #[case("http://api.weixin.qq.com", false)]
    #[case("http://127.0.0.1.example.com", false)]
    #[case("http://localhost@example.com", false)]
    #[case("ftp://localhost", false)]
    #[case("", false)]
    fn secrets_leave_in_the_clear_to_this_machine_only(#[case] address: &str, #[case] fits: bool) {
        assert_eq!(check_base("wechat.api_base", address).is_ok(), fits);
    }
}
