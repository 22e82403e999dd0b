//! The platforms as the configuration names them, for everything that speaks to them.

use qingfeng_bot::{PlatformSettings, channels::WeComAppSettings};
use qingfeng_core::outbox::consents::Validity;

use crate::Config;

impl Config {
    /// Addresses and credentials of the platforms.
    #[must_use]
    pub fn platforms(&self) -> PlatformSettings {
        let wecom_app = (!self.wecom.corp_id.is_empty()).then(|| WeComAppSettings {
            corp_id: self.wecom.corp_id.clone(),
            agent_id: self.wecom.agent_id,
            secret: self.wecom.app_secret.clone(),
        });
        PlatformSettings {
            wechat_api_base: self.wechat.api_base.clone(),
            wecom_api_base: self.wecom.api_base.clone(),
            dingtalk_api_base: self.dingtalk.api_base.clone(),
            feishu_api_base: self.feishu.api_base.clone(),
            wecom_app,
            app_id: self.wechat.app_id.clone(),
            app_secret: self.wechat.app_secret.clone(),
            reminder_template: self.wechat.reminder_template.clone(),
            progress_template: self.wechat.progress_template.clone(),
            consents: if self.wechat.long_term_templates { Validity::LongTerm } else { Validity::Once },
        }
    }
}
