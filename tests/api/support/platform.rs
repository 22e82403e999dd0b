use qingfeng_bot::{Bot, BotSettings, PlatformSettings, Reviewing};
use qingfeng_core::clock::Clock as _;
use qingfeng_sandbox::{RunningSandbox, Sandbox, SandboxSettings};

use super::TestServer;

/// The platform with the accounts and the clock of this server.
pub fn platform(server: &TestServer) -> Sandbox {
    let clock = server.clock.clone();
    let clock: qingfeng_sandbox::Clock = std::sync::Arc::new(move || clock.now());
    // A busy machine may need more than the second that the platform gives.
    let verification_patience = std::time::Duration::from_secs(10);
    let platform = Sandbox::new(SandboxSettings { clock, verification_patience, ..SandboxSettings::default() });
    let config = &server.application.config;
    let mut mini_program = platform.account();
    mini_program.app_id.clone_from(&config.wechat.app_id);
    mini_program.callback_url = Some(format!("{}/callbacks/wechat", server.address));
    mini_program.callback_token.clone_from(&config.wechat.callback_token);
    platform.set_account(mini_program);
    if let Some(own) = &config.official_account {
        let mut official = platform.official_account();
        official.app_id.clone_from(&own.app_id);
        official.callback_url = Some(format!("{}/callbacks/official-account", server.address));
        official.callback_token.clone_from(&own.callback_token);
        platform.set_official_account(official);
    }
    let mut corporation = platform.wecom_account();
    corporation.callback_url = Some(format!("{}/callbacks/wecom", server.address));
    platform.set_wecom_account(corporation);
    platform
}

/// A bot on the server's data that sends to this platform. What staff wrote goes into groups when the rules find nothing: the
/// platform knows nobody's phone.
pub fn bot(server: &TestServer, running: &RunningSandbox) -> Bot {
    bot_with(server, running, Reviewing::RulesAlone)
}

/// The same, with its own way of reading posts.
pub fn bot_with(server: &TestServer, running: &RunningSandbox, reviewing: Reviewing) -> Bot {
    let application = &server.application;
    let settings = BotSettings {
        template_failures: application.config.bot.template_failures,
        reviewing,
        public_url: server.address.clone(),
        platforms: PlatformSettings {
            wechat_api_base: running.wechat_base(),
            wecom_api_base: running.wecom_base(),
            dingtalk_api_base: running.dingtalk_base(),
            feishu_api_base: running.feishu_base(),
            ..application.config.platforms()
        },
    };
    let (store, cache) = (application.store.clone(), application.cache.clone());
    Bot::new(store, cache, application.sealer.clone(), application.darkroom.clone(), settings).unwrap()
}
