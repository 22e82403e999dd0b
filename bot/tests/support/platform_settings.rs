//! How a bot reaches the simulated platforms.

use qingfeng_bot::{
    PlatformSettings,
    channels::{CardTemplates, WeComAppSettings},
};
use qingfeng_core::outbox::consents::Validity;
use qingfeng_sandbox::{Account, RunningSandbox, WeComAccount};

/// With these accounts, and without an official one.
pub fn platform_settings(
    running: &RunningSandbox,
    account: Account,
    corporation: WeComAccount,
    templates: CardTemplates,
) -> PlatformSettings {
    PlatformSettings {
        wechat_api_base: running.wechat_base(),
        wecom_api_base: running.wecom_base(),
        dingtalk_api_base: running.dingtalk_base(),
        feishu_api_base: running.feishu_base(),
        wecom_app: Some(WeComAppSettings {
            corp_id: corporation.corp_id,
            agent_id: corporation.agent_id,
            secret: corporation.secret,
            has_callback: corporation.callback_url.is_some(),
        }),
        app_id: account.app_id,
        app_secret: account.app_secret,
        official_account: None,
        templates,
        consents: Validity::Once,
    }
}
