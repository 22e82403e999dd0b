use qingfeng_bot::{Bot, BotSettings, PlatformSettings, Reviewing, channels::WeComAppSettings};
use qingfeng_core::{clock::Clock as _, outbox::consents::Validity};
use qingfeng_sandbox::{RunningSandbox, Sandbox, SandboxSettings};

use super::TestServer;

/// The platform with the account and the clock of this server.
pub fn platform(server: &TestServer) -> Sandbox {
    let clock = server.clock.clone();
    let clock: qingfeng_sandbox::Clock = std::sync::Arc::new(move || clock.now());
    // A busy machine may need more than the second that the platform gives.
    let verification_patience = std::time::Duration::from_secs(10);
    let platform = Sandbox::new(SandboxSettings { clock, verification_patience, ..SandboxSettings::default() });
    let mut account = platform.account();
    account.callback_url = Some(format!("{}/callbacks/wechat", server.address));
    account.callback_token = server.application.config.wechat.callback_token.clone();
    platform.set_account(account);
    platform
}

/// A bot on the server's data that sends to this platform. What staff wrote goes into groups when the rules find nothing.
pub fn bot(server: &TestServer, running: &RunningSandbox) -> Bot {
    bot_with(server, running, Reviewing::Rules)
}

/// The same, with its own way of reading posts.
pub fn bot_with(server: &TestServer, running: &RunningSandbox, reviewing: Reviewing) -> Bot {
    let application = &server.application;
    let wechat = application.config.wechat.clone();
    let wecom = application.config.wecom.clone();
    let wecom_app = WeComAppSettings { corp_id: wecom.corp_id, agent_id: wecom.agent_id, secret: wecom.app_secret };
    let settings = BotSettings {
        template_failures: application.config.bot.template_failures,
        reviewing,
        public_url: server.address.clone(),
        platforms: PlatformSettings {
            wechat_api_base: running.wechat_base(),
            wecom_api_base: running.wecom_base(),
            dingtalk_api_base: running.dingtalk_base(),
            feishu_api_base: running.feishu_base(),
            wecom_app: Some(wecom_app),
            app_id: wechat.app_id,
            app_secret: wechat.app_secret,
            reminder_template: wechat.reminder_template,
            progress_template: wechat.progress_template,
            consents: Validity::Once,
        },
    };
    let (store, cache) = (application.store.clone(), application.cache.clone());
    Bot::new(store, cache, application.sealer.clone(), application.darkroom.clone(), settings).unwrap()
}
