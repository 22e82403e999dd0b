//! Two bots on one cache, and the platforms they send to.

use std::sync::Arc;

use chrono::NaiveDate;
use qingfeng_bot::{
    PlatformSettings,
    channels::{CardTemplates, Channels, OfficialAccountSettings, Watch},
};
use qingfeng_core::{
    cache::{Cache, MemoryCache, RedisCache},
    clock::{Clock, SimulatedClock},
    outbox::consents::Validity,
};
use qingfeng_sandbox::{Account, Group, GroupKind, Phone, RunningSandbox, Sandbox, SandboxSettings, WeComAccount};
use uuid::Uuid;

use crate::platform_settings::platform_settings;

#[derive(Clone, Copy, Debug)]
pub enum Shared {
    Memory,
    Redis,
}

pub struct Replicas {
    pub clock: Arc<SimulatedClock>,
    pub platforms: Sandbox,
    _running: RunningSandbox,
    pub first: Channels,
    pub second: Channels,
    /// Keys of the groups' robots: another each time, because Redis remembers.
    pub wecom: String,
    pub dingtalk: String,
    pub feishu: String,
}

pub const SIGNING_SECRET: &str = "SECthis-is-a-secret";

impl Replicas {
    pub async fn on(shared: Shared) -> Self {
        Self::with_templates(shared, CardTemplates::usual("T-REMIND", "T-PROGRESS"), Validity::Once).await
    }

    /// The same, with an account's own templates.
    pub async fn with_templates(shared: Shared, templates: CardTemplates, consents: Validity) -> Self {
        let clock = Arc::new(SimulatedClock::at_shanghai(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap(), 9));
        let cache: Arc<dyn Cache> = match shared {
            Shared::Memory => Arc::new(MemoryCache::new(clock.clone())),
            Shared::Redis => {
                let url = std::env::var("QINGFENG_TEST_REDIS").unwrap_or("redis://127.0.0.1:6379".into());
                Arc::new(RedisCache::connect(&url, clock.clone()).await.expect("Redis answers; see README"))
            }
        };
        let key = |kind: &str| format!("{kind}-{}", Uuid::new_v4().simple());
        let (wecom, dingtalk, feishu) = (key("wecom"), key("dingtalk"), key("feishu"));
        // Redis remembers tokens, too.
        let account = Account { app_id: format!("wx{}", Uuid::new_v4().simple()), ..Account::default() };
        let official = Account { app_id: format!("wx{}", Uuid::new_v4().simple()), ..Account::official() };
        let corporation = WeComAccount {
            corp_id: format!("ww{}", Uuid::new_v4().simple()),
            // Nobody listens there; but cards with buttons are taken.
            callback_url: Some("http://127.0.0.1:9/callbacks/wecom".into()),
            ..WeComAccount::default()
        };
        let now = clock.clone();
        let platforms = Sandbox::new(SandboxSettings {
            account: account.clone(),
            official_account: Some(official.clone()),
            wecom: corporation.clone(),
            clock: Arc::new(move || now.now()),
            phones: vec![Phone::new("phone-1", "甲的手机").at_wecom("cadre-1"), Phone::new("phone-2", "乙的手机")],
            groups: vec![
                Group::new(&wecom, "东河村村务群"),
                Group::new(&dingtalk, "镇干部群").of_kind(GroupKind::Dingtalk).signed_with(SIGNING_SECRET),
                Group::new(&feishu, "督查群").of_kind(GroupKind::Feishu).signed_with(SIGNING_SECRET),
            ],
            ..SandboxSettings::default()
        });
        let running = platforms.start("127.0.0.1:0").unwrap();
        let official = OfficialAccountSettings {
            app_id: official.app_id,
            app_secret: official.app_secret,
            templates: Some(templates.clone()),
        };
        let settings = PlatformSettings {
            official_account: Some(official),
            consents,
            ..platform_settings(&running, account, corporation, templates)
        };
        let dynamic: Arc<dyn Clock> = clock.clone();
        let channels = |name: &str| Channels::new(&cache, &dynamic, &Watch::nobody(), name, &settings).unwrap();
        let (first, second) = (channels("bot-1"), channels("bot-2"));
        Self { clock, platforms, _running: running, first, second, wecom, dingtalk, feishu }
    }
}
