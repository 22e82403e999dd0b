//! The platform simulator, set up for the demo township: a phone for every account and some residents, a chat group for
//! every village.

use qingfeng_core::{
    ids::CountyId,
    outbox::consents::{self, Consent, Teller},
    people::{
        account_links::{self, AccountIdentity},
        sign_in,
    },
    refusal::Fault,
};
use qingfeng_sandbox::{
    Account as Registered, Group, Phone, RunningSandbox, Sandbox, SandboxSettings, Template, WeComAccount,
};

use super::{
    names::VILLAGES,
    people::{PHONES_PER_VILLAGE, accounts, resident_phone, robot_key},
};
use crate::{Application, Config, config::OfficialAccount};

/// Accepts on each phone and template at the start, so that the first cards arrive.
pub(super) const ACCEPTS: u16 = 200;

/// Starts the simulator as the configuration describes it; with the demo's phones and groups when `demo` is set.
///
/// # Errors
/// When the address is taken.
pub fn start(config: &Config, demo: bool) -> anyhow::Result<RunningSandbox> {
    // Numbers and types as an account gets them from the platform's library: the shipped configuration names the same keys.
    let templates = vec![
        Template::new(config.wechat.reminder_template.id(), "待办提醒")
            .with_field("thing2", "事项")
            .with_field("phrase3", "状态")
            .with_field("time5", "期限")
            .with_field("thing7", "提示")
            .with_field("thing9", "原因"),
        Template::new(config.wechat.progress_template.id(), "进展通知")
            .with_field("thing4", "事项")
            .with_field("thing1", "进展")
            .with_field("thing8", "原因"),
    ];
    let account = Registered {
        app_id: config.wechat.app_id.clone(),
        app_secret: config.wechat.app_secret.clone(),
        callback_url: Some(format!("{}/callbacks/wechat", config.http.public_url)),
        callback_token: config.wechat.callback_token.clone(),
        app_url: format!("{}/app/", config.http.public_url),
        ..Registered::default()
    };
    let official = config.official_account.clone().unwrap_or_else(OfficialAccount::simulated);
    let official_account = Registered {
        app_id: official.app_id,
        app_secret: official.app_secret,
        // Nobody listens where the product has no official account.
        callback_url: config
            .official_account
            .is_some()
            .then(|| format!("{}/callbacks/official-account", config.http.public_url)),
        callback_token: official.callback_token,
        callback_key: official.callback_keys.first().cloned(),
        ..Registered::official()
    };
    let (phones, groups): (Vec<Phone>, _) = if demo { (phones(), groups()) } else { (Vec::new(), Vec::new()) };
    let people: Vec<String> = phones.iter().map(|phone| phone.openid.clone()).collect();
    // One clock for both: the phones show the hour that the product believes in.
    let clock = crate::cli::real_surroundings(config).clock;
    let clock: qingfeng_sandbox::Clock = std::sync::Arc::new(move || clock.now());
    let wecom = WeComAccount {
        callback_url: Some(format!("{}/callbacks/wecom", config.http.public_url)),
        robot_callback_url: Some(format!("{}/callbacks/wecom-robot", config.http.public_url)),
        ..WeComAccount::default()
    };
    let settings = SandboxSettings {
        account,
        official_account: Some(official_account),
        wecom,
        clock,
        phones,
        groups,
        templates,
        ..SandboxSettings::default()
    };
    let sandbox = Sandbox::new(settings);
    for open_id in people {
        for template in [&config.wechat.reminder_template, &config.wechat.progress_template] {
            sandbox.accept_subscription(&open_id, template.id(), ACCEPTS.into());
        }
    }
    Ok(sandbox.start(&config.sandbox.bind)?)
}

/// The product listens to the simulator's smart robot.
pub fn use_simulated_robot(config: &mut Config) {
    let simulated = WeComAccount::default();
    config.wecom.robot_token = simulated.robot_token;
    config.wecom.robot_keys = vec![simulated.robot_key];
}

/// The product has the simulator's official account.
pub fn use_simulated_account(config: &mut Config) {
    config.official_account = Some(OfficialAccount::simulated());
}

/// Staff sign in at the simulator's corporation.
pub fn use_simulated_corporation(config: &mut Config) {
    if config.wecom.corp_id == WeComAccount::default().corp_id {
        config.wecom.oauth_base = format!("http://{}", config.sandbox.bind);
    }
}

/// What the official account calls the owner of a demo phone.
#[must_use]
pub fn official_open_id(open_id: &str) -> String {
    format!("account-{open_id}")
}

/// The demo's residents have bound their chats before the story begins.
pub(super) async fn link_chats(application: &Application) -> Result<(), Fault> {
    let Some(account) = &application.config.official_account else { return Ok(()) };
    let store = &application.store;
    for phone in phones() {
        let open_id = official_open_id(&phone.openid);
        let identity = AccountIdentity { app_id: account.app_id.clone(), open_id };
        let Some(resident) = sign_in::resident_of(store, &phone.openid).await? else { continue };
        store
            .housekeeping(move |unit| Box::pin(async move { account_links::add(unit, resident, &identity).await }))
            .await?;
    }
    Ok(())
}

/// What the simulated phones accept from the start, in the ledger.
pub(super) async fn count_accepts(application: &Application, county: CountyId) -> Result<(), Fault> {
    let settings = &application.config.wechat;
    for phone in phones() {
        for template in [&settings.reminder_template, &settings.progress_template] {
            let consent = Consent::new(&phone.openid, template.id());
            consents::accepted(&application.store, county, consent, Teller::Platform, ACCEPTS).await?;
        }
    }
    Ok(())
}

fn phones() -> Vec<Phone> {
    let known = |phone: Phone| {
        let open_id = official_open_id(&phone.openid);
        phone.at_official_account(open_id)
    };
    let residents = VILLAGES.iter().enumerate().flat_map(|(village, name)| {
        (0..PHONES_PER_VILLAGE).map(move |number| {
            Phone::new(resident_phone(village, number), format!("{name}村民{}", number + 1))
                .with_persona(format!("村民 {name} {}组", number % 6 + 1))
        })
    });
    let staff = accounts().into_iter().map(|account| {
        Phone::new(account.open_id(), account.label.clone()).with_persona("干部").at_wecom(&account.login)
    });
    staff.chain(residents).map(known).collect()
}

fn groups() -> Vec<Group> {
    VILLAGES.iter().enumerate().map(|(village, name)| Group::new(robot_key(village), format!("{name}村民群"))).collect()
}
