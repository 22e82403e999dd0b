//! The platforms as the configuration names them, for everything that speaks to them.

use qingfeng_bot::{
    PlatformSettings,
    channels::{CardTemplates, OfficialAccountSettings, WeComAppSettings},
};
use qingfeng_core::outbox::consents::Validity;

use crate::Config;

impl Config {
    /// The templates of subscribe messages, for what is sent and for previews of it.
    #[must_use]
    pub fn card_templates(&self) -> CardTemplates {
        CardTemplates {
            reminder: self.wechat.reminder_template.clone(),
            progress: self.wechat.progress_template.clone(),
        }
    }

    /// Addresses and credentials of the platforms.
    #[must_use]
    pub fn platforms(&self) -> PlatformSettings {
        let wecom_app = (!self.wecom.corp_id.is_empty()).then(|| WeComAppSettings {
            corp_id: self.wecom.corp_id.clone(),
            agent_id: self.wecom.agent_id,
            secret: self.wecom.app_secret.clone(),
            has_callback: !self.wecom.callback_keys.is_empty(),
        });
        let official_account = self.official_account.as_ref().map(|account| OfficialAccountSettings {
            app_id: account.app_id.clone(),
            app_secret: account.app_secret.clone(),
            templates: account
                .reminder_template
                .clone()
                .zip(account.progress_template.clone())
                .map(|(reminder, progress)| CardTemplates { reminder, progress }),
        });
        PlatformSettings {
            wechat_api_base: self.wechat.api_base.clone(),
            wecom_api_base: self.wecom.api_base.clone(),
            dingtalk_api_base: self.dingtalk.api_base.clone(),
            feishu_api_base: self.feishu.api_base.clone(),
            wecom_app,
            app_id: self.wechat.app_id.clone(),
            app_secret: self.wechat.app_secret.clone(),
            official_account,
            templates: self.card_templates(),
            consents: if self.wechat.long_term_templates { Validity::LongTerm } else { Validity::Once },
        }
    }
}
