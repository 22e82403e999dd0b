use qingfeng_bot::{Bot, BotSettings, PlatformSettings};
use qingfeng_core::outbox::consents::Validity;
use qingfeng_sandbox::{RunningSandbox, Sandbox, SandboxSettings};

use super::TestServer;

/// The platform with the account of this server.
pub fn platform(server: &TestServer) -> Sandbox {
    let platform = Sandbox::new(SandboxSettings::default());
    let mut account = platform.account();
    account.callback_url = Some(format!("{}/callbacks/wechat", server.address));
    account.callback_token = server.application.config.wechat.callback_token.clone();
    platform.set_account(account);
    platform
}

/// A bot on the server's data that sends to this platform.
pub fn bot(server: &TestServer, running: &RunningSandbox) -> Bot {
    let application = &server.application;
    let wechat = application.config.wechat.clone();
    let settings = BotSettings {
        public_url: server.address.clone(),
        platforms: PlatformSettings {
            wechat_api_base: running.wechat_base(),
            wecom_api_base: running.wecom_base(),
            app_id: wechat.app_id,
            app_secret: wechat.app_secret,
            reminder_template: wechat.reminder_template,
            progress_template: wechat.progress_template,
            consents: Validity::Once,
        },
    };
    Bot::new(application.store.clone(), application.cache.clone(), application.sealer.clone(), settings).unwrap()
}
